"""Named transforms by scipy.fft: the same matrix as by kernels, however it is used."""

import functools
import pickle

import numpy as np
import pytest
import scipy.fft
from samples import DTYPES, random

import nbfact as nf
from nbfact.operators import named_transform
from nbfact.operators import plan as plans
from nbfact.operators.formulas import Formula, read_formula
from nbfact.operators.small_matrices import SmallMatrix, matrix_cost

SINGLE = {"float64": "float32", "complex128": "complex64"}


def made(n):
    """Return the transforms of order n, in both scalings, by name."""
    found = {}
    for normalized in (True, False):
        found["dft", normalized] = nf.transforms.dft(n, normalized)
        found["idft", normalized] = nf.transforms.idft(n, normalized)
        found["hartley", normalized] = nf.transforms.hartley(n, normalized)
        for type in (1, 2, 3, 4):
            options = {"type": type, "normalized": normalized}
            if n > 1 or type > 1:
                found["dct", type, normalized] = nf.transforms.dct(n, **options)
            found["dst", type, normalized] = nf.transforms.dst(n, **options)
    return found


def turned(A):
    """Return the operators that the algebra makes of a transform, by name."""
    return {
        "A": A,
        "T": A.T,
        "H": A.H,
        "T.H": A.T.H,
        "conj": A.conj(),
        "-2A": A * -2.0,
        "cA": A * (1 + 2j),
        "cA.H": (A * (1 + 2j)).H,
        "inverse": A.inverse(),
        "single": A.astype(SINGLE[A.dtype.name]),
        "complex": (A.astype(complex) * 1j).T,
        "fused": A.fuse(),
    }


def dense(A):
    """Return the matrix of the chain of a transform, whoever multiplies."""
    factors = [factor.toarray() for factor in A.to_factors().factors]
    return functools.reduce(np.matmul, factors)


def operands(n):
    x, z = random((n, 3), "float64"), random((n, 3), "complex128", 1)
    return [
        x,
        x[:, 0].copy(),
        x[:, :1],
        np.asfortranarray(x),
        z,
        z[:, 0].copy(),
        np.asfortranarray(z),
        random((6, 2 * n), "float64").T[::2, ::2],
        random((2, n, 3), "float64"),
        x.astype(np.float32),
        z.astype(np.complex64),
        np.arange(n),
        np.empty((n, 0)),
    ]


def check(A, tolerance):
    """Compare products with those of the chain, dtypes and `out` included."""
    matrix = dense(A)
    for x in operands(A.shape[1]):
        expected = matrix @ x
        scale = 1 + abs(expected).max(initial=0)
        eps = max(tolerance, 1e-5 * (x.dtype.itemsize < 8 or x.dtype == "complex64"))
        for _ in range(2):  # the second time from what was made before
            found = A @ x
            assert found.dtype == expected.dtype and found.shape == expected.shape
            assert abs(found - expected).max(initial=0) <= eps * scale
        if x.ndim <= 2 and x.size:
            out = np.empty(expected.shape, expected.dtype)
            assert A.apply(x, out) is out
            assert abs(out - expected).max() <= eps * scale


@pytest.fixture
def library(monkeypatch):
    """Let scipy.fft multiply in every case."""
    monkeypatch.setattr(named_transform, "MARGIN", -1.0)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_every_operator_of_a_transform_is_delegated(n, library):
    for A in made(n).values():
        for name, B in turned(A).items():
            assert isinstance(B, named_transform.NamedTransform), name
            assert (B.chain.shape, B.nnz) == (A.T.chain.shape, A.nnz) or name == "fused"
            assert B._multiplies(B.dtype, 1) == "library"
            check(B, 1e-5 if name == "single" else 1e-13)


