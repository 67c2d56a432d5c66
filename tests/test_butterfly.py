"""Butterfly: products, permutations, algebra, and misuse."""

import itertools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from chains import CHAINS, operator_of, values_of
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import DTYPES, LATER, REALS_FIRST, close, random
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import nbfact as nf
from nbfact import Butterfly, Chain
from nbfact.kernels import gather, gather_rows

# --------------------------------------------------------------------------------------
# Products
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("permuted", [False, True])
def test_products(chain, dtype, permuted):
    operator, dense = operator_of(chain, dtype, permuted)
    m, n = operator.shape
    assert (m, n) == dense.shape and operator.dtype == dtype
    assert operator.nnz == chain.n_parameters
    assert operator.rcg == pytest.approx(m * n / operator.nnz)
    for batch in ((), (1,), (4,)):
        x, y = random((n, *batch), dtype, 1), random((m, *batch), dtype, 2)
        assert (operator @ x).dtype == dtype
        close(operator @ x, dense @ x)
        close(operator.T @ y, dense.T @ y)
        close(operator.H @ y, dense.conj().T @ y)
        inner = np.vdot(y, operator @ x)
        size = abs(dense).sum() * abs(x).max() * abs(y).max()
        eps = np.finfo(dtype).eps
        assert abs(inner - np.vdot(operator.H @ y, x)) <= 20 * eps * size
    close(operator.toarray(), dense)
    close(operator.T.toarray(), dense.T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("x_dtype", ["float32", "complex128", "int64", "bool"])
def test_dtypes(dtype, x_dtype):
    operator, dense = operator_of(CHAINS["mixed"], dtype, True)
    x = (3 * random((dense.shape[1], 2), "float64", 4)).astype(x_dtype)
    wide = np.float64 if x_dtype in ("int64", "bool") else x_dtype
    got = operator @ x
    assert got.dtype == np.result_type(dtype, wide)
    np.testing.assert_allclose(
        got, dense.astype("complex128") @ x, atol=2e-5 * abs(dense).max()
    )


def test_inputs_of_every_layout():
    operator, dense = operator_of(CHAINS["mixed"], permuted=True)
    x = random((dense.shape[1], 6), "float64")
    before = x.copy()
    expected = dense @ x
    frozen = x.copy()
    frozen.flags.writeable = False
    for same in (
        np.asfortranarray(x),
        np.repeat(x, 2, axis=1)[:, ::2],
        np.repeat(x, 2, axis=0)[::2],
        np.repeat(x, 2, axis=0)[::-2][::-1],
        frozen,
        sp.csr_array(x),
        x.tolist(),
    ):
        close(operator @ same, expected)
    close(operator @ frozen[:, 0], expected[:, 0])
    close(operator @ x[:, 3], expected[:, 3])
    np.testing.assert_array_equal(x, before)
    empty = operator @ np.empty((len(x), 0))
    assert empty.shape == (len(dense), 0) and empty.dtype == np.float64
    integers = np.arange(x.size).reshape(x.shape)
    close(operator @ integers, dense @ integers)
    close(np.ones((2, len(dense))) @ operator, np.ones((2, len(dense))) @ dense)


@pytest.mark.parametrize(
    ("dtype", "other"),
    [pytest.param("float32", "float64", marks=LATER), ("float64", "float32")],
)
def test_products_into_out(dtype, other):
    operator, dense = operator_of(Chain.square_dyadic(8), dtype)
    x = random((8, 3), dtype, 1)
    expected = dense @ x
    out = np.empty((8, 3), dtype)
    assert operator.apply(x, out) is out
    close(out, expected)
    close(operator.apply(x), expected)
    close(operator.apply(x, x), expected)
    close(operator.apply(np.ones(8, dtype)), dense.sum(axis=1))
    for shape, wrong in (((8, 2), dtype), ((8, 3), other), (8, dtype)):
        with pytest.raises(ValueError, match="out has shape"):
            operator.apply(np.ones((8, 3), dtype), np.empty(shape, wrong))


@pytest.mark.parametrize("shape", [(5,), (4, 2), (9,), (8, 1, 1), (1, 8), ()])
def test_wrong_lengths(shape):
    operator, _ = operator_of(Chain.square_dyadic(8))
    with pytest.raises(
        ValueError, match=r"^other has shape .* shape \(8, 8\) multiplies"
    ):
        operator @ np.ones(shape)
    with pytest.raises(TypeError, match=r"^other .*expected an array of numbers"):
        operator @ np.array(["a"] * 8)


def test_padded_products():
    chain = Chain.square_dyadic(8)
    rows = [2, -1, 0, 1, -1, 3, -1, 4]
    columns = [-1, -1, 5, 1, 0, 2, 3, 4]
    values = values_of(chain, "complex128")
    operator = Butterfly(chain, values, rows=rows, columns=columns)
    dense = naive.permuted_product(values, rows, columns)
    assert operator.shape == dense.shape == (5, 6)
    close(operator.toarray(), dense)
    close(operator.H.toarray(), dense.conj().T)
    close(operator.real_part().toarray(), dense.real)
    close(operator.to_factors().toarray(), dense)
    close(operator.fuse([1, 2]).toarray(), dense)
    product = operator.H @ operator  # 3 rows between the two are dropped
    close(product @ np.eye(6), dense.conj().T @ dense)
    for name, part in (("rows", operator), ("rows", operator.T)):
        with pytest.raises(ValueError, match=f"{name} are dropped"):
            part.inverse()


# --------------------------------------------------------------------------------------
# Wrong arguments
# --------------------------------------------------------------------------------------


def test_invalid_values():
    chain, good = Chain.square_dyadic(4), values_of(Chain.square_dyadic(4))
    for wrong, message in (
        (good[:1], "1 arrays of values for 2 patterns"),
        ([good[0], good[1][:, :1]], r"values\[1\] has shape \(2, 1, 2, 1\)"),
        ([good[0], good[1].astype("float32")], "float64, float32"),
        ([good[0], np.full((2, 2, 2, 1), np.nan)], r"values\[1\] contains NaN"),
        ([np.full((1, 2, 2, 2), np.inf), good[1]], r"values\[0\] contains NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            Butterfly(chain, wrong)
    with pytest.raises(TypeError, match=r"^values\[0\] .*expected an array of numbers"):
        Butterfly(chain, [np.full(p, "a") for p in chain])
    with pytest.raises(ValueError, match="four positive integers"):
        Butterfly.from_ks_values([np.ones((2, 2))])
    with pytest.raises(ValueError, match=r"^ks_values is empty"):
        Butterfly.from_ks_values([])
    with pytest.raises(ValueError, match="patterns is empty"):
        Butterfly([], [])


def test_invalid_permutations():
    chain = Chain.square_dyadic(4)
    for name, wrong in itertools.product(
        ("rows", "columns"),
        (
            [0, 1, 2],
            [0, 1, 2, 2],
            [0, 1, 2, 4],
            [0, 1, 3, -1],
            [-2, 0, 1, 2],
            [-1] * 4,
            [0.0, 1.0, 2.0, 3.0],
            [[0, 1, 2, 3]],
            [True] * 4,
            3,
        ),
    ):
        with pytest.raises(ValueError, match=f"^{name} "):
            Butterfly(chain, values_of(chain), **{name: wrong})
    for name in ("rows", "columns"):
        with pytest.raises(TypeError, match=f"^{name} "):
            Butterfly(chain, values_of(chain), **{name: "abcd"})


def test_permutations_in_order_are_none():
    chain = Chain.square_dyadic(4)
    operator = Butterfly(
        chain, values_of(chain), rows=range(4), columns=np.arange(4, dtype="u1")
    )
    assert operator.rows is None and operator.columns is None


def test_values_are_copied():
    values = values_of(Chain.square_dyadic(4))
    operator = Butterfly.from_ks_values(values)
    expected = operator.toarray()
    values[0][:] = 0
    operator.ks_values[0][:] = 0
    np.testing.assert_array_equal(operator.toarray(), expected)


# --------------------------------------------------------------------------------------
# Algebra
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_scalar_products(dtype):
    operator, dense = operator_of(CHAINS["mixed"], dtype, True)
    for got, expected in (
        (operator * 2, dense * 2),
        (2.5 * operator, dense * 2.5),
        (np.float64(3) * operator, dense * 3),
        (operator / 4, dense / 4),
        (-operator, -dense),
        (operator.dot(2), dense * 2),
    ):
        assert isinstance(got, Butterfly) and got.dtype == dtype
        close(got.toarray(), expected)
    turned = operator * 1j
    assert turned.dtype == np.result_type(dtype, "complex64")
    close(turned.toarray(), dense * turned.dtype.type(1j))
    np.testing.assert_array_equal((operator * 0).toarray(), 0 * dense.real)
    with pytest.raises(ValueError, match="NaN"):
        operator * float("nan")


def test_compositions():
    chain = Chain.square_dyadic(8)
    left, left_dense = operator_of(chain, permuted=True)
    right = Butterfly(chain.T, values_of(chain.T, "complex64", 9), rows=left.columns)
    right_dense = right.astype("complex128").toarray()
    merged = left @ right
    assert isinstance(merged, Butterfly) and merged.chain == chain @ chain.T
    assert merged.dtype == np.complex128
    close(merged.toarray(), left_dense @ right_dense)
    # When the permutations between two butterflies differ, the product is lazy.
    other, other_dense = operator_of(chain, permuted=True, seed=5)
    product = left @ other
    assert isinstance(product, LinearOperator) and not isinstance(product, Butterfly)
    close(product @ np.eye(8), left_dense @ other_dense)
    gram = left.H @ left
    assert isinstance(gram, Butterfly)
    close(gram.toarray(), left_dense.T @ left_dense)
    factors = nf.FactorProduct([np.eye(8)])
    close((left @ factors) @ np.eye(8), left_dense)
    with pytest.raises(ValueError):
        left @ operator_of(Chain.square_dyadic(4))[0]
    plain, _ = operator_of(chain)
    with pytest.raises(ValueError, match=r"do not chain: \(8, 8\) @ \(4, 4\)"):
        plain @ operator_of(Chain.square_dyadic(4))[0]


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("permuted", [False, True])
def test_real_parts(chain, permuted):
    operator, dense = operator_of(chain, "complex128", permuted)
    real = operator.real_part()
    assert real.dtype == np.float64
    close(real.toarray(), dense.real)
    for number, (got, pattern) in enumerate(zip(real.chain, chain, strict=True)):
        a, b, c, d = pattern
        first, last = number == 0, number == len(chain) - 1
        assert got == (a, b * (2 - first), c * (2 - last), d)
    single = operator.astype("complex64").real_part()
    assert single.dtype == np.float32
    already, _ = operator_of(chain, "float64", permuted)
    assert already.real_part() is already


def test_real_parts_that_have_no_pattern():
    apart = Chain([(2, 2, 2, 3), (3, 2, 2, 2)])
    operator = Butterfly(apart, values_of(apart, "complex128"))
    with pytest.raises(ValueError, match="neither they nor their transposes"):
        operator.real_part()
    close(operator.toarray(), naive.permuted_product(operator.values))


@pytest.mark.parametrize("sizes", [None, [1, 2], [2, 1], [1, 1, 1]])
@pytest.mark.parametrize("name", ["dyadic", "rank2", "mixed"])
def test_fusions(name, sizes):
    operator, dense = operator_of(CHAINS[name], "complex128", True)
    fused = operator.fuse(sizes)
    assert fused.chain == operator.chain.fuse(sizes)
    close(fused.toarray(), dense)
    with pytest.raises(ValueError, match="add up to 4, not 3"):
        operator.fuse([2, 2])


@pytest.mark.parametrize("dtype", DTYPES[1:3])
def test_inverse(dtype):
    chain = Chain.mixed_radix([2, 3, 2])
    operator, dense = operator_of(chain, dtype, True)
    inverse = operator.inverse()
    assert inverse.chain == chain.T and inverse.dtype == dtype
    identity = inverse.toarray() @ dense
    atol = 1e-9 if dtype == "float64" else 5e-2
    np.testing.assert_allclose(identity, np.eye(12), atol=atol)
    wide = Butterfly.from_ks_values([np.ones((1, 1, 1, 3)), np.ones((1, 3, 1, 1))])
    with pytest.raises(ValueError, match=r"factor 1 has pattern \(1, 3, 1, 1\)"):
        wide.inverse()
    with pytest.raises(ValueError, match="factor 0 has a singular block"):
        Butterfly.from_ks_values([np.ones((1, 2, 2, 2))]).inverse()


def test_astype():
    operator, dense = operator_of(CHAINS["mixed"], permuted=True)
    assert operator.astype("float32").dtype == np.float32
    close(operator.astype(complex).toarray(), dense.astype(complex))
    for wrong in (int, "float16", object, "nothing"):
        with pytest.raises(TypeError, match="dtype="):
            operator.astype(wrong)
    with pytest.raises(TypeError, match="real_part"):
        operator.astype(complex).astype(float)


def test_scipys_interface():
    operator, dense = operator_of(CHAINS["mixed"], "complex128", True)
    assert aslinearoperator(operator) is operator
    m, n = dense.shape
    close(operator.matvec(np.ones(n)), dense @ np.ones(n))
    close(operator.rmatvec(np.ones(m)), dense.conj().T @ np.ones(m))
    close(operator.matmat(np.eye(n)), dense)
    close(operator.rmatmat(np.eye(m)), dense.conj().T)
    close((operator + operator) @ np.ones(n), 2 * dense @ np.ones(n))
    close(operator.adjoint().toarray(), dense.conj().T)
    assert operator.H.H.chain == operator.chain


def test_repr():
    operator, _ = operator_of(Chain.square_dyadic(4), permuted=True, seed=3)
    assert repr(operator) == (
        "Butterfly 4x4, float64, 2 factors, nnz 16, density 1, rcg 1, permuted rows "
        "and columns\n  (1, 2, 2, 2) (2, 2, 2, 1)\n"
        "  the dense matrix multiplies vectors, 4, 16, 64 columns"
    )
    assert "permuted" not in repr(nf.transforms.hadamard(4))
    assert repr(nf.transforms.dft(4)).splitlines()[0].endswith("permuted columns")


# --------------------------------------------------------------------------------------
# Laws, and the kernels
# --------------------------------------------------------------------------------------


@given(
    rows=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    data=st.data(),
    dtype=st.sampled_from(["float64", "complex128"]),
    batch=st.integers(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_any_chain(rows, data, dtype, batch):
    sizes = st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows))
    columns, rank = data.draw(sizes), data.draw(st.integers(1, 3))
    chain = Chain.mixed_radix(rows, columns, rank)
    chain = chain.T if data.draw(st.booleans()) else chain
    operator, dense = operator_of(chain, dtype, data.draw(st.booleans()))
    x = random((dense.shape[1], batch), dtype, 7)
    y = random((dense.shape[0], batch), dtype, 8)
    size = 1 + abs(dense).max(initial=0)
    np.testing.assert_allclose(operator @ x, dense @ x, atol=1e-12 * size)
    inner = np.vdot(y, operator @ x)
    assert abs(inner - np.vdot(operator.H @ y, x)) <= 1e-11 * size
    close(operator.real_part().toarray(), dense.real)
    close(operator.fuse().toarray(), dense)


@pytest.mark.parametrize("dtype", [*DTYPES, "int64"])
@pytest.mark.parametrize("index", [[], [0], [2, -1, 0, 2], [-1, -1], [4, 3, 2, 1, 0]])
def test_gathers(dtype, index):
    index = np.array(index, np.intp)
    x = random((5, 3), "complex128" if dtype[0] == "c" else "float64")
    x = (10 * x).astype(dtype)
    out = np.full((len(index), 3), 7, dtype)
    gather_rows(x, index, out)
    np.testing.assert_array_equal(out, naive.gather(x, index))
    line = np.full(len(index), 7, dtype)
    gather(np.ascontiguousarray(x[:, 1]), index, line)
    np.testing.assert_array_equal(line, naive.gather(x[:, 1], index))
