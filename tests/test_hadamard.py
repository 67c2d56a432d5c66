"""The Walsh-Hadamard transform is exact: sums of integers, at every size and layout."""

import naive
import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from samples import DTYPES, LATER, REALS_FIRST

from nbfact.kernels import fwht, fwht_columns, fwht_rows
from nbfact.kernels.walsh_hadamard import L1

SIZES = [2**k for k in range(11)]


def integers(shape, dtype, seed=0):
    """Return small integers, whose transforms no dtype rounds."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 10, shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.integers(-9, 10, shape)
    return x.astype(dtype)


def parity(index):
    """Return the number of ones in binary, modulo 2."""
    for shift in (16, 8, 4, 2, 1):
        index = index ^ index >> shift
    return index & 1


@pytest.mark.parametrize("dtype", [*REALS_FIRST, pytest.param("int64", marks=LATER)])
@pytest.mark.parametrize("n", SIZES)
def test_equals_the_matrix(n, dtype):
    for batch in (0, 1, 2, 3, 5, 16, 33):
        x = integers((n, batch), dtype)
        fwht_columns(columns := x.copy())
        np.testing.assert_array_equal(columns, naive.fwht_columns(x))
        fwht_rows(rows := x.T.copy(order="C"))
        np.testing.assert_array_equal(rows, naive.fwht_rows(x.T))
        if batch > 0:
            fwht(vector := x[:, 0].copy())
            np.testing.assert_array_equal(vector, naive.fwht(x[:, 0]))


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("past", [1, 2, 4, 8, 16, 128])
def test_beyond_the_first_cache(past, dtype):
    """A unit vector gives a column of the matrix; twice the transform is n times x."""
    n = past * L1 // np.dtype(dtype).itemsize
    index = np.arange(n)
    for batch in (1, 3):
        x = integers((n, batch), dtype)
        x[:, 0] = 0
        x[n - 3, 0] = 1
        column = 1.0 - 2 * parity(index & (n - 3))
        fwht_columns(columns := x.copy())
        fwht_rows(rows := x.T.copy(order="C"))
        np.testing.assert_array_equal(columns[:, 0], column)
        np.testing.assert_array_equal(rows, columns.T)
        fwht(vector := x[:, -1].copy())
        np.testing.assert_array_equal(vector, columns[:, -1])
        fwht_columns(columns)
        np.testing.assert_array_equal(columns, n * x)


@pytest.mark.parametrize("n", [0, 3, 12, 200, 3000])
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_of_another_n_nothing_outside_is_written(dtype, n):
    buffer = np.ones(3 * n + 256, dtype)
    x = buffer[128 : 128 + 3 * n]
    fwht(x)
    fwht_rows(x.reshape(3, n))
    fwht_columns(x.reshape(n, 3))
    assert (buffer[:128] == 1).all() and (buffer[128 + 3 * n :] == 1).all()


@njit
def spectrum(x):
    """Transform a row of a matrix, in a user's own compiled code."""
    fwht(x[1])
    return x[1, 0]


def test_a_row_inside_njit():
    x = integers((3, 64), "float64")
    expected = x.copy()
    expected[1] = naive.hadamard_matrix(64) @ x[1]
    assert spectrum(x) == expected[1, 0]
    np.testing.assert_array_equal(x, expected)


@pytest.mark.compiled
def test_what_cannot_be_transformed_in_place_is_refused():
    constant = np.ones(8)
    constant.flags.writeable = False
    for x in (np.ones((8, 2))[:, 0], constant, np.ones(8, bool)):
        with pytest.raises(TypingError, match="expected numbers in a writable C-ord"):
            fwht(x)
