"""Tied convolutions: parts of circulant matrices by a kernel for columns.

As the kernels of `tied_transforms.py`, it reads the n different values of a transform
of order n, and the spectrum of the matrix.
"""

from collections.abc import Callable

import numpy as np

from .._core import threads
from .._core.angles import exp_turns
from .._core.dtypes import real_dtype
from ..kernels import convolve_columns
from ..kernels.vectors import BYTES
from .convolution_formula import Convolution, convolution_work
from .radices import prime_factors
from .reorderings import digit_reversal, inverse
from .tied_transforms import LARGEST_PRIME, tied_passes, tied_radices

RATES = {"complex": (0.08, 0.17), "real": (0.038, 0.075)}
"""Nanoseconds for each unit of `convolution_work` and column of a whole tile, of single
and of double precision. ``nbfact study rates`` prints them."""
CALL = 2400.0
"""Time of a call on very few numbers, in nanoseconds."""
LARGEST = 1 << 14
"""Largest order: beyond it the planes are much larger than the second cache."""


def is_tied_convolution(formula: Convolution, dtype: np.dtype, batch: int) -> bool:
    """Return whether there is a kernel for a number of columns of a convolution.

    A tile has a vector of 64 bytes of columns at least.
    """
    order = _order(formula, dtype)
    if order is None or not 2 <= order <= LARGEST:
        return False
    return max(prime_factors(order)) <= LARGEST_PRIME and batch >= _width(dtype)


def tied_convolution_cost(formula: Convolution, dtype: np.dtype, batch: int) -> float:
    """Return the nanoseconds that the kernel is expected to take.

    The arguments are those of `Convolution.cost`.
    """
    double = real_dtype(dtype).itemsize == 8
    rate = RATES["complex" if dtype.kind == "c" else "real"][double]
    tile = _width(dtype)
    work = convolution_work(len(formula.column)) * tile * -(-batch // tile)
    return CALL + rate * work


def tied_convolution_multiplier(formula: Convolution, dtype: np.dtype) -> Callable:
    """Return the function (x, out=None) that multiplies columns by the kernel.

    x and out are C-contiguous, of the dtype, and share no memory. They have as many
    columns as `is_tied_convolution` says. Nothing is checked.
    """
    real, order = real_dtype(dtype), _order(formula, dtype)
    radices, tile, m = tied_radices(order), _width(dtype), formula.shape[0]
    group, turns = tied_passes(radices, real)
    places = inverse(digit_reversal(radices))
    places = places + places // group
    k = np.arange(order // 2 + 1)
    pairs = np.stack([k, -k % order], 1)
    factors = _factors(formula.column, order, dtype)
    numbers = factors[pairs].reshape(-1).view(float).astype(real)
    head = [group, len(radices), *radices, formula.reverse, dtype.kind == "c"]
    layout = np.array([*head, *places[pairs].ravel()], np.int64)
    planes = 2, (order + order // group) * tile
    work = convolution_work(len(formula.column)) * 8

    def multiply(x, out=None):
        out = np.empty((m, x.shape[1]), dtype) if out is None else out
        read, written = x.view(real), out.view(real)

        def some(begin, end):
            convolve_columns(
                read,
                layout,
                turns,
                numbers,
                np.empty(planes, real),
                begin,
                end,
                written,
            )

        threads.share(work, x.shape[1], some, tile)
        return out

    return multiply


def _factors(column, order, dtype):
    """Return what rows of a transform are multiplied by: see `convolve_columns`.

    They are the numbers a and b of each row, (order, 2). Let x, c and y be a column,
    the first column of the matrix and their product, E and D the transforms of the even
    and of the odd entries of c, and w = exp(-2πi k / order). Those of y are E times
    that of the even entries of x, plus w D times that of the odd ones, and D times that
    of the even ones, plus E times that of the odd ones.
    """
    import scipy.fft  # not at the top: it takes longer to import than nbfact

    found = np.zeros((order, 2), complex)
    if dtype.kind == "c":
        found[:, 0] = scipy.fft.fft(column / order)
        return found
    even, odd = (scipy.fft.fft(column[part::2] / order) for part in (0, 1))
    w = exp_turns(-np.arange(order), order)
    found[:, 0] = even + 0.5j * odd * (1 - w)
    found[:, 1] = 0.5j * odd * (1 + w)
    return found


def _order(formula, dtype):
    """Return the order of the complex transforms, None where there are none.

    For real columns it is half of that of the circulant matrix.
    """
    order = len(formula.column)
    if dtype.kind == "c":
        return order
    return None if order % 2 else order // 2


def _width(dtype):
    """Return the number of columns of a tile: of real numbers in a vector."""
    return BYTES // real_dtype(dtype).itemsize
