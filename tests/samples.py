"""Helpers of many tests: random inputs of each dtype, and a comparison."""

import json
from pathlib import Path

import numba
import numpy as np
import pytest

ACCEPTANCE = Path(__file__).parents[2] / "shared" / "acceptance"
# Compiling takes most of the time of the tests: those in single precision, and others
# that compile for long, are compiled later, in `.ci/run` only, with the tests marked
# `slow`. Interpreted, all of them run.
LATER = () if numba.config.DISABLE_JIT else (pytest.mark.slow,)
DTYPES = [
    pytest.param("float32", marks=LATER),
    "float64",
    pytest.param("complex64", marks=LATER),
    "complex128",
]
REALS_FIRST = [
    "float64",
    *(
        pytest.param(name, marks=LATER)
        for name in ("float32", "complex64", "complex128")
    ),
]
"""The same, where complex numbers are compiled in `.ci/run` only, too."""


def faust_cases(*kinds):
    """Return the recorded answers of pyfaust of these kinds, or an empty list."""
    file = ACCEPTANCE / "faust-cases.json"
    if not file.exists():
        return []
    return [c for c in json.loads(file.read_text())["cases"] if c["kind"] in kinds]


def numbers(entries):
    """Return a matrix that a case stores as lists, in two parts when complex."""
    if isinstance(entries, dict):
        return np.array(entries["re"]) + 1j * np.array(entries["im"])
    return np.array(entries)


def random(shape, dtype, seed=0):
    """Return an array of Gaussian entries, which are complex when the dtype is."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def close(got, expected):
    """Assert that arrays are finite and equal up to rounding of the largest entry."""
    assert np.isfinite(expected).all()
    eps = np.finfo(got.dtype).eps
    size = max(abs(expected).max(initial=0), np.finfo(got.dtype).tiny)
    np.testing.assert_allclose(got, expected, rtol=0, atol=200 * eps * size)
