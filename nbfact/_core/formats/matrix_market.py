"""Read Matrix Market files, ``.mtx`` and ``.mtx.gz``.

References
----------
.. [1] R. F. Boisvert, R. Pozo, K. A. Remington, "The Matrix Market Exchange Formats:
   Initial Design", NISTIR 5935, 1996.
"""

import gzip
import warnings
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ..limits import check_dense

_COLUMNS = {"real": 1, "double": 1, "integer": 1, "complex": 2, "pattern": 0}
"""Number of columns of a value, by the field of the file."""
_SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")
_LAYOUTS = {"coordinate": 3, "array": 2}
"""Sizes in the line of sizes, by the layout: rows, columns and number of entries."""
_LONGEST_LINE = 1024


class _Head(NamedTuple):
    """What the first lines of the file say."""

    layout: str
    field: str
    symmetry: str
    sizes: tuple[int, ...]


def read_matrix_market(path: Path) -> np.ndarray:
    """Return the matrix of a Matrix Market file as a dense array.

    Raises
    ------
    ValueError
        When the file is another or damaged, or holds more or fewer entries than it
        says, an entry out of bounds, or one twice. A damaged compressed file raises any
        error of `nbfact._core.formats.damage.DAMAGED`.
    """
    text = gzip.open if path.suffix.lower() == ".gz" else open
    with text(path, "rt", encoding="utf-8", errors="replace") as file:
        head = _head(file)
        rows, columns = head.sizes[:2]
        check_dense((rows, columns), 8 * max(1, _COLUMNS[head.field]))
        if head.layout == "array":
            return _dense(head, file)
        return _coordinates(head, file)


def _head(file: IO[str]) -> _Head:
    """Read the first line, the comments and the line of sizes."""
    first = file.readline(_LONGEST_LINE).lower().split()
    if len(first) != 5 or first[:2] != ["%%matrixmarket", "matrix"]:
        raise ValueError("not a Matrix Market file of a matrix")
    _, _, layout, field, symmetry = first
    known = layout in _LAYOUTS and field in _COLUMNS and symmetry in _SYMMETRIES
    if not known or (layout == "array" and field == "pattern"):
        raise ValueError(f"a Matrix Market file of the unknown kind {first[2:]}")
    line = "%"
    while line.startswith("%") or line.isspace():
        line = file.readline()
    sizes = line.split()
    if len(sizes) != _LAYOUTS[layout] or not all(
        size.isascii() and size.isdigit() and len(size) < 20 for size in sizes
    ):
        raise ValueError(f"its line of sizes is {line[:80]!r}")
    head = _Head(layout, field, symmetry, tuple(map(int, sizes)))
    if symmetry != "general" and head.sizes[0] != head.sizes[1]:
        raise ValueError(f"a {symmetry} matrix of shape {head.sizes[:2]}")
    return head


def _table(file, count, columns):
    """Return the lines that are left as a table, which must have this shape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a file without entries
        table = np.loadtxt(file, comments=None, ndmin=2, max_rows=count + 1)
    file.read(1)  # at its end, a compressed file is compared with its checksum
    if table.size == 0:
        table = np.empty((0, columns))
    if table.shape != (count, columns):
        raise ValueError(
            f"its line of sizes asks for {count} lines of {columns} numbers; found "
            f"{'more' if len(table) > count else len(table)} of {table.shape[1]}"
        )
    return table


def _values(table, field):
    """Return the values in the last columns of a table."""
    if field == "pattern":
        return np.ones(len(table))
    if field == "complex":
        return table[:, -2] + 1j * table[:, -1]
    return table[:, -1]


def _dense(head, file):
    """Return the matrix of a file that lists all entries, column by column."""
    (m, n), columns = head.sizes, _COLUMNS[head.field]
    if head.symmetry == "general":
        values = _values(_table(file, m * n, columns), head.field)
        return values.reshape((m, n), order="F")
    below = 1 if head.symmetry == "skew-symmetric" else 0
    column, row = np.triu_indices(n, below)  # the lower triangle, column by column
    values = _values(_table(file, row.size, columns), head.field)
    return _mirrored(head, row, column, values)


def _coordinates(head, file):
    """Return the matrix of a file that lists its non-zero entries."""
    m, n, count = head.sizes
    if count > m * n:
        raise ValueError(f"{count} entries in a matrix of shape {(m, n)}")
    table = _table(file, count, 2 + _COLUMNS[head.field])
    inside = np.all((table[:, :2] >= 1) & (table[:, :2] <= [m, n]), axis=1)
    if not inside.all():
        i, j = table[~inside][0, :2]
        raise ValueError(f"entry ({i:.15g}, {j:.15g}) is outside of {(m, n)}")
    places = table[:, :2].astype(np.int64) - 1
    if np.any(places + 1 != table[:, :2]):
        raise ValueError("an index of an entry is not an integer")
    row, column = places.T
    return _mirrored(head, row, column, _values(table, head.field))


def _mirrored(head, row, column, values):
    """Return the matrix with these entries, and those that its symmetry adds."""
    m, n = head.sizes[:2]
    if head.symmetry != "general":
        own = row == column
        mirror = values.conj() if head.symmetry == "hermitian" else values
        if head.symmetry == "skew-symmetric":
            mirror = -values
        if np.any(mirror[own] != values[own]):
            raise ValueError(f"a diagonal that no {head.symmetry} matrix has")
        row, column = (
            np.concatenate([row, column[~own]]), np.concatenate([column, row[~own]])
        )  # fmt: skip
        values = np.concatenate([values, mirror[~own]])
    matrix, seen = np.zeros((m, n), values.dtype), np.zeros((m, n), bool)
    matrix[row, column], seen[row, column] = values, True
    if np.count_nonzero(seen) != row.size:
        raise ValueError("an entry is in the file twice")
    return matrix
