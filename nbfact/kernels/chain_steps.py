"""Steps of palm4MSA on one factor, through the sparse factors on its left.

Write L for the product of the factors on the left of S and R for that on its right.
With G = R Rᴴ and C = A Rᴴ, which are kept up to date while a sweep goes from right to
left, the gradient with respect to S is λ Lᴴ (λ L S G - C), and neither L nor R is ever
formed (Le Magoarou & Gribonval 2016, algorithm 1; `palm_step` is the step as
published).

A chain is packed as in `nbfact.kernels.csr`, in the order of the product and with the
adjoints of its J factors: ``layout[j]`` belongs to S[j], and ``layout[J + j]`` to
S[j]ᴴ. ``layout`` has 2 J rows. Each may hold more numbers than those of
`nbfact.kernels.csr`: for `nbfact.kernels.chain_factors`, where the entries of the
factor begin in ``data``, and how many there is room for.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .csr import ColumnWindow, FourArrays, csr_multiply_rows, csr_multiply_window
from .norms import divide_by_norm, frobenius_norm, start_power_iteration


@kernel
def _subtract_adjoint(adjoint, first, width, z, stride, offset):
    """Subtract some rows of a matrix, as conjugate columns, from a flat array z.

    adjoint: (columns, m), of which the rows first to first + width - 1 are read. Entry
    (i, b) of z is at stride * i + offset + b. Eight columns are subtracted at a time,
    so that each cache line of z is read and written once.
    """
    flat, m = adjoint.ravel(), np.uintp(adjoint.shape[1])
    b, source, one = np.uintp(0), m * np.uintp(first), np.uintp(1)
    while b < width:
        if b + np.uintp(8) <= width:
            for i in range(m):
                p, s = stride * i + offset + b, source + i
                for _ in range(8):
                    z[p] -= np.conj(flat[s])
                    p += one
                    s += m
            b += np.uintp(8)
            source += m * np.uintp(8)
        else:
            for i in range(m):
                z[stride * i + offset + b] -= np.conj(flat[source + i])
            b += one
            source += m


@kernel
def chain_step(
    chain: FourArrays,
    place: int,
    own: bool,
    x: np.ndarray,
    cross: np.ndarray,
    numbers: tuple[float, float],
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the step of palm4MSA on a factor, S - w Lᴴ(λ L S G - C), through L.

    Parameters
    ----------
    chain : PackedChain, or a plain tuple of its arrays
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form as
        `nbfact.kernels.chain_steps` says.
    place : int
        L is S[0] @ ... @ S[place - 1], and the identity for 0.
    own : bool
        Whether S is S[place]. Otherwise x is S G, and S is left for the caller to add.
    x : ndarray, shape (q, q), or (p, q) unless `own`
        G, where an array of shape (0, 0) stands for the identity; or S G, p the columns
        of L. This and the arrays below have the dtype of the factors and are
        C-contiguous.
    cross : ndarray, shape (q, m)
        The adjoint Cᴴ, m the rows of L; only read.
    numbers : tuple of two scalars of the real dtype of x
        The numbers λ and w.
    scratch : ndarray, shape (2, r, tile)
        r is at least the largest number of rows of a factor and of an adjoint, and tile
        at least 1; overwritten.
    out : ndarray, shape (p, q)
        Overwritten with the result. It may be x unless `own`, and shares no memory with
        the others.

    Notes
    -----
    The cost is q multiplications for each entry of S, and 2 q for each one of the
    factors of L. ``tile`` columns at a time go through the chain and back while they
    are in cache.
    """
    data, indices, indptr, layout = chain
    scale, weight = numbers
    (p, q), width, n_factors = out.shape, scratch.shape[2], layout.shape[0] // 2
    rows, zero, one = np.uintp(q), np.uintp(0), out.real.dtype.type(1)
    flat_x, flat_out = x.ravel(), out.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    tile = np.uintp(width)
    for start in range(0, q, width):
        w, here = np.uintp(min(width, q - start)), np.uintp(start)
        z, target, spare = flat_x, even, odd
        window = ColumnWindow(rows, here, tile, zero, w)
        # Through S and forward through L, then the difference, then back through the
        # adjoint of L: one loop, because a callee is optimised anew for each place that
        # calls it.
        for t in range(-1, 2 * place + 1):
            a, e = one, layout[place]
            if t == -1:
                if not own:
                    continue
                if x.size == 0:
                    columns = min(width, q - start)
                    _write_columns(data, indices, indptr, e, start, columns, tile, even)
                    z, target, spare = even, odd, even
                    window = ColumnWindow(tile, zero, tile, zero, w)
                    continue
            elif t == place:
                if place == 0:
                    _scale_columns(scale, z, window, p, target)
                    z = target
                _subtract_adjoint(cross, start, w, z, tile, zero)
                if place == 0:
                    back = ColumnWindow(tile, zero, rows, here, w)
                    _scale_columns(-weight, z, back, p, flat_out)
                continue
            else:
                e = layout[place - 1 - t if t < place else n_factors + t - place - 1]
                if t == 0:
                    a = scale
                if t == 2 * place:
                    window = ColumnWindow(tile, zero, rows, here, w)
                    a, target = -weight, flat_out
            entry = (e[0], e[1])
            csr_multiply_window(data, indices, indptr, entry, a, z, target, window)
            z, window = target, ColumnWindow(tile, zero, tile, zero, w)
            target, spare = spare, target
    if own:
        first_row = layout[place, 1]
        for i in range(p):
            for t in range(indptr[first_row + i], indptr[first_row + i + 1]):
                out[i, indices[t]] += data[t]


