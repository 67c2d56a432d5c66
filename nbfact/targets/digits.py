"""Centroids of handwritten digits, as K-means finds them."""

import numpy as np

from .._core.checks import RandomState, size

MISSING = 'scikit-learn is missing; pip install "nbfact[study]" brings it'


def centroids(n_clusters: int = 64, random_state: RandomState = 0) -> np.ndarray:
    """Return K-means centroids of scikit-learn's handwritten digits.

    Parameters
    ----------
    n_clusters : int
        Rows, at most 1797, the number of images.
    random_state : None, int or numpy.random.Generator
        Of the first centroids, which are drawn by k-means++.

    Returns
    -------
    ndarray of float64, shape (n_clusters, 64)
        Grey levels from 0 to 16 of images of 8 x 8. Pixels that no image uses are
        columns of zeros.

    Raises
    ------
    ModuleNotFoundError
        When scikit-learn is not installed; the message says what brings it.
    TypeError, ValueError
        When `n_clusters` is not an integer, not positive, or above 1797.

    Examples
    --------
    >>> centroids(4).shape  # doctest: +SKIP
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
    seed = int(np.random.default_rng(random_state).integers(2**31))
    found = KMeans(n_clusters, n_init=1, random_state=seed).fit(images)
    return np.ascontiguousarray(found.cluster_centers_, np.float64)
