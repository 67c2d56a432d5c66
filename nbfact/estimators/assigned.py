"""Labels of points and distances to centers: in memory, sparse, or in dask blocks."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._core.dask import is_dask, map_rows
from ..operators import NearestRows
from .factored_centers import FactoredCenters
from .points import check_finite, nearest_labels
from .row_tiles import tiles


def labels_of(centers: FactoredCenters, x: Any) -> Any:
    """Return the nearest center of each point.

    Parameters
    ----------
    centers : FactoredCenters
    x : array, CSR matrix or dask array, (N, D)
        Checked points, in the unit of the centers.

    Returns
    -------
    array or dask array of int32, (N,)
    """
    nearest = centers.nearest
    if is_dask(x):
        return map_rows(_labels, x, np.dtype(np.int32), None, nearest)
    if not issparse(x):
        return nearest_labels(nearest, x)
    labels = np.empty(x.shape[0], np.int32)
    for part in tiles(*x.shape):
        labels[part] = nearest_labels(nearest, x[part].toarray())
    return labels


def distances_of(centers: FactoredCenters, unit: float, x: Any) -> Any:
    """Return the distances of points to all centers, times the unit of both.

    Parameters
    ----------
    centers : FactoredCenters
    unit : float
    x : array, CSR matrix or dask array, (N, D)

    Returns
    -------
    array or dask array, (N, K)
    """
    shared, count = (centers, unit), len(centers.array)
    if is_dask(x):
        return map_rows(_distances, x, x.dtype, count, shared)
    if not issparse(x):
        return _distances(x, shared)
    found = np.empty((x.shape[0], count), x.dtype)
    for part in tiles(*x.shape):
        found[part] = _distances(x[part].toarray(), shared)
    return found


def _labels(x: np.ndarray, nearest: NearestRows) -> np.ndarray:
    """Return the nearest center of each point of a block."""
    check_finite(x)
    return nearest_labels(nearest, x)


def _distances(x: np.ndarray, shared: tuple[FactoredCenters, float]) -> np.ndarray:
    """Return the distances of the points of a block to all centers, times their unit.

    shared : the centers, and their unit.
    """
    check_finite(x)
    centers, unit = shared
    distances = centers.distances(x, nearest_labels(centers.nearest, x))
    return distances if unit == 1 else distances * x.dtype.type(unit)
