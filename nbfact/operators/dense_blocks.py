"""Products with a factor of large blocks: how its values are packed and multiplied."""

import functools
from collections.abc import Callable

import numpy as np

from .._core.cache_lines import aligned
from .._core.threads import share, shared_from
from ..kernels import blocks_columns, blocks_products, blocks_rows, transpose
from ..kernels.entry_points import entry_point
from ..kernels.panels import lanes_of, panel_of
from .block_prices import blas_is_cheaper
from .call_forms import with_result

UNIT = 16
"""Number of rows of x, or of columns, that threads do not divide."""


def pack_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Return the values of a factor as the kernel `blocks_rows` takes them.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Values of a factor of that pattern.

    Returns
    -------
    values, groups, repeated : (ndarray, ndarray of int64, tuple of int)
    """
    a, b, c, d = values.shape
    lanes = lanes_of(values.dtype)
    if d % lanes == 0:  # vectors of neighbours m
        near = lanes
        vectors = values.reshape(a, b, c, d // lanes, lanes).transpose(0, 3, 1, 2, 4)
    else:
        near = d if lanes % d == 0 else 1
        rows = values.transpose(0, 1, 3, 2).reshape(a, b * d, c)[:, None]
        if near < d:  # rows j of each m
            rows = values.transpose(0, 3, 1, 2)
        count = -(-rows.shape[2] // lanes)
        padded = np.zeros((*rows.shape[:2], count * lanes, c), values.dtype)
        padded[:, :, : rows.shape[2]] = rows
        vectors = padded.reshape(*rows.shape[:2], count, lanes, c).swapaxes(3, 4)
    _, parts, count, _, _ = vectors.shape
    packed = aligned((a, parts, count * c * lanes), values.dtype)
    groups, done = _groups(count, values.dtype), 0
    for size in groups:
        group = vectors[:, :, done : done + size].swapaxes(2, 3)
        place = slice(done * c * lanes, (done + size) * c * lanes)
        packed[:, :, place] = group.reshape(a, parts, -1)
        done += size
    repeated = (0,) * (near.bit_length() - 1)
    return packed.reshape(-1), np.array([a, c, count * lanes, *groups]), repeated


def _groups(count, dtype):
    """Return numbers of vectors in groups, 4, 3 and 1 or 2 and 1, that add up."""
    if dtype.kind == "c":
        return [2] * (count // 2) + [1] * (count % 2)
    found, rest = [], count
    while rest:
        found.append(3 if rest in (3, 6, 9) else 4 if rest >= 4 else 1)
        rest -= found[-1]
    return found


def pack_columns(values: np.ndarray) -> np.ndarray:
    """Return the values (a, b, c, d) as the kernel `blocks_columns` takes them."""
    a, b, c, d = values.shape
    rows = panel_of(values.dtype, b)
    panels = -(-b // rows)
    padded = np.zeros((a, d, panels * rows, c), values.dtype)
    padded[:, :, :b] = values.transpose(0, 3, 1, 2)
    packed = padded.reshape(a, d, panels, rows, c).swapaxes(3, 4)
    return np.ascontiguousarray(packed)


def block_functions(value: np.ndarray) -> tuple[Callable, ...]:
    """Return the functions of large blocks: `vector`, `columns`, `prepared` and `few`.

    They are those of `nbfact.operators.program.Call`; `columns` takes x and out in any
    order. Values are packed when they are first multiplied.

    Parameters
    ----------
    value : ndarray, shape (a, b, c, d)
        It is kept.
    """
    a, b, _, d = value.shape
    dtype, m, lanes = value.dtype, a * b * d, lanes_of(value.dtype)
    for_rows = functools.cache(lambda: pack_rows(value))
    for_columns = functools.cache(lambda: pack_columns(value))
    wide = shared_from(value.nbytes)
    by_blas = functools.cache(lambda: blas_columns(value))
    cheaper = functools.lru_cache(
        lambda batch: blas_is_cheaper(value.shape, dtype, batch)
    )
    empty = np.empty

    def vector(x, out=None):
        if out is None:
            out = empty(m, dtype)
        packed, groups, repeated = for_rows()
        blocks_rows(packed, groups, repeated, x, out, 1)
        return out

    def rows(x, out):
        """Multiply rows, (batch, n), all C-contiguous."""
        packed, groups, repeated = for_rows()

        def some(begin, end):
            given, found = x[begin:end].ravel(), out[begin:end].ravel()
            blocks_rows(packed, groups, repeated, given, found, end - begin)

        if len(x) < wide:
            some(0, len(x))
        else:
            share(value.nbytes, len(x), some, UNIT)

    def columns(x, out):
        batch = x.shape[1]
        if x.flags.c_contiguous and out.flags.c_contiguous and cheaper(batch):
            by_blas()[0](x, out)
            return
        if not out.flags.c_contiguous or batch < lanes:
            target = out.T if out.flags.f_contiguous else aligned((batch, m), dtype)
            rows((x if x.flags.f_contiguous else turned(x)).T, target)
            if not out.flags.f_contiguous:
                transpose(target, out)
            return
        if not x.flags.c_contiguous:
            x = turned(x.T).T
        packed, units = for_columns(), batch // UNIT
        if batch < wide:
            blocks_columns(packed, x, out, 0, batch)
        else:
            share(
                value.nbytes * UNIT, units,
                lambda i, j: blocks_columns(
                    packed, x, out, i * UNIT, batch if j == units else j * UNIT
                ), 1,
            )  # fmt: skip

    def prepared(batch):
        blas = batch < wide and cheaper(batch)
        return with_result(by_blas()[1](batch) if blas else columns, (m, batch), dtype)

    def few(batch):
        if batch >= wide:
            return rows
        packed, some = for_rows(), empty(0, dtype)
        call = entry_point(blocks_rows, *packed, some, some, batch)
        return lambda x, out: call(*packed, x.ravel(), out.ravel(), batch)

    return vector, columns, prepared, few


def blas_columns(value: np.ndarray) -> tuple[Callable, Callable]:
    """Return the functions that multiply columns by a call of BLAS a block.

    The first one is (x, out), for C-contiguous x and out of the dtype. The second one
    returns, for a number of columns, what does the same by one thread with less Python.

    Parameters
    ----------
    value : ndarray, shape (a, b, c, d)
        Real or complex.
    """
    a, b, c, d = value.shape
    packed = aligned((value.size,), value.dtype)
    packed.reshape(a, d, b, c)[:] = value.transpose(0, 3, 1, 2)
    count, wide, some = a * d, shared_from(value.nbytes), np.empty(0, value.dtype)
    pattern = np.array([a, b, c, d, 0, 0])
    call = entry_point(blocks_products, packed, pattern, some, some, 0, count)

    def columns(x, out):
        batch, found = x.shape[1], out.ravel()
        given, sizes = x.ravel(), np.array([a, b, c, d, batch, 0])
        if batch < wide:
            call(packed, sizes, given, found, 0, count)
        else:  # blocks are divided: BLAS may round parts of columns differently
            share(
                packed.nbytes * batch / count, count,
                lambda i, j: call(packed, sizes, given, found, i, j), 1,
            )  # fmt: skip

    def serial(batch):
        sizes = np.array([a, b, c, d, batch, 0])
        return lambda x, out: call(packed, sizes, x.ravel(), out.ravel(), 0, count)

    return columns, serial


def turned(x: np.ndarray) -> np.ndarray:
    """Return a matrix in C order as the same matrix in Fortran order, by a kernel."""
    out = aligned(x.shape[::-1], x.dtype)
    transpose(x, out)
    return out.T
