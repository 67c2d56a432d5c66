"""The inputs of QuicKMeans, checked: points, weights and parameters."""

import numbers
from typing import Any

import numpy as np
from sklearn.utils.validation import (
    _check_n_features,
    _check_sample_weight,
    validate_data,
)

from .._core.checks import size
from .._core.dask import check_known, is_dask
from .points import BlockedPoints, Points
from .recipes import RECIPES
from .seeds import INITS

DTYPES = (np.float64, np.float32)
"""Dtypes of points that are kept; other real ones become the first."""


def checked_points(estimator: Any, x: Any, reset: bool) -> Any:
    """Return points (N, D) as an array or a dask array of float32 or float64.

    Parameters
    ----------
    estimator : QuicKMeans
        Its number of features is set if `reset`, else compared.
    x : array_like or dask array, (N, D)
    reset : bool

    Raises
    ------
    TypeError
        If points are sparse, or the blocks of a dask array are no NumPy arrays.
    ValueError
        If points are not real, have another shape, or, in memory, contain NaN or
        infinity.
    """
    if not is_dask(x):
        return validate_data(estimator, x, dtype=DTYPES, order="C", reset=reset)
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise ValueError(f"X must be real, (N, D); got {x.dtype}, {x.shape}")
    if not isinstance(x._meta, np.ndarray):
        raise TypeError(f"X has blocks of {type(x._meta)}; expected NumPy arrays")
    check_known(x, 1)
    _check_n_features(estimator, x, reset=reset)
    return x if x.dtype in DTYPES else x.astype(np.float64)


def weighted_points(
    estimator: Any,
    x: Any,
    sample_weight: Any,
    reset: bool,
) -> Points | BlockedPoints:
    """Return checked points with their weights, which are 1 by default.

    Parameters
    ----------
    estimator : QuicKMeans
    x : array_like or dask array, (N, D)
    sample_weight : array_like or dask array, (N,), a number, or None
    reset : bool
        See `checked_points`.
    """
    x = checked_points(estimator, x, reset)
    if not is_dask(x):
        weights = _check_sample_weight(
            sample_weight, x, dtype=np.float64, ensure_non_negative=True
        )
        return Points(x, weights)
    check_known(x, 0)
    if 0 in x.shape:
        raise ValueError(f"X has shape {x.shape}: no points or no features")
    if sample_weight is None or isinstance(sample_weight, numbers.Real):
        weights = np.full(len(x), 1.0 if sample_weight is None else sample_weight)
    else:
        weights = sample_weight if is_dask(sample_weight) else np.asarray(sample_weight)
    weights = weights.astype(np.float64)
    if weights.shape != x.shape[:1]:
        raise ValueError(
            f"sample_weight has shape {weights.shape}, expected {x.shape[:1]}"
        )
    return BlockedPoints(x, weights)


def check_parameters(estimator: Any, n_points: int) -> None:
    """Raise if a parameter of QuicKMeans is not valid for this number of points."""
    for name in ("n_clusters", "sparsity", "n_init"):
        size(name, getattr(estimator, name))
    size("max_iter", estimator.max_iter, least=0)
    if estimator.n_factors is not None:
        size("n_factors", estimator.n_factors)
    if estimator.n_clusters > n_points:
        raise ValueError(
            f"n_samples={n_points} should be >= n_clusters={estimator.n_clusters}"
        )
    tol = estimator.tol
    if not isinstance(tol, numbers.Real) or not float(tol) >= 0:
        raise ValueError(f"tol must be a number, at least 0, got {tol!r}")
    if isinstance(estimator.init, str) and estimator.init not in INITS:
        raise ValueError(
            f"init must be one of {INITS} or an array, got {estimator.init!r}"
        )
    if estimator.factorizer not in RECIPES:
        raise ValueError(
            f"factorizer must be one of {tuple(RECIPES)}, got {estimator.factorizer!r}"
        )
