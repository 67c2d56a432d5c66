"""Permutations and signs of a real matrix with few different moduli, by search.

Rows get labels, which do not depend on the order of rows and columns nor on their
signs: first all the same, and then finer and finer ones, as the entries of a row in
columns tell it apart (colour refinement). Where that ends with equal labels, a column
is marked, and each column of the known matrix that may be that one is tried.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .transform_matching import Places, by_one_side, nearest_columns

SAME = 1e-6
"""Difference of moduli, times the root of the order, up to which they are the same."""

_WORK, _MOST, _FEWEST = 2e7, 2000, 20
"""Number of entries that a search looks at, and the most and the fewest choices of
columns that it tries: each takes all entries of the known matrix."""

_ODD = [np.uint64(x) for x in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)]
"""Odd numbers by which those of rows and columns are mixed."""


class Rows(NamedTuple):
    """What is known of the rows of a matrix.

    Attributes
    ----------
    labels : ndarray of uint64, (n,)
    signs : ndarray of int, (n,)
        The sign of the first entry of each row, in the marked columns, that is not
        zero; 0 where there is none.
    """

    labels: np.ndarray
    signs: np.ndarray

    @classmethod
    def alike(cls, n: int) -> "Rows":
        """Return the same label for all rows."""
        return cls(np.zeros(n, np.uint64), np.zeros(n, np.int64))

    def marked(self, column: np.ndarray) -> "Rows":
        """Return what is known where a column is marked; or each of some columns."""
        labels, own = self.labels, self.signs
        if column.ndim == 2:
            labels, own = labels[:, None], own[:, None]
        known = np.where(own != 0, own * column, np.abs(column))
        return Rows(_mixed(labels, known), np.where(own != 0, own, np.sign(column)))

    def refined(self, entries: np.ndarray) -> tuple["Rows", np.ndarray, np.ndarray]:
        """Return finer labels, and a number for each column and for its negative."""
        known = self.signs[:, None] != 0
        signed = np.where(known, self.signs[:, None] * entries, np.abs(entries))
        opposite = np.where(known, -signed, signed)
        plain, negative = (
            _mixed(self.labels[:, None], one).sum(0) for one in (signed, opposite)
        )
        # Each column as it is, or its negative, whichever has the larger number.
        turned = np.where(plain >= negative, signed, opposite)
        turned = np.where(plain == negative, np.abs(entries), turned)
        pairs = _mixed(plain + negative, turned).sum(1)
        return Rows(_mixed(self.labels, pairs), self.signs), plain, negative


def _mixed(labels, numbers):
    """Return a number for each pair of a label and a number: chance makes few equal."""
    x = labels * _ODD[0] + numbers.astype(np.uint64)
    x = (x ^ (x >> np.uint64(29))) * _ODD[1]
    x = (x ^ (x >> np.uint64(32))) * _ODD[0]
    return x ^ (x >> np.uint64(29))


class Mark(NamedTuple):
    """A column of the matrix that is marked.

    Attributes
    ----------
    rounds : int
        How often labels were refined before.
    labels : ndarray of uint64, (n,)
        Those of all rows then, sorted.
    number : uint64 or None
        That of the column; None for none, in the end.
    """

    rounds: int
    labels: np.ndarray
    number: np.uint64 | None


def by_keys(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a real matrix, in which few moduli are different."""
    yield from by_one_side(matrix, known)
    if matrix.dtype.kind == "c" or known.dtype.kind == "c":
        return
    n, levels = len(matrix), _levels(known)
    entries = [_numbered(one, levels) for one in (matrix, known)]
    marks, own = _marks(entries[0])
    if len(np.unique(own.labels)) < n:
        return
    for found in _alike(entries[1], marks):
        rows = np.argsort(found.labels)[np.argsort(np.argsort(own.labels))]
        signs = [np.where(one.signs == 0, 1, one.signs) for one in (own, found)]
        signed = signs[0][:, None] * matrix
        columns = nearest_columns(signed, (signs[1][:, None] * known)[rows])
        if columns is not None:
            yield rows, columns


def few_moduli(matrix: np.ndarray) -> bool:
    """Return whether at most a quarter of the moduli of a matrix are different."""
    return 4 * len(_levels(matrix)) <= matrix.size


def _levels(matrix):
    """Return the different moduli of a matrix, sorted."""
    sizes = np.sort(np.abs(matrix).ravel())
    return sizes[np.append(True, np.diff(sizes) > SAME / np.sqrt(len(matrix)))]


def _numbered(matrix, levels):
    """Return the place of each modulus among some levels, with the sign of the entry.

    Places begin with 1, and zeros are 0.
    """
    middle = (levels[1:] + levels[:-1]) / 2
    places = np.searchsorted(middle, np.abs(matrix)) + 1
    held = levels[places - 1] > SAME / np.sqrt(len(matrix))
    return np.where(held, np.sign(matrix).astype(np.int64) * places, 0)


def _marks(entries):
    """Return the columns to mark: each time the one that tells most rows apart.

    What is known of the rows in the end is returned too.
    """
    rows, marks, count = Rows.alike(len(entries)), list[Mark](), 0
    while True:
        before, rounds = -1, 0
        while before < count < len(entries) or rounds == 0:
            before, (rows, numbers, _) = count, rows.refined(entries)
            count, rounds = len(np.unique(rows.labels)), rounds + 1
        joined = np.sort(rows.marked(entries).labels, axis=0)
        counts = 1 + np.count_nonzero(np.diff(joined, axis=0), axis=0)
        given = np.count_nonzero(entries[rows.signs == 0], axis=0)
        best = int(np.argmax((len(entries) + 1) * counts + given))
        ended = count == len(entries) or (counts[best] <= count and not given[best])
        number = None if ended else numbers[best]
        marks.append(Mark(rounds, np.sort(rows.labels), number))
        if ended:
            return marks, rows
        rows = rows.marked(entries[:, best])


def _alike(entries, marks):
    """Yield what is known of the rows of another matrix, where it is the same.

    Those of its columns are marked that may be the ones that are marked in the first.
    """
    n = len(entries)
    left = int(min(_MOST, max(_FEWEST, _WORK / n**2, 2 * len(marks))))
    pool = [(0, Rows.alike(n))]
    while pool and left > 0:
        depth, rows = pool.pop()
        left -= 1
        mark = marks[depth]
        for _ in range(mark.rounds):
            rows, *numbers = rows.refined(entries)
        if not np.array_equal(np.sort(rows.labels), mark.labels):
            continue
        if mark.number is None:
            yield rows
            continue
        # Without signs of rows, a column and its negative are the same.
        for sign, number in zip((1, -1), numbers, strict=True):
            if sign < 0 and not rows.signs.any():
                break
            pool += [
                (depth + 1, rows.marked(sign * entries[:, k]))
                for k in np.flatnonzero(number == mark.number)
            ]
