"""What palm4MSA keeps of a side of a factor, when a sparse factor joins that side.

A side is the product of the factors on the left or on the right of one that is to be
updated. Its Gram matrix, its norm, and its product with the target are what the step
needs of it: see `chain_steps`.
"""

import numpy as np

from ._jit import kernel
from .compress import adjoint_copy, csr_add_rows, csr_gram
from .csr import ColumnWindow, FourArrays, csr_multiply_window
from .spectral_norms import gram_norm

NORM_STEPS, NORM_TOL = 300, 1e-6
"""Maximum number of steps of an iteration for a norm, and the relative change of the
norm that ends it. Over 200 sweeps of FAµST's 500 x 32 and 64 x 64 cases, tolerances
from 1e-12 to 1e-6 give the same errors to four digits; 1e-4 does not (0.3301 becomes
0.3328)."""

SCATTERED = 0.2
"""Density of a sparse factor S above which S Sᴴ is the product with a dense Sᴴ, which
vectorises, and not the sum of all pairs of entries in a column. That sum and BLAS
take the same time at 0.26, 0.21 and 0.2 for n = 64, 512 and 1024 (`nbfact study
crossover`)."""


@kernel
def chain_absorb(
    chain: FourArrays,
    line: int,
    gram: np.ndarray,
    cross: np.ndarray,
    scratch: np.ndarray,
    vector: np.ndarray,
    gram_out: np.ndarray,
    cross_out: np.ndarray,
) -> float:
    """Write S X and S G Sᴴ for a sparse factor S of a chain, and return the norm.

    Parameters
    ----------
    chain : PackedChain, or a plain tuple of its arrays
        The sparse factors S[0], S[1], ... and their adjoints, packed in CSR form as
        `nbfact.kernels.chain_steps` says.
    line : int
        The row of the layout that S has: j for S[j], and J + j for S[j]ᴴ. S is (p, q).
    gram : ndarray, shape (q, q), Hermitian
        The matrix G; an array of shape (0, 0) stands for the identity. This and the
        arrays below have the dtype of the factors and are C-contiguous.
    cross : ndarray, shape (q, m)
        The matrix X, in palm4MSA the adjoint Cᴴ; only read. m may be 0.
    scratch : ndarray, shape (2 p q,)
        Overwritten.
    vector : ndarray, shape (p,) or (0,)
        Where the search for the norm starts, and its result; see `gram_norm`. If it is
        empty, there is no norm.
    gram_out : ndarray, shape (p, p)
        Overwritten with S G Sᴴ, both halves.
    cross_out : ndarray, shape (p, m)
        Overwritten with S X. No two of the arrays share memory.

    Returns
    -------
    float
        The root of the largest eigenvalue of S G Sᴴ, in double precision: if G is R Rᴴ,
        that is ‖S R‖₂. It is 0 where the vector is empty.

    See Also
    --------
    chain_step : The step that needs the two products and the norm.

    Notes
    -----
    The cost is p + q + m multiplications for each entry of S, and that of
    `gram_norm`. For the identity G it is one multiplication for each pair of
    entries in a column of S, or p for each entry of S if there are many.

    Examples
    --------
    S is the row (2, 1), packed with its adjoint, and G the identity:

    >>> import numpy as np, nbfact as nf
    >>> entries, starts = np.array([2.0, 1, 2, 1]), np.array([0, 2, 2, 3, 4], np.uint32)
    >>> columns, layout = np.array([0, 1, 0, 0], np.uint32), np.array([(1, 0), (2, 2)])
    >>> chain, X = nf.kernels.PackedChain(entries, columns, starts, layout), np.eye(2)
    >>> arrays = np.eye(2), X, np.empty(4), np.ones(1), np.empty((1, 1))
    >>> norm = nf.kernels.chain_absorb(chain, 0, *arrays, out := np.empty((1, 2)))
    >>> round(float(norm) ** 2, 6), arrays[-1], out
    (5.0, array([[5.]]), array([[2., 1.]]))
    """
    data, indices, indptr, layout = chain
    turned_line = (line + layout.shape[0] // 2) % layout.shape[0]
    p, first = layout[line, 0], layout[line, 1]
    q, turned_first = layout[turned_line, 0], layout[turned_line, 1]
    entry, zero, one = (p, first), np.uintp(0), data.real.dtype.type(1)
    product, turned = scratch[: p * q], scratch[p * q : 2 * p * q]
    known, scattered = gram.shape[0] > 0, False
    if not known:
        scattered = indptr[first + p] - indptr[first] > SCATTERED * p * q
        if scattered:
            turned[:] = 0
            square = turned.reshape(q, p)
            csr_add_rows(data, indices, indptr, turned_first, square)
        else:
            own = indptr[first : first + p + 1]
            other = indptr[turned_first : turned_first + q + 1]
            csr_gram(data, indices, own, data, indices, other, gram_out)
    x, out, width = cross.ravel(), cross_out.ravel(), cross.shape[1]
    for t in range(3):
        if t == 1:
            x, out, width = gram.ravel(), product, q
        elif t == 2:
            if known:
                adjoint_copy(product.reshape(p, q), turned.reshape(q, p))
            x, out, width = turned, gram_out.ravel(), p
        if t == 0 or known or (t == 2 and scattered):
            w = np.uintp(width)
            window = ColumnWindow(w, zero, w, zero, w)
            csr_multiply_window(data, indices, indptr, entry, one, x, out, window)
    if vector.shape[0] == 0:
        return 0.0
    return np.sqrt(gram_norm(gram_out, vector, NORM_STEPS, NORM_TOL))
