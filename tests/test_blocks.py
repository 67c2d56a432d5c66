"""Products with factors of large blocks: kernels, orders of memory, equal bits."""

import naive
import numpy as np
import pytest
from samples import DTYPES, LATER, REALS_FIRST, close, random

import nbfact as nf
from nbfact._core import threads as rule
from nbfact.kernels import (
    blocks,
    blocks_columns,
    blocks_products,
    blocks_rows,
    dense_panels,
    dense_panels_columns,
    dense_panels_fortran,
    dense_panels_rows,
)
from nbfact.kernels._jit import NUMBA_SETTINGS
from nbfact.kernels.lines import is_split
from nbfact.kernels.panels import lanes_of
from nbfact.kernels.vectors import BYTES
from nbfact.operators import dense_blocks
from nbfact.operators import plan as plans
from nbfact.operators.dense_blocks import (
    blas_columns,
    block_functions,
    pack_columns,
    pack_rows,
)
from nbfact.operators.matrix_panels import packed_panels, panel_rows

PATTERNS = [
    *((1, 1, 1, 1), (1, 5, 3, 1), (3, 24, 6, 1), (1, 9, 7, 16), (2, 5, 2, 17)),
    *((1, 2, 3, 33), (1, 40, 3, 6)),
    # Each number of neighbours in a vector is compiled by itself.
    *(pytest.param(one, marks=LATER) for one in ((2, 3, 5, 4), (2, 9, 3, 2))),
]
CHAINS = {
    "d = 1": [(3, 40, 48, 1)],
    "a = 1": [(1, 48, 40, 5)],
    "both": [(2, 36, 44, 3)],
    "monarch": [(1, 33, 36, 32), (36, 32, 33, 1)],
    "aliased": [(1, 24, 26, 64)],
}


def butterfly(name, dtype):
    """Return an operator with Gaussian values on one of the chains."""
    chain = nf.Chain(CHAINS[name])
    values = [random(p, dtype, j) / np.sqrt(p[2]) for j, p in enumerate(chain)]
    return nf.Butterfly(chain, [value.astype(dtype) for value in values])


def product(values, x):
    """Return the product of the factors with columns, in double precision."""
    for value in reversed(values):
        a, _, c, d = value.shape
        x = np.einsum("ijkl,iklz->ijlz", value, x.reshape(a, c, d, -1), optimize=True)
    return x.reshape(-1, x.shape[-1])


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_rows_and_columns(pattern, dtype):
    a, b, c, d = pattern
    values = random(pattern, dtype)
    packed, groups, repeated = pack_rows(values)
    columns, lanes = pack_columns(values), lanes_of(np.dtype(dtype))
    for count in (1, 3, 4, 6, lanes, lanes + 1, 2 * lanes + 3):
        x = random((count, a * c * d), dtype, count)
        found = np.full((count, a * b * d), np.nan, dtype)
        blocks_rows(packed, groups, repeated, x.ravel(), found.reshape(-1), count)
        close(found, naive.blocks_rows(values, x))
        if count < lanes:
            continue
        x, out = np.ascontiguousarray(x.T), np.full((a * b * d, count), np.nan, dtype)
        for begin, end in ((0, lanes), (count - lanes, count), (0, count)):
            blocks_columns(columns, x, out, begin, end)
            close(out[:, begin:end], naive.blocks_columns(values, x[:, begin:end]))
        if not NUMBA_SETTINGS.DISABLE_JIT:
            np.testing.assert_array_equal(out, found.T)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize(("b", "count"), [(35, 64), (130, 67), (130, 99)])
def test_columns_that_are_copied_first(b, count, dtype):
    """Rows of x that compete for lines of the cache, and rows that are far apart."""
    values = random((1, b, 131, 8), dtype)
    packed, size = pack_columns(values), values.itemsize
    copied = getattr(blocks._is_copied, "py_func", blocks._is_copied)
    x, out = random((131 * 8, count), dtype, 1), np.full((8 * b, count), np.nan, dtype)
    width = 4 * lanes_of(values.dtype) * size
    assert copied(packed, x, 8 * count, count, width)
    blocks_columns(packed, x, out, 0, count)
    close(out, naive.blocks_columns(values, x))
    if not NUMBA_SETTINGS.DISABLE_JIT:
        rows, found = pack_rows(values), np.empty((count, 8 * b), dtype)
        blocks_rows(*rows, x.T.ravel(), found.reshape(-1), count)
        np.testing.assert_array_equal(out, found.T)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("count", [blocks.FEW_ROWS, blocks.CHUNK + 3])
