"""Powers of two that keep the squares of atoms and signals within range."""

import numpy as np

from ..._core.dtypes import real_dtype

ROUNDING = 10.0
"""How many units of rounding a residual holds, relative to its signal, when nothing of
the signal is left, and the part of an atom outside the span of others."""


def rounding(dtype):
    """Return the share of a norm that counts as nothing in a dtype."""
    return ROUNDING * float(np.finfo(dtype).eps)


def shifted(number, exponents):
    """Return a number times powers of two, without a warning where it overflows."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(number, exponents)


def shift_rows(x):
    """Divide the rows of an array by powers of two, in place; return the exponents.

    No digit changes, and squares do not overflow afterwards.
    """
    exponents = np.frexp(np.maximum(abs(x.real), abs(x.imag)).max(axis=1))[1]
    shift(x, -exponents)
    return exponents


def shift(rows, exponents):
    """Multiply the rows of an array by powers of two, in place."""
    half = exponents // 2  # in two steps, because 2**1030 is not a double
    real = real_dtype(rows.dtype).type
    for part in (half, exponents - half):
        rows *= np.ldexp(real(1), part)[:, None]


def write_codes(out, rows, index, values, exponents):
    """Write values times powers of two into codes, at (index, rows); out: (n, w)."""
    values = values[:, None].copy()
    with np.errstate(over="ignore", under="ignore"):
        shift(values, exponents)
    if not np.isfinite(values).all():
        raise ValueError(f"Y: its codes are beyond the range of {values.dtype}")
    out[index, rows] = values[:, 0]
