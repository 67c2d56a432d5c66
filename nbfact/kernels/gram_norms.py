"""The norm of a Gram matrix, by the Lanczos method.

The Lanczos method builds orthonormal vectors v_1, v_2, ... of which G v_k has parts
only along its neighbours and v_k itself: in them G is a tridiagonal matrix, whose
largest eigenvalue comes close to that of G after a few products. A power iteration
uses the last vector alone, and takes several times as many.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .norms import divide_by_norm, frobenius_norm, start_power_iteration

POWER_STEPS = 16
"""Number of steps of a power iteration before: they are enough where the start is good.
"""

CHECKED, KEPT = 3, 24
"""The eigenvalue is looked at after each of as many products; and the method starts
again from the best combination of as many vectors."""

LAGUERRE_STEPS, LAGUERRE_TOL = 60, 1e-3
"""Largest number of steps of Laguerre's method for the largest eigenvalue of a
tridiagonal matrix, and its tolerance over that of the method of Lanczos."""


@kernel(fastmath=REASSOC)
def _multiply(gram, vector, unit, out):
    """Write G v / unit to out, and return vᴴ G v / unit in double precision."""
    factor, inner = out.real.dtype.type(1.0 / unit), 0.0
    for i in range(gram.shape[0]):
        row, total = gram[i], gram.dtype.type(0)
        for j in range(row.shape[0]):
            total += row[j] * vector[j]
        total *= factor
        out[i] = total
        inner += float((np.conj(vector[i]) * total).real)
    return inner


@kernel(fastmath=REASSOC)
def _orthogonalize(first, second, weights, out):
    """Subtract multiples of two vectors from out, and return its squared norm."""
    one, two = out.real.dtype.type(weights[0]), out.real.dtype.type(weights[1])
    square = 0.0
    for i in range(out.shape[0]):
        rest = out[i] - one * first[i] - two * second[i]
        out[i] = rest
        square += float(rest.real) * float(rest.real)
        square += float(rest.imag) * float(rest.imag)
    return square


@kernel
def _scaled(vector, weight, out):
    """Write weight * vector to out; weight: a double."""
    factor = out.real.dtype.type(weight)
    for i in range(out.shape[0]):
        out[i] = factor * vector[i]


@kernel
def _largest_eigenvalue(diagonal, beside, count, above, tol):
    """Return the largest eigenvalue of a symmetric tridiagonal matrix.

    diagonal: its `count` first entries; beside: those next to the diagonal, positive;
    above: a number that no eigenvalue exceeds; tol: the relative error.

    Laguerre's method for the characteristic polynomial comes down to its largest root,
    which it does not pass, because all its roots are real. The quotients of the leading
    minors of λ - T, and their derivatives, neither overflow nor underflow.
    """
    root = above
    for _ in range(LAGUERRE_STEPS):
        inverse, square, slope, bend, total, squares = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(count):
            share = square * inverse
            weight, change = share * inverse, slope * inverse
            bend = weight * (bend - 2.0 * slope * change)
            slope = 1.0 + weight * slope
            quotient = root - diagonal[i] - share
            if quotient <= 0.0:  # at the root, up to rounding
                return root
            inverse = 1.0 / quotient
            change = slope * inverse
            total += change
            squares += change * change - bend * inverse
            square = beside[i] * beside[i]
        spread = max((count - 1) * (count * squares - total * total), 0.0)
        step = count / (total + np.sqrt(spread))
        root -= step
        if step <= tol * root:
            break
    return root


@kernel
def _combine(basis, diagonal, beside, count, root, vector):
    """Write the combination of the first vectors that belongs to an eigenvalue.

    It is their sum with the entries of the eigenvector of the tridiagonal matrix. They
    are found from the last one on: the first vectors matter most, and the recurrence is
    stable only where numbers grow.
    """
    weight, later = 1.0, 0.0
    _scaled(basis[count - 1], 1.0, vector)
    for k in range(count - 1, 0, -1):
        rest = (root - diagonal[k]) * weight
        if k < count - 1:
            rest -= beside[k] * later
        weight, later = rest / beside[k - 1], weight
        factor = vector.real.dtype.type(weight)
        for i in range(vector.shape[0]):
            vector[i] += factor * basis[k - 1, i]
        if abs(weight) > 1e10:  # vectors of single precision are not to overflow
            _scaled(vector, 1.0 / weight, vector)
            weight, later = 1.0, later / weight
    divide_by_norm(vector, frobenius_norm(vector), vector)


@kernel
def gram_norm(gram: np.ndarray, vector: np.ndarray, n_iter: int, tol: float) -> float:
    """Return the largest eigenvalue of a Hermitian matrix without negative ones.

    Parameters
    ----------
    gram : ndarray, shape (n, n), real or complex
        Hermitian and positive semidefinite up to rounding, such as R Rᴴ; C-contiguous,
        with at least one entry; only read.
    vector : ndarray, shape (n,), of the dtype of gram
        The start; overwritten with the approximate eigenvector, of norm 1. A start that
        is zero or not finite is replaced by equal entries. A start that is orthogonal
        to the leading eigenvector finds a smaller eigenvalue: start at random, or from
        the result of a similar matrix.
    n_iter : int
        Maximum number of products with `gram`, at least 1.
    tol : float
        The method stops when two products change the value by at most ``tol``
        relatively.

    Returns
    -------
    float
        The estimate in double precision. It never exceeds the eigenvalue, up to
        rounding. It is 0 for a zero matrix, and not finite where an entry is not.

    See Also
    --------
    spectral_norm : The largest singular value of any matrix.

    Notes
    -----
    This is the method of Lanczos (1950), restarted after 24 vectors. A step costs n²
    multiplications, and about 10 n for the vectors.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> R = np.array([[3.0, 0.0], [4.0, 0.0]])
    >>> round(float(nf.kernels.gram_norm(R @ R.T, np.ones(2), 100, 1e-12)), 6)
    25.0
    """
    n, unit, ended = gram.shape[0], 0.0, False
    for i in range(n):
        unit += abs(float(gram[i, i].real)) / gram.shape[0]
    start_power_iteration(vector)
    if unit == 0.0 or not np.isfinite(unit):
        return unit
    kept = min(n, KEPT)
    basis = np.empty((kept + 1, n), gram.dtype)
    diagonal, beside = np.empty(kept), np.empty(kept)
    products, root, before = 0, 0.0, 0.0
    while products < min(POWER_STEPS, n_iter) and not ended:
        _multiply(gram, vector, unit, basis[0])
        root = frobenius_norm(basis[0])
        if root == 0.0:
            return root
        divide_by_norm(basis[0], root, vector)
        products += 1
        if products % 2 == 0:
            ended, before = root - before <= tol * root, root
    while products < n_iter and not ended:
        _scaled(vector, 1.0, basis[0])
        count, largest = 0, root
        while count < kept and products < n_iter and not ended:
            image, last = basis[count + 1], max(count - 1, 0)
            inner = _multiply(gram, basis[count], unit, image)
            weights = inner, beside[last] if count > 0 else 0.0
            square = _orthogonalize(basis[count], basis[last], weights, image)
            diagonal[count], beside[count] = inner, np.sqrt(square)
            largest, before = max(largest, inner), before
            count, products = count + 1, products + 1
            ended = count == n or not square > (tol * inner) ** 2
            if ended or count % CHECKED == 0 or products == n_iter:
                above = largest  # of the rows before, and of the entries of the others
                for i in range(max(count - 1 - CHECKED, 0), count - 1):
                    above += beside[i]
                root = _largest_eigenvalue(
                    diagonal, beside, count, above, LAGUERRE_TOL * tol
                )
                ended = ended or root - before <= tol * root
                before = largest = root
            if not ended:
                _scaled(image, 1.0 / beside[count - 1], image)
        _combine(basis, diagonal, beside, count, root, vector)
    return root * unit
