"""The nearest of centres that are the rows of a product of sparse factors.

The squared distance of x to the centre v is |x|² + |v|² - 2 <v, x>: the nearest one has
the smallest bias - 2 <v, x>, with bias = |v|². A tile of points is transposed into
scratch, goes through all factors there, and only its smallest values leave: N × K of
them are never stored.

The factors are packed in order of application, the last one times -2: `data` and
`indices` (unsigned) one after the other, `indptr` (all rows + 1,) through them, and
`rows` (J,), the rows of each. The first one is of the columns that `blocks` names: a
block is as many consecutive columns as 64 bytes hold, from blocks[b] on.

Also here: sums over the points of each cluster, the other half of an iteration.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .registers import BYTES
from .tiles import LANES, compare_row, multiply_row, transpose_block


@kernel
def _read_tile(blocks, x, start, stop, width, out):
    """Write points start to stop, at most `width`, transposed to the flat tile out.

    Where there are fewer, the last one again; then, and where a block has more columns
    than x, entry by entry.
    """
    size, columns = np.uintp(BYTES // x.itemsize), np.uintp(x.shape[1])
    flat, count = x.ravel(), min(size, columns)
    n_blocks = np.uintp(blocks.shape[0])
    if stop - start == width and count == size:
        for i in range(np.uintp(0), width, size):  # few rows of x at once: prefetched
            point = (start + i) * columns
            for b in range(n_blocks):
                first, place = point + np.uintp(blocks[b]), b * size * width + i
                transpose_block(flat, first, columns, out, place, width)
    else:
        n_points, first = stop - start, start * columns
        for b in range(n_blocks):
            for j in range(count):
                column, place = np.uintp(blocks[b]) + j, (b * size + j) * width
                value = flat[first + column]
                for i in range(n_points):
                    value = flat[first + i * columns + column]
                    out[place + i] = value
                for i in range(n_points, width):
                    out[place + i] = value


@kernel
def _nearest_tiles(
    data, indices, indptr, rows, bias, blocks, x, scratch, labels, scores, start, stop
):
    """`nearest_rows` of points start to stop."""
    one, zero = np.uintp(1), data.dtype.type(0)
    width, last = np.uintp(LANES // x.itemsize), rows.shape[0] - 1
    nearest, best = np.empty(width, np.int32), np.empty(width, x.dtype)
    for tile in range(np.uintp(start), np.uintp(stop), width):
        end = min(tile + width, np.uintp(stop))
        source, target = scratch[0], scratch[1]
        _read_tile(blocks, x, tile, end, width, source)
        r = np.uintp(0)
        for j in range(last):
            for i in range(np.uintp(rows[j])):
                p, q = np.uintp(indptr[r]), np.uintp(indptr[r + one])
                multiply_row(data, indices, p, q, zero, source, target, i * width)
                r += one
            source, target = target, source
        for i in range(width):
            nearest[i], best[i] = 0, np.inf
        for i in range(np.uintp(rows[last])):
            p, q = np.uintp(indptr[r]), np.uintp(indptr[r + one])
            compare_row(
                data, indices, p, q, bias[i], source, best, nearest, np.int32(i)
            )
            r += one
        for i in range(end - tile):
            labels[tile + i], scores[tile + i] = nearest[i], best[i]


@kernel
def nearest_rows(data, indices, indptr, rows, bias, blocks, x, scratch, labels, scores):
    """For each point the row of the product with the smallest bias - 2 <row, x>.

    data, indices, indptr, rows, blocks: the packed factors (see above); bias: (K,);
    x: (N, D), C-contiguous; scratch: (2, LANES / itemsize times the most rows of a
    tile); labels: (N,) of int32, the smallest where several are; scores: (N,), that
    minimum. Quickest where scratch begins at a multiple of 64 bytes.
    """
    _nearest_tiles(
        data, indices, indptr, rows, bias, blocks,
        x, scratch, labels, scores, 0, x.shape[0],
    )  # fmt: skip


@kernel(fastmath=REASSOC)
def cluster_sums(x, labels, weights, origin, sums, counts, energies):
    """Add to each cluster its points, their number and squared norms, weighted.

    x: (N, D), C-contiguous; labels, weights: (N,); origin: (D,), taken from each point;
    sums: (K, D), counts, energies: (K,); origin and sums of float64.
    """
    columns = np.uintp(x.shape[1])
    flat, totals = x.ravel(), sums.ravel()
    for i in range(np.uintp(x.shape[0])):
        label, weight = np.uintp(labels[i]), np.float64(weights[i])
        p, q, energy = i * columns, label * columns, 0.0
        for j in range(columns):
            value = np.float64(flat[p + j]) - origin[j]
            totals[q + j] += weight * value
            energy += value * value
        counts[label] += weight
        energies[label] += weight * energy
