"""Read matrices of HDF5 files, which MATLAB 7.3 files are too, by the package h5py.

References
----------
.. [1] https://docs.hdfgroup.org/hdf5/latest/_f_m_t3.html
"""

import importlib.util
import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..limits import check_dense
from .stored_sparse import matlab_sparse

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file; in a MATLAB file, they follow 512 other ones."""

_SCRIPT = Path(__file__).with_name("hdf5_process.py")
_RUN = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)
"""Program that runs the script where modules are found as they are here."""


def read_hdf5(
    path: Path, wanted: Callable[[list[str]], Iterable[str]], *, matlab: bool
) -> np.ndarray | Any:
    """Return a matrix of an HDF5 file.

    Parameters
    ----------
    path : Path
    wanted : callable
        Receives the names of all matrices of numbers, and returns a list of the one to
        read. In a group, a name has that of the group before it, as ``group/name``.
    matlab : bool
        Whether MATLAB wrote the file: its arrays are stored column by column, and a
        sparse matrix is a group.

    Returns
    -------
    ndarray or csc_array

    Raises
    ------
    ModuleNotFoundError
        When h5py is not installed.
    ValueError
        When the file is no HDF5 file, its arrays do not fit together, or entries were
        not written.

    Notes
    -----
    The file is read by another process, because the HDF5 library crashes on some
    damaged files. To start it takes a fraction of a second.
    """
    if importlib.util.find_spec("h5py") is None:
        raise ModuleNotFoundError(
            f"path {path}: this kind of file needs h5py: pip install 'nbfact[hdf5]'"
        )
    arguments = [json.dumps(sys.path), str(_SCRIPT), str(path)]
    with subprocess.Popen(
        [sys.executable, "-S", "-c", _RUN, *arguments, "matlab" if matlab else "plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        found = _answer(process)
        (name,) = wanted(list(found))
        check_dense(*found[name])
        process.stdin.write(json.dumps(name).encode() + b"\n")
        process.stdin.close()
        arrays = [
            _array(process.stdout, np.dtype(dtype), shape)
            for dtype, shape in _answer(process)
        ]
    if len(arrays) == 1:
        return arrays[0]
    data, rows, begins, n_rows = arrays
    shape = (int(n_rows), begins.size - 1)
    return matlab_sparse(data, rows.astype(np.int64), begins.astype(np.int64), shape)


def _answer(process):
    """Return the next line of the process as what it stands for, or raise."""
    line = process.stdout.readline()
    if not line:
        code = process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise ValueError(f"damaged: the HDF5 library ended with {how}")
    answer = json.loads(line)
    if isinstance(answer, dict) and isinstance(answer.get("error", [()])[0], str):
        raise ValueError(f"no HDF5 file of numbers, or damaged: {answer['error'][0]}")
    return answer


def _array(pipe: IO[bytes], dtype: np.dtype, shape: list[int]) -> np.ndarray:
    """Return an array whose bytes follow in a pipe."""
    array = np.empty(math.prod(shape) * dtype.itemsize, np.uint8)
    view, done = array.data, 0
    while done < len(view):
        got = pipe.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        done += got
    return array.view(dtype).reshape(shape) if array.size else np.empty(shape, dtype)
