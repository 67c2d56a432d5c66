"""The expected time of a product with a factor that has large blocks.

`nbfact/operators/plan.py` compares it with the time of other kernels. The constants are
fitted to the rows of kind "blocks" that ``nbfact study rates`` prints.
"""

import math

import numpy as np

from ..kernels.panels import PANEL, lanes_of
from .patterns import Pattern

CALL = 500.0
"""Time of one call of a kernel, in nanoseconds."""
BLOCK_CALL = 2500.0
"""Time of a call for columns, which stands between other steps: they hand arrays on."""

BLOCK_VECTOR = (0.05, 0.1)
BLOCK_COLUMN = (0.0175, 0.036)
"""Nanoseconds for a value, and for a value and column, of float32 and float64, with all
data in the cache of a Zen 4 processor. Values that fill the last vector or panel of a
block count too."""
BLOCK_GROUP, BLOCK_TILE = 36.0, 23.0
"""Time of a group of vectors of values, and of a panel and a vector of columns."""
BLOCK_SPREAD, BLOCK_TURNED = 1.2, 0.7
"""Time of an entry of a product that is scattered, or copied from a panel that is not
full; and of an entry of few columns that are turned to rows, or back."""
BLAS_READ, BLAS_COLUMN = (0.6, 1.0), (0.1, 0.22)
"""Rates of such a factor, complex numbers: for each value, and for each value and
column."""
BLAS_MOVED = 0.055
"""Time for each byte of the complex columns that a block reads and writes."""
BLAS_VECTOR, BLAS_BLOCK = (0.16, 0.35), (60.0, 45.0)
"""Rates of such a factor and one complex vector; time of each complex block besides its
values, for a vector and for columns."""
BLAS = 4500.0
"""Time of a call of BLAS for all complex blocks, through NumPy."""


def blocks_cost(pattern: Pattern, dtype: np.dtype, batch: int) -> float:
    """Return the expected time of one factor with large blocks, in nanoseconds.

    Parameters
    ----------
    pattern : (a, b, c, d)
    dtype : numpy.dtype
    batch : int
        Number of columns; 1 for a vector.
    """
    dtype = np.dtype(dtype)
    a, b, c, d = pattern
    if dtype.kind == "c":
        place = dtype.itemsize // 16
        one, many = BLAS_BLOCK
        if batch == 1:
            return BLAS + BLAS_VECTOR[place] * math.prod(pattern) + one * a * d
        rate = BLAS_READ[place] + BLAS_COLUMN[place] * batch
        moved = BLAS_MOVED * dtype.itemsize * (b + c) * batch
        return BLAS + rate * math.prod(pattern) + (many + moved) * a * d
    place, lanes = dtype.itemsize // 8, lanes_of(dtype)
    if batch < lanes:
        return _few_rows_cost(pattern, place, lanes, batch)
    panels, vectors = a * d * -(-b // PANEL), -(-batch // lanes)
    found = BLOCK_CALL + BLOCK_COLUMN[place] * panels * PANEL * c * vectors * lanes
    found += BLOCK_TILE * panels * vectors
    return found + BLOCK_SPREAD * a * d * (b % PANEL) * batch


def _few_rows_cost(pattern, place, lanes, batch):
    """Return the time of a factor with large real blocks and a vector, or a few."""
    a, b, c, d = pattern
    spread = 0
    if d % lanes == 0:  # as `nbfact.operators.dense_blocks.pack_rows` packs them
        vectors, parts = b, a * (d // lanes)
    elif lanes % d == 0:
        vectors, parts = -(-b * d // lanes), a
    else:
        vectors, parts, spread = -(-b // lanes), a * d, BLOCK_SPREAD * a * b * d
    values, groups = parts * vectors * lanes * c, parts * -(-vectors // 4)
    fours, others = divmod(batch, 4)
    found = CALL + BLOCK_GROUP * groups * (fours + others) + spread * batch
    found += values * (4 * fours * BLOCK_COLUMN[place] + others * BLOCK_VECTOR[place])
    if batch == 1:
        return found
    return found + BLOCK_CALL + BLOCK_TURNED * a * d * (b + c) * batch
