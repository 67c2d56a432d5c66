"""The projection onto one set, from a gradient step to the next factor."""

import dataclasses
from typing import Any, TypeGuard

import numpy as np

from ..._core.array_checks import plain_array
from ...constraints import Constraint
from ...constraints.sets import Options, Set
from ..common.factors import adjoint


def closed_under_scaling(constraint: Constraint) -> TypeGuard[Options]:
    """Return whether multiples of a matrix of the set are in the set, but for its norm.

    That is so for the sets with the option `normalized`: all else that they ask for is
    kept when a matrix is scaled.
    """
    return isinstance(constraint, Options)


class Projection:
    """The projection onto one set, from a gradient step to the next factor.

    Parameters
    ----------
    constraint : Constraint
        The set.
    place : int
        Its index among the constraints, for messages.
    turned : bool
        Whether steps and factors are transposes of what the set holds.
    balanced : bool
        Whether a set with the option `normalized` leaves the norm of the factor free.

    Attributes
    ----------
    free : bool
        Whether the norm is left free.
    normalized : bool
        Whether it is left free although the set asks for norm 1.
    """

    def __init__(
        self, constraint: Constraint, place: int, turned: bool, balanced: bool
    ) -> None:
        self.free = self.normalized = False
        if balanced and closed_under_scaling(constraint):
            self.free, self.normalized = True, constraint.normalized
            if self.normalized:
                constraint = dataclasses.replace(constraint, normalized=False)
        self._constraint, self._place = constraint, place
        # A set of nbfact works in place, and what it returns needs no check; it is not
        # recognised where a user's subclass overrides `project`.
        self._set: Set | None = None
        if isinstance(constraint, Set) and type(constraint).project is Set.project:
            self._set = constraint
        if turned and self._set is not None:
            mirrored = self._set.transposed()
            # A user's subclass may inherit the transposed set of its base.
            if mirrored is not None and type(mirrored.transposed()) is type(self._set):
                self._set, turned = mirrored, False
        self._turned = turned
        # It saves time from sweep to sweep, and changes no result.
        self._memory = None if self._set is None else self._set.memory()

    def __call__(self, stepped: np.ndarray) -> np.ndarray:
        """Return the projection of a step; the step is overwritten, and may be it."""
        if self._turned:
            stepped = _transposed(stepped)
        if self._set is None:
            projected = self._constraint.project(stepped)
            stepped = checked_projection(self._place, projected, stepped)
        elif self._memory is None:
            self._set.project_in_place(stepped)
        else:
            self._set.project_in_place(stepped, self._memory)
        return _transposed(stepped) if self._turned else stepped


def checked_projection(place: int, projected: Any, stepped: np.ndarray) -> np.ndarray:
    """Return what a user's set returned, as a new array like the step, or raise.

    Parameters
    ----------
    place : int
        Index of the set among the constraints, for messages.
    projected : array_like
        What its method `project` returned.
    stepped : ndarray
        What the method was given, or what has the same shape and dtype.
    """
    name = f"constraints[{place}].project"
    array = plain_array(f"what {name} returned", projected)
    if array.shape != stepped.shape:
        raise ValueError(
            f"{name} returned shape {array.shape} for an array of shape {stepped.shape}"
        )
    if array.dtype.kind == "c" and stepped.dtype.kind != "c":
        raise TypeError(f"{name} returned complex numbers for {stepped.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} returned NaN or infinity")
    return np.array(array, stepped.dtype, order="C")


def _transposed(x):
    """Return xᵀ as a C-contiguous array."""
    turned = adjoint(x)
    return turned.conj() if turned.dtype.kind == "c" else turned
