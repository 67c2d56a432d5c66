"""The estimators far from the origin: right distances, labels and sums, or refusals."""

import re

import numpy as np
import pytest
from samples import LATER
from test_far_points import exact_squares, groups

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.metrics.pairwise import rbf_kernel

from nbfact.estimators import (
    ClusterNeighbors,
    ClusterNeighborsClassifier,
    QuicKMeans,
    QuickNystroem,
)
from nbfact.estimators.clusterers import Centers

# Without compilation, fits take minutes.
pytestmark = pytest.mark.compiled


def outlier(dtype):
    x = groups(0.0, dtype)
    x[5] = 1e12
    return x


POINTS = {
    "at the origin": ("float64", lambda: groups(0.0, "float64")),
    "single 1e3": ("float32", lambda: groups(1e3, "float32", sides=1)),
    "single 1e5": ("float32", lambda: groups(1e5, "float32", sides=1)),
    "single two groups": ("float32", lambda: groups(1e4, "float32")),
    "double 1e9": ("float64", lambda: groups(1e9, "float64", sides=1)),
    "double two groups": ("float64", lambda: groups(5e8, "float64")),
    "double outlier": ("float64", lambda: outlier("float64")),
}
FAR = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=LATER if dtype == "float32" else ())
        for name, (dtype, _) in POINTS.items()
    ],
)


