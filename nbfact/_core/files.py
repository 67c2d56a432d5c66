"""Files: read a matrix in any usual format, and write a file whole or not at all."""

import contextlib
import os
import uuid
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse

from .array_checks import check_matrix
from .dtypes import DTYPES


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path whose file replaces `path` when the ``with`` block ends.

    When the block raises, Ctrl-C included, the temporary file is removed and an earlier
    file at `path` stays unchanged.

    Parameters
    ----------
    path : str or path-like
        The file to write. Its directory must exist. When it is a symbolic link, the
        file that the link points to is replaced.

    Yields
    ------
    pathlib.Path
        Path of an empty file in the same directory, with the suffix of `path`.

    Raises
    ------
    OSError
        When the directory is missing or not writable, or `path` is a directory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [entry.name for entry in Path(folder).iterdir()]
    ['a.txt']
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory, not a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a directory to write in")
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}{path.suffix}")
    open(temporary, "xb").close()
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())  # a power cut keeps one of the two files whole
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_matrix(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the matrix to factor from a file.

    Parameters
    ----------
    path : str or path-like
        A file of one of these kinds:

        * ``.npy``;
        * ``.npz`` that holds one array, or several of which one is named ``data``, or a
          sparse matrix written by :func:`scipy.sparse.save_npz`;
        * ``.mat`` (MATLAB, up to version 7.2) that holds one numeric matrix;
        * ``.csv`` of numbers separated by commas.

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
    ValueError
        When the file is not of a known kind, is damaged, or holds no matrix or several;
        when the matrix is empty, not two-dimensional, not numeric, or holds NaN or
        infinity. The message starts with the path.

    Notes
    -----
    Pickled objects are never read, so that a file from an unknown source runs no code.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "eye.npy", np.eye(2, dtype="float32"))
    ...     load_matrix(Path(folder) / "eye.npy")
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    path = Path(path)
    readers = {".npy": _npy, ".npz": _npz, ".mat": _mat, ".csv": _csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path}: unknown kind of file {path.suffix!r}; expected one of "
            + ", ".join(readers)
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return _checked(path, reader(path))


def _npy(path):
    """Return the array of a .npy file."""
    with open(path, "rb") as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path}: not a .npy file of numbers ({error})") from None


def _npz(path):
    """Return the only array of a .npz file, the one named data, or a sparse matrix."""
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: not a .npz file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = archive.files
            if {"format", "shape", "data"} <= set(names):
                return scipy.sparse.load_npz(path).toarray()
            name = names[0] if len(names) == 1 else "data"
            if name not in names:
                raise ValueError(
                    f"holds {', '.join(names) or 'no array'}; expected one array, or "
                    "one named data"
                )
            return archive[name]
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: {error}") from None


def load_mat(path: str | os.PathLike[str]) -> dict:
    """Return the variables of a MATLAB file as a dictionary, without warnings.

    SciPy 1.18 warns for each sparse variable that its class will change; nbfact works
    with both classes.
    """
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scipy.io.loadmat(path)


def _mat(path):
    """Return the only numeric matrix of a MATLAB file."""
    try:
        content = load_mat(path)
    except NotImplementedError:
        raise ValueError(
            f"{path}: MATLAB 7.3 files are not read; save it with -v7"
        ) from None
    except Exception as error:  # loadmat raises many types on a damaged file
        raise ValueError(f"{path}: not a MATLAB file ({error})") from None
    matrices = {
        name: value
        for name, value in content.items()
        if not name.startswith("__")
        and (scipy.sparse.issparse(value) or value.dtype.kind in "biufc")
    }
    if len(matrices) != 1:
        raise ValueError(
            f"{path}: expected one numeric matrix, found "
            + (", ".join(matrices) or "none")
        )
    (value,) = matrices.values()
    return value.toarray() if scipy.sparse.issparse(value) else value


def _csv(path):
    """Return a table of numbers separated by commas."""
    try:
        with warnings.catch_warnings():
            # NumPy warns of an empty file, which `_checked` refuses.
            warnings.simplefilter("ignore", UserWarning)
            return np.loadtxt(path, delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path}: not a table of numbers ({error})") from None


def _checked(path, matrix):
    """Return a finite matrix in one of the four dtypes, or raise a ValueError."""
    if matrix.dtype.kind not in "biufc":
        raise ValueError(f"{path}: holds {matrix.dtype} entries; expected numbers")
    check_matrix(f"{path}:", matrix.shape)
    dtype = matrix.dtype.newbyteorder("=")
    if dtype.name not in DTYPES:
        dtype = np.dtype("complex128" if dtype.kind == "c" else "float64")
    matrix = matrix.astype(dtype, copy=False)
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"{path}: entry ({row}, {column}) is {matrix[row, column]}; "
            "expected finite numbers"
        )
    return matrix
