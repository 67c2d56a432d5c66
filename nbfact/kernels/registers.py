"""The one place that writes vector instructions: a small Hadamard transform in registers.

LLVM's loop vectoriser moves entries between the lanes of a register by three shuffles
where one does, and never keeps more than two levels of a transform in registers: with
its loops ``fwht`` was 1.8x slower than hand-written AVX. What is emitted here is
generic vector code, for LLVM to map on whatever registers the processor has.
"""

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils, config
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

BYTES = 64
"""Of one vector: an AVX-512 register, two of AVX, four of NEON."""


def _typed(typingctx, x, start, stride, count, wide, lanes):
    """Transform entries of x, C-contiguous, in place.

    ``count`` vectors (1, 2, 4 or 8) begin at ``start``, ``stride`` entries apart; they
    hold 64 bytes each where ``wide``, or one entry. They are transformed with one
    another, and where ``lanes`` the entries of each first. The last three arguments
    are literals; x counts in entries as if it were flat.
    """
    if not isinstance(x, types.Array) or x.layout != "C":
        raise NumbaTypeError(f"fwht: x is {x}; expected a C-contiguous array")
    if not all(hasattr(a, "literal_value") for a in (count, wide, lanes)):
        raise NumbaTypeError("count, wide and lanes must be literals")
    options = count.literal_value, wide.literal_value, lanes.literal_value

    def generate(context, builder, signature, arguments):
        data = context.make_array(x)(context, builder, arguments[0]).data
        _emit(context, builder, x.dtype, data, arguments[1:3], options)
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, count, wide, lanes), generate


def _emit(context, builder, dtype, data, place, options):
    """Emit loads, levels and stores; a complex entry is two lanes side by side."""
    count, wide, lanes = options
    parts = 2 if isinstance(dtype, types.Complex) else 1
    real = context.get_value_type(getattr(dtype, "underlying_float", dtype))
    size = parts * (BYTES // (dtype.bitwidth // 8) if wide else 1)
    vector = ir.VectorType(real, size)
    pointers = []
    for index in range(count):
        step = builder.mul(place[1], ir.Constant(place[1].type, index))
        entry = builder.gep(data, [builder.add(place[0], step)])
        pointers.append(builder.bitcast(entry, vector.as_pointer()))
    align = dtype.bitwidth // 8 // parts
    values = [builder.load(pointer, align=align) for pointer in pointers]
    stride = parts
    while lanes and stride < size:
        values = [_level_in_lanes(builder, value, stride) for value in values]
        stride *= 2
    stride = 1
    while stride < count:
        for i in range(count):
            if not i & stride:
                a, b = values[i], values[i + stride]
                values[i] = builder.fadd(a, b)
                values[i + stride] = builder.fsub(a, b)
        stride *= 2
    for pointer, value in zip(pointers, values, strict=True):
        builder.store(value, pointer, align=align)


def _level_in_lanes(builder, value, stride):
    """Emit one level within a vector: (a, b) to (b + a, a - b), the product exact."""
    vector = value.type
    swapped = [lane ^ stride for lane in range(vector.count)]
    mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), swapped)
    other = builder.shuffle_vector(value, value, mask)
    signs = [-1.0 if lane & stride else 1.0 for lane in range(vector.count)]
    name = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    muladd = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [vector] * 3),
        f"llvm.fmuladd.v{vector.count}{name}",
    )
    return builder.call(muladd, [value, ir.Constant(vector, signs), other])


def _interpreted(x, start, stride, count, wide, lanes):
    """Do the same in NumPy, where nothing is compiled."""
    size = BYTES // x.itemsize if wide else 1
    flat = x.reshape(-1)
    index = start + stride * np.arange(count)[:, None] + np.arange(size)
    values = flat[index]
    for axis, length in ((1, size if lanes else 1), (0, count)):
        level = 1
        while level < length:
            values = np.moveaxis(values, axis, -1)
            pairs = values.reshape(values.shape[0], -1, 2, level)
            a, b = pairs[:, :, 0], pairs[:, :, 1]
            values = np.stack([a + b, a - b], axis=2).reshape(values.shape)
            values = np.moveaxis(values, -1, axis)
            level *= 2
    flat[index] = values


if config.DISABLE_JIT:
    hadamard_tile = _interpreted
else:
    hadamard_tile = intrinsic(prefer_literal=True)(_typed)
