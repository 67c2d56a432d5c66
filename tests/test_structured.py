"""The structured projections against their twins."""

import naive
import numpy as np
import pytest
from samples import DTYPES

from nbfact.kernels import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)

AVERAGES = {
    project_circ: naive.project_circ,
    project_anticirc: naive.project_anticirc,
    project_toeplitz: naive.project_toeplitz,
    project_hankel: naive.project_hankel,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", AVERAGES, ids=lambda kernel: kernel.__name__)
def test_averages(kernel, dtype):
    rng = np.random.default_rng(0)
    shapes = [(1, 1), (2, 2), (7, 7)]
    if kernel in (project_toeplitz, project_hankel):
        shapes += [(1, 5), (6, 1), (3, 8), (8, 3)]
    for shape in shapes:
        x = rng.standard_normal(shape)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * rng.standard_normal(shape)
        x = x.astype(dtype)
        got = x.copy()
        kernel(got)
        expected = AVERAGES[kernel](x)
        tolerance = 20 * np.finfo(dtype).eps
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
        again = got.copy()
        kernel(again)
        np.testing.assert_allclose(again, got, rtol=tolerance)


@pytest.mark.parametrize("kernel", AVERAGES, ids=lambda kernel: kernel.__name__)
def test_means_are_taken_in_double_precision(kernel):
    got = np.random.default_rng(1).standard_normal((50, 50)).astype("float32")
    kernel(got)
    again = got.copy()
    kernel(again)
    assert np.array_equal(again, got)


def test_blockdiag():
    rng = np.random.default_rng(0)
    for sizes in ([(1, 1)], [(2, 3)], [(1, 1), (2, 2), (3, 3)], [(1, 4), (3, 1)]):
        row_ends, col_ends = np.cumsum(sizes, axis=0).T.copy()
        for beyond in (0, 2):  # rows and columns after the last block become zero
            x = rng.standard_normal((row_ends[-1] + beyond, col_ends[-1] + beyond))
            got = x.copy()
            project_blockdiag(got, row_ends, col_ends)
            assert np.array_equal(got, naive.project_blockdiag(x, row_ends, col_ends))
