"""Tied convolutions: parts of circulant matrices by kernels.

As those of `tied_transforms.py`, they read the n different values of a transform of
order n, and the spectrum of the matrix.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import threads
from .._core.angles import exp_turns
from .._core.cache_lines import aligned
from .._core.dtypes import real_dtype
from ..kernels import convolve_columns, convolve_vector
from ..kernels.entry_points import entry_point
from .convolution_formula import Convolution, convolution_work
from .radices import prime_factors
from .reorderings import digit_reversal, inverse
from .tied_steps import (
    LARGEST_PRIME,
    Tied,
    has_sides,
    tied_passes,
    tied_radices,
    vector_multiplier,
    vector_steps,
    width_of,
)

RATES = {
    "columns": {"complex": (0.08, 0.17), "real": (0.038, 0.075)},
    "vector": {"complex": (0.12, 0.24), "real": (0.065, 0.12)},
}
"""Nanoseconds for each unit of `convolution_work` and column of a whole tile, or
vector, of single and of double precision. ``nbfact study rates`` prints them."""
CALLS = {"columns": 2400.0, "vector": 2150.0}
"""Time of a call on very few numbers, in nanoseconds."""
LARGEST = {"columns": 1 << 14, "vector": 1 << 16}
"""Largest orders: beyond them arrays are much larger than the second cache."""


def is_tied_convolution(formula: Convolution, dtype: np.dtype, batch: int) -> bool:
    """Return whether there is a kernel for a number of columns of a convolution.

    There is one for a vector, and for a vector of 64 bytes of columns at least.
    """
    order, kind = _order(formula, dtype), "columns" if batch > 1 else "vector"
    if order is None or not 2 <= order <= LARGEST[kind]:
        return False
    if max(prime_factors(order)) > LARGEST_PRIME:
        return False
    return has_sides(order, dtype) if batch == 1 else batch >= width_of(dtype)


def tied_convolution_cost(formula: Convolution, dtype: np.dtype, batch: int) -> float:
    """Return the nanoseconds that the kernel is expected to take.

    The arguments are those of `Convolution.cost`.
    """
    double, kind = real_dtype(dtype).itemsize == 8, "columns" if batch > 1 else "vector"
    rate = RATES[kind]["complex" if dtype.kind == "c" else "real"][double]
    work = convolution_work(len(formula.column))
    if batch > 1:
        tile = width_of(dtype)
        work *= tile * -(-batch // tile)
    return CALLS[kind] + rate * work


def tied_convolution_multiplier(
    formula: Convolution, dtype: np.dtype, batch: int
) -> Callable:
    """Return the function (x, out=None) that multiplies by a kernel.

    x and out are C-contiguous, of the dtype, and share no memory: vectors for batch 1,
    and otherwise any number of columns that `is_tied_convolution` accepts. Nothing is
    checked.
    """
    if batch == 1:
        steps = tied_convolution_vector(formula, dtype)
        return vector_multiplier(*steps, formula.shape[0], dtype)
    kernel, (layout, turns, numbers), (shape,) = tied_convolution(formula, dtype)
    real, m, tile = real_dtype(dtype), formula.shape[0], width_of(dtype)
    work, empty = convolution_work(len(formula.column)) * 8, np.empty
    wide, idle = threads.shared_from(work), list[np.ndarray]()
    compiled: Any = None

    def some(x, out, begin, end):
        nonlocal compiled
        try:
            planes = idle.pop()  # which no thread is using
        except IndexError:
            planes = aligned(shape, real)
            if compiled is None:
                given = layout, turns, numbers, planes
                compiled = entry_point(kernel, x, *given, 0, 0, out)
        compiled(x, layout, turns, numbers, planes, begin, end, out)
        idle.append(planes)

    def multiply(x, out=None):
        batch = x.shape[1]
        out = empty((m, batch), dtype) if out is None else out
        read, written = (x, out) if dtype is real else (x.view(real), out.view(real))
        if batch < wide:
            some(read, written, 0, batch)
        else:
            threads.share(work, batch, lambda i, j: some(read, written, i, j), tile)
        return out

    return multiply


def tied_convolution(formula: Convolution, dtype: np.dtype) -> Tied:
    """Return the kernel of a convolution that `is_tied_convolution` accepts."""
    real, order = real_dtype(dtype), _order(formula, dtype)
    radices = tied_radices(order)
    group, turns = tied_passes(radices, real)
    places = inverse(digit_reversal(radices))
    places = places + places // group
    k = np.arange(order // 2 + 1)
    pairs = np.stack([k, -k % order], 1)
    factors = _factors(formula.column, order, dtype)
    numbers = factors[pairs].reshape(-1).view(float).astype(real)
    head = [group, len(radices), *radices, formula.reverse, dtype.kind == "c"]
    layout = np.array([*head, *places[pairs].ravel()], np.int64)
    planes = 2, (order + order // group) * width_of(dtype)
    return Tied(convolve_columns, (layout, turns, numbers), (planes,))


def tied_convolution_vector(formula: Convolution, dtype: np.dtype) -> Tied:
    """Return the kernel for a vector that `is_tied_convolution` accepts."""
    real, order = real_dtype(dtype), _order(formula, dtype)
    listed, turns, cross, scratch = vector_steps(order, dtype)
    factors = _factors(formula.column, order, dtype).T[: 1 if dtype.kind == "c" else 2]
    parts = np.stack([factors.real, factors.imag], 1).ravel().astype(real)
    ends = formula.shape[1], formula.reverse
    layouts = np.array([[*listed, *ends, way] for way in (0, 1)], np.int64)
    arguments = layouts, np.concatenate([turns, parts]), cross
    return Tied(convolve_vector, arguments, (*scratch, (2, 2 * order)))


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
