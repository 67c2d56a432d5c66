"""Twins of the products with factors of pattern (a, b, c, d), and of reorderings."""

import numpy as np


def gather(x, index):
    """Entry (or row) i is x[index[i]], zero where the index is negative."""
    out = np.zeros((len(index), *x.shape[1:]), x.dtype)
    for i, source in enumerate(index):
        if source >= 0:
            out[i] = x[source]
    return out


def copy_columns(x, out, first, to):
    """Write the columns that both matrices have, from some on."""
    count = min(x.shape[1] - first, out.shape[1] - to)
    out[:, to : to + count] = x[:, first : first + count]


def gather_rows(x, index):
    """Return the rows of x that an index names, zero where it is negative."""
    return gather(x, index)


def transpose(x):
    """Return the transpose of a matrix, entry by entry."""
    out = np.empty(x.shape[::-1], x.dtype)
    for i, j in np.ndindex(x.shape):
        out[j, i] = x[i, j]
    return out


def kronecker_matrix(values):
    """Return the factor of pattern (a, b, c, d) with these values."""
    a, b, c, d = values.shape
    matrix = np.zeros((a, b, d, a, c, d), values.dtype)
    for i, j, k, m in np.ndindex(a, b, c, d):
        matrix[i, j, m, i, k, m] = values[i, j, k, m]
    return matrix.reshape(a * b * d, a * c * d)


def kronecker_apply(values, x):
    """Return the product of a factor with a vector."""
    return kronecker_matrix(values) @ x


def kronecker_adjoint(values, x):
    """Return the product of the adjoint of a factor with a vector."""
    return kronecker_matrix(values).conj().T @ x


def kronecker_apply_columns(values, x):
    """Return the product of a factor with a matrix."""
    return kronecker_matrix(values) @ x


def kronecker_adjoint_columns(values, x):
    """Return the product of the adjoint of a factor with a matrix."""
    return kronecker_matrix(values).conj().T @ x


def kronecker_gradient_columns(x, gradient, pattern):
    """Return the entries of a factor in the gradient of a dense matrix."""
    a, b, c, d = pattern
    dense = (gradient @ x.conj().T).reshape(a, b, d, a, c, d)
    values = np.empty(pattern, dense.dtype)
    for i, j, k, m in np.ndindex(pattern):
        values[i, j, k, m] = dense[i, j, m, i, k, m]
    return values


def blocks_rows(values, x):
    """Return the product of a factor, with values (a, b, c, d), with each row of x."""
    return x @ kronecker_matrix(values).T


def blocks_columns(values, x):
    """Return the product of a factor, with values (a, b, c, d), with columns."""
    return kronecker_matrix(values) @ x


def repeated_apply(matrices, x, p, q):
    """Return the product of I_p ⊗ K[0] ⊗ K[1] ⊗ ... ⊗ I_q with a vector."""
    matrix = np.eye(p, dtype=x.dtype)
    for one in (*matrices, np.eye(q, dtype=x.dtype)):
        matrix = np.kron(matrix, one)
    return matrix @ x


def blocks_products(values, x):
    """Return the product of a factor, with values (a, b, c, d), with columns."""
    return kronecker_matrix(values) @ x


def dense_panels_columns(matrix, x):
    """Return the product of a matrix with columns."""
    return matrix @ x


def dense_panels_fortran(matrix, x):
    """Return the product of a matrix with columns."""
    return matrix @ x


def dense_panels_rows(matrix, x):
    """Return the product of a matrix with rows."""
    return x @ matrix.T


def kronecker_pack(values):
    """Return the values flat, with i last where d is small and a large."""
    a, _, c, d = values.shape
    strided = d < 8 and a >= 16 and c <= 8
    return (values.transpose(1, 2, 3, 0) if strided else values).ravel()


def shuffled_pack(values):
    """Return the values flat, with i last."""
    return values.transpose(1, 2, 3, 0).ravel()


def kronecker_chain_apply(factors, x):
    """Return the product of a chain with x.

    factors: the values of each factor, the one that is applied first first.
    """
    for values in factors:
        x = kronecker_matrix(values) @ x
    return x


def kronecker_chain_apply_columns(factors, x):
    """Return the product of a chain with every column of x."""
    return np.array([kronecker_chain_apply(factors, column) for column in x.T]).T


def shuffled_chain_apply(factors, x):
    """Return the product of a chain with x: the order of the values changes nothing."""
    return kronecker_chain_apply(factors, x)


def shuffled_chain_adjoint(factors, x):
    """Return the product of the adjoint of a chain with x."""
    for values in reversed(factors):
        x = kronecker_matrix(values).conj().T @ x
    return x


def permuted_product(values, rows=None, columns=None):
    """Return the A with A[rows][:, columns] = K[0] @ ... @ K[J-1]; -1 drops."""
    result = kronecker_matrix(values[0])
    for value in values[1:]:
        result = result @ kronecker_matrix(value)
    rows = np.arange(result.shape[0]) if rows is None else np.asarray(rows)
    columns = np.arange(result.shape[1]) if columns is None else np.asarray(columns)
    matrix = np.zeros((rows.max() + 1, columns.max() + 1), result.dtype)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if row >= 0 and column >= 0:
                matrix[row, column] = result[i, j]
    return matrix
