"""The expected time of a product with a factor that has large blocks.

`nbfact/operators/plan.py` compares it with the time of other kernels. The constants are
fitted to the rows of kind "blocks" that ``nbfact study rates`` prints.
"""

import math

import numpy as np

from ..kernels.panels import lanes_of, panel_of
from .patterns import Pattern, shape_of

CALL = 500.0
"""Time of one call of a kernel, in nanoseconds."""
BLOCK_CALL, TURNED_CALL = 2500.0, 3300.0
"""Time of a call for columns, which stands between other steps: they hand arrays on.
The second one is that for a few columns, which are turned to rows."""

BLOCK_VECTOR = {"f": 0.05, "d": 0.1, "F": 0.07, "D": 0.2}
BLOCK_COLUMN = {"f": 0.0175, "d": 0.036, "F": 0.07, "D": 0.145}
"""Nanoseconds for a value, and for a value and column, by the letter of the dtype, with
all data in the cache of a Zen 4 processor; those of complex numbers are what the ratios
to BLAS on an Intel processor say. Values that fill the last vector or panel of a block
count too."""
BLOCK_GROUP, BLOCK_TILE = 36.0, 23.0
"""Time of a group of vectors of values, and of a panel and a vector of columns."""
BLOCK_SPREAD, BLOCK_TURNED = 1.2, 0.7
"""Time of an entry of a product that is scattered, or copied from a panel that is not
full; and of an entry of few columns that are turned to rows, or back."""
BLAS_READ = {"f": 0.05, "d": 0.05, "F": 0.55, "D": 0.5}
BLAS_COLUMN = {"f": 0.0135, "d": 0.028, "F": 0.1, "D": 0.22}
BLAS_LARGE, LARGE = {"f": 0.021, "d": 0.042, "F": 0.1, "D": 0.22}, 10**6
"""Rates of BLAS for each value, for each value and column, and for these where a block
takes more than `LARGE` multiplications, which OpenBLAS copies first; by the letter of
the dtype. They fit the ratios to our panels on an Intel processor."""
BLAS_NARROW, NARROW = {"f": 0.012, "d": 0.015, "F": 0.0, "D": 0.0}, 8
"""How much more BLAS takes for each value and column, up to a number of columns."""
BLAS_SMALL = 2.0
"""How much more a complex value takes in small blocks, over their order."""
BLAS_MOVED = {"f": 0.009, "c": 0.055}
"""Time for each byte of the columns that a block reads and writes, by the kind of the
dtype."""
ALIASED, SHORT, ALIASED_TIMES = 4096, 128, 3.0
"""Rows of x that are a multiple of `ALIASED` bytes apart compete for the same lines of
the cache. BLAS, which reads small matrices in place, then takes up to three times as
long, unless rows are longer than `SHORT` bytes."""
BLAS_CALLS, BLAS_BLOCK = 1500.0, {"f": 45.0, "c": 150.0}
"""Time of the call of a kernel that calls BLAS, and of a block, besides its values, by
the kind of the dtype."""
FROM_MEMORY, BLAS_MEMORY = 1 << 23, 0.1
"""Bytes of values from which on they come from memory in each product, and time of a
byte that BLAS reads then for columns: it waits for each block."""
CACHED, MEMORY = 1 << 19, 0.04
"""Bytes of values that stay in the second level of cache, and time of reading a byte of
others."""

MOVED = {1 << 17: 0.018, 1 << 20: 0.012}
"""Bytes of vectors and of their products that stay in the first level of cache, and in
the second one, and how much longer each byte of others takes. They fit chains of rank 2
and of radix 8, cut in all ways, on an Intel processor."""


def blocks_cost(pattern: Pattern, dtype: np.dtype, batch: int) -> float:
    """Return the expected time of one factor with large blocks, in nanoseconds.

    Parameters
    ----------
    pattern : (a, b, c, d)
    dtype : numpy.dtype
    batch : int
        Number of columns; 1 for a vector.
    """
    own = _panels_cost(pattern, np.dtype(dtype), batch)
    if batch == 1:
        return own
    return min(own, _blas_cost(pattern, np.dtype(dtype), batch))


def blas_is_cheaper(pattern: Pattern, dtype: np.dtype, batch: int) -> bool:
    """Return whether BLAS is to multiply columns rather than our own panels.

    Parameters are those of `blocks_cost`.
    """
    own = _panels_cost(pattern, dtype, batch)
    return batch > 1 and _blas_cost(pattern, dtype, batch) < own


