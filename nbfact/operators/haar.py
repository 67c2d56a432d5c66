"""The Haar wavelet transform: a product of sparse factors, and its own kernels."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.cache_lines import LINE, aligned, maker
from .._core.checks import dtype_of, power_of_two
from .._core.dtypes import real_dtype
from .._core.limits import check_memory
from .._core.threads import share, shared_from
from ..kernels import (
    haar_columns,
    haar_columns_adjoint,
    haar_vector,
    haar_vector_adjoint,
)
from ..kernels.entry_points import entry_point
from .call_forms import KEPT_BYTES
from .factor_product import FactorProduct, canonical_product
from .operator_files import HAAR, Saved
from .product_plans import SHOWN, ProductPlans
from .row_calls import ALONE, one_by_one
from .vector_calls import vector_call

CALL, ROWS_CALL, COLUMNS_CALL = 400.0, 850.0, 650.0
"""Time of a call on very few numbers, in nanoseconds: a vector, rows and columns."""
VECTOR = {4: 0.35, 8: 0.6}
COLUMNS = {4: 0.35, 8: 0.6}
SINGLE = {4: 1.2, 8: 1.8}
"""Nanoseconds for each number of vectors, of columns that fill 64 bytes of a row, and
of the columns that are left, by the bytes of a number."""
LEVEL = 9.0
"""Nanoseconds for each two levels of a vector."""
TILE = 512
"""Bytes of a row of columns that go through all levels together: more of them would not
stay in cache, and fewer would read parts of a page."""
WORK = 8
"""Work of each byte of a vector, as `nbfact._core.threads.share` counts it."""
SAVED = ("order", "dtype", "scale", "transposed")
"""Names of the entries of a file."""


class HaarTransform(FactorProduct):
    """A `FactorProduct` whose matrix is a Haar transform, or its transpose.

    Factors, `nnz` and `rcg` are those of the product. Arrays are multiplied level by
    level, by kernels that know the values, in a part of the time.

    Parameters
    ----------
    factors : sequence of csr_array
        Those of the matrix, which nothing compares with the transform.
    scale : float
        The number by which the matrix is multiplied.
    transposed : bool
        Whether it is transposed.
    """

    _by_factors = False

    def __init__(
        self, factors: Sequence[Any], scale: float = 1.0, transposed: bool = False
    ) -> None:
        super().__init__(factors, scale)
        self.transposed = transposed

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        n, size = self.shape[0], real_dtype(dtype).itemsize
        batch *= dtype.itemsize // size  # complex columns are twice as many real ones
        if rows or batch == 1:
            call = CALL if batch == 1 else ROWS_CALL
            return call + batch * (LEVEL * (n.bit_length() // 2) + VECTOR[size] * n)
        rest = batch % (LINE // size)
        columns = COLUMNS[size] * (batch - rest) + SINGLE[size] * rest
        return COLUMNS_CALL + n * columns

    def _alone_cost(self, dtype, batch, rows):
        return ProductPlans._alone_cost(self, dtype, batch, rows)

    def _spared(self, dtype: np.dtype) -> float:
        return ALONE + CALL if self._matrix_call(dtype, 1) is None else 0.0

    def _again(self, dtype: np.dtype) -> int:
        return 0  # the kernels know the values

    def _vector(self, dtype):
        """Return the function (x, out=None) that calls a kernel for vectors."""
        if dtype not in self._vectors:
            n = self.shape[0]
            kernel = haar_vector_adjoint if self.transposed else haar_vector
            self._vectors[dtype] = vector_call(
                kernel, (self.scale,), n, dtype, lambda: aligned((n,), dtype)
            )
        return self._vectors[dtype]

    def _multiplier(self, dtype, shape):
        if len(shape) == 1:
            return self._vector(dtype)
        kernel = haar_columns_adjoint if self.transposed else haar_columns
        some = np.empty((0, 0), dtype)
        multiply = entry_point(kernel, self.scale, some, some, some, 0, 0)
        return _columns(multiply, self.scale, shape, dtype)

    def _copied(self, dtype, batch):
        return 0  # the levels hardly do more than read the columns

    def _row_multiplier(self, dtype, shape):
        work = WORK * self.shape[0] * dtype.itemsize
        return one_by_one(self._vector(dtype), shape, dtype, work, True)

    def _reversed(self, name: str) -> "HaarTransform":
        return self._transposed_times(self.scale)

    def _transposed_times(self, scale):
        """Return the transpose for the number 1, times another number."""
        factors = [factor.T for factor in reversed(self._factors)]
        return HaarTransform(factors, scale, not self.transposed)

    def _scaled(self, number: Any) -> FactorProduct:
        if isinstance(number, complex):
            return super()._scaled(number)
        return HaarTransform(self._factors, self.scale * number, self.transposed)

    def _inverted(self) -> FactorProduct:
        if self.scale == 0:
            raise ValueError("the scale is 0: the operator is singular")
        return self._transposed_times(1 / self.scale)

    def to_factors(self) -> FactorProduct:
        """Return the same operator as one that multiplies by its sparse factors."""
        return canonical_product(self._factors, self.scale)

    def _saved(self) -> Saved:
        values = self.shape[0], self.dtype.name, self.scale, self.transposed
        return Saved(HAAR, dict(zip(SAVED, map(np.array, values), strict=True)))

    def __repr__(self) -> str:
        dense = self._by_matrix()
        shown = [f"{b}" if b > 1 else "vectors" for b in SHOWN if b not in dense]
        if not shown:
            return super().__repr__()
        listed = ", ".join(shown) + " columns" * (shown[-1] != "vectors")
        text = f"  kernels with the values of the transform multiply {listed}"
        return f"{super().__repr__()}\n{text}"


def _columns(multiply, scale, shape, dtype):
    """Return the function (x, out=None) that calls a kernel for columns of a shape."""
    (n, batch), idle = shape, list[np.ndarray]()  # scratch that no thread is using
    work, make = WORK * n * dtype.itemsize, maker(shape, dtype)
    tile = min(batch, TILE // dtype.itemsize)
    wide = batch >= shared_from(work)

    def some(x, out, begin, end):
        try:
            scratch = idle.pop()
        except IndexError:
            scratch = aligned((n // 3 + 1, tile), dtype)
        multiply(scale, x, scratch, out, begin, end)
        if scratch.nbytes <= KEPT_BYTES:
            idle.append(scratch)

    def columns(x, out=None):
        out = make() if out is None else out
        if wide:
            share(work, batch, lambda i, j: some(x, out, i, j), tile)
        else:
            some(x, out, 0, batch)
        return out

    return columns


def read_haar(saved: Saved) -> HaarTransform:
    """Return the operator that a file holds."""
    if set(saved.arrays) != set(SAVED):
        raise ValueError(f"entries of a Haar transform: {sorted(saved.arrays)}")
    order, dtype, scale, transposed = (saved.arrays[name].item() for name in SAVED)
    found = haar(order, dtype)
    return (found.T if transposed else found) * scale


def haar(n: int, dtype: Any = np.float64) -> HaarTransform:
    """Return the orthonormal Haar wavelet transform as a product of sparse factors.

    Parameters
    ----------
    n : int
        Order, a power of two.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    FactorProduct
        The operator H of shape (n, n), with kernels of its own. ``H @ x`` is the Haar
        transform of a vector x, first the mean and then the details from coarse to
        fine, and ``H.H @ y`` is the inverse transform. The dense matrix is
        `nbfact.targets.haar`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer or not a power of two, or the dtype is another.

    See Also
    --------
    nbfact.targets.haar : The dense matrix.

    Notes
    -----
    Each factor computes one or more levels of details, and hands on the details of the
    earlier levels, which costs an entry each. The levels are grouped so that the number
    of entries is least: about 5.9 n for n = 1024, where factors of one level each need
    12 n, and the dense matrix has 11 n that are not zero. The transform is no
    butterfly, because a butterfly computes all n entries in each factor. A product
    with an array costs about 4 n operations for each vector, by
    `nbfact.kernels.haar_vector` and its kin.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> H = nf.transforms.haar(8)
    >>> np.round(H @ np.arange(8.0), 3)
    array([ 9.899, -5.657, -2.   , -2.   , -0.707, -0.707, -0.707, -0.707])
    >>> nf.transforms.haar(1024).nnz
    6016
    """
    n = power_of_two("n", n, "a Haar matrix")
    dtype = dtype_of(dtype, "f")
    return HaarTransform(_factors(n, dtype))


def _factors(n, dtype):
    """Return the sparse factors of the transform, from left to right."""
    check_memory(f"n={n}", 24 * n, 16)
    factors: list[Any] = []
    active = n
    for n_levels in _levels_per_factor(n.bit_length() - 1):
        block = _haar_levels(active, n_levels)
        kept = sp.eye_array(n - active, format="csr")
        factors.insert(0, sp.block_diag([block, kept], format="csr").astype(dtype))
        active >>= n_levels
    return factors or [np.ones((1, 1), dtype)]


def _haar_levels(active, n_levels):
    """Return the first levels of the Haar transform of order `active`, as CSR."""
    width = 1 << n_levels
    block = np.ones((1, 1))
    while (half := len(block)) < width:
        fine = np.kron(np.eye(half), [1, -1])
        block = np.vstack([np.kron(block, [1, 1]), fine])
    block /= np.sqrt(np.count_nonzero(block, axis=1, keepdims=True))
    # Rows are the means of all blocks first, then the details level by level.
    ends = [0, *(1 << level for level in range(n_levels + 1))]
    blocks = sp.eye_array(active // width)
    rows = [
        sp.kron(blocks, sp.csr_array(block[start:stop]))
        for start, stop in itertools.pairwise(ends)
    ]
    return sp.csr_array(sp.vstack(rows))


@functools.cache
def _levels_per_factor(n_levels: int) -> tuple[int, ...]:
    """Return how many levels each factor computes, from the one applied first on.

    The grouping has the fewest entries, by dynamic programming over all groupings for
    order 2^n_levels. A factor of g levels that starts with m means has m (g + 1)
    entries, and one for each detail that it hands on.
    """
    order = 1 << n_levels
    # Fewest entries, and their grouping, by the number of levels computed before.
    best: dict[int, tuple[int, tuple[int, ...]]] = {n_levels: (0, ())}
    for made in range(n_levels - 1, -1, -1):
        active = order >> made
        best[made] = min(
            (
                active * (g + 1) + order - active + best[made + g][0],
                (g, *best[made + g][1]),
            )
            for g in range(1, n_levels - made + 1)
        )
    return best[0][1]
