"""QuicKMeans: the centers it finds, the laws of its objective, and misuse."""

import pickle

import naive
import numpy as np
import pytest
from samples import DTYPES

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.utils.estimator_checks import parametrize_with_checks

import nbfact as nf
from nbfact.estimators import QuicKMeans
from nbfact.estimators.recipes import budget_of

# Without compilation, fits take minutes.
pytestmark = pytest.mark.compiled
FEWER = pytest.mark.filterwarnings("ignore:Number of distinct clusters")
"""The warning is ignored where fits find fewer clusters than they are asked for."""
FACTORIZERS = ("palm4msa", "explore", "butterfly")


def blobs(n_points=200, n_features=16, centers=6, seed=0, dtype="float64"):
    return make_blobs(n_points, n_features, centers=centers, random_state=seed)[
        0
    ].astype(dtype)


@FEWER
@parametrize_with_checks([QuicKMeans(factorizer=name) for name in FACTORIZERS])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@FEWER
@pytest.mark.parametrize("factorizer", FACTORIZERS)
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_fit(factorizer, dtype):
    x = blobs(dtype=dtype)
    model = QuicKMeans(12, sparsity=2, factorizer=factorizer, random_state=0).fit(x)
    centers, operator = model.cluster_centers_, model.centers_operator_
    assert centers.dtype == operator.dtype == dtype and centers.shape == (12, 16)
    assert isinstance(operator, nf.FastOperator)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(operator.toarray(), centers, atol=100 * eps * 20)
    labels, inertia = naive.nearest_centers(x, centers)
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.predict(x), labels)
    assert model.labels_.dtype == np.int32
    assert model.inertia_ == pytest.approx(inertia, rel=100 * eps)
    assert model.score(x) == pytest.approx(-inertia, rel=100 * eps)
    distances = model.transform(x)
    assert distances.dtype == dtype
    expected = np.linalg.norm(x[:, None] - centers, axis=2)
    np.testing.assert_allclose(distances, expected, atol=1e3 * eps**0.5)
    history = model.history_
    n_dense, n_joint = len(history["dense_objective"]), len(history["objective"]) - 1
    assert n_dense <= model.n_iter_ - n_joint <= model.max_iter
    assert (np.diff(history["dense_objective"]) <= 0).all()
    assert history["dense_objective"][-1] == model.dense_inertia_
    assert (np.diff(history["objective"]) <= 0).all()
    assert history["objective"][-1] == model.inertia_
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x), labels)
    same = clone(model).fit(x)
    np.testing.assert_array_equal(same.cluster_centers_, centers)


@FEWER
@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("max_iter", [1, 100])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_all_iterations_are_counted(dtype, max_iter, algorithm):
    x = blobs(400, 4, dtype=dtype)
    options = {"init": x[:9], "max_iter": max_iter, "tol": 1e-4, "algorithm": algorithm}
    model = QuicKMeans(9, **options).fit(x)
    rival = KMeans(9, n_init=1, **options).fit(x)
    dense, joint = model.history_["dense_objective"], model.history_["objective"]
    assert model.n_iter_ == rival.n_iter_ + (len(dense) - 1) + (len(joint) - 1)
    assert dense[0] <= rival.inertia_ * (1 + 1e-5)
    assert rival.n_iter_ + len(dense) - 1 <= max_iter


@FEWER
@pytest.mark.parametrize("shape", [(10, 64), (64, 64), (40, 8), (3, 2), (1, 5)])
@pytest.mark.parametrize("sparsity", [1, 3])
def test_non_zeros_are_within_the_budget(shape, sparsity):
    n_clusters, n_features = shape
    x = blobs(2 * n_clusters + 8, n_features) + 3
    for factorizer in ("palm4msa", "explore"):
        model = QuicKMeans(
            n_clusters, sparsity=sparsity, factorizer=factorizer, max_iter=2
        ).fit(x)
        assert model.nnz_ <= budget_of(shape, sparsity)


