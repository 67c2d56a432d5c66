"""Twins of the projections: each returns a new array."""

import numpy as np
from scipy.optimize import linprog


def kth_largest(values, k):
    """Return the k-th largest value and how many of its equals are in the top k."""
    top = sorted(values, reverse=True)[:k]
    return top[-1], top.count(top[-1])


def keep_largest(x, k, tie_tol=0.0):
    """Keep k entries of a vector, by decreasing modulus, then increasing index.

    Those within tie_tol of the k-th largest have its modulus.
    """
    moduli = abs(x).astype(np.float64)
    kth = sorted(moduli, reverse=True)[min(k, x.size) - 1]
    ties = (moduli >= kth * (1 - tie_tol)) & (moduli <= kth * (1 + tie_tol))
    moduli[ties] = kth
    order = sorted(range(x.size), key=lambda i: (-moduli[i], i))
    y = np.zeros_like(x)
    y[order[:k]] = x[order[:k]]
    return y


def project_sp(x, k, tie_tol=0.0):
    """Keep the k largest entries, in column-major order on ties."""
    return keep_largest(x.ravel(order="F"), k, tie_tol).reshape(x.shape, order="F")


def project_splin(x, k, tie_tol=0.0):
    """Keep the k largest entries of each row."""
    return np.array([keep_largest(row, k, tie_tol) for row in x])


def project_spcol(x, k, tie_tol=0.0):
    """Keep the k largest entries of each column."""
    return project_splin(x.T, k, tie_tol).T


def project_spblock(x, k, height, width, by_rows=False, tie_tol=0.0):
    """Keep the k blocks of largest norm, in column-major order of blocks on ties."""
    rows, columns = -(-x.shape[0] // height), -(-x.shape[1] // width)
    norms = np.zeros((rows, columns))
    for a, b in np.ndindex(rows, columns):
        block = x[a * height : (a + 1) * height, b * width : (b + 1) * width]
        moduli = abs(block).astype(np.float64)
        if moduli.max():
            norms[a, b] = moduli.max() * np.sqrt(((moduli / moduli.max()) ** 2).sum())
    keep = project_splin if by_rows else project_sp
    kept = keep(norms, k, tie_tol) != 0
    whole = np.kron(kept, np.ones((height, width), bool))
    return np.where(whole[: x.shape[0], : x.shape[1]], x, 0)


def project_splincol(x, k, tie_tol=0.0):
    """Keep what the last two keep."""
    kept = project_splin(x, k, tie_tol), project_spcol(x, k, tie_tol)
    return np.where((kept[0] != 0) | (kept[1] != 0), x, 0)


def project_sptriu(x, k):
    """Keep the k largest entries of the upper triangle."""
    return project_sp(np.triu(x), k)


def project_sptril(x, k):
    """Keep the k largest entries of the lower triangle."""
    return project_sp(np.tril(x), k)


def project_spsymm(x, k):
    """Mirror the larger of each pair, the largest pair first, until k are kept."""
    n = len(x)
    larger = np.where(abs(np.tril(x)) >= abs(np.tril(x.T)), np.tril(x), np.tril(x.T))
    pairs = [(i, j) for j in range(n) for i in range(j, n)]
    y = np.zeros_like(x)
    for i, j in sorted(pairs, key=lambda pair: -abs(larger[pair])):
        if np.count_nonzero(y) < k:
            y[i, j] = y[j, i] = larger[i, j]
    return y


def project_skperm(x, k_row, k_col, tie_tol=0.0):
    """Solve the linear programme: maximise the energy, at most k per row and column."""
    m, n = x.shape
    weights = abs(x / max(abs(x).max(), np.finfo(x.dtype).tiny)) ** 2
    if tie_tol:
        weights = np.round(weights / tie_tol) * tie_tol
    rows = np.kron(np.eye(m), np.ones((1, n)))
    columns = np.kron(np.ones((1, m)), np.eye(n))
    solution = linprog(
        -weights.ravel(),
        A_ub=np.vstack([rows, columns]),
        b_ub=np.repeat([k_row, k_col], [m, n]),
        bounds=(0, 1),
        method="highs",
    )
    return np.where(solution.x.reshape(m, n) > 0.5, x, 0)


def project_skperm_warm(x, k_row, k_col, tie_tol=0.0):
    """Do as `project_skperm`: potentials change the time, and not the result."""
    return project_skperm(x, k_row, k_col, tie_tol)


def project_skperm_greedy(x, k_row, k_col):
    """Take the largest entry that has room, ties in column-major order, and so on."""
    entries = [(i, j) for j in range(x.shape[1]) for i in range(x.shape[0])]
    y = np.zeros_like(x)
    for i, j in sorted(entries, key=lambda entry: -abs(x[entry])):
        if np.count_nonzero(y[i]) < k_row and np.count_nonzero(y[:, j]) < k_col:
            y[i, j] = x[i, j]
    return y


def project_supp(x, support):
    """Keep the entries of the support."""
    return np.where(support, x, 0)


def project_const(x, value):
    """Return the value, in the dtype of x."""
    return np.array(value, x.dtype)


def project_nonneg(x):
    """Replace negative entries by zero."""
    return np.maximum(x, 0)


def normalize_frobenius(x):
    """Divide by the norm; the largest modulus first, so that squares stay in range."""
    largest = abs(x).max()
    if largest == 0:
        return x.copy()
    return x / largest / np.linalg.norm(x / largest)


def project_normlin(x, s):
    """Scale each row to norm s."""
    return np.array([s * normalize_frobenius(row) for row in x])


def project_normcol(x, s):
    """Scale each column to norm s."""
    return project_normlin(x.T, s).T


def project_blockdiag(x, row_ends, col_ends):
    """Keep the diagonal blocks that end there."""
    y = np.zeros_like(x)
    row = column = 0
    for row_end, col_end in zip(row_ends, col_ends, strict=True):
        y[row:row_end, column:col_end] = x[row:row_end, column:col_end]
        row, column = row_end, col_end
    return y


def average_over(x, classes):
    """Replace each entry by the mean of the entries of its class."""
    y = np.empty_like(x)
    for label in np.unique(classes):
        y[classes == label] = x[classes == label].mean()
    return y


def project_circ(x):
    """Average over the circulant diagonals."""
    i, j = np.indices(x.shape)
    return average_over(x, (j - i) % len(x))


def project_anticirc(x):
    """Average over the circulant antidiagonals."""
    i, j = np.indices(x.shape)
    return average_over(x, (j + i) % len(x))


def project_toeplitz(x):
    """Average over the diagonals."""
    i, j = np.indices(x.shape)
    return average_over(x, j - i)


def project_hankel(x):
    """Average over the antidiagonals."""
    i, j = np.indices(x.shape)
    return average_over(x, j + i)


def project_partition(x, labels, n_pieces, k):
    """Replace the k pieces of the largest weight by their means, the others by zero."""
    pieces = [x[labels == p] for p in range(n_pieces)]
    weights = np.array([abs(p.sum()) / np.sqrt(p.size) for p in pieces])
    y = np.zeros_like(x)
    for p in np.argsort(-weights, kind="stable")[:k]:
        y[labels == p] = pieces[p].mean()
    return y
