"""ClusterNeighbors: with all cells searched, it equals scikit-learn's search."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from clusterers import Factored, Given
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.utils.estimator_checks import parametrize_with_checks

from nbfact.estimators import ClusterNeighbors, ClusterNeighborsClassifier
from nbfact.estimators.exact_neighbors import candidates

ALL = 10**9
FACTORED = Factored()


def points(n, dtype=float, seed=0, n_features=6):
    """Return points about five corners, far from the origin."""
    corners = 20 + 4 * np.random.default_rng(9).standard_normal((5, n_features))
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, n_features))
    return (corners[rng.integers(5, size=n)] + noise).astype(dtype)


def fitted(X, n_neighbors=1, clusterer=FACTORED, **options):
    options = {"random_state": 0, "clusterer": clusterer, **options}
    return ClusterNeighbors(n_neighbors, **options).fit(X)


def brute(X, queries, k):
    """Return squared distances and indices from comparing all points.

    Of equal distances, the smallest index comes first.
    """
    differences = queries[:, None].astype(float) - X.astype(float)
    squares = np.square(differences).sum(axis=2)
    order = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(squares, order, axis=1), order


@parametrize_with_checks(
    [
        ClusterNeighbors(clusterer=Factored()),
        ClusterNeighbors(clusterer=KMeans(n_init=1), n_probes=2),
        ClusterNeighborsClassifier(clusterer=Factored()),
        ClusterNeighborsClassifier(3, clusterer=KMeans(n_init=1)),
    ]
)
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.compiled
def test_quickmeans_finds_the_cells():
    pytest.importorskip("nbfact.estimators.quick_kmeans")
    X = points(80)
    model = ClusterNeighbors(random_state=0).fit(X)
    np.testing.assert_array_equal(model.kneighbors(X)[1][:, 0], np.arange(80))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("k", [1, 4, 150])
def test_all_cells_are_nearest_neighbors(dtype, k):
    X, queries = points(150, dtype), points(40, dtype, seed=1)
    distances, indices = fitted(X, k, n_probes=ALL).kneighbors(queries)
    expected = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(X.astype(float))
    exact, order = expected.kneighbors(queries.astype(float))
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, exact, rtol=1e-7)
    assert distances.dtype == np.float64


def test_probes_are_the_nearest_cells():
    X, queries = points(150), points(40, seed=1)
    model = fitted(X, n_clusters=9, n_probes=3)
    to_centers = brute(model.clusterer_.cluster_centers_, queries, 3)[1]
    labels = model.clusterer_.predict(X)
    distances, indices = model.kneighbors(queries)
    for query, cells, distance, index in zip(
        queries, to_centers, distances, indices, strict=True
    ):
        inside = np.flatnonzero(np.isin(labels, cells))
        square, nearest = brute(X[inside], query[None], 1)
        assert index == inside[nearest[0]]
        np.testing.assert_allclose(distance, np.sqrt(square[0]))


def test_more_probes_find_nearer_points():
    X, queries = points(300), points(60, seed=1)
    found = [
        fitted(X, 5, n_clusters=30, n_probes=p).kneighbors(queries)[0]
        for p in (1, 2, 4, 8, 16, 30)
    ]
    for fewer, more in pairwise(found):
        assert (more <= fewer).all()


@given(
    n=st.integers(1, 30),
    k=st.integers(1, 6),
    n_probes=st.integers(1, 4),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_ties_and_empty_cells(n, k, n_probes, seed):
    """On a small grid most distances tie, and most cells of far centers are empty."""
    rng = np.random.default_rng(seed)
    X, queries = rng.integers(3, size=(n, 2)), rng.integers(4, size=(9, 2))
    centers = rng.integers(9, size=(7, 2))
    k = min(k, n)
    some = fitted(X, k, Given(centers), n_probes=n_probes).kneighbors(queries)
    assert (some[1] < n).all() and np.isfinite(some[0]).all()
    assert all(len(set(row)) == k for row in some[1])
    got = fitted(X, k, Given(centers), n_probes=ALL).kneighbors(queries)
    squares, indices = brute(X, queries, k)
    np.testing.assert_array_equal(got[1], indices)
    np.testing.assert_array_equal(got[0], np.sqrt(squares))
    assert (some[0] >= got[0]).all()


@pytest.mark.parametrize("offset", [0, 1e3, 1e6])
def test_single_precision_finds_the_exact_neighbor(offset):
    X = (points(200, seed=2) + offset).astype("float32")
    queries = (points(50, seed=3) + offset).astype("float32")
    distances, indices = fitted(X, 3, n_probes=ALL).kneighbors(queries)
    squares, expected = brute(X, queries, 3)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(distances, np.sqrt(squares), rtol=1e-12)
    mixed = fitted(X, 3, n_probes=ALL).kneighbors(queries.astype(float))
    np.testing.assert_array_equal(mixed[1], expected)


def test_candidates_of_huge_numbers_are_all():
    huge = np.full((3, 4), 1e30, "float32")
    rows, columns = candidates(huge[:1], huge, np.full((1, 1), np.inf))
    assert rows.tolist() == [0, 0, 0] and columns.tolist() == [0, 1, 2]


def test_tiles_change_nothing(monkeypatch):
    X, queries = points(150), points(40, seed=1)
    model = fitted(X, 5, n_probes=2)
    expected = model.kneighbors(queries)
    monkeypatch.setattr("nbfact.estimators.row_tiles.BLOCK", 37)
    np.testing.assert_array_equal(model.kneighbors(queries), expected)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_duplicates_and_more_clusters_than_distinct_points():
    X = np.repeat(points(4), 5, axis=0)
    model = fitted(X, 3, n_clusters=10)
    distances, indices = model.kneighbors(X)
    np.testing.assert_array_equal(distances, 0)
    np.testing.assert_array_equal(indices[7], [5, 6, 7])
    equal = fitted(np.ones((6, 2)), 2, n_clusters=3)
    np.testing.assert_array_equal(equal.kneighbors([[1, 2]])[1], [[0, 1]])


def test_points_are_stored_cell_by_cell():
    X = points(150)
    model = fitted(X)
    assert model.offsets_.shape == (13,)  # 12 cells: the square root of 150, rounded
    np.testing.assert_array_equal(model.points_, X[model.permutation_])
    labels = model.clusterer_.predict(model.points_)
    np.testing.assert_array_equal(
        labels, np.repeat(np.arange(12), np.diff(model.offsets_))
    )


def test_classes_are_those_of_k_neighbors():
    X, y = load_digits(return_X_y=True)
    train, test = slice(600), slice(600, 800)
    exact = KNeighborsClassifier(5).fit(X[train], y[train])
    model = ClusterNeighborsClassifier(5, n_probes=ALL, clusterer=KMeans(n_init=1))
    model.fit(X[train], y[train])
    np.testing.assert_array_equal(model.predict(X[test]), exact.predict(X[test]))
    np.testing.assert_allclose(
        model.predict_proba(X[test]), exact.predict_proba(X[test])
    )
    first = ClusterNeighborsClassifier(clusterer=Factored(), random_state=0)
    first.fit(X[train], y[train].astype(str))
    assert first.score(X[train], y[train].astype(str)) == 1.0
    assert first.score(X[test], y[test].astype(str)) > 0.8


def test_a_frozen_clusterer_is_kept():
    clusterer = Factored(7, random_state=0).fit(points(90))
    model = ClusterNeighbors(clusterer=FrozenEstimator(clusterer))
    model.fit(points(150, seed=2))
    assert model.clusterer_.estimator is clusterer
    assert len(model.offsets_) == 8


def test_clone_and_pickle():
    X = points(60)
    model = fitted(X, 2)
    expected = model.kneighbors(X)
    copies = pickle.loads(pickle.dumps(model)), clone(model).fit(X)
    for copy in copies:
        np.testing.assert_array_equal(copy.kneighbors(X), expected)
    np.testing.assert_array_equal(
        model.kneighbors(X, return_distance=False), expected[1]
    )


def test_what_is_wrong_is_named():
    X = points(60)
    with pytest.raises(ValueError, match="n_probes=0"):
        fitted(X, n_probes=0)
    with pytest.raises(ValueError, match="n_neighbors=0"):
        fitted(X, 0)
    with pytest.raises(TypeError, match=r"n_clusters=2\.5"):
        fitted(X, n_clusters=2.5)
    with pytest.raises(ValueError, match="n_neighbors=61, of 60 training points"):
        fitted(X).kneighbors(X, 61)
    with pytest.raises(TypeError, match="has no cluster_centers_"):
        fitted(X, clusterer=AgglomerativeClustering())
    with pytest.raises(ValueError, match="6 features"):
        fitted(X).kneighbors(X[:, :3])
    with pytest.warns(UserWarning, match="n_clusters=99: 60, the number"):
        fitted(X, n_clusters=99)


@pytest.mark.compiled
@pytest.mark.parametrize("seed", [0, 1])
def test_default_probes_find_nine_of_ten_neighbors(seed):
    rng = np.random.default_rng(seed)
    x, queries = rng.standard_normal((2000, 16)), rng.standard_normal((400, 16))
    model = ClusterNeighbors(random_state=0).fit(x)
    found = model.kneighbors(queries, return_distance=False)[:, 0]
    assert np.mean(found == cdist(queries, x).argmin(axis=1)) >= 0.9
    assert 1 < model.n_probes_ < 0.5 * len(model.offsets_)


def test_no_point_is_its_own_neighbor():
    x = np.repeat(np.random.default_rng(0).standard_normal((20, 3)), 3, axis=0)
    x[6:] += np.random.default_rng(1).standard_normal((54, 3))
    options = {"n_probes": 5, "clusterer": KMeans(5, random_state=0)}
    model = ClusterNeighbors(4, **options).fit(x)
    distances, indices = model.kneighbors()
    assert (indices != np.arange(60)[:, None]).all()
    own = cdist(x, x)
    np.fill_diagonal(own, np.inf)
    np.testing.assert_allclose(distances, np.sort(own, axis=1)[:, :4], atol=1e-9)
    graph = model.kneighbors_graph(mode="distance")
    assert graph.shape == (60, 60) and graph.has_canonical_format is False
    np.testing.assert_array_equal(graph.indices.reshape(60, 4), indices)
    np.testing.assert_array_equal(graph.data.reshape(60, 4), distances)
    ones = model.kneighbors_graph(x[:7], 1)
    np.testing.assert_array_equal(ones.toarray().sum(axis=1), np.ones(7))
    with pytest.raises(ValueError, match="mode='other': expected one of"):
        model.kneighbors_graph(mode="other")
    with pytest.raises(ValueError, match="n_neighbors=60, of 59 other training points"):
        model.kneighbors(n_neighbors=60)
