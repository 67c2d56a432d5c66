"""load_matrix: read the matrix to factor from a file in any usual format."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from ..array_checks import check_matrix
from ..checks import shown
from ..dtypes import DTYPES
from .csv_table import read_csv
from .damage import naming
from .fif import read_fif
from .hdf5 import SIGNATURE, read_hdf5
from .mat_level4 import is_level4, read_level4
from .mat_level5 import read_level5
from .matrix_market import read_matrix_market
from .npy import read_npy
from .npz import read_npz
from .stored_sparse import dense, scipy_sparse

_USERBLOCK = 512
"""Bytes before the HDF5 signature in a file of MATLAB 7.3."""


def load_matrix(
    path: str | os.PathLike[str], variable: str | None = None
) -> np.ndarray:
    """Read the matrix to factor from a file.

    Parameters
    ----------
    path : str or path-like
        A file of one of these kinds:

        * ``.npy``;
        * ``.npz`` that holds arrays, or a sparse matrix written by
          :func:`scipy.sparse.save_npz`;
        * ``.mat`` of MATLAB or Octave: full and sparse matrices of all versions, of
          which 7.3 needs h5py (the extra ``hdf5``);
        * ``.h5`` or ``.hdf5``: the matrices in all groups, by h5py;
        * ``.mtx`` or ``.mtx.gz`` (Matrix Market);
        * ``.csv``: numbers separated by commas, below names of the columns or not;
        * ``.fif``: the gain matrix of a forward solution of MNE, ``...-fwd.fif``, by
          the package mne (the extra ``meg``), in the units in which it is stored.
    variable : str, optional
        Name of the matrix in a file that can hold several (``.npz``, ``.mat``,
        ``.h5``). By default the only one, or the one named ``data``.

    Returns
    -------
    ndarray, shape (m, n)
        The matrix: not empty, and finite. Its dtype is the stored one when that is
        float32, float64, complex64 or complex128; other real numbers become float64,
        other complex ones complex128.

    Raises
    ------
    FileNotFoundError
        When the file does not exist.
    ModuleNotFoundError
        When the file is an HDF5 file and h5py is not installed, or a .fif file without
        mne.
    TypeError
        When `path` is no path, or `variable` no text.
    ValueError
        When the file is not of a known kind, is damaged, or holds no matrix, or several
        of which `variable` names none; when the matrix is empty, not two-dimensional,
        not numeric, larger than the memory, or holds NaN or infinity. The message names
        the file.

    See Also
    --------
    nbfact.load : Read an operator that nbfact saved.

    Notes
    -----
    Pickled objects are never read, so that a file from an unknown source runs no code.
    A file must have the length that its header asks for, and the indices of a sparse
    matrix must lie in its shape. Numbers are compared with a checksum where the format
    has one, which is so for ``.npz``, ``.mtx.gz`` and compressed variables of ``.mat``.
    In other files, a number that was damaged into another one cannot be noticed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "eye.npy", np.eye(2, dtype="float32"))
    ...     load_matrix(Path(folder) / "eye.npy")
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    path = path_of(path)
    if not isinstance(variable, str | None):
        raise TypeError(f"variable must be a name, got {shown(variable)}")
    suffix = ".mtx.gz" if path.name.lower().endswith(".mtx.gz") else path.suffix.lower()
    if suffix not in _READERS:
        raise ValueError(
            f"path {path}: unknown kind of file {path.suffix!r}; expected one of "
            + ", ".join(_READERS)
        )
    if not path.is_file():
        raise FileNotFoundError(f"path {path}: no such file")
    with open(path, "rb"):  # a file that may not be read is not a damaged one
        pass
    with naming(path):
        return _checked(_READERS[suffix](path, variable))


def path_of(path: Any) -> Path:
    """Return an argument `path` as a Path, or raise an error that names it."""
    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(given, str):
        raise TypeError(f"path must be a str or a path-like object, got {shown(path)}")
    if "\0" in given:
        raise ValueError(f"path {given!r} holds a null character")
    return Path(given)


