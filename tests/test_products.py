"""Products with CSR, chains, Hadamard and butterflies are those of dense matrices."""

import functools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from numba import njit
from samples import DTYPES, REALS_FIRST, close, random

from nbfact.kernels import (
    butterfly_adjoint,
    butterfly_adjoint_columns,
    butterfly_apply,
    butterfly_apply_columns,
    butterfly_pack,
    csr_apply,
    csr_apply_columns,
    fwht,
    fwht_columns,
    fwht_rows,
    gather,
    gather_rows,
)
from nbfact.kernels.dyadic_columns import multiply_turns


def sparse(shape, dtype, seed=0):
    """Return a sparse matrix with some empty rows, dense and in CSR form."""
    dense = random(shape, dtype, seed) * (random(shape, "float64", seed + 1) > 0)
    dense[0] = 0
    dense = dense.astype(dtype)
    matrix = sp.csr_array(dense)
    return dense, (matrix.data, matrix.indices, matrix.indptr)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (9, 5)])
def test_csr(shape, dtype):
    dense, parts = sparse(shape, dtype)
    for batch in (1, 4):
        x = random((shape[1], batch), dtype, 2)
        csr_apply_columns(*parts, x, out := np.empty((shape[0], batch), dtype))
        close(out, naive.csr_apply_columns(*parts, x))
    csr_apply(*parts, x[:, 0].copy(), vector := np.empty(shape[0], dtype))
    close(vector, naive.csr_apply(*parts, x[:, 0]))
    close(vector, dense @ x[:, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather(dtype):
    x, index = random((5, 3), dtype), np.array([4, -1, 0, 0, 2, -7])
    gather(x[:, 1].copy(), index, vector := np.empty(6, dtype))
    np.testing.assert_array_equal(vector, naive.gather(x[:, 1], index))
    gather_rows(x, index, out := np.empty((6, 3), dtype))
    np.testing.assert_array_equal(out, naive.gather_rows(x, index))


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("n", [1, 2, 4, 8, 32, 128, 256])
def test_fwht(n, dtype):
    x = random((n, 3), dtype)
    columns, rows, vector = x.copy(), np.ascontiguousarray(x.T), x[:, 0].copy()
    fwht_columns(columns)
    close(columns, naive.fwht_columns(x))
    fwht_rows(rows)
    close(rows, naive.fwht_rows(x.T))
    fwht(vector)
    close(vector, naive.fwht(x[:, 0]))


@pytest.mark.compiled
@pytest.mark.parametrize("n", [2**13, 2**14, 2**15])
def test_fwht_in_blocks(n):
    """The sizes are past the block of the kernel.

    A unit vector gives a column of the matrix.
    """
    x = random(n, "float64")
    expected = x.copy()
    fwht_columns(columns := expected.reshape(n, 1))
    fwht(x)
    close(x, columns[:, 0])
    unit = np.zeros(n)
    unit[n - 3] = 1
    fwht(unit)
    parity = [bin(i & (n - 3)).count("1") % 2 for i in range(n)]
    np.testing.assert_array_equal(unit, 1 - 2 * np.array(parity))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_levels", [1, 2, 3, 4, 5])
def test_butterfly(n_levels, dtype):
    n = 2**n_levels
    values = random((n_levels, n // 2, 2, 2), dtype)
    twiddle = np.empty((n_levels, 2, 2, n // 2), dtype)
    butterfly_pack(values, twiddle)
    np.testing.assert_array_equal(twiddle, naive.butterfly_pack(values))
    np.testing.assert_array_equal(naive.butterfly_unpack(twiddle), values)
    for batch in (1, 2, 3, 15, 40):  # whole vectors, and each part of one
        x = random((n, batch), dtype, batch)
        butterfly_apply_columns(values, x, out := np.empty_like(x))
        close(out, naive.butterfly_apply_columns(values, x))
        butterfly_apply_columns(values, in_place := x.copy(), in_place)
        np.testing.assert_array_equal(in_place, out)
        butterfly_adjoint_columns(values, x, out)
        close(out, naive.butterfly_adjoint_columns(values, x))
        butterfly_adjoint_columns(values, in_place := x.copy(), in_place)
        np.testing.assert_array_equal(in_place, out)
    vector, scratch, out = x[:, 0].copy(), np.empty(n, dtype), np.empty(n, dtype)
    butterfly_apply(twiddle, vector, scratch, out)
    close(out, naive.butterfly_apply(twiddle, vector))
    butterfly_adjoint(twiddle, vector, scratch, out)
    close(out, naive.butterfly_adjoint(twiddle, vector))


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1024, 8192])
def test_butterfly_in_tiles_and_groups(n, dtype):
    """Columns past what stays in cache give what single vectors give."""
    n_levels, batch = n.bit_length() - 1, 257
    values = random((n_levels, n // 2, 2, 2), dtype)
    twiddle = np.empty((n_levels, 2, 2, n // 2), dtype)
    butterfly_pack(values, twiddle)
    x = random((n, batch), dtype, 1)
    vector, scratch = np.empty((2, n), dtype)
    for columns, single in [
        (butterfly_apply_columns, butterfly_apply),
        (butterfly_adjoint_columns, butterfly_adjoint),
    ]:
        columns(values, x, out := x.copy())
        columns(values, in_place := x.copy(), in_place)
        np.testing.assert_array_equal(in_place, out)
        for column in (0, 255, 256):
            single(twiddle, x[:, column].copy(), scratch, vector)
            close(out[:, column], vector)


@pytest.mark.compiled
@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("shape", [(1024, 257), (8, 20000), (4, 70000)])
def test_parts_of_the_rows_in_any_order(shape, last):
    """Threads apply a turn to parts of the rows, of which some may be empty."""
    n, dtype = shape[0], "float64"
    values, x = random((n.bit_length() - 1, n // 2, 2, 2), dtype), random(shape, dtype)
    blocks = values if last == 0 else values.transpose(0, 1, 3, 2).copy()
    columns = (butterfly_apply_columns, butterfly_adjoint_columns)[last]
    columns(values, x, want := np.empty_like(x))
    twin = (naive.butterfly_apply_columns, naive.butterfly_adjoint_columns)[last]
    close(want[:, ::1000], twin(values, x[:, ::1000]))
    out = np.empty_like(x)
    for turn in range(2):
        for part in (2, 0, *range(3, 100), 1):
            multiply_turns(blocks, x, out, turn, part, 100, last)
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_butterfly_of_no_columns(dtype):
    values, x = random((2, 2, 2, 2), dtype), np.empty((4, 0), dtype)
    butterfly_apply_columns(values, x, x)
    butterfly_adjoint_columns(values, x, x)


def test_hadamard_is_a_butterfly():
    values = np.tile(np.array([[1.0, 1.0], [1.0, -1.0]]), (4, 8, 1, 1))
    np.testing.assert_array_equal(
        naive.butterfly_matrix(values), naive.hadamard_matrix(16)
    )


@njit
def smoothed(x, twiddle, scratch, out):
    """Call kernels from a user's own compiled function."""
    fwht(x)
    butterfly_apply(twiddle, x, scratch, out)


def test_inside_njit():
    values = np.tile(np.eye(2), (3, 4, 1, 1))
    twiddle = np.empty((3, 2, 2, 4))
    butterfly_pack(values, twiddle)
    x, out = np.arange(8.0), np.empty(8)
    expected = naive.hadamard_matrix(8) @ x
    smoothed(x, twiddle, np.empty(8), out)
    np.testing.assert_allclose(out, expected)


def test_naive_chain_order():
    """The naive butterfly applies level 0 first."""
    values = random((3, 4, 2, 2), "float64")
    levels = [naive.butterfly_matrix(_only(values, level)) for level in range(3)]
    product = functools.reduce(np.matmul, levels[::-1])
    np.testing.assert_allclose(naive.butterfly_matrix(values), product)


def _only(values, level):
    single = np.tile(np.eye(2), (*values.shape[:2], 1, 1))
    single[level] = values[level]
    return single
