"""One row of a sparse matrix times several columns, whose sums stay in registers.

The products of two entries of the row are added to each other, and then to the sum. No
product and sum are fused, so that a sum has the same bits on every processor, whatever
the number of columns.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, VectorEmitter

ONE = 0
"""The size in bytes that stands for one column."""


def _sum_row(typingctx, form, span, scale, x, out, places, size):
    """Write scale times a sparse row times some columns of x to the same ones of out.

    form: data and indices, unsigned; span: the first entry of the row, and the one
    after the last; scale is real. x and out: flat arrays; places: where the columns of
    row 0 of x begin, the distance to row 1, and where this row of out begins. size: a
    literal, how many bytes of columns are multiplied: a multiple of `BYTES`, or `ONE`.
    """

    def generate(context, builder, signature, arguments):
        count = size.literal_value // BYTES
        emit = VectorEmitter(context, builder, x.dtype, None if count else 1)
        arrays = cgutils.unpack_tuple(builder, arguments[0])
        data, indices = (
            emit.data(kind, one) for kind, one in zip(form, arrays, strict=True)
        )
        source, target = emit.data(x, arguments[3]), emit.data(out, arguments[4])
        data, source, target = (emit.reals(each) for each in (data, source, target))
        begin, end = cgutils.unpack_tuple(builder, arguments[1])
        first, stride, place = cgutils.unpack_tuple(builder, arguments[5])
        parts = emit.parts_of(place)
        # A sum that begins at -0 is its first term, whatever the sign of that is.
        empty = builder.icmp_signed("==", begin, end)
        zeros = (ir.Constant(emit.real, zero) for zero in (0.0, -0.0))
        zero = emit.spread(builder.select(empty, *zeros))
        vectors = range(max(count, 1))
        totals = [cgutils.alloca_once(builder, emit.vector) for _ in vectors]
        for total in totals:
            builder.store(zero, total)

        def loaded(t):
            """Return the weights of an entry, and where the row of x begins."""
            row = builder.zext(builder.load(builder.gep(indices, [t])), stride.type)
            row = builder.add(builder.mul(row, stride), first)
            at, weights = builder.mul(t, parts), []
            for part in range(emit.parts):
                index = builder.add(at, ir.Constant(at.type, part))
                number = builder.load(builder.gep(data, [index]))
                weights.append(emit.spread(builder.fmul(arguments[2], number)))
            if emit.parts == 2:
                weights[1] = builder.fmul(weights[1], emit.signs())
            return weights, builder.mul(row, parts)

        def product(entry, index):
            """Return an entry times the index-th vector of its row of x."""
            weights, row = entry
            value = emit.load(source, row, index)
            found = builder.fmul(weights[0], value)
            if emit.parts == 1:
                return found
            return builder.fadd(found, builder.fmul(weights[1], emit.swapped(value)))

        def add(total, value):
            builder.store(builder.fadd(builder.load(total), value), total)

        one, two = ir.Constant(begin.type, 1), ir.Constant(begin.type, 2)
        odd = builder.and_(builder.sub(end, begin), one)
        with builder.if_then(builder.icmp_signed("==", odd, one)):
            a = loaded(begin)
            for index, total in enumerate(totals):
                add(total, product(a, index))
        with cgutils.for_range_slice(
            builder, builder.add(begin, odd), end, two, two.type
        ) as (t, _):
            a, b = loaded(t), loaded(builder.add(t, one))
            for index, total in enumerate(totals):
                add(total, builder.fadd(product(a, index), product(b, index)))
        place = builder.mul(place, parts)
        for index, total in enumerate(totals):
            emit.store(builder.load(total), target, place, index)
        return context.get_dummy_value()

    two, three = (types.UniTuple(types.intp, count) for count in (2, 3))
    real = getattr(x.dtype, "underlying_float", x.dtype)
    return types.void(form, two, real, x, out, three, size), generate


def _sum_interpreted(form, span, scale, x, out, places, size):
    """Do the same as `_sum_row` in NumPy, where nothing is compiled."""
    (begin, end), (first, stride, place) = span, places
    lanes = np.arange(max(size // x.itemsize, 1))
    rows = form[1][begin:end].astype(np.intp) * stride + first
    products = (scale * form[0][begin:end, None]) * x[rows[:, None] + lanes]
    out[place + lanes] = 0
    odd = (end - begin) % 2
    if odd:
        out[place + lanes] = products[0]
    for t in range(odd, end - begin, 2):
        out[place + lanes] += products[t] + products[t + 1]


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
sum_row: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    sum_row = _sum_interpreted
else:
    sum_row = intrinsic(prefer_literal=True)(_sum_row)
