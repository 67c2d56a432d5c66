"""The steps of palm4MSA on one factor (Le Magoarou & Gribonval 2016, algorithm 1).

`palm_step` is the step as it is published, with dense products. The others go through
sparse factors, in this form: with G = R Rᴴ and C = A Rᴴ, kept up to date while a sweep
goes from right to left, the gradient is λ Lᴴ (λ L S G - C), and neither L nor R is ever
formed. A chain is packed as in `nbfact.kernels.csr`, but in the
order of the product and in CSR form only: ``layout[j]`` belongs to S[j]. Its adjoint is
packed the same way: ``adjoint_layout[j]`` belongs to S[j]ᴴ.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .csr import _csr_rows, _factor_columns
from .norms import _normalized, _start, frobenius_norm


@kernel
def palm_step(target, left, factor, right, scale, lipschitz, out):
    """Gradient step: out = S - (λ / c) Lᴴ (λ L S R - A) Rᴴ.

    target A: (m, n), left L: (m, p), factor S and out: (p, q), right R: (q, n); scale
    λ and lipschitz c: scalars of the real dtype of target, c > 0. All C-contiguous.
    A left or right without entries stands for the identity. out is not S.
    """
    product = factor
    if left.size > 0:
        product = np.dot(left, product)
    if right.size > 0:
        product = np.dot(product, right)
    # Lᴴ Z Rᴴ is the conjugate of Lᵀ conj(Z) Rᵀ, and transposes are free.
    gradient = np.empty_like(target)
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            gradient[i, j] = np.conj(scale * product[i, j] - target[i, j])
    if left.size > 0:
        gradient = np.dot(left.T, gradient)
    if right.size > 0:
        gradient = np.dot(gradient, right.T)
    weight = scale / lipschitz
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = factor[i, j] - weight * np.conj(gradient[i, j])


@kernel
def _subtract_adjoint(adjoint, first, width, z, stride, offset):
    """Subtract rows first, first + 1, ... of adjoint, as conjugate columns, from z.

    adjoint: (columns, m); z: flat; entry (i, b) at stride * i + offset + b. Eight
    columns at a time: cache lines of z are then read and written once.
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
    data, indices, indptr, layout,
    adjoint_data, adjoint_indices, adjoint_indptr, adjoint_layout,
    n_left, x, cross, scale, weight, scratch, out,
):  # fmt: skip
    """Write -w Lᴴ (λ L x - C) to out, L = S[0] ... S[n_left - 1].

    The chain and its adjoint, packed; x: (p, q), out: (p, q), which may be x; cross:
    Cᴴ, (q, m); scale λ, weight w: scalars of the real dtype; scratch: (2, largest
    number of rows, tile). A tile of columns goes through the chain and back while it
    is in cache. Without factors (n_left = 0), L is the identity.
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
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    tile = (np.uintp(width), zero)
    for start in range(0, q, width):
        w = np.uintp(min(width, q - start))
        here = (np.uintp(q), np.uintp(start))
        z, spare = _forward(
            data, indices, indptr, layout, n_left, flat_x, here, scale, even, odd, tile,
            w,
        )  # fmt: skip
        _subtract_adjoint(cross, start, w, z, tile[0], zero)
        a, place = one, tile
        for j in range(n_left):
            e = adjoint_layout[j]
            target = spare
            if j == n_left - 1:
                a, target, place = -weight, flat_out, here
            _factor_columns(
                adjoint_data, adjoint_indices, adjoint_indptr,
                (e[0], e[1], e[2], e[3]), a, z, tile, target, place, w,
            )  # fmt: skip
            spare = z
            z = target


@kernel
def _forward(
    data, indices, indptr, layout, n_left, x, window, scale, even, odd, tile, width
):
    """Send a tile of columns through a chain; return the buffer of λ L x, the other.

    x: flat, its columns in window; even, odd: flat buffers; n_left >= 1.
    """
    target, spare = even, odd
    source, where, a = x, window, scale
    for j in range(n_left - 1, -1, -1):
        e = layout[j]
        _factor_columns(
            data, indices, indptr, (e[0], e[1], e[2], e[3]), a, source, where, target,
            tile, width,
        )  # fmt: skip
        source, where, a = target, tile, x.real.dtype.type(1)
        target, spare = spare, target
    return source, target


@kernel
def chain_residual(
    data, indices, indptr, layout, n_left, x, cross, scale, scratch
):  # fmt: skip
    """Return ‖λ L x - C‖²_F in double precision; arguments as in chain_gradient."""
    q, width, m = x.shape[1], scratch.shape[2], cross.shape[1]
    zero, flat_x = np.uintp(0), x.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    tile = (np.uintp(width), zero)
    total = 0.0
    for start in range(0, q, width):
        w = min(width, q - start)
        z = even
        if n_left == 0:
            for i in range(m):
                for b in range(w):
                    z[i * width + b] = scale * flat_x[i * q + start + b]
        else:
            here = (np.uintp(q), np.uintp(start))
            z, _ = _forward(
                data, indices, indptr, layout, n_left, flat_x, here, scale, even, odd,
                tile, np.uintp(w),
            )  # fmt: skip
        _subtract_adjoint(cross, start, w, z, tile[0], zero)
        total += _tile_squares(z, m, width, w)
    return total


@kernel(fastmath=REASSOC)
def _tile_squares(z, m, stride, width):
    """Sum the squared moduli of a tile, in double precision."""
    total = 0.0
    for i in range(m):
        for b in range(width):
            re = float(z[i * stride + b].real)
            im = float(z[i * stride + b].imag)
            total += re * re + im * im
    return total


@kernel
def chain_norm(
    data, indices, indptr, layout,
    adjoint_data, adjoint_indices, adjoint_indptr, adjoint_layout,
    first, last, vector, scratch, n_iter, tol,
):  # fmt: skip
    """Largest singular value of S[first] ... S[last - 1], by power iteration.

    vector: (columns,), as in `spectral_norm`: start, and on return singular vector;
    scratch: (2, largest number of rows). Stops as `spectral_norm` does.
    """
    _start(vector)
    one = vector.real.dtype.type(1)
    sigma = 0.0
    for _ in range(n_iter):
        x = vector
        for j in range(last - 1, first - 1, -1):
            y = scratch[j % 2][: layout[j, 0]]
            _csr_rows(data, indices, indptr, layout[j, 3], one, x, y)
            x = y
        length = frobenius_norm(x)
        if length == 0.0:
            break
        _normalized(x, length, x)
        for j in range(first, last):
            y = scratch[(j + 1) % 2][: adjoint_layout[j, 0]]
            _csr_rows(
                adjoint_data, adjoint_indices, adjoint_indptr, adjoint_layout[j, 3],
                one, x, y,
            )  # fmt: skip
            x = y
        previous = sigma
        sigma = frobenius_norm(x)
        if sigma == 0.0:
            break
        _normalized(x, sigma, vector)
        if sigma - previous <= tol * sigma:
            break
    return sigma


@kernel
def csr_fit(
    data, indices, indptr, adjoint_data, adjoint_indices, adjoint_indptr, gram, cross
):  # fmt: skip
    """Return Re<C, S> and Re<S G, S> in double precision; S and Sᴴ in CSR form.

    gram G: (q, q), without entries if it is the identity; cross: Cᴴ, (q, p). With
    S = S[0] they are <A, Â> and ‖Â‖², and the best scale is their quotient.
    """
    inner, square = 0.0, 0.0
    for j in range(adjoint_indptr.shape[0] - 1):
        row = cross[j]
        for t in range(adjoint_indptr[j], adjoint_indptr[j + 1]):
            inner += float((np.conj(adjoint_data[t]) * row[adjoint_indices[t]]).real)
    for i in range(indptr.shape[0] - 1):
        for t in range(indptr[i], indptr[i + 1]):
            total = data[t]
            if gram.shape[0] > 0:
                total = data[t] * 0
                column = gram[indices[t]]  # of the conjugate: G is Hermitian
                for s in range(indptr[i], indptr[i + 1]):
                    total += data[s] * np.conj(column[indices[s]])
            square += float((total * np.conj(data[t])).real)
    return inner, square


@kernel(fastmath=REASSOC)
def optimal_scale(target, product):
    """Return the real λ minimising ‖A - λ Â‖_F: Re<A, Â> / ‖Â‖²; 0 if Â is zero.

    target A and product Â: (m, n). Sums are in double precision.
    """
    inner, square = 0.0, 0.0
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            a_re, a_im = float(target[i, j].real), float(target[i, j].imag)
            p_re, p_im = float(product[i, j].real), float(product[i, j].imag)
            inner += a_re * p_re + a_im * p_im
            square += p_re * p_re + p_im * p_im
    return inner / square if square > 0.0 else 0.0
