"""A split of one level: rows in two halves, columns in pairs, a line for each pair.

The level consists of g blocks of m rows and m columns, an array (g, m, m). Within a
half of the rows of a block, the two entries of a row in a pair of columns are a point
of a plane; a split puts a line through 0 into each of these planes.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LevelSplit:
    """A split of g blocks (m, m) by their rows; all blocks pair their columns alike.

    Attributes
    ----------
    halves : ndarray of int, (g, 2, m / 2)
        The rows of each half of each block.
    pairs : ndarray of int, (m / 2, 2)
        The columns of each pair, the same in all blocks.
    lines : ndarray, (g, 2, m / 2, 2)
        Unit vectors v: in a pair of columns, the rows of a half are close to multiples
        of vᴴ.
    lost : float
        Sum of the squared distances of the points to their lines.
    """

    halves: np.ndarray
    pairs: np.ndarray
    lines: np.ndarray
    lost: float

    def coordinates(self, blocks: np.ndarray) -> np.ndarray:
        """Return the coordinates of the rows on their lines: (2 g, m / 2, m / 2)."""
        g, m, _ = blocks.shape
        parts = [
            along_lines(
                rows_of(blocks, self.halves[:, half]), self.pairs, self.lines[:, half]
            )
            for half in (0, 1)
        ]
        return np.stack(parts, 1).reshape(2 * g, m // 2, m // 2)


@dataclass(frozen=True)
class SplitHint:
    """An earlier split to stay near, and how much that counts.

    Attributes
    ----------
    bits : ndarray of int, (g, m)
        The half, 0 or 1, that each row was in.
    labels : ndarray of int, (m,)
        Columns with equal labels were paired.
    worth : float
        What keeping an entry in its place counts, in units of its squared modulus: a
        multiple of the variance of the noise.
    """

    bits: np.ndarray
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


def along_lines(blocks: np.ndarray, pairs: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return the coordinates of all rows on the lines: (g, rows, m / 2)."""
    out = blocks[:, :, pairs[:, 0]] * lines[:, None, :, 0]
    out += blocks[:, :, pairs[:, 1]] * lines[:, None, :, 1]
    return out
