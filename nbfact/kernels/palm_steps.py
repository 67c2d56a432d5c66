"""Dense step of palm4MSA, and the best scale of a product.

Both are those of Le Magoarou & Gribonval 2016, algorithm 1. The step on a sparse factor
through its sparse neighbours is in `chain_steps.py`.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel
def palm_step(
    target: np.ndarray,
    left: np.ndarray,
    factor: np.ndarray,
    right: np.ndarray,
    scale: float,
    lipschitz: float,
    out: np.ndarray,
) -> None:
    """Write a gradient step on one factor: S - (λ / c) Lᴴ (λ L S R - A) Rᴴ.

    Parameters
    ----------
    target : ndarray, shape (m, n), real or complex
        The matrix A. This and the other arrays have one dtype, are C-contiguous and,
        but for out, only read.
    left : ndarray, shape (m, p)
        The matrix L; an array without entries stands for the identity.
    factor : ndarray, shape (p, q)
        The matrix S.
    right : ndarray, shape (q, n)
        The matrix R; an array without entries stands for the identity.
    scale : scalar of the real dtype of target
        The number λ.
    lipschitz : scalar of the real dtype of target
        The number c, above 0. The step lowers the error if c > λ² ‖L‖₂² ‖R‖₂².
    out : ndarray, shape (p, q)
        Overwritten with the step, which no set has been applied to; shares no memory
        with factor.

    See Also
    --------
    chain_step : The step through sparse factors.
    optimal_scale : The scale that goes with a step.
    nbfact.palm4msa : The algorithm.

    Notes
    -----
    The cost is that of the four dense products, which BLAS multiplies.

    Examples
    --------
    Without L and R a step of c = 1 and scale 1 ends at the target:

    >>> import numpy as np, nbfact as nf
    >>> target, none, out = np.array([[1.0, 2.0]]), np.empty((0, 0)), np.empty((1, 2))
    >>> nf.kernels.palm_step(target, none, np.ones((1, 2)), none, 1.0, 1.0, out)
    >>> out
    array([[1., 2.]])
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
def csr_fit(
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    adjoint_data: np.ndarray,
    adjoint_indices: np.ndarray,
    adjoint_indptr: np.ndarray,
    gram: np.ndarray,
    cross: np.ndarray,
) -> tuple[float, float]:
    """Return the two products that give the best scale: Re<C, S> and Re<S G, S>.

    Parameters
    ----------
    data, indices, indptr : ndarray
        A sparse factor S in CSR form, of shape (p, q).
    adjoint_data, adjoint_indices, adjoint_indptr : ndarray
        Its adjoint Sᴴ in CSR form.
    gram : ndarray, shape (q, q), Hermitian
        The matrix G; an array of shape (0, 0) stands for the identity.
    cross : ndarray, shape (q, p)
        The adjoint Cᴴ. All arrays of numbers have one dtype, and all are only read.

    Returns
    -------
    inner, square : float
        In double precision. With S = S[0], the first factor, they are <A, Â> and
        ‖Â‖², and the best scale λ is their quotient.

    See Also
    --------
    optimal_scale : The scale of a dense product.
    chain_residual : The error through the factors.

    Notes
    -----
    The cost is one multiplication for each entry of S, and for each pair of entries in
    a row of S.

    Examples
    --------
    S is the identity times 2, and C is the identity times 3: the best scale is 12 / 8.

    >>> import numpy as np, nbfact as nf
    >>> S = np.full(2, 2.0), np.array([0, 1], np.uint32), np.array([0, 1, 2], np.uint32)
    >>> nf.kernels.csr_fit(*S, *S, np.empty((0, 0)), 3 * np.eye(2))
    (12.0, 8.0)
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
                column = gram[indices[t]]  # the conjugate of a column: G is Hermitian
                for s in range(indptr[i], indptr[i + 1]):
                    total += data[s] * np.conj(column[indices[s]])
            square += float((total * np.conj(data[t])).real)
    return inner, square


@kernel(fastmath=REASSOC)
def optimal_scale(target: np.ndarray, product: np.ndarray) -> float:
    """Return the real scale λ that minimises ‖A - λ Â‖_F.

    Parameters
    ----------
    target : ndarray, shape (m, n), real or complex
        The matrix A; only read.
    product : ndarray, shape (m, n), real or complex
        The matrix Â; only read.

    Returns
    -------
    float
        Re<A, Â> / ‖Â‖², and 0 where Â is zero. Sums are in double precision, whatever
        the dtypes.

    See Also
    --------
    csr_fit : The same through a sparse factor.

    Notes
    -----
    The cost is one pass over both matrices.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.kernels.optimal_scale(np.array([[2.0, 4.0]]), np.array([[1.0, 2.0]]))
    2.0
    """
    inner, square = 0.0, 0.0
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            a_re, a_im = float(target[i, j].real), float(target[i, j].imag)
            p_re, p_im = float(product[i, j].real), float(product[i, j].imag)
            inner += a_re * p_re + a_im * p_im
            square += p_re * p_re + p_im * p_im
    return inner / square if square > 0.0 else 0.0
