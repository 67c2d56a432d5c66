"""Fit and judge all clusterers of the study of QuicK-means on one data set."""

import functools
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...harness.sample import interleave, paired_ratio, summary
from ..tools.rows import Row
from .datasets import LabelledSplit, split

KMEANS = "K-means"
AFTER = "K-means, then factorised"
PALM = "QuicK-means, palm4msa"
EXPLORE = "QuicK-means, explore"
BUTTERFLY = "QuicK-means, butterfly"
DEFAULT = "QuicK-means, default"
UNIFORM = "uniform landmarks"
FAST = "Fast-Nys landmarks"
EXHAUSTIVE = "exhaustive search"
SPARSE = (AFTER, PALM, EXPLORE)
"""Methods that have a sparsity: the number of entries in each row and column of a
factor."""

_TIMED_POINTS = 1000
"""Number of points that are assigned while the assignment is timed."""

_KERNEL_POINTS = 1000
"""Number of test points whose kernel matrix is approximated, because that matrix is
dense."""

_MOST_CLASSES = 32
"""Number of classes that the linear SVM learns at most, because it trains one machine
for each."""

_SECONDS_OF_TIMING = 0.1
"""Seconds that the timing of the assignment takes, for each method."""


@dataclass(frozen=True)
class Fitted:
    """A fitted clusterer, or the reason why there is none.

    Attributes
    ----------
    model : clusterer or None
        The fitted estimator; None when its fit raised.
    seconds : float or None
        CPU seconds that its fit took.
    failure : str or None
        The exception that its fit raised.
    """

    model: Any = None
    seconds: float | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Methods:
    """Which clusterings are fitted beside K-means, its rivals and the default.

    Attributes
    ----------
    sparsities : tuple of int
        Sparsities of the methods in :data:`SPARSE`.
    palm : bool
        Whether those with palm4MSA and with butterflies are among them.
    max_iter : int
        Largest number of iterations of K-means and of QuicK-means.
    """

    sparsities: tuple[int, ...]
    palm: bool
    max_iter: int


Key = tuple[str, int | None]
"""A method and its sparsity, or None where the method has none."""


def rows_of(
    data: str, n_clusters: int, seed: int, methods: Methods, most: int
) -> list[Row]:
    """Return a row for each method, on one split of one data set.

    Parameters
    ----------
    data : str
        A name of `datasets.DATA`.
    n_clusters : int
        Number of clusters, K.
    seed : int
        Seed of the data, of their split and of the first centres.
    methods : Methods
        What is fitted.
    most : int
        Largest number of points.

    Returns
    -------
    list of dict
        Rows whose measures are None where they do not apply to the method.
    """
    warm_up()
    points = split(data, n_clusters, seed, most)
    found = fit_all(points.train, n_clusters, seed, methods)
    kmeans = found[KMEANS, None].model
    models = {key: one.model for key, one in found.items() if one.model is not None}
    measured = times(models, points.test[:_TIMED_POINTS])
    judge = Judge(points, seed)
    rows: list[Row] = []
    for key, one in found.items():
        row: Row = dict.fromkeys(MEASURES) | {"failure": one.failure}
        if one.model is not None:
            row |= facts(one, kmeans, points) | measured[key] | judge.applied(one.model)
        rows.append(dict(zip(("method", "sparsity"), key, strict=True)) | row)
    nothing: Row = {"sparsity": None, **dict.fromkeys(MEASURES), "failure": None}
    rows.append({"method": UNIFORM, **nothing, **judge.uniform(n_clusters)})
    rows.append({"method": FAST, **nothing, **judge.fast(n_clusters)})
    rows.append({"method": EXHAUSTIVE, **nothing, "knn": judge.exhaustive()})
    shape = dict(zip("ND", points.train.shape, strict=True))
    common: Row = {"data": data, "K": n_clusters, **shape, "seed": seed}
    return [common | row for row in rows]


MEASURES = tuple(
    "inertia relative nnz compression bytes factored us ratio fit_seconds n_iter ami "
    "knn nystrom svm".split()
)
"""Names of the columns that hold measures."""


