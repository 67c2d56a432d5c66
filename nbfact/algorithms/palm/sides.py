"""What stands on both sides of a factor in a sweep, and the gradient step between them.

A sweep keeps C = A Rᴴ and G = R Rᴴ, where R is the product of the factors on the right,
which are updated already, so that the gradient of ½‖A - λ L S R‖² is
λ Lᴴ(λ L S G - C): products with the sparse factors of L, and none with R. Each update
then multiplies C and G by the new factor. Costs follow the non-zeros of the factors.
"""

import math
from typing import Any

import numpy as np

from ...kernels import chain_step, csr_apply_columns, csr_fit
from ..common.factors import adjoint, conjugate
from ..common.packed_factors import PackedFactors, tile_scratch
from ..common.problem import Explicit, Implicit
from .side_norms import SideNorms, left_forms

MARGIN = 1.001
"""Number by which the Lipschitz modulus of the gradient is multiplied before a step is
divided by it, so that steps stay below the longest safe one (the paper's value)."""

_CANCELLING = {"d": 1e-6, "f": 1e-1}
"""Squared relative errors, by the character of the real dtype (float64, float32), below
which ‖A‖² - <A, Â>² / ‖Â‖² has lost too many digits: the residual is summed instead."""


_CROSSES, _GRAMS = ("cross 0", "cross 1"), ("gram 0", "gram 1")
_LEFT_GRAMS = ("left gram 0", "left gram 1")
"""Names of the arrays that hold C, G and Lᴴ L, by the parity of the place of a factor:
an update reads those of one parity and writes those of the other."""


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
        self._nothing = np.empty((0, 0), target.dtype)  # the identity, for kernels
        self._no_vector = np.empty(0, target.dtype)
        self._side_norms = SideNorms(target.dtype)
        self.eps = float(np.finfo(target.real).eps)
        self._cancelling = _CANCELLING[target.real.char]
        self._square = target.norm**2
        self._tiles = self._scratch = self._nothing  # made when the shapes are known
        self._steps: list[np.ndarray] = []  # where the step of each place is made
        # Where G, C and the Gram matrices of L are written, by place.
        self._grams: dict[int, np.ndarray] = {}
        self._crosses: dict[int, np.ndarray] = {}
        self._left_grams: dict[int, np.ndarray] = {}
        # Numbers of entries of the factors that the next three were found for.
        self._counts: list[int] = []
        self._forms: list[str] = []  # what each ‖L‖₂ comes from
        self._first_dense = 0  # the first place where Lᴴ is needed dense
        # Lᴴ by place where it is needed dense, and ‖L‖₂ by place.
        self._lefts: dict[int, np.ndarray] = {}
        self._left_norms: list[float] = []
        self._right_norm = 1.0  # ‖R‖₂
        # What is kept of R: Cᴴ, with C = A Rᴴ, and G = R Rᴴ; None for the identity.
        self._cross: Any = target.adjoint  # None of an implicit target
        self._gram: np.ndarray | None = None
        # A double is passed to a kernel as it is, and faster than a scalar of NumPy.
        self._real: Any = float if target.real.char == "d" else target.real.type

    def _prepare(self, factors: PackedFactors) -> None:
        """Make the arrays of all sweeps when the shapes of the factors are known."""
        shapes, dtype = factors.shapes, self._target.dtype
        self._steps = [self._workspace.take("step", shape) for shape in shapes]
        self._tiles = tile_scratch(factors.layout.largest, dtype)
        self._scratch = np.empty(2 * max(p * q for p, q in shapes), dtype)
        for j, (p, _) in enumerate(shapes[1:], 1):  # no place for the first factor
            self._grams[j] = self._workspace.take(_GRAMS[j % 2], (p, p))

    def look_left(self, factors: PackedFactors) -> None:
        """Begin a sweep: find ‖L‖₂ for each factor, and Lᴴ where it is needed dense.

        It is needed dense where L has a dense factor, and on an implicit target.
        """
        self._cross, self._gram = self._target.adjoint, None
        if factors.counts != self._counts:
            self._counts, self._lefts = list(factors.counts), {}
            if not self._steps:
                self._prepare(factors)
            self._forms = left_forms(factors)
            for j, form in enumerate(self._forms):
                if form == "gram":
                    order = factors.shapes[j][1]
                    shape = order, order
                    self._left_grams[j] = self._workspace.take(
                        _LEFT_GRAMS[j % 2], shape
                    )
            self._first_dense = factors.length + 1
            if self._target.adjoint is None:
                self._first_dense = min(self._first_dense, len(factors) - 1)
        if self._first_dense < len(factors):
            self._look_left_densely(factors)
        norms, gram, self._right_norm = [1.0], self._nothing, 1.0
        for j, form in enumerate(self._forms):  # L ends with the factor at place j
            if form == "gram":
                out = self._left_grams[j]
                vector = self._side_norms.start_of_left(j, len(out))
                norm = factors.absorb_columns(j, gram, self._scratch, vector, out)
                norms.append(norm)
                gram = out
            else:
                left = self._lefts.get(j + 1)
                norms.append(self._side_norms.of_left(j + 1, factors, left))
        self._left_norms = norms

    def _look_left_densely(self, factors: PackedFactors) -> None:
        """Find Lᴴ for each factor from the first where it is needed dense."""
        out = np.empty(factors.shapes[0], self._target.dtype)
        left, lefts = adjoint(factors.toarray(0, out)), {}
        for j in range(1, len(factors)):
            if j > 1:
                left = factors.apply_adjoint(j - 1, left)
            if j >= self._first_dense:
                lefts[j] = left
        self._lefts = lefts

    def stepped(self, j: int, old: PackedFactors, scale: float) -> np.ndarray:
        """Return S - w Lᴴ(λ L S G - C), the factor S at place j after a gradient step.

        `old` holds the factors before the sweep, and `scale` is λ. The array is lost at
        the next step.
        """
        gram, x = self._gram, self._steps[j]
        modulus = scale * (self._left_norms[j] * self._right_norm)
        lipschitz = self._margin * modulus * modulus
        # The length of the step times λ: λ / c in the paper.
        weight = self._real(scale / lipschitz if lipschitz > 0 else math.inf)
        if not 0 < abs(weight) < math.inf:
            # λ or a side is zero, so there is no gradient.
            return old.toarray(j, x)
        if j in self._lefts:
            return self._dense_step(j, old, scale, weight)
        if old.counts[j] <= 0:  # no entries are packed
            if gram is None:
                old.toarray(j, x)
            else:
                old.apply(j, gram, x)
        known = self._nothing if gram is None else gram
        scale, tiles = self._real(scale), self._tiles
        chain_step(old.chain, j, known, self._cross, scale, weight, tiles, x)
        if old.counts[j] < 0:
            old.add_to(j, x)
        return x

    def _dense_step(self, j: int, old: PackedFactors, scale: Any, weight: Any) -> Any:
        """Return S - w Lᴴ(λ L S G - C), where Lᴴ is dense.

        That is so where a factor of L is dense, or the target is implicit.
        """
        left, gram, take = self._lefts[j], self._gram, self._workspace.take
        m, n = old.shapes[j]
        stepped, other = take("step", (m, n)), take("dense", (m, n))
        # The small matrices carry the scalars.
        real = self._target.real.type
        pushed, pulled = left * (real(-weight) * real(scale)), left * real(weight)
        # Cᴴ L, and not its adjoint, because BLAS takes half as long where neither of
        # two matrices is transposed.
        target, turned = self._target, take("turned", (n, m))
        if isinstance(target, Implicit) and gram is None:
            turned = target.adjoint_times(adjoint(pulled))
        else:
            np.matmul(self._cross, adjoint(pulled), out=turned)
        if gram is None and old.is_sparse(j) and len(left) <= left.shape[1]:
            # Lᴴ L S = (Sᴴ Lᴴ L)ᴴ costs p multiplications for each entry of S.
            product = take("product", (n, m))
            csr_apply_columns(*old.forms[j][1], pushed @ conjugate(left).T, product)
            turned += product
            adjoint(turned, stepped)
        else:
            if gram is None:
                x = old.toarray(j, other)
            else:
                x = old.apply(j, gram, other)
            np.matmul(pushed, conjugate(left).T @ x, out=stepped)
            stepped += adjoint(turned, other)
        old.add_to(j, stepped)
        return stepped

    def absorb(self, j: int, factors: PackedFactors) -> None:
        """Put S[j] into R, in the one of two arrays that is free."""
        before, cross, gram = self._gram, self._cross, self._grams[j]
        known = self._nothing if before is None else before
        if before is None and isinstance(self._target, Implicit):
            self._cross = self._target.times(factors[j])
            cross = out = self._nothing
        else:
            if j not in self._crosses:
                shape = factors.shapes[j][0], cross.shape[1]
                self._crosses[j] = self._workspace.take(_CROSSES[j % 2], shape)
            self._cross = out = self._crosses[j]
        vector = self._side_norms.start_of_right(j - 1, factors)
        start = self._no_vector if vector is None else vector
        norm = factors.absorb(j, known, cross, self._scratch, start, (gram, out))
        self._gram, self._right_norm = gram, norm
        if vector is None:
            self._right_norm = self._side_norms.of_right(j - 1, factors)

    def fit(self, factors: PackedFactors) -> tuple[float, float]:
        """Return the best λ for the present factors, and <A, λ Â>, which it explains.

        λ is 0 where the product is zero, and NaN where it overflows.
        """
        gram, cross = self._gram, self._cross
        if factors.is_sparse(0):
            known = self._nothing if gram is None else gram
            rows, columns = factors.forms[0]
            inner, square = csr_fit(*rows, *columns, known, cross)
        else:
            x = image = factors.toarray(0, self._steps[0])
            if gram is not None:
                image = factors.apply(0, gram, self._workspace.take("dense", x.shape))
            inner, square = np.vdot(adjoint(cross), x).real, np.vdot(x, image).real
        best = float(inner / square) if square > 0 else 0.0
        return best if math.isfinite(square) else math.nan, best * float(inner)

    def fit_left(self, j: int, factors: PackedFactors) -> float:
        """Return the best λ, where R holds S[j] and all factors on its right."""
        gram = self._gram
        assert gram is not None  # S[j] is absorbed
        left = factors[j - 1].toarray()
        for k in range(j - 2, -1, -1):
            left = factors[k].apply(left)
        square = np.vdot(left, left @ gram).real
        if not square > 0:
            return 0.0
        return float(np.vdot(adjoint(self._cross), left).real / square)

    def error(self, factors: PackedFactors, scale: float, explained: float) -> float:
        """Return ‖A - λ Â‖ / ‖A‖, where `explained` is <A, λ Â> for the best λ."""
        if self._square == 0:
            return 0.0
        square = 1 - explained / self._square
        if square > self._cancelling:
            return math.sqrt(square)
        out = self._workspace.take("step", factors.shapes[-1])
        residual = self._target.residual(factors, scale, self._tiles, out)
        return residual / self._target.norm


class _Workspace:
    """Arrays that are used again, each under a name, one for each shape.

    New arrays in every sweep cost a third of its time at n = 512. What was in an array
    is lost when it is taken again.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._arrays: dict[tuple[str, tuple[int, ...]], np.ndarray] = {}

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the array of a name, with undefined contents."""
        array = self._arrays.get((name, shape))
        if array is None:
            array = self._arrays[name, shape] = np.empty(shape, self._dtype)
        return array
