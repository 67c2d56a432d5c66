"""learn_transform: a search for the best factorization under a budget."""

import math
from collections.abc import Sequence
from dataclasses import replace

import scipy.sparse as sp

from ..._core.checks import RandomState
from ..._core.streams import stream
from ...operators import FactorProduct
from ..common.problem import Problem, TargetLike, problem_of
from ..common.result import Callback, History
from .budget_search import BudgetSearch
from .learn_options import EffortName, LearnOptions
from .outcomes import LearnedTransform
from .product_timing import measured_times
from .starts import rounding

_CLOSE = 1.05
"""Ratio of the smallest budget that reaches an error to the largest that misses it,
below which the search for the smallest budget ends."""


def learn_transform(
    target: TargetLike,
    nnz: int | None = None,
    *,
    rcg: float | None = None,
    error: float | None = None,
    speedup: float | None = None,
    batch: int = 1,
    effort: EffortName = "normal",
    n_jobs: int | None = None,
    callback: Callback | None = None,
    families: Sequence[str] | None = None,
    time_limit: float | None = None,
    random_state: RandomState = None,
) -> LearnedTransform:
    """Learn a fast transform: the best product of sparse factors found under a budget.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite. It is made dense; integers are read as
        float64.
    nnz : int, optional
        The budget: the largest number of non-zeros of all factors together.
    rcg : float, optional
        The budget as a relative complexity gain (RCG), which is m n / nnz: how many
        times fewer multiplications the product costs than A.
    error : float, optional
        The relative error to reach, with as few non-zeros as the search finds.
    speedup : float, optional
        The budget as a time: how many times as fast as the dense product one product
        must be, by a model of times that is stored in the package, so that a run can be
        repeated on any machine. The model adds to its expected times what products lost
        beside the dense one on another processor under load. The attribute `times` of
        the result has the expected times, and measured ones.
    batch : int
        Number of columns of that product, for `speedup` alone; 1 for a vector.
    effort : {"quick", "normal", "thorough"}
        How many starts are tried and how many sweeps are spent on them. With `error`
        the search runs about ten times.
    n_jobs : int, optional
        Number of processes over which trials are spread, as in scikit-learn: -1 for all
        cores, None for 1 unless ``joblib.parallel_config`` says otherwise. More than 1
        needs joblib.
    callback : callable, optional
        Called with a `CallbackState` after each trial, whose method is the `phase`;
        returning True ends the search with the best so far.
    families : sequence of str, optional
        Names of the structures that are looked for, by default all: "named transforms",
        "convolutions", "chains", "permuted chains", "low rank", "sparse codes", which
        is for wide and tall A alone, "sparse + low rank", "sums of products", "sparse
        products", which are the explorations, and "products in blocks", which by
        default is tried with `speedup` and one vector alone. The largest entries of A
        are always tried.
    time_limit : float, optional
        Seconds after which the search ends with the best so far. A family takes at most
        a quarter of the time that is left ("sparse codes" three quarters, "products in
        blocks" a half), unless it is the last one. It looks at the time between two
        candidates, such as two chains or two splits of a permuted one; an exploration,
        and the least squares after it, do after each sweep. The candidate of that
        moment is finished.
    random_state : None, int, numpy.random.Generator or RandomState
        The seed of random starts, and of the columns that the identification of
        butterflies begins with.

    Returns
    -------
    LearnedTransform
        In the dtype of the target. Its number of non-zeros, as counted, never exceeds
        the budget. The operator is a `Butterfly` where that represents the best trial,
        fits the budget with all its values, and multiplies faster. The number of
        factors is found too; it may be 1, and the factor then holds the largest entries
        of A. Where no product is expected to have the `speedup`, the result is A
        itself, its method "dense matrix". Without `nnz`, `rcg`, `error` or `speedup`
        the budget is 2 max(m, n) log2(min(m, n)), that of a fast transform, or half the
        entries of A if that is less. For a zero target the scale and the error are 0.

    Raises
    ------
    TypeError
        A target that is not numeric, a budget that is no number, an option of another
        type.
    ValueError
        More than one of `nnz`, `rcg`, `error` and `speedup`; nnz < 1, rcg <= 0, error
        outside [0, 1), speedup <= 0, batch < 1; a batch without `speedup`, or one whose
        columns do not fit into memory; another effort; NaN or infinity.
    ModuleNotFoundError
        `n_jobs` above 1 without joblib.

    See Also
    --------
    palm4msa, hierarchical, explore : Sets of your own in place of a budget.
    butterfly_factorize, identify_butterfly : Butterflies without a search.

    Notes
    -----
    1. Structures are looked for: transforms that have a name, up to permutations, signs
       and scalings of rows and columns; circulant, Toeplitz and Hankel matrices; low
       rank; all chains of Kronecker-sparse factors (`nbfact.chains`); a sparse matrix
       plus one of low rank; butterflies with permutations that are not known
       (`identify_butterfly`); sums of two chains. For a wide A, products D X of a
       sparse square D and a sparse X are found too, by hard thresholding and least
       squares for one and the other in turns, under one budget for D and all columns
       of X; for a tall A they are those of its adjoint.
       Where one is exact within the budget, the one with the fewest non-zeros is the
       result.
    2. Otherwise the largest entries of A (one factor) are a candidate, and trials start
       from: identities, with and without A as the first or last factor; singular
       vectors (two factors); `hierarchical` (three and more); random matrices (two and
       three); the structures of step 1; with 2, 3, 4 and log2(min(m, n)) factors. Each
       is explored for a short while (see `explore`) in the sets `Sp`, whose budgets are
       in proportion to the longer side of a factor.
    3. The best few, of which at most half have the same number of factors, are explored
       for long, with a leak annealed from 0.99 to 0.5, and refined by exact least
       squares.
    4. The best two are annealed again, from 0.98 to 0.5, until that no longer helps
       (not with the effort "quick").
    5. Single entries of the first and the last factor of the best product without a
       structure are exchanged: with the others held, each row of the first one and each
       column of the last one lose error by moves that add, remove or exchange an entry
       (the kernel `exchange_atoms`), at one price of an entry for both. Then 15 % of
       the entries, mostly small ones, are removed at random, and moves begin again, 40
       times for sides up to 128 and less often above (not with the effort "quick"). The
       best product is refined once more.

    An interruption (Ctrl-C) ends the search too, and the best so far is returned.

    Few factors approximate what has no structure, many what is a fast transform: at
    n = 32 and 384 non-zeros, a Gaussian matrix is left at an error of 0.24 by two
    factors, and at 0.37 by five (`nbfact study patterns -k "ablation, Gaussian, 32*"`).

    Cost: that of the sweeps, each of which costs what one of `explore` does, of
    `identify_butterfly` up to order 1024 (for radices other than two, up to 256), and
    of a singular value decomposition of A.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: the relative complexity gain
    [lemagoarou2016].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> rng = np.random.default_rng(0)
    >>> A = nf.targets.hadamard(16)[rng.permutation(16)][:, rng.permutation(16)]
    >>> r = nf.learn_transform(A, nnz=128)
    >>> r.structure.split(",")[0], r.operator.nnz, bool(r.relative_error < 1e-12)
    ('hadamard', 128, True)
    >>> A = np.kron(rng.standard_normal((4, 4)), rng.standard_normal((3, 3)))
    >>> nf.learn_transform(A, nnz=84).structure
    'Kronecker 4 x 3'
    """
    options = LearnOptions(
        nnz=nnz,
        rcg=rcg,
        error=error,
        speedup=speedup,
        batch=batch,
        effort=effort,
        n_jobs=n_jobs,
        callback=callback,
        families=families,
        time_limit=time_limit,
    )
    problem = problem_of(target)
    rng = stream("random_state", random_state, "learn_transform")
    if problem.zero:
        return zero_transform(problem, options)
    search = BudgetSearch(problem, options, rng)
    if error is not None:
        return smallest(search, error)
    return search.best(options.budget(problem.shape))