@FEWER
@pytest.mark.parametrize("factorizer", ["explore", "palm4msa"])
@pytest.mark.parametrize("nnz", [1, 2, 3, 7])
def test_few_values_are_not_exceeded(nnz, factorizer):
    x = np.random.default_rng(0).standard_normal((40, 30))
    for n_factors in (None, 4):
        model = nf.QuicKMeans(
            5, nnz=nnz, factorizer=factorizer, n_factors=n_factors, random_state=0
        )
        model.fit(x)
        assert model.nnz_ <= nnz
        np.testing.assert_array_equal(model.labels_, model.predict(x))


def test_budget_is_that_of_the_paper():
    """The paper has 6207, 8656 and 14078 values at sparsity 2 and 2000 features."""
    found = [budget_of((n_clusters, 2000), 2) for n_clusters in (128, 256, 512)]
    assert found == [6048, 8608, 13216]
    assert budget_of((3, 2), 5) == 6


def test_enough_non_zeros_are_k_means():
    x = blobs()
    init = x[:5]
    model = QuicKMeans(5, sparsity=16, init=init, tol=0).fit(x)
    dense = KMeans(5, init=init, n_init=1, algorithm="lloyd", tol=0).fit(x)
    assert model.inertia_ == pytest.approx(dense.inertia_, rel=1e-12)
    np.testing.assert_allclose(model.cluster_centers_, dense.cluster_centers_)
    np.testing.assert_array_equal(model.labels_, dense.labels_)


@pytest.mark.parametrize(("n_clusters", "most"), [(10, 1.1), (16, 1.08)])
def test_digits_at_sparsity_3(n_clusters, most):
    x = load_digits().data
    model = QuicKMeans(n_clusters, sparsity=3, random_state=0).fit(x)
    dense = KMeans(n_clusters, n_init=1, random_state=0).fit(x)
    assert model.inertia_ < most * dense.inertia_
    assert 2 * model.centers_operator_.nnz < n_clusters * 64 + 64


def test_exploration_finds_better_centers_than_palm():
    x = blobs(600, 64, centers=16, seed=3)
    options = {"sparsity": 2, "random_state": 0, "max_iter": 10}
    inertia = {
        name: QuicKMeans(16, factorizer=name, **options).fit(x).inertia_
        for name in ("palm4msa", "explore")
    }
    assert inertia["explore"] < inertia["palm4msa"]


DEGENERATE = {
    "one cluster": (1, blobs(20)),
    "a cluster a point": (20, blobs(20)),
    "duplicates": (4, np.repeat(blobs(5), 8, axis=0)),
    "more clusters than distinct points": (9, np.repeat(blobs(3), 6, axis=0)),
    "one distinct point": (3, np.ones((12, 5))),
    "zeros": (3, np.zeros((12, 5))),
    "constant features": (4, np.hstack([blobs(40), np.full((40, 3), 7.0)])),
    "one feature": (4, blobs(40, 1)),
    "far from the origin": (4, blobs(40) + 1e6),
    "tiny": (4, 1e-150 * blobs(40)),
    "huge": (4, 1e150 * blobs(40)),
}


@FEWER
@pytest.mark.parametrize("factorizer", FACTORIZERS)
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_points(name, factorizer):
    n_clusters, x = DEGENERATE[name]
    model = QuicKMeans(n_clusters, sparsity=1, factorizer=factorizer, random_state=0)
    model.fit(x)
    assert np.isfinite(model.cluster_centers_).all() and np.isfinite(model.inertia_)
    assert (np.diff(model.history_["objective"]) <= 0).all()
    assert model.labels_.min() >= 0 and model.labels_.max() < n_clusters
    spread = ((x - x.mean(0)) ** 2).sum()
    assert model.inertia_ <= 1.01 * spread + 1e-9 * (x**2).sum()


def test_a_cluster_a_point_is_exact():
    x = blobs(9)
    model = QuicKMeans(9, sparsity=9, random_state=0).fit(x)
    assert model.inertia_ <= 1e-20 * (x**2).sum()
    assert sorted(model.labels_) == list(range(9))


