"""Operators of a user's own, what they are multiplied by, and what pickles hold."""

import copy
import decimal
import fractions
import multiprocessing
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from operator_samples import KINDS, near, operators
from samples import random
from scipy.sparse.linalg import LinearOperator, aslinearoperator, eigsh, svds

import nbfact as nf


class Tripling(nf.FastOperator):
    """Three times the identity, with the least that a subclass has to implement."""

    nnz = 4

    def __init__(self):
        super().__init__(np.float64, (4, 4))

    def _run(self, dtype, x):
        return 3 * x


class Symmetric(Tripling):
    """It says what its adjoint is, and not what its transpose is."""

    def _adjoint(self):
        return self


class Transposed(Tripling):
    """It says what its transpose is, and not what its adjoint is."""

    def _transpose(self):
        return self


class ByDot(Symmetric):
    """Its products by @ and * are those of its method `dot`."""

    def __matmul__(self, other):
        return self.dot(other)

    def __mul__(self, other):
        return self.dot(other)


class ByMatvec(nf.FactorProduct):
    """Its products by @ are those of its method `matvec`."""

    def __matmul__(self, other):
        return self.matvec(other)


class ByTimes(nf.Butterfly):
    """Its products by @ are those by *."""

    def __matmul__(self, other):
        return self * other


def test_a_subclass_may_implement_one_of_adjoint_and_transpose():
    x = np.arange(4.0)
    for kind in (Symmetric, Transposed):
        A = kind()
        for got in (A.T @ x, A.H @ x, A.rmatvec(x), x @ A, A.rmatmat(x[:, None])[:, 0]):
            np.testing.assert_array_equal(got, 3 * x)
        for got in ((2 * A) @ x, (A * 2) @ x, (A + A) @ x, (A.T + A) @ x):
            np.testing.assert_array_equal(got, 6 * x)
        np.testing.assert_array_equal((A @ A).T @ x, 9 * x)
        np.testing.assert_array_equal(A.conj() @ x, 3 * x)


def test_what_a_subclass_does_not_implement_is_said():
    A, x = Tripling(), np.ones(4)
    np.testing.assert_array_equal((2 * A) @ x, 6 * x)
    for call, missing in (
        (lambda: A.T, "_transpose"),
        (lambda: A.H, "_adjoint"),
        (lambda: A.rmatvec(x), "_adjoint"),
        (lambda: x @ A, "_transpose"),
        (lambda: (A + A).T, "_transpose"),
    ):
        with pytest.raises(NotImplementedError, match=f"Tripling must impl.*{missing}"):
            call()
    bare = nf.FastOperator(np.float64, (2, 2))
    for call in (lambda: bare @ np.ones(2), lambda: bare.matvec(np.ones((2, 1)))):
        with pytest.raises(
            NotImplementedError, match="FastOperator multiplies nothing"
        ):
            call()


def test_methods_for_products_may_be_overridden_in_terms_of_each_other():
    x = np.arange(4.0)
    D = random((4, 4), "float64", 1)
    B = nf.transforms.dct(4)
    for A, dense in (
        (ByDot(), 3 * np.eye(4)),
        (ByMatvec([D]), D),
        (ByTimes(B.chain, B.values, columns=B.columns), B.toarray()),
    ):
        for got in (A @ x, A * x, A.dot(x), A(x), A.matvec(x)):
            near(got, dense @ x, "float64")
        near(A.matmat(x[:, None])[:, 0], dense @ x, "float64")


@pytest.mark.parametrize("name", KINDS)
def test_numbers_of_every_type(name):
    for dtype in ("float32", "float64", "complex128"):
        A = operators(dtype)[name]
        D = A.toarray()
        for two in (
            2,
            2.0,
            np.float32(2),
            np.float64(2),
            np.longdouble(2),
            np.int8(2),
            np.array(2.0),
            np.array(2),
            fractions.Fraction(2),
            decimal.Decimal(2),
            2 + 0j,
            np.complex64(2),
            np.array(2 + 0j),
        ):
            for got in (A * two, two * A, A.dot(two), A.rdot(two)):
                assert isinstance(got, nf.FastOperator)
                near(got.toarray(), 2 * D, dtype)
            half = A / two
            near(half.toarray(), D / 2, dtype)
            complex_two = np.iscomplexobj(two)
            assert half.dtype.kind == ("c" if complex_two else np.dtype(dtype).kind)
        near((True * A).toarray(), D, dtype)
        with pytest.raises(ValueError, match=r"use \* to multiply"):
            two @ A
        with pytest.raises(ValueError, match="other has shape"):
            A @ 2.0


@pytest.mark.parametrize("name", KINDS)
def test_numbers_that_are_not_finite(name):
    A = operators("float64")[name]
    for number in (np.nan, np.inf, complex(0, np.nan), 10**400, np.float32("inf")):
        for call in (
            lambda number: A * number,
            lambda number: number * A,
            lambda number: A / number,
        ):
            with pytest.raises(ValueError, match=r"^other=.*neither NaN nor infinity"):
                call(number)
    for zero in (0, 0.0, 0j, np.float64(0), np.array(0), 5e-324):
        with pytest.raises(ValueError, match=r"^other=.*divided by it is not finite"):
            A / zero
    for other in (A, np.ones(2), "2", None):
        with pytest.raises(TypeError, match="divided by"):
            A / other
    near((0 * A).toarray(), 0 * A.toarray(), "float64")


