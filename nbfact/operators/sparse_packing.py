"""How sparse factors are packed for the kernels that multiply by them."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from ..kernels.gathers import SLICE

Packed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The four arrays that describe a chain: data, indices, pointers and layout."""


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
        _unsigned([factor.indices for factor in listed], _columns(factors)),
        _unsigned(indptr, entries[-1], least=np.uint32),
        np.array(layout, np.int64),
    )


def pack_slices(factors: Sequence[sp.csr_array], dtype: np.dtype) -> Packed:
    """Return factors in slices, as `nbfact.kernels.chain_apply` takes them.

    The rows of a factor are sorted by their numbers of entries where that leaves fewer
    entries outside of slices. The indices of the next factor follow that order, so that
    it costs time only in the factor that is applied last.
    """
    data, indices, table, layout = [], [], [], []
    first = place = 0
    position = None
    for number, factor in enumerate(factors[::-1]):
        columns = factor.indices
        if position is not None:
            columns = position[columns]
        counts = np.diff(factor.indptr).astype(np.int64)
        order, position = np.arange(len(counts)), None
        ordered = np.argsort(-counts, kind="stable")
        saved = _left_over(counts) - _left_over(counts[ordered])
        last = number == len(factors) - 1
        if saved > (len(counts) if last else 0):
            order, position = ordered, np.argsort(ordered)
        places, starts, rest = _slices(factor.indptr.astype(np.int64), counts, order)
        data.append(factor.data[places])
        indices.append(columns[places])
        parts = [starts + first, rest + np.array([0, first])]
        turned = last and position is not None
        length = len(starts) + rest.size
        layout.append(
            (len(counts), place, len(rest) - 1, place + length if turned else -1)
        )
        parts = [*parts, order] if turned else parts
        table += [part.ravel() for part in parts]
        place += sum(part.size for part in parts)
        first += len(places)
    largest = max(first, max(factor.shape[0] for factor in factors))
    return (
        np.concatenate(data).astype(dtype),
        _unsigned(indices, _columns(factors)),
        _unsigned(table, largest, least=np.uint32),
        np.array(layout, np.int64),
    )


def _columns(factors):
    """Return the largest number of columns of a factor."""
    return max(factor.shape[1] for factor in factors)


def _unsigned(arrays, limit, least=np.uint16):
    """Concatenate integers from 0 to a limit, in a type that holds them.

    Indices of two bytes are read faster than those of four.
    """
    kind = least
    for wider in (np.uint32, np.uint64):
        if limit > np.iinfo(kind).max:
            kind = wider
    return np.concatenate(arrays).astype(kind)


def _left_over(counts):
    """Return how many entries are outside of slices, for the entries of each row."""
    whole = len(counts) // SLICE * SLICE
    widths = counts[:whole].reshape(-1, SLICE).min(1)
    return int(counts.sum() - SLICE * widths.sum())


def _slices(indptr, counts, order):
    """Return where the entries of slices, and then the others, are in a CSR form.

    Also returned are where each slice starts among them, and the pairs (row, first
    entry) of the rows with other entries, with an end, as `nbfact.kernels.sparse_chain`
    says. Rows are numbered in their new order.
    """
    n_slices, begins, counts = len(counts) // SLICE, indptr[:-1][order], counts[order]
    whole = n_slices * SLICE
    widths = counts[:whole].reshape(-1, SLICE).min(1)
    starts = SLICE * np.cumsum([0, *widths])
    slice_of = np.repeat(np.arange(n_slices), SLICE * widths)
    entry = np.arange(starts[-1]) - starts[slice_of]
    places = begins[slice_of * SLICE + entry % SLICE] + entry // SLICE
    used = np.concatenate(
        [np.repeat(widths, SLICE), np.zeros(len(counts) - whole, int)]
    )
    rows = np.flatnonzero(counts > used)
    missing = (counts - used)[rows]
    ends = np.cumsum([0, *missing])
    row_of = np.repeat(rows, missing)
    entry = np.arange(ends[-1]) - np.repeat(ends[:-1], missing)
    others = begins[row_of] + used[row_of] + entry
    rest = np.stack([np.append(rows, 0), starts[-1] + ends], axis=1)
    return np.concatenate([places, others]), starts, rest
