"""Norms of vectors and matrices, computed without overflow and without underflow."""

import numpy as np

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def _sum_of_squares(flat, factor):
    """Return the sum of |factor * flat|² in double precision.

    flat: (n,) real or complex; factor: real scalar.
    """
    total = 0.0
    for i in range(flat.shape[0]):
        re = float(flat[i].real) * factor
        im = float(flat[i].imag) * factor
        total += re * re + im * im
    return total


@kernel
def max_abs(x: np.ndarray) -> float:
    """Return the largest modulus of all real parts and all imaginary parts of an array.

    Parameters
    ----------
    x : ndarray of any shape, real or complex
        Only read; a memory layout other than C order costs a copy.

    Returns
    -------
    float
        In double precision: max(|Re x|, |Im x|) over all entries, and 0 for an array
        without entries. It is not the largest modulus of a complex array, which can be
        up to √2 times larger. What entries that are NaN count for is not defined.

    See Also
    --------
    frobenius_norm : The root of the sum of squares.

    Notes
    -----
    The cost is one pass over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> float(nf.kernels.max_abs(np.array([3.0 - 5.0j, 1.0])))
    5.0
    """
    flat = x.ravel()
    largest = 0.0
    for i in range(flat.shape[0]):
        # max() of three takes longer to compile, and as long to run
        re, im = np.float64(abs(flat[i].real)), np.float64(abs(flat[i].imag))
        if re > largest:
            largest = re
        if im > largest:
            largest = im
    return largest


@kernel
def frobenius_norm(x: np.ndarray) -> float:
    """Return the Frobenius norm of an array, the root of the sum of its squares.

    Parameters
    ----------
    x : ndarray of any shape, real or complex
        Only read; a memory layout other than C order costs a copy.

    Returns
    -------
    float
        ‖x‖_F in double precision, whatever the dtype of x. It is 0 for zeros and for an
        array without entries, infinity where an entry is infinite, and NaN where one is
        NaN and none is infinite.

    See Also
    --------
    spectral_norm : The largest singular value.
    nbfact.relative_error : A norm of a difference, relatively.

    Notes
    -----
    The cost is one pass over x where the squares neither overflow nor lose digits, and
    else two more, on entries that are scaled by a power of two, which is exact.

    Examples
    --------
    Squares that overflow do no harm:

    >>> import numpy as np, nbfact as nf
    >>> f"{nf.kernels.frobenius_norm(np.array([3e200, 4e200])):.6g}"
    '5e+200'
    """
    flat = x.ravel()
    total = _sum_of_squares(flat, 1.0)
    if 1e-250 < total < 1e300:
        return np.sqrt(total)
    largest = max_abs(flat)
    if largest == 0.0:
        return total  # which is 0, or NaN
    if largest == np.inf:
        return largest
    # The scale is a power of two; neither it nor its inverse may overflow.
    exponent = np.floor(np.log2(largest))
    if exponent < -1000.0:
        exponent = -1000.0
    elif exponent > 1000.0:
        exponent = 1000.0
    return float(np.sqrt(_sum_of_squares(flat, 2.0**-exponent))) * 2.0**exponent


@kernel
def divide_by_norm(source, norm, out):
    """Write source / norm to out.

    source, out: (n,), and out may be source; norm: positive real scalar.
    """
    for i in range(source.shape[0]):
        out[i] = source[i] / norm


@kernel
def all_finite(x: np.ndarray) -> bool:
    """Return whether no entry of an array is NaN or infinite, in either of its parts.

    Parameters
    ----------
    x : ndarray of any shape, real or complex
        C-contiguous; only read.

    Returns
    -------
    bool
        True for an array without entries.

    See Also
    --------
    max_abs : The largest of the real and imaginary parts.

    Notes
    -----
    The cost is one pass over x, which does not stop at the first such entry.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> bool(nf.kernels.all_finite(np.array([1.0, np.inf])))
    False
    """
    flat, found = x.reshape(-1), True
    for i in range(flat.shape[0]):
        found &= np.isfinite(flat[i])
    return found
