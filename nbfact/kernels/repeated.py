"""Products with large blocks by BLAS or in panels: one block again and again, or many.

A factor I_p ⊗ K ⊗ I_q, with a matrix K of shape (b, c), multiplies x of shape
(p, c, q). A Kronecker product of matrices is a product of such factors.
"""

import numpy as np

from ._jit import kernel
from .blas import multiply
from .dense_panels import panels_by_columns, panels_by_rows
from .permute import transpose
from .vectors import BYTES

INSIDE, ALONG, TURNED, TRANSPOSED, INSIDE_PANELS, ALONG_PANELS = range(6)
"""Ways of a step: K times the middle axis of x; each row of x, where q = 1, times the
transpose of K; the same for the columns of x, where p = 1, into rows; a transpose of x;
and the first two by panels of K, which `dense_panels.py` has, in place of BLAS."""

TILE_BYTES = 1 << 18
"""Most bytes of a tile of x that panels read: it stays in the second level of cache."""


@kernel
def repeated_apply(
    values: np.ndarray,
    steps: np.ndarray,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Multiply by factors of one block each, or by some parts of one of them.

    Parameters
    ----------
    values : ndarray
        The entries of the matrices: for each one K, of shape (b, c), and after it its
        transpose, and its panels, see `dense_panels_rows`, where a step takes them.
        Only read. All arrays but steps are flat and have one dtype.
    steps : ndarray of int64, shape (n_steps, 9)
        What is done, in this order. A row holds the way (0 to 5), the place of K in
        values, b, c, p, q, the size of a part, the first part that is computed and
        the one after the last. Way 0 writes (p, b, q) from (p, c, q), and a part is
        that number of columns of one block; way 1 writes (p, b) from (p, c), and way 2
        writes (q, b) from (c, q), both in parts of that number of rows; way 3 writes
        the transpose of (p, q), as one part. Ways 4 and 5 do what 0 and 1 do where b
        and q are at least the rows of a panel, or p is 2; the last part has the rest.
    x : ndarray, shape (size,)
        What the first step reads; only read.
    scratch : ndarray, shape (2, widest)
        Clobbered: what goes from one step to the next. One row suffices for two steps,
        and none, of shape (0, 0), for one.
    out : ndarray, shape (size,)
        What the last step writes.

    See Also
    --------
    blocks_products : Factors of several blocks.
    nbfact.operators.KroneckerProduct : An operator that uses this kernel.

    Notes
    -----
    The cost of a step is b c p q multiplications, by BLAS in one call for each part.

    Examples
    --------
    Way 1 multiplies each of p = 2 rows by the matrix [[1, 2]], whose transpose follows:

    >>> import numpy as np, nbfact as nf
    >>> values, x = np.array([1.0, 2.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0, 5.0])
    >>> steps, out = np.array([[1, 0, 1, 2, 2, 1, 2, 0, 1]]), np.empty(2)
    >>> nf.kernels.repeated_apply(values, steps, x, np.empty((0, 0)), out)
    >>> out
    array([ 3., 10.])
    """
    last = len(steps) - 1
    for number in range(len(steps)):
        source = x if number == 0 else scratch[(number - 1) % 2]
        target = out if number == last else scratch[number % 2]
        way, v, b, c, p, q, unit, begin, end = steps[number]
        if way == TRANSPOSED:
            turned = target[: p * q].reshape(q, p)
            transpose(source[: p * q].reshape(p, q), turned)
            continue
        if way >= INSIDE_PANELS:
            _by_panels(values, steps[number], source, target)
            continue
        for part in range(begin, end):
            if way == INSIDE:
                parts = (q + unit - 1) // unit
                i, j = part // parts, part % parts * unit
                columns = min(unit, q - j)
                at = (v, c, i * c * q + j, q, i * b * q + j, q, b, c, columns)
                multiply(values, source, target, at, 0)
            elif way == ALONG:
                i = part * unit
                at = (i * c, c, v + b * c, b, i * b, b, min(unit, p - i), c, b)
                multiply(source, values, target, at, 0)
            else:
                j = part * unit
                at = (j, q, v + b * c, b, j * b, b, min(unit, q - j), c, b)
                multiply(source, values, target, at, 1)


@kernel
def _by_panels(values, step, x, out):
    """Do a step of `repeated_apply` by panels."""
    way, v, b, c, p, q, unit, begin, end = step
    panel = BYTES // values.itemsize * (2 if np.iscomplexobj(values) else 4)
    shape, v = (b, c, panel), v + 2 * b * c
    if way == ALONG_PANELS:
        parts = max(p // unit, 1)
        for part in range(begin, end):
            i = part * unit
            places = (v, i * c, i * b, c, b)
            count = p - i if part == parts - 1 else unit
            panels_by_rows(values, shape, x, out, places, 1, count)
        return
    # Rows of x may compete for lines of the cache: those of the tile do not, and begin
    # at lines, because a vector across two of them takes twice as long.
    parts, lanes = max(q // unit, 1), BYTES // x.itemsize
    most = max(min(TILE_BYTES // (c * x.itemsize), unit) // panel, 1) * panel
    step = most + lanes
    tile = np.empty(c * step + lanes, x.dtype)
    t0 = -tile.ctypes.data % BYTES // x.itemsize
    for part in range(begin, end):
        i, j = part // parts, part % parts * unit
        stop = q if part % parts == parts - 1 else j + unit
        while j < stop:
            j = min(j, stop - panel)
            width = min(most, stop - j)
            for k in range(c):
                given = x[(i * c + k) * q + j : (i * c + k) * q + j + width]
                copied = tile[t0 + k * step : t0 + k * step + width]
                for t in range(width):
                    copied[t] = given[t]
            places = (v, t0, i * b * q + j, step, q)
            panels_by_columns(values, shape, tile, out, places, width)
            j += width


@kernel
def blocks_products(
    values: np.ndarray,
    pattern: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
    begin: int,
    end: int,
) -> None:
    """Multiply columns, or rows, by some blocks of a factor, block by block.

    Parameters
    ----------
    values : ndarray, shape (a * d * b * c,)
        Values of a factor of pattern (a, b, c, d): those of block (i, m) in C order.
        Only read. All arrays but pattern are flat and have one dtype.
    pattern : ndarray of int64, shape (6,)
        The numbers a, b, c and d, how many vectors there are, and 1 where they are
        rows, for which d is 1, or 0 where they are columns.
    x : ndarray, shape (a * c * d * batch,)
        The vectors, (a * c * d, batch), or (batch, a * c); only read.
    out : ndarray, shape (a * b * d * batch,)
        The entries that the blocks begin to end - 1 give are overwritten; it shares no
        memory with x.
    begin, end : int
        Blocks, of which (i, m) has the number i * d + m.

    See Also
    --------
    blocks_columns, blocks_rows : The same products without BLAS.

    Notes
    -----
    The cost is b c multiplications for each block and vector, in a call of BLAS for
    each block.

    Examples
    --------
    Two blocks of one row, [1, 2] and [3, 4], times one vector:

    >>> import numpy as np, nbfact as nf
    >>> values, pattern = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2, 1, 2, 1, 1, 0])
    >>> out = np.empty(2)
    >>> nf.kernels.blocks_products(values, pattern, np.ones(4), out, 0, 2)
    >>> out
    array([3., 7.])
    """
    a, b, c, d, batch, rows = pattern
    step = d * batch
    for block in range(begin, end):
        v, i, m = block * b * c, block // d, block % d
        if rows:
            at = (i * c, a * c, v, c, i * b, a * b, batch, c, b)
            multiply(x, values, out, at, 2)
        else:
            p, o = (i * c * d + m) * batch, (i * b * d + m) * batch
            at = (v, c, p, step, o, step, b, c, batch)
            multiply(values, x, out, at, 0)
