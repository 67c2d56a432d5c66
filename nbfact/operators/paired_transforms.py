"""Products of real vectors with Fourier transforms, two as one complex vector.

`nbfact/kernels/real_pairs.py` explains how, and says when two vectors are alike.
"""

import math
from collections.abc import Callable

import numpy as np

from .._core.cache_lines import aligned, maker
from .._core.dtypes import real_dtype
from .._core.threads import share, shared_from
from ..kernels import pair_rows, pairs_are_alike, part_columns, part_rows
from ..kernels.entry_points import entry_point
from .call_forms import KEPT_BYTES
from .tied_steps import width_of

LEAST = 32
"""Least order of a transform whose kernels part pairs."""
PAIR_CALLS, PARTED_BYTE = {"columns": 2000.0, "rows": 4500.0}, 0.05
"""Time of the calls that make and part pairs, and of a byte of the product, in
nanoseconds."""
PADDED, PADDED_BYTE = 3000.0, 0.12
"""The same of copying columns to an array of more columns, and back."""
PARTED = 8
"""Work of parting a number of a product, over its bytes, as threads count it."""
PAIRS_BYTES = 1 << 18
"""Bytes of pairs of rows that are made, transformed and parted before the next ones: a
part of the second level of cache."""
SAMPLED, LOOKED_AT, UNLIKE = 1 << 15, 16, 64
"""Size of x from which on a few rows say beforehand whether columns seem not to be
alike, about how many rows these are, and the ratio of sums from which on they do."""


def pairs_of(batch: int, dtype: np.dtype, rows: bool) -> int:
    """Return how many pairs some vectors are: columns as many as the kernel takes."""
    pairs, wide = -(-batch // 2), width_of(dtype) // 2
    return pairs if rows or pairs >= wide else 1 << (pairs - 1).bit_length()


def pairing_cost(n: int, batch: int, dtype: np.dtype, rows: bool) -> float:
    """Return the time of making and parting pairs of real vectors, in nanoseconds.

    It is infinite where no kernel parts them.

    Parameters
    ----------
    n, batch : int
        Order, and number of vectors.
    dtype : numpy.dtype
        That of the product.
    rows : bool
        Whether the vectors are rows.
    """
    if n < LEAST:
        return math.inf
    full = 2 * pairs_of(batch, dtype, rows)
    size = n * full * dtype.itemsize
    found = PAIR_CALLS["rows" if rows else "columns"] + PARTED_BYTE * size
    return found if rows or full == batch else found + PADDED + PADDED_BYTE * size


def columns_in_pairs(
    ready: Callable[[tuple[int, int]], Callable],
    plain: Callable,
    shape: tuple[int, int],
    dtype: np.dtype,
) -> Callable:
    """Return the function (x) that transforms real columns.

    Parameters
    ----------
    ready : callable
        Returns the function (x, out) for C-contiguous complex columns of a shape.
    plain : callable
        The same function, which need not be fast, for columns that are not alike.
    shape : (int, int)
        That of x, which is C-contiguous: order, at least `LEAST`, and columns.
    dtype : numpy.dtype
        That of the product. x is of its precision.
    """
    (n, batch), real, width = shape, real_dtype(dtype), width_of(dtype)
    pairs = pairs_of(batch, dtype, False)
    full, call, make = 2 * pairs, ready((n, pairs)), maker(shape, dtype)
    found, sums = np.empty((n, pairs), dtype), np.empty(2 * max(full, width), real)
    part = entry_point(part_columns, found, sums, 0, 0, found)
    alike, idle = entry_point(pairs_are_alike, sums, 0), list[tuple]()
    kept = 3 * n * full * dtype.itemsize <= KEPT_BYTES
    # Rows k and n - k are parted together.
    work, count = PARTED * full * dtype.itemsize, n // 2 + 1
    shared = pairs >= width // 2 and count >= shared_from(work)

    def made():
        scratch = aligned((n, pairs), dtype), np.empty_like(sums)
        if full == batch:
            return scratch
        return *scratch, aligned((n, full), real), aligned((n, full), dtype)

    def parted(found, sums, out):
        """Part the pairs; return whether all of them are alike."""
        if not shared:
            part(found, sums, 0, count, out)
            return alike(sums, pairs)
        totals = {}

        def some(begin, end):
            totals[begin] = np.empty_like(sums)
            part(found, totals[begin], begin, end, out)

        share(work, count, some, 1)
        return alike(sum(totals[begin] for begin in sorted(totals)), pairs)

    def multiply(x):
        if x.size >= SAMPLED and _seem_unlike(x):
            return plain(x)
        try:
            scratch = idle.pop()
        except IndexError:
            scratch = made()
        out, (found, sums, *wide) = make(), scratch
        if wide:  # the last column fills the last pairs
            given, target = wide
            given[:, :batch], given[:, batch:] = x, x[:, -1:]
            call(given.view(dtype), found)
            exact = parted(found, sums, target)
            out[...] = target[:, :batch]
        else:
            call(x.view(dtype), found)
            exact = parted(found, sums, out)
        if kept:
            idle.append(scratch)
        return out if exact else plain(x)

    return multiply


def _seem_unlike(x):
    """Return whether some rows of columns say that two of a pair are not alike."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = abs(x[:: max(len(x) // LOOKED_AT, 1)]).sum(axis=0)
        one, other = sums[: sums.size // 2 * 2].reshape(-1, 2).T
        # Neither is so where one of them is not a number.
        alike = (one <= UNLIKE * other) & (other <= UNLIKE * one)
    return not alike.all()


def rows_in_pairs(
    ready: Callable[[tuple[int, int]], Callable],
    vector: Callable,
    plain: Callable,
    shape: tuple[int, int],
    work: float,
    dtype: np.dtype,
) -> Callable:
    """Return the function (x) that transforms real rows.

    Parameters
    ----------
    ready, plain, dtype
        Those of `columns_in_pairs`, for rows.
    vector : callable
        Function (x, out) for a complex vector.
    shape : (int, int)
        That of x, which is C-contiguous: rows, and order, at least `LEAST`.
    work : float
        Work of a row, as `nbfact._core.threads.share` counts it.
    """
    (batch, n), real, make = shape, real_dtype(dtype), maker(shape, dtype)
    pairs = batch // 2
    most = max(1, min(pairs, PAIRS_BYTES // (n * dtype.itemsize)))
    calls = {count: ready((count, n)) for count in (most, pairs % most or most)}
    idle, wide = list[tuple](), shared_from(2 * work)
    given, sums = np.empty((1, n), dtype), np.empty(2 * width_of(dtype), real)
    pair = entry_point(pair_rows, np.empty((2, n), real), given)
    part = entry_point(part_rows, given, sums, given)

    def multiply(x):
        out, strange = make(), list[int]()

        def some(begin, end):
            try:
                scratch = idle.pop()
            except IndexError:
                scratch = *aligned((2, most, n), dtype), np.empty_like(sums)
            for first in range(begin, end, most):
                if strange:
                    break
                last = min(first + most, end)
                given, found = (one[: last - first] for one in scratch[:2])
                pair(x[2 * first : 2 * last], given)
                calls[last - first](given, found)
                if not part(found, scratch[2], out[2 * first : 2 * last]):
                    strange.append(first)
            idle.append(scratch)

        if pairs < wide:
            some(0, pairs)
        else:
            share(2 * work, pairs, some, most)
        if batch % 2:
            vector(x[-1].astype(dtype), out[-1])
        return plain(x) if strange else out

    return multiply
