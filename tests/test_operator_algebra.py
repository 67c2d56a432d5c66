"""The algebra of operators: results are operators, exact, immutable and saved."""

import copy
import operator as functions
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from samples import DTYPES, random
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import nbfact as nf
from nbfact.operators import (
    BlockOperator,
    KroneckerProduct,
    OperatorProduct,
    OperatorSum,
    SelectedOperator,
    block_diag,
    hstack,
    kronecker,
    vstack,
)

ROOT = Path(__file__).parents[1]


def operators(dtype):
    """Return one square operator of each class, of order 6."""
    F = nf.FactorProduct([random((6, 4), dtype, 1), random((4, 6), dtype, 2)], 0.5)
    C = nf.transforms.circulant(random(6, dtype, 3))
    return {
        "factors": F,
        "butterfly": C,
        "sum": F + C,
        "product": F @ C,
        "blocks": block_diag([F[:3, :3], C[:3, :3]]),
        "selected": C[[1, 1, 2, 3, 0, 5], [5, 4, 4, 0, 0, 1]],
        "kronecker": kronecker(F[:2, :3], C[:3, :2]),
    }


KINDS = {
    "factors": nf.FactorProduct,
    "butterfly": nf.Butterfly,
    "sum": OperatorSum,
    "product": OperatorProduct,
    "blocks": BlockOperator,
    "selected": SelectedOperator,
    "kronecker": KroneckerProduct,
}


def near(got, expected, dtype):
    """Assert that two arrays are equal up to the rounding of products in a dtype."""
    assert got.shape == expected.shape
    size = max(abs(expected).max(), 1.0)
    atol = 2000 * np.finfo(dtype).eps * size
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)


def is_operator_of(got, expected, dtype):
    """Assert that an operator has a dense matrix, and all that operators have."""
    assert isinstance(got, nf.FastOperator)
    near(got.toarray(), expected, dtype)
    assert got.toarray().dtype == got.dtype and repr(got)
    assert got.nnz >= 0 and got.density == got.nnz / expected.size
    x = random((expected.shape[1], 2), "complex128")
    near(got @ x, expected @ x, dtype)
    near(got @ x[:, 0], expected @ x[:, 0], dtype)


