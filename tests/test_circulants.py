"""Circulant, Toeplitz and Hankel matrices, whoever multiplies by them."""

import pickle

import naive
import numpy as np
import pytest
import scipy.linalg
from samples import DTYPES, LATER, REALS_FIRST, close, random

import nbfact as nf
from nbfact.kernels import convolve_columns, convolve_vector
from nbfact.operators import named_transform, tied_convolutions
from nbfact.operators.convolution_formula import Convolution, read_convolution


def made(dtype):
    """Return operators with their dense matrices."""
    found = []
    for n in (1, 8, 53):
        c = random(n, dtype, n)
        found.append((nf.transforms.circulant(c), scipy.linalg.circulant(c)))
    for m, n in ((5, 3), (3, 6)):
        c, r = random(m, dtype, 1), random(n, dtype, 2)
        found.append((nf.transforms.toeplitz(c, r), scipy.linalg.toeplitz(c, r)))
        r[0] = c[-1]
        found.append((nf.transforms.hankel(c, r), scipy.linalg.hankel(c, r)))
    return found


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("margin", [-1.0, 1e-9, np.inf])
def test_products_are_those_of_the_matrix(dtype, margin, monkeypatch):
    monkeypatch.setattr(named_transform, "MARGIN", margin)
    limit = 100 * np.finfo(dtype).eps
    for A, matrix in made(dtype):
        assert isinstance(A, named_transform.NamedTransform)
        for B, D in (
            (A, matrix),
            (A.T, matrix.T),
            (A.H, matrix.conj().T),
            (A.conj(), matrix.conj()),
            (A * -2.0, matrix * -2.0),
            (A * 1j, matrix * 1j),
            (A.fuse([1] * len(A.chain)), matrix),
        ):
            scale = 1 + abs(D).sum()
            for kind in (dtype, "complex128"):
                X = random((D.shape[1], 3), kind, 7)
                for x in (X, X[:, 0].copy(), X[:, :1], np.asfortranarray(X)):
                    found, wanted = B @ x, D @ x
                    assert found.dtype == wanted.dtype and found.shape == wanted.shape
                    assert abs(found - wanted).max() <= limit * scale
                    out = np.empty_like(wanted)
                    assert B.apply(x, out) is out
                    assert abs(out - wanted).max() <= limit * scale
                rows = np.ascontiguousarray(X.T)
                assert abs(B.apply(rows, axis=1) - rows @ D.T).max() <= limit * scale
                assert abs(B.matvec(X[:, 0]) - D @ X[:, 0]).max() <= limit * scale


PARTS = [
    (4, (4, 4), False),
    (12, (5, 7), False),
    (20, (11, 10), True),
    pytest.param(128, (100, 29), True, marks=pytest.mark.compiled),
    pytest.param(360, (360, 360), False, marks=pytest.mark.compiled),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("order", "shape", "reverse"), PARTS)
