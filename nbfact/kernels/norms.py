"""Norms of vectors and matrices, safe from overflow and underflow."""

import numpy as np

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def _sum_of_squares(flat, factor):
    """Sum |factor * flat|² in double precision; flat: (n,), factor: scalar."""
    total = 0.0
    for i in range(flat.shape[0]):
        re = float(flat[i].real) * factor
        im = float(flat[i].imag) * factor
        total += re * re + im * im
    return total


@kernel
def max_abs(x):
    """Largest modulus of the real or imaginary parts; x: any shape, contiguous."""
    flat = x.ravel()
    largest = 0.0
    for i in range(flat.shape[0]):
        largest = max(largest, abs(flat[i].real), abs(flat[i].imag))
    return np.float64(largest)


@kernel
def frobenius_norm(x):
    """Return ‖x‖_F as a double; x: any shape, C-contiguous.

    One plain pass where squares neither overflow nor lose digits, else two passes
    on entries divided by the largest.
    """
    flat = x.ravel()
    total = _sum_of_squares(flat, 1.0)
    if 1e-250 < total < 1e300:
        return np.sqrt(total)
    largest = max_abs(flat)
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    # Scaled by a power of two, exactly; neither it nor its inverse may overflow.
    exponent = float(min(max(np.floor(np.log2(largest)), -1000.0), 1000.0))
    return float(np.sqrt(_sum_of_squares(flat, 2.0**-exponent))) * 2.0**exponent


@kernel
def _normalized(source, norm, out):
    """Write source / norm to out; both (n,). norm: positive real scalar."""
    for i in range(source.shape[0]):
        out[i] = source[i] / norm


@kernel
def _start(vector):
    """Scale the start of a power iteration to norm 1, one that is no vector to ones."""
    length = frobenius_norm(vector)
    if length == 0.0 or not np.isfinite(length):
        vector[:] = 1
        length = frobenius_norm(vector)
    _normalized(vector, length, vector)


@kernel(fastmath=REASSOC)
def _matvec(x, vector, out):
    """Write x @ vector to out; x: (m, n), vector: (n,), out: (m,)."""
    for i in range(x.shape[0]):
        row = x[i]
        total = row[0] * vector[0]
        for j in range(1, row.shape[0]):
            total += row[j] * vector[j]
        out[i] = total


@kernel
def _rmatvec(x, vector, out):
    """Write xᴴ @ vector to out; x: (m, n), vector: (m,), out: (n,)."""
    for j in range(out.shape[0]):
        out[j] = 0
    for i in range(x.shape[0]):
        row = x[i]
        weight = vector[i]
        for j in range(row.shape[0]):
            out[j] += np.conj(row[j]) * weight


@kernel
def spectral_norm(x, vector, n_iter, tol):
    """Largest singular value of x by power iteration on xᴴx, as a double.

    x: (m, n), C-contiguous, not empty; vector: (n,) of the dtype of x, the start and
    on return the right singular vector (start the next call from it). Stops after
    n_iter steps, or when a step changes the value by at most tol relatively. The
    value never exceeds the norm, up to rounding. Both half-steps are normalised, so
    that no entry is squared: 1e-200 and 1e200 are safe. Zero matrix: 0.
    """
    _start(vector)
    image = np.empty(x.shape[0], x.dtype)
    sigma = 0.0
    for _ in range(n_iter):
        _matvec(x, vector, image)
        length = frobenius_norm(image)
        if length == 0.0:
            break
        _normalized(image, length, image)
        _rmatvec(x, image, vector)
        previous = sigma
        sigma = frobenius_norm(vector)
        if sigma == 0.0:
            break
        _normalized(vector, sigma, vector)
        if sigma - previous <= tol * sigma:
            break
    return sigma
