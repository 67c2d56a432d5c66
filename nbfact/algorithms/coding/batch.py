"""The pursuit of many signals in a small dense dictionary, by its Gram matrix."""

import functools
from collections.abc import Callable

import numpy as np

from ...kernels import gram_pursuit
from .scaling import rounding, shift_rows, shifted, write_codes

ENTRIES = 1 << 20
"""Largest number of entries of a Gram matrix, and of a dictionary that has one: 8 MB in
float64."""

UNKNOWN = 4
"""Number of non-zeros that is assumed of a code that ends by its residual, too."""

BATCH_TILE = 1 << 16
"""Number of correlations that are held at a time, 512 KB in float64: they stay in a
cache, and their memory is used again. One signal after the other is coded."""

SPREAD = 32
"""The largest entries of the atoms, other than zero, differ by at most this power of
two, so that one scale keeps all squares within range."""


def batch_pursuit(
    A: np.ndarray | None, dtype: np.dtype, count: int, n_nonzero: int
) -> Callable[[np.ndarray], "BatchPursuit"] | None:
    """Return what makes a pursuit by the Gram matrix, or None where it does not pay.

    Parameters
    ----------
    A : ndarray, (m, n), or None
        The dictionary, None where it is not dense.
    dtype : numpy.dtype
        That of the codes.
    count : int
        Number of signals.
    n_nonzero : int
        Number of non-zeros of a code, as far as it is known.
    """
    if A is None or not pays(len(A), A.shape[1], count, n_nonzero):
        return None
    tops = np.maximum(abs(A.real), abs(A.imag)).max(axis=0)
    exponents = np.frexp(tops[tops > 0])[1]
    if exponents.size == 0 or np.ptp(exponents) > SPREAD:
        return None
    A = np.array(A, dtype, order="C")
    exponent = int(shift_rows(A.reshape(1, -1))[0])
    atoms = np.ascontiguousarray(A.T)
    return functools.partial(BatchPursuit, A, atoms, atoms.conj() @ A, exponent)


def pays(m: int, n: int, count: int, n_nonzero: int) -> bool:
    """Return whether the Gram matrix of a dense dictionary pays, by a count of costs.

    The costs are in multiplications of a matrix product. They were fitted to measured
    times of both ways on an AMD EPYC, for 16 to 1024 rows, 32 to 1024 atoms, 1 to 512
    signals and 1 to 32 non-zeros. With the Gram matrix, n² m multiplications count
    twice, for the copies of the dictionary. A signal costs one product, and
    t n multiplications, each as much as eight, in step t. Without it, a step costs a
    product, 500 m for the rest of the work on a signal, and 10⁶ for its calls.

    Parameters
    ----------
    m, n : int
        Shape of the dictionary.
    count, n_nonzero : int
        Numbers of signals, and of non-zeros of each code.

    Examples
    --------
    >>> pays(64, 256, 512, 4), pays(64, 256, 1, 4), pays(204, 7527, 500, 2)
    (True, False, False)
    """
    if n * max(m, n) > ENTRIES:
        return False
    gram = 2 * n * n * m + count * n * (m + 4 * n_nonzero**2)
    return gram < n_nonzero * (count * m * (n + 500) + 10**6)


class BatchPursuit:
    """The codes of some signals, one after the other.

    Parameters
    ----------
    A, atoms, gram : ndarray, (m, n), (n, m), (n, n)
        The dictionary divided by a power of two, its transpose and its Gram matrix.
    exponent : int
        The exponent of that power.
    residuals : ndarray, (w, m)
        The signals, one in each row; overwritten.

    Attributes
    ----------
    norms, floors : ndarray, (w,)
        Norms of the residuals, and the norms at which codes end, in the units of the
        signals divided by powers of two.
    """

    def __init__(
        self,
        A: np.ndarray,
        atoms: np.ndarray,
        gram: np.ndarray,
        exponent: int,
        residuals: np.ndarray,
    ) -> None:
        self._A, self._atoms, self._gram = A, atoms, gram
        self._residuals = residuals
        self._exponents = shift_rows(residuals) - exponent
        self._exponent = exponent
        self.norms = np.linalg.norm(residuals, axis=1)
        self._tiny = rounding(residuals.dtype)
        self.floors = self._tiny * self.norms
        self._support = np.zeros((0, 0), np.intp)
        self._values = np.zeros((0, 0), residuals.dtype)

    def run(self, limit: int, bound: float) -> None:
        """Add atoms until each code has `limit` ones or a residual of norm `bound`."""
        bounds = shifted(bound, -self._exponents - self._exponent)
        self.floors = np.maximum(bounds, self.floors.astype(float))
        self._support = np.empty((len(self.norms), limit), np.intp)
        self._values = np.empty(self._support.shape, self._residuals.dtype)
        gram_pursuit(
            self._gram,
            self._atoms,
            self._residuals.conj() @ self._A,
            self._residuals,
            self.floors,
            self._tiny,
            self._support,
            self._values,
        )
        self.norms = np.linalg.norm(self._residuals, axis=1)

    def write(self, out: np.ndarray) -> None:
        """Write the codes to the columns of an array of zeros, (n, w)."""
        rows, places = np.nonzero(self._support >= 0)
        write_codes(
            out,
            rows,
            self._support[rows, places],
            self._values[rows, places],
            self._exponents[rows],
        )