def survives(got, dtype, path):
    """Assert that copies, pickles and files hold the same operator."""
    got.save(path)
    for twin in (pickle.loads(pickle.dumps(got)), copy.deepcopy(got), nf.load(path)):
        assert type(twin) is type(got)
        assert (twin.dtype, twin.shape, twin.nnz) == (got.dtype, got.shape, got.nnz)
        near(twin.toarray(), got.toarray(), dtype)
        with pytest.raises(AttributeError, match="immutable"):
            twin.nnz = 1
    got.export(path)
    plain = nf.load(path)
    assert isinstance(plain, nf.FactorProduct)
    near(plain.toarray(), got.toarray(), dtype)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_operator(name, dtype, tmp_path):
    A = operators(dtype)[name]
    assert type(A) is KINDS[name] and A.dtype == dtype
    dense = A.toarray()
    for got, expected in (
        (A, dense),
        (A.T, dense.T),
        (A.H, dense.conj().T),
        (A.conj(), dense.conj()),
        (-A, -dense),
        (3 * A, 3 * dense),
        (A * 3.0, 3 * dense),
        (A / 4, dense / 4),
        (0 * A, 0 * dense),
        ((1 + 2j) * A, (1 + 2j) * dense),
        (np.float64(2) * A, 2 * dense),
    ):
        assert type(got) is type(A)
        is_operator_of(got, expected, dtype)
    for got, expected in (
        (A**0, np.eye(6)),
        (A**1, dense),
        (A**3, dense @ dense @ dense),
        (sum([A, A]), 2 * dense),
    ):
        is_operator_of(got, expected, dtype)
    assert (2 * A).dtype == (A / 3).dtype == (A**2).dtype == dtype
    survives(A, dtype, tmp_path / "a.npz")
    survives((A.H * 1j).conj(), dtype, tmp_path / "b.npz")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_two_operators(name, dtype, tmp_path):
    A = operators(dtype)[name]
    a = A.toarray()
    for other, dtypes in (("butterfly", dtype), ("factors", "complex128")):
        B = operators(dtypes)[other]
        b = B.toarray()
        results = [
            (A + B, a + b),
            (A - B, a - b),
            (A @ B, a @ b),
            (B @ A, b @ a),
            (sum([A, B, A]), a + b + a),
            (hstack([A, B]), np.hstack([a, b])),
            (vstack([A, B, A]), np.vstack([a, b, a])),
            (block_diag([A, B]), np.block([[a, 0 * a], [0 * b, b]])),
            (kronecker(A[:2], B[:, :3]), np.kron(a[:2], b[:, :3])),
        ]
        for number, (got, expected) in enumerate(results):
            is_operator_of(got, expected, dtype)
            assert got.dtype == np.result_type(dtype, dtypes)
            is_operator_of(got.H, expected.conj().T, dtype)
            if dtypes == dtype:
                survives(got, dtype, tmp_path / f"{number}.npz")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_and_columns(name, dtype, tmp_path):
    A = operators(dtype)[name]
    dense = A.toarray()
    mask = np.array([True, False, True, True, False, False])
    for rows in (slice(2, 5), slice(None, None, -2), [1, 1, -1], np.array([4]), mask):
        for columns in (slice(None), slice(-3, None), [5, 0, 0, 1]):
            got = A[rows, columns]
            is_operator_of(got, dense[rows][:, columns], dtype)
            is_operator_of(got.H, dense[rows][:, columns].conj().T, dtype)
            assert got.nnz <= A.nnz
    is_operator_of(A[1:][[0, 3]][:, ::-1], dense[1:][[0, 3]][:, ::-1], dtype)
    survives(A[[1, 1, -1], 2:], dtype, tmp_path / "a.npz")
    assert A[:, :] is A and A[:] is A
    for index in (2, -1, np.int64(3)):
        near(A[index], dense[index], dtype)
        near(A[:, index], dense[:, index], dtype)
        near(A[index, [1, 1, 0]], dense[index, [1, 1, 0]], dtype)
        near(A[mask, index], dense[mask, index], dtype)
        assert A[index].dtype == dtype
        assert np.isscalar(A[index, 2])
        assert abs(A[index, 2] - dense[index, 2]) < 1e-3
    near(np.array(list(A)), dense, dtype)


def test_fast_forms_stay():
    H, C = nf.transforms.hadamard(8), nf.transforms.circulant(np.arange(8.0))
    F = H.to_factors()
    assert F.to_factors() is F
    for butterfly in (
        *(H @ H, H**5, H.T @ H, 2 * H, H[::-1], H[[3, 1], 2:], C[2:], C[:, [5, 1]]),
        *(block_diag([C, 2 * C, C]), kronecker(H, C[1:]), kronecker([[2, 3]], C)),
        *(C.conj(), (1j * C).conj()),
    ):
        assert isinstance(butterfly, nf.Butterfly)
    assert isinstance(block_diag([H, C]), BlockOperator)
    for product in (
        *(F @ F, F + F, F - F, F**4, F[[1, 1]], F.conj(), F[:, 3:]),
        *(hstack([F, F]), vstack([F, F]), block_diag([F, F]), kronecker(F, F)),
    ):
        assert isinstance(product, nf.FactorProduct)
    assert hstack([F, F]).nnz == vstack([F, F]).nnz == block_diag([F, F]).nnz == 96
    assert (F @ H @ F).nnz == (F + H + H).nnz == 144
    assert len((F @ H @ H.T @ F @ F).operators) == 3
    assert len((F + H + (H - F)).terms) == 4
    assert kronecker(H, F).nnz == 8 * (H.nnz + F.nnz)
    assert hstack([H]) is H and block_diag([F]) is F


