"""Fourier and Hartley transforms of any order, as exact butterflies."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.angles import exp_turns
from .._core.checks import dtype_of, flag, sequence, size
from .._core.limits import check_memory
from .butterfly import Butterfly
from .chain import Chain
from .formulas import Formula
from .named_transform import NamedTransform
from .radices import prime_factors
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
        Order: any integer, at least 1.
    normalized : bool
        ``True``: the transform is unitary, as ``scipy.fft.fft(..., norm="ortho")``.
        ``False``: its entries have modulus one, as those of ``scipy.fft.fft``.
    dtype : numpy dtype
        complex128 or complex64.
    radices : sequence of int, optional
        Positive integers with product n, that of the leftmost factor first. By default
        they are the prime factors of n, which need the fewest parameters. Larger
        radices, such as ``[4, 4, 4]`` for n = 64, give fewer and denser factors.

    Returns
    -------
    NamedTransform
        The `Butterfly` of shape (n, n), on the chain ``Chain.mixed_radix(radices)``
        with columns in digit-reversed order
        (`nbfact.operators.reorderings.digit_reversal`). Its dense matrix is
        `nbfact.targets.dft`.

    Raises
    ------
    TypeError, ValueError
        When `n` or a radix is not a positive integer, the product of the radices is not
        n, or the dtype is another.

    See Also
    --------
    nbfact.transforms.idft : The inverse.
    nbfact.targets.dft : The dense matrix.

    Notes
    -----
    The factors are those of decimation in time (Cooley & Tukey 1965). A product costs
    n times the sum of the radices: the relative complexity gain ``rcg`` is
    n / sum(radices), which is n / (2 log2 n) for a power of two, and 1 for a prime n,
    whose only factor is dense. Angles are reduced in integer arithmetic, so that each
    value is correct to about one unit in the last place.

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
    n, normalized = size("n", n), flag("normalized", normalized)
    dtype = dtype_of(dtype, "c")
    radices = order_radices(f"n={n}", n, radices)
    values = fourier_values(radices)
    if normalized:
        values[0] = values[0] / np.sqrt(n)
    found = butterfly(radices, values, digit_reversal(radices), dtype)
    return NamedTransform(Formula("fft", scale=n**-0.5 if normalized else 1.0), found)


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
    n, dtype, radices
        The parameters of `dft`.
    normalized : bool
        ``True``: the adjoint of `dft`, as ``scipy.fft.ifft(..., norm="ortho")``.
        ``False``: the adjoint divided by n, as ``scipy.fft.ifft``.

    Returns
    -------
    NamedTransform
        The `Butterfly` of shape (n, n), on the transpose of the chain of `dft` with
        rows in digit-reversed order.

    Raises
    ------
    TypeError, ValueError
        The errors of `dft`.

    See Also
    --------
    nbfact.transforms.dft : The transform, of the same cost and ``rcg``.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.arange(6.0)
    >>> bool(np.allclose(nf.transforms.idft(6) @ (nf.transforms.dft(6) @ x), x))
    True
    """
    n, normalized = size("n", n), flag("normalized", normalized)
    dtype = dtype_of(dtype, "c")
    radices = order_radices(f"n={n}", n, radices)
    values, scale = fourier_values(radices), n**-0.5 if normalized else 1 / n
    values[0] = values[0] / (np.sqrt(n) if normalized else n)
    found = butterfly(radices, values, digit_reversal(radices), dtype)
    return NamedTransform(Formula("fft", scale=scale), found).H


def hartley(n: int, normalized: bool = True, *, dtype: Any = np.float64) -> Butterfly:
    """Return the discrete Hartley transform as a butterfly.

    Parameters
    ----------
    n : int
        Order: any integer, at least 1.
    normalized : bool
        ``True``: the transform is orthonormal. ``False``: its entries are
        cos(2π jk/n) + sin(2π jk/n).
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    NamedTransform
        The real `Butterfly` of shape (n, n), on ``Chain.mixed_radix(primes, rank=2)``
        for the prime factors of n, with columns in digit-reversed order. Its dense
        matrix is `nbfact.targets.hartley`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not a positive integer, or the dtype is another.

    See Also
    --------
    nbfact.targets.hartley : The dense matrix.
    nbfact.transforms.dct, nbfact.transforms.dst : Other real transforms.

    Notes
    -----
    The transform is the real part of (1 + i) times the Fourier transform. A product
    costs n (2 f + 4 f' + ... + 4 f'' + 2 f''') with the prime factors f, f', ... of n:
    the relative complexity gain ``rcg`` is n / (8 log2(n) - 8) for a power of two from
    4 on, n / (4 (f + f')) for a product of two primes, and 1 for a prime.

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
    n, normalized = size("n", n), flag("normalized", normalized)
    dtype = dtype_of(dtype, "f")
    radices = order_radices(f"n={n}", n)
    values = fourier_values(radices)
    values[-1] = values[-1] * (1 + 1j)  # exact: most of its values are 1 or -1
    if normalized:
        values[0] = values[0] / np.sqrt(n)
    found = butterfly(radices, values, digit_reversal(radices), dtype)
    scale = n**-0.5 if normalized else 1.0
    return NamedTransform(Formula("hartley", scale=scale), found)


def fourier_values(
    radices: Sequence[int], rows: Any = None, columns: Any = None
) -> list[np.ndarray]:
    """Return the values of diag(r) F diag(c) with the Fourier transform F of order n.

    Parameters
    ----------
    radices : sequence of int
        Radices with product n.
    rows, columns : ndarray of int, shape (n,), optional
        Numerators of the angles of r = exp(-2πi rows / 8n), and of c in the same way,
        in the natural order of columns; none by default. They are added to those of F
        in integer arithmetic, so that no value is rounded twice.

    Returns
    -------
    list of ndarray of complex128
        The values on ``Chain.mixed_radix(radices)``, of shapes (a, b, c, d), for
        columns in digit-reversed order.
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
    """Return the butterfly of complex values, or its real part for a real dtype.

    Parameters
    ----------
    radices : sequence of int
        Radices of the chain.
    values : sequence of ndarray of complex128
        Values on the chain, such as `fourier_values` returns.
    columns, rows : ndarray of int, optional
        The permutations of `Butterfly`.
    dtype : numpy.dtype
        Dtype of the result.
    """
    found = Butterfly(Chain.mixed_radix(radices), values, rows=rows, columns=columns)
    return (found.real_part() if dtype.kind == "f" else found).astype(dtype)


def order_radices(what: str, n: int, radices: Any = None) -> list[int]:
    """Return radices with product n, whose values fit into the memory of this machine.

    Parameters
    ----------
    what : str
        The argument with its value, such as ``"n=12"``, for messages.
    n : int
        Order of a Fourier transform, at least 1.
    radices : sequence of int, optional
        What the caller passed; by default the prime factors of n.

    Raises
    ------
    TypeError, ValueError
        When a radix is not a positive integer, their product is not n, or the values
        do not fit.
    """
    check_memory(what, 16 * n)
    if radices is None:
        found = prime_factors(n) or [1]
    else:
        listed = sequence("radices", radices, "integers", 1)
        found = [size("radices", radix) for radix in listed]
        if math.prod(found) != n:
            raise ValueError(f"radices {found}: their product is not n={n}")
    check_memory(what, 4 * n * sum(found), 16)
    return found
