"""Read MATLAB files of level 5, the format of MATLAB 5 to 7.2 and of `savemat`.

`scipy.io.loadmat` reads them by compiled code that trusts sizes and indices: of 300
files of sparse factors with one flipped bit, 62 ended the process. Here every element
must lie within the one around it and fill it, its type must be one in which its class
is stored, and a compressed element is compared with its checksum.

References
----------
.. [1] MathWorks, MAT-File Format, version 7, chapter 1.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .stored_sparse import matlab_sparse

_HEADER = 128
_ORDERS = {b"IM": "<", b"MI": ">"}
_LEVEL, _HDF5_LEVEL = 0x0100, 0x0200

_STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8",
    12: "i8", 13: "u8",
}  # fmt: skip
"""Dtypes of the elements of numbers, by the type in their tag."""
_INT8, _UINT8, _INT32, _UINT32, _MATRIX, _COMPRESSED, _UTF8 = 1, 2, 5, 6, 14, 15, 16

_CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4",
    14: "i8", 15: "u8",
}  # fmt: skip
"""Dtypes of the classes of numbers; logical arrays are of the class of uint8."""
_CELL, _SPARSE = 1, 5
_SHAPED = {_CELL, 2, 3, 4, _SPARSE, *_CLASSES}
"""Classes that have dimensions and a name: also structures, objects and text."""
_COMPLEX, _LOGICAL = 0x0800, 0x0200

_SMALLER = {"f8": {"i1", "u1", "i2", "u2", "i4", "u4"}, "f4": {"i1", "u1", "i2", "u2"}}
"""Dtypes in which MATLAB stores floating-point numbers that are integers."""

_MOST_INFLATED = 1032
"""Bytes that deflate makes at most of one."""


class Variable(NamedTuple):
    """A variable of a MATLAB file.

    Its value is an array, a sparse array or, for a cell array, the list of the values
    of its cells, column by column; None stands for text, structures and the like.
    """

    name: str
    value: Any


def read_level5(content: bytes) -> dict[str, Any]:
    """Return the values of the variables in a MATLAB file of level 5, by their names.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    dict of str to ndarray, csc_array, list or None
        See `Variable`.

    Raises
    ------
    ValueError
        When the file is another or damaged. Damage may raise any other error of
        `nbfact._core.formats.damage.DAMAGED`.
    """
    order = _ORDERS.get(content[126:128])
    if order is None or len(content) < _HEADER:
        raise ValueError("not a MATLAB file")
    (level,) = struct.unpack(f"{order}H", content[124:126])
    if level == _HDF5_LEVEL:
        raise ValueError("damaged: a file of MATLAB 7.3 without the HDF5 file in it")
    if level != _LEVEL:
        raise ValueError(f"a MATLAB file of the unknown version {level:#06x}")
    found: dict[str, Any] = {}
    for kind, raw in _elements(memoryview(content)[_HEADER:], order):
        if kind == _COMPRESSED:
            kind, raw = _inflated(raw, order)
        if kind != _MATRIX:
            raise ValueError(f"damaged: an element of type {kind} is no variable")
        variable = _variable(raw, order, 0)
        if variable.name in found:
            raise ValueError(f"damaged: two variables {variable.name!r}")
        found[variable.name] = variable.value
    found.pop("", None)  # where MATLAB keeps the objects of its classes
    return found


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the bytes of each element; together they fill the data."""
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise ValueError("damaged: an element is cut short")
        kind, size = struct.unpack(f"{order}II", data[at : at + 8])
        begin, end = at + 8, at + 8 + size
        if kind > 0xFFFF:  # an element of four bytes or less, in its own tag
            kind, size = kind & 0xFFFF, kind >> 16
            if size > 4:
                raise ValueError("damaged: an element is longer than its place")
            begin, end = at + 4, at + 4 + size
            at += 8
        else:
            at = end if kind == _COMPRESSED else end + -size % 8
        if at > len(data):
            raise ValueError("damaged: an element is longer than the file")
        yield kind, data[begin:end]


def _inflated(raw, order):
    """Return the type and the bytes of the element in a compressed one."""
    stream = zlib.decompressobj()
    tag = stream.decompress(raw, 8)
    if len(tag) < 8:
        raise ValueError("damaged: a compressed variable is cut short")
    kind, size = struct.unpack(f"{order}II", tag)
    if kind > 0xFFFF or size > _MOST_INFLATED * len(raw):
        raise ValueError(f"damaged: a compressed variable promises {size} bytes")
    content = stream.decompress(stream.unconsumed_tail, size + 1)
    # At its end, zlib has compared the bytes with their checksum.
    if len(content) != size or not _ended(stream) or stream.unused_data:
        raise ValueError("damaged: a compressed variable has another length")
    return kind, memoryview(content)


def _ended(stream):
    """Return whether a stream ends here, after the bytes that have been read."""
    more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    return stream.eof and not more


