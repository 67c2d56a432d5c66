"""Arrays that begin where a line of the cache does."""

import ctypes
import functools
import math
from collections.abc import Callable
from typing import Literal

import numpy as np

LINE = 64
"""Bytes of a line of the cache, and of the longest vector of a processor."""

LEAST_BYTES = 1 << 18
"""Bytes from which on `maker` makes products that begin with a line: that takes 1 µs of
Python. Where each vector is written to two lines, a product takes up to 1.4 times as
long. Smaller ones gain little, and programs of several steps nothing."""


def aligned(
    shape: tuple[int, ...], dtype: np.dtype, order: Literal["C", "F"] = "C"
) -> np.ndarray:
    """Return a new array, not filled, whose memory begins where a cache line does.

    NumPy's own arrays begin at any multiple of 16 bytes, so that every vector of 64
    bytes could lie in two lines. That takes up to 1.5 times as long.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    order : {"C", "F"}
        Layout of the array.

    Examples
    --------
    >>> aligned((2, 3), np.dtype("f8")).ctypes.data % LINE
    0
    """
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE, np.uint8)
    # The attribute `ctypes.data` of an array takes twice as long.
    start = -ctypes.addressof(ctypes.c_char.from_buffer(memory.data)) % LINE
    return np.ndarray(shape, dtype, memory, start, order=order)


def maker(shape: tuple[int, ...], dtype: np.dtype) -> Callable[[], np.ndarray]:
    """Return the function that makes new arrays for products, not filled.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype

    Returns
    -------
    callable
        Its arrays are C-contiguous. Large ones begin with a line of the cache.

    Examples
    --------
    >>> maker((300, 300), np.dtype("f8"))().ctypes.data % LINE
    0
    """
    small = math.prod(shape) * dtype.itemsize < LEAST_BYTES
    return functools.partial(np.empty if small else aligned, shape, dtype)
