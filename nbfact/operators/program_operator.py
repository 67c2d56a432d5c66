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
from .program import Program

TYPICAL_BATCH = 16
"""Number of columns for which the plan of products with several columns is chosen, as
one plan serves all of them."""


class ProgramOperator(FastOperator):
    """Base class of `Butterfly`: products by programs that are packed when first used.

    A subclass sets the attributes below and calls ``_forget`` in its constructor. One
    program multiplies vectors and another one several columns, for each dtype.

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
    _made: tuple[str, ...] = ("_adjoints", "_programs", "_quick")

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
        if out is None:
            ready = 1 in self._quick and self._own(x, 1)
            return self._quick[1](x) if ready else self._product(x, "x")
        if 1 in self._quick and self._own(x, 1) and self._own(out, 0) and x is not out:
            return self._quick[1](x, out)
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

    def _own(self, x, axis):
        """Return whether x is a vector that a kernel takes as it is.

        It has the dtype of the operator and the size of one of its axes, and owns its
        memory, so that two of them share none.
        """
        return (
            type(x) is ndarray
            and x.dtype is self.dtype
            and x.shape == (self.shape[axis],)
            and x.base is None
            and x.flags.carray
        )

    def _run(
        self,
        dtype: np.dtype,
        x: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Multiply x, (n,) or (n, batch), of the dtype and not empty."""
        vector = x.ndim == 1 or x.shape[1] == 1
        shape = (self.shape[0], *x.shape[1:])
        if vector:
            x, out = x.reshape(-1), None if out is None else out.reshape(-1)
        return self._program(dtype, vector).run(x, out).reshape(shape)

    def _program(self, dtype, vector):
        """Return the program for a vector, or for several columns, packed only once."""
        key = dtype, vector
        if key not in self._programs:
            plan = plans.best(self.chain, dtype, 1 if vector else TYPICAL_BATCH)
            program = Program(self.values, plan, dtype, self.rows, self.columns)
            self._programs[key] = program
            if dtype == self.dtype:
                run = program.for_vectors() if vector else program.run
                self._quick[1 if vector else 2] = run if vector else self._several(run)
        return self._programs[key]

    def _several(self, run):
        """Return a function that multiplies columns by a program.

        It multiplies a single one as a vector, whatever was multiplied before, because
        the two programs round differently.
        """

        def multiply(x):
            return run(x) if x.shape[1] != 1 else self._run(self.dtype, x)

        return multiply

    def _forget(self) -> None:
        """Start without the programs and the adjoints that are made when first used."""
        self._adjoints: dict[str, Any] = {}
        self._programs: dict[tuple[np.dtype, bool], Program] = {}
        # The same programs in the dtype of the values, by the dimensions of x: products
        # look here first, because further checks would double the time of a small one.
        self._quick: dict[int, Callable] = {}
