"""Nearest rows of fast operators, and sums over clusters, against dense matrices."""

import pickle

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.kernels import (
    PackedCenters,
    cluster_sums,
    nearest_dense_rows,
    nearest_rows,
)
from nbfact.kernels.registers import BYTES
from nbfact.kernels.tiles import LANES
from nbfact.operators import NearestRows, OperatorSum
from nbfact.operators.packed_centers import pack, pack_dense

REAL = DTYPES[:2]
SHAPES = [
    [(1, 1)],
    [(5, 7), (7, 9)],  # fewer columns than a block has
    [(40, 40), (40, 33)],
    [(20, 16), (16, 16), (16, 16), (16, 130)],
]


def product(shapes, density, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    factors = [
        sp.random_array(shape, density=density, rng=rng, data_sampler=rng.normal)
        for shape in shapes
    ]
    return nf.FactorProduct([factor.astype(dtype) for factor in factors], scale=1.7)


def check(operator, x, bias=None):
    """Compare the scores, and the exact scores at the labels, with the smallest ones.

    The labels themselves may differ, because rounding decides between near ties.
    """
    matrix = operator.toarray().astype(np.float64)
    chosen = (matrix**2).sum(axis=1) if bias is None else bias
    _, expected = naive.nearest_rows(matrix, chosen, x.astype(np.float64))
    labels, scores = NearestRows(operator, bias)(x)
    assert labels.dtype == np.int32 and labels.shape == scores.shape == (len(x),)
    assert scores.dtype == (np.float32 if x.dtype == np.float32 else np.float64)
    if len(x):
        scale = max(np.abs(chosen).max(), 2 * np.abs(x @ matrix.T).max(), 1e-30)
        tol = 50 * np.finfo(scores.dtype).eps * scale
        at_labels = chosen[labels] - 2 * (matrix[labels] * x).sum(axis=1)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=tol)
        np.testing.assert_allclose(at_labels, expected, rtol=0, atol=tol)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("density", [0, 0.05, 0.2, 0.6])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_products_of_factors(shapes, density, dtype):
    operator = product(shapes, density)
    for n_points in (0, 1, 33):
        check(operator, random((n_points, operator.shape[1]), dtype))


@pytest.mark.parametrize("dtype", REAL)
def test_other_operators_and_biases(dtype):
    for operator in (nf.transforms.hadamard(16), nf.transforms.dct(8).astype(dtype)):
        check(operator, random((40, operator.shape[1]), dtype))
    check(
        OperatorSum([nf.transforms.hadamard(4), nf.transforms.dct(4)]),
        random((300, 4), dtype),
    )
    check(product(SHAPES[1], 0.6, dtype), random((9, 9), dtype), np.arange(5.0))


def test_dense_centres_become_one_factor():
    """Factors are multiplied out where that costs no more: here, three of 8 x 8."""
    x = random((50, 8), "float64")
    check(product([(8, 8)] * 3, 1.0), x)


