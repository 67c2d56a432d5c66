"""Read MATLAB files of level 4, which MATLAB writes with the option ``-v4``.

References
----------
.. [1] MathWorks, MAT-File Format, version 7, chapter 2.
"""

import struct
from typing import Any

import numpy as np

from .stored_sparse import coo

_DTYPES = ("f8", "f4", "i4", "i2", "u2", "u1")
"""Dtypes of the entries, by the digit P of the type of a matrix."""
_FULL, _TEXT, _SPARSE = 0, 1, 2
_MOST_TYPE = 52
"""Largest type MOPT with M = 0 (little-endian); M = 1 (big-endian) adds 1000."""
_LONGEST_NAME = 64


def is_level4(content: bytes) -> bool:
    """Return whether a MATLAB file is of level 4: a zero is among its first bytes."""
    return 0 in content[:4]


def read_level4(content: bytes) -> dict[str, Any]:
    """Return the values of the variables in a MATLAB file of level 4, by their names.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    dict of str to ndarray, coo_array or None
        None stands for text.

    Raises
    ------
    ValueError
        When the file is another, or damaged.
    """
    found: dict[str, Any] = {}
    data, at = memoryview(content), 0
    order = "<" if struct.unpack("<I", data[:4])[0] <= _MOST_TYPE else ">"
    while at < len(data):
        if len(data) - at < 20:
            raise ValueError("damaged: a variable is cut short")
        head = struct.unpack(f"{order}5i", data[at : at + 20])
        begin = at + 20 + head[4]
        dtype, size = _checked(head, order)
        at = begin + size
        if at > len(data):
            raise ValueError("damaged: a variable is longer than the file")
        name, end = bytes(data[begin - head[4] : begin - 1]), data[begin - 1]
        if end or not name.decode("ascii").isidentifier():
            raise ValueError("damaged: a variable without a name")
        if name.decode() in found:
            raise ValueError(f"damaged: two variables {name.decode()!r}")
        found[name.decode()] = _value(head, data[begin:at], dtype)
    return found


def _checked(head, order):
    """Return the dtype and the number of bytes of a variable with this head."""
    kind, rows, columns, imaginary, length = head
    machine, rest = divmod(kind, 1000)
    zero, precision, form = rest // 100, rest // 10 % 10, rest % 10
    valid = (
        machine == (order == ">")
        and zero == 0
        and precision < len(_DTYPES)
        and form <= _SPARSE
        and imaginary in (0, 1)
        and min(rows, columns) >= 0
        and 2 <= length <= _LONGEST_NAME
    )
    if kind < 0 or not valid:
        raise ValueError("not a MATLAB file, or damaged")
    dtype = np.dtype(f"{order}{_DTYPES[precision]}")
    return dtype, rows * columns * (1 + imaginary) * dtype.itemsize


def _value(head, raw, dtype):
    """Return the value of a variable, None for text."""
    kind, rows, columns, imaginary, _ = head
    form = kind % 10
    if form == _TEXT:
        return None
    numbers = np.frombuffer(raw, dtype) if len(raw) else np.empty(0, dtype)
    numbers = numbers.astype(dtype.newbyteorder("="))
    if imaginary:
        real, imag = np.split(numbers, 2)
        numbers = np.empty(rows * columns, np.result_type(real, np.complex64))
        numbers.real, numbers.imag = real, imag
    table = numbers.reshape((rows, columns), order="F")
    return _sparse(table) if form == _SPARSE else table


def _sparse(table):
    """Return the matrix of a table of (row, column, value), the last one its shape.

    Rows and columns count from one; complex values have two columns.
    """
    if table.shape[0] == 0 or table.shape[1] not in (3, 4) or table.dtype.kind != "f":
        raise ValueError("damaged: a sparse matrix that is no table of triples")
    if not np.all((table[:, :2] >= 0) & (table[:, :2] < 2**31)):
        raise ValueError("damaged: indices of a sparse matrix are out of bounds")
    places = table[:, :2].astype(np.int64)
    if np.any(places != table[:, :2]) or np.any(places[:-1] < 1):
        raise ValueError("damaged: indices of a sparse matrix are no integers")
    if np.any(table[-1, 2:]):
        raise ValueError("damaged: a sparse matrix does not end with its shape")
    values = table[:-1, 2].astype(float)
    if table.shape[1] == 4:
        values = values + 1j * table[:-1, 3]
    row, column = places[:-1].T - 1
    return coo(values, row, column, places[-1])
