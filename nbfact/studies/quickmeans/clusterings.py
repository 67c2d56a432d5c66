"""Part of the study of QuicK-means: what is compared, and the rows of one data set."""

import functools
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...harness.sample import interleave, paired_ratio, summary
from ..tools.result_files import Row
from .datasets import LabelledSplit, split

KMEANS = "K-means"
AFTER = "K-means, then factorised"
PALM = "QuicK-means, palm4msa"
EXPLORE = "QuicK-means, explore"
BUTTERFLY = "QuicK-means, butterfly"
UNIFORM = "uniform landmarks"
EXHAUSTIVE = "exhaustive search"
SPARSE = (AFTER, PALM, EXPLORE)
"""Methods with a sparsity."""

_TIMED = 1000
"""Points that are assigned while it is timed."""
_SAMPLE = 1000
"""Points of the kernel that is approximated."""
_CLASSES = 32
"""Classes that are learned: one machine for each."""
_BUDGET = 0.1
"""Seconds of timing for each method."""


@dataclass(frozen=True)
class Fitted:
    """A clusterer, the seconds that its fit took, or why there is none."""

    model: Any = None
    seconds: float | None = None
    failure: str | None = None


Key = tuple[str, int | None]
"""A method, and its sparsity where it has one."""


def rows_of(
    data: str,
    n_clusters: int,
    seed: int,
    sparsities: Sequence[int],
    max_iter: int,
    most: int,
) -> list[Row]:
    """Return a row for each method, on one split of one data set.

    Parameters
    ----------
    data : str
        A name of `datasets.DATA`.
    n_clusters, seed : int
    sparsities : sequence of int
    max_iter : int
        Of K-means, and of QuicK-means.
    most : int
        Points, in all.

    Returns
    -------
    list of dict
        What does not apply to a method is None.
    """
    warm_up()
    points = split(data, n_clusters, seed, most)
    found = fit_all(points.train, n_clusters, seed, sparsities, max_iter)
    kmeans = found[KMEANS, None].model
    models = {key: one.model for key, one in found.items() if one.model is not None}
    measured = times(models, points.test[:_TIMED])
    judge = Judge(points, seed)
    rows = []
    for key, one in found.items():
        row: Row = dict.fromkeys(MEASURES) | {"failure": one.failure}
        if one.model is not None:
            row |= facts(one, kmeans, points) | measured[key] | judge.applied(one.model)
        rows.append(dict(zip(("method", "sparsity"), key, strict=True)) | row)
    nothing: Row = {"sparsity": None, **dict.fromkeys(MEASURES), "failure": None}
    rows.append({"method": UNIFORM, **nothing, **judge.uniform(n_clusters)})
    rows.append({"method": EXHAUSTIVE, **nothing, "knn": judge.exhaustive()})
    shape = dict(zip("ND", points.train.shape, strict=True))
    return [{"data": data, "K": n_clusters, **shape, "seed": seed, **r} for r in rows]


MEASURES = tuple(
    "inertia relative nnz compression us ratio fit_seconds n_iter ami knn "
    "nystrom svm".split()
)
"""Columns of the measures."""


def fit_all(
    train: np.ndarray,
    n_clusters: int,
    seed: int,
    sparsities: Sequence[int],
    max_iter: int,
) -> dict[Key, Fitted]:
    """Return all clusterers, from the same first centres.

    These are drawn by k-means++, as it was published: one candidate for each centre.
    """
    from sklearn.cluster import KMeans, kmeans_plusplus

    from ...estimators import QuicKMeans

    drawn = {"random_state": seed, "n_local_trials": 1}
    first = kmeans_plusplus(train, n_clusters, **drawn)[0]
    options = {"max_iter": max_iter, "random_state": seed}
    kmeans = _fit(KMeans(n_clusters, init=first, n_init=1, **options), train)
    found = {(KMEANS, None): kmeans}
    quick = functools.partial(QuicKMeans, n_clusters, init=first, **options)
    for sparsity in sparsities:
        once = quick(sparsity=sparsity, factorizer="palm4msa")
        once.set_params(init=kmeans.model.cluster_centers_, max_iter=0)
        found[AFTER, sparsity] = _fit(once, train, kmeans.seconds)
        for method, name in ((PALM, "palm4msa"), (EXPLORE, "explore")):
            model = quick(sparsity=sparsity, factorizer=name)
            found[method, sparsity] = _fit(model, train)
    found[BUTTERFLY, None] = _fit(quick(factorizer="butterfly"), train)
    return found


def _fit(model, train, before=0.0):
    """Return a model that is fitted; before: seconds that were spent on it already."""
    start = time.perf_counter() - before
    try:
        model.fit(train)
    except Exception as problem:  # one attempt of hundreds, told in its row
        told = " ".join(f"{type(problem).__name__}: {problem}".split())
        return Fitted(failure=told)
    return Fitted(model, time.perf_counter() - start)


