"""The call of a kernel that multiplies one vector, with the least work in Python."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.entry_points import entry_point


def vector_call(
    kernel: Callable,
    arguments: tuple[Any, ...],
    rows: int,
    dtype: np.dtype,
    make_scratch: Callable[[], np.ndarray],
) -> Callable:
    """Return the function (x, out=None) that calls a kernel for one vector.

    Parameters
    ----------
    kernel : callable
        It is called as ``kernel(*arguments, x, scratch, out)``.
    arguments : tuple of ndarray or number
    rows : int
        Length of the product.
    dtype : numpy.dtype
        Dtype of x and of the product.
    make_scratch : callable
        Returns a new scratch array. There is one for each thread that calls the
        function at the same time, kept for its next call.
    """
    idle: list[np.ndarray] = []  # scratch arrays that no thread is using
    empty = np.empty
    multiply: Any = None

    def vector(x, out=None):
        nonlocal multiply
        if out is None:
            out = empty(rows, dtype)
        try:
            scratch = idle.pop()
        except IndexError:
            scratch = make_scratch()
            if multiply is None:
                some = empty(0, dtype)
                found = entry_point(kernel, *arguments, some, scratch, some)
                multiply = functools.partial(found, *arguments) if arguments else found
        multiply(x, scratch, out)
        idle.append(scratch)
        return out

    return vector
