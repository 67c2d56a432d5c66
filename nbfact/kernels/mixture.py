"""Relaxed permutations: products of mixtures of the identity and a permutation.

Stage k maps x to y with y[i] = (1 - w) x[i] + w x[index[k, i]], where w is the weight
``weights[which[k, i]]``. Stage 0 is applied first. Where all weights are 0 or 1, and
index[k] is a permutation of the entries of one weight, the product is a permutation.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel
def _transposed_stage(index, which, weights, x, y):
    """Write the transpose of a stage times x to y.

    index, which: (n,); x, y: (n, tile).
    """
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
    """Write a stage times slope to y, and add to the gradient of the weights.

    x: what the transposed stage was applied to.
    """
    for i in range(slope.shape[0]):
        w = weights[which[i]]
        source, here, there, out = x[i], slope[i], slope[index[i]], y[i]
        total = w * 0
        for j in range(slope.shape[1]):
            total += source[j] * (there[j] - here[j])
            out[j] = (1 - w) * here[j] + w * there[j]
        gradient[which[i]] += total


@kernel
def mixture_fit(
    index: np.ndarray,
    which: np.ndarray,
    weights: np.ndarray,
    x: np.ndarray,
    target: np.ndarray,
    tile: int,
    states: np.ndarray,
    gradient: np.ndarray,
) -> float:
    """Return the squared error of x P against a matrix, for a relaxed permutation P.

    P is the product of the stages that `nbfact.kernels.mixture` describes, stage 0
    rightmost. The gradients with respect to the weights and to x are written.

    Parameters
    ----------
    index : ndarray of int, shape (K, n)
        Where each entry of a stage is mixed from: index[k, i] is from 0 to n - 1.
    which : ndarray of int, shape (K, n)
        The weight of each entry of a stage, from 0 to k - 1.
    weights : ndarray, shape (k,), real
        Only read. This and the arrays below have one dtype and are C-contiguous.
    x : ndarray, shape (m, n)
        On return the gradient of half the squared error with respect to x.
    target : ndarray, shape (m, n)
        Only read.
    tile : int
        Number of rows of x that go through the stages together; it divides m.
    states : ndarray, shape (K + 2, n, tile)
        Overwritten.
    gradient : ndarray, shape (k,)
        The gradient of half the squared error with respect to the weights is added to
        it.

    Returns
    -------
    float
        ‖x P - target‖²_F, in double precision.

    See Also
    --------
    butterfly_fit_columns : The same for a butterfly.
    nbfact.learn_butterfly : The descent, with restarts.

    Notes
    -----
    The cost is about 5 multiplications for each stage and entry of x.

    Examples
    --------
    One stage exchanges two entries by one half, so that (1, 3) becomes (2, 2):

    >>> import numpy as np, nbfact as nf
    >>> index, which = np.array([[1, 0]]), np.array([[0, 0]])
    >>> x, target = np.array([[1.0, 3.0]]), np.array([[2.0, 1.0]])
    >>> arrays = np.array([0.5]), x, target, 1, np.empty((3, 2, 1)), np.zeros(1)
    >>> float(nf.kernels.mixture_fit(index, which, *arrays))
    1.0
    >>> x  # the gradient with respect to x
    array([[0.5, 0.5]])
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
