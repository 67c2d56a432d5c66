"""Twins of gradient descent on butterflies: dense products.

twiddle: (planes, 4, size), as `nbfact.kernels.dyadic_gradient` says.
"""

import numpy as np

from .sparse import product


def butterfly_total(n_levels, n, tied):
    """Count the entries of the blocks of orders 1, 2, 4, ..., one of each if tied."""
    return sum((1 if tied else n // 2**k) * 4**k for k in range(n_levels))


def twiddle_entries(n, level, tied):
    """Yield for each block of a level: where its twiddle is, and its two rows."""
    stride = 2**level
    for i in range(n // 2):
        high, low = divmod(i, stride)
        entry = stride - 1 + low if tied else level * n // 2 + i
        yield entry, 2 * stride * high + low, 2 * stride * high + low + stride


def twiddle_factors(twiddle, tied, n):
    """Return the factors K[0], K[1], ..., the first applied first."""
    t = twiddle[0] if len(twiddle) == 1 else twiddle[0] + 1j * twiddle[1]
    factors = []
    for level in range(n.bit_length() - 1):
        factor = np.zeros((n, n), t.dtype)
        for entry, p, q in twiddle_entries(n, level, tied):
            factor[np.ix_([p, q], [p, q])] = t[:, entry].reshape(2, 2)
        factors.append(factor)
    return factors


def butterfly_expand(twiddle, tied, n, n_levels):
    """Return the diagonal blocks of the products of 0, 1, ... n_levels factors."""
    factors, blocks = twiddle_factors(twiddle, tied, n)[:n_levels], []
    for level in range(n_levels + 1):
        matrix, size = product(factors[:level][::-1], n, twiddle.dtype), 2**level
        for first in range(0, size if tied else n, size):
            blocks.append(matrix[first : first + size, first : first + size].ravel())
    blocks = np.concatenate(blocks)
    return np.stack([blocks.real, blocks.imag][: len(twiddle)])


def butterfly_backward(twiddle, tied, n, slope):
    """Return the gradient of Re<slope, B>, for a dense slope of shape (n, n)."""
    factors, gradient = twiddle_factors(twiddle, tied, n), np.zeros_like(twiddle)
    for level in range(len(factors)):
        right = product(factors[:level][::-1], n, twiddle.dtype)
        left = product(factors[:level:-1], n, twiddle.dtype)
        dense = left.conj().T @ slope @ right.conj().T
        for entry, p, q in twiddle_entries(n, level, tied):
            block = dense[np.ix_([p, q], [p, q])].ravel()
            for plane, part in zip(gradient, (block.real, block.imag), strict=False):
                plane[:, entry] += part
    return gradient


def butterfly_fit_columns(twiddle, tied, x, target):
    """Return the sum of squares of B x - target, and the gradients of half of it."""
    x = x[0] if len(x) == 1 else x[0] + 1j * x[1]
    matrix = product(twiddle_factors(twiddle, tied, len(x))[::-1], len(x), x.dtype)
    error = matrix @ x - (target[0] if len(target) == 1 else target[0] + 1j * target[1])
    error = error.real if len(target) == 1 else error
    slope = matrix.conj().T @ error
    gradient = butterfly_backward(twiddle, tied, len(x), error @ x.conj().T)
    slope = np.stack([slope.real, slope.imag][: len(twiddle)])
    return np.linalg.norm(error) ** 2, gradient, slope


def butterfly_fit(twiddle, tied, target):
    """Return the sum of squares of B - target, and the gradient of half of it."""
    x = np.zeros((len(twiddle), *target.shape[1:]))
    x[0] = np.eye(target.shape[1])
    return butterfly_fit_columns(twiddle, tied, x, target)[:2]


def mixture(index, which, weights):
    """Return the matrix of the relaxed permutation, and that of each stage."""
    n, stages = index.shape[1], []
    for source, weight in zip(index, weights[which], strict=True):
        stage = np.diag(1 - weight)
        stage[np.arange(n), source] += weight
        stages.append(stage)
    return product(stages[::-1], n, weights.dtype), stages


def mixture_fit(index, which, weights, x, target):
    """Return the sum of squares of x P - target, and the gradients of half of it."""
    matrix, stages = mixture(index, which, weights)
    n, gradient = len(matrix), np.zeros_like(weights)
    error = x @ matrix - target
    for k in range(len(stages)):
        left = product(stages[:k:-1], n, x.dtype)
        right = product(stages[:k][::-1], n, x.dtype)
        dense = (x @ left).T @ error @ right.T
        for i in range(n):
            gradient[which[k, i]] += dense[i, index[k, i]] - dense[i, i]
    return np.linalg.norm(error) ** 2, gradient, error @ matrix.T


def adam_step(x, gradient, mean, square, rate, step):
    """Return the parameters and the running means after one step of Adam."""
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    unbiased = mean / (1 - 0.9**step), square / (1 - 0.999**step)
    return x - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8), mean, square
