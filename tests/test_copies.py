"""Copies: matrices turned, columns of one in another, arrays on lines of the cache."""

import naive
import numpy as np
import pytest
from samples import DTYPES, REALS_FIRST, random

from nbfact.kernels import copy_columns, lines, transpose


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [
        *((1, 1), (1, 9), (2, 9), (3, 9), (0, 3), (3, 0), (0, 9), (8, 5), (17, 24)),
        *((4, 21), (7, 21), (8, 21), (12, 21), (15, 21), (31, 29), (30, 28), (24, 27)),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_transpose(shape, turned, dtype):
    shape = shape[::-1] if turned else shape
    x = random(shape, dtype)
    transpose(x, out := np.empty(shape[::-1], dtype))
    np.testing.assert_array_equal(out, naive.transpose(x))


@pytest.mark.parametrize("shape", [(5, 3), (5, 8), (5, 23), (40, 21), (90, 140)])
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_columns_are_copied_to_a_narrower_and_to_a_wider_matrix(shape, dtype):
    given, width = shape
    x = random((11, given), dtype)
    for first, to in ((0, 0), (2, 0), (0, 1), (given, 0), (0, width), (1, 2)):
        out, expected = np.zeros((2, 11, width), dtype)
        copy_columns(x, out, first, to)
        naive.copy_columns(x, expected, first, to)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", ("float32", "complex128"))
def test_copies_begin_with_a_line_of_the_cache(dtype):
    found = lines.on_lines(7, np.empty(1, dtype))
    assert found.shape == (7,)
    assert found.dtype == dtype
    assert found.ctypes.data % lines.LINE == 0
