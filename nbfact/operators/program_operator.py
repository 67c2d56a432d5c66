"""ProgramOperator: an operator whose products run packed programs of kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .._core.array_checks import check_output
from .._core.dtypes import common_dtype
from .._core.threads import threads as threads_of
from . import plan as plans
from .chain import Chain
from .fast_operator import FastOperator
from .program import Call, Program

SHAPES = 64
"""Number of shapes of operands for which an operator keeps how it multiplies them."""


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
    _owned = ("values", "rows", "columns")
    _made: tuple[str, ...] = (
        "_adjoints", "_converting", "_packed", "_programs", "_quick"
    )  # fmt: skip

    def apply(
        self, x: Any, out: np.ndarray | None = None, *, threads: int | None = None
    ) -> np.ndarray:
        """Return ``self @ x``, written into `out` when it is given.

        Parameters
        ----------
        x : array_like, shape (n,) or (..., n, batch)
            Vector or columns to multiply.
        out : ndarray, shape (m,) or (..., m, batch), optional
            Array of the dtype of the product to write into. It may be `x` itself, or
            share memory with it. When it is C-contiguous and shares no memory with `x`,
            nothing is allocated for the result.
        threads : int, optional
            Number of threads that share the columns, as in `nbfact.threads`; by default
            that of the enclosing block. The result is the same.

        Returns
        -------
        ndarray, shape (m,) or (..., m, batch)
            `out`, or a new array.

        Raises
        ------
        TypeError, ValueError
            When the shape of `x`, or the shape or the dtype of `out` does not fit, when
            `out` is no array or read-only, or `threads` is no positive integer.
        """
        if threads is not None:
            with threads_of(threads):
                return self.apply(x, out)
        if type(x) is ndarray and x.dtype is self.dtype:
            call = self._quick.get(x.shape)
            if call is not None and x.flags.carray:
                if out is None:
                    return call(x)
                if self._takes(out, x):
                    return call(x, out)
        if out is None:
            return self._product(x, "x")
        x = self._operand("x", x)
        dtype, m = common_dtype(self.dtype, x.dtype), self.shape[0]
        shape = (m,) if x.ndim == 1 else (*x.shape[:-2], m, x.shape[-1])
        check_output("out", out, shape, dtype)
        written = np.asarray(out)
        ready = x.size and x.ndim <= 2 and x.dtype == self.dtype == dtype
        ready = ready and x.flags.carray and written.flags.carray
        if ready and not np.may_share_memory(x, written):
            self._run(dtype, x, written)
        else:
            written[...] = self._multiplied(x)
        return out

    def _takes(self, out, x):
        """Return whether a kernel can write the product with x to `out` as it is."""
        if type(out) is not ndarray or out.dtype is not self.dtype:
            return False
        m, n = self.shape
        shape = x.shape if m == n else (m, *x.shape[1:])
        if out.shape != shape or not out.flags.carray or x is out:
            return False
        owned = x.base is None and out.base is None  # then they share no memory
        return owned or not np.may_share_memory(x, out)

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
        if x.flags.c_contiguous:
            return self._ready(dtype, x.shape)(x, out)
        return self._program(dtype, x.shape[1]).run(x, out)

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

    def _apply(self, x: np.ndarray) -> np.ndarray:
        if x.flags.f_contiguous and x.dtype == self.dtype and x.flags.behaved:
            if x.ndim == 2 and x.size:
                return self._run(self.dtype, x)  # programs take both orders
        return super()._apply(x)

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
        self._adjoints: dict[str, Any] = {}
        self._programs: dict[tuple[np.dtype, int], Program] = {}
        self._packed: dict[tuple[np.dtype, plans.Step], Call] = {}
        # Functions that multiply arrays of some shapes, in the dtype of the values, and
        # in other dtypes and strides: products look here first, because further checks
        # would double the time of a small one.
        self._quick: dict[tuple[int, ...], Callable] = {}
        self._converting: dict[tuple[str, tuple[int, ...]], Callable] = {}


def single_column(vector: Callable, rows: int, dtype: np.dtype) -> Callable:
    """Return the function (x, out=None) for (n, 1) that multiplies it as a vector."""

    def multiply(x, out=None):
        if out is None:
            out = np.empty((rows, 1), dtype)
        vector(x.reshape(-1), out.reshape(-1))
        return out

    return multiply


def keep(known: dict, key: Any, call: Callable) -> None:
    """Keep a function for products of a shape, and forget all where they are many."""
    if len(known) >= SHAPES:
        known.clear()
    known[key] = call
