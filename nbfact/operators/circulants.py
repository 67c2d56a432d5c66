"""Circulant, Toeplitz and Hankel matrices, as exact butterflies."""

from typing import Any

import numpy as np

from .._core.array_checks import array_of
from .._core.dtypes import common_dtype
from .butterfly import Butterfly
from .chain import Chain
from .convolution_formula import Convolution
from .formulas import transform_work
from .fourier import fourier_values, order_radices
from .named_transform import NamedTransform
from .patterns import fused_values
from .radices import prime_factors
from .reorderings import digit_reversal


def circulant(c: Any) -> NamedTransform:
    """Return a circulant matrix, that of a circular convolution, as a butterfly.

    Parameters
    ----------
    c : array_like, shape (n,)
        First column: real or complex, finite, of any length from 1 on.

    Returns
    -------
    NamedTransform
        The operator of shape (n, n) whose entry (i, j) is ``c[(i - j) % n]``, as in
        `scipy.linalg.circulant`. It has the dtype of `c` (float64 for integers), and
        its rows and columns are in digit-reversed order.

    Raises
    ------
    TypeError, ValueError
        When `c` is not a vector of finite numbers.

    See Also
    --------
    toeplitz : The matrix of a linear convolution.
    nbfact.targets.convolution : A dense circulant matrix with random entries.
    nbfact.constraints.Circ : The projection onto circulant matrices.

    Notes
    -----
    The matrix is F⁻¹ diag(F c) F with the Fourier transform F: two butterflies of
    opposite strides. Their middle factors have one pattern and are multiplied together
    with the spectrum F c, so that a `Butterfly` of 2 L - 1 factors is left, where L is
    the number of prime factors of n. For a complex `c`, a product costs n (2 s - f)
    with s the sum of the prime factors of n and f the smallest one: (4 p - 2) n for
    n = 2^p. For a real `c`, the butterfly is the real part, and a product costs
    (16 p - 16) n from p = 2 on: the relative complexity gain ``rcg`` is
    n / (16 p - 16), which is more than 1 from n = 128 on. For a prime n, the only
    factor is the matrix itself.

    References
    ----------
    G. Golub and C. Van Loan, Matrix computations, section 4.8.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> C = nf.transforms.circulant([1.0, 2.0, 3.0, 4.0])
    >>> np.round(C @ [0.0, 1.0, 0.0, 0.0], 12)
    array([4., 1., 2., 3.])
    """
    c = array_of("c", c, 1)
    radices = order_radices(f"c of length {len(c)}", len(c))
    reversal = digit_reversal(radices)
    found = _circulant(c, radices, reversal, reversal)
    return NamedTransform(Convolution(_well_ordered(c), (len(c), len(c))), found)


def toeplitz(c: Any, r: Any = None) -> NamedTransform:
    """Return a Toeplitz matrix, that of a linear convolution, as a butterfly.

    Parameters
    ----------
    c : array_like, shape (m,)
        First column: real or complex, finite, not empty.
    r : array_like, shape (n,), optional
        First row; by default the conjugate of `c`. Entry ``r[0]`` is not used, because
        ``c[0]`` takes its place.

    Returns
    -------
    NamedTransform
        The operator of shape (m, n), whose matrix is that of `scipy.linalg.toeplitz`.

    Raises
    ------
    TypeError, ValueError
        When `c` or `r` is not a vector of finite numbers.

    See Also
    --------
    circulant, hankel : Other matrices with constant diagonals.
    nbfact.constraints.Toeplitz : The projection onto Toeplitz matrices.

    Notes
    -----
    The matrix consists of rows and columns of a circulant matrix, of the order
    N ≥ m + n - 1 whose product costs the least. The costs are those of `circulant`:
    ``rcg`` is m n / (16 N log2(N) - 16 N) for a real matrix and a power of two N.

    References
    ----------
    G. Golub and C. Van Loan, Matrix computations, section 4.8.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.transforms.toeplitz([1.0, 2.0, 3.0], [1.0, 5.0]).toarray().round(12)
    array([[1., 5.],
           [2., 1.],
           [3., 2.]])
    """
    c = array_of("c", c, 1)
    r = c.conj() if r is None else array_of("r", r, 1)
    return _toeplitz(c, r)


