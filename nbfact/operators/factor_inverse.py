"""The inverse of a sparse factor, as a sparse factor."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

MAX_FILL = 4
"""How many times more entries than a factor its inverse may have: with more, a product
with the inverse would cost more than is expected of a fast operator."""


def inverse_factor(factor: sp.csr_array, name: str) -> sp.csr_array:
    """Return the inverse of a sparse factor, as CSR.

    Parameters
    ----------
    factor : csr_array, shape (n, n)
        Real or complex, finite.
    name : str
        Name of the factor, for the message.

    Returns
    -------
    csr_array, shape (n, n)

    Raises
    ------
    ValueError
        When the factor is not square or singular, or when its inverse has more than
        `MAX_FILL` times as many entries.

    Notes
    -----
    When the rows are orthogonal, the inverse is the adjoint with weights. Otherwise,
    rows and columns that share entries form blocks, of which each is inverted.
    """
    n = factor.shape[0]
    if n != factor.shape[1]:
        raise ValueError(
            f"{name} has shape {factor.shape}: only square factors have inverses"
        )
    weights = np.zeros(n) + (abs(factor) ** 2).sum(axis=1)
    if not (weights > 0).all():
        raise ValueError(f"{name} is singular: it has a row of zeros")
    adjoint = sp.csr_array(factor.conj().T)
    gram = sp.coo_array(factor @ adjoint)
    apart = abs(gram.data) / np.sqrt(weights[gram.row] * weights[gram.col])
    rounding = 8 * np.sqrt(np.diff(factor.indptr).max()) * np.finfo(factor.dtype).eps
    if (apart[gram.row != gram.col] <= rounding).all():
        scaled = adjoint * (1 / weights).astype(weights.dtype)
        return sp.csr_array(scaled).astype(factor.dtype)
    return _blockwise(factor, name)


def _blockwise(factor, name):
    """Return the inverse of a factor whose rows and columns fall apart into blocks."""
    n = factor.shape[0]
    entries = sp.coo_array(factor)
    edges = (np.ones(entries.nnz), (entries.row, entries.col + n))
    graph = sp.csr_array(edges, shape=(2 * n, 2 * n))
    count, label = csgraph.connected_components(graph, directed=False)
    rows, columns = label[:n], label[n:]
    sizes = np.bincount(rows, minlength=count)
    if not np.array_equal(sizes, np.bincount(columns, minlength=count)):
        raise ValueError(f"{name} is singular: it has a block that is not square")
    filled = round(np.sum(sizes.astype(float) ** 2))
    if filled > MAX_FILL * factor.nnz:
        raise ValueError(
            f"{name} has {factor.nnz} entries and its inverse up to {filled}: no fast "
            "inverse of it is known"
        )
    row_order = np.argsort(rows, kind="stable")
    column_order = np.argsort(columns, kind="stable")
    ordered = sp.csr_array(sp.csr_array(factor[row_order])[:, column_order])
    data, at_rows, at_columns, start = [], [], [], 0
    for size in sizes.tolist():
        part = slice(start, start + size)
        block = ordered[part, part].toarray()
        try:
            data.append(np.linalg.inv(block).ravel())
        except np.linalg.LinAlgError:
            raise ValueError(f"{name} has a singular block") from None
        at_rows.append(np.repeat(column_order[part], size))
        at_columns.append(np.tile(row_order[part], size))
        start += size
    places = (np.concatenate(at_rows), np.concatenate(at_columns))
    return sp.csr_array((np.concatenate(data), places), shape=(n, n))
