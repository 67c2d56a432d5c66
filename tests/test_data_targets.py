"""Targets that come from data or a model of them: lead fields, graphs, digits."""

import sys

import numpy as np
import pytest

from nbfact import targets
from nbfact.targets import lead_fields as meg


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


def test_centroids_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ModuleNotFoundError, match=r"nbfact\[study\]"):
        targets.centroids(4)


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
