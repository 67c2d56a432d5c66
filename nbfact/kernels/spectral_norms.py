"""Spectral norms, by the Lanczos method.

A norm is that of a Hermitian matrix G without negative eigenvalues, or its root: that
of x is the root of that of xᴴx. Some steps of a power iteration come first. They are
enough where the start is good. The Lanczos method goes on from the vector that they end
at: it builds orthonormal vectors v_1, v_2, ... of which G v_k has parts only along v_k
and its two neighbours. In them G is a tridiagonal matrix, whose largest eigenvalue
comes close to that of G after far fewer products.

`next_place` makes both of one product with G after the other.
"""

from typing import Any

import numpy as np

from ._jit import REASSOC, kernel
from .norms import divide_by_norm, frobenius_norm

POWER_STEPS = 16
"""Number of steps of the power iteration. Vectors that they end at change smoothly with
the matrix; those of the Lanczos method do not where eigenvalues lie close together, and
then rounding decides what palm4MSA finds of a Hadamard matrix."""

CHECKED, KEPT = 3, 24
"""The eigenvalue is looked at after each of as many products; and the method starts
again from the best combination of as many vectors."""

LAGUERRE_STEPS, LAGUERRE_TOL = 60, 1e-3
"""Largest number of steps of Laguerre's method for the largest eigenvalue of a
tridiagonal matrix, and its tolerance over that of the method of Lanczos."""

PRODUCTS, ROOT, BEFORE, LARGEST, COUNT = 0, 1, 2, 3, 4
"""Places of numbers: those of products, of the eigenvalue, of the one before it and of
a bound of both, and of vectors of the basis, which is negative in the power iteration.
"""


@kernel
def begin(vector, basis):
    """Return the numbers of `next_place`, and write the start to the basis.

    A start that is zero or not finite is replaced by equal entries. vector: (n,);
    basis: `lanczos_basis`.
    """
    length = frobenius_norm(vector)
    if length == 0.0 or not np.isfinite(length):
        vector[:] = 1
        length = frobenius_norm(vector)
    divide_by_norm(vector, length, basis[0])
    numbers = np.zeros(5)
    numbers[COUNT] = -1
    return numbers


@kernel
def lanczos_basis(vector):
    """Return memory for the vectors that `next_place` needs, and for its matrix."""
    n = vector.shape[0]
    return np.empty((min(n, KEPT) + 1, n), vector.dtype), np.empty((2, min(n, KEPT)))


@kernel
def next_place(basis, matrix, numbers, inner, vector, n_iter, tol):
    """Take the product of G with a vector of the basis; return the place of the next.

    basis, matrix: of `lanczos_basis`. The product is the row of the basis after that of
    the vector, and begins with place 0; numbers: of `begin`; inner: the inner product
    of both; vector: overwritten at the end; n_iter: largest number of products; tol: as
    of `gram_norm`. The place is -1 at the end. The eigenvalue is ``numbers[ROOT]``.
    """
    numbers[PRODUCTS] += 1
    place: Any = np.intp(numbers[COUNT])  # NumPy's stubs refuse an int after it
    over = numbers[PRODUCTS] >= n_iter
    if place < 0:
        root, weight = np.sqrt(_inner_product(basis[1], basis[1])), 1.0
        image, target, ended = basis[0], vector, root == 0.0 or not np.isfinite(root)
        if not ended:
            image, weight = basis[1], root
        if numbers[PRODUCTS] % 2 == 0:
            ended = ended or root - numbers[BEFORE] <= tol * root
            numbers[BEFORE] = root
        numbers[ROOT] = numbers[LARGEST] = root
        if not (ended or over):
            target, place = basis[0], 0
            if numbers[PRODUCTS] >= POWER_STEPS:
                numbers[COUNT] = 0
        divide_by_norm(image, weight, target)
        return place
    diagonal, beside, last = matrix[0], matrix[1], place - 1 if place > 0 else 0
    weights = inner, beside[last] if place > 0 else 0.0
    image, count = basis[place + 1], place + 1
    square = _orthogonalize(basis[place], basis[last], weights, image)
    diagonal[place], beside[place], target = inner, np.sqrt(square), image
    if inner > numbers[LARGEST]:
        numbers[LARGEST] = inner
    ended = over or count == image.shape[0] or not square > (tol * inner) ** 2
    if ended or count % CHECKED == 0:
        above = numbers[LARGEST]  # of the rows before, and of the others' diagonal
        for i in range(count - 1 - CHECKED, count - 1):
            above += beside[i] if i >= 0 else 0.0
        root = _largest_eigenvalue(diagonal, beside, count, above, LAGUERRE_TOL * tol)
        ended = ended or root - numbers[BEFORE] <= tol * root
        numbers[ROOT] = numbers[BEFORE] = numbers[LARGEST] = root
    weight = beside[place] if square > 0.0 else 1.0
    if ended or count == diagonal.shape[0]:
        _combine(basis, diagonal, beside, count, numbers[ROOT], vector)
        weight = np.sqrt(_inner_product(vector, vector))
        image, target, count = vector, vector if ended else basis[0], 0
    divide_by_norm(image, weight, target)
    numbers[COUNT] = count
    return -1 if ended else count


