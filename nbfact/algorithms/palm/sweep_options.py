"""SweepOptions: how a run of palm4MSA sweeps, checked once."""

import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ..._core.checks import size
from ..common.result import SweepCallback

Order: TypeAlias = Literal["right-to-left", "left-to-right"]
"""The order in which a sweep updates the factors."""

Scaling: TypeAlias = Literal["balanced", "factor", "sweep"]
"""How the scale λ is treated: see `nbfact.palm4msa`."""

Keep: TypeAlias = Literal["last", "best"]
"""Which iterate a run returns."""

ORDERS: tuple[Order, ...] = get_args(Order)
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)
KEEPS: tuple[Keep, ...] = get_args(Keep)


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """The options of one run of palm4MSA; making one checks them all.

    Attributes
    ----------
    n_iter, tol, order, scaling, step, keep, callback
        See `nbfact.palm4msa`.
    fixed : tuple of int
        Places of the factors that do not change, from 0, as `checked_fixed` returns
        them.
    leak : callable, optional
        From the share of sweeps that are done, in [0, 1], to the leak of the next one:
        how much of what the projections dropped before is added to its steps. See
        `nbfact.explore`; None is palm4MSA, which adds nothing.

    Raises
    ------
    TypeError
        An `n_iter` that is not an integer, a `step` that is not a number.
    ValueError
        A number out of range, or a word that is not one of those listed.
    """

    n_iter: int = 200
    tol: float = 0.0
    order: Order = "right-to-left"
    scaling: Scaling = "balanced"
    step: float = 1.0
    keep: Keep = "last"
    fixed: tuple[int, ...] = ()
    callback: SweepCallback | None = None
    leak: Callable[[float], float] | None = None

    def __post_init__(self) -> None:
        check_sweeps(self.n_iter, self.tol)
        _check_word("order", self.order, ORDERS)
        _check_word("scaling", self.scaling, SCALINGS)
        step = self.step
        if isinstance(step, bool) or not isinstance(step, numbers.Real):
            raise TypeError(f"step must be a number, got {step!r}")
        if not 0 < step < 2:
            raise ValueError(
                f"step must be between 0 and 2, both excluded, got {step!r}"
            )
        _check_word("keep", self.keep, KEEPS)


def check_sweeps(n_iter: int, tol: float) -> None:
    """Raise where `n_iter` is no integer of at least 1, or `tol` is below 0 or NaN."""
    size("n_iter", n_iter)
    if not tol >= 0:
        raise ValueError(f"tol must be at least 0, got {tol!r}")


def checked_fixed(fixed: Sequence[int], n_factors: int) -> tuple[int, ...]:
    """Return the places of the factors that do not change, counted from 0.

    Negative numbers count from the end, as in Python.
    """
    for j in fixed:
        if not -n_factors <= size("an entry of fixed", j, -n_factors) < n_factors:
            raise ValueError(f"fixed holds {j}, there are {n_factors} factors")
    return tuple(j % n_factors for j in fixed)


def _check_word(name: str, value: str, words: tuple[str, ...]) -> None:
    """Raise where an option is not one of its words."""
    if value not in words:
        raise ValueError(f"{name} must be one of {words}, got {value!r}")
