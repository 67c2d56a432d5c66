"""What stands on both sides of a factor in a sweep, and the gradient step between them.

A sweep keeps C = A Rᴴ and G = R Rᴴ, where R is the product of the factors on the right,
which are updated already, so that the gradient of ½‖A - λ L S R‖² is
λ Lᴴ(λ L S G - C): products with the sparse factors of L, and none with R. Each update
then multiplies C and G by the new factor. Costs follow the non-zeros of the factors.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...kernels import chain_gradient, csr_apply_columns, csr_fit
from ..common.factors import Factor, PackedFactors, Sparse, adjoint, tile_scratch
from ..common.problem import Explicit, Implicit
from .side_norms import SMALL_GRAM, SideNorms, light

MARGIN = 1.001
"""Number by which the Lipschitz modulus of the gradient is multiplied before a step is
divided by it, so that steps stay below the longest safe one (the paper's value)."""

_CANCELLING = {"d": 1e-6, "f": 1e-1}
"""Squared relative errors, by the character of the real dtype (float64, float32), below
which ‖A‖² - <A, Â>² / ‖Â‖² has lost too many digits: the residual is summed instead."""


class RightSide(NamedTuple):
    """What a sweep keeps of the product R of the factors that it has updated.

    cross is Cᴴ with C = A Rᴴ, and gram is G = R Rᴴ.
    """

    cross: np.ndarray
    gram: np.ndarray


class Sides:
    """The products L and R on the left and on the right of the factor that is updated.

    All methods get the factors of the run as they are, left to right. The target has a
    norm whose square neither overflows nor vanishes.

    Parameters
    ----------
    target : Explicit or Implicit
        The target as sweeps from right to left read it.
    step : float
        Length of the gradient steps: see `nbfact.palm4msa`.

    Attributes
    ----------
    eps : float
        The precision of the target.
    """

    def __init__(self, target: Explicit | Implicit, step: float) -> None:
        self._target, self._margin = target, MARGIN / step
        self._workspace = _Workspace(target.dtype)
        self._side_norms = SideNorms(target.dtype)
        self.eps = float(np.finfo(target.real).eps)
        self._tiles: np.ndarray | None = None
        self._packed: PackedFactors | None = None
        # Lᴴ by place where it is needed dense, ‖L‖₂ by place, and what is kept of R.
        self._lefts: dict[int, np.ndarray] = {}
        self._left_norms: list[float] = []
        self._right: RightSide | None = None

    def look_left(self, factors: Sequence[Factor]) -> None:
        """Begin a sweep: find ‖L‖₂ for each factor, and Lᴴ where it is needed dense.

        It is needed dense where L has a dense factor, and on an implicit target.
        """
        self._right = None
        last, chain = len(factors) - 1, self._sparse_factors(factors)
        first = chain.length + 1
        if self._target.adjoint is None:
            first = min(first, last)
        inner = [factor.shape[1] for factor in factors[:-1]]
        through_factors = light(factors[:-1], min(inner, default=0))
        lefts: dict[int, np.ndarray] = {}
        norms = [1.0]
        left: np.ndarray | None = None
        gram: np.ndarray | None = None
        for j, factor in enumerate(factors[:-1], start=1):
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
        self._lefts, self._left_norms = lefts, norms

    def stepped(self, j: int, factors: Sequence[Factor], scale: float) -> np.ndarray:
        """Return S - w Lᴴ(λ L S G - C), the factor S at place j after a gradient step.

        `scale` is λ. The array is lost at the next step.
        """
        old, right, weight = factors[j], self._right, self._weight(j, factors, scale)
        if not math.isfinite(weight) or weight == 0:
            # λ or a side is zero, so there is no gradient.
            return old.toarray(self._workspace.take("step", old.shape))
        if j in self._lefts:
            return self._dense_step(j, old, scale, weight)
        chain = self._sparse_factors(factors)
        x = self._workspace.take("step", old.shape)
        x = old.toarray(x) if right is None else old.apply(right.gram, x)
        chain_gradient(
            chain.chain, j, x, self._cross(), weight.dtype.type(scale), weight,
            self._tile_scratch(factors), x,
        )  # fmt: skip
        old.add_to(x)
        return x

    def _weight(self, j, factors, scale):
        """Return w, the length of the step at place j times λ: λ / c in the paper."""
        right = self._right
        gram = None if right is None else right.gram
        right_norm = self._side_norms.of_right(j, factors[j + 1 :], gram)
        modulus = scale * (self._left_norms[j] * right_norm)
        lipschitz = self._margin * modulus * modulus
        real = self._target.real.type
        return real(scale / lipschitz) if lipschitz > 0 else real(np.inf)

    def _dense_step(self, j, old, scale, weight):
        """Return S - w Lᴴ(λ L S G - C), where Lᴴ is dense.

        That is so where a factor of L is dense, or the target is implicit.
        """
        left, right, take = self._lefts[j], self._right, self._workspace.take
        stepped, other = take("step", old.shape), take("dense", old.shape)
        # The small matrices carry the scalars.
        pulled = left * weight
        pushed = left * (-weight * weight.dtype.type(scale))
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

    def absorb(self, j: int, factors: Sequence[Factor]) -> None:
        """Put S[j] into R, in the one of two arrays that is free."""
        factor, right, take = factors[j], self._right, self._workspace.take
        p, q = factor.shape
        cross_out = take(f"cross {j % 2}", (p, factors[0].shape[0]))
        gram_out = take(f"gram {j % 2}", (p, p))
        if right is None:
            cross = self._target.times(factor, cross_out)
            self._right = RightSide(cross, factor.gram(gram_out))
            return
        product, turned = take("product", (p, q)), take("product turned", (q, p))
        cross = factor.apply(right.cross, cross_out)
        gram = factor.congruent(right.gram, product, turned, gram_out)
        self._right = RightSide(cross, gram)

    def fit(self, factors: Sequence[Factor]) -> tuple[float, float]:
        """Return the best λ for the present factors, and <A, λ Â>, which it explains.

        λ is 0 where the product is zero, and NaN where it overflows.
        """
        factor, right, cross = factors[0], self._right, self._cross()
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

    def fit_left(self, j: int, factors: Sequence[Factor]) -> float:
        """Return the best λ, where R holds S[j] and all factors on its right."""
        right = self._right
        assert right is not None  # S[j] is absorbed
        left = factors[j - 1].toarray()
        for factor in reversed(factors[: j - 1]):
            left = factor.apply(left)
        square = np.vdot(left, left @ right.gram).real
        if not square > 0:
            return 0.0
        return float(np.vdot(adjoint(right.cross), left).real / square)

    def error(self, factors: Sequence[Factor], scale: float, explained: float) -> float:
        """Return ‖A - λ Â‖ / ‖A‖, where `explained` is <A, λ Â> for the best λ."""
        if self._target.norm == 0:
            return 0.0
        square = 1 - explained / self._target.norm**2
        if square > _CANCELLING[self._target.real.char]:
            return math.sqrt(square)
        residual = self._target.residual(
            factors, scale, self._sparse_factors(factors), self._tile_scratch(factors),
            self._workspace.take("step", factors[-1].shape),
        )  # fmt: skip
        return residual / self._target.norm

    def forget(self) -> None:
        """Forget the factors as they are packed, because some have changed."""
        self._packed = None

    def _sparse_factors(self, factors: Sequence[Factor]) -> PackedFactors:
        """Return the first factors, as many as are sparse but the last one, packed.

        They are packed once for each sweep, which changes no factor on the left.
        """
        if self._packed is None:
            sparse: list[Sparse] = []
            for factor in factors[:-1]:
                if not isinstance(factor, Sparse):
                    break
                sparse.append(factor)
            self._packed = PackedFactors(sparse, self._target.dtype)
        return self._packed

    def _cross(self) -> np.ndarray:
        """Return Cᴴ, which is Aᴴ where nothing stands on the right."""
        if self._right is not None:
            return self._right.cross
        whole = self._target.adjoint
        assert whole is not None  # an implicit target takes a dense step at first
        return whole

    def _tile_scratch(self, factors):
        """Return the scratch of the chain kernels, which is made once."""
        if self._tiles is None:
            rows = max(max(factor.shape) for factor in factors)
            self._tiles = tile_scratch(rows, self._target.dtype)
        return self._tiles


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
