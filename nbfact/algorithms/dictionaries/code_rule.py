"""CodeRule: when a sparse code ends, and what the codes of signals cost."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..coding.omp import omp

ROUNDING = 1e-6
"""Share of the square of a signal by which a residual may be above `tol` and still
count as one that has reached it."""

DOUBT = 2
"""Number of standard errors of a mean difference up to which it may be chance."""

NEGLIGIBLE = 1e-6
"""Share of the square of the signals that counts as nothing where costs are compared:
dense atoms may represent signals without structure to rounding."""


@dataclass(frozen=True)
class CodeRule:
    """When the code of a signal ends.

    Attributes
    ----------
    n_nonzero : int
        Maximum number of non-zeros of a code.
    tol : float or None
        A code ends, too, when the squared norm of its residual is at most this.
    """

    n_nonzero: int
    tol: float | None = None

    def codes(self, dictionary: Any, signals: np.ndarray) -> sp.csr_array:
        """Return the codes (n, p) of signals (m, p) in a dictionary (m, n), by OMP."""
        limit = min(self.n_nonzero, *dictionary.shape)
        return sp.csr_array(omp(dictionary, signals, n_nonzero=limit, tol=self.tol))

    def cost(self, dictionary: np.ndarray, signals: np.ndarray) -> float:
        """Return what the codes of signals cost in the mean: see `costs`."""
        return float(self.costs(dictionary, signals).mean())

    def costs(self, dictionary: np.ndarray, signals: np.ndarray) -> np.ndarray:
        """Return what the codes of signals cost: the less, the better the dictionary.

        Parameters
        ----------
        dictionary : ndarray, (m, n)
        signals : ndarray, (m, p)

        Returns
        -------
        ndarray, (p,)
            With `tol`, the number of non-zeros of each code. A code that ends before
            it reaches `tol`, because the atoms span too little or it may not be longer,
            counts as one of the greatest length, multiplied by one plus the share of
            the signal that is left. Without `tol`, the squared norms of the residuals
            over the mean of those of the signals, 0 for signals of zero.
        """
        codes = self.codes(dictionary, signals)
        rest = residuals(dictionary.T, codes, signals)
        left = np.einsum("pm,pm->p", rest, rest)
        squares = np.einsum("mp,mp->p", signals, signals)
        if self.tol is None:
            mean = squares.mean()
            return left / mean if mean else np.zeros(len(left))
        costs = np.bincount(codes.indices, minlength=len(left)).astype(np.float64)
        missed = left > self.tol + ROUNDING * squares
        longest = min(self.n_nonzero, *dictionary.shape)
        costs[missed] = longest * (1 + left[missed] / squares[missed])
        return costs


def about_as_low(costs: np.ndarray, best: np.ndarray, increase: float) -> bool:
    """Return whether costs of signals are in the mean about as low as the best ones.

    Parameters
    ----------
    costs, best : ndarray, (p,)
        Costs of the same signals in two dictionaries.
    increase : float
        Share of the mean of the best costs that counts as nothing. Differences of at
        most `DOUBT` standard errors count as nothing, too.
    """
    more = costs - best
    error = more.std(ddof=1) / math.sqrt(more.size) if more.size > 1 else 0.0
    limit = max(increase * best.mean(), DOUBT * error) + NEGLIGIBLE
    return bool(more.mean() <= limit)


def residuals(
    atoms: np.ndarray, codes: sp.csr_array, signals: np.ndarray
) -> np.ndarray:
    """Return what codes leave of the signals, (p, m), C-contiguous.

    Parameters
    ----------
    atoms : ndarray, (n, m)
        The atoms, one in each row.
    codes : csr_array, (n, p)
    signals : ndarray, (m, p)
    """
    return np.ascontiguousarray(signals.T - codes.T @ np.ascontiguousarray(atoms))