def test_sparse_arrays_and_other_operands():
    A = operators("float64")["butterfly"]
    dense, eye = A.toarray(), np.eye(6)
    for S in (sp.csr_array(eye[::-1]), sp.coo_matrix(2 * eye)):
        s = S.toarray()
        for got, expected in (
            (A + S, dense + s),
            (S + A, dense + s),
            (A - S, dense - s),
            (S - A, s - dense),
            (sum([A, S]), dense + s),
        ):
            is_operator_of(got, expected, "float64")
        near(A @ S, dense @ s, "float64")
        near(S @ A, s @ dense, "float64")
    assert A + 0 is A and 0 + A is A
    is_operator_of(0 - A, -dense, "float64")
    other = aslinearoperator(eye)
    for got in (A + other, other + A, other @ A, A @ other, A - other, other - A):
        assert isinstance(got, LinearOperator) and not isinstance(got, nf.FastOperator)
    near((other - A) @ eye, eye - dense, "float64")


@pytest.mark.parametrize(
    "combine", [functions.add, functions.sub, lambda a, b: b + a, lambda a, b: b - a]
)
@pytest.mark.parametrize("other", [np.eye(6), 1.0, "a", None, [1.0]])
def test_what_cannot_be_added(combine, other):
    with pytest.raises(TypeError, match="operator"):
        combine(operators("float64")["butterfly"], other)


def test_misuse():
    A, F = nf.transforms.dct(6), nf.FactorProduct([np.ones((4, 6))])
    for combine in (functions.add, functions.sub):
        with pytest.raises(ValueError, match=r"\(6, 6\) \+ \(4, 6\)"):
            combine(A, F)
    with pytest.raises(ValueError, match=r"\(6, 6\) @ \(4, 6\)"):
        A @ F
    with pytest.raises(ValueError, match=r"rows differ: \(6, 6\), \(4, 6\)"):
        hstack([A, F])
    with pytest.raises(ValueError, match=r"columns differ: \(6, 6\), \(6, 4\)"):
        vstack([A, F.T])
    for function in (hstack, vstack, block_diag):
        with pytest.raises(ValueError, match="empty"):
            function([])
        with pytest.raises(TypeError, match=r"operators\[1\] is a ndarray"):
            function([A, np.eye(6)])
    with pytest.raises(ValueError, match=r"\(4, 6\)"):
        F**2
    with pytest.raises(ValueError, match=r"\(4, 6\) has no inverse"):
        F.inverse()
    for exponent in (0.5, True, "2"):
        with pytest.raises(TypeError, match="exponent"):
            A**exponent
    with pytest.raises(TypeError, match="divided by"):
        A / A
    with pytest.raises(ZeroDivisionError):
        A / 0
    with pytest.raises(ValueError, match="lie in"):
        BlockOperator([A], [1], [0], (6, 6))
    with pytest.raises(ValueError, match="rows must be"):
        SelectedOperator(A, [6])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (6, "row index 6 is outside of 6 rows"),
        ((0, -7), "column index -7"),
        ([0, 6], "row index"),
        (slice(3, 3), "no row is selected"),
        ((0, []), "no column is selected"),
        ((0, 0, 0), "3 indices"),
        (np.ones(5, bool), "mask of 5 rows"),
        ([[0, 1]], "row index"),
        (0.5, "row index 0.5"),
        (None, "row index None"),
        (True, "row index True"),
    ],
)
def test_indices_that_are_refused(index, message):
    with pytest.raises(IndexError, match=re.escape(message)):
        nf.transforms.dct(6)[index]


@pytest.mark.parametrize("name", KINDS)
def test_operators_are_immutable(name):
    A = operators("float64")[name]
    before = A.toarray()
    for attribute in ("shape", "nnz", "scale", "values", "anything"):
        message = f"'{attribute}': a {type(A).__name__} is immutable"
        with pytest.raises(AttributeError, match=message):
            setattr(A, attribute, 1)
    with pytest.raises(AttributeError, match="immutable"):
        del A.nnz
    for operator in (A, pickle.loads(pickle.dumps(A))):
        for array in arrays_of(operator):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    np.testing.assert_array_equal(A.toarray(), before)


def arrays_of(operator):
    """Yield the arrays that an operator shows, those of its parts included."""
    for value in vars(operator).values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, np.ndarray):
                yield one
            elif sp.issparse(one):
                yield from (one.data, one.indices, one.indptr)
            elif isinstance(one, nf.FastOperator):
                yield from arrays_of(one)


