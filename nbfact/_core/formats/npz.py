"""Read the arrays of ``.npz`` files, which are zip files of ``.npy`` files."""

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from .npy import read_array

_SUFFIX = ".npy"
_MOST_INFLATED = 1032
"""Bytes that deflate makes at most of one; a file that promises more is damaged, or is
to fill the memory."""


def read_npz(
    path: Path, wanted: Callable[[list[str]], Iterable[str]] = list
) -> dict[str, np.ndarray]:
    """Return arrays of a ``.npz`` file by their names.

    Parameters
    ----------
    path : Path
    wanted : callable
        Receives the names of all arrays, in the order of the file, and returns those to
        read; by default all.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        When the file is another. Damage raises any error of
        `nbfact._core.formats.damage.DAMAGED`; each array that is read is compared with
        the checksum that the file holds of it.
    """
    with open(path, "rb") as file:
        size = path.stat().st_size
        if not zipfile.is_zipfile(file):
            raise ValueError("not a .npz file, or damaged")
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
            names = [name.removesuffix(_SUFFIX) for name in members]
            if len(names) != len(archive.infolist()):
                raise ValueError("two of its arrays have the same name")
            if others := [name for name in members if not name.endswith(_SUFFIX)]:
                raise ValueError(f"holds {', '.join(others)}: not an array")
            for info in archive.infolist():
                with archive.open(info):  # a damaged name differs from the second one
                    pass
            return {
                name: _member(archive, members[name + _SUFFIX], size)
                for name in wanted(names)
            }


def _member(archive, info, size):
    """Return the array of one member of a zip file of the given size."""
    inflated = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _MOST_INFLATED}
    most = inflated.get(info.compress_type)
    if most is None:
        raise ValueError(f"{info.filename} is compressed in a way that is not known")
    if info.compress_size > size or info.file_size > most * info.compress_size:
        raise ValueError(f"{info.filename} promises {info.file_size} bytes")
    with archive.open(info) as file:
        return read_array(file, info.file_size)
