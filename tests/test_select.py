"""Quickselect finds what sorting finds."""

import naive
import numpy as np
import pytest

from nbfact.kernels import kth_largest, project_splin


def inputs(n):
    rng = np.random.default_rng(n)
    yield rng.standard_normal(n)
    yield rng.integers(0, 4, n).astype(float)  # few values, so that there are ties
    yield np.ones(n)
    yield np.zeros(n)
    yield np.arange(n, dtype=float)
    yield -np.arange(n, dtype=float)
    yield np.where(np.arange(n) == n // 2, 1e200, 1e-200)


@pytest.mark.parametrize("n", [1, 2, 24, 25, 100, 700])
def test_kth_largest_is_the_sorted_one(n):
    for values in inputs(n):
        for k in {1, 2, n // 3 + 1, n - 1, n} - {0}:
            if k <= n:
                expected = naive.kth_largest(values, k)
                assert kth_largest(values.copy(), k) == expected


@pytest.mark.compiled
def test_kth_largest_of_many():
    for values in inputs(100_000):
        for k in (1, 1000, 50_000, 99_999):
            assert kth_largest(values.copy(), k) == naive.kth_largest(values, k)


@pytest.mark.parametrize("n", [1, 6, 40])
def test_a_row_keeps_the_first_on_ties(n):
    for values in inputs(n):
        for k in (1, 2, n, n + 1):
            got = values[None].copy()
            project_splin(got, k)
            assert np.array_equal(got[0], naive.keep_largest(values, k))


@pytest.mark.parametrize("scale", [2.0**-660, 1.0, 2.0**660])
def test_complex_numbers_compare_by_modulus(scale):
    """Moduli 4.95, 5, 5, 5 and 5 are compared exactly, and without overflow."""
    x = np.array([[3.5 + 3.5j, 3 + 4j, -5, 5j, -4 - 3j]]) * scale
    for k in range(1, 5):
        got = x.copy()
        project_splin(got, k)
        assert np.array_equal(np.flatnonzero(got), np.arange(1, k + 1))
