"""The permutations of a Hartley transform, whose columns come in mirrored pairs.

Times √n, its columns are cas(a) = cos(a) + sin(a) with angles a that are multiples of
those of the rows, and the column of -a is cos(a) - sin(a). Both together say the angle.
"""

from collections.abc import Iterator

import numpy as np

from .transform_matching import TOLERANCE, Places, by_columns, nearest_columns

_COLUMNS = 12
"""Maximum number of columns whose mirrored columns are looked for. The angles of a
column tell all rows apart if its number and n have no common divisor."""


def by_mirrors(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a Hartley matrix, whose rows and columns may have signs.

    Entries of the columns of 0 and of n / 2 have modulus 1, and say the signs of rows.
    """
    yield from by_columns(matrix, known)
    if matrix.dtype.kind == "c":
        return
    n = len(matrix)
    scaled = np.sqrt(n) * matrix
    even = np.abs(np.abs(scaled) - 1).max(0) <= TOLERANCE
    chosen = np.flatnonzero(~even)[:_COLUMNS]
    for column in np.flatnonzero(even):
        signed = np.sign(scaled[:, [column]]) * scaled
        squares = signed**2
        for first in chosen:
            gaps = np.abs(squares + squares[:, [first]] - 2).max(0)
            for second in np.flatnonzero(gaps <= 4 * TOLERANCE):
                for sign in (1, -1):
                    x, y = signed[:, first], sign * signed[:, second]
                    turns = np.arctan2(x - y, x + y) * n / (2 * np.pi)
                    rows = np.round(turns).astype(np.intp) % n
                    if len(np.unique(rows)) < n:
                        continue
                    columns = nearest_columns(signed, known[rows])
                    if columns is not None:
                        yield rows, columns
