"""The dtypes of nbfact, and how those of two arrays combine."""

import functools
from typing import Any

import numpy as np

DTYPES = ("float32", "float64", "complex64", "complex128")


@functools.cache
def common_dtype(*dtypes: Any) -> np.dtype:
    """Return the dtype of a product, as NumPy promotes; integers count as float64.

    Raises
    ------
    TypeError
        For dtypes that are not numeric, or wider than complex128.
    """
    wide = [np.float64 if np.dtype(d).kind in "biu" else np.dtype(d) for d in dtypes]
    if any(np.dtype(d).kind not in "fc" for d in wide):
        names = ", ".join(str(np.dtype(d)) for d in dtypes)
        raise TypeError(f"expected numbers, got an array of dtype {names}")
    result = np.result_type(np.float32, *wide)
    if result not in DTYPES:
        raise TypeError(f"dtype {result} is not supported: at most complex128")
    return result


def real_dtype(dtype: Any) -> np.dtype:
    """Return the real dtype of the same precision."""
    dtype = np.dtype(dtype)
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