@functools.cache
def warm_up() -> None:
    """Compile what fits and predicts, once in a process: fits are timed."""
    from ...estimators import QuicKMeans

    points = np.random.default_rng(0).standard_normal((32, 16)).astype(np.float32)
    for name in ("palm4msa", "explore", "butterfly"):
        QuicKMeans(8, max_iter=2, factorizer=name).fit(points).predict(points)


def times(models: dict[Key, Any], points: np.ndarray) -> dict[Key, Row]:
    """Return microseconds that assigning a point takes, and K-means' over these.

    Calls are interleaved: each round times every method.
    """
    calls: dict[Any, Callable] = {
        key: functools.partial(model.predict, points) for key, model in models.items()
    }
    samples = interleave(calls, _BUDGET * len(calls))
    kmeans = samples[KMEANS, None]
    return {
        key: {
            "us": summary(sample)["median"] / len(points) * 1e6,
            "ratio": paired_ratio(kmeans, sample)["median"],
        }
        for key, sample in samples.items()
    }


def facts(fitted: Fitted, kmeans: Any, points: LabelledSplit) -> Row:
    """Return what is told of a clusterer by itself, and beside K-means."""
    from sklearn.metrics import adjusted_mutual_info_score

    model = fitted.model
    size = model.cluster_centers_.size
    operator = getattr(model, "centers_operator_", None)
    nnz = size if operator is None else int(operator.nnz)
    return {
        "inertia": float(model.inertia_),
        "relative": float(model.inertia_ / kmeans.inertia_),
        "nnz": nnz,
        "compression": size / nnz,
        "fit_seconds": fitted.seconds,
        "n_iter": int(model.n_iter_),
        "ami": float(adjusted_mutual_info_score(points.train_classes, model.labels_)),
    }


class Judge:
    """The applications of the paper: nearest neighbours, and the Nyström method.

    Parameters
    ----------
    points : LabelledSplit
    seed : int
        Of the uniform landmarks, and of the linear machines.

    Notes
    -----
    The kernel is exp(-gamma d²), gamma = 1 / the mean squared distance (the paper).
    """

    def __init__(self, points: LabelledSplit, seed: int) -> None:
        self.points, self.seed = points, seed
        variance = points.train.var(axis=0, dtype=np.float64).sum()
        self.gamma = 1 / (2 * float(variance))

    def applied(self, model: Any) -> Row:
        """Return how well a fitted clusterer does in both."""
        from sklearn.frozen import FrozenEstimator

        from ...estimators import ClusterNeighborsClassifier, QuickNystroem

        frozen, points = FrozenEstimator(model), self.points
        search = ClusterNeighborsClassifier(n_neighbors=1, clusterer=frozen)
        search.fit(points.train, points.train_classes)
        features = QuickNystroem(
            len(model.cluster_centers_), gamma=self.gamma, clusterer=frozen
        )
        knn = float(search.score(points.test, points.test_classes))
        return {"knn": knn, **self._kernel(features)}

    def uniform(self, n_landmarks: int) -> Row:
        """Return how well points do that are drawn as landmarks: scikit-learn's."""
        from sklearn.kernel_approximation import Nystroem

        options = {"n_components": n_landmarks, "random_state": self.seed}
        return self._kernel(Nystroem(gamma=self.gamma, **options))

    def exhaustive(self) -> float:
        """Return the accuracy of the nearest neighbour, searched among all points."""
        from sklearn.neighbors import KNeighborsClassifier

        search = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
        search.fit(self.points.train, self.points.train_classes)
        return float(search.score(self.points.test, self.points.test_classes))

    def _kernel(self, transformer):
        """Return the error of the kernel's approximation, and a linear SVM's accuracy.

        The machine learns some of the classes, where there are many.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.metrics.pairwise import rbf_kernel
        from sklearn.svm import LinearSVC

        points = self.points
        transformer.fit(points.train)
        test = transformer.transform(points.test)
        some, sample = points.train_classes < _CLASSES, test[:_SAMPLE]
        asked = points.test_classes < _CLASSES
        kernel = rbf_kernel(points.test[:_SAMPLE], gamma=self.gamma)
        error = np.linalg.norm(kernel - sample @ sample.T) / np.linalg.norm(kernel)
        machine = LinearSVC(random_state=self.seed)
        with warnings.catch_warnings():  # it is judged by what it predicts
            warnings.simplefilter("ignore", ConvergenceWarning)
            train = transformer.transform(points.train[some])
            machine.fit(train, points.train_classes[some])
        svm = machine.score(test[asked], points.test_classes[asked])
        return {"nystrom": float(error), "svm": float(svm)}
