"""What users of neighbouring projects reported there, as calls that must work here.

Each test is a report in another library's tracker: a crash, a wrong number or a missing
method. Those that nbfact has still to answer name the issue that will.
"""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import scipy.io
import scipy.sparse as sp
from scipy.spatial.distance import cdist

import nbfact as nf
from nbfact import targets, transforms

PACKAGE = Path(nf.__file__).parent


def composed():
    """Return sums, products, powers and scalings of operators of several classes."""
    C = transforms.circulant(np.random.default_rng(0).standard_normal(16))
    H, D = transforms.haar(16), transforms.dft(16)
    return {
        "C": C,
        "H": H,
        "D": D,
        "C + C": C + C,
        "C - H": C - H,
        "2 C + 3 C": 2 * C + 3 * C,
        "H + H": H + H,
        "H C": H @ C,
        "D H": D @ H,
        "dct dct": transforms.dct(16) @ transforms.dct(16),
        "C^2": C**2,
        "C Cᵀ": C @ C.T,
        "Cᵀ": C.T,
        "3i D": 3j * D,
        "kronecker": transforms.kronecker([[1, 2], [3, 4]], [[1, 2]]),
    }


def in_a_child(code, **environment):
    """Run a script in another process, and return what it prints; raise if it fails."""
    settings = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", composed())
def test_composed_operators_have_a_dense_matrix_and_a_cost(name):
    A = composed()[name]
    assert A.toarray().shape == A.shape and A.nnz > 0
    np.testing.assert_allclose(A @ np.eye(A.shape[1]), A.toarray(), atol=1e-12)


@pytest.mark.parametrize("name", composed())
def test_pickles_and_copies_of_every_operator(name):
    A = composed()[name]
    x = np.random.default_rng(1).standard_normal(A.shape[1])
    for twin in (
        pickle.loads(pickle.dumps(A, 2)),
        pickle.loads(pickle.dumps(A, 5)),
        copy.copy(A),
        copy.deepcopy(A),
    ):
        np.testing.assert_array_equal(twin @ x, A @ x)


@pytest.mark.compiled
@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dct", "dst"])
def test_cosine_and_sine_transforms_are_those_of_scipy(name, type):
    for n in (2, 3, 5, 8, 12, 17, 31, 64, 100, 360):
        for normalized, norm in ((True, "ortho"), (False, None)):
            A = getattr(transforms, name)(n, type, normalized=normalized).toarray()
            expected = getattr(scipy.fft, name)(np.eye(n), type, axis=0, norm=norm)
            atol = 1e-13 * abs(expected).max()
            np.testing.assert_allclose(A, expected, rtol=0, atol=atol)
            if normalized:
                np.testing.assert_allclose(A.T @ A, np.eye(n), rtol=0, atol=1e-13)


FORKED = """
import multiprocessing
import numpy as np, nbfact as nf
X = np.random.default_rng(0).standard_normal((3000, 32))
model = nf.QuicKMeans(16, random_state=0, max_iter=2).fit(X)
labels = model.predict(X)
def child():
    assert np.array_equal(model.predict(X), labels)
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join(60)
print(process.exitcode)
process.kill()
"""


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("layer", [{}, {"NUMBA_THREADING_LAYER": "workqueue"}])
def test_a_forked_child_predicts(layer):
    assert in_a_child(FORKED, NUMBA_NUM_THREADS="2", **layer) == "0\n"


IN_THREADS = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np, nbfact as nf
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((3000, 32)), rng.standard_normal((256, 256))
model = nf.QuicKMeans(16, random_state=0, max_iter=2).fit(X)
B = nf.transforms.dct(256)
labels, product = model.predict(X), B @ Y
def job(_):
    assert np.array_equal(model.predict(X), labels)
    assert np.array_equal(B.apply(Y, threads=2), product)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(job, range(40)))
