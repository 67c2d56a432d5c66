"""How sparse factors are packed for the kernels that multiply by them."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from ..kernels.gathers import SLICE

Packed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The four arrays that describe a chain by rows: data, indices, indptr and layout."""

Sliced = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The three arrays that describe a chain in slices: data, indices and table."""


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


def pack_slices(factors: Sequence[sp.csr_array], dtype: np.dtype) -> Sliced:
    """Return factors in slices, as `nbfact.kernels.chain_apply` takes them.

    The rows of a factor are sorted by their numbers of entries where that leaves fewer
    entries outside of slices. The indices of the next factor follow that order, so that
    it costs time only in the factor that is applied last.
    """
    data, indices, table, position = [], [], [], None
    for number, factor in enumerate(factors[::-1]):
        columns = factor.indices if position is None else position[factor.indices]
        counts = np.diff(factor.indptr).astype(np.int64)
        order, position, last = None, None, number == len(factors) - 1
        if counts.min() != counts.max():
            ordered = np.argsort(-counts, kind="stable")
            saved = _left_over(counts) - _left_over(counts[ordered])
            if saved > (len(counts) if last else 0):
                order, position = ordered, np.argsort(ordered)
        turned = last and order is not None
        places, runs, rest = _slices(factor.indptr.astype(np.int64), counts, order)
        data.append(factor.data[places])
        indices.append(columns[places])
        table += [[len(counts), len(runs), len(rest), turned], runs.ravel()]
        table += [rest.ravel(), *([order] if turned else [])]
    spare = max(factor.shape[0] for factor in factors)
    head = [len(factors), spare if len(factors) > 1 or turned else 0]
    largest = max(spare, *(factor.nnz for factor in factors))
    return (
        np.concatenate(data).astype(dtype),
        _unsigned(indices, _columns(factors)),
        _unsigned([head, *table], largest, least=np.uint32),
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

    Also returned are the runs of slices, (slices, entries of a row), and the rows with
    other entries, (row, entries), as `nbfact.kernels.sparse_chain` says. Rows are
    numbered in their new order; None stands for the one that they have.
    """
    begins = indptr[:-1]
    if order is not None:
        begins, counts = begins[order], counts[order]
    n_slices = len(counts) // SLICE
    whole = n_slices * SLICE
    widths = counts[:whole].reshape(-1, SLICE).min(1)
    starts = SLICE * np.cumsum([0, *widths])
    slice_of = np.repeat(np.arange(n_slices), SLICE * widths)
    entry = np.arange(starts[-1]) - starts[slice_of]
    places = begins[slice_of * SLICE + entry % SLICE] + entry // SLICE
    ends = np.flatnonzero(np.diff(widths, append=-1)) + 1
    runs = np.stack([np.diff(ends, prepend=0), widths[ends - 1]], axis=1)
    used = np.zeros(len(counts), np.int64)
    used[:whole] = np.repeat(widths, SLICE)
    rows = np.flatnonzero(counts > used)
    missing = (counts - used)[rows]
    ends = np.cumsum(missing)
    entry = np.arange(missing.sum()) - np.repeat(ends - missing, missing)
    others = np.repeat((begins + used)[rows], missing) + entry
    rest = np.stack([rows, missing], axis=1)
    return np.concatenate([places, others]), runs, rest
