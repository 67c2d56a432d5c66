"""Least squares over the values on a support, from the Gram matrices on its sides."""

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

# Coupled unknowns up to which a factor is solved by Cholesky, beyond by CG. One sweep
# over 4 factors, n = 512, with both: 0.26 s and 0.26 at 1024 unknowns, 0.47 and 0.53 at
# 2048, 2.8 and 0.61 at 4096 (k = 2, 4, 8 below; CG with MAX_DIRECT = 513):
#   python -m timeit -s "import nbfact as nf; A = nf.targets.dct(512);
#   F = nf.targets.planted(512, 4, 8, 0, True)[1]; nf.refine(F[:1], A, 1);
#   from nbfact.algorithms import least_squares; least_squares.MAX_DIRECT = 9999
#   " "nf.refine(F, A, 1)"
MAX_DIRECT = 2048
# CG: at most this many steps, or a residual reduced by the tolerance.
_CG_STEPS, _CG_TOL = 300, 1e-12
# Systems up to this size are solved many at a time, this many entries together.
_BATCHED, _CHUNK = 48, 2**20


def least_squares(gram, right_gram, rows, cols, gradient, ridge):
    """Return the δ with (gram Δ right_gram)[rows, cols] = gradient.

    Δ holds δ at (rows, cols) and is zero elsewhere. Both Gram matrices are Hermitian
    and positive semi-definite, or None for the identity; the unknowns decouple over
    pairs of connected components of the two. ridge is added to diagonals of 1. Never
    NaN.
    """
    blocks = _labels(gram, rows) * (cols.max(initial=0) + 1) + _labels(right_gram, cols)
    order = np.argsort(blocks, kind="stable")
    _, starts, counts = np.unique(blocks[order], return_index=True, return_counts=True)
    delta = np.zeros_like(gradient)
    for k in np.unique(counts):
        members = order[starts[counts == k, None] + np.arange(k)]
        if k > MAX_DIRECT:
            for block in members:
                i, j = rows[block], cols[block]
                delta[block] = _conjugate_gradients(
                    gram, right_gram, i, j, gradient[block]
                )
            continue
        chunk = max(_CHUNK // k**2, 1)
        for block in np.split(members, range(chunk, len(members), chunk)):
            i, j = rows[block], cols[block]
            system = np.ones((*i.shape, k), gradient.dtype)
            if gram is not None:  # else all rows of a block are the same
                system *= gram[i[:, :, None], i[:, None, :]]
            if right_gram is not None:
                system *= right_gram[j[:, None, :], j[:, :, None]]
            delta[block] = _direct(system, gradient[block], ridge)
    return np.where(np.isfinite(delta), delta, 0)


def _direct(system, vector, ridge):
    """Solve many positive semi-definite systems; system: (c, k, k), vector: (c, k)."""
    inverse = _inverse_sqrt(np.einsum("cii->ci", system).real)
    system *= inverse[:, :, None] * inverse[:, None, :]
    vector = vector * inverse
    for added in (ridge, 1e2 * ridge, 1e4 * ridge):
        np.einsum("cii->ci", system)[:] = 1 + added
        try:
            solve = _solver(system)
            solution = solve(vector)
            # Once more for what the ridge left out.
            image = (system @ solution[:, :, None])[:, :, 0] - added * solution
            return (solution + solve(vector - image)) * inverse
        except np.linalg.LinAlgError:
            continue
    return vector * inverse  # along the gradient: the line search decides how far


def _solver(system):
    """Return a function from right-hand sides (c, k) to solutions."""
    if system.shape[1] <= _BATCHED:
        return lambda vector: np.linalg.solve(system, vector[:, :, None])[:, :, 0]
    factored = [scipy.linalg.cho_factor(one, check_finite=False) for one in system]
    return lambda vector: np.array(
        [scipy.linalg.cho_solve(f, b) for f, b in zip(factored, vector, strict=True)]
    )


def _conjugate_gradients(gram, right_gram, rows, cols, vector):
    """Solve one block without its matrix, preconditioned by its diagonal."""
    shape = (rows.max() + 1, cols.max() + 1)
    if gram is not None:
        gram = gram[: shape[0], : shape[0]]
    if right_gram is not None:
        right_gram = right_gram[: shape[1], : shape[1]]
    inverse = _inverse_sqrt(_diagonal(gram, rows) * _diagonal(right_gram, cols))

    def apply(x):
        delta = sp.csr_array((x * inverse, (rows, cols)), shape=shape)
        image = delta.toarray() if right_gram is None else delta @ right_gram
        if gram is None:
            return image[rows, cols] * inverse
        return sampled(gram, np.ascontiguousarray(image.T), rows, cols) * inverse

    x, residual = np.zeros_like(vector), vector * inverse
    direction, square = residual, np.vdot(residual, residual).real
    enough = _CG_TOL**2 * square
    for _ in range(_CG_STEPS):
        image = apply(direction)
        curvature = np.vdot(direction, image).real
        if not (square > enough and curvature > 0):
            break
        x = x + square / curvature * direction
        residual = residual - square / curvature * image
        previous, square = square, np.vdot(residual, residual).real
        direction = residual + square / previous * direction
    return x * inverse


def sampled(x, y, rows, cols):
    """Return (x @ y.T)[rows, cols]."""
    if 8 * rows.size > len(x) * len(y):
        return (x @ y.T)[rows, cols]
    out = np.empty(rows.size, x.dtype)
    chunk = max(2**14 // x.shape[1], 1)
    for start in range(0, rows.size, chunk):
        part = slice(start, start + chunk)
        np.einsum("tk,tk->t", x[rows[part]], y[cols[part]], out=out[part])
    return out


def _labels(gram, places):
    """Label the components that places are in; each is its own for the identity."""
    return places.astype(np.intp) if gram is None else _components(gram)[places]


def _diagonal(gram, places):
    """Return entries of a diagonal."""
    return np.ones(places.size) if gram is None else gram.diagonal().real[places]


def _components(gram):
    """Label the indices that a Gram matrix couples beyond rounding."""
    length = np.sqrt(gram.diagonal().real)
    threshold = 8 * np.finfo(float).eps * length
    coupled = np.abs(gram) > threshold[:, None] * length
    if coupled[0].all():
        return np.zeros(len(gram), int)
    return connected_components(sp.csr_array(coupled), directed=False)[1]


def _inverse_sqrt(diagonal):
    """Return 1 / sqrt(diagonal), and 0 where it is not positive."""
    return np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1)), 0)
