"""Checks of arrays and matrices: arguments that hold many numbers.

Each check returns the checked value, and otherwise raises an error whose message names
the argument and its sizes. `nbfact._core.checks` has those of single values.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .checks import shown
from .dtypes import common_dtype


def plain_array(name: str, value: Any) -> np.ndarray:
    """Return an argument as a plain array of numbers, of any shape and dtype.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        What the caller passed: an array of NumPy or of a subclass, such as a matrix or
        a memory map, or nested sequences of numbers.

    Returns
    -------
    ndarray
        The values where they are, without a copy if that is possible, and without the
        subclass.

    Raises
    ------
    TypeError
        When the entries are not numbers, or wider than complex128; for a sparse matrix,
        and for a masked array, because its mask would be ignored.
    ValueError
        When the rows differ in length.
    """
    array = value if type(value) is np.ndarray else as_base_array(name, value)
    if array.dtype.kind not in "biufc":
        got = f"dtype {array.dtype}" if array.ndim else shown(value)
        raise TypeError(f"{name} is {got}: expected an array of numbers")
    if array.dtype.char in "gG":
        raise TypeError(f"{name} has dtype {array.dtype}: expected at most complex128")
    return array


def refuse_masked(name: str, value: Any) -> None:
    """Raise a TypeError for a masked array, because its mask would be ignored."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array {value.shape}: its mask would be ignored; pass "
            f"{name}.filled(...) or {name}.data"
        )


def as_base_array(name: str, value: Any) -> np.ndarray:
    """Return an argument as an array of no subclass, whatever its entries are.

    Errors are those of `plain_array`, but for its entries.
    """
    refuse_masked(name, value)
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is no array: its rows differ in length") from None
    except Exception as error:  # whatever __array__ of the object raises
        raise TypeError(f"{name} is no array: {error}") from None


def dense_array(name: str, value: Any) -> np.ndarray:
    """Return an argument that is an array or has a method `toarray` as a plain array.

    Operators have that method, and sparse matrices, which are checked before, see
    `check_sparse`. Parameters, result and errors are those of `plain_array`.
    """
    if not isinstance(value, np.ndarray):
        if sp.issparse(value):
            check_sparse(name, value)
        if hasattr(value, "toarray") and not isinstance(value, type):
            value = value.toarray()
    return plain_array(name, value)


def matrix_of(name: str, value: Any) -> Any:
    """Return a sparse matrix unchanged, checked, and anything else as a plain array.

    Parameters, result and errors are those of `plain_array` and `check_sparse`.
    """
    if sp.issparse(value):
        check_sparse(name, value)
        return value
    return plain_array(name, value)


def array_of(name: str, value: Any, ndim: int, *, kinds: str = "fc") -> np.ndarray:
    """Return an argument as a non-empty array of finite numbers.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        What the caller passed; it is copied only where its dtype changes.
    ndim : int
        Required number of dimensions.
    kinds : {"fc", "f"}
        Accepted kinds: ``"f"`` for real numbers, ``"fc"`` for complex ones too.

    Returns
    -------
    ndarray
        In float32, float64, complex64 or complex128; integers become float64.

    Raises
    ------
    TypeError
        When the entries are not numbers, wider than complex128, or complex where only
        real ones are accepted.
    ValueError
        When the number of dimensions is another, the array is empty, or an entry is
        NaN or infinite.
    """
    array = plain_array(name, value)
    if ndim == 2:
        check_matrix(name, array.shape)
    elif array.ndim != ndim or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: expected {ndim} dimension"
            f"{'s' * (ndim > 1)}, none empty"
        )
    if array.dtype.kind == "c" and "c" not in kinds:
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    array = array.astype(common_dtype(array.dtype), copy=False)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} {array.shape} contains NaN or infinity")
    return array


def check_matrix(name: str, shape: Sequence[int]) -> None:
    """Raise a ValueError unless a shape is that of a matrix with entries.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    shape : sequence of int
        The shape of an array, of a sparse matrix or of an operator.
    """
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{name} must be a matrix that is not empty, got shape {tuple(shape)}"
        )


def check_sparse(name: str, matrix: Any) -> None:
    """Raise unless the index arrays of a sparse matrix fit its shape.

    SciPy trusts these arrays, and so does a kernel: an index out of bounds lets them
    read or write anywhere. The matrix is not changed, and is not converted before its
    own arrays are checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    matrix : scipy sparse array or matrix
        In any format of SciPy.

    Raises
    ------
    TypeError
        When its entries are not numbers, or wider than complex128.
    ValueError
        When an index array has the wrong length, or holds an index out of bounds.
    """
    dtype = getattr(matrix, "dtype", None)
    if dtype is not None and (dtype.kind not in "biufc" or dtype.char in "gG"):
        raise TypeError(f"{name} has dtype {dtype}: expected numbers")
    try:
        fault = _fault(matrix)
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        fault = f"its parts do not fit together ({error})"
    if fault:
        raise ValueError(
            f"{name} {tuple(matrix.shape)} is not a valid sparse matrix: {fault}"
        )