def test_rows_that_are_copied_first(dtype, count):
    """Rows whose entries for a block have no place in the second level of cache."""
    size = np.dtype(dtype).itemsize
    d = blocks.APART // (blocks.FEW_ROWS * 37 * size) // 16 * 16 + 16
    values = random((1, 9, 37, d), dtype)
    packed = pack_rows(values)
    assert len(packed[1]) - 3 >= blocks.FEW_GROUPS
    x = random((count, 37 * d), dtype, 1)
    found = np.full((count, 9 * d), np.nan, dtype)
    blocks_rows(*packed, x.ravel(), found.reshape(-1), count)
    close(found, naive.blocks_rows(values, x))
    if not NUMBA_SETTINGS.DISABLE_JIT:
        out = np.empty((9 * d, count), dtype)
        blocks_columns(pack_columns(values), x.T.copy(), out, 0, count)
        np.testing.assert_array_equal(out, found.T)


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_rows_by_blocks_of_many_values(dtype):
    """All groups multiply some columns k, and then the next ones."""
    b, c = 238, blocks.MANY_BYTES // (238 * BYTES) + 1
    assert c % blocks.DEPTH and c > 2 * blocks.DEPTH
    values, count = random((1, b, c, 16), dtype) / 16, blocks.CHUNK + 3
    assert min(count, blocks.CHUNK) * c * 16 * values.itemsize >= blocks.APART
    x, found = random((count, c * 16), dtype, 1), np.empty((count, b * 16), dtype)
    blocks_rows(*pack_rows(values), x.ravel(), found.reshape(-1), count)
    out = np.empty((b * 16, count), dtype)
    blocks_columns(pack_columns(values), x.T.copy(), out, 0, count)
    np.testing.assert_array_equal(out, found.T)
    close(out, product([values], x.T))


@pytest.mark.compiled
def test_columns_whose_product_is_fetched_first():
    values, count = random((1, 17, 16, 128), "float64"), 2 * blocks.CHUNK + 5
    out = np.empty((17 * 128, count))
    assert out.nbytes > blocks.OUTSIDE
    assert 8 * 128 * count >= blocks.FAR
    x = random((16 * 128, count), "float64", 1)
    blocks_columns(pack_columns(values), x, out, 0, count)
    close(out, naive.blocks_columns(values, x))


@pytest.mark.parametrize("extra", (0, 1, 15, 16, 17))
def test_chunks_and_depths(extra, monkeypatch):
    """More columns than `CHUNK`, and blocks deeper than `DEPTH`."""
    monkeypatch.setattr(dense_blocks, "blas_is_cheaper", lambda *arguments: False)
    depth = blocks.ENTRIES // blocks.CHUNK + 5
    assert depth > blocks.DEPTH
    values = random((1, 3, depth, 2), "float64") / np.sqrt(depth)
    x = random((2 * depth, blocks.CHUNK + extra), "float64", 1)
    vector, columns, *_ = block_functions(values)
    out, rows = np.empty((6, x.shape[1])), np.empty((x.shape[1], 6))
    columns(x, out)
    columns(np.asfortranarray(x), rows.T)
    close(out, naive.blocks_columns(values, x))
    close(rows.T, out)
    if not NUMBA_SETTINGS.DISABLE_JIT:
        np.testing.assert_array_equal(rows.T, out)
        for n in (0, x.shape[1] - 1):
            np.testing.assert_array_equal(vector(x[:, n].copy()), out[:, n])


