"""Programs: a plan together with the values of a butterfly, packed for the kernels."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._core.threads import current, share, shared_from
from ..kernels import (
    blocks_apply,
    butterfly_pack,
    gather,
    gather_rows,
    kronecker_chain_apply,
    kronecker_chain_apply_columns,
    kronecker_pack,
    shuffled_chain_adjoint,
    shuffled_chain_apply,
    shuffled_pack,
    transpose,
)
from ..kernels.blocks import WIDTH
from ..kernels.dyadic import multiply_vector, multiply_vector_adjoint
from ..kernels.dyadic_columns import multiply_column_range
from ..kernels.entry_points import entry_point
from ..kernels.kronecker_columns import multiply_chain_tiles
from ..kernels.vectors import BYTES
from .patterns import fused_values, groups, shape_of
from .plan import BLOCKS, INCREASING, KRONECKER, SHUFFLED, TURNED, Plan, Step
from .reorderings import inverse

TILE_BYTES = 1 << 18
"""Size of each of the two buffers that a tile of columns goes through, in bytes: small
enough for the tile to stay in cache from factor to factor."""

ALIASED, SHORT = 4096, 128
"""Rows of x that are a multiple of `ALIASED` bytes apart compete for the same lines of
the cache. BLAS, which reads small matrices in place, then takes up to three times as
long, unless rows are longer than `SHORT` bytes."""

IN_PLACE = 64
"""Number of rows of x from which on BLAS reads and writes rows in place: fewer are
turned to columns, and the product back, because BLAS has faster kernels for few columns
(16 of 64 blocks of 64 x 64, float32: 57 GFLOP/s against 28)."""

KEPT_BYTES = 1 << 24
"""Limit of the arrays between the steps that a program keeps for its next call, in
bytes: new memory costs as much as a step, because the system clears it first."""


SHARED = 8
"""Number by which the work of a dyadic butterfly and columns is divided before it is
shared among threads: it is bound by memory, which two cores read hardly faster than
one. On cores of their own two halves of 1024 x 256 float64 take as long together as the
whole, those of 1024 x 1024 two thirds."""


class Call(NamedTuple):
    """A step of a plan with its values packed, as two functions that multiply.

    ``vector(x, out=None)`` multiplies one vector and returns `out`, which it allocates
    when it is None: a product of order 256 takes a microsecond, as long as a few lines
    of Python. ``columns(x, out)`` multiplies several columns into `out`, on threads if
    there are many; kinds of steps for one vector only have None in its place. ``rows``
    is the number of rows of `out`. ``any_order`` says that `columns` takes x and out in
    Fortran order too, each by itself. ``prepared(batch)``, where there is one, returns
    `columns` for that many, with the least work in Python, as (x, out=None).
    """

    rows: int
    vector: Callable
    columns: Any  # a function, or None
    any_order: bool = False
    prepared: Any = None  # a function, or None


class Program:
    """Multiply by the factors of a butterfly, step by step of a plan.

    Parameters
    ----------
    values : sequence of ndarray
        Values of the factors, in the order of the chain.
    plan : Plan
        Plan for that chain.
    dtype : numpy.dtype
        Dtype of the vectors to multiply, to which the values are converted.
    rows, columns : ndarray of intp, optional
        The permutations of `Butterfly`.
    packed : dict, optional
        Calls of other programs for the same values, by dtype and step: they are used
        again, and new ones are added, so that no values are packed twice.
    """

    def __init__(
        self,
        values: Sequence[np.ndarray],
        plan: Plan,
        dtype: np.dtype,
        rows: np.ndarray | None = None,
        columns: np.ndarray | None = None,
        packed: dict[tuple[np.dtype, Step], Call] | None = None,
    ) -> None:
        self.dtype = np.dtype(dtype)
        packed = {} if packed is None else packed
        self.calls = []
        for step in reversed(plan):
            key = self.dtype, step
            if key not in packed:
                packed[key] = _packed(values, step, self.dtype)
            self.calls.append(packed[key])
        self._idle: list[np.ndarray] = []  # arrays that no thread is using
        if columns is not None:
            self.calls.insert(0, _gathering(columns, self.dtype))
        if rows is not None:
            self.calls.append(_gathering(inverse(rows), self.dtype))

    def run(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the product with a vector or several columns, unchecked.

        Parameters
        ----------
        x : ndarray, shape (n,) or (n, batch)
            Of the dtype of the program, C-contiguous, or Fortran-contiguous where
            `takes_rows`.
        out : ndarray, shape (m,) or (m, batch), optional
            Array for the product: of the dtype of the program, C-contiguous, sharing no
            memory with x. Without it the product is laid out as x is.
        """
        if x.size == 0:  # no column
            return np.empty((self.calls[-1].rows, x.shape[1]), self.dtype)
        *others, last = self.calls
        if x.ndim == 1:
            for call in others:
                x = call.vector(x)
            return last.vector(x, out)
        batch, turned = x.shape[1], not x.flags.c_contiguous
        if turned and not self.calls[0].any_order:
            x = _turned(x.T).T  # now in C order
        scratch = self._scratch(batch)
        for number, call in enumerate(others):
            target = scratch[number % 2][: call.rows * batch].reshape(-1, batch)
            call.columns(x, target)
            x = target
        direct = turned and last.any_order
        if direct:
            out = np.empty((batch, last.rows), self.dtype).T
        elif out is None:
            out = np.empty((last.rows, batch), self.dtype)
        last.columns(x, out)
        if others and scratch.nbytes <= KEPT_BYTES:
            self._idle.append(scratch)
        return _turned(out) if turned and not direct else out

    def takes_rows(self, batch: int) -> bool:
        """Return whether `run` is to be given columns in Fortran order as they are.

        Other programs take fewer rows at a time, turned to columns.
        """
        ends = self.calls[0], self.calls[-1]
        return batch >= IN_PLACE and any(call.any_order for call in ends)

    def _scratch(self, batch):
        """Return two flat arrays (2, size) that hold what goes from step to step."""
        size = batch * max((call.rows for call in self.calls[:-1]), default=0)
        try:
            scratch = self._idle.pop()
        except IndexError:
            scratch = np.empty((2, 0), self.dtype)
        if scratch.shape[1] < size:
            scratch = np.empty((2, size), self.dtype)
        return scratch

    def for_vectors(self) -> Callable:
        """Return a function (x, out=None) that does what `run` does for one vector.

        It does so with the least work in Python.
        """
        return self.run if len(self.calls) > 1 else self.calls[0].vector

    def for_columns(self, shape: tuple[int, int]) -> Callable:
        """Return what `for_vectors` does for C-contiguous columns of a shape."""
        if len(self.calls) > 1 or not shape[1]:
            return self.run
        call, dtype = self.calls[0], self.dtype
        if call.prepared is not None:
            return call.prepared(shape[1])
        columns, shape, empty = call.columns, (call.rows, shape[1]), np.empty
        assert columns is not None  # a plan for columns has only steps for them

        def multiply(x, out=None):
            if out is None:
                out = empty(shape, dtype)
            columns(x, out)
            return out

        return multiply


