"""Sparse matrices in files: their arrays are checked before they become a matrix.

SciPy trusts the indices of a sparse matrix: one that is out of bounds makes its
compiled loops read and write anywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..array_checks import check_sparse
from ..limits import check_dense


def csr(data: Any, indices: Any, indptr: Any, shape: Any) -> sp.csr_array:
    """Return a sparse matrix of arrays from a file, stored row by row.

    Raises
    ------
    ValueError
        When the arrays do not fit together, or an index is out of bounds.
    """
    return _compressed(sp.csr_array, data, indices, indptr, shape)


def csc(data: Any, indices: Any, indptr: Any, shape: Any) -> sp.csc_array:
    """Return a sparse matrix of arrays from a file, stored column by column.

    Raises
    ------
    ValueError
        When the arrays do not fit together, or an index is out of bounds.
    """
    return _compressed(sp.csc_array, data, indices, indptr, shape)


def coo(data: Any, row: Any, col: Any, shape: Any) -> sp.coo_array:
    """Return a sparse matrix of arrays from a file, stored as triples.

    Raises
    ------
    ValueError
        When the arrays do not fit together, or an index is out of bounds.
    """
    data, row, col = _native(data), _indices(row), _indices(col)
    return _checked(sp.coo_array((data, (row, col)), shape=_shape(shape)))


def matlab_sparse(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: Sequence[int]
) -> sp.csc_array:
    """Return a sparse matrix as MATLAB stores it: by columns, rows in order.

    Zeros may follow the entries, because MATLAB reserves memory.

    Raises
    ------
    ValueError
        When the arrays do not fit together, an index is out of bounds, or the rows of a
        column are not in order.
    """
    if indptr.size == 0 or not 0 <= indptr[-1] <= min(data.size, indices.size):
        raise ValueError(_LENGTHS)
    count = int(indptr[-1])
    if np.any(data[count:]) or np.any(indices[count:]):
        raise ValueError(_LENGTHS)
    matrix = csc(data[:count], indices[:count], indptr, shape)
    within = np.ones(count, bool)
    within[matrix.indptr[:-1][np.diff(matrix.indptr) > 0]] = False  # a column begins
    if np.any(np.diff(matrix.indices, prepend=-1)[within] <= 0):
        raise ValueError("the rows of a column of a sparse matrix are not in order")
    return matrix


def scipy_sparse(arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the sparse matrix that `scipy.sparse.save_npz` wrote.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays of the file, `format` and `shape` among them.

    Raises
    ------
    ValueError
        When arrays are missing or do not fit together, or an index is out of bounds.
    """
    name = arrays["format"].item()
    name = name.decode("ascii") if isinstance(name, bytes) else name
    if name not in _PARTS:
        raise ValueError(f"a sparse matrix in the unknown format {name!r}")
    make, *parts = _PARTS[name]
    if missing := set(parts) - set(arrays):
        raise ValueError(f"a sparse matrix without {', '.join(sorted(missing))}")
    return make(arrays["data"], *(arrays[one] for one in parts), arrays["shape"])


def dense(matrix: Any) -> np.ndarray:
    """Return a checked sparse matrix as an array, where memory suffices."""
    check_dense(matrix.shape, matrix.dtype.itemsize)
    return matrix.toarray()


_LENGTHS = "the arrays of a sparse matrix do not have the lengths of one matrix"


def _shape(shape):
    """Return the shape of a matrix in a file as two ints."""
    array = np.asarray(shape)
    if array.shape != (2,) or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError("the shape of a sparse matrix must be two integers")
    return int(array[0]), int(array[1])


def _native(array):
    """Return an array in the byte order of the machine, as SciPy's loops need it."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _indices(array):
    """Return the indices of a sparse matrix, in one dimension, as signed integers."""
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError("the indices of a sparse matrix must be integers in a row")
    return _native(array.astype("i8") if array.dtype.kind == "u" else array)


def _checked(matrix):
    """Return a sparse matrix whose arrays fit together, or raise a ValueError."""
    try:
        check_sparse("sparse matrix", matrix)
    except TypeError:
        raise ValueError(f"holds {matrix.dtype} entries; expected numbers") from None
    return matrix


def _compressed(kind, data, indices, indptr, shape):
    """Return a sparse matrix in a compressed format, whose arrays it fills."""
    indices, indptr = _indices(indices), _indices(indptr)
    if indptr.size == 0 or not indptr[-1] == len(indices) == len(data):
        raise ValueError(_LENGTHS)  # SciPy would leave out what is too much
    parts = _native(data), indices, indptr
    return _checked(kind(parts, shape=_shape(shape)))


def _bsr(data, indices, indptr, shape):
    """Return a sparse matrix of dense blocks, (count, rows, columns)."""
    if data.ndim != 3 or 0 in data.shape[1:]:
        raise ValueError(_LENGTHS)
    return _compressed(sp.bsr_array, data, indices, indptr, shape)


def _dia(data, offsets, shape):
    """Return a sparse matrix of diagonals."""
    parts = _native(data), _indices(offsets)
    return _checked(sp.dia_array(parts, shape=_shape(shape)))


_PARTS: dict[str, tuple[Any, ...]] = {
    "csr": (csr, "indices", "indptr"),
    "csc": (csc, "indices", "indptr"),
    "bsr": (_bsr, "indices", "indptr"),
    "coo": (coo, "row", "col"),
    "dia": (_dia, "offsets"),
}
"""The reader of each format of `scipy.sparse.save_npz`, and its arrays but the data."""