@FAR
def test_quick_kmeans(name):
    dtype, make = POINTS[name]
    x = make()
    model = QuicKMeans(8, sparsity=3, random_state=0, max_iter=5).fit(x)
    squares = exact_squares(x, model.cluster_centers_)
    labels, inertia = squares.argmin(axis=1), float(squares.min(axis=1).sum())
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.predict(x), labels)
    assert model.inertia_ == pytest.approx(inertia, rel=1e-10)
    assert model.score(x) == pytest.approx(-inertia, rel=1e-10)
    distances = model.transform(x)
    assert distances.dtype == dtype
    np.testing.assert_allclose(
        distances,
        np.sqrt(squares).astype(float),
        rtol=8e-6 if dtype == "float32" else 1e-12,
    )
    assert (np.diff(model.history_["objective"]) <= 0).all()
    half = x[: len(x) // 2]
    batches = QuicKMeans(8, sparsity=3, random_state=0).fit(half).partial_fit(x)
    squares = exact_squares(x, batches.cluster_centers_)
    assert batches.inertia_ == pytest.approx(
        float(squares.min(axis=1).sum()), rel=1e-10
    )


@FAR
@pytest.mark.parametrize("init", ["k-means++", "random", "array"])
def test_dense_budgets_are_as_good_as_k_means(name, init):
    """With all parameters, the centers are those of k-means; the seeds are good."""
    x = POINTS[name][1]()
    first, n_init = (x[:: len(x) // 8][:8], 1) if init == "array" else (init, 3)
    options = {"init": first, "n_init": n_init, "random_state": 0}
    model = QuicKMeans(8, sparsity=16, **options).fit(x)
    wide = x.astype(np.float64)
    shifted = wide - np.where(np.abs(wide) > 100, np.round(wide, -3), 0)
    dense = KMeans(8, n_init=3, random_state=0).fit(shifted)
    assert model.inertia_ < 2.2 * dense.inertia_


@FAR
@pytest.mark.parametrize("clusterer", [None, KMeans(random_state=0, n_init=1)])
def test_neighbors(name, clusterer):
    x = POINTS[name][1]()
    model = ClusterNeighbors(4, n_clusters=6, n_probes=6, clusterer=clusterer)
    distances, indices = model.fit(x).kneighbors(x[:50])
    squares = exact_squares(x[:50], x)
    expected = np.argsort(squares, axis=1, kind="stable")[:, :4]
    np.testing.assert_array_equal(indices, expected)
    right = np.sqrt(np.take_along_axis(squares, expected, 1)).astype(float)
    np.testing.assert_allclose(distances, right, rtol=1e-12)


@FAR
def test_cells_are_those_of_the_nearest_centers(name):
    dtype, make = POINTS[name]
    x = make()
    for clusterer in (QuicKMeans(6, random_state=0), KMeans(6, random_state=0)):
        fitted = clusterer.fit(x)
        squares = exact_squares(x, fitted.cluster_centers_.astype(dtype))
        got = Centers(fitted, x.dtype).squared_distances(x)
        rtol = 2e-5 if dtype == "float32" else 1e-11
        np.testing.assert_allclose(got.T, squares.astype(float), rtol=rtol, atol=1e-30)


@FAR
def test_features_of_the_kernel(name):
    dtype, make = POINTS[name]
    x = make()
    model = QuickNystroem(6, gamma=0.02, clusterer=KMeans(6, random_state=0, n_init=1))
    features = model.fit(x).transform(x)
    squares = exact_squares(model.landmarks_, model.landmarks_)
    values, vectors = np.linalg.eigh(np.exp(-0.02 * squares.astype(float)))
    floor = 10 * np.finfo(dtype).eps * values[-1]
    root = (vectors / np.sqrt(np.maximum(values, floor))) @ vectors.T
    kernel = np.exp(-0.02 * exact_squares(x, model.landmarks_).astype(float))
    atol = 1e-3 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(features, kernel @ root, atol=atol)
    if name == "at the origin":
        np.testing.assert_allclose(
            kernel, rbf_kernel(x, model.landmarks_, 0.02), atol=1e-12
        )


ESTIMATORS = [
    QuicKMeans(4, random_state=0),
    ClusterNeighbors(2, random_state=0),
    ClusterNeighborsClassifier(2, random_state=0),
    QuickNystroem(4, random_state=0),
]
EACH = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda one: type(one).__name__
)


def calls(model):
    """Return the methods of a fitted estimator that take points."""
    names = ("predict", "transform", "score_samples", "kneighbors", "predict_proba")
    return [getattr(model, name) for name in names if hasattr(model, name)]


@EACH
def test_bad_points_are_refused(estimator):
    x = groups(0.0, "float64", n_points=40, n_features=4)
    y = np.arange(40) % 2
    model = estimator.fit(x, y)
    methods = [
        lambda points: estimator.__class__(**estimator.get_params()).fit(points, y)
    ]
    methods += calls(model)
    if hasattr(model, "partial_fit"):
        methods += [model.partial_fit, model.score]
    for method in methods:
        for bad in (np.nan, np.inf):
            points = x.copy()
            points[3, 1] = bad
            with pytest.raises(ValueError, match=r"X contains (NaN|infinity)"):
                method(points)
        with pytest.raises(TypeError, match="X is a masked array"):
            method(np.ma.masked_array(x, x > 1))
        with pytest.raises(ValueError, match="X"):
            method(np.full((40, 4), 1e200) * np.arange(40)[:, None])
    scaled = estimator.__class__(**estimator.get_params())
    for factor in (1e-170, 1e200):
        with pytest.raises(ValueError, match=r"X is too (small|large) for float64"):
            scaled.fit(factor * x, y)
    for factor in (1e-25, 1e25):  # refused before anything is compiled
        with pytest.raises(ValueError, match=r"X is too (small|large) for float32"):
            scaled.fit((factor * x).astype(np.float32), y)


def test_a_frozen_clusterer_is_used_as_it_is():
    x = groups(1e4, "float32")
    fitted = QuicKMeans(6, random_state=0).fit(x)
    model = ClusterNeighbors(3, n_probes=6, clusterer=FrozenEstimator(fitted)).fit(x)
    expected = np.argsort(exact_squares(x, x), axis=1, kind="stable")[:, :3]
    np.testing.assert_array_equal(model.kneighbors(x, return_distance=False), expected)


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=LATER)])
def test_a_huge_gamma_leaves_the_identity(dtype):
    x = groups(0.0, dtype, n_points=6, n_features=3)
    dense = KMeans(6, random_state=0, n_init=1)
    model = QuickNystroem(6, gamma=1e308, clusterer=dense).fit(x)
    features = model.transform(model.landmarks_)
    np.testing.assert_allclose(features, np.eye(6), atol=1e-6)


