"""Convolutions of columns: rows and columns of circulant matrices.

A circulant matrix is F⁻¹ diag(s) F with the Fourier transform F. A tile of columns is
transformed as in `fourier_columns.py`, multiplied by the spectrum s and transformed
back while it is in cache. Its rows are never reordered: the transform leaves them in
digit-reversed order, and the transform back takes them in it.

The even rows of a real column are the real parts of a complex one of half the length,
and the odd rows its imaginary parts (Sorensen et al. 1987). So no column has anything
to do with another one.
"""

import numpy as np

from ._jit import kernel
from .fourier_columns import transform_planes
from .fourier_registers import copy_row, join_rows, mix_rows, split_row, turned_rows
from .vectors import BYTES


@kernel
def _restore_planes(re, im, n, layout, turns, width):
    """Undo `transform_planes`, but for the factor n."""
    group = layout[0]
    for last in range(1 + layout[1], 1, -1):
        count, place, radix = n, 0, layout[last]
        for number in range(2, last):
            step = count // layout[number]
            place += step * (2 * layout[number] - 2)
            count = step
        step = count // radix
        apart = (step + step // group) * width
        for p in range(step):
            for first in range(p, n, count):
                base = (first + first // group) * width
                # Exchanged planes make it the inverse.
                if radix == 4:
                    turned_rows(im, re, base, apart, turns, place, 4)
                elif radix == 2:
                    turned_rows(im, re, base, apart, turns, place, 2)
                elif radix == 3:
                    turned_rows(im, re, base, apart, turns, place, 3)
                else:
                    turned_rows(im, re, base, apart, turns, place, 5)
            place += 2 * radix - 2


@kernel
def _read_row(x, row, first, plane, place):
    """Copy a vector of row `row` of x, or zeros where x has no such row."""
    if row < x.shape[0]:
        copy_row(x, row * x.shape[1] + first, plane.dtype.type(1), plane, place)
    else:
        for j in range(BYTES // plane.itemsize):
            plane[place + j] = 0


@kernel
def convolve_columns(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    numbers: np.ndarray,
    planes: np.ndarray,
    begin: int,
    end: int,
    out: np.ndarray,
) -> None:
    """Write the product of a part of a circulant matrix with some columns to `out`.

    Parameters
    ----------
    x : ndarray, shape (columns, batch) of real numbers, C-contiguous
        It has as many rows as the part has columns. Complex numbers are two real ones
        in turn. There are at least as many columns as real numbers in 64 bytes, the
        width of a tile.
    layout : ndarray of int
        A layout of `fourier_columns.py`, where n is the order of the circulant matrix
        for complex columns, and half of it for real ones. Then follow 1 for the rows of
        the product in reverse order, or 0; 1 for complex columns, or 0; and pairs of
        rows of the planes: those of k and n - k of the transform, where n counts as 0.
    turns : ndarray
        Those of `fourier_columns`.
    numbers : ndarray, shape (8 * pairs,)
        For each pair of rows p and q the parts of a, b, c and d: the transform of the
        product has a p + b conj(q) and c q + d conj(p) in their place, times n.
    planes : ndarray, shape (2, (n + n // group) * width)
        Scratch memory.
    begin, end : int
        The columns from which on tiles start. Where less than a tile is left, the last
        one starts earlier.
    out : ndarray, shape (rows, batch), of the dtype of x, C-contiguous
        Overwritten in the columns of the tiles.

    See Also
    --------
    fourier_columns : The transform alone.
    nbfact.transforms.circulant, nbfact.transforms.toeplitz : The operators.

    Notes
    -----
    The cost is that of two Fourier transforms of each column, about 10 n log2(n)
    operations.

    Examples
    --------
    A circulant matrix whose first column is a unit vector shifts the rows of x:

    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators.tied_convolutions import tied_convolution
    >>> shift = nf.transforms.circulant(np.eye(12)[1])
    >>> _, arguments, (shape,) = tied_convolution(shift.formula, shift.dtype)
    >>> x = np.arange(96.0).reshape(12, 8)
    >>> planes, out = np.empty(shape), np.empty_like(x)
    >>> nf.kernels.convolve_columns(x, *arguments, planes, 0, 8, out)
    >>> bool(np.allclose(out, np.roll(x, 1, axis=0)))
    True
    """
    group, width, head = layout[0], BYTES // planes.itemsize, 2 + layout[1]
    re, im, one = planes[0], planes[1], planes.dtype.type(1)
    n = planes.shape[1] // width * group // (group + 1)
    reverse, parts = layout[head], 1 + layout[head + 1]
    pairs, length, m = layout[head + 2 :], x.shape[1], len(out)
    for start in range(begin, end, width):
        here = min(start * parts, length - width * parts)
        for i in range(n):
            place = (i + i // group) * width
            if parts == 1:
                _read_row(x, 2 * i, here, re, place)
                _read_row(x, 2 * i + 1, here, im, place)
            elif i < len(x):
                split_row(x, i * length + here, re, im, place)
            else:
                _read_row(x, i, here, re, place)
                _read_row(x, i, here, im, place)
        transform_planes(re, im, n, layout, turns, width)
        for pair in range(0, len(pairs), 2):
            first, second = pairs[pair] * width, pairs[pair + 1] * width
            mix_rows(planes, first, second, numbers, 4 * pair)
        _restore_planes(re, im, n, layout, turns, width)
        for i in range(m):
            k = i if parts == 2 else i // 2
            place = (k + k // group) * width
            row = (m - 1 - i if reverse else i) * length + here
            if parts == 2:
                join_rows(re, im, place, one, out, row)
            else:
                copy_row(im if i % 2 else re, place, one, out, row)