@pytest.mark.parametrize("count", range(1, 30))
def test_groups_of_vectors(count):
    values = np.ones((1, count * lanes_of(np.dtype("float64")), 1, 1))
    _, groups, _ = pack_rows(values)
    assert groups[3:].sum() == count
    assert set(groups[3:]) <= {4, 3, 1}


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("name", CHAINS)
def test_columns_and_rows_of_every_layout(name, dtype):
    B = butterfly(name, dtype)
    for operator in (B, B.H, B.T):
        for batch in (1, 3, 16):
            x = random((operator.shape[1], batch), dtype)
            expected = product(operator.values, x)
            columns = operator @ x
            close(columns, expected)
            close(operator @ x[::-1][::-1], expected)
            rows = np.ascontiguousarray(x.T)
            found = rows @ operator.T
            close(found, expected.T)
            assert found.flags.c_contiguous  # laid out as the operand
            out = np.empty_like(columns)
            assert operator.apply(x, out) is out
            np.testing.assert_array_equal(out, columns)
            if batch == 1:
                np.testing.assert_array_equal(operator @ x[:, 0], columns[:, 0])


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("name", CHAINS)
def test_programs_write_rows_in_place(name, dtype):
    B = butterfly(name, dtype)
    for batch in (2, 70):
        x = np.asfortranarray(random((B.shape[1], batch), dtype))
        program = B._program(np.dtype(dtype), batch)
        found = program.run(x)
        assert found.flags.f_contiguous
        for order in "CF":
            out = np.empty(found.shape, dtype, order)
            assert program.run(x, out) is out
            close(out, found)


@pytest.mark.parametrize("name", ("monarch", "aliased"))
def test_history_changes_no_bit(name):
    """The same call gives the same bits, whatever was multiplied before."""
    x = random((butterfly(name, "float64").shape[1], 70), "float64")
    batches = (1, 2, 3, 16, 70)
    first = {n: butterfly(name, "float64") @ x[:, :n].copy() for n in batches}
    for order in (batches, batches[::-1]):
        B = butterfly(name, "float64")
        B @ x[:, 0].copy()
        for n in order:
            for one in (x[:, :n].copy(), x[:, :n]):
                np.testing.assert_array_equal(B @ one, first[n])
            np.testing.assert_array_equal(B.matmat(x[:, :n]), first[n])
            vector = B.apply(x[:, :1].copy(), np.empty((B.shape[0], 1)))
            np.testing.assert_array_equal(vector, first[1])


@pytest.mark.slow
def test_programs_share_what_they_pack():
    B = butterfly("monarch", "float32")
    for batch in (1, 2, 4, 8, 16, 64, 256):
        B @ np.ones((B.shape[1], batch), np.float32)
    packed = [step for _, step in B._packed]
    assert len(packed) == len(set(packed))
    assert [step.kind for step in packed].count(plans.BLOCKS) == len(B.chain)
    # Complex values are not even copied where d = 1.
    B = butterfly("monarch", "complex64")
    B @ np.ones((B.shape[1], 64), np.complex64)
    call = B._packed[np.dtype("complex64"), plans.Step(plans.BLOCKS, 1, 2)]
    cells = [cell.cell_contents for cell in call.columns.__closure__]
    assert any(np.shares_memory(B.values[1], one) for one in cells if _is_array(one))


def _is_array(value):
    return isinstance(value, np.ndarray)


