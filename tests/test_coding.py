"""Orthogonal matching pursuit: its kernels, and the codes that it finds."""

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from samples import DTYPES, LATER, REALS_FIRST, close, random
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact.algorithms.coding import batch
from nbfact.kernels import (
    add_atoms,
    exchange_atoms,
    gram_pursuit,
    largest_of_columns,
    solve_triangles,
)


def dictionary(m, n, dtype, seed=0):
    """Return a matrix whose columns have norm 1."""
    A = random((m, n), dtype, seed)
    return A / np.linalg.norm(A, axis=0)


def planted(A, p, k, seed=1):
    """Return signals that are combinations of k atoms each, and their codes."""
    rng = np.random.default_rng(seed)
    X = np.zeros((A.shape[1], p), A.dtype)
    for j in range(p):
        X[rng.choice(len(X), k, replace=False), j] = random(k, A.dtype, seed + j)
    return A @ X, X


@pytest.mark.parametrize("dtype", DTYPES)
def test_largest_entries_are_those_of_the_twin(dtype):
    x = random((7, 5), dtype)
    x[:, 1] = 0
    x[[2, 5], 2] = 9, -9  # equal moduli: the first one counts
    index, sizes = np.empty(5, np.intp), np.empty(5, x.real.dtype)
    largest_of_columns(x, index, sizes)
    expected = naive.largest_of_columns(x)
    np.testing.assert_array_equal(index, expected[0])
    close(sizes, expected[1])
    x[3, 0], x[0, 4] = np.nan, np.nan
    largest_of_columns(x, index, sizes)
    assert np.isnan(sizes[[0, 4]]).all() and np.isfinite(sizes[1:4]).all()


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_steps_are_those_of_the_twins(dtype):
    w, k, m = 3, 3, 6
    residuals = random((w, m), dtype)
    tiny = 10 * np.finfo(dtype).eps
    basis, triangle = np.zeros((w, k, m), dtype), np.zeros((w, k, k + 1), dtype)
    atoms = random((k, 2, m), dtype, 1)
    atoms[2, 1] = atoms[0, 1] - 2 * atoms[1, 1]  # depends on the two before
    active = np.array([0, 2])
    for step in range(k):
        state = naive.add_atoms(
            atoms[step], active, step, tiny, basis, triangle, residuals
        )
        add_atoms(atoms[step], active, step, tiny, basis, triangle, residuals)
        close(triangle, state[1])
        close(residuals, state[2])
        taken = triangle[active, step, step + 1] != 0
        assert taken.tolist() == [True, step < 2]
        close(basis[active[taken], step], state[0][active[taken], step])
    counts = np.array([3, 0, 2])
    expected = naive.solve_triangles(triangle, counts)
    solve_triangles(triangle, counts)
    close(triangle, expected)


def both_ways(monkeypatch, A, Y, **options):
    """Return the codes with the Gram matrix, and without it."""
    found = []
    for gram in (True, False):
        monkeypatch.setattr(batch, "pays", lambda *sizes, gram=gram: gram)
        found.append(nf.omp(A, Y, **options))
    return found


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_a_pursuit_with_the_gram_matrix_is_that_of_the_twin(dtype):
    k, atoms = 4, np.ascontiguousarray(dictionary(8, 20, dtype).T)
    atoms[11] = atoms[10]  # the first one among equals is chosen
    y = np.concatenate([random((9, 8), dtype, 2), 0 * atoms[:1]])
    support, values = np.ones((10, k), np.intp), np.ones((10, k), dtype)
    rest, floors = y.copy(), np.zeros(10)
    products = y.conj() @ atoms.T
    gram = atoms.conj() @ atoms.T
    gram_pursuit(gram, atoms, products, rest, floors, 1e-6, support, values)
    expected = naive.gram_pursuit(atoms, y[:9], k)
    np.testing.assert_array_equal(support[:9], expected[0])
    close(values[:9], expected[1].astype(dtype))
    close(rest[:9], expected[2].astype(dtype))
    assert (support[9] == -1).all() and not values[9].any() and 11 not in support


@pytest.mark.parametrize("dtype", ["f8", pytest.param("c16", marks=LATER)])
@pytest.mark.parametrize("price", [0.02, 0.3])
def test_moves_of_atoms_are_those_of_the_twin(dtype, price):
    A = dictionary(12, 9, dtype)
    A[:, 4] = 0  # never used
    Y, codes = random((12, 8), dtype, 3), random((8, 9), dtype, 4)
    codes[np.abs(codes) < 1] = 0
    codes[0], Y[:, 1] = 0, 0
    found, starts = codes.copy(), np.where(np.arange(9) == 4, 0, codes)
    exchange(A, Y, price, 99, found)
    close(found, naive.exchange_atoms(A, Y, price, starts))
    assert not (found[0] == 0).all() and not found[1].any()
    exchange(A, Y, price, 0, codes)  # least squares on the support
    starts[1] = 0
    np.testing.assert_array_equal(codes != 0, starts != 0)


