"""Products with a dyadic butterfly: log2(n) levels of 2x2 blocks.

The matrix is K[L-1] @ ... @ K[1] @ K[0] with n = 2**L; level l (stride s = 2**l)
mixes rows p and p + s, for every p whose bit l is 0, by

    [[twiddle[l, 0, 0, i], twiddle[l, 0, 1, i]],
     [twiddle[l, 1, 0, i], twiddle[l, 1, 1, i]]]

where i holds the other L - 1 bits of p, the low l bits of p first: with
p = 2 * s * high + low, i = low * (n // (2 * s)) + high. In this order every level
reads its values one after the other whatever its stride ("constant geometry", Pease
1968), so that the product with one vector vectorises at all strides.
`butterfly_pack` converts from the order of torch_butterfly.

Columns, real: two levels a pass over the whole block, in place. Columns, complex:
real and imaginary parts in two planes, a group of levels at a time on rows that stay
in cache. Numbers in comments: Zen 4 with 1 MiB of L2, one thread.
"""

import numpy as np

from ._jit import REASSOC, kernel

CACHED = 2**19  # bytes of the rows that a group of complex levels works on
TILE = 256  # columns of them
PAD = 8  # columns after each of these rows, against collisions at powers of two


@kernel
def butterfly_pack(values, out):
    """Reorder twiddles from torch_butterfly's order, increasing strides.

    values: (L, n / 2, 2, 2), entry high * s + low of a level; out: (L, 2, 2, n / 2).
    """
    half = values.shape[1]
    for level in range(values.shape[0]):
        stride = 2**level
        n_blocks = half // stride
        for high in range(n_blocks):
            for low in range(stride):
                for j in range(2):
                    for k in range(2):
                        value = values[level, high * stride + low, j, k]
                        out[level, j, k, low * n_blocks + high] = value


@kernel(fastmath=REASSOC)
def _level_up(t, x, out):
    """Apply one level and rotate: rows 2i, 2i+1 of x to rows i, i + n/2 of out.

    Two levels a pass read x half as often, but the twiddles in eight more streams:
    within 15% either way for real vectors of 256 to 8192, twice slower for complex.
    """
    half = x.shape[0] // 2
    t00, t01, t10, t11 = t[0, 0], t[0, 1], t[1, 0], t[1, 1]
    for i in range(half):
        a, b = x[2 * i], x[2 * i + 1]
        out[i] = t00[i] * a + t01[i] * b
        out[i + half] = t10[i] * a + t11[i] * b


@kernel(fastmath=REASSOC)
def _level_down(t, x, out):
    """Adjoint of `_level_up`: rows i, i + n/2 of x to rows 2i, 2i+1 of out."""
    half = x.shape[0] // 2
    t00, t01, t10, t11 = t[0, 0], t[0, 1], t[1, 0], t[1, 1]
    for i in range(half):
        a, b = x[i], x[i + half]
        out[2 * i] = np.conj(t00[i]) * a + np.conj(t10[i]) * b
        out[2 * i + 1] = np.conj(t01[i]) * a + np.conj(t11[i]) * b


@kernel
def butterfly_apply(twiddle, x, scratch, out):
    """Product with one vector.

    twiddle: (L, 2, 2, n / 2); x, scratch, out: (n,), distinct, n = 2**L, L >= 1.
    """
    n_levels = twiddle.shape[0]
    source = x
    for level in range(n_levels):
        target = out if (n_levels - level) % 2 == 1 else scratch
        _level_up(twiddle[level], source, target)
        source = target


@kernel
def butterfly_adjoint(twiddle, x, scratch, out):
    """Product of the adjoint with one vector; shapes as in `butterfly_apply`."""
    n_levels = twiddle.shape[0]
    source = x
    for level in range(n_levels - 1, -1, -1):
        target = out if level % 2 == 0 else scratch
        _level_down(twiddle[level], source, target)
        source = target


@kernel
def _block(t, i, adjoint):
    """Block i of a level, or its conjugate transpose; t: (2, 2, n / 2)."""
    if adjoint:
        t00, t11 = np.conj(t[0, 0, i]), np.conj(t[1, 1, i])
        return t00, np.conj(t[1, 0, i]), np.conj(t[0, 1, i]), t11
    return t[0, 0, i], t[0, 1, i], t[1, 0, i], t[1, 1, i]


