"""What operators multiply: arrays of every kind, whose products are those of NumPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from operator_samples import near, operators
from samples import LATER, random

import nbfact as nf

OPERATORS = {
    **operators("float64"),
    "complex": operators("complex128")["product"],
    "dct": nf.transforms.dct(8),
    "dft": nf.transforms.dft(8),
    "hadamard": nf.transforms.hadamard(8),
    "hartley": nf.transforms.hartley(8),
    "haar": nf.transforms.haar(8),
    "wide": nf.FactorProduct([random((4, 6), "float64", 5)]),
    "toeplitz": nf.transforms.toeplitz([1.0, 2.0, 3.0], [1.0, 5.0]),
}


class Named(np.ndarray):
    """A subclass of arrays whose shape and entries can be read in one way alone."""

    def reshape(self, *shape, **options):
        """Refuse, as no array of the package does."""
        raise AssertionError("a product reshapes a plain array, not an array of a user")


def unaligned(x):
    """Return a copy of an array that begins at an odd address."""
    memory = np.zeros(x.nbytes + 1, np.uint8)[1:]
    copied = memory.view(x.dtype).reshape(x.shape)
    copied[...] = x
    return copied


def memory_map(x, tmp_path):
    """Return an array in a file."""
    mapped = np.memmap(tmp_path / "x", x.dtype, "w+", shape=x.shape)
    mapped[...] = x
    return mapped


def layouts(x, tmp_path):
    """Return an array in every layout, and with every class, that NumPy has."""
    apart = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::2]
    apart[...] = x
    locked = x.copy()
    locked.setflags(write=False)
    return {
        "plain": x,
        "fortran": np.asfortranarray(x),
        "strided": apart,
        "negative strides": x[..., ::-1].copy()[..., ::-1],
        "read-only": locked,
        "unaligned": unaligned(x),
        "byte order": x.astype(x.dtype.newbyteorder()),
        "memory map": memory_map(x, tmp_path),
        "subclass": x.view(Named),
        "list": x.tolist(),
        "float16": np.round(x).astype(np.float16),
        "integers": np.round(x).astype(np.int8),
        "booleans": x > 0,
    }


@pytest.mark.parametrize("name", OPERATORS)
def test_arrays_of_every_layout(name, tmp_path):
    A = OPERATORS[name]
    D, (m, n) = A.toarray(), A.shape
    for shape in ((n,), (n, 1), (n, 3), (n, 0)):
        for x in layouts(random(shape, "float64", 1), tmp_path).values():
            plain = np.array(x, float).reshape(shape)
            for got in (A @ x, A * x, A.dot(x), A(x)):
                assert type(got) is np.ndarray
                near(got, D @ plain, "float64") if plain.size else None
                assert got.shape == (m, *shape[1:])
            if isinstance(A, nf.Butterfly):
                out = np.empty((m, *shape[1:]), A.dtype)
                assert A.apply(x, out) is out
                near(out, D @ plain, "float64") if plain.size else None
    x = random((2, m), "float64", 2)
    for left in layouts(x, tmp_path).values():
        plain = np.array(left, float)
        near(A.rdot(left), plain @ D, "float64")
        near(
            left @ A if isinstance(left, np.ndarray) else A.rdot(left), plain @ D, "f8"
        )


@pytest.mark.parametrize("name", OPERATORS)
def test_vectors_and_columns(name, tmp_path):
    A = OPERATORS[name]
    D, (m, n) = A.toarray(), A.shape
    for method, dense in (("matvec", D), ("rmatvec", D.conj().T)):
        size = dense.shape[1]
        call = getattr(A, method)
        for x in layouts(random((size,), "float64", 1), tmp_path).values():
            near(call(x), dense @ np.array(x, float), "float64")
            column = np.reshape(np.array(x), (size, 1))
            near(call(column), dense @ column.astype(float), "float64")
        rows = random((2, 3, size), "float64", 3)
        near(call(rows), rows @ dense.T, "float64")
        for wrong in (np.ones(size + 1), np.ones((size, 2, size + 1)), np.ones(())):
            with pytest.raises(ValueError, match=r"^x has shape"):
                call(wrong)
    for method, dense in (("matmat", D), ("rmatmat", D.conj().T)):
        size = dense.shape[1]
        call = getattr(A, method)
        for x in layouts(random((size, 3), "float64", 1), tmp_path).values():
            near(call(x), dense @ np.array(x, float), "float64")
        for wrong in (np.ones(size), np.ones((size + 1, 2)), np.ones(())):
            with pytest.raises(ValueError, match=r"^X has shape"):
                call(wrong)
    near(A(np.ones(n)), D @ np.ones(n), "float64")
    assert m == A.matvec(np.ones(n)).shape[0]


@pytest.mark.parametrize("name", OPERATORS)
def test_matrices_of_numpy(name):
    A = OPERATORS[name]
    D = A.toarray()
    for method, dense in (
        ("matvec", D),
        ("matmat", D),
        ("rmatvec", D.conj().T),
        ("rmatmat", D.conj().T),
    ):
        x = sp.csr_matrix(random((dense.shape[1], 3), "float64", 4)).sum(axis=1)
        assert isinstance(x, np.matrix)
        got = getattr(A, method)(x)
        assert type(got) is np.matrix
        near(np.asarray(got), dense @ np.asarray(x), "float64")
    x = random((A.shape[1], 3), "float64", 5).view(np.matrix)
    for got in (A @ x, A * x, A(x)):  # arrays, as with every operator of SciPy
        assert type(got) is np.ndarray
        near(got, D @ np.asarray(x), "float64")
    left = random((2, A.shape[0]), "float64", 6).view(np.matrix)
    for got in (left @ A, left * A):
        near(np.asarray(got), np.asarray(left) @ D, "float64")


@pytest.mark.parametrize("name", OPERATORS)
def test_batches(name):
    A = OPERATORS[name]
    D, (m, n) = A.toarray(), A.shape
    for shape in ((2, n, 3), (2, 1, n, 4), (0, n, 2), (2, n, 0)):
        x = random(shape, "float64", 7)
        expected = np.matmul(D, x)
        for got in (A @ x, A.matmat(x), A * x, A(np.asfortranarray(x))):
            assert got.shape == expected.shape
            near(got, expected, "float64") if x.size else None
        y = random((*shape[:-2], shape[-1], m), "float64", 8)
        near(y @ A, np.matmul(y, D), "float64") if y.size else None
        if isinstance(A, nf.Butterfly):
            out = np.empty(expected.shape, A.dtype)
            assert A.apply(x, out) is out
            near(out, expected, "float64") if x.size else None
    x = random((n,), "float64", 9)
    for wrong in (random((n, n, n + 1, 2), "float64"), x[:, None, None]):
        with pytest.raises(ValueError, match=r"^other has shape"):
            A @ wrong


@pytest.mark.parametrize("format", ["csr", "csc", "bsr", "coo", "dia", "lil", "dok"])
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
def test_sparse_arrays(format, kind):
    x = kind(np.round(random((6, 4), "float64", 1))).asformat(format)
    dense = x.toarray()
    for A in operators("float64").values():
        D = A.toarray()
        for got in (A @ x, A.matmat(x), A * x, A(x)):  # dense, as with a dense matrix
            assert type(got) is np.ndarray
            near(got, D @ dense, "float64")
        near(A.rmatmat(x), D.T @ dense, "float64")
        near(x.T @ A, dense.T @ D, "float64")
        near((A + x @ x.T).toarray(), D + dense @ dense.T, "float64")
        column = A.matvec(kind(dense[:, [0]]).asformat(format))
        near(column, D @ dense[:, [0]], "float64")


def test_what_operators_do_not_multiply():
    A = nf.transforms.dct(4)
    masked = np.ma.array(np.ones(4), mask=[1, 0, 0, 0])
    for call, name in (
        (lambda x: A @ x, "other"),
        (lambda x: x @ A, "other"),
        (A.matvec, "x"),
        (lambda x: A.matmat(x[:, None]), "X"),
        (A.apply, "x"),
        (A.dot, "x"),
        (lambda x: A.apply(x, np.empty(4)), "x"),
    ):
        with pytest.raises(TypeError, match=f"^{name} is a masked array"):
            call(masked)
        with pytest.raises(TypeError, match=f"^{name} "):
            call(np.array([None] * 4))
        with pytest.raises(TypeError, match=f"^{name} has dtype .*complex128"):
            call(np.ones(4, np.longdouble) * 1j)
    with pytest.raises(TypeError, match=r"^index: the rows are a masked array"):
        A[np.ma.array([0, 1])]
    for number in (np.ma.masked, np.ma.array(2.0)):
        with pytest.raises(TypeError, match=r"^other=.*masked"):
            A * number
    with pytest.raises(ValueError, match=r"^other is no array: its rows differ"):
        A @ [[1.0, 2.0], [3.0]]


def test_what_products_are_not_written_to():
    A, x = nf.transforms.dct(4), np.ones(4)
    for out in ([0.0] * 4, object(), np.ma.zeros(4)):
        with pytest.raises(TypeError, match=r"^out"):
            A.apply(x, out)
    locked = np.zeros(4)
    locked.setflags(write=False)
    for out in (locked, np.zeros(3), np.zeros((4, 1)), np.zeros(4, "f4")):
        with pytest.raises(ValueError, match=r"^out"):
            A.apply(x, out)


def test_products_are_written_to_arrays_of_every_layout(tmp_path):
    for A in (nf.transforms.dct(8), nf.transforms.hadamard(8)):
        for shape in ((8,), (8, 1), (8, 3)):
            x = random(shape, "float64", 1)
            for out in (
                memory_map(np.zeros(shape), tmp_path),
                np.zeros(shape, order="F"),
                np.zeros((*shape[:-1], 2 * shape[-1]))[..., ::2],
                unaligned(np.zeros(shape)),
                np.zeros(shape).view(Named),
            ):
                assert A.apply(x, out) is out
                near(np.asarray(out), A @ x, "float64")
    for shape in ((8, 1), (8, 3)):
        x, out = random(shape, "float64", 1), np.zeros(shape).view(np.matrix)
        assert A.apply(x, out) is out
        near(np.asarray(out), A @ x, "float64")


@pytest.mark.parametrize(
    ("transform", "dtype"),
    [
        ("dct", "float32"),
        pytest.param("circulant", "float32", marks=LATER),
        pytest.param("circulant", "complex64", marks=LATER),
    ],
)
def test_one_column_is_a_vector_whatever_was_multiplied_before(transform, dtype):
    argument = random(16, dtype, 1) if transform == "circulant" else 16
    C = getattr(nf.transforms, transform)(argument).astype(dtype)
    x = random((16, 1), dtype, 2)
    first = C @ x
    C @ random((16, 5), dtype, 3)
    np.testing.assert_array_equal(C @ x, first)
    np.testing.assert_array_equal((C @ x[:, 0])[:, None], first)
