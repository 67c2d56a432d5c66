"""FastOperator: a SciPy LinearOperator that knows what a product with it costs."""

import numbers
from typing import Any, overload

import numpy as np

from .._core import dask
from .._core.dtypes import common_dtype, real_dtype
from .linear_operator import LinearOperator, NotAnArray


class FastOperator(LinearOperator):
    """Base class of the operators: a linear map that costs `nnz` multiplications.

    A subclass calls ``super().__init__(dtype, shape)``, sets `nnz`, and implements
    ``_run``, ``_transpose`` and ``_adjoint``.

    Attributes
    ----------
    shape : tuple of int
        Rows m and columns n of the matrix.
    dtype : numpy.dtype
        float32, float64, complex64 or complex128.
    nnz : int
        Number of multiplications of one product with a vector.
    rcg : float
        Relative complexity gain, m n / nnz: how many times fewer multiplications a
        product needs than with the dense matrix (Le Magoarou & Gribonval 2016).
        Infinity when `nnz` is 0.
    density : float
        nnz / (m n), which is 1 / rcg.

    See Also
    --------
    FactorProduct, Butterfly, OperatorSum : The operators.
    """

    nnz: int

    def __getstate__(self) -> dict:
        # SciPy 1.18 keeps a module in each operator, and a module cannot be pickled.
        return {k: v for k, v in self.__dict__.items() if k != "_xp"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        super().__init__(self.dtype, self.shape)

    @property
    def density(self) -> float:
        """Return nnz / (m n)."""
        return self.nnz / (self.shape[0] * self.shape[1])

    @property
    def rcg(self) -> float:
        """Return m n / nnz, the relative complexity gain."""
        return 1 / self.density if self.nnz else float("inf")

    def _apply(self, x: np.ndarray) -> np.ndarray:
        """Multiply a checked array (n,) or (n, batch)."""
        dtype = common_dtype(self.dtype, x.dtype)
        # A real map of complex columns is the same map of twice as many real columns.
        kernel_dtype = dtype if self.dtype.kind == "c" else real_dtype(dtype)
        if x.dtype != dtype or not (x.flags.c_contiguous and x.flags.writeable):
            x = np.array(x, dtype, order="C")
        shape = (self.shape[0], *x.shape[1:])
        if x.size == 0:
            return np.zeros(shape, dtype)
        if kernel_dtype == dtype:
            return self._run(dtype, x)
        columns = x.reshape(len(x), -1).view(kernel_dtype)
        return self._run(kernel_dtype, columns).view(dtype).reshape(shape)

    def _run(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        raise NotImplementedError

    def _operand(self, other: Any) -> np.ndarray:
        """Return the right operand of a product as an array of a shape that fits."""
        x = other.toarray() if hasattr(other, "toarray") else np.asarray(other)
        self._check_shape(x.shape)
        return x

    def _check_shape(self, shape: tuple) -> None:
        """Raise ValueError unless an array of this shape can be multiplied."""
        n = self.shape[1]
        if len(shape) not in (1, 2) or shape[0] != n:
            raise ValueError(
                f"an operator of shape {self.shape} multiplies arrays of shape "
                f"({n},) or ({n}, batch), got {shape}"
            )

    @overload
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...
    @overload
    def __matmul__(self, other: NotAnArray) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        """Multiply an array (n,) or (n, batch), or compose with another operator.

        The product with a dask array is a dask array: nothing is computed yet.
        """
        if isinstance(other, LinearOperator):
            # SciPy's __matmul__ would call __mul__ and so end up here again.
            return LinearOperator.dot(self, other)
        if dask.is_dask(other):
            dask.check_known(other, 0)
            self._check_shape(other.shape)
            dtype = common_dtype(self.dtype, other.dtype)
            return dask.product(self, other, dtype)
        return self._apply(self._operand(other))

    def dot(self, x: Any) -> Any:
        """Return ``self @ x``, or ``self * x`` for a number, as SciPy does."""
        return self * x if np.isscalar(x) else self @ x

    def _matvec(self, x):
        return self._apply(x.reshape(-1))

    def _matmat(self, x):
        return self._apply(x)

    def _rmatvec(self, x):
        return self.H @ x.reshape(-1)

    def _rmatmat(self, x):
        return self.H @ x

    def __rmul__(self, other: Any) -> Any:
        if is_number(other):
            return self * other
        if dask.is_dask(other):  # SciPy, which also maps @ to here, would compute it
            m = self.shape[0]
            dask.check_known(other, -1)
            if other.ndim not in (1, 2) or other.shape[-1] != m:
                raise ValueError(
                    f"an operator of shape {self.shape} is multiplied from the left by "
                    f"arrays of shape ({m},) or (batch, {m}), got {other.shape}"
                )
            return (self.T @ other.T).T
        return super().__rmul__(other)

    def __truediv__(self, other: Any) -> Any:
        return self * (1 / other)

    def __neg__(self) -> Any:
        return self * -1.0

    def toarray(self) -> np.ndarray:
        """Return the dense matrix, (m, n), in the dtype of the operator."""
        m, n = self.shape
        if m < n:
            return np.ascontiguousarray((self.T @ np.eye(m, dtype=self.dtype)).T)
        return self @ np.eye(n, dtype=self.dtype)


def is_number(value: Any) -> bool:
    """Return whether a value is a number, by which an operator can be scaled."""
    return isinstance(value, numbers.Number)
