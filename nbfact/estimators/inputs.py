"""The inputs of the estimators, checked: points, weights and parameters."""

import numbers
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_n_features,
    _check_sample_weight,
    validate_data,
)

from .._core.array_checks import check_sparse, refuse_masked
from .._core.checks import choice, real_number, shown, size
from .._core.dask import check_known, is_dask
from .dense_training import ALGORITHMS, TrainingOptions
from .points import BlockedPoints, Points
from .recipes import RECIPES
from .seeds import INITS
from .training import ValueOptions

DEFAULT_INCREASE = 0.03
"""Share of the inertia of dense centers by which that of factored ones may increase."""

DTYPES = (np.float64, np.float32)
"""Dtypes of points that are kept; other real ones become the first."""


def naming(
    name: str, check: Callable[..., Any], *arguments: Any, **options: Any
) -> Any:
    """Return what a check of scikit-learn returns; its errors name the argument."""
    try:
        return check(*arguments, **options)
    except (TypeError, ValueError) as error:
        message = str(error)
        if re.search(rf"\b{name}\b", message):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {message}") from None


def refuse_kinds(name: str, value: Any) -> None:
    """Raise a TypeError for what scikit-learn would turn into numbers without a word.

    These are masked arrays, and arrays of dates, strings or records.
    """
    refuse_masked(name, value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "mMSUV":
        raise TypeError(f"{name} has dtype {value.dtype}: expected numbers")


def validated(estimator: Any, x: Any, *labels: Any, **options: Any) -> Any:
    """Return points, and labels if there are any, as `validate_data` checks them.

    Parameters
    ----------
    estimator : estimator
    x : array_like, (N, D)
    *labels : array_like, (N,)
        Nothing, or y.
    **options
        Those of `sklearn.utils.validation.validate_data`.

    Raises
    ------
    TypeError, ValueError
        If X or y is not valid, or masked, or the index arrays of a sparse X do not fit
        its shape; the message names it.
    """
    refuse_kinds("X", x)
    if sp.issparse(x):  # scikit-learn converts it, which trusts its index arrays
        check_sparse("X", x)
    for y in labels:  # which may be strings
        refuse_masked("y", y)
    return naming("X", validate_data, estimator, x, *labels, **options)


def random_state_of(random_state: Any) -> np.random.RandomState:
    """Return a parameter ``random_state`` as scikit-learn takes it, or raise."""
    try:
        if isinstance(random_state, bool | np.bool_):
            raise ValueError
        return check_random_state(random_state)
    except (TypeError, ValueError):
        whole = isinstance(random_state, numbers.Integral)
        error = (
            ValueError if whole and not isinstance(random_state, bool) else TypeError
        )
        raise error(
            f"random_state={shown(random_state)}: expected None, an integer from 0 to "
            "2**32 - 1 or a numpy.random.RandomState"
        ) from None


def checked_points(estimator: Any, x: Any, reset: bool, finite: bool = True) -> Any:
    """Return points (N, D) as an array or a dask array of float32 or float64.

    Parameters
    ----------
    estimator : QuicKMeans
        Its number of features is set if `reset`, else compared.
    x : array_like, sparse or dask array, (N, D)
        Sparse points become CSR.
    reset : bool
    finite : bool
        Whether NaN and infinity in memory are refused here, which takes a pass over the
        points. `nearest_labels` refuses them too.

    Raises
    ------
    TypeError
        If the blocks of a dask array are no NumPy arrays.
    ValueError
        If points are not real, have another shape, or, in memory, contain NaN or
        infinity.
    """
    if not is_dask(x):
        options = {"dtype": DTYPES, "order": "C", "accept_sparse": "csr"}
        given = {"reset": reset, "ensure_all_finite": finite}
        return validated(estimator, x, **given, **options)
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
    unit: float | None = None,
) -> Points | BlockedPoints:
    """Return checked points with their weights, which are 1 by default.

    Parameters
    ----------
    estimator : QuicKMeans
    x : array_like or dask array, (N, D)
    sample_weight : array_like or dask array, (N,), a number, or None
    reset : bool
        See `checked_points`.
    unit : float, optional
        See `Points`.
    """
    x = checked_points(estimator, x, reset)
    if not is_dask(x):
        refuse_kinds("sample_weight", sample_weight)
        options = {"dtype": np.float64, "ensure_non_negative": True}
        weights = naming(
            "sample_weight", _check_sample_weight, sample_weight, x, **options
        )
        return Points(x, weights, unit)
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
    return BlockedPoints(x, weights, unit)