def _turned(x: np.ndarray) -> np.ndarray:
    """Return a matrix in C order as the same matrix in Fortran order, by a kernel."""
    out = np.empty(x.shape[::-1], x.dtype)
    transpose(x, out)
    return out.T


def _gathering(index: np.ndarray, dtype: np.dtype) -> Call:
    """Return the call that gathers the rows of x with some indices."""
    # A copy, because a kernel would be compiled again for read-only arrays.
    index = np.array(index)

    def vector(x, out=None):
        out = np.empty(len(index), dtype) if out is None else out
        gather(x, index, out)
        return out

    def columns(x, out):
        if x.shape[1] < wide:
            gather_rows(x, index, out)
        else:
            rows, work = len(index), x.shape[1] * dtype.itemsize
            share(work, rows, lambda i, j: gather_rows(x, index[i:j], out[i:j]), 1)

    wide = shared_from(len(index) * dtype.itemsize)
    return Call(len(index), vector, columns)


def _packed(values: Sequence[np.ndarray], step: Step, dtype: np.dtype) -> Call:
    """Return a step of a plan as a call, with its values packed."""
    chosen = values[step.start : step.stop]
    rows = shape_of(chosen[0].shape)[0]
    pack = _PACKERS.get(step.kind, _pack_dyadic)
    return Call(rows, *pack(chosen, step, dtype))


