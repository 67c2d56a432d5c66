"""The Haar transform: its kernels, and the operator that calls them."""

import pickle

import naive
import numpy as np
import pytest
from samples import REALS_FIRST, close, random

import nbfact as nf
from nbfact.kernels import (
    haar_columns,
    haar_columns_adjoint,
    haar_vector,
    haar_vector_adjoint,
)
from nbfact.operators.haar import HaarTransform

ORDERS = [1, 2, 4, 8, 16, 64, 128, 512]
REALS = REALS_FIRST[:2]


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("n", ORDERS)
def test_vectors(n, dtype):
    x, work = random(3 * n, dtype), np.full(n, np.nan, dtype)
    haar_vector(1.5, x, work, out := np.full_like(x, np.nan))
    close(out, naive.haar_vector(1.5, x, n))
    haar_vector_adjoint(-0.5, x, work, out := np.full_like(x, np.nan))
    close(out, naive.haar_vector_adjoint(-0.5, x, n))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("n", ORDERS)
def test_columns_have_the_bits_of_vectors(n, dtype):
    work = np.full((n // 3 + 1, 24), np.nan, dtype)
    x = random((n, 61), dtype)
    for columns, vector, twin in (
        (haar_columns, haar_vector, naive.haar_columns),
        (haar_columns_adjoint, haar_vector_adjoint, naive.haar_columns_adjoint),
    ):
        expected = np.empty(x.size, dtype)
        vector(0.75, np.ascontiguousarray(x.T).ravel(), np.empty(n, dtype), expected)
        expected = expected.reshape(x.T.shape).T
        out = np.full_like(x, np.nan)
        columns(0.75, x, work, out, 2, 59)
        np.testing.assert_array_equal(out[:, 2:59], expected[:, 2:59])
        assert np.isnan(out[:, :2]).all() and np.isnan(out[:, 59:]).all()
        close(expected, twin(0.75, x))


def test_other_orders_are_left_alone():
    for n in (3, 6, 20, 48):
        x, work = np.ones((n, 9)), np.full((n, 9), np.nan)
        for vector in (haar_vector, haar_vector_adjoint):
            vector(1.0, x[:, 0].copy(), np.empty(n), out := np.zeros(n))
            assert not out.any()
        for columns in (haar_columns, haar_columns_adjoint):
            columns(1.0, x, work, out := np.zeros((n, 9)), 0, 9)
            assert not out.any() and np.isnan(work).all()


def test_halves_of_the_largest_numbers_are_no_infinity():
    largest = np.finfo(float).max
    x = np.array([largest, largest, -largest, -largest, 0, 0, 0, 0]) / 2
    haar_vector(1.0, x, np.empty(8), out := np.empty(8))
    np.testing.assert_allclose(
        out, nf.targets.haar(8) @ x, rtol=1e-15, atol=largest * 1e-15
    )
    haar_vector_adjoint(1.0, out, np.empty(8), again := np.empty(8))
    np.testing.assert_allclose(again, x, atol=largest * 1e-15)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("n", [2, 64, 1024])
def test_the_operator_multiplies_arrays_of_all_layouts(n, dtype):
    H, matrix = nf.transforms.haar(n, dtype), nf.targets.haar(n)
    for A, D in (
        (H, matrix),
        (H.T, matrix.T),
        (H.H * 3, 3 * matrix.T),
        ((-2 * H).inverse(), matrix.T / -2),
        (H.conj(), matrix),
    ):
        assert type(A) is HaarTransform and A.dtype == dtype
        close(A.toarray(), D)
        for batch in (1, 3, 16, 37):
            x = random((n, batch), dtype, batch)
            close(A @ x, D @ x)
            close(A @ np.asfortranarray(x), D @ x)
            close(x.T @ A, x.T @ D)
            close(x.T.copy() @ A, x.T @ D)
            close(A.apply(x, np.empty_like(x)), D @ x)
            z = x + 1j * x[::-1]
            close(A @ z, D @ z)
        np.testing.assert_array_equal(
            A @ x[:, :1].copy(), (A @ x[:, 0].copy())[:, None]
        )
    close((1j * H) @ x, 1j * (matrix @ x))


def test_threads_change_no_bit(eager):
    H = nf.transforms.haar(64)
    x = random((64, 70), "float64")
    rows = np.ascontiguousarray(x.T)
    for A in (H, H.T):
        expected, of_rows = A @ x, A.apply(rows, axis=1)
        with nf.threads(2):
            np.testing.assert_array_equal(A @ x, expected)
            np.testing.assert_array_equal(A.apply(rows, axis=1), of_rows)


def test_infinity_stays_where_it_is_read():
    H, x = nf.transforms.haar(512), np.zeros(512)
    x[0] = np.inf
    support = nf.targets.haar(512)[:, 0] != 0
    np.testing.assert_array_equal(np.isfinite(H @ x), ~support)
    x = np.zeros(512)
    x[300] = np.inf
    support = nf.targets.haar(512)[300] != 0
    np.testing.assert_array_equal(np.isfinite(H.T @ x), ~support)


def test_what_is_made_of_it_uses_its_kernels(tmp_path):
    H, D = nf.transforms.haar(64), nf.transforms.dct(64)
    other = nf.FactorProduct([np.eye(64)])
    matrix, x = nf.targets.haar(64), random((64, 5), "float64")
    for A, wanted in (
        (H @ other, matrix),
        (other @ H, matrix),
        (H + other, matrix + np.eye(64)),
        (H.T @ D @ H, matrix.T @ D.toarray() @ matrix),
    ):
        close(A @ x, wanted @ x)
        assert not isinstance(A, nf.FactorProduct)
    both = nf.transforms.kronecker(H, H)
    image = random((64, 64), "float64")
    close((both @ image.ravel()).reshape(64, 64), matrix @ image @ matrix.T)
    close(H[3:9, ::2] @ x[::2], matrix[3:9, ::2] @ x[::2])
    for A in (H, H.T, 0.1 * nf.transforms.haar(8, "float32")):
        A.save(tmp_path / "A.npz")
        for again in (nf.load(tmp_path / "A.npz"), pickle.loads(pickle.dumps(A))):
            assert type(again) is HaarTransform and again.dtype == A.dtype
            assert again.transposed == A.transposed and again.scale == A.scale
            np.testing.assert_array_equal(again.toarray(), A.toarray())
    assert "kernels with the values of the transform multiply vectors" in repr(H)