def exchange(A, Y, price, moves, codes):
    inner = np.ascontiguousarray((A.conj().T @ Y).T)
    exchange_atoms(A.conj().T @ A, inner, price, moves, codes)


def test_of_two_atoms_that_are_equal_a_code_has_one():
    A = dictionary(12, 9, "f8")
    A[:, 7] = A[:, 5]
    codes = np.ones((8, 9))
    exchange(A, random((12, 8), "f8", 3), 1e-9, 99, codes)
    assert np.isfinite(codes).all()
    assert (np.count_nonzero(codes[:, [5, 7]], axis=1) == 1).all()


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("options", [{"n_nonzero": 12}, {"tol": 1e-3}])
def test_the_gram_matrix_changes_no_code(dtype, options, monkeypatch):
    A = dictionary(12, 30, dtype)
    _, X = planted(A, 20, 3)
    X *= 10.0 ** -np.random.default_rng(0).integers(0, 9, X.shape)
    near = A.copy()
    near[:, 15:] = A[:, :15] + 1e-2 * A[:, 15:]  # nearly dependent atoms
    for atoms, Y in [(A, random((12, 20), dtype, 5)), (A, A @ X), (near, near @ X)]:
        found, expected = both_ways(monkeypatch, atoms, Y.astype(dtype), **options)
        np.testing.assert_array_equal(found != 0, expected != 0)
        close(found, expected)


def test_atoms_of_very_different_sizes_get_no_gram_matrix(monkeypatch):
    A = np.eye(6) * 10.0 ** -np.array([0, 0, 3, 3, 200, 200])
    found, expected = both_ways(monkeypatch, A, A @ np.ones((6, 2)), n_nonzero=6)
    np.testing.assert_array_equal(found, expected)
    found, expected = both_ways(monkeypatch, 0 * A, np.ones((6, 2)), n_nonzero=6)
    assert not found.any() and not expected.any()


def test_a_residual_outside_the_span_ends_a_code_with_the_gram_matrix(monkeypatch):
    A = np.zeros((12, 7))
    A[:9] = dictionary(9, 7, "float64")
    A[:, 6] = A[:, 0] + A[:, 1]
    Y = random((12, 5), "float64", 5)
    for codes in both_ways(monkeypatch, A, Y, n_nonzero=7):
        close(A @ codes, A @ np.linalg.lstsq(A, Y, rcond=None)[0])
        assert ((codes != 0).sum(axis=0) == 6).all()


def test_the_gram_matrix_is_made_where_its_cost_is_less():
    assert batch.pays(64, 256, 512, 4) and batch.pays(256, 1024, 512, 8)
    assert not batch.pays(64, 256, 1, 4)  # too few signals
    assert not batch.pays(16, 1025, 10**6, 8)  # too many atoms
    assert not batch.pays(2**15, 64, 10**6, 8)  # a large dictionary


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_codes_are_those_of_least_squares(dtype):
    A, Y = dictionary(12, 30, dtype), random((12, 40), dtype, 2)
    X = nf.omp(A, Y, n_nonzero=5)
    assert X.dtype == A.dtype
    for x, y in zip(X.T, Y.T, strict=True):
        close(x, naive.omp(A, y, 5).astype(dtype))
    np.testing.assert_array_equal(nf.omp(A, Y[:, 3], n_nonzero=5) != 0, X[:, 3] != 0)


def test_codes_are_those_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    A = dictionary(20, 64, "float64")
    Y = random((20, 50), "float64", 3)
    close(
        nf.omp(A, Y, n_nonzero=6), linear_model.orthogonal_mp(A, Y, n_nonzero_coefs=6)
    )
    close(nf.omp(A, Y, tol=2.0), linear_model.orthogonal_mp(A, Y, tol=2.0))


def test_operators_sparse_matrices_and_results_are_dictionaries():
    factors = [sp.csr_array(random((16, 16), "float64", s)) for s in (1, 2)]
    factors.append(sp.csr_array(dictionary(16, 200, "float64", 3)))
    B = nf.FactorProduct(factors)
    A = B.toarray()
    Y, X = planted(A, 100, 2)
    expected = nf.omp(A, Y, n_nonzero=2)
    assert (expected != 0).sum() == 200
    for form in (B, sp.coo_array(A), sp.csc_matrix(A), aslinearoperator(A)):
        close(nf.omp(form, Y, n_nonzero=2), expected)
    result = nf.butterfly_factorize(nf.targets.hadamard(16))
    Y, X = planted(result.operator.toarray(), 10, 3)
    close(nf.omp(result, Y, n_nonzero=3), X)
    complex_signals = Y * (1 + 2j)
    close(nf.omp(result, complex_signals, n_nonzero=3), X * (1 + 2j))


