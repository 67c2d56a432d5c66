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
"""

import numpy as np

from .._jit import kernel


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


@kernel
def _level_up(t00, t01, t10, t11, x, out):
    """Apply one level and rotate: rows 2i, 2i+1 of x to rows i, i + n/2 of out."""
    half = x.shape[0] // 2
    for i in range(half):
        a, b = x[2 * i], x[2 * i + 1]
        out[i] = t00[i] * a + t01[i] * b
        out[i + half] = t10[i] * a + t11[i] * b


@kernel
def _level_down(t00, t01, t10, t11, x, out):
    """Adjoint of `_level_up`: rows i, i + n/2 of x to rows 2i, 2i+1 of out."""
    half = x.shape[0] // 2
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
        t = twiddle[level]
        _level_up(t[0, 0], t[0, 1], t[1, 0], t[1, 1], source, target)
        source = target


@kernel
def butterfly_adjoint(twiddle, x, scratch, out):
    """Product of the adjoint with one vector; shapes as in `butterfly_apply`."""
    n_levels = twiddle.shape[0]
    source = x
    for level in range(n_levels - 1, -1, -1):
        target = out if level % 2 == 0 else scratch
        t = twiddle[level]
        _level_down(t[0, 0], t[0, 1], t[1, 0], t[1, 1], source, target)
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
    """
    n_blocks = x.shape[0] // (4 * stride)
    for high in range(n_blocks):
        for low in range(stride):
            i, p = low * n_blocks + high, 4 * stride * high + low
            x0, x1, x2, x3 = x[p], x[p + stride], x[p + 2 * stride], x[p + 3 * stride]
            a, b = _block(t0, 2 * i, adjoint), _block(t0, 2 * i + 1, adjoint)
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
def _two_levels_complex(t0, t1, stride, x, adjoint):
    """`_two_levels` for complex x, through four rows that stay in cache.

    One sum a loop, as complex loops with several do not vectorise, and no call in the
    loop over blocks, which would count references. complex64, batch 256, n = 1024:
    0.72 ms so, 3.2 ms with the loop for real rows.
    """
    n_blocks = x.shape[0] // (4 * stride)
    rows = np.empty((4, x.shape[1]), x.dtype)
    s0, s1, s2, s3 = rows[0], rows[1], rows[2], rows[3]
    for high in range(n_blocks):
        for low in range(stride):
            i, p = low * n_blocks + high, 4 * stride * high + low
            x0, x1, x2, x3 = x[p], x[p + stride], x[p + 2 * stride], x[p + 3 * stride]
            a, b = _block(t0, 2 * i, adjoint), _block(t0, 2 * i + 1, adjoint)
            c, d = _block(t1, i, adjoint), _block(t1, i + stride * n_blocks, adjoint)
            if adjoint:
                x1, x2, a, b, c, d = x2, x1, c, d, a, b
            for j in range(x.shape[1]):
                s0[j] = a[0] * x0[j] + a[1] * x1[j]
            for j in range(x.shape[1]):
                s1[j] = a[2] * x0[j] + a[3] * x1[j]
            for j in range(x.shape[1]):
                s2[j] = b[0] * x2[j] + b[1] * x3[j]
            for j in range(x.shape[1]):
                s3[j] = b[2] * x2[j] + b[3] * x3[j]
            for j in range(x.shape[1]):
                x0[j] = c[0] * s0[j] + c[1] * s2[j]
            for j in range(x.shape[1]):
                x2[j] = c[2] * s0[j] + c[3] * s2[j]
            for j in range(x.shape[1]):
                x1[j] = d[0] * s1[j] + d[1] * s3[j]
            for j in range(x.shape[1]):
                x3[j] = d[2] * s1[j] + d[3] * s3[j]


@kernel
def _apply_two_levels(twiddle, level, x, adjoint):
    """Levels `level` and `level + 1` in place, or their adjoint."""
    t0, t1 = twiddle[level], twiddle[level + 1]
    # Measured: complex64 gains from batch 4 on, complex128 between 16 and 64.
    if np.iscomplexobj(x) and (x.itemsize == 8 or x.shape[1] >= 32):
        _two_levels_complex(t0, t1, 2**level, x, adjoint)
    else:
        _two_levels(t0, t1, 2**level, x, adjoint)


@kernel
def _copy(x, out):
    """Copy x to out; both (n, batch)."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j]


@kernel
def butterfly_apply_columns(twiddle, x, out):
    """Product with every column of a block.

    twiddle: (L, 2, 2, n / 2); x, out: (n, batch), C-contiguous; out may be x.
    """
    _copy(x, out)
    level = twiddle.shape[0] % 2
    if level == 1:
        _one_level(twiddle[0], out, False)
    while level < twiddle.shape[0]:
        _apply_two_levels(twiddle, level, out, False)
        level += 2


@kernel
def butterfly_adjoint_columns(twiddle, x, out):
    """Product of the adjoint with every column; as `butterfly_apply_columns`."""
    _copy(x, out)
    level = twiddle.shape[0]
    while level >= 2:
        level -= 2
        _apply_two_levels(twiddle, level, out, True)
    if level == 1:
        _one_level(twiddle[0], out, True)
