"""Arrays that begin where a line of the cache does, and rows that do not.

A vector of 64 bytes that is parts of two lines is read twice. Most arrays of NumPy
begin 16 bytes after a line.
"""

import numpy as np

from ._jit import kernel

LINE = 64
"""Bytes of a line of the cache."""


@kernel
def on_lines(size, like):
    """Return a new array, of the dtype of another one, that begins with a line."""
    memory = np.empty(size + LINE // like.itemsize, like.dtype)
    first = np.int64(-memory.ctypes.data % LINE // like.itemsize)
    return memory[first : first + size]


@kernel
def is_split(x, distance):
    """Return whether rows of an array, some entries apart, do not begin with lines."""
    return x.ctypes.data % LINE != 0 or distance * x.itemsize % LINE != 0
