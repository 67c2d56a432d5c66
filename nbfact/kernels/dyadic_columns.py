"""Products of columns with a dyadic butterfly; `dyadic.py` explains its values.

Real columns go through two levels in each pass over the whole matrix, in place. Complex
columns are split into two planes, real and imaginary parts, and go through a group of
levels at a time on rows that stay in cache. Numbers in comments: Zen 4 with 1 MiB of
L2, one thread.
"""

from typing import NamedTuple

import numpy as np

from ._jit import REASSOC, kernel, kernel_of_kind

CACHED = 2**19
"""Bytes of the rows that a group of complex levels works on: half of an L2 cache of
1 MiB, so that they stay in it."""

TILE = 256
"""Number of complex columns that go through the levels together."""

PAD = 8
"""Unused columns after each row of the planes. Without them rows whose length is a
power of two would compete for the same lines of the cache."""


class RowGroup(NamedTuple):
    """The rows that a group of complex levels mixes, all numbers unsigned.

    Row chunk * m + l of the planes is row first + l + step * (m + count * high) of the
    matrix, where count = ``n_chunks``, m < count and l < chunk; ``step`` is the stride
    of the first level of the group.
    """

    first: int | np.unsignedinteger
    step: int | np.unsignedinteger
    high: int | np.unsignedinteger
    chunk: int | np.unsignedinteger
    n_chunks: int | np.unsignedinteger


class Planes(NamedTuple):
    """Real parts and imaginary parts of a tile of complex columns."""

    re: np.ndarray
    im: np.ndarray


@kernel
def _block(t, i, adjoint):
    """Return the four entries of block i of a level, or of its conjugate transpose.

    t: (2, 2, n / 2).
    """
    if adjoint:
        t00, t11 = np.conj(t[0, 0, i]), np.conj(t[1, 1, i])
        return t00, np.conj(t[1, 0, i]), np.conj(t[0, 1, i]), t11
    return t[0, 0, i], t[0, 1, i], t[1, 0, i], t[1, 1, i]


