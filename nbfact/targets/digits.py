"""Handwritten digits: their centroids by K-means, and weights of a network for them."""

import warnings

import numpy as np

from .._core.checks import RandomState, generator, size
from .._core.limits import dense_order

MISSING = 'scikit-learn is missing; pip install "nbfact[study]" brings it'
"""Message of the error that the functions below raise without scikit-learn."""

_EPOCHS = 30
"""Number of passes over the images in the training: 99 % of them are right then."""


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

    See Also
    --------
    trained_weights : Another matrix that is learned from digits.

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


def trained_weights(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return the weights between two hidden layers of a trained neural network.

    Parameters
    ----------
    n : int
        Number of units of both hidden layers, at least 1.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, which draws the first weights
        and the order of the images.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (i, j) leads from unit i of the first layer to unit j of the second. The
        network (scikit-learn's ``MLPClassifier``) has rectified linear units and is
        trained by Adam for 30 epochs on scikit-learn's images of handwritten digits.

    Raises
    ------
    ModuleNotFoundError
        When scikit-learn is not installed; the message says how to install it.
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    centroids : Another matrix that is learned from digits.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.trained_weights(8).shape  # doctest: +SKIP
    (8, 8)
    """
    n = dense_order("n", n)
    try:
        from sklearn.datasets import load_digits
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MISSING) from None
    images, classes = load_digits(return_X_y=True)
    seed = int(generator("random_state", random_state).integers(2**31))
    network = MLPClassifier((n, n), max_iter=_EPOCHS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are fixed
        network.fit(images / 16, classes)
    return np.ascontiguousarray(network.coefs_[1], np.float64)