def load_mat(path: Path) -> dict[str, Any]:
    """Return the variables of a MATLAB file up to version 7.2, by their names.

    Returns
    -------
    dict of str to ndarray, sparse array, list or None
        See `nbfact._core.formats.mat_level5.Variable`.

    Raises
    ------
    ValueError
        When the file is another, damaged, or of MATLAB 7.3.
    """
    content = path.read_bytes()
    if _is_hdf5(content):
        raise ValueError("a file of MATLAB 7.3; save it with -v7")
    return read_level4(content) if is_level4(content) else read_level5(content)


def _is_hdf5(content):
    """Return whether a MATLAB file that begins with these bytes is an HDF5 file."""
    return any(content[at:].startswith(SIGNATURE) for at in (0, _USERBLOCK))


def _only(read: Callable[[Path], np.ndarray]) -> Callable[[Path, str | None], Any]:
    """Return the reader of a kind of file that holds one matrix."""

    def reader(path, variable):
        if variable is not None:
            raise ValueError(
                f"variable={variable!r}: a {path.suffix} file holds one matrix without "
                "a name"
            )
        return read(path)

    return reader


def _choice(variable):
    """Return a function that chooses a name among those that a file holds."""

    def choose(names):
        if variable is None and len(names) == 1:
            return names
        name = "data" if variable is None else variable
        if name not in names:
            expected = "one matrix, or one named data" if variable is None else name
            raise ValueError(
                f"expected {expected}, found {', '.join(names) or 'none'}"
                + "; variable=... chooses one" * (variable is None and len(names) > 1)
            )
        return [name]

    return choose


def _npz(path, variable):
    """Return the array of a .npz file that a user wants, or a sparse matrix."""
    parts = {"format", "shape", "data"}

    def choose(names):
        if variable is None and parts <= set(names):
            return names
        return _choice(variable)(names)

    arrays = read_npz(path, choose)
    if parts <= set(arrays):
        return dense(scipy_sparse(arrays))
    (array,) = arrays.values()
    return array


def _mat(path, variable):
    """Return the matrix of a MATLAB file that a user wants."""
    choose = _choice(variable)
    with open(path, "rb") as file:
        begin = file.read(_USERBLOCK + len(SIGNATURE))
    if _is_hdf5(begin):
        value = read_hdf5(path, choose, matlab=True)
    else:
        known = (np.ndarray, scipy.sparse.sparray)
        found = {k: v for k, v in load_mat(path).items() if isinstance(v, known)}
        (name,) = choose(list(found))
        value = found[name]
    return dense(value) if scipy.sparse.issparse(value) else value


def _hdf5(path, variable):
    """Return the matrix of an HDF5 file that a user wants."""
    return read_hdf5(path, _choice(variable), matlab=False)


_READERS: dict[str, Callable[[Path, str | None], Any]] = {
    ".npy": _only(read_npy),
    ".npz": _npz,
    ".mat": _mat,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".mtx": _only(read_matrix_market),
    ".mtx.gz": _only(read_matrix_market),
    ".csv": _only(read_csv),
    ".fif": _only(read_fif),
}
"""Readers by the suffix of the file."""


def _checked(matrix):
    """Return a finite matrix in one of the four dtypes, or raise a ValueError."""
    if matrix.dtype.kind not in "biufc":
        raise ValueError(f"holds {matrix.dtype} entries; expected numbers")
    check_matrix("", matrix.shape)  # the name is that of the file
    dtype = matrix.dtype.newbyteorder("=")
    if dtype.name not in DTYPES:
        dtype = np.dtype("complex128" if dtype.kind == "c" else "float64")
    with np.errstate(over="ignore"):  # of wider floating-point numbers
        matrix = matrix.astype(dtype, copy=False)
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"entry ({row}, {column}) is {matrix[row, column]}; expected finite numbers"
        )
    return matrix
