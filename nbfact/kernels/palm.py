"""The steps of palm4MSA on one factor (Le Magoarou & Gribonval 2016, algorithm 1)."""

import numpy as np

from .._jit import REASSOC, kernel


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
