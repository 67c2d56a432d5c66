"""How operators choose between their parts, their dense matrix and single vectors."""

import copy
import gc
import pickle
import tracemalloc
import weakref

import numpy as np
import pytest
import scipy.sparse as sp
from samples import REALS_FIRST

import nbfact as nf
from nbfact._core import cache_lines
from nbfact.operators import row_calls
from nbfact.operators.multiplied_out import multiplied_out
from nbfact.operators.small_matrices import SmallMatrix, matrix_cost


def gaussian(chain, dtype):
    rng = np.random.default_rng(0)
    return nf.Butterfly(
        chain, [rng.standard_normal(p).astype(dtype) for p in nf.Chain(chain)]
    )


def sums(dtype):
    one = nf.transforms.haar(16, dtype=dtype)
    return one + nf.transforms.dct(16, dtype=dtype)


OPERATORS = {
    "butterfly": lambda dtype: gaussian(nf.Chain.square_dyadic(16), dtype),
    "rank 2": lambda dtype: gaussian(nf.Chain.rank2(16), dtype),
    "haar": lambda dtype: nf.transforms.haar(16, dtype=dtype),
    "dct": lambda dtype: nf.transforms.dct(16, dtype=dtype),
    "kronecker": lambda dtype: nf.transforms.kronecker(
        nf.transforms.haar(4, dtype=dtype), nf.transforms.dct(4, dtype=dtype)
    ),
    "product": lambda dtype: (
        nf.transforms.haar(16, dtype=dtype) @ nf.transforms.dct(16, dtype=dtype)
    ),
    "sum": sums,
    "part": lambda dtype: sums(dtype)[2:9, ::2],
    "blocks": lambda dtype: nf.operators.block_diag(
        [nf.transforms.haar(8, dtype=dtype), nf.transforms.dct(8, dtype=dtype)]
    ),
}


def operands(n, dtype):
    """Yield arrays of all layouts, the columns of which an operator multiplies."""
    rng = np.random.default_rng(1)
    yield rng.standard_normal(n).astype(dtype)
    for batch in (1, 2, 3, 8):
        x = rng.standard_normal((n, batch)).astype(dtype)
        yield x
        yield np.asfortranarray(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPERATORS)
def test_small_operators_multiply_alike_in_all_layouts(name, dtype):
    A = OPERATORS[name](dtype)
    assert "the dense matrix multiplies" in repr(A)
    eps = 60 * np.finfo(dtype).eps
    for B in (A, A.T):
        matrix = B.toarray()
        for x in operands(B.shape[1], dtype):
            wanted = matrix @ x
            for _ in range(2):  # the second time by what was kept of the first one
                for got in (B @ x, B.apply(x), (x.T @ B.T).T):
                    assert got.dtype == dtype and abs(got - wanted).max() <= eps
                out = np.empty_like(wanted, order="F" if x.flags.fnc else "C")
                assert B.apply(x, out) is out
                np.testing.assert_array_equal(out, B @ x)
                if x.ndim == 2:
                    np.testing.assert_array_equal(B.apply(x.T, axis=1).T, out)
                    rows = np.zeros_like(out).T
                    assert B.apply(x.T, rows, axis=-1) is rows
                    np.testing.assert_array_equal(rows.T, out)


@pytest.mark.parametrize("name", OPERATORS)
def test_the_same_product_has_the_same_bits_whatever_came_before(name):
    A, used = OPERATORS[name]("float64"), OPERATORS[name]("float64")
    x = np.random.default_rng(2).standard_normal((A.shape[1], 3))
    for other in operands(A.shape[1], "float64"):
        used @ other
    for one in (x, np.asfortranarray(x), x[:, :1].copy(), x[:, 0].copy()):
        np.testing.assert_array_equal(used @ one, A @ one)
    single = A @ x[:, 0].copy()
    np.testing.assert_array_equal((A @ x[:, :1].copy())[:, 0], single)
    np.testing.assert_array_equal((x[:, :1].T.copy() @ A.T)[0], single)
    for again in (copy.deepcopy(used), pickle.loads(pickle.dumps(used))):
        np.testing.assert_array_equal(again @ x, A @ x)


