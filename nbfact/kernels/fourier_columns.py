"""Fourier, cosine and Hartley transforms of columns, by the numbers that they need.

A transform of order n has n different values, where a chain of factors stores 2 n log n
of them. Columns are taken a tile at a time, one vector wide, into planes of real and
imaginary parts that stay in cache (`fourier_registers.py`). The passes are those of
decimation in frequency (Gentleman & Sande 1966), in place, of radices 4, 2, 3 and 5;
rows come into their order when the tile is written. Two real columns share one complex
transform.

All three kernels take a ``layout`` of integers: the rows of a group, the number of
radices, the radices with product n, and then rows, as each kernel says. A row of the
planes follows after each group of them, whose length is the product of the last
radices: without it the rows of a pass would compete for the same lines of the cache. So
row i is at ``i + i // group`` in planes of ``n + n // group`` rows.
"""

import numpy as np

from ._jit import kernel
from .fourier_registers import (
    butterfly_rows,
    copy_row,
    fold_rows,
    join_rows,
    real_rows,
    split_row,
)
from .vectors import BYTES

FAR = 16
"""Largest ratio of the sizes of two columns that share a transform, whose rounding
errors are at most as many times larger than those of the smaller one alone."""


@kernel
def transform_planes(re, im, n, layout, turns, width):
    """Transform n rows of the planes, whose order is then digit-reversed."""
    group, count, place = layout[0], n, 0
    for number in range(2, 2 + layout[1]):
        radix = layout[number]
        step = count // radix
        apart = (step + step // group) * width
        for p in range(step):
            for first in range(p, n, count):
                base = (first + first // group) * width
                if radix == 4:
                    butterfly_rows(re, im, base, apart, turns, place, 4)
                elif radix == 2:
                    butterfly_rows(re, im, base, apart, turns, place, 2)
                elif radix == 3:
                    butterfly_rows(re, im, base, apart, turns, place, 3)
                else:
                    butterfly_rows(re, im, base, apart, turns, place, 5)
            place += 2 * radix - 2
        count = step


@kernel
def fourier_columns(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    scale: float,
    planes: np.ndarray,
    begin: int,
    end: int,
    out: np.ndarray,
) -> None:
    """Write the Fourier transform of some complex columns, times a number, to `out`.

    Parameters
    ----------
    x : ndarray, shape (n, batch), C-contiguous and complex
        There are at least as many columns as real numbers in 64 bytes, the width of a
        tile.
    layout : ndarray of int
        The rows of a group of the planes, the number of radices, and the radices with
        product n, as the top of the file says. Then follow the places of the rows of
        the result in the planes, and 1 for the inverse transform, not normalised, or 0.
    turns : ndarray
        For each radix r, and each p below the order m divided by r, the parts of
        exp(-2πi j p / m) for j from 1 to r - 1, where m is n divided by the radices
        before.
    scale : float
        Number by which the result is multiplied, of the dtype of x.
    planes : ndarray, shape (2, (n + n // group) * width)
        Scratch memory.
    begin, end : int
        The columns from which on tiles start. Where less than a tile is left, the last
        one starts earlier.
    out : ndarray, shape (n, batch), C-contiguous
        Overwritten in the columns of the tiles.

    See Also
    --------
    fourier_vector : The transform of one vector.
    real_columns : Cosine, sine and Hartley transforms.
    nbfact.transforms.dft : The operator.

    Notes
    -----
    The cost is about 5 n log2(n) operations for each column, and n numbers are read
    where a chain of factors has 2 n log2(n).

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators.tied_transforms import tied_columns
    >>> F = nf.transforms.dft(4)
    >>> _, arguments, (shape,) = tied_columns(F.formula, 4, F.dtype)
    >>> x, planes = np.ones((4, 8), complex), np.empty(shape)
    >>> nf.kernels.fourier_columns(x, *arguments, planes, 0, 8, out := np.empty_like(x))
    >>> bool(np.allclose(out, np.fft.fft(x, axis=0, norm="ortho")))
    True
    """
    n, length = x.shape[0], 2 * x.shape[1]
    numbers, result = x.view(planes.dtype), out.view(planes.dtype)
    re, im = planes[0], planes[1]
    # Exchanged parts are i times a conjugate, of x and of the result alike.
    first_part, second_part = (im, re) if layout[-1] else (re, im)
    group, width = layout[0], BYTES // planes.itemsize
    order = layout[2 + layout[1] :]
    for start in range(begin, end, width):
        first = 2 * min(start, length // 2 - width)
        for low in range(0, n, group):
            place = (low + low // group) * width
            for i in range(low, low + group):
                split_row(numbers, i * length + first, first_part, second_part, place)
                place += width
        transform_planes(re, im, n, layout, turns, width)
        for k in range(n):
            place = order[k] * width
            row = k * length + first
            join_rows(first_part, second_part, place, scale, result, row)


@kernel
def balanced(x: np.ndarray, begin: int, end: int, sizes: np.ndarray) -> bool:
    """Return whether columns that `real_columns` transforms as one are alike in size.

    Rounding errors of one of them are those of both together, and infinity in one is in
    the other: sizes must be finite, and differ by no more than a factor of `FAR`.

    Parameters
    ----------
    x : ndarray, shape (n, batch), C-contiguous and real
        There may be less than two tiles, as if zeros followed, which share what they
        like.
    begin, end : int
        The parameters of `real_columns`.
    sizes : ndarray
        Scratch memory for two tiles, of the dtype of x.
    """
    n, length = x.shape
    width = BYTES // x.itemsize
    for start in range(begin, end, 2 * width):
        first = max(min(start, length - 2 * width), 0)
        count = min(2 * width, length - first)
        for j in range(count):
            sizes[j] = 0
        for i in range(0, n - n % 4, 4):  # four rows at once: sizes is in memory
            for j in range(count):
                k = first + j
                two = abs(x[i, k]) + abs(x[i + 1, k])
                sizes[j] += two + (abs(x[i + 2, k]) + abs(x[i + 3, k]))
        for i in range(n - n % 4, n):
            for j in range(count):
                sizes[j] += abs(x[i, first + j])
        for j in range(count - width):
            one, two = sizes[j], sizes[width + j]
            if not (one <= FAR * two and two <= FAR * one and one + two < np.inf):
                return False
    return True


@kernel
def real_columns(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    numbers: np.ndarray,
    planes: np.ndarray,
    begin: int,
    end: int,
    out: np.ndarray,
) -> None:
    """Write a real transform of some columns to `out`, from their Fourier transforms.

    Row k of the result is Re((c[k] + i s[k]) V[j[k]]) for the Fourier transform V of
    the rows p[i] of x, each of them times a weight.

    Parameters
    ----------
    x : ndarray, shape (n, batch), C-contiguous
        The columns: at least two tiles, twice as many as real numbers in 64 bytes.
    layout : ndarray of int
        As in `fourier_columns`, up to the radices; three times n rows end it: p, and
        the places in the planes of rows j[k] and n - j[k] of the result, where n counts
        as 0.
    turns, planes, begin, end
        The parameters of `fourier_columns`; a step has two tiles.
    numbers : ndarray, shape (3 n,)
        The n weights; then c[k] / 2 and s[k] / 2 in turn.
    out : ndarray, shape (n, batch), C-contiguous
        Overwritten in the columns of the tiles.

    See Also
    --------
    real_columns_adjoint : The transpose.
    real_vector : The transform of one vector.
    nbfact.transforms.dct, nbfact.transforms.dst : The operators.

    Notes
    -----
    The cost is about 5 n log2(n) / 2 operations for each column, because two columns
    share one transform.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> from nbfact.operators.tied_transforms import tied_columns
    >>> C = nf.transforms.dct(4)
    >>> _, arguments, (shape,) = tied_columns(C.formula, 4, C.dtype)
    >>> x, planes = np.arange(64.0).reshape(4, 16), np.empty(shape)
    >>> nf.kernels.real_columns(x, *arguments, planes, 0, 16, out := np.empty_like(x))
    >>> bool(np.allclose(out, scipy.fft.dct(x, axis=0, norm="ortho")))
    True
    """
    n, length = x.shape
    re, im = planes[0], planes[1]
    group, width = layout[0], BYTES // x.itemsize
    rows = layout[2 + layout[1] :]
    for start in range(begin, end, 2 * width):
        first = min(start, length - 2 * width)
        for low in range(0, n, group):
            place = (low + low // group) * width
            for i in range(low, low + group):
                here = rows[i] * length + first
                copy_row(x, here, numbers[i], re, place)
                copy_row(x, here + width, numbers[i], im, place)
                place += width
        transform_planes(re, im, n, layout, turns, width)
        for k in range(n):
            one, two = rows[n + k] * width, rows[2 * n + k] * width
            real_rows(planes, one, two, numbers, n + 2 * k, out, k * length + first)


@kernel
def real_columns_adjoint(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    numbers: np.ndarray,
    planes: np.ndarray,
    begin: int,
    end: int,
    out: np.ndarray,
) -> None:
    """Write the transpose of `real_columns` of some columns to `out`.

    Row p[i] of the result is a weight times Re(V[i]), for the Fourier transform V of
    the rows (c[k] + i s[k]) x[r[k]].

    Parameters
    ----------
    x, turns, planes, begin, end, out
        The parameters of `real_columns`.
    layout : ndarray of int
        As in `fourier_columns`, up to the radices; four times n rows end it: r[k];
        r[n - k], where n counts as 0; the places of the rows of the result; and p.
    numbers : ndarray, shape (5 n,)
        The n weights, in the order of p; then c[k] / 2, s[k] / 2, c[n - k] / 2 and
        s[n - k] / 2 in turn.

    See Also
    --------
    real_columns : The transform that is transposed.
    real_vector_adjoint : The transpose for one vector.

    Notes
    -----
    The cost is about that of `real_columns`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> from nbfact.operators.tied_transforms import tied_columns
    >>> C = nf.transforms.dct(4, type=3)
    >>> _, arguments, (shape,) = tied_columns(C.formula, 4, C.dtype)
    >>> x, out, planes = np.ones((4, 16)), np.empty((4, 16)), np.empty(shape)
    >>> nf.kernels.real_columns_adjoint(x, *arguments, planes, 0, 16, out)
    >>> bool(np.allclose(out, scipy.fft.idct(x, axis=0, norm="ortho")))
    True
    """
    n, length = x.shape
    re, im = planes[0], planes[1]
    group, width = layout[0], BYTES // x.itemsize
    rows = layout[2 + layout[1] :]
    for start in range(begin, end, 2 * width):
        first = min(start, length - 2 * width)
        for low in range(0, n, group):
            place = (low + low // group) * width
            for k in range(low, low + group):
                one, two = rows[k] * length + first, rows[n + k] * length + first
                fold_rows(x, one, two, numbers, n + 4 * k, planes, place)
                place += width
        transform_planes(re, im, n, layout, turns, width)
        for i in range(n):
            place, row = rows[2 * n + i] * width, rows[3 * n + i] * length + first
            copy_row(re, place, numbers[i], out, row)
            copy_row(im, place, numbers[i], out, row + width)
