"""Targets: named transforms, planted products, graphs, the lead field, and others."""

import sys

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.special

import nbfact as nf
from nbfact import targets
from nbfact.targets import lead_fields as meg

SIZES = [1, 2, 3, 8, 12, 100]
NAMED = [targets.dft, targets.dct, targets.dst, targets.hartley, targets.hadamard]
OTHERS = [targets.haar, targets.slant, targets.legendre, targets.hilbert]
RANDOM = [targets.convolution, targets.randn]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["dft", "dct", "dst"])
@pytest.mark.parametrize("normalized", [True, False])
def test_transforms_are_those_of_scipy(name, n, normalized):
    transform = getattr(scipy.fft, name.replace("dft", "fft"))
    norm = "ortho" if normalized else None
    expected = transform(np.eye(n), axis=0, norm=norm)
    got = getattr(targets, name)(n, normalized=normalized)
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-15)


@pytest.mark.parametrize("target", NAMED)
def test_transforms_are_orthonormal(target):
    for n in (1, 2, 64, 1024):
        matrix = target(n)
        assert matrix.shape == (n, n)
        np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(n), atol=3e-15)


def test_dft_is_right_to_the_last_bits_in_every_corner():
    n = 1000
    matrix = targets.dft(n, normalized=False)
    # Rows n - k and k are conjugate to the last bit, for any size of the product jk.
    np.testing.assert_array_equal(matrix[1:], matrix[:0:-1].conj())
    np.testing.assert_array_equal(matrix, matrix.T)
    assert abs(abs(matrix) - 1).max() <= 2.3e-16
    np.testing.assert_array_equal(
        targets.dft(4, normalized=False)[1], [1.0, -1.0j, -1.0, 1.0j]
    )


def test_hadamard_is_that_of_sylvester():
    expected = scipy.linalg.hadamard(16)
    np.testing.assert_array_equal(targets.hadamard(16, normalized=False), expected)
    np.testing.assert_array_equal(targets.hadamard(16), expected / 4)


def test_hartley_is_real_and_imaginary_parts_of_the_dft():
    dft = targets.dft(12, normalized=False)
    got = targets.hartley(12, normalized=False)
    np.testing.assert_allclose(got, dft.real - dft.imag, atol=1e-15)


@pytest.mark.parametrize("target", NAMED + OTHERS + RANDOM)
def test_sizes_are_checked(target):
    with pytest.raises(ValueError, match="n=0"):
        target(0)
    with pytest.raises(ValueError, match="n=-4"):
        target(-4)
    with pytest.raises(TypeError, match=r"n=8\.0"):
        target(8.0)
    with pytest.raises(ValueError, match=r"n=10.* are 8 and 12"):
        targets.hadamard(10)
    if target not in RANDOM:
        np.testing.assert_array_equal(target(np.int64(2)), target(2))


@pytest.mark.parametrize(("n", "n_factors", "k"), [(1, 1, 1), (16, 3, 2), (9, 2, 9)])
def test_planted(n, n_factors, k):
    matrix, factors = targets.planted(
        n, n_factors, k, random_state=0, return_factors=True
    )
    assert len(factors) == n_factors
    for factor in factors:
        dense = factor.toarray()
        assert (np.count_nonzero(dense, axis=0) == k).all()
        assert (np.count_nonzero(dense, axis=1) == k).all()
    expected = np.linalg.multi_dot([np.eye(n), *(f.toarray() for f in factors)])
    np.testing.assert_allclose(matrix, expected, atol=1e-13)