@kernel
def _write_columns(data, indices, indptr, entry, start, width, tile, out):
    """Write the columns start to start + width - 1 of a sparse factor to a tile.

    entry: the row of `layout` that describes it; out: flat, rows `tile` apart.
    """
    for i in range(entry[0]):
        place = tile * np.uintp(i)
        for b in range(width):
            out[place + b] = 0
        for t in range(indptr[entry[1] + i], indptr[entry[1] + i + 1]):
            column = np.intp(indices[t]) - start
            if 0 <= column < width:
                out[place + np.uintp(column)] = data[t]


@kernel
def _scale_columns(number, x, window, n_rows, out):
    """Write number * x for some columns of x, where x and out are flat arrays."""
    x_stride, x_first, out_stride, out_first, width = window
    for i in range(np.uintp(n_rows)):
        p, o = x_stride * i + x_first, out_stride * i + out_first
        for b in range(width):
            out[o + b] = number * x[p + b]


@kernel
def chain_residual(
    chain: FourArrays,
    n_left: int,
    x: np.ndarray,
    cross: np.ndarray,
    scale: float,
    scratch: np.ndarray,
) -> float:
    """Return the squared error ‖λ L x - C‖²_F, through the factors of L.

    Parameters
    ----------
    chain : PackedChain, or a plain tuple of its arrays
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form; the
        adjoints are not read.
    n_left : int
        L is S[0] @ ... @ S[n_left - 1], and the identity for 0.
    x : ndarray, shape (p, q)
        p is the columns of L. This and the arrays below have the dtype of the factors
        and are C-contiguous; only read.
    cross : ndarray, shape (q, m)
        The adjoint Cᴴ, m the rows of L; only read.
    scale : scalar of the real dtype of x
        The number λ.
    scratch : ndarray, shape (2, r, tile)
        r is at least m and the largest number of rows of a factor, and tile at least
        1; overwritten.

    Returns
    -------
    float
        The sum of squared moduli, in double precision whatever the dtype of x.

    Notes
    -----
    The cost is q multiplications for each entry of the n_left factors.
    """
    data, indices, indptr, layout = chain
    q, width, m = x.shape[1], scratch.shape[2], cross.shape[1]
    tile, zero, flat_x = np.uintp(width), np.uintp(0), x.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    total = 0.0
    for start in range(0, q, width):
        w, here = min(width, q - start), np.uintp(start)
        z, a, target, spare = flat_x, scale, even, odd
        window = ColumnWindow(np.uintp(q), here, tile, zero, np.uintp(w))
        for j in range(n_left - 1, -1, -1):
            e = layout[j]
            entry = (e[0], e[1])
            csr_multiply_window(data, indices, indptr, entry, a, z, target, window)
            z, a = target, x.real.dtype.type(1)
            window = ColumnWindow(tile, zero, tile, zero, np.uintp(w))
            target, spare = spare, target
        if n_left == 0:
            z = even
            for i in range(m):
                for b in range(w):
                    z[i * width + b] = scale * flat_x[i * q + start + b]
        _subtract_adjoint(cross, start, np.uintp(w), z, tile, zero)
        total += _tile_squares(z, m, width, w)
    return total


@kernel(fastmath=REASSOC)
def _tile_squares(z, m, stride, width):
    """Return the sum of the squared moduli of a tile, in double precision."""
    total = 0.0
    for i in range(m):
        for b in range(width):
            re = float(z[i * stride + b].real)
            im = float(z[i * stride + b].imag)
            total += re * re + im * im
    return total


@kernel
def chain_norm(
    chain: FourArrays,
    first: int,
    last: int,
    vector: np.ndarray,
    scratch: np.ndarray,
    n_iter: int,
    tol: float,
) -> float:
    """Return the largest singular value of a product of factors, by power iteration.

    Parameters
    ----------
    chain : PackedChain, or a plain tuple of its arrays
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form as
        `nbfact.kernels.chain_steps` says.
    first, last : int
        The product is S[first] @ ... @ S[last - 1], with first < last.
    vector : ndarray, shape (columns of S[last - 1],), of the dtype of the factors
        The start; overwritten with the right singular vector that the iteration ends
        at, as in `spectral_norm`.
    scratch : ndarray, shape (2, r), of the dtype of the factors
        r is at least the largest number of rows of a factor and of an adjoint;
        overwritten.
    n_iter : int
        Maximum number of iterations.
    tol : float
        The iteration stops when a step changes the value by at most ``tol`` relatively.

    Returns
    -------
    float
        The estimate in double precision; it never exceeds the norm, up to rounding, and
        is 0 for a product that is zero.

    Notes
    -----
    An iteration costs two multiplications for each entry of the factors.
    """
    data, indices, indptr, layout = chain
    n_factors = layout.shape[0] // 2
    start_power_iteration(vector)
    one = vector.real.dtype.type(1)
    sigma = 0.0
    for _ in range(n_iter):
        x = vector
        for j in range(last - 1, first - 1, -1):
            y = scratch[j % 2][: layout[j, 0]]
            csr_multiply_rows(data, indices, indptr, layout[j, 1], one, x, y)
            x = y
        length = frobenius_norm(x)
        if length == 0.0:
            break
        divide_by_norm(x, length, x)
        for j in range(first, last):
            y = scratch[(j + 1) % 2][: layout[n_factors + j, 0]]
            first_row = layout[n_factors + j, 1]
            csr_multiply_rows(data, indices, indptr, first_row, one, x, y)
            x = y
        previous = sigma
        sigma = frobenius_norm(x)
        if sigma == 0.0:
            break
        divide_by_norm(x, sigma, vector)
        if sigma - previous <= tol * sigma:
            break
    return sigma
