"""Products with rows and with vectors along any axis: ``apply(x, axis=...)``."""

import numpy as np
import pytest
from operator_samples import near, operators
from samples import DTYPES, LATER, random

import nbfact as nf
from nbfact.operators import array_products, plan

KINDS = list(operators("float64"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_operator(kind, dtype):
    A = operators(dtype)[kind]
    dense = A.toarray()
    for other in ("float32", "float64", "complex64", "complex128"):
        for batch in (1, 2, 19):
            x = random((batch, 6), other, batch)
            expected = x @ dense.T
            coarse = {np.dtype(dtype).char, np.dtype(other).char} & {"f", "F"}
            single = "float32" if coarse else "float64"
            for _ in range(2):  # the second product of a shape goes a shorter way
                for axis in (1, -1):
                    got = A.apply(x, axis=axis)
                    near(got, expected, single)
                    assert got.flags.c_contiguous
                    out = np.full_like(got, np.nan)
                    assert A.apply(x, out, axis=axis) is out
                    near(out, expected, single)
                near(x @ A.T, expected, single)
                near((A @ x.T).T, expected, single)
            near(A.apply(x.T, axis=0), expected.T, single)
    adjoint = A.H.apply(random((19, 6), dtype, 3), axis=1)
    near(adjoint, random((19, 6), dtype, 3) @ dense.conj(), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors_along_any_axis_in_any_memory(dtype):
    B = nf.Butterfly(
        [(1, 3, 2, 2), (2, 2, 2, 1)],
        [random((1, 3, 2, 2), dtype, 1), random((2, 2, 2, 1), dtype, 2)],
    )
    dense, (m, n) = B.toarray(), B.shape
    for axis in (0, 1, 2, -1, -2, -3):
        shape = [5, 3, 2]
        shape[axis] = n
        x = random(tuple(shape), dtype, 4)
        expected = np.moveaxis(np.tensordot(dense, x, (1, axis)), 0, axis)
        near(B.apply(x, axis=axis), expected, dtype)
        near(B.apply(x, np.full_like(expected, np.nan), axis=axis), expected, dtype)
    x = random((20, n), dtype, 5)
    expected = x @ dense.T
    frozen = x.copy()
    frozen.setflags(write=False)
    wide = np.zeros((20, 2 * n), dtype)
    wide[:, ::2] = x
    for operand in (frozen, wide[:, ::2], np.asfortranarray(x), x[::-1][::-1]):
        for _ in range(2):
            near(B.apply(operand, axis=1), expected, dtype)
            for out in (np.zeros((20, m), dtype), np.zeros((m, 20), dtype).T):
                near(B.apply(operand, out, axis=1), expected, dtype)
    near(B.apply(x[0], axis=0), expected[0], dtype)
    near(B.apply(x[0], axis=-1), expected[0], dtype)
    assert B.apply(np.zeros((0, n), dtype), axis=1).shape == (0, m)
    square = nf.transforms.hadamard(n).astype(dtype)
    wanted = x @ square.toarray().T
    assert square.apply(x, x, axis=1) is x  # in place
    near(x, wanted, dtype)


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 70])
def test_tiles_of_rows_are_all_multiplied(rows, monkeypatch):
    """The last tile is as long as the others, or shorter."""
    monkeypatch.setattr(array_products, "ROW_BYTES", 16 * 8 * 8)
    H = nf.transforms.hadamard(8)
    for A in (H, H.to_factors(), nf.transforms.dct(8)):
        x = random((rows, 8), "float64", rows)
        for operand in (x, x + 1j * x[::-1]):
            expected = operand @ A.toarray().T
            near(A.apply(operand, axis=1), expected, "float64")
            got = A.apply(operand, np.empty_like(operand), axis=1, threads=2)
            near(got, expected, "float64")


def test_axes_that_do_not_fit():
    H = nf.transforms.hadamard(4)
    x = np.ones((3, 4))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"x has shape \(3, 4\).*axis 0 is 3"):
            H.apply(x, axis=0)
        with pytest.raises(ValueError, match="axis"):
            H.apply(x, axis=2)
        with pytest.raises(TypeError, match="axis"):
            H.apply(x, axis="rows")
        with pytest.raises(TypeError, match="axis"):
            H.apply(x, axis=[1])
        with pytest.raises(TypeError, match="axis"):
            H.apply(x, axis=1.0)
        with pytest.raises(ValueError, match="out"):
            H.apply(x, np.empty((4, 3)), axis=1)
        with pytest.raises(ValueError, match="x has shape"):
            H.apply(np.float64(3.0), axis=0)
        near(H.apply(x, axis=1), x @ H.toarray(), "float64")


@pytest.mark.parametrize("n", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
def test_vectors_that_fit_the_registers(n, dtype):
    """From 2 to 16 registers, a kernel keeps the vector there from level to level."""
    chain = nf.Chain.square_dyadic(n)
    for turned in (chain, chain.T):
        values = [random(p, dtype, j) / 2 for j, p in enumerate(turned)]
        B, x = nf.Butterfly(turned, values), random(n, dtype, 9)
        near(B @ x, B.to_factors().toarray() @ x, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_shape_of_rows_is_planned_once(dtype, monkeypatch):
    chain = nf.Chain.square_dyadic(16)
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(pattern).astype("float32") for pattern in chain]
    operator = nf.Butterfly(chain, values)
    x = rng.standard_normal((5, 16)).astype(dtype)
    first = operator @ x.T

    def best(*args):
        raise AssertionError("planned once more")

    monkeypatch.setattr(plan, "best", best)
    np.testing.assert_array_equal(operator @ x.T, first)
