"""FactorProduct: products with every kind of input, algebra, files, and misuse."""

import copy
import functools
import itertools
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from samples import DTYPES, close, random
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import nbfact as nf
from nbfact._core.formats.matrix_files import load_mat

SHAPES = [(6, 4), (4, 9), (9, 5)]


def product(dtype="float64", scale=0.5, density=0.5):
    """Return random factors; those of one have two entries in each row."""
    factors = []
    for seed, shape in enumerate(SHAPES):
        keep = random(shape, "float64", seed + 10) > np.quantile([-1, 1], 1 - density)
        factors.append((random(shape, dtype, seed) * keep).astype(dtype))
    factors[1][:] = 0
    factors[1][:, 2:4] = random((4, 2), dtype, 5)
    return nf.FactorProduct(factors, scale)


def dense(operator):
    """Return the dense matrix of an operator, multiplied out in double precision."""
    arrays = [
        factor.toarray().astype(np.result_type(factor.dtype, np.float64))
        for factor in operator.factors
    ]
    return operator.scale * functools.reduce(np.matmul, arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("x_dtype", ["float32", "complex128", "int64", "bool"])
def test_dtypes(dtype, x_dtype):
    operator = product(dtype)
    x = (
        (10 * random((5, 3), "complex128")).astype(x_dtype)
        if x_dtype[0] == "c"
        else (10 * random((5, 3), "float64")).astype(x_dtype)
    )
    wide = np.float64 if x_dtype in ("int64", "bool") else x_dtype
    assert (operator @ x).dtype == np.result_type(dtype, wide)
    close(operator @ x, dense(operator) @ x)
    close(operator @ x[:, 0], dense(operator) @ x[:, 0])


@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_adjoint_and_transpose(dtype):
    operator, x = product(dtype), random((6, 2), dtype, 3)
    close(operator.T @ x, dense(operator).T @ x)
    close(operator.H @ x, dense(operator).conj().T @ x)
    close(operator.H.H.toarray(), dense(operator))
    close(operator.rmatvec(x[:, 0]), dense(operator).conj().T @ x[:, 0])
    close(x.T @ operator, x.T @ dense(operator))
    assert operator.H.nnz == operator.nnz


@given(
    sizes=st.lists(st.integers(1, 7), min_size=2, max_size=5),
    batch=st.integers(0, 5),
    seed=st.integers(0, 2**20),
)
@example(sizes=[6, 6, 6, 6, 3], batch=1, seed=390)  # 0.008 is left of terms near 1
@settings(max_examples=40, deadline=None)
def test_dot_test_and_dense(sizes, batch, seed):
    rng = np.random.default_rng(seed)
    factors = [
        rng.standard_normal((m, n)) * (rng.random((m, n)) < rng.random())
        for m, n in itertools.pairwise(sizes)
    ]
    operator = nf.FactorProduct(factors, 1.5)
    x = rng.standard_normal((sizes[-1], batch))
    y = rng.standard_normal((sizes[0], batch))
    # Sums may cancel, so rounding is bounded by the terms that are added, entry by
    # entry: one rounding for each term of a sum and for the scale, in both results.
    added = 1.5 * functools.reduce(np.matmul, [abs(factor) for factor in factors])
    rounding = 2 * (sum(sizes) + 1) * np.finfo(float).eps
    for got, expected, terms in (
        (operator @ x, dense(operator) @ x, added @ abs(x)),
        (operator.toarray(), dense(operator), added),
    ):
        assert np.isfinite(expected).all()
        assert (abs(got - expected) <= rounding * terms).all()
    inner = np.vdot(y, operator @ x)
    assert inner == pytest.approx(np.vdot(operator.H @ y, x), abs=1e-9)
    assert operator.nnz == sum(np.count_nonzero(factor) for factor in factors)


def test_layouts_and_batches():
    operator = product()
    x = random((5, 6), "float64")
    expected = dense(operator) @ x
    close(operator @ np.asfortranarray(x), expected)
    close(operator @ np.repeat(x, 2, axis=1)[:, ::2], expected)
    close(operator @ np.repeat(x, 2, axis=0)[::2], expected)
    read_only = x.copy()
    read_only.flags.writeable = False
    close(operator @ read_only, expected)
    close(operator @ read_only[:, 0], expected[:, 0])
    close(operator @ sp.csr_array(x), expected)
    close(operator @ x.tolist(), expected)
    assert (operator @ np.empty((5, 0))).shape == (6, 0)
    wide = random((5, 300), "float64")  # more columns than a tile has
    close(operator @ wide, dense(operator) @ wide)
    assert nf.FactorProduct([[[2.0]]]) @ [3.0] == [6.0]


def test_scipy_interface():
    operator = product()
    x = random((5, 2), "float64")
    assert isinstance(operator, LinearOperator)
    assert aslinearoperator(operator) is operator
    close(operator.matvec(x[:, 0]), dense(operator) @ x[:, 0])
    close(operator.matmat(x), dense(operator) @ x)
    close(operator.dot(x), dense(operator) @ x)
    plus_identity = aslinearoperator(np.eye(6)) @ operator
    close(plus_identity @ x, dense(operator) @ x)


def test_algebra():
    left, right = product(), product(scale=-2.0)
    square = nf.FactorProduct([random((5, 5), "float64", 9)])
    a, b, c = dense(left), dense(right), dense(square)
    for got, expected in [
        (left + right, a + b),
        (left - right, a - b),
        (left + nf.FactorProduct([b]), a + b),
        (nf.FactorProduct([a]) + nf.FactorProduct([b]), a + b),
        (3 * left, 3 * a),
        (left * 3, 3 * a),
        (left / 4, a / 4),
        (-left, -a),
        ((1 + 2j) * left, (1 + 2j) * a),
        (left @ square, a @ c),
        (left.T @ right, a.T @ b),
    ]:
        assert isinstance(got, nf.FactorProduct)
        close(got.toarray(), expected)


def test_numbers_and_repr():
    operator = product()
    assert operator.density == operator.nnz / 30
    assert operator.rcg == pytest.approx(1 / operator.density)
    assert repr(operator).startswith("FactorProduct 6x5, float64, 3 factors, nnz ")
    assert "1: 4x9, nnz 8" in repr(operator)
    zero = nf.FactorProduct([np.zeros((2, 3))])
    assert (zero.nnz, zero.rcg, zero.density) == (0, float("inf"), 0)
    np.testing.assert_array_equal(zero @ np.ones(3), [0, 0])


@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_copies_and_files(dtype, tmp_path):
    operator = product(dtype)
    operator @ np.ones(5)
    for twin in (copy.deepcopy(operator), pickle.loads(pickle.dumps(operator))):
        assert twin.dtype == operator.dtype
        np.testing.assert_array_equal(twin.toarray(), operator.toarray())
    operator.save(tmp_path / "a.npz")
    loaded = nf.load(tmp_path / "a.npz")
    assert (loaded.dtype, loaded.scale) == (operator.dtype, operator.scale)
    np.testing.assert_array_equal(loaded.toarray(), operator.toarray())
    operator.save(tmp_path / "a.mat")
    np.testing.assert_allclose(
        nf.load(tmp_path / "a.mat").toarray(), dense(operator), rtol=1e-5, atol=1e-6
    )
    cells = load_mat(tmp_path / "a.mat")["faust_factors"]
    assert [cell.shape for cell in cells] == SHAPES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mat", "a.npz"]


def test_load_refuses(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.eye(2))
    np.savez(tmp_path / "pickled.npz", format=np.array([{}], dtype=object))
    (tmp_path / "text.npz").write_text("not a zip")
    (tmp_path / "text.mat").write_text("not a mat")
    product().save(tmp_path / "good.npz")
    whole = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "torn.npz").write_bytes(whole[: len(whole) // 2])
    arrays = dict(np.load(tmp_path / "good.npz"))
    arrays["indices_0"] = arrays["indices_0"] + 1000  # indices out of bounds
    np.savez(tmp_path / "bounds.npz", **arrays)
    for name in ("other", "pickled", "text", "torn", "bounds"):
        with pytest.raises(ValueError, match=f"{name}.npz"):
            nf.load(tmp_path / f"{name}.npz")
    with pytest.raises(ValueError, match=r"text\.mat"):
        nf.load(tmp_path / "text.mat")
    with pytest.raises(FileNotFoundError, match="missing"):
        nf.load(tmp_path / "missing.npz")
    with pytest.raises(ValueError, match="txt"):
        product().save(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="txt"):
        (tmp_path / "a.txt").write_text("")
        nf.load(tmp_path / "a.txt")


def test_misuse():
    operator = product()
    for x in (np.ones(4), np.ones((4, 2)), np.ones((5, 2, 2)), np.float64(1.0)):
        with pytest.raises(ValueError, match=r"\(6, 5\)"):
            operator @ x
    with pytest.raises(ValueError, match="do not chain"):
        operator @ operator
    with pytest.raises(ValueError, match="differ"):
        operator + operator.T
    with pytest.raises(TypeError, match="object"):
        operator @ np.array([None] * 5)
    with pytest.raises(TypeError, match=r"longdouble|float128"):
        operator @ np.ones(5, np.longdouble)
    with pytest.raises(ValueError, match=r"factors\[0\] is \(2, 3\)"):
        nf.FactorProduct([np.ones((2, 3)), np.ones((2, 3))])
    with pytest.raises(ValueError, match="empty"):
        nf.FactorProduct([])
    with pytest.raises(ValueError, match=r"factors\[0\]"):
        nf.FactorProduct([np.ones((0, 3))])
    with pytest.raises(ValueError, match="NaN"):
        nf.FactorProduct([[[np.nan]]])
    with pytest.raises(ValueError, match="scale"):
        nf.FactorProduct([np.eye(2, dtype="f4")], 1e200)
    with pytest.raises(TypeError, match="scale"):
        nf.FactorProduct([np.eye(2)], "1")


def test_infinity_travels_as_in_numpy():
    x = np.array([np.inf, 1.0])
    np.testing.assert_array_equal(nf.FactorProduct([np.eye(2)]) @ x, x)


def test_products_of_operators_of_several_kinds():
    F, B = product(), nf.transforms.circulant(np.arange(5.0))
    other = aslinearoperator(random((5, 3), "float64"))
    for got, expected in (
        (F @ other, dense(F) @ (other @ np.eye(3))),
        (F * other, dense(F) @ (other @ np.eye(3))),
        (F.dot(other), dense(F) @ (other @ np.eye(3))),
        (F @ B, dense(F) @ B.toarray()),
        (B @ F.H, B.toarray() @ dense(F).T),
        (B * other, B.toarray() @ (other @ np.eye(3))),
        (B + aslinearoperator(np.eye(5)), B.toarray() + np.eye(5)),
    ):
        assert isinstance(got, LinearOperator)
        close(got @ np.eye(got.shape[1]), expected)
    with pytest.raises(ValueError):
        F @ nf.transforms.hadamard(4)
