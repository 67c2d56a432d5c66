"""Vector instructions on tiles of points: transpose them, multiply them by sparse rows.

A tile holds `LANES` bytes of points for each of its rows, flat, one row after the
other. If these kernels were written as loops, LLVM would test at each row whether two
rows overlap, and would transpose entry by entry, which alone would take as long as ten
factors do.
"""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .panels import MANY
from .vectors import BYTES, INT32, VectorEmitter

VECTORS = 2
"""Number of vectors in a row of a tile. Two tiles of 1024 rows then take a quarter of a
megabyte, and stay in the second level of cache; with one vector, indices and loops
would take a larger share of the time."""

LANES = VECTORS * BYTES
"""Bytes of a row of a tile."""

POINTS = 16 if MANY else 8
"""Largest number of points that are transposed together, in as many registers. A vector
of that many fills a line of the cache, which is then written once."""

GROUP = 4
"""Number of entries of a sparse row that are added in one pass of a loop."""

ROWS = 8 if MANY else 2
"""Number of dense rows that are multiplied together, so that their sums stay in
registers: each vector of a tile is loaded once for all of them."""


class SparseEntries(NamedTuple):
    """The entries of sparse rows, and their columns, as unsigned integers."""

    data: np.ndarray
    indices: np.ndarray


class NearestSoFar(NamedTuple):
    """The smallest values of a tile of points, and the int32 labels of their rows.

    ``second`` holds the smallest values of all other rows.
    """

    best: np.ndarray
    labels: np.ndarray
    second: np.ndarray


