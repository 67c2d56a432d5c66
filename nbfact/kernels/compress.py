"""From dense matrices to sparse ones and back, for algorithms that project.

A sparse factor S is kept twice: in CSR form (see `csr.py`), and with its adjoint Sᴴ in
CSR form. Products with either then read rows, and vectorise over the columns of what
they multiply.
"""

from typing import Any

import numpy as np

from ._jit import kernel
from .norms import frobenius_norm

BLOCK = 16
"""Number of entries that are looked at together. Blocks of zeros are the most common in
what a projection leaves, and then cost no branch for each entry."""


@kernel
def adjoint_copy(x: np.ndarray, out: np.ndarray) -> None:
    """Write the conjugate transpose of a matrix.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Only read.
    out : ndarray, shape (n, m), of the dtype of x
        Overwritten with xᴴ; shares no memory with x.

    See Also
    --------
    transpose : The transpose, without the conjugate.

    Notes
    -----
    Eight rows are read at a time, so that cache lines of out are written whole.
    The cost is one pass over both matrices.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, out = np.array([[1.0, 2.0j]]), np.empty((2, 1), complex)
    >>> nf.kernels.adjoint_copy(x, out)
    >>> out
    array([[1.-0.j],
           [0.-2.j]])
    """
    m, n = x.shape
    whole = m - m % 8
    for i in range(0, whole, 8):
        for j in range(n):
            for b in range(8):  # a constant, so that it is unrolled
                out[j, i + b] = np.conj(x[i + b, j])
    for i in range(whole, m):
        for j in range(n):
            out[j, i] = np.conj(x[i, j])


@kernel
def count_nonzeros(x: np.ndarray) -> int:
    """Return the number of entries of a matrix that are not zero.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Only read. An entry that is NaN counts as not zero, and -0.0 as zero.

    Returns
    -------
    int

    See Also
    --------
    csr_compress : The entries that are counted, in CSR form.
    nbfact.metrics.nnz : The number of values that factors store.

    Notes
    -----
    The cost is one pass over the matrix.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> int(nf.kernels.count_nonzeros(np.array([[1.0, 0.0], [np.nan, -0.0]])))
    2
    """
    count = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            count += x[i, j] != 0
    return count


@kernel
def csr_compress(
    x: np.ndarray,
    room: int,
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    places: tuple[int, int, int, int],
    old_indices: np.ndarray,
    old_indptr: np.ndarray,
) -> tuple[int, int, float]:
    """Write the entries of a matrix that are not zero in CSR form, and its adjoint.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Only read.
    room : int
        Largest number of entries that there is room for.
    data : ndarray, of the dtype of x
        Overwritten with the nnz entries of x, and of its adjoint, each from its place
        on. The place behind those of x is scratch.
    indices : ndarray of uint32 or uint64, of the shape of data
        Overwritten with their columns, which increase in each row.
    indptr : ndarray of uint32 or uint64
        Overwritten with where in data each row begins, and where the last one ends: m +
        1 places for x, and n + 1 for its adjoint.
    places : tuple of four int
        Where x begins in indptr and in data, and where its adjoint does.
    old_indices, old_indptr : ndarray of int, shapes (old nnz,) and (m + 1,) or (0,)
        The support of an older matrix of this shape, as in `csr_entered`; if the second
        array is empty, there is none.

    Returns
    -------
    nnz : int
        The number of entries that are not zero, NaN among them. Where it exceeds room,
        nothing is written, and the other results are 0.
    entered : int
        How many of them the older matrix does not have; all, if there is none.
    norm : float
        The Frobenius norm of x, in double precision.

    See Also
    --------
    count_nonzeros : How much room the entries need.
    csr_add : The way back to a dense matrix.

    Notes
    -----
    The cost is two passes over x, and three over its entries.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[0.0, 5.0], [7.0, 0.0]])
    >>> data, indices = np.empty(5), np.empty(5, np.uint32)
    >>> indptr = np.empty(6, np.uint32)  # three places for x, and three for its adjoint
    >>> none, places = np.empty(0, np.uint32), (0, 0, 3, 2)
    >>> arrays = data, indices, indptr, places, none, none
    >>> nnz, entered, norm = nf.kernels.csr_compress(x, 2, *arrays)
    >>> int(nnz), int(entered), round(float(norm) ** 2, 6)
    (2, 2, 74.0)
    >>> data[:2], indices[:2], indptr[:3]
    (array([5., 7.]), array([1, 0], dtype=uint32), array([0, 1, 2], dtype=uint32))
    """
    t: Any  # NumPy's stubs take the sum of two unsigned places for an int
    m, n = x.shape
    nnz = count_nonzeros(x)
    if nnz > room:
        return nnz, 0, 0.0
    one, zero = np.uintp(1), np.uintp(0)  # unsigned: no test for negative places
    columns, whole, block = np.uintp(n), np.uintp(n - n % BLOCK), np.uintp(BLOCK)
    row_place, first = np.uintp(places[0]), np.uintp(places[1])
    turned_place, turned = np.uintp(places[2]), np.uintp(places[3])
    if nnz * BLOCK > m * n:
        whole = zero  # few blocks are empty: do not look for them
    for j in range(n + 1):
        indptr[turned_place + np.uintp(j)] = 0
    indptr[row_place] = first
    t = first
    for i in range(m):
        row, start = x[i], zero
        while start < columns:
            stop, found = columns, True
            if start < whole:  # else the block is the rest of the row
                stop, count = start + block, 0
                for b in range(BLOCK):
                    count += row[start + np.uintp(b)] != 0
                found = count > 0
            if found:
                for j in range(start, stop):
                    # No branch that could be predicted wrongly: the next entry is
                    # written over a zero.
                    data[t] = row[j]
                    indices[t] = j
                    t += one if row[j] != 0 else zero
            start = stop
        indptr[row_place + np.uintp(i) + one] = t
    for s in range(first, t):
        indptr[turned_place + np.uintp(indices[s]) + one] += 1
    indptr[turned_place] = turned
    for j in range(n):
        pointer = turned_place + np.uintp(j)
        indptr[pointer + one] += indptr[pointer]
    # The pointers of the adjoint move through their rows, and are moved back.
    for i in range(m):
        pointer = row_place + np.uintp(i)
        for s in range(np.uintp(indptr[pointer]), np.uintp(indptr[pointer + one])):
            pointer = turned_place + np.uintp(indices[s])
            place = np.uintp(indptr[pointer])
            data[place] = np.conj(data[s])
            indices[place] = i
            indptr[pointer] = place + one
    for j in range(n, 0, -1):
        pointer = turned_place + np.uintp(j)
        indptr[pointer] = indptr[pointer - one]
    indptr[turned_place] = turned
    entered, norm = nnz, frobenius_norm(data[first:t])
    if old_indptr.shape[0] > 0:
        ends = indptr[row_place : row_place + np.uintp(m) + one]
        entered = csr_entered(old_indices, old_indptr, indices, ends)
    return nnz, entered, norm


