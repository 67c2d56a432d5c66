"""Nested splits of a matrix: all levels of a permuted chain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..common.result import never
from .bipartition import best_split, split_near
from .level_split import LevelSplit, SplitHint
from .partition import best_partition, partition_near
from .rank_levels import RankLevel
from .space_partition import (
    SpaceSplit,
    best_space_partition,
    quick_space_loss,
    space_partition_near,
)
from .split_radices import SplitRadices, reversed_digits

N_STARTS, N_COLUMNS = 8, 64
"""Number of pairs of columns that the search of a level begins with, and maximum number
of columns whose partners are looked for."""

LOST = 4.0
"""How many times what the first level lets expect the levels of a nest may lose, for it
not to be given up, where that is asked for."""

ROUNDED = 64
"""Multiple of the precision, relative to the squared norm of the matrix, up to which
what a split loses is rounding, because it is a difference of sums over all entries."""

Split = LevelSplit | SpaceSplit
SplitChoice = Callable[[int, np.ndarray, np.ndarray, np.ndarray], Split | None]
"""A function that splits blocks, or gives the nest up: its arguments are the number of
the level, the blocks (g, m, n), the rows of the matrix that they come from (g, m), and
the columns, (bundles, those that have become one bundle)."""


@dataclass(frozen=True)
class Nest:
    """Splits of a matrix into parts and groups, down to single entries.

    Attributes
    ----------
    radices : SplitRadices
        The radices of the levels.
    rows, columns : ndarray of intp, (m,) and (n,)
        ``matrix[rows][:, columns]`` is nearly a product in the chain of the radices.
        For untied splits, the columns are in the order of the first block of each
        level.
    lost : float
        Squared norm that all levels dropped together, rounding included.
    first_lost : float
        Squared norm that the first level alone dropped.
    factors : list of scipy.sparse.csr_array, or None
        The factors of the matrix from left to right, with the permutations merged into
        them; None for tied splits, whose values `butterfly_factorize` finds.
    """

    radices: SplitRadices
    rows: np.ndarray
    columns: np.ndarray
    lost: float
    first_lost: float
    factors: list[sp.csr_array] | None

    def transposed(self) -> "Nest":
        """Return the nest of the transpose."""
        factors = self.factors
        if factors is not None:
            factors = [sp.csr_array(factor.T) for factor in reversed(factors)]
        return Nest(
            self.radices.transposed,
            reversed_digits(self.columns, self.radices.columns),
            reversed_digits(self.rows, self.radices.rows),
            self.lost,
            self.first_lost,
            factors,
        )


def fresh_nest(
    matrix: np.ndarray,
    radices: SplitRadices,
    tied: bool,
    rng: np.random.Generator,
    share: float,
    known: dict[RankLevel, Split] | None = None,
    over: Callable[[], bool] = never,
) -> Nest | None:
    """Split a matrix level by level, each time by the best split that is found.

    Parameters
    ----------
    matrix : ndarray, (m, n)
        float64 or complex128.
    radices : SplitRadices
    tied : bool
        Whether all blocks of a level group their columns alike.
    rng : numpy.random.Generator
    share : float
        See `bipartition.best_split`.
    known : dict, optional
        First splits of the same matrix by their level, which several chains share; the
        one of this nest is added. With it, the nest is given up, and None returned,
        where a quick look at a level loses far more than the noise that the first level
        tells of.
    over : callable
        Returns whether the time is over: then the levels that are left are split by the
        first start of each.
    """
    levels = radices.levels
    square = float(np.vdot(matrix, matrix).real)
    most = ROUNDED * float(np.finfo(matrix.dtype).eps) * square

    def choose(
        number: int, blocks: np.ndarray, rows: np.ndarray, groups: np.ndarray
    ) -> Split | None:
        nonlocal most
        level = levels[number]
        if known is not None and number:
            lost = level_lost(blocks, level, rng, True, most, over)
            if lost > most:
                return None
        found = known.get(level) if known and not number else None
        if found is None:
            found = _fresh_split(blocks, level, rng, share, over)
        if number == 0 and known is not None:
            known[level] = found
        if number == 0 and radices.first_share > 0:
            most = max(most, LOST * found.lost / radices.first_share)
        return found

    return _split_all_levels(matrix, radices, tied, choose)


def level_lost(
    blocks: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    quick: bool = False,
    most: float = np.inf,
    over: Callable[[], bool] = never,
) -> float:
    """Return the squared norm that blocks (g, m, n) lose at a level.

    If `quick`, few starts are made, which suffice without noise. With a rank above one
    it is infinity where the first of them shows no split, or one that loses more than
    `most`. Where the time is `over`, it is what the best start so far loses.
    """
    if quick and level.rank > 1:
        return quick_space_loss(blocks, level, rng, most)
    if quick:
        few = N_STARTS // 4, N_COLUMNS // 8, 0
        return best_partition(blocks, level.pair, rng, *few, over).lost
    return _fresh_split(blocks, level, rng, 0.5, over).lost


def _fresh_split(
    blocks: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    share: float,
    over: Callable[[], bool],
) -> Split:
    """Return the best split of blocks that is found."""
    if level.rank > 1:
        return best_space_partition(blocks, level, rng, N_STARTS, over)
    if _has_kernels(blocks, level):
        n_columns = min(N_COLUMNS, blocks.shape[1] // 2)
        return best_split(blocks, rng, N_STARTS, n_columns, share, over)
    return best_partition(blocks, level.pair, rng, N_STARTS, N_COLUMNS, over=over)


def nest_near(
    matrix: np.ndarray,
    nest: Nest,
    worth: float,
    rng: np.random.Generator,
    over: Callable[[], bool] = never,
) -> Nest:
    """Split a matrix level by level, with tied splits near those of a nest.

    Parameters
    ----------
    matrix : ndarray, (m, n)
    nest : Nest
    worth : float
        What an entry that stays where it was counts: see `SplitHint`.
    rng : numpy.random.Generator
        Draws sets of columns where a rank above one makes them many.
    over : callable
        Returns whether the time is over: then splits are no longer improved.
    """
    row_places, column_places = np.argsort(nest.rows), np.argsort(nest.columns)
    radices, levels = nest.radices, nest.radices.levels
    before = np.cumprod([1, *(level.b for level in levels)])
    beside = np.cumprod([level.c for level in levels])

    def choose(
        number: int, blocks: np.ndarray, rows: np.ndarray, groups: np.ndarray
    ) -> Split:
        level = levels[number]
        places = row_places[rows] // before[number] % level.b
        labels = column_places[groups[:, 0]] // beside[number]
        hint = SplitHint(places, labels, worth)
        if level.rank > 1:
            return space_partition_near(blocks, level, rng, hint, over)
        if _has_kernels(blocks, level):
            return split_near(blocks, hint, over)
        return partition_near(blocks, level.pair, hint, over)

    found = _split_all_levels(matrix, radices, True, choose)
    assert found is not None, "splits near a nest are not given up"
    return found


def _has_kernels(blocks: np.ndarray, level: RankLevel) -> bool:
    """Return whether a level is of square blocks in halves and pairs."""
    return level.pair == (2, 2) and blocks.shape[1] == blocks.shape[2]


def _split_all_levels(
    matrix: np.ndarray, radices: SplitRadices, tied: bool, choose: SplitChoice
) -> Nest | None:
    """Split the blocks of each level: together if tied, else each by itself.

    ``groups`` holds, for each set of blocks that are split together, the columns of the
    matrix that have become one column of the blocks.
    """
    m, n = matrix.shape
    square = float(np.vdot(matrix, matrix).real)
    blocks, rows = matrix[None], np.arange(m)[None]
    groups = [np.arange(n)[:, None]]
    factors, first_lost = [], 0.0
    for number, level in enumerate(radices.levels):
        parts = [slice(None)] if tied else [slice(i, i + 1) for i in range(len(blocks))]
        splits = list[Split]()
        for part, columns in zip(parts, groups, strict=True):
            split = choose(number, blocks[part], rows[part], columns)
            if split is None:
                return None
            splits.append(split)
        pieces = [s.coordinates(blocks[p]) for s, p in zip(splits, parts, strict=True)]
        if not tied:
            lines = [split for split in splits if isinstance(split, LevelSplit)]
            factors.append(_level_factor(lines))
        if number == 0:
            first_lost = splits[0].lost
        blocks = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        found = np.concatenate([split.parts for split in splits])
        rows = np.take_along_axis(rows[:, None], found, 2).reshape(len(blocks), -1)
        copies = 1 if tied else level.b
        groups = [
            columns[split.groups].reshape(len(split.groups), -1)
            for split, columns in zip(splits, groups, strict=True)
            for _ in range(copies)
        ]
    leaves = rows.ravel()
    if not tied:
        factors = _with_leaves(factors, leaves, blocks.ravel())
    lost = max(0.0, square - float(np.vdot(blocks, blocks).real))
    # The leaves are in the order of the digits of the rows, the last digit first.
    order = reversed_digits(leaves, radices.rows[::-1])
    columns = groups[0].ravel()
    return Nest(radices, order, columns, lost, first_lost, None if tied else factors)


def _level_factor(splits: Sequence[LevelSplit]) -> sp.csr_array:
    """Return the factor that takes one level to the next.

    Its rows are ordered by parts, then by groups; each holds the line of a group.
    """
    _, b, t, c = splits[0].lines.shape
    starts = c * t * np.arange(len(splits))
    columns = np.stack([split.groups for split in splits]) + starts[:, None, None]
    columns = np.repeat(columns[:, None], b, 1)
    values = np.stack([split.lines[0].conj() for split in splits])
    index = np.arange(0, values.size + 1, c)
    shape = len(index) - 1, c * t * len(splits)
    return sp.csr_array((values.ravel(), columns.ravel(), index), shape=shape)


def _with_leaves(
    factors: list[sp.csr_array], leaves: np.ndarray, values: np.ndarray
) -> list[sp.csr_array]:
    """Return the factors from left to right, the single entries in the first.

    The entries that remain after the last level are in the rows ``leaves``.
    """
    m = len(leaves)
    end = sp.csr_array((values, (leaves, np.arange(m))), shape=(m, m))
    if not factors:
        return [end]
    return [sp.csr_array(end @ factors[-1]), *factors[-2::-1]]
