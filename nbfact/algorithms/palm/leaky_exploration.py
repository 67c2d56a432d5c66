"""Explorations: sweeps with a leak, and what follows them."""

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from ..._core.checks import (
    RandomState,
    choice,
    flag,
    function,
    real_number,
    shown,
    size,
    store,
)
from ..._core.jobs import each, processes
from ..._core.streams import stream
from ...constraints import (
    Constraint,
    SkPerm,
    Sp,
    SpBlock,
    SpCol,
    SpLin,
    SpLinCol,
    SpTril,
    SpTriu,
    Supp,
)
from ...constraints.sets import Set
from ...metrics import relative_error
from ..common.problem import Problem
from ..common.result import Callback, Factorization
from .initial_factors import Init, SweepStart, checked_start
from .iterations import SweepRecord, factorization, iterate, palm4msa_problem
from .refinement import RefineOptions, refine_problem
from .support_values import explore_supports
from .sweep_options import SweepOptions

Leak: TypeAlias = float | tuple[float, float] | Callable[[float], float]
"""A leak, the leaks of the first and last sweep, or a function of the share done."""

Values: TypeAlias = Literal["projected", "least squares"]
"""How an exploration gets the values of a factor: see `nbfact.explore`."""

VALUES: tuple[Values, ...] = get_args(Values)

_SUPPORTS = {Sp, SpBlock, SpLin, SpCol, SpLinCol, SkPerm, SpTriu, SpTril, Supp}
"""Sets that limit the supports of their matrices, and not the values (but `nonneg`)."""

_SETTLING = 0.1
"""Number of the sweeps without a leak that follow an exploration, as a share of its own
number of sweeps: they end at a point near by, and need not travel."""


@dataclass(frozen=True, kw_only=True)
class ExploreOptions:
    """The options of `explore`; making one checks them all.

    Attributes
    ----------
    sweeps : SweepOptions
        Those of the sweeps of an exploration, with their leak.
    values, n_restarts, n_jobs, safeguard, refine_values
        See `nbfact.explore`.
    after : callable, optional
        The callback of the sweeps and of the least squares that follow an exploration.

    Raises
    ------
    TypeError, ValueError
        Another word than those of `values`; an `n_restarts` or an `n_jobs` that is no
        integer, or out of range; a `safeguard` or a `refine_values` that is neither
        True nor False.
    """

    sweeps: SweepOptions
    values: Values = "projected"
    n_restarts: int = 0
    n_jobs: int | None = None
    safeguard: bool = True
    refine_values: bool = True
    after: Callback | None = None

    def __post_init__(self) -> None:
        choice("values", self.values, VALUES)
        store(self, n_restarts=size("n_restarts", self.n_restarts, least=0))
        processes(self.n_jobs)
        flag("safeguard", self.safeguard)
        flag("refine_values", self.refine_values)

    @property
    def without_leak(self) -> SweepOptions:
        """The options of the same number of sweeps of palm4MSA, without a callback."""
        return replace(self.sweeps, leak=None, callback=None, give_up=None)

    @property
    def settling(self) -> SweepOptions:
        """The options of the sweeps that follow an exploration."""
        n_iter = math.ceil(_SETTLING * self.sweeps.n_iter)
        return replace(self.without_leak, n_iter=n_iter, callback=self.after)


def explore_problem(
    problem: Problem,
    constraints: Sequence[Constraint],
    init: Init,
    options: ExploreOptions,
    random_state: RandomState,
) -> Factorization:
    """Return what `explore` does for a problem: the best from all starts."""
    if options.values == "least squares":
        _check_supports(constraints)
    rng = stream("random_state", random_state, "palm4msa")
    starts = [checked_start(problem, constraints, init, options.sweeps, rng)]
    for child in rng.spawn(options.n_restarts):
        starts.append(
            checked_start(problem, constraints, "random", options.sweeps, child)
        )
    calls = [(problem, start, options) for start in starts]
    found = each(explored, calls, options.n_jobs)
    return min(found, key=lambda result: result.relative_error)


