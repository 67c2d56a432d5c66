"""Cosines and sines of fractions of a turn, correct to the last bits.

An angle is given as a fraction ``numerator / period`` of a turn and reduced to one turn
in integer arithmetic. The direct formula ``exp(-2j * pi * j * k / n)`` has an error of
up to ``n * eps`` for large j and k, because the rounded product is reduced instead.
"""

import numpy as np


def cos_turns(numerator: np.ndarray, period: int) -> np.ndarray:
    """Return cos(2π numerator / period), exact at multiples of a quarter turn.

    Parameters
    ----------
    numerator : ndarray of int
        Numerators of the angles, as fractions of a turn; any sign and size.
    period : int
        Denominator of the angles.

    Returns
    -------
    ndarray of float64
        The cosines, in the shape of `numerator`.
    """
    numerator = numerator % period
    # Reflect the angle into [0, 1/2] of a turn, and take the cosine as the sine of the
    # signed distance to a quarter turn: small results then keep their relative
    # accuracy. The added 0 turns -0 into 0.
    numerator = np.minimum(numerator, period - numerator)
    return np.sin(np.pi / 2 * ((period - 4 * numerator) / period)) + 0.0


def sin_turns(numerator: np.ndarray, period: int) -> np.ndarray:
    """Return sin(2π numerator / period), exact at multiples of a quarter turn.

    Parameters and result are those of `cos_turns`.
    """
    return cos_turns(4 * numerator - period, 4 * period)


def exp_turns(numerator: np.ndarray, period: int) -> np.ndarray:
    """Return exp(2πi numerator / period) as complex128.

    Parameters are those of `cos_turns`.
    """
    values = np.empty(np.shape(numerator), complex)
    values.real = cos_turns(numerator, period)
    values.imag = sin_turns(numerator, period)
    return values