def test_a_code_ends_where_the_residual_is_small():
    A = dictionary(16, 48, "float64")
    Y, _ = planted(A, 30, 2, seed=7)
    Y[:, 0] = 0
    codes = nf.omp(A, Y, n_nonzero=16)
    exact = (codes != 0).sum(0) <= 2
    assert exact.mean() > 0.7  # the others chose another atom first
    np.testing.assert_allclose(A @ codes, Y, atol=1e-12)
    assert not codes[:, 0].any()
    codes = nf.omp(A, Y, tol=0.3)
    rest = np.square(Y - A @ codes).sum(0)
    assert (rest <= 0.3 * (1 + 1e-12)).all() and rest.max() > 0.01
    both = nf.omp(A, Y, n_nonzero=1, tol=0.3)
    assert ((both != 0).sum(0) <= 1).all()


def test_a_signal_outside_the_span_ends_at_least_squares():
    A = dictionary(12, 3, "float64")
    A = np.column_stack([A, A[:, 0] + A[:, 1]])
    y = random(12, "float64", 5)
    with pytest.warns(RuntimeWarning, match="tol was not reached"):
        x = nf.omp(A, y, tol=1e-9)
    assert (x != 0).sum() == 3
    close(A @ x, A @ np.linalg.lstsq(A, y, rcond=None)[0])
    assert (nf.omp(A, y, n_nonzero=4) != 0).sum() == 3


@pytest.mark.parametrize("size", [1e-280, 1e-30, 1e30, 1e280])
def test_codes_of_small_and_large_numbers(size, monkeypatch):
    A = dictionary(10, 20, "float64")
    Y = random((10, 3), "float64", 4)
    expected = nf.omp(A, Y, n_nonzero=4)
    for codes in both_ways(monkeypatch, A, size * Y, n_nonzero=4):
        close(codes / size, expected)
    for codes in both_ways(monkeypatch, size * A, Y, n_nonzero=4):
        close(codes * size, expected)


def test_inputs_are_left_alone_and_any_layout_is_read():
    A, Y = dictionary(8, 20, "float64"), random((8, 6), "float64", 4)
    expected, kept = nf.omp(A, Y, n_nonzero=3), Y.copy()
    for form in (Y, np.asfortranarray(Y), np.repeat(Y, 2, axis=1)[:, ::2]):
        close(nf.omp(A, form, n_nonzero=3), expected)
        np.testing.assert_array_equal(form, kept)
    y = Y[:, 0].copy()
    close(nf.omp(np.asfortranarray(A), y, n_nonzero=3), expected[:, 0])
    np.testing.assert_array_equal(y, kept[:, 0])
    Y.flags.writeable = A.flags.writeable = False
    close(nf.omp(A, Y, n_nonzero=3), expected)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            {"Y": np.ones((7, 2))},
            ValueError,
            r"Y has 7 rows \(7, 2\) but A is \(8, 20\)",
        ),
        ({"Y": np.full(8, np.nan)}, ValueError, "Y .* NaN"),
        ({"A": np.full((8, 20), np.inf)}, ValueError, "A .* infinity"),
        ({"A": sp.csr_array(np.full((8, 20), np.nan))}, ValueError, "A .* NaN"),
        ({"A": "words"}, TypeError, "A"),
        ({"A": np.ones(8)}, ValueError, "A"),
        ({"n_nonzero": None}, ValueError, "n_nonzero or tol is needed"),
        ({"n_nonzero": 9}, ValueError, "n_nonzero=9: expected at most 8"),
        ({"n_nonzero": 0}, ValueError, "n_nonzero=0"),
        ({"tol": -1.0}, ValueError, "tol=-1.0"),
        ({"tol": "small"}, TypeError, "tol"),
        ({"Y": np.ones((8, 2, 2))}, ValueError, "Y has shape"),
    ],
)
def test_bad_input_is_refused(change, error, words):
    given = {"A": dictionary(8, 20, "float64"), "Y": np.ones(8), "n_nonzero": 2}
    given |= change
    with pytest.raises(error, match=words):
        nf.omp(given.pop("A"), given.pop("Y"), **given)


def test_an_operator_whose_products_are_not_finite_is_refused():
    broken = aslinearoperator(np.full((8, 20), np.inf))
    with pytest.raises(ValueError, match="A: its adjoint returns NaN"):
        nf.omp(broken, np.arange(1.0, 9), n_nonzero=2)


@pytest.mark.parametrize(
    ("dtype", "least", "most"),
    [("float64", 1e-200, 1e200), pytest.param("float32", 1e-30, 1e20, marks=LATER)],
)
def test_codes_beyond_the_range_of_their_dtype_are_refused(dtype, least, most):
    A = np.array(least, dtype) * dictionary(8, 20, dtype)
    with pytest.raises(ValueError, match="Y: its codes are beyond the range"):
        nf.omp(A, np.full(8, most, dtype), n_nonzero=2)
