"""Products of columns with a dyadic butterfly, two levels at a time.

The blocks are in torch_butterfly's order with increasing strides: ``twiddle`` has
shape (L, n / 2, 2, 2), and level l, of stride s = 2**l, mixes rows 2 * s * high + low
and 2 * s * high + low + s by the block ``twiddle[l, high * s + low]``. The four blocks
of two levels are then read in the order of the rows (`dyadic.py` has another order, for
one vector).

Where the columns exceed the cache, the levels are applied in two turns: in one of them
those that mix neighbouring rows, to as many rows as stay in cache, and in the other one
the levels of larger strides. Within a turn no group of rows depends on another one, so
that threads divide them: threads that divide the columns write to parts of the same
rows, and disturb each other. Numbers in comments: Zen 4 with 1 MiB of L2, one thread.
"""

from typing import NamedTuple

import numpy as np

from ._jit import kernel
from .dyadic_registers import mix_four_rows, mix_two_rows

CACHED = 2**19
"""Bytes of columns up to which each level is applied to all rows: half of an L2 cache
of 1 MiB."""

GROUP = 2**18
"""Bytes of the rows to which levels are applied together where there are more, or twice
as many."""

BOTH = 2
"""Stands for turn 0 and then turn 1."""


class RowGroup(NamedTuple):
    """The rows and the levels that belong together.

    Rows ``first + r + step * m`` with r < ``chunk`` and m < ``n_chunks`` are mixed by
    the levels from ``level`` on, of which the first has stride ``step``.
    """

    first: int | np.intp
    step: int | np.intp
    chunk: int | np.intp
    n_chunks: int | np.intp
    level: int | np.intp


class Lines(NamedTuple):
    """Where the rows of a group are in the flat arrays x and out.

    Row (m, r) begins at ``start + hop * m + line * r``, and ``width`` columns of it are
    multiplied.
    """

    start: int | np.intp
    hop: int | np.intp
    line: int | np.intp
    width: int | np.intp


class Axis(NamedTuple):
    """Blocks of a pass that follow one another, at equal distances.

    ``blocks`` and ``rows`` are the distances in the values, and in x and out.
    """

    length: int | np.intp
    blocks: int | np.intp
    rows: int | np.intp


@kernel
def _axes(group, q, depth, lines):
    """Return the axes of the blocks of `depth` levels from q on, the longest first."""
    up = q + depth
    high = Axis(group.n_chunks >> up, group.step << (up + 1), lines.hop << up)
    low = Axis(1 << q, 4 * group.step, lines.hop)
    row = Axis(group.chunk, np.intp(4), lines.line)
    if high.length > low.length:
        high, low = low, high
    if row.length > low.length:
        low, row = row, low
    return low, high, row


@kernel
def _mix_pairs(twiddle, group, x, out, lines):
    """Apply the first level of a group alone, from x to out."""
    half, s, log = np.intp(twiddle.shape[1]), group.step, group.level
    flat, flat_x, flat_out = twiddle.ravel(), x.ravel(), out.ravel()
    e = (group.first >> (log + 1)) * s + (group.first & (s - 1))
    start = 4 * (log * half + e)
    run, one, two = _axes(group, np.intp(0), np.intp(1), lines)
    for i in range(one.length):
        for j in range(two.length):
            at = start + one.blocks * i + two.blocks * j, run.blocks
            place = lines.start + one.rows * i + two.rows * j
            rows = place, lines.hop, run.rows
            mix_two_rows(
                flat, at, flat_x, rows, flat_out, rows, (run.length, lines.width)
            )


@kernel
def _mix_fours(twiddle, group, q, last, x, out, lines):
    """Apply levels q and q + 1 of a group, of which level q + last comes first."""
    half, s, log = np.intp(twiddle.shape[1]), group.step << q, group.level + q
    flat, flat_x, flat_out = twiddle.ravel(), x.ravel(), out.ravel()
    e = 2 * (group.first >> (log + 2)) * s + (group.first & (s - 1))
    first, second = 4 * ((log + last) * half + e), 4 * ((log + 1 - last) * half + e)
    up, down = lines.hop << (q + last), lines.hop << (q + 1 - last)
    run, one, two = _axes(group, q, np.intp(2), lines)
    for i in range(one.length):
        for j in range(two.length):
            here = one.blocks * i + two.blocks * j
            at = first + here, second + here, 4 * s, run.blocks
            place = lines.start + one.rows * i + two.rows * j
            rows = place, up, down, run.rows
            mix_four_rows(
                flat, at, flat_x, rows, flat_out, rows, (run.length, lines.width)
            )


@kernel
def _mix_group(twiddle, group, depth, last, x, out, lines):
    """Apply the levels of a group, `depth` of them: from x to out, and then in out.

    last: 0 to apply the level of the smallest stride first, 1 to apply it last.
    """
    odd, n_passes = depth % 2, (depth + 1) // 2
    given = x
    for number in range(n_passes):
        k = n_passes - 1 - number if last == 1 else number
        if odd == 1 and k == 0:
            _mix_pairs(twiddle, group, given, out, lines)
        else:
            _mix_fours(twiddle, group, 2 * k - odd, last, given, out, lines)
        given = out


