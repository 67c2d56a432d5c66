"""The k nearest points of queries, by a product of BLAS and then exactly."""

import numpy as np

from .row_tiles import tiles


def candidates(
    queries: np.ndarray, points: np.ndarray, best: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs (row, column) of all that may be among the k nearest of a query.

    A product of BLAS is right within an error, of which there is a bound: a neighbour
    is found at most two errors past the k-th smallest.

    Parameters
    ----------
    queries : array, (q, D)
    points : array, (p, D)
        Both about the same centre, close to them.
    best : array, (q, k)
        Squared distances of neighbours known before, ascending.
    """
    n_points, n_features = points.shape
    k = best.shape[1]
    norms = np.einsum("pd,pd->p", points, points)
    query_norms = np.einsum("qd,qd->q", queries, queries)
    # float32 may overflow: what is not a number is a candidate.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = queries @ points.T
        squares *= -2
        squares += norms
        squares += query_norms[:, None]
        reach = np.sqrt(query_norms) + np.sqrt(norms.max())
        error = (n_features + 8) * np.finfo(points.dtype).eps * reach**2
        limit = best[:, -1] + error
        if k < n_points:
            nearest = np.partition(squares, k - 1, axis=1)[:, k - 1]
            limit = np.minimum(limit, nearest + 2 * error)
        return np.nonzero(~(squares > limit.astype(squares.dtype)[:, None]))


def exact_squares(
    queries: np.ndarray, points: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return the squared distances of queries[rows] and points[columns], in float64."""
    squares = np.empty(len(rows))
    for pairs in tiles(len(rows), points.shape[1]):
        difference = queries[rows[pairs]].astype(np.float64)
        difference -= points[columns[pairs]]
        squares[pairs] = np.einsum("nd,nd->n", difference, difference)
    return squares


def merge(
    rows: np.ndarray,
    new_squares: np.ndarray,
    new_indices: np.ndarray,
    squares: np.ndarray,
    indices: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest of each query, squared distances and indices: (q, k) each.

    Parameters
    ----------
    rows, new_squares, new_indices : array, (n,)
        Pairs found: the query, the squared distance, the index of the point.
    squares, indices : array, (q, k)
        Those known before. Of equal distances, the smallest index comes first.
    """
    n_queries, k = squares.shape
    rows = np.concatenate([np.repeat(np.arange(n_queries), k), rows])
    squares = np.concatenate([squares.ravel(), new_squares])
    indices = np.concatenate([indices.ravel(), new_indices])
    order = np.lexsort((indices, squares, rows))
    first = np.searchsorted(rows[order], np.arange(n_queries))
    order = order[(first[:, None] + np.arange(k)).ravel()]
    return squares[order].reshape(n_queries, k), indices[order].reshape(n_queries, k)