class _Emitter(VectorEmitter):
    """The builder of the code for tiles of real numbers."""

    def __init__(self, context, builder, dtype):
        if not isinstance(dtype, types.Float):
            raise NumbaTypeError(f"entries of {dtype}; expected floats")
        super().__init__(context, builder, dtype)

    @contextlib.contextmanager
    def rows(self, pointers, first, count):
        """Emit a loop over rows; give the number of one, its first entry and its end.

        pointers: where the entries of rows begin; first: the place of that of row 0.
        """
        builder, intp = self.builder, first.type
        begin = cgutils.alloca_once(builder, intp)
        start = builder.load(builder.gep(pointers, [first]))
        builder.store(builder.zext(start, intp), begin)
        with cgutils.for_range(builder, count, intp=intp) as loop:
            place = builder.add(first, builder.add(loop.index, ir.Constant(intp, 1)))
            end = builder.zext(builder.load(builder.gep(pointers, [place])), intp)
            yield loop.index, builder.load(begin), end
            builder.store(end, begin)

    def fetch(self, data, place):
        """Emit the request to bring an entry into the second level of cache."""
        bytes_, int32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [bytes_, int32, int32, int32])
        function = cgutils.get_or_insert_function(
            self.builder.module, kind, "llvm.prefetch.p0i8"
        )
        pointer = self.builder.bitcast(self.builder.gep(data, [place]), bytes_)
        numbers = [ir.Constant(int32, number) for number in (0, 2, 1)]  # read, L2, data
        self.builder.call(function, [pointer, *numbers])

    def row(self, kinds, values):
        """Emit start plus the sum of data[t] * x[indices[t]], first <= t < last.

        kinds: the types of entries and x; values: entries, first, last, start and x.
        Entries are added `GROUP` at a time, and then the others.
        """
        builder = self.builder
        _, data = self.array(kinds[0], values[0], "data")
        _, indices = self.array(kinds[0], values[0], "indices")
        first, last, start = values[1:4]
        x = self.data(kinds[1], values[4])
        width = ir.Constant(first.type, VECTORS * self.size)
        start = self.spread(start)
        totals = [cgutils.alloca_once(builder, self.vector) for _ in range(VECTORS)]
        for total in totals:
            builder.store(start, total)

        group, one = (ir.Constant(first.type, count) for count in (GROUP, 1))

        def add(place, count):
            for entry in self.places(place, one, count):
                weight = self.number(data, entry)
                row = builder.load(builder.gep(indices, [entry]))
                row = builder.mul(builder.zext(row, first.type), width)
                for i, total in enumerate(totals):
                    value = self.load(x, row, i)
                    value = self.multiply_add(weight, value, builder.load(total))
                    builder.store(value, total)

        count = builder.sub(last, first)
        whole = builder.sub(last, builder.urem(count, group))
        short = builder.icmp_unsigned("==", count, group)
        with builder.if_else(short) as (then, otherwise):
            with then:  # the length of most rows needs no loop
                add(first, GROUP)
            with otherwise:
                loop, kind = cgutils.for_range_slice, first.type
                with loop(builder, first, whole, group, kind) as (t, _):
                    add(t, GROUP)
                with loop(builder, whole, last, one, kind) as (t, _):
                    add(t, 1)
        return [builder.load(total) for total in totals]

    def dense_rows(self, data, place, length, starts, x):
        """Emit `ROWS` starts plus the rows of a group times the tile x; see below.

        data, x: pointers; place: where the group begins; starts: numbers.
        """
        builder = self.builder
        step, width = (
            ir.Constant(place.type, count) for count in (ROWS, VECTORS * self.size)
        )
        totals = [
            [cgutils.alloca_once_value(builder, start) for _ in range(VECTORS)]
            for start in map(self.spread, starts)
        ]
        with cgutils.for_range(builder, length, intp=place.type) as loop:
            entry = builder.add(place, builder.mul(loop.index, step))
            column = builder.mul(loop.index, width)
            values = [self.load(x, column, i) for i in range(VECTORS)]
            for r, row in enumerate(totals):
                weight = self.number(data, entry, r)
                for value, total in zip(values, row, strict=True):
                    added = self.multiply_add(weight, value, builder.load(total))
                    builder.store(added, total)
        return [[builder.load(total) for total in row] for row in totals]

    def none_found(self):
        """Return registers of infinite values and of zero labels: `NearestSoFar`."""
        infinite = self.constant(float("inf"))
        none = ir.Constant(ir.VectorType(INT32, self.size), [0] * self.size)
        return {
            name: [
                cgutils.alloca_once_value(self.builder, start) for _ in range(VECTORS)
            ]
            for name, start in (
                ("best", infinite), ("second", infinite), ("labels", none)
            )
        }  # fmt: skip

    def compare(self, found, values, index):
        """Emit the comparison of the values of one row with those found before."""
        builder = self.builder
        label = self.spread(builder.trunc(index, INT32))
        for i, value in enumerate(values):
            best, second, labels = (
                found[name][i] for name in ("best", "second", "labels")
            )
            known, other = builder.load(best), builder.load(second)
            smaller = builder.fcmp_ordered("<", value, known)
            builder.store(builder.select(smaller, value, known), best)
            value = builder.select(smaller, known, value)
            closer = builder.fcmp_ordered("<", value, other)
            builder.store(builder.select(closer, value, other), second)
            kept = builder.select(smaller, label, builder.load(labels))
            builder.store(kept, labels)

    def keep(self, found, kind, nearest, zero):
        """Emit the stores of what was found to a `NearestSoFar`; zero: the place."""
        for name, registers in found.items():
            _, data = self.array(kind, nearest, name)
            for i, value in enumerate(map(self.builder.load, registers)):
                pointer = self.pointer(data, zero, value.type, i)
                self.builder.store(value, pointer, align=4)


def _dtype(entries):
    """Return the dtype of `SparseEntries`, as Numba types it."""
    return entries.types[entries.fields.index("data")].dtype


