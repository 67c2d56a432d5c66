"""Targets that are drawn at random and have a structure: products, kernels, sums."""

import numpy as np
import pytest
import scipy.special

import nbfact as nf
from nbfact import targets


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
