"""Estimators that search neighbors or approximate kernels, and what they predict."""

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel

from ..cases import ODD, called, entry
from ..checks import near, numbers, true
from ..pools import (
    Pool,
    choice,
    count,
    fixed,
    flag,
    listed_values,
    or_none,
    real,
    seed,
)
from .estimators import a_model, constructed, data, squares, tame, words

CLUSTERER = or_none(
    listed_values(
        [
            "nf.QuicKMeans(random_state=0, max_iter=2)",
            "__import__('sklearn.cluster').cluster.KMeans(random_state=0, n_init=1)",
        ],
        ["3", "'a'", "object()", "[]", "{}", "nf.QuicKMeans", "len", "True"],
    )
)
SEARCH = {
    "n_neighbors": count(1, 3, wrong=("99",)),
    "n_clusters": or_none(count(1, 3, huge=ODD)),
    "n_probes": or_none(count(1, 3, huge=ODD)),
    "clusterer": CLUSTERER,
    "random_state": seed(legacy=True),
    "threads": or_none(count(1, 1, huge=ODD)),
}
SEARCH["n_neighbors"] = Pool(
    SEARCH["n_neighbors"].good,
    SEARCH["n_neighbors"].other.filter(lambda v: v.kind not in ("huge", "wrong value")),
)


def stored(call):
    model, x = call.result, numbers(call["X"])
    true(np.isfinite(model.points_).all() and model.points_.shape == x.shape, "points_")
    near(np.asarray(model.points_, float), x[model.permutation_], model.points_)


@entry("ClusterNeighbors", stored, **words())
def _(draw):
    return constructed(
        "ClusterNeighbors", SEARCH, fixed("points(12)", "points(12, 4, 'float32')")
    )


@entry("ClusterNeighborsClassifier", stored, **words())
def _(draw):
    return constructed(
        "ClusterNeighborsClassifier",
        SEARCH,
        fixed("points(12)", "points(12, 4, 'float32')"),
        ", np.arange(12) % 3",
    )


@entry("ClusterNeighbors.fit", stored, **words())
def _(draw):
    return called(
        "{self}.fit",
        {
            "self": fixed("nf.ClusterNeighbors(2, n_clusters=3, random_state=0)"),
            "X": data(12),
        },
    )


@entry(
    "ClusterNeighborsClassifier.fit",
    stored,
    **words("y", "classes", "classification", "target", "label", "labels", "numbers"),
)
def _(draw):
    bad = [
        "None",
        "[]",
        "[0, 1]",
        "3",
        "object()",
        "np.linspace(0, 1, 12)",
        "np.full(12, np.nan)",
        "np.ones((12, 2))",
        "{}",
        "np.ones(13)",
    ]
    y = listed_values(
        [
            "np.arange(12) % 3",
            "['a', 'b'] * 6",
            "[True, False] * 6",
            "np.zeros(12, int)",
        ],
        bad,
        [
            "masked(np.arange(12))",
            "np.array([0, 'a'] * 6, 'O')",
            "np.array(['2020', '2021'] * 6, 'M8[Y]')",
        ],
    )
    pools = {
        "self": fixed("nf.ClusterNeighborsClassifier(2, n_clusters=3, random_state=0)"),
        "X": data(12),
        "y": y,
    }
    return called("{self}.fit", pools)


def brute(call):
    model, x = call["self"], call.get("X")
    points = np.empty_like(np.asarray(model.points_, float))
    points[model.permutation_] = model.points_
    alone = x is None  # then no point is a neighbor of itself
    x = points if alone else numbers(x)
    n = call.get("n_neighbors")
    n = model.n_neighbors if n is None else int(n)
    with_distance = call.get("return_distance", True)
    found, index = call.result if with_distance else (None, call.result)
    true(index.shape == (len(x), n), f"shape {index.shape}")
    if not tame(x):
        return
    expected = squares(x, points)
    if alone:
        np.fill_diagonal(expected, np.inf)
    chosen = np.take_along_axis(expected, index, 1)
    best = np.sort(expected, axis=1)[:, :n]
    eps = np.finfo(model.points_.dtype).eps
    size = squares(x, points).max() + squares(points, points[:1]).max()
    true((np.abs(chosen - best) <= 1e3 * eps * size).all(), f"neighbors {index[:2]}")
    if found is not None:
        true(
            np.abs(found - np.sqrt(chosen)).max() <= 50 * np.sqrt(eps) * np.sqrt(size),
            "distances",
        )


