"""What the tests share: random inputs of each dtype, and a comparison."""

import numpy as np

DTYPES = ["float32", "float64", "complex64", "complex128"]


def random(shape, dtype, seed=0):
    """Return Gaussian entries, complex ones where the dtype is."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def close(got, expected):
    """Compare within rounding, relative to the largest entry."""
    eps = np.finfo(got.dtype).eps
    size = max(abs(expected).max(initial=0), np.finfo(got.dtype).tiny)
    np.testing.assert_allclose(got, expected, rtol=0, atol=200 * eps * size)