@pytest.mark.parametrize("name", OPERATORS)
def test_adjoints_and_dense_matrices_are_made_once(name, monkeypatch):
    made = []

    def counted(matrix):
        made.append(matrix)
        return SmallMatrix(matrix)

    monkeypatch.setattr("nbfact.operators.product_plans.SmallMatrix", counted)
    A = OPERATORS[name]("float64")
    assert A.T is A.T and A.H is A.T
    y, z = np.ones(A.shape[0]), np.ones((3, A.shape[0]))
    for _ in range(3):
        for got in (y @ A, A.rmatvec(y), A.T @ y):
            np.testing.assert_allclose(got, y @ A.toarray(), atol=1e-12)
        np.testing.assert_allclose(z @ A, z @ A.toarray(), atol=1e-12)
    own = [one for one in made if one.shape == A.T.shape]
    assert len(own) <= (2 if A.shape[0] == A.shape[1] else 1)
    C = (1 + 1j) * A
    assert C.H is C.H is not C.T
    np.testing.assert_allclose(C.H @ y, (1 - 1j) * (y @ A.toarray()), atol=1e-12)


@pytest.mark.parametrize(
    "chain",
    [
        nf.Chain.mixed_radix([4, 5, 6], [5, 4, 4]),
        nf.Chain.rank2(64),
        nf.Chain.mixed_radix([4, 4, 4]),
    ],
)
def test_factors_are_multiplied_out_in_the_precision_of_x(chain):
    """A float32 operator and a float64 x: the factors themselves have no error."""
    A = gaussian(chain, "float32")
    if len(A.chain) == 3:  # equal blocks, as in a Kronecker product
        values = [np.broadcast_to(v[:1, :, :, :1], v.shape) for v in A.values]
        A = nf.Butterfly(chain, values)
    wanted = np.eye(A.shape[1])
    for factor in reversed(A.to_factors().factors):
        wanted = factor.toarray().astype(float) @ wanted
    x = np.random.default_rng(5).standard_normal((A.shape[1], 16))
    for one in (x, x[:, :2].copy(), x[:, 0].copy()):
        product = wanted @ one
        np.testing.assert_allclose(A @ one, product, atol=1e-13 * abs(product).max())


@pytest.mark.parametrize(("limit", "times"), [(1 << 24, 1), (500, 3)])
@pytest.mark.parametrize("tile", [16, 8])
def test_large_scratch_arrays_of_rows_are_not_kept(limit, times, tile, monkeypatch):
    made = []

    def counted(shape, dtype):
        made.append(shape)
        return np.empty(shape, dtype)

    monkeypatch.setattr(row_calls, "aligned", counted)
    monkeypatch.setattr(row_calls, "KEPT_BYTES", limit)
    matrix = np.random.default_rng(3).standard_normal((5, 7))
    float64 = np.dtype("float64")
    by_tiles = row_calls.in_tiles(
        lambda shape: matrix.dot, (5, 7), float64, 16, tile, 1.0
    )
    alone = row_calls.columns_one_by_one(matrix.dot, (5, 7), float64, 16)
    rows = np.random.default_rng(4).standard_normal((16, 7))
    for _ in range(3):
        np.testing.assert_allclose(by_tiles(rows), rows @ matrix.T)
        np.testing.assert_allclose(alone(rows.T.copy()), matrix @ rows.T)
    assert len(made) == 4 * times


def test_large_products_begin_with_a_line_of_the_cache():
    """Those of NumPy seldom do, and vectors written to two lines take longer."""
    B = gaussian(nf.Chain.square_dyadic(512), "float64")
    x = np.random.default_rng(5).standard_normal((512, 64))
    rows = x.T.copy()
    products = B @ x, rows @ B, B.apply(rows, axis=1), nf.transforms.hadamard(512) @ x
    for product in products:
        assert product.nbytes >= cache_lines.LEAST_BYTES
        assert product.ctypes.data % cache_lines.LINE == 0


def test_infinity_stays_where_the_sparse_factors_read_it():
    """Zero times infinity is not zero, so that BLAS alone would spread it."""
    A = nf.transforms.haar(16)
    x = np.random.default_rng(0).standard_normal((16, 4))
    wanted = A @ x
    bad = x.copy()
    bad[0, 1] = np.inf
    reads = A.toarray()[:, 0] != 0
    for got in (A @ bad, A @ np.asfortranarray(bad), (bad.T.copy() @ A.T).T):
        assert not np.isfinite(got[reads, 1]).any()
        np.testing.assert_allclose(got[~reads], wanted[~reads], rtol=1e-14)
        np.testing.assert_allclose(got[:, [0, 2, 3]], wanted[:, [0, 2, 3]], rtol=1e-14)