def test_arrays_of_the_user_stay_his():
    value, index = np.ones((1, 2, 2, 1)), np.array([1, 0])
    matrix = sp.csr_array(np.eye(2))
    B = nf.Butterfly([(1, 2, 2, 1)], [value], rows=index)
    F = nf.FactorProduct([matrix])
    S = SelectedOperator(F, index)
    value[:], index[:], matrix.data[:] = 7, 0, 7
    np.testing.assert_array_equal(B.toarray(), np.ones((2, 2)))
    np.testing.assert_array_equal(F.toarray(), np.eye(2))
    np.testing.assert_array_equal(S.toarray(), np.eye(2)[::-1])


class Doubling(nf.FastOperator):
    """An operator of the user's own, of which nothing but its product is known."""

    def __init__(self, n):
        super().__init__(np.dtype("float64"), (n, n))
        self.nnz = n

    def _run(self, dtype, x):
        return 2 * x

    def _transpose(self):
        return self

    def _adjoint(self):
        return self


def test_an_operator_of_the_users_own(tmp_path):
    A, F = Doubling(4), nf.FactorProduct([np.diag(np.arange(4.0))])
    two, f = 2 * np.eye(4), F.toarray()
    for got, expected in (
        (A + F, two + f),
        (A @ F - A, 2 * f - two),
        (3 * A, 3 * two),
        (A**-2, np.eye(4) / 4),
        (A[1:, [0, 0]], two[1:][:, [0, 0]]),
        (hstack([A, F]), np.hstack([two, f])),
        (kronecker(F, A), np.kron(f, two)),
    ):
        is_operator_of(got, expected, "float64")
    for refused in (A.save, (A + F).save, A.export, (A @ F).export):
        with pytest.raises(TypeError, match="Doubling"):
            refused(tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())
    with pytest.raises(AttributeError, match="a Doubling is immutable"):
        A.nnz = 3


def is_inverse(inverse, operator, dtype):
    """Assert that an operator is the inverse of another one, in both orders."""
    assert isinstance(inverse, nf.FastOperator)
    assert inverse.dtype == operator.dtype == dtype
    dense, eye = operator.toarray(), np.eye(operator.shape[0])
    near(inverse.toarray() @ dense, eye, dtype)
    near(inverse @ (operator @ eye), eye, dtype)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 8, 12])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inverses_of_transforms(n, dtype, tmp_path):
    real = np.dtype(dtype).kind == "f"
    first = random(n, dtype, n)
    first[0] += 4
    transforms = [nf.transforms.circulant(first)]
    for normalized in (True, False):
        if real:
            for type in (1, 2, 3, 4):
                options = {"type": type, "normalized": normalized, "dtype": dtype}
                if (type, n) != (1, 1):
                    transforms.append(nf.transforms.dct(n, **options))
                transforms.append(nf.transforms.dst(n, **options))
            transforms.append(nf.transforms.hartley(n, normalized, dtype=dtype))
            if n & (n - 1) == 0:
                transforms.append(nf.transforms.hadamard(n, normalized, dtype=dtype))
                transforms.append(nf.transforms.haar(n, dtype))
        else:
            transforms.append(nf.transforms.dft(n, normalized, dtype=dtype))
            transforms.append(nf.transforms.idft(n, normalized, dtype=dtype))
    if real:
        p = np.random.default_rng(n).permutation(n)
        transforms.append(nf.transforms.permutation(p, dtype))
    for A in transforms:
        inverse = A.inverse()
        is_inverse(inverse, A, dtype)
        assert inverse.nnz <= A.nnz + n
        is_inverse((3 * A).inverse(), 3 * A, dtype)
    last = transforms[-1]
    last.save(tmp_path / "a.npz")
    is_inverse(nf.load(tmp_path / "a.npz").inverse(), last, dtype)
    survives(transforms[0].inverse(), dtype, tmp_path / "b.npz")
    is_operator_of(last**-2, np.linalg.inv(last.toarray() @ last.toarray()), dtype)


