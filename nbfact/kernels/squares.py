"""Vector instructions that transpose a square of entries within registers.

LLVM transposes entry by entry where it finds a loop, which takes two to four times as
long as loads, shuffles and stores of whole vectors.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, VectorEmitter


def _typed(typingctx, x, start, stride, out, place, step):
    """Write the transpose of a square of x to out: see `transpose_square`."""
    numbers = types.Float, types.Complex
    if x.dtype != out.dtype or not isinstance(x.dtype, numbers):
        raise NumbaTypeError(f"x: {x}, out: {out}; expected numbers of one dtype")

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, x.dtype)
        count = emit.size // emit.parts
        source, target = (emit.reals(emit.data(k, arguments[i])) for k, i in kinds)
        rows, lines = (
            [
                builder.mul(one, emit.parts_of(one))
                for one in emit.places(arguments[i], arguments[i + 1], count)
            ]
            for i in (1, 4)
        )
        values = emit.exchanged([emit.load(source, row) for row in rows])
        for value, line in zip(values, lines, strict=True):
            emit.store(value, target, line)
        return context.get_dummy_value()

    kinds = (x, 0), (out, 3)
    intp = types.intp
    return types.void(x, intp, intp, out, intp, intp), generate


def _interpreted(x, start, stride, out, place, step):
    """Do the same as `_typed` in NumPy, where nothing is compiled."""
    along = np.arange(BYTES // x.itemsize)
    down = along[:, None]
    out[int(place) + int(step) * down + along] = x[
        int(start) + int(stride) * along + down
    ]


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
transpose_square: Callable[..., Any]
"""``transpose_square(x, start, stride, out, place, step)`` transposes 64 bytes of rows.

x and out are flat, C-contiguous and of one dtype, and share no memory. The square has
as many rows as 64 bytes have entries. Row i begins at ``start + i * stride`` in x, and
row i of its transpose at ``place + i * step`` in out."""
transpose_square = _interpreted if NUMBA_SETTINGS.DISABLE_JIT else intrinsic(_typed)
