"""Vector instructions of products with sparse rows: entries of x, or rows of x.

`multiply_slice` multiplies `SLICE` rows of a sparse matrix by one vector, a lane for
each row, and `move_slice` moves as many entries of a vector. They gather entries by
plain loads, because the gather instructions of AMD's processors take longer.
`multiply_columns` multiplies one row by several columns, whose sums stay in registers
until they are complete.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, INT32, VectorEmitter

SLICE = 16
"""Number of rows of a slice. Eight rows are 10 % slower with two entries a row, because
loops are shorter, and 32 rows are no faster with four or more."""

WORD = ir.IntType(64)
"""The type in which indices are loaded, several at a time, because the number of loads
limits the speed of a gather."""


class Entries(NamedTuple):
    """The entries of sparse rows, and their columns, as unsigned integers."""

    data: np.ndarray
    indices: np.ndarray


def _multiply_slice(typingctx, entries, begin, end, scale, x, out, place):
    """Write scale * S @ x to out from a place on, for the `SLICE` rows of a slice S.

    S is `Entries` from begin to end - 1, `SLICE` first entries of rows, then their
    second ones, and so on. scale is real; x and out are C-contiguous vectors.
    """
    dtype = x.dtype

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, dtype, SLICE)
        _, data = emit.array(entries, arguments[0], "data")
        kind, indices = emit.array(entries, arguments[0], "indices")
        bits, weights = kind.dtype.bitwidth, emit.reals(data)
        source, target = (
            emit.data(x, arguments[4]),
            emit.reals(emit.data(out, arguments[5])),
        )
        totals, step = emit.totals(), ir.Constant(arguments[1].type, SLICE)
        parts = ir.Constant(step.type, emit.parts)
        with cgutils.for_range_slice(
            builder, arguments[1], arguments[2], step, step.type
        ) as (t, _):
            found = _gathered(emit, source, _loaded(builder, indices, t, bits))
            weight = emit.load(weights, builder.mul(t, parts))
            emit.add_products(_parts(emit, weight), found, totals)
        value = builder.fmul(emit.sum_of_parts(totals), emit.spread(arguments[3]))
        emit.store(value, target, builder.mul(arguments[6], parts))
        return context.get_dummy_value()

    intp, real = types.intp, getattr(dtype, "underlying_float", dtype)
    return types.void(entries, intp, intp, real, x, out, intp), generate


def _move_slice(typingctx, indices, begin, x, out, place):
    """Write `SLICE` entries of x, named by indices from `begin` on, to a place of out.

    indices: unsigned; x and out: C-contiguous vectors of one dtype.
    """

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, x.dtype, SLICE)
        numbers = emit.data(indices, arguments[0])
        source, target = emit.data(x, arguments[2]), emit.data(out, arguments[3])
        numbers = _loaded(builder, numbers, arguments[1], indices.dtype.bitwidth)
        place = builder.mul(arguments[4], ir.Constant(arguments[4].type, emit.parts))
        emit.store(_gathered(emit, source, numbers), emit.reals(target), place)
        return context.get_dummy_value()

    return types.void(indices, types.intp, x, out, types.intp), generate


def _loaded(builder, indices, place, bits):
    """Emit the loads of `SLICE` indices of some bits each; return them as words."""
    per, found = 64 // bits, []
    mask = ir.Constant(WORD, 2**bits - 1)
    order = range(per) if sys.byteorder == "little" else range(per)[::-1]
    for first in range(0, SLICE, per):
        pointer = builder.gep(
            indices, [builder.add(place, ir.Constant(place.type, first))]
        )
        pointer = builder.bitcast(pointer, WORD.as_pointer())
        word = builder.load(pointer, align=bits // 8)
        for part in order:
            value = builder.lshr(word, ir.Constant(WORD, part * bits)) if part else word
            found.append(builder.and_(value, mask) if part < per - 1 else value)
    return found


def _gathered(emit, source, indices):
    """Emit the loads of the entries of x with some indices; return them as a vector."""
    builder = emit.builder
    if emit.parts * emit.item <= 8:  # an entry is one number for the processor
        kind = emit.real if emit.parts == 1 else ir.DoubleType()
        source = builder.bitcast(source, kind.as_pointer())
        found = ir.Constant(ir.VectorType(kind, SLICE), ir.Undefined)
        for lane, index in enumerate(indices):
            entry = builder.load(builder.gep(source, [index]), align=emit.item)
            found = builder.insert_element(found, entry, ir.Constant(INT32, lane))
        return builder.bitcast(found, emit.vector)
    kind = ir.VectorType(emit.real, emit.parts)
    source = builder.bitcast(source, kind.as_pointer())
    parts = [
        builder.load(builder.gep(source, [index]), align=emit.item) for index in indices
    ]
    while len(parts) > 1:
        lanes = range(2 * parts[0].type.count)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [emit.shuffle(a, lanes, b) for a, b in pairs]
    return parts[0]


def _parts(emit, weight):
    """Return weights as a vector for each part of a number, that part in each lane."""
    lanes = range(emit.size)
    if emit.parts == 1:
        return [weight]
    return [
        emit.shuffle(weight, [(lane & ~1) + part for lane in lanes]) for part in (0, 1)
    ]


def _multiply_columns(typingctx, entries, span, scale, x, out, places, size):
    """Write scale times a sparse row times some columns of x to the same ones of out.

    span: the first of its `Entries`, and the one after the last; scale is real. x and
    out: flat arrays; places: where the columns of row 0 of x begin, the distance to row
    1, and where this row of out begins. size: a literal, how many bytes of columns are
    multiplied, as one vector or as several ones of `BYTES` bytes.
    """

    def generate(context, builder, signature, arguments):
        count, item = max(size.literal_value // BYTES, 1), x.dtype.bitwidth // 8
        emit = VectorEmitter(
            context, builder, x.dtype, size.literal_value // item // count
        )
        _, data = emit.array(entries, arguments[0], "data")
        _, indices = emit.array(entries, arguments[0], "indices")
        source, target = emit.data(x, arguments[3]), emit.data(out, arguments[4])
        data, source, target = (emit.reals(each) for each in (data, source, target))
        begin, end = cgutils.unpack_tuple(builder, arguments[1])
        first, stride, place = cgutils.unpack_tuple(builder, arguments[5])
        one, parts = ir.Constant(place.type, 1), ir.Constant(place.type, emit.parts)
        totals = [emit.totals() for _ in range(count)]
        with cgutils.for_range_slice(builder, begin, end, one, one.type) as (t, _):
            row = builder.zext(builder.load(builder.gep(indices, [t])), stride.type)
            row = builder.add(builder.mul(row, stride), first)
            row, entry = builder.mul(row, parts), builder.mul(t, parts)
            weights = [emit.number(data, entry, part) for part in range(emit.parts)]
            for index, total in enumerate(totals):
                emit.add_products(weights, emit.load(source, row, index), total)
        scale, place = emit.spread(arguments[2]), builder.mul(place, parts)
        for index, total in enumerate(totals):
            value = builder.fmul(emit.sum_of_parts(total), scale)
            emit.store(value, target, place, index)
        return context.get_dummy_value()

    two, three = (types.UniTuple(types.intp, count) for count in (2, 3))
    real = getattr(x.dtype, "underlying_float", x.dtype)
    return types.void(entries, two, real, x, out, three, size), generate


def _slice_interpreted(entries, begin, end, scale, x, out, place):
    """Do the same as `_multiply_slice` in NumPy, where nothing is compiled."""
    data = entries.data[begin:end].reshape(-1, SLICE)
    indices = entries.indices[begin:end].reshape(-1, SLICE)
    out[place : place + SLICE] = scale * (data * x[indices]).sum(0)


def _move_interpreted(indices, begin, x, out, place):
    """Do the same as `_move_slice` in NumPy, where nothing is compiled."""
    out[place : place + SLICE] = x[indices[begin : begin + SLICE]]


def _columns_interpreted(entries, span, scale, x, out, places, size):
    """Do the same as `_multiply_columns` in NumPy, where nothing is compiled."""
    (begin, end), (first, stride, place) = span, places
    lanes = np.arange(size // x.itemsize)
    rows = entries.indices[begin:end].astype(np.intp) * stride + first
    products = entries.data[begin:end, None] * x[rows[:, None] + lanes]
    # In order, so that a sum does not depend on the number of columns beside it.
    total = np.add.accumulate(products)[-1] if end > begin else 0
    out[place + lanes] = scale * total


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
multiply_slice: Callable[..., Any]
move_slice: Callable[..., Any]
multiply_columns: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    multiply_slice = _slice_interpreted
    move_slice = _move_interpreted
    multiply_columns = _columns_interpreted
else:
    multiply_slice = intrinsic(_multiply_slice)
    move_slice = intrinsic(_move_slice)
    multiply_columns = intrinsic(prefer_literal=True)(_multiply_columns)