def test_planted_seeds_and_errors():
    first = targets.planted(8, 2, 2, random_state=1)
    again = targets.planted(8, 2, 2, random_state=np.random.default_rng(1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, targets.planted(8, 2, 2, random_state=2))
    with pytest.raises(ValueError, match=r"k=9.*n=8"):
        targets.planted(8, 2, 9)
    with pytest.raises(ValueError, match="n_factors=0"):
        targets.planted(8, 0, 2)


def sarvas(r, r0, q):
    """Return the field at `r` of a dipole `q` at `r0`, by the formula of the paper."""
    a_vec = r - r0
    a, r_ = np.linalg.norm(a_vec), np.linalg.norm(r)
    f = a * (r_ * a + r_**2 - r0 @ r)
    gradient = (a**2 / r_ + a_vec @ r / a + 2 * a + 2 * r_) * r
    gradient -= (a + 2 * r_ + a_vec @ r / a) * r0
    turn = np.cross(q, r0)
    return 1e-7 / f**2 * (f * turn - (turn @ r) * gradient)


def test_the_field_of_a_dipole_is_that_of_sarvas():
    rng = np.random.default_rng(0)
    points = 0.12 * rng.standard_normal((6, 3))
    points *= 0.12 / np.linalg.norm(points, axis=1, keepdims=True)
    normals = rng.standard_normal((6, 3))
    sources, moments = meg._dipoles(5, rng)
    expected = [
        [sarvas(p, s, q) @ u for s, q in zip(sources, moments, strict=True)]
        for p, u in zip(points, normals, strict=True)
    ]
    got = meg._sarvas(points, normals, sources, moments)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_a_radial_dipole_is_silent_and_the_outward_field_needs_no_volume_current():
    rng = np.random.default_rng(1)
    sources, moments = meg._dipoles(4, rng)
    points, _, _ = meg._helmet(7)
    silent = meg._sarvas(points, points, sources, sources)
    assert abs(silent).max() <= 1e-20
    # The sphere has no effect on the outward field, which follows Biot and Savart.
    outward = points / 0.12
    a = points[:, None] - sources
    cube = np.linalg.norm(a, axis=2) ** 3
    biot = 1e-7 * np.einsum("pi,psi->ps", outward, np.cross(moments, a)) / cube
    got = meg._sarvas(points, outward, sources, moments)
    np.testing.assert_allclose(got, biot, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (204, 8193)])
def test_leadfield(shape):
    matrix = targets.leadfield(*shape, random_state=0)
    assert matrix.shape == shape
    assert np.isfinite(matrix).all()
    assert 1e-2 < abs(matrix).max() < 100.0
    places, meridian, parallel = meg._helmet(102)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 0.12)
    np.testing.assert_allclose(np.sum(places * meridian, axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.sum(meridian * parallel, axis=1), 0, atol=1e-15)


def test_leadfield_errors():
    with pytest.raises(ValueError, match="n_sources=0"):
        targets.leadfield(4, 0)
    with pytest.raises(TypeError, match="n_sensors='4'"):
        targets.leadfield("4", 4)


def test_haar_by_its_rows():
    matrix = targets.haar(16)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(16), atol=1e-15)
    np.testing.assert_array_equal(matrix[0], np.full(16, 0.25))
    for level in range(4):
        length = 16 >> level
        for place in range(2**level):
            row = np.zeros(16)
            row[place * length :][: length // 2] = 1 / np.sqrt(length)
            row[place * length + length // 2 :][: length // 2] = -1 / np.sqrt(length)
            np.testing.assert_array_equal(matrix[2**level + place], row)


@pytest.mark.parametrize("n", [1, 2, 4, 8, 64])
def test_slant_is_orthonormal_and_has_a_slant(n):
    matrix = targets.slant(n)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(n), atol=1e-14)
    np.testing.assert_allclose(matrix[0], 1 / np.sqrt(n))
    if n > 1:
        line = np.arange(n - 1, -n, -2) / np.linalg.norm(np.arange(n - 1, -n, -2))
        np.testing.assert_allclose(matrix[1], line, atol=1e-15)


def test_legendre_values():
    n = 64
    x = -1 + 2 * (np.arange(n) + 1) / (n + 1)
    got = targets.legendre(n, normalized=False)
    for k in (0, 1, 2, 9, 63):
        expected = scipy.special.eval_legendre(k, x)
        np.testing.assert_allclose(got[k], expected, atol=1e-13)
    np.testing.assert_array_equal(targets.legendre(n), got / 8)


def test_hilbert():
    np.testing.assert_allclose(
        targets.hilbert(9, normalized=False), scipy.linalg.hilbert(9), rtol=1e-15
    )
    assert np.linalg.norm(targets.hilbert(50), 2) == pytest.approx(1, abs=1e-14)


def test_random_targets():
    matrix = targets.convolution(9, 3)
    first = np.random.default_rng(3).standard_normal(9) / 3
    np.testing.assert_array_equal(matrix, scipy.linalg.circulant(first))
    assert np.var(targets.randn(100, 0)) == pytest.approx(0.01, rel=0.05)


def test_named_targets_have_the_scale_of_the_paper():
    names = "dft dct dst convolution hadamard hartley legendre hilbert randn".split()
    for name in names:
        matrix = targets.named(name, 64)
        assert matrix.shape == (64, 64)
        assert 0.9 < np.linalg.norm(matrix, 2) < 2.6, name
        np.testing.assert_array_equal(matrix, targets.named(name, 64))
    textbook = scipy.fft.dct(np.eye(8), axis=0)
    np.testing.assert_allclose(targets.named("dct", 8), textbook / 8**0.5, atol=1e-15)
    with pytest.raises(ValueError, match="fourier"):
        targets.named("fourier", 8)
    with pytest.raises(ValueError, match="n=6"):
        targets.named("hadamard", 6)


def counts(factor):
    dense = factor.toarray()
    return {*np.count_nonzero(dense, axis=0), *np.count_nonzero(dense, axis=1)}


@pytest.mark.parametrize(("n", "n_factors"), [(2, 1), (16, 2), (10, 3)])
def test_pair_rotations_are_orthogonal_and_2_regular(n, n_factors):
    matrix, factors = targets.pair_rotations(
        n, n_factors, random_state=0, return_factors=True
    )
    assert [counts(factor) for factor in factors] == [{2}] * n_factors
    expected = np.linalg.multi_dot([np.eye(n), *(f.toarray() for f in factors)])
    np.testing.assert_allclose(matrix, expected, atol=1e-14)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(n), atol=1e-14)
    np.testing.assert_array_equal(
        matrix, targets.pair_rotations(n, n_factors, random_state=0)
    )
    with pytest.raises(ValueError, match="n=7"):
        targets.pair_rotations(7, 2)


