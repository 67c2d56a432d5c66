"""Relaxed permutations: products of mixtures of the identity and a permutation.

Stage k maps x to y with y[i] = (1 - w) x[i] + w x[index[k, i]], w the weight
``weights[which[k, i]]``. Stage 0 is applied first. Weights of 0 or 1: a permutation.
"""

from ._jit import REASSOC, kernel


@kernel
def _transposed_stage(index, which, weights, x, y):
    """Transpose of a stage; index, which: (n,), x, y: (n, tile)."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = 0
    for i in range(x.shape[0]):
        w = weights[which[i]]
        source, here, there = x[i], y[i], y[index[i]]
        for j in range(x.shape[1]):
            here[j] += (1 - w) * source[j]
        for j in range(x.shape[1]):
            there[j] += w * source[j]


@kernel(fastmath=REASSOC)
def _stage(index, which, weights, x, slope, y, gradient):
    """Apply a stage to slope, into y; add the gradient, x before the transpose."""
    for i in range(slope.shape[0]):
        w = weights[which[i]]
        source, here, there, out = x[i], slope[i], slope[index[i]], y[i]
        total = w * 0
        for j in range(slope.shape[1]):
            total += source[j] * (there[j] - here[j])
            out[j] = (1 - w) * here[j] + w * there[j]
        gradient[which[i]] += total


@kernel
def mixture_fit(index, which, weights, x, target, tile, states, gradient):
    """Sum of squared errors of x P, and the gradients of half of it.

    P is the product of the stages. index, which: (K, n); weights, gradient: (k,), the
    gradient is added to. x: (m, n), overwritten by the slopes with respect to it;
    target: (m, n); states: (K + 2, n, tile), scratch. tile: a divisor of m.
    """
    n_stages, n, total = index.shape[0], index.shape[1], 0.0
    for first in range(0, x.shape[0], tile):
        for j in range(tile):
            for i in range(n):
                states[0, i, j] = x[first + j, i]
        for k in range(n_stages):
            s = n_stages - 1 - k
            _transposed_stage(index[s], which[s], weights, states[k], states[k + 1])
        for j in range(tile):
            for i in range(n):
                error = states[n_stages, i, j] - target[first + j, i]
                states[n_stages, i, j] = error
                total += error * error
        slope, other = states[n_stages], states[n_stages + 1]
        for s in range(n_stages):
            before = states[n_stages - 1 - s]
            _stage(index[s], which[s], weights, before, slope, other, gradient)
            slope, other = other, slope
        for j in range(tile):
            for i in range(n):
                x[first + j, i] = slope[i, j]
    return total
