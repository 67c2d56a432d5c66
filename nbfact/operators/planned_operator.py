"""PlannedOperator: products that look first for the way in which they were planned."""

import types
from typing import Any, overload

import numpy as np
from numpy import ndarray

from .._core.dtypes import common_dtype
from ..kernels.dense_panels import NOT_FINITE
from .call_forms import converting_call, is_ready, keep, turned_call
from .linear_operator import NotAnArray
from .matrix_panels import PanelsProduct
from .product_plans import ProductPlans
from .small_matrices import CHECKED, FORTRAN, REFUSED, ROWS

MISSED = (KeyError, *REFUSED)
"""What is raised where nothing is known for a shape, or an array does not fit."""
AXES = (1, -1)
"""The numbers of the axis along which the rows of a matrix lie."""
DOT = types.BuiltinMethodType
"""Type of the method `dot` of a matrix, which refuses arrays that do not fit for `out`,
and takes an `out` that shares memory with x. It takes masked arrays, too, and would
leave their masks as they are: it gets no `out` of another class than ndarray."""


class PlannedOperator(ProductPlans):
    """Base class of operators that plan how they multiply arrays of each shape.

    `ProductPlans` says how they choose, and what a subclass implements.
    """

    _made: tuple[str, ...] = (
        *ProductPlans._made,
        *("_fortran", "_lefts", "_fortran_lefts"),
    )
    _square: bool

    def __init__(self, dtype: Any, shape: tuple[int, int]) -> None:
        super().__init__(dtype, shape)
        self._forget()

    def _forget(self) -> None:
        """Start without what is made when it is first used."""
        super()._forget()
        self.__dict__["_square"] = self.shape[0] == self.shape[1]
        # Products look first for the functions here and in `_quick`, because further
        # checks would double the time of a small one. These are for columns in Fortran
        # order, for arrays on the left of the operator, and for those in Fortran order.
        # In place of a function there may be the matrix by which BLAS multiplies, as
        # one call of Python less is a twentieth of the time: its transpose in the first
        # two.
        self._fortran: dict[tuple[int, ...], Any] = {}
        self._lefts: dict[tuple[int, ...], Any] = {}
        self._fortran_lefts: dict[tuple[int, ...], Any] = {}

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
                self._keep_fortran(dtype, x.shape, call)
        call(x, out)

    def _keep_fortran(self, dtype, shape, rows):
        """Keep how columns in Fortran order are multiplied: rows of a shape, turned."""
        found = self._whole(dtype, shape[0], FORTRAN)
        if found is not None:
            found = found.T
        else:
            found = self._matrix_call(dtype, shape[0], FORTRAN) or turned_call(rows)
        keep(self._fortran, shape[::-1], found)

    @overload
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...
    @overload
    def __matmul__(self, other: NotAnArray) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        if type(other) is ndarray and other.dtype is self.dtype:
            # A kernel takes the array as it is: more checks would double the time. The
            # flag farray of NumPy would not do: it is set for arrays with any strides.
            flags = other.flags
            if flags.carray:
                call = self._quick.get(other.shape)
                if call:
                    return call(other)
            else:
                call = self._fortran.get(other.shape)
                if type(call) is ndarray:
                    if flags.fnc:
                        return other.T.dot(call).T
                elif type(call) is PanelsProduct:
                    out = call.new()
                    if not call.kernel(call.packed, other, out):
                        return out
                elif call and flags.fnc and flags.behaved:
                    return call(other)
        return self._product(other)

    def __rmatmul__(self, other: Any) -> Any:
        if type(other) is ndarray and other.dtype is self.dtype:
            flags = other.flags
            if flags.carray:
                call = self._lefts.get(other.shape)
                if type(call) is ndarray:
                    return other.dot(call)
                if type(call) is PanelsProduct:
                    out = call.new()
                    if not call.kernel(call.packed, other, out):
                        return out
                return call(other) if call else self._first_left(other, other.shape)
            if flags.fnc and flags.behaved:
                call = self._fortran_lefts.get(other.shape)
                if type(call) is ndarray:
                    return call.dot(other.T).T
                return call(other) if call else self._first_left(other, None)
        elif type(other) is ndarray and other.shape[-1:] == self.shape[:1]:
            if other.ndim == 1:
                return self.T._product(other)
            if other.ndim == 2:
                return self.T._product(other.T).T
        return super().__rmatmul__(other)

    def _first_left(self, other, shape):
        """Return ``other @ self``, and keep how the transpose multiplied it.

        `shape` is that of `other` in C order, None in Fortran order.
        """
        found, known = super().__rmatmul__(other), self.T
        if not other.size or not isinstance(known, PlannedOperator):
            return found
        if shape is None:
            call: Any = known._quick.get(other.shape[::-1])
            if call:
                turned = known._turned_rows(call, other.shape)
                found_by = call.__self__ if type(call) is DOT else turned
                keep(self._fortran_lefts, other.shape, found_by)
        else:
            call = known._quick.get(shape if len(shape) == 1 else (shape, -1))
            if call:
                several = len(shape) == 2 and shape[0] > 1
                whole = known._whole(self.dtype, shape[0], ROWS) if several else None
                keep(self._lefts, shape, call if whole is None else whole.T)
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
        if threads is not None or type(x) is not ndarray or x.dtype is not self.dtype:
            pass
        elif axis is not None:
            found = self._apply_rows(x, out, axis)
            if found is not None:
                return found
        elif type(out) is ndarray:
            # Each line here is a fiftieth of the time of a small product.
            shape, flags = x.shape, x.flags
            try:
                if flags.carray:
                    call = self._quick[shape]
                    if type(call) is DOT or type(call) is CHECKED:
                        return call(x, out)
                    ready = ordered = True
                else:
                    call = self._fortran[shape]
                    if type(call) is ndarray and flags.fnc:
                        x.T.dot(call, out.T)
                        return out
                    ordered, ready = False, flags.fnc and flags.behaved
                    if type(call) is CHECKED and ready:
                        return call(x, out)
                if type(call) is PanelsProduct:
                    if out.dtype is self.dtype and out.flags.writeable:
                        status = call.kernel(call.packed, x, out)
                        if not status:
                            return out
                        if status == NOT_FINITE:
                            return call.finish(x, out)
                elif ready and type(call) is not ndarray:
                    fits = shape if self._square else (self.shape[0], *shape[1:])
                    if is_ready(x, out, fits, ordered):
                        call(x, out)
                        return out
            except MISSED:
                pass
        elif out is None and (x.shape in self._quick or x.shape in self._fortran):
            return self @ x
        return super().apply(x, out, axis=axis, threads=threads)

    def _apply_rows(self, x, out, axis):
        """Return the product with the rows of x as it is planned, or None."""
        if type(axis) is not int:
            return None
        call = self._quick.get((x.shape, axis)) if x.flags.carray else None
        if call is None:
            if not self._rows_are_columns(x, out, axis):
                return None
            found = self.apply(x.T, None if out is None else out.T)
            return found.T if out is None else out
        if out is None:
            return call(x)
        if type(out) is ndarray and is_ready(x, out, (len(x), self.shape[0]), True):
            return call(x, out)
        return None

    def _rows_are_columns(self, x, out, axis):
        """Return whether x and out hold rows in Fortran order: columns in C order."""
        if axis not in AXES or x.ndim != 2 or not x.flags.fnc:
            return False
        if x.shape[1] != self.shape[1]:
            return False  # whose message names the shapes as they were given
        return out is None or (
            type(out) is ndarray and out.shape == (len(x), self.shape[0])
        )

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
        if type(other) is not ndarray:
            return super()._product(other, name)
        flags = other.flags
        key: Any = other.dtype.char, other.shape
        if flags.fnc:
            key = *key, FORTRAN
        call = self._converting.get(key)
        if call is not None:
            return call(other)
        found = super()._product(other, name)
        known = flags.fnc and flags.behaved and other.dtype == self.dtype
        if other.ndim <= 2 and other.size and key[0] in "fdFD" and not known:
            call = self._converter(other)
            if call is not None:
                keep(self._converting, key, call)
        return found

    def _converter(self, x):
        """Return the function that multiplies arrays of another dtype or strides.

        It does what `_apply` does with one such array, x, (n,) or (n, batch), which is
        in Fortran order or is not, like all others. There is none for a real operator,
        which multiplies complex numbers as twice as many real ones.
        """
        dtype = common_dtype(self.dtype, x.dtype)
        if self.dtype.kind != dtype.kind:
            return None
        rows = x.flags.fnc
        shape = x.shape[::-1] if rows else x.shape
        ready = self._ready_rows(dtype, shape) if rows else self._ready(dtype, shape)
        return converting_call(ready, shape, dtype, rows)
