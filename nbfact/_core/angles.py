"""Cosines and sines of fractions of a turn, right to the last bits.

The angle is reduced among integers first: ``exp(-2j * pi * j * k / n)`` written as
such is wrong by ``n * eps`` for large j and k.
"""

import numpy as np


def cos_turns(numerator: np.ndarray, period: int) -> np.ndarray:
    """Return cos(2π numerator / period) for integers, exact at quarters of a turn."""
    numerator = numerator % period
    # In [0, 1/2] of a turn; as the sine of the signed distance to a quarter turn,
    # small results keep their relative accuracy. Adding 0 turns -0 into 0.
    numerator = np.minimum(numerator, period - numerator)
    return np.sin(np.pi / 2 * ((period - 4 * numerator) / period)) + 0.0


def sin_turns(numerator: np.ndarray, period: int) -> np.ndarray:
    """Return sin(2π numerator / period) for integers, exact at quarters of a turn."""
    return cos_turns(4 * numerator - period, 4 * period)


def exp_turns(numerator: np.ndarray, period: int) -> np.ndarray:
    """Return exp(2πi numerator / period) for integers: complex128."""
    values = np.empty(np.shape(numerator), complex)
    values.real = cos_turns(numerator, period)
    values.imag = sin_turns(numerator, period)
    return values