BAD_PARAMETERS = [
    (QuicKMeans, {"n_clusters": True}, TypeError, "n_clusters=True"),
    (QuicKMeans, {"sparsity": 2.0}, TypeError, "sparsity=2.0"),
    (QuicKMeans, {"nnz": 2.0}, TypeError, "nnz=2.0"),
    (QuicKMeans, {"nnz": None}, TypeError, "nnz=None"),
    (QuicKMeans, {"inertia_increase": "3%"}, TypeError, "inertia_increase='3%'"),
    (QuicKMeans, {"algorithm": None}, TypeError, "algorithm=None"),
    (QuicKMeans, {"n_factors": True}, TypeError, "n_factors=True"),
    (QuicKMeans, {"n_init": "2"}, TypeError, "n_init='2'"),
    (QuicKMeans, {"max_iter": False}, TypeError, "max_iter=False"),
    (QuicKMeans, {"tol": True}, TypeError, "tol=True"),
    (QuicKMeans, {"tol": "a"}, TypeError, "tol='a'"),
    (QuicKMeans, {"tol": np.nan}, ValueError, "tol=nan"),
    (QuicKMeans, {"init": b"random"}, TypeError, "init"),
    (QuicKMeans, {"init": [[1.0, 2.0], [3.0]]}, ValueError, "init is no array"),
    (QuicKMeans, {"init": np.ma.masked_array(np.ones((4, 4)))}, TypeError, "init is a"),
    (QuicKMeans, {"factorizer": ["explore"]}, TypeError, "factorizer="),
    (QuicKMeans, {"verbose": "yes"}, TypeError, "verbose='yes'"),
    (QuicKMeans, {"verbose": np.ones(2)}, TypeError, "verbose=ndarray"),
    (QuicKMeans, {"threads": True}, TypeError, "threads=True"),
    (QuicKMeans, {"threads": 0}, ValueError, "threads=0"),
    (ClusterNeighbors, {"n_neighbors": 1.0}, TypeError, "n_neighbors=1.0"),
    (ClusterNeighbors, {"n_neighbors": 0}, ValueError, "n_neighbors=0"),
    (ClusterNeighbors, {"n_clusters": True}, TypeError, "n_clusters=True"),
    (ClusterNeighbors, {"n_probes": 1.5}, TypeError, "n_probes=1.5"),
    (ClusterNeighbors, {"clusterer": 3}, TypeError, "clusterer=3"),
    (ClusterNeighbors, {"clusterer": KMeans}, TypeError, "clusterer=the class KMeans"),
    (QuickNystroem, {"n_components": True}, TypeError, "n_components=True"),
    (QuickNystroem, {"gamma": True}, TypeError, "gamma=True"),
    (QuickNystroem, {"gamma": "scale"}, TypeError, "gamma='scale'"),
    (QuickNystroem, {"gamma": 0}, ValueError, "gamma=0"),
    (QuickNystroem, {"gamma": np.inf}, ValueError, "gamma=inf"),
    (QuickNystroem, {"clusterer": "kmeans"}, TypeError, "clusterer='kmeans'"),
]


@pytest.mark.parametrize(("cls", "options", "error", "message"), BAD_PARAMETERS)
def test_a_bad_parameter_is_named_in_fit(cls, options, error, message):
    x = groups(0.0, "float64", n_points=40, n_features=4)
    with pytest.raises(error, match=re.escape(message)):
        cls(**options).fit(x)


@EACH
@pytest.mark.parametrize(
    ("value", "error"),
    [
        *(
            (value, TypeError)
            for value in ("a", True, 1.5, [1], np.random.default_rng(0))
        ),
        *((value, ValueError) for value in (-1, 2**40)),
    ],
)
def test_a_bad_random_state_is_named(estimator, value, error):
    x = groups(0.0, "float64", n_points=40, n_features=4)
    model = clone(estimator).set_params(random_state=value)
    with pytest.raises(error, match=r"random_state=.*: expected None, an integer"):
        model.fit(x, np.arange(40) % 2)


@EACH
def test_bad_shapes_and_kinds_of_points_are_named(estimator):
    x = groups(0.0, "float64", n_points=40, n_features=4)
    y = np.arange(40) % 2
    fresh = clone(estimator)
    model = clone(estimator).fit(x, y)
    methods = [lambda points: fresh.fit(points, y), *calls(model)]
    for method in methods:
        for wrong in (
            x[0],
            x[None],
            "x",
            None,
            1j * x,
            x.astype("M8[s]"),
            [[1.0], [2, 3]],
        ):
            if wrong is None and method == getattr(model, "kneighbors", None):
                continue  # the training points
            with pytest.raises((TypeError, ValueError), match=r"\bX\b"):
                method(wrong)
    if isinstance(model, ClusterNeighbors):
        for wrong in (1, "yes", None):
            with pytest.raises(TypeError, match="return_distance="):
                model.kneighbors(x, return_distance=wrong)


def test_bad_weights_are_named():
    x = groups(0.0, "float64", n_points=40, n_features=4)
    weights = np.ones(40)
    model = QuicKMeans(4, random_state=0)
    for wrong in (
        *(weights[:-1], weights.astype(object) * 1j, ["a"] * 40, -weights),
        *(np.full(40, np.nan), np.ma.masked_array(weights), np.zeros(40)),
        np.full(40, 1e308),
    ):
        for method in (model.fit, clone(model).partial_fit):
            with pytest.raises(
                (TypeError, ValueError), match=r"sample_weight|X is too"
            ):
                method(x, sample_weight=wrong)
