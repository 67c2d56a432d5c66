"""Fourier and Hartley transforms of any order as exact butterflies."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.angles import exp_turns
from .._core.checks import dtype_of, size
from .butterfly import Butterfly
from .chain import Chain
from .patterns import positive, prime_factors
from .reorderings import digit_reversal


def dft(
    n: int,
    normalized: bool = True,
    *,
    dtype: Any = np.complex128,
    radices: Sequence[int] | None = None,
) -> Butterfly:
    """Return the discrete Fourier transform as a butterfly.

    Parameters
    ----------
    n : int
        Order, at least 1; any integer.
    normalized : bool
        ``True``: unitary, as ``scipy.fft.fft(..., norm="ortho")``. ``False``: entries
        of modulus one, as ``scipy.fft.fft``.
    dtype : numpy dtype
        complex128 or complex64.
    radices : sequence of int, optional
        Positive integers of product n, the leftmost factor's first; by default the
        prime factors of n, which need the fewest parameters. Larger ones, as
        ``[4, 4, 4]``, give fewer and denser factors.

    Returns
    -------
    Butterfly
        Of shape (n, n) on ``Chain.mixed_radix(radices)``, columns in the order of
        `permutations.digit_reversal`; equal to `targets.dft`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not a positive integer, the product of the radices is not n, or the
        dtype is another.

    Notes
    -----
    Decimation in time (Cooley & Tukey 1965). A product costs n times the sum of the
    radices: ``rcg`` is n / sum(radices), n / (2 log2 n) for a power of two, and 1 for
    a prime n, whose only factor is dense. Angles are exact, see `nbfact.targets`.

    References
    ----------
    C. Van Loan, Computational frameworks for the fast Fourier transform, 1992.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> F = nf.transforms.dft(12)
    >>> x = np.arange(12.0)
    >>> bool(np.allclose(F @ x, np.fft.fft(x, norm="ortho")))
    True
    >>> F.chain, round(F.rcg, 3)  # 12 / (2 + 2 + 3)
    (Chain([(1, 2, 2, 6), (2, 2, 2, 3), (4, 3, 3, 1)]), 1.714)
    """
    n = size("n", n)
    dtype = dtype_of(dtype, "c")
    radices = _radices(n, radices)
    values = fourier_values(radices)
    if normalized:
        values[0] = values[0] / np.sqrt(n)
    return butterfly(radices, values, digit_reversal(radices), dtype)


def idft(
    n: int,
    normalized: bool = True,
    *,
    dtype: Any = np.complex128,
    radices: Sequence[int] | None = None,
) -> Butterfly:
    """Return the inverse of `dft` as a butterfly.

    Parameters
    ----------
    n, normalized, dtype, radices
        As in `dft`: ``True`` gives its adjoint, ``scipy.fft.ifft(..., norm="ortho")``;
        ``False`` the adjoint divided by n, ``scipy.fft.ifft``.

    Returns
    -------
    Butterfly
        Of shape (n, n) on the transpose of the chain of `dft`, rows permuted.

    Raises
    ------
    TypeError, ValueError
        As `dft`.

    Notes
    -----
    ``rcg`` is that of `dft`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.arange(6.0)
    >>> bool(np.allclose(nf.transforms.idft(6) @ (nf.transforms.dft(6) @ x), x))
    True
    """
    n = size("n", n)
    dtype = dtype_of(dtype, "c")
    radices = _radices(n, radices)
    values = fourier_values(radices)
    values[0] = values[0] / (np.sqrt(n) if normalized else n)
    return butterfly(radices, values, digit_reversal(radices), dtype).H


def hartley(n: int, normalized: bool = True, *, dtype: Any = np.float64) -> Butterfly:
    """Return the discrete Hartley transform as a butterfly.

    Parameters
    ----------
    n : int
        Order, at least 1; any integer.
    normalized : bool
        ``True``: orthonormal. ``False``: entries cos + sin.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        Real, of shape (n, n), equal to `targets.hartley`; on the chain
        ``Chain.mixed_radix(primes, rank=2)``, columns in digit-reversed order.

    Raises
    ------
    TypeError, ValueError
        When `n` is not a positive integer, or the dtype is another.

    Notes
    -----
    The real part of (1 + i) times the Fourier transform. A product costs
    n (2 f + 4 f' + ... + 4 f'' + 2 f''') with the prime factors f of n, so that
    ``rcg`` is n / (8 log2(n) - 8) for a power of two from 4 on, n / (4 (f + f')) for
    two primes, and 1 for one.

    References
    ----------
    R. Bracewell, The discrete Hartley transform, J. Opt. Soc. Am., 1983.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> (nf.transforms.hartley(4, normalized=False) @ np.eye(4)).astype(int)
    array([[ 1,  1,  1,  1],
           [ 1,  1, -1, -1],
           [ 1, -1,  1, -1],
           [ 1, -1, -1,  1]])
    """
    n = size("n", n)
    dtype = dtype_of(dtype, "f")
    radices = _radices(n)
    values = fourier_values(radices)
    values[-1] = values[-1] * (1 + 1j)  # there most entries are 1 and -1: exact
    if normalized:
        values[0] = values[0] / np.sqrt(n)
    return butterfly(radices, values, digit_reversal(radices), dtype)


def fourier_values(
    radices: Sequence[int], rows: Any = None, columns: Any = None
) -> list[np.ndarray]:
    """Return the values of diag(r) F diag(c), F the Fourier transform of order n.

    Parameters
    ----------
    radices : sequence of int
        Their product is n.
    rows, columns : ndarray of int, shape (n,), optional
        r = exp(-2πi rows / 8n), and c alike in the natural order of columns: the
        angles are added among integers, so that no entry is rounded twice.

    Returns
    -------
    list of ndarray of complex128
        For columns in digit-reversed order.
    """
    n = math.prod(radices)
    chain, values = Chain.mixed_radix(radices), []
    for level, (a, b, c, d) in enumerate(chain):
        row = np.arange(b * d).reshape(1, b, 1, d)
        angle = row * np.arange(c).reshape(1, 1, c, 1) * (8 * n // (b * d))
        if level == 0 and rows is not None:
            angle = angle + np.reshape(rows, (1, b, 1, d))
        if level == len(chain) - 1 and columns is not None:
            angle = angle + columns[digit_reversal(radices)].reshape(a, 1, c, 1)
        values.append(np.broadcast_to(exp_turns(-angle, 8 * n), (a, b, c, d)))
    return values


def butterfly(
    radices: Sequence[int],
    values: Sequence[np.ndarray],
    columns: np.ndarray,
    dtype: np.dtype,
    rows: np.ndarray | None = None,
) -> Butterfly:
    """Return complex values on a chain as a butterfly; its real part for a real dtype.

    columns, rows: the permutations of `Butterfly`.
    """
    found = Butterfly(Chain.mixed_radix(radices), values, rows=rows, columns=columns)
    return (found.real_part() if dtype.kind == "f" else found).astype(dtype)


def _radices(n, radices=None):
    """Return checked radices of product n; by default its prime factors."""
    if radices is None:
        return prime_factors(n) or [1]
    found = [positive("radices", radix) for radix in np.atleast_1d(radices).tolist()]
    if math.prod(found) != n or not found:
        raise ValueError(f"radices {found}: their product is not n={n}")
    return found