def hankel(c: Any, r: Any = None) -> NamedTransform:
    """Return a Hankel matrix, constant along antidiagonals, as a butterfly.

    Parameters
    ----------
    c : array_like, shape (m,)
        First column: real or complex, finite, not empty.
    r : array_like, shape (n,), optional
        Last row; by default m zeros. Entry ``r[0]`` is not used, because ``c[-1]``
        takes its place.

    Returns
    -------
    NamedTransform
        The operator of shape (m, n), whose matrix is that of `scipy.linalg.hankel`.

    Raises
    ------
    TypeError, ValueError
        When `c` or `r` is not a vector of finite numbers.

    See Also
    --------
    toeplitz : The matrix is constant along diagonals.
    nbfact.constraints.Hankel : The projection onto Hankel matrices.

    Notes
    -----
    The matrix is a Toeplitz matrix with its rows in reverse order; cost and ``rcg`` are
    those of `toeplitz`.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.transforms.hankel([1.0, 2.0, 3.0], [3.0, 5.0]).toarray().round(12)
    array([[1., 2.],
           [2., 3.],
           [3., 5.]])
    """
    c = array_of("c", c, 1)
    r = np.zeros_like(c) if r is None else array_of("r", r, 1)
    return _toeplitz(c[::-1], r, reverse=True)


def _toeplitz(c, r, reverse=False):
    """Return the Toeplitz matrix of a column and a row, or with its rows reversed."""
    m, n = len(c), len(r)
    order = _cheapest_order(m + n - 1)
    radices = order_radices(f"c and r of lengths {m} and {n}", order)
    first = np.zeros(order, common_dtype(c.dtype, r.dtype))
    first[:m] = c
    first[order - n + 1 :] = r[:0:-1]
    reversal = digit_reversal(radices)
    rows = np.arange(m)[::-1] if reverse else np.arange(m)
    rows = np.pad(rows, (0, order - m), constant_values=-1)[reversal]
    columns = np.where(reversal < n, reversal, -1)
    found = _circulant(first, radices, rows, columns)
    return NamedTransform(Convolution(first, (m, n), reverse), found)


def _well_ordered(c):
    """Return the first column of the circulant matrix to transform for that of c.

    The library transforms an order with a large prime factor by several transforms of
    twice the length: one such transform has the matrix as a part.
    """
    n = len(c)
    order = _cheapest_order(2 * n - 1)
    if transform_work(n) <= transform_work(order):
        return c
    first = np.zeros(order, c.dtype)
    first[:n] = c
    first[order - n + 1 :] = c[1:]
    return first


def _cheapest_order(least):
    """Return the order, at least `least`, whose Fourier transform costs the least."""
    import scipy.fft  # not at the top: it takes longer to import than nbfact

    order = scipy.fft.next_fast_len(least)
    power = 1 << (least - 1).bit_length()
    best = power
    while order < power:
        if order * sum(prime_factors(order)) < best * sum(prime_factors(best)):
            best = order
        order = scipy.fft.next_fast_len(order + 1)
    return best


def _circulant(c, radices, rows, columns):
    """Return the circulant matrix of a column, with the permutations of `Butterfly`."""
    n = len(c)
    if len(radices) == 1:
        i = np.arange(n)
        dense = c[(i[:, None] - i) % n]
        return Butterfly(
            [(1, n, n, 1)], [dense[None, :, :, None]], rows=rows, columns=columns
        )
    # With digit-reversed columns, F is K0 ... KJ. With the spectrum D, the matrix is
    # KJ^H ... (K0^H D K0) ... KJ.
    values = fourier_values(radices)
    import scipy.fft

    spectrum = scipy.fft.fft(c.astype(complex) / n)  # a mean cannot overflow
    weighted = values[0] * spectrum.reshape(1, radices[0], 1, -1)
    adjoints = [value.conj().transpose(0, 2, 1, 3) for value in values]
    middle = fused_values(adjoints[0], weighted)
    values = [*adjoints[:0:-1], middle, *values[1:]]
    chain = Chain([value.shape for value in values])
    found = Butterfly(chain, values, rows=rows, columns=columns)
    return (found if c.dtype.kind == "c" else found.real_part()).astype(c.dtype)
