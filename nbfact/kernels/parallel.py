"""Parallel twins: the work of a serial kernel, shared among threads.

Each does what the serial kernel does, in the same order: results are equal to the last
bit. Where Numba's threading layer is "workqueue" (neither TBB nor OpenMP), two threads
of the caller must not run one at once: it ends the process. `count` parts of the work
are usually `numba.get_num_threads()`; a kernel that asked itself could not be cached.

Gains: two threads on two cores of a Zen 4 that others used too, float32, batch 256,
least times of many with the threads awake, printed by ``OMP_WAIT_POLICY=active python
benchmarks/parallel.py float32 1024 256 8``, and 4096 for 1024. Threads that must be
woken gain later. No twin of a butterfly was shown to pay: 0.86 (n = 1024) and 1.34
(4096) of the speed in float32, where columns are copied to be multiplied apart; 1.08
in complex128 (4096), but hardly a sample of it had two cores.
"""

import numpy as np

from ._jit import kernel, prange
from .kronecker_columns import _chain_tiles
from .nearest_search import _nearest_tiles
from .tiles import LANES
from .walsh_hadamard import BYTES, _base, _transform, hadamard_tile


@kernel
def _bounds(index, count, size, unit):
    """Bounds of a part of range(size) in count parts, at multiples of unit."""
    units, i = (size + unit - 1) // unit, np.intp(index)
    start, stop = units * i // count, units * (i + 1) // count
    return min(start * unit, size), min(stop * unit, size)


@kernel(parallel=True)
def kronecker_chain_apply_columns_parallel(values, layout, x, scratch, out):
    """`kronecker_chain_apply_columns`, tiles of columns shared among threads.

    scratch: (count, 2, largest number of rows, tile). (a, 4, 4, d), tile 64: 1.87 times
    as fast for n = 1024, 2.0 for 4096; complex128 at least 1.4.
    """
    count, tile = scratch.shape[0], scratch.shape[3]
    for i in prange(count):
        start, stop = _bounds(i, count, x.shape[1], tile)
        _chain_tiles(values, layout, x, scratch[i], out, start, stop)


@kernel
def _rows(x, n, start, stop):
    """Transform each n entries of x[start:stop]."""
    _transform(x[start:stop], n, _base(x, n), True)


@kernel(parallel=True)
def fwht_rows_parallel(x, count):
    """`fwht_rows`, rows shared among threads.

    1.8 times as fast for n = 1024, 2.0 for 4096.
    """
    batch, n = x.shape
    flat = x.reshape(x.size)
    for i in prange(count):
        start, stop = _bounds(i, count, batch, 1)
        _rows(flat, n, start * n, stop * n)


@kernel
def _eighths(x, start, stop):
    """Last three levels of x, of entries start to stop of each eighth."""
    width, stride = BYTES // x.itemsize, x.size // 8
    wide = stop - (stop - start) % width
    for i in range(start, wide, width):
        hadamard_tile(x, i, stride, 8, True, False)
    for i in range(wide, stop):
        hadamard_tile(x, i, stride, 8, False, False)


@kernel
def _part(x, index, base, last):
    """Last three levels of an eighth of the places, or the others of an eighth of x."""
    size = x.size // 8
    if last:
        start, stop = _bounds(index, 8, size, BYTES)
        _eighths(x, start, stop)
    else:
        start = size * np.intp(index)
        _transform(x[start : start + size], size, base, False)


@kernel(parallel=True)
def fwht_columns_parallel(x):
    """`fwht_columns` in eight parts; x: (n, batch), n >= 8, batch >= 2.

    1.8 times as fast for n = 1024, 2.0 for 4096.
    """
    flat = x.reshape(x.size)
    for stage in range(2):
        for i in prange(8):
            _part(flat, i, x.shape[1], stage == 0)


@kernel(parallel=True)
def nearest_rows_parallel(
    data, indices, indptr, rows, bias, blocks, x, scratch, labels, scores
):
    """`nearest_rows`, tiles of points shared among threads.

    scratch: (count, 2, entries of a tile). 1.9 times as fast for 4096 points and K = D
    = 256 or 1024, with threads that must be woken, too.
    """
    count, tile = scratch.shape[0], LANES // x.itemsize
    for i in prange(count):
        start, stop = _bounds(i, count, x.shape[0], tile)
        _nearest_tiles(
            data, indices, indptr, rows, bias, blocks,
            x, scratch[i], labels, scores, start, stop,
        )  # fmt: skip
