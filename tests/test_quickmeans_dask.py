"""QuicKMeans on dask arrays: fits equal those in memory, even if a worker dies."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from samples import LATER

pytest.importorskip("sklearn")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

from sklearn.exceptions import ConvergenceWarning  # noqa: E402

from nbfact._core.dask import is_dask  # noqa: E402
from nbfact.estimators import QuicKMeans  # noqa: E402
from nbfact.estimators.points import BlockedPoints, Points  # noqa: E402

# Without compilation they take half a minute, and test nothing more.
pytestmark = pytest.mark.compiled
CHUNKS = ((70, 1, 0, 129), (3, 5))


@pytest.fixture(autouse=True)
def threads():
    """Run on two threads, unless a test names another scheduler."""
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def blobs(dtype="float64", mean=0.0):
    """Return points around 5 centers."""
    rng = np.random.default_rng(0)
    centers = mean + 5 * rng.standard_normal((5, 8))
    x = centers[rng.integers(5, size=200)] + rng.standard_normal((200, 8))
    return x.astype(dtype)


def model(init="k-means++", **options):
    """Return an estimator whose fit takes little time."""
    return QuicKMeans(
        5, n_factors=2, init=init, max_iter=5, factorizer="palm4msa", **options
    )


def same_fit(got, expected, x, chunks, rtol=1e-7):
    """Compare a fit of dask chunks with one of the array x, and all their results."""
    np.testing.assert_allclose(got.inertia_, expected.inertia_, rtol=rtol)
    centers = got.cluster_centers_
    assert centers.dtype == expected.cluster_centers_.dtype
    size = abs(expected.cluster_centers_).max()
    np.testing.assert_allclose(
        centers, expected.cluster_centers_, rtol=0, atol=rtol * size
    )
    for lazy, array in (
        (got.labels_, expected.labels_),
        (got.predict(chunks), expected.predict(x)),
        (got.transform(chunks), expected.transform(x)),
    ):
        assert is_dask(lazy)
        assert (lazy.shape, lazy.dtype) == (array.shape, array.dtype)
        assert lazy.compute().dtype == array.dtype
        # Distances are square roots, with the absolute rounding error of the squares.
        np.testing.assert_allclose(lazy.compute(), array, rtol=rtol, atol=rtol * size)
    np.testing.assert_allclose(got.score(chunks), expected.score(x), rtol=rtol)


@pytest.mark.parametrize(
    "dtype", ["float64", "int64", pytest.param("float32", marks=LATER)]
)
def test_fit_equals_the_one_in_memory(dtype):
    x = blobs(dtype)
    chunks = da.from_array(x, chunks=CHUNKS)
    expected, got = model(x[:5]).fit(x), model(x[:5]).fit(chunks)
    rtol = 1e-3 if dtype == "float32" else 1e-7
    same_fit(got, expected, x, chunks, rtol)
    assert got.n_iter_ == expected.n_iter_
    # Dense iterations of nbfact are noted one by one.
    noted, joint = got.history_["dense_objective"], got.history_["objective"]
    assert got.n_iter_ == len(noted) + len(joint) - 1 and (np.diff(noted) <= 0).all()
    assert noted[-1] == got.dense_inertia_
    for name in ("objective", "n_empty"):
        np.testing.assert_allclose(
            got.history_[name], expected.history_[name], rtol=rtol
        )
    assert got.labels_.chunks == (CHUNKS[0],)
    # An estimator fitted in either way accepts points in either form.
    np.testing.assert_array_equal(got.predict(x), expected.labels_)
    np.testing.assert_array_equal(expected.predict(chunks).compute(), expected.labels_)


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_random_state_draws_the_same_points(init):
    x = blobs(mean=20.0)
    chunks = da.from_array(x, chunks=CHUNKS)
    options = {"random_state": 3, "n_init": 2}
    got = model(init, **options).fit(chunks)
    same_fit(got, model(init, **options).fit(x), x, chunks)


def test_points_taken_from_blocks():
    x, weights = blobs(), np.arange(200.0)
    blocks = BlockedPoints(da.from_array(x, chunks=CHUNKS), weights)
    chosen = np.array([3, 3, 69, 70, 71, 199])
    rows, taken = blocks.take(chosen)
    np.testing.assert_array_equal(rows, x[chosen])
    np.testing.assert_array_equal(taken, weights[chosen])


def test_weights():
    x = blobs()
    chunks = da.from_array(x, chunks=CHUNKS)
    weights = np.random.default_rng(1).integers(0, 4, 200)
    expected = model(x[:5]).fit(x, sample_weight=weights)
    score = expected.score(x, sample_weight=weights)
    for same in (weights, weights.tolist(), da.from_array(weights, chunks=90)):
        got = model(x[:5]).fit(chunks, sample_weight=same)
        same_fit(got, expected, x, chunks)
        assert got.score(chunks, sample_weight=same) == pytest.approx(score)
    doubled = model(x[:5]).fit(chunks, sample_weight=2.0)
    assert doubled.inertia_ == pytest.approx(2 * model(x[:5]).fit(x).inertia_)


def test_batches():
    x = blobs()
    got, expected = model(x[:5]), model(x[:5])
    for part in (slice(0, 90), slice(90, 200)):
        batch = da.from_array(x[part], chunks=(40, 8))
        got.partial_fit(batch)
        expected.partial_fit(x[part])
        same_fit(got, expected, x[part], batch)
    assert got.n_steps_ == 2


@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_far_points(mean):
    """Distances include the offset that all centers have in common."""
    x = blobs(mean=mean)
    chunks = da.from_array(x, chunks=CHUNKS)
    fitted = QuicKMeans(5, sparsity=2, n_factors=2, init=x[:5], max_iter=1).fit(x)
    assert (fitted._centers.offset is not None) == (mean > 0)
    squares = np.square(x[:, None] - fitted.cluster_centers_).sum(axis=2)
    np.testing.assert_allclose(fitted.transform(x), np.sqrt(squares), rtol=1e-8)
    order = np.argsort(-squares.min(axis=1))[:4]
    weights = np.arange(200.0)
    for points in (Points(x, weights), BlockedPoints(chunks, weights)):
        far = points.farthest(fitted._centers, 4)
        np.testing.assert_array_equal(far.rows, x[order])
        np.testing.assert_array_equal(far.weights, order)
        np.testing.assert_array_equal(far.labels, squares[order].argmin(axis=1))
        np.testing.assert_allclose(far.squares, squares[order].min(axis=1))


def test_empty_clusters():
    x = blobs()
    init = np.concatenate([x[:2], 1e3 + x[2:5]])
    chunks = da.from_array(x, chunks=CHUNKS)
    expected, got = model(init).fit(x), model(init).fit(chunks)
    same_fit(got, expected, x, chunks)
    assert len(np.unique(got.labels_.compute())) > 2
    batched = model(init).partial_fit(chunks)
    same_fit(batched, model(init).partial_fit(x), x, chunks)


def test_blocks_that_can_not_be_written():
    def frozen(block):
        block = np.asfortranarray(block)
        block.flags.writeable = False
        return block

    x = blobs()
    chunks = da.from_array(x, chunks=(70, 8)).map_blocks(frozen, dtype=x.dtype)
    same_fit(model(x[:5]).fit(chunks), model(x[:5]).fit(x), x, chunks)
    ones = da.ones((20, 8), chunks=(7, 8))  # its blocks have stride 0
    with pytest.warns(ConvergenceWarning, match=r"clusters \(1\)"):
        assert model(random_state=0).fit(ones).inertia_ == pytest.approx(0, abs=1e-12)


def test_nothing_is_computed_before_it_is_asked_for():
    def fails(block):
        raise AssertionError("computed")

    x = blobs()
    fitted = model(x[:5]).fit(x)
    chunks = da.from_array(x, chunks=CHUNKS).map_blocks(fails, meta=x[:0])
    for lazy in (fitted.predict(chunks), fitted.transform(chunks)):
        with pytest.raises(AssertionError, match="computed"):
            lazy.compute()


def test_chunks_of_unknown_sizes():
    x = blobs()
    chunks = da.from_array(x, chunks=(70, 8))
    fitted = model(x[:5]).fit(chunks)
    some, known = chunks[chunks[:, 0] > 0], x[x[:, 0] > 0]
    np.testing.assert_array_equal(fitted.predict(some).compute(), fitted.predict(known))
    for method in (fitted.fit, fitted.partial_fit, fitted.score):
        with pytest.raises(ValueError, match=r"call x\.compute_chunk_sizes\(\)"):
            method(some)
    same = model(x[:5]).fit(some.compute_chunk_sizes())
    assert same.inertia_ == pytest.approx(model(x[:5]).fit(known).inertia_)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_points_that_are_not_finite(wrong):
    x = blobs()
    fitted = model(x[:5]).fit(x)
    x[150, 3] = wrong
    chunks = da.from_array(x, chunks=CHUNKS)
    for method in (
        model(x[:5]).fit,
        fitted.partial_fit,
        fitted.score,
        lambda x: fitted.predict(x).compute(),
        lambda x: fitted.transform(x).compute(),
    ):
        with pytest.raises(ValueError, match="X contains NaN or infinity"):
            method(chunks)


def test_misuse():
    x = blobs()
    chunks = da.from_array(x, chunks=CHUNKS)
    fitted = model(x[:5]).fit(chunks)
    for shape in ((3,), (200, 2)):
        for weights in (np.ones(shape), da.ones(shape)):
            with pytest.raises(ValueError, match=r"sample_weight .* expected \(200,\)"):
                fitted.fit(chunks, sample_weight=weights)
    for weights, match in ((-1.0, "not negative"), (np.nan, "finite"), (0.0, "zero")):
        with pytest.raises(ValueError, match=f"sample_weight .*{match}"):
            fitted.fit(chunks, sample_weight=da.full(200, weights))
    for method in (fitted.predict, fitted.transform, fitted.score):
        with pytest.raises(ValueError, match=r"X has 6 features, .* expecting 8"):
            method(chunks[:, :6])
    for wrong in (chunks[0], chunks.astype(complex), chunks[:0], chunks[:, :0]):
        with pytest.raises(ValueError, match="X "):
            model(x[:5]).fit(wrong)
    with pytest.raises(ValueError, match="n_samples=3"):
        model().fit(chunks[:3])
    with pytest.raises(TypeError, match="csr"):
        model().fit(da.from_array(x, chunks=(70, 8)).map_blocks(sp.csr_array))


@pytest.mark.slow
def test_fit_on_a_cluster(on_cluster):
    x = blobs()
    chunks = da.from_array(x, chunks=CHUNKS)
    same_fit(model(random_state=0).fit(chunks), model(random_state=0).fit(x), x, chunks)


def _dies_once(block, graves, fatal):
    """Return the block, but end the process at call number `fatal` of all processes."""
    for call in itertools.count():
        try:
            Path(graves, str(call)).touch(exist_ok=False)
        except FileExistsError:
            continue
        if call == fatal:
            os._exit(1)
        return block


@pytest.mark.slow
def test_worker_killed_during_the_fit(on_cluster, tmp_path):
    x = blobs()
    # Four blocks are called in each pass: for the mean, for the seeds, for the first
    # centers, and in each iteration.
    fatal = 13
    chunks = da.from_array(x, chunks=(50, 8)).map_blocks(
        _dies_once, str(tmp_path), fatal, meta=x[:0]
    )
    before = set(on_cluster.run(os.getpid).values())
    got = model(x[:5]).fit(chunks)
    assert len(list(tmp_path.iterdir())) > fatal + 1
    on_cluster.wait_for_workers(2)
    assert set(on_cluster.run(os.getpid).values()) != before
    same_fit(got, model(x[:5]).fit(x), x, chunks)
