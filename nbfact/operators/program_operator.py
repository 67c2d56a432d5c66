"""ProgramOperator: an operator whose products run packed programs of kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .._core.cache_lines import aligned
from .._core.dtypes import common_dtype
from .._core.threads import share
from ..kernels import transpose
from ..kernels.entry_points import entry_point
from . import plan as plans
from .chain import Chain
from .fast_operator import FastOperator
from .program import Call, Program

SHAPES = 64
"""Number of shapes of operands for which an operator keeps how it multiplies them."""
TURNED = 0.05
"""Time of each byte that is turned from rows to columns or back, in nanoseconds."""
ROWS = (1, -1)
"""The numbers of the axis along which the rows of a matrix lie."""


class ProgramOperator(FastOperator):
    """Base class of `Butterfly`: products by programs that are packed when first used.

    A subclass sets the attributes below and calls ``_forget`` in its constructor. For
    each dtype there is a program for vectors, and one for each class of numbers of
    columns that was met, see `nbfact.operators.plan.columns_planned`. Steps that they
    have in common are packed once.

    Attributes
    ----------
    chain : Chain
        Supports of the factors.
    values : tuple of ndarray
        Values of the factors, of shapes (a, b, c, d).
    rows, columns : ndarray of intp, or None
        Permutations of rows and columns, see `Butterfly`.
    """

    chain: Chain
    values: tuple[np.ndarray, ...]
    rows: np.ndarray | None
    columns: np.ndarray | None
    _square: bool
    _owned = ("values", "rows", "columns")
    _made: tuple[str, ...] = (
        "_adjoints", "_converting", "_packed", "_programs", "_quick"
    )  # fmt: skip

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
        if threads is None and type(x) is ndarray and x.dtype is dtype:
            shape = x.shape
            if axis is not None:
                shape = (shape, axis) if type(axis) is int else None
            call = self._quick.get(shape)
            if call is not None and x.flags.carray:
                if out is None:
                    return call(x)
                if type(out) is ndarray and out.dtype is dtype and out.flags.carray:
                    if out.shape == (x.shape if self._square else self._fits(x, axis)):
                        # Arrays that own their memory share none.
                        owned = x is not out and x.base is None and out.base is None
                        if owned or not np.may_share_memory(x, out):
                            return call(x, out)
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

    def __rmatmul__(self, other: Any) -> Any:
        if type(other) is ndarray and other.dtype is self.dtype:
            shape = other.shape
            known = self._transpose()._quick
            call = known.get(shape if len(shape) == 1 else (shape, -1))
            if call is not None and other.flags.carray:
                return call(other)
        return super().__rmatmul__(other)

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
            dtype = common_dtype(self.dtype, other.dtype)
            # A real operator multiplies complex numbers as twice as many real ones.
            if self.dtype.kind == dtype.kind:
                ready = self._ready(dtype, other.shape)
                keep(
                    self._converting, key,
                    lambda x: ready(np.array(x, dtype, order="C")),
                )  # fmt: skip
        return found

    def _run(
        self,
        dtype: np.dtype,
        x: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Multiply x, (n,) or (n, batch), of the dtype and not empty."""
        return self._ready(dtype, x.shape)(x, out)

    def _ready(self, dtype, shape):
        """Return the function that multiplies C-contiguous arrays of a shape.

        It is kept for products in the dtype of the operator, which look for it before
        all checks.
        """
        call = self._quick.get(shape) if dtype == self.dtype else None
        if call is None:
            call = self._multiplier(dtype, shape)
            if dtype == self.dtype:
                keep(self._quick, shape, call)
        return call

    def _multiplier(self, dtype, shape):
        """Return a function (x, out=None) for C-contiguous arrays of a shape.

        A single column goes the way of a vector, because programs round differently.
        """
        if shape[1:] == (1,):
            return single_column(self._ready(dtype, shape[:1]), self.shape[0], dtype)
        program = self._program(dtype, shape[1] if len(shape) == 2 else 1)
        return program.for_vectors() if len(shape) == 1 else program.for_columns(shape)

    def _rows(self, dtype: np.dtype, x: np.ndarray, out: np.ndarray) -> None:
        if self.dtype.kind != dtype.kind:
            return super()._rows(dtype, x, out)
        keys: list[tuple] = [(x.shape, axis) for axis in ROWS]
        if dtype != self.dtype:  # such a key is no product's
            keys = [(dtype.char, x.shape)]
        call = self._quick.get(keys[0])
        if call is None:
            call = self._row_multiplier(dtype, x.shape)
            for key in keys:
                keep(self._quick, key, call)
        call(x, out)

    def _row_multiplier(self, dtype, shape):
        """Return a function (x, out=None) for C-contiguous rows of a shape."""
        (m, n), batch = self.shape, shape[0]
        program, tile = self._program(dtype, batch), self._tile(dtype, batch)
        idle: list[tuple] = []  # columns and their product that no thread is using
        length, empty, some = min(batch, tile), np.empty, np.empty((0, 0), dtype)
        turn, multiply = entry_point(transpose, some, some), self._ready

        def made():
            return aligned((n, length), dtype), aligned((m, length), dtype)

        def one_by_one(x, out=None):
            out = empty((batch, m), dtype) if out is None else out
            for i in range(batch):
                vector(x[i], out[i])
            return out

        def in_place(x, out=None):
            return program.run(x.T, None if out is None else out.T).T

        def in_one_tile(x, out=None):
            if out is None:
                out = empty((batch, m), dtype)
            columns, found = pair = idle.pop() if idle else made()
            turn(x, columns)
            whole(columns, found)
            turn(found, out)
            idle.append(pair)
            return out

        def in_tiles(x, out=None):
            out = empty((batch, m), dtype) if out is None else out

            def some_tiles(begin, end):
                pair = idle.pop() if idle else made()
                for first in range(begin, end, tile):
                    part = x[first : min(first + tile, end)]
                    columns, found = (
                        one.reshape(-1)[: len(one) * len(part)].reshape(-1, len(part))
                        for one in pair
                    )
                    turn(part, columns)
                    multiply(dtype, columns.shape)(columns, found)
                    turn(found, out[first : first + len(part)])
                idle.append(pair)

            share(self.nnz * dtype.itemsize, batch, some_tiles, tile)
            return out

        if program.takes_rows(batch):
            return in_place
        if self._rows_alone(dtype, batch):
            vector = self._ready(dtype, (n,))
            return one_by_one
        whole = self._ready(dtype, (n, length))
        return in_one_tile if batch <= tile else in_tiles

    def _rows_alone(self, dtype, batch):
        """Return whether vectors one by one are expected to take the least time."""
        alone, together = (
            plans.cost(self.chain, plans.best(self.chain, dtype, one), dtype, one)
            for one in (1, batch)
        )
        turned = TURNED * sum(self.shape) * batch * dtype.itemsize
        return batch * alone < together + turned

    def _program(self, dtype, batch):
        """Return the program for `batch` columns, packed only once."""
        key = dtype, plans.columns_planned(batch)
        if key not in self._programs:
            plan = plans.best(self.chain, *key)
            self._programs[key] = Program(
                self.values, plan, dtype, self.rows, self.columns, self._packed
            )
        return self._programs[key]

    def _forget(self) -> None:
        """Start without the programs and the adjoints that are made when first used."""
        self.__dict__["_square"] = self.shape[0] == self.shape[1]
        self._adjoints: dict[str, Any] = {}
        self._programs: dict[tuple[np.dtype, int], Program] = {}
        self._packed: dict[tuple[np.dtype, plans.Step], Call] = {}
        # Functions that multiply arrays of some shapes, in the dtype of the values, and
        # in other dtypes and strides: products look here first, because further checks
        # would double the time of a small one.
        self._quick: dict[Any, Callable] = {}
        self._converting: dict[tuple[str, tuple[int, ...]], Callable] = {}


def single_column(vector: Callable, rows: int, dtype: np.dtype) -> Callable:
    """Return the function (x, out=None) for (n, 1) that multiplies it as a vector."""

    def multiply(x, out=None):
        if out is None:
            out = np.empty((rows, 1), dtype)
        vector(x.reshape(-1), out.reshape(-1))
        return out

    return multiply


def keep(known: dict, key: Any, call: Callable | None) -> None:
    """Keep a function for products of a shape, and forget all where they are many."""
    if len(known) >= SHAPES:
        known.clear()
    known[key] = call
