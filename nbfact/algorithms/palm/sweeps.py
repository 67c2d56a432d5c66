"""Sweeps of palm4MSA, whose cost follows the non-zeros of the factors.

A sweep goes from right to left. It keeps C = A Rᴴ and G = R Rᴴ, where R is the product
of the factors updated already, so that the gradient of ½‖A - λ L S R‖² is
λ Lᴴ(λ L S G - C): products with the sparse factors of L, and none with R. Each update
then multiplies C and G by the new factor. Sweeps from left to right are those of the
transposed problem.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np

from ...constraints import Constraint
from ...kernels import chain_gradient, csr_apply_columns, csr_fit
from ..common.factors import (
    Factor,
    PackedFactors,
    Sparse,
    adjoint,
    dense_norm,
    tile_scratch,
)
from ..common.target import Matrix, target_of
from .factor_projection import Projection

# The step is 1 / (MARGIN * Lipschitz modulus): 1 + α with the paper's α = 1e-3.
MARGIN = 1.001

# Below these squared relative errors, ‖A‖² - <A, Â>² / ‖Â‖² has lost too many digits,
# and the residual itself is summed.
_CANCELLING = {"d": 1e-6, "f": 1e-1}

# Norms that differ less from their mean are left as they are.
_UNEQUAL = 1.05

# Norms come from Gram matrices and not from the factors where these have together more
# than this share of their entries, 0.2 at n = 512 (`nbfact study crossover`), and where
# the Gram matrix is made anyway, as G is, up to this order.
_HEAVY, _SMALL_GRAM = 0.2, 192


class Sweeps:
    """The factors and λ of one run of palm4MSA, and the sweeps that improve them.

    Factors, constraints and results are from left to right. The target has a norm
    whose square neither overflows nor vanishes. ``leak``: how much of what projections
    drop is added to the next step, 0 for palm4MSA, see `nbfact.explore`.
    """

    def __init__(
        self,
        target: Matrix,
        constraints: Sequence[Constraint],
        factors: Sequence[Factor],
        scale: float,
        order: str,
        scaling: str,
        step: float = 1.0,
        fixed: Sequence[int] = (),
    ) -> None:
        self.leak = 0.0
        self._memory: dict[int, np.ndarray] = {}
        self._turned = order == "left-to-right"
        self._target = target_of(target, self._turned)
        balanced = scaling == "balanced"
        sets = [
            Projection(constraint, name, self._turned, balanced)
            for name, constraint in enumerate(constraints)
        ]
        frozen = [j in fixed for j in range(len(factors))]
        factors = list(factors)
        if self._turned:
            factors = [factor.transposed() for factor in reversed(factors)]
            sets.reverse()
            frozen.reverse()
        self._factors, self._sets, self._frozen = factors, sets, frozen
        self._free = [j for j in range(len(sets)) if sets[j].free and not frozen[j]]
        self._scaling = scaling if self._free or not balanced else "sweep"
        self.scale, self._fitted = scale, scale
        self._margin = MARGIN / step
        self._vectors: dict[tuple, np.ndarray] = {}
        self._chain: PackedFactors | None = None
        self._tiles: np.ndarray | None = None
        self._workspace = _Workspace(self._target.dtype)
        if self._scaling == "balanced":
            self._balance(scale)

    @property
    def result(self) -> tuple[list[Factor], float]:
        """The factors as their sets have them, and the best λ for them."""
        scale, factors = self._fitted, list(self._factors)
        for j, norm in self._norms().items():
            factors[j] = factors[j].scaled(1 / norm)
            scale *= norm
        if self._turned:
            factors = [factor.transposed() for factor in reversed(factors)]
        return factors, scale

    def _norms(self):
        """Norms of the factors whose sets have unit norm, and that are left free."""
        unit = [j for j in self._free if self._sets[j].normalized]
        norms = {j: self._factors[j].norm() for j in unit}
        return {j: norm for j, norm in norms.items() if norm > 0}

    @property
    def rounding(self) -> float:
        """An error that is nothing but rounding: two units for each factor."""
        return 2 * len(self._factors) * float(np.finfo(self._target.real).eps)

    def sweep(self) -> tuple[float, float, int]:
        """Update each factor once; return the relative error, λ and entries entered.

        λ is fitted where `scaling` says; what is returned is that of the best λ.
        """
        factors, last = self._factors, len(self._factors) - 1
        lefts, left_norms = self._look_left()
        cross, gram, entered = self._target.adjoint, None, 0
        for j in range(last, -1, -1):
            if not self._frozen[j]:
                old = factors[j]
                norm = left_norms[j] * self._right_norm(j, gram)
                factors[j] = self._updated(j, cross, gram, lefts.get(j), norm)
                entered += factors[j].entered(old)
            if j == 0:
                break
            cross, gram = self._absorbed(j, cross, gram)
            if self._scaling == "factor":
                self.scale = self._fit_left(j, cross, gram) or self.scale
        self._chain = None
        self._fitted = self._fit(cross, gram)
        error = self._error()
        self.scale = self._fitted or self.scale  # a zero product tells nothing of λ
        if self._scaling == "balanced":
            self._balance(self.scale)
        return error, self._fitted * math.prod(self._norms().values()), entered

    def _absorbed(self, j, cross, gram):
        """Return Cᴴ and G for R with S[j] on its left, in the other of two arrays."""
        factor, take = self._factors[j], self._workspace.take
        p, q = factor.shape
        cross_out = take(f"cross {j % 2}", (p, self._factors[0].shape[0]))
        gram_out = take(f"gram {j % 2}", (p, p))
        if gram is None:
            return self._target.times(factor, cross_out), factor.gram(gram_out)
        scratch = take("congruent", (2, p * q))
        cross = factor.apply(cross, cross_out)
        return cross, factor.congruent(gram, scratch, gram_out)

    def _updated(self, j, cross, gram, left, norm):
        """One proximal gradient step on one factor; norm: ‖L‖ ‖R‖."""
        old, projection = self._factors[j], self._sets[j]
        real = self._target.real.type
        modulus = self.scale * norm
        lipschitz = self._margin * modulus * modulus
        weight = real(self.scale / lipschitz) if lipschitz > 0 else real(np.inf)
        if not np.isfinite(weight) or weight == 0:
            # λ or a side is zero: no gradient
            stepped = old.toarray(self._workspace.take("step", old.shape))
        elif left is None:
            stepped = self._chain_step(j, cross, gram, weight)
        else:
            stepped = self._dense_step(j, cross, gram, left, weight)
        return self._leaky(j, stepped) if self.leak else projection(stepped)

    def _leaky(self, j, stepped):
        """Project a step and what is remembered; remember what is dropped now."""
        memory = self._memory.get(j)
        if memory is None:
            memory = self._memory[j] = stepped.copy()
        else:
            memory *= self._target.real.type(self.leak)
            memory += stepped
            stepped[:] = memory
        factor = self._sets[j](stepped)
        factor.scaled(-1.0).add_to(memory)
        return factor

    def _chain_step(self, j, cross, gram, weight):
        """S - w Lᴴ(λ L S G - C), through the sparse factors of L."""
        old, chain = self._factors[j], self._chain
        x = self._workspace.take("step", old.shape)
        x = old.toarray(x) if gram is None else old.apply(gram, x)
        chain_gradient(
            *(chain.chain, j, x, cross, weight.dtype.type(self.scale)),
            *(weight, self._tile_scratch(), x),
        )
        old.add_to(x)
        return x

    def _dense_step(self, j, cross, gram, left, weight):
        """S - w Lᴴ(λ L S G - C), with Lᴴ dense: a factor of L is, or A is implicit."""
        old, take = self._factors[j], self._workspace.take
        stepped, other = take("step", old.shape), take("dense", old.shape)
        # Small matrices carry the scalars.
        pulled, pushed = left * weight, left * (-weight * weight.dtype.type(self.scale))
        if gram is None and isinstance(old, Sparse) and len(left) <= left.shape[1]:
            # Lᴴ L S = (Sᴴ Lᴴ L)ᴴ costs p multiplications for each entry of S.
            product = take("turned", old.shape[::-1])
            csr_apply_columns(*old.columns, pushed @ left.conj().T, product)
            adjoint(product, stepped)
        else:
            x = old.toarray(other) if gram is None else old.apply(gram, other)
            np.matmul(pushed, left.conj().T @ x, out=stepped)
        if gram is None:
            stepped += self._target.from_left(pulled, other)
        else:
            stepped += np.matmul(pulled, cross.conj().T, out=other)
        old.add_to(stepped)
        return stepped

    def _chained(self):
        """Return how many factors, from the left, are sparse; pack them if need be."""
        if self._chain is None:
            sparse = 0
            while sparse < len(self._factors) - 1 and isinstance(
                self._factors[sparse], Sparse
            ):
                sparse += 1
            self._chain = PackedFactors(self._factors[:sparse], self._target.dtype)
        return self._chain.length

    def _tile_scratch(self):
        """Return the scratch of the chain kernels, made once."""
        if self._tiles is None:
            rows = max(max(factor.shape) for factor in self._factors)
            self._tiles = tile_scratch(rows, self._target.dtype)
        return self._tiles

    def _look_left(self):
        """Return Lᴴ where products need it dense, by place, and ‖L‖₂ for each factor.

        Lᴴ is needed where L has a dense factor, and on an implicit target.
        """
        last = len(self._factors) - 1
        first = self._chained() + 1
        if self._target.adjoint is None:
            first = min(first, last)
        inner = [factor.shape[1] for factor in self._factors[:-1]]
        light = _light(self._factors[:-1], min(inner, default=0))
        lefts, norms, left, gram = {}, [1.0], None, None
        for j, factor in enumerate(self._factors[:-1], start=1):
            if first <= last:
                left = (
                    adjoint(factor.toarray()) if j == 1 else factor.apply_adjoint(left)
                )
            if j >= first:
                lefts[j] = left
            if light or max(factor.shape if j > 1 else factor.shape[1:]) > _SMALL_GRAM:
                gram = None
            elif j == 1:
                gram = factor.gram_of_columns()
            elif gram is not None:
                gram = factor.adjoint().congruent(gram)
            norms.append(self._left_norm(j, lefts.get(j), gram))
        return lefts, norms

    def _left_norm(self, j, left, gram):
        """‖L‖₂, from the singular vector of the previous sweep."""
        if gram is not None:
            return self._gram_norm(j, "left gram", gram)
        if left is not None:
            return dense_norm(left, self._vector(j, "left", left.shape[1]))
        size = self._factors[j - 1].shape[1]
        return self._chain.norm(0, j, self._vector(j, "left", size))

    def _gram_norm(self, j, name, gram):
        """‖M‖₂, from M Mᴴ."""
        return math.sqrt(dense_norm(gram, self._vector(j, name, len(gram))))

    def _right_norm(self, j, gram):
        """‖R‖₂, from the singular vector of the previous sweep."""
        if gram is None:
            return 1.0
        right = self._factors[j + 1 :]
        if len(gram) > _SMALL_GRAM and _light(right, len(gram)):
            vector = self._vector(j, "right", right[-1].shape[1])
            return PackedFactors(right, gram.dtype).norm(0, len(right), vector)
        return self._gram_norm(j, "right gram", gram)

    def _vector(self, *key):
        """Return the vector that a power iteration starts from, and leaves changed."""
        if key not in self._vectors:
            self._vectors[key] = _gaussian(key[-1]).astype(self._target.dtype)
        return self._vectors[key]

    def _fit(self, cross, gram):
        """Return the best λ for the present factors.

        0 where the product is zero, NaN where it overflows.
        """
        factor = self._factors[0]
        if isinstance(factor, Sparse):
            if gram is None:
                gram = np.empty((0, 0), cross.dtype)
            inner, square = csr_fit(*factor.rows, *factor.columns, gram, cross)
        else:
            x = factor.toarray()
            inner = np.vdot(adjoint(cross), x).real
            square = np.vdot(x, x if gram is None else factor.apply(gram)).real
        best = float(inner / square) if square > 0 else 0.0
        self._explained = best * float(inner)
        return best if math.isfinite(square) else math.nan

    def _fit_left(self, j, cross, gram):
        """Return the best λ, with cross and gram of S[j] and all on its right."""
        left = self._factors[j - 1].toarray()
        for factor in reversed(self._factors[: j - 1]):
            left = factor.apply(left)
        square = np.vdot(left, left @ gram).real
        return float(np.vdot(adjoint(cross), left).real / square) if square > 0 else 0.0

    def _error(self):
        """Return ‖A - λ Â‖ / ‖A‖ for the λ fitted last."""
        if self._target.norm == 0:
            return 0.0
        square = 1 - self._explained / self._target.norm**2
        if square > _CANCELLING[self._target.real.char]:
            return math.sqrt(square)
        # The factors are packed as the next sweep needs them.
        self._chained()
        residual = self._target.residual(
            self._factors, self._fitted, self._chain, self._tile_scratch(),
            self._workspace.take("step", self._factors[-1].shape),
        )  # fmt: skip
        return residual / self._target.norm

    def _balance(self, scale):
        """Spread the scale, and give all free factors one norm, if theirs differ."""
        norms = [self._factors[j].norm() for j in self._free]
        product = math.prod(norms) * abs(scale)
        if not 0 < product < math.inf:
            return
        common = product ** (1 / len(norms))
        if common / _UNEQUAL < min(norms) and max(norms) < common * _UNEQUAL:
            return
        for j, norm in zip(self._free, norms, strict=True):
            sign = math.copysign(1.0, scale) if j == self._free[0] else 1.0
            ratio = sign * common / norm
            self._factors[j] = self._factors[j].scaled(ratio)
            if j in self._memory:
                self._memory[j] *= self._target.real.type(ratio)
        self.scale = self._fitted = 1.0
        self._chain = None


class _Workspace:
    """Arrays that are used again: fresh ones cost a third of the time at n = 512.

    What was in one is lost when it is taken again.
    """

    def __init__(self, dtype):
        self._dtype = dtype
        self._arrays = {}

    def take(self, name, shape):
        """Return an array of a name, whose contents are undefined."""
        if self._arrays.get(name, _NOTHING).shape != shape:
            self._arrays[name] = np.empty(shape, self._dtype)
        return self._arrays[name]


_NOTHING = np.empty(0)


@functools.lru_cache(maxsize=64)
def _gaussian(size):
    """Return the vector that power iterations first start from; not to be written."""
    return np.random.default_rng(0).standard_normal(size)


def _light(factors, order):
    """Return whether power iteration is faster through the factors."""
    sparse = all(isinstance(factor, Sparse) for factor in factors)
    return sparse and sum(factor.nnz for factor in factors) < _HEAVY * order**2
