"""Transforms by kernels that know their values equal those of scipy.fft."""

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.kernels import (
    even_vector,
    even_vector_adjoint,
    fourier_columns,
    fourier_vector,
    real_columns,
    real_columns_adjoint,
    real_vector,
    real_vector_adjoint,
)
from nbfact.operators import tied_transforms
from nbfact.operators.radices import prime_factors
from nbfact.operators.tied_steps import vector_filling

FORMS = [
    ("dft", {}),
    ("idft", {}),
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
    if name.endswith("dft") != dtype.startswith("complex"):
        dtype = turned[dtype]
    return getattr(nf.transforms, name)(n, dtype=dtype, **options)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("name", "options"), FORMS)
def test_columns(name, options, n, dtype):
    for normalized in (True, False):
        A = made(name, n, dtype, normalized=normalized, **options)
        tile = tied_transforms.tile_of(A.dtype)
        check(A, 3)  # beside zeros, in a tile of which they are a part
        check(A, tile)
        check(A, 2 * tile + 3)


VECTORS = [64, 135, 144, pytest.param(768, marks=pytest.mark.compiled)]


@pytest.mark.parametrize("n", VECTORS)
@pytest.mark.parametrize(("name", "options"), FORMS)
def test_vectors(name, options, n):
    for dtype in ("float64", "float32") if n > 256 else ("float64",):
        check(made(name, n, dtype, **options), 1)


def check(A, batch):
    """Compare the kernel for some columns with the library."""
    n = A.shape[0]
    assert tied_transforms.is_tied(A.formula, n, A.dtype, batch)
    multiply = tied_transforms.tied_multiplier(A.formula, n, A.dtype, batch)
    x = random((n, batch) if batch > 1 else n, A.dtype)
    out = np.full_like(x, np.nan)
    assert multiply(x, out) is out
    close(out, A.formula.multiplier(n, A.dtype)(x))
    np.testing.assert_array_equal(multiply(x), out)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("n", [6, 16, pytest.param(240, marks=pytest.mark.compiled)])
def test_twins_of_columns(n, dtype):
    for name, kernel, twin, options in (
        ("dft", fourier_columns, naive.fourier_columns, {}),
        ("idft", fourier_columns, naive.fourier_columns, {}),
        ("dst", real_columns, naive.real_columns, {}),
        ("dct", real_columns_adjoint, naive.real_columns_adjoint, {"type": 3}),
    ):
        A = made(name, n, dtype, **options)
        tile = tied_transforms.tile_of(A.dtype)
        x = random((n, tile + 3), A.dtype)
        tied = tied_transforms.tied_columns(A.formula, n, A.dtype)
        assert tied.kernel is kernel
        out = np.full_like(x, np.nan)
        planes = np.empty(tied.scratch[0], dtype)
        for begin, end in ((0, tile), (tile, x.shape[1])):
            kernel(x, *tied.arguments, planes, begin, end, out)
        layout, _, numbers = tied.arguments
        close(out, twin(x, layout, numbers))


@pytest.mark.parametrize("n", [64, 135, pytest.param(320, marks=pytest.mark.compiled)])
def test_twins_of_vectors(n):
    real = even_vector, naive.even_vector
    adjoint = even_vector_adjoint, naive.even_vector_adjoint
    if n < 320:  # which is too small, or odd
        real = real_vector, naive.real_vector
        adjoint = real_vector_adjoint, naive.real_vector_adjoint
    for name, (kernel, twin), options in (
        ("dft", (fourier_vector, naive.fourier_vector), {}),
        ("idft", (fourier_vector, naive.fourier_vector), {}),
        ("hartley", real, {}),
        ("dst", real, {}),
        ("dct", adjoint, {"type": 3}),
        ("dst", adjoint, {"type": 3}),
    ):
        A = made(name, n, "float64", **options)
        x, out = random((3, n), A.dtype), random((3, n), A.dtype, 1)
        tied = tied_transforms.tied_vector(A.formula, n, A.dtype)
        assert tied.kernel is kernel
        arrays = [np.empty(shape) for shape in tied.scratch]
        kernel(x.ravel(), *tied.arguments, *arrays, out.ravel())
        layout, turns, _, *scale = tied.arguments
        for one, found in zip(x, out, strict=True):
            close(found, twin(one, layout, *(scale or [turns])))