def _for_vectors(kernel, arguments, rows, shape, dtype):
    """Return the function (x, out=None) that calls a kernel for one vector.

    The kernel is called as ``kernel(*arguments, x, scratch, out)``. The scratch arrays,
    of the given shape, are kept for the next call.
    """
    idle: list[np.ndarray] = []  # scratch arrays that no thread is using
    empty, multiply = np.empty, None

    def vector(x, out=None):
        nonlocal multiply
        if out is None:
            out = empty(rows, dtype)
        try:
            scratch = idle.pop()
        except IndexError:
            scratch = empty(shape, dtype)
            if multiply is None:
                some = empty(0, dtype)
                compiled = entry_point(kernel, *arguments, some, scratch, some)
                multiply = functools.partial(compiled, *arguments)
        multiply(x, scratch, out)
        idle.append(scratch)
        return out

    return vector


def _dyadic_vector(kernel, blocks, increasing):
    """Return the function (x, out=None) that multiplies a vector by a butterfly."""
    n, dtype = 2 * blocks.shape[1], blocks.dtype
    idle: list[np.ndarray] = []  # scratch entries and twiddles that no thread is using
    empty, multiply = np.empty, None

    def vector(x, out=None):
        nonlocal multiply
        if out is None:
            out = empty(n, dtype)
        try:
            work = idle.pop()
        except IndexError:
            turned = blocks if increasing else np.conj(blocks.transpose(0, 1, 3, 2))
            work = _aligned(n + blocks.size, dtype)
            twiddle = work[n:].reshape(len(blocks), 2, 2, n // 2)
            butterfly_pack(np.ascontiguousarray(turned), twiddle)
            multiply = entry_point(kernel, work, work, work)
        multiply(work, x, out)
        idle.append(work)
        return out

    return vector


def _aligned(size, dtype):
    """Return a new array whose memory begins where a line of the cache does."""
    memory = np.empty(size * dtype.itemsize + BYTES, np.uint8)
    start = -memory.ctypes.data % BYTES
    return memory[start : start + size * dtype.itemsize].view(dtype)


def _pack_dyadic(values, step, dtype):
    """Return the functions of `Call` for a whole dyadic butterfly.

    The kernels apply stride 1 first. A butterfly that applies stride 1 last is the
    adjoint of one that applies it first, with its blocks transposed and conjugated.
    """
    increasing = step.kind == INCREASING
    levels = [value.transpose(0, 3, 1, 2).reshape(-1, 2, 2) for value in values]
    levels = levels[::-1] if increasing else levels
    n, blocks = 2 * len(levels[0]), np.array(levels, dtype)
    one = multiply_vector if increasing else multiply_vector_adjoint
    last, multiply = 0 if increasing else 1, None
    work = blocks.nbytes / SHARED
    wide = n * shared_from(work)

    def compiled():
        nonlocal multiply
        if multiply is None:
            some = np.empty((0, 0), dtype)
            found = entry_point(multiply_column_range, blocks, some, some, 0, 0, 0)
            multiply = functools.partial(found, blocks)
        return multiply

    def columns(x, out):
        multiply = compiled()
        if x.size < wide:
            multiply(x, out, 0, x.shape[1], last)
        else:
            share(work, x.shape[1], lambda i, j: multiply(x, out, i, j, last))

    def prepared(batch):
        multiply, shape, empty = compiled(), (n, batch), np.empty

        def few(x, out=None):
            if out is None:
                out = empty(shape, dtype)
            multiply(x, out, 0, batch, last)
            return out

        def many(x, out=None):
            out = empty(shape, dtype) if out is None else out
            columns(x, out)
            return out

        return few if n * batch < wide else many

    return _dyadic_vector(one, blocks, increasing), columns, False, prepared


def _pack_shuffled(values, step, dtype):
    """Return the function of `Call` for a whole chain and one vector, and None.

    A step of kind "turned" is the adjoint of a chain with blocks transposed and
    conjugated.
    """
    if step.kind == TURNED:
        factors = [np.conj(value.transpose(0, 2, 1, 3)) for value in values]
    else:
        factors = values[::-1]
    packed, layout, widest = _flat(factors, shuffled_pack, dtype)
    kernel = shuffled_chain_adjoint if step.kind == TURNED else shuffled_chain_apply
    rows = shape_of(values[0].shape)[0]
    return _for_vectors(kernel, (packed, layout), rows, (3, widest), dtype), None


def _flat(factors, pack, dtype):
    """Return the packed values of all factors, their patterns, and the widest size.

    That size is the largest number of rows or columns of a factor.
    """
    layout = np.array([factor.shape for factor in factors], np.int64)
    widest = max(max(shape_of(factor.shape)) for factor in factors)
    packed = np.empty(sum(factor.size for factor in factors), dtype)
    first = 0
    for factor in factors:
        # A copy, because a kernel would be compiled again for read-only arrays.
        values = np.array(factor, dtype, order="C")
        pack(values, packed[first : first + factor.size])
        first += factor.size
    return packed, layout, widest


def _pack_chain(values, step, dtype):
    """Return the two functions of `Call` for the fused groups of factors of a step."""
    ends = list(groups(len(values), step.sizes))[::-1]
    factors = [functools.reduce(fused_values, values[i:j]) for i, j in ends]
    packed, layout, widest = _flat(factors, kronecker_pack, dtype)
    tile = max(16, TILE_BYTES // (widest * dtype.itemsize))
    rows, shape = shape_of(values[0].shape)[0], (2, widest)
    vector = _for_vectors(kronecker_chain_apply, (packed, layout), rows, shape, dtype)

    def all_of(x, out):
        if len(layout) == 1:  # from x to out at once, without tiles between factors
            scratch = np.empty((2, 0, x.shape[1]), dtype)
        else:
            scratch = np.empty((2, widest, min(tile, x.shape[1])), dtype)
        kronecker_chain_apply_columns(packed, layout, x, scratch, out)

    def shared(x, out):
        def multiply(begin, end):
            if end - begin == x.shape[1]:
                all_of(x, out)
            else:
                multiply_chain_tiles(packed, layout, x, spare.pop(), out, begin, end)

        # Made here, because new memory is slower in the threads that help.
        spare = [np.empty((2, widest, tile), dtype) for _ in range(current())]
        share(packed.nbytes, x.shape[1], multiply, tile)

    def columns(x, out):
        if x.shape[1] < wide:
            all_of(x, out)
        else:
            shared(x, out)

    wide = shared_from(packed.nbytes)
    return vector, columns


def _pack_blocks(values, step, dtype):
    """Return the two functions of `Call` for a factor with large blocks, and True.

    BLAS multiplies columns in place: entry k of block (i, m) is row (i, k, m) of x, so
    that the rows of a block have one distance in memory, which BLAS takes.
    """
    value = functools.reduce(fused_values, values)
    a, b, c, d = value.shape
    # Where d = 1 the values are in this order already, and are not copied.
    packed = np.ascontiguousarray(value.transpose(0, 3, 1, 2), dtype).view()
    packed.setflags(write=False)  # always, because a kernel is compiled for each case
    count, wide = max(a, d), shared_from(packed.nbytes)

    def columns(x, out):
        source, target = _by_blocks(x, a, c, d), _by_blocks(out, a, b, d)
        line = x.shape[1] * dtype.itemsize
        if d > 1 and line <= SHORT and d * line % ALIASED == 0:
            source = np.ascontiguousarray(source)

        def multiply(begin, end):
            part = slice(begin, end) if a >= d else (slice(None), slice(begin, end))
            with np.errstate(all="ignore"):
                np.matmul(packed[part], source[part], out=target[part])

        if x.shape[1] < wide:
            with np.errstate(all="ignore"):  # kernels do not warn of NaN either
                np.matmul(packed, source, out=target)
        else:  # the blocks are divided, because BLAS may round parts of x differently
            share(packed.nbytes * x.shape[1] / count, count, multiply, 1)

    if dtype.kind == "c":  # where BLAS is as fast as a kernel, which is not compiled

        def vector(x, out=None):
            out = np.empty(a * b * d, dtype) if out is None else out
            columns(x[:, None], out[:, None])
            return out

    else:
        shape = (2, min(d, WIDTH) * max(b, c) if d > 1 else 0)
        vector = _for_vectors(blocks_apply, (packed,), a * b * d, shape, dtype)
    return vector, columns, d == 1


def _by_blocks(x, a, c, d):
    """Return columns (a * c * d, batch) as a view (a, d, c, batch)."""
    if x.flags.c_contiguous:
        return x.reshape(a, c, d, -1).transpose(0, 2, 1, 3)
    return x.T.reshape(-1, a, c, d).transpose(1, 3, 2, 0)


_PACKERS = {
    BLOCKS: _pack_blocks,
    KRONECKER: _pack_chain,
    SHUFFLED: _pack_shuffled,
    TURNED: _pack_shuffled,
}
