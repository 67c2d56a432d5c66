"""Discrete cosine and sine transforms of any order, as exact real butterflies."""

import math
from typing import Any

import numpy as np

from .._core.checks import dtype_of, flag, size
from .butterfly import Butterfly
from .formulas import Formula
from .fourier import butterfly, fourier_values, order_radices
from .named_transform import NamedTransform
from .reorderings import digit_reversal, makhoul


def dct(
    n: int, type: int = 2, *, normalized: bool = True, dtype: Any = np.float64
) -> Butterfly:
    """Return a discrete cosine transform as a real butterfly.

    Parameters
    ----------
    n : int
        Order: any integer, at least 1, and at least 2 for type 1.
    type : int
        Type of the transform, 1, 2, 3 or 4.
    normalized : bool
        ``True``: the transform is orthonormal, as
        ``scipy.fft.dct(..., norm="ortho")``. ``False``: it has the textbook scaling, as
        ``scipy.fft.dct``.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    NamedTransform
        The `Butterfly` of shape (n, n). For types 2 and 4, its chain is
        ``Chain.mixed_radix(primes, rank=2)`` with the prime factors of n, and its
        columns are in Makhoul's order, then digit-reversed. Type 3 is the transpose of
        type 2. Type 1 is on that chain for order 2 (n - 1), with rows and columns
        dropped. The dense matrix of type 2 is `nbfact.targets.dct`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or too small; when the type or the dtype is another.

    See Also
    --------
    nbfact.targets.dct : The dense matrix of type 2.
    nbfact.transforms.dst : The discrete sine transform.

    Notes
    -----
    The transform is the real part of diag(r) F diag(c) with a Fourier transform F of
    order n. A product costs n (2 f + 4 f' + ... + 4 f'' + 2 f''') with the prime
    factors f, f', ... of n: the relative complexity gain ``rcg`` is
    n / (8 log2(n) - 8) for a power of two from 4 on, and 1 for a prime n, whose only
    factor is dense. Type 1 costs as much as order N = 2 (n - 1): for N = 2^p, ``rcg``
    is n² / (N (8 p - 8)), which is more than 1 from n = 129 on.

    References
    ----------
    J. Makhoul, A fast cosine transform in one and two dimensions, IEEE Trans.
    Acoustics, Speech and Signal Processing, 1980 [makhoul1980].

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> x = np.arange(60.0)
    >>> bool(np.allclose(nf.transforms.dct(60) @ x, scipy.fft.dct(x, norm="ortho")))
    True
    >>> nf.transforms.dct(64).nnz, nf.transforms.dct(64).rcg
    (2560, 1.6)
    """
    n, type, normalized = size("n", n), _type(type), flag("normalized", normalized)
    dtype = dtype_of(dtype, "f")
    formula = _formula("dct", type, normalized, n)
    if type == 1:
        found = _cosine_of_double_order(n, normalized, dtype)
        return NamedTransform(formula, found)
    radices = order_radices(f"n={n}", n)
    k, weights = np.arange(n), np.full(n, np.sqrt(2 / n) if normalized else 2.0)
    odd = np.arange(n) >= (n + 1) // 2  # positions of odd columns in Makhoul's order
    if type == 4:
        turns = 4 * k + 4 * n * odd
        found = _makhoul(radices, 2 * k + 1, turns, weights, dtype)
        return NamedTransform(formula, found)
    weights[0] = np.sqrt(1 / n) if normalized else 4.0 - type
    second = _makhoul(radices, 2 * k, None, weights, dtype)
    return NamedTransform(formula, second if type == 2 else second.T)


