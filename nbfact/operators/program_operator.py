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
        "_adjoints", "_packed", "_programs", "_quick", "_quick_columns"
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
        batch, shape = 1, (self.shape[0], *x.shape[1:])
        if x.ndim == 1 or x.shape[1] == 1:
            x, out = x.reshape(-1), None if out is None else out.reshape(-1)
        else:
            batch = x.shape[1]
        return self._program(dtype, batch).run(x, out).reshape(shape)

    def _apply(self, x: np.ndarray) -> np.ndarray:
        if x.flags.f_contiguous and x.dtype == self.dtype and x.flags.behaved:
            if x.ndim == 2 and x.size:
                return self._run(self.dtype, x)  # programs take both orders
        return super()._apply(x)

    def _program(self, dtype, batch):
        """Return the program for `batch` columns, packed only once."""
        planned = plans.columns_planned(batch)
        key = dtype, planned
        if key not in self._programs:
            plan = plans.best(self.chain, dtype, planned)
            program = Program(
                self.values, plan, dtype, self.rows, self.columns, self._packed
            )
            self._programs[key] = program
            if dtype == self.dtype:
                self._quicken(planned, program)
        return self._programs[key]

    def _quicken(self, planned, program):
        """Let products in the dtype of the operator find a program without checks."""
        if planned == 1:
            vector = self._quick[1] = program.for_vectors()
            # A single column goes the way of a vector, whatever was multiplied before,
            # because programs round differently.
            self._quick_columns[1] = lambda x: vector(x.reshape(-1)).reshape(-1, 1)
            return
        found = self._quick_columns
        for bits in range(planned.bit_length(), 64):
            if plans.columns_planned(1 << (bits - 1)) == planned:
                found[bits] = program.run
        if 2 not in self._quick:

            def columns(x):
                run = found.get(x.shape[1].bit_length())
                return self._run(self.dtype, x) if run is None else run(x)

            self._quick[2] = columns

    def _forget(self) -> None:
        """Start without the programs and the adjoints that are made when first used."""
        self._adjoints: dict[str, Any] = {}
        self._programs: dict[tuple[np.dtype, int], Program] = {}
        self._packed: dict[tuple[np.dtype, plans.Step], Call] = {}
        # The same programs in the dtype of the values, by the dimensions of x, and by
        # the number of bits of the number of columns: products look here first, because
        # further checks would double the time of a small one.
        self._quick: dict[int, Callable] = {}
        self._quick_columns: dict[int, Callable] = {}
