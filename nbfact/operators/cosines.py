"""Discrete cosine and sine transforms of any order as exact real butterflies."""

from typing import Any

import numpy as np

from .._core.checks import dtype_of, size
from .butterfly import Butterfly
from .fourier import butterfly, fourier_values
from .patterns import prime_factors
from .reorderings import digit_reversal, makhoul


def dct(
    n: int, type: int = 2, *, normalized: bool = True, dtype: Any = np.float64
) -> Butterfly:
    """Return a discrete cosine transform as a real butterfly.

    Parameters
    ----------
    n : int
        Order, at least 1 (type 1: at least 2); any integer.
    type : int
        1, 2, 3 or 4.
    normalized : bool
        ``True``: orthonormal, as ``scipy.fft.dct(..., norm="ortho")``. ``False``: the
        textbook scaling, as ``scipy.fft.dct``.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        Of shape (n, n). Types 2 and 4: on ``Chain.mixed_radix(primes, rank=2)``, the
        primes those of n, columns in Makhoul's order, then digit-reversed; type 3 is
        the transpose of type 2. Type 1: on that chain for 2 (n - 1), from which rows
        and columns are dropped.

    Raises
    ------
    TypeError, ValueError
        When `n` or `type` is not one of those integers, or the dtype is another.

    Notes
    -----
    The real part of diag(r) F diag(c), F a Fourier transform of order n. A product
    costs n (2 f + 4 f' + ... + 4 f'' + 2 f''') with the prime factors f of n:
    ``rcg`` is n / (8 log2(n) - 8) for a power of two from 4 on, and 1 for a prime, as
    the only factor is dense. Type 1 costs what order N = 2 (n - 1) costs: for
    N = 2^p, ``rcg`` is n² / (N (8 p - 8)), more than 1 from n = 129 on.

    References
    ----------
    J. Makhoul, A fast cosine transform in one and two dimensions, IEEE Trans.
    Acoustics, Speech and Signal Processing, 1980.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> x = np.arange(60.0)
    >>> bool(np.allclose(nf.transforms.dct(60) @ x, scipy.fft.dct(x, norm="ortho")))
    True
    >>> nf.transforms.dct(64).nnz, nf.transforms.dct(64).rcg
    (2560, 1.6)
    """
    n, type = size("n", n), _type(type)
    dtype = dtype_of(dtype, "f")
    if type == 1:
        return _cosine_of_double_order(n, normalized, dtype)
    k, weights = np.arange(n), np.full(n, np.sqrt(2 / n) if normalized else 2.0)
    odd = np.arange(n) >= (n + 1) // 2  # positions of odd columns in Makhoul's order
    if type == 4:
        return _makhoul(2 * k + 1, 4 * k + 4 * n * odd, weights, dtype)
    weights[0] = np.sqrt(1 / n) if normalized else 4.0 - type
    second = _makhoul(2 * k, None, weights, dtype)
    return second if type == 2 else second.T


def dst(
    n: int, type: int = 2, *, normalized: bool = True, dtype: Any = np.float64
) -> Butterfly:
    """Return a discrete sine transform as a real butterfly.

    Parameters
    ----------
    n : int
        Order, at least 1; any integer.
    type : int
        1, 2, 3 or 4.
    normalized : bool
        ``True``: orthonormal, as ``scipy.fft.dst(..., norm="ortho")``. ``False``: the
        textbook scaling, as ``scipy.fft.dst``.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        Of shape (n, n), on the chains of `dct`, columns in the same order; type 1 on
        that for 2 (n + 1).

    Raises
    ------
    TypeError, ValueError
        When `n` or `type` is not one of those integers, or the dtype is another.

    Notes
    -----
    Cost and ``rcg`` of types 2 to 4 are those of `dct`. Type 1 costs what order
    N = 2 (n + 1) costs: for N = 2^p, ``rcg`` is n² / (N (8 p - 8)), more than 1 from
    n = 127 on.

    References
    ----------
    J. Makhoul, A fast cosine transform in one and two dimensions, IEEE Trans.
    Acoustics, Speech and Signal Processing, 1980.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> x = np.arange(7.0)
    >>> bool(np.allclose(nf.transforms.dst(7, type=4) @ x, scipy.fft.dst(x, 4, norm="ortho")))
    True
    """
    n, type = size("n", n), _type(type)
    dtype = dtype_of(dtype, "f")
    if type == 1:
        return _sine_of_double_order(n, normalized, dtype)
    k, weights = np.arange(n), np.full(n, np.sqrt(2 / n) if normalized else 2.0)
    odd = np.arange(n) >= (n + 1) // 2
    # sin(t) is the real part of i exp(-it); a quarter of a turn is 2n eighths of 1/n.
    if type == 4:
        return _makhoul(2 * k + 1 - 2 * n, 4 * k, weights, dtype)
    weights[-1] = np.sqrt(1 / n) if normalized else 4.0 - type
    second = _makhoul(2 * k + 2 - 2 * n, 8 * k + 4 * n * odd, weights, dtype)
    return second if type == 2 else second.T


def _makhoul(rows, columns, weights, dtype):
    """Return diag(weights) Re(diag(r) F diag(c)) for columns in Makhoul's order.

    rows, columns: numerators of the angles, see `fourier_values`; all: (n,).
    """
    n = len(rows)
    radices = prime_factors(n) or [1]
    values = fourier_values(radices, rows, columns)
    values[0] = values[0] * weights.reshape(1, radices[0], 1, -1)
    return butterfly(radices, values, makhoul(n)[digit_reversal(radices)], dtype)


def _cosine_of_double_order(n, normalized, dtype):
    """Return the DCT of type 1: rows and columns 0 to n - 1 of order 2 (n - 1)."""
    if n < 2:
        raise ValueError(f"n={n}: a cosine transform of type 1 needs at least 2")
    rows, columns = np.ones(n), np.full(n, 2.0)
    columns[[0, -1]] = 1.0
    if normalized:
        rows[:] = np.sqrt(2 / (n - 1))
        rows[[0, -1]] = np.sqrt(1 / (n - 1))
        columns[:] = 1.0
        columns[[0, -1]] = np.sqrt(0.5)
    return _part(2 * (n - 1), 0, 0, rows, columns, dtype)


def _sine_of_double_order(n, normalized, dtype):
    """Return the DST of type 1: rows and columns 1 to n of order 2 (n + 1)."""
    rows = np.full(n, np.sqrt(2 / (n + 1)) if normalized else 2.0)
    quarter = -4 * (n + 1)  # a quarter of a turn back: sines are real parts then
    return _part(2 * (n + 1), 1, quarter, rows, np.ones(n), dtype)


def _part(order, first, turn, rows, columns, dtype):
    """Return rows and columns first, first + 1, ... of a weighted Fourier transform.

    turn: added to the numerators of all angles; rows, columns: (n,), the weights.
    """
    n = len(rows)
    padding = (first, order - n - first)
    index = np.pad(np.arange(n), padding, constant_values=-1)
    radices = prime_factors(order)
    reversal = digit_reversal(radices)
    values = fourier_values(radices, np.full(order, turn))
    weights = np.pad(rows, padding).reshape(1, radices[0], 1, -1)
    values[0] = values[0] * weights
    weights = np.pad(columns, padding)[reversal].reshape(-1, 1, radices[-1], 1)
    values[-1] = values[-1] * weights
    return butterfly(radices, values, index[reversal], dtype, rows=index)


def _type(type):
    """Return the checked type of a cosine or sine transform."""
    if size("type", type) > 4:
        raise ValueError(f"type={type}: expected 1, 2, 3 or 4")
    return int(type)
