"""Tests of Kronecker products of matrices, which BLAS multiplies matrix by matrix."""

import functools

import naive
import numpy as np
import pytest
from samples import REALS_FIRST, close, random

import nbfact as nf
from nbfact.kernels import repeated_apply
from nbfact.operators import repeated_blocks
from nbfact.operators.repeated_blocks import cheapest, kronecker_of, rows_multiplier

SHAPES = [
    ((8, 8), (8, 8)),
    ((4, 5), (7, 3)),
    ((5, 4), (4, 6), (3, 8)),
    ((4, 4), (4, 4), (4, 4), (4, 4)),
    ((35, 33), (40, 36)),
]


def matrices(shapes, dtype):
    return [random(shape, dtype, seed) for seed, shape in enumerate(shapes)]


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize(("p", "q"), [(1, 1), (1, 3), (3, 1), (2, 40)])
def test_the_kernel_multiplies_as_its_twin(dtype, p, q, monkeypatch):
    monkeypatch.setattr(repeated_blocks, "SMALL_PRODUCT", 2**9)  # several parts
    pair = matrices(((3, 4), (5, 2)), dtype)
    of = repeated_blocks.Kronecker(p, tuple(pair), q, {})
    x = random((p * 8 * q,), dtype)
    repeated_blocks._cheapest.cache_clear()
    way = cheapest(of, np.dtype(dtype), 1, False)
    call = repeated_blocks.multiplier(of, way, np.dtype(dtype), (p * 15 * q,))
    repeated_blocks._cheapest.cache_clear()
    close(call(x), naive.repeated_apply(pair, x, p, q))
    values, out = np.concatenate([pair[0].ravel(), pair[0].T.ravel()]), np.zeros(6)
    steps = np.array([[2, 0, 3, 4, 1, 2, 2, 0, 1]])
    out = out.astype(dtype)
    repeated_apply(values, steps, x[:8].copy(), np.empty((0, 0), dtype), out)
    close(out.reshape(2, 3).T.ravel(), naive.repeated_apply(pair[:1], x[:8], 1, 2))


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("batch", [None, 1, 3, 16])
def test_products_in_all_layouts(shapes, dtype, batch):
    some = matrices(shapes, dtype)
    operator = nf.transforms.kronecker(*some)
    dense = functools.reduce(np.kron, some)
    for A, matrix in ((operator, dense), (operator.H, dense.conj().T)):
        size = matrix.shape[1]
        x = random((size,) if batch is None else (size, batch), dtype)
        expected = matrix @ x
        close(A @ x, expected)
        close(A.apply(x, np.empty_like(expected)), expected)
        if batch is not None:
            close(A @ np.asfortranarray(x), expected)
            rows = np.ascontiguousarray(x.T)
            close(rows @ A.T, expected.T)
            close(A.apply(rows, np.empty_like(expected.T), axis=1), expected.T)


@pytest.mark.parametrize("dtype", REALS_FIRST[:2])
def test_one_column_has_the_bits_of_a_vector_whatever_came_before(dtype):
    operator = nf.transforms.kronecker(*matrices(((16, 16), (16, 16)), dtype))
    x = random((256, 5), dtype)
    vector = operator @ x[:, 0].copy()
    for batch in (1, 2, 5, 1):
        found = operator @ x[:, :batch].copy()
        if batch == 1:
            assert (found[:, 0] == vector).all()
    assert (operator @ x == operator @ x).all()


def test_threads_and_tiles_change_no_bit(monkeypatch):
    monkeypatch.setattr(repeated_blocks, "TILE_BYTES", 2**16)
    pair = matrices(((64, 64), (32, 32)), "float64")
    x = random((2048, 70), "float64")
    found = {}
    for threads in (1, 2):
        operator = nf.transforms.kronecker(*pair)
        with nf.threads(threads):
            rows = np.ascontiguousarray(x.T) @ operator.T
            found[threads] = operator @ x, rows
    for one, two in zip(found[1], found[2], strict=True):
        assert (one == two).all()
    close(found[1][1], found[1][0].T)


def test_rows_are_multiplied_in_tiles_with_a_shorter_last_one(monkeypatch):
    monkeypatch.setattr(repeated_blocks, "TILE_BYTES", 4 * 64 * 8)
    pair = matrices(((8, 8), (8, 8)), "float64")
    of = repeated_blocks.Kronecker(1, tuple(pair), 1, {})
    for batch in (3, 4, 8, 11):
        x = random((batch, 64), "float64")
        found = rows_multiplier(of, np.dtype("float64"), x.shape)(x)
        close(found, x @ np.kron(*pair).T)


@pytest.mark.parametrize("place", [(0, 0, 0, 1), (1, 2, 1, 2), (-1, -1, -1, -1)])
def test_factors_with_one_other_block_are_no_kronecker_product(place):
    operator = nf.transforms.kronecker(*matrices(((4, 4), (4, 4), (4, 4)), "float64"))
    values = [value.copy() for value in operator.values]
    assert kronecker_of(values) is not None
    values[1][place] += 1
    assert kronecker_of(values) is None
    changed = nf.Butterfly(operator.chain, values)
    x = random((64, 3), "float64")
    close(changed @ x, changed.to_factors() @ x)


def test_one_matrix_and_factors_of_small_blocks_are_left_to_other_kernels():
    (one,) = matrices(((8, 8),), "float64")
    assert kronecker_of(nf.transforms.kronecker(one).values) is None
    assert kronecker_of(nf.transforms.kronecker(*[one[:3, :3]] * 3).values) is None


def test_infinity_and_nan_stay_where_they_belong_without_a_warning():
    pair = matrices(((8, 8), (8, 8)), "float64")
    operator = nf.transforms.kronecker(*pair)
    for batch in (2, 40):
        x = random((64, batch), "float64")
        expected = np.kron(*pair) @ x
        x[3, 1], x[5, 0] = np.inf, np.nan
        found = operator @ x
        assert not np.isfinite(found[:, :2]).any()
        close(found[:, 2:], expected[:, 2:])


def test_products_of_all_shapes_read_the_same_packed_matrices():
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, 16, 16))
    A = nf.transforms.kronecker(left, right)
    for batch in (1, 2, 3, 5, 8, 9, 40, 64):
        x = rng.standard_normal((256, batch))
        np.testing.assert_allclose(A @ x, np.kron(left, right) @ x)
        np.testing.assert_allclose((A.apply(x.T.copy(), axis=1)).T, A @ x)
    packed = A._kronecker["found"].packed
    assert {dtype for _, dtype in packed} == {np.dtype("float64")}
    assert len(packed) <= 2  # both matrices, or their product
