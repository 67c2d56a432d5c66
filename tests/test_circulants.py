"""Circulant, Toeplitz and Hankel matrices, whoever multiplies by them."""

import pickle

import numpy as np
import pytest
import scipy.linalg
from samples import random

import nbfact as nf
from nbfact.operators import named_transform
from nbfact.operators.convolution_formula import Convolution, read_convolution

DTYPES = ["float32", "float64", "complex64", "complex128"]


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


@pytest.mark.parametrize(
    ("dtype", "margin"),
    [
        *((dtype, -1.0) for dtype in DTYPES),
        ("float64", 1e-9),
        ("complex64", 1e-9),
        ("float32", np.inf),
    ],
)
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


def test_small_ones_multiply_by_their_matrix_and_large_ones_by_scipy():
    small, large = (nf.transforms.circulant(np.arange(n) + 1.0) for n in (64, 4096))
    assert "the dense matrix multiplies vectors" in repr(small)
    assert "scipy.fft.irfft after rfft multiplies vectors, 4, 16, 64" in repr(large)
    assert large.nnz == large.chain.n_parameters
    C = nf.transforms.circulant(random(1009, "complex128"))
    assert "scipy.fft.ifft after fft multiplies" in repr(C)
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
