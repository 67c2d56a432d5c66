"""Least squares over the values of one factor, from the Gram matrices on its sides.

`nbfact.refine` writes the change of a factor as a sparse matrix Δ whose non-zeros δ are
at the places (rows, cols) of its support. Its normal equations are
(G Δ H)[rows, cols] = gradient, where G = LᴴL and H = R Rᴴ are the Gram matrices of the
products L and R on the left and right of the factor. They fall apart into blocks.
"""

from typing import TypeAlias

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from ...kernels import solve_coupled

MAX_DIRECT = 2048
"""Largest number of coupled unknowns that are solved for by Cholesky factorization.
More are solved for by conjugate gradients (CG), because Cholesky costs their cube. One
sweep over 4 factors at n = 512 takes 0.26 s with either at 1024 unknowns, 0.47 s
(Cholesky) and 0.53 s (CG) at 2048, and 2.8 s and 0.61 s at 4096. These are K = 2, 4, 8
in the command below; for CG set MAX_DIRECT = 513::

    python -m timeit -s "import nbfact as nf; K = 8; A = nf.targets.dct(512)
    F = nf.targets.planted(512, 4, K, random_state=0, return_factors=True)[1]
    nf.refine(F[:1], A, n_iter=1)
    from nbfact.algorithms.palm import least_squares; least_squares.MAX_DIRECT = 9999
    " "nf.refine(F, A, n_iter=1)"
"""

_CG_STEPS, _CG_TOL = 300, 1e-12
"""Maximum number of steps of conjugate gradients, and the relative size of the residual
that ends them."""

_QUICK_STEPS, _GLANCE, _QUICK_TOL, _STEEP = 100, 20, 1e-9, 8000
"""Fewer unknowns are solved for by CG too where that may be faster: k of them between
Gram matrices of order n where k² is more than `_STEEP` n. They are left to Cholesky
unless `_QUICK_STEPS` steps reach `_QUICK_TOL`, which `_GLANCE` of them have to let
expect. The sweeps that follow make up for what is left over."""

SMALL = 128
"""Largest number of unknowns of a system that a kernel solves with all others of its
kind: it takes a tenth of the time of LAPACK with 16 to 50 unknowns, where calls from
Python cost most, and as much as LAPACK with about 128."""

_DENSE_LABELS = 256
"""Largest order of a Gram matrix whose components are found among all entries: SciPy
takes a millisecond to make the sparse matrix that it searches."""

MatrixOrIdentity: TypeAlias = np.ndarray | None
"""A dense matrix, or None for the identity."""


def least_squares(
    gram: MatrixOrIdentity,
    right_gram: MatrixOrIdentity,
    rows: np.ndarray,
    cols: np.ndarray,
    gradient: np.ndarray,
    ridge: float,
) -> np.ndarray:
    """Return the δ that solves (G Δ H)[rows, cols] = gradient.

    Parameters
    ----------
    gram, right_gram : ndarray or None
        The matrices G and H, Hermitian and positive semi-definite; None stands for the
        identity.
    rows, cols : ndarray of int, (k,)
        The places of the unknowns.
    gradient : ndarray, (k,)
        The right-hand side.
    ridge : float
        What is added to the diagonal of a system whose diagonal is scaled to 1.

    Returns
    -------
    ndarray, (k,)
        The values δ; 0 in place of any that is not finite.

    Notes
    -----
    Two unknowns are coupled where both Gram matrices couple their rows and columns, so
    that the system falls apart into a block for each pair of connected components of
    the two.
    """
    inverse = np.ones(rows.size)  # one over the root of each unknown's diagonal entry
    dtype, scaled = gradient.dtype, [np.empty((0, 0), gradient.dtype)] * 2
    turned = None if right_gram is None else right_gram.T
    for side, (matrix, places) in enumerate(((gram, rows), (turned, cols))):
        if matrix is not None:
            root = _inverse_sqrt(matrix.diagonal().real)
            scaled[side] = np.ascontiguousarray(matrix * root[:, None] * root, dtype)
            inverse *= root[places]
    blocks = _labels(gram, rows) * (cols.max(initial=0) + 1) + _labels(right_gram, cols)
    order = np.argsort(blocks, kind="stable")
    _, starts, counts = np.unique(blocks[order], return_index=True, return_counts=True)
    delta, small = gradient * inverse, counts <= SMALL
    chosen = order[np.repeat(small, counts)]
    values, ends = delta[chosen], np.append(0, np.cumsum(counts[small]))
    at = np.stack([rows[chosen], cols[chosen]]).astype(np.intp)
    solve_coupled(scaled[0], scaled[1], at, ends, ridge, values)
    delta[chosen] = values
    for start, k in zip(starts[~small], counts[~small], strict=True):
        block = order[start : start + k]
        delta[block] = _large(
            gram, right_gram, scaled, (rows[block], cols[block]), delta[block],
            inverse[block], ridge,
        )  # fmt: skip
    delta *= inverse
    return np.where(np.isfinite(delta), delta, 0)


