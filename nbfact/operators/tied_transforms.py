"""Tied: named transforms by kernels that know the values of a transform.

A chain stores each value of its factors. Here a transform of order n reads the n
different ones, so that a product costs its arithmetic alone
(`nbfact/kernels/fourier_columns.py`, `fourier_vectors.py` and `even_vectors.py`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import threads
from .._core.angles import exp_turns
from .._core.cache_lines import aligned
from .._core.dtypes import real_dtype
from ..kernels import (
    copy_columns,
    even_vector,
    even_vector_adjoint,
    fourier_columns,
    fourier_vector,
    real_columns,
    real_columns_adjoint,
    real_vector,
    real_vector_adjoint,
)
from ..kernels.entry_points import entry_point
from ..kernels.fourier_columns import balanced
from .formulas import Formula, transform_work
from .radices import prime_factors
from .reorderings import digit_reversal, inverse, makhoul
from .tied_steps import (
    LARGEST_PRIME,
    Tied,
    has_sides,
    tied_passes,
    tied_radices,
    vector_filling,
    vector_multiplier,
    vector_steps,
    width_of,
)

RATES = {
    "columns": {"complex": (0.065, 0.135), "real": (0.038, 0.08)},
    "vector": {"complex": (0.075, 0.145), "real": (0.125, 0.205)},
    "even vector": {"real": (0.055, 0.1)},
}
"""Nanoseconds for each unit of `transform_work` and column of a whole tile, of single
and of double precision. ``nbfact study rates`` prints them."""
CALLS = {
    "columns": {"complex": 2300.0, "real": 2300.0},
    "vector": {"complex": 1100.0, "real": 1600.0},
    "even vector": {"real": 1500.0},
}
"""Time of a call on very few numbers, in nanoseconds."""
PADDED, PADDED_ROW = 700.0, 3.0
"""Time of making a tile of fewer columns, and of the copies of each row, in
nanoseconds."""
LARGEST = {"columns": 1 << 14, "vector": 1 << 16}
"""Largest orders: beyond them the planes are several times larger than the second
cache, and the library is as fast for some numbers of columns."""
NEAR, FAR = 1 << 13, 1.7
"""Largest order of which the planes of columns stay in a second cache of 1 MiB, and how
many times as long others take."""


def is_tied(formula: Formula, n: int, dtype: np.dtype, batch: int) -> bool:
    """Return whether there is a kernel for a transform.

    The parameters are those of `Formula.cost`.
    """
    fourier = formula.function in ("fft", "ifft")
    if formula.before != (1.0, 1.0) or formula.after != (1.0, 1.0):
        return False
    if (dtype.kind == "c") != fourier or isinstance(formula.scale, complex):
        return False
    if not fourier and formula.type not in (0, 2, 3):
        return False
    kind = "columns" if batch > 1 else "vector"
    if not 2 <= n <= LARGEST[kind] or max(prime_factors(n)) > LARGEST_PRIME:
        return False
    return batch > 1 or has_sides(n, dtype)


def tile_of(dtype: np.dtype) -> int:
    """Return the number of columns of a tile: for real ones, two vectors share it."""
    return width_of(dtype) if dtype.kind == "c" else 2 * width_of(dtype)


def smallest_order(dtype: np.dtype, batch: int) -> int:
    """Return the least power of two whose kernel larger ones have, too.

    The dtype is that of a transform, and `batch` a number of columns.
    """
    if batch > 1:
        return 2
    return width_of(dtype) ** 2 * (1 if dtype.kind == "c" else 2)


def tied_cost(formula: Formula, n: int, dtype: np.dtype, batch: int) -> float:
    """Return the time that a kernel is expected to take, in nanoseconds.

    The parameters are those of `Formula.cost`.
    """
    kind = "columns" if batch > 1 else "vector"
    fast = "even vector" if batch == 1 and _halves(n, dtype) else kind
    number = "complex" if dtype.kind == "c" else "real"
    double = real_dtype(dtype).itemsize == 8
    call, rate = CALLS[fast][number], RATES[fast][number][double]
    if batch == 1:
        half = fast == "even vector"
        filled = vector_filling(n // 2 if half else n, dtype)
        return call + rate * transform_work(n) / filled
    tile, rate = tile_of(dtype), rate if n <= NEAR else FAR * rate
    found = call + rate * transform_work(n) * tile * -(-batch // tile)
    return found if batch >= tile else found + PADDED + PADDED_ROW * n


def tied_multiplier(formula: Formula, n: int, dtype: np.dtype, batch: int) -> Callable:
    """Return the function (x, out=None) that multiplies by a kernel.

    x and out are C-contiguous, of the dtype, and share no memory: vectors for batch 1,
    and `batch` columns otherwise. Nothing is checked.
    """
    if batch == 1:
        return vector_multiplier(*tied_vector(formula, n, dtype), n, dtype)
    library = formula.multiplier(n, dtype)
    columns = _columns_multiplier(formula, n, dtype, library)
    tile, idle = tile_of(dtype), list[Any]()
    if batch >= tile:
        return columns
    some = np.empty((0, 0), dtype)
    alike, copy = None, entry_point(copy_columns, some, some, 0, 0)
    if dtype.kind != "c" and 2 * batch > tile:
        sizes = np.empty(tile, dtype)
        alike = entry_point(balanced, sizes[None], 0, 0, sizes)

    def padded(x, out=None):
        # Few columns are multiplied beside zeros, which make a tile of them.
        if alike is not None and not alike(x, 0, batch, np.empty(tile, dtype)):
            return library(x, out)
        try:
            wide, found = idle.pop()
        except IndexError:
            wide, found = aligned((2, n, tile), dtype)
            wide[:] = 0
        copy(x, wide, 0, 0)
        columns(wide, found, True)
        out = np.empty((n, batch), dtype) if out is None else out
        copy(found, out, 0, 0)
        idle.append((wide, found))
        return out

    return padded


def _columns_multiplier(formula, n, dtype, library):
    """Return the function (x, out=None, alike=False) for whole tiles of columns.

    Where real columns have very different sizes and are not said to be `alike`, all of
    them go to the library, because two share a transform.
    """
    tile, real, work = tile_of(dtype), real_dtype(dtype), transform_work(n) * 8
    kernel, arguments, (shape,) = tied_columns(formula, n, dtype)
    layout, turns, numbers = arguments
    idle: list[tuple] = []  # scratch arrays that no thread is using
    fourier, empty = dtype.kind == "c", np.empty
    wide = threads.shared_from(work)
    compiled: Any = None
    alike: Any = None

    def made():
        nonlocal compiled, alike
        planes, sizes = aligned(shape, real), empty(tile, real)
        if compiled is None:
            x = empty((0, 0), dtype)
            if not fourier:
                alike = entry_point(balanced, x, 0, 0, sizes)
            compiled = entry_point(kernel, x, *arguments, planes, 0, 0, x)
        return planes, sizes

    def some(x, out, begin, end, watched):
        """Multiply columns if they are alike or not watched; return whether it did."""
        try:
            planes, sizes = both = idle.pop()
        except IndexError:
            planes, sizes = both = made()
        fits = not watched or alike(x, begin, end, sizes)
        if fits:
            compiled(x, layout, turns, numbers, planes, begin, end, out)
        idle.append(both)
        return fits

    def multiply(x, out=None, alike=False):
        out = empty(x.shape, dtype) if out is None else out
        batch, watched = x.shape[1], not (fourier or alike)
        if batch < wide:
            return out if some(x, out, 0, batch, watched) else library(x, out)
        # The last tile may have columns of the one before, and follows it.
        whole, far = batch // tile, list[int]()

        def tiles(i, j):
            end = batch if j == whole else j * tile
            if not some(x, out, i * tile, end, watched):
                far.append(i)

        threads.share(work * tile, whole, tiles, 1)
        return library(x, out) if far else out

    return multiply


def tied_columns(formula: Formula, n: int, dtype: np.dtype) -> Tied:
    """Return the kernel for columns of a transform that `is_tied` accepts."""
    real = real_dtype(dtype)
    radices = tied_radices(n)
    group, turns = tied_passes(radices, real)
    places = inverse(digit_reversal(radices))
    places, head = places + places // group, [group, len(radices), *radices]
    shape = (2, (n + n // group) * width_of(dtype))
    if dtype.kind == "c":
        layout = _integers(*head, *places, formula.function == "ifft")
        arguments = layout, turns, real.type(formula.scale)
        return Tied(fourier_columns, arguments, (shape,))
    index, weights, read, c, s = _real_parts(formula, n)
    opposite = -np.arange(n) % n
    if formula.type != 3:
        layout = _integers(*head, *index, *places[read], *places[opposite[read]])
        numbers = np.concatenate([weights, np.stack([c, s], 1).ravel() / 2])
        kernel = real_columns
    else:
        # Row read[k] of the Fourier transform gave row k; its adjoint reads row k.
        row = inverse(read)
        layout = _integers(*head, *row, *row[opposite], *places, *index)
        c, s = c[row], s[row]
        four = np.stack([c, s, c[opposite], s[opposite]], 1) / 2
        numbers = np.concatenate([weights, four.ravel()])
        kernel = real_columns_adjoint
    return Tied(kernel, (layout, turns, numbers.astype(real)), (shape,))


def tied_vector(formula: Formula, n: int, dtype: np.dtype) -> Tied:
    """Return the kernel for vectors of a transform that `is_tied` accepts."""
    real, half = real_dtype(dtype), _halves(n, dtype)
    listed, turns, cross, scratch = vector_steps(n // 2 if half else n, dtype)
    arguments: tuple
    if dtype.kind == "c":
        layout = _integers(*listed, formula.function == "ifft")
        arguments = layout, turns, cross, real.type(formula.scale)
        return Tied(fourier_vector, arguments, scratch)
    index, weights, read, c, s = _real_parts(formula, n)
    inverted, numbers = formula.type == 3, np.stack([c, s], 1).ravel()
    if half:
        turned, numbers = formula.function == "dst", _even_parts(c[read], s[read])
        kernel = even_vector_adjoint if inverted else even_vector
        listed += [formula.function != "hartley", turned, inverted]
        scratch = *scratch, (n,)
    else:
        numbers = np.concatenate([weights, numbers])
        kernel = real_vector_adjoint if inverted else real_vector
        listed += [*index, *read, 0]
        scratch = *scratch, (2 * n,)
    numbers = np.concatenate([turns, numbers.astype(real)])
    return Tied(kernel, (_integers(*listed), numbers, cross), scratch)


def _halves(n, dtype):
    """Return whether a real vector is transformed as a complex one of half the order.

    It needs the sides of that order.
    """
    return dtype.kind != "c" and n % 2 == 0 and has_sides(n // 2, dtype)


def _even_parts(c, s):
    """Return the numbers of `even_vector` for c + is, in the order of entries of V."""
    n, turns = len(c), c + 1j * s
    w = 1j * exp_turns(-np.arange(n), n)
    one, other = turns * (1 - w) / 2, turns * (1 + w) / 2
    return np.concatenate([one.real, -one.imag, other.real, other.imag])


def _integers(*numbers):
    """Return a layout of a kernel as an array."""
    return np.array(numbers, np.int64)


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