def _variable(raw: memoryview, order: str, depth: int) -> Variable:
    """Return the variable in an element of type matrix, or in a cell of one."""
    if not len(raw):
        return Variable("", np.zeros((0, 0)))  # how an empty cell is stored
    parts = list(_elements(raw, order))
    kind, flags = parts[0]
    if kind != _UINT32 or len(flags) != 8:
        raise ValueError("damaged: a variable does not begin with its flags")
    (word,) = struct.unpack(f"{order}I", flags[:4])
    own = word & 0xFF
    if own not in _SHAPED:
        return Variable("", None) if depth else Variable(_first_name(parts), None)
    if len(parts) < 3:
        raise ValueError("damaged: a variable without dimensions or name")
    shape, name = _shape(parts[1], order), _name(parts[2])
    values = parts[3:]
    is_complex = bool(word & _COMPLEX)
    if own == _SPARSE:
        if word & _LOGICAL:
            values = _logical(values)
        return Variable(name, _sparse(values, shape, is_complex, order))
    if own in _CLASSES:
        numbers = _numbers(values, _CLASSES[own], is_complex, order)
        return Variable(name, _shaped(numbers, shape))
    if own == _CELL and depth == 0:
        return Variable(name, _cells(values, shape, order))
    return Variable(name, None)


def _first_name(parts):
    """Return the name of a variable without dimensions, which is its first text."""
    return next((_name(part) for part in parts if part[0] == _INT8), "")


def _shape(part, order):
    """Return the dimensions of a variable."""
    kind, raw = part
    if kind not in (_INT32, _UINT32) or len(raw) < 8 or len(raw) % 4:
        raise ValueError("damaged: the dimensions of a variable are no integers")
    shape = tuple(np.frombuffer(raw, f"{order}i4").tolist())
    if min(shape) < 0 or len(shape) > 32:
        raise ValueError(f"damaged: a variable of shape {shape}")
    return shape


def _name(part):
    """Return the name of a variable."""
    kind, raw = part
    if kind not in (_INT8, _UTF8):
        raise ValueError("damaged: the name of a variable is no text")
    return bytes(raw).decode("utf-8")


def _cells(values, shape, order):
    """Return the values of the cells of a cell array."""
    if len(values) != math.prod(shape) or any(kind != _MATRIX for kind, _ in values):
        raise ValueError(f"damaged: {len(values)} cells in an array of shape {shape}")
    return [_variable(raw, order, 1).value for _, raw in values]


def _shaped(numbers, shape):
    """Return the numbers of a full array in its shape."""
    if numbers.size != math.prod(shape):
        raise ValueError(f"damaged: {numbers.size} entries in an array of {shape}")
    return numbers.reshape(shape, order="F")


def _sparse(values, shape, is_complex, order):
    """Return the sparse matrix that the last elements of a variable hold."""
    if len(values) < 2 or len(shape) != 2:
        raise ValueError("damaged: a sparse matrix without indices")
    rows, ends = (_integers(part, order) for part in values[:2])
    numbers = _numbers(values[2:], "f8", is_complex, order)
    return matlab_sparse(numbers, rows, ends, shape)


def _logical(values):
    """Return the elements of a logical sparse matrix with the type of its entries.

    MATLAB stores a byte for each entry in an element of type double.
    """
    if len(values) == 3 and len(values[0][1]) == 4 * len(values[2][1]):
        return [*values[:2], (_UINT8, values[2][1])]
    return values


def _numbers(values, dtype, is_complex, order):
    """Return the numbers of a variable, whose real and imaginary parts are elements."""
    if len(values) != 1 + is_complex:
        raise ValueError(
            f"damaged: {len(values)} arrays in a variable that is "
            f"{'complex' if is_complex else 'real'}"
        )
    parts = [_part(part, dtype, order) for part in values]
    if not is_complex:
        return parts[0]
    real, imag = parts
    if real.size != imag.size:
        raise ValueError("damaged: real and imaginary parts differ in length")
    numbers = np.empty(real.size, np.result_type(real, np.complex64))
    numbers.real, numbers.imag = real, imag
    return numbers


def _part(part, dtype, order):
    """Return one array of a variable in the dtype of its class."""
    kind, raw = part
    stored = _STORED.get(kind)
    known = {dtype, *_SMALLER.get(dtype, ())}
    if dtype[0] in "iu":
        known = {one for one in _STORED.values() if np.can_cast(one, dtype, "safe")}
    if stored not in known:
        raise ValueError(f"damaged: {dtype} entries stored with type {kind}")
    return _array(raw, stored, order).astype(dtype)


def _integers(part, order):
    """Return the indices of a sparse matrix."""
    kind, raw = part
    if kind not in (_INT32, _UINT32):
        raise ValueError("damaged: indices of a sparse matrix are no integers")
    return _array(raw, _STORED[kind], order).astype(np.int64)


def _array(raw, stored, order):
    """Return the array that fills an element."""
    if len(raw) % np.dtype(stored).itemsize:
        raise ValueError("damaged: a part of an entry is missing")
    if not len(raw):
        return np.empty(0, stored)
    return np.frombuffer(raw, f"{order}{stored}")