def _transpose_block(typingctx, x, start, stride, out, place, norms, lane):
    """Transpose the vectors of points: that of point i is at start + i * stride.

    There are `POINTS` points, or as many as a vector has entries. Each entry becomes
    part of a row of a tile, from `place` on, and the squared norms of the points are
    added to norms, from a lane on. x and out are flat, and must not overlap.
    """

    def generate(context, builder, signature, arguments):
        emit = _Emitter(context, builder, x.dtype)
        source, target = emit.data(x, arguments[0]), emit.data(out, arguments[3])
        start, stride, place = (arguments[i] for i in (1, 2, 4))
        step = ir.Constant(place.type, VECTORS * emit.size)
        columns = emit.places(place, step, emit.size)
        points = min(POINTS, emit.size)
        rows = emit.places(start, stride, points)
        values = emit.exchanged([emit.load(source, row) for row in rows])
        # Two sums, because each addition waits for the one before it.
        totals = [builder.fmul(value, value) for value in values[:2]]
        for i, value in enumerate(values[2:]):
            totals[i % 2] = emit.multiply_add(value, value, totals[i % 2])
        total, sums = builder.fadd(*totals), emit.data(norms, arguments[5])
        part = ir.VectorType(emit.real, points)
        pointer = emit.pointer(sums, arguments[6], part)
        known = builder.load(pointer, align=emit.item)
        for first in range(0, emit.size, points):
            lanes = range(first, first + points)
            for i, value in enumerate(values):
                entry = emit.pointer(target, columns[first + i], part)
                builder.store(emit.shuffle(value, lanes), entry, align=emit.item)
            known = builder.fadd(known, emit.shuffle(total, lanes))
        builder.store(known, pointer, align=emit.item)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(x, intp, intp, out, intp, norms, intp), generate


def _multiply_rows(typingctx, entries, indptr, first, count, x, out, ahead):
    """Write some sparse rows times the tile x to the first rows of out.

    There are `count` rows, and the entries of row i are those from indptr at first + i
    on. ahead: an array, a place and a step. Meanwhile the processor is asked to fetch
    the array from that place on, and with each row `step` entries further.
    """

    def generate(context, builder, signature, arguments):
        emit = _Emitter(context, builder, _dtype(entries))
        target, intp = emit.data(out, arguments[5]), arguments[2].type
        zero, width = ir.Constant(emit.real, 0), ir.Constant(intp, VECTORS * emit.size)
        pointers = emit.data(indptr, arguments[1])
        points, origin, step = cgutils.unpack_tuple(builder, arguments[6])
        points = emit.data(ahead[0], points)
        with emit.rows(pointers, arguments[2], arguments[3]) as (index, begin, end):
            emit.fetch(points, builder.add(origin, builder.mul(index, step)))
            row = (arguments[0], begin, end, zero, arguments[4])
            place = builder.mul(index, width)
            for i, value in enumerate(emit.row((entries, x), row)):
                emit.store(value, target, place, i)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(entries, indptr, intp, intp, x, out, ahead), generate


def _compare_rows(typingctx, entries, indptr, first, bias, x, nearest):
    """Find the two smallest of bias[i] plus sparse row i times the tile x.

    There are as many rows as in bias, and the entries of row i are those from indptr at
    first + i on. nearest: a `NearestSoFar`, one row of a tile each; overwritten. The
    numbers of rows are its labels.
    """
    dtype = _dtype(entries)

    def generate(context, builder, signature, arguments):
        emit = _Emitter(context, builder, dtype)
        pointers, biases = (
            emit.data(indptr, arguments[1]),
            emit.data(bias, arguments[3]),
        )
        length = context.make_array(bias)(context, builder, arguments[3]).nitems
        found = emit.none_found()
        with emit.rows(pointers, arguments[2], length) as (index, begin, end):
            start = builder.load(builder.gep(biases, [index]))
            row = (arguments[0], begin, end, start, arguments[4])
            emit.compare(found, emit.row((entries, x), row), index)
        zero = ir.Constant(arguments[2].type, 0)
        emit.keep(found, nearest, arguments[5], zero)
        return context.get_dummy_value()

    return types.void(entries, indptr, types.intp, bias, x, nearest), generate