def _blas_cost(pattern, dtype, batch):
    """Return the time of BLAS, which multiplies several columns block by block."""
    a, b, c, d = pattern
    letter, line = dtype.char, batch * dtype.itemsize
    rates = BLAS_COLUMN if b * c * batch <= LARGE else BLAS_LARGE
    found = BLAS_READ[letter] + rates[letter] * batch
    found += BLAS_NARROW[letter] * min(batch, NARROW)
    found *= math.prod(pattern)
    if dtype.kind == "c":
        found *= 1 + BLAS_SMALL / min(b, c)
    elif d > 1 and line <= SHORT and d * line % ALIASED == 0:
        found *= ALIASED_TIMES
    found += read_cost(pattern, dtype, BLAS_MEMORY if dtype.kind == "f" else MEMORY)
    found += (BLAS_BLOCK[dtype.kind] + BLAS_MOVED[dtype.kind] * (b + c) * line) * a * d
    return BLAS_CALLS + found


def _panels_cost(pattern, dtype, batch):
    """Return the time of our own kernels for large blocks."""
    (a, b, c, d), lanes = pattern, lanes_of(dtype)
    rows = panel_of(dtype, b)
    if batch == 1:
        return few_rows_cost(pattern, dtype, batch)
    if batch < lanes:
        turned = TURNED_CALL + BLOCK_TURNED * a * d * (b + c) * batch
        return few_rows_cost(pattern, dtype, batch) + turned
    found = read_cost(pattern, dtype)
    panels, vectors = a * d * -(-b // rows), -(-batch // lanes)
    rate = BLOCK_COLUMN[dtype.char]
    found += BLOCK_CALL + rate * panels * rows * c * vectors * lanes
    found += BLOCK_TILE * panels * vectors
    return found + BLOCK_SPREAD * a * d * (b % rows) * batch


def read_cost(pattern: Pattern, dtype: np.dtype, rate: float = MEMORY) -> float:
    """Return the time of reading values that do not stay in any cache, in nanoseconds.

    Parameters
    ----------
    pattern : (a, b, c, d)
    dtype : numpy.dtype
    rate : float
        Time of a byte.
    """
    size = math.prod(pattern) * dtype.itemsize
    return rate * size if size >= FROM_MEMORY else 0.0


def few_rows_cost(pattern: Pattern, dtype: np.dtype, batch: int) -> float:
    """Return the time of such a factor and a few rows, in nanoseconds.

    Parameters are those of `blocks_cost`.
    """
    return read_cost(pattern, dtype) + _rows_cost(pattern, dtype, batch)


def _rows_cost(pattern, dtype, batch):
    """Return the time of a factor with large blocks and a vector, or a few rows."""
    (a, b, c, d), lanes = pattern, lanes_of(dtype)
    spread = 0
    if d % lanes == 0:  # as `nbfact.operators.dense_blocks.pack_rows` packs them
        vectors, parts = b, a * (d // lanes)
    elif lanes % d == 0:
        vectors, parts = -(-b * d // lanes), a
        spread = BLOCK_SPREAD * a * (b * d % lanes)
    else:
        vectors, parts, spread = -(-b // lanes), a * d, BLOCK_SPREAD * a * b * d
    size, letter = 2 if dtype.kind == "c" else 4, dtype.char
    values, groups = parts * vectors * lanes * c, parts * -(-vectors // size)
    fours, others = divmod(batch, 4)
    alone = 1 if others and vectors >= size else others  # or as many are together
    found = CALL + BLOCK_GROUP * groups * (fours + alone) + spread * batch
    found += values * (4 * fours + others - alone) * BLOCK_COLUMN[letter]
    found += values * alone * BLOCK_VECTOR[letter]
    return found


def memory_cost(pattern: Pattern, replaced: int, dtype: np.dtype, batch: int) -> float:
    """Return the time of reading and writing what no cache, or no near one, holds.

    That are the vectors and their products, and the values that a fused factor has more
    than the factors that it replaces.

    Parameters
    ----------
    pattern : (a, b, c, d)
        That of the fused factor.
    replaced : int
        Number of values of the factors that it replaces.
    dtype : numpy.dtype
    batch : int
        Number of vectors.
    """
    itemsize, values = np.dtype(dtype).itemsize, math.prod(pattern)
    moved = sum(shape_of(pattern)) * batch * itemsize
    found = sum(rate * max(moved - size, 0) for size, rate in MOVED.items())
    if values * itemsize > CACHED:
        found += MEMORY * max(values - replaced, 0) * itemsize
    return found
