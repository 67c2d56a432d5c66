"""The levels of a chain with blocks of any rank: which of its splits say something.

After a split of rank r, a group of columns has become a *bundle* of r columns. Where a
group has no more columns than the rank, or a part no more rows, every matrix has such a
split: levels are fused until one says something.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple


class RankLevel(NamedTuple):
    """A split of rows in b parts and of bundles of columns in groups, with a rank.

    Attributes
    ----------
    b : int
        Number of parts of the rows of each block.
    c : int
        Number of bundles in a group.
    s : int
        Number of columns of a bundle.
    rank : int
        Rank of each part of the rows in each group.
    """

    b: int
    c: int
    s: int
    rank: int

    @property
    def pair(self) -> tuple[int, int]:
        """The radices b and c."""
        return self.b, self.c

    def kept_share(self, m: int) -> float:
        """Return the share of the squared norm of noise that a split keeps.

        Of k rows and w columns, rank r fits r (k + w - r) numbers to k w entries.

        Parameters
        ----------
        m : int
            Number of rows of a block.
        """
        k, w, r = m // self.b, self.c * self.s, self.rank
        return r * (k + w - r) / (k * w)


def rank_levels(
    rows: Sequence[int], columns: Sequence[int], rank: int
) -> list[RankLevel]:
    """Return the levels of a chain that are split, that of the last factor first.

    Parameters
    ----------
    rows, columns : sequence of int
        Radices, those of the leftmost factor first.
    rank : int
        Rank of the blocks between neighbouring factors. With rank one each factor is a
        level.

    Examples
    --------
    >>> [level.pair for level in rank_levels((2, 2, 2, 2), (2, 2, 2, 2), 2)]
    [(4, 4)]
    >>> [level.pair for level in rank_levels((3, 3, 4), (3, 3, 4), 2)]
    [(4, 4), (3, 3)]
    """
    if rank == 1:
        pairs = zip(reversed(rows), reversed(columns), strict=True)
        return [RankLevel(b, c, 1, 1) for b, c in pairs]
    left, found = math.prod(rows), list[RankLevel]()
    b = c = s = 1
    for row, column in zip(reversed(rows), reversed(columns), strict=True):
        b, c = b * row, c * column
        if left // b <= rank:
            break
        if c * s > rank:
            found.append(RankLevel(b, c, s, rank))
            left //= b
            b, c, s = 1, 1, rank
    return found
