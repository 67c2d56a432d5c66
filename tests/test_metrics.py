"""Metrics: relative errors, numbers of entries, and gains."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator

from nbfact import metrics
from nbfact.metrics import relative_error


def pair(seed=0, dtype=float):
    rng = np.random.default_rng(seed)
    A, F = rng.standard_normal((2, 5, 4)).astype(dtype)
    if np.dtype(dtype).kind == "c":
        A, F = A + 1j * rng.standard_normal((5, 4)), F - 1j
    return A, F


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_relative_error_is_its_formula(dtype):
    A, F = pair(dtype=dtype)
    expected = np.linalg.norm(A - F) / np.linalg.norm(A)
    assert relative_error(A, F) == pytest.approx(expected, rel=1e-6)
    assert relative_error(A, A) == 0.0


@given(exponent=st.integers(-300, 300), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_relative_error_does_not_depend_on_the_scale(exponent, seed):
    A, F = pair(seed, complex)
    scale = 2.0**exponent * 10.0 ** (exponent // 2)
    expected = np.linalg.norm(A - F) / np.linalg.norm(A)
    assert relative_error(scale * A, scale * F) == pytest.approx(expected, rel=1e-12)


def test_relative_error_of_extremes():
    A, F = pair()
    assert relative_error(1e200 * A, 1e-200 * F) == 1.0
    assert relative_error(1e-200 * A, 1e200 * F) == np.inf
    assert relative_error(0 * A, 0 * F) == 0.0
    assert relative_error(0 * A, F) == np.inf
    assert relative_error(A, np.full_like(F, np.nan)) == np.inf
    assert relative_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


def test_relative_error_takes_any_kind_of_matrix():
    A, F = pair()
    expected = relative_error(A, F)
    for kind in (scipy.sparse.csr_array, aslinearoperator, np.asfortranarray, list):
        assert relative_error(kind(A), kind(F)) == pytest.approx(expected, rel=1e-14)
    assert relative_error(np.eye(3, dtype=int), np.zeros((3, 3), bool)) == 1.0


def test_relative_error_names_what_is_wrong():
    A, _ = pair()
    with pytest.raises(ValueError, match=r"\(5, 4\) but F has shape \(4, 5\)"):
        relative_error(A, A.T)
    with pytest.raises(ValueError, match="A holds NaN"):
        relative_error(A * np.nan, A)
    with pytest.raises(TypeError, match="F is dtype object"):
        relative_error(A, A.astype(object))


def test_gain_of_operators_and_factors():
    factors = [scipy.sparse.eye_array(6, 4, format="csr"), np.eye(4, 10)]
    assert metrics.nnz(factors) == 8
    assert metrics.rcg(factors) == 60 / 8
    assert metrics.density(factors) == 8 / 60
    assert metrics.rcg(np.eye(5)) == metrics.rcg(scipy.sparse.eye_array(5)) == 5.0
    assert metrics.rcg(np.zeros((2, 2))) == np.inf
    # A stored zero counts, because a product multiplies by it.
    stored = scipy.sparse.csr_array((np.zeros(2), ([0, 1], [0, 1])), shape=(2, 2))
    assert metrics.nnz([stored]) == 2


def test_gain_names_what_is_wrong():
    with pytest.raises(ValueError, match="empty list"):
        metrics.rcg([])
    with pytest.raises(ValueError, match=r"\(3, 4\), \(3, 4\).*do not chain"):
        metrics.rcg([np.ones((3, 4)), np.ones((3, 4))])
    with pytest.raises(ValueError, match=r"F\[0\] must be a matrix"):
        metrics.density([np.ones(3)])
    with pytest.raises(TypeError, match="F is 3; expected an operator"):
        metrics.nnz(3)
