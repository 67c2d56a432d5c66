"""Tied: named transforms of columns by kernels that know the values of a transform.

A chain stores each value of its factors. Here a transform of order n reads the n
different ones, so that a batch of columns costs its arithmetic alone
(`nbfact/kernels/fourier_columns.py`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._core import threads
from .._core.angles import exp_turns
from .._core.dtypes import real_dtype
from ..kernels import fourier_columns, real_columns, real_columns_adjoint
from ..kernels.vectors import BYTES
from .formulas import Formula, transform_work
from .radices import prime_factors
from .reorderings import digit_reversal, inverse, makhoul

RATES = {"complex": (0.065, 0.135), "real": (0.035, 0.075)}
"""Nanoseconds for each unit of `transform_work` and column of a whole tile, of single
and of double precision. ``nbfact study rates`` prints them."""
CALL = 2500.0
"""Time of a call on very few numbers, in nanoseconds."""
GROUP = 64
"""Most rows of the planes without an unused one after them."""
LARGEST = 1 << 13
"""Largest order: beyond it the planes of one tile are larger than the second cache."""
LARGEST_PRIME = 5
"""Largest radix that the kernels have."""


class Tied(NamedTuple):
    """The arguments of a kernel that do not depend on its columns.

    Attributes
    ----------
    kernel : callable
        A kernel of `nbfact.kernels.fourier_columns`.
    layout, turns, numbers
        Its arguments of these names; for `fourier_columns`, `numbers` is the scale.
    rows : int
        Number of rows of the planes.
    """

    kernel: Callable[..., Any]
    layout: np.ndarray
    turns: np.ndarray
    numbers: Any
    rows: int


def is_tied(formula: Formula, n: int, dtype: np.dtype, batch: int) -> bool:
    """Return whether there is a kernel for columns of a transform.

    The parameters are those of `tied_cost`.
    """
    fourier = formula.function in ("fft", "ifft")
    if formula.before != (1.0, 1.0) or formula.after != (1.0, 1.0):
        return False
    if (dtype.kind == "c") != fourier or isinstance(formula.scale, complex):
        return False
    if not fourier and formula.type not in (0, 2, 3):
        return False
    if formula.function == "ifft" or not 2 <= n <= LARGEST:
        return False
    return max(prime_factors(n)) <= LARGEST_PRIME and batch >= tile_of(dtype)


def tile_of(dtype: np.dtype) -> int:
    """Return the number of columns of a tile: for real ones, two vectors share it."""
    width = BYTES // real_dtype(dtype).itemsize
    return width if dtype.kind == "c" else 2 * width


def tied_cost(formula: Formula, n: int, dtype: np.dtype, batch: int) -> float:
    """Return the time that a kernel is expected to take, in nanoseconds.

    Parameters
    ----------
    formula : Formula
    n : int
        Order of the transform.
    dtype : numpy.dtype
        Dtype of the product.
    batch : int
        Number of columns.
    """
    tile = tile_of(dtype)
    rates = RATES["complex" if dtype.kind == "c" else "real"]
    rate = rates[real_dtype(dtype).itemsize == 8]
    return CALL + rate * transform_work(n) * tile * -(-batch // tile)


def tied_multiplier(formula: Formula, n: int, dtype: np.dtype) -> Callable:
    """Return the function (x, out=None) that multiplies columns by a kernel.

    x and out are C-contiguous, (n, batch), of the dtype, and share no memory. Nothing
    is checked.
    """
    tile = tile_of(dtype)
    real = real_dtype(dtype)
    width = BYTES // real.itemsize
    factor = 1 if dtype.kind != "c" else 2
    work = transform_work(n) * 8
    kernel, layout, turns, numbers, rows = tied(formula, n, dtype)

    def multiply(x, out=None):
        out = np.empty_like(x) if out is None else out
        numbers_in, numbers_out = x.view(real), out.view(real)

        def some(begin, end):
            planes = np.empty((2, rows * width), real)
            kernel(
                numbers_in,
                layout,
                turns,
                numbers,
                planes,
                factor * begin,
                factor * end,
                numbers_out,
            )

        threads.share(work, x.shape[1], some, tile)
        return out

    return multiply


def tied(formula: Formula, n: int, dtype: np.dtype) -> Tied:
    """Return the arguments of the kernel for a transform that `is_tied` accepts."""
    real = real_dtype(dtype)
    radices = _radices(n)
    group = _group(radices)
    places = inverse(digit_reversal(radices))
    places = places + places // group
    head = [group, len(radices), *radices]
    turns = _turns(radices, real)
    rows = n + n // group
    if dtype.kind == "c":
        layout = np.array([*head, *places], np.int64)
        return Tied(fourier_columns, layout, turns, real.type(formula.scale), rows)
    index, weights, read, c, s = _real_parts(formula, n)
    opposite = -np.arange(n) % n
    if formula.type != 3:
        listed = [*head, *index, *places[read], *places[opposite[read]]]
        numbers = np.concatenate([weights, np.stack([c, s], 1).ravel() / 2])
        kernel = real_columns
    else:
        # Row read[k] of the Fourier transform gave row k; its adjoint reads row k.
        row = inverse(read)
        listed = [*head, *row, *row[opposite], *places, *index]
        c, s = c[row], s[row]
        four = np.stack([c, s, c[opposite], s[opposite]], 1) / 2
        numbers = np.concatenate([weights, four.ravel()])
        kernel = real_columns_adjoint
    return Tied(kernel, np.array(listed, np.int64), turns, numbers.astype(real), rows)


def _radices(n):
    """Return radices 4, 2, 3 and 5 with product n, and at most one of 2."""
    found = []
    for radix in (4, 2, 3, 5):
        while n % radix == 0:
            found.append(radix)
            n //= radix
    return found


def _group(radices):
    """Return the largest product of last radices that is at most `GROUP`."""
    found = 1
    for radix in reversed(radices):
        if found * radix > GROUP:
            break
        found *= radix
    return found


def _turns(radices, dtype):
    """Return the numbers by which the passes multiply, see `fourier_columns`."""
    found, count = [], int(np.prod(radices))
    for radix in radices:
        step = count // radix
        angle = np.arange(step)[:, None] * np.arange(1, radix)
        found.append(exp_turns(-angle, count).ravel())
        count = step
    return np.concatenate(found).view(float).astype(dtype)


def _real_parts(formula, n):
    """Return how a real transform is made of the Fourier transform, see `real_columns`.

    For type 3 these are the parts of type 2, whose transpose it is.
    """
    k = np.arange(n)
    if formula.function == "hartley":
        half = np.full(n, formula.scale)
        return k, np.ones(n), k, half, half
    # Makhoul: a cosine transform is 2 Re(exp(-πi k / 2n) V[k]). A sine transform has
    # alternating signs before, and its rows in reverse order.
    index, weights, read = makhoul(n), np.ones(n), k
    turns = 2 * formula.scale * exp_turns(-k, 4 * n)
    single = np.sqrt(0.5) if formula.orthogonal else 0.5 if formula.type == 3 else 1.0
    turns[0] = turns[0] * single
    if formula.function == "dst":
        weights[(n + 1) // 2 :] = -1.0
        read = k[::-1]
        turns = turns[::-1]
    return index, weights, read, turns.real, turns.imag