@kernel
def _one_level(t, x, adjoint):
    """Level of stride 1 in place; t: (2, 2, n / 2), x: (n, batch)."""
    for i in range(x.shape[0] // 2):
        t00, t01, t10, t11 = _block(t, i, adjoint)
        x0, x1 = x[2 * i], x[2 * i + 1]
        for j in range(x.shape[1]):
            p, q = x0[j], x1[j]
            x0[j] = t00 * p + t01 * q
            x1[j] = t10 * p + t11 * q


@kernel
def _two_levels(t0, t1, stride, x, adjoint):
    """Levels of stride and 2 * stride in place, or their adjoint in reverse order.

    t0, t1: (2, 2, n / 2), x: (n, batch). Each row is read and written once for both:
    blocks a, b mix rows (0, 1), (2, 3), then blocks c, d mix rows (0, 2), (1, 3); the
    adjoint is the same with the two levels, and rows 1 and 2, exchanged.
    Unsigned places and low rows innermost: LLVM then checks once for all of them that
    the four rows do not overlap (n = 4096, batch 256: 1.3x faster than signed). Tiles
    of columns in a scratch of their own only lost, up to n = 16384.
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
    """All levels in place, two by two, or their adjoint; x: (n, batch), real."""
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
def _one_level_planes(t, place, q, re, im, width, adjoint):
    """Level q of a group, in place on its rows; t: (2, 2, n / 2), re, im: real.

    place: the rows' first low bits, step, high bits, chunk and count; row
    chunk * m + l of re and im is row first + l + step * (m + count * high) of x.
    Two levels a pass, 64 coefficients, were 1.3 to 1.6x slower at batch 16.
    """
    first, step, high, chunk, count = place
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
    """Exponent of a power of two, unsigned."""
    log = np.uintp(0)
    while n >> log > np.uintp(1):
        log += np.uintp(1)
    return log


@kernel
def _group(twiddle, begin, place, x, start, out, re, im, width, adjoint):
    """Levels from begin on, one for each doubling of count, on the rows of a place.

    x, out: (n, 2 * batch), real views, of which columns from start on; re, im: (rows,
    columns).
    """
    first, step, high, chunk, count = place
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
        _one_level_planes(twiddle[begin + q], place, q, re, im, width, adjoint)
    for m in range(count):
        for r in range(chunk):
            a, b = re[chunk * m + r], im[chunk * m + r]
            target = out[first + step * m + r]
            for j in range(width):
                k = (start + j) << one
                target[k], target[k + one] = a[j], b[j]


@kernel
def _complex_tile(twiddle, x, start, stop, out, adjoint):
    """Columns start to stop, complex: groups of levels on rows that stay in cache."""
    n, n_levels, one = np.uintp(x.shape[0]), np.uintp(twiddle.shape[0]), np.uintp(1)
    width = np.uintp(stop) - start
    log_rows = np.uintp(3)
    row_bytes = width * np.uintp(x.itemsize)
    while one << log_rows < n and (row_bytes << (log_rows + one)) <= CACHED:
        log_rows += one
    n_groups = (n_levels + log_rows - one) // log_rows
    size = (n_levels + n_groups - one) // n_groups
    re = np.empty((1 << log_rows, width + np.uintp(PAD)), twiddle.real.dtype)
    im = np.empty_like(re)
    source, target = x.view(re.dtype), out.view(re.dtype)
    for g in range(n_groups):
        begin = size * (n_groups - one - g if adjoint else g)
        depth = min(size, n_levels - begin)
        step, count = one << begin, one << depth
        chunk = min(step, one << (log_rows - depth))
        n_low = step // chunk
        for b in range(n // (chunk * count)):
            place = ((b % n_low) * chunk, step, b // n_low, chunk, count)
            _group(twiddle, begin, place, source, start, target, re, im, width, adjoint)
        source = target


@kernel
def _copy(x, out):
    """Copy x to out; both (n, batch)."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j]


@kernel
def _complex_columns(twiddle, x, out, adjoint):
    """All columns, a tile at a time. adjoint: 0 or 1, unsigned.

    Numba compiles for each literal: the real loops need it (without, 3x slower at batch
    16), here it would add 2 s to the compilation of the adjoint, for nothing.
    """
    for start in range(0, x.shape[1], TILE):
        stop = min(start + TILE, x.shape[1])
        _complex_tile(twiddle, x, np.uintp(start), stop, out, adjoint)


@kernel
def _real_columns(twiddle, x, out, adjoint):
    """All columns; real views, so that nothing compiles for complex."""
    kind = x.real.dtype
    _copy(x, out)
    _all_levels(twiddle.view(kind), out.view(kind), adjoint)


@kernel
def butterfly_apply_columns(twiddle, x, out):
    """Product with every column of a block.

    twiddle: (L, 2, 2, n / 2); x, out: (n, batch), C-contiguous; out may be x.
    """
    if np.iscomplexobj(x):
        _complex_columns(twiddle, x, out, np.uintp(0))
    else:
        _real_columns(twiddle, x, out, False)


@kernel
def butterfly_adjoint_columns(twiddle, x, out):
    """Product of the adjoint with every column; as `butterfly_apply_columns`."""
    if np.iscomplexobj(x):
        _complex_columns(twiddle, x, out, np.uintp(1))
    else:
        _real_columns(twiddle, x, out, True)
