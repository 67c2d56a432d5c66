"""Read the arrays of ``.npy`` files, and of the members of ``.npz`` files.

`numpy.load` takes the memory that a header asks for before it looks at the length of
the file, and evaluates the header as Python; a damaged one raises whatever those raise.
Here a header is matched by a pattern, and its size must be the length of the file.

References
----------
.. [1] https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import math
import re
import struct
from pathlib import Path
from typing import IO

import numpy as np

_MAGIC = b"\x93NUMPY"
_LENGTHS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}
"""Form of the length of the header, by the version of the format."""

_MOST_HEADER = 10_000
"""Largest length of a header in bytes; NumPy refuses longer ones by default too."""

_PIECE = 2**20
"""Bytes that are read at a time; a member of a ``.npz`` is copied once more on the way,
so that larger pieces would need more memory."""

_ITEM = re.compile(
    r"\s*(?P<quote>['\"])(?P<key>descr|fortran_order|shape)(?P=quote)\s*:\s*"
    r"(?:(?P<mark>['\"])(?P<descr>[^'\"]*)(?P=mark)|(?P<fortran>True|False)"
    r"|\((?P<shape>[0-9L,\s]*)\))\s*(?P<end>,?)"
)
"""An item of the header, ``'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)``;
NumPy under Python 2 wrote ``(3L, 4L)``."""

_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[US]\d{1,9})")
"""Dtypes that are read: numbers and text. Objects are pickled, and are not read."""


def read_npy(path: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Raises
    ------
    ValueError
        When the file is another or damaged, or is longer or shorter than it says.
    """
    with open(path, "rb") as file:
        return read_array(file, path.stat().st_size)


def read_array(file: IO[bytes], size: int) -> np.ndarray:
    """Return the array of an open file in the ``.npy`` format, which it fills.

    Parameters
    ----------
    file : file object
        Read from where it is, to its end.
    size : int
        Number of bytes that are left in it.

    Returns
    -------
    ndarray
        In the byte order and memory order of the file.

    Raises
    ------
    ValueError
        When the bytes are not an array in this format, or more or fewer.
    EOFError
        When the file ends before `size` bytes.
    """
    begin = file.read(8)
    if begin[:6] != _MAGIC:
        raise ValueError("not a .npy file")
    form = _LENGTHS.get(tuple(begin[6:8]))  # type: ignore[arg-type]
    if form is None:
        raise ValueError("not a .npy file of a version that is known")
    (length,) = struct.unpack(form, _exactly(file, struct.calcsize(form)))
    if length > min(_MOST_HEADER, size):
        raise ValueError(f"its header has {length} bytes")
    dtype, shape, fortran = _described(_exactly(file, length).decode("latin-1"))
    needed, left = math.prod(shape) * dtype.itemsize, size - 8 - length
    left -= struct.calcsize(form)
    if needed != left:
        raise ValueError(
            f"its header asks for an array of shape {shape} of {dtype}, which has "
            f"{needed} bytes; {left} follow"
        )
    content = _filled(file, needed)
    array = np.frombuffer(content, dtype) if needed else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _filled(file, size):
    """Return a buffer with the given number of bytes, which must end the file."""
    buffer = np.empty(size, np.uint8)
    view, done = buffer.data, 0
    while done < size:
        got = file.readinto(view[done : done + _PIECE])
        if not got:
            raise EOFError
        done += got
    if file.read(1):  # at its end, a member of a .npz is compared with its checksum
        raise ValueError("it is longer than it says")
    return buffer


def _exactly(file, size):
    """Return the next bytes of a file, in this number."""
    content = file.read(size)
    if len(content) != size:
        raise EOFError
    return content


def _described(text):
    """Return the dtype, the shape and whether the order is Fortran's, of a header."""
    refused = ValueError(f"not a .npy file of numbers ({text.strip()[:80]!r})")
    inside = text.strip()
    if inside[:1] != "{" or inside[-1:] != "}":
        raise refused
    found: dict[str, re.Match] = {}
    at, more = 1, ","
    while (item := _ITEM.match(inside, at)) and more:
        found[item["key"]] = item
        at, more = item.end(), item["end"]
    if inside[at:].strip() != "}" or set(found) != {"descr", "fortran_order", "shape"}:
        raise refused
    descr, fortran = found["descr"]["descr"], found["fortran_order"]["fortran"]
    shape = found["shape"]["shape"]
    if None in (descr, fortran, shape) or not _DTYPE.fullmatch(descr):
        raise refused
    parts = [part.strip() for part in shape.split(",")]
    *sizes, last = parts
    if last:
        sizes = parts
    if not all(re.fullmatch(r"\d{1,20}L?", size) for size in sizes) or len(sizes) > 32:
        raise refused
    return np.dtype(descr), tuple(int(s.rstrip("L")) for s in sizes), fortran == "True"
