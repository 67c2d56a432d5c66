"""FastOperator: a SciPy LinearOperator that knows what a product with it costs."""

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .._core import dask
from .._core.checks import sequence, shown
from .._core.dtypes import common_dtype
from .._core.formats.matrix_files import path_of
from .._core.limits import check_memory
from .algebra import MAKERS, Algebra
from .drawings import Drawable
from .linear_operator import LinearOperator, NotAnArray
from .operator_files import Saved, write_mat, write_operator, write_plain


class FastOperator(Algebra, Drawable):
    """Base class of the operators: a linear map that costs `nnz` multiplications.

    A subclass calls ``super().__init__(dtype, shape)``, sets `nnz`, and implements
    ``_run``, ``_transpose`` and ``_adjoint``. Operators are immutable: once the
    constructor has returned, no attribute can be set. A subclass lists in ``_owned``
    the names of its attributes whose arrays become read-only, and in ``_made`` those of
    dictionaries that are filled at first use, which ``_forget`` makes.

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
    FactorProduct, Butterfly : Operators of sparse factors.
    nbfact.operators.OperatorSum, nbfact.operators.OperatorProduct : Sums and products.
    nbfact.operators.BlockOperator, nbfact.operators.KroneckerProduct : Stacks and more.
    nbfact.operators.SelectedOperator : Some rows and columns of an operator.

    Notes
    -----
    For operators A and B, a number c and an integer k, these are operators again, with
    `nnz`, `rcg`, `toarray` and `save`: ``A + B``, ``A - B``, ``-A``, ``c * A``,
    ``A / c``, ``A @ B``, ``A ** k``, ``sum([A, B])``, ``A.T``, ``A.H``, ``A.conj()``,
    ``A.inverse()`` where one is known, and ``A[rows, columns]``. Sums take SciPy's
    sparse arrays too. A product, a sum or a scaling of a `FactorProduct` or a
    `Butterfly` is of the same class wherever it has that form.

    ``A @ x`` takes arrays of shape (n,) and (..., n, batch), which it multiplies as
    `numpy.matmul` does; `matvec` and `matmat` are those of SciPy's LinearOperator. Any
    subclass of arrays, memory layout and byte order is accepted. The product with a
    sparse array is a dense array. Masked arrays are refused, because their masks would
    be ignored, and so are sparse arrays whose indices lie outside of their shape.

    BLAS multiplies by the dense matrix of a small operator where that takes less time
    than the parts that `nnz` counts; ``repr(A)`` says where.

    ``A[rows, columns]`` selects by integers, slices, boolean masks and arrays of
    integers, which may be negative, in any order and repeated. A slice or an array
    keeps its axis, and two arrays select the block of all their pairs, as `numpy.ix_`
    does. One integer gives a vector as an ndarray, and two a number.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.transforms.hadamard(8)
    >>> isinstance(A, nf.FastOperator), A.nnz, round(A.rcg, 2)
    (True, 48, 1.33)
    >>> bool(np.allclose((A + 2 * A) @ np.eye(8), 3 * A.toarray()))
    True
    """

    nnz: int

    if TYPE_CHECKING:  # `Algebra` defines them, which does not know this class

        def conj(self) -> "FastOperator":
            """Return the operator of the conjugate matrix."""

        def __neg__(self) -> "FastOperator": ...
        def __pow__(self, exponent: int) -> "FastOperator": ...

    @property
    def density(self) -> float:
        """Return nnz / (m n)."""
        return self.nnz / (self.shape[0] * self.shape[1])

    @property
    def rcg(self) -> float:
        """Return m n / nnz, the relative complexity gain."""
        return 1 / self.density if self.nnz else float("inf")

    @overload
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...
    @overload
    def __matmul__(self, other: NotAnArray) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        """Multiply an array (n,) or (..., n, batch), or compose with another operator.

        The product with a dask array is a dask array: nothing is computed yet.
        """
        return self._product(other)

    def _product(self, other: Any, name: str = "other") -> Any:
        """Return ``self @ other``, where `other` is the argument of that name.

        The methods for products call this one, and never each other, so that a subclass
        can override any of them in terms of another.
        """
        if type(other) is np.ndarray and other.dtype is self.dtype:
            # A kernel takes the array as it is: more checks would double the time.
            if other.flags.carray and other.size and other.ndim <= 2:
                self._check_shape(name, other.shape)
                return self._run(self.dtype, other)
        if isinstance(other, FastOperator):
            if self.shape[1] != other.shape[0]:
                raise ValueError(
                    f"shapes do not chain: {self.shape} @ {other.shape}, "
                    f"{self.shape[1]} is not {other.shape[0]}"
                )
            return MAKERS["product"](self, other)
        if isinstance(other, LinearOperator):
            return LinearOperator.dot(self, other)  # one of SciPy's own
        if dask.is_dask(other):
            dask.check_known(other, max(other.ndim - 2, 0))
            self._check_shape(name, other.shape)
            dtype = common_dtype(self.dtype, other.dtype)
            return dask.product(self, other, dtype)
        x = self._operand(name, other)
        return self._apply(x) if x.ndim <= 2 else self._multiplied(x)

    def _transpose(self) -> Any:
        return self._turned("_adjoint", "_transpose")

    def _adjoint(self) -> Any:
        return self._turned("_transpose", "_adjoint")

    def _turned(self, known, missing):
        """Return the adjoint of a real operator as its transpose, or the reverse.

        SciPy would make one that multiplies by the adjoint of this one, without end.
        """
        kind = type(self)
        if self.dtype.kind != "c":
            if getattr(kind, known) is not getattr(FastOperator, known):
                return getattr(self, known)()
        raise NotImplementedError(f"the class {kind.__name__} must implement {missing}")

    def inverse(self) -> "FastOperator":
        """Return the inverse as a fast operator, where one is known.

        Returns
        -------
        FastOperator
            The operator of the inverse matrix, which costs about as much as this one.

        Raises
        ------
        ValueError
            When the operator is not square, when it is singular or so ill-conditioned
            that the inverse would have no correct digit, or when no fast inverse of it
            is known.

        See Also
        --------
        nbfact.transforms : The exact operators, all of which have an inverse.

        Notes
        -----
        Known inverses are those of sparse factors, one by one, whose blocks are small;
        of matrices with orthogonal rows or columns of any lengths, and of those whose
        square is a multiple of the identity, which covers the cosine, sine, Fourier and
        Hartley transforms of each type and scaling; of circulant matrices; and of
        products, Kronecker products and block diagonals of operators with inverses.
        Whether a matrix is orthogonal or circulant is found by products with a random
        vector, so that loaded and learned operators have inverses too.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> A = nf.transforms.dct(12, type=1, normalized=False)
        >>> x = np.arange(12.0)
        >>> bool(np.allclose(A.inverse() @ (A @ x), x))
        True
        """
        return MAKERS["inverse"](self)

    def _inverted(self) -> "FastOperator":
        """Return the inverse by the parts of the operator, or raise a ValueError."""
        raise ValueError(f"the inverse of a {type(self).__name__} has no known parts")

    def to_factors(self) -> Any:
        """Return the operator as a `FactorProduct`, the product of sparse factors.

        Returns
        -------
        FactorProduct
            The factors from left to right, and their scale.

        Raises
        ------
        TypeError
            When the operator is not made of sparse factors: one of your own subclass.

        See Also
        --------
        export : Write the factors to a file.

        Examples
        --------
        >>> import nbfact as nf
        >>> len(nf.transforms.hadamard(8).to_factors().factors)
        3
        """
        raise TypeError(f"a {type(self).__name__} is not made of sparse factors")

    def save(self, path: Any) -> None:
        """Write the operator to a file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            The suffix ``.npz`` gives nbfact's own format, in which the operator stays
            what it is. The suffix ``.mat`` gives the factor list of FAμST
            (``faust_factors``), that of `to_factors`, with the scale multiplied into
            the first factor.

        Raises
        ------
        TypeError
            When the operator is of your own subclass, or made of such operators.
        ValueError
            When the suffix is another.
        OSError
            When the file cannot be written.

        See Also
        --------
        nbfact.load : Read the operator again.
        export : Write sparse factors for programs without nbfact.

        Examples
        --------
        >>> import os, tempfile, nbfact as nf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "dct.npz")
        ...     nf.transforms.dct(8).save(path)
        ...     print(nf.load(path).shape)
        (8, 8)
        """
        if path_of(path).suffix == ".mat":
            product = self.to_factors()
            write_mat(product.factors, product.scale, path)
        else:
            write_operator(self._saved(), path)

    def _saved(self) -> Saved:
        """Return what a file holds of the operator."""
        raise TypeError(f"a {type(self).__name__} cannot be saved")

    def export(self, path: Any) -> None:
        """Write the operator as sparse factors that NumPy and SciPy alone can read.

        The operator is ``scale * S[0] @ S[1] @ ... @ S[n_factors - 1]``. The file holds
        the entries ``scale`` and ``n_factors``, and for each factor S[j] in CSR form
        the entries ``data_j``, ``indices_j``, ``indptr_j`` and ``shape_j``. Three more
        entries are for `nbfact.load`: ``format``, ``version`` and ``checksum``.

        Parameters
        ----------
        path : str or path-like
            The suffix must be ``.npz``. The file is written whole or not at all.

        Raises
        ------
        TypeError
            When the operator is not made of sparse factors, see `to_factors`.
        ValueError
            When the suffix is another.
        OSError
            When the file cannot be written.

        See Also
        --------
        save : Write the operator for nbfact, in the form that multiplies fastest.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np, scipy.sparse as sp, nbfact as nf
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = os.path.join(folder.name, "plain.npz")
        >>> nf.transforms.hadamard(4).export(path)
        >>> with np.load(path) as file:  # from here on without nbfact
        ...     factors = [
        ...         sp.csr_array(
        ...             (file[f"data_{j}"], file[f"indices_{j}"], file[f"indptr_{j}"]),
        ...             shape=tuple(file[f"shape_{j}"]),
        ...         )
        ...         for j in range(int(file["n_factors"]))
        ...     ]
        ...     y = float(file["scale"]) * np.ones(4)
        >>> for factor in reversed(factors):
        ...     y = factor @ y
        >>> y
        array([2., 0., 0., 0.])
        >>> folder.cleanup()
        """
        product = self.to_factors()
        write_plain(product.factors, product.scale, path)

    def _supports(self) -> list[tuple[str, Any]]:
        """Return the sparse factors of `to_factors`, each with a title."""
        return [
            (f"{factor.nnz} of {factor.shape[0]}x{factor.shape[1]}", factor)
            for factor in self.to_factors().factors
        ]

    def toarray(self) -> np.ndarray:
        """Return the dense matrix in the dtype of the operator.

        Returns
        -------
        ndarray, (m, n)
            A new array.

        Examples
        --------
        >>> import nbfact as nf
        >>> nf.transforms.permutation([1, 0]).toarray()
        array([[0., 1.],
               [1., 0.]])
        """
        m, n = self.shape
        check_memory(f"a dense array of shape {self.shape}", m * n + min(m, n) ** 2)
        if m < n:
            return self._dense_and_wide()
        return self._dense()

    def _dense(self) -> np.ndarray:
        """Return the dense matrix of an operator with no more columns than rows."""
        return self @ np.eye(self.shape[1], dtype=self.dtype)

    def _dense_and_wide(self) -> np.ndarray:
        """Return the dense matrix of an operator with more columns than rows."""
        return np.ascontiguousarray(self.T._dense().T)


def operators_of(name: str, value: Any) -> "list[FastOperator]":
    """Return an argument that holds operators as a list of at least one, or raise.

    A TypeError says which item is no FastOperator; `name` is that of the argument.
    """
    listed = sequence(name, value, "operators", 1)
    if not all(isinstance(one, FastOperator) for one in listed):
        for number, one in enumerate(listed):
            check_operator(f"{name}[{number}]", one)
    return listed


def check_operator(name: str, value: Any) -> None:
    """Raise a TypeError unless an argument is a FastOperator."""
    if not isinstance(value, FastOperator):
        raise TypeError(
            f"{name} is {shown(value)}: expected a FastOperator; "
            "FactorProduct([matrix]) makes one of a matrix"
        )
