"""The study of QuicK-means: its data sets, its claims, and fits that fail."""

from urllib.error import URLError

import numpy as np
import pytest
from refusals import refused

from nbfact.studies.quickmeans import (
    clusterings,
    datasets,
    default_savings,
    paper_problem,
)
from nbfact.studies.quickmeans import published as giffon
from nbfact.studies.quickmeans import quickmeans_study as quickmeans
from nbfact.studies.tools import work


def test_data_that_cannot_be_downloaded_give_a_message_of_one_line(monkeypatch, capsys):
    sklearn_datasets = pytest.importorskip("sklearn.datasets")

    def offline(*args, **options):
        raise URLError("no route")

    for name in ("fetch_openml", "fetch_covtype", "fetch_kddcup99"):
        monkeypatch.setattr(sklearn_datasets, name, offline)
    monkeypatch.setattr(work, "do", lambda *a: pytest.fail("it started"))
    for name in datasets.DOWNLOADED:
        err = refused(monkeypatch, capsys, "quickmeans", "--data", name)
        assert len(err.splitlines()) == 1
        assert f"data {name} cannot be downloaded: <urlopen error no route>" in err
        assert "without a network there are: digits, breast_cancer, blobs" in err


def test_data_that_are_downloaded(monkeypatch):
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(40, 784)), np.array(["3", "7"] * 20, object)
    cover = rng.standard_normal((40, 54)), np.arange(40) % 7 + 1
    rows = [[i, [b"tcp", b"udp"][i % 2], 1.5 * i, b"x"] for i in range(40)]
    kdd = np.array(rows, object), np.array([b"normal.", b"smurf."] * 20, object)
    for name, found in {
        "fetch_openml": images, "fetch_covtype": cover, "fetch_kddcup99": kdd,
    }.items():  # fmt: skip
        monkeypatch.setattr(sklearn_datasets, name, lambda *a, found=found, **o: found)
    cached = datasets._openml, datasets._covtype, datasets._kddcup99
    for loader in cached:
        loader.cache_clear()
    chosen = quickmeans.choose(quickmeans.QUICK, list(datasets.DOWNLOADED))
    assert {job[0].split(", ")[0] for job in quickmeans.jobs(chosen, False)} == set(
        datasets.DOWNLOADED
    )
    for name, n_features in zip(datasets.DOWNLOADED, (784, 784, 54, 5), strict=True):
        one = datasets.split(name, 4, 1000, 20)
        assert one.train.shape == (15, n_features) and one.test.shape == (5, n_features)
        assert one.train.dtype == np.float32 and np.isfinite(one.train).all()
        assert min(one.train_classes.min(), one.test_classes.min()) >= 0
    for loader in cached:
        loader.cache_clear()


@pytest.mark.parametrize("name", datasets.LOCAL)
def test_data_that_need_no_network(name):
    pytest.importorskip("sklearn")
    first, again, other = (datasets.split(name, 2, seed, 100) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.train, again.train)
    np.testing.assert_array_equal(first.test_classes, again.test_classes)
    assert not np.array_equal(first.train, other.train)
    points = min(100, 2 * datasets.BLOB) if name == "blobs" else 100
    assert len(first.train) + len(first.test) == points


