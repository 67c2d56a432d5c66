"""Products of vectors, rows and columns with a factor of large blocks.

`kronecker.py` explains the pattern (a, b, c, d), and `panels.py` the instructions. All
sums are added up in the same order, in parts of `DEPTH` products, so that an entry of a
product has the same bits whether x is a vector, rows or columns.

Rows, and a single vector, are multiplied by vectors of values. A vector holds values of
one column k of a block, and of neighbouring rows of the factor where that is possible:

* neighbours m of one row j, where d is a multiple of the lanes of a vector;
* all m of some rows j, where d is a power of two below that;
* some rows j of one m, for any other d. Their products are scattered.

Columns are multiplied in place by one value at a time, of the rows j of a panel
together.
"""

import numpy as np

from ._jit import kernel
from .lines import LINE, is_split, on_lines
from .panels import HALF, LOW, PANEL, TALL, WIDE, add_outer_products, prefetch
from .vector_copies import (
    copy_columns_ahead,
    move_vectors,
    panel_width,
    spread_entries,
)
from .vectors import BYTES

DEPTH = 128
"""Number of products that are added up before they are added to the others: the panels
of this length stay in the first level of cache, and rounding errors add up slower."""

CHUNK, ENTRIES = 128, 1 << 16
"""Least number of vectors of x that a block multiplies before the next ones, and number
of entries of x that it reads in between, so that they stay in the second level of
cache."""

THREE, TWO = 3, 2
"""Numbers of vectors of x that are multiplied together where fewer than `TALL` are
left, by as many vectors of values as fit."""

LONG = 64
"""Number of columns from which on the rows of x that the next block reads are fetched
while a block is multiplied, because the processor does not foresee them. For fewer
columns, which stay in cache, fetching only takes time."""

COPIED, MANY_PANELS = 3, 8
"""Numbers of panels of a block from which on the entries of x that it reads are copied
first, where they compete for the same lines of the cache, and where they are far apart,
or where vectors of them are parts of two lines; only for at least `LONG` columns."""
APART, FEW_ROWS, FEW_GROUPS = 1 << 20, 16, 3
"""Bytes from the first entry that a block reads of a row of x to the last one, over all
rows of a chunk, from which on these entries are copied first: lines that are far apart
have few places in a cache. The others are least numbers of rows, and of groups of
vectors of values."""
SOME_BYTES, MANY_BYTES = 1 << 20, 1 << 22
"""Bytes of the values of a block from which on twice as many rows are copied, so that
they are read less often, and from which on they are read once for `CHUNK` rows of x,
some columns k after the others: the second level of cache has no place for them."""
OUTSIDE = 1 << 22
"""Bytes of a product beyond which its rows are fetched before they are written, where
they are far apart: the processor waits for each line otherwise."""
PAGE, WAYS, FAR = 4096, 12, 2048
"""Bytes after which the first level of cache has the same places again, number of lines
that it has for each, and bytes of rows that are far apart, because each has a page of
its own."""


