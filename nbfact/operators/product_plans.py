"""ProductPlans: operators choose how they multiply arrays of each shape."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .call_forms import keep, left_turned, single_column
from .kept_adjoints import KeptAdjoints
from .multiplied_out import MOST_MULTIPLIED, multiplied_out
from .row_calls import ALONE, FEW, columns_one_by_one, in_tiles, one_by_one, turned_cost
from .small_matrices import (
    COLUMNS,
    ROWS,
    SmallMatrix,
    matrix_cost,
    watched,
)

SHOWN = (1, 4, 16, 64)
"""Numbers of columns for which the text of an operator says who multiplies."""

IN_CACHE, AGAIN = 1 << 21, 0.014
"""Bytes of factors that stay in the caches from one vector to the next, and nanoseconds
of reading a byte of larger ones again for each vector."""

FAR_BYTES, SLICE_BYTES, ALIGNED = 1 << 25, 1 << 19, 32
"""Bytes of x or of a product from which on slices of the columns are copied, multiplied
and copied back, bytes of a slice, which stays in the second level of cache, and what
its number of columns is a multiple of."""
LONGEST = 1 << 13
"""Bytes of a column above which none are copied: the rows of a slice would be short."""


class ProductPlans(KeptAdjoints):
    """Base class of `PlannedOperator`: the choice of the function for each shape.

    A product is computed by what the subclass is made of, or by the dense matrix where
    the operator is small and BLAS is expected to take less time. The choice depends on
    the operator, the dtype, the number of vectors and their layout alone, never on what
    was multiplied before, so that the same product has the same bits.

    A subclass implements ``_cost``, the time that a product by its parts takes, and
    ``_multiplier`` or ``_computed``. It may implement ``_row_multiplier`` and
    ``_matrix``, where it has faster ways than those of this class.
    """

    _made: tuple[str, ...] = (*KeptAdjoints._made, "_quick", "_converting", "_matrices")
    _skips = True  # whether the parts do not read entries of x whose weight is zero

    def _forget(self) -> None:
        """Start without what is made when it is first used."""
        super()._forget()
        # Functions that multiply arrays of some shapes, in the dtype of the operator.
        # The keys are shapes of C-contiguous arrays, and shapes with an axis.
        self._quick: dict[Any, Callable] = {}
        # The same for other dtypes and strides, by dtype and shape.
        self._converting: dict[Any, Callable] = {}
        self._matrices: dict[np.dtype, SmallMatrix | None] = {}

    def _computed(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Return the product by the parts of the operator, without its dense matrix.

        x is (n,) or (n, batch): of the dtype, C-contiguous, not empty.
        """
        raise NotImplementedError(f"a {type(self).__name__} must implement _computed")

    def _multiplier(self, dtype: np.dtype, shape: tuple[int, ...]) -> Callable:
        """Return the function (x, out=None) that multiplies by the parts.

        It takes C-contiguous arrays of a dtype and a shape, (n,) or (n, batch) with
        batch at least 2.
        """
        kept: Any = weakref.ref(self)  # which keeps what is returned

        def multiply(x, out=None):
            found = kept()._computed(dtype, x)
            if out is None:
                return found
            out[...] = found
            return out

        return multiply

    def _row_multiplier(self, dtype: np.dtype, shape: tuple[int, int]) -> Callable:
        """Return the function (x, out=None) that multiplies rows by the parts.

        It takes C-contiguous arrays of a dtype and a shape (batch, n).
        """
        batch, work = shape[0], self.nnz * dtype.itemsize
        ready = functools.partial(self._ready, dtype)
        tile = self._tile(dtype, batch)
        return in_tiles(ready, self.shape, dtype, batch, tile, work)

    def _turned_rows(self, columns: Callable, shape: tuple[int, int]) -> Callable:
        """Return the function of rows in Fortran order, from that of columns.

        `columns` multiplies their transpose, in C order; `shape` is (batch, n).
        """
        return left_turned(columns)

    def _by_parts(self, dtype, shape, rows=False):
        """Return the function that `_multiplier` or `_row_multiplier` returns.

        It takes one vector after the other where that is expected to take less time.
        """
        (m, n), batch = self.shape, shape[0] if rows else shape[-1]
        if self._alone_cost(dtype, batch, rows) < self._cost(dtype, batch, rows):
            several = self._spared(dtype) > 0
            vector, work = self._ready(dtype, (n,)), self.nnz * dtype.itemsize
            if rows:
                return one_by_one(vector, (batch, m), dtype, work, several)
            return columns_one_by_one(vector, self.shape, dtype, batch, several)
        tile = 0 if rows else self._copied(dtype, batch)
        if tile:
            work = self.nnz * dtype.itemsize
            ready = functools.partial(self._ready, dtype)
            return in_tiles(ready, self.shape, dtype, batch, tile, work, False)
        multiplier = self._row_multiplier if rows else self._multiplier
        return multiplier(dtype, shape)

    def _copied(self, dtype: np.dtype, batch: int) -> int:
        """Return how many columns are copied and multiplied at a time, 0 for none.

        Slices of columns that fill the caches take less time than columns read where
        they are, a few lines of the cache in each row, unless the parts of the operator
        hardly do more than read them.
        """
        longest = max(self.shape) * dtype.itemsize
        if longest > LONGEST or longest * batch < FAR_BYTES:
            return 0
        return slice_columns(longest)

    def _alone_cost(self, dtype, batch, rows):
        """Return the time of one vector after the other, or infinity."""
        if not rows and batch > FEW:
            return np.inf
        alone = self._cost(dtype, 1, False)
        size = self._again(dtype)
        alone += AGAIN * size if size > IN_CACHE else 0.0
        alone = batch * (ALONE + min(alone, matrix_cost(self.shape, dtype, 1)))
        alone -= (batch - 1) * self._spared(dtype)
        return alone if rows else alone + turned_cost(self.shape, dtype, batch)

    def _spared(self, dtype: np.dtype) -> float:
        """Return the time that each vector but the first spares in one call for all.

        It is zero where the function for a vector does not take several.
        """
        return 0.0

    def _again(self, dtype: np.dtype) -> int:
        """Return the bytes that a product with one vector reads beside it."""
        return self.nnz * dtype.itemsize

    def _matrix(self, dtype: np.dtype) -> np.ndarray | None:
        """Return the dense matrix in a dtype, or None where that would lose values."""
        if self.nnz > MOST_MULTIPLIED:
            return None
        product = self.to_factors()
        return multiplied_out(product.factors, product.scale, dtype)

    def _matrix_call(self, dtype, batch, way=COLUMNS):
        """Return the function that multiplies by the matrix, None where it is slower.

        It takes a vector where `batch` is 1, and as many columns or rows otherwise;
        `way` is the place of the function in what `SmallMatrix.multipliers` returns.
        """
        price = matrix_cost(self.shape, dtype, batch, way != COLUMNS)
        if not price < np.inf:
            return None
        if not price < parts_time(self, dtype, batch, way != COLUMNS):
            return None
        matrix = self._small(dtype)
        if matrix is None:
            return None
        if not (matrix.zeros and self._skips):
            return matrix.multipliers(batch)[way]
        n, kept = self.shape[1], weakref.ref(self)  # which keeps what is returned
        shape: tuple[int, ...]
        name, shape = "_multiplier", (n,) if batch == 1 else (n, batch)
        if way != COLUMNS:
            name, shape = "_row_multiplier", (batch, n)
        return watched(matrix, batch, way, lambda: getattr(kept(), name)(dtype, shape))

    def _small(self, dtype):
        """Return the `SmallMatrix` of a dtype, made once; None where there is none."""
        if dtype not in self._matrices:
            dense = self._matrix(dtype)
            self._matrices[dtype] = None if dense is None else SmallMatrix(dense)
        return self._matrices[dtype]

    def _whole(self, dtype, batch, way):
        """Return the matrix, where one call of its method `dot` is the whole product.

        The parameters are those of `_matrix_call`.
        """
        if self._matrix_call(dtype, batch, way) is None:
            return None
        matrix = self._small(dtype)
        if (matrix.zeros and self._skips) or matrix.by_panels(batch, way):
            return None
        return matrix.whole(batch, way)

    def _ready(self, dtype, shape):
        """Return the function (x, out=None) for C-contiguous arrays of a shape.

        It is kept: products in the dtype of the operator look for it before all checks.
        A single column goes the way of a vector, because programs round differently.
        """
        known, key = self._quick, shape
        if dtype != self.dtype:
            known, key = self._converting, (dtype.char, shape, COLUMNS)
        call = known.get(key)
        if call is None:
            if shape[1:] == (1,):
                vector = self._ready(dtype, shape[:1])
                call = single_column(vector, (self.shape[0], 1), dtype)
            else:
                batch = 1 if len(shape) == 1 else shape[1]
                call = self._matrix_call(dtype, batch)
                if call is None and batch > 1:
                    call = self._by_parts(dtype, shape)
                call = call or self._multiplier(dtype, shape)
            keep(known, key, call)
        return call

    def _ready_rows(self, dtype, shape):
        """Return the function (x, out=None) for C-contiguous rows of a shape."""
        if shape[0] == 1:
            vector = self._ready(dtype, shape[1:])
            return single_column(vector, (1, self.shape[0]), dtype)
        call = self._matrix_call(dtype, shape[0], ROWS)
        return call or self._by_parts(dtype, shape, True)

    def _by_matrix(self):
        """Return the numbers of columns, of `SHOWN`, that the matrix multiplies."""
        return [b for b in SHOWN if self._matrix_call(self.dtype, b)]

    def _who_multiplies(self) -> str:
        """Return a line for the text of the operator, empty where no matrix is used."""
        shown = [f"{batch}" if batch > 1 else "vectors" for batch in self._by_matrix()]
        end = "" if shown in ([], ["vectors"]) else " columns"
        return f"\n  the dense matrix multiplies {', '.join(shown)}{end}" * bool(shown)


def slice_columns(longest: int) -> int:
    """Return how many columns of some bytes are a slice that stays near; maybe none."""
    return SLICE_BYTES // longest // ALIGNED * ALIGNED


def parts_time(
    operator: ProductPlans, dtype: np.dtype, batch: int, rows: bool = False
) -> float:
    """Return the nanoseconds that a product by the parts is expected to take.

    It is that of all vectors together, or of one after the other where that is less.
    """
    own = operator._cost(dtype, batch, rows)
    return own if batch == 1 else min(own, operator._alone_cost(dtype, batch, rows))