def _large(gram, right_gram, scaled, places, vector, inverse, ridge):
    """Solve a large system, scaled to a diagonal of 1, by CG or by LAPACK."""
    k, (rows, cols) = len(vector), places
    if k > MAX_DIRECT or _is_steep(k, gram, right_gram):
        steps = _CG_STEPS if k > MAX_DIRECT else _QUICK_STEPS
        found, solved = _conjugate_gradients(
            gram, right_gram, rows, cols, vector, inverse, steps
        )
        if solved or k > MAX_DIRECT:
            return found
    return _direct(_system(scaled, *places), vector, ridge)


def _is_steep(k, gram, right_gram):
    """Return whether k coupled unknowns may be found faster by CG."""
    if gram is None or right_gram is None:
        return False
    return k * k > _STEEP * max(len(gram), len(right_gram))


def _system(scaled, i, j):
    """Return the matrix (k, k) of a system of unknowns at places (i, j)."""
    minors = [
        matrix.take(places, 0).take(places, 1)  # a third of the time of indexing
        for matrix, places in zip(scaled, (i, j), strict=True)
        if matrix.size
    ]
    return minors[0] * minors[1] if len(minors) == 2 else minors[0]


def _direct(system, vector, ridge):
    """Solve a positive semi-definite system, whose diagonal is 1, by LAPACK.

    The diagonal of the system is overwritten.
    """
    # The checks of scipy.linalg take as long as 60 unknowns.
    factor, solve = scipy.linalg.get_lapack_funcs(("potrf", "potrs"), (system,))
    for added in (ridge, 1e2 * ridge, 1e4 * ridge):
        np.fill_diagonal(system, 1 + added)
        # It reads a matrix in the order of NumPy as its transpose, its conjugate.
        triangle, info = factor(system.T, lower=True, clean=False)
        if info == 0:
            found = solve(triangle, vector.conj(), lower=True)[0].conj()
            # One step of iterative refinement, for what the ridge left out.
            rest = vector - (system @ found - added * found)
            return found + solve(triangle, rest.conj(), lower=True)[0].conj()
    # A step along the gradient: the line search of the caller decides how far.
    return vector


def _conjugate_gradients(gram, right_gram, rows, cols, vector, inverse, n_steps):
    """Solve one system, scaled to a diagonal of 1, without forming its matrix.

    Returns the solution, and whether the steps are enough. If there are few, they end
    where they are not on the way. inverse: what unknowns are multiplied by to scale it.
    """
    shape = (rows.max() + 1, cols.max() + 1)
    if gram is not None:
        gram = gram[: shape[0], : shape[0]]
    if right_gram is not None:
        right_gram = right_gram[: shape[1], : shape[1]]

    def apply(x):
        delta = sp.csr_array((x * inverse, (rows, cols)), shape=shape)
        image = delta.toarray() if right_gram is None else delta @ right_gram
        if gram is None:
            return image[rows, cols] * inverse
        return sampled(gram, np.ascontiguousarray(image.T), rows, cols) * inverse

    x, residual = np.zeros_like(vector), vector
    direction, square = residual, np.vdot(residual, residual).real
    quick = n_steps < _CG_STEPS
    tol = _QUICK_TOL if quick else _CG_TOL
    enough, likely = tol**2 * square, tol ** (2 * _GLANCE / n_steps) * square
    for step in range(n_steps):
        if quick and step == _GLANCE and square > likely:
            break
        image = apply(direction)
        curvature = np.vdot(direction, image).real
        if not (square > enough and curvature > 0):
            break
        x = x + square / curvature * direction
        residual = residual - square / curvature * image
        previous, square = square, np.vdot(residual, residual).real
        direction = residual + square / previous * direction
    return x, square <= enough


def sampled(
    x: np.ndarray, y: np.ndarray, rows: np.ndarray, cols: np.ndarray
) -> np.ndarray:
    """Return (x @ y.T)[rows, cols], as inner products where the places are few."""
    if 8 * rows.size > len(x) * len(y):
        return (x @ y.T)[rows, cols]
    out = np.empty(rows.size, x.dtype)
    chunk = max(2**14 // x.shape[1], 1)
    for start in range(0, rows.size, chunk):
        part = slice(start, start + chunk)
        np.einsum("tk,tk->t", x[rows[part]], y[cols[part]], out=out[part])
    return out


def _labels(gram, places):
    """Return the connected component of each place; its index for the identity."""
    return places.astype(np.intp) if gram is None else _components(gram)[places]


def _components(gram):
    """Return the connected component of each index, where entries couple two indices.

    Entries that may be nothing but rounding are not counted.
    """
    length = np.sqrt(gram.diagonal().real)
    threshold = 8 * np.finfo(float).eps * length
    coupled = np.abs(gram) > threshold[:, None] * length
    if coupled[0].all():
        return np.zeros(len(gram), int)
    if len(gram) > _DENSE_LABELS:
        return connected_components(sp.csr_array(coupled), directed=False)[1]
    # Each index takes the least label among those that it is coupled with, until none
    # changes: then that is the first index of its component.
    labels = np.arange(len(gram))
    while True:
        least = np.where(coupled, labels, labels[:, None]).min(axis=1)
        least = least[least]
        if np.array_equal(least, labels):
            return labels
        labels = least


def _inverse_sqrt(diagonal):
    """Return 1 / sqrt(diagonal), and 0 where it is not positive."""
    return np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1)), 0)
