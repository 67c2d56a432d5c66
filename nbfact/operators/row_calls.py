"""Products with rows, or with few or very many columns, by functions for others."""

import functools
from collections.abc import Callable

import numpy as np

from .._core.cache_lines import aligned, maker
from .._core.threads import share, shared_from
from ..kernels import copy_columns, transpose
from ..kernels.entry_points import entry_point
from .call_forms import KEPT_BYTES

TURNED, TURNED_CALL = 0.05, 900.0
"""Time of each byte that is turned from rows to columns or back, and of the calls for
it, in nanoseconds."""
ALONE = 600.0
"""Time of the call for one vector of several, beside that of its product."""
FEW = 16
"""Largest number of columns that are multiplied as one vector after the other."""


def turned_cost(shape: tuple[int, int], dtype: np.dtype, batch: int) -> float:
    """Return the time of turning `batch` rows to columns, and their product back."""
    return TURNED_CALL + TURNED * sum(shape) * batch * dtype.itemsize


def turning(dtype: np.dtype) -> Callable:
    """Return the function (x, out) that writes the transpose of C-contiguous x."""
    some = np.empty((0, 0), dtype)
    return entry_point(transpose, some, some)


def one_by_one(
    vector: Callable,
    shape: tuple[int, int],
    dtype: np.dtype,
    work: float,
    several: bool = False,
) -> Callable:
    """Return the function (x, out=None) for rows that multiplies each as a vector.

    Parameters
    ----------
    vector : callable
        Function (x, out) for a vector.
    shape : tuple of int
        Number of rows, and length of the products.
    dtype : numpy.dtype
    work : float
        Work of a vector, as `nbfact._core.threads.share` counts it.
    several : bool
        Whether the function takes several vectors, one after the other.
    """
    batch, empty = shape[0], np.empty

    def together(x, out=None):
        if out is None:
            out = empty(shape, dtype)
        vector(x.ravel(), out.ravel())
        return out

    def one_after_the_other(x, out=None):
        if out is None:
            out = empty(shape, dtype)
        for one, to in zip(x, out, strict=True):
            vector(one, to)
        return out

    all_of = together if several else one_after_the_other

    def shared(x, out=None):
        out = empty(shape, dtype) if out is None else out
        share(work, batch, lambda i, j: all_of(x[i:j], out[i:j]), 1)
        return out

    return shared if batch >= shared_from(work) else all_of


def columns_one_by_one(
    vector: Callable,
    shape: tuple[int, int],
    dtype: np.dtype,
    batch: int,
    several: bool = False,
) -> Callable:
    """Return the function (x, out=None) for columns that multiplies each as a vector.

    `shape` is that of the operator; `vector` and `several` are those of `one_by_one`.
    """

    def prepared(rows, found):
        if several:
            return functools.partial(vector, rows.reshape(-1), found.reshape(-1))
        pairs = list(zip(rows, found, strict=True))

        def multiply_all():
            for one, to in pairs:
                vector(one, to)

        return multiply_all

    return columns_as_rows(prepared, shape, dtype, batch)


def columns_as_rows(
    prepared: Callable, shape: tuple[int, int], dtype: np.dtype, batch: int
) -> Callable:
    """Return the function (x, out=None) for columns that turns them to rows, and back.

    Parameters
    ----------
    prepared : callable
        ``prepared(rows, found)`` returns a function that multiplies the rows of an
        array and writes the products to the rows of another one.
    shape : (int, int)
        That of the operator.
    dtype : numpy.dtype
    batch : int
        Number of columns.
    """
    (m, n), idle, turn = shape, list[tuple](), turning(dtype)

    def multiply(x, out=None):
        if out is None:
            out = np.empty((m, batch), dtype)
        try:
            rows, found, multiply_rows = all_three = idle.pop()
        except IndexError:
            rows, found, multiply_rows = all_three = made()
        turn(x, rows)
        multiply_rows()
        turn(found, out)
        if kept:
            idle.append(all_three)
        return out

    def made():
        rows, found = aligned((batch, n), dtype), aligned((batch, m), dtype)
        return rows, found, prepared(rows, found)

    kept = (m + n) * batch * dtype.itemsize <= KEPT_BYTES
    return multiply


def in_tiles(
    ready: Callable[[tuple[int, int]], Callable],
    shape: tuple[int, int],
    dtype: np.dtype,
    batch: int,
    tile: int,
    work: float,
    rows: bool = True,
) -> Callable:
    """Return the function (x, out=None) that multiplies rows or columns tile by tile.

    Tiles of rows are turned to columns. Those of columns, which are far apart where
    there are many, are copied.

    Parameters
    ----------
    ready : callable
        Returns the function (x, out) for C-contiguous columns of a shape.
    shape : tuple of int
        That of the operator.
    dtype : numpy.dtype
    batch, tile : int
        Number of rows or columns, and most of them in a tile; more than that if they
        are columns.
    work : float
        Work of a row, as `nbfact._core.threads.share` counts it.
    rows : bool
        Whether x and the product have vectors in their rows.
    """
    (m, n), length = shape, min(batch, tile)
    make = maker((batch, m) if rows else (m, batch), dtype)
    idle: list[tuple] = []  # columns and their product that no thread is using
    some = np.empty((0, 0), dtype)
    move = turning(dtype) if rows else entry_point(copy_columns, some, some, 0, 0)

    def made():
        return aligned((n, length), dtype), aligned((m, length), dtype)

    def in_one_tile(x, out=None):
        if out is None:
            out = make()
        try:
            columns, found = pair = idle.pop()
        except IndexError:
            columns, found = pair = made()
        move(x, columns)
        whole(columns, found)
        move(found, out)
        if kept:
            idle.append(pair)
        return out

    def in_several(x, out=None):
        out = make() if out is None else out

        def some_tiles(begin, end):
            try:
                pair = idle.pop()
            except IndexError:
                pair = made()
            for first in range(begin, end, tile):
                width = min(tile, end - first)
                columns, found = (
                    one.reshape(-1)[: len(one) * width].reshape(-1, width)
                    for one in pair
                )
                if rows:
                    move(x[first : first + width], columns)
                    calls[width](columns, found)
                    move(found, out[first : first + width])
                else:
                    move(x, columns, first, 0)
                    calls[width](columns, found)
                    move(found, out, 0, first)
            if kept:
                idle.append(pair)

        share(work, batch, some_tiles, tile)
        return out

    kept = (m + n) * length * dtype.itemsize <= KEPT_BYTES
    # Functions for all widths of tiles, so that nothing refers to the operator.
    calls = {width: ready((n, width)) for width in (length, batch % length or length)}
    whole = calls[length]
    return in_one_tile if batch <= tile else in_several
