"""QuicKMeans by default: nearly the inertia of dense centers, with few values."""

import numpy as np
import pytest
import scipy.sparse as sp
from samples import LATER
from test_far_points import exact_squares, groups

pytest.importorskip("sklearn")

from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from nbfact.estimators import QuicKMeans
from nbfact.estimators.factored_centers import FactoredCenters
from nbfact.estimators.value_search import Sample
from nbfact.operators import FactorProduct

# Without compilation, fits take minutes.
pytestmark = pytest.mark.compiled
IN_SINGLE = pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER)])


def around(centers, n_points=1200):
    """Return points near some centers."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((n_points, centers.shape[1]))
    return centers[rng.integers(len(centers), size=n_points)] + noise


def structured(n_clusters=40, n_features=32, n_points=1200):
    """Return points near centers that are products of two sparse factors."""
    rng = np.random.default_rng(0)
    sides = [(n_clusters, n_features), (n_features, n_features)]
    left, right = (
        rng.standard_normal(side) * (rng.random(side) < 2.5 / n_features)
        for side in sides
    )
    return around(30 * left @ right, n_points)


def separated(n_clusters=40, n_features=32, n_points=1200):
    """Return points near centers that no structure helps to store."""
    shape = n_clusters, n_features
    return around(30 * np.random.default_rng(0).standard_normal(shape), n_points)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("factorizer", ["explore", "palm4msa", "butterfly"])
def test_the_increase_is_within_its_share(factorizer):
    x = load_digits().data
    for increase in (0.01, 0.1):
        options = {"inertia_increase": increase, "factorizer": factorizer}
        model = QuicKMeans(16, random_state=0, **options).fit(x)
        assert model.inertia_ <= (1 + increase) * model.dense_inertia_
        assert model.factored_ == (model.nnz_ < model.cluster_centers_.size)
        assert (np.diff(model.history_["objective"]) <= 0).all()
        if factorizer == "explore" and increase == 0.1:
            assert model.factored_ and model.nnz_ <= 512


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_structure_needs_few_values_and_none_stays_dense():
    x = structured()
    model = QuicKMeans(40, random_state=0).fit(x)
    assert model.factored_ and model.nnz_ < 0.35 * model.cluster_centers_.size
    x = separated()
    model = QuicKMeans(40, random_state=0).fit(x)
    assert not model.factored_ and model.nnz_ == model.cluster_centers_.size
    assert model.inertia_ == model.dense_inertia_
    np.testing.assert_array_equal(model.predict(x), model.labels_)


def test_some_points_decide_which_centers_are_tried(monkeypatch):
    monkeypatch.setattr("nbfact.estimators.value_search.SAMPLE", 200)
    tried, assigned = [], Sample.assigned

    def spy(sample, centers):
        tried.append(centers)
        return assigned(sample, centers)

    monkeypatch.setattr(Sample, "assigned", spy)
    x = np.random.default_rng(0).standard_normal((4000, 32))
    model = QuicKMeans(50, random_state=0).fit(x)
    assert len(tried) > 1 and model.factored_
    assert model.inertia_ <= 1.03 * model.dense_inertia_
    np.testing.assert_array_equal(model.predict(x), model.labels_)


def test_a_sample_is_assigned_to_the_nearest_centers():
    rng = np.random.default_rng(0)
    x, weights, origin = rng.standard_normal((60, 5)), rng.random(60), np.full(5, 2.0)
    dense = FactoredCenters(FactorProduct([x[:7]]), origin)
    sample = Sample(x, weights, origin, dense)
    squares = ((x[:, None] - x[:7]) ** 2).sum(axis=2)
    objective, n_filled = sample.of_dense
    assert objective == pytest.approx(weights @ squares.min(axis=1))
    assert n_filled == len(np.unique(squares.argmin(axis=1)))


def test_a_larger_share_needs_fewer_values():
    x = load_digits().data
    values = [
        QuicKMeans(32, inertia_increase=share, random_state=0).fit(x).nnz_
        for share in (0.0, 0.03, 0.2)
    ]
    assert values[0] == 32 * 64 > values[1] > values[2]


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_a_number_of_values_is_kept():
    x = structured()
    for nnz in (300, 40 * 32):
        model = QuicKMeans(40, nnz=nnz, random_state=0).fit(x)
        assert model.nnz_ <= nnz and model.factored_ == (nnz < 40 * 32)


@pytest.mark.parametrize("algorithm", ["elkan", "mini-batch"])
def test_dense_training_by_scikit_learn(algorithm):
    x = separated()
    options = {"init": x[:40], "max_iter": 8, "tol": 0}
    model = QuicKMeans(40, algorithm=algorithm, random_state=0, **options).fit(x)
    np.testing.assert_array_equal(model.predict(x), model.labels_)
    if algorithm == "elkan":
        dense = KMeans(40, n_init=1, algorithm="elkan", **options).fit(x)
        assert model.dense_inertia_ == pytest.approx(dense.inertia_, rel=1e-9)


def test_small_points_are_clustered_as_by_scikit_learn():
    x = np.random.default_rng(0).standard_normal((100, 6))
    model, dense = (
        kind(8, init=x[:8], n_init=1, tol=0) for kind in (QuicKMeans, KMeans)
    )
    model.fit(x), dense.fit(x)
    assert not model.factored_ and model.n_iter_ == dense.n_iter_
    with pytest.warns(RuntimeWarning, match="n_init=3: an array for init allows one"):
        QuicKMeans(8, init=x[:8], n_init=3).fit(x)
    np.testing.assert_allclose(model.cluster_centers_, dense.cluster_centers_)
    np.testing.assert_array_equal(model.labels_, dense.labels_)


def check_exact(model, x):
    """Compare labels and distances with exact ones."""
    distances, labels = model.transform(x), model.predict(x)
    np.testing.assert_array_equal(distances.argmin(axis=1), labels)
    np.testing.assert_array_equal(model.labels_, labels)
    exact = np.sqrt(exact_squares(x, model.cluster_centers_)).astype(float)
    np.testing.assert_allclose(distances, exact, rtol=1e-5)
    of_label = np.take_along_axis(exact, labels[:, None].astype(int), 1)[:, 0]
    np.testing.assert_allclose(of_label, exact.min(axis=1), rtol=1e-6)


@IN_SINGLE
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("options", [{}, {"sparsity": 2}, {"max_iter": 1}])
@pytest.mark.parametrize("kind", ["groups", "shift", "duplicates"])
def test_single_precision_far_from_the_origin(kind, options, dtype):
    if kind == "groups":
        x = groups(1e4, dtype, n_features=24)
    elif kind == "shift":
        x = groups(1e6, dtype, n_features=24, sides=1)
    else:
        x = np.repeat(groups(1e3, dtype, n_points=80, n_features=24), 3, axis=0)
    check_exact(QuicKMeans(24, random_state=0, **options).fit(x), x)


@IN_SINGLE
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("magnitude", [1e-18, 1e-9, 1e9, 1e18])
def test_single_precision_of_any_magnitude(magnitude, dtype):
    unit = 2.0 ** round(np.log2(magnitude))
    x = (unit * separated(24, 24, 400) / 30).astype(dtype)
    model = QuicKMeans(24, init=x[:24], sparsity=4, max_iter=4).fit(x)
    check_exact(model, x)
    size = abs(model.cluster_centers_).max()
    operator = model.centers_operator_.toarray()
    np.testing.assert_allclose(operator, model.cluster_centers_, atol=1e-6 * size)
    assert model.score(x) == pytest.approx(-model.inertia_, rel=1e-6)
    half = QuicKMeans(24, init=x[:24], sparsity=4).partial_fit(x[:200])
    half.partial_fit(x[200:])
    np.testing.assert_array_equal(half.labels_, half.predict(x[200:]))


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=LATER)])
@pytest.mark.parametrize("options", [{}, {"sparsity": 3}])
def test_sparse_points_are_as_dense_ones(dtype, options):
    dense = sp.random(900, 40, 0.2, random_state=0, dtype=dtype).toarray()
    expected = QuicKMeans(20, random_state=0, **options).fit(dense)
    for kind in (sp.csr_matrix, sp.csc_array):
        x = kind(dense)
        model = QuicKMeans(20, random_state=0, **options).fit(x)
        np.testing.assert_array_equal(model.labels_, expected.labels_)
        assert model.inertia_ == pytest.approx(expected.inertia_, rel=1e-9)
        np.testing.assert_array_equal(model.predict(x), model.labels_)
        np.testing.assert_array_equal(model.transform(x), expected.transform(dense))
        assert model.score(x) == pytest.approx(-model.inertia_)


def test_fewer_clusters_than_asked_for_warn():
    x = np.repeat(np.random.default_rng(0).standard_normal((3, 4)), 5, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"\(3\) found .* n_clusters \(5\)"):
        QuicKMeans(5, random_state=0).fit(x)


def test_names_of_features_and_of_outputs():
    x = separated(6, 4, 60)
    model = QuicKMeans(6, random_state=0).fit(x)
    names = [f"quickmeans{i}" for i in range(6)]
    assert model.get_feature_names_out().tolist() == names
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(x, columns=list("abcd"))
    model = QuicKMeans(6, random_state=0).set_output(transform="pandas").fit(frame)
    assert model.feature_names_in_.tolist() == list("abcd")
    assert model.transform(frame).columns.tolist() == names


def test_a_grid_search():
    x = separated(12, 16, 200)
    grid = {"nnz": ["auto", 120], "n_clusters": [4, 12]}
    model = GridSearchCV(QuicKMeans(random_state=0), grid, cv=3).fit(x)
    assert model.best_params_ == {"nnz": "auto", "n_clusters": 12}
