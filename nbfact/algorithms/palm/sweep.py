"""Sweeps of palm4MSA: each factor steps along its gradient, and back onto its set.

`Sweeps.sweep` is the algorithm. It goes from right to left; sweeps from left to right
are those of the transposed problem.
"""

import math

import numpy as np

from ..common.factors import Factor
from ..common.packed_factors import PackedFactors
from ..common.problem import Problem
from .factor_projection import Projection
from .initial_factors import SweepStart
from .sides import Sides
from .sweep_options import SweepOptions

_UNEQUAL = 1.05
"""Ratio of the norm of a factor to the mean norm up to which factors count as balanced,
so that they are not scaled again in every sweep."""


class Sweeps:
    """The factors and λ of one run of palm4MSA, and the sweeps that improve them.

    Factors, constraints and results are from left to right. The options of the loop
    around the sweeps (`n_iter`, `tol`, `keep`, `callback`, `leak`) are not read here.
    """

    def __init__(
        self, problem: Problem, start: SweepStart, options: SweepOptions
    ) -> None:
        self._turned = options.order == "left-to-right"
        target = problem.turned if self._turned else problem.upright
        balanced = options.scaling == "balanced"
        sets = [
            Projection(constraint, place, self._turned, balanced)
            for place, constraint in enumerate(start.constraints)
        ]
        factors = list(start.factors)
        frozen = [j in options.fixed for j in range(len(factors))]
        if self._turned:
            factors = [factor.transposed() for factor in reversed(factors)]
            sets.reverse()
            frozen.reverse()
        self._factors = PackedFactors.of(factors, target.dtype)
        # Those of the sweep before, whose arrays the next sweep writes to.
        self._spare: PackedFactors | None = None
        # What `keep` has kept: factors, λ, norms; and what it kept before.
        self._kept: tuple[PackedFactors, float, dict[int, float]] | None = None
        self._released: PackedFactors | None = None
        self._norms: dict[int, float] = {}
        self._sets, self._frozen = sets, frozen
        self._free = [j for j in range(len(sets)) if sets[j].free and not frozen[j]]
        self._scaling = options.scaling if self._free or not balanced else "sweep"
        self._scale = self._fitted = start.scale
        self._sides = Sides(target, options.step)
        # What projections dropped last, by the place of the factor; only with a leak.
        self._memory: dict[int, np.ndarray] = {}
        if self._scaling == "balanced":
            self._balance()

    def sweep(self, leak: float = 0.0) -> tuple[float, float, int]:
        """Update each factor once, from the last to the first.

        Parameters
        ----------
        leak : float
            The share of what projections dropped before that is added to the steps; 0
            for palm4MSA. See `nbfact.explore`.

        Returns
        -------
        error : float
            The relative error with the best λ. (In between, λ is fitted where the
            option `scaling` says.)
        scale : float
            That λ.
        entered : int
            Number of entries that were zero before the sweep and are not after it.
        """
        old, sides, sets, entered = self._factors, self._sides, self._sets, 0
        new = old.successor(self._spare)
        sides.look_left(old)
        for j in range(len(old) - 1, -1, -1):
            if self._frozen[j]:
                new.keep(j, old)
            else:
                stepped = sides.stepped(j, old, self._scale)
                projected = (
                    self._project(j, stepped, leak) if leak else sets[j](stepped)
                )
                entered += new.store(j, projected, old)
            if j > 0:
                sides.absorb(j, new)
                if self._scaling == "factor":
                    self._scale = sides.fit_left(j, old) or self._scale
        self._factors, self._spare = new, old
        if self._kept is not None and old is self._kept[0]:
            self._spare, self._released = self._released, None
        error, scale = self._fit_scale()
        return error, scale, entered

    def keep(self) -> None:
        """Keep the present factors and λ for `kept`, in place of those kept before.

        Later sweeps write to the arrays of the latter. Factors are made where `kept` is
        read, because most iterates that are the best so far do not stay it.
        """
        if self._kept is not None and self._kept[0] is not self._factors:
            self._released = self._kept[0]
        self._kept = self._factors, self._fitted, self._norms

    @property
    def result(self) -> tuple[list[Factor], float]:
        """The factors, with the norms that their sets require, and the best λ."""
        return self._of(self._factors, self._fitted, self._free_norms())

    @property
    def kept(self) -> tuple[list[Factor], float]:
        """The factors and λ of the last call of `keep`, as in `result`."""
        assert self._kept is not None, "nothing is kept"
        return self._of(*self._kept)

    def _of(
        self, packed: PackedFactors, scale: float, norms: dict[int, float]
    ) -> tuple[list[Factor], float]:
        """Return factors, left to right, and their λ; norms: of those left free."""
        factors = list(packed)
        for j, norm in self._unit(norms).items():
            factors[j] = factors[j].scaled(1 / norm)
            scale *= norm
        if self._turned:
            factors = [factor.transposed() for factor in reversed(factors)]
        return factors, scale

    @property
    def rounding(self) -> float:
        """The relative error that is nothing but rounding: 2 eps for each factor."""
        return 2 * len(self._factors) * self._sides.eps

    def _project(self, j: int, stepped: np.ndarray, leak: float) -> np.ndarray:
        """Return the projection of a step to which what was dropped before is added.

        What this projection drops is remembered for the next sweep.
        """
        memory = self._memory.get(j)
        if memory is None:
            memory = self._memory[j] = stepped.copy()
        else:
            memory *= memory.real.dtype.type(leak)
            memory += stepped
            stepped[:] = memory
        projected = self._sets[j](stepped)
        memory -= projected
        return projected

    def _fit_scale(self) -> tuple[float, float]:
        """Fit λ to the new factors; return the relative error, and λ as in `result`."""
        self._fitted, explained = self._sides.fit(self._factors)
        error = self._sides.error(self._factors, self._fitted, explained)
        self._scale = self._fitted or self._scale  # a zero product determines no λ
        norms = self._balance() if self._scaling == "balanced" else self._free_norms()
        self._norms = norms
        return error, self._fitted * math.prod(self._unit(norms).values())

    def _free_norms(self) -> dict[int, float]:
        """Return the norms of the factors that are left free."""
        return {j: self._factors.norm(j) for j in self._free}

    def _unit(self, norms: dict[int, float]) -> dict[int, float]:
        """Return the norms, where they are not zero, of the sets that ask for 1."""
        sets = self._sets
        return {j: a for j, a in norms.items() if a > 0 and sets[j].normalized}

    def _balance(self) -> dict[int, float]:
        """Spread λ over the free factors; make their norms equal if they differ.

        Returns the norms of these factors.
        """
        norms = self._free_norms()
        product = math.prod(norms.values()) * abs(self._scale)
        if not 0 < product < math.inf:
            return norms
        common = product ** (1 / len(norms))
        smallest, largest = min(norms.values()), max(norms.values())
        if common / _UNEQUAL < smallest and largest < common * _UNEQUAL:
            return norms
        for j, norm in norms.items():
            sign = math.copysign(1.0, self._scale) if j == self._free[0] else 1.0
            ratio = sign * common / norm
            self._factors.scale(j, ratio)
            if j in self._memory:
                memory = self._memory[j]
                memory *= memory.real.dtype.type(ratio)
        self._scale = self._fitted = 1.0
        return dict.fromkeys(norms, common)
