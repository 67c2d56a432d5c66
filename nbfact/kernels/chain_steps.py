"""Steps of palm4MSA on one factor, through the sparse factors on its left.

Write L for the product of the factors on the left of S and R for that on its right.
With G = R Rᴴ and C = A Rᴴ, which are kept up to date while a sweep goes from right to
left, the gradient with respect to S is λ Lᴴ (λ L S G - C), and neither L nor R is ever
formed (Le Magoarou & Gribonval 2016, algorithm 1; `palm_step` is the step as
published). A chain is packed as in `nbfact.kernels.csr`, but in the order of the
product and in CSR form only (slots = 0): ``layout[j]`` belongs to S[j].
"""

import numpy as np

from ._jit import REASSOC, kernel
from .csr import CSR, ChainPair, PackedChain, csr_multiply_rows, csr_multiply_window
from .norms import divide_by_norm, frobenius_norm, start_power_iteration


@kernel
def _subtract_adjoint(adjoint, first, width, z, stride, offset):
    """Subtract some rows of a matrix, as conjugate columns, from a flat array z.

    adjoint: (columns, m), of which the rows first to first + width - 1 are read. Entry
    (i, b) of z is at stride * i + offset + b. Eight columns are subtracted at a time,
    so that each cache line of z is read and written once.
    """
    m = adjoint.shape[1]
    b = 0
    while b + 8 <= width:
        rows = adjoint[first + b : first + b + 8]
        for i in range(m):
            p = stride * np.uintp(i) + offset + np.uintp(b)
            z[p] -= np.conj(rows[0, i])
            z[p + np.uintp(1)] -= np.conj(rows[1, i])
            z[p + np.uintp(2)] -= np.conj(rows[2, i])
            z[p + np.uintp(3)] -= np.conj(rows[3, i])
            z[p + np.uintp(4)] -= np.conj(rows[4, i])
            z[p + np.uintp(5)] -= np.conj(rows[5, i])
            z[p + np.uintp(6)] -= np.conj(rows[6, i])
            z[p + np.uintp(7)] -= np.conj(rows[7, i])
        b += 8
    while b < width:
        row = adjoint[first + b]
        for i in range(m):
            z[stride * np.uintp(i) + offset + np.uintp(b)] -= np.conj(row[i])
        b += 1


