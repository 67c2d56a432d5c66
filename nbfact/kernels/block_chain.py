"""Products of a chain of factors in blocks of `BLOCK` entries with one vector.

The factors are packed in order of application: the rightmost first. `data` and
`indices` hold, factor by factor, the blocks line by line, and behind them the other
entries row by row. A line is a group of `BLOCK` rows, whose blocks are columns of the
group, or one row, whose blocks are neighbouring columns. A block has `BLOCK` values and
one index, that of its column, or of its first one. Where the last group has fewer rows,
its values are filled up with zeros, and what they yield is not read.

``table`` begins with the number of factors, and with the length of the arrays that one
factor writes and the next one reads. Then follow, for each factor,

* the number of its rows; 0 for groups and 1 for rows; the number of lines; and the
  number of rows with other entries;
* for each line, its number of blocks;
* for each row with other entries, its number, and how many those are.
"""

from typing import Any

import numpy as np

from ._jit import REASSOC, kernel
from .block_entries import BLOCK, multiply_column_blocks, multiply_row_blocks
from .gathers import Entries


@kernel
def _multiply_lines(entries, lines, by_rows, places, scale, x, out):
    """Write the products of lines of blocks with x; return the places behind them.

    lines: the numbers of their blocks; places: where indices and values begin.
    """
    t: Any
    t, first = places  # NumPy's stubs take sums for floats
    for line in range(len(lines)):
        end = t + np.intp(lines[line])
        if by_rows:
            multiply_row_blocks(entries, (t, end, first), scale, x, out, line)
        else:
            place = line * BLOCK
            multiply_column_blocks(entries, (t, end, first), scale, x, out, place)
        first += BLOCK * (end - t)
        t = end
    return t, first


@kernel(fastmath=REASSOC)
def _add_entries(entries, rows, places, scale, x, out):
    """Add the products of other entries with x; return the places behind them.

    rows: pairs of a row and its number of entries, one after the other.
    """
    t: Any
    t, first = places
    for r in range(0, len(rows), 2):
        count, total = np.intp(rows[r + 1]), x.dtype.type(0)
        for i in range(count):
            total += entries.data[first + i] * x[entries.indices[t + i]]
        out[rows[r]] += scale * total
        t += count
        first += count
    return t, first


@kernel
def block_chain_apply(
    data: np.ndarray,
    indices: np.ndarray,
    table: np.ndarray,
    scale: float,
    x: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of factors in blocks with one vector.

    Parameters
    ----------
    data, indices, table : ndarray
        The chain, with at least one factor, packed in blocks: see
        `nbfact.kernels.block_chain`. indices and table are unsigned.
    scale : float
        It is rounded to the real dtype of data.
    x : ndarray, shape (columns,), of the dtype of data
        C-contiguous; only read.
    out : ndarray, shape (rows,), of the dtype of data
        C-contiguous; overwritten with scale * S[0] @ ... @ S[J-1] @ x.

    See Also
    --------
    chain_apply : The product where the entries of factors form no blocks.
    nbfact.FactorProduct : The operator, which packs its factors.

    Notes
    -----
    x and out share no memory. The cost is one multiplication for each entry of a
    factor, and an array of two rows, to which the factors write in turn. The sum of a
    row may be added in any order.

    Examples
    --------
    One factor of eight rows: two columns are one block each, of eight values.

    >>> import numpy as np, nbfact as nf
    >>> data, indices = np.arange(16.0), np.array([0, 1], np.uint32)
    >>> table = np.array([1, 0, 8, 0, 1, 0, 2], np.uint32)  # one line of two blocks
    >>> x, out = np.array([1.0, 10.0]), np.empty(8)
    >>> nf.kernels.block_chain_apply(data, indices, table, 1.0, x, out)
    >>> out
    array([ 80.,  91., 102., 113., 124., 135., 146., 157.])
    """
    i: Any
    n_factors, length = np.intp(table[0]), np.intp(table[1])
    place: Any = np.intp(2)  # NumPy's stubs take sums for floats
    weight, source, scratch = x.real.dtype.type(1), x, np.empty((2, length), x.dtype)
    entries, places = Entries(data, indices), (np.intp(0), np.intp(0))
    for j in range(n_factors):
        rows, by_rows = np.intp(table[place]), table[place + 1] != 0
        lines, others = np.intp(table[place + 2]), np.intp(table[place + 3])
        target = scratch[j % 2]
        if j == n_factors - 1:
            weight = x.real.dtype.type(scale)
            if by_rows or rows % BLOCK == 0:
                target = out
        place += 4
        counts = table[place : place + lines]
        place += lines
        rest = table[place : place + 2 * others]
        place += 2 * others
        places = _multiply_lines(
            entries, counts, by_rows, places, weight, source, target
        )
        places = _add_entries(entries, rest, places, weight, source, target)
        source = target
    if len(source) != len(out):
        for i in range(len(out)):
            out[i] = source[i]