@pytest.mark.parametrize("kind", ["orthogonal", "gaussian", "hadamard", "unitary"])
def test_a_permuted_butterfly_is_one_once_rows_and_columns_are_in_order(kind):
    n, rng = 16, np.random.default_rng(3)
    matrix = targets.permuted_butterfly(n, kind, random_state=rng)
    again = np.random.default_rng(3)
    blocks = [(n >> 1 + level, 1 << level) for level in range(4)]
    for shape in blocks:  # draw the same random numbers again
        targets.random_products._BLOCKS[kind](again, shape, 2)
    rows, columns = again.permutation(n), again.permutation(n)
    butterfly = matrix[np.argsort(rows)][:, np.argsort(columns)]
    found = nf.butterfly_factorize(butterfly)
    assert found.relative_error < 1e-14
    assert nf.butterfly_factorize(matrix).relative_error > 0.1
    if kind != "gaussian":
        gram = matrix @ matrix.conj().T
        np.testing.assert_allclose(gram, np.eye(n), atol=1e-14)
    if kind == "hadamard":
        np.testing.assert_allclose(abs(matrix), 1 / 4)
    with pytest.raises(ValueError, match="kind='x'"):
        targets.permuted_butterfly(n, "x")
    with pytest.raises(ValueError, match=r"n=6.*power of two"):
        targets.permuted_butterfly(6)


@pytest.mark.parametrize("kind", ["orthogonal", "gaussian", "unitary"])
def test_permuted_butterflies_of_any_radix(kind):
    draw = np.random.default_rng(5)
    matrix = targets.permuted_butterfly(12, kind, radices=(2, 3, 2), random_state=draw)
    again = np.random.default_rng(5)
    for radix, stride in ((2, 1), (3, 2), (2, 6)):
        shape = (12 // (radix * stride), stride)
        targets.random_products._BLOCKS[kind](again, shape, radix)
    rows, columns = again.permutation(12), again.permutation(12)
    butterfly = matrix[np.argsort(rows)][:, np.argsort(columns)]
    found = nf.butterfly_factorize(butterfly, nf.Chain.mixed_radix((2, 3, 2)))
    assert found.relative_error < 1e-14
    if kind != "gaussian":
        np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(12), atol=1e-14)


def test_radices_are_checked():
    with pytest.raises(ValueError, match=r"radices=\[2, 3\].*n=12"):
        targets.permuted_butterfly(12, radices=(2, 3))
    with pytest.raises(ValueError, match=r"radices\[1\]=1"):
        targets.permuted_butterfly(2, radices=(2, 1))
    with pytest.raises(ValueError, match="n=3"):
        targets.permuted_butterfly(3, "hadamard", radices=(3,))


KINDS = tuple(targets.graphs._MODELS)