@kernel
def chain_gradient(
    pair: ChainPair,
    n_left: int,
    x: np.ndarray,
    cross: np.ndarray,
    scale: float,
    weight: float,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the step of palm4MSA, -w Lᴴ (λ L x - C), through the factors of L.

    Parameters
    ----------
    pair : ChainPair
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form.
    n_left : int
        L is S[0] @ ... @ S[n_left - 1], and the identity for 0.
    x : ndarray, shape (p, q)
        S G in palm4MSA, p the columns of L. This and the arrays below have the dtype of
        the factors and are C-contiguous.
    cross : ndarray, shape (q, m)
        The adjoint Cᴴ, m the rows of L; only read.
    scale, weight : scalars of the real dtype of x
        The numbers λ and w.
    scratch : ndarray, shape (2, r, tile)
        r is at least the largest number of rows of a factor and of an adjoint, and tile
        at least 1; overwritten.
    out : ndarray, shape (p, q)
        Overwritten with the result. It may be x, and shares no memory with the others.

    Notes
    -----
    The cost is 2 q multiplications for each entry of the n_left factors. ``tile``
    columns at a time go through the chain and back while they are in cache.
    """
    q, width = x.shape[1], scratch.shape[2]
    zero, one = np.uintp(0), x.real.dtype.type(1)
    flat_x, flat_out = x.ravel(), out.ravel()
    if n_left == 0:
        for i in range(flat_x.shape[0]):
            flat_out[i] = scale * flat_x[i]
        _subtract_adjoint(cross, 0, q, flat_out, np.uintp(q), zero)
        for i in range(flat_out.shape[0]):
            flat_out[i] *= -weight
        return
    layout = pair.backward.layout
    back = CSR(pair.backward.data, pair.backward.indices, pair.backward.indptr)
    tile = (np.uintp(width), zero)
    for start in range(0, q, width):
        w = np.uintp(min(width, q - start))
        here = (np.uintp(q), np.uintp(start))
        z, spare = _forward(pair.forward, n_left, flat_x, here, scale, scratch, w)
        _subtract_adjoint(cross, start, w, z, tile[0], zero)
        a, place = one, tile
        for j in range(n_left):
            e = layout[j]
            target = spare
            if j == n_left - 1:
                a, target, place = -weight, flat_out, here
            entry = (e[0], e[1], e[2], e[3])
            csr_multiply_window(back, entry, a, z, tile, target, place, w)
            spare = z
            z = target


@kernel
def _forward(chain, n_left, x, window, scale, scratch, width):
    """Send a tile of columns through the first n_left factors of a chain.

    x: flat, its columns where window says; scratch: (2, rows, tile), two flat buffers.
    Return the buffer that holds λ L x, and the other one; n_left is at least 1.
    """
    csr, layout = CSR(chain.data, chain.indices, chain.indptr), chain.layout
    target, spare = scratch[0].ravel(), scratch[1].ravel()
    tile = (np.uintp(scratch.shape[2]), np.uintp(0))
    source, where, a = x, window, scale
    for j in range(n_left - 1, -1, -1):
        e = layout[j]
        entry = (e[0], e[1], e[2], e[3])
        csr_multiply_window(csr, entry, a, source, where, target, tile, width)
        source, where, a = target, tile, x.real.dtype.type(1)
        target, spare = spare, target
    return source, target


@kernel
def chain_residual(
    chain: PackedChain,
    n_left: int,
    x: np.ndarray,
    cross: np.ndarray,
    scale: float,
    scratch: np.ndarray,
) -> float:
    """Return the squared error ‖λ L x - C‖²_F, through the factors of L.

    Parameters
    ----------
    chain : PackedChain
        The sparse factors S[0], S[1], ..., packed in CSR form.
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
    q, width, m = x.shape[1], scratch.shape[2], cross.shape[1]
    zero, flat_x = np.uintp(0), x.ravel()
    stride = np.uintp(width)
    total = 0.0
    for start in range(0, q, width):
        w = min(width, q - start)
        z = scratch[0].ravel()
        if n_left == 0:
            for i in range(m):
                for b in range(w):
                    z[i * width + b] = scale * flat_x[i * q + start + b]
        else:
            here = (np.uintp(q), np.uintp(start))
            z, _ = _forward(chain, n_left, flat_x, here, scale, scratch, np.uintp(w))
        _subtract_adjoint(cross, start, w, z, stride, zero)
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
    pair: ChainPair,
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
    pair : ChainPair
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form.
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
    forward, backward = pair.forward, pair.backward
    rows = CSR(forward.data, forward.indices, forward.indptr)
    columns = CSR(backward.data, backward.indices, backward.indptr)
    start_power_iteration(vector)
    one = vector.real.dtype.type(1)
    sigma = 0.0
    for _ in range(n_iter):
        x = vector
        for j in range(last - 1, first - 1, -1):
            y = scratch[j % 2][: forward.layout[j, 0]]
            csr_multiply_rows(rows, forward.layout[j, 3], one, x, y)
            x = y
        length = frobenius_norm(x)
        if length == 0.0:
            break
        divide_by_norm(x, length, x)
        for j in range(first, last):
            y = scratch[(j + 1) % 2][: backward.layout[j, 0]]
            csr_multiply_rows(columns, backward.layout[j, 3], one, x, y)
            x = y
        previous = sigma
        sigma = frobenius_norm(x)
        if sigma == 0.0:
            break
        divide_by_norm(x, sigma, vector)
        if sigma - previous <= tol * sigma:
            break
    return sigma