def fit_all(
    train: np.ndarray, n_clusters: int, seed: int, methods: Methods
) -> dict[Key, Fitted]:
    """Fit all clusterers from the same first centres.

    These centres are drawn by k-means++ as it was published: with one candidate for
    each centre.

    Parameters
    ----------
    train : ndarray of float32, (N, D)
        The points.
    n_clusters, seed, methods
        See `rows_of`.

    Returns
    -------
    dict of (method, sparsity) to Fitted
    """
    from sklearn.base import clone
    from sklearn.cluster import KMeans, kmeans_plusplus

    from ...estimators import QuicKMeans
    from .rival_clusterers import indices_of, rivals_of

    drawn: dict[str, Any] = {"random_state": seed, "n_local_trials": 1}
    first = kmeans_plusplus(train, n_clusters, **drawn)[0]
    max_iter = methods.max_iter
    options: dict[str, Any] = {"max_iter": max_iter, "random_state": seed}
    kmeans = fit(KMeans(n_clusters, init=first, n_init=1, **options), train)
    found: dict[Key, Fitted] = {(KMEANS, None): kmeans}
    for name, rival in rivals_of(first, max_iter, seed).items():
        found[name, None] = fit(rival, train)
    for name, rival in indices_of(kmeans.model).items():
        found[name, None] = fit(rival, train, kmeans.seconds or 0.0)
    quick = functools.partial(QuicKMeans, n_clusters, init=first, **options)
    found[DEFAULT, None] = fit(quick(), train)
    for sparsity in methods.sparsities:
        found[EXPLORE, sparsity] = fit(quick(sparsity=sparsity), train)
        if not methods.palm:
            continue
        once = quick(sparsity=sparsity, factorizer="palm4msa")
        found[PALM, sparsity] = fit(once, train)
        after = clone(once)
        after.set_params(init=kmeans.model.cluster_centers_, max_iter=0)
        found[AFTER, sparsity] = fit(after, train, kmeans.seconds or 0.0)
    if methods.palm:
        # A sparsity, which butterflies do not read, keeps them whatever the inertia is.
        found[BUTTERFLY, None] = fit(quick(factorizer="butterfly", sparsity=1), train)
    return found


def fit(model: Any, train: np.ndarray, seconds_before: float = 0.0) -> Fitted:
    """Fit a clusterer, and return it with the CPU seconds that this took.

    Parameters
    ----------
    model : clusterer
        The estimator to fit.
    train : ndarray, (N, D)
        The points.
    seconds_before : float
        Seconds that were already spent on its first centres, which count too.

    Returns
    -------
    Fitted
        Without a model when the fit raised.
    """
    start = time.process_time() - seconds_before
    try:
        with warnings.catch_warnings():  # that clusters are empty: see its inertia
            warnings.simplefilter("ignore")
            model.fit(train)
    except Exception as problem:  # one attempt of hundreds: its row reports it
        return Fitted(failure=" ".join(f"{type(problem).__name__}: {problem}".split()))
    return Fitted(model, time.process_time() - start)


@functools.cache
def warm_up() -> None:
    """Compile the kernels of QuicK-means, once in a process, because fits are timed."""
    from ...estimators import QuicKMeans

    points = np.random.default_rng(0).standard_normal((32, 16)).astype(np.float32)
    for name in ("palm4msa", "explore", "butterfly"):
        model = QuicKMeans(8, sparsity=2, max_iter=2, factorizer=name)
        model.fit(points).predict(points)
    QuicKMeans(32, max_iter=2).fit(points).predict(points)


def times(models: dict[Key, Any], points: np.ndarray) -> dict[Key, Row]:
    """Time the assignment of points by each model, and by K-means beside it.

    Each round of the timing calls every model once, so that a disturbance meets all.

    Parameters
    ----------
    models : dict of (method, sparsity) to clusterer
        Fitted clusterers, K-means among them.
    points : ndarray, (n_points, D)
        The points to assign.

    Returns
    -------
    dict of (method, sparsity) to dict
        ``us``, the median time in microseconds for each point, and ``ratio``, the time
        of K-means over that.
    """
    by_name: dict[str, Key] = {repr(key): key for key in models}
    calls: dict[str, Callable[[], object]] = {
        name: functools.partial(models[key].predict, points)
        for name, key in by_name.items()
    }
    samples = interleave(calls, _SECONDS_OF_TIMING * len(calls))
    kmeans = samples[repr((KMEANS, None))]
    return {
        by_name[name]: {
            "us": summary(sample)["median"] / len(points) * 1e6,
            "ratio": paired_ratio(kmeans, sample),
        }
        for name, sample in samples.items()
    }