def check_parameters(estimator: Any, n_points: int) -> None:
    """Raise if a parameter of QuicKMeans is not valid for this number of points."""
    size("n_clusters", estimator.n_clusters)
    if estimator.n_init != "auto":
        size("n_init", estimator.n_init)
    _check_values(estimator)
    size("max_iter", estimator.max_iter, least=0)
    if estimator.n_factors is not None:
        size("n_factors", estimator.n_factors)
    if estimator.n_clusters > n_points:
        raise ValueError(
            f"n_samples={n_points} should be >= n_clusters={estimator.n_clusters}"
        )
    real_number("tol", estimator.tol, least=0)
    if isinstance(estimator.init, str):
        choice("init", estimator.init, INITS)
    choice("factorizer", estimator.factorizer, RECIPES)
    choice("algorithm", estimator.algorithm, ALGORITHMS)
    if not isinstance(estimator.verbose, bool | np.bool_):
        size("verbose", estimator.verbose, least=0)


def values_of(estimator: Any) -> ValueOptions:
    """Return how many values centers have, and how they are factored."""
    nnz, increase = estimator.nnz, estimator.inertia_increase
    return ValueOptions(
        estimator.factorizer,
        estimator.n_factors,
        None if isinstance(nnz, str) else nnz,
        estimator.sparsity,
        DEFAULT_INCREASE if increase is None else increase,
    )


def training_of(estimator: Any, max_iter: int) -> TrainingOptions:
    """Return how dense centers are trained."""
    return TrainingOptions(
        estimator.n_clusters,
        max_iter,
        estimator.tol,
        estimator.algorithm,
        bool(estimator.verbose),
    )


def starts_of(estimator: Any) -> list[tuple[Any, Any]]:
    """Return ``init`` and a random state for each run of dense k-means."""
    rng, n_init = random_state_of(estimator.random_state), estimator.n_init
    if not isinstance(estimator.init, str):
        if not isinstance(n_init, str) and n_init > 1:
            message = f"n_init={n_init}: an array for init allows one run"
            warnings.warn(message, RuntimeWarning, stacklevel=4)
        return [(estimator.init, rng)]
    if isinstance(n_init, str):
        n_init = 10 if estimator.init == "random" else 1
    states = rng.randint(np.iinfo(np.int32).max, size=n_init)
    return [(estimator.init, int(state)) for state in states]


def _check_values(estimator: Any) -> None:
    """Raise if what sets the number of values is not valid, or given twice."""
    if isinstance(estimator.nnz, str):
        choice("nnz", estimator.nnz, ("auto",))
    else:
        size("nnz", estimator.nnz)
    if estimator.sparsity is not None:
        size("sparsity", estimator.sparsity)
    if estimator.inertia_increase is not None:
        real_number("inertia_increase", estimator.inertia_increase, least=0)
    given = [
        f"{name}={value!r}"
        for name, value in (
            ("nnz", None if isinstance(estimator.nnz, str) else estimator.nnz),
            ("sparsity", estimator.sparsity),
            ("inertia_increase", estimator.inertia_increase),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)}: expected at most one of them")


def warn_of_empty(counts: np.ndarray) -> None:
    """Warn, as scikit-learn does, where fewer clusters have points than were asked for.

    counts : the weight of the points of each cluster.
    """
    found = int((counts > 0).sum())
    if found < len(counts):
        warnings.warn(
            f"Number of distinct clusters ({found}) found smaller than n_clusters "
            f"({len(counts)}). Possibly due to duplicate points in X, or to "
            "factors that have too few values.",
            ConvergenceWarning,
            stacklevel=4,
        )
