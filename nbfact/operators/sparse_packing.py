"""How sparse factors are packed for the kernels that multiply by them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._core.cache_lines import aligned
from ..kernels.gathers import SLICE

REST_COST = 16
"""Cost of a row with entries outside of slices, in entries of a slice: each of those
costs two more."""

ORDER_COST = 2
"""Cost of a row whose result is moved to its place, in entries of a slice."""

Packed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The four arrays that describe a chain by rows: data, indices, indptr and layout."""

Sliced = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The three arrays that describe a chain in slices: data, indices and table."""


class Arranged(NamedTuple):
    """How the rows of a factor lie in slices.

    Attributes
    ----------
    order : ndarray of int, or None
        The order of the rows; None where they keep theirs.
    widths : ndarray of int
        How many entries of each of its rows a slice holds.
    cost : int
        What uneven rows cost beside the entries of the factor, see `arranged`.
    """

    order: np.ndarray | None
    widths: np.ndarray
    cost: int


def pack_rows(factors: Sequence[sp.csr_array], dtype: np.dtype) -> Packed:
    """Return factors in CSR form, as `nbfact.kernels.chain_apply_columns` takes them.

    The factor that is applied first, the rightmost one, comes first.
    """
    listed = factors[::-1]
    entries = np.cumsum([0, *(factor.nnz for factor in listed)])
    rows = np.cumsum([0, *(factor.shape[0] + 1 for factor in listed)])
    indptr = [
        factor.indptr.astype(np.int64) + first
        for factor, first in zip(listed, entries, strict=False)
    ]
    layout = [
        (factor.shape[0], first) for factor, first in zip(listed, rows, strict=False)
    ]
    return (
        np.concatenate([factor.data for factor in listed]).astype(dtype),
        unsigned([factor.indices for factor in listed], _columns(factors)),
        unsigned(indptr, entries[-1], least=np.uint32),
        np.array(layout, np.int64),
    )


def pack_slices(
    factors: Sequence[sp.csr_array],
    dtype: np.dtype,
    known: Sequence[Arranged] | None = None,
) -> Sliced:
    """Return factors in slices, as `nbfact.kernels.chain_apply` takes them.

    The rows of a factor are sorted by their numbers of entries where products then take
    less time. The indices of the next factor follow that order, so that it costs time
    only in the factor that is applied last. `known` is what `arranged` returned for
    each factor whose values may be halved.
    """
    data, indices, table, position = [], [], [], None
    for number, factor in enumerate(factors[::-1]):
        values, last = factor.data.astype(dtype), number == len(factors) - 1
        columns = factor.indices if position is None else position[factor.indices]
        counts, begins = row_counts(factor), factor.indptr[:-1]
        halving = _have_halves(values)
        if known is not None and halving:
            order, widths, _ = known[-1 - number]
        else:
            order, widths, _ = arranged(counts, last, halving=halving)
        position = None
        if order is not None:
            counts, begins, position = counts[order], begins[order], np.argsort(order)
        turned = last and order is not None
        places, halved, used = _slots(begins, counts, widths)
        others, rest = _others(begins, counts, used)
        values = values[np.concatenate([places, others])]
        values[np.flatnonzero(halved)] *= values.dtype.type(0.5)
        data.append(values)
        indices += [columns[places], columns[others], *([position] if turned else [])]
        runs = _runs(widths)
        table += [[len(counts), len(runs), len(rest), turned], runs.ravel()]
        table.append(rest.ravel())
    spare = max(factor.shape[0] for factor in factors)
    head = [len(factors), spare if len(factors) > 1 or turned else 0]
    numbers = np.concatenate([head, *table])
    packed = aligned((sum(map(len, data)),), dtype)
    return (
        np.concatenate(data, out=packed),
        unsigned(indices, max(spare, _columns(factors))),
        unsigned([numbers], numbers.max(), least=np.uint32),
    )


def row_counts(factor: sp.csr_array) -> np.ndarray:
    """Return how many entries each row of a factor has."""
    return (factor.indptr[1:] - factor.indptr[:-1]).astype(np.int64)


def arranged(counts: np.ndarray, last: bool, *, halving: bool = True) -> Arranged:
    """Return how rows lie in slices where that costs least, and what uneven rows cost.

    A product with one vector repeats entries of the shorter rows of a slice, and
    multiplies by others outside of slices. The unit of the cost is an entry of a slice.

    Parameters
    ----------
    counts : ndarray of int
        Number of entries of each row.
    last : bool
        Whether the factor is applied last: the leftmost one of a product.
    halving : bool
        Whether an entry may be stored as two halves.
    """
    least, most = counts.min(), counts.max()
    if least == most:
        return Arranged(None, np.full(_n_slices(len(counts)), most), 0)
    widths, order = _widths(counts, halving), np.argsort(-counts, kind="stable")
    ordered = _widths(counts[order], halving)
    work, sorted_work = _work(counts, widths), _work(counts[order], ordered)
    sorted_work += ORDER_COST * len(counts) if last else 0
    entries = counts.sum()
    if work > sorted_work:
        return Arranged(order, ordered, max(0, int(sorted_work - entries)))
    return Arranged(None, widths, max(0, int(work - entries)))


def _columns(factors):
    """Return the largest number of columns of a factor."""
    return max(factor.shape[1] for factor in factors)


def unsigned(arrays, limit, least=np.uint16):
    """Concatenate integers from 0 to a limit, in a type that holds them.

    Indices of two bytes are read faster than those of four.
    """
    kind = least
    for wider in (np.uint32, np.uint64):
        if limit > np.iinfo(kind).max:
            kind = wider
    return np.concatenate(arrays).astype(kind)


def _have_halves(values):
    """Return whether half of each value is exact: none is about to underflow."""
    parts = np.abs(values.view(values.real.dtype))
    return bool(parts[parts > 0].min(initial=1) > 4 * np.finfo(parts.dtype).tiny)


def _n_slices(rows):
    """Return how many slices some rows have."""
    return -(-rows // SLICE) if rows >= SLICE else 0


def _in_slices(rows):
    """Return the numbers of the rows of each slice.

    Where the last slice is not full, it begins earlier, and repeats rows of the slice
    before. There is no slice of fewer rows.
    """
    starts = np.minimum(SLICE * np.arange(_n_slices(rows)), max(rows - SLICE, 0))
    return starts[:, None] + np.arange(SLICE)


def _widths(counts, halving):
    """Return how many entries of its rows each slice holds, where that costs least.

    A row with fewer entries than its slice holds some of them as two halves, so that a
    slice holds at most twice as many as its shortest row has.
    """
    lengths = counts[_in_slices(len(counts))]
    most = lengths.min(1, keepdims=True) * (2 if halving else 1)
    tried = np.minimum(lengths, most)
    missing = np.maximum(lengths[:, None, :] - tried[:, :, None], 0)
    costs = SLICE * tried + _cost_of_rest(missing)
    best = costs.argmin(1) if costs.size else np.zeros(0, int)
    return tried[np.arange(len(tried)), best]


def _cost_of_rest(missing):
    """Return what it costs to multiply by entries of rows that no slice holds."""
    return (REST_COST * (missing > 0) + 2 * missing).sum(-1)


def _work(counts, widths):
    """Return what a product with rows costs whose slices have some widths."""
    missing = counts - _used(len(counts), widths)
    return SLICE * widths.sum() + _cost_of_rest(np.maximum(missing, 0))


def _used(rows, widths):
    """Return how many entries of each row its slice holds: the last one that has it."""
    used = np.zeros(rows, np.int64)
    for width, places in zip(widths[-2:], _in_slices(rows)[-2:], strict=True):
        used[places] = width
    used[: SLICE * max(len(widths) - 2, 0)] = np.repeat(widths[:-2], SLICE)
    return used


def _slots(begins, counts, widths):
    """Return which entries slices hold, and which of them as halves, slot by slot.

    Also returned is how many entries of each row are in its slice. begins: the first
    entry of each row.
    """
    rows, used = _in_slices(len(counts)), _used(len(counts), widths)
    if len(widths) and counts.min() == counts.max():  # each slot is like another one
        slots = np.arange(widths[0])[:, None]
        places = (begins[rows][:, None, :] + slots).ravel()
        return places, np.zeros(len(places), bool), used
    slice_of = np.repeat(np.arange(len(widths)), SLICE * widths)
    starts = np.cumsum(SLICE * widths) - SLICE * widths
    entry = np.arange(len(slice_of)) - starts[slice_of]
    row, slot = rows[slice_of, entry % SLICE], entry // SLICE
    again = slot >= counts[row]
    slot -= again * counts[row]
    halved = slot < widths[slice_of] - counts[row]
    return begins[row] + slot, halved, used


def _runs(widths):
    """Return the pairs (slices, width) of consecutive slices that are equally wide."""
    if not len(widths):
        return np.zeros((0, 2), np.int64)
    ends = np.append(np.flatnonzero(widths[1:] != widths[:-1]) + 1, len(widths))
    starts = np.append(0, ends[:-1])
    return np.stack([ends - starts, widths[starts]], axis=1)


def _others(begins, counts, used):
    """Return the entries that no slice holds, and the pairs (row, their number)."""
    rows = np.flatnonzero(counts > used)
    missing = (counts - used)[rows]
    entry = np.arange(missing.sum()) - np.repeat(np.cumsum(missing) - missing, missing)
    others = np.repeat((begins + used)[rows], missing) + entry
    return others, np.stack([rows, missing], axis=1)
