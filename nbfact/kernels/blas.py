"""Calls of BLAS from kernels: products of matrices that are parts of flat arrays.

Numba's `numpy.dot` takes whole contiguous matrices alone, and one of NumPy costs a call
for each block and a look at the state of floating-point errors. This instruction calls
the function of SciPy's BLAS that Numba calls, in any place and with any distance of
rows.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.linalg import ensure_blas

from ._jit import NUMBA_SETTINGS
from .vectors import VectorEmitter

_LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
"""What BLAS calls the dtypes."""


def _typed(typingctx, left, right, out, places, turned):
    """Write the product of two matrices that are parts of flat arrays.

    Row i of the left matrix begins at ``left + i * left_row``, row k of the right one
    at ``right + k * right_row``, and row i of the product at ``out + i * out_row``.
    Where `turned` is 1, these are the columns of the left matrix, and where it is 2,
    those of the right one.

    left, right, out: flat arrays of one dtype; places: a tuple of left, left_row,
    right, right_row, out, out_row, and the sizes rows, inner and columns, of which none
    is zero; turned: an int.
    """
    ensure_blas()
    dtype: Any = left.dtype

    def generate(context, builder, signature, arguments):
        emit = VectorEmitter(context, builder, dtype)
        place, char = context.get_value_type(types.intp), ir.IntType(8)
        number = context.get_value_type(turned)
        byte = char.as_pointer()
        l0, ls, r0, rs, o0, os, rows, inner, columns = emit.integers(
            places, arguments[3]
        )
        starts = [
            builder.bitcast(builder.gep(emit.data(kind, array), [start]), byte)
            for kind, array, start in zip(
                (left, right, out), arguments, (l0, r0, o0), strict=False
            )
        ]
        one, zero = (
            builder.bitcast(
                cgutils.alloca_once_value(
                    builder, context.get_constant_generic(builder, dtype, value)
                ),
                byte,
            )
            for value in (_number(dtype, 1), _number(dtype, 0))
        )
        letter, plain, transposed = (
            ir.Constant(char, ord(one)) for one in (_LETTERS[dtype.name], "n", "t")
        )
        ways = [
            builder.select(
                builder.icmp_signed("==", arguments[4], ir.Constant(number, value)),
                transposed, plain,
            )
            for value in (2, 1)
        ]  # fmt: skip
        kinds = [*[char] * 3, *[place] * 3, byte, byte, place, byte, place, byte, byte]
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), [*kinds, place]),
            "numba_xxgemm",
        )  # fmt: skip
        # BLAS counts columns first: it computes the transposes, the other way round.
        sizes, factors = (columns, rows, inner), (one, starts[1], rs, starts[0], ls)
        builder.call(function, (letter, *ways, *sizes, *factors, zero, starts[2], os))
        return context.get_dummy_value()

    return types.void(left, right, out, places, turned), generate


def _number(dtype: Any, value: int) -> complex:
    """Return a number of a dtype of Numba, as LLVM takes its constants."""
    return complex(value) if isinstance(dtype, types.Complex) else float(value)


def _interpreted(left, right, out, places, turned):
    """Do the same as `_typed` in NumPy, where nothing is compiled."""
    l0, ls, r0, rs, o0, os, rows, inner, columns = places
    i, k, j = np.arange(rows), np.arange(inner), np.arange(columns)
    lefts = l0 + (i[:, None] + k * ls if turned == 1 else i[:, None] * ls + k)
    rights = r0 + (k[:, None] + j * rs if turned == 2 else k[:, None] * rs + j)
    with np.errstate(all="ignore"):
        found = left[lefts] @ right[rights]
    out[o0 + i[:, None] * os + j] = found


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
multiply: Callable[..., Any]
multiply = _interpreted if NUMBA_SETTINGS.DISABLE_JIT else intrinsic(_typed)