def test_matrices_are_refused_where_they_would_lose_values():
    tiny = nf.FactorProduct([np.full((8, 8), 1e-30, "float32")] * 2)
    large = nf.FactorProduct([sp.eye_array(1024, format="csr")])
    for A in (tiny, large):
        assert "dense matrix" not in repr(A)
    assert matrix_cost((1024, 1024), np.dtype("float64"), 2) == np.inf
    assert SmallMatrix(np.eye(2)).zeros and not SmallMatrix(np.ones((2, 2))).zeros


@pytest.mark.parametrize("part", ["rows", "columns", "both"])
def test_a_small_part_of_a_large_operator_is_multiplied_out_from_its_short_side(part):
    """A matrix of the order of the whole operator would not fit into memory."""
    n = 1 << 12
    rows = slice(8) if part != "columns" else slice(None)
    columns = slice(8) if part != "rows" else slice(None)
    haar = nf.transforms.haar(n).to_factors()
    for whole in (nf.transforms.hadamard(n), haar, haar + haar.T):
        A = whole[rows, columns]
        x = np.random.default_rng(6).standard_normal(A.shape[1])
        padded = np.zeros(n)
        padded[columns] = x
        wanted = (whole @ padded)[rows]
        whole[rows, columns] @ x  # compiled here: the compiler takes memory, too
        tracemalloc.start()
        try:
            product = A @ x
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        np.testing.assert_allclose(product, wanted, atol=1e-12 * abs(wanted).max())
        assert peak < 16 * n * 8 * 8


def test_products_with_too_many_values_between_factors_are_not_multiplied_out():
    wide = sp.random_array((200, 1 << 15), density=1e-4, format="csr", rng=0)
    F = nf.FactorProduct([wide, wide.T])
    assert multiplied_out(F.factors, F.scale, F.dtype) is None
    x = np.ones(200)
    np.testing.assert_allclose(F @ x, wide @ (wide.T @ x), atol=1e-12)


def test_operators_of_ones_own_are_never_multiplied_out():
    class Doubling(nf.FastOperator):
        def __init__(self):
            super().__init__("float64", (4, 4))
            self.nnz = 4

        def _run(self, dtype, x):
            return 2 * x

        def _transpose(self):
            return self

    both = Doubling() + nf.transforms.haar(4)
    assert "dense matrix multiplies" not in repr(both).splitlines()[1]
    wanted = 2 * np.eye(4) + nf.transforms.haar(4).toarray()
    np.testing.assert_allclose(both @ np.eye(4), wanted)


@pytest.mark.parametrize("batch", [1, 5, 300])
@pytest.mark.parametrize("kind", ["sparse", "butterfly", "sum", "part"])
def test_an_operator_that_multiplied_is_freed_without_the_collector(kind, batch):
    rng = np.random.default_rng(0)
    chain = nf.Chain.square_dyadic(32)
    made = nf.Butterfly(chain, [rng.standard_normal(pattern) for pattern in chain])
    if kind == "sparse":
        made = nf.FactorProduct([sp.random_array((32, 32), density=0.2, rng=rng)] * 3)
    elif kind == "sum":
        made = made + made
    elif kind == "part":
        made = made[:9]
    gc.disable()  # what refers to itself would wait for it, with all its matrices
    try:
        made @ np.ones((32, batch))
        made.apply(np.ones((batch, 32)), axis=1)
        kept = weakref.ref(made)
        del made
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("rows", [False, True])
def test_large_blocks_are_not_read_once_for_each_vector(dtype, rows):
    chain = nf.Chain.monarch(16384)
    values = [np.broadcast_to(np.ones((), dtype), pattern) for pattern in chain]
    B = nf.Butterfly(chain, values)
    assert B._cost(B.dtype, 8, rows) < B._alone_cost(B.dtype, 8, rows)


@pytest.mark.parametrize("batch", [2, 3, 8, 40])
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_products_have_the_same_bits_with_out_and_without(dtype, batch):
    n, rng = 64, np.random.default_rng(batch)
    for operator in (
        gaussian(nf.Chain.monarch(n), dtype),
        gaussian(nf.Chain.rank2(n), dtype),
        nf.transforms.kronecker(*rng.standard_normal((2, 8, 8)).astype(dtype)),
    ):
        x = rng.standard_normal((n, batch)).astype(dtype)
        for given in (x, np.asfortranarray(x)):
            out, found = np.empty_like(given), operator @ given
            assert operator.apply(given, out) is out
            np.testing.assert_array_equal(out, found)
            assert operator.apply(given, given) is given  # which shares its memory
            np.testing.assert_array_equal(given, found)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(16,), (16, 4)])
