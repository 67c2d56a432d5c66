"""Solvers of the sparse codes of signals, by name, through dense matrices or operators.

OMP is nbfact's. IHT is that of pylops and l1 that of scikit-learn, and both multiply by
the same matrices or operators. All columns of these have norm 1.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse.linalg as spla

from ...algorithms import omp
from ...kernels import largest_of_columns
from ...operators import FactorProduct

MISSING = '{} is missing; pip install "nbfact[study]" brings it'

SOURCES = 2
"""Number of non-zeros of the codes of OMP and IHT."""

ITERATIONS = 50
"""Number of iterations of IHT."""

STEP = 0.5
"""Step of IHT: the squared spectral norm of two columns of norm 1 is at most 2."""

TILE = 64
"""Number of signals that IHT codes at a time, so that the cache holds their codes."""

PENALTY = 0.05
"""Weight of the l1 norm over the least weight at which the code is zero."""

CHOSEN = (30, 20)
"""Numbers of columns that l1 looks at first, and that it adds at most at a time."""

SLACK = 1e-3
"""How far above its bound the correlation of a column with what the code of l1 leaves
may be, relative to the bound."""

GAP = 1e-6
"""Duality gap of l1 on the columns that it looks at, over the squared norm of the
signal."""

SWEEPS = 100_000
"""Maximum number of sweeps of l1 over the columns that it looks at."""

Solver = Callable[[Any, np.ndarray], np.ndarray]
"""A function of the matrix, (m, n), and of signals, (m, p), which returns codes,
(n, p)."""


def pursuit(matrix: Any, signals: np.ndarray) -> np.ndarray:
    """Return codes by orthogonal matching pursuit (OMP)."""
    return omp(matrix, signals, n_nonzero=SOURCES)


def thresholding(matrix: Any, signals: np.ndarray) -> np.ndarray:
    """Return codes by iterative hard thresholding (IHT), with momentum, in float32."""
    sparsity = installed("pylops.optimization.cls_sparsity")
    # pylops' own operators multiply one column after the other, and SciPy's all.
    linear = spla.aslinearoperator(_in_single_precision(matrix))
    codes = np.empty((linear.shape[1], signals.shape[1]), np.float32)
    for first in range(0, signals.shape[1], TILE):
        part = slice(first, first + TILE)
        solver = sparsity.FISTA(linear)
        start = solver.setup(
            signals[:, part].astype(np.float32),
            niter=ITERATIONS,
            alpha=STEP,
            threshkind="hard-percentile",
            perc=100.0,
            preallocate=True,
        )
        solver.threshf = _largest  # its own takes the largest entries of all signals
        codes[:, part] = solver.run(start, niter=ITERATIONS)
    return codes


def _in_single_precision(matrix):
    """Return a dense matrix or a product of factors with values of float32."""
    if isinstance(matrix, np.ndarray):
        return matrix.astype(np.float32)
    factors = [factor.astype(np.float32) for factor in matrix.factors]
    return FactorProduct(factors, matrix.scale)


def _largest(codes, _):
    """Return the `SOURCES` entries of largest modulus of each column, and zeros.

    What it is given is overwritten.
    """
    found, every = np.zeros_like(codes), np.arange(codes.shape[1])
    rows, size = np.empty(len(every), np.intp), np.empty(len(every), codes.dtype)
    for _ in range(SOURCES):
        largest_of_columns(codes, rows, size)
        found[rows, every] += codes[rows, every]  # a column of zeros names one twice
        codes[rows, every] = 0
    return found


def penalised(matrix: Any, signals: np.ndarray) -> np.ndarray:
    """Return the codes with the least squared error and penalty of their l1 norms.

    Coordinate descent finds each code among some columns of the matrix. Columns whose
    correlation with what the code leaves is above the bound of the optimum are looked
    at next, beside those that the code has, until there are none.

    Parameters
    ----------
    matrix : ndarray or FactorProduct, (m, n)
        The matrix.
    signals : ndarray, (m, p)
        The signals.

    Returns
    -------
    ndarray, (n, p)
    """
    path = installed("sklearn.linear_model").lasso_path
    linear = spla.aslinearoperator(matrix)
    dense = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    columns, correlations = np.ascontiguousarray(dense.T), linear.rmatmat(signals)
    bounds = PENALTY * np.abs(correlations).max(axis=0)
    chosen = [_greatest(np.abs(column), CHOSEN[0]) for column in correlations.T]
    codes, open_ = np.zeros(correlations.shape), np.arange(len(bounds))
    while open_.size:
        for j in open_:
            at = chosen[j], j
            given = signals[:, j], correlations[at], bounds[j], codes[at]
            codes[at] = _descended(path, columns[chosen[j]], *given)
        rest = signals[:, open_] - linear.matmat(codes[:, open_])
        left = np.abs(linear.rmatmat(rest))
        for j, size in zip(open_, left.T, strict=True):
            size[chosen[j]] = 0  # descent has seen to these
        again = np.flatnonzero((left > (1 + SLACK) * bounds[open_]).any(axis=0))
        for j, size in zip(open_[again], left.T[again], strict=True):
            new = _greatest(size, CHOSEN[1])
            kept = chosen[j][codes[chosen[j], j] != 0]
            chosen[j] = np.concatenate([kept, new[size[new] > bounds[j]]])
        open_ = open_[again]
    return codes


def _descended(path, atoms, signal, correlations, bound, start):
    """Return the code of one signal by coordinate descent among a few atoms, (k, m)."""
    _, codes, _ = path(
        atoms.T,
        signal,
        alphas=[bound / len(signal)],  # it takes the mean of the squared errors
        precompute=atoms @ atoms.T,
        Xy=correlations,
        coef_init=start,
        tol=GAP,
        max_iter=SWEEPS,
        check_input=False,
    )
    return codes[:, 0]


def _greatest(values, count):
    """Return the places of the greatest values, at most `count`."""
    count = min(count, len(values))
    return np.argpartition(values, -count)[-count:]


def installed(name: str) -> Any:
    """Return a module of an optional package.

    Parameters
    ----------
    name : str
        Name of the module.

    Returns
    -------
    module

    Raises
    ------
    ModuleNotFoundError
        When it cannot be imported; the message names the extra that brings it.
    """
    package = name.split(".")[0]
    try:
        importlib.import_module(package)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MISSING.format(package)) from None
    return importlib.import_module(name)


SOLVERS: dict[str, Solver] = {
    "OMP": pursuit,
    "IHT": thresholding,
    "l1": penalised,
}
"""The solvers, by name."""

MODULES = {"IHT": "pylops", "l1": "sklearn"}
"""The optional modules that solvers need, by the name of the solver."""