def _fault(matrix):
    """Return what is wrong with the arrays of a sparse matrix, or nothing."""
    if matrix.format == "lil":  # the other formats are then made without its indices
        return _lil_fault(matrix)
    if matrix.format in ("csr", "csc", "bsr"):
        return _compressed_fault(matrix)
    if matrix.format == "dia":
        if matrix.data.ndim != 2 or matrix.offsets.shape != matrix.data.shape[:1]:
            return "its offsets and its data differ in length"
        twice = len(np.unique(matrix.offsets)) < len(matrix.offsets)
        return "it has an offset twice" if twice else ""
    return _coordinates_fault(matrix.tocoo())


def _compressed_fault(matrix):
    """Return what is wrong with the arrays of a CSR, CSC or BSR matrix, or nothing."""
    indptr, indices, counts = matrix.indptr, matrix.indices, list(matrix.shape)
    kinds = indptr.dtype.kind + indices.dtype.kind
    if indptr.ndim != 1 or indices.ndim != 1 or kinds != "ii":
        return "its index arrays are no vectors of integers"
    if matrix.format == "bsr":
        blocks = matrix.data.shape[1:]
        if len(blocks) != 2 or 0 in blocks or np.any(np.mod(counts, blocks)):
            return f"its blocks have shape {blocks}"
        counts = [n // block for n, block in zip(counts, blocks, strict=True)]
    if matrix.format == "csc":
        counts.reverse()
    n_rows = counts[0] if len(counts) > 1 else 1
    falls = indptr[1:] < indptr[:-1]
    if len(indptr) != n_rows + 1 or indptr[0] != 0 or falls.any():
        return f"its indptr is not {n_rows + 1} integers that rise from 0"
    stored = int(indptr[-1])
    if stored > min(len(indices), len(matrix.data)):
        return (
            f"its indptr ends at {stored}, but there are {len(indices)} indices and "
            f"{len(matrix.data)} values"
        )
    return _out_of_bounds(indices[:stored], counts[-1])


def _coordinates_fault(matrix):
    """Return what is wrong with the arrays of a COO matrix, or nothing."""
    axes = getattr(matrix, "coords", None) or (matrix.row, matrix.col)
    for index, n in zip(axes, matrix.shape, strict=True):
        if index.shape != matrix.data.shape or index.dtype.kind != "i":
            return f"it has {index.shape} indices for {matrix.data.shape} values"
        fault = _out_of_bounds(index, n)
        if fault:
            return fault
    return ""


def _lil_fault(matrix):
    """Return what is wrong with the lists of a LIL matrix, or nothing."""
    if not len(matrix.rows) == len(matrix.data) == matrix.shape[0]:
        return "it has another number of lists than of rows"
    for row, values in zip(matrix.rows, matrix.data, strict=True):
        if len(row) != len(values):
            return f"a row has {len(row)} indices for {len(values)} values"
        fault = _out_of_bounds(np.array(row, np.int64), matrix.shape[1])
        if fault:
            return fault
    return ""


def _out_of_bounds(index, n):
    """Return which of some indices are not from 0 to n - 1, or nothing."""
    if index.size and not 0 <= index.min() <= index.max() < n:
        return f"it holds indices from {index.min()} to {index.max()}, not below {n}"
    return ""


def check_output(
    name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype
) -> None:
    """Raise unless an argument can be written to: a plain array that fits a result.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : ndarray
        What the caller passed.
    shape : tuple of int
        Shape of the result.
    dtype : numpy.dtype
        Dtype of the result.

    Raises
    ------
    TypeError
        When it is not an array, or a masked one.
    ValueError
        When its shape or its dtype is another, or it is read-only.
    """
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}={shown(value)}: expected an array of shape {shape} and dtype "
            f"{dtype}"
        )
    if value.shape != shape or value.dtype != dtype:
        raise ValueError(
            f"{name} has shape {value.shape} and dtype {value.dtype}, the product has "
            f"shape {shape} and dtype {dtype}"
        )
    if not value.flags.writeable:
        raise ValueError(f"{name} {shape} is read-only")


def permutation_of(
    name: str, value: Any, length: int, *, dropped: bool = False
) -> np.ndarray:
    """Return a permutation as an array of indices.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like of int, shape (length,)
        What the caller passed.
    length : int
        Number of indices.
    dropped : bool, default False
        Whether an index -1 is accepted, for what is left out. The others are then those
        from 0 on, at least one of them.

    Returns
    -------
    ndarray of intp, shape (length,)
        A copy.

    Raises
    ------
    TypeError
        When it holds no numbers.
    ValueError
        Unless there are `length` integers, each from 0 on once.
    """
    index = plain_array(name, value)
    if index.shape != (length,) or index.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be {length} integers, got shape {index.shape} of "
            f"{index.dtype}"
        )
    index = index.astype(np.intp)
    kept = np.sort(index[index != -1] if dropped else index)
    if kept.size == 0 or np.any(kept != np.arange(kept.size)):
        raise ValueError(
            f"{name} is no permutation: expected 0 to {max(kept.size - 1, 0)}, each of "
            f"them once{', and nothing else but -1' * dropped}"
        )
    return index
