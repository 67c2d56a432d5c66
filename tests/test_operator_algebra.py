"""The algebra of operators: results are operators, exact, immutable and saved."""

import operator as functions
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from operator_samples import KINDS, is_operator_of, near, operators, survives
from samples import REALS_FIRST, random
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import nbfact as nf
from nbfact.operators import (
    BlockOperator,
    SelectedOperator,
    block_diag,
    hstack,
    kronecker,
    vstack,
)

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", REALS_FIRST)
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
@pytest.mark.parametrize("dtype", REALS_FIRST)
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
@pytest.mark.parametrize("dtype", REALS_FIRST)
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
        with pytest.raises(TypeError, match=r"operators\[1\] is ndarray \(6, 6\)"):
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
    for number in (0, 0.0, 0j, np.float64(0), 5e-324):
        with pytest.raises(ValueError, match="divided by it is not finite"):
            A / number
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