def explored(
    problem: Problem, start: SweepStart, options: ExploreOptions
) -> Factorization:
    """Explore from one start, and return the best, that of palm4MSA included."""
    record = SweepRecord()
    if problem.zero:
        return palm4msa_problem(problem, start, options.sweeps, record)
    explore = iterate if options.values == "projected" else explore_supports
    found = explore(problem, start, options.sweeps, record)
    best = factorization(problem, found, record)
    give_up = options.sweeps.give_up
    if give_up is not None and give_up(record.history.errors):
        return best
    if options.refine_values:
        best = _with_refined_values(problem, best, start.constraints, options)
    if not options.safeguard:
        return best
    palm = palm4msa_problem(problem, start, options.without_leak, record.fresh())
    if options.refine_values:
        palm = _refined(problem, palm, start.constraints, options)
    return min(best, palm, key=lambda result: result.relative_error)


def _with_refined_values(
    problem: Problem,
    best: Factorization,
    constraints: Sequence[Constraint],
    options: ExploreOptions,
) -> Factorization:
    """Sweep without a leak, and solve for the values; never worse than `best`."""
    if best.relative_error == 0:
        return best
    start = checked_start(problem, constraints, best, options.settling)
    record = SweepRecord()
    found = iterate(problem, start, options.settling, record)
    settled = factorization(problem, found, record)
    if options.values == "least squares" and problem.dense is not None:
        # Least squares leave values that may cancel, of which sweeps in single
        # precision lose track: what counts is the error of the product.
        error = float(relative_error(problem.array, settled.operator))
        settled = replace(settled, relative_error=error)
    better = min(best, settled, key=lambda result: result.relative_error)
    better = replace(better, history=best.history)
    return _refined(problem, better, constraints, options)


def _refined(
    problem: Problem,
    result: Factorization,
    constraints: Sequence[Constraint],
    options: ExploreOptions,
) -> Factorization:
    """Solve for the values of the factors whose sets limit the support alone."""
    fixed = [j for j, one in enumerate(constraints) if not _only_support(one)]
    if problem.dense is None or len(fixed) == len(constraints):
        return result
    values = RefineOptions(fixed=tuple(fixed), callback=options.after)
    refined = refine_problem(problem, result.operator, values, SweepRecord())
    if refined.relative_error >= result.relative_error:
        return result
    return replace(refined, history=result.history)


def _check_supports(constraints: Sequence[Constraint]) -> None:
    """Raise unless all sets hold least squares, because they limit supports alone."""
    for j, one in enumerate(constraints):
        if not _only_support(one):
            raise TypeError(
                f'values="least squares": constraints[{j}] is {shown(one)}, and must '
                "limit the support alone"
            )


def _only_support(constraint: Constraint) -> bool:
    """Return whether a set holds all values on the supports of its elements."""
    if not isinstance(constraint, Set) or type(constraint) not in _SUPPORTS:
        return False
    return not constraint.nonneg


def schedule_of(leak: Leak) -> Callable[[float], float]:
    """Return the leak as a function of the share of sweeps that are done, or raise."""
    if callable(leak):
        return Schedule(function("leak", leak))
    if isinstance(leak, numbers.Real):
        return Schedule((real_number("leak", leak, least=0, most=1),))
    if isinstance(leak, str) or not isinstance(leak, Sequence) or len(leak) != 2:
        raise TypeError(
            f"leak={shown(leak)}: expected a number, a pair of them, or a function"
        )
    ends = enumerate(leak)
    return Schedule(
        tuple(real_number(f"leak[{j}]", end, least=0, below=1) for j, end in ends)
    )


class Schedule:
    """The leak of a sweep, as a function of the share of sweeps that are done.

    It is a class, and not a closure, so that it can be sent to other processes.
    """

    def __init__(self, leak: Callable[[float], float] | tuple[float, ...]) -> None:
        self._leak = leak

    def __call__(self, done: float) -> float:
        """Return the leak, in [0, 1]."""
        if not callable(self._leak):
            first, last = self._leak[0], self._leak[-1]
            if first == last:
                return first
            return 1 - (1 - first) ** (1 - done) * (1 - last) ** done
        return real_number(f"leak({done:.3g})", self._leak(done), least=0, most=1)