def dst(
    n: int, type: int = 2, *, normalized: bool = True, dtype: Any = np.float64
) -> Butterfly:
    """Return a discrete sine transform as a real butterfly.

    Parameters
    ----------
    n : int
        Order: any integer, at least 1.
    type : int
        Type of the transform, 1, 2, 3 or 4.
    normalized : bool
        ``True``: the transform is orthonormal, as
        ``scipy.fft.dst(..., norm="ortho")``. ``False``: it has the textbook scaling, as
        ``scipy.fft.dst``.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    NamedTransform
        The `Butterfly` of shape (n, n), on the chains of `dct` with columns in the same
        order; for type 1, on the chain for order 2 (n + 1). The dense matrix of type 2
        is `nbfact.targets.dst`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not a positive integer, or the type or the dtype is another.

    See Also
    --------
    nbfact.targets.dst : The dense matrix of type 2.
    nbfact.transforms.dct : The discrete cosine transform.

    Notes
    -----
    Cost and ``rcg`` of types 2 to 4 are those of `dct`. Type 1 costs as much as order
    N = 2 (n + 1): for N = 2^p, ``rcg`` is n² / (N (8 p - 8)), which is more than 1 from
    n = 127 on.

    References
    ----------
    J. Makhoul, A fast cosine transform in one and two dimensions, IEEE Trans.
    Acoustics, Speech and Signal Processing, 1980 [makhoul1980].

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> x = np.arange(7.0)
    >>> expected = scipy.fft.dst(x, type=4, norm="ortho")
    >>> bool(np.allclose(nf.transforms.dst(7, type=4) @ x, expected))
    True
    """
    n, type, normalized = size("n", n), _type(type), flag("normalized", normalized)
    dtype = dtype_of(dtype, "f")
    formula = _formula("dst", type, normalized, n)
    if type == 1:
        return NamedTransform(formula, _sine_of_double_order(n, normalized, dtype))
    radices = order_radices(f"n={n}", n)
    k, weights = np.arange(n), np.full(n, np.sqrt(2 / n) if normalized else 2.0)
    odd = np.arange(n) >= (n + 1) // 2
    # sin(t) is the real part of i exp(-it). Angles count in turns of 1/8n, so that the
    # quarter turn of the factor i is 2n.
    if type == 4:
        found = _makhoul(radices, 2 * k + 1 - 2 * n, 4 * k, weights, dtype)
        return NamedTransform(formula, found)
    weights[-1] = np.sqrt(1 / n) if normalized else 4.0 - type
    second = _makhoul(radices, 2 * k + 2 - 2 * n, 8 * k + 4 * n * odd, weights, dtype)
    return NamedTransform(formula, second if type == 2 else second.T)


def _makhoul(radices, rows, columns, weights, dtype):
    """Return diag(weights) Re(diag(r) F diag(c)), its columns in Makhoul's order.

    The radices are those of F. rows and columns are the numerators of the angles of r
    and c, see `fourier_values`; they and the weights have shape (n,).
    """
    n = len(rows)
    values = fourier_values(radices, rows, columns)
    values[0] = values[0] * weights.reshape(1, radices[0], 1, -1)
    return butterfly(radices, values, makhoul(n)[digit_reversal(radices)], dtype)


def _cosine_of_double_order(n, normalized, dtype):
    """Return the DCT of type 1, a part of a Fourier transform of order 2 (n - 1).

    The part has the rows and the columns 0 to n - 1.
    """
    if n < 2:
        raise ValueError(f"n={n}: a cosine transform of type 1 needs at least 2")
    radices = order_radices(f"n={n}", 2 * (n - 1))
    rows, columns = np.ones(n), np.full(n, 2.0)
    columns[[0, -1]] = 1.0
    if normalized:
        rows[:] = np.sqrt(2 / (n - 1))
        rows[[0, -1]] = np.sqrt(1 / (n - 1))
        columns[:] = 1.0
        columns[[0, -1]] = np.sqrt(0.5)
    return _part(radices, 0, 0, rows, columns, dtype)


def _sine_of_double_order(n, normalized, dtype):
    """Return the DST of type 1, a part of a Fourier transform of order 2 (n + 1).

    The part has the rows and the columns 1 to n.
    """
    radices = order_radices(f"n={n}", 2 * (n + 1))
    rows = np.full(n, np.sqrt(2 / (n + 1)) if normalized else 2.0)
    quarter = -4 * (n + 1)  # a quarter turn back, so that sines become real parts
    return _part(radices, 1, quarter, rows, np.ones(n), dtype)


def _part(radices, first, turn, rows, columns, dtype):
    """Return the part of a weighted Fourier transform from index `first` on.

    The part has n rows and n columns. `turn` is added to the numerators of all angles;
    `rows` and `columns` are the weights, of shape (n,).
    """
    n, order = len(rows), math.prod(radices)
    padding = (first, order - n - first)
    index = np.pad(np.arange(n), padding, constant_values=-1)
    reversal = digit_reversal(radices)
    values = fourier_values(radices, np.full(order, turn))
    weights = np.pad(rows, padding).reshape(1, radices[0], 1, -1)
    values[0] = values[0] * weights
    weights = np.pad(columns, padding)[reversal].reshape(-1, 1, radices[-1], 1)
    values[-1] = values[-1] * weights
    return butterfly(radices, values, index[reversal], dtype, rows=index)


def _formula(function, type, normalized, n):
    """Return the formula of a cosine or sine transform, as scipy.fft defines it."""
    half = n if type > 1 else n - 1 if function == "dct" else n + 1
    if not normalized or half < 1:
        return Formula(function, type)
    return Formula(function, type, True, (2 * half) ** -0.5)


def _type(type):
    """Return the type of a cosine or sine transform as an int, checked."""
    if size("type", type) > 4:
        raise ValueError(f"type={type}: expected 1, 2, 3 or 4")
    return int(type)