def test_kernels_and_library_agree_where_either_may_be_chosen(monkeypatch):
    for n in (12,):
        A, x = nf.transforms.dct(n), random((n, 4), "float64")
        monkeypatch.setattr(named_transform, "MARGIN", -1.0)
        by_library = nf.transforms.dct(n) @ x
        monkeypatch.setattr(named_transform, "MARGIN", np.inf)
        assert A._multiplies(A.dtype, 4) in ("chain", "tied")
        np.testing.assert_allclose(A @ x, by_library, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("n", [1009])
def test_large_prime_orders_go_to_the_library(n):
    for A in (nf.transforms.dct(n), nf.transforms.dft(n, dtype="complex64")):
        for batch in (1, 2, 16, 64):
            assert A._multiplies(A.dtype, batch) == "library"
        assert "scipy.fft" in repr(A) and A.rcg == 1
        assert isinstance(A @ A, nf.operators.OperatorProduct)
        part, x = A[2:5, ::-1], random(n, A.dtype)
        assert isinstance(part, nf.operators.SelectedOperator)
        np.testing.assert_allclose(part @ x, (A @ x[::-1])[2:5], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("n", "dtype", "batch", "who"),
    [
        (2782, "float32", 1, "library"),  # 1.4 MB of values for one vector
        (2289, "complex128", 1, "library"),
        (1703, "float64", 2, "library"),
        (913, "float64", 64, "chain"),  # which many columns share
        (109, "float64", 64, "chain"),
    ],
)
def test_values_outside_the_cache_are_counted(n, dtype, batch, who):
    A = nf.transforms.dft(n) if dtype[0] == "c" else nf.transforms.dct(n, dtype=dtype)
    assert A._multiplies(A.dtype, batch) == who


def test_real_vectors_go_to_the_library_where_it_takes_a_part_of_the_time():
    A, dtype = nf.transforms.dft(2163), np.dtype("complex128")  # 3 x 7 x 103
    assert A._multiplies(dtype, 16, True) == "chain" and A._takes_real(dtype, 16, True)


def test_no_plan_of_a_prime_chain_loops_over_its_few_blocks():
    for rank, n in ((1, 257), (2, 1009), (2, 2 * 509)):
        chain = nf.Chain.mixed_radix(nf.operators.radices.prime_factors(n), rank=rank)
        for one in (chain, chain.T):
            for dtype in ("float32", "float64", "complex64", "complex128"):
                plan = plans.best(one, np.dtype(dtype), 1)
                kinds = {step.kind for step in plan}
                assert not kinds & {plans.SHUFFLED, plans.TURNED}


@pytest.mark.parametrize("name", ["dft", "dct"])
def test_a_loaded_or_pickled_transform_is_one(name, tmp_path, library):
    A = getattr(nf.transforms, name)(6, normalized=False).T * 3.0
    A.save(tmp_path / "A.npz")
    (A @ A).save(tmp_path / "AA.npz")
    for B in (nf.load(tmp_path / "A.npz"), pickle.loads(pickle.dumps(A))):
        assert type(B) is named_transform.NamedTransform and B.formula == A.formula
        np.testing.assert_array_equal(B.toarray(), A.toarray())
        np.testing.assert_allclose(B.toarray(), dense(A), rtol=1e-13, atol=1e-13)
    squared = nf.load(tmp_path / "AA.npz")
    np.testing.assert_array_equal(squared.toarray(), (A @ A).toarray())
    with pytest.raises(AttributeError, match="immutable"):
        A.formula = None


def test_a_formula_in_a_file_is_checked():
    good = Formula("dct", 2, True, 0.5).arrays()
    assert read_formula(good) == Formula("dct", 2, True, 0.5)
    for name, bad in (
        ("function", np.array("eval")),
        ("type", np.array(7)),
        ("type", np.array(0)),
        ("orthogonal", np.array(1.0)),
        ("numbers", np.ones(3, complex)),
        ("numbers", np.full(5, np.nan + 0j)),
    ):
        with pytest.raises(ValueError, match="formula"):
            read_formula(good | {name: bad})
    with pytest.raises(ValueError, match="formula"):
        read_formula({})


@pytest.mark.parametrize("name", ["dft", "dct", "hartley"])
def test_threads_change_no_bit(name, library):
    A = getattr(nf.transforms, name)(1024)
    x = random((1024, 300), A.dtype)
    with nf.threads(1):
        expected = A @ x
    for operand in (x, np.asfortranarray(x)):
        with nf.threads(2):
            found = A @ operand
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    with nf.threads(2):
        np.testing.assert_array_equal(A @ x, expected)


def test_rows_are_transformed_as_rows(library):
    A, X = nf.transforms.dct(8), random((5, 8), "float64")
    expected = scipy.fft.dct(X, norm="ortho", axis=1)
    np.testing.assert_allclose(X @ A.T, expected, atol=1e-15)
    assert (X @ A.T).flags.c_contiguous


@pytest.mark.parametrize("name", ["dct", "dst", "hartley"])
def test_complex_rows_in_fortran_order_take_the_same_way_again(name, library):
    A = getattr(nf.transforms, name)(12).astype(complex)
    x = random((5, 12), "complex128")
    expected = x @ A.toarray()
    for operand in (x, np.asfortranarray(x)):
        for _ in range(3):  # a way is kept for the second call
            np.testing.assert_allclose(operand @ A, expected, atol=1e-14)
            np.testing.assert_allclose((A.T @ operand.T).T, expected, atol=1e-14)


def test_a_real_scale_stays_real_and_in_files(tmp_path):
    A = 1j * (1j * nf.transforms.dft(180))
    assert type(A.formula.scale) is float and A.formula.scale < 0
    A.save(tmp_path / "A.npz")
    x, B = random((180, 8), "float64"), nf.load(tmp_path / "A.npz")
    assert B.formula == A.formula and repr(B) == repr(A)
    np.testing.assert_array_equal(B @ x, A @ x)


@pytest.mark.parametrize("numbers", [(1e-30, 1e-30, 1e30, 1e30), (1e-25, 1e-18, 1e25)])
def test_values_that_vanish_do_not_come_back(numbers):
    A = nf.transforms.dct(180, dtype="float32")
    scaled = functools.reduce(lambda found, c: c * found, numbers, A)
    assert not isinstance(scaled, named_transform.NamedTransform)
    x = random((180, 64), "float32")
    found, bound = scaled @ x, 1e-5 * np.linalg.norm(scaled @ x)
    assert np.linalg.norm(found - scaled.to_factors() @ x) <= bound
    assert np.linalg.norm(found[:90] - scaled[:90] @ x) <= bound
    weighted = A._columns_weighted(np.full(180, 1e-45, "float32"))
    assert not isinstance(weighted, named_transform.NamedTransform)
    assert isinstance(0 * A, named_transform.NamedTransform)
    assert not ((0 * A) @ x).any()


def test_infinity_travels(library):
    x = np.ones(8)
    x[3] = np.inf
    assert not np.isfinite(nf.transforms.dct(8) @ x).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [0, 1, 2, 5])
