"""Steps of palm4MSA on one factor, through the sparse factors on its left.

Write L for the product of the factors on the left of S and R for that on its right.
With G = R Rᴴ and C = A Rᴴ, which are kept up to date while a sweep goes from right to
left, the gradient with respect to S is λ Lᴴ (λ L S G - C), and neither L nor R is ever
formed (Le Magoarou & Gribonval 2016, algorithm 1; `palm_step` is the step as
published).

A chain is packed as in `nbfact.kernels.csr`, in the order of the product and with the
adjoints of its J factors: ``layout[j]`` belongs to S[j], and ``layout[J + j]`` to
S[j]ᴴ. ``layout`` has 2 J rows.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .compress import csr_add_rows
from .csr import ColumnWindow, FourArrays, csr_multiply_rows, csr_multiply_window
from .spectral_norms import (
    ROOT,
    begin,
    half_step,
    lanczos_basis,
    next_place,
    rounded,
)


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
    n_left: int,
    gram: np.ndarray,
    cross: np.ndarray,
    scale: float,
    weight: float,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write a factor S after the step of palm4MSA, S - w Lᴴ (λ L S G - C).

    Parameters
    ----------
    chain : PackedChain, or a plain tuple of its arrays
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form as
        `nbfact.kernels.chain_steps` says.
    n_left : int
        The factor S is S[n_left], of shape (p, q). L is S[0] @ ... @ S[n_left - 1], and
        the identity for 0.
    gram : ndarray, shape (q, q)
        The matrix G; an array of shape (0, 0) stands for the identity. This and the
        arrays below have the dtype of the factors and are C-contiguous.
    cross : ndarray, shape (q, m)
        The adjoint Cᴴ, m the rows of L; only read.
    scale, weight : scalars of the real dtype of the factors
        The numbers λ and w.
    scratch : ndarray, shape (2, r, tile)
        r is at least the largest number of rows of a factor and of an adjoint, and tile
        at least 1; overwritten.
    out : ndarray, shape (p, q)
        Overwritten with the result; shares no memory with the others. Where S is packed
        without entries, out holds S G before the call, and S is to be added after it.

    See Also
    --------
    chain_residual : The error whose gradient the step follows.
    palm_step : The step with dense factors, as it was published.
    nbfact.palm4msa : The algorithm.

    Notes
    -----
    The cost is 2 q multiplications for each entry of the n_left factors, and q for each
    entry of S. ``tile`` columns at a time go through the chain and back while they are
    in cache.

    Examples
    --------
    L is diag(2, 1) and S is a column of ones, so that L S - C is (0, 1):

    >>> import numpy as np, nbfact as nf
    >>> data, columns = [2.0, 1, 1, 1, 2, 1, 1, 1], [0, 1, 0, 0, 0, 1, 0, 1]
    >>> starts = [0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 8]
    >>> layout = [(2, 0), (2, 3), (2, 6), (1, 9)]
    >>> columns, starts = np.array(columns, np.uint32), np.array(starts, np.uint32)
    >>> data, layout = np.array(data), np.array(layout)
    >>> chain = nf.kernels.PackedChain(data, columns, starts, layout)
    >>> scratch = np.empty((2, 2, 1))
    >>> G, cross, out = np.ones((1, 1)), np.array([[2.0, 0.0]]), np.empty((2, 1))
    >>> nf.kernels.chain_step(chain, 1, G, cross, 1.0, 0.5, scratch, out)
    >>> out.T
    array([[1. , 0.5]])
    """
    data, indices, indptr, layout = chain
    q, width, n_factors = out.shape[1], scratch.shape[2], layout.shape[0] // 2
    rows, zero, one = np.uintp(q), np.uintp(0), out.real.dtype.type(1)
    flat_gram, flat_out = gram.ravel(), out.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    if n_left == 0:  # all columns at once, in out
        width = q
    own, packed = layout[n_left, 1], gram.shape[0] > 0
    if indptr[own] == indptr[own + layout[n_left, 0]]:
        packed = False
    elif not packed:
        out[:] = 0
        csr_add_rows(data, indices, indptr, own, out)
    tile, first = np.uintp(width), n_left - packed
    for start in range(0, q, width):
        w, here = np.uintp(min(width, q - start)), np.uintp(start)
        z, target, spare = flat_out, even, odd
        window, a = ColumnWindow(rows, here, tile, zero, w), scale
        if first < n_left:
            z, a = flat_gram, one
        if n_left == 0:
            target = flat_out
        # Forward through S and L, then the difference, then back through the adjoint of
        # L: one loop, because a callee is optimised anew for each place that calls it.
        for t in range(first - n_left, 2 * n_left + 1):
            if t == n_left:
                if n_left == 0:
                    for i in range(flat_out.shape[0]):
                        flat_out[i] *= scale
                _subtract_adjoint(cross, start, w, z, tile, zero)
                continue
            e = layout[n_left - 1 - t if t < n_left else n_factors + t - n_left - 1]
            if t == 2 * n_left:
                window = ColumnWindow(tile, zero, rows, here, w)
                a, target = -weight, flat_out
            entry = (e[0], e[1])
            csr_multiply_window(data, indices, indptr, entry, a, z, target, window)
            z, a, window = target, one, ColumnWindow(tile, zero, tile, zero, w)
            if t == -1:
                a = scale
            target, spare = spare, target
    if n_left == 0:
        for i in range(flat_out.shape[0]):
            flat_out[i] *= -weight
    csr_add_rows(data, indices, indptr, own, out)


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

    See Also
    --------
    chain_step : The step against the gradient of this error.

    Notes
    -----
    The cost is q multiplications for each entry of the n_left factors.

    Examples
    --------
    L is diag(2, 1), which is its own adjoint, so that L x - C is (0, 1):

    >>> import numpy as np, nbfact as nf
    >>> data, indices = np.array([2.0, 1, 2, 1]), np.array([0, 1, 0, 1], np.uint32)
    >>> indptr, layout = np.array([0, 1, 2, 2, 3, 4], np.uint32), [[2, 0], [2, 3]]
    >>> L = nf.kernels.PackedChain(data, indices, indptr, np.array(layout))
    >>> x, cross, scratch = np.ones((2, 1)), np.array([[2.0, 0.0]]), np.empty((2, 2, 1))
    >>> nf.kernels.chain_residual(L, 1, x, cross, 1.0, scratch)
    1.0
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
    """Return the largest singular value of a product of factors, by iterations.

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
        The iteration stops when two steps, or at its end three, change the square of
        the value by at most ``tol`` relatively.

    Returns
    -------
    float
        The estimate in double precision; it never exceeds the norm, up to rounding, and
        is 0 for a product that is zero.

    See Also
    --------
    spectral_norm : The norm of a dense matrix.

    Notes
    -----
    The method is that of `gram_norm`. An iteration costs two multiplications for each
    entry of the factors, and the memory is that of 25 vectors.

    Examples
    --------
    The norm of diag(2, 1), which is its own adjoint:

    >>> import numpy as np, nbfact as nf
    >>> data, indices = np.array([2.0, 1, 2, 1]), np.array([0, 1, 0, 1], np.uint32)
    >>> indptr, layout = np.array([0, 1, 2, 2, 3, 4], np.uint32), [[2, 0], [2, 3]]
    >>> L = nf.kernels.PackedChain(data, indices, indptr, np.array(layout))
    >>> norm = nf.kernels.chain_norm(L, 0, 1, np.ones(2), np.empty((2, 2)), 99, 1e-9)
    >>> round(float(norm), 6)
    2.0
    """
    data, indices, indptr, layout = chain
    n_factors, unit, place = layout.shape[0] // 2, 0.0, 0
    basis, matrix = lanczos_basis(vector)
    numbers, factor = begin(vector, basis), vector.real.dtype.type(1)
    while place >= 0:
        x = basis[place]
        for j in range(last - 1, first - 1, -1):
            y = scratch[j % 2][: layout[j, 0]]
            csr_multiply_rows(data, indices, indptr, layout[j, 1], factor, x, y)
            x = y
        unit, inner, weight = half_step(x, unit)
        for j in range(first, last):
            y, one = scratch[(j + 1) % 2][: layout[n_factors + j, 0]], factor
            if j == last - 1:
                y, one = basis[place + 1], vector.real.dtype.type(weight)
            first_row = layout[n_factors + j, 1]
            csr_multiply_rows(data, indices, indptr, first_row, one, x, y)
            x = y
        place = next_place(basis, matrix, numbers, inner, vector, n_iter, tol)
    return rounded(np.sqrt(numbers[ROOT]) * unit)