@pytest.mark.parametrize("kind", KINDS)
def test_graph_fourier_diagonalises_the_laplacian_of_a_connected_graph(kind):
    for n in (1, 2, 7, 64):
        vectors = targets.graph_fourier(n, kind, random_state=0)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(n), atol=1e-13)
        # The graph is connected: its first eigenvector is constant.
        np.testing.assert_allclose(vectors[:, 0], n**-0.5, atol=1e-12)
        np.testing.assert_array_equal(
            vectors, targets.graph_fourier(n, kind, random_state=0)
        )
        largest = np.take_along_axis(vectors, abs(vectors).argmax(0)[None], 0)
        assert (largest[0, abs(vectors).max(0) > 0.71] > 0).all()
    assert not np.array_equal(vectors, targets.graph_fourier(64, kind, random_state=1))
    with pytest.raises(ValueError, match="kind='ring'"):
        targets.graph_fourier(8, "ring")


def test_centroids_of_digits():
    pytest.importorskip("sklearn")
    matrix = targets.centroids(64)
    assert matrix.shape == (64, 64) and matrix.dtype == np.float64
    unused = [0, 32, 39]  # pixels that no image uses
    assert np.flatnonzero(~matrix.any(axis=0)).tolist() == unused
    assert matrix.min() > -1e-12 and 10 < matrix.max() <= 16
    np.testing.assert_array_equal(targets.centroids(5), targets.centroids(5))
    with pytest.raises(ValueError, match="n_clusters=2000"):
        targets.centroids(2000)


@pytest.mark.parametrize("kind", KINDS)
def test_graphs_have_the_edges_of_their_model(kind):
    n, rng = 36, np.random.default_rng(2)
    weights = targets.graphs._MODELS[kind](n, rng)
    assert (weights == weights.T).all() and not weights.diagonal().any()
    edges = np.count_nonzero(weights) // 2
    if kind != "geometric":
        assert 0.5 <= weights[weights > 0].min() <= weights.max() <= 1.5
    exact = {"scale free": 2 * n - 3, "grid": 60, "path": n - 1}
    if kind in exact:
        assert edges == exact[kind]
    if kind == "small world":  # some of the 2 n edges may coincide
        assert 2 * n - 8 < edges <= 2 * n


@pytest.mark.parametrize("moments", [1, 2, 4, 10])
def test_wavelet_packets_are_orthonormal_and_have_vanishing_moments(moments):
    low = targets.wavelets.daubechies(moments)
    for shift in range(1, moments):
        assert abs(low[2 * shift :] @ low[: -2 * shift]) < 1e-7
    assert low @ low == pytest.approx(1, abs=1e-7)
    high = low[::-1] * (-1.0) ** np.arange(2 * moments)
    powers = np.linspace(-1, 1, 2 * moments)[:, None] ** np.arange(moments)
    np.testing.assert_allclose(high @ powers, 0, atol=1e-6)
    matrix = targets.wavelet_packet(64, moments, random_state=3)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(64), atol=1e-6)
    other = targets.wavelet_packet(64, moments, random_state=4)
    assert moments == 10 or not np.array_equal(matrix, other)


def test_the_filters_of_two_moments_are_those_of_daubechies():
    root = np.sqrt(3)
    known = np.array([1 + root, 3 + root, 3 - root, 1 - root]) / np.sqrt(32)
    np.testing.assert_allclose(targets.wavelets.daubechies(2), known, atol=1e-14)
    haar = targets.wavelet_packet(2, 1)
    np.testing.assert_allclose(haar, np.array([[1, 1], [1, -1]]) / np.sqrt(2))
    with pytest.raises(ValueError, match="moments=11"):
        targets.wavelet_packet(8, 11)
    with pytest.raises(ValueError, match=r"n=6.*power of two"):
        targets.wavelet_packet(6)


def test_spherical_harmonics_are_those_of_the_addition_theorem():
    n = 49
    matrix = targets.spherical_harmonics(n, random_state=0)
    rng = np.random.default_rng(0)
    heights, turns = np.sort(rng.uniform(-1, 1, n)), rng.uniform(0, 2 * np.pi, n)
    flat = np.sqrt(1 - heights**2)
    points = np.stack([flat * np.cos(turns), flat * np.sin(turns), heights])
    cosines = points.T @ points
    for degree in range(7):
        some = matrix[:, degree**2 : (degree + 1) ** 2]
        kernel = (2 * degree + 1) / n * scipy.special.eval_legendre(degree, cosines)
        np.testing.assert_allclose(some @ some.T, kernel, atol=1e-13)
    first = np.stack([points[1], points[2], points[0]], axis=1)  # y, z, x
    np.testing.assert_allclose(matrix[:, 1:4], np.sqrt(3 / n) * first, atol=1e-15)
    with pytest.raises(ValueError, match="n=0"):
        targets.spherical_harmonics(0)