def _compare_dense(typingctx, data, length, bias, x, nearest):
    """Find the two smallest of bias[i] plus dense row i times the tile x.

    There are as many rows as in bias, a multiple of `ROWS`. The entries of `ROWS` rows
    for one column follow one another, and then come those for the next column, of
    `length` ones. data, x: flat; nearest: see `_compare_rows`.
    """

    def generate(context, builder, signature, arguments):
        emit = _Emitter(context, builder, data.dtype)
        values, biases, points = (
            emit.data(kind, arguments[i]) for kind, i in ((data, 0), (bias, 2), (x, 3))
        )
        count = context.make_array(bias)(context, builder, arguments[2]).nitems
        length = arguments[1]
        step, zero = ir.Constant(length.type, ROWS), ir.Constant(length.type, 0)
        one, found = ir.Constant(length.type, 1), emit.none_found()
        slices = builder, zero, count, step, length.type
        with cgutils.for_range_slice(*slices) as (first, _):
            indices = emit.places(first, one, ROWS)
            starts = [builder.load(builder.gep(biases, [i])) for i in indices]
            place = builder.mul(first, length)
            rows = emit.dense_rows(values, place, length, starts, points)
            for index, row in zip(indices, rows, strict=True):
                emit.compare(found, row, index)
        emit.keep(found, nearest, arguments[4], zero)
        return context.get_dummy_value()

    return types.void(data, types.intp, bias, x, nearest), generate


def _transpose_interpreted(x, start, stride, out, place, norms, lane):
    """Do the same as `_transpose_block` in NumPy, where nothing is compiled."""
    size = BYTES // x.itemsize
    columns, points = np.arange(size)[:, None], np.arange(min(POINTS, size))
    block = x[int(start) + int(stride) * points + columns]
    out[int(place) + VECTORS * size * columns + points] = block
    with np.errstate(over="ignore"):
        norms[int(lane) + points] += (block * block).sum(axis=0)


def _row_interpreted(entries, first, last, start, x):
    """Return the row of a tile that the next two functions write or compare."""
    width = LANES // entries.data.itemsize
    total = np.full(width, start, entries.data.dtype)
    for t in range(int(first), int(last)):
        place = int(entries.indices[t]) * width
        total += entries.data[t] * x[place : place + width]
    return total


def _multiply_interpreted(entries, indptr, first, count, x, out, ahead):
    """Do the same as `_multiply_rows` in NumPy, where nothing is compiled."""
    width = LANES // x.itemsize
    for i in range(int(count)):
        begin, end = indptr[first + i], indptr[first + i + 1]
        row = _row_interpreted(entries, begin, end, 0, x)
        out[i * width : (i + 1) * width] = row


def _compare_interpreted(entries, indptr, first, bias, x, nearest):
    """Do the same as `_compare_rows` in NumPy, where nothing is compiled."""
    nearest.best[:], nearest.second[:], nearest.labels[:] = np.inf, np.inf, 0
    for i, start in enumerate(bias):
        begin, end = indptr[first + i], indptr[first + i + 1]
        _compared(nearest, _row_interpreted(entries, begin, end, start, x), i)


def _compared(nearest, row, i):
    """Compare the values of row i with those found before."""
    smaller, known = row < nearest.best, nearest.best.copy()
    nearest.best[smaller], nearest.labels[smaller] = row[smaller], i
    np.fmin(nearest.second, np.where(smaller, known, row), out=nearest.second)


def _dense_interpreted(data, length, bias, x, nearest):
    """Do the same as `_compare_dense` in NumPy, where nothing is compiled."""
    nearest.best[:], nearest.second[:], nearest.labels[:] = np.inf, np.inf, 0
    tile = x.reshape(-1, nearest.best.size)[:length]
    groups = data.reshape(-1, length, ROWS).transpose(0, 2, 1).reshape(-1, length)
    for i, row in enumerate(groups):
        _compared(nearest, bias[i] + row @ tile, i)


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
transpose_block: Callable[..., Any]
multiply_rows: Callable[..., Any]
compare_rows: Callable[..., Any]
compare_dense: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    transpose_block = _transpose_interpreted
    multiply_rows = _multiply_interpreted
    compare_rows = _compare_interpreted
    compare_dense = _dense_interpreted
else:
    transpose_block = intrinsic(_transpose_block)
    multiply_rows = intrinsic(_multiply_rows)
    compare_rows = intrinsic(_compare_rows)
    compare_dense = intrinsic(_compare_dense)
