"""CodeRule: when a sparse code ends, and what the codes of signals cost."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..coding.omp import omp

ROUNDING = 1e-6
"""Share of the square of a signal by which a residual may be above `tol` and still
count as one that has reached it."""


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
        """Return what the codes of signals cost: the less, the better the dictionary.

        Parameters
        ----------
        dictionary : ndarray, (m, n)
        signals : ndarray, (m, p)

        Returns
        -------
        float
            With `tol`, the mean number of non-zeros of a code. A code that ends before
            it reaches `tol`, because the atoms span too little or it may not be longer,
            counts as one of the greatest length, multiplied by one plus the share of
            the signal that is left. Without `tol`, the squared norm of the residuals
            over that of the signals, 0 for signals of zero.
        """
        codes = self.codes(dictionary, signals)
        rest = residuals(dictionary.T, codes, signals)
        left = np.einsum("pm,pm->p", rest, rest)
        squares = np.einsum("mp,mp->p", signals, signals)
        if self.tol is None:
            total = float(squares.sum())
            return float(left.sum()) / total if total else 0.0
        costs = np.bincount(codes.indices, minlength=len(left)).astype(np.float64)
        missed = left > self.tol + ROUNDING * squares
        longest = min(self.n_nonzero, *dictionary.shape)
        costs[missed] = longest * (1 + left[missed] / squares[missed])
        return float(costs.mean())


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
