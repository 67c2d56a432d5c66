"""Vector instructions of a Hadamard transform on a few registers.

LLVM's loop vectoriser moves entries between the lanes of a register by three shuffles
where one is enough, and Numba leaves its other vectoriser off. With loops ``fwht`` took
up to twice the time of hand-written AVX; with these instructions it takes less.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES


def _typed(typingctx, x, start, stride, count, wide, lanes):
    """Transform some entries of x, which is C-contiguous, in place.

    ``count`` vectors (1, 2, 4 or 8) begin at ``start``, ``stride`` entries apart. Each
    holds 64 bytes if ``wide`` is true, and else one entry. The vectors are transformed
    with one another; if ``lanes`` is true, the entries within each vector are
    transformed first. The last three arguments are literals, and places in x are
    counted as if it were flat.
    """
    numbers = types.Integer, types.Float, types.Complex
    if x.layout != "C" or not x.mutable or not isinstance(x.dtype, numbers):
        raise NumbaTypeError(f"x: {x}; expected numbers in a writable C-ordered array")
    dtype: Any = x.dtype
    parts = 2 if isinstance(dtype, types.Complex) else 1
    item = dtype.bitwidth // 8
    size = parts * (BYTES // item if wide.literal_value else 1)

    def generate(context, builder, signature, arguments):
        data = context.make_array(x)(context, builder, arguments[0]).data
        real = context.get_value_type(getattr(x.dtype, "underlying_float", x.dtype))
        pointer = ir.VectorType(real, size).as_pointer()
        start, stride = arguments[1:3]
        pointers = []
        for index in range(count.literal_value):
            step = builder.mul(stride, ir.Constant(stride.type, index))
            entry = builder.gep(data, [builder.add(start, step)])
            pointers.append(builder.bitcast(entry, pointer))
        values = [builder.load(p, align=item // parts) for p in pointers]
        values = _transform(builder, values, parts if lanes.literal_value else 0)
        for value, p in zip(values, pointers, strict=True):
            builder.store(value, p, align=item // parts)
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, count, wide, lanes), generate


def _transform(builder, values, stride):
    """Emit the levels within vectors, from a stride on, then those among vectors.

    stride: 0 for no level within vectors, else the number of reals of an entry.
    """
    vector = values[0].type
    real = not isinstance(vector.element, ir.IntType)
    add, subtract = (builder.fadd, builder.fsub) if real else (builder.add, builder.sub)
    while 0 < stride < vector.count:
        values = [_level_in_lanes(builder, value, stride, real) for value in values]
        stride *= 2
    stride = 1
    while stride < len(values):
        for i in range(len(values)):
            if not i & stride:
                a, b = values[i], values[i + stride]
                values[i], values[i + stride] = add(a, b), subtract(a, b)
        stride *= 2
    return values


def _level_in_lanes(builder, value, stride, real):
    """Emit one level within a vector: (a, b) becomes (b + a, a - b).

    It is a product with signs and a sum; the product is exact.
    """
    vector = value.type
    lanes = range(vector.count)
    mask = ir.VectorType(ir.IntType(32), vector.count)
    swapped = ir.Constant(mask, [lane ^ stride for lane in lanes])
    other = builder.shuffle_vector(value, value, swapped)
    one = 1.0 if real else 1
    signs = ir.Constant(vector, [-one if lane & stride else one for lane in lanes])
    if not real:
        return builder.add(builder.mul(value, signs), other)
    name = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    muladd = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [vector] * 3),
        f"llvm.fmuladd.v{vector.count}{name}",
    )
    return builder.call(muladd, [value, signs, other])


def _interpreted(x, start, stride, count, wide, lanes):
    """Do the same as `_typed` in NumPy, where nothing is compiled."""
    size = BYTES // x.itemsize if wide else 1
    index = start + stride * np.arange(count)[:, None] + np.arange(size)
    flat = x.reshape(-1)
    values = _product(flat[index]) if lanes else flat[index]
    flat[index] = _product(values.T).T


def _product(values):
    """Return the Walsh-Hadamard transform of each row."""
    stride = 1
    while stride < values.shape[1]:
        pairs = values.reshape(len(values), -1, 2, stride)
        a, b = pairs[:, :, 0], pairs[:, :, 1]
        values = np.stack([a + b, a - b], axis=2).reshape(values.shape)
        stride *= 2
    return values


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
hadamard_tile: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    hadamard_tile = _interpreted
else:
    hadamard_tile = intrinsic(prefer_literal=True)(_typed)