def test_columns_by_the_kernel(order, shape, reverse, dtype):
    formula = Convolution(random(order, dtype), shape, reverse)
    matrix, dtype = formula.matrix(shape[1], np.dtype("complex128")), np.dtype(dtype)
    multiply = tied_convolutions.tied_convolution_multiplier(formula, dtype, 64)
    width = 64 // dtype.type(0).real.itemsize
    limit = 20 * np.finfo(dtype).eps * abs(formula.column).sum() * 4
    for batch in (width, 2 * width + 3):
        assert tied_convolutions.is_tied_convolution(formula, dtype, batch)
        x = random((shape[1], batch), dtype, batch)
        x[:, -1] *= 1e9  # has nothing to do with other columns
        out = np.full((shape[0], batch), np.nan, dtype)
        assert multiply(x, out) is out
        sizes = 1 + abs(x).max(axis=0)
        assert (abs(out - matrix @ x) <= limit * sizes).all()
        np.testing.assert_array_equal(multiply(x), out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kernel_for_columns_does_as_its_twin(dtype):
    for order, shape, reverse in ((8, (8, 8), False), (30, (8, 21), True)):
        formula = Convolution(random(order, dtype), shape, reverse)
        kernel, arguments, (planes,) = tied_convolutions.tied_convolution(
            formula, np.dtype(dtype)
        )
        assert kernel is convolve_columns
        x = random((shape[1], 19), dtype)
        x = x.view(x.real.dtype)
        out = np.full((shape[0], x.shape[1]), np.nan, x.dtype)
        for start in range(0, 19, 5):
            convolve_columns(x, *arguments, np.empty(planes, x.dtype), start, 19, out)
        layout, _, numbers = arguments
        close(out, naive.convolve_columns(x, layout, numbers, shape[0]))


@pytest.mark.parametrize("dtype", ["float64", pytest.param("complex128", marks=LATER)])
@pytest.mark.parametrize(
    ("order", "shape", "reverse"),
    [(128, (128, 128), False), (144, (100, 29), True), (200, (150, 200), False)],
)
def test_a_vector_by_the_kernel(order, shape, reverse, dtype):
    formula, dtype = Convolution(random(order, dtype), shape, reverse), np.dtype(dtype)
    assert tied_convolutions.is_tied_convolution(formula, dtype, 1)
    multiply = tied_convolutions.tied_convolution_multiplier(formula, dtype, 1)
    x, out = random(shape[1], dtype, 1), np.full(shape[0], np.nan, dtype)
    assert multiply(x, out) is out
    np.testing.assert_array_equal(multiply(x), out)
    several = multiply(np.concatenate([x, 2 * x, -x]), np.empty(3 * len(out), dtype))
    np.testing.assert_array_equal(several, np.concatenate([out, 2 * out, -out]))
    close(out, formula.matrix(shape[1], dtype) @ x)
    tied = tied_convolutions.tied_convolution_vector(formula, dtype)
    assert tied.kernel is convolve_vector
    layouts, turns, cross = tied.arguments
    complex_order = cross[0].size
    twin = naive.convolve_vector(x, layouts[0], turns, complex_order, shape[0])
    close(out, twin)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_a_nan_stays_in_its_column_and_no_row_reads_others(dtype):
    A = nf.transforms.circulant(random(256, dtype))
    assert A._multiplies(A.dtype, 64) == "tied"
    x = random((256, 64), dtype)
    wanted, x[3, 5] = A @ x, np.nan
    found = A @ x
    assert np.isnan(found[:, 5]).all()
    np.testing.assert_array_equal(np.delete(found, 5, 1), np.delete(wanted, 5, 1))


def test_what_no_kernel_multiplies():
    real, single = np.dtype("float64"), np.dtype("float32")
    for order, dtype, batch, tied in (
        (30, real, 8, True),
        (30, real, 1, False),
        (256, real, 1, True),
        (256, single, 1, False),
        (30, real, 7, False),
        (30, single, 15, False),
        (15, real, 64, False),
        (15, np.dtype("complex64"), 64, True),
        (14, real, 64, False),
        (2, real, 64, False),
        (1 << 16, real, 64, False),
    ):
        formula = Convolution(np.ones(order), (order, order))
        assert tied_convolutions.is_tied_convolution(formula, dtype, batch) == tied


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_rows_in_fortran_order_are_multiplied_from_the_left(dtype):
    for n, batch in ((40, 3), (512, 3), (512, 16)):
        A = nf.transforms.circulant(random(n, dtype))
        x = np.asfortranarray(random((batch, n), dtype))
        wanted = x @ scipy.linalg.circulant(A.formula.column).astype(dtype)
        limit = 100 * np.finfo(dtype).eps * n
        for _ in range(2):
            assert abs(x @ A - wanted).max() <= limit
        x.setflags(write=False)
        assert abs(x @ A - wanted).max() <= limit
        assert abs(x.astype("complex128") @ A - wanted).max() <= limit
        with pytest.raises(ValueError, match="multiplied from the left"):
            x[:, 1:] @ A
    D = nf.transforms.dct(1009)
    x = np.asfortranarray(random((3, 1009), "float64"))
    np.testing.assert_allclose(x @ D, x @ D.toarray(), atol=1e-12)


def test_small_ones_multiply_by_their_matrix_and_large_ones_by_scipy():
    small, large = (nf.transforms.circulant(np.arange(n) + 1.0) for n in (64, 4096))
    assert "the dense matrix multiplies vectors" in repr(small)
    tied = "kernels with the values of the transform multiply vectors, 16, 64 columns"
    assert tied in repr(large)
    assert "the way of vectors, one by one, multiplies 4 columns" in repr(large)
    assert large.nnz == large.chain.n_parameters
    C = nf.transforms.circulant(random(1009, "complex128"))
    assert "kernels with the values of the transform multiply vectors" in repr(C)
    real = nf.transforms.circulant(random(1009, "float64"))  # of an odd order
    assert "scipy.fft.irfft after rfft multiplies vectors" in repr(real)
    # An order with a large prime factor is part of one that is transformed faster.
    assert isinstance(C.formula, Convolution) and len(C.formula.column) >= 2017
    x = random(1009, "complex128", 1)
    wanted = scipy.linalg.circulant(C.formula.column[:1009]) @ x
    np.testing.assert_allclose(C @ x, wanted, atol=1e-11)


def test_an_inverse_of_a_circulant_is_one():
    c = random(512, "float64")
    c[0] += 40
    A, x = nf.transforms.circulant(c), random(512, "float64", 1)
    inverse = A.inverse()
    assert isinstance(inverse, named_transform.NamedTransform)
    np.testing.assert_allclose(inverse @ (A @ x), x, atol=1e-12)


@pytest.mark.parametrize("name", ["circulant", "toeplitz", "hankel"])
def test_a_loaded_or_pickled_one_is_the_same(name, tmp_path, monkeypatch):
    monkeypatch.setattr(named_transform, "MARGIN", -1.0)
    A = getattr(nf.transforms, name)(random(6, "complex64")).H
    A.save(tmp_path / "A.npz")
    for B in (nf.load(tmp_path / "A.npz"), pickle.loads(pickle.dumps(A))):
        assert isinstance(B, named_transform.NamedTransform) and B.formula == A.formula
        np.testing.assert_array_equal(B.toarray(), A.toarray())


def test_a_convolution_in_a_file_is_checked():
    good = Convolution(np.arange(4.0), (3, 2), True).arrays()
    assert read_convolution(good) == Convolution(np.arange(4.0), (3, 2), True)
    for name, bad in (
        ("convolved", np.arange(4)),
        ("convolved", np.ones((2, 2))),
        ("convolved", np.full(4, np.nan)),
        ("shape", np.array([3, 5])),
        ("shape", np.array([0, 2])),
        ("reverse", np.array(1)),
    ):
        with pytest.raises(ValueError, match="formula"):
            read_convolution(good | {name: bad})
