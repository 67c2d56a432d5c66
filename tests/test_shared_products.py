"""Products that threads share by BLAS, which rounds parts of another size otherwise."""

import numba
import numpy as np
import pytest
from samples import DTYPES, LATER, REALS_FIRST, close, random

import nbfact as nf
from nbfact.operators import OperatorSum

TWO = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2, reason="NUMBA_NUM_THREADS allows one thread"
)


@TWO
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", ["columns", "rows", "Fortran"])
def test_many_columns_of_a_small_matrix_are_shared(way, dtype, ranges):
    """BLAS multiplies them in the same parts, however many threads there are."""
    values, x = random((96, 80), dtype), random((80, 3000), dtype)
    operator = nf.FactorProduct([values])
    if operator.dtype.kind == "c":
        operator = nf.Butterfly([(1, 96, 80, 1)], [values[None, :, :, None]])
    given, axis = {
        "columns": (x, None),
        "rows": (np.ascontiguousarray(x.T), 1),
        "Fortran": (np.asfortranarray(x), None),
    }[way]
    call = operator._matrix_call(operator.dtype, 3000, way == "rows")
    # Complex columns of a butterfly are those of large blocks, which are shared too.
    assert call is not None or (x.dtype.kind == "c" and way != "rows")
    for _ in range(2):  # the first call plans
        expected = operator.apply(given, axis=axis)
        close(expected if axis is None else expected.T, operator.toarray() @ x)
        assert not ranges
        with nf.threads(2):
            found = operator.apply(given, np.empty_like(expected), axis=axis)
            np.testing.assert_array_equal(found, expected)
        assert set(ranges) == {2}
        del ranges[:]


@TWO
@pytest.mark.compiled
@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("name", ["kronecker", "circulant", "toeplitz", "chain"])
def test_large_products_are_shared(name, dtype, ranges):
    chain = nf.Chain.mixed_radix((32, 32))
    operator = {
        "kronecker": lambda: nf.transforms.kronecker(*[random((32, 32), dtype)] * 2),
        "circulant": lambda: nf.transforms.circulant(random((1024,), dtype)),
        "toeplitz": lambda: nf.transforms.toeplitz(random((700,), dtype)),
        "chain": lambda: nf.Butterfly(chain, [random(p, dtype) for p in chain]),
    }[name]()
    x = random((operator.shape[1], 512), dtype)
    expected = operator @ x
    with nf.threads(2):
        np.testing.assert_array_equal(operator @ x, expected)
    assert set(ranges) == {2}


@TWO
@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_of_a_transform(dtype, eager, ranges):
    """Tiles of columns overlap, and two columns of one size share a transform."""
    real = np.dtype(dtype).kind != "c"
    make = nf.transforms.dct if real else nf.transforms.dft
    operator = make(256).astype(dtype)
    for batch in (29, 45, 85, 100):
        x = random((256, batch), dtype)
        for size in (1, 1e12):
            x[:, 16] *= size  # in one of the ranges
            assert operator._multiplies(operator.dtype, batch) == "tied"
            expected = operator @ x
            with nf.threads(2):
                np.testing.assert_array_equal(operator @ x, expected)
    assert 2 in ranges


@TWO
@pytest.mark.parametrize("shape", [(40, 30), (128, 64)])
@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
def test_points_between_rows(shape, dtype, eager, ranges):
    """What rounding leaves in doubt is settled alike in ranges of any sizes."""
    factors = [random((shape[0], 6), dtype), random((6, shape[1]), dtype, 1)]
    product, rng = nf.FactorProduct(factors), np.random.default_rng(2)
    one = nf.FactorProduct([random(shape, dtype, 3)])
    for operator in (product, one, OperatorSum([product])):
        rows = operator.toarray()
        x = (rows[rng.integers(0, shape[0], (2, 1500))] / 2).sum(axis=0)
        nearest = nf.NearestRows(operator)
        expected = nearest(x)
        for got, want in zip(nearest(x, threads=2), expected, strict=True):
            np.testing.assert_array_equal(got, want)
    assert set(ranges) == {2}
