"""A kernel of one kind runs for arrays of that kind, and is not compiled for others."""

import numpy as np
import pytest

from nbfact.kernels import butterfly_apply_columns
from nbfact.kernels._jit import NUMBA_SETTINGS, kernel, kernel_of_kind


@kernel_of_kind("c")
def conjugate(x, times):
    for i in range(x.size):
        x[i] = times * np.conj(x[i])


@kernel_of_kind("f")
def add(x, times):
    for i in range(x.size):
        x[i] += times


@kernel
def either(x):
    conjugate(x, 2)
    add(x, 5)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_the_kernel_of_the_kind_runs_and_no_other(dtype):
    x = np.arange(4).astype(dtype)
    expected = x + 5
    if x.dtype.kind == "c":
        x += 1j
        expected = 2 * x.conj()
    either(x)
    assert np.array_equal(x, expected)


@pytest.mark.compiled
def test_a_real_butterfly_compiles_no_complex_loop():
    if NUMBA_SETTINGS.DISABLE_JIT:
        pytest.skip("nothing is compiled")
    from nbfact.kernels import dyadic_columns

    twiddle, x = np.ones((1, 2, 2, 1)), np.ones((2, 3))
    out = np.empty_like(x)
    before = len(dyadic_columns._complex_tile.signatures)
    butterfly_apply_columns(twiddle, x, out)
    assert np.array_equal(out, np.full((2, 3), 2.0))
    assert len(dyadic_columns._complex_tile.signatures) == before
