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
    parts = 2 if isinstance(x.dtype, types.Complex) else 1
    item = x.dtype.bitwidth // 8
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
    """Emit the levels: in lanes from a stride on, if any, then among the vectors."""
    while 0 < stride < values[0].type.count:
        values = [_level_in_lanes(builder, value, stride) for value in values]
        stride *= 2
    stride = 1
    while stride < len(values):
        for i in range(len(values)):
            if not i & stride:
                a, b = values[i], values[i + stride]
                values[i] = builder.fadd(a, b)
                values[i + stride] = builder.fsub(a, b)
        stride *= 2
    return values


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
    index = start + stride * np.arange(count)[:, None] + np.arange(size)
    flat = x.reshape(-1)
    values = _product(flat[index]) if lanes else flat[index]
    flat[index] = _product(values.T).T


def _product(values):
    """Return the transform of each row."""
    stride = 1
    while stride < values.shape[1]:
        pairs = values.reshape(len(values), -1, 2, stride)
        a, b = pairs[:, :, 0], pairs[:, :, 1]
        values = np.stack([a + b, a - b], axis=2).reshape(values.shape)
        stride *= 2
    return values


if config.DISABLE_JIT:
    hadamard_tile = _interpreted
else:
    hadamard_tile = intrinsic(prefer_literal=True)(_typed)
