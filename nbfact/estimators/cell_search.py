"""Nearest neighbors by clusters: training points cell by cell, and the search in them.

A *cell* holds the training points that are nearest to one center of a clustering.
"""

import math
from typing import Any, Literal, Self, overload

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._core.checks import choice, flag, size
from .clusterers import Centers, fit_clusterer
from .exact_neighbors import candidates, exact_squares, merge
from .inputs import DTYPES, random_state_of, validated
from .on_threads import on_threads
from .points import check_range
from .row_tiles import tiles

PROBES, PROBES_POWER = 1.1, 0.58
"""By default this number, times this power of the number of cells, is searched."""


def default_probes(n_cells: int) -> int:
    """Return the number of cells that are searched where none is given.

    With √N cells of N Gaussian points in 16 dimensions, the nearest neighbor is among
    them for nine of ten queries at least: see `ClusterNeighbors`.
    """
    return min(n_cells, math.ceil(PROBES * n_cells**PROBES_POWER))


def without_self(
    squares: np.ndarray, indices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbors, (N, k), of all training points without themselves.

    A point that is not among its k + 1 neighbors, because as many others equal it,
    loses the last one.
    """
    n, k = indices.shape
    kept = indices != np.arange(n)[:, None]
    kept[kept.all(axis=1), -1] = False
    return squares[kept].reshape(n, k - 1), indices[kept].reshape(n, k - 1)


class CellSearch(BaseEstimator):
    """What `ClusterNeighbors` and `ClusterNeighborsClassifier` share.

    Parameters and attributes are described in `ClusterNeighbors`.
    """

    points_: np.ndarray
    permutation_: np.ndarray
    offsets_: np.ndarray
    clusterer_: Any
    n_samples_fit_: int
    n_probes_: int
    n_features_in_: int
    _centers: Centers

    def __init__(
        self,
        n_neighbors: int = 1,
        *,
        n_clusters: int | None = None,
        n_probes: int | None = None,
        clusterer: Any = None,
        random_state: int | np.random.RandomState | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_clusters = n_clusters
        self.n_probes = n_probes
        self.clusterer = clusterer
        self.random_state = random_state
        self.threads = threads

    @on_threads
    def _fit(self, X: np.ndarray) -> Self:
        """Cluster checked points and store them cell by cell."""
        size("n_neighbors", self.n_neighbors)
        if self.n_probes is not None:
            size("n_probes", self.n_probes)
        random_state_of(self.random_state)
        check_range(X)
        n_clusters = self.n_clusters
        if n_clusters is None:
            n_clusters = round(len(X) ** 0.5)
        n_clusters = size("n_clusters", n_clusters)
        self.clusterer_ = fit_clusterer(
            self.clusterer, n_clusters, X, self.random_state, "n_clusters"
        )
        self._centers = Centers(self.clusterer_, X.dtype)
        if not hasattr(self.clusterer_, "predict"):
            raise TypeError(f"clusterer={self.clusterer_!r} has no predict")
        # Not `labels_`: those of a frozen clusterer belong to other points.
        labels = self.clusterer_.predict(X)
        self.permutation_ = np.argsort(labels, kind="stable")
        counts = np.bincount(labels, minlength=self._centers.shape[0])
        self.offsets_ = np.concatenate([[0], np.cumsum(counts)])
        self.points_ = X[self.permutation_]
        self.n_samples_fit_ = len(X)
        n_cells = self._centers.shape[0]
        self.n_probes_ = self.n_probes or default_probes(n_cells)
        return self

    @overload
    def kneighbors(
        self,
        X: Any = None,
        n_neighbors: int | None = None,
        return_distance: Literal[True] = True,
    ) -> tuple[np.ndarray, np.ndarray]: ...
    @overload
    def kneighbors(
        self,
        X: Any = None,
        n_neighbors: int | None = None,
        *,
        return_distance: Literal[False],
    ) -> np.ndarray: ...
    @on_threads
    def kneighbors(
        self,
        X: Any = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the nearest training points of each query, the nearest first.

        Parameters
        ----------
        X : array_like, (n_queries, n_features), optional
            Without it, the queries are the training points, in their order, and none of
            them is its own neighbor.
        n_neighbors : int, default None
            Number of neighbors; None for that of the estimator. If the cells that are
            searched hold fewer points, twice as many cells are searched, and so on.
        return_distance : bool, default True
            Whether to return the distances too.

        Returns
        -------
        distances : array of float64, (n_queries, n_neighbors)
            Only with ``return_distance=True``.
        indices : array of int, (n_queries, n_neighbors)
            Rows of the training points; for equal distances, the smallest index first.

        Raises
        ------
        ValueError
            If there are fewer training points than neighbors are asked for, or squared
            distances overflow.
        """
        check_is_fitted(self)
        flag("return_distance", return_distance)
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        k = size("n_neighbors", k)
        others = X is None
        if X is None:
            X = np.empty_like(self.points_)
            X[self.permutation_] = self.points_
        else:
            X = validated(self, X, dtype=DTYPES, reset=False)
        if k + others > self.n_samples_fit_:
            word = " other" if others else ""
            number = self.n_samples_fit_ - others
            raise ValueError(f"n_neighbors={k}, of {number}{word} training points")
        squares, indices = self._found(X, k + others)
        if others:
            squares, indices = without_self(squares, indices)
        return (np.sqrt(squares), indices) if return_distance else indices

    def kneighbors_graph(
        self,
        X: Any = None,
        n_neighbors: int | None = None,
        mode: Literal["connectivity", "distance"] = "connectivity",
    ) -> sp.csr_matrix:
        """Return the matrix whose entries say which training points are neighbors.

        Parameters
        ----------
        X, n_neighbors
            See `kneighbors`.
        mode : {"connectivity", "distance"}
            Whether the entries of neighbors are ones, or their distances.

        Returns
        -------
        scipy.sparse.csr_matrix of float64, (n_queries, n_samples_fit)
            `n_neighbors` entries in each row, the nearest first.
        """
        choice("mode", mode, ("connectivity", "distance"))
        distances, indices = self.kneighbors(X, n_neighbors)
        values = distances if mode == "distance" else np.ones_like(distances)
        starts = np.arange(len(indices) + 1) * indices.shape[1]
        return sp.csr_matrix(
            (values.ravel(), indices.ravel(), starts),
            (len(indices), self.n_samples_fit_),
        )

    def _found(self, X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return squared distances and indices of k neighbors of checked queries."""
        squares = np.full((len(X), k), np.inf)
        indices = np.full((len(X), k), self.n_samples_fit_)
        for batch in tiles(len(X), self.n_probes_):
            queries, cells = self._pairs_to_search(X[batch], k)
            order = np.argsort(cells, kind="stable")
            cells, first = np.unique(cells[order], return_index=True)
            groups = np.split(queries[order] + batch.start, first[1:])
            for cell, group in zip(cells, groups, strict=True):
                self._search_cell(cell, X, group, squares, indices)
        if not np.isfinite(squares).all():
            raise ValueError(f"X {X.shape} is too large: squared distances overflow")
        return squares, indices

    def _pairs_to_search(self, X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs of a query and a cell: cells of at least k points for each."""
        counts = np.diff(self.offsets_)
        dtype = self.points_.dtype
        with np.errstate(over="ignore"):
            X = X.astype(dtype, copy=False)
        if not np.isfinite(X).all():
            raise ValueError(f"X {X.shape} does not fit {dtype}, that of the points")
        left, n_probes = np.arange(len(X)), self.n_probes_
        queries, probes = [], []
        while len(left):
            cells = self._nearest_cells(X[left], n_probes)
            enough = counts[cells].sum(axis=1) >= k
            queries.append(np.repeat(left[enough], cells.shape[1]))
            probes.append(cells[enough].ravel())
            left, n_probes = left[~enough], 2 * n_probes
        return np.concatenate(queries), np.concatenate(probes)

    def _nearest_cells(self, X: np.ndarray, n_probes: int) -> np.ndarray:
        """Return the nearest cells of points that are not empty: (n, n_probes).

        There are fewer columns if fewer cells are not empty.
        """
        filled = np.flatnonzero(np.diff(self.offsets_))
        if n_probes >= len(filled):
            return np.broadcast_to(filled, (len(X), len(filled)))
        if n_probes == 1:
            # The cell may be empty: `_pairs_to_search` then asks for two.
            return self.clusterer_.predict(X)[:, None]
        cells = np.empty((len(X), n_probes), np.intp)
        for tile in tiles(len(X), max(self._centers.shape)):
            squares = self._centers.squared_distances(X[tile])[filled].T
            nearest = np.argpartition(squares, n_probes - 1, axis=1)
            cells[tile] = filled[nearest[:, :n_probes]]
        return cells

    def _search_cell(
        self,
        cell: int,
        X: np.ndarray,
        queries: np.ndarray,
        squares: np.ndarray,
        indices: np.ndarray,
    ) -> None:
        """Search a cell for neighbors of X[queries]; update squares and indices."""
        inside = slice(self.offsets_[cell], self.offsets_[cell + 1])
        points, numbers = self.points_[inside], self.permutation_[inside]
        center = self._centers.array[cell]
        centered = points - center
        for tile in tiles(len(queries), len(points)):
            rows = queries[tile]
            known = squares[rows], indices[rows]
            pairs = candidates(X[rows] - center, centered, known[0])
            found = exact_squares(X[rows], points, *pairs)
            squares[rows], indices[rows] = merge(
                pairs[0], found, numbers[pairs[1]], *known
            )
