"""Factors and chains of factors give what dense products give, in all dtypes."""

import itertools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from samples import REALS_FIRST, close, random

from nbfact.algorithms.common.factors import (
    Dense,
    Sparse,
    adjoint,
    compressed,
)
from nbfact.algorithms.common.packed_factors import (
    PackedFactors,
    PackedLayout,
    tile_scratch,
)
from nbfact.algorithms.palm.side_norms import dense_norm, product_norm
from nbfact.kernels import (
    adjoint_copy,
    chain_absorb,
    chain_norm,
    chain_residual,
    chain_step,
    count_nonzeros,
    csr_add,
    csr_apply_columns,
    csr_compress,
    csr_entered,
    csr_fit,
    csr_gram,
)

SHAPES = [(1, 1), (1, 9), (9, 1), (8, 16), (17, 33), (40, 5)]


def sparse(shape, dtype, seed=0, density=0.2):
    """Return a random matrix with few non-zeros, and with empty rows and columns."""
    kept = np.random.default_rng(seed).random(shape) < density
    return np.where(kept, random(shape, dtype, seed), 0).astype(dtype)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("shape", SHAPES)
def test_compressed(shape, dtype):
    x = sparse(shape, dtype)
    factor = compressed(x, 1.0)
    assert count_nonzeros(x) == np.count_nonzero(x)
    np.testing.assert_array_equal(factor.toarray(), x)
    np.testing.assert_array_equal(factor.transposed().toarray(), x.T)
    for form, dense in ((factor.rows, x), (factor.columns, x.conj().T)):
        want = sp.csr_array(dense)
        expected = want.data, want.indices, want.indptr
        for mine, theirs in zip(form, expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(factor.tocsr().toarray(), x)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("shape", SHAPES)
def test_compression_and_products_of_csr(shape, dtype):
    x = sparse(shape, dtype)
    nnz = count_nonzeros(x)
    assert nnz == naive.count_nonzeros(x)
    (m, n), pad = shape, 2  # both are written behind something else
    data, indices = (
        np.empty(2 * (nnz + pad), dtype),
        np.zeros(2 * (nnz + pad), np.uint32),
    )
    indptr = np.zeros(m + n + 4, np.uint32)
    places = (1, 1, m + 3, nnz + pad)
    if nnz:  # without room nothing is written
        arrays = data[:0], indices[:0], indptr, places, indices[:0], indptr[:0]
        assert csr_compress(x, nnz - 1, *arrays) == (nnz, 0, 0)
        assert not indptr.any()
    arrays = data, indices, indptr, places, indices[:0], indptr[:0]
    got = csr_compress(x, nnz, *arrays)
    assert got == (nnz, nnz, pytest.approx(np.linalg.norm(x), rel=1e-6))
    first, turned = slice(1, nnz + 1), slice(nnz + pad, 2 * nnz + pad)
    rows = data[first], indices[first], indptr[1 : m + 2] - np.uint32(1)
    columns = data[turned], indices[turned], indptr[m + 3 :] - np.uint32(nnz + pad)
    for got, expected in zip((*rows, *columns), naive.csr_compress(x), strict=True):
        np.testing.assert_array_equal(got, expected)
    csr_add(*rows, total := random(shape, dtype, 1))
    close(total, naive.csr_add(*rows, random(shape, dtype, 1)))
    adjoint_copy(x, turned := np.empty(shape[::-1], dtype))
    np.testing.assert_array_equal(turned, naive.adjoint_copy(x))
    p = shape[0]
    csr_gram(*rows, *columns, out := np.full((p, p), np.nan, dtype))
    close(out, naive.csr_gram(x))
    old = sparse(shape, dtype, 3)
    _, places, ends = naive.csr_arrays(old)
    assert csr_entered(places, ends, *rows[1:]) == naive.csr_entered(old, x)


def test_dense_factors_stay_dense():
    full = random((6, 6), "float64")
    assert isinstance(compressed(full), Dense)
    assert isinstance(compressed(np.diag(np.ones(6))), Sparse)
    assert isinstance(compressed(np.zeros((3, 2))), Sparse)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [Sparse, Dense])
def test_products(shape, dtype, kind):
    x = sparse(shape, dtype) if kind is Sparse else random(shape, dtype)
    factor = compressed(x, 1.0) if kind is Sparse else Dense(x)
    right, left = random((shape[1], 5), dtype, 1), random((shape[0], 5), dtype, 2)
    close(factor.apply(right), x @ right)
    close(factor.apply_adjoint(left), x.conj().T @ left)
    close(factor.gram(), x @ x.conj().T)
    close(factor.gram_of_columns(), x.conj().T @ x)
    close(factor.congruent(right @ right.conj().T), (x @ right) @ (x @ right).conj().T)
    np.testing.assert_array_equal(factor.adjoint().toarray(), x.conj().T)
    close(factor.scaled(0.3).toarray(), x * x.real.dtype.type(0.3))
    assert factor.norm() == pytest.approx(np.linalg.norm(x), rel=1e-5)
    total = random(shape, dtype, 3)
    expected = total + x
    factor.add_to(total)
    close(total, expected)
    np.testing.assert_array_equal(adjoint(x), x.conj().T)


