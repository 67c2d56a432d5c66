"""Spectral norms of the products on the two sides of a factor, sweep after sweep."""

import functools
from collections.abc import Hashable

import numpy as np

from ...kernels import chain_norm, spectral_norm
from ...kernels.chain_absorb import NORM_STEPS, NORM_TOL
from ..common.packed_factors import PackedFactors

_HEAVY = 0.2
"""Non-zeros of the factors of a product, as a share of the entries of its Gram matrix,
above which its norm comes from the Gram matrix and not from the factors: 0.2 is where
the two cost the same at n = 512 (`nbfact study crossover`)."""

_SMALL_GRAM = 192
"""Largest order of a Gram matrix that is used for a norm because it is there anyway."""

_SMALLEST_GRAM = 64
"""Largest order of a Gram matrix that is made for a norm whatever the factors are, so
that a first call need not compile the iteration through them."""


class SideNorms:
    """The norms ‖L‖₂ and ‖R‖₂ of the products on the left and right of each factor.

    An iteration starts from the singular vector of the sweep before, which has
    changed little.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._vectors: dict[Hashable, np.ndarray] = {}

    def of_left(self, j: int, factors: PackedFactors, left: np.ndarray | None) -> float:
        """Return ‖L‖₂ for the factor at place j, from Lᴴ where `left` is that.

        Otherwise it comes from the first j factors.
        """
        if left is not None:
            return dense_norm(left, self._vector((j, "left"), left.shape[1]))
        vector = self._vector((j, "left factors"), factors.shapes[j][0])
        return product_norm(factors, 0, j, vector)

    def of_right(self, j: int, factors: PackedFactors) -> float:
        """Return ‖R‖₂ from the factors behind place j, whose product R is."""
        vector = self._vector((j, "right factors"), factors.shapes[-1][1])
        return product_norm(factors, j + 1, len(factors), vector)

    def start_of_left(self, j: int, order: int) -> np.ndarray:
        """Return where the iteration on the Gram matrix of L starts, and writes to."""
        return self._vector((j, "left"), order)

    def start_of_right(self, j: int, factors: PackedFactors) -> np.ndarray | None:
        """Return the same for R = S[j + 1] ...; None where its factors are faster."""
        order = factors.shapes[j][1]
        if order > _SMALL_GRAM and _light(factors, j + 1, len(factors), order):
            return None
        return self._vector((j, "right"), order)

    def _vector(self, key, size):
        """Return the vector that an iteration starts from, and writes to."""
        vector = self._vectors.get(key)
        if vector is None:
            vector = self._vectors[key] = _gaussian(size).astype(self._dtype)
        return vector


def left_forms(factors: PackedFactors) -> list[str]:
    """Return what ‖S[0] ... S[j]‖₂ is found from, for each j but the last: its form.

    "gram" is the Gram matrix of the columns of the product, which is used where it is
    small and all before it are; "other" is the factors, or the dense product where that
    is needed anyway.
    """
    shapes, last = factors.shapes, len(factors) - 1
    smallest = min([columns for _, columns in shapes[:-1]], default=0)
    largest = max([columns for _, columns in shapes[:-1]], default=0)
    small = largest <= _SMALLEST_GRAM or not _light(factors, 0, last, smallest)
    forms = []
    for j in range(last):
        rows, columns = shapes[j]
        small = small and (columns if j == 0 else max(rows, columns)) <= _SMALL_GRAM
        forms.append("gram" if small else "other")
    return forms


def _light(factors: PackedFactors, first: int, last: int, order: int) -> bool:
    """Return whether the norm of a product is found faster through its factors.

    That is so where those at the places first to last - 1 are sparse and have together
    few non-zeros, compared with the Gram matrix of the product, of the given order.
    """
    counts = factors.counts[first:last]  # negative for dense factors
    return min(counts, default=0) >= 0 and sum(counts) < _HEAVY * order**2


def product_norm(
    factors: PackedFactors,
    first: int,
    last: int,
    vector: np.ndarray,
    steps: int = NORM_STEPS,
) -> float:
    """Return the spectral norm ‖S[first] ... S[last - 1]‖₂ by iterations.

    It starts from `vector`, and leaves the right singular vector there.
    """
    scratch = np.empty((2, factors.layout.largest), vector.dtype)
    return chain_norm(factors.chain, first, last, vector, scratch, steps, NORM_TOL)


def dense_norm(x: np.ndarray, vector: np.ndarray, steps: int = NORM_STEPS) -> float:
    """Return the spectral norm ‖x‖₂ by iterations, as `product_norm`."""
    return spectral_norm(x, vector, steps, NORM_TOL)


@functools.lru_cache(maxsize=64)
def _gaussian(size):
    """Return the Gaussian vector of each size from which the first iteration starts.

    It is shared and must not be written to.
    """
    return np.random.default_rng(0).standard_normal(size)
