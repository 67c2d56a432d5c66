"""Programs: a plan with the values of a butterfly packed for its kernels."""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numba
import numpy as np

from ..kernels import (
    butterfly_adjoint,
    butterfly_adjoint_columns,
    butterfly_apply,
    butterfly_apply_columns,
    butterfly_pack,
    gather,
    gather_rows,
    kronecker_chain_apply,
    kronecker_chain_apply_columns,
    kronecker_chain_apply_columns_parallel,
    kronecker_pack,
    shuffled_chain_adjoint,
    shuffled_chain_apply,
    shuffled_pack,
)
from .patterns import fused_values, groups, shape_of
from .plan import INCREASING, KRONECKER, SHUFFLED, TURNED, Plan, Step
from .reorderings import inverse

TILE_BYTES = 1 << 18
"""Of each of the two buffers that a tile of columns goes through."""


class Call(NamedTuple):
    """A step made ready: functions of (x, out=None) and of (x, out, parallel).

    The first, for one vector, makes its own out and returns it: a product of order 256
    takes a microsecond, as long as some lines of Python.
    """

    rows: int
    vector: Callable
    columns: Callable


TEAM = threading.Lock()
"""Held by whoever runs a parallel kernel: Numba's "workqueue", its threads where
neither TBB nor OpenMP is installed, ends the process when two callers meet in it."""


class Program:
    """Multiplies by the values of a chain, step by step.

    Parameters
    ----------
    values : sequence of ndarray
        Of the chain.
    plan : Plan
    dtype : dtype
        Of what is multiplied; values are converted.
    rows, columns : ndarray of intp, optional
        As in `Butterfly`.
    """

    def __init__(
        self,
        values: Sequence[np.ndarray],
        plan: Plan,
        dtype: np.dtype,
        rows: np.ndarray | None = None,
        columns: np.ndarray | None = None,
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.calls = [_packed(values, step, self.dtype) for step in reversed(plan)]
        if columns is not None:
            self.calls.insert(0, _gathering(columns, self.dtype))
        if rows is not None:
            self.calls.append(_gathering(inverse(rows), self.dtype))

    def run(
        self, x: np.ndarray, out: np.ndarray | None = None, parallel: bool = False
    ) -> np.ndarray:
        """Return the product with x: (n,) or (n, batch) of the dtype, C-contiguous.

        out, when given, is of the right shape and dtype and C-contiguous, and shares no
        memory with x. parallel: whether chains, which alone gain by it, multiply tiles
        of columns on several threads.
        """
        if x.size == 0:  # no column
            return np.empty((self.calls[-1].rows, x.shape[1]), self.dtype)
        *others, last = self.calls
        for call in others:
            x = self._made(call, x, None, parallel)
        return self._made(last, x, out, parallel)

    def _made(self, call, x, out, parallel):
        """Make one step, into an array of its own unless `out` is given."""
        if x.ndim == 1:
            return call.vector(x, out)
        if out is None:
            out = np.empty((call.rows, x.shape[1]), self.dtype)
        call.columns(x, out, parallel)
        return out

    def for_vectors(self) -> Callable:
        """Return `run` for vectors, at the least cost of Python."""
        return self.run if len(self.calls) > 1 else self.calls[0].vector


def _gathering(index: np.ndarray, dtype: np.dtype) -> Call:
    """Return the step that puts rows in order."""

    def vector(x, out=None):
        out = np.empty(len(index), dtype) if out is None else out
        gather(x, index, out)
        return out

    return Call(len(index), vector, lambda x, out, _: gather_rows(x, index, out))


def _packed(values: Sequence[np.ndarray], step: Step, dtype: np.dtype) -> Call:
    """Return a step made ready."""
    chosen = values[step.start : step.stop]
    rows = shape_of(chosen[0].shape)[0]
    pack = _PACKERS.get(step.kind, _pack_dyadic)
    return Call(rows, *pack(chosen, step, dtype))


def _for_vectors(kernel, arguments, rows, shape, dtype):
    """Return the function of (x, out=None) for kernel(*arguments, x, scratch, out)."""
    idle, empty = [], np.empty  # work arrays that no thread has in use

    def vector(x, out=None):
        if out is None:
            out = empty(rows, dtype)
        try:
            scratch = idle.pop()
        except IndexError:
            scratch = empty(shape, dtype)
        kernel(*arguments, x, scratch, out)
        idle.append(scratch)
        return out

    return vector


def _pack_dyadic(values, step, dtype):
    """Pack a whole dyadic butterfly.

    The kernels apply stride 1 first; the one that applies it last is the adjoint of one
    with blocks transposed, and conjugated.
    """
    increasing = step.kind == INCREASING
    levels = [value.transpose(0, 3, 1, 2).reshape(-1, 2, 2) for value in values]
    if increasing:
        levels = levels[::-1]
    else:
        levels = [np.conj(level.transpose(0, 2, 1)) for level in levels]
    n = 2 * len(levels[0])
    twiddle = np.empty((len(levels), 2, 2, n // 2), dtype)
    butterfly_pack(np.array(levels, dtype), twiddle)
    one = butterfly_apply if increasing else butterfly_adjoint
    many = butterfly_apply_columns if increasing else butterfly_adjoint_columns
    vector = _for_vectors(one, (twiddle,), n, n, dtype)
    return vector, lambda x, out, _: many(twiddle, x, out)


def _pack_shuffled(values, step, dtype):
    """Pack a whole chain for one vector; the turned one is an adjoint, as above."""
    if step.kind == TURNED:
        factors = [np.conj(value.transpose(0, 2, 1, 3)) for value in values]
    else:
        factors = values[::-1]
    packed, layout, widest = _flat(factors, shuffled_pack, dtype)
    kernel = shuffled_chain_adjoint if step.kind == TURNED else shuffled_chain_apply
    rows = shape_of(values[0].shape)[0]
    return _for_vectors(kernel, (packed, layout), rows, (3, widest), dtype), None


def _flat(factors, pack, dtype):
    """Return packed values of all factors, their patterns, and the most rows of one."""
    layout = np.array([factor.shape for factor in factors], np.int64)
    widest = max(max(shape_of(factor.shape)) for factor in factors)
    packed = np.empty(sum(factor.size for factor in factors), dtype)
    first = 0
    for factor in factors:
        values = np.ascontiguousarray(factor, dtype)
        pack(values, packed[first : first + factor.size])
        first += factor.size
    return packed, layout, widest


def _pack_chain(values, step, dtype):
    """Multiply out the groups of a step, and pack what comes of it."""
    ends = list(groups(len(values), step.sizes))[::-1]
    factors = [functools.reduce(fused_values, values[i:j]) for i, j in ends]
    packed, layout, widest = _flat(factors, kronecker_pack, dtype)
    tile = max(16, TILE_BYTES // (widest * dtype.itemsize))
    rows, work = shape_of(values[0].shape)[0], (2, widest)
    vector = _for_vectors(kronecker_chain_apply, (packed, layout), rows, work, dtype)

    def columns(x, out, parallel):
        width = min(tile, x.shape[1])
        count = -(-x.shape[1] // width)
        count = min(numba.get_num_threads(), count) if parallel else 1
        scratch = np.empty((count, 2, widest, width), dtype)
        if count == 1:
            kronecker_chain_apply_columns(packed, layout, x, scratch[0], out)
        else:
            with TEAM:
                kronecker_chain_apply_columns_parallel(packed, layout, x, scratch, out)

    return vector, columns


_PACKERS = {
    KRONECKER: _pack_chain,
    SHUFFLED: _pack_shuffled,
    TURNED: _pack_shuffled,
}
