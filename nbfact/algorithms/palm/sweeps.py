"""Sweeps of palm4MSA, whose cost follows the non-zeros of the factors.

A sweep goes from right to left. It keeps C = A Rᴴ and G = R Rᴴ, where R is the product
of the factors updated already, so that the gradient of ½‖A - λ L S R‖² is
λ Lᴴ(λ L S G - C): products with the sparse factors of L, and none with R. Each update
then multiplies C and G by the new factor. Sweeps from left to right are those of the
transposed problem.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...constraints import Constraint
from ...kernels import chain_gradient, csr_apply_columns, csr_fit
from ..common.factors import Factor, PackedFactors, Sparse, adjoint, tile_scratch
from ..common.target import Matrix, target_of
from .factor_projection import Projection
from .side_norms import SMALL_GRAM, SideNorms, light
from .sweep_options import SweepOptions

MARGIN = 1.001
"""Number by which the Lipschitz modulus of the gradient is multiplied before a step is
divided by it, so that steps stay below the longest safe one (the paper's value)."""

_CANCELLING = {"d": 1e-6, "f": 1e-1}
"""Squared relative errors, by the character of the real dtype (float64, float32), below
which ‖A‖² - <A, Â>² / ‖Â‖² has lost too many digits: the residual is summed instead."""

_UNEQUAL = 1.05
"""Ratio of the norm of a factor to the mean norm up to which factors count as balanced,
so that they are not scaled again in every sweep."""


class RightSide(NamedTuple):
    """What a sweep keeps of the product R of the factors that it has updated.

    cross is Cᴴ with C = A Rᴴ, and gram is G = R Rᴴ.
    """

    cross: np.ndarray
    gram: np.ndarray


class Sweeps:
    """The factors and λ of one run of palm4MSA, and the sweeps that improve them.

    Factors, constraints and results are from left to right. The norm of the target has
    a square that neither overflows nor vanishes. The options of the loop around the
    sweeps (`n_iter`, `tol`, `keep`, `callback`, `leak`) are not read here.
    """

    def __init__(
        self,
        target: Matrix,
        constraints: Sequence[Constraint],
        factors: Sequence[Factor],
        scale: float,
        options: SweepOptions,
    ) -> None:
        self._turned = options.order == "left-to-right"
        self._target = target_of(target, self._turned)
        balanced = options.scaling == "balanced"
        sets = [
            Projection(constraint, place, self._turned, balanced)
            for place, constraint in enumerate(constraints)
        ]
        frozen = [j in options.fixed for j in range(len(factors))]
        factors = list(factors)
        if self._turned:
            factors = [factor.transposed() for factor in reversed(factors)]
            sets.reverse()
            frozen.reverse()
        self._factors, self._sets, self._frozen = factors, sets, frozen
        self._free = [j for j in range(len(sets)) if sets[j].free and not frozen[j]]
        self._scaling = options.scaling if self._free or not balanced else "sweep"
        self._scale = self._fitted = scale
        self._margin = MARGIN / options.step
        # What projections dropped last, by the place of the factor; only with a leak.
        self._memory: dict[int, np.ndarray] = {}
        self._side_norms = SideNorms(self._target.dtype)
        self._packed: PackedFactors | None = None
        self._tiles: np.ndarray | None = None
        self._workspace = _Workspace(self._target.dtype)
        if self._scaling == "balanced":
            self._balance()

    @property
    def result(self) -> tuple[list[Factor], float]:
        """The factors, with the norms that their sets require, and the best λ."""
        scale, factors = self._fitted, list(self._factors)
        for j, norm in self._norms().items():
            factors[j] = factors[j].scaled(1 / norm)
            scale *= norm
        if self._turned:
            factors = [factor.transposed() for factor in reversed(factors)]
        return factors, scale

    @property
    def rounding(self) -> float:
        """The relative error that is nothing but rounding: 2 eps for each factor."""
        return 2 * len(self._factors) * float(np.finfo(self._target.real).eps)

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
        factors, last = self._factors, len(self._factors) - 1
        lefts, left_norms = self._look_left()
        right: RightSide | None = None
        entered = 0
        for j in range(last, -1, -1):
            if not self._frozen[j]:
                old, gram = factors[j], None if right is None else right.gram
                right_norm = self._side_norms.of_right(j, factors[j + 1 :], gram)
                norm = left_norms[j] * right_norm
                stepped = self._stepped(j, right, lefts.get(j), norm)
                factors[j] = self._projected(j, stepped, leak)
                entered += factors[j].entered(old)
            if j == 0:
                break
            right = self._absorbed(j, right)
            if self._scaling == "factor":
                self._scale = self._fit_left(j, right) or self._scale
        self._packed = None
        self._fitted, explained = self._fit(right)
        error = self._error(explained)
        self._scale = self._fitted or self._scale  # a zero product determines no λ
        if self._scaling == "balanced":
            self._balance()
        return error, self._fitted * math.prod(self._norms().values()), entered

    def _look_left(self) -> tuple[dict[int, np.ndarray], list[float]]:
        """Return Lᴴ by place where it is needed dense, and ‖L‖₂ for each factor.

        Lᴴ is needed dense where L has a dense factor, and on an implicit target.
        """
        last, chain = len(self._factors) - 1, self._sparse_factors()
        first = chain.length + 1
        if self._target.adjoint is None:
            first = min(first, last)
        inner = [factor.shape[1] for factor in self._factors[:-1]]
        through_factors = light(self._factors[:-1], min(inner, default=0))
        lefts, norms = {}, [1.0]
        left: np.ndarray | None = None
        gram: np.ndarray | None = None
        for j, factor in enumerate(self._factors[:-1], start=1):
            if first <= last:
                left = (
                    adjoint(factor.toarray())
                    if left is None
                    else factor.apply_adjoint(left)
                )
                if j >= first:
                    lefts[j] = left
            largest = max(factor.shape if j > 1 else factor.shape[1:])
            if through_factors or largest > SMALL_GRAM:
                gram = None
            elif j == 1:
                gram = factor.gram_of_columns()
            elif gram is not None:
                gram = factor.adjoint().congruent(gram)
            norms.append(
                self._side_norms.of_left(j, factor.shape[1], chain, lefts.get(j), gram)
            )
        return lefts, norms

    def _sparse_factors(self) -> PackedFactors:
        """Return the first factors, as many as are sparse but the last one, packed.

        They are packed once for each sweep, which changes no factor on the left.
        """
        if self._packed is None:
            sparse: list[Sparse] = []
            for factor in self._factors[:-1]:
                if not isinstance(factor, Sparse):
                    break
                sparse.append(factor)
            self._packed = PackedFactors(sparse, self._target.dtype)
        return self._packed

    def _cross(self, right: RightSide | None) -> np.ndarray:
        """Return Cᴴ, which is Aᴴ where nothing stands on the right."""
        if right is not None:
            return right.cross
        whole = self._target.adjoint
        assert whole is not None  # an implicit target takes a dense step at first
        return whole

    def _absorbed(self, j, right: RightSide | None) -> RightSide:
        """Return the right side of S[j - 1], in the one of two arrays that is free."""
        factor, take = self._factors[j], self._workspace.take
        p, q = factor.shape
        cross_out = take(f"cross {j % 2}", (p, self._factors[0].shape[0]))
        gram_out = take(f"gram {j % 2}", (p, p))
        if right is None:
            cross = self._target.times(factor, cross_out)
            return RightSide(cross, factor.gram(gram_out))
        scratch = take("congruent", (2, p * q))
        cross = factor.apply(right.cross, cross_out)
        return RightSide(cross, factor.congruent(right.gram, scratch, gram_out))

    def _stepped(self, j, right: RightSide | None, left, norm):
        """Return one factor after a gradient step; `norm` is ‖L‖ ‖R‖."""
        real = self._target.real.type
        modulus = self._scale * norm
        lipschitz = self._margin * modulus * modulus
        weight = real(self._scale / lipschitz) if lipschitz > 0 else real(np.inf)
        if not np.isfinite(weight) or weight == 0:
            # λ or a side is zero, so there is no gradient.
            old = self._factors[j]
            return old.toarray(self._workspace.take("step", old.shape))
        if left is None:
            return self._chain_step(j, right, weight)
        return self._dense_step(j, right, left, weight)

    def _projected(self, j, stepped, leak):
        """Return the projection of a step, and with a leak of what is remembered too.

        What the projection drops is remembered for the next sweep.
        """
        if not leak:
            return self._sets[j](stepped)
        memory = self._memory.get(j)
        if memory is None:
            memory = self._memory[j] = stepped.copy()
        else:
            memory *= self._target.real.type(leak)
            memory += stepped
            stepped[:] = memory
        factor = self._sets[j](stepped)
        factor.scaled(-1.0).add_to(memory)
        return factor

    def _chain_step(self, j, right: RightSide | None, weight):
        """Return S - w Lᴴ(λ L S G - C), through the sparse factors of L."""
        old, chain = self._factors[j], self._sparse_factors()
        x = self._workspace.take("step", old.shape)
        x = old.toarray(x) if right is None else old.apply(right.gram, x)
        chain_gradient(
            chain.chain, j, x, self._cross(right), weight.dtype.type(self._scale),
            weight, self._tile_scratch(), x,
        )  # fmt: skip
        old.add_to(x)
        return x

    def _dense_step(self, j, right: RightSide | None, left, weight):
        """Return S - w Lᴴ(λ L S G - C), where Lᴴ is dense.

        That is so where a factor of L is dense, or the target is implicit.
        """
        old, take = self._factors[j], self._workspace.take
        stepped, other = take("step", old.shape), take("dense", old.shape)
        # The small matrices carry the scalars.
        pulled = left * weight
        pushed = left * (-weight * weight.dtype.type(self._scale))
        if right is None and isinstance(old, Sparse) and len(left) <= left.shape[1]:
            # Lᴴ L S = (Sᴴ Lᴴ L)ᴴ costs p multiplications for each entry of S.
            product = take("turned", old.shape[::-1])
            csr_apply_columns(*old.columns, pushed @ left.conj().T, product)
            adjoint(product, stepped)
        else:
            x = old.toarray(other) if right is None else old.apply(right.gram, other)
            np.matmul(pushed, left.conj().T @ x, out=stepped)
        if right is None:
            stepped += self._target.from_left(pulled, other)
        else:
            stepped += np.matmul(pulled, right.cross.conj().T, out=other)
        old.add_to(stepped)
        return stepped

    def _tile_scratch(self):
        """Return the scratch of the chain kernels, which is made once."""
        if self._tiles is None:
            rows = max(max(factor.shape) for factor in self._factors)
            self._tiles = tile_scratch(rows, self._target.dtype)
        return self._tiles

    def _fit(self, right: RightSide | None) -> tuple[float, float]:
        """Return the best λ for the present factors, and <A, λ Â>, which it explains.

        λ is 0 where the product is zero, and NaN where it overflows.
        """
        factor, cross = self._factors[0], self._cross(right)
        if isinstance(factor, Sparse):
            empty = np.empty((0, 0), cross.dtype)  # stands for the identity
            gram = empty if right is None else right.gram
            inner, square = csr_fit(*factor.rows, *factor.columns, gram, cross)
        else:
            x = factor.toarray()
            image = x if right is None else factor.apply(right.gram)
            inner, square = np.vdot(adjoint(cross), x).real, np.vdot(x, image).real
        best = float(inner / square) if square > 0 else 0.0
        return best if math.isfinite(square) else math.nan, best * float(inner)

    def _fit_left(self, j, right: RightSide) -> float:
        """Return the best λ, where `right` holds S[j] and all factors on its right."""
        left = self._factors[j - 1].toarray()
        for factor in reversed(self._factors[: j - 1]):
            left = factor.apply(left)
        square = np.vdot(left, left @ right.gram).real
        if not square > 0:
            return 0.0
        return float(np.vdot(adjoint(right.cross), left).real / square)

    def _error(self, explained):
        """Return ‖A - λ Â‖ / ‖A‖ for the λ fitted last, given <A, λ Â>."""
        if self._target.norm == 0:
            return 0.0
        square = 1 - explained / self._target.norm**2
        if square > _CANCELLING[self._target.real.char]:
            return math.sqrt(square)
        residual = self._target.residual(
            self._factors, self._fitted, self._sparse_factors(), self._tile_scratch(),
            self._workspace.take("step", self._factors[-1].shape),
        )  # fmt: skip
        return residual / self._target.norm

    def _norms(self):
        """Return the norms of the factors that are left free, but not by their sets."""
        unit = [j for j in self._free if self._sets[j].normalized]
        norms = {j: self._factors[j].norm() for j in unit}
        return {j: norm for j, norm in norms.items() if norm > 0}

    def _balance(self):
        """Spread λ over the free factors; make their norms equal if they differ."""
        norms = [self._factors[j].norm() for j in self._free]
        product = math.prod(norms) * abs(self._scale)
        if not 0 < product < math.inf:
            return
        common = product ** (1 / len(norms))
        if common / _UNEQUAL < min(norms) and max(norms) < common * _UNEQUAL:
            return
        for j, norm in zip(self._free, norms, strict=True):
            sign = math.copysign(1.0, self._scale) if j == self._free[0] else 1.0
            ratio = sign * common / norm
            self._factors[j] = self._factors[j].scaled(ratio)
            if j in self._memory:
                self._memory[j] *= self._target.real.type(ratio)
        self._scale = self._fitted = 1.0
        self._packed = None


class _Workspace:
    """Arrays that are used again, each under a name.

    New arrays in every sweep cost a third of its time at n = 512. What was in an array
    is lost when it is taken again.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._arrays: dict[str, np.ndarray] = {}

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the array of a name, with undefined contents."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape:
            array = self._arrays[name] = np.empty(shape, self._dtype)
        return array
