"""The nearest of centers that are the rows of a product of sparse factors.

The squared distance of x to the center v is |x|² + |v|² - 2 <v, x>, so the nearest
center has the smallest bias - 2 <v, x>, with bias = |v|². A tile of points is
transposed into scratch and goes through all factors there, and only its smallest values
leave: the N × K values are never stored. Where rounding may have decided which of two
rows is nearer, the label says so.

The factors are packed in order of application, the last one times -2: see
`PackedCenters`. This file also holds the other half of an iteration of K-means, the
sums over the points of each cluster.
"""

from typing import Any, NamedTuple

import numpy as np

from ._jit import REASSOC, kernel
from .tiles import (
    LANES,
    POINTS,
    NearestSoFar,
    SparseEntries,
    compare_rows,
    multiply_rows,
    transpose_block,
)
from .vectors import BYTES


class PackedCenters(NamedTuple):
    """Centers as `nearest_rows` reads them: sparse factors, and a bias for each row.

    Attributes
    ----------
    data, indices, indptr : ndarray
        All factors in CSR form, one after the other in order of application (rightmost
        first), the last one times -2. data is of float32 or float64, indices and indptr
        are unsigned, and indptr (all rows + 1,) goes on from factor to factor.
    rows : ndarray of int64, shape (J,)
        Number of rows of each factor; the last one is K.
    bias : ndarray, shape (K,), of the dtype of data
        What is added to -2 <v, x>.
    blocks : ndarray of uint64, shape (n_blocks,)
        The columns of a point that the first factor reads. Block b is as many
        consecutive columns as 64 bytes hold, from blocks[b] on, and the indices of the
        first factor count the columns of all blocks, one block after the other.
    margin : ndarray, shape (2,), of the dtype of data
        Two values of a point x count as different where they differ by more than
        margin[0] + margin[1] |x|, with the norm of all that is read of a point: more
        than its own entries where a block has more columns than x.
    offset : ndarray, shape (L,) or (0,), of the dtype of data
        What is subtracted from the points first, on the L columns of all blocks;
        nothing where it is empty.

    See Also
    --------
    nearest_rows : The kernel that reads these arrays.
    nbfact.NearestRows : Packs any product of factors.

    Examples
    --------
    The two centers 0 and 1, ..., 1 of eight columns, as one factor times -2:

    >>> import numpy as np, nbfact as nf
    >>> data, indices, indptr = np.full(8, -2.0), np.arange(8), np.array([0, 0, 8])
    >>> csr = data, indices.astype(np.uint32), indptr.astype(np.uint32)
    >>> rest = np.array([2]), np.array([0.0, 8.0]), np.zeros(1, np.uint64), np.zeros(2)
    >>> nf.kernels.PackedCenters(*csr, *rest, np.empty(0)).bias
    array([0., 8.])
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    rows: np.ndarray
    bias: np.ndarray
    blocks: np.ndarray
    margin: np.ndarray
    offset: np.ndarray


@kernel
def read_tile(blocks, x, start, stop, norms, out):
    """Write the points start to stop - 1, at most `width`, transposed to a flat tile.

    Where there are fewer points than `width`, the last one is repeated, and entries are
    copied one by one. A block that has more columns than x is filled with entries of
    the points that follow, unless x ends there. The squared norms of the points, on all
    blocks, are added to norms, (width,), which are zero before.
    """
    width = np.uintp(norms.shape[0])
    size, columns = np.uintp(BYTES // x.itemsize), np.uintp(x.shape[1])
    flat, count = x.ravel(), min(size, columns)
    n_blocks = np.uintp(blocks.shape[0])
    last = (stop - np.uintp(1)) * columns + max(size, columns)
    if stop - start == width and last <= np.uintp(flat.shape[0]):
        # Few rows of x at once, so that the processor fetches them ahead.
        for i in range(np.uintp(0), width, min(size, np.uintp(POINTS))):
            point = (start + i) * columns
            for b in range(n_blocks):
                first, place = point + np.uintp(blocks[b]), b * size * width + i
                transpose_block(flat, first, columns, out, place, norms, i)
        if columns < size and n_blocks > 0:  # not the entries of the points that follow
            norms[:] = 0
            for j in range(columns):
                for i in range(width):
                    value = out[j * width + i]
                    norms[i] += value * value
    else:
        n_points, first = stop - start, start * columns
        for b in range(n_blocks):
            for j in range(count):
                column, place = np.uintp(blocks[b]) + j, (b * size + j) * width
                value = flat[first + column]
                for i in range(n_points):
                    value = flat[first + i * columns + column]
                    out[place + i] = value
                    norms[i] += value * value
                for i in range(n_points, width):
                    out[place + i] = value


@kernel
def move_tile(offset, tile, norms):
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
def search_tiles(centers, x, scratch, labels, scores, start, stop):
    """Do as `nearest_rows` for the points start to stop - 1."""
    indptr, rows, bias = centers.indptr, centers.rows, centers.bias
    entries = SparseEntries(centers.data, centers.indices)
    width, last = np.uintp(LANES // x.itemsize), rows.shape[0] - 1
    labelled, best = np.empty(width, np.int32), np.empty(width, x.dtype)
    second, norms = np.empty(width, x.dtype), np.empty(width, x.dtype)
    nearest, doubtful = NearestSoFar(best, labelled, second), 0
    # The next points are fetched while these are multiplied, part of a cache line with
    # each row. Where there are too few rows for it, the processor does better alone.
    points, length, between = x.ravel(), np.intp(x.shape[1]), np.intp(1)
    for j in range(last):
        between += rows[j]
    step = np.intp(width) * length // between + np.intp(1)
    step = step if step * x.itemsize <= BYTES else np.intp(0)
    for tile in range(np.uintp(start), np.uintp(stop), width):
        end = min(tile + width, np.uintp(stop))
        source, target = scratch[0], scratch[1]
        norms[:] = 0
        read_tile(centers.blocks, x, tile, end, norms, source)
        if centers.offset.shape[0] > 0:
            move_tile(centers.offset, source, norms)
        r, place = np.intp(0), np.intp(end) * length
        for j in range(last):
            ahead = (points, place + r * step, step)
            multiply_rows(entries, indptr, r, rows[j], source, target, ahead)
            r += rows[j]
            source, target = target, source
        compare_rows(entries, indptr, r, bias, source, nearest)
        doubtful += write_tile(
            nearest, norms, centers.margin, labels[tile:end], scores[tile:end]
        )
    return doubtful


@kernel
def write_tile(nearest, norms, margin, labels, scores):
    """Write the labels and scores of a tile; return how many rounding may have chosen.

    norms: (width,), the squared norms of the points.
    """
    doubtful = 0
    least, slope = np.float64(margin[0]), np.float64(margin[1])
    slope *= slope
    for i in range(labels.shape[0]):
        label, best = nearest.labels[i], nearest.best[i]
        low, high = np.float64(best) + least, np.float64(nearest.second[i])
        # Also where overflow has made a value infinite or no number.
        close = not (high > low and (high - low) ** 2 > slope * np.float64(norms[i]))
        labels[i], scores[i] = ~label if close else label, best
        doubtful += close
    return doubtful


@kernel
def nearest_rows(
    centers: PackedCenters,
    x: np.ndarray,
    scratch: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
) -> int:
    """Find for each point the row v of a product with the smallest bias - 2 <v, x>.

    Parameters
    ----------
    centers : PackedCenters
        The factors whose product has the centers as rows, and the bias; only read. All
        numbers, here and below, have one dtype, float32 or float64.
    x : ndarray, shape (N, D)
        The points, finite and C-contiguous; only read.
    scratch : ndarray, shape (2, LANES / itemsize * r)
        r is the largest number of rows of a tile, that is, of columns of all blocks
        together and of rows of a factor; ``LANES`` of `nbfact.kernels.tiles` is in
        bytes. Overwritten. It is fastest where each half begins at a multiple of 64
        bytes.
    labels : ndarray of int32, shape (N,)
        Overwritten with the number of the row; with the smallest one where several are
        equally near. A number r becomes ``~r``, which is negative, where the values of
        two rows are closer than the margin of `PackedCenters`, or not finite.
    scores : ndarray, shape (N,)
        Overwritten with that smallest value, of x less the offset. The squared distance
        is the square of its norm more, if the bias is |v|².

    Returns
    -------
    int
        Number of negative labels.

    See Also
    --------
    PackedCenters : What the centers are packed into.
    nbfact.NearestRows : Packs the centers, and decides where rows are equally near.

    Notes
    -----
    The cost is one multiplication for each entry of a factor and point.

    Examples
    --------
    The centers are 0 and 1, ..., 1, in eight columns:

    >>> import numpy as np, nbfact as nf
    >>> from nbfact.kernels.tiles import LANES
    >>> data, indices, indptr = np.full(8, -2.0), np.arange(8), np.array([0, 0, 8])
    >>> csr = data, indices.astype(np.uint32), indptr.astype(np.uint32)
    >>> rest = np.array([2]), np.array([0.0, 8.0]), np.zeros(1, np.uint64), np.zeros(2)
    >>> centers = nf.kernels.PackedCenters(*csr, *rest, np.empty(0))
    >>> scratch = np.empty((2, LANES))
    >>> x, labels = np.full((2, 8), [[0.9], [0.2]]), np.empty(2, np.int32)
    >>> int(nf.kernels.nearest_rows(centers, x, scratch, labels, scores := np.empty(2)))
    0
    >>> labels, scores.round(6)
    (array([1, 0], dtype=int32), array([-6.4,  0. ]))
    """
    return search_tiles(centers, x, scratch, labels, scores, 0, x.shape[0])


@kernel(fastmath=REASSOC)
def cluster_sums(
    x: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    origins: np.ndarray,
    sums: np.ndarray,
    counts: np.ndarray,
    energies: np.ndarray,
) -> None:
    """Add to each cluster its weighted points, their weights and their squared norms.

    Parameters
    ----------
    x : ndarray, shape (N, D), float32 or float64
        The points, C-contiguous; only read.
    labels : ndarray of int, shape (N,)
        The cluster of each point, from 0 to K - 1.
    weights : ndarray, shape (N,), real
        The weight of each point.
    origins : ndarray of float64, shape (K, D), C-contiguous
        What is subtracted from each point of a cluster first, so that sums keep their
        digits: the center o of the cluster, for example.
    sums : ndarray of float64, shape (K, D), C-contiguous
        The weighted sum of the points x - o of each cluster is added to its row.
    counts : ndarray of float64, shape (K,)
        The sum of the weights of each cluster is added.
    energies : ndarray of float64, shape (K,)
        The weighted sum of |x - o|² of each cluster is added.

    See Also
    --------
    nearest_rows : The labels of points.
    nbfact.QuicKMeans : The estimator.

    Notes
    -----
    The cost is 2 N D multiplications. All sums are in double precision, point by point
    in order. A cluster without points is left as it is.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, labels = np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1])
    >>> sums, counts, energies = np.zeros((2, 1)), np.zeros(2), np.zeros(2)
    >>> arrays = np.ones(3), np.zeros((2, 1)), sums, counts, energies
    >>> nf.kernels.cluster_sums(x, labels, *arrays)
    >>> sums.ravel(), counts, energies
    (array([4., 5.]), array([2., 1.]), array([10., 25.]))
    """
    p: Any  # NumPy's stubs take the sum of an unsigned and an int for a float
    q: Any
    columns = np.uintp(x.shape[1])
    flat, totals, centers = x.ravel(), sums.ravel(), origins.ravel()
    for i in range(np.uintp(x.shape[0])):
        label, weight = np.uintp(labels[i]), np.float64(weights[i])
        p, q, energy = i * columns, label * columns, 0.0
        for j in range(columns):
            value = np.float64(flat[p + j]) - centers[q + j]
            totals[q + j] += weight * value
            energy += value * value
        counts[label] += weight
        energies[label] += weight * energy
