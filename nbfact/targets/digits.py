"""Centroids of handwritten digits, computed by K-means."""

import numpy as np

from .._core.checks import RandomState, generator, size

MISSING = 'scikit-learn is missing; pip install "nbfact[study]" brings it'
"""Message of the error that `centroids` raises without scikit-learn."""


def centroids(n_clusters: int = 64, random_state: RandomState = 0) -> np.ndarray:
    """Return the K-means centroids of scikit-learn's images of handwritten digits.

    Parameters
    ----------
    n_clusters : int
        Number of centroids, at most 1797, the number of images.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, which draws the first
        centroids by k-means++.

    Returns
    -------
    ndarray of float64, shape (n_clusters, 64)
        Each row is an image of 8 x 8 pixels, with grey levels from 0 to 16. Columns of
        pixels that no image uses are zero.

    Raises
    ------
    ModuleNotFoundError
        When scikit-learn is not installed; the message says how to install it.
    TypeError, ValueError
        When `n_clusters` is not an integer, not positive, or above 1797.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.centroids(4).shape  # doctest: +SKIP
    (4, 64)
    """
    n_clusters = size("n_clusters", n_clusters)
    try:
        from sklearn.cluster import KMeans
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MISSING) from None
    images = load_digits().data
    if n_clusters > len(images):
        raise ValueError(f"n_clusters={n_clusters}: there are {len(images)} images")
    seed = int(generator("random_state", random_state).integers(2**31))
    found = KMeans(n_clusters, n_init=1, random_state=seed).fit(images)
    return np.ascontiguousarray(found.cluster_centers_, np.float64)
