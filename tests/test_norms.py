"""Norms against their twins, and where squares overflow or vanish."""

import naive
import numpy as np
import pytest
from samples import DTYPES, random

from nbfact.kernels import (
    all_finite,
    frobenius_norm,
    gram_norm,
    max_abs,
    spectral_norm,
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (8, 3)])
def test_norms_equal_numpy(shape, dtype):
    x = random(shape, dtype)
    rtol = 1e-5 if dtype in ("float32", "complex64") else 1e-9
    assert frobenius_norm(x) == pytest.approx(naive.frobenius_norm(x), rel=rtol)
    assert frobenius_norm(x) == pytest.approx(np.linalg.norm(x), rel=rtol)
    assert max_abs(x) == naive.max_abs(x)
    for number in (x[0, 0], np.nan, np.inf, -np.inf):
        for some in (x, x[-1]):  # a matrix and a vector
            some[-1:] = number
            assert all_finite(some) == naive.all_finite(some) == np.isfinite(number)
            some[:] = 1
    vector = random(shape[1], dtype, seed=1)
    norm = spectral_norm(x, vector, 2000, 1e-14)
    assert norm == pytest.approx(naive.spectral_norm(x), rel=rtol)
    assert np.linalg.norm(x @ vector) == pytest.approx(norm, rel=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", [1, 2, 40])
def test_gram_norm(order, dtype):
    factor = random((order, order), dtype)
    gram, vector = factor @ factor.conj().T, random(order, dtype, seed=1)
    single = dtype in ("float32", "complex64")
    norm = gram_norm(gram, vector, 500, 1e-7 if single else 1e-14)
    assert norm == pytest.approx(naive.gram_norm(gram), rel=1e-5 if single else 1e-12)
    np.testing.assert_allclose(gram @ vector, norm * vector, atol=3e-3 * norm)
    few = gram_norm(gram, random(order, dtype, seed=2), 5, 0.0)  # an odd number
    assert 0 < few <= norm * (1 + 1e-5)


@pytest.mark.parametrize("magnitude", [1e-300, 1.0, 1e300])
def test_gram_norm_of_eigenvalues_that_are_close_or_equal(magnitude):
    for values in ([1.0] * 50, np.linspace(1, 0.999, 50), np.geomspace(1, 1e-12, 50)):
        norm = gram_norm(magnitude * np.diag(values), np.ones(50), 500, 1e-12)
        assert norm == pytest.approx(magnitude, rel=1e-9)


@pytest.mark.parametrize("magnitude", [5e-324, 1e-310, 1e-200, 1e200, 1e307])
def test_extreme_magnitudes(magnitude):
    x = magnitude * np.array([[3.0, 0.0], [0.0, 1.0], [4.0, 0.0]])
    assert frobenius_norm(x) / magnitude == pytest.approx(np.sqrt(26), rel=0.3)
    assert frobenius_norm(x) == pytest.approx(naive.frobenius_norm(x), rel=1e-12)
    if magnitude > 1e-300:
        assert frobenius_norm(x) / magnitude == pytest.approx(np.sqrt(26), rel=1e-12)
        norm = spectral_norm(x, np.ones(2), 100, 1e-12)
        assert norm / magnitude == pytest.approx(5.0, rel=1e-6)


def test_zero_and_not_finite():
    assert frobenius_norm(np.zeros((2, 3))) == 0
    assert spectral_norm(np.zeros((2, 3)), np.ones(3), 10, 1e-6) == 0
    assert gram_norm(np.zeros((3, 3)), np.ones(3), 10, 1e-6) == 0
    for place in ((0, 0), (0, 1)):
        gram = np.eye(2)
        gram[place] = np.nan
        assert np.isnan(gram_norm(gram, np.ones(2), 10, 1e-6))
    assert np.isnan(frobenius_norm(np.array([[1.0, np.nan]])))
    assert frobenius_norm(np.array([[1.0, np.inf]])) == np.inf
    assert max_abs(np.array([[1.0, -3.0]])) == 3


def test_zero_start_vector_is_replaced():
    x = np.diag([1.0, 2.0])
    assert spectral_norm(x, np.zeros(2), 100, 1e-12) == pytest.approx(2.0, rel=1e-6)


def test_warm_start_needs_one_step():
    x = random((20, 20), "float64")
    vector = random(20, "float64", seed=1)
    norm = spectral_norm(x, vector, 5000, 1e-14)
    assert spectral_norm(x, vector, 1, 0.0) == pytest.approx(norm, rel=1e-9)
    assert gram_norm(x.T @ x, vector, 1, 0.0) == pytest.approx(norm**2, rel=1e-9)
