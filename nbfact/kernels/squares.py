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


def _typed(entries, rows, columns):
    """Return the function that types `transpose_square`, or one of its variants.

    The function writes the transpose of a square of x, with some entries in a row, to
    out. It reads some rows of the square, and writes some of its columns.
    """

    def typed(typingctx, x, start, stride, out, place, step):
        numbers = types.Float, types.Complex
        if x.dtype != out.dtype or not isinstance(x.dtype, numbers):
            raise NumbaTypeError(f"x: {x}, out: {out}; expected numbers of one dtype")

        def generate(context, builder, signature, arguments):
            emit = VectorEmitter(context, builder, x.dtype, entries)
            count = emit.size // emit.parts
            source, target = (emit.reals(emit.data(k, arguments[i])) for k, i in kinds)
            read, written = (
                [
                    builder.mul(one, emit.parts_of(one))
                    for one in emit.places(arguments[i], arguments[i + 1], some)
                ]
                for i, some in ((1, rows or count), (4, columns or count))
            )
            values = [emit.load(source, row) for row in read]
            values += values[:1] * (count - len(values))
            for value, line in zip(emit.exchanged(values), written, strict=False):
                emit.store(value, target, line)
            return context.get_dummy_value()

        kinds = (x, 0), (out, 3)
        intp = types.intp
        return types.void(x, intp, intp, out, intp, intp), generate

    return typed


def _interpreted(entries, rows, columns):
    """Return what does the same as `_typed` in NumPy, where nothing is compiled."""

    def transposed(x, start, stride, out, place, step):
        count = entries or BYTES // x.itemsize
        read, along = np.arange(rows or count)[:, None], np.arange(count)
        square = np.zeros((count, count), x.dtype)
        square[: len(read)] = x[int(start) + int(stride) * read + along]
        for k in range(columns or count):
            out[int(place) + int(step) * k + along] = square[:, k]

    return transposed


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
Transposition = Callable[..., Any]


def _square(entries=None, rows=None, columns=None) -> Transposition:
    """Return `transpose_square`, or one of its variants."""
    if NUMBA_SETTINGS.DISABLE_JIT:
        return _interpreted(entries, rows, columns)
    return intrinsic(_typed(entries, rows, columns))


transpose_square = _square()
"""``transpose_square(x, start, stride, out, place, step)`` transposes 64 bytes of rows.

x and out are flat, C-contiguous and of one dtype, and share no memory. The square has
as many rows as 64 bytes have entries. Row i begins at ``start + i * stride`` in x, and
row i of its transpose at ``place + i * step`` in out."""
transpose_eight, transpose_four = _square(8), _square(4)
"""The same for squares of eight rows, and of four."""
transpose_two_rows, transpose_three_rows = _square(4, rows=2), _square(4, rows=3)
"""The same for two or three rows of four entries. Four entries of each row of the
transpose are written, the last ones of any value: the next row has its place there."""
transpose_two_columns = _square(4, columns=2)
transpose_three_columns = _square(4, columns=3)
"""The same for two or three columns of four entries, with four entries of each row read
as if they were there."""