@pytest.mark.parametrize("name", datasets.INSTALLED)
def test_data_that_packages_bring(name, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    module = datasets.INSTALLED[name][1]
    if datasets.installed(module):
        assert len(datasets.split(name, 2, 5, 100).train) == 75
    monkeypatch.setattr(datasets, "installed", lambda module: False)
    err = refused(monkeypatch, capsys, "quickmeans", "--data", name)
    assert f'data {name} are missing; pip install "nbfact[rivals]" brings them' in err
    assert name not in datasets.present()


def test_rivals():
    pytest.importorskip("sklearn")
    from sklearn.cluster import KMeans

    from nbfact.studies.quickmeans import rival_clusterers as rivals

    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 8)).astype(np.float32)
    kmeans = KMeans(6, init=x[:6], n_init=1).fit(x)
    found = rivals.rivals_of(x[:6], 5, 0) | rivals.indices_of(kmeans)
    assert set(found) >= {rivals.MINI_BATCH, rivals.PROJECTED}
    for name, model in found.items():
        model.fit(x)
        labels, centers = model.predict(x), model.cluster_centers_
        np.testing.assert_array_equal(labels, model.labels_)
        least = ((x[:, None] - centers) ** 2).sum(axis=2).min(axis=1).sum()
        assert model.inertia_ >= least * (1 - 1e-5)
        if name in (rivals.MINI_BATCH, rivals.FAISS, rivals.FLAT):
            assert model.inertia_ == pytest.approx(least, rel=1e-5)
    # A quarter of 8 features: a projection 8 x 2, and six centres of two features.
    assert rivals.size_of(found[rivals.PROJECTED]) == 4 * (16 + 12)
    assert rivals.size_of(kmeans) == 4 * 48
    landmarks = rivals.fast_landmarks(x, 6, 0)
    mean, norms = x.mean(axis=0), np.linalg.norm(x - x.mean(axis=0), axis=1)
    assert landmarks.shape == (6, 8)
    for row in landmarks:  # as far from the mean as its seed is
        assert np.abs(np.linalg.norm(row - mean) - norms).min() < 1e-5


def test_set_of_the_paper():
    pytest.importorskip("sklearn")
    from nbfact.studies.quickmeans.paper_variant import UnionSet

    x = np.array([[4.0, 1.0, 3.0], [2.0, -5.0, 0.5]])
    # Four entries: one in each column, and two in each row.
    found = UnionSet((2, 3), 4).project(x)
    kept = np.array([[4.0, 0.0, 3.0], [2.0, -5.0, 0.0]])
    np.testing.assert_allclose(found, kept / np.linalg.norm(kept))
    assert not UnionSet((2, 3), 4).project(0 * x).any()


@pytest.mark.compiled
@pytest.mark.slow
def test_variant_of_the_paper():
    pytest.importorskip("sklearn")
    from nbfact.studies.quickmeans.paper_variant import PaperQuicKMeans

    rng = np.random.default_rng(0)
    centers = 5 * rng.standard_normal((8, 16))
    x = (centers[np.arange(200) % 8] + rng.standard_normal((200, 16))).astype("f4")
    model = PaperQuicKMeans(x[:8], sparsity=2, max_iter=3, n_sweeps=20).fit(x)
    np.testing.assert_array_equal(model.predict(x), model.labels_)
    away = x - model.cluster_centers_[model.labels_]
    assert model.inertia_ == pytest.approx(float((away**2).sum()), rel=1e-3)
    # Two factors of 16 to 32 entries, and the last one of 32 to 64.
    assert 64 <= model.nnz_ <= 128


def test_rows_of_the_problem_of_the_paper_stand_beside_others():
    shared = {"data": paper_problem.NAME, "K": 128, "N": 9, "D": 9, "failure": None}
    numbers = {"relative": 1.0, "nnz": 9, "fit_seconds": 1.0, "inertia": 1.0}
    rows = [
        {**shared, **numbers, "method": name, "sparsity": sparsity, "seed": 0, "knn": x}
        for name, sparsity, x in (
            (clusterings.KMEANS, None, 0.9),
            (clusterings.EXPLORE, 2, 0.7),
            (paper_problem.VARIANT, 2, 0.5),
        )
    ]
    measures = {"relative": 1.0, "inertia": 1.0, "ratio": 2.0, "compression": 2.0}
    other = clustered(clusterings.DEFAULT, None, 0, data="a", K=4, **measures)
    found = quickmeans.tables([*rows, other | {"bytes": 72, "factored": True}])
    (line,) = found["The paper's problem: 1000 blobs"]
    assert (line["1-NN here"], line["the paper's variant here"]) == ("0.7", "0.5")
    assert found["Claims"][0]["holds"] == "yes"  # the draft has 0.61
    assert "a: 9 points, D = 9" in found