def test_operators_of_scipy_beside_ours():
    D = random((6, 6), "float64", 1)
    S = aslinearoperator(D)
    for A in operators("float64").values():
        E = A.toarray()
        x = random((6,), "float64", 2)
        for got, dense in (
            (A @ S, E @ D),
            (S @ A, D @ E),
            (A * S, E @ D),
            (S * A, D @ E),
            (A + S, E + D),
            (S + A, E + D),
            (A.rdot(S), D @ E),
            (A.dot(S), E @ D),
        ):
            assert isinstance(got, LinearOperator)
            near(got @ x, dense @ x, "float64")
            near(got.rmatvec(x), dense.T @ x, "float64")
    A = nf.transforms.toeplitz(np.arange(8.0)[::-1] ** 2)
    (found,) = eigsh(A, 1, return_eigenvectors=False, v0=np.ones(8))
    np.testing.assert_allclose(found, np.linalg.eigvalsh(A.toarray())[-1])
    (found,) = svds(A, 1, return_singular_vectors=False, v0=np.ones(8))
    np.testing.assert_allclose(found, np.linalg.norm(A.toarray(), 2))


class Slotted(nf.FactorProduct):
    """An operator with an attribute in a slot, as a dictionary holds it in others."""

    __slots__ = ("__hidden", "note", "table")

    def __init__(self, factors, note):
        super().__init__(factors)
        self.note, self.__hidden = note, note[::-1]

    def hidden(self):
        """Return the attribute whose name Python mangles."""
        return self.__hidden


class Noted(Slotted):
    """An operator with attributes in slots and in its dictionary."""

    __slots__ = "last"

    def __init__(self, factors, note):
        super().__init__(factors, note)


def twins(A):
    """Return pickles and copies of an operator."""
    pickles = [pickle.loads(pickle.dumps(A, p)) for p in range(6)]
    return [*pickles, copy.copy(A), copy.deepcopy(A)]


def test_slots_of_subclasses_are_kept():
    D = random((4, 4), "float64", 1)
    for kind in (Slotted, Noted):
        A = kind([D], "abc")
        for twin in twins(A):
            assert type(twin) is kind and twin.note == "abc" and twin.hidden() == "cba"
            assert not hasattr(twin, "table") and not hasattr(twin, "last")
            near(twin @ np.eye(4), D, "float64")
            for name in ("note", "table", "anything"):
                with pytest.raises(AttributeError, match="immutable"):
                    setattr(twin, name, 1)
            with pytest.raises(AttributeError, match="immutable"):
                del twin.note


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_pickles_and_copies_multiply_bit_for_bit(name, dtype):
    A = operators(dtype)[name]
    shapes = ((6,), (6, 1), (6, 5), (2, 6, 3))
    operands = [random(shape, dtype, 1) for shape in shapes]
    expected = [A @ x for x in operands]
    for twin in twins(A):
        # The dtype is that of new arrays, so that products take the short way.
        assert twin.dtype is np.dtype(dtype)
        for x, product in zip(operands, expected, strict=True):
            np.testing.assert_array_equal(twin @ x, product)
            np.testing.assert_array_equal(twin @ pickle.loads(pickle.dumps(x)), product)
        np.testing.assert_array_equal(twin.toarray(), A.toarray())


def multiplied(operator, x):
    """Return a product; another process calls it."""
    return operator @ x, operator


@pytest.mark.slow
def test_pickles_travel_between_processes():
    operands = operators("float32")
    x = random((6, 3), "float32", 1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for A in operands.values():
            product, twin = pool.apply(multiplied, (A, x))
            np.testing.assert_array_equal(product, A @ x)
            np.testing.assert_array_equal(twin @ x, product)


def test_changes_of_the_factors_that_an_operator_shows_are_harmless():
    D = random((4, 4), "float64", 1)
    F = nf.FactorProduct([D, np.eye(4)])
    F @ np.ones(4)
    shown = F.factors[0]
    shown.data = np.zeros_like(shown.data)
    shown.indices = shown.indices[::-1].copy()
    for A in (F, F.T.T, F[:2], pickle.loads(pickle.dumps(F)), 2 * F / 2):
        near(A.toarray(), D[: A.shape[0]], "float64")
    for array in (F.factors[0].data, F.factors[0].indices, F.factors[0].indptr):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert all(isinstance(factor, sp.csr_array) for factor in F.factors)


def test_chains_are_immutable():
    chain = nf.Chain.square_dyadic(8)
    for name in ("patterns", "shape", "n_parameters", "anything"):
        with pytest.raises(AttributeError, match=f"'{name}': a Chain is immutable"):
            setattr(chain, name, 1)
    with pytest.raises(AttributeError, match="immutable"):
        del chain.shape
    for twin in twins(chain):
        assert twin == chain and hash(twin) == hash(chain) and twin.shape == (8, 8)
        with pytest.raises(AttributeError, match="immutable"):
            twin.shape = (1, 1)
    assert nf.Chain(chain) == chain
    with pytest.raises(TypeError, match=r"^other is .*expected a Chain"):
        chain @ nf.transforms.hadamard(8)
