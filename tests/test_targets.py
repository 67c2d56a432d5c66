"""Targets with a formula: named transforms, wavelets, polynomials, and noise."""

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.special

from nbfact import targets

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