def test_entered():
    old = compressed(np.array([[1.0, 0, 0, 0, 0], [0, 1, 0, 0, 0]]), 1.0)
    new = compressed(np.array([[0, 2.0, 0, 0, 0], [0, 3, 0, 0, 1]]), 1.0)
    assert new.entered(old) == 2 and old.entered(new) == 1 and new.entered(new) == 0
    assert csr_entered(*old.rows[1:], *new.rows[1:]) == 2
    full = Dense(np.ones((2, 5)))
    assert full.entered(new) == 7 and new.entered(full) == 0 and full.entered(full) == 0


def chain_of(dtype, sizes=(7, 9, 8, 10)):
    shapes = list(itertools.pairwise(sizes))
    arrays = [sparse(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    return arrays, PackedFactors.of(
        [compressed(array, 1.0) for array in arrays], np.dtype(dtype)
    )


@pytest.mark.parametrize("n_left", [0, 1, 2, 3])
@pytest.mark.parametrize("columns", [1, 8, 37])
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_chain(dtype, columns, n_left):
    arrays, chain = chain_of(dtype)
    real = np.empty(0, dtype).real.dtype.type
    left = naive.product(arrays[:n_left], 7, dtype)
    x, target = random((left.shape[1], columns), dtype), random((7, columns), dtype, 1)
    scale, weight, tiles = real(0.7), real(0.2), tile_scratch(10, np.dtype(dtype))
    packed, cross = chain.chain, adjoint(target)
    got = chain_residual(packed, n_left, x, cross, scale, tiles)
    expected = naive.chain_residual(left, x, target, scale)
    assert got == pytest.approx(expected, rel=1e-5)
    if n_left == len(arrays):
        return
    factor = arrays[n_left]
    root = random((factor.shape[1], columns), dtype, 2)
    gram, target = root @ root.conj().T, target @ root.conj().T
    cross, nothing, one = adjoint(target), gram[:0, :0], np.eye(len(gram))
    for known, meant in ((gram, gram), (nothing, one.astype(dtype))):
        expected = naive.chain_step(factor, left, meant, target, scale, weight)
        out = np.full_like(factor, np.nan)
        chain_step(packed, n_left, known, cross, scale, weight, tiles, out)
        close(out, expected)
    factors = [compressed(array, 1.0) for array in arrays]
    factors[n_left] = Dense(factor)
    packed, out = PackedFactors.of(factors, np.dtype(dtype)).chain, factor.copy()
    chain_step(packed, n_left, gram, cross, scale, weight, tiles, out)
    close(out + factor, expected)


@pytest.mark.parametrize("adjoined", [False, True])
@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("place", [0, 1])  # the first has more entries for its size
def test_absorb(place, dtype, adjoined):
    arrays, chain = chain_of(dtype)
    factor = arrays[place].conj().T if adjoined else arrays[place]
    p, q = factor.shape
    x, root = random((q, 5), dtype), random((q, 3), dtype, 1)
    gram, scratch = root @ root.conj().T, np.empty(2 * p * q, dtype)
    grams, out = np.empty((p, p), dtype), np.empty((p, 5), dtype)
    line = place + adjoined * len(arrays)
    vector = random((p,), dtype, 2)
    for known, meant in ((gram, gram), (gram[:0, :0], np.eye(q))):
        arrays = known, x, scratch, vector, grams, out
        norm = chain_absorb(chain.chain, line, *arrays)
        *expected, largest = naive.chain_absorb(factor, meant.astype(dtype), x)
        for got, one in zip((grams, out), expected, strict=True):
            close(got, one)
        assert norm == pytest.approx(largest, rel=1e-4)
    assert chain_absorb(chain.chain, line, *arrays[:3], vector[:0], *arrays[4:]) == 0


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_store(dtype):
    arrays, old = chain_of(dtype)
    for place, before in enumerate(arrays):
        after = np.where(random(before.shape, dtype, 5).real > 0.8, 2, 0).astype(dtype)
        new = old.successor()
        for other, array in enumerate(arrays):
            if other != place:
                new.put(other, compressed(array, 1.0))
        assert new.store(place, after, old) == naive.csr_entered(before, after)
        for factor, x in zip(
            new, [*arrays[:place], after, *arrays[place + 1 :]], strict=True
        ):
            np.testing.assert_array_equal(factor.toarray(), x)
            np.testing.assert_array_equal(factor.adjoint().toarray(), x.conj().T)
            assert factor.nnz == np.count_nonzero(x)


def test_factors_that_were_handed_out_keep_their_arrays():
    arrays, old = chain_of("float64")
    spare = old.successor()
    for place, array in enumerate(arrays):
        spare.store(place, 2 * array, old)
    kept = spare[1]
    other = old.successor(spare)
    assert other is not spare and other.counts == [-1] * 3
    other.store(1, 3 * arrays[1], old)
    np.testing.assert_array_equal(kept.toarray(), 2 * arrays[1])
    again = old.successor(other)  # no factor of it was handed out
    assert again is other and again.counts == [-1] * 3


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("columns", [1, 3, 7, 8, 9, 16, 31, 32, 33, 70])
def test_sums_of_rows_do_not_depend_on_the_columns_beside_them(dtype, columns):
    rows, x = compressed(sparse((9, 12), dtype), 1.0).rows, random((12, 70), dtype)
    x = np.ascontiguousarray(x[:, :columns])
    whole, one = np.empty((9, columns), dtype), np.empty((9, 1), dtype)
    csr_apply_columns(*rows, x, whole)
    close(whole, naive.csr_apply_columns(*rows, x))
    for j in range(columns):
        csr_apply_columns(*rows, np.ascontiguousarray(x[:, j : j + 1]), one)
        np.testing.assert_array_equal(whole[:, j], one[:, 0])


def test_store_makes_room():
    few, more, full = np.eye(8), np.eye(8) + np.eye(8, k=1), np.ones((8, 8))
    old = PackedFactors.of([compressed(few)] * 3, np.dtype(float))
    new = old.successor()
    new.put(2, old[2])
    assert new.store(1, more, old) == 7 and new.store(0, full, old) == 56
    assert [type(factor) for factor in new] == [Dense, Sparse, Sparse]
    for factor, x in zip(new, (full, more, few), strict=True):
        np.testing.assert_array_equal(factor.toarray(), x)
    tight = PackedFactors(PackedLayout.of(old.shapes, (8, 8, 8)), np.dtype(float))
    for j in range(3):
        tight.put(j, old[j])
    wider = tight.successor()
    wider.put(2, tight[2])
    assert wider.store(1, more, tight) == 7 and wider.layout.rooms == (8, 16, 8)
    np.testing.assert_array_equal(wider[1].toarray(), more)
    np.testing.assert_array_equal(wider[2].toarray(), few)
    last = new.successor()
    for j, x in enumerate((few, full, more)):
        assert last.store(j, x, new) == np.count_nonzero(
            (x != 0) & (new[j].toarray() == 0)
        )
        last.scale(j, 2.0)
        assert last.norm(j) == pytest.approx(2 * np.linalg.norm(x))
        np.testing.assert_array_equal(last[j].toarray(), 2 * x)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_norms_of_chains(dtype):
    arrays, chain = chain_of(dtype, (12, 12, 12))
    for first, last in ((0, 1), (1, 2), (0, 2)):
        dense = naive.product(arrays[first:last], 12, dtype)
        exact = naive.chain_norm(arrays[first:last])
        scratch = np.empty((2, 12), dtype)
        start = random(12, dtype)
        got = chain_norm(chain.chain, first, last, start, scratch, 300, 1e-6)
        assert got == product_norm(chain, first, last, random(12, dtype))
        assert exact * (1 - 1e-4) <= got <= exact * (1 + 1e-5)
        assert got == pytest.approx(dense_norm(dense, random(12, dtype)), rel=1e-4)
    zero = PackedFactors.of([compressed(np.zeros((4, 4), dtype))], np.dtype(dtype))
    assert product_norm(zero, 0, 1, np.zeros(4, dtype)) == 0


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_fit(dtype):
    factor, right = sparse((6, 9), dtype), random((9, 11), dtype)
    target = random((6, 11), dtype, 1)
    gram, cross = right @ right.conj().T, target @ right.conj().T
    expected = naive.csr_fit(factor, gram, cross)
    held = compressed(factor, 1.0)
    got = csr_fit(*held.rows, *held.columns, gram, adjoint(cross))
    assert got == pytest.approx(expected, rel=1e-4)
    nothing, whole = np.empty((0, 0), dtype), random((6, 9), dtype, 2)
    got = csr_fit(*held.rows, *held.columns, nothing, adjoint(whole))
    assert got == pytest.approx(naive.csr_fit(factor, np.eye(9), whole), rel=1e-4)
