"""The k nearest points of queries: candidates by a product of BLAS, then exactly."""

import numpy as np

from .row_tiles import tiles


def candidates(
    queries: np.ndarray, points: np.ndarray, best: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (query, point) that may be among the k nearest of the query.

    Parameters
    ----------
    queries : array, (q, D)
    points : array, (p, D)
        Queries and points less the same center, which is close to them.
    best : array, (q, k)
        Squared distances of the neighbors that are already known, ascending.

    Returns
    -------
    rows, columns : array of int, (n,)
        Indices of the queries and of the points.

    Notes
    -----
    Squared distances from a product of BLAS are right within an error that has a bound.
    A true neighbor is therefore found at most two such errors beyond the k-th smallest.
    """
    n_points, n_features = points.shape
    k = best.shape[1]
    norms = np.einsum("pd,pd->p", points, points)
    query_norms = np.einsum("qd,qd->q", queries, queries)
    # float32 may overflow: what is not a number then counts as a candidate.
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
        rows, found = np.nonzero(~(squares > limit.astype(squares.dtype)[:, None]))
        return rows, found


def exact_squares(
    queries: np.ndarray, points: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return the squared distances of queries[rows] to points[columns], in float64."""
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
    """Return the k nearest points of each query, among known ones and new ones.

    Parameters
    ----------
    rows, new_squares, new_indices : array, (n,)
        The new pairs: the query, the squared distance, and the index of the point.
    squares, indices : array, (q, k)
        Squared distances and indices of the points known before.

    Returns
    -------
    squares, indices : array, (q, k)
        The nearest points first; for equal distances, the smallest index first.
    """
    n_queries, k = squares.shape
    rows = np.concatenate([np.repeat(np.arange(n_queries), k), rows])
    squares = np.concatenate([squares.ravel(), new_squares])
    indices = np.concatenate([indices.ravel(), new_indices])
    order = np.lexsort((indices, squares, rows))
    first = np.searchsorted(rows[order], np.arange(n_queries))
    order = order[(first[:, None] + np.arange(k)).ravel()]
    return squares[order].reshape(n_queries, k), indices[order].reshape(n_queries, k)
