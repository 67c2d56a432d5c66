"""The fast Walsh-Hadamard transform (natural order, not normalised), in place.

n must be a power of two. Applying a transform twice multiplies by n.
"""

import numpy as np

from .._jit import kernel

# One vector is transformed in blocks that stay in the first-level caches. Measured on
# a 2 MiB-per-core Zen 4: 4096 to 16384 are level, 2**20 points unblocked take 1.5x.
BLOCK = 8192


@kernel
def _radix4_shuffled(x, out):
    """Two levels in constant geometry: entries 4i..4i+3 of x to i + {0,1,2,3}n/4.

    Contiguous stores whatever the level, hence vectorised at the small strides too.
    """
    quarter = x.shape[0] // 4
    for i in range(quarter):
        a, b, c, d = x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]
        p, q, r, s = a + b, a - b, c + d, c - d
        out[i] = p + r
        out[i + quarter] = q + s
        out[i + 2 * quarter] = p - r
        out[i + 3 * quarter] = q - s


@kernel
def _radix2_shuffled(x, out):
    """One level in constant geometry: entries 2i, 2i+1 of x to i, i + n/2."""
    half = x.shape[0] // 2
    for i in range(half):
        a, b = x[2 * i], x[2 * i + 1]
        out[i] = a + b
        out[i + half] = a - b


@kernel
def _fwht_block(x, scratch):
    """Transform x in place by constant-geometry passes; x, scratch: (n,)."""
    source, target = x, scratch
    remaining, moved = x.shape[0], False
    while remaining > 1:
        if remaining >= 4:
            _radix4_shuffled(source, target)
        else:
            _radix2_shuffled(source, target)
        source, target = target, source
        remaining, moved = remaining // 4, not moved
    if moved:
        for i in range(x.shape[0]):
            x[i] = scratch[i]


@kernel
def _radix4(x, stride):
    """Levels of stride and 2 * stride, in place; x: (n,), n % (4 * stride) == 0."""
    for start in range(0, x.shape[0], 4 * stride):
        x0 = x[start : start + stride]
        x1 = x[start + stride : start + 2 * stride]
        x2 = x[start + 2 * stride : start + 3 * stride]
        x3 = x[start + 3 * stride : start + 4 * stride]
        for j in range(stride):
            p, q, r, s = x0[j] + x1[j], x0[j] - x1[j], x2[j] + x3[j], x2[j] - x3[j]
            x0[j] = p + r
            x1[j] = q + s
            x2[j] = p - r
            x3[j] = q - s


@kernel
def _radix2(x, stride):
    """One level of the given stride, in place; x: (n,), n % (2 * stride) == 0."""
    for start in range(0, x.shape[0], 2 * stride):
        x0 = x[start : start + stride]
        x1 = x[start + stride : start + 2 * stride]
        for j in range(stride):
            p, q = x0[j] + x1[j], x0[j] - x1[j]
            x0[j] = p
            x1[j] = q


@kernel
def fwht(x):
    """Walsh-Hadamard transform of one vector, in place; x: (n,), contiguous."""
    n = x.shape[0]
    block = min(n, BLOCK)
    scratch = np.empty(block, x.dtype)
    for start in range(0, n, block):
        _fwht_block(x[start : start + block], scratch)
    stride = block
    while 4 * stride <= n:
        _radix4(x, stride)
        stride *= 4
    if stride < n:
        _radix2(x, stride)


@kernel
def fwht_rows(x):
    """Walsh-Hadamard transform of each row, in place; x: (batch, n), C-contiguous."""
    for i in range(x.shape[0]):
        fwht(x[i])


@kernel
def _radix4_columns(x, stride):
    """Levels of stride and 2 * stride on every column; x: (n, batch)."""
    for start in range(0, x.shape[0], 4 * stride):
        for i in range(start, start + stride):
            x0, x1 = x[i], x[i + stride]
            x2, x3 = x[i + 2 * stride], x[i + 3 * stride]
            for j in range(x.shape[1]):
                p, q, r, s = x0[j] + x1[j], x0[j] - x1[j], x2[j] + x3[j], x2[j] - x3[j]
                x0[j] = p + r
                x1[j] = q + s
                x2[j] = p - r
                x3[j] = q - s


@kernel
def _radix2_columns(x, stride):
    """One level of the given stride on every column; x: (n, batch)."""
    for start in range(0, x.shape[0], 2 * stride):
        for i in range(start, start + stride):
            x0, x1 = x[i], x[i + stride]
            for j in range(x.shape[1]):
                p, q = x0[j] + x1[j], x0[j] - x1[j]
                x0[j] = p
                x1[j] = q


@kernel
def fwht_columns(x):
    """Walsh-Hadamard transform of each column, in place; x: (n, batch), C order."""
    n = x.shape[0]
    stride = 1
    while 4 * stride <= n:
        _radix4_columns(x, stride)
        stride *= 4
    if stride < n:
        _radix2_columns(x, stride)