def test_small_transforms_by_their_matrix_are_right(dtype, batch):
    name = "dft" if dtype.startswith("complex") else "dct"
    A = getattr(nf.transforms, name)(48, dtype=dtype)
    matrix = SmallMatrix(A.formula.matrix(48, np.dtype(dtype)))
    call, of_rows, _ = matrix.multipliers(batch)
    shape = (48, batch) if batch else 48
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    x = x.astype(dtype) if dtype.startswith("complex") else x.real.astype(dtype)
    want = getattr(scipy.fft, {"dft": "fft"}.get(name, name))(x, axis=0, norm="ortho")
    limit = 50 * np.finfo(dtype).eps
    assert abs(call(x) - want).max() <= limit and call(x).dtype == dtype
    out = np.empty_like(x)
    assert call(x, out) is out and abs(out - want).max() <= limit
    if batch > 1:
        rows = np.ascontiguousarray(x.T)
        assert abs(of_rows(rows) - want.T).max() <= limit


def test_few_columns_of_a_small_transform_take_the_matrix_and_large_ones_never():
    few, large = nf.transforms.dct(64), nf.transforms.dct(512)
    assert "  the dense matrix multiplies" in repr(few)
    assert "dense matrix" not in repr(large)
    assert matrix_cost((512, 512), np.dtype("float64"), 2) == np.inf
