"""SweepOptions: how a run of palm4MSA sweeps, checked once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ..._core.checks import choice, function, real_number, sequence, size, store
from ..common.result import Callback

Order: TypeAlias = Literal["right-to-left", "left-to-right"]
"""The order in which a sweep updates the factors."""

Scaling: TypeAlias = Literal["balanced", "factor", "sweep"]
"""How the scale λ is treated: see `nbfact.palm4msa`."""

Keep: TypeAlias = Literal["last", "best"]
"""Which iterate a run returns."""

ORDERS: tuple[Order, ...] = get_args(Order)
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)
KEEPS: tuple[Keep, ...] = get_args(Keep)


def order_for(order: Order | None, shape: tuple[int, ...]) -> Order:
    """Return the order that the argument `order` of `palm4msa` asks for.

    Parameters
    ----------
    order : str or None
        None begins with the factor on the longer side of the target: see `palm4msa`.
    shape : tuple of int
        That of the target.
    """
    if order is None:
        return "left-to-right" if shape[0] > shape[1] else "right-to-left"
    return order


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
    give_up : callable, optional
        From the errors of all sweeps so far to whether an exploration ends here, and is
        not refined.

    Raises
    ------
    TypeError
        An `n_iter` that is not an integer, a `step` or a `tol` that is not a number, a
        word that is not a string, a `callback` that is not a function of one argument.
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
    callback: Callback | None = None
    leak: Callable[[float], float] | None = None
    give_up: Callable[[Sequence[float]], bool] | None = None

    def __post_init__(self) -> None:
        check_sweeps(self)
        choice("order", self.order, ORDERS)
        choice("scaling", self.scaling, SCALINGS)
        store(self, step=real_number("step", self.step, above=0, below=2))
        choice("keep", self.keep, KEEPS)


def check_sweeps(options: Any) -> None:
    """Raise unless the options that all loops over sweeps have are valid.

    `n_iter` is an integer of at least 1, `tol` a finite number of at least 0, and
    `callback` a function of one argument, or None.
    """
    n_iter, tol = (
        size("n_iter", options.n_iter),
        real_number("tol", options.tol, least=0),
    )
    store(options, n_iter=n_iter, tol=tol)
    function("callback", options.callback)


def checked_fixed(fixed: Sequence[int], n_factors: int) -> tuple[int, ...]:
    """Return the places of the factors that do not change, counted from 0.

    Negative numbers count from the end, as in Python.
    """
    places = []
    for number, place in enumerate(sequence("fixed", fixed, "indices of factors")):
        name = f"fixed[{number}]"
        places.append(size(name, place, -n_factors, n_factors - 1) % n_factors)
    return tuple(places)
