"""Rows in another order, with zeros for those that are missing."""

from ._jit import kernel


@kernel
def gather(x, index, out):
    """Set out[i] to x[index[i]], or to 0 where index[i] < 0; x, index, out: vectors."""
    for i in range(index.shape[0]):
        if index[i] >= 0:
            out[i] = x[index[i]]
        else:
            out[i] = 0


@kernel
def gather_rows(x, index, out):
    """Set row i of out to row index[i] of x, or to 0 where index[i] < 0.

    x: (n, batch), index: (rows,), out: (rows, batch).
    """
    for i in range(index.shape[0]):
        if index[i] >= 0:
            source = x[index[i]]
            for j in range(x.shape[1]):
                out[i, j] = source[j]
        else:
            for j in range(x.shape[1]):
                out[i, j] = 0