def test_the_smallest_label_of_equals():
    centres = np.repeat([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 2, axis=0)
    labels, scores = NearestRows(nf.FactorProduct([centres]))(np.eye(2))
    assert labels.tolist() == [0, 2] and scores.tolist() == [-1, -1]
    labels, scores = NearestRows(nf.FactorProduct([np.zeros((3, 2))]))(np.eye(2))
    assert labels.tolist() == [0, 0] and scores.tolist() == [0, 0]


def test_any_layout_and_dtype_of_points(monkeypatch):
    # The points are then copied in more than one part.
    monkeypatch.setattr("nbfact.operators.nearest_rows.COPIED", 32)
    operator = product(SHAPES[2], 0.2)
    nearest = NearestRows(operator)
    x = np.round(random((70, 33), "float64") * 4)
    labels, scores = nearest(x)
    read_only = x.copy()
    read_only.flags.writeable = False
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    for same in (np.asfortranarray(x), wide, x.astype(np.int8), read_only, x.tolist()):
        got = nearest(same)
        np.testing.assert_array_equal(got[0], labels)
        np.testing.assert_array_equal(got[1], scores)


def test_rows_are_packed_from_the_longest_on():
    factors = product([(20, 15), (15, 12), (12, 9)], 0.3)
    packed, _, kept = pack(factors, np.arange(20.0), None, np.dtype("f8"))
    lengths = np.split(np.diff(packed.indptr.astype(int)), packed.rows.cumsum()[:-1])
    assert all((np.diff(own) <= 0).all() for own in lengths)
    np.testing.assert_array_equal(packed.bias, kept)


def test_pickled():
    nearest = NearestRows(product(SHAPES[1], 0.6))
    x = random((5, 9), "float64")
    expected = nearest(x)
    again = pickle.loads(pickle.dumps(nearest))
    assert not again._packed
    for got, want in zip(again(x), expected, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("n_points", [1, 40, 300])
def test_the_kernel_on_one_dense_factor(n_points, dtype):
    size = BYTES // np.dtype(dtype).itemsize
    matrix, bias = random((11, size), dtype), random(11, dtype, 1)
    x, columns = random((n_points, size), dtype, 2), np.arange(size, dtype=np.uint32)
    ends = np.arange(12, dtype=np.uint32) * np.uint32(size)
    blocks = np.zeros(1, np.uint64)
    factors = (-2 * matrix).ravel(), np.tile(columns, 11), ends, np.array([11])
    margin, offset = np.zeros(2, dtype), random(size, dtype, 3)
    centers = PackedCenters(*factors, bias, blocks, margin, offset)
    scratch = np.empty((2, LANES // x.itemsize * max(11, size)), dtype)
    labels, scores = np.empty(n_points, np.int32), np.empty(n_points, dtype)
    assert nearest_rows(centers, x, scratch, labels, scores) == 0
    expected = naive.nearest_rows(matrix, bias, x - offset)
    np.testing.assert_array_equal(labels, expected[0])
    close(scores, expected[1])


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", [(1, 1), (11, 5), (19, 37)], ids=str)
@pytest.mark.parametrize("moved", [False, True])
def test_the_kernel_of_dense_rows(shape, moved, dtype):
    """Columns are fewer than a block has, or the last block overlaps with another."""
    matrix, bias = random(shape, dtype), random(shape[0], dtype, 1)
    offset = random(shape[1], dtype, 3) if moved else None
    centers, rows, kept = pack_dense(matrix, bias, offset, np.dtype(dtype))
    assert kept is None
    moved_by = 0 if offset is None else offset
    scratch = np.full(LANES // bias.itemsize * rows, np.nan, dtype)
    for n_points in (0, 1, 40):
        x = random((n_points, shape[1]), dtype, 2)
        labels, scores = np.empty(n_points, np.int32), np.empty(n_points, dtype)
        assert nearest_dense_rows(centers, x, scratch, labels, scores) == 0
        expected = naive.nearest_dense_rows(matrix, bias, x, moved_by)
        np.testing.assert_array_equal(labels, expected[0])
        close(scores, expected[1])


@pytest.mark.parametrize("dtype", REAL)
def test_sums_over_clusters(dtype):
    x, rng = random((30, 9), dtype), np.random.default_rng(1)
    labels, weights = rng.integers(0, 4, 30).astype(np.int32), rng.uniform(size=30)
    sums, counts, energies = np.ones((5, 9)), np.ones(5), np.ones(5)
    origins = rng.standard_normal((5, 9))
    cluster_sums(x, labels, weights, origins, sums, counts, energies)
    expected = naive.cluster_sums(x, labels, weights, origins)
    for got, want in zip((sums, counts, energies), expected, strict=True):
        close(got, want + 1)


def test_errors_name_what_is_wrong():
    operator = product(SHAPES[1], 0.6)
    with pytest.raises(TypeError, match=r"operator: .*ndarray.* expected a FastOp"):
        NearestRows(np.eye(2))
    with pytest.raises(TypeError, match="operator has dtype complex128"):
        NearestRows(nf.transforms.dft(4))
    with pytest.raises(ValueError, match="bias has 3 entries, the operator 5 rows"):
        NearestRows(operator, np.zeros(3))
    with pytest.raises(TypeError, match="bias has dtype complex128"):
        NearestRows(operator, np.zeros(5) + 1j)
    with pytest.raises(ValueError, match=r"x has shape \(3, 7\); expected \(N, 9\)"):
        NearestRows(operator)(np.zeros((3, 7)))
    with pytest.raises(TypeError, match="x has dtype complex128"):
        NearestRows(operator)(np.zeros((3, 9), complex))
