"""Factors in a packed chain: to put one there, and to multiply it into what follows.

A chain is packed as in `nbfact.kernels.chain_steps`, each factor at a place of its own.
Rows of ``layout`` hold four numbers: the rows of a factor, its first place in
``indptr``, its first place in ``data``, and how many entries there is room for. Behind
the entries of a factor, though not of an adjoint, is one more place, for scratch.
"""

import numpy as np

from ._jit import kernel
from .compress import adjoint_copy, count_nonzeros, csr_compress, csr_gram
from .csr import ColumnWindow, FourArrays, csr_multiply_window

TwoArrays = tuple[np.ndarray, np.ndarray]


@kernel
def chain_store(
    x: np.ndarray, old: FourArrays, chain: FourArrays, place: int
) -> tuple[int, int]:
    """Put a matrix in a packed chain, if there is room for it.

    Parameters
    ----------
    x : ndarray, shape (m, n), of the dtype of the chains
        The new factor S[place], dense; only read.
    old : PackedChain, or a plain tuple of its arrays
        A chain whose factor at this place has the same shape; only read.
    chain : PackedChain, or a plain tuple of its arrays
        The chain that gets the factor and its adjoint. Its ``layout`` is only read.
    place : int

    Returns
    -------
    nnz : int
        Number of entries of x that are not zero.
    entered : int
        Number of those that are not stored in the old factor; -1 where there is no room
        for nnz entries, and nothing is written.

    Notes
    -----
    The cost is two passes over x, and four over its entries.
    """
    data, indices, indptr, layout = chain
    m, n = x.shape
    nnz = count_nonzeros(x)
    if nnz > layout[place, 3]:
        return nnz, -1
    row, first = layout[place, 1], layout[place, 2]
    turned = layout.shape[0] // 2 + place
    turned_row, turned_first = layout[turned, 1], layout[turned, 2]
    pointers = indptr[row : row + m + 1]
    turned_pointers = indptr[turned_row : turned_row + n + 1]
    csr_compress(
        x,
        data[first : first + nnz + 1],
        indices[first : first + nnz + 1],
        pointers,
        data[turned_first : turned_first + nnz],
        indices[turned_first : turned_first + nnz],
        turned_pointers,
    )
    for i in range(m + 1):
        pointers[i] += first
    for j in range(n + 1):
        turned_pointers[j] += turned_first
    stayed, old_indices, old_indptr = 0, old[1], old[2]
    old_row = old[3][place, 1]
    for i in range(m):
        for t in range(old_indptr[old_row + i], old_indptr[old_row + i + 1]):
            stayed += x[i, old_indices[t]] != 0
    return nnz, nnz - stayed


@kernel
def chain_absorb(
    chain: FourArrays, form: int, right: TwoArrays, out: TwoArrays, scratch: TwoArrays
) -> None:
    """Multiply a factor S of a packed chain into what stands on its right.

    Parameters
    ----------
    chain : PackedChain, or a plain tuple of its arrays
        The factors and their adjoints; only read.
    form : int
        The row of ``layout`` of S, which is one of the factors or of the adjoints, of
        shape (p, q).
    right : tuple of two ndarrays, shapes (q, m) and (q, q)
        Cᴴ, and the Hermitian G, of which an array of shape (0, 0) stands for the
        identity. These arrays and those below have the dtype of the factors and are
        C-contiguous. They are only read.
    out : tuple of two ndarrays, shapes (p, m) and (p, p)
        Overwritten with S Cᴴ and S G Sᴴ. One of shape (0, 0) is left out.
    scratch : tuple of two ndarrays, shapes (p, q) and (q, p)
        Overwritten where G is not the identity.

    Notes
    -----
    The cost is m + q + p multiplications for each entry of S, and instead of the last
    two terms one for each pair of entries in a column of S where G is the identity.
    """
    data, indices, indptr, layout = chain
    (cross, gram), (cross_out, gram_out), (product, turned) = right, out, scratch
    rows, first_row = layout[form, 0], layout[form, 1]
    one, zero = data.real.dtype.type(1), np.uintp(0)
    if gram.size == 0 and gram_out.size > 0:
        n_factors = layout.shape[0] // 2
        turned_rows, first = layout[(form + n_factors) % layout.shape[0], :2]
        csr_gram(
            data, indices, indptr[first_row : first_row + rows + 1],
            data, indices, indptr[first : first + turned_rows + 1], gram_out,
        )  # fmt: skip
    for turn in range(3):  # one call, because a callee is optimised anew for each
        if turn == 0:
            source, target = cross, cross_out
        elif gram.size == 0:
            break
        elif turn == 1:
            source, target = gram, product
        else:
            adjoint_copy(product, turned)
            source, target = turned, gram_out
        if target.size == 0:
            continue
        n = np.uintp(source.shape[1])
        window = ColumnWindow(n, zero, n, zero, n)
        entry, x, y = (rows, first_row), source.ravel(), target.ravel()
        csr_multiply_window(data, indices, indptr, entry, one, x, y, window)
