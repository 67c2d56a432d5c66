"""From dense matrices to sparse ones and back, for algorithms that project.

A sparse factor is kept twice, in CSR form and with its adjoint in CSR form: products
with either then read rows, and vectorise over the columns of what they multiply.
"""

import numpy as np

from ._jit import kernel
from .csr import csr_apply_columns

BLOCK = 16
"""Entries looked at together: blocks of zeros, the most common, cost no branch each."""


@kernel
def adjoint_copy(x, out):
    """Write xᴴ to out; x: (m, n), out: (n, m), distinct.

    Eight rows at a time, so that cache lines of out are written whole.
    """
    m, n = x.shape
    whole = m - m % 8
    for i in range(0, whole, 8):
        for j in range(n):
            out[j, i] = np.conj(x[i, j])
            out[j, i + 1] = np.conj(x[i + 1, j])
            out[j, i + 2] = np.conj(x[i + 2, j])
            out[j, i + 3] = np.conj(x[i + 3, j])
            out[j, i + 4] = np.conj(x[i + 4, j])
            out[j, i + 5] = np.conj(x[i + 5, j])
            out[j, i + 6] = np.conj(x[i + 6, j])
            out[j, i + 7] = np.conj(x[i + 7, j])
    for i in range(whole, m):
        for j in range(n):
            out[j, i] = np.conj(x[i, j])


@kernel
def count_nonzeros(x):
    """Return the number of entries of x that are not zero; x: (m, n)."""
    count = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            count += x[i, j] != 0
    return count


@kernel
def csr_compress(
    x, data, indices, indptr, adjoint_data, adjoint_indices, adjoint_indptr
):
    """Write the non-zeros of x in CSR form, and those of xᴴ.

    x: (m, n); data, indices: (nnz + 1,), nnz what count_nonzeros returns, the last
    place clobbered; adjoint_data, adjoint_indices: (nnz,); indptr: (m + 1,);
    adjoint_indptr: (n + 1,).
    """
    m, n = x.shape
    one, zero = np.uintp(1), np.uintp(0)  # unsigned: no test for negative places
    columns, whole, block = np.uintp(n), np.uintp(n - n % BLOCK), np.uintp(BLOCK)
    if (data.shape[0] - 1) * BLOCK > m * n:
        whole = zero  # few blocks are empty: do not look
    for j in range(n + 1):
        adjoint_indptr[j] = 0
    indptr[0] = 0
    t = zero
    for i in range(m):
        row = x[i]
        start = zero
        while start < columns:
            stop, found = columns, True
            if start < whole:  # else the rest of the row
                stop, count = start + block, 0
                for b in range(BLOCK):
                    count += row[start + np.uintp(b)] != 0
                found = count > 0
            if found:
                for j in range(start, stop):
                    # No branch to mispredict: a zero is written over.
                    data[t] = row[j]
                    indices[t] = j
                    t += one if row[j] != 0 else zero
            start = stop
        indptr[i + 1] = t
    for s in range(t):
        adjoint_indptr[np.uintp(indices[s]) + one] += 1
    for j in range(n):
        adjoint_indptr[j + 1] += adjoint_indptr[j]
    _fill_adjoint(
        data, indices, indptr, adjoint_data, adjoint_indices, adjoint_indptr
    )  # fmt: skip


@kernel
def _fill_adjoint(data, indices, indptr, adjoint_data, adjoint_indices, adjoint_indptr):
    """Write the entries of the adjoint; adjoint_indptr: final, and left so."""
    n = adjoint_indptr.shape[0] - 1
    for i in range(indptr.shape[0] - 1):
        for t in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            j = np.uintp(indices[t])
            place = np.uintp(adjoint_indptr[j])  # moves through its row
            adjoint_data[place] = np.conj(data[t])
            adjoint_indices[place] = i
            adjoint_indptr[j] = place + np.uintp(1)
    for j in range(n, 0, -1):
        adjoint_indptr[j] = adjoint_indptr[j - 1]
    adjoint_indptr[0] = 0


@kernel
def csr_add(data, indices, indptr, out):
    """Add S to out; out: (rows, columns)."""
    for i in range(out.shape[0]):
        for t in range(indptr[i], indptr[i + 1]):
            out[i, indices[t]] += data[t]


@kernel
def csr_gram(data, indices, indptr, adjoint_data, adjoint_indices, adjoint_indptr, out):
    """Write S Sᴴ to out; S in CSR form, and its adjoint; out: (rows, rows)."""
    for i in range(out.shape[0]):
        row = out[i]
        for r in range(row.shape[0]):
            row[r] = 0
        for t in range(indptr[i], indptr[i + 1]):
            value, j = data[t], indices[t]
            for s in range(adjoint_indptr[j], adjoint_indptr[j + 1]):
                row[adjoint_indices[s]] += value * adjoint_data[s]


@kernel
def csr_congruent(data, indices, indptr, gram, scratch, out):
    """Write S G Sᴴ to out; S in CSR form, (p, q); G: (q, q) Hermitian; out: (p, p).

    scratch: (p, q) and (q, p), each flat, together (2, p * q).
    """
    p, q = out.shape[0], gram.shape[0]
    product, turned = scratch[0].reshape(p, q), scratch[1].reshape(q, p)
    csr_apply_columns(data, indices, indptr, gram, product)
    adjoint_copy(product, turned)
    csr_apply_columns(data, indices, indptr, turned, out)


@kernel
def csr_entered(old_indices, old_indptr, indices, indptr):
    """Return how many entries of a support are not in the old one; indices sorted."""
    changed = old_indices.shape[0] != indices.shape[0]
    if not changed:  # as after most steps: one pass, which vectorises
        for t in range(indices.shape[0]):
            changed |= old_indices[t] != indices[t]
        for i in range(indptr.shape[0]):
            changed |= old_indptr[i] != indptr[i]
    if not changed:
        return 0
    count = 0
    for i in range(indptr.shape[0] - 1):
        s, last = old_indptr[i], old_indptr[i + 1]
        for t in range(indptr[i], indptr[i + 1]):
            while s < last and old_indices[s] < indices[t]:
                s += 1
            count += s == last or old_indices[s] != indices[t]
    return count
