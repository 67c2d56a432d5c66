"""Products of columns with factors of pattern (a, b, c, d).

`kronecker.py` explains values, layout and shape. The loops see x and out as flat
arrays: row r of the columns starts at window[0] * r + window[1] in x, and at place[0] *
r + place[1] in out, and `width` columns are multiplied.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .kronecker import conjugated, packed_strides_of, strides_of

DENSE = 1024
"""Number of entries of a block from which on BLAS multiplies columns: the copies that
it needs are then cheaper than the loops."""


@kernel(fastmath=REASSOC)
def _multiply_fours(values, shape, x, window, out, place, width):
    """Multiply real columns where b and c are multiples of four.

    Each pass over four rows reads 16 values. The loop over m is inside, so that LLVM
    checks once for all m that no rows overlap.
    """
    a, b, c, d, outer, row, column, inner = shape
    four = np.uintp(4)
    xs, os = window[0] * d, place[0] * d
    for i in range(a):
        for j in range(np.uintp(0), b, four):
            for k in range(np.uintp(0), c, four):
                for m in range(d):
                    v = i * outer + j * row + k * column + m * inner
                    x0 = window[0] * ((i * c + k) * d + m) + window[1]
                    o0 = place[0] * ((i * b + j) * d + m) + place[1]
                    x1, o1 = x0 + xs, o0 + os
                    x2, o2 = x1 + xs, o1 + os
                    x3, o3 = x2 + xs, o2 + os
                    a0, a1, a2, a3 = _quad(values, v, column)
                    b0, b1, b2, b3 = _quad(values, v + row, column)
                    c0, c1, c2, c3 = _quad(values, v + row + row, column)
                    d0, d1, d2, d3 = _quad(values, v + row + row + row, column)
                    if k == 0:
                        for n in range(width):
                            p, q, r, s = x[x0 + n], x[x1 + n], x[x2 + n], x[x3 + n]
                            out[o0 + n] = a0 * p + a1 * q + a2 * r + a3 * s
                            out[o1 + n] = b0 * p + b1 * q + b2 * r + b3 * s
                            out[o2 + n] = c0 * p + c1 * q + c2 * r + c3 * s
                            out[o3 + n] = d0 * p + d1 * q + d2 * r + d3 * s
                    else:
                        for n in range(width):
                            p, q, r, s = x[x0 + n], x[x1 + n], x[x2 + n], x[x3 + n]
                            out[o0 + n] += a0 * p + a1 * q + a2 * r + a3 * s
                            out[o1 + n] += b0 * p + b1 * q + b2 * r + b3 * s
                            out[o2 + n] += c0 * p + c1 * q + c2 * r + c3 * s
                            out[o3 + n] += d0 * p + d1 * q + d2 * r + d3 * s


@kernel(fastmath=REASSOC)
def _multiply_four(values, shape, x, window, out, place, width):
    """Multiply few real columns where b = c = 4: copy them, then work in place.

    In place, LLVM has fewer rows to check for overlaps. For chains of (a, 4, 4, d) and
    n = 256 to 8192 this takes 0.55 to 0.88 times as long as `_multiply_fours` at batch
    16, and about 1.2 times as long at batch 256.
    """
    a, _, _, d, outer, row, column, inner = shape
    rows = np.uintp(4) * a * d
    for r in range(rows):
        o, p = place[0] * r + place[1], window[0] * r + window[1]
        for n in range(width):
            out[o + n] = x[p + n]
    step = place[0] * d
    for i in range(a):
        for m in range(d):
            v = i * outer + m * inner
            o0 = place[0] * (np.uintp(4) * i * d + m) + place[1]
            o1 = o0 + step
            o2, o3 = o1 + step, o1 + step + step
            a0, a1, a2, a3 = _quad(values, v, column)
            b0, b1, b2, b3 = _quad(values, v + row, column)
            c0, c1, c2, c3 = _quad(values, v + row + row, column)
            d0, d1, d2, d3 = _quad(values, v + row + row + row, column)
            for n in range(width):
                p, q, r, s = out[o0 + n], out[o1 + n], out[o2 + n], out[o3 + n]
                out[o0 + n] = a0 * p + a1 * q + a2 * r + a3 * s
                out[o1 + n] = b0 * p + b1 * q + b2 * r + b3 * s
                out[o2 + n] = c0 * p + c1 * q + c2 * r + c3 * s
                out[o3 + n] = d0 * p + d1 * q + d2 * r + d3 * s


@kernel
def _quad(values, v, column):
    """Return four values of a row of a block."""
    w = v + column + column
    return values[v], values[v + column], values[w], values[w + column]


@kernel(fastmath=REASSOC)
def _multiply_twos(values, shape, x, window, out, place, width):
    """Multiply real columns where b and c are even.

    Each pass over two rows reads 4 values; else it is as in `_multiply_fours`.
    """
    a, b, c, d, outer, row, column, inner = shape
    two = np.uintp(2)
    xs, os = window[0] * d, place[0] * d
    for i in range(a):
        for j in range(np.uintp(0), b, two):
            for k in range(np.uintp(0), c, two):
                for m in range(d):
                    v = i * outer + j * row + k * column + m * inner
                    x0 = window[0] * ((i * c + k) * d + m) + window[1]
                    o0 = place[0] * ((i * b + j) * d + m) + place[1]
                    x1, o1 = x0 + xs, o0 + os
                    a0, a1 = values[v], values[v + column]
                    b0, b1 = values[v + row], values[v + row + column]
                    if k == 0:
                        for n in range(width):
                            p, q = x[x0 + n], x[x1 + n]
                            out[o0 + n] = a0 * p + a1 * q
                            out[o1 + n] = b0 * p + b1 * q
                    else:
                        for n in range(width):
                            p, q = x[x0 + n], x[x1 + n]
                            out[o0 + n] += a0 * p + a1 * q
                            out[o1 + n] += b0 * p + b1 * q


@kernel(fastmath=REASSOC)
def _multiply_ones(values, shape, adjoint, x, window, out, place, width):
    """Multiply any columns, one row at a time.

    Each loop adds up one sum, so that complex columns vectorise.
    """
    a, b, c, d, outer, row, column, inner = shape
    one, two = np.uintp(1), np.uintp(2)
    for i in range(a):
        for j in range(b):
            for k in range(np.uintp(0), c, two):
                for m in range(d):
                    v = i * outer + j * row + k * column + m * inner
                    o = place[0] * ((i * b + j) * d + m) + place[1]
                    p = window[0] * ((i * c + k) * d + m) + window[1]
                    q = p + window[0] * d
                    s = conjugated(values[v], adjoint)
                    if k + one == c:
                        if k == 0:
                            for n in range(width):
                                out[o + n] = s * x[p + n]
                        else:
                            for n in range(width):
                                out[o + n] += s * x[p + n]
                    else:
                        t = conjugated(values[v + column], adjoint)
                        if k == 0:
                            for n in range(width):
                                out[o + n] = s * x[p + n] + t * x[q + n]
                        else:
                            for n in range(width):
                                out[o + n] += s * x[p + n] + t * x[q + n]


@kernel
def _multiply_dense(values, shape, adjoint, x, window, out, place, width):
    """Multiply large blocks by BLAS, copied to contiguous arrays."""
    a, b, c, d, outer, row, column, inner = shape
    block = np.empty((b, c), values.dtype)
    rows, product = np.empty((c, width), x.dtype), np.empty((b, width), x.dtype)
    for i in range(a):
        for m in range(d):
            v = i * outer + m * inner
            for j in range(b):
                for k in range(c):
                    value = values[v + j * row + k * column]
                    block[j, k] = conjugated(value, adjoint)
            for k in range(c):
                p, source = window[0] * ((i * c + k) * d + m) + window[1], rows[k]
                for n in range(width):
                    source[n] = x[p + n]
            np.dot(block, rows, product)
            for j in range(b):
                o, target = place[0] * ((i * b + j) * d + m) + place[1], product[j]
                for n in range(width):
                    out[o + n] = target[n]


@kernel
def _multiply_columns(values, shape, adjoint, x, window, out, place, width):
    """Multiply some columns by the loop that suits the block; values, x, out: flat.

    The loops for real columns get real views, because they would compile for complex
    numbers too without them.
    """
    two, four = np.uintp(2), np.uintp(4)
    b, c = shape[1], shape[2]
    kind = values.real.dtype
    v, y, z = values.view(kind), x.view(kind), out.view(kind)
    if b * c >= DENSE and width >= 8:
        _multiply_dense(values, shape, adjoint, x, window, out, place, width)
    elif np.iscomplexobj(x) or b % two != 0 or c % two != 0:
        _multiply_ones(values, shape, adjoint, x, window, out, place, width)
    elif b == four and c == four and width <= 32:
        _multiply_four(v, shape, y, window, z, place, width)
    elif b % four == 0 and c % four == 0:
        _multiply_fours(v, shape, y, window, z, place, width)
    else:
        _multiply_twos(v, shape, y, window, z, place, width)


@kernel
def kronecker_apply_columns(values: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Write the product of a Kronecker-sparse factor with the columns of a matrix.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Values of a factor of pattern (a, b, c, d), not packed; only read. All arrays
        have one dtype and are C-contiguous.
    x : ndarray, shape (a * c * d, batch)
        Only read.
    out : ndarray, shape (a * b * d, batch)
        Overwritten with the product; shares no memory with x.

    See Also
    --------
    kronecker_apply : The product with one vector.
    kronecker_adjoint_columns : The product of the adjoint.

    Notes
    -----
    The cost is a b c d multiplications for each column.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> values = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> nf.kernels.kronecker_apply_columns(values, np.eye(2), out := np.empty((2, 2)))
    >>> out.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    a, b, c, d = values.shape
    shape, batch = strides_of(a, b, c, d, np.uintp(0)), np.uintp(x.shape[1])
    window = (batch, np.uintp(0))
    v, fx, fo = values.ravel(), x.ravel(), out.ravel()
    _multiply_columns(v, shape, np.uintp(0), fx, window, fo, window, batch)


@kernel
def kronecker_adjoint_columns(
    values: np.ndarray, x: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of the adjoint of a Kronecker-sparse factor with columns.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Values of the factor, not packed; only read. All arrays have one dtype and are
        C-contiguous.
    x : ndarray, shape (a * b * d, batch)
        Only read.
    out : ndarray, shape (a * c * d, batch)
        Overwritten with the product; shares no memory with x.

    See Also
    --------
    kronecker_apply_columns : The product of the factor itself.

    Notes
    -----
    The adjoint is the conjugate transpose. The cost is a b c d multiplications for each
    column.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> values = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> nf.kernels.kronecker_adjoint_columns(values, np.eye(2), out := np.empty((2, 2)))
    >>> out.tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    a, b, c, d = values.shape
    shape, batch = strides_of(a, b, c, d, np.uintp(1)), np.uintp(x.shape[1])
    window = (batch, np.uintp(0))
    v, fx, fo = values.ravel(), x.ravel(), out.ravel()
    _multiply_columns(v, shape, np.uintp(1), fx, window, fo, window, batch)


@kernel
def multiply_chain_tiles(values, layout, x, scratch, out, begin, end):
    """Multiply the columns begin to end - 1 by a chain, a tile of columns at a time.

    Arrays are as in `kronecker_chain_apply_columns`.
    """
    tile, batch = scratch.shape[2], np.uintp(x.shape[1])
    fx, fo = x.ravel(), out.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    for start in range(begin, end, tile):
        width = np.uintp(min(tile, end - start))
        first, source, window = 0, fx, (batch, np.uintp(start))
        for j in range(layout.shape[0]):
            a, b, c, d = layout[j, 0], layout[j, 1], layout[j, 2], layout[j, 3]
            target, place = even, (np.uintp(tile), np.uintp(0))
            if j % 2 == 1:
                target = odd
            if j == layout.shape[0] - 1:
                target, place = fo, (batch, np.uintp(start))
            shape, size = packed_strides_of(a, b, c, d), a * b * c * d
            v = values[first : first + size]
            _multiply_columns(
                v, shape, np.uintp(0), source, window, target, place, width
            )
            first, source, window = first + size, target, place


@kernel
def kronecker_chain_apply_columns(
    values: np.ndarray,
    layout: np.ndarray,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of Kronecker-sparse factors with columns.

    Parameters
    ----------
    values, layout : ndarray
        The packed chain, as in `kronecker_chain_apply`; only read.
    x : ndarray, shape (columns of the first factor of layout, batch)
        C-contiguous; only read.
    scratch : ndarray, shape (2, r, tile)
        r is at least the largest number of rows of a factor, and tile at least 1;
        overwritten. ``tile`` columns go through all factors together.
    out : ndarray, shape (rows of the last factor of layout, batch)
        C-contiguous; overwritten with the product. x, scratch and out share no memory.

    See Also
    --------
    kronecker_chain_apply : The product with one vector.

    Notes
    -----
    The cost is one multiplication for each value and column.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> layout, scratch = np.array([[2, 2, 2, 1], [1, 2, 2, 2]]), np.empty((2, 4, 1))
    >>> data, x, out = np.ones(16), np.eye(4), np.empty((4, 4))
    >>> nf.kernels.kronecker_chain_apply_columns(data, layout, x, scratch, out)
    >>> out[0].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    multiply_chain_tiles(values, layout, x, scratch, out, np.intp(0), x.shape[1])
