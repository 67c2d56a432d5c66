"""Sparse matrices in files: their arrays are checked before they become a matrix.

SciPy trusts the indices of a sparse matrix: one that is out of bounds makes its
compiled loops read and write anywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .damage import check_fits

FORMATS = ("csr", "csc", "bsr", "coo", "dia")
"""Formats that `scipy.sparse.save_npz` writes, and that are read."""


def csr(data: Any, indices: Any, indptr: Any, shape: Any) -> sp.csr_array:
    """Return a sparse matrix of arrays from a file, stored row by row.

    Raises
    ------
    ValueError
        When the arrays do not fit together, or an index is out of bounds.
    """
    rows, columns = _shape(shape)
    _check_compressed(data, indices, indptr, rows, columns)
    parts = tuple(map(_native, (data, indices, indptr)))
    return sp.csr_array(parts, shape=(rows, columns))


def csc(data: Any, indices: Any, indptr: Any, shape: Any) -> sp.csc_array:
    """Return a sparse matrix of arrays from a file, stored column by column.

    Raises
    ------
    ValueError
        When the arrays do not fit together, or an index is out of bounds.
    """
    rows, columns = _shape(shape)
    _check_compressed(data, indices, indptr, columns, rows)
    parts = tuple(map(_native, (data, indices, indptr)))
    return sp.csc_array(parts, shape=(rows, columns))


def coo(data: Any, row: Any, col: Any, shape: Any) -> sp.coo_array:
    """Return a sparse matrix of arrays from a file, stored as triples.

    Raises
    ------
    ValueError
        When the arrays do not fit together, or an index is out of bounds.
    """
    rows, columns = _shape(shape)
    _check_indices("row", row, rows)
    _check_indices("col", col, columns)
    if data.shape != row.shape or data.shape != col.shape:
        raise ValueError(_LENGTHS)
    data, row, col = map(_native, (data, row, col))
    return sp.coo_array((data, (row, col)), shape=(rows, columns))


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
    shape = _shape(arrays["shape"])
    needed = {
        "coo": ("row", "col"), "dia": ("offsets",),
    }.get(name, ("indices", "indptr"))  # fmt: skip
    if name not in FORMATS:
        raise ValueError(f"a sparse matrix in the unknown format {name!r}")
    if missing := {"data", *needed} - set(arrays):
        raise ValueError(f"a sparse matrix without {', '.join(sorted(missing))}")
    data, *parts = (arrays[one] for one in ("data", *needed))
    if data.dtype.kind not in "biufc":
        raise ValueError(f"holds {data.dtype} entries; expected numbers")
    if name == "csr":
        return csr(data, *parts, shape)
    if name == "csc":
        return csc(data, *parts, shape)
    make = {"bsr": _bsr, "coo": coo, "dia": _dia}[name]
    return make(data, *parts, shape)


def dense(matrix: Any) -> np.ndarray:
    """Return a checked sparse matrix as an array, where memory suffices."""
    check_fits(matrix.shape, matrix.dtype.itemsize)
    return matrix.toarray()


_LENGTHS = "the arrays of a sparse matrix do not have the lengths of one matrix"


def _shape(shape):
    """Return the shape of a matrix in a file as two ints."""
    array = np.asarray(shape)
    if array.shape != (2,) or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError("the shape of a sparse matrix must be two integers")
    if array.max() >= 2**62:
        raise ValueError(f"the shape of a sparse matrix is {tuple(array.tolist())}")
    return int(array[0]), int(array[1])


def _native(array):
    """Return an array in the byte order of the machine, without unsigned integers.

    SciPy's compiled loops take no other ones.
    """
    kind = "i8" if array.dtype.kind == "u" else array.dtype.newbyteorder("=")
    return array.astype(kind, copy=False)


def _check_indices(name, indices, size):
    """Raise a ValueError unless indices are integers below a size, in one dimension."""
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise ValueError(f"{name} of a sparse matrix must be integers in one dimension")
    if indices.size and not (indices.min() >= 0 and indices.max() < size):
        raise ValueError(
            f"{name} of a sparse matrix are from {indices.min()} to {indices.max()}; "
            f"expected 0 to {size - 1}"
        )


def _check_compressed(data, indices, indptr, major, minor):
    """Raise a ValueError unless arrays are those of a compressed sparse matrix."""
    _check_indices("indices", indices, minor)
    _check_indices("indptr", indptr, len(indices) + 1)
    if indptr.size != major + 1 or data.shape != indices.shape:
        raise ValueError(_LENGTHS)
    if indptr[0] != 0 or indptr[-1] != indices.size or np.any(indptr[1:] < indptr[:-1]):
        raise ValueError(
            f"indptr of a sparse matrix must rise from 0 to {indices.size}"
        )


def _bsr(data, indices, indptr, shape):
    """Return a sparse matrix of dense blocks, (count, rows, columns)."""
    if data.ndim != 3 or 0 in data.shape[1:]:
        raise ValueError(_LENGTHS)
    rows, columns = data.shape[1:]
    if shape[0] % rows or shape[1] % columns:
        raise ValueError(_LENGTHS)
    firsts = np.empty(len(data), bool)
    _check_compressed(
        firsts, indices, indptr, shape[0] // rows, shape[1] // columns
    )
    return sp.bsr_array(tuple(map(_native, (data, indices, indptr))), shape=shape)


def _dia(data, offsets, shape):
    """Return a sparse matrix of diagonals."""
    if offsets.dtype.kind != "i" or offsets.shape != data.shape[:1] or data.ndim != 2:
        raise ValueError(_LENGTHS)
    beyond = (offsets <= -max(shape[0], 1)) | (offsets >= max(shape[1], 1))
    if np.any(beyond) or np.unique(offsets).size != offsets.size:
        raise ValueError("offsets of a sparse matrix must differ, and lie within it")
    return sp.dia_array((_native(data), _native(offsets)), shape=shape)