def test_masked_arrays_are_refused_for_out_by_a_shape_that_is_known(shape, order):
    A = nf.transforms.dct(16)
    x = np.asfortranarray(np.ones(shape)) if order == "F" else np.ones(shape)
    wanted = A @ x
    assert A._matrix_call(A.dtype, x[0].size)  # the dense matrix multiplies
    for _ in range(2):
        out = np.ma.zeros(shape, order=order)
        with pytest.raises(TypeError, match="out=MaskedArray"):
            A.apply(x, out)
        assert not out.any()
        part = np.zeros(shape, order=order).view(np.recarray)  # any other subclass
        assert A.apply(x, part) is part
        np.testing.assert_array_equal(part, wanted)
        np.testing.assert_array_equal(A.apply(x), wanted)


def sparse_square(n, dtype):
    """Return a product of two sparse factors, whose dense matrix has zeros."""
    factor = sp.random(n, n, 4 / n, random_state=0, format="csr", dtype=np.float64)
    factor.setdiag(1.0)
    return nf.FactorProduct([factor.astype(dtype), factor.T.astype(dtype)])


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_sparse_operators_write_only_to_arrays_that_fit(dtype):
    """Their panels take arrays without a look at most of what these may be."""
    n, rng = 64, np.random.default_rng(0)
    A = sparse_square(n, dtype)
    dense = A.toarray()
    for batch in (2, 5):
        x = rng.standard_normal((n, batch)).astype(dtype)
        wanted, spread = dense @ x, np.zeros((2 * n, 2 * batch), dtype)
        for given in (x, np.asfortranarray(x)):
            for _ in range(2):  # the second time by what is known for the shape
                found, out = A @ given, np.zeros_like(given)
                np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
                assert A.apply(given, out) is out
                np.testing.assert_array_equal(out, found)
                np.testing.assert_array_equal((given.T @ A.T).T, found)
                part = spread[::2, ::2]
                assert A.apply(given, part) is part
                np.testing.assert_allclose(part, wanted, rtol=1e-4, atol=1e-4)
                spread[::2, ::2] = given
                np.testing.assert_allclose(A @ part, wanted, rtol=1e-4, atol=1e-4)
                assert A.apply(part, out) is out
                np.testing.assert_allclose(out, wanted, rtol=1e-4, atol=1e-4)
                other = np.zeros(given.shape, dtype, "F" if given is x else "C")
                assert A.apply(given, other) is other
                np.testing.assert_allclose(other, wanted, rtol=1e-4, atol=1e-4)
                for wrong in (
                    np.zeros(out.shape, f"V{out.itemsize}"),
                    np.zeros(out.shape, "int32" if dtype == "float32" else "int64"),
                    np.zeros(out.size, dtype),
                    np.zeros((n, batch + 1), dtype, "F"),
                    np.zeros((batch, n), dtype),
                ):
                    with pytest.raises((TypeError, ValueError), match="out"):
                        A.apply(given, wrong)
                    assert not any(wrong.tobytes())
                out.flags.writeable = False
                with pytest.raises(ValueError, match="out"):
                    A.apply(given, out)
            both = np.zeros((n, batch + 1), dtype, "C" if given is x else "F")
            both[:, :batch] = given
            assert A.apply(both[:, :batch], both[:, 1:]).shape == given.shape
            np.testing.assert_allclose(both[:, 1:], wanted, rtol=1e-4, atol=1e-4)


def test_one_column_of_many_rows_is_multiplied_whatever_its_strides():
    rng = np.random.default_rng(0)
    column = sp.random(1024, 1, 0.5, random_state=0, format="csr")
    A, x = nf.FactorProduct([column]), rng.standard_normal((1, 5))
    for given in (x, np.asfortranarray(x), rng.standard_normal((9, 5))[3:4]):
        for _ in range(2):
            np.testing.assert_allclose(A @ given, column.toarray() @ given)
            np.testing.assert_allclose((given.T @ A.T).T, column.toarray() @ given)
            found = A.apply(given.T, np.zeros((5, 1024)), axis=1)
            np.testing.assert_allclose(found.T, column.toarray() @ given)