@pytest.mark.parametrize("dtype", DTYPES[1::2])
def test_inverses_of_results(dtype):
    D = nf.transforms.dft(4) if dtype[0] == "c" else nf.transforms.dct(4)
    weights = nf.FactorProduct([np.diag(1 + np.arange(4.0)).astype(dtype)], -0.5)
    pairs = nf.FactorProduct([np.kron(np.eye(2), [[1, 2], [3, 4]]).astype(dtype)])
    for A in (
        *(D @ weights, D.H @ weights @ D, weights @ pairs, kronecker(D, weights)),
        *(block_diag([D, weights, pairs]), (D @ weights)[[2, 0, 3, 1], ::-1], D[::-1]),
        *(kronecker(D, D)[::-1], kronecker([[2, 1], [1, 1]], D), D + D),
    ):
        is_inverse(A.inverse(), A, dtype)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (nf.transforms.circulant([1.0, -1.0, 1.0, -1.0, 1.0, -1.0]), "singular"),
        (nf.transforms.circulant(np.ones(6) + 0j), "singular"),
        (nf.transforms.circulant(np.zeros(4)), "singular"),
        (nf.transforms.toeplitz(1 / (1 + np.arange(5.0))), "no fast inverse is known"),
        (nf.FactorProduct([np.eye(3)], 0.0), "scale is 0"),
        (nf.FactorProduct([np.diag([1.0, 0.0])]), "row of zeros"),
        (nf.FactorProduct([[[1, 2], [2, 4]]]), "singular"),
        (nf.FactorProduct([sp.eye_array(30) + sp.eye_array(30, k=1)]), "no fast"),
        (nf.FactorProduct([np.ones((3, 2)), np.ones((2, 3))]), r"factor 1 has shape"),
        (nf.transforms.dct(4)[[0, 0, 1, 2]], "no fast inverse is known"),
    ],
)
def test_what_has_no_inverse(operator, message):
    with pytest.raises(ValueError, match=message):
        operator.inverse()


def plain_script():
    """Return the script of the page on butterflies that reads an exported file."""
    page = (ROOT / "docs" / "butterflies.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert script.count("\n") <= 10
    return script


@pytest.mark.parametrize("name", KINDS)
def test_exported_files_need_no_nbfact(name, tmp_path):
    A = operators("float64")[name]
    A.export(tmp_path / "plain.npz")
    np.save(tmp_path / "x.npy", random((6, 3), "float64"))
    before = "import sys; sys.modules['nbfact'] = None\n"  # it cannot be imported
    before += "import numpy as np; x = np.load('x.npy')\n"
    done = subprocess.run(
        [sys.executable, "-c", before + plain_script() + "np.save('y.npy', y)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    near(np.load(tmp_path / "y.npy"), A @ random((6, 3), "float64"), "float64")
    with np.load(tmp_path / "plain.npz", allow_pickle=False) as file:
        assert {"scale", "n_factors", "data_0", "shape_0"} <= set(file.files)
    names = ["plain.npz", "x.npy", "y.npy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    with pytest.raises(ValueError, match=r"\.txt"):
        A.export(tmp_path / "a.txt")


def test_damaged_files_of_composed_operators(tmp_path):
    A = operators("float64")["sum"]
    A.save(tmp_path / "a.npz")
    good = dict(np.load(tmp_path / "a.npz"))
    for name, change in {
        "kind": {"format": np.array("nbfact.Other")},
        "count": {"n_operators": np.array(3)},
        "many": {"n_operators": np.array(1)},
        "entry": {"extra": np.array(1)},
        "inner": {"0/format": np.array("nbfact.OperatorProduct")},
        "format": {"1/format": np.array([{}], dtype=object)},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **(good | change))
        with pytest.raises(ValueError, match=f"{name}.npz is not a file"):
            nf.load(tmp_path / f"{name}.npz")


def test_dask_operands():
    array = pytest.importorskip("dask.array")
    A = operators("float64")["sum"]
    x = random((6, 4), "float64")
    lazy = array.from_array(x, chunks=(3, 2))
    for got, expected in ((A @ lazy, A @ x), (lazy.T @ A[:, 1:], x.T @ A[:, 1:])):
        assert isinstance(got, array.Array)
        near(got.compute(scheduler="synchronous"), expected, "float64")
