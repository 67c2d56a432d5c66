"""Solvers of the sparse codes of signals, by name, through dense matrices or operators.

OMP is nbfact's. The other two are those of pylops, applied to the same operators.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse.linalg as spla

from ...algorithms import omp

PYLOPS_MISSING = 'pylops is missing; pip install "nbfact[study]" brings it'

SOURCES = 2
"""Number of non-zeros of the codes."""

ITERATIONS = 100
"""Number of iterations of IHT and FISTA."""

PENALTY = 0.05
"""Weight of the l1 norm over the least weight at which the code is zero."""

Solver = Callable[[Any, np.ndarray, float], np.ndarray]
"""A function of the matrix, (m, n), of signals, (m, p), and of the spectral norm of the
matrix, which returns codes, (n, p)."""


def pursuit(matrix: Any, signals: np.ndarray, norm: float) -> np.ndarray:
    """Return codes by orthogonal matching pursuit (OMP)."""
    return omp(matrix, signals, n_nonzero=SOURCES)


def thresholding(matrix: Any, signals: np.ndarray, norm: float) -> np.ndarray:
    """Return codes by iterative hard thresholding (IHT), all signals at a time."""
    sparsity = installed_pylops().optimization.cls_sparsity
    # pylops' own operators multiply one column after the other, and SciPy's all.
    solver = sparsity.ISTA(spla.aslinearoperator(matrix))
    codes = solver.setup(
        signals,
        niter=ITERATIONS,
        alpha=1 / norm**2,
        threshkind="hard-percentile",
        perc=100.0,
    )
    solver.threshf = _largest  # its own takes the largest entries of all signals
    return solver.run(codes, niter=ITERATIONS)


def _largest(codes, _):
    """Return the `SOURCES` entries of largest modulus of each column, and zeros."""
    size = np.abs(codes)
    kept = np.argpartition(size, -SOURCES, axis=0)[-SOURCES:]
    found = np.zeros_like(codes)
    np.put_along_axis(found, kept, np.take_along_axis(codes, kept, 0), 0)
    return found


def shrinkage(matrix: Any, signals: np.ndarray, norm: float) -> np.ndarray:
    """Return codes with a small l1 norm, by FISTA, all signals at a time."""
    pylops = installed_pylops()
    linear = spla.aslinearoperator(matrix)
    scaled = signals / np.abs(linear.rmatmat(signals)).max(axis=0)
    return pylops.optimization.sparsity.fista(
        linear,  # SciPy's operator, as above
        scaled,
        niter=ITERATIONS,
        alpha=1 / norm**2,
        eps=2 * PENALTY,
        threshkind="soft",
    )[0]


def installed_pylops():
    """Return the package pylops, or raise an error that says how to install it."""
    try:
        import pylops
    except ModuleNotFoundError:
        raise ModuleNotFoundError(PYLOPS_MISSING) from None
    return pylops


SOLVERS: dict[str, Solver] = {
    "OMP": pursuit,
    "IHT": thresholding,
    "l1": shrinkage,
}
"""The solvers, by name."""