print("done")
"""


@pytest.mark.slow
@pytest.mark.compiled
def test_threads_of_the_user_share_a_model_and_an_operator():
    layer = {"NUMBA_NUM_THREADS": "2", "NUMBA_THREADING_LAYER": "workqueue"}
    assert in_a_child(IN_THREADS, **layer) == "done\n"


@pytest.mark.parametrize("n", [12, 20, 192])
def test_hadamard_matrices_of_orders_that_are_no_powers_of_two(n):
    H = transforms.hadamard(n, normalized=False).toarray()
    np.testing.assert_array_equal(H @ H.T, n * np.eye(n))


@pytest.mark.parametrize(
    "A",
    [
        transforms.dct(12, normalized=False),
        transforms.dct(12),
        transforms.dst(12, type=1, normalized=False),
        transforms.circulant([4.0, 1.0, 0.0, 1.0]),
        transforms.haar(8),
    ],
    ids=["dct", "orthonormal dct", "dst", "circulant", "haar"],
)
def test_transforms_have_inverses(A):
    unit = np.eye(A.shape[1])
    np.testing.assert_allclose(A.inverse() @ (A @ unit), unit, rtol=0, atol=1e-12)


def test_more_entries_asked_for_than_there_are_keep_all():
    x = np.random.default_rng(0).standard_normal((4, 6))
    kept = nf.constraints.SpLin((4, 6), 10, normalized=False).project(x)
    np.testing.assert_array_equal(kept, x)
    target = targets.leadfield(8, 32, random_state=0)
    found = nf.hierarchical(target, nf.presets.rectmat(3, 50, 40))
    assert found.relative_error < 1e-10


def test_matlab_7_3_files_are_read():
    h5py = pytest.importorskip("h5py")
    path = Path(scipy.io.__file__).parent / "matlab/tests/data/testhdf5_7.4_GLNX86.mat"
    if not path.exists():
        pytest.skip("this SciPy comes without its test data")
    with h5py.File(path) as file:
        (name,) = (key for key in file if not key.startswith("#"))
        expected = np.array(file[name]).T
    np.testing.assert_array_equal(targets.load_matrix(path), expected)


@pytest.mark.parametrize(
    ("m", "n", "p", "q"),
    [
        (8, 8, 2, 2),
        (8, 8, 2, 4),
        (12, 8, 4, 2),
        (24, 36, 4, 6),
        (6, 10, 2, 5),
        (128, 192, 8, 16),
    ],
)
def test_rectangular_monarch_matrices_are_found(m, n, p, q):
    rng = np.random.default_rng(0)
    chain = nf.Chain.monarch((m, n), p, q)
    B = nf.Butterfly(chain, [rng.standard_normal(pattern) for pattern in chain])
    assert nf.butterfly_factorize(B.toarray(), chain).relative_error < 1e-14


def test_the_error_of_a_monarch_matrix_is_within_its_bounds():
    dense = np.random.default_rng(0).standard_normal((24, 36))
    found = nf.butterfly_factorize(dense, nf.Chain.monarch((24, 36), 4, 6))
    assert found.lower_bound * (1 - 1e-9) <= found.relative_error
    assert found.relative_error <= found.bound * (1 + 1e-9)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("factorizer", ["explore", "palm4msa", "butterfly"])
def test_more_centres_than_distinct_points(factorizer):
    points = np.random.default_rng(0).standard_normal((3, 4))
    model = nf.QuicKMeans(7, random_state=0, max_iter=300, factorizer=factorizer)
    model.fit(np.repeat(points, 3, axis=0))
    assert model.n_iter_ < 10 and model.inertia_ < 1e-12
    assert np.isfinite(model.cluster_centers_).all()


@pytest.mark.slow
def test_distances_of_float32_points_are_exact():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((500, 1000)) * 1e-3 + 1).astype(np.float32)
    model = nf.ClusterNeighbors(5, n_clusters=8, n_probes=8, random_state=0).fit(X)
    distances, indices = model.kneighbors(X[:50])
    true = cdist(X[:50].astype(float), X.astype(float))
    order = np.argsort(true, axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, np.sort(true, axis=1)[:, :5], rtol=1e-12)
    pair = np.float32([[0.71260], [0.71232]])
    distances, _ = nf.ClusterNeighbors(2, n_clusters=1).fit(pair).kneighbors(pair)
    expected = abs(float(pair[0, 0]) - float(pair[1, 0]))
    np.testing.assert_allclose(distances[0, 1], expected, rtol=0, atol=1e-12)


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["dct", "dft", "haar", "hadamard", "hartley"])
def test_the_sum_of_rows_of_a_sparse_matrix_is_multiplied(name):
    A = getattr(transforms, name)(2048)
    x = sp.csr_matrix(np.ones((2048, 3))).sum(axis=1)
    assert isinstance(x, np.matrix)
    for method, expected in (
        ("matvec", A @ np.asarray(x)),
        ("matmat", A @ np.asarray(x)),
        ("rmatvec", A.H @ np.asarray(x)),
    ):
        y = getattr(A, method)(x)
        assert y.shape == (2048, 1)
        np.testing.assert_allclose(np.asarray(y), expected, rtol=0, atol=1e-12)


IN_READ_ONLY = """
mount -t tmpfs tmpfs /mnt && mkdir /mnt/p && cp -r {package} /mnt/p/ || exit 77
find /mnt -name __pycache__ -prune -exec rm -rf {{}} +
mount -o remount,ro /mnt && cd /
exec env -i PATH=/usr/bin:/bin HOME=/mnt/none PYTHONPATH=/mnt/p {python} -c "{code}"
"""
PRODUCT = """
import nbfact as nf, numpy as np
assert nf.__file__.startswith('/mnt')
x = np.ones(16)
assert np.allclose(nf.transforms.hadamard(16) @ x, nf.targets.hadamard(16) @ x)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a file system")
def test_a_read_only_installation_without_a_home_works():
    script = IN_READ_ONLY.format(package=PACKAGE, python=sys.executable, code=PRODUCT)
    try:
        done = subprocess.run(
            ["unshare", "-m", "bash", "-c", script], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no command unshare")
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this user cannot mount a file system")
    assert done.returncode == 0, done.stderr


@pytest.mark.compiled
@pytest.mark.parametrize(
    "factorize",
    [
        lambda A: nf.palm4msa(A, [nf.constraints.SpLin((16, 16), 4)] * 3, n_iter=30),
        lambda A: nf.hierarchical(A, "hadamard"),
        nf.butterfly_factorize,
        pytest.param(
            lambda A: nf.explore(
                A,
                [nf.constraints.SpLin((16, 16), 6)] * 2,
                n_iter=40,
                random_state=0,
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda A: nf.learn_transform(A, nnz=96, effort="normal", random_state=0),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["palm4msa", "hierarchical", "butterfly", "explore", "learn_transform"],
)
def test_results_are_repeated_bit_for_bit(factorize):
    A = targets.dct(16)
    first, second = (factorize(A).operator.toarray() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.compiled
def test_a_point_is_not_its_own_neighbor():
    X = np.array([[0, 1], [0, 1], [-1, 2], [5, 7], [-3, 2], [9, 9.0]])
    model = nf.ClusterNeighbors(2, n_clusters=2, n_probes=2, random_state=0).fit(X)
    indices = model.kneighbors(return_distance=False)
    assert all(i not in row for i, row in enumerate(indices))
    assert model.kneighbors_graph().shape == (6, 6)


@pytest.mark.parametrize("A", [transforms.haar(16), transforms.dct(16)])
def test_rows_are_selected_by_a_slice(A):
    assert A[:2].shape == (2, 16)
    np.testing.assert_allclose(A[:2].toarray(), A.toarray()[:2], atol=1e-14)


@pytest.mark.compiled
def test_sparse_points_are_clustered():
    X = sp.random(60, 20, 0.2, format="csr", random_state=0)
    labels = nf.QuicKMeans(4, random_state=0).fit(X).labels_
    dense = nf.QuicKMeans(4, random_state=0).fit(X.toarray()).labels_
    np.testing.assert_array_equal(labels, dense)


@pytest.mark.slow
@pytest.mark.parametrize("offset", [1e2, 1e3, 1e4])
def test_distances_to_centres_far_from_the_origin(offset):
    rng = np.random.default_rng(0)
    side = np.where(rng.integers(0, 2, 1000)[:, None], offset, -offset)
    X = (rng.standard_normal((1000, 16)) + side).astype(np.float32)
    model = nf.QuicKMeans(16, sparsity=2, random_state=0, max_iter=5).fit(X)
    true = cdist(X.astype(float), model.cluster_centers_.astype(float))
    np.testing.assert_allclose(model.transform(X), true, rtol=1e-5)


def test_the_first_centres_of_the_user_are_not_changed():
    X = np.random.default_rng(0).standard_normal((80, 8))
    init = X[:4].copy()
    before = init.copy()
    with pytest.warns(RuntimeWarning, match="n_init=5: an array for init"):
        nf.QuicKMeans(4, init=init, n_init=5).fit(X)
    np.testing.assert_array_equal(init, before)
