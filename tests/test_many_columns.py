"""Columns that fill the caches: slices of them are copied, multiplied, copied back."""

import numba
import numpy as np
import pytest
from samples import LATER, close, random

import nbfact as nf
from nbfact.operators import (
    OperatorSum,
    product_plans,
    program_operator,
    row_calls,
    small_matrices,
)


def factors(dtype):
    return nf.FactorProduct([random((9, 24), dtype), random((24, 16), dtype, 1)], 0.5)


def monarch(dtype, seed=0):
    chain = nf.Chain.mixed_radix((4, 4))
    values = [random(pattern, dtype, seed + i) for i, pattern in enumerate(chain)]
    return nf.Butterfly(chain, values)


LATER_DTYPES = [
    pytest.param(dtype, marks=LATER) for dtype in ("float32", "complex64", "complex128")
]
OPERATORS = {
    "monarch": monarch,
    "factors": factors,
    "adjoint": lambda dtype: factors(dtype).H,
    "sum": lambda dtype: OperatorSum([monarch(dtype), monarch(dtype, 5)]),
    "product": lambda dtype: factors(dtype) @ nf.transforms.haar(16),
    "dct": lambda dtype: nf.transforms.dct(16),
    "dft": lambda dtype: nf.transforms.dft(16),
}
IN_PLACE = {
    "hadamard": lambda: nf.transforms.hadamard(16),
    "haar": lambda: nf.transforms.haar(16),
    "scipy": lambda: nf.transforms.dct(1009),
}


@pytest.fixture
def tiles(monkeypatch):
    """Return a list of the slices that are made, where few columns count as many."""
    monkeypatch.setattr(small_matrices, "LARGEST", 0)
    monkeypatch.setattr(product_plans, "FAR_BYTES", 1 << 15)
    monkeypatch.setattr(product_plans, "SLICE_BYTES", 1 << 14)
    made, in_tiles = [], row_calls.in_tiles

    def watched(*arguments):
        if len(arguments) == 7:
            made.append(arguments[4])
        return in_tiles(*arguments)

    monkeypatch.setattr(product_plans, "in_tiles", watched)
    return made


@pytest.mark.parametrize("dtype", ["float64", *LATER_DTYPES])
@pytest.mark.parametrize("name", OPERATORS)
def test_slices_give_the_product(name, dtype, tiles, eager):
    operator = OPERATORS[name](dtype)
    dense = operator.toarray()
    for batch in (640, 1601):  # whole slices, and a last one of one column
        x = random((operator.shape[1], batch), dtype)
        expected, found = dense @ x, operator @ x
        assert tiles and found.dtype == expected.dtype
        close(found, expected)
        out = np.full_like(expected, np.nan)
        assert operator.apply(x, out) is out
        np.testing.assert_array_equal(out, found)
        if numba.config.NUMBA_NUM_THREADS > 1:
            np.testing.assert_array_equal(operator.apply(x, threads=2), found)


@pytest.mark.parametrize("name", IN_PLACE)
def test_columns_that_are_multiplied_where_they_are(name, tiles):
    operator = IN_PLACE[name]()
    x = random((operator.shape[1], 1600), "float64")
    found = operator @ x
    assert not tiles
    close(found[:, :9], operator.toarray() @ x[:, :9])


@pytest.mark.parametrize("most", [1 << 17, 1 << 16])
@pytest.mark.parametrize("dtype", ["float64", *LATER_DTYPES])
def test_slices_of_long_columns_where_there_are_several_steps(
    most, dtype, tiles, eager, monkeypatch
):
    """A slice that is large itself is not cut again, and none is too large to be kept.

    Its rows have 256 bytes, so that those of 512 rows are 128 KB.
    """
    monkeypatch.setattr(program_operator, "STEPS_BYTES", 1 << 17)
    monkeypatch.setattr(program_operator, "MOST_COPIED", most)
    monkeypatch.setattr(product_plans, "LONGEST", 0)
    chain = nf.Chain.mixed_radix((8, 8, 8))  # three steps
    values = [random(pattern, dtype, i) for i, pattern in enumerate(chain)]
    operator, row = nf.Butterfly(chain, values), 256 // np.dtype(dtype).itemsize
    dense = operator.toarray()
    for batch in (row, 2 * row + 1):
        del tiles[:]
        x = random((512, batch), dtype)
        close(operator @ x, dense @ x)
        sliced = most == 1 << 17 and batch > row
        assert set(tiles) == ({row} if sliced else set())