for _name in ("ClusterNeighbors", "ClusterNeighborsClassifier"):

    @entry(f"{_name}.kneighbors", brute, **words("n_neighbors"))
    def _(draw, name=_name):
        pools = {
            "self": a_model(draw, name),
            "X": or_none(data(5, few=True)),
            "n_neighbors": or_none(count(1, 4, wrong=("25", "99"))),
            "return_distance": flag(),
        }
        return called("{self}.kneighbors", pools)


def graphed(call):
    model = call["self"]
    distances, index = model.kneighbors(call.get("X"), call.get("n_neighbors"))
    true(call.result.shape == (len(index), model.n_samples_fit_), "shape")
    true(np.array_equal(call.result.indices.reshape(index.shape), index), "neighbors")
    far = call.get("mode", "connectivity") == "distance"
    values = call.result.data.reshape(index.shape)
    true(np.array_equal(values, distances if far else np.ones(index.shape)), "values")


for _name in ("ClusterNeighbors", "ClusterNeighborsClassifier"):

    @entry(f"{_name}.kneighbors_graph", graphed, **words("n_neighbors"))
    def _(draw, name=_name):
        pools = {
            "self": a_model(draw, name),
            "X": or_none(data(5, few=True)),
            "n_neighbors": or_none(count(1, 4, wrong=("25", "99"))),
            "mode": choice("connectivity", "distance"),
        }
        return called("{self}.kneighbors_graph", pools)


def shares(call):
    near(call.result.sum(axis=1), np.ones(len(call.result)))
    true(call.result.shape[1] == 2, f"shape {call.result.shape}")


@entry("ClusterNeighborsClassifier.predict_proba", shares, **words())
def _(draw):
    return called(
        "{self}.predict_proba",
        {"self": a_model(draw, "ClusterNeighborsClassifier"), "X": data(5, few=True)},
    )


@entry(
    "ClusterNeighborsClassifier.predict",
    lambda call: true(set(call.result) <= {0, 1}, "classes"),
    **words(),
)
def _(draw):
    return called(
        "{self}.predict",
        {"self": a_model(draw, "ClusterNeighborsClassifier"), "X": data(5, few=True)},
    )


def features(call):
    model, x = call["self"], numbers(call["X"])
    true(np.isfinite(call.result).all(), "features are not finite")
    if tame(x):
        landmarks = numbers(model.landmarks_)
        kernel = rbf_kernel(x, landmarks, gamma=float(model.gamma_))
        expected = kernel @ numbers(model.normalization_)
        size = np.abs(kernel).sum(axis=1).max() * np.abs(model.normalization_).max()
        near(
            np.asarray(call.result),
            expected,
            model.landmarks_,
            size=10
            * size
            * (1 + (np.abs(x).max() + np.abs(landmarks).max()) ** 2 * model.gamma_),
        )


@entry("QuickNystroem.transform", features, **words())
def _(draw):
    return called(
        "{self}.transform",
        {"self": a_model(draw, "QuickNystroem"), "X": data(5, few=True)},
    )


def landmarks(call):
    model = call.result
    true(np.isfinite(model.landmarks_).all(), "landmarks are not finite")
    true(
        np.isfinite(model.normalization_).all() and 0 < model.gamma_ < np.inf,
        "not finite",
    )


@entry("QuickNystroem.fit", landmarks, **words("gamma"))
def _(draw):
    return called(
        "{self}.fit",
        {"self": fixed("nf.QuickNystroem(3, random_state=0)"), "X": data(12)},
    )


@entry("QuickNystroem", landmarks, **words())
def _(draw):
    pools = {
        "n_components": count(1, 4, huge=ODD),
        "gamma": or_none(
            real(
                "0.5", "1", "np.float32(2)", bad=("0", "-1.0"), odd=("1e308", "1e-308")
            )
        ),
        "clusterer": CLUSTERER,
        "random_state": seed(legacy=True),
        "threads": or_none(count(1, 1, huge=ODD)),
    }
    return constructed(
        "QuickNystroem", pools, fixed("points(12)", "points(12, 4, 'float32')")
    )