@kernel
def half_step(image, unit):
    """Divide S v by its norm, in place, before Sᴴ is applied to it.

    unit: that of the norm of S, 0 where none is known. What is returned is the unit,
    the inner product of v and SᴴS v, and the weight of Sᴴ, in units of SᴴS.
    """
    length = frobenius_norm(image)
    if unit == 0.0:
        unit = unit_of(length)
    if length > 0.0:
        divide_by_norm(image, length, image)
    share = length / unit if unit > 0.0 else unit
    return unit, share * share, share / unit if unit > 0.0 else unit


@kernel(fastmath=REASSOC)
def _matvec(x, vector, factor, out):
    """Write factor * x @ vector to out; x: (m, n), vector: (n,), out: (m,)."""
    for i in range(x.shape[0]):
        row, total = x[i], x.dtype.type(0)
        for j in range(row.shape[0]):  # not from 1 on: vectors would not end with it
            total += row[j] * vector[j]
        out[i] = factor * total


@kernel(fastmath=REASSOC)
def _inner_product(first, second):
    """Return the real part of an inner product, in double precision."""
    total = 0.0
    for i in range(first.shape[0]):
        total += float((np.conj(first[i]) * second[i]).real)
    return total


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
def rounded(norm):
    """Return a norm without its last digits, in which only rounding speaks.

    Matrices with equal singular values have the norm of these, to the last bit: an
    error of rounding in a step would break the ties of a projection.
    """
    unit = unit_of(norm) * 2.0**-44
    return np.round(norm / unit) * unit if unit > 0.0 and np.isfinite(norm) else norm


