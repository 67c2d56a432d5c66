"""ArrayProducts: products with arrays of every kind, checked before any kernel."""

from typing import Any

import numpy as np

from .._core.array_checks import dense_array
from .._core.dtypes import common_dtype, real_dtype
from .sealing import Sealed


class ArrayProducts(Sealed):
    """Base class of `Algebra`: a linear map that multiplies arrays.

    A kernel reads as many entries as its operator has columns, whatever it is given.
    All products therefore end in ``_apply``, which takes plain arrays whose shape is
    checked. Every public method makes such an array of its argument.

    Notes
    -----
    These are the rules of SciPy's LinearOperator, in all its versions alike. A matrix
    (`numpy.matrix`), a memory map, an array of another subclass, of another byte order
    or of other strides counts as the plain array of its entries, and so does anything
    with a method `toarray`, such as a sparse array, whose product is dense.
    """

    def _run(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        raise NotImplementedError(
            f"a {type(self).__name__} multiplies nothing: its class must implement _run"
        )

    def _apply(self, x: np.ndarray) -> np.ndarray:
        """Multiply a plain array whose shape is checked, (n,) or (n, batch)."""
        dtype = common_dtype(self.dtype, x.dtype)
        # A real map of complex columns is the same map of twice as many real columns.
        kernel_dtype = dtype if self.dtype.kind == "c" else real_dtype(dtype)
        if x.dtype != dtype or not x.flags.carray:
            x = np.array(x, dtype, order="C")
        shape = (self.shape[0], *x.shape[1:])
        if x.size == 0:
            return np.zeros(shape, dtype)
        if kernel_dtype == dtype:
            return self._run(dtype, x)
        columns = x.reshape(len(x), -1).view(kernel_dtype)
        return self._run(kernel_dtype, columns).view(dtype).reshape(shape)

    def _multiplied(self, x: np.ndarray) -> np.ndarray:
        """Multiply a plain array whose shape is checked, (n,) or (..., n, batch)."""
        if x.ndim <= 2:
            return self._apply(x)
        columns = np.moveaxis(x, -2, 0)
        found = self._apply(columns.reshape(len(columns), -1))
        return np.moveaxis(found.reshape(self.shape[0], *columns.shape[1:]), 0, -2)

    def _operand(self, name: str, value: Any) -> np.ndarray:
        """Return the right operand of a product as a plain array of a shape that fits.

        `name` is that of the argument, for the message.
        """
        ready = type(value) is np.ndarray and value.dtype.char in "fdFD"
        x = value if ready else dense_array(name, value)
        self._check_shape(name, x.shape)
        return x

    def _check_shape(self, name: str, shape: tuple) -> None:
        """Raise ValueError unless an array of this shape can be multiplied."""
        n = self.shape[1]
        if not shape or shape[0 if len(shape) == 1 else -2] != n:
            raise ValueError(
                f"{name} has shape {shape}: an operator of shape {self.shape} "
                f"multiplies arrays of shape ({n},) or (..., {n}, batch)"
            )

    def _check_left(self, name: str, shape: tuple) -> None:
        """Raise ValueError unless an array of this shape can be the left operand."""
        m = self.shape[0]
        if not shape or shape[-1] != m:
            raise ValueError(
                f"{name} has shape {shape}: an operator of shape {self.shape} is "
                f"multiplied from the left by arrays of shape ({m},) or (..., batch, "
                f"{m})"
            )

    def matvec(self, x: Any) -> np.ndarray:
        """Return the product with a vector, or with each of several vectors.

        Parameters
        ----------
        x : array_like, shape (n,), (n, 1) or (..., n)
            A vector, a column, or vectors along the last axis.

        Returns
        -------
        ndarray, shape (m,), (m, 1) or (..., m)
            A `numpy.matrix` when x is one.

        Raises
        ------
        TypeError, ValueError
            When x does not hold numbers, is a masked array, or has another shape.
        """
        n, plain = self.shape[1], dense_array("x", x)
        if plain.shape == (n, 1) or plain.shape == (n,):
            found = self._apply(plain)
        elif plain.ndim and plain.shape[-1] == n:
            found = self._apply(plain.reshape(-1, n).T).T
            found = found.reshape(*plain.shape[:-1], self.shape[0])
        else:
            raise ValueError(
                f"x has shape {plain.shape}: matvec of an operator of shape "
                f"{self.shape} takes arrays of shape ({n},), ({n}, 1) or (..., {n})"
            )
        return _like(x, found)

    def matmat(self, X: Any) -> np.ndarray:
        """Return the product with the columns of a matrix, or of each of several.

        Parameters
        ----------
        X : array_like, shape (..., n, batch)

        Returns
        -------
        ndarray, shape (..., m, batch)
            A `numpy.matrix` when X is one.

        Raises
        ------
        TypeError, ValueError
            When X does not hold numbers, is a masked array, or has another shape.
        """
        plain, n = dense_array("X", X), self.shape[1]
        if plain.ndim < 2 or plain.shape[-2] != n:
            raise ValueError(
                f"X has shape {plain.shape}: matmat of an operator of shape "
                f"{self.shape} takes arrays of shape (..., {n}, batch)"
            )
        return _like(X, self._multiplied(plain))

    def rmatvec(self, x: Any) -> np.ndarray:
        """Return the product of the adjoint with one or several vectors.

        Parameters, result and errors are those of `matvec`, with m and n exchanged.
        """
        return self.H.matvec(x)

    def rmatmat(self, X: Any) -> np.ndarray:
        """Return the product of the adjoint with the columns of one or more matrices.

        Parameters, result and errors are those of `matmat`, with m and n exchanged.
        """
        return self.H.matmat(X)

    # What other operators of SciPy call of this one.

    def _matvec(self, x: Any) -> np.ndarray:
        return self.matvec(x)

    def _matmat(self, x: Any) -> np.ndarray:
        return self.matmat(x)

    def _rmatvec(self, x: Any) -> np.ndarray:
        return self.H.matvec(x)

    def _rmatmat(self, x: Any) -> np.ndarray:
        return self.H.matmat(x)


def _like(x: Any, found: np.ndarray) -> np.ndarray:
    """Return a product as a matrix of NumPy when the operand is one."""
    return found.view(np.matrix) if isinstance(x, np.matrix) else found
