"""The radices by which the factors of a permuted chain split rows and columns."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..._core.checks import sequence, size
from ...operators import Chain
from ...operators.layouts import chain_of
from ...operators.reorderings import digit_reversal
from .rank_levels import RankLevel, rank_levels


class SplitRadices(NamedTuple):
    """Radices of a chain `Chain.mixed_radix(rows, columns, rank)`, left factor first.

    Attributes
    ----------
    rows, columns : tuple of int
        Radices of the rows and of the columns, as many of each.
    rank : int
        Rank of the blocks between neighbouring factors.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    rank: int = 1

    @classmethod
    def of(cls, chain: Chain) -> "SplitRadices":
        """Return the radices of a chain, or raise a ValueError if it has none."""
        m, n = chain.shape
        ahead = [pattern[0] for pattern in chain.patterns]
        behind = [pattern[3] for pattern in chain.patterns]
        rows, columns = [m, *behind[:-1]], [*ahead[1:], n]
        width = chain.patterns[0][2] if len(chain) > 1 else columns[0]
        found = cls(
            tuple(
                one // max(1, after) for one, after in zip(rows, behind, strict=True)
            ),
            tuple(one // before for one, before in zip(columns, ahead, strict=True)),
            max(1, width // max(1, columns[0])),
        )
        if 0 in found.rows + found.columns or found.chain != chain:
            raise ValueError(
                f"chain={chain}: expected one of Chain.mixed_radix(rows, columns, "
                "rank), whose factors split rows and columns by one radix each, with "
                "blocks of one rank between all neighbours"
            )
        return found

    @property
    def chain(self) -> Chain:
        """The chain of these radices."""
        return Chain.mixed_radix(self.rows, self.columns, self.rank)

    @property
    def levels(self) -> list[RankLevel]:
        """The levels that are split, that of the last factor first."""
        return rank_levels(*self)

    @property
    def n_parameters(self) -> int:
        """The number of values of all factors."""
        rows, columns, rank = self
        last = len(rows) - 1
        return sum(
            math.prod(columns[: level + 1])
            * math.prod(rows[level:])
            * rank ** ((level > 0) + (level < last))
            for level in range(last + 1)
        )

    @property
    def freedom(self) -> int:
        """By how many numbers a product in the chain is determined.

        Of the values of all factors, a matrix of the order of the rank is free for each
        bundle of inner indices: a scale, for rank one.
        """
        rows, columns, rank = self
        return self.n_parameters - rank**2 * sum(
            math.prod(columns[:level]) * math.prod(rows[level:])
            for level in range(1, len(rows))
        )

    @property
    def first_share(self) -> float:
        """The share of the squared norm of noise that the first split drops."""
        levels = self.levels
        return 1 - levels[0].kept_share(math.prod(self.rows)) if levels else 0.0

    @property
    def says_noise(self) -> bool:
        """Whether the first of several levels says how much noise there is.

        With two factors the first level drops all: its noise explains any error.
        """
        several = len(self.levels) > 1 if self.rank > 1 else len(self.rows) > 2
        return several and self.first_share > 0

    @property
    def transposed(self) -> "SplitRadices":
        """The radices of the transpose, with the digits of rows and columns reversed.

        The transpose of a matrix in a chain is in this one, up to the order of its rows
        and columns.
        """
        return SplitRadices(self.columns[::-1], self.rows[::-1], self.rank)

    @property
    def dyadic(self) -> bool:
        """Whether all radices are 2."""
        return set(self.rows + self.columns) == {2}

    @property
    def words(self) -> str:
        """The radices in words, as "2 x 2 x 3"."""
        rows, columns = (" x ".join(map(str, one)) for one in self[:2])
        words = rows if rows == columns else f"{rows} of rows, {columns} of columns"
        return words if self.rank == 1 else f"{words}, rank {self.rank}"


def reversed_digits(order: np.ndarray, radices: tuple[int, ...]) -> np.ndarray:
    """Return an order of indices with the digits of its places reversed."""
    return order[digit_reversal(radices[::-1])]


def radices_of(
    given: Chain | Sequence[Any] | None, shape: tuple[int, int]
) -> SplitRadices:
    """Return the radices that are meant by the argument `chain` for an (m, n) matrix.

    Raises
    ------
    TypeError, ValueError
        If it is neither a chain nor radices, or has another shape.
    """
    if given is None:
        m, n = shape
        fast = m == n and n & (n - 1) == 0
        return SplitRadices.of(
            Chain.square_dyadic(n) if fast else Chain.smallest(shape)
        )
    if not isinstance(given, Chain):
        listed = sequence("chain", given, "radices, or patterns (a, b, c, d)", least=1)
        if all(np.ndim(one) == 0 for one in listed):
            listed = [size("chain", one) for one in listed]
            given = Chain.mixed_radix(listed)
        else:
            given = chain_of(listed)
    if given.shape != shape:
        raise ValueError(f"chain of shape {given.shape}: the target has {shape}")
    return SplitRadices.of(given)
