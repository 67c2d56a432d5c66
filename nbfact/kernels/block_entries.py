"""Vector instructions of products with blocks of `BLOCK` entries and one vector.

A block holds neighbouring entries of one column, or of one row, of a sparse matrix. One
index serves all of them, and nothing is gathered: the rows of blocks of a column share
an entry of x, and a block of a row reads as many neighbouring entries of x.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import VectorEmitter

BLOCK = 8
"""Number of entries of a block: as many numbers of float64 fill a register of AVX-512,
and all columns that are multiples of it begin at a line of the cache."""

UNROLLED = 4
"""Number of blocks whose products are added to sums of their own, because an addition
takes as long as four of them take to begin."""


def _multiply_column_blocks(typingctx, entries, span, scale, x, out, place):
    """Write scale * S @ x to out from a place on, for a matrix S of `BLOCK` rows.

    S consists of blocks of whole columns. entries: `Entries`; span: the first block
    and the end among the indices, which name columns, and where its values begin. scale
    is real; x and out are C-contiguous vectors.
    """

    def generate(context, builder, signature, arguments):
        def weighted(emit, source, entry, values):
            parts = range(emit.parts)
            return [emit.number(source, entry, part) for part in parts], values

        operands = entries, x, out
        emit, found, target = _summed(context, builder, operands, arguments, weighted)
        value = builder.fmul(found, emit.spread(arguments[2]))
        emit.store(value, *target)
        return context.get_dummy_value()

    return _signature(entries, x, out), generate


def _multiply_row_blocks(typingctx, entries, span, scale, x, out, place):
    """Write scale * s @ x to a place of out, for a sparse row s of blocks.

    The arguments are those of `multiply_column_blocks`; an index names the first column
    of a block.
    """

    def generate(context, builder, signature, arguments):
        def weighted(emit, source, entry, values):
            weights, lanes = [values], range(emit.size)
            if emit.parts == 2:
                weights = [
                    emit.shuffle(values, [(lane & ~1) + part for lane in lanes])
                    for part in (0, 1)
                ]
            return weights, emit.load(source, entry)

        operands = entries, x, out
        emit, value, target = _summed(context, builder, operands, arguments, weighted)
        target, entry = target
        distance = emit.size // 2
        while distance >= emit.parts:
            lanes = [lane ^ distance for lane in range(emit.size)]
            value = emit.add(value, emit.shuffle(value, lanes))
            distance //= 2
        for part in range(emit.parts):
            at = builder.add(entry, ir.Constant(entry.type, part))
            number = builder.extract_element(value, ir.Constant(ir.IntType(32), part))
            number = builder.fmul(number, arguments[2])
            builder.store(number, builder.gep(target, [at]))
        return context.get_dummy_value()

    return _signature(entries, x, out), generate


def _signature(entries, x, out):
    """Return the types of the arguments of both instructions."""
    real = getattr(x.dtype, "underlying_float", x.dtype)
    three = types.UniTuple(types.intp, 3)
    return types.void(entries, three, real, x, out, types.intp)


def _summed(context, builder, operands, arguments, weighted):
    """Emit the sum of the products of all blocks with x.

    operands: the types of entries, x and out; arguments: those of the instruction;
    weighted: function of the emitter, x, a place of x and the values of a block that
    returns the weights and what they multiply. Returned are the emitter, the sum, and
    where it is written: out and a place.
    """
    entries, x, out = operands
    emit = VectorEmitter(context, builder, x.dtype, BLOCK)
    _, data = emit.array(entries, arguments[0], "data")
    _, indices = emit.array(entries, arguments[0], "indices")
    data, source = emit.reals(data), emit.reals(emit.data(x, arguments[3]))
    begin, end, first = cgutils.unpack_tuple(builder, arguments[1])
    parts = ir.Constant(begin.type, emit.parts)
    sums = [emit.totals() for _ in range(UNROLLED)]

    def add(t, totals):
        entry = builder.zext(builder.load(builder.gep(indices, [t])), t.type)
        values = emit.load(data, _values(emit, builder.sub(t, begin), first))
        entry = builder.mul(entry, parts)
        weights, found = weighted(emit, source, entry, values)
        emit.add_products(weights, found, totals)

    _unrolled(builder, begin, end, add, sums)
    target = emit.reals(emit.data(out, arguments[4]))
    place = builder.mul(arguments[5], parts)
    return emit, emit.sum_of_parts(_together(emit, sums)), (target, place)


def _values(emit, block, first):
    """Return where the values of a block begin, as real numbers."""
    builder, kind = emit.builder, block.type
    place = builder.mul(block, ir.Constant(kind, BLOCK))
    place = builder.add(place, first)
    return builder.mul(place, ir.Constant(kind, emit.parts))


def _unrolled(builder, begin, end, add, sums):
    """Emit the loops over blocks: `UNROLLED` of them together, and then the others."""
    kind = begin.type
    count, step = builder.sub(end, begin), ir.Constant(kind, UNROLLED)
    whole = builder.add(begin, builder.and_(count, ir.Constant(kind, -UNROLLED)))
    with cgutils.for_range_slice(builder, begin, whole, step, kind) as (t, _):
        for index, totals in enumerate(sums):
            add(builder.add(t, ir.Constant(kind, index)), totals)
    one = ir.Constant(kind, 1)
    with cgutils.for_range_slice(builder, whole, end, one, kind) as (t, _):
        add(t, sums[0])


def _together(emit, sums):
    """Return the first of some sums, to which the others are added."""
    for part, total in enumerate(sums[0]):
        value = emit.builder.load(total)
        for other in sums[1:]:
            value = emit.add(value, emit.builder.load(other[part]))
        emit.builder.store(value, total)
    return sums[0]


def _blocks_of(entries, span):
    """Return the indices and the values of some blocks, where nothing is compiled."""
    begin, end, first = span
    values = entries.data[first : first + BLOCK * (end - begin)].reshape(-1, BLOCK)
    return entries.indices[begin:end].astype(np.intp), values


def _column_blocks_interpreted(entries, span, scale, x, out, place):
    """Do the same as `_multiply_column_blocks` in NumPy, where nothing is compiled."""
    indices, values = _blocks_of(entries, span)
    out[place : place + BLOCK] = scale * (x[indices, None] * values).sum(0)


def _row_blocks_interpreted(entries, span, scale, x, out, place):
    """Do the same as `_multiply_row_blocks` in NumPy, where nothing is compiled."""
    indices, values = _blocks_of(entries, span)
    out[place] = scale * (x[indices[:, None] + np.arange(BLOCK)] * values).sum()


multiply_column_blocks: Callable[..., Any]
multiply_row_blocks: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    multiply_column_blocks = _column_blocks_interpreted
    multiply_row_blocks = _row_blocks_interpreted
else:
    multiply_column_blocks = intrinsic(_multiply_column_blocks)
    multiply_row_blocks = intrinsic(_multiply_row_blocks)
