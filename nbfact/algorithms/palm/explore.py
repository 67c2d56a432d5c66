"""explore: PALM whose projections remember what they drop, to find better supports."""

from collections.abc import Sequence

from ..._core.checks import RandomState, sequence
from ...constraints import Constraint
from ..common.problem import TargetLike, problem_of
from ..common.result import Callback, Factorization
from .initial_factors import Init
from .leaky_exploration import (
    ExploreOptions,
    Leak,
    Values,
    explore_problem,
    schedule_of,
)
from .sweep_options import Order, SweepOptions, order_for

DEFAULT_LEAK, DEFAULT_SWEEPS = (0.99, 0.9), 300
"""Leaks of the first and the last sweep, and number of sweeps, where none are given."""


def explore(
    target: TargetLike,
    constraints: Sequence[Constraint],
    *,
    leak: Leak = DEFAULT_LEAK,
    values: Values = "projected",
    n_iter: int = DEFAULT_SWEEPS,
    init: Init = None,
    order: Order | None = None,
    step: float = 1.0,
    n_restarts: int = 0,
    n_jobs: int | None = None,
    safeguard: bool = True,
    refine_values: bool = True,
    callback: Callback | None = None,
    random_state: RandomState = None,
) -> Factorization:
    """Factor a matrix as `palm4msa` does, but leave bad supports: leaky exploration.

    palm4MSA forgets the entries that its projections drop, so that it rarely leaves the
    supports of its first sweeps. Here they are remembered, and a share of them, the
    leak, is added to the next step: entries that are dropped again and again add up
    until they enter.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite: see `palm4msa`.
    constraints : sequence of J constraints
        The set of each factor, left to right.
    leak : float, (float, float) or callable
        The leak ρ of a sweep, from 0 (palm4MSA) to 1 (nothing is forgotten:
        straight-through hard thresholding). A pair is annealed: from the first sweep to
        the last, 1 - ρ goes geometrically from that of the first number to that of the
        second. A callable gets the share of sweeps that are done, from 0 to 1, and
        returns ρ.
    values : {"projected", "least squares"}
        What the values of a factor are: those of its projection, or the least squares
        on the support of the projection. With ``leak=1`` the latter is the rule of the
        support exploration algorithm (SEA, see Notes). It makes the target dense, needs
        sets that limit the support alone, and costs far more time: a least-squares
        problem for each factor in each sweep.
    n_iter : int, default 300
        Maximum number of sweeps of the exploration from each start. The sweeps without
        a leak that follow are at most a tenth as many.
    init : Factorization, FastOperator, Chain, J arrays, or "random", optional
        Factors to start from: see `palm4msa`.
    order : {"right-to-left", "left-to-right"}, optional
        The order in which a sweep updates the factors; by default see `palm4msa`.
    step : float, default 1.0
        Length of the gradient steps: see `palm4msa`.
    n_restarts : int, default 0
        Number of random starts after the first one.
    n_jobs : int, optional
        Number of processes over which the starts are spread, as in scikit-learn: -1 for
        all cores, None for 1 unless ``joblib.parallel_config`` says otherwise. More
        than 1 needs joblib.
    safeguard : bool, default True
        Run `palm4msa` from each start too, for the same number of sweeps, and return
        what it finds if that is better. It costs as much as the exploration.
    refine_values : bool, default True
        End with the sweeps without a leak and with `refine`.
    callback : callable, optional
        Called with a `CallbackState` after each sweep of an exploration; returning True
        ends it. With `n_jobs` above 1 it runs in other processes.
    random_state : None, int, numpy.random.Generator or RandomState
        The seed of ``init="random"``, for which it gives the start that it gives
        `palm4msa`, and of the restarts.

    Returns
    -------
    Factorization
        The best that was found. The history is that of its exploration, or, where the
        safeguard is better, of palm4MSA. The safeguard runs `palm4msa` with the same
        arguments and ``keep="best"`` too, and returns the better of the two, whatever
        the leak. For a zero target the factors are zero, and so are the scale and the
        error.

    Raises
    ------
    TypeError, ValueError
        As `palm4msa`; also a leak outside [0, 1] (in a pair: [0, 1)), `n_restarts`
        below 0, `n_jobs` 0, least squares with another set.
    ModuleNotFoundError
        `n_jobs` above 1 without joblib.

    See Also
    --------
    palm4msa : Without a leak.
    learn_transform : Explores from many starts, for a budget of non-zeros.

    Notes
    -----
    Each factor S keeps X, what its projection P was last called with. With G the
    gradient of `palm4msa` at S, and c its modulus,

        X ← S + ρ (X - S) - G / c,    S ← P(X).

    Off the support of S, X is the discounted sum of past gradients, -Σ ρᵗ G / c: an
    entry enters once its evidence exceeds the smallest kept one. At a fixed point G is
    zero on the support, and off it at most c (1 - ρ) times the smallest kept modulus.
    The bound of palm4MSA is c times that modulus, 1 / (1 - ρ) times larger, so that
    fewer points are fixed here. The error is not monotone, and the best iterate is
    kept. From there, sweeps with ρ = 0 and exact least squares, which do not increase
    the error, end at a critical point. Scaling is "balanced", and X is scaled with S.

    With ρ = 1 and one sparse vector for S, X is the exploration vector of the support
    exploration algorithm (SEA) of Mohamed et al., but the rule is SEA only with
    ``values="least squares"``: there the gradient is taken at the least-squares values
    on the support, and X gives the support only, whereas by default S has the values of
    X too. Prior work for products of several factors: Mohamed, Emiya and Chaux carry
    the straight-through estimator to the unknown permutations of Monarch matrices, and
    Le and Gribonval leave bad supports by hard thresholding pursuit between the sweeps
    of palm4MSA. ``nbfact study patterns`` compares with all three.

    A sweep costs what one of palm4MSA does, and three passes over each X, a dense
    (p, q) array.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 4 (palm4MSA)
    [lemagoarou2016].
    M. Mohamed, F. Malgouyres, V. Emiya and C. Chaux, Straight-through meets sparse
    recovery: the support exploration algorithm, ICML 2024 (arXiv:2301.13584)
    [mohamed2024].
    M. Mohamed, V. Emiya and C. Chaux, Learning permutations in Monarch factorization,
    ICASSP 2025 (hal-04887483) [mohamed2025].
    Q.-T. Le and R. Gribonval, Structured support exploration for multilayer sparse
    matrix factorization, ICASSP 2021 [le2021].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> rng = np.random.default_rng(0)
    >>> A = nf.targets.hadamard(16)[rng.permutation(16)][:, rng.permutation(16)]
    >>> sets = [nf.constraints.SkPerm((16, 16), 8), nf.constraints.SkPerm((16, 16), 2)]
    >>> start = {"init": "random", "random_state": 0, "n_iter": 200}
    >>> round(nf.palm4msa(A, sets, **start).relative_error, 1)
    0.5
    >>> bool(nf.explore(A, sets, **start).relative_error < 1e-12)
    True
    """
    constraints = sequence("constraints", constraints, "constraints", least=1)
    dense = values == "least squares"
    problem = problem_of(target, 1 if dense else len(constraints))
    sweeps = SweepOptions(
        n_iter=n_iter,
        order=order_for(order, problem.shape),
        step=step,
        keep="best",
        callback=callback,
        leak=schedule_of(leak),
    )
    options = ExploreOptions(
        sweeps=sweeps,
        n_restarts=n_restarts,
        n_jobs=n_jobs,
        values=values,
        safeguard=safeguard,
        refine_values=refine_values,
    )
    return explore_problem(problem, constraints, init, options, random_state)