def facts(fitted: Fitted, kmeans: Any, points: LabelledSplit) -> Row:
    """Return the measures of a clusterer itself: inertia, size, time of its fit, AMI.

    Parameters
    ----------
    fitted : Fitted
        The clusterer, with a model.
    kmeans : clusterer
        The fitted K-means that its inertia is compared with.
    points : LabelledSplit
        The points that it was fitted to.

    Returns
    -------
    dict
    """
    from sklearn.metrics import adjusted_mutual_info_score

    from .rival_clusterers import size_of

    model = fitted.model
    size = model.cluster_centers_.size
    nnz = int(getattr(model, "nnz_", size))
    return {
        "inertia": float(model.inertia_),
        "relative": float(model.inertia_ / kmeans.inertia_),
        "nnz": nnz,
        "compression": size / nnz,
        "bytes": size_of(model),
        "factored": getattr(model, "factored_", None),
        "fit_seconds": fitted.seconds,
        "n_iter": int(model.n_iter_),
        "ami": float(adjusted_mutual_info_score(points.train_classes, model.labels_)),
    }


class Judge:
    """The applications of the paper: nearest neighbours, and the Nyström method.

    Parameters
    ----------
    points : LabelledSplit
        The data.
    seed : int
        Seed of the uniform landmarks and of the linear SVMs.

    Notes
    -----
    As in the paper, the kernel is exp(-gamma d²), where d is the distance of two points
    and gamma is 1 / the mean squared distance.
    """

    def __init__(self, points: LabelledSplit, seed: int) -> None:
        self.points, self.seed = points, seed
        variance = points.train.var(axis=0, dtype=np.float64).sum()
        self.gamma = 1 / (2 * float(variance))

    def applied(self, model: Any) -> Row:
        """Return the measures of both applications of a fitted clusterer."""
        from sklearn.frozen import FrozenEstimator

        from ...estimators import ClusterNeighborsClassifier, QuickNystroem

        frozen, points = FrozenEstimator(model), self.points
        search = ClusterNeighborsClassifier(n_probes=1, clusterer=frozen)
        search.fit(points.train, points.train_classes)
        features = QuickNystroem(
            len(model.cluster_centers_), gamma=self.gamma, clusterer=frozen
        )
        knn = float(search.score(points.test, points.test_classes))
        return {"knn": knn, **self._kernel(features)}

    def uniform(self, n_landmarks: int) -> Row:
        """Return the measures of the Nyström method with landmarks drawn uniformly."""
        from sklearn.kernel_approximation import Nystroem

        options = {"n_components": n_landmarks, "random_state": self.seed}
        return self._kernel(Nystroem(gamma=self.gamma, **options))

    def fast(self, n_landmarks: int) -> Row:
        """Return the measures of the Nyström method with landmarks of a fast transform.

        See `fast_landmarks`.
        """
        from sklearn.cluster import KMeans
        from sklearn.frozen import FrozenEstimator

        from ...estimators import QuickNystroem
        from .rival_clusterers import fast_landmarks

        landmarks = fast_landmarks(self.points.train, n_landmarks, self.seed)
        options = {"init": landmarks, "n_init": 1, "max_iter": 1}
        holder = KMeans(n_landmarks, **options).fit(landmarks)
        frozen = FrozenEstimator(holder)
        return self._kernel(
            QuickNystroem(n_landmarks, gamma=self.gamma, clusterer=frozen)
        )

    def exhaustive(self) -> float:
        """Return the accuracy of the nearest neighbour searched among all points."""
        from sklearn.neighbors import KNeighborsClassifier

        search = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
        search.fit(self.points.train, self.points.train_classes)
        return float(search.score(self.points.test, self.points.test_classes))

    def _kernel(self, transformer):
        """Return the error of the approximate kernel, and the accuracy of a linear SVM.

        The SVM learns the first :data:`_MOST_CLASSES` classes only.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.metrics.pairwise import rbf_kernel
        from sklearn.svm import LinearSVC

        points = self.points
        transformer.fit(points.train)
        test = transformer.transform(points.test)
        some, sample = points.train_classes < _MOST_CLASSES, test[:_KERNEL_POINTS]
        asked = points.test_classes < _MOST_CLASSES
        kernel = rbf_kernel(points.test[:_KERNEL_POINTS], gamma=self.gamma)
        error = np.linalg.norm(kernel - sample @ sample.T) / np.linalg.norm(kernel)
        machine = LinearSVC(random_state=self.seed)
        with warnings.catch_warnings():  # only the accuracy of the SVM counts
            warnings.simplefilter("ignore", ConvergenceWarning)
            train = transformer.transform(points.train[some])
            machine.fit(train, points.train_classes[some])
        svm = machine.score(test[asked], points.test_classes[asked])
        return {"nystrom": float(error), "svm": float(svm)}
