"""Steps of whole dyadic butterflies: their values packed, and the calls of kernels.

A product of order 64 takes a microsecond, most of it in Python and in the passage of
arguments to compiled code: kernels are entered without a look at the types of their
arguments, and with as few arrays as possible.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.cache_lines import aligned, maker
from .._core.threads import current, share, shared_from
from ..kernels import butterfly_pack
from ..kernels.dyadic import multiply_vector, multiply_vector_adjoint
from ..kernels.dyadic_columns import BOTH, multiply_turns
from ..kernels.entry_points import entry_point
from .vector_calls import vector_call

SHARED = 1.5
"""Number by which the work of a dyadic butterfly and columns is divided before it is
shared among threads, because they wait for each other twice. See docs/threads.md, which
has the command."""


def _dyadic_vector(kernel, blocks, increasing):
    """Return the function (x, out=None) that multiplies a vector by a butterfly."""
    n, dtype = 2 * blocks.shape[1], blocks.dtype

    def entries_and_twiddles():
        turned = blocks if increasing else np.conj(blocks.transpose(0, 1, 3, 2))
        work = aligned((n + blocks.size,), dtype)
        twiddle = work[n:].reshape(len(blocks), 2, 2, n // 2)
        butterfly_pack(np.ascontiguousarray(turned), twiddle)
        return work

    return vector_call(kernel, (), n, dtype, entries_and_twiddles)


def dyadic_functions(
    values: Sequence[np.ndarray], dtype: np.dtype, increasing: bool
) -> tuple[Callable, Callable, Callable]:
    """Return the functions of `nbfact.operators.program.Call` for a dyadic butterfly.

    The kernels apply stride 1 first. A butterfly that applies stride 1 last is the
    adjoint of one that applies it first, with its blocks transposed and conjugated.

    Parameters
    ----------
    values : sequence of ndarray
        Values of all its factors, in the order of the chain.
    dtype : numpy.dtype
        Dtype of what is multiplied.
    increasing : bool
        Whether stride 1 is applied first.

    Returns
    -------
    vector, columns, prepared : callable
    """
    levels = [value.transpose(0, 3, 1, 2).reshape(-1, 2, 2) for value in values]
    levels = levels[::-1] if increasing else levels
    n, blocks = 2 * len(levels[0]), np.array(levels, dtype)
    one = multiply_vector if increasing else multiply_vector_adjoint
    multiply: Any = None
    last = 0 if increasing else 1
    work = blocks.nbytes / SHARED
    wide = n * shared_from(work)

    def compiled():
        nonlocal multiply
        if multiply is None:
            some = np.empty((0, 0), dtype)
            found = entry_point(multiply_turns, blocks, some, some, 0, 0, 0, 0)
            multiply = functools.partial(found, blocks)
        return multiply

    def columns(x, out):
        multiply = compiled()
        parts = current() if x.size >= wide else 1
        if parts == 1:  # Python takes longer between two calls that fill the caches
            multiply(x, out, BOTH, 0, 1, last)
            return
        each = work * x.shape[1] / parts
        for turn in range(2):

            def some(begin, end, turn=turn):
                for part in range(begin, end):
                    multiply(x, out, turn, part, parts, last)

            share(each, parts, some, 1)

    def prepared(batch):
        multiply, make = compiled(), maker((n, batch), dtype)

        def few(x, out=None):
            if out is None:
                out = make()
            multiply(x, out, BOTH, 0, 1, last)
            return out

        def many(x, out=None):
            out = make() if out is None else out
            columns(x, out)
            return out

        return few if n * batch < wide else many

    return _dyadic_vector(one, blocks, increasing), columns, prepared
