"""Transforms of columns by their own numbers equal those of scipy.fft."""

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.kernels import fourier_columns, real_columns, real_columns_adjoint
from nbfact.operators import tied_columns
from nbfact.operators.formulas import multiplier

FORMS = [
    ("dft", {}),
    ("hartley", {}),
    ("dct", {"type": 2}),
    ("dct", {"type": 3}),
    ("dst", {"type": 2}),
    ("dst", {"type": 3}),
]
SIZES = [
    2,
    3,
    5,
    8,
    12,
    15,
    *(pytest.param(n, marks=pytest.mark.compiled) for n in (60, 128, 720)),
]


def made(name, n, dtype, **options):
    """Return a transform of a dtype, or of the real or complex one of its precision."""
    pair = {"float32": "complex64", "float64": "complex128"}
    turned = pair | {b: a for a, b in pair.items()}
    if (name == "dft") != dtype.startswith("complex"):
        dtype = turned[dtype]
    return getattr(nf.transforms, name)(n, dtype=dtype, **options)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("name", "options"), FORMS)
def test_columns(name, options, n, dtype):
    for normalized in (True, False):
        A = made(name, n, dtype, normalized=normalized, **options)
        tile = tied_columns.tile_of(A.dtype)
        multiply = tied_columns.tied_multiplier(A.formula, n, A.dtype)
        for batch in (tile, 2 * tile + 3):
            assert tied_columns.is_tied(A.formula, n, A.dtype, batch)
            x = random((n, batch), A.dtype)
            out = np.full_like(x, np.nan)
            assert multiply(x, out) is out
            close(out, multiplier(A.formula, n, A.dtype)(x))
            np.testing.assert_array_equal(multiply(x), out)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("n", [6, 16, pytest.param(240, marks=pytest.mark.compiled)])
def test_twins(n, dtype):
    tile = tied_columns.tile_of(np.dtype(dtype))
    x = random((n, tile + 6), dtype)
    for name, kernel, twin, options in (
        ("dft", fourier_columns, naive.fourier_columns, {}),
        ("dst", real_columns, naive.real_columns, {}),
        ("dct", real_columns_adjoint, naive.real_columns_adjoint, {"type": 3}),
    ):
        A = made(name, n, dtype, **options)
        tied = tied_columns.tied(A.formula, n, A.dtype)
        assert tied.kernel is kernel
        out = np.full_like(x, np.nan)
        planes = np.empty((2, tied.rows * tile // 2), x.dtype)
        middle = tile if name == "dft" else 0
        for begin, end in ((0, middle), (middle, x.shape[1])):
            some = tied.layout, tied.turns, tied.numbers, planes, begin, end
            kernel(x, *some, out)
        close(out, twin(x, tied.layout, tied.numbers))


def test_what_is_not_tied():
    real, double = nf.transforms.dct(12), np.dtype("float64")
    assert tied_columns.is_tied(real.formula, 12, double, 16)
    assert not tied_columns.is_tied(real.formula, 12, double, 15)
    assert not tied_columns.is_tied(real.formula, 12, np.dtype("complex128"), 64)
    for A in (
        nf.transforms.dct(14),
        nf.transforms.dct(12, 4),
        nf.transforms.dct(12, normalized=False).T,
        nf.transforms.idft(12),
        nf.transforms.dft(12) * 1j,
        nf.transforms.dft(1),
    ):
        assert not tied_columns.is_tied(A.formula, A.shape[0], A.dtype, 64)


@pytest.mark.compiled
def test_an_operator_uses_them_and_threads_change_no_bit():
    A = nf.transforms.dct(64)
    assert A._multiplies(A.dtype, 64) == "tied" and "values of the transform" in repr(A)
    x = random((64, 4099), "float64")
    expected = A @ x
    with nf.threads(2):
        np.testing.assert_array_equal(A @ x, expected)
    np.testing.assert_array_equal(A @ x[:, :80].copy(), expected[:, :80])
    out = np.empty_like(x)
    assert A.apply(x, out) is out
    np.testing.assert_array_equal(out, expected)
    assert A.apply(x, x) is x
    np.testing.assert_array_equal(x, expected)
