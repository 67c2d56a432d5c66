"""Vector instructions of a whole dyadic butterfly on a vector that fits the registers.

A loop over the pairs of a level reads what the level before has just written, and takes
several times as long as its arithmetic where there are few pairs.
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
from .vectors import VectorEmitter

MOST = 16
"""Largest number of vectors of 64 bytes: half of the 32 registers of AVX-512, because a
level needs as many again for its blocks and results."""


def _typed(typingctx, t, first, n_levels, x, out, count, up):
    """Apply all levels of a butterfly: see `levels_in_registers`."""
    if any(a.layout != "C" or a.dtype != out.dtype for a in (t, x)):
        raise NumbaTypeError(f"expected flat arrays of {out.dtype}: {t}, {x}")

    def generate(context, builder, signature, arguments):
        if isinstance(x.dtype, types.Float):  # callers test it; others are not reached
            emit = VectorEmitter(context, builder, x.dtype)
            arrays = [emit.data(k, arguments[i]) for k, i in ((t, 0), (x, 3), (out, 4))]
            first, n_levels = arguments[1], arguments[2]
            _levels(emit, arrays, first, n_levels, count.literal_value, up)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(t, intp, intp, x, out, count, up), generate


def _levels(emit, arrays, first, n_levels, count, up):
    """Emit the loop over the levels, whose vectors stay in registers."""
    builder, (t, x, out) = emit.builder, arrays
    kind = first.type
    start, quarter = ir.Constant(kind, 0), ir.Constant(kind, count * emit.size // 2)
    places = emit.places(start, ir.Constant(kind, emit.size), count)
    kept = [cgutils.alloca_once_value(builder, emit.load(x, p)) for p in places]
    with cgutils.for_range(builder, n_levels, intp=kind) as loop:
        level = loop.index
        if not up.literal_value:
            level = builder.sub(builder.sub(n_levels, level), ir.Constant(kind, 1))
        begin = builder.add(
            first, builder.mul(level, builder.mul(quarter, quarter.type(4)))
        )
        rows = emit.places(begin, quarter, 4)
        values = [builder.load(one) for one in kept]
        level_of = _level_up if up.literal_value else _level_down
        values = level_of(emit, values, lambda k, i: emit.load(t, rows[k], i))
        for value, place in zip(values, kept, strict=True):
            builder.store(value, place)
    for value, place in zip(kept, places, strict=True):
        emit.store(builder.load(value), out, place)


def _level_up(emit, values, block):
    """Return rows i, i + n/2 of the product of a level with rows 2i, 2i+1."""
    lanes, half = range(emit.size), len(values) // 2
    found = [None] * len(values)
    for i in range(half):
        pair = values[2 * i], values[2 * i + 1]
        a = emit.shuffle(pair[0], [2 * lane for lane in lanes], pair[1])
        b = emit.shuffle(pair[0], [2 * lane + 1 for lane in lanes], pair[1])
        found[i] = _sum(emit, block(0, i), a, block(1, i), b)
        found[i + half] = _sum(emit, block(2, i), a, block(3, i), b)
    return found


def _level_down(emit, values, block):
    """Return rows 2i, 2i+1 of the adjoint's product with rows i, i + n/2."""
    size, half = emit.size, len(values) // 2
    found = []
    for i in range(half):
        a, b = values[i], values[i + half]
        p = _sum(emit, block(0, i), a, block(2, i), b)
        q = _sum(emit, block(1, i), a, block(3, i), b)
        for low in (0, size // 2):
            lanes = [low + lane // 2 + lane % 2 * size for lane in range(size)]
            found.append(emit.shuffle(p, lanes, q))
    return found


def _sum(emit, s, a, t, b):
    """Return s a + t b."""
    return emit.multiply_add(s, a, emit.builder.fmul(t, b))


def _interpreted(t, first, n_levels, x, out, count, up):
    """Do the same as `_typed` in NumPy, where nothing is compiled."""
    n, values = len(x), x
    with np.errstate(all="ignore"):
        for number in range(n_levels):
            level = number if up else n_levels - 1 - number
            begin = first + 2 * n * level
            p, q, r, s = t[begin : begin + 2 * n].reshape(4, n // 2)
            if up:
                a, b = values[::2], values[1::2]
                values = np.concatenate([p * a + q * b, r * a + s * b])
            else:
                a, b = values[: n // 2], values[n // 2 :]
                values = np.stack([p * a + r * b, q * a + s * b], axis=1).ravel()
    out[:] = values


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
levels_in_registers: Callable[..., Any]
"""``levels_in_registers(t, first, n_levels, x, out, count, up)`` multiplies a vector.

t, x and out are flat, C-contiguous, real and of one dtype. The twiddles of level 0
begin at ``first``, as `butterfly_pack` orders them. x and out have ``count`` vectors of
64 bytes: 2, 4, 8 or 16. ``up`` says whether level 0 comes first; without it the adjoint
is applied. The last two are literals. x may be out."""
if NUMBA_SETTINGS.DISABLE_JIT:
    levels_in_registers = _interpreted
else:
    levels_in_registers = intrinsic(prefer_literal=True)(_typed)