@kernel
def csr_add_rows(data, indices, indptr, first_row, out):
    """Add some rows of a sparse matrix to a dense matrix, the rows from first_row on.

    Rows are counted as in `indptr`, which may belong to a whole chain; out: (rows,
    columns), which says how many rows.
    """
    for i in range(out.shape[0]):
        for t in range(indptr[first_row + i], indptr[first_row + i + 1]):
            out[i, indices[t]] += data[t]


@kernel
def csr_add(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, out: np.ndarray
) -> None:
    """Add a sparse matrix in CSR form to a dense matrix, in place.

    Parameters
    ----------
    data, indices, indptr : ndarray
        The sparse matrix, as in `csr_apply`; only read.
    out : ndarray, shape (rows, columns)
        The sparse matrix is added to it.

    See Also
    --------
    csr_compress : The way from a dense matrix to CSR form.
    csr_apply_columns : The product with a dense matrix.

    Notes
    -----
    The cost is nnz additions.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> data, indices, indptr = np.array([5.0]), np.array([1]), np.array([0, 1, 1])
    >>> out = np.ones((2, 2))
    >>> nf.kernels.csr_add(data, indices, indptr, out)
    >>> out
    array([[1., 6.],
           [1., 1.]])
    """
    csr_add_rows(data, indices, indptr, np.intp(0), out)  # a literal compiles anew


@kernel
def csr_gram(
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    adjoint_data: np.ndarray,
    adjoint_indices: np.ndarray,
    adjoint_indptr: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the Gram matrix of the rows of a sparse matrix, S Sᴴ.

    Parameters
    ----------
    data, indices, indptr : ndarray
        S in CSR form, of shape (p, q); only read.
    adjoint_data, adjoint_indices, adjoint_indptr : ndarray
        Sᴴ in CSR form, as `csr_compress` writes it; only read.
    out : ndarray, shape (p, p), of the dtype of data
        Overwritten with S Sᴴ, both halves.

    See Also
    --------
    csr_compress : Writes a matrix and its adjoint in CSR form.

    Notes
    -----
    The cost is one multiplication for each pair of entries in a column of S.

    Examples
    --------
    S is the row (3, 4), and its Gram matrix is 25:

    >>> import numpy as np, nbfact as nf
    >>> row = np.array([3.0, 4.0]), np.array([0, 1]), np.array([0, 2])
    >>> column = row[0], np.array([0, 0]), np.array([0, 1, 2])
    >>> out = np.empty((1, 1))
    >>> nf.kernels.csr_gram(*row, *column, out)
    >>> out
    array([[25.]])
    """
    for i in range(out.shape[0]):
        row = out[i]
        for r in range(row.shape[0]):
            row[r] = 0
        for t in range(indptr[i], indptr[i + 1]):
            value, j = data[t], indices[t]
            for s in range(adjoint_indptr[j], adjoint_indptr[j + 1]):
                row[adjoint_indices[s]] += value * adjoint_data[s]


@kernel
def csr_entered(
    old_indices: np.ndarray,
    old_indptr: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
) -> int:
    """Return how many entries a sparse support has gained over an older one.

    Parameters
    ----------
    old_indices, old_indptr : ndarray of int, shapes (old nnz,) and (rows + 1,)
        The old matrix in CSR form, without its data; indices increase in each row.
    indices, indptr : ndarray of int, shapes (nnz,) and (rows + 1,)
        The new matrix, of the same number of rows; indices increase in each row.

    Returns
    -------
    int

    See Also
    --------
    csr_compress : Writes a matrix in CSR form.

    Notes
    -----
    The cost is one pass over both.

    Examples
    --------
    The old row has entries in columns 0 and 2, and the new one in columns 1 and 2:

    >>> import numpy as np, nbfact as nf
    >>> indptr = np.array([0, 2])
    >>> int(nf.kernels.csr_entered(np.array([0, 2]), indptr, np.array([1, 2]), indptr))
    1
    """
    count = 0
    for i in range(indptr.shape[0] - 1):
        s, last = old_indptr[i], old_indptr[i + 1]
        first, different = indptr[i], last - s != indptr[i + 1] - indptr[i]
        if not different:  # most rows keep their support
            for t in range(first, indptr[i + 1]):
                different |= old_indices[s + (t - first)] != indices[t]
        if not different:
            continue
        for t in range(first, indptr[i + 1]):
            while s < last and old_indices[s] < indices[t]:
                s += 1
            count += s == last or old_indices[s] != indices[t]
    return count