def test_savings_of_the_default():
    rows = [
        clustered(clusterings.DEFAULT, None, seed, data=data, K=4, failure=None)
        | {"factored": data == "a", "compression": 4.0 if data == "a" else 1.0}
        | {"bytes": 72 if data == "a" else 144, "relative": 1.02, "ratio": 0.5}
        for data in "ab"
        for seed in (0, 1)
    ]
    first, second, both = default_savings.lines(rows)
    assert (first["factored"], second["factored"]) == ("2/2", "0/2")
    assert (first["values saved"], first["bytes saved"]) == ("0.75", "0.5")
    assert second["values saved"] == "none" and both["factored"].startswith("1/2")
    held = {claim["claim"]: claim["holds"] for claim in default_savings.claims(rows)}
    assert held["inertia of the default on a, K = 4"] == "yes"
    assert held["assignment by the default on b, K = 4"] == "no"


def clustered(method, sparsity, seed, **measures):
    row = dict.fromkeys(clusterings.MEASURES) | {"failure": None, "N": 9, "D": 9}
    row |= {"method": method, "sparsity": sparsity, "seed": seed}
    return row | measures


def test_claims_hold_or_do_not():
    better, fewer = {"data": "blobs", "K": 128}, {"nnz": 6000, "ratio": 2.0}
    rows = [
        clustered(clusterings.EXPLORE, 2, s, knn=0.8 + s / 100, inertia=1.0, **better)
        | fewer
        for s in (0, 1, 2)
    ]
    rows += [
        clustered(
            clusterings.PALM, 2, s, knn=0.7 + s / 100, inertia=2.0 - s, us=3.0, **better
        )
        | {"nnz": 6000}
        for s in (0, 1, 2)
    ]
    search, palm, speed = giffon.claims(rows)
    found = "0.810 ± 0.025, palm4msa 0.710 ± 0.025; gain 0.1"
    assert (search["holds"], search["found"]) == ("yes", found)
    assert "128 classes" in search["claim"]
    assert (palm["holds"], palm["found"].split()[0]) == ("no", "1/3")
    assert speed["holds"] == "yes" and speed["command"].endswith("--data blobs`")
    for row in rows[:3]:  # exploration, with more values than palm4MSA
        row["nnz"] = 6208
    assert not any("1-NN" in claim["claim"] for claim in giffon.claims(rows))
    for row in rows:
        row |= {"nnz": 6000, "knn": 0.7}
    assert giffon.claims(rows)[0]["holds"] == "no"
    (lines,) = giffon.tables(rows).values()
    draft, ours = "QuicK-means, draft", "QuicK-means, palm4msa, here"
    assert [line[draft] for line in lines] == [
        "6207", "0.61", "0.032", "0.95", "1200", None,
    ]  # fmt: skip
    # One vector at a time is another time than many at once: never in one line.
    assert [line[ours] for line in lines][-2:] == [None, "3"]
    close = {"data": "digits", "K": 10, "relative": 1.04, "inertia": 1.0}
    (inertia,) = giffon.claims([clustered(clusterings.EXPLORE, 3, 0, **close)])
    assert inertia["holds"] == "yes"


def test_a_fit_that_raises_is_a_row(monkeypatch):
    class Broken:
        def fit(self, x):
            raise ValueError("of a\nkind")

    found = clusterings.fit(Broken(), np.ones((2, 2)))
    assert found.model is None and found.failure == "ValueError: of a kind"
    row = clustered(clusterings.PALM, 2, 0, data="digits", K=10)
    row["failure"] = found.failure
    assert quickmeans.tables([row])["Failures"][0]["failures"] == 1
