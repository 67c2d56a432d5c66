"""Vector instructions that multiply panels of dense blocks: sums of outer products.

A small part of a product stays in registers while the numbers that it is the sum of are
read once. BLAS does the same, but it copies its operands in each call or has no kernel
of such a shape. ``nbfact study kronecker`` compares both.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, VectorEmitter


def _many_registers() -> bool:
    """Return whether a vector of `BYTES` is one register, and there are 32 of them.

    Numba generates code for another processor where its settings name one.
    """
    if NUMBA_SETTINGS.CPU_NAME or NUMBA_SETTINGS.CPU_FEATURES:
        return False
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


MANY = _many_registers()
"""Whether as many vectors fit into registers as the constants below are made for;
with half of them the products of a panel are too few to hide how long each takes."""

PANEL = 16 if MANY else 4
HALF = PANEL // 2
"""Number of rows of a block whose values are packed together for columns; and the same
for complex values, and for the blocks that fewer rows fill better."""

TALL = 4 if MANY else 1
"""Number of rows of x that are multiplied together."""

LOW, WIDE = (4, 4) if MANY else (4, 1)
"""Number of rows of a panel, and of vectors of columns, that are multiplied together
where there are as many columns: lines of cache that follow one another come from memory
in half the time."""


def lanes_of(dtype: np.dtype) -> int:
    """Return the number of numbers of a dtype in a vector."""
    return BYTES // np.dtype(dtype).itemsize


def panel_of(dtype: np.dtype, rows: int) -> int:
    """Return the number of rows in a panel of values for columns.

    Parameters
    ----------
    dtype : numpy.dtype
        That of the values.
    rows : int
        Number of rows of a block.
    """
    odd = -(-rows // HALF) % 2 == 1  # half a panel would stay empty
    return HALF if np.dtype(dtype).kind == "c" or (MANY and odd) else PANEL


def _typed(typingctx, left, right, out, places, repeated, height, width):
    """Add outer products to a tile of `height` rows of `width` vectors.

    For each t < count, the number of row i at ``left + t * left_step + i * left_row``
    is multiplied by the vectors from ``right + t * right_step`` on. The sums are added
    up from zero, in the order of t. They are stored where `first` is not zero, and else
    added to what is there: row i has its vectors out_vector entries apart, from
    ``out + i * out_row`` on. In the place of a number there are 2^len(repeated)
    numbers, which fill a vector again and again. Each vector of complex numbers has two
    of sums: there are half as many, or where there is one at most `HALF` rows.

    left, right, out: flat arrays; places: a tuple of left, left_step, left_row, right,
    right_step, out, out_row, out_vector, count, first; height, width: literals.
    """
    dtype: Any = left.dtype
    if not isinstance(dtype, types.Float | types.Complex):
        raise NumbaTypeError(f"entries of {dtype}; expected floats or complex numbers")
    numbers, complete = 1 << len(repeated), isinstance(dtype, types.Complex)
    rows, vectors = _tile(height.literal_value, width.literal_value, complete)

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, dtype)
        sources = [
            emit.reals(emit.data(kind, array))
            for kind, array in ((left, arguments[0]), (right, arguments[1]))
        ]
        target = emit.reals(emit.data(out, arguments[2]))
        at = emit.integers(places, arguments[3])
        count, first = at[8:]
        at = [builder.mul(one, emit.parts_of(one)) for one in at[:8]]
        sums = [[emit.totals() for _ in range(vectors)] for _ in range(rows)]
        with cgutils.for_range(builder, count, intp=count.type) as loop:
            start = builder.add(at[0], builder.mul(loop.index, at[1]))
            place = builder.add(at[3], builder.mul(loop.index, at[4]))
            values = [emit.load(sources[1], place, j) for j in range(vectors)]
            for row, entry in zip(sums, emit.places(start, at[2], rows), strict=True):
                weights = _repeated(emit, sources[0], entry, numbers)
                for value, totals in zip(values, row, strict=True):
                    emit.add_products(weights, value, totals)
        ends = [
            (emit.sum_of_parts(totals), end)
            for row, start in zip(sums, emit.places(at[5], at[6], rows), strict=True)
            for totals, end in zip(row, emit.places(start, at[7], vectors), strict=True)
        ]
        # A line of cache that is stored alone is not waited for.
        with builder.if_else(cgutils.is_not_null(builder, first)) as (new, more):
            with new:
                for total, end in ends:
                    emit.store(total, target, end)
            with more:
                for total, end in ends:
                    emit.store(emit.add(emit.load(target, end), total), target, end)
        return context.get_dummy_value()

    kinds = (left, right, out, places, repeated, height, width)
    return types.void(*kinds), generate


def _tile(height, width, complete):
    """Return the rows and vectors of a tile; `complete` says if it is complex."""
    if not complete:
        return height, width
    return (height, width // 2) if width > 1 else (min(height, HALF), 1)


def _repeated(emit, data, place, numbers):
    """Return some numbers of an array, again and again in the lanes of a vector.

    There is a vector of each of their parts, the real and the imaginary one.
    """
    parts = range(emit.parts)
    if numbers == 1:
        return [emit.number(data, place, part) for part in parts]
    count = numbers * emit.parts
    pointer = emit.pointer(data, place, ir.VectorType(emit.real, count))
    value = emit.builder.load(pointer, align=emit.item)
    if count == emit.size and emit.parts == 1:
        return [value]
    first = [lane % count // emit.parts * emit.parts for lane in range(emit.size)]
    return [emit.shuffle(value, [lane + part for lane in first]) for part in parts]


def _interpreted(left, right, out, places, repeated, height, width):
    """Do the same as `_typed` in NumPy, where nothing is compiled."""
    start, left_step, left_row, place, right_step, end, row, vector, count, first = (
        places
    )
    lanes = np.arange(lanes_of(left.dtype))
    height, width = _tile(height, width, left.dtype.kind == "c")
    t, i, j = np.arange(count), np.arange(height), np.arange(width)
    entries = start + t[:, None, None] * left_step + i[:, None] * left_row
    numbers = left[entries + lanes % (1 << len(repeated))]
    vectors = place + t[:, None, None] * right_step + j[:, None] * len(lanes)
    values = right[vectors + lanes]
    sums = np.einsum("til,tjl->ijl", numbers, values)
    ends = end + i[:, None, None] * row + j[:, None] * vector + lanes
    out[ends] = sums if first else out[ends] + sums


def _typed_prefetch(typingctx, x, place):
    """Ask the processor to fetch the line of cache that holds an entry of x."""

    def generate(context, builder, signature, arguments):
        data = VectorEmitter(context, builder, x.dtype).data(x, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        # To read it, into the second level of cache, as data.
        options = [ir.Constant(number, option) for option in (0, 2, 1)]
        builder.call(function, [pointer, *options])
        return context.get_dummy_value()

    return types.void(x, types.intp), generate


def _typed_copy(typingctx, x, place, out, to):
    """Copy a vector of entries of x to another array of its dtype."""

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, x.dtype)
        source, target = (
            emit.reals(emit.data(kind, array))
            for kind, array in ((x, arguments[0]), (out, arguments[2]))
        )
        start, end = (
            builder.mul(one, emit.parts_of(one)) for one in (arguments[1], arguments[3])
        )
        emit.store(emit.load(source, start), target, end)
        return context.get_dummy_value()

    return types.void(x, types.intp, out, types.intp), generate


def _interpreted_copy(x, place, out, to):
    """Do the same as `_typed_copy` in NumPy, where nothing is compiled."""
    lanes = lanes_of(x.dtype)
    out[to : to + lanes] = x[place : place + lanes]


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
add_outer_products: Callable[..., Any]
prefetch: Callable[..., Any]
copy_vector: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    add_outer_products, prefetch = _interpreted, lambda x, place: None
    copy_vector = _interpreted_copy
else:
    add_outer_products = intrinsic(prefer_literal=True)(_typed)
    prefetch, copy_vector = intrinsic(_typed_prefetch), intrinsic(_typed_copy)