@kernel
def _multiply_group(values, x, out, places, repeated, size, count):
    """Multiply `count` rows of x by a group of `size` vectors of values.

    places: the place of the first value, of x and of out, the distances of columns k
    and of rows in x, those of vectors and of rows in out, the number of columns, and 1,
    or 0 where the products are added to what out holds.
    """
    v, p, o, xs, xn, os, on, c, new = places
    step = size * (BYTES // values.itemsize)
    wide = 2 if np.iscomplexobj(values) else 4
    for k in range(0, c, DEPTH):
        depth, first = min(DEPTH, c - k), new if k == 0 else 0
        w, q = v + k * step, p + k * xs
        for n in range(0, count - count % TALL, TALL):
            at = (q + n * xn, xs, xn, w, step, o + n * on, on, os, depth, first)
            if size == wide:
                add_outer_products(x, values, out, at, repeated, TALL, 4)
            elif size == 3:
                add_outer_products(x, values, out, at, repeated, TALL, 3)
            else:
                add_outer_products(x, values, out, at, repeated, TALL, 1)
        n, rest = count - count % TALL, count % TALL
        while rest:
            at = (q + n * xn, xs, xn, w, step, o + n * on, on, os, depth, first)
            if size == wide and rest == THREE:
                add_outer_products(x, values, out, at, repeated, THREE, 4)
                break
            if size == wide and rest == TWO:
                add_outer_products(x, values, out, at, repeated, TWO, 4)
                break
            if size == wide:
                add_outer_products(x, values, out, at, repeated, 1, 4)
            elif size == 3:
                add_outer_products(x, values, out, at, repeated, 1, 3)
            else:
                add_outer_products(x, values, out, at, repeated, 1, 1)
            n, rest = n + 1, rest - 1


@kernel
def blocks_rows(
    values: np.ndarray,
    groups: np.ndarray,
    repeated: tuple,
    x: np.ndarray,
    out: np.ndarray,
    count: int,
) -> None:
    """Write the products of a Kronecker-sparse factor with vectors, row by row.

    Parameters
    ----------
    values : ndarray, shape (a * parts * c * width,)
        Values of a factor of pattern (a, b, c, d). The vectors of values, which the top
        of this file describes, have ``parts`` parts: one for each vector of neighbours
        m, or for each m where products are scattered, else one. Each part has ``width``
        entries for each k, with zeros where a vector has no row. They stand in groups:
        for each i, part and group, the vectors of the group for k = 0, then for k = 1,
        and so on. Only read. All arrays but groups have one dtype and are C-contiguous.
    groups : ndarray of int64, shape (3 + number of groups,)
        The numbers a, c and width, and then the number of vectors in each group: 4, 3
        or 1, and 2 or 1 of complex values.
    repeated : tuple of int
        Its length is the logarithm to base 2 of the number of neighbours m in a vector;
        what it holds does not count.
    x : ndarray, shape (count * a * c * d,)
        One vector after the other; only read.
    out : ndarray, shape (count * a * b * d,)
        Overwritten with the products; shares no memory with x.
    count : int
        Number of vectors, at least 1.

    See Also
    --------
    blocks_columns : The product with the columns of a matrix.
    blocks_products : The same product by BLAS.
    nbfact.Butterfly : The operator, which packs its values.

    Notes
    -----
    The cost is a b c d multiplications for each vector.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators.dense_blocks import pack_rows
    >>> packed = pack_rows(np.arange(6.0).reshape(1, 2, 3, 1))  # one block of 2 x 3
    >>> x, out = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0]), np.empty(4)
    >>> nf.kernels.blocks_rows(*packed, x, out, 2)  # two vectors
    >>> out
    array([ 3., 12.,  0.,  3.])
    """
    a, c, width, near = groups[0], groups[1], groups[2], 1 << len(repeated)
    xn, on, lanes = x.size // count, out.size // count, BYTES // values.itemsize
    d, parts, inside = xn // (a * c), values.size // (a * c * width), on // a
    # A part writes entries that are `apart`, in vectors that begin `os` apart.
    apart, os = (1, d) if near == lanes else (d if parts > 1 else 1, lanes)
    size = inside if near == lanes else inside // apart
    copied = near == lanes and count >= FEW_ROWS and groups.size - 3 >= FEW_GROUPS
    copied = copied and min(count, CHUNK) * c * d * values.itemsize >= APART
    # Where a block has many values, all groups multiply some columns k of copied rows,
    # and then the next ones: large chunks of rows read the values once.
    block_bytes = c * width * values.itemsize
    many = copied and block_bytes > MANY_BYTES
    most, chunk = DEPTH if many else c, CHUNK
    if copied and not many:
        entries = 2 * ENTRIES if block_bytes > SOME_BYTES else ENTRIES
        chunk = min(CHUNK, max(FEW_ROWS, entries // (c * lanes)))
    rows = min(count, chunk)
    spare = np.empty(rows * (width if many else 4 * lanes), values.dtype)
    copy = on_lines(rows * most * lanes if copied else 0, values)
    given, xs, xr = (copy, lanes, most * lanes) if copied else (x, d, xn)
    for block in range(a * parts):
        i, m = block // parts, block % parts
        for n in range(0, count, chunk):
            p, o = n * xn + i * c * d + m * near, n * on + i * inside + m * near
            some = min(chunk, count - n)
            for k in range(0, c, most):
                depth, new, q = min(most, c - k), 1 if k == 0 else 0, p
                if copied:
                    source, target = (p + k * d, xn, d), (0, most * lanes, lanes)
                    move_vectors(x, source, copy, target, (some, depth), 0)
                    q = np.int64(0)
                done = 0
                for group in groups[3:]:
                    line, to = group * lanes, o + done * os
                    v = (block * width + done * lanes) * c + k * line
                    last = min(line, size - done * lanes)
                    if apart == 1 and last == line and not many:
                        places = (v, q, to, xs, xr, os, on, depth, new)
                        _multiply_group(
                            values, given, out, places, repeated, group, some
                        )
                    else:
                        start = done * lanes * rows if many else 0
                        places = (v, q, start, xs, xr, lanes, line, depth, new)
                        _multiply_group(
                            values, given, spare, places, repeated, group, some
                        )
                        if many and k + most >= c:
                            source, target = (start, line, lanes), (to, on, os)
                            move_vectors(spare, source, out, target, (some, group), 0)
                        elif not many:
                            ends = (o + done * os * apart, on, apart)
                            spread_entries(spare, line, out, ends, some, last)
                    done += group


@kernel
def _is_copied(values, x, apart, count, size):
    """Return whether `copy_columns_ahead` saves more time than it takes.

    apart: the entries of x from one row that a block reads to the next one; count: the
    number of columns; size: the bytes of a row of those that are multiplied together.
    """
    _, _, panels, c, _ = values.shape
    if count < LONG or panels < COPIED:
        return False
    distance = apart * x.itemsize
    if panels >= MANY_PANELS and (distance >= FAR or is_split(x, apart)):
        return True
    places = max(PAGE // (distance & -distance), 1) * size // LINE
    return min(c, DEPTH) * size // LINE >= WAYS * min(places, PAGE // LINE)


@kernel
def _multiply_panel(values, x, out, places, size):
    """Multiply a panel of values by `size` columns, at least the lanes of a vector.

    places: the place of the first value, of x and of out, the distances of columns k in
    x and of rows in out, the number of columns k, and that of rows of the panel. The
    first distance is zero where x was copied by `copy_columns_ahead`.
    """
    v, p, o, xs, on, c, panel = places
    lanes, wide, n = BYTES // values.itemsize, panel_width(values), 0
    while n < size:
        whole = n + wide <= size
        column = n if whole else min(n, size - lanes)  # the last one ends with them
        width = wide if whole else lanes
        step = xs if xs else width
        start = p + column if xs else p + n * c
        for k in range(0, c, DEPTH):
            depth, first = min(DEPTH, c - k), 1 if k == 0 else 0
            w, q, y = v + k * panel, start + k * step, o + column
            if whole:
                for r in range(0, panel, LOW):
                    at = (w + r, panel, 1, q, step, y + r * on, on, lanes, depth, first)
                    add_outer_products(values, x, out, at, (), LOW, WIDE)
                continue
            at = (w, panel, 1, q, step, y, on, lanes, depth, first)
            if panel == PANEL:
                add_outer_products(values, x, out, at, (), PANEL, 1)
            else:
                add_outer_products(values, x, out, at, (), HALF, 1)
        n += width


@kernel
def blocks_columns(
    values: np.ndarray, x: np.ndarray, out: np.ndarray, begin: int, end: int
) -> None:
    """Write the product of a Kronecker-sparse factor with some columns of a matrix.

    Parameters
    ----------
    values : ndarray, shape (a, d, panels, c, rows)
        Values of a factor of pattern (a, b, c, d): those of the rows j of a block in
        panels of `nbfact.kernels.panels.panel_of` rows, with zeros after the last row.
        Only read. All arrays have one dtype and are C-contiguous.
    x : ndarray, shape (a * c * d, batch)
        Only read.
    out : ndarray, shape (a * b * d, batch)
        Its columns begin to end - 1 are overwritten with those of the product; shares
        no memory with x.
    begin, end : int
        Columns to multiply: no fewer than the 64 bytes of a vector.

    See Also
    --------
    blocks_rows : The product with vectors, one after the other.
    kronecker_apply_columns : The product where blocks are small.

    Notes
    -----
    The cost is a b c d multiplications for each column.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators.dense_blocks import pack_columns
    >>> packed = pack_columns(np.arange(6.0).reshape(1, 2, 3, 1))  # one block of 2 x 3
    >>> x, out = np.ones((3, 8)), np.empty((2, 8))
    >>> nf.kernels.blocks_columns(packed, x, out, 0, 8)
    >>> out[:, 0]
    array([ 3., 12.])
    """
    a, d, panels, c, panel = values.shape
    batch, lanes = x.shape[1], BYTES // values.itemsize
    b, step = out.shape[0] // (a * d), d * batch
    flat, fx, fo = values.ravel(), x.ravel(), out.ravel()
    most = max(CHUNK, ENTRIES // c)
    chunks = max(1, (end - begin) // most)  # the last one is up to twice as long
    full, spare = b // panel, np.empty(panel * 2 * most, values.dtype)
    tile = panel_width(values) * values.itemsize
    copied = _is_copied(values, fx, step, end - begin, tile)
    copy = on_lines(c * (min(end - begin, 2 * most) + lanes) if copied else 0, x)
    source, xs = (copy, 0) if copied else (fx, step)
    fetched = end - begin >= LONG and step * x.itemsize >= FAR
    fetched = fetched and out.size * x.itemsize > OUTSIDE
    for block in range(a * d):
        i, m = block // d, block % d
        p, o, after = (i * c * d + m) * batch, (i * b * d + m) * batch, block + 1
        for chunk in range(chunks):
            start = begin + chunk * most
            size = end - start if chunk == chunks - 1 else most
            q = 0 if copied else p + start
            if copied:
                copy_columns_ahead(fx, copy, p + start, step, c, size)
            fetch = size >= LONG and after < a * d and not copied
            for k in range(c if fetch else 0):
                near = ((after // d * c + k) * d + after % d) * batch + start
                for n in range(near, near + size, lanes):
                    prefetch(fx, n)
            for j in range(b if fetched else 0):
                first = o + j * step + start
                for n in range(first, first + size, lanes):
                    prefetch(fo, n)
            for j in range(full):
                v, y = (block * panels + j) * c * panel, o + j * panel * step + start
                places = (v, q, y, xs, step, c, panel)
                _multiply_panel(flat, source, fo, places, size)
            if full < panels:
                v, y = (block * panels + full) * c * panel, o + full * panel * step
                places = (v, q, np.int64(0), xs, size, c, panel)
                _multiply_panel(flat, source, spare, places, size)
                ends = (y + start, step, 1)
                spread_entries(spare, size, fo, ends, b - full * panel, size)