@kernel
def unit_of(number):
    """Return the largest power of two up to a positive number, which scales exactly.

    Norms of matrices with equal entries are not to differ by rounding. Zero, and what
    is not finite, is returned as it is.
    """
    if number > 0.0 and np.isfinite(number):
        return 2.0 ** np.floor(np.log2(number))
    return number


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
    """Write a multiple of the combination of vectors that belongs to an eigenvalue.

    It is their sum with the entries of the eigenvector of the tridiagonal matrix. They
    are found from the last one on: the first vectors matter most, and the recurrence is
    stable only where numbers grow.
    """
    weight, later = 1.0, 0.0
    divide_by_norm(basis[count - 1], 1.0, vector)
    for k in range(count - 1, 0, -1):
        rest = (root - diagonal[k]) * weight
        if k < count - 1:
            rest -= beside[k] * later
        weight, later = rest / beside[k - 1], weight
        factor = vector.real.dtype.type(weight)
        for i in range(vector.shape[0]):
            vector[i] += factor * basis[k - 1, i]
        if abs(weight) > 1e10:  # vectors of single precision are not to overflow
            divide_by_norm(vector, weight, vector)
            weight, later = 1.0, later / weight


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
        The iteration stops when two steps, or at its end three, change the value by at
        most ``tol`` relatively.

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
    After 16 steps of a power iteration, the method of Lanczos (1950) takes over, which
    starts again after each 24 vectors, for which there is memory. A step costs n²
    multiplications, and about 10 n for the vectors.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> R = np.array([[3.0, 0.0], [4.0, 0.0]])
    >>> round(float(nf.kernels.gram_norm(R @ R.T, np.ones(2), 100, 1e-12)), 6)
    25.0
    """
    n, unit, place = gram.shape[0], 0.0, 0
    for i in range(n):
        unit += abs(float(gram[i, i].real)) / n
    unit = unit_of(unit)
    basis, matrix = lanczos_basis(vector)
    numbers = begin(vector, basis)
    if unit == 0.0 or not np.isfinite(unit):
        divide_by_norm(basis[0], 1.0, vector)
        return unit
    factor = vector.real.dtype.type(1.0 / unit)
    while place >= 0:
        _matvec(gram, basis[place], factor, basis[place + 1])
        inner = _inner_product(basis[place], basis[place + 1])
        place = next_place(basis, matrix, numbers, inner, vector, n_iter, tol)
    return rounded(numbers[ROOT] * unit)


@kernel(fastmath=REASSOC)
def _rmatvec(x, vector, factor, out):
    """Write factor * xᴴ @ vector to out; x: (m, n), vector: (m,), out: (n,)."""
    out[:] = 0
    for i in range(x.shape[0]):
        row, weight = x[i], factor * vector[i]
        for j in range(row.shape[0]):
            out[j] += np.conj(row[j]) * weight


@kernel
def spectral_norm(x: np.ndarray, vector: np.ndarray, n_iter: int, tol: float) -> float:
    """Return the largest singular value of a matrix, by iterations on xᴴx.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex
        C-contiguous, with at least one entry; only read.
    vector : ndarray, shape (n,), of the dtype of x
        The start; overwritten with the right singular vector that the iteration ends
        at, of norm 1. A start that is zero or not finite is replaced by equal entries.
        A start that is orthogonal to the leading singular vector finds a smaller
        singular value: start at random, or from the result of a similar matrix.
    n_iter : int
        Maximum number of iterations.
    tol : float
        The iteration stops when two steps, or at its end three, change the square of
        the value by at most ``tol`` relatively.

    Returns
    -------
    float
        The estimate in double precision. It never exceeds the norm, up to rounding. It
        is 0 for a zero matrix.

    See Also
    --------
    frobenius_norm : A bound that needs no iteration.
    gram_norm : The norm of a matrix that is Hermitian and positive semidefinite.
    chain_norm : The norm of a product of sparse factors.

    Notes
    -----
    The method is that of `gram_norm`, on xᴴx. An iteration costs 2 m n multiplications,
    and the memory is that of 25 vectors. Both half-steps are normalised, so that no
    entry is squared: entries of size 1e-200 or 1e200 are safe.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.diag([3.0, 1.0])
    >>> round(float(nf.kernels.spectral_norm(x, np.ones(2), 100, 1e-12)), 6)
    3.0
    """
    basis, matrix = lanczos_basis(vector)
    numbers, unit, place = begin(vector, basis), 0.0, 0
    image, one = np.empty(x.shape[0], x.dtype), vector.real.dtype.type(1)
    while place >= 0:
        _matvec(x, basis[place], one, image)
        unit, inner, weight = half_step(image, unit)
        _rmatvec(x, image, vector.real.dtype.type(weight), basis[place + 1])
        place = next_place(basis, matrix, numbers, inner, vector, n_iter, tol)
    return rounded(np.sqrt(numbers[ROOT]) * unit)
