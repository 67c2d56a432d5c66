"""Projection onto matrices that are constant on the pieces of a partition."""

import numpy as np

from ._jit import kernel
from .select import kth_largest, modulus


@kernel
def project_partition(x: np.ndarray, labels: np.ndarray, n_pieces: int, k: int) -> None:
    """Keep the k pieces of the largest weight, each as its mean, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest matrix that is constant on each piece,
        is not zero on at most k pieces, and is zero outside of all pieces. The sum of
        the entries of a piece must not overflow.
    labels : ndarray of int, shape (m, n)
        The piece of each entry, from 0 to n_pieces - 1, or -1 for an entry that is in
        no piece.
    n_pieces : int
        Number p of pieces, at least 1; each has at least one entry.
    k : int
        At least 1.

    See Also
    --------
    project_toeplitz, project_circ : Partitions with a kernel of their own.
    nbfact.constraints.Partition : The set, which checks its arguments.

    Notes
    -----
    The weight of a piece is the modulus of its sum over the root of its number of
    entries: its square is the energy that its mean keeps. Of pieces that tie, those of
    the lowest labels are kept. Sums are in double precision. The cost is two passes
    over x, and a few over p numbers.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, labels = np.array([[1.0, 3.0], [0.5, 9.0]]), np.array([[0, 0], [1, -1]])
    >>> nf.kernels.project_partition(x, labels, 2, 1)
    >>> x
    array([[2., 2.],
           [0., 0.]])
    """
    means = np.full(n_pieces, x[0, 0] * np.float64(0.0))
    counts = np.zeros(n_pieces, np.int64)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if labels[i, j] >= 0:
                means[labels[i, j]] += x[i, j]
                counts[labels[i, j]] += 1
    if k < n_pieces:
        weights = np.empty(n_pieces)
        for p in range(n_pieces):
            weights[p] = modulus(means[p]) / np.sqrt(counts[p])
        least, ties = kth_largest(weights.copy(), k)
        for p in range(n_pieces):
            tie = weights[p] == least
            if weights[p] < least or (tie and ties == 0):
                means[p] = 0
            elif tie:
                ties -= 1
    for p in range(n_pieces):
        means[p] /= counts[p]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = means[labels[i, j]] if labels[i, j] >= 0 else 0
