"""The values of a part as the blocks that a split approximates, and back.

A part is the product of some factors of a chain. Its values (a, b t, s c, d) are split
into a left factor (a, b, s r, t d) and a right factor (a s, r t, c, d). For each of the
a d positions, each column group σ < s and each row residue τ < t, the rows (j, τ) and
the columns (σ, k) of the part make a block of b rows j and c columns k, which has rank
r at most if the part is such a product.

Blocks are arrays (a, s, t, d, rows, columns): one matrix for each of the first four
indices.
"""

import numpy as np

from ...operators.patterns import Pattern


def blocks_of(part: np.ndarray, left: Pattern, right: Pattern) -> np.ndarray:
    """Return the blocks of a part that is to be split into two patterns."""
    s, t = right[0] // left[0], left[3] // right[3]
    a, b, c, d = part.shape
    return part.reshape(a, b // t, t, s, c // s, d).transpose(0, 3, 2, 5, 1, 4)


def left_values(blocks: np.ndarray) -> np.ndarray:
    """Return the values of a left factor from its blocks, which have r columns."""
    a, s, t, d, b, r = blocks.shape
    return blocks.transpose(0, 4, 1, 5, 2, 3).reshape(a, b, s * r, t * d)


def right_values(blocks: np.ndarray) -> np.ndarray:
    """Return the values of a right factor from its blocks, which have r rows."""
    a, s, t, d, r, c = blocks.shape
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(a * s, r * t, c, d)


def left_blocks(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the blocks of the left one of two neighbours, each of r columns."""
    a, b, c, d = left.shape
    s, t = right.shape[0] // a, d // right.shape[3]
    return left.reshape(a, b, s, c // s, t, d // t).transpose(0, 2, 4, 5, 1, 3)


def right_blocks(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the blocks of the right one of two neighbours, each of r rows."""
    wide, rows, c, d = right.shape
    a, t = left.shape[0], left.shape[3] // d
    return right.reshape(a, wide // a, rows // t, t, c, d).transpose(0, 1, 3, 5, 2, 4)
