"""CodeRule: when a sparse code ends, and what the codes of signals cost."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..coding.omp import omp


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
            With `tol`, the mean number of non-zeros of a code; without it, the squared
            norm of the residuals over that of the signals, 0 for signals of zero.
        """
        codes = self.codes(dictionary, signals)
        if self.tol is not None:
            return codes.nnz / signals.shape[1]
        total = float(np.vdot(signals, signals))
        rest = residuals(dictionary.T, codes, signals)
        return float(np.vdot(rest, rest)) / total if total else 0.0


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
