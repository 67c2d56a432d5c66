"""Factors that are peeled off one at a time: what `hierarchical` does for a problem."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..._core.checks import sequence, shown
from ...constraints import Constraint
from ..common.problem import Problem
from ..common.result import Callback, Factorization
from .initial_factors import (
    SweepStart,
    checked_constraints,
    default_start,
    listed_constraints,
)
from .iterations import (
    Iterate,
    SweepRecord,
    factorization,
    iterate,
    zero_factorization,
)
from .presets import Preset
from .sweep_options import ORDERS, Order, SweepOptions

HOPELESS = 0.1
"""Relative error above which the fallbacks of a preset are tried too: what a preset is
made for is factored to rounding, so that a larger error means wrong supports."""

NAMES = ("factor_constraints", "residual_constraints")
"""The arguments of `hierarchical` with the two lists of constraints, for messages."""

Levels = list[tuple[Constraint, Constraint]]
"""The two sets of each level: that of the factor, and of the residual."""

_Item = TypeVar("_Item")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeelOptions:
    """The options of `hierarchical`; making one checks them all.

    Attributes
    ----------
    preset : Preset
        The constraints of every level, and how sweeps go.
    n_iter, tol, callback
        See `nbfact.hierarchical`.
    split_callback : callable, optional
        A callback of the sweeps that split a residual, which `callback` does not see.
    adapt : callable, optional
        From the factors found so far, where all of them are to be refined together on
        the target, to what takes their place: the coding of signals, in a dictionary.

    Raises
    ------
    TypeError, ValueError
        As `SweepOptions`; an order or a pair `n_iter` that `hierarchical` does not
        take.
    """

    preset: Preset
    n_iter: int | Sequence[int] = 30
    tol: float = 0.0
    callback: Callback | None = None
    split_callback: Callback | None = None
    adapt: Callable[[SweepStart], Iterate] | None = None

    def __post_init__(self) -> None:
        n_iter = self.n_iter
        if isinstance(n_iter, Sequence) and len(n_iter) != 2:
            raise ValueError(
                "n_iter must be an integer or a pair (split, refinement) of integers, "
                f"got {shown(n_iter)}"
            )
        for order in self.orders:
            self.refinement(order)  # which raises where an option is not valid

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders in which factors are updated, one or both."""
        return ORDERS if self.preset.order == "both" else (self.preset.order,)

    @property
    def _both_n_iter(self) -> tuple[int, int]:
        """The maximum numbers of sweeps of a split and of a refinement."""
        n_iter = self.n_iter
        return (n_iter[0], n_iter[1]) if isinstance(n_iter, Sequence) else (n_iter,) * 2

    def split(self, order: Order) -> SweepOptions:
        """Return the options of the sweeps that split a residual."""
        return SweepOptions(
            n_iter=self._both_n_iter[0],
            tol=self.tol,
            order=order,
            scaling=self.preset.scaling,
            step=self.preset.step,
            keep=self.preset.keep,
            callback=self.split_callback,
        )

    def refinement(self, order: Order) -> SweepOptions:
        """Return the options of the sweeps over all factors found so far."""
        return dataclasses.replace(
            self.split(order), n_iter=self._both_n_iter[1], callback=self.callback
        )


def hierarchical_problem(problem: Problem, options: PeelOptions) -> Factorization:
    """Return what `hierarchical` does for a problem, with fallbacks where needed."""
    result = _factored(problem, options)
    for fallback in options.preset.fallbacks:
        if result.relative_error > HOPELESS:
            other = _factored(problem, dataclasses.replace(options, preset=fallback))
            result = min(result, other, key=lambda result: result.relative_error)
    return result


def _factored(problem: Problem, options: PeelOptions) -> Factorization:
    """Factor as a preset says, in one order or in both."""
    given = options.preset.constraints(problem.shape)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TypeError(
            f"factor_constraints: preset {options.preset.name!r} returned "
            f"{shown(given)}, not a pair of lists of constraints"
        )
    lists = [
        sequence(name, one, "constraints")
        for name, one in zip(NAMES, given, strict=True)
    ]
    if len(lists[0]) != len(lists[1]) or not lists[0]:
        raise ValueError(
            "factor_constraints and residual_constraints must have the same length, "
            f"at least 1, got {len(lists[0])} and {len(lists[1])}"
        )
    levels = list(zip(*map(listed_constraints, NAMES, lists), strict=True))
    results = [_peeled(problem, levels, options, order) for order in options.orders]
    return min(results, key=lambda result: result.relative_error)


def _peeled(
    problem: Problem, levels: Levels, options: PeelOptions, order: Order
) -> Factorization:
    """Split the residual and refine all factors, level by level, in one order."""
    record, right = SweepRecord(), options.preset.residual_side == "right"
    split, refinement = options.split(order), options.refinement(order)
    if problem.zero:
        return _zero(problem, levels, right)
    found, part = Iterate([], 1.0, 1.0), problem
    constraints: list[Constraint] = []
    for number, level in enumerate(levels):
        pair = checked_constraints(
            level if right else level[::-1],
            part.shape,
            name=" and ".join(f"{name}[{number}]" for name in NAMES),
            factored="residual" if number else "target",
        )
        start = default_start(part, pair, split)
        two = iterate(part, start, split, SweepRecord())
        # The two new factors, and their sets, take the place of the residual.
        constraints = _replaced(constraints, pair, right)
        factors = _replaced(found.factors, two.factors, right)
        start = SweepStart(constraints, factors, found.scale * two.scale)
        if options.adapt is None:
            found = iterate(problem, start, refinement, record)
        else:
            found = options.adapt(start)
        part = problem.part(found.factors[-1 if right else 0].toarray())
    return factorization(problem, found, record)


def _zero(problem: Problem, levels: Levels, right: bool) -> Factorization:
    """Return the factorization of a zero target."""
    options = SweepOptions()
    sets: list[Constraint] = []
    for level in levels:
        sets = _replaced(sets, list(level if right else level[::-1]), right)
    sets = checked_constraints(sets, problem.shape, name=" and ".join(NAMES))
    start = default_start(problem, sets, options)
    return zero_factorization(problem, start, options, SweepRecord())


def _replaced(items: list[_Item], pair: list[_Item], right: bool) -> list[_Item]:
    """Return the items with the two of `pair` in place of the last one, or the first.

    It is the last that is replaced where the residual is on the right.
    """
    return [*items[:-1], *pair] if right else [*pair, *items[1:]]
