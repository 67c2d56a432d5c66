"""Points with classes, for the study of QuicK-means: generated, installed, downloaded.

scikit-learn brings the loaders, and some of the data.
"""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MISSING = 'scikit-learn is missing; pip install "nbfact[study]" brings it'

Arrays = tuple[np.ndarray, np.ndarray]
Load = Callable[[int, int], Arrays]
"""Of a number of clusters and a seed; returns points, (N, D), and classes, (N,)."""


@dataclass(frozen=True)
class LabelledSplit:
    """Points to fit, float32, points to judge by, and their classes, from 0 on."""

    train: np.ndarray
    test: np.ndarray
    train_classes: np.ndarray
    test_classes: np.ndarray


def split(name: str, n_clusters: int, seed: int, most: int) -> LabelledSplit:
    """Return points of a data set, three quarters of them to fit.

    Parameters
    ----------
    name : str
        One of :data:`DATA`.
    n_clusters : int
        Blobs, of those that are generated.
    seed : int
        Of what is generated, of the sample, and of the split.
    most : int
        Points, in all; of larger data a sample.

    Raises
    ------
    ModuleNotFoundError
        When scikit-learn is not installed; the message says what brings it.
    OSError
        When data can not be downloaded; the message names those that need no network.
    """
    try:
        from sklearn.model_selection import train_test_split
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MISSING) from None
    points, classes = load(name, n_clusters, seed)
    chosen = np.random.default_rng(seed).permutation(len(points))[:most]
    points = points[chosen].astype(np.float32, copy=False)
    classes = np.unique(classes[chosen], return_inverse=True)[1]
    return LabelledSplit(
        *train_test_split(points, classes, test_size=0.25, random_state=seed)
    )


def load(name: str, n_clusters: int, seed: int) -> Arrays:
    """Return all points of a data set, and their classes; arguments as of `split`."""
    if name not in DOWNLOADED:
        return DATA[name](n_clusters, seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that it tries again
            return DATA[name](n_clusters, seed)
    except (OSError, ImportError) as error:  # of the network; pandas, that reads a file
        told = f"data {name} can not be downloaded: {error}"
        raise OSError(f"{told}; without a network there are: {', '.join(LOCAL)}") from (
            error
        )


def _blobs(n_clusters, seed):
    from sklearn.datasets import make_blobs

    size = BLOB * n_clusters, 2000
    return make_blobs(*size, centers=n_clusters, cluster_std=12, random_state=seed)


def _digits(n_clusters, seed):
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def _breast_cancer(n_clusters, seed):
    from sklearn.datasets import load_breast_cancer

    points, classes = load_breast_cancer(return_X_y=True)
    return standardised(points), classes


# What is read from large files is kept: the next job asks for the same.
@functools.lru_cache(maxsize=1)
def _openml(name):
    from sklearn.datasets import fetch_openml

    options = {"version": 1, "return_X_y": True, "as_frame": False, "n_retries": 1}
    points, classes = fetch_openml(name, **options)
    return points.astype(np.float32), classes


@functools.lru_cache(maxsize=1)
def _covtype():
    from sklearn.datasets import fetch_covtype

    points, classes = fetch_covtype(return_X_y=True, n_retries=1)
    return standardised(points), classes


@functools.lru_cache(maxsize=1)
def _kddcup99():
    from sklearn.datasets import fetch_kddcup99

    points, classes = fetch_kddcup99(return_X_y=True, n_retries=1)
    return standardised(one_hot(points)), classes.astype(str)


def standardised(points: np.ndarray) -> np.ndarray:
    """Return columns less their mean, by their standard deviation, in float32.

    Examples
    --------
    >>> standardised(np.array([[1.0, 2.0], [3.0, 2.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = points - points.mean(axis=0)
    deviation = centred.std(axis=0)
    return (centred / np.where(deviation > 0, deviation, 1)).astype(np.float32)


def one_hot(table: np.ndarray) -> np.ndarray:
    """Return a table, (N, D) of numbers and of byte strings, as numbers.

    A column of strings becomes one of 0 and 1 for each of its values, in their order.

    Examples
    --------
    >>> one_hot(np.array([[1, b"tcp"], [2, b"udp"]], object)).tolist()
    [[1.0, 1.0, 0.0], [2.0, 0.0, 1.0]]
    """
    columns = []
    for column in table.T:
        if isinstance(column[0], bytes):
            found = np.unique(column.astype(bytes))
            columns += [column == value for value in found]
        else:
            columns.append(column)
    return np.column_stack(columns).astype(np.float64)


BLOB = 30
"""Points of a blob."""

LOCAL: dict[str, Load] = {
    "digits": _digits,
    "breast_cancer": _breast_cancer,
    "blobs": _blobs,
}
"""Data that need no network."""

DOWNLOADED: dict[str, Load] = {
    "mnist": lambda n_clusters, seed: _openml("mnist_784"),
    "fashion_mnist": lambda n_clusters, seed: _openml("Fashion-MNIST"),
    "covtype": lambda n_clusters, seed: _covtype(),
    "kddcup99": lambda n_clusters, seed: _kddcup99(),
}
"""Data that scikit-learn downloads once, to its own directory."""

DATA = LOCAL | DOWNLOADED
"""All of them: of the paper, and of scikit-learn."""