@FEWER
@pytest.mark.parametrize("factorizer", FACTORIZERS)
def test_empty_clusters_are_filled(factorizer):
    x = blobs(60, 8, centers=4, seed=1)
    # No point is near the last five centers.
    init = np.vstack([x[:3], 1e3 + np.zeros((5, 8))])
    options = {"sparsity": 8, "factorizer": factorizer, "init": init}
    model = QuicKMeans(8, **options).fit(x)
    assert (np.diff(model.history_["objective"]) <= 0).all()
    if factorizer != "butterfly":  # the centers of a butterfly are not free
        assert len(set(model.labels_)) == 8


def test_a_weight_is_a_repetition():
    x, rng = blobs(50), np.random.default_rng(0)
    weights = rng.integers(0, 4, 50)
    options = {"n_clusters": 6, "random_state": 0, "sparsity": 3}
    weighted = QuicKMeans(**options).fit(x, sample_weight=weights)
    repeated = QuicKMeans(**options).fit(np.repeat(x, weights, axis=0))
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-9)
    np.testing.assert_allclose(
        weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-6
    )


def test_restarts_keep_the_best():
    x = blobs(150, 16, centers=10)
    one, many = (
        QuicKMeans(10, n_init=n_init, init="random", max_iter=5, random_state=3).fit(x)
        for n_init in (1, 4)
    )
    # Runs are dense; the best of them is factored.
    assert many.dense_inertia_ <= one.dense_inertia_
    assert many.inertia_ <= 1.03 * many.dense_inertia_


def test_batches_reach_what_a_fit_does():
    x = blobs(600, 16, centers=6, seed=2)
    whole = QuicKMeans(6, sparsity=3, random_state=0).fit(x)
    model = QuicKMeans(6, sparsity=3, random_state=0)
    for start in range(0, 600, 100):
        model.partial_fit(x[start : start + 100])
    assert model.n_steps_ == 6
    assert -model.score(x) < 1.2 * whole.inertia_
    before = whole.inertia_
    whole.partial_fit(x)  # continues from a fit
    assert whole.inertia_ <= before * (1 + 1e-9)


def test_read_only_and_other_layouts():
    x = blobs(60)
    expected = QuicKMeans(4, random_state=0).fit(x)
    frozen = x.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(x), frozen, x.tolist()):
        model = QuicKMeans(4, random_state=0).fit(other)
        np.testing.assert_allclose(model.cluster_centers_, expected.cluster_centers_)
        np.testing.assert_array_equal(expected.predict(other), expected.labels_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 0}, "n_clusters=0: expected at least 1"),
        ({"n_clusters": 31}, "n_samples=30 should be >= n_clusters=31"),
        ({"sparsity": 0}, "sparsity=0: expected at least 1"),
        ({"nnz": 0}, "nnz=0: expected at least 1"),
        ({"nnz": "all"}, "nnz='all': expected one of"),
        ({"inertia_increase": -0.1}, r"inertia_increase=-0\.1"),
        ({"nnz": 9, "sparsity": 2}, "nnz=9 and sparsity=2: expected at most one"),
        ({"sparsity": 2, "inertia_increase": 0.1}, "expected at most one of them"),
        ({"algorithm": "fast"}, "algorithm='fast': expected one of"),
        ({"n_factors": 0}, "n_factors=0"),
        ({"max_iter": -1}, "max_iter=-1"),
        ({"n_init": 0}, "n_init=0"),
        ({"tol": -1.0}, r"tol=-1\.0: expected a finite number"),
        ({"init": "other"}, "init='other': expected one of"),
        ({"init": np.ones((3, 3))}, r"init has shape \(3, 3\), expected \(8, 16\)"),
        ({"init": np.full((8, 16), np.nan)}, r"init \(8, 16\) contains NaN"),
        ({"factorizer": "svd"}, "factorizer='svd': expected one of"),
    ],
)
def test_misuse(options, message):
    with pytest.raises(ValueError, match=message):
        QuicKMeans(**options).fit(blobs(30))


def test_other_points_are_refused():
    x = blobs(30)
    with pytest.raises(ValueError, match="NaN"):
        QuicKMeans(2).fit(np.where(x > 3, np.nan, x))
    with pytest.raises(ValueError, match="at least one non-zero"):
        QuicKMeans(2).fit(x, sample_weight=np.zeros(30))
    with pytest.raises(ValueError, match="Negative values"):
        QuicKMeans(2).fit(x, sample_weight=-np.ones(30))