@pytest.mark.parametrize("name", ("d = 1", "a = 1", "monarch"))
def test_threads_change_no_bit(name, monkeypatch):
    B = butterfly(name, "float64")
    x = random((B.shape[1], 33), "float64")
    expected = B @ x
    monkeypatch.setattr(rule, "LEAST_WORK", 1)
    C = butterfly(name, "float64")  # which is shared from one column on
    with nf.threads(2) if rule._most() > 1 else nf.threads(1):
        np.testing.assert_array_equal(C @ x, expected)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_infinite_entries_travel_without_a_warning(dtype):
    B = butterfly("d = 1", dtype)
    for batch in (1, 3):
        x = np.zeros((B.shape[1], batch), dtype)
        x[0] = np.inf
        found = B @ x
        assert not np.isfinite(found[: B.values[0].shape[1]]).any()
        assert (found[B.values[0].shape[1] :] == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pattern", [(2, 5, 3, 4), (3, 4, 6, 1), (1, 2, 3, 1)])
def test_blas_multiplies_block_by_block(pattern, dtype):
    values = random(pattern, dtype)
    a, b, c, d = pattern
    packed = np.array(values.transpose(0, 3, 1, 2), order="C").ravel()
    for batch in (1, 2, 9):
        x = random((a * c * d, batch), dtype, 1)
        out = np.empty((a * b * d, batch), dtype)
        sizes = np.array([*pattern, batch, 0])
        for begin, end in ((0, 1), (1, a * d)):
            blocks_products(packed, sizes, x.ravel(), out.reshape(-1), begin, end)
        close(out, naive.blocks_products(values, x))
        close(blas_result(values, x), out)
        if d == 1:
            rows, found = np.ascontiguousarray(x.T), np.empty(out.T.shape, dtype)
            sizes = np.array([*pattern, batch, 1])
            blocks_products(packed, sizes, rows.ravel(), found.reshape(-1), 0, a)
            close(found.T, out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_panels_multiply_each_vector_alone_with_the_same_bits(dtype):
    """Rows and columns of any number; those beside infinity keep their bits."""
    m, n = panel_rows(np.dtype(dtype)) + 3, 70
    matrix, many = random((m, n), dtype), random((n, 67), dtype, 1)
    packed, each = packed_panels(matrix), {}
    for batch in (2, 3, 6, 67):
        x = np.ascontiguousarray(many[:, :batch])
        out, rows = np.empty((m, batch), dtype), np.empty((batch, m), dtype)
        assert dense_panels_columns(packed, x, out) == 0
        assert dense_panels_rows(packed, x.T.copy(), rows) == 0
        close(out, naive.dense_panels_columns(matrix, x))
        close(rows, naive.dense_panels_rows(matrix, x.T))
        assert (out == rows.T).all()
        rows[:] = 0
        assert dense_panels_fortran(packed, np.asfortranarray(x), rows.T) == 0
        close(rows.T, naive.dense_panels_fortran(matrix, x))
        assert (out == rows.T).all()
        each[batch] = out
        x[5, 1] = np.inf
        assert dense_panels_columns(packed, x, out) == 1
        assert (out[:, 0] == rows[0]).all() and not np.isfinite(out[:, 1]).any()
    assert all((one == each[67][:, : one.shape[1]]).all() for one in each.values())


@pytest.mark.parametrize("dtype", DTYPES)
def test_panels_copy_columns_that_are_parts_of_two_lines(dtype):
    (m, n), batch = (dense_panels.COPIED + 1, 130), panel_rows(np.dtype(dtype)) + 3
    matrix, x = random((m, n), dtype), random((n, batch), dtype, 1)
    assert is_split(x, batch)
    out, rows = np.empty((m, batch), dtype), np.empty((batch, m), dtype)
    assert dense_panels_columns(packed_panels(matrix), x, out) == 0
    close(out, naive.dense_panels_columns(matrix, x))
    assert dense_panels_rows(packed_panels(matrix), x.T.copy(), rows) == 0
    assert (out == rows.T).all() or NUMBA_SETTINGS.DISABLE_JIT


def test_panels_refuse_shapes_that_do_not_fit_and_shared_memory():
    matrix = random((32, 32), "float64")
    packed, memory = packed_panels(matrix), np.zeros(200)
    x, out = np.ones((2, 32)), np.zeros((2, 32))
    for one, other in (
        (x, np.zeros((3, 32))),
        (x[:, :31].copy(), out),
        (x, np.zeros((2, 33))),
        (x, np.zeros((2, 31))),
        (memory[:64].reshape(2, 32), memory[63:127].reshape(2, 32)),
        (memory[63:127].reshape(2, 32), memory[:64].reshape(2, 32)),
    ):
        assert dense_panels_rows(packed, one, other) == 2
        assert dense_panels_fortran(packed, one.T, other.T) == 2
        one, other = (each.reshape(each.shape[::-1]) for each in (one, other))
        assert dense_panels_columns(packed, one, other) == 2
        assert not other.any()
    assert dense_panels_rows(packed, x[:1], out[:1]) == 2  # one vector
    apart = memory[64:128].reshape(2, 32)
    assert dense_panels_rows(packed, memory[:64].reshape(2, 32), apart) == 0


def blas_result(values, x):
    out = np.empty((len(x) // values.shape[2] * values.shape[1], x.shape[1]), x.dtype)
    blas_columns(values)[0](x, out)
    return out


def test_threads_divide_blocks_and_change_no_bit():
    values = random((32, 64, 64, 1), "float64")
    x, found = random((2048, 200), "float64"), {}
    for number in (1, 2):
        with nf.threads(number):
            found[number] = blas_result(values, x)
    assert (found[1] == found[2]).all()