def test_kernel_matrices_by_their_points():
    points = np.random.default_rng(1).random((9, 3))
    points = points[np.argsort(points[:, 0])]
    away = np.linalg.norm(points[:, None] - points, axis=-1)
    known = {
        "gaussian": np.exp(-4.5 * away**2),
        "exponential": np.exp(-3 * away),
        "inverse": np.divide(1, away, where=away > 0, out=np.zeros_like(away)),
    }
    for kind, matrix in known.items():
        found = targets.kernel_matrix(9, kind, dimensions=3, random_state=1)
        np.testing.assert_allclose(found, matrix, rtol=1e-12)
        assert targets.kernel_matrix(1, kind)[0, 0] == (kind != "inverse")
    with pytest.raises(ValueError, match="kind='cauchy'"):
        targets.kernel_matrix(4, "cauchy")


def test_toeplitz_and_layers_of_convolutions():
    matrix = targets.toeplitz(9, random_state=0)
    np.testing.assert_array_equal(matrix[1:, 1:], matrix[:-1, :-1])
    assert len(np.unique(matrix)) == 17
    layer = targets.convolution_layer(24, width=3, random_state=0)
    rng = np.random.default_rng(0)
    filters = rng.standard_normal((2, 2, 3, 3)) / np.sqrt(18)
    image = rng.standard_normal((2, 3, 4))
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    known = np.zeros((2, 3, 4))
    for (out, into, i, j), weight in np.ndenumerate(filters):
        known[out] += weight * padded[into, i : i + 3, j : j + 4]
    np.testing.assert_allclose(layer @ image.ravel(), known.ravel(), atol=1e-14)
    with pytest.raises(ValueError, match="channels=5: must divide n=24"):
        targets.convolution_layer(24, 5)
    with pytest.raises(ValueError, match="width=2: must be odd"):
        targets.convolution_layer(24, width=2)


def test_a_sparse_matrix_plus_one_of_low_rank():
    matrix = targets.sparse_plus_low_rank(20, density=0.05, random_state=0)
    rng = np.random.default_rng(0)
    places, values = rng.choice(400, 20, replace=False), rng.standard_normal(20)
    low = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 20))
    sparse = matrix - low
    kept = np.flatnonzero(abs(sparse) > 1e-12)
    np.testing.assert_array_equal(kept, np.sort(places))
    assert np.linalg.norm(sparse) == pytest.approx(np.linalg.norm(low))
    ratio = sparse.ravel()[places] / values
    np.testing.assert_allclose(ratio, ratio[0])
    with pytest.raises(ValueError, match="rank=5: must be at most n=4"):
        targets.sparse_plus_low_rank(4, 5)


def test_weights_of_a_trained_network():
    pytest.importorskip("sklearn")
    first = targets.trained_weights(12, random_state=3)
    assert first.shape == (12, 12) and first.dtype == np.float64
    np.testing.assert_array_equal(first, targets.trained_weights(12, random_state=3))
    with pytest.raises(TypeError, match="n='3'"):
        targets.trained_weights("3")


def test_a_network_needs_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.neural_network", None)
    with pytest.raises(ModuleNotFoundError, match=r"nbfact\[study\]"):
        targets.trained_weights(4)


def test_centroids_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ModuleNotFoundError, match=r"nbfact\[study\]"):
        targets.centroids(4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_noise_is_relative_and_of_the_dtype(dtype):
    target = (targets.dft(8) * 7).real.astype(dtype)
    got = targets.noisy(target, 0.5, random_state=1)
    assert got.dtype == target.dtype
    ratio = np.linalg.norm(got - target) / np.linalg.norm(target)
    assert ratio == pytest.approx(0.5, rel=1e-6)
    assert bool((got - target).imag.any()) == (target.dtype.kind == "c")
    np.testing.assert_array_equal(targets.noisy(target, 0.0), target)
    for wrong in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="noise="):
            targets.noisy(target, wrong)


def test_permuted_keeps_rows_and_columns():
    target = np.arange(12).reshape(3, 4)
    got = targets.permuted(target, 0)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(3), rng.permutation(4)
    np.testing.assert_array_equal(got, target[np.ix_(rows, columns)])
    with pytest.raises(ValueError, match="target must be a matrix"):
        targets.permuted(np.arange(3))
