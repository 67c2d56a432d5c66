"""identify_butterfly: chains whose rows and columns are in an unknown order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..._core.checks import RandomState, choice, size
from ..._core.streams import stream
from ...operators import Butterfly, Chain, FactorProduct
from ..common.problem import Problem, problem_of
from ..common.result import CallbackState, Factorization
from .identify_options import IdentifyOptions
from .permutation_search import PermutationSearch
from .radix_search import search_radices
from .split_radices import SplitRadices, radices_of


@dataclass(frozen=True, repr=False)
class PermutedFactorization(Factorization[Butterfly | FactorProduct]):
    """A butterfly, and the permutations of rows and columns that were found for it.

    As in every result, A ≈ scale * factors[0] @ ... @ factors[-1].

    Attributes
    ----------
    operator, relative_error, history, target
        See `Factorization`. `operator` is a Butterfly; with ``tied=False`` it is a
        FactorProduct, with the permutations merged into its factors. `history` holds
        the error after each start and each pass.
    row_permutation, column_permutation : ndarray of intp, (m,) and (n,)
        ``A[np.ix_(row_permutation, column_permutation)]`` is nearly a butterfly without
        permutations, a product in `chain`. With ``tied=False`` no single order fits all
        blocks. The rows are then in the order of the nested parts, and the columns in
        that of the groups of the first block of each level; if `transposed`, it is the
        other way round.
    chain : Chain
        The chain, of the shape of A.
    transposed : bool
        Whether the best splits were found in the transpose. This matters only with
        ``tied=False``: the rows are then grouped differently in different blocks of
        columns.

    See Also
    --------
    nbfact.identify_butterfly : The function that returns it.
    nbfact.Factorization : What it has in common with other results.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.targets.permuted(nf.targets.hadamard(8), random_state=0)
    >>> r = nf.identify_butterfly(A, random_state=0)
    >>> r.chain.shape, np.sort(r.row_permutation).tolist()
    ((8, 8), [0, 1, 2, 3, 4, 5, 6, 7])
    """

    row_permutation: np.ndarray = field(kw_only=True, repr=False, compare=False)
    column_permutation: np.ndarray = field(kw_only=True, repr=False, compare=False)
    chain: Chain = field(kw_only=True)
    transposed: bool = field(kw_only=True)


def identify_butterfly(
    target: Any,
    chain: Chain | Sequence[Any] | Literal["search"] | None = None,
    *,
    nnz: int | None = None,
    tied: bool = True,
    n_iter: int = 20,
    n_restarts: int | None = None,
    refine_values: bool = True,
    callback: Callable[[CallbackState], Any] | None = None,
    random_state: RandomState = None,
) -> PermutedFactorization:
    """Find the permutations that make a matrix a butterfly, and its factors.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite. Sparse matrices and operators are made
        dense.
    chain : Chain, sequence of int, or "search", optional
        The chain of A without its permutations: one of ``Chain.mixed_radix(rows,
        columns, rank)``, whose factors split rows and columns by one radix each, or its
        patterns. Or the radices of rows and columns alike, for blocks of rank one. Only
        the sizes of a chain matter, not how rows or columns are scaled. By default
        `Chain.square_dyadic` if A is square of an order that is a power of two, else
        `Chain.smallest`. "search" takes the best chain of rank one or two with at most
        `nnz` values; of chains that are exact, the first one, where those of rank one
        come before others, those that split rows and columns alike before others, and
        those of fewer values first. Rank two is seen up to 128 x 128, where there is
        next to no noise.
    nnz : int, optional
        The largest number of values, for ``chain="search"`` and needed there.
    tied : bool
        Whether all blocks of a level group their columns alike, so that A is one
        butterfly with one permutation of the rows and one of the columns. Otherwise
        each block has groups of its own: the number of non-zeros is the same, and there
        is more freedom to approximate a matrix that is no butterfly. `explore` and
        `refine` start well from such supports. Ranks above one need ``tied=True``.
    n_iter : int, default 20
        Maximum number of passes from each start. Passes go from the right and from the
        left in turns, each near the best splits so far. Only with ``tied=True``.
    n_restarts : int, optional
        Number of further starts after the first one, at least 0; starts are made in A
        and in its transpose in turns. The search may end before: see Notes. By default
        15 up to m n = 256², 7 for 512², and 1 from 1024² on.
    refine_values : bool
        Whether to end with `refine` if the error is above rounding.
    callback : callable, optional
        Called with a `CallbackState` of the best factors so far after each start and
        each pass; returning True ends the search.
    random_state : None, int, numpy.random.Generator or RandomState
        Chooses the columns that searches begin with, and the noise of later starts.

    Returns
    -------
    PermutedFactorization
        The permutations, the chain and the factors, one for each pattern. For a zero
        target the factors are zero and the error is 0.

    Raises
    ------
    TypeError
        If the target is not numeric, or an option has another type.
    ValueError
        If the target contains NaN or infinity; if the chain has another shape, or is
        none of `Chain.mixed_radix`, or has blocks of a rank above one with
        ``tied=False``; if `nnz` is missing or too small for ``chain="search"``, or
        given without; if n_iter < 1 or n_restarts < 0. The message names the argument
        and the sizes.

    See Also
    --------
    butterfly_factorize : the factors, where the permutations are known or common ones.
    learn_butterfly : a few permutations and the values by gradient descent.

    Notes
    -----
    The last factor of a chain leaves the rows in b parts and the columns in groups of
    c, such that each group has rank one in each part. With P the Gram matrix of the
    columns over a part, a split loses

        Σ_parts Σ_groups (tr P[group, group] - λ_max P[group, group]),

    which is the exact squared error of the best values. The sum is lowered in turns
    over the groups (the surest pairs first; then columns move to the nearest group) and
    over the parts (each row moves to where it loses less, all parts staying equally
    large). In two columns of one group, the rows are points on b lines through 0: the
    search begins with those pairs of columns whose points, in the order of their
    angles, fall best into b intervals of equal length. The coordinates on the best
    lines form b matrices of m / b rows and n / c columns, which are split in turn.

    Square levels of halves and pairs (b = c = 2) have closed forms and kernels: pairs
    are exchanged in chains, likely pairs are those whose moments of order four form a
    nearly singular 3 × 3 matrix, and of blocks of at most 8 rows all splits are
    compared.

    In a chain with blocks of rank r, the sum has all but the r largest eigenvalues, and
    a split leaves r columns for each group, a bundle, which stay together. The search
    begins with sets of just more columns than r, in which the rows lie in b spaces of
    dimension r: spaces through r rows are tried. Levels whose groups have at most r
    columns, or whose parts at most r rows, say nothing, and are fused with others. The
    sets of columns grow as n^r / r!: of many, 4096 are drawn. The search ends too when
    three starts have ended with the least error.

    Splits are nested by construction, but greedy. Further passes alternate between the
    transpose and the matrix, so that the level that was split last is split first, and
    stay near the best splits found, more or less closely in turns. From the third start
    on, noise is added to the target that is searched, not to the one that errors are
    measured on, so that near ties are decided otherwise. The values are those of
    `butterfly_factorize`, with its guarantees, and then those of `refine`. The search
    ends when the error is rounding, or, with three factors and more, when it is the one
    that noise would leave, whose variance is estimated from what the first level loses.

    ``chain="search"`` estimates the noise from the best first and last factors of all
    radices, looks at up to 64 chains whose end factors leave little, with one start of
    each side, and searches the best three in full.

    Before, it looks for chains that are exact, and, of a square matrix, for one that
    splits rows and columns alike and leaves what noise would. Chains of rank two are
    looked at where those of rank one leave more or less than noise would, and a few
    columns alone lose at most 0.001 of their squared norm. Square matrices are split
    alike there.

    A pass costs O(n³), mostly in products of matrices. One is enough without noise.

    References
    ----------
    L. Zheng, G. Puy, E. Riccietti, P. Pérez, R. Gribonval, Butterfly factorization by
    algorithmic identification of rank-one blocks, GRETSI 2023 (arXiv:2307.00820), where
    each level is identified by itself [zheng2023blocks].
    M. Mohamed, V. Emiya and C. Chaux, Learning permutations in Monarch factorization,
    ICASSP 2025 (hal-04887483): permutations of two factors, learned by a
    straight-through estimator along with the values: a row of ``nbfact study patterns``
    [mohamed2025].
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
    guarantees, SIAM J. Matrix Anal. Appl. 46(4), 2025 (arXiv:2411.04506): the values
    [le2025].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> rng = np.random.default_rng(0)
    >>> F = np.fft.fft(np.eye(32))[rng.permutation(32)][:, rng.permutation(32)]
    >>> r = nf.identify_butterfly(F, random_state=0)
    >>> r.operator.nnz, bool(r.relative_error < 1e-14)
    (320, True)
    >>> K = np.kron(rng.standard_normal((3, 3)), rng.standard_normal((4, 4)))
    >>> K = K[rng.permutation(12)][:, rng.permutation(12)]
    >>> r3 = nf.identify_butterfly(K, "search", nnz=84, random_state=0)
    >>> r3.chain.n_parameters, bool(r3.relative_error < 1e-13)
    (84, True)
    >>> M = nf.Chain.mixed_radix((4, 4), rank=2)
    >>> B = nf.Butterfly(M, [rng.standard_normal(one) for one in M.patterns]).toarray()
    >>> B = B[rng.permutation(16)][:, rng.permutation(16)]
    >>> bool(nf.identify_butterfly(B, M, random_state=0).relative_error < 1e-13)
    True
    >>> straight = F[np.ix_(r.row_permutation, r.column_permutation)]
    >>> bool(nf.butterfly_factorize(straight).relative_error < 1e-14)
    True
    """
    options = IdentifyOptions(
        tied=tied,
        n_iter=n_iter,
        n_restarts=n_restarts,
        refine_values=refine_values,
        callback=callback,
    )
    problem = problem_of(target)
    radices: SplitRadices | int
    if isinstance(chain, str):
        choice("chain", chain, ("search",))
        if nnz is None:
            raise ValueError('chain="search" needs nnz, the largest number of values')
        radices = size("nnz", nnz, most=None)
    elif nnz is not None:
        raise ValueError('nnz is for chain="search": other chains have one number')
    else:
        radices = radices_of(chain, problem.shape)
        if radices.rank > 1 and not tied:
            raise ValueError(
                f"tied=False: chain={radices.chain} has blocks of rank {radices.rank}, "
                "whose groups of columns are looked for in all blocks together only"
            )
    return identify_problem(problem, radices, options, random_state)


def identify_problem(
    problem: Problem,
    radices: SplitRadices | int,
    options: IdentifyOptions,
    random_state: RandomState,
) -> PermutedFactorization:
    """Return what `identify_butterfly` does for a problem.

    `radices` are those of the chain, or the largest number of values where the chain is
    searched for too.
    """
    rng = stream("random_state", random_state, "identify_butterfly")
    if isinstance(radices, int):
        searched = search_radices(problem, radices, options, rng)
        if searched is None:
            m, n = problem.shape
            raise ValueError(f"nnz={radices}: no chain for {m} x {n} has so few values")
        return permuted_factorization(problem, searched)
    search = PermutationSearch(problem, options, radices)
    search.run(rng)
    return permuted_factorization(problem, search)


def permuted_factorization(
    problem: Problem, search: PermutationSearch
) -> PermutedFactorization:
    """Return the result of a search that has ended."""
    found = search.result()
    return PermutedFactorization(
        operator=found.operator,
        relative_error=found.relative_error,
        history=search.history,
        target=problem.array,
        row_permutation=found.nest.rows,
        column_permutation=found.nest.columns,
        chain=search.radices.chain,
        transposed=search.best.transposed,
    )
