"""Chains of sparse factors: packed in both ways, multiplied, and what is never read."""

import functools
import itertools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from samples import LATER, REALS_FIRST, close, random

import nbfact as nf
from nbfact.kernels import chain_apply, chain_apply_columns
from nbfact.kernels.gathers import SLICE
from nbfact.kernels.sparse_chain import apply_chain_tiles
from nbfact.operators.multiplied_out import multiplied_out
from nbfact.operators.sparse_packing import pack_rows, pack_slices
from nbfact.operators.sparse_plan import merged

SIZES = {
    "one row": (1, 1),
    "less than a slice": (9, 6),
    "slices": (2 * SLICE, 48),
    "slices and rows": (3 * SLICE + 5, 40),
    "two": (40, 33, 20),
    "three": (17, 70, 3, 33),
}
"""Dimensions of the factors of a chain, from left to right."""


def counted(kind, rows, columns, rng):
    """Return how many entries each row of a factor has."""
    if kind == "equal":
        return np.full(rows, min(columns, 3))
    counts = rng.integers(0, min(columns, 8), rows)
    if kind == "one long row":
        counts = np.minimum(counts, 1)
        counts[rows // 2] = columns
    return counts


def factors(sizes, kind, dtype):
    """Return the factors of a chain as CSR arrays."""
    rng, found = np.random.default_rng(0), []
    for seed, (rows, columns) in enumerate(itertools.pairwise(sizes)):
        support = np.zeros((rows, columns), bool)
        for i, count in enumerate(counted(kind, rows, columns, rng)):
            support[i, rng.permutation(columns)[:count]] = True
        found.append(sp.csr_array(random((rows, columns), dtype, seed) * support))
    return found


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("kind", ["equal", "uneven", "one long row"])
@pytest.mark.parametrize("name", SIZES)
def test_chains_of_sparse_factors(name, kind, dtype):
    sizes = SIZES[name]
    chain = factors(sizes, kind, dtype)
    scale = random(1, dtype).real.dtype.type(0.6)
    dense = scale * functools.reduce(np.matmul, [S.toarray() for S in chain])
    x = random(sizes[-1], dtype)
    packed = pack_slices(chain, np.dtype(dtype))
    close(naive.chain_apply(*packed, scale, x), dense @ x)
    out = np.full(sizes[0], np.nan, dtype)
    chain_apply(*packed, scale, x, out)
    close(out, dense @ x)
    packed = pack_rows(chain, np.dtype(dtype))
    least = -(-16 // x.itemsize)
    for batch, tile in ((least, least), (7 * least + 1, 2 * least), (75, 16 * least)):
        x = random((sizes[-1], batch), dtype, 1)
        close(naive.chain_apply_columns(*packed, scale, x), dense @ x)
        out = np.full((sizes[0], batch), np.nan, dtype)
        chain_apply_columns(*packed, scale, x, out)
        close(out, dense @ x)
        scratch, found = np.empty((2, max(sizes), tile), dtype), np.zeros_like(out)
        apply_chain_tiles(tuple(packed), scale, x, scratch, found, 0, batch)
        close(found, dense @ x)


def test_rows_are_reordered_where_that_fills_slices():
    """Rows of the leftmost factor return to their places; other orders cost nothing."""
    rng = np.random.default_rng(0)
    counts = rng.permutation(np.repeat([1, 30], 32))
    support = np.arange(64) < counts[:, None]
    factor = sp.csr_array(support * rng.standard_normal((64, 64)))
    _, indices, table = pack_slices([factor, factor], np.dtype(float))
    # Two factors of 64 rows, each with two runs of slices and no entries outside.
    runs = [2, 30, 2, 1]
    expected = [2, 64, 64, 2, 0, 0, *runs, 64, 2, 0, 1, *runs]
    np.testing.assert_array_equal(table, expected)
    places = indices[2 * counts.sum() :]
    np.testing.assert_array_equal(np.sort(counts)[::-1][places], counts)
    table = pack_slices([sp.csr_array(np.tri(16))], np.dtype(float))[2]
    np.testing.assert_array_equal(table[:8], [1, 0, 16, 1, 14, 0, 1, 2])


def test_rows_that_are_shorter_hold_halves():
    """A slice holds two entries a row where most rows have as many; nothing is lost."""
    dense = np.eye(16) + 3 * (np.arange(16)[:, None] > 1) * np.roll(np.eye(16), 1, 1)
    data, indices, table = pack_slices([sp.csr_array(dense)], np.dtype(float))
    np.testing.assert_array_equal(table, [1, 0, 16, 1, 0, 0, 1, 2])
    np.testing.assert_array_equal(data[[0, 1, 16, 17]], 0.5)
    np.testing.assert_array_equal(indices[[0, 1, 16, 17]], [0, 1, 0, 1])
    dense[0, 0] = np.finfo(float).tiny  # half of it is not normal
    data, _, table = pack_slices([sp.csr_array(dense)], np.dtype(float))
    np.testing.assert_array_equal(table[:8], [1, 0, 16, 1, 14, 0, 1, 1])
    assert data[0] == dense[0, 0]


def test_indices_take_two_bytes_where_they_can():
    for columns, size in ((2**16 - 1, 2), (2**16 + 1, 4)):
        row = sp.csr_array(
            ([1.0, 2.0] * 20, [0, columns - 1] * 20, range(0, 41, 2)),
            shape=(20, columns),
        )
        for pack in (pack_rows, pack_slices):
            assert pack([row], np.dtype(float))[1].itemsize == size
        F, x = nf.FactorProduct([row]), np.arange(1.0, columns + 1)
        np.testing.assert_array_equal(F @ x, np.full(20, 1.0 + 2 * columns))
        np.testing.assert_array_equal(
            F @ np.stack([x, -x], 1), np.stack([F @ x, -(F @ x)], 1)
        )


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("batch", [None, 1, 2, 3, 4, 5, 8, 9, 17, 70])
def test_what_no_row_reads_changes_nothing(dtype, batch):
    """Infinity and NaN stay where they are: nothing is padded with zeros."""
    chain = factors((40, 33), "uneven", dtype)
    dense = chain[0].toarray()
    dense[:, 0] = 0
    F = nf.FactorProduct([dense])
    x = random((33, batch) if batch else 33, dtype)
    expected = F @ x
    x[0] = np.nan
    close(F @ x, expected)
    if batch:
        x[:, 0] = np.inf
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal((F @ x)[:, 1:], expected[:, 1:])


def test_factors_are_merged_where_that_is_cheaper():
    """Pairs of 2-sparse factors become 4-sparse; the operator still has all of them."""
    F = nf.transforms.hadamard(64, normalized=False).to_factors()
    plan = merged(F.factors, F.dtype)
    assert [factor.nnz for factor in plan] == [4 * 64] * 3
    product = functools.reduce(np.matmul, [factor.toarray() for factor in plan])
    np.testing.assert_array_equal(product, nf.targets.hadamard(64, normalized=False))
    x = random(64, "float64")
    close(F @ x, product @ x)
    assert (len(F.factors), F.nnz) == (6, 12 * 64)
    diagonal = sp.diags_array(np.arange(1.0, 65)).tocsr()
    assert len(merged([diagonal, F.factors[0], diagonal], F.dtype)) == 1
    one = factors((48, 48, 48), "uneven", "float32")
    apart = [sp.csr_array(one[0]), sp.csr_array(random((48, 48), "float32"))]
    assert len(merged(apart * 2, np.dtype("float32"))) < 4  # a product that is smaller


def test_entries_that_cancel_still_read_the_vector():
    """A merged factor has the support of the product, also where sums are zero."""
    left, right = [[1.0, -1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]
    F = nf.FactorProduct([np.kron(np.eye(16), each) for each in (left, right)])
    x = np.ones(32)
    x[0] = np.nan
    assert np.isnan((F @ x)[:2]).all()
    assert np.isnan((F @ np.stack([x] * 8, 1))[:2]).all()


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
def test_values_near_the_limits_stay_apart(dtype):
    """Their product over- or underflows, that with the vector does not."""
    huge = np.finfo(dtype).max ** 0.6
    for size in (huge, 1 / huge):
        factor = (np.eye(20) * size).astype(dtype)
        for F in (nf.FactorProduct([factor] * 2), nf.FactorProduct([factor], size)):
            x = np.full(20, 1 / size, dtype)
            np.testing.assert_allclose(F @ x, factor.diagonal(), rtol=1e-5)
            x = np.full((20, 8), 1 / size, dtype)
            np.testing.assert_allclose(F @ x, x * 0 + dtype_of(size, dtype), rtol=1e-5)


def dtype_of(number, dtype):
    """Return a number as a scalar of a dtype."""
    return np.dtype(dtype).type(number)


def test_a_dense_matrix_takes_the_place_of_factors_that_are_slower():
    wide = [random((64, 64), "float32", seed) for seed in (0, 1)]
    F = nf.FactorProduct(wide, 0.5)
    matrix = multiplied_out(F.factors, F.scale, F.dtype)
    assert matrix is not None and matrix.dtype == np.float32
    close(matrix, 0.5 * wide[0] @ wide[1])
    x = random((64, 3), "float32")
    close(F @ x, matrix @ x)
    close(F @ x[:, 0].copy(), matrix @ x[:, 0])
    assert multiplied_out(F.factors, 1e-40, F.dtype) is None
    assert "dense matrix" in repr(F)
    large = nf.FactorProduct([sp.eye_array(1024, format="csr")] * 2)
    assert "dense matrix" not in repr(large)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_a_dense_matrix_with_zeros_reads_what_the_factors_read(dtype):
    left, right = random((64, 64), dtype), random((64, 64), dtype, 1)
    left[:10], right[:, 5] = 0, 0
    F, x = nf.FactorProduct([left, right]), random(64, dtype)
    assert not np.all(multiplied_out(F.factors, F.scale, F.dtype))
    close(F @ x, left @ (right @ x))
    expected = F @ x
    x[5] = np.nan  # which no row reads
    close(F @ x, expected)
    x[6] = np.inf  # which all rows but ten read
    with np.errstate(invalid="ignore"):
        got = F @ x
    np.testing.assert_array_equal(got[:10], 0)
    assert not np.isfinite(got[10:]).any()


def test_a_pair_of_factors_is_merged_only_after_a_few_rows_were_counted():
    """Where rows that are counted promise a saving, all rows have to keep it."""
    counted = np.arange(64) % 2 == 0  # every second one of 64 rows
    left = sp.csr_array(np.eye(64) + np.roll(np.eye(64), 1, 1) * counted[:, None])
    one, dtype = sp.eye_array(64, format="csr"), np.dtype(float)
    assert len(merged([left, one], dtype)) == 1
    full = sp.csr_array(random((64, 64), "float64") * (~counted)[:, None])
    assert full[::2].nnz == 0
    # Counted rows are empty, the others read all columns: no saving.
    two = [full, sp.csr_array(random((64, 64), "float64") * counted[:, None])]
    assert len(merged(two, dtype)) == 2


def test_the_dense_matrix_is_scaled_in_the_precision_of_the_operand():
    A, x = random((6, 6), "float32"), np.ones(6)
    got = nf.FactorProduct([A], 1.1) @ x
    np.testing.assert_allclose(got, 1.1 * (A.astype(float) @ x), rtol=1e-14)
