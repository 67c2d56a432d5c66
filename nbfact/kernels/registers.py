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
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, VectorEmitter


def _typed(typingctx, x, start, stride, count, wide, lanes):
    """Transform some entries of x, which is C-contiguous, in place.

    ``count`` vectors (1, 2, 4, 8 or 16) begin at ``start``, ``stride`` entries apart.
    Each holds 64 bytes if ``wide`` is true, and else one entry. The vectors are
    transformed with one another; if ``lanes`` is true, the entries within each vector
    are transformed first. The last three arguments are literals, and places in x are
    counted as if it were flat.
    """
    numbers = types.Integer, types.Float, types.Complex
    if x.layout != "C" or not x.mutable or not isinstance(x.dtype, numbers):
        raise NumbaTypeError(f"x: {x}; expected numbers in a writable C-ordered array")
    dtype: Any = x.dtype

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, dtype, None if wide.literal_value else 1)
        data, start, stride = emit.data(x, arguments[0]), arguments[1], arguments[2]
        places = emit.places(start, stride, count.literal_value)
        pointers = [emit.pointer(data, place, emit.vector) for place in places]
        values = [builder.load(pointer, align=emit.item) for pointer in pointers]
        values = _transform(emit, values, emit.parts if lanes.literal_value else 0)
        for value, pointer in zip(values, pointers, strict=True):
            builder.store(value, pointer, align=emit.item)
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, count, wide, lanes), generate


def _transform(emit, values, stride):
    """Emit the levels within vectors, from a stride on, then those among vectors.

    stride: 0 for no level within vectors, else the number of reals of an entry.
    """
    builder, real = emit.builder, not isinstance(emit.real, ir.IntType)
    add, subtract = (builder.fadd, builder.fsub) if real else (builder.add, builder.sub)
    while 0 < stride < emit.size:
        values = [_level_in_lanes(emit, value, stride, real) for value in values]
        stride *= 2
    stride = 1
    while stride < len(values):
        for i in range(len(values)):
            if not i & stride:
                a, b = values[i], values[i + stride]
                values[i], values[i + stride] = add(a, b), subtract(a, b)
        stride *= 2
    return values


def _level_in_lanes(emit, value, stride, real):
    """Emit one level within a vector: (a, b) becomes (b + a, a - b).

    It is a product with signs and a sum; the product is exact.
    """
    one = 1.0 if real else 1
    signs = [-one if lane & stride else one for lane in range(emit.size)]
    signs, other = ir.Constant(emit.vector, signs), emit.swapped(value, stride)
    if not real:
        return emit.builder.add(emit.builder.mul(value, signs), other)
    return emit.multiply_add(value, signs, other)


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
