"""PlannedOperator: products that look first for the way in which they were planned."""

import functools
import weakref
from collections.abc import Callable
from typing import Any, overload

import numpy as np
from numpy import ndarray

from .._core.dtypes import common_dtype
from .call_forms import apart, keep, left_turned, single_column, turned_call
from .kept_adjoints import KeptAdjoints
from .linear_operator import NotAnArray
from .row_calls import ALONE, FEW, columns_one_by_one, in_tiles, one_by_one, turned_cost
from .small_matrices import (
    CHECK,
    MOST_CHECKED,
    MOST_MULTIPLIED,
    SmallMatrix,
    matrix_cost,
    multiplied_out,
    watched,
)

AXES = (1, -1)
"""The numbers of the axis along which the rows of a matrix lie."""
COLUMNS, ROWS, FORTRAN = 0, 1, 2
"""Columns and rows in C order, and columns in Fortran order."""
READY, TURNED_READY = 0x501, 0x502
"""Flags of arrays that are aligned and writable, in C order and in Fortran order."""
SHOWN = (1, 4, 16, 64)
"""Numbers of columns for which the text of an operator says who multiplies."""


class PlannedOperator(KeptAdjoints):
    """Base class of operators that plan how they multiply arrays of each shape.

    A product is computed by what the subclass is made of, or by the dense matrix where
    the operator is small and BLAS is expected to take less time. The choice depends on
    the operator, the dtype, the number of vectors and their layout alone, never on what
    was multiplied before, so that the same product has the same bits.

    A subclass implements ``_cost``, the time that a product by its parts takes, and
    ``_multiplier`` or ``_computed``. It may implement ``_row_multiplier`` and
    ``_matrix``, where it has faster ways than those of this class.
    """

    _made: tuple[str, ...] = (
        *KeptAdjoints._made,
        *("_quick", "_fortran", "_lefts", "_fortran_lefts", "_converting", "_matrices"),
    )
    _square: bool
    _skips = True  # whether the parts do not read entries of x whose weight is zero

    def __init__(self, dtype: Any, shape: tuple[int, int]) -> None:
        super().__init__(dtype, shape)
        self._forget()

    def _forget(self) -> None:
        """Start without what is made when it is first used."""
        super()._forget()
        self.__dict__["_square"] = self.shape[0] == self.shape[1]
        # Functions that multiply arrays of some shapes, in the dtype of the operator:
        # products look here first, because further checks would double the time of a
        # small one. The keys are shapes of C-contiguous arrays, and shapes with an axis
        # of `AXES`; and shapes of columns in Fortran order.
        self._quick: dict[Any, Callable] = {}
        self._fortran: dict[tuple[int, ...], Callable] = {}
        # The same for arrays on the left of the operator.
        self._lefts: dict[tuple[int, ...], Callable] = {}
        self._fortran_lefts: dict[tuple[int, ...], Callable] = {}
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
            vector, work = self._ready(dtype, (n,)), self.nnz * dtype.itemsize
            if rows:
                return one_by_one(vector, (batch, m), dtype, work)
            return columns_one_by_one(vector, self.shape, dtype, batch)
        multiplier = self._row_multiplier if rows else self._multiplier
        return multiplier(dtype, shape)

    def _alone_cost(self, dtype, batch, rows):
        """Return the time of one vector after the other, or infinity."""
        if not rows and batch > FEW:
            return np.inf
        alone = self._cost(dtype, 1, False)
        alone = batch * (ALONE + min(alone, matrix_cost(self.shape, dtype, 1)))
        return alone if rows else alone + turned_cost(self.shape, dtype, batch)

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
        own = self._cost(dtype, batch, way != COLUMNS)
        if batch > 1:
            own = min(own, self._alone_cost(dtype, batch, way != COLUMNS))
        if not price < own:
            return None
        if dtype not in self._matrices:
            dense = self._matrix(dtype)
            self._matrices[dtype] = None if dense is None else SmallMatrix(dense)
        matrix = self._matrices[dtype]
        if matrix is None:
            return None
        call = matrix.multipliers(batch)[way]
        if not (matrix.zeros and self._skips):
            return call
        n, kept = self.shape[1], weakref.ref(self)  # which keeps what is returned
        if way == FORTRAN or n * batch > MOST_CHECKED or not price + CHECK < own:
            return None

        name, shape = "_multiplier", (n,) if batch == 1 else (n, batch)
        if way == ROWS:
            name, shape = "_row_multiplier", (batch, n)
        return watched(call, lambda: getattr(kept(), name)(dtype, shape))

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

    def _run(
        self, dtype: np.dtype, x: np.ndarray, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Multiply x, (n,) or (n, batch), of the dtype and not empty."""
        return self._ready(dtype, x.shape)(x, out)

    def _rows(self, dtype: np.dtype, x: np.ndarray, out: np.ndarray) -> None:
        if self.dtype.kind != dtype.kind:
            return self._tiles_of_rows(dtype, x, out)
        if dtype != self.dtype:
            key: Any = dtype.char, x.shape, AXES  # no product looks for this one
            call = self._converting.get(key)
            if call is None:
                call = self._ready_rows(dtype, x.shape)
                keep(self._converting, key, call)
        else:
            key = x.shape, AXES[0]
            call = self._quick.get(key)
            if call is None:
                call = self._ready_rows(dtype, x.shape)
                for axis in AXES:
                    keep(self._quick, (x.shape, axis), call)
                turned = self._matrix_call(dtype, len(x), FORTRAN) or turned_call(call)
                keep(self._fortran, x.shape[::-1], turned)
        call(x, out)

    @overload
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...
    @overload
    def __matmul__(self, other: NotAnArray) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        if type(other) is ndarray and other.dtype is self.dtype:
            # A kernel takes the array as it is: more checks would double the time.
            flags = other.flags.num
            if flags & READY == READY:
                call = self._quick.get(other.shape)
                if call:
                    return call(other)
            elif flags & TURNED_READY == TURNED_READY:
                call = self._fortran.get(other.shape)
                if call:
                    return call(other)
        return self._product(other)

    def __rmatmul__(self, other: Any) -> Any:
        if type(other) is ndarray and other.dtype is self.dtype:
            flags = other.flags.num
            if flags & READY == READY:
                call = self._lefts.get(other.shape)
                return call(other) if call else self._first_left(other, other.shape)
            if flags & TURNED_READY == TURNED_READY:
                call = self._fortran_lefts.get(other.shape)
                return call(other) if call else self._first_left(other, None)
        return super().__rmatmul__(other)

    def _first_left(self, other, shape):
        """Return ``other @ self``, and keep how the transpose multiplied it.

        `shape` is that of `other` in C order, None in Fortran order.
        """
        found, known = super().__rmatmul__(other), self.T
        if not other.size or not isinstance(known, PlannedOperator):
            return found
        if shape is None:
            call = known._quick.get(other.shape[::-1])
            if call:
                call = known._turned_rows(call, other.shape)
                keep(self._fortran_lefts, other.shape, call)
        else:
            call = known._quick.get(shape if len(shape) == 1 else (shape, -1))
            if call:
                keep(self._lefts, shape, call)
        return found

    def apply(
        self,
        x: Any,
        out: np.ndarray | None = None,
        *,
        axis: int | None = None,
        threads: int | None = None,
    ) -> np.ndarray:
        """Return the products with the vectors along an axis of x, written to `out`.

        Parameters, result and errors are those of `FastOperator.apply`.
        """
        dtype = self.dtype
        if type(x) is ndarray and x.dtype is dtype and threads is None:
            key: Any = x.shape
            flags, order = x.flags.num, READY
            if axis is not None:
                key = (key, axis) if type(axis) is int else None
                call = self._quick.get(key) if flags & READY == READY else None
            elif flags & READY == READY:
                call = self._quick.get(key)
            else:
                order = TURNED_READY
                call = self._fortran.get(key) if flags & order == order else None
            if call:
                if out is None:
                    return call(x)
                # Each line here is a fiftieth of the time of a small product.
                if type(out) is ndarray and out.dtype is dtype and x is not out:
                    fits = x.shape if self._square else self._fits(x, axis)
                    if out.shape == fits and out.flags.num & order == order:
                        if x.base is out.base is None or apart(x, out):
                            call(x, out)
                            return out
        return super().apply(x, out, axis=axis, threads=threads)

    def _fits(self, x, axis):
        """Return the shape of the product with a vector, columns or rows."""
        m = self.shape[0]
        return (m, *x.shape[1:]) if axis is None else (len(x), m)

    def _write(self, dtype: np.dtype, x: np.ndarray, out: np.ndarray) -> None:
        ready = x.size and x.ndim <= 2 and x.dtype == self.dtype == dtype
        ready = ready and x.flags.carray and out.flags.carray
        if ready and not np.may_share_memory(x, out):
            self._run(dtype, x, out)
        else:
            super()._write(dtype, x, out)

    def matvec(self, x: Any) -> np.ndarray:
        """Return the product with a vector, or with each of several vectors.

        Parameters, result and errors are those of `FastOperator.matvec`.
        """
        call = self._call_for(x)
        if call is not None and (x.ndim == 1 or x.shape[1] == 1):
            return call(x)
        return super().matvec(x)

    def matmat(self, X: Any) -> np.ndarray:
        """Return the product with the columns of a matrix, or of each of several.

        Parameters, result and errors are those of `FastOperator.matmat`.
        """
        call = self._call_for(X)
        return super().matmat(X) if call is None or X.ndim == 1 else call(X)

    def _call_for(self, x):
        """Return the function that multiplies x as it is, None where none is known."""
        if type(x) is ndarray and x.dtype is self.dtype and x.flags.carray:
            return self._quick.get(x.shape)
        return None

    def _product(self, other: Any, name: str = "other") -> Any:
        if type(other) is not ndarray or other.flags.fnc:
            return super()._product(other, name)
        key = other.dtype.char, other.shape
        call = self._converting.get(key)
        if call is not None:
            return call(other)
        found = super()._product(other, name)
        if other.ndim <= 2 and other.size and key[0] in "fdFD":
            call = self._converter(other)
            if call is not None:
                keep(self._converting, key, call)
        return found

    def _converter(self, x):
        """Return the function that multiplies arrays of another dtype or strides.

        It does what `_apply` does with one such array, x, (n,) or (n, batch). There is
        none for a real operator, which multiplies complex numbers as twice as many real
        ones.
        """
        dtype = common_dtype(self.dtype, x.dtype)
        if self.dtype.kind != dtype.kind:
            return None
        ready = self._ready(dtype, x.shape)
        return lambda x: ready(np.array(x, dtype, order="C"))

    def _by_matrix(self):
        """Return the numbers of columns, of `SHOWN`, that the matrix multiplies."""
        return [b for b in SHOWN if self._matrix_call(self.dtype, b)]

    def _who_multiplies(self) -> str:
        """Return a line for the text of the operator, empty where no matrix is used."""
        shown = [f"{batch}" if batch > 1 else "vectors" for batch in self._by_matrix()]
        end = "" if shown in ([], ["vectors"]) else " columns"
        return f"\n  the dense matrix multiplies {', '.join(shown)}{end}" * bool(shown)


def parts_time(operator: PlannedOperator, batch: int) -> float:
    """Return the nanoseconds that columns by the parts are expected to take."""
    own = operator._cost(operator.dtype, batch, False)
    if batch == 1:
        return own
    return min(own, operator._alone_cost(operator.dtype, batch, False))
