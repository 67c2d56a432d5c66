"""A split of one level: rows in b parts, columns in groups of c, a line for each.

The level consists of g blocks of m rows and n columns, an array (g, m, n). Within a
part of the rows of a block, the c entries of a row in a group of columns are a point of
a space; a split puts a line through 0 into each of these spaces. The *radices* of the
level are b and c.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LevelSplit:
    """A split of g blocks (m, n) by their rows; all blocks group their columns alike.

    Attributes
    ----------
    parts : ndarray of int, (g, b, m / b)
        The rows of each part of each block.
    groups : ndarray of int, (n / c, c)
        The columns of each group, the same in all blocks.
    lines : ndarray, (g, b, n / c, c)
        Unit vectors v: in a group of columns, the rows of a part are close to multiples
        of vᴴ.
    lost : float
        Sum of the squared distances of the points to their lines.
    """

    parts: np.ndarray
    groups: np.ndarray
    lines: np.ndarray
    lost: float

    def coordinates(self, blocks: np.ndarray) -> np.ndarray:
        """Return the coordinates of the rows on their lines: (b g, m / b, n / c)."""
        _, b, k = self.parts.shape
        pieces = [
            along_lines(
                rows_of(blocks, self.parts[:, part]), self.groups, self.lines[:, part]
            )
            for part in range(b)
        ]
        return np.stack(pieces, 1).reshape(len(blocks) * b, k, len(self.groups))


@dataclass(frozen=True)
class SplitHint:
    """An earlier split to stay near, and how much that counts.

    Attributes
    ----------
    places : ndarray of int, (g, m)
        The part that each row was in.
    labels : ndarray of int, (n,)
        Columns with equal labels were in one group.
    worth : float
        What keeping an entry in its place counts, in units of its squared modulus: a
        multiple of the variance of the noise.
    """

    places: np.ndarray
    labels: np.ndarray
    worth: float


def rows_of(blocks: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return some rows of each block, (g, k, m), by their indices (g, k)."""
    return np.take_along_axis(blocks, index[:, :, None], 1)


def adjoints(blocks: np.ndarray) -> np.ndarray:
    """Return the conjugate transpose of each block."""
    return blocks.conj().swapaxes(-1, -2)


def column_grams(blocks: np.ndarray) -> np.ndarray:
    """Return the Gram matrix of the columns of each block."""
    return np.matmul(adjoints(blocks), blocks)


def squared_norm(grams: np.ndarray) -> float:
    """Return the squared Frobenius norm of blocks, from their Gram matrices."""
    return float(np.einsum("gii->", grams).real)


def best_lines(grams: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the best line of each pair of columns, a unit vector: (..., m / 2, 2).

    They are the leading eigenvectors of 2 × 2 minors of the Gram matrices (..., m, m).
    """
    a, b = pairs.T
    p, q, r = grams[..., a, a].real, grams[..., b, b].real, grams[..., a, b]
    gap = np.sqrt((p - q) ** 2 + 4 * abs(r) ** 2)
    x = np.where(p >= q, (p - q + gap) / 2, r)
    y = np.where(p >= q, r.conj(), (q - p + gap) / 2)
    size = np.sqrt(abs(x) ** 2 + abs(y) ** 2)
    lines = np.stack([x, y], -1) / np.where(size > 0, size, 1)[..., None]
    lines[size == 0] = 1, 0  # all vectors are equally good
    return lines


def along_lines(
    blocks: np.ndarray, groups: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """Return the coordinates of all rows on the lines: (g, rows, n / c)."""
    out = blocks[:, :, groups[:, 0]] * lines[:, None, :, 0]
    for place in range(1, groups.shape[1]):
        out += blocks[:, :, groups[:, place]] * lines[:, None, :, place]
    return out