def test_what_is_not_tied():
    real, double = nf.transforms.dct(12), np.dtype("float64")
    assert tied_transforms.is_tied(real.formula, 12, double, 16)
    assert not tied_transforms.is_tied(real.formula, 12, np.dtype("complex128"), 64)
    assert not tied_transforms.is_tied(real.formula, 12, double, 1)
    for A in (
        nf.transforms.dct(14),
        nf.transforms.dct(12, 4),
        nf.transforms.dct(12, normalized=False).T,
        nf.transforms.dft(12) * 1j,
        nf.transforms.dft(1),
    ):
        assert not tied_transforms.is_tied(A.formula, A.shape[0], A.dtype, 64)


@pytest.mark.compiled
def test_an_operator_uses_them_and_threads_change_no_bit():
    A = nf.transforms.dct(256)
    assert A._multiplies(A.dtype, 1) == A._multiplies(A.dtype, 64) == "tied"
    assert "values of the transform" in repr(A)
    x = random((256, 4099), "float64")
    expected = A @ x
    with nf.threads(2):
        np.testing.assert_array_equal(A @ x, expected)
    np.testing.assert_array_equal(A @ x[:, :80].copy(), expected[:, :80])
    out = np.empty_like(x)
    assert A.apply(x, out) is out
    np.testing.assert_array_equal(out, expected)
    assert A.apply(x, x) is x
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("batch", [3, 20, 32, 70])
@pytest.mark.parametrize("type", [2, 3])
def test_a_column_keeps_its_precision_beside_large_and_infinite_ones(type, batch):
    """Two real columns share a transform where they are alike, and only there."""
    A, x = nf.transforms.dct(256, type), random((256, batch), "float64")
    multiply = tied_transforms.tied_multiplier(A.formula, 256, A.dtype, batch)
    wanted = A.formula.multiplier(256, A.dtype)(x)
    x[:, 0] *= 1e12
    if batch > 3:
        x[3, 1], x[5, 2], x[:, batch - 1] = np.nan, np.inf, 0.0
        wanted[:, -1] = 0.0
    got = multiply(x)
    close(got[:, 0] * 1e-12, wanted[:, 0])
    others = [j for j in range(batch) if j not in ((0,) if batch == 3 else (0, 1, 2))]
    close(got[:, others], wanted[:, others])
    assert batch == 3 or not np.isfinite(got[:, 1:3]).any()
    assert batch == 3 or not got[:, -1].any()


def test_numbers_of_columns_share_a_kernel_and_its_tables():
    for A in (
        nf.transforms.dct(16),
        nf.transforms.toeplitz(np.ones(9), np.arange(8.0)),
    ):
        calls = [A._tied(A.dtype, batch) for batch in (16, 17, 40)]
        assert calls[0] is calls[1] is calls[2] and len(A._calls) == 1
        for batch in (16, 17, 40):
            x = random((A.shape[1], batch), A.dtype)
            close(calls[0](x), A.toarray() @ x)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("n", [256, 360, 1000, 4096])
def test_the_filled_part_of_the_vectors_of_an_order(n, dtype):
    """It is counted pass by pass: a side of s takes the sum of its prime factors."""
    dtype = np.dtype(dtype)
    width = 64 // (dtype.itemsize // 2)
    sides = {256: (16, 16), 360: (18, 20), 1000: (25, 40), 4096: (64, 64)}[n]
    done = whole = 0
    for side, other in (sides, sides[::-1]):
        work = side * sum(prime_factors(side))
        done += work * other
        whole += work * width * -(-other // width)
    np.testing.assert_allclose(vector_filling(n, dtype), done / whole)


def test_rows_that_fill_vectors_badly_are_turned_to_columns():
    A, dtype = nf.transforms.dft(360), np.dtype("complex64")  # 18 x 20, 16 at a time
    assert A._cost(dtype, 64, True) < A._alone_cost(dtype, 64, True)
    A = nf.transforms.dft(1024)
    assert A._alone_cost(dtype, 64, True) < A._cost(dtype, 64, True)
