"""Twins of the products with fast transforms, as products with dense matrices."""

import numpy as np


def hadamard_matrix(n):
    """Sylvester's construction, entries 1 and -1."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def fwht(x):
    """Return the Walsh-Hadamard transform of a vector."""
    return hadamard_matrix(len(x)) @ x


def fwht_columns(x):
    """Return the Walsh-Hadamard transform of each column."""
    return hadamard_matrix(len(x)) @ x


def fwht_rows(x):
    """Return the Walsh-Hadamard transform of each row."""
    return x @ hadamard_matrix(x.shape[1])


def butterfly_matrix(values):
    """Product of the levels; values: (L, n / 2, 2, 2) in torch_butterfly's order."""
    n_levels, half = values.shape[:2]
    product = np.eye(2 * half, dtype=values.dtype)
    for level in range(n_levels):
        stride = 2**level
        factor = np.zeros_like(product)
        for i in range(half):
            p = 2 * (i - i % stride) + i % stride
            factor[np.ix_([p, p + stride], [p, p + stride])] = values[level, i]
        product = factor @ product
    return product


def butterfly_pack(values):
    """Return the values in constant geometry: row, column, low bits, high bits."""
    n_levels, half = values.shape[:2]
    levels = []
    for level, blocks in enumerate(values):
        split = blocks.reshape(
            half >> level, 1 << level, 2, 2
        )  # high, low, row, column
        levels.append(split.transpose(2, 3, 1, 0).reshape(2, 2, half))
    return np.array(levels).reshape(n_levels, 2, 2, half)


def butterfly_unpack(twiddle):
    """Return the values whose `butterfly_pack` these are."""
    n_levels, half = len(twiddle), twiddle.shape[3]
    levels = []
    for level, blocks in enumerate(twiddle):
        split = blocks.reshape(2, 2, 1 << level, half >> level)
        levels.append(split.transpose(3, 2, 0, 1).reshape(half, 2, 2))
    return np.array(levels).reshape(n_levels, half, 2, 2)


def butterfly_apply(twiddle, x):
    """Return the product of a packed butterfly with a vector or a matrix."""
    return butterfly_matrix(butterfly_unpack(twiddle)) @ x


def butterfly_adjoint(twiddle, x):
    """Return the product of the adjoint of a packed butterfly with x."""
    return butterfly_matrix(butterfly_unpack(twiddle)).conj().T @ x


def butterfly_apply_columns(twiddle, x):
    """Return the product of a butterfly with every column of x."""
    return np.array([butterfly_matrix(twiddle) @ column for column in x.T]).T


def butterfly_adjoint_columns(twiddle, x):
    """Return the product of the adjoint of a butterfly with every column of x."""
    return np.array([butterfly_matrix(twiddle).conj().T @ column for column in x.T]).T


def torch_butterfly(twiddle, x, increasing_stride):
    """Multiply rows x: (batch, n) as torch_butterfly says: (batch, nstacks, n).

    twiddle: (nstacks, nblocks, log2(n), n / 2, 2, 2).
    """
    n_stacks, n_blocks, n_levels = twiddle.shape[:3]
    batch, n = x.shape
    out = np.zeros((batch, n_stacks, n), np.result_type(twiddle, x))
    for row in range(batch):
        for stack in range(n_stacks):
            y = x[row].astype(out.dtype)
            increasing = increasing_stride
            for block in range(n_blocks):
                for index in range(n_levels):
                    log_stride = index if increasing else n_levels - 1 - index
                    stride = 1 << log_stride
                    for i in range(n // 2):
                        t = twiddle[stack, block, index, i]
                        low = i % stride
                        pos = 2 * (i - low) + low
                        first, second = y[pos], y[pos + stride]
                        y[pos] = t[0, 0] * first + t[0, 1] * second
                        y[pos + stride] = t[1, 0] * first + t[1, 1] * second
                increasing = not increasing
            out[row, stack] = y
    return out