@kernel
def _one_level(t, x, adjoint):
    """Apply the level of stride 1, in place; t: (2, 2, n / 2), x: (n, batch)."""
    for i in range(x.shape[0] // 2):
        t00, t01, t10, t11 = _block(t, i, adjoint)
        x0, x1 = x[2 * i], x[2 * i + 1]
        for j in range(x.shape[1]):
            p, q = x0[j], x1[j]
            x0[j] = t00 * p + t01 * q
            x1[j] = t10 * p + t11 * q


@kernel
def _two_levels(t0, t1, stride, x, adjoint):
    """Apply the levels of stride and 2 * stride, or their adjoint, in place.

    t0, t1: (2, 2, n / 2), x: (n, batch). Each row is read and written once for both
    levels: blocks a, b mix rows (0, 1), (2, 3), then blocks c, d mix rows (0, 2),
    (1, 3). The adjoint is the same with the two levels, and rows 1 and 2, exchanged.

    Places are unsigned and the low rows are innermost: LLVM then checks once for all of
    them that the four rows do not overlap (n = 4096, batch 256: 1.3x faster than with
    signed places). Tiles of columns in a scratch of their own were slower at all sizes
    up to n = 16384.
    """
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    n_blocks = np.uintp(x.shape[0]) // (four * stride)
    for high in range(n_blocks):
        for low in range(stride):
            i, p = low * n_blocks + high, four * stride * high + low
            x0, x1 = x[p], x[p + stride]
            x2, x3 = x[p + two * stride], x[p + three * stride]
            a, b = _block(t0, two * i, adjoint), _block(t0, two * i + one, adjoint)
            c, d = _block(t1, i, adjoint), _block(t1, i + stride * n_blocks, adjoint)
            if adjoint:
                x1, x2, a, b, c, d = x2, x1, c, d, a, b
            (a00, a01, a10, a11), (b00, b01, b10, b11) = a, b
            (c00, c01, c10, c11), (d00, d01, d10, d11) = c, d
            for j in range(x.shape[1]):
                p0, p1 = a00 * x0[j] + a01 * x1[j], a10 * x0[j] + a11 * x1[j]
                p2, p3 = b00 * x2[j] + b01 * x3[j], b10 * x2[j] + b11 * x3[j]
                x0[j], x2[j] = c00 * p0 + c01 * p2, c10 * p0 + c11 * p2
                x1[j], x3[j] = d00 * p1 + d01 * p3, d10 * p1 + d11 * p3


@kernel
def _all_levels(twiddle, x, adjoint):
    """Apply all levels, or their adjoint, two by two and in place.

    twiddle: (L, 2, 2, n / 2), x: (n, batch), both real.
    """
    n_levels = twiddle.shape[0]
    odd = n_levels % 2
    if odd == 1 and not adjoint:
        _one_level(twiddle[0], x, adjoint)
    for pair in range(n_levels // 2):
        level = n_levels - 2 - 2 * pair if adjoint else odd + 2 * pair
        t0, t1 = twiddle[level], twiddle[level + 1]
        _two_levels(t0, t1, np.uintp(1) << np.uintp(level), x, adjoint)
    if odd == 1 and adjoint:
        _one_level(twiddle[0], x, adjoint)


@kernel(fastmath=REASSOC)
def _one_level_planes(t, group, q, planes, width, adjoint):
    """Apply level q of a group to its rows, in place.

    t: (2, 2, n / 2), complex; group: a `RowGroup`; planes: (rows, columns) each, of
    which the first `width` columns are in use. Two levels in each pass, with 64
    coefficients, were 1.3 to 1.6x slower at batch 16.
    """
    re, im = planes.re, planes.im
    first, step, high, chunk, count = group
    one = np.uintp(1)
    stride, n_blocks = chunk << q, count >> (q + one)
    n_high = np.uintp(t.shape[2]) // (step << q)
    log_chunk = _log2(chunk)
    for h in range(n_blocks):
        for r in range(stride):
            low = first + (r & (chunk - one)) + step * (r >> log_chunk)
            t0, t1, t2, t3 = _block(t, low * n_high + high * n_blocks + h, adjoint)
            p = (stride << one) * h + r
            x0, x1, y0, y1 = re[p], re[p + stride], im[p], im[p + stride]
            for j in range(width):
                a, b, c, d = x0[j], y0[j], x1[j], y1[j]
                x0[j] = t0.real * a - t0.imag * b + t1.real * c - t1.imag * d
                y0[j] = t0.real * b + t0.imag * a + t1.real * d + t1.imag * c
                x1[j] = t2.real * a - t2.imag * b + t3.real * c - t3.imag * d
                y1[j] = t2.real * b + t2.imag * a + t3.real * d + t3.imag * c


@kernel
def _log2(n):
    """Return the exponent of a power of two; both are unsigned."""
    log = np.uintp(0)
    while n >> log > np.uintp(1):
        log += np.uintp(1)
    return log


@kernel
def _group_levels(twiddle, group, x, columns, out, planes, adjoint):
    """Apply the levels of a group to its rows: read them, mix them, write them.

    twiddle: the levels of the group, one for each doubling of its chunks; x, out: (n,
    2 * batch), real views of complex matrices; columns: the first column of the tile
    and the number of columns; planes: (rows, columns) each, overwritten.
    """
    re, im = planes.re, planes.im
    first, step, high, chunk, count = group
    start, width = columns
    first += step * count * high
    one = np.uintp(1)
    for m in range(count):
        for r in range(chunk):
            a, b = re[chunk * m + r], im[chunk * m + r]
            source = x[first + step * m + r]
            for j in range(width):
                k = (start + j) << one
                a[j], b[j] = source[k], source[k + one]
    n_levels = _log2(count)
    for k in range(n_levels):
        q = n_levels - one - k if adjoint else k
        _one_level_planes(twiddle[q], group, q, planes, width, adjoint)
    for m in range(count):
        for r in range(chunk):
            a, b = re[chunk * m + r], im[chunk * m + r]
            target = out[first + step * m + r]
            for j in range(width):
                k = (start + j) << one
                target[k], target[k + one] = a[j], b[j]


@kernel
def _complex_tile(twiddle, x, start, stop, out, adjoint):
    """Multiply complex columns start to stop, by groups of levels.

    The rows of a group stay in cache while all its levels are applied to them.
    """
    n, n_levels, one = np.uintp(x.shape[0]), np.uintp(twiddle.shape[0]), np.uintp(1)
    width = np.uintp(stop) - start
    log_rows = np.uintp(3)
    row_bytes = width * np.uintp(x.itemsize)
    while one << log_rows < n and (row_bytes << (log_rows + one)) <= CACHED:
        log_rows += one
    n_groups = (n_levels + log_rows - one) // log_rows
    size = (n_levels + n_groups - one) // n_groups
    re = np.empty((one << log_rows, width + np.uintp(PAD)), twiddle.real.dtype)
    planes, columns = Planes(re, np.empty_like(re)), (start, width)
    source, target = x.view(re.dtype), out.view(re.dtype)
    for g in range(n_groups):
        begin = size * (n_groups - one - g if adjoint else g)
        depth = min(size, n_levels - begin)
        step, count = one << begin, one << depth
        chunk = min(step, one << (log_rows - depth))
        n_low = step // chunk
        levels = twiddle[begin : begin + depth]
        for b in range(n // (chunk * count)):
            group = RowGroup((b % n_low) * chunk, step, b // n_low, chunk, count)
            _group_levels(levels, group, source, columns, target, planes, adjoint)
        source = target


@kernel
def _copy(x, out):
    """Copy x to out; both (n, batch)."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j]


@kernel_of_kind("c")
def _complex_columns(twiddle, x, out, adjoint):
    """Multiply complex columns, a tile of columns at a time.

    adjoint: 0 or 1, unsigned, and not a literal. Numba compiles a callee again for each
    literal: the real loops need that (without it they are 3x slower at batch 16), but
    here it would add 2 s to the compilation of the adjoint, for nothing.
    """
    for start in range(0, x.shape[1], TILE):
        stop = min(start + TILE, x.shape[1])
        _complex_tile(twiddle, x, np.uintp(start), stop, out, adjoint)


@kernel_of_kind("f")
def _real_columns(twiddle, x, out, adjoint):
    """Multiply real columns."""
    _copy(x, out)
    _all_levels(twiddle, out, adjoint)


@kernel
def _read(x, begin, out):
    """Copy the columns of x from `begin` on to out; x: (n, batch), out: (n, width)."""
    for i in range(out.shape[0]):
        source, target = x[i, begin : begin + out.shape[1]], out[i]
        for j in range(target.shape[0]):
            target[j] = source[j]


@kernel
def _write(x, out, begin):
    """Copy x to the columns of out from `begin` on; x: (n, width), out: (n, batch)."""
    for i in range(x.shape[0]):
        source, target = x[i], out[i, begin : begin + x.shape[1]]
        for j in range(source.shape[0]):
            target[j] = source[j]


@kernel
def _complex_range(twiddle, x, out, begin, end, adjoint):
    """Multiply the complex columns begin to end - 1, as `_complex_columns` does."""
    for start in range(begin, end, TILE):
        stop = min(start + TILE, end)
        _complex_tile(twiddle, x, np.uintp(start), stop, out, adjoint)


@kernel
def _real_range(twiddle, x, scratch, out, begin, end, adjoint):
    """Multiply the real columns begin to end - 1, a tile at a time, in scratch."""
    n, tile = scratch.shape
    flat = scratch.ravel()
    for start in range(begin, end, tile):
        width = min(tile, end - start)
        columns = flat[: n * width].reshape(n, width)
        _read(x, start, columns)
        _all_levels(twiddle, columns, adjoint)
        _write(columns, out, start)


@kernel
def apply_column_range(twiddle, x, scratch, out, begin, end):
    """Do as `butterfly_apply_columns` for the columns begin to end - 1.

    scratch: (n, tile), overwritten. Other columns of out are not touched.
    """
    if np.iscomplexobj(x):
        _complex_range(twiddle, x, out, begin, end, np.uintp(0))
    else:
        kind = x.real.dtype
        y, z = x.view(kind), out.view(kind)
        _real_range(twiddle.view(kind), y, scratch.view(kind), z, begin, end, False)


@kernel
def adjoint_column_range(twiddle, x, scratch, out, begin, end):
    """Do as `apply_column_range` by the adjoint, as `butterfly_adjoint_columns`."""
    if np.iscomplexobj(x):
        _complex_range(twiddle, x, out, begin, end, np.uintp(1))
    else:
        kind = x.real.dtype
        y, z = x.view(kind), out.view(kind)
        _real_range(twiddle.view(kind), y, scratch.view(kind), z, begin, end, True)


@kernel
def butterfly_apply_columns(
    twiddle: np.ndarray, x: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of a dyadic butterfly with the columns of a matrix.

    Parameters
    ----------
    twiddle : ndarray, shape (L, 2, 2, n / 2), with n = 2**L and L at least 1
        The blocks as `butterfly_pack` writes them; level 0, of stride 1, is applied
        first. Only read. All arrays have one dtype and are C-contiguous.
    x : ndarray, shape (n, batch)
        Only read, unless it is out.
    out : ndarray, shape (n, batch)
        Overwritten with the product. It may be x itself, but not overlap with it
        otherwise.

    Notes
    -----
    The cost is 2 n log2(n) multiplications for each column.
    """
    _complex_columns(twiddle, x, out, np.uintp(0))
    _real_columns(twiddle, x, out, False)


@kernel
def butterfly_adjoint_columns(
    twiddle: np.ndarray, x: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of the adjoint of a dyadic butterfly with columns.

    Parameters
    ----------
    twiddle, x, out : ndarray
        As in `butterfly_apply_columns`, of the same shapes; out may be x. The adjoint
        is the conjugate transpose.

    Notes
    -----
    The cost is 2 n log2(n) multiplications for each column.
    """
    _complex_columns(twiddle, x, out, np.uintp(1))
    _real_columns(twiddle, x, out, True)