def zero_transform(problem: Problem, options: LearnOptions) -> LearnedTransform:
    """Return the result for a zero target: one factor without entries."""
    zero = FactorProduct([sp.csr_array(problem.shape, dtype=problem.dtype)], 0.0)
    product = options.product_budget(problem.shape, problem.dtype)
    times = None if product is None else measured_times(zero, problem.array, product)
    return LearnedTransform(
        zero,
        0.0,
        History(),
        target=problem.array,
        structure="zero",
        method="zero",
        budget=options.budget(problem.shape),
        times=times,
    )


def smallest(search: BudgetSearch, error: float) -> LearnedTransform:
    """Return what reaches an error with the fewest non-zeros, by bisection.

    Where the callback ends the search, it is the fewest so far.
    """
    error = max(error, rounding(search.problem.dtype))
    low, reached = 0, search.best(math.prod(search.problem.shape))
    for start in search.fast:  # the butterflies reach it with the non-zeros they have
        found = start.result
        if found is None or found.relative_error > error:
            continue
        if found.operator.nnz < reached.operator.nnz:
            reached = search.best(found.operator.nnz)
    while not search.stopped:
        high = reached.operator.nnz
        budget = int(math.sqrt(max(low, 1) * high))
        if budget <= low or high <= _CLOSE * budget:
            break
        try:
            best = search.best(budget)
        except KeyboardInterrupt:  # before this budget had any result
            search.interrupt()
            break
        if best.relative_error <= error:
            reached = best
        else:
            low = budget
    return replace(reached, trials=tuple(search.trials), stopped=search.stopped)