@kernel
def _sizes(n_levels, batch, itemsize):
    """Return how many levels mix neighbouring rows in a turn, and columns of a tile.

    There are tiles where that turn has all levels.
    """
    line, low = batch * itemsize, n_levels
    if line << n_levels > CACHED:
        while low > 2 and line << low > GROUP:
            low -= 1
        low += (n_levels - low) % 2  # the others go two by two
        if low == n_levels:
            return low, max(GROUP // itemsize >> low, 1)
    return low, max(batch, 1)


@kernel
def multiply_turns(twiddle, x, out, turn, part, parts, last):
    """Apply the levels of a turn to one part of the rows, of `parts`.

    turn: 0 or 1, or `BOTH` for the only part. Turn 1 begins when turn 0 has been
    applied to all parts. Where all columns stay in cache, or rows are few, turn `last`
    has all levels, and tiles of columns are divided, of which there may be one.
    last: 0 to apply level 0, of stride 1, first, as `butterfly_apply_columns` does, and
    1 to apply it last. The blocks are the same.
    """
    (n, batch), n_levels = x.shape, np.intp(twiddle.shape[0])
    low, tile = _sizes(n_levels, batch, x.itemsize)
    zero, one, step, count = np.intp(0), np.intp(1), np.intp(1) << low, n >> low
    whole, begin, end = low == n_levels, zero, np.intp(batch)
    if whole and parts > 1:
        tiles = (batch + tile - 1) // tile
        begin = tiles * part // parts * tile
        end = min(tiles * (part + 1) // parts * tile, end)
    given = x if turn == 0 or turn == BOTH or whole else out
    for number in range(2):
        if (turn != number and turn != BOTH) or (whole and number != last):
            continue
        if number == last:
            first, stop = zero, np.intp(count)
            if parts > 1 and not whole:
                first, stop = count * part // parts, count * (part + 1) // parts
            for column in range(begin, end, tile):
                width = min(tile, end - column)
                for k in range(first, stop):
                    group = RowGroup(k * step, one, one, step, zero)
                    lines = Lines(k * step * batch + column, batch, zero, width)
                    _mix_group(twiddle, group, low, last, given, out, lines)
        else:
            r, stop = step * part // parts, step * (part + 1) // parts
            group = RowGroup(r, step, stop - r, count, low)
            lines = Lines(r * batch, step * batch, batch, batch)
            _mix_group(twiddle, group, n_levels - low, last, given, out, lines)
        given = out


@kernel
def butterfly_apply_columns(
    twiddle: np.ndarray, x: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of a dyadic butterfly with the columns of a matrix.

    Parameters
    ----------
    twiddle : ndarray, shape (L, n / 2, 2, 2), with n = 2**L and L at least 1
        The blocks in torch_butterfly's order with increasing strides, as
        `butterfly_pack` reads them; level 0, of stride 1, is applied first. Only read.
        All arrays have one dtype and are C-contiguous.
    x : ndarray, shape (n, batch)
        Only read, unless it is out.
    out : ndarray, shape (n, batch)
        Overwritten with the product. It may be x itself, but not overlap with it
        otherwise.

    See Also
    --------
    butterfly_apply : The product with one vector.
    butterfly_adjoint_columns : The product of the adjoint.
    nbfact.Butterfly : The operator.

    Notes
    -----
    The cost is 2 n log2(n) multiplications for each column.

    Examples
    --------
    One block [[1, 2], [3, 4]], times the columns of the identity:

    >>> import numpy as np, nbfact as nf
    >>> twiddle = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2)
    >>> nf.kernels.butterfly_apply_columns(twiddle, np.eye(2), out := np.empty((2, 2)))
    >>> out
    array([[1., 2.],
           [3., 4.]])
    """
    multiply_turns(twiddle, x, out, BOTH, 0, 1, 0)


@kernel
def butterfly_adjoint_columns(
    twiddle: np.ndarray, x: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of the adjoint of a dyadic butterfly with columns.

    Parameters
    ----------
    twiddle, x, out : ndarray
        As in `butterfly_apply_columns`, of the same shapes; out may be x. The adjoint
        is the conjugate transpose.

    See Also
    --------
    butterfly_adjoint : The product with one vector.
    butterfly_apply_columns : The product of the butterfly itself.

    Notes
    -----
    The cost is 2 n log2(n) multiplications for each column, and a copy of twiddle.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> twiddle = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2)
    >>> out = np.eye(2)
    >>> nf.kernels.butterfly_adjoint_columns(twiddle, out, out)
    >>> out
    array([[1., 3.],
           [2., 4.]])
    """
    adjoint = np.empty_like(twiddle)
    given, turned = twiddle.ravel(), adjoint.ravel()
    for i in range(0, given.shape[0], 4):
        for k in range(4):
            turned[i + k] = np.conj(given[i + 2 * (k % 2) + k // 2])
    multiply_turns(adjoint, x, out, BOTH, 0, 1, 1)
