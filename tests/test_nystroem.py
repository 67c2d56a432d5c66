"""QuickNystroem: the kernel that its features approximate, and what it refuses."""

import pickle

import numpy as np
import pytest
from clusterers import Factored, Given
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.utils.estimator_checks import parametrize_with_checks

from nbfact.estimators import QuickNystroem

FACTORED = Factored()
CLUSTERERS = [FACTORED, KMeans(n_init=1)]


def points(n=60, dtype=float, seed=0):
    """Return points about four corners, far from the origin."""
    rng = np.random.default_rng(seed)
    corners = 10 + 3 * rng.standard_normal((4, 5))
    return (corners[rng.integers(4, size=n)] + rng.standard_normal((n, 5))).astype(
        dtype
    )


def fitted(X, n_components=8, clusterer=FACTORED, **options):
    options = {"random_state": 0, "clusterer": clusterer, **options}
    return QuickNystroem(n_components, **options).fit(X)


def error(model, X):
    """Return the relative error of the kernel."""
    features = model.transform(X).astype(float)
    kernel = rbf_kernel(X.astype(float), gamma=model.gamma_)
    return np.linalg.norm(features @ features.T - kernel) / np.linalg.norm(kernel)


@parametrize_with_checks(
    [QuickNystroem(5, clusterer=clusterer) for clusterer in CLUSTERERS]
)
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.compiled
def test_conventions_with_quickmeans():
    pytest.importorskip("nbfact.estimators.quick_kmeans")
    X = points()
    assert error(QuickNystroem(20, random_state=0).fit(X), X) < 0.2


@pytest.mark.parametrize("clusterer", CLUSTERERS, ids=["factored", "dense"])
def test_features_are_their_formula(clusterer):
    X = points()
    model = fitted(X, clusterer=clusterer)
    new = points(seed=1)
    C = rbf_kernel(new, model.landmarks_, gamma=model.gamma_)
    W = rbf_kernel(model.landmarks_, gamma=model.gamma_)
    features = model.transform(new)
    np.testing.assert_allclose(
        features @ features.T, C @ np.linalg.pinv(W) @ C.T, atol=1e-9
    )
    np.testing.assert_allclose(
        model.normalization_ @ model.normalization_ @ W, np.eye(8), atol=1e-9
    )
    np.testing.assert_array_equal(model.landmarks_, model.clusterer_.cluster_centers_)


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-8), ("float32", 1e-3)])
def test_exact_when_all_points_are_landmarks(dtype, bound):
    X = points(40, dtype)
    assert error(fitted(X, 40), X) < bound


def test_error_decreases_with_components():
    X = points(200)
    errors = [error(fitted(X, n_components), X) for n_components in (2, 8, 32, 128)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 10


def test_gamma_is_of_the_mean_squared_distance():
    X = points()
    expected = 1 / np.square(euclidean_distances(X)).mean()
    assert fitted(X).gamma_ == pytest.approx(expected)
    assert fitted(X, gamma=2).gamma_ == 2.0
    assert fitted(np.ones((5, 3)), 1).gamma_ == 1.0


@pytest.mark.parametrize("clusterer", CLUSTERERS, ids=["factored", "dense"])
def test_single_precision_far_from_the_origin(clusterer):
    X = points(60, "float32") + np.float32(1000)
    model = fitted(X, clusterer=clusterer)
    features = model.transform(X)
    assert features.dtype == model.normalization_.dtype == np.float32
    assert model.transform(X.astype(float)).dtype == np.float32
    double = X.astype(float)
    C = rbf_kernel(double, model.landmarks_.astype(float), gamma=model.gamma_)
    np.testing.assert_allclose(features, C @ model.normalization_, atol=2e-3)


def test_tiles_change_nothing(monkeypatch):
    X = points()
    model = fitted(X)
    expected = model.transform(X)
    monkeypatch.setattr("nbfact.estimators.row_tiles.BLOCK", 50)
    np.testing.assert_allclose(model.transform(X), expected, atol=1e-12)
    assert model._n_features_out == 8
    assert list(model.get_feature_names_out()[:2]) == [
        "quicknystroem0",
        "quicknystroem1",
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_landmarks_that_coincide(dtype):
    distinct = points(6, dtype)
    X = np.repeat(distinct, 10, axis=0)
    model = fitted(X, 12)
    assert np.isfinite(model.transform(X)).all()
    assert error(model, X) < 1e-3
    assert np.isfinite(fitted(np.ones((5, 3), dtype), 3).transform(X[:, :3])).all()


def test_more_components_than_points():
    X = points(5)
    with pytest.warns(UserWarning, match="n_components=9: 5, the number"):
        model = fitted(X, 9)
    assert model.transform(X).shape == (5, 5)


def test_a_frozen_clusterer_is_kept():
    X = points()
    clusterer = Factored(7, random_state=0).fit(X)
    model = QuickNystroem(clusterer=FrozenEstimator(clusterer), n_components=3)
    model.fit(points(seed=2))
    np.testing.assert_array_equal(model.landmarks_, clusterer.cluster_centers_)
    assert model.clusterer_.estimator is clusterer


def test_clone_and_pickle():
    X = points()
    model = fitted(X)
    expected = model.transform(X)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).transform(X), expected
    )
    np.testing.assert_allclose(clone(model).fit(X).transform(X), expected)


def test_what_is_wrong_is_named():
    X = points()
    with pytest.raises(ValueError, match="n_components=0"):
        fitted(X, 0)
    with pytest.raises(ValueError, match="gamma=-1"):
        fitted(X, gamma=-1)
    with pytest.raises(TypeError, match="gamma='auto'"):
        fitted(X, gamma="auto")
    with pytest.raises(TypeError, match="has no cluster_centers_"):
        fitted(X, clusterer=_WithoutCenters())
    with pytest.raises(ValueError, match=r"shape \(2, 5\), but .* shape \(3, 5\)"):
        fitted(X, clusterer=_Mismatched(X[:3]))


class _WithoutCenters(Given):
    def __init__(self, centers=None):
        self.centers = centers

    def fit(self, X, y=None):
        return self


class _Mismatched(Given):
    def fit(self, X, y=None):
        self.centers_operator_ = np.ones((2, 5))
        return super().fit(X)
