"""Parallel twins: the work of a serial kernel, shared among threads.

Each does what the serial kernel does, in the same order, so that results are equal to
the last bit. Where Numba's threading layer is "workqueue" (neither TBB nor OpenMP is
installed), two threads of the caller must not run such a kernel at the same time,
because Numba then ends the process. The caller says into how many parts the work is
divided, usually ``numba.get_num_threads()``, because a kernel that asked itself could
not be cached.

The gains below were measured with two threads on two cores of a Zen 4 that others used
too, in float32 at batch 256. They are ratios of the least of many times with the
threads awake, as printed by ``OMP_WAIT_POLICY=active python benchmarks/parallel.py
float32 1024 256 8``, and with 4096 for 1024. Threads that have to be woken first gain
at larger sizes. No twin of a butterfly was shown to pay: 0.86 (n = 1024) and 1.34
(4096) times the speed in float32, where columns are copied to be multiplied apart; 1.08
times in complex128 (4096), but few of those samples had both cores.
"""

import numpy as np

from ._jit import kernel, prange
from .kronecker_columns import multiply_chain_tiles
from .nearest_search import PackedCenters, search_tiles
from .registers import BYTES, hadamard_tile
from .tiles import LANES
from .walsh_hadamard import entries_of_tile, transform_blocks


@kernel
def _bounds(index, count, size, unit):
    """Return the bounds of part `index` of range(size), divided into `count` parts.

    Bounds are multiples of unit, but for the end of the last part.
    """
    units, i = (size + unit - 1) // unit, np.intp(index)
    start, stop = units * i // count, units * (i + 1) // count
    return min(start * unit, size), min(stop * unit, size)


@kernel(parallel=True)
def kronecker_chain_apply_columns_parallel(
    values: np.ndarray,
    layout: np.ndarray,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Do as `kronecker_chain_apply_columns`, with columns shared among threads.

    Parameters
    ----------
    values, layout, x, out : ndarray
        As in `kronecker_chain_apply_columns`, under the same preconditions.
    scratch : ndarray, shape (count, 2, r, tile)
        The scratch of each of the ``count`` parts that the columns are divided into, at
        multiples of tile; overwritten.

    Notes
    -----
    For chains of (a, 4, 4, d) and tile 64 it is 1.87 times as fast for n = 1024, and
    2.0 times for 4096; in complex128 at least 1.4 times.
    """
    count, tile = scratch.shape[0], scratch.shape[3]
    for i in prange(count):
        start, stop = _bounds(i, count, x.shape[1], tile)
        multiply_chain_tiles(values, layout, x, scratch[i], out, start, stop)


@kernel
def _transform_part(x, n, start, stop):
    """Transform each n entries of x[start:stop]."""
    transform_blocks(x[start:stop], n, entries_of_tile(x, n), True)


@kernel(parallel=True)
def fwht_rows_parallel(x: np.ndarray, count: int) -> None:
    """Do as `fwht_rows`, with rows shared among threads.

    Parameters
    ----------
    x : ndarray, shape (batch, n), C-contiguous
        Transformed in place. n has to be a power of two, as in `fwht_rows`.
    count : int
        The number of parts that the rows are divided into, at least 1.

    Notes
    -----
    It is 1.8 times as fast for n = 1024, and 2.0 times for 4096.
    """
    batch, n = x.shape
    flat = x.reshape(x.size)
    for i in prange(count):
        start, stop = _bounds(i, count, batch, 1)
        _transform_part(flat, n, start * n, stop * n)


@kernel
def _eighths(x, start, stop):
    """Apply the last three levels to entries start to stop - 1 of each eighth of x."""
    width, stride = BYTES // x.itemsize, x.size // 8
    wide = stop - (stop - start) % width
    for i in range(start, wide, width):
        hadamard_tile(x, i, stride, 8, True, False)
    for i in range(wide, stop):
        hadamard_tile(x, i, stride, 8, False, False)


@kernel
def _part(x, index, base, last):
    """Apply some levels to one of eight parts of x.

    They are the last three levels, for an eighth of the places, where `last` is true;
    else all levels before, for an eighth of x.
    """
    size = x.size // 8
    if last:
        start, stop = _bounds(index, 8, size, BYTES)
        _eighths(x, start, stop)
    else:
        start = size * np.intp(index)
        transform_blocks(x[start : start + size], size, base, False)


@kernel(parallel=True)
def fwht_columns_parallel(x: np.ndarray) -> None:
    """Do as `fwht_columns`, in eight parts that are shared among threads.

    Parameters
    ----------
    x : ndarray, shape (n, batch), C-contiguous
        Transformed in place. n has to be a power of two and at least 8, and batch at
        least 2.

    Notes
    -----
    It is 1.8 times as fast for n = 1024, and 2.0 times for 4096.
    """
    flat = x.reshape(x.size)
    for stage in range(2):
        for i in prange(8):
            _part(flat, i, x.shape[1], stage == 0)


@kernel(parallel=True)
def nearest_rows_parallel(
    centers: PackedCenters,
    x: np.ndarray,
    scratch: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Do as `nearest_rows`, with tiles of points shared among threads.

    Parameters
    ----------
    centers, x, labels, scores
        As in `nearest_rows`, under the same preconditions.
    scratch : ndarray, shape (count, 2, LANES / itemsize * r)
        The scratch of each of the ``count`` parts that the points are divided into;
        overwritten.

    Notes
    -----
    It is 1.9 times as fast for 4096 points and K = D = 256 or 1024, also with threads
    that have to be woken first.
    """
    count, tile = scratch.shape[0], LANES // x.itemsize
    for i in prange(count):
        start, stop = _bounds(i, count, x.shape[0], tile)
        search_tiles(centers, x, scratch[i], labels, scores, start, stop)
