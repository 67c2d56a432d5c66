"""The nearest of dense centers, whose products with a tile of points stay in registers.

BLAS writes all products before the smallest is looked for, and copies its operands for
that. Here a few rows at a time are multiplied by a tile of points and compared, and
only the smallest values leave: see `nearest_search`.
"""

from typing import NamedTuple

import numpy as np

from ._jit import kernel
from .nearest_search import read_tile, write_tile
from .tiles import LANES, NearestSoFar, compare_dense


class DenseCenters(NamedTuple):
    """Dense centers as `nearest_dense_rows` reads them.

    Attributes
    ----------
    data : ndarray, shape (K L,), real
        The rows times -2, on the L columns of all blocks, in groups of as many rows as
        ``ROWS`` of `nbfact.kernels.tiles` says: number j of row r of group g is at
        ``(g L + j) ROWS + r``. Rows of zeros fill the last group.
    bias : ndarray, shape (K,), of the dtype of data
        What is added to -2 <v, x>; infinity for the rows that fill the last group.
    blocks : ndarray of uint64, shape (n_blocks,)
        The columns of each block, as in `PackedCenters`. A column that is in two blocks
        counts in one, and is zero in the other. L is less than a block where points
        have fewer columns.
    offset : ndarray, shape (L,) or (0,), of the dtype of data
        What is subtracted from the points first; nothing where it is empty.
    margin : ndarray, shape (2,), of the dtype of data
        See `PackedCenters`; |x| is the norm less the offset.

    See Also
    --------
    nearest_dense_rows : The kernel that reads these arrays.
    nbfact.NearestRows : Packs the rows.

    Examples
    --------
    The bias of one center, and of the rows that fill its group:

    >>> import numpy as np, nbfact as nf
    >>> from nbfact.kernels.tiles import ROWS
    >>> bias = np.append(8.0, np.full(ROWS - 1, np.inf))
    >>> data = np.zeros((8, ROWS))
    >>> data[:, 0] = -2
    >>> rest = np.zeros(1, np.uint64), np.empty(0), np.zeros(2)
    >>> float(nf.kernels.DenseCenters(data.ravel(), bias, *rest).bias[0])
    8.0
    """

    data: np.ndarray
    bias: np.ndarray
    blocks: np.ndarray
    offset: np.ndarray
    margin: np.ndarray


@kernel
def _move_tile(offset, tile, norms):
    """Subtract a number from each row of a flat tile; overwrite the squared norms."""
    width, place = norms.shape[0], 0
    norms[:] = 0
    for j in range(offset.shape[0]):
        for i in range(width):
            value = tile[place + i] - offset[j]
            tile[place + i] = value
            norms[i] += value * value
        place += width


@kernel
def nearest_dense_rows(
    centers: DenseCenters,
    x: np.ndarray,
    scratch: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
) -> int:
    """Find for each point the row v of a matrix with the smallest bias - 2 <v, x>.

    Parameters
    ----------
    centers : DenseCenters
        The rows and the bias; only read. All numbers, here and below, have one dtype,
        float32 or float64.
    x : ndarray, shape (N, D)
        The points, finite and C-contiguous; only read.
    scratch : ndarray, shape (LANES / itemsize * rows,)
        One tile: ``LANES`` of `nbfact.kernels.tiles` is in bytes, and there are as many
        rows as columns of all blocks. Overwritten. It is fastest where it begins at a
        multiple of 64 bytes.
    labels : ndarray of int32, shape (N,)
        Overwritten with the number of the row; with the smallest one where several are
        equally near. A number r becomes ``~r``, which is negative, where the values of
        two rows are closer than the margin, or not finite.
    scores : ndarray, shape (N,)
        Overwritten with that smallest value, of x less the offset.

    Returns
    -------
    int
        Number of negative labels.

    See Also
    --------
    DenseCenters : What the rows are packed into.
    nearest_rows : The same for a product of sparse factors.

    Notes
    -----
    The cost is K D multiplications for each point.

    Examples
    --------
    The centers are 0 and 1, ..., 1, in eight columns:

    >>> import numpy as np, nbfact as nf
    >>> from nbfact.kernels.tiles import LANES, ROWS
    >>> data, bias = np.zeros((8, ROWS)), np.full(ROWS, np.inf)
    >>> data[:, 1], bias[:2] = -2, (0, 8)
    >>> rest = np.zeros(1, np.uint64), np.empty(0), np.zeros(2)
    >>> centers = nf.kernels.DenseCenters(data.ravel(), bias, *rest)
    >>> x, labels = np.full((2, 8), [[0.9], [0.2]]), np.empty(2, np.int32)
    >>> arrays = x, np.empty(LANES), labels, (scores := np.empty(2))
    >>> int(nf.kernels.nearest_dense_rows(centers, *arrays))
    0
    >>> labels, scores.round(6)
    (array([1, 0], dtype=int32), array([-6.4,  0. ]))
    """
    width, length = (
        np.uintp(LANES // x.itemsize),
        centers.data.size // centers.bias.size,
    )
    labelled, best = np.empty(width, np.int32), np.empty(width, x.dtype)
    second, norms = np.empty(width, x.dtype), np.empty(width, x.dtype)
    nearest, doubtful = NearestSoFar(best, labelled, second), 0
    for tile in range(np.uintp(0), np.uintp(x.shape[0]), width):
        end = min(tile + width, np.uintp(x.shape[0]))
        norms[:] = 0
        read_tile(centers.blocks, x, tile, end, norms, scratch)
        if centers.offset.shape[0] > 0:
            _move_tile(centers.offset, scratch, norms)
        compare_dense(centers.data, length, centers.bias, scratch, nearest)
        doubtful += write_tile(
            nearest, norms, centers.margin, labels[tile:end], scores[tile:end]
        )
    return doubtful
