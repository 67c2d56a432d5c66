"""The dtypes that nbfact computes in, and how those of several arrays combine."""

import functools
from typing import Any

import numpy as np

DTYPES = ("float32", "float64", "complex64", "complex128")
"""Names of the dtypes that every kernel and operator accepts."""


@functools.cache
def common_dtype(*dtypes: Any) -> np.dtype:
    """Return the dtype of a product of arrays of the given dtypes.

    Parameters
    ----------
    *dtypes : dtype-like
        At least one. Integers and booleans count as float64.

    Returns
    -------
    numpy.dtype
        One of `DTYPES`, by the rules of NumPy's promotion; at least float32.

    Raises
    ------
    TypeError
        When a dtype is not numeric, or wider than complex128.
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
    """Return the real dtype of the same precision: float32 for complex64, and so on."""
    dtype = np.dtype(dtype)
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
