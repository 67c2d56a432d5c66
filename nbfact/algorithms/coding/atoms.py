"""The dictionary of a sparse code: its products, and the atoms that were chosen."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from ..._core.array_checks import array_of, check_matrix, check_sparse
from ..._core.dtypes import common_dtype
from ..common.result import Factorization

BLOCK = 64
"""Number of atoms of an operator that are computed by one product."""


class Atoms:
    """The columns of a matrix or an operator A, called atoms.

    Parameters
    ----------
    A : array_like, scipy sparse, LinearOperator or Factorization, (m, n)
        As `omp` is given it.

    Attributes
    ----------
    shape : (int, int)
    dtype : numpy.dtype
        float32, float64, complex64 or complex128.

    Raises
    ------
    TypeError, ValueError
        What is no matrix of finite numbers.
    """

    def __init__(self, A: Any) -> None:
        if isinstance(A, Factorization):
            A = A.operator
        # Rows of the transpose are atoms. An operator computes those that are needed.
        if sp.issparse(A):
            check_sparse("A", A)
            self._transpose: Any = sp.csr_array(A.T, dtype=common_dtype(A.dtype))
            if not np.isfinite(self._transpose.data).all():
                raise ValueError(f"A {A.shape} contains NaN or infinity")
        elif isinstance(A, LinearOperator):
            self._transpose = A.T
        else:
            self._transpose = array_of("A", A, 2).T
        n, m = self._transpose.shape
        self.shape = m, n
        check_matrix("A", self.shape)
        try:
            self.dtype = common_dtype(self._transpose.dtype)
        except TypeError as error:  # that of an operator
            raise TypeError(f"A: {error}") from None
        self._places = np.full(n, -1, np.intp)
        self._known = np.empty((0, m), self.dtype)
        self._count = 0

    @property
    def matrix(self) -> np.ndarray | None:
        """The dense matrix that was given, or None."""
        dense = isinstance(self._transpose, np.ndarray)
        return self._transpose.T if dense else None

    def correlations(self, x: np.ndarray) -> np.ndarray:
        """Return the complex conjugate of Aᴴ x, of the same moduli, C-contiguous.

        x: (m, p), C-contiguous.
        """
        return np.ascontiguousarray(self._transpose @ np.conj(x))

    def take(self, index: np.ndarray) -> np.ndarray:
        """Return the atoms of some indices, (a,), as rows of a new array, (a, m)."""
        if isinstance(self._transpose, np.ndarray):
            return self._transpose[index]
        if sp.issparse(self._transpose):
            return self._transpose[index].toarray()
        missing = np.unique(index[self._places[index] < 0])
        for start in range(0, missing.size, BLOCK):
            self._compute(missing[start : start + BLOCK])
        return self._known[self._places[index]]

    def _compute(self, missing):
        """Compute atoms of an operator, and keep them.

        Those that are not finite raise a ValueError; matrices were checked as a whole.
        """
        count = self._count + missing.size
        if count > len(self._known):
            grown = np.empty((2 * count, self.shape[0]), self.dtype)
            grown[: self._count] = self._known[: self._count]
            self._known = grown
        units = np.zeros((self.shape[1], missing.size), self.dtype)
        units[missing, np.arange(missing.size)] = 1
        new = (self._transpose.T @ units).T
        if not np.isfinite(new).all():
            raise ValueError("A: its products are NaN or infinity")
        self._known[self._count : count] = new
        self._places[missing] = np.arange(self._count, count)
        self._count = count
