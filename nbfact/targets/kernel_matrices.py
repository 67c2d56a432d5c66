"""Kernel matrices: a function of the distances of random points."""

import numpy as np
import scipy.spatial.distance

from .._core.checks import RandomState, choice, generator, size
from .._core.limits import dense_order

_FUNCTIONS = {
    "gaussian": lambda distance: np.exp(-((3 * distance) ** 2) / 2),
    "exponential": lambda distance: np.exp(-3 * distance),
    "inverse": lambda distance: 1 / distance,
}
"""Functions of the distances, which are not zero, in the unit cube."""


def kernel_matrix(
    n: int,
    kind: str = "gaussian",
    *,
    dimensions: int = 2,
    random_state: RandomState = None,
) -> np.ndarray:
    """Return the matrix of a kernel between random points of the unit cube.

    Parameters
    ----------
    n : int
        Number of points, at least 1.
    kind : {"gaussian", "exponential", "inverse"}
        The function of the distance d of two points: exp(-(3 d)² / 2), exp(-3 d), or
        1 / d with zeros on the diagonal, the potential of point charges.
    dimensions : int
        Number of coordinates of a point. The points are sorted by the first one.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, which draws the points
        uniformly.

    Returns
    -------
    ndarray of float64, shape (n, n)
        A symmetric matrix.

    Raises
    ------
    TypeError, ValueError
        When `n` or `dimensions` is not a positive integer, or the kind is another.

    See Also
    --------
    nbfact.QuickNystroem : Features of a kernel by fast centers.

    Examples
    --------
    >>> import nbfact as nf
    >>> K = nf.targets.kernel_matrix(8, random_state=0)
    >>> bool((K == K.T).all() and (K.diagonal() == 1).all())
    True
    """
    n = dense_order("n", n)
    kind = choice("kind", kind, _FUNCTIONS)
    points = generator("random_state", random_state).random(
        (n, size("dimensions", dimensions))
    )
    points = points[np.argsort(points[:, 0])]
    if n == 1:
        return np.full((1, 1), float(kind != "inverse"))
    values = _FUNCTIONS[kind](scipy.spatial.distance.pdist(points))
    matrix = scipy.spatial.distance.squareform(values)
    np.fill_diagonal(matrix, float(kind != "inverse"))
    return matrix
