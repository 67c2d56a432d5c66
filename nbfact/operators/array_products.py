"""ArrayProducts: products with arrays of every kind, checked before any kernel."""

import math
from typing import Any

import numpy as np

from .._core import dask
from .._core.array_checks import check_output, dense_array
from .._core.cache_lines import maker
from .._core.checks import size
from .._core.dtypes import common_dtype, real_dtype
from .._core.threads import share
from .._core.threads import threads as threads_of
from ..kernels import transpose
from .sealing import Sealed

ROW_BYTES = 1 << 19
"""Size of a tile of rows that is turned to columns and multiplied, in bytes: half of a
second cache of 1 MiB."""
FEWEST_ROWS = 16
"""Number of rows that the length of a tile is a multiple of. Tiles are at least twice
as long where there are as many rows, because kernels take longer for few columns."""
MANY_PRODUCTS, COLUMN_BYTES = 50, 256
"""Number of multiplications for each entry of a vector from which on the columns of a
tile are that many bytes or more: what they do with a value counts more than caches."""


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

    nnz: int

    def apply(
        self,
        x: Any,
        out: np.ndarray | None = None,
        *,
        axis: int | None = None,
        threads: int | None = None,
    ) -> np.ndarray:
        """Return the products with the vectors along an axis of x, written to `out`.

        Parameters
        ----------
        x : array_like, shape (n,) or (..., n, batch)
            Vector or columns to multiply. With ``axis=1`` of a matrix, or -1, its rows
            are multiplied, and its shape is (..., batch, n): scikit-learn, torch and
            pandas hold samples so.
        out : ndarray, of the shape of x with m in place of n, optional
            Array of the dtype of the product to write into. It may be `x` itself, or
            share memory with it. When it is C-contiguous and shares no memory with `x`,
            a `Butterfly` allocates nothing for the result.
        axis : int, optional
            Axis of x along which the vectors lie. By default it is the one that ``@``
            multiplies: the last but one, or the only one.
        threads : int, optional
            Number of threads that share the vectors, as in `nbfact.threads`; by default
            that of the enclosing block. The result is the same.

        Returns
        -------
        ndarray, of the shape of x with m in place of n
            `out`, or a new array.

        Raises
        ------
        TypeError, ValueError
            When the shape of `x`, or the shape or the dtype of `out` does not fit, when
            `out` is no array or read-only, when x has no such axis, or `threads` is no
            positive integer.

        See Also
        --------
        matvec, matmat : The methods of SciPy's LinearOperator.

        Notes
        -----
        A tile of rows is turned to columns and multiplied while it is in cache, so that
        rows cost about as much as columns.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> H, samples = nf.transforms.hadamard(4), np.eye(2, 4)
        >>> H.apply(samples, axis=1)
        array([[ 0.5,  0.5,  0.5,  0.5],
               [ 0.5, -0.5,  0.5, -0.5]])
        """
        if threads is not None:
            with threads_of(threads):
                return self.apply(x, out, axis=axis)
        if out is None and axis is None:
            return self._product(x, "x")
        x = x if dask.is_dask(x) else dense_array("x", x)
        shape = self._shape_of_product(x.shape, axis)
        here = -2 if axis is None or x.ndim == 1 else axis
        columns = x if here == -2 else np.moveaxis(x, here, -2)
        if out is None:
            found = self._product(columns, "x")
            return found if here == -2 else np.moveaxis(found, -2, here)
        dtype = common_dtype(self.dtype, x.dtype)
        check_output("out", out, shape, dtype)
        written = np.asarray(out)
        if here != -2:
            written = np.moveaxis(written, here, -2)
        self._write(dtype, columns, written)
        return out

    def _shape_of_product(self, shape, axis):
        """Return the shape of the products with vectors along an axis, or raise."""
        m, n = self.shape
        if axis is None or not shape:
            self._check_shape("x", shape)
            axis = -2 if len(shape) > 1 else 0
        axis = size("axis", axis, -len(shape), len(shape) - 1)
        if shape[axis] != n:
            raise ValueError(
                f"x has shape {shape}: an operator of shape {self.shape} multiplies "
                f"vectors of length {n}, and the length of axis {axis} is {shape[axis]}"
            )
        axis %= len(shape)
        return (*shape[:axis], m, *shape[axis + 1 :])

    def _product(self, other: Any, name: str = "other") -> Any:
        """Return ``self @ other``, where `other` is the argument `name`."""
        raise NotImplementedError

    def _write(self, dtype: np.dtype, x: np.ndarray, out: np.ndarray) -> None:
        """Write the product with a plain array of a shape that fits to `out`.

        `dtype` is that of the product. The arrays may share memory.
        """
        if x.ndim == 2 and x.flags.fnc and x.size and x.dtype == dtype:
            rows, written = x.T, out.T
            if rows.flags.carray and written.flags.carray:
                if not np.may_share_memory(rows, written):
                    return self._rows(dtype, rows, written)
        out[...] = self._multiplied(x)

    def _run(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        raise NotImplementedError(
            f"a {type(self).__name__} multiplies nothing: its class must implement _run"
        )

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time of a product in nanoseconds, minus infinity if not known.

        It is that of a vector where `batch` is 1, and of as many columns, or rows,
        otherwise, by what the operator is made of, without its dense matrix.
        """
        return -math.inf

    def _apply(self, x: np.ndarray) -> np.ndarray:
        """Multiply a plain array whose shape is checked, (n,) or (n, batch)."""
        dtype = common_dtype(self.dtype, x.dtype)
        if x.ndim == 2 and x.flags.fnc and x.size:
            rows = x.T
            if x.dtype != dtype or not rows.flags.carray:
                rows = np.array(rows, dtype, order="C")
            out = maker((len(rows), self.shape[0]), dtype)()
            self._rows(dtype, rows, out)
            return out.T
        if x.dtype != dtype or not x.flags.carray:
            x = np.array(x, dtype, order="C")
        shape = (self.shape[0], *x.shape[1:])
        if x.size == 0:
            return np.zeros(shape, dtype)
        kernel_dtype = self._kernel_dtype(dtype)
        if kernel_dtype == dtype:
            return self._run(dtype, x)
        columns = x.reshape(len(x), -1).view(kernel_dtype)
        return self._run(kernel_dtype, columns).view(dtype).reshape(shape)

    def _kernel_dtype(self, dtype):
        """Return the dtype in which vectors of a dtype are multiplied.

        A real map of complex columns is the same map of twice as many real columns.
        """
        return dtype if self.dtype.kind == "c" else real_dtype(dtype)

    def _rows(self, dtype: np.dtype, x: np.ndarray, out: np.ndarray) -> None:
        """Multiply the rows of x, (batch, n), and write them to out, (batch, m).

        Both are of the dtype, writable, C-contiguous and not empty, and share no
        memory.
        """
        self._tiles_of_rows(dtype, x, out)

    def _tiles_of_rows(self, dtype, x, out):
        """Do what `_rows` does, with tiles of rows turned to columns, and back."""
        batch, tile = len(x), self._tile(dtype, len(x))
        kernel_dtype = self._kernel_dtype(dtype)

        def multiply(begin, end):
            for first in range(begin, end, tile):
                part = x[first : min(first + tile, end)]
                columns = np.empty(part.shape[::-1], dtype)
                transpose(part, columns)
                found = self._run(kernel_dtype, columns.view(kernel_dtype))
                found = np.ascontiguousarray(found, kernel_dtype).view(dtype)
                transpose(found, out[first : first + len(part)])

        share(self.nnz * dtype.itemsize, batch, multiply, tile)

    def _tile(self, dtype, batch):
        """Return the number of rows of a tile of `batch` rows."""
        longest, least = max(self.shape), 2 * FEWEST_ROWS
        if self.nnz > MANY_PRODUCTS * longest:
            least = max(least, COLUMN_BYTES // dtype.itemsize)
        most = ROW_BYTES // (longest * dtype.itemsize)
        count = -(-batch // max(most, least))
        return -(-batch // (count * FEWEST_ROWS)) * FEWEST_ROWS

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

        See Also
        --------
        matmat, rmatvec : The product with columns, and that of the adjoint.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> nf.transforms.hadamard(4).matvec(np.ones(4))
        array([2., 0., 0., 0.])
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

        See Also
        --------
        matvec, rmatmat : The product with one vector, and that of the adjoint.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> nf.transforms.haar(2).matmat(np.ones((2, 3))).round(3)
        array([[1.414, 1.414, 1.414],
               [0.   , 0.   , 0.   ]])
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

        See Also
        --------
        matvec : The product of the operator itself.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> nf.transforms.permutation([1, 2, 0]).rmatvec(np.array([1.0, 2.0, 3.0]))
        array([3., 1., 2.])
        """
        return self.H.matvec(x)

    def rmatmat(self, X: Any) -> np.ndarray:
        """Return the product of the adjoint with the columns of one or more matrices.

        Parameters, result and errors are those of `matmat`, with m and n exchanged.

        See Also
        --------
        matmat : The product of the operator itself.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> nf.transforms.permutation([1, 2, 0]).rmatmat(np.eye(3))
        array([[0., 0., 1.],
               [1., 0., 0.],
               [0., 1., 0.]])
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
