"""Sparse factors in blocks: which entries lie in full blocks, and how they are packed.

A full block has no entry that is zero, so that a product reads exactly the entries of x
that the factor reads.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._core.cache_lines import aligned
from ..kernels.block_entries import BLOCK
from .sparse_packing import REST_COST, Sliced, unsigned
from .sparse_plan import cost

BLOCK_COST, BYTE_COST = 1.0, 0.045
"""Cost of a block, and of each byte of its values, in entries of a slice, see
`nbfact.operators.sparse_plan.cost`: a block of float64 takes 0.8 ns."""

LINE_COST = {"columns": 14.0, "rows": 8.0}
"""Cost of a group of rows, and of a row, besides its blocks."""

OTHER_COST = 4
"""Cost of an entry outside of blocks."""

LEAST = 2048
"""Least cost of a product for which blocks are looked for: they save 0.2 µs there, and
the search takes half as long as packing does."""

LEAST_SHARE = 0.5
"""Least share of the entries of a factor in full blocks for which it is packed so."""


class Blocks(NamedTuple):
    """The full blocks of a factor.

    Attributes
    ----------
    by_rows : bool
        Whether a block is part of a row; part of a column otherwise.
    counts : ndarray of int
        Number of blocks of each line.
    inside : ndarray of int
        The entries of the factor in blocks, block by block and line by line.
    others : ndarray of int
        All other entries, row by row.
    rows : ndarray of int
        The row of each entry of the factor.
    """

    by_rows: bool
    counts: np.ndarray
    inside: np.ndarray
    others: np.ndarray
    rows: np.ndarray

    def cost(self, dtype: np.dtype) -> float:
        """Return what a product costs, in entries of a slice."""
        line = LINE_COST["rows" if self.by_rows else "columns"]
        each = BLOCK_COST + BYTE_COST * BLOCK * dtype.itemsize
        found = each * self.counts.sum() + line * len(self.counts)
        if len(self.others):
            distinct = np.count_nonzero(np.diff(self.rows[self.others])) + 1
            found += OTHER_COST * len(self.others) + REST_COST * distinct
        return float(found)


def planned_blocks(
    factors: Sequence[sp.csr_array], dtype: np.dtype
) -> tuple[list[Blocks] | None, float]:
    """Return the blocks that a product with a vector multiplies by, and what it costs.

    There are none where gathering single entries costs less, and none are looked for
    among few entries. The cost is infinite then.
    """
    total, found = float(sum(map(cost, factors))), list[Blocks]()
    if total < LEAST:
        return None, np.inf
    for factor in factors:
        blocks = full_blocks(factor, dtype)
        if blocks is None:
            return None, np.inf
        found.append(blocks)
    in_blocks = sum(one.cost(dtype) for one in found)
    return (found, in_blocks) if in_blocks < total else (None, np.inf)


def full_blocks(factor: sp.csr_array, dtype: np.dtype) -> Blocks | None:
    """Return the full blocks of a factor in canonical CSR form, by columns or by rows.

    Those are chosen whose product costs less; None where few entries lie in any.
    """
    found, tail = [], BLOCK - 1
    turned = sp.csr_array(
        (np.arange(factor.nnz), factor.indices, factor.indptr), shape=factor.shape
    ).tocsc()
    rows = np.repeat(np.arange(factor.shape[0]), np.diff(factor.indptr))
    columns = factor.indices[turned.data]
    both = ((False, turned.indices, columns), (True, factor.indices, rows))
    for by_rows, line, own in both:
        runs = (line[tail:] - line[:-tail] == tail) & (line[:-tail] % BLOCK == 0)
        runs &= own[tail:] == own[:-tail]
        if BLOCK * np.count_nonzero(runs) >= LEAST_SHARE * factor.nnz > 0:
            make = _by_rows if by_rows else _by_columns
            found.append(make(factor, rows, turned.data))
    return min(found, key=lambda one: one.cost(dtype), default=None)


def cost_of_blocks(
    count: int, shapes: Sequence[tuple[int, int]], dtype: np.dtype
) -> float:
    """Return what a product costs whose factors have some blocks of columns.

    Parameters
    ----------
    count : int
        Number of blocks of all factors.
    shapes : sequence of (int, int)
        Shapes of the factors.
    dtype : numpy.dtype

    Returns
    -------
    float
        The cost in entries of a slice, as `Blocks.cost` counts it.
    """
    lines = sum(-(-rows // BLOCK) for rows, _ in shapes)
    each = BLOCK_COST + BYTE_COST * BLOCK * dtype.itemsize
    return each * count + LINE_COST["columns"] * lines


def _by_columns(factor, rows, turned):
    """Return the full blocks of groups of `BLOCK` rows, of which the last is shorter.

    turned: the entries in order of columns. Those of a block are next to each other in
    an order by group, column and row.
    """
    groups = rows // BLOCK
    order = turned[np.argsort(groups[turned], kind="stable")]
    lines = -(-factor.shape[0] // BLOCK)
    height = np.full(lines, BLOCK)
    height[-1] = factor.shape[0] - BLOCK * (lines - 1)
    return _full(rows, groups, factor.indices, order, height)


def _by_rows(factor, rows, turned):
    """Return the full blocks of rows, which begin at multiples of `BLOCK` columns."""
    order, width = np.arange(len(rows)), np.full(factor.shape[0], BLOCK)
    return _full(rows, rows, factor.indices // BLOCK, order, width)


def _full(rows, lines, places, order, sizes):
    """Return the blocks, named by line and place, that have as many entries as said."""
    line, place = lines[order], places[order]
    new = np.ones(len(order), bool)
    new[1:] = (line[1:] != line[:-1]) | (place[1:] != place[:-1])
    first = np.flatnonzero(new)
    lengths = np.diff(np.append(first, len(order)))
    kept = lengths == sizes[line[first]]
    inside = np.repeat(kept, lengths)
    counts = np.bincount(line[first[kept]], minlength=len(sizes))
    by_rows = lines is rows
    return Blocks(by_rows, counts, order[inside], np.sort(order[~inside]), rows)


def pack_blocks(
    factors: Sequence[sp.csr_array], blocks: Sequence[Blocks], dtype: np.dtype
) -> Sliced:
    """Return factors as `nbfact.kernels.block_chain_apply` takes them.

    blocks: what `full_blocks` found in each factor.
    """
    data, indices, table = [], [], []
    for factor, found in zip(factors[::-1], blocks[::-1], strict=True):
        values = factor.data.astype(dtype)
        inside, others = found.inside, found.others
        if found.by_rows:
            blocked, first = values[inside], factor.indices[inside[::BLOCK]]
        else:
            lines = np.repeat(np.arange(len(found.counts)), found.counts)
            height = np.minimum(BLOCK, factor.shape[0] - BLOCK * lines)
            starts = np.cumsum(height) - height
            padded = np.zeros((len(lines), BLOCK), dtype)
            padded[np.arange(BLOCK) < height[:, None]] = values[inside]
            blocked, first = padded.ravel(), factor.indices[inside[starts]]
        data += [blocked, values[others]]
        indices += [first, factor.indices[others]]
        counts = np.bincount(found.rows[others], minlength=factor.shape[0])
        rest = np.flatnonzero(counts)
        head = [factor.shape[0], found.by_rows, len(found.counts), len(rest)]
        table += [head, found.counts, np.stack([rest, counts[rest]], 1).ravel()]
    most = max(max(factor.shape) for factor in factors)
    head = [len(factors), -(-most // BLOCK) * BLOCK]
    numbers = np.concatenate([head, *table]).astype(np.int64)
    packed = aligned((sum(map(len, data)),), dtype)
    return (
        np.concatenate(data, out=packed),
        unsigned(indices, most),
        unsigned([numbers], int(np.max(numbers)), least=np.uint32),
    )
