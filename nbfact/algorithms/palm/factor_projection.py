"""The projection of one set, from a gradient step to a factor."""

import dataclasses

import numpy as np

from ...constraints import Constraint
from ...constraints.sets import Options, Set
from ..common.factors import Factor, adjoint, compressed


def closed_under_scaling(constraint: Constraint) -> bool:
    """Return whether multiples of a matrix of the set are in it, but for its norm."""
    return isinstance(constraint, Options)


class Projection:
    """The projection of one set, from a gradient step to a factor.

    name: of the constraint, in messages; turned: steps and factors are transposes;
    balanced: a set with the option `normalized` leaves the norm free.
    """

    def __init__(
        self, constraint: Constraint, name: int, turned: bool, balanced: bool
    ) -> None:
        self.free = balanced and closed_under_scaling(constraint)
        self.normalized = self.free and constraint.normalized
        if self.normalized:
            constraint = dataclasses.replace(constraint, normalized=False)
        # The sets of nbfact work in place, and what they return needs no check.
        self._ours = (
            isinstance(constraint, Set) and type(constraint).project is Set.project
        )
        mirrored = constraint.transposed() if turned and self._ours else None
        # Not where a user's subclass inherits the transposed set of its base.
        if mirrored is not None and type(mirrored.transposed()) is type(constraint):
            constraint, turned = mirrored, False
        self._constraint, self._name, self._turned = constraint, name, turned
        # It saves time from sweep to sweep and changes no result.
        self._memory = constraint.memory() if self._ours else None

    def __call__(self, stepped: np.ndarray) -> Factor:
        """Return the projection of a step, which is written to, as a factor."""
        if self._turned:
            stepped = _transposed(stepped)
        if self._memory is not None:
            self._constraint.project_in_place(stepped, self._memory)
        elif self._ours:
            self._constraint.project_in_place(stepped)
        else:
            stepped = self._checked(self._constraint.project(stepped), stepped)
        factor = compressed(stepped)
        return factor.transposed() if self._turned else factor

    def _checked(self, projected, stepped):
        """Return what a user's own set returned, as an array like the step."""
        name = f"constraints[{self._name}].project"
        projected = np.asarray(projected)
        if projected.shape != stepped.shape:
            raise ValueError(
                f"{name} returned shape {projected.shape} for an array of shape "
                f"{stepped.shape}"
            )
        if projected.dtype.kind == "c" and stepped.dtype.kind != "c":
            raise TypeError(f"{name} returned complex numbers for {stepped.dtype}")
        if not np.isfinite(projected).all():
            raise ValueError(f"{name} returned NaN or infinity")
        return np.array(projected, stepped.dtype, order="C")


def _transposed(x):
    """Return xᵀ, C-contiguous."""
    turned = adjoint(x)
    return turned.conj() if turned.dtype.kind == "c" else turned
