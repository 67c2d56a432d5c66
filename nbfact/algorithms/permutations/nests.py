"""Nested splits of a matrix: all levels of a permuted butterfly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ...operators.reorderings import bit_reversal
from .bipartition import best_split, split_near
from .level_split import LevelSplit, SplitHint

N_STARTS, N_COLUMNS = 8, 64
"""Number of pairs of columns that the search of a level begins with, and maximum number
of columns whose partners are looked for."""

SplitChoice = Callable[[int, np.ndarray, np.ndarray, np.ndarray], LevelSplit]
"""A function that splits blocks: its arguments are the level, the blocks (g, m, m), the
rows of the matrix that they come from (g, m), and the columns (m, n / m)."""


@dataclass(frozen=True)
class Nest:
    """Splits of a matrix into halves and pairs, down to single entries.

    Attributes
    ----------
    rows, columns : ndarray of intp, (n,)
        ``matrix[rows][:, columns]`` is nearly a butterfly. For untied splits, the
        columns are in the order of the first block of each level.
    lost : float
        Squared norm that all levels dropped together, rounding included.
    first_lost : float
        Squared norm that the first level alone dropped.
    factors : list of scipy.sparse.csr_array, or None
        The factors of the matrix from left to right, with the permutations merged into
        them; None for tied splits, whose values `butterfly_factorize` finds.
    """

    rows: np.ndarray
    columns: np.ndarray
    lost: float
    first_lost: float
    factors: list[sp.csr_array] | None

    def transposed(self) -> "Nest":
        """Return the nest of the transpose."""
        reverse = bit_reversal(len(self.rows))
        factors = self.factors
        if factors is not None:
            factors = [sp.csr_array(factor.T) for factor in reversed(factors)]
        rows, columns = self.columns[reverse], self.rows[reverse]
        return Nest(rows, columns, self.lost, self.first_lost, factors)


def fresh_nest(
    matrix: np.ndarray, tied: bool, rng: np.random.Generator, share: float
) -> Nest:
    """Split a matrix level by level, each time by the best split that is found.

    Parameters
    ----------
    matrix : ndarray, (n, n)
        float64 or complex128, n a power of two.
    tied : bool
        Whether all blocks of a level pair their columns alike.
    rng : numpy.random.Generator
    share : float
        See `bipartition.best_split`.
    """

    def choose(
        level: int, blocks: np.ndarray, rows: np.ndarray, groups: np.ndarray
    ) -> LevelSplit:
        n_columns = min(N_COLUMNS, blocks.shape[1] // 2)
        return best_split(blocks, rng, N_STARTS, n_columns, share)

    return _split_all_levels(matrix, tied, choose)


def nest_near(matrix: np.ndarray, nest: Nest, worth: float) -> Nest:
    """Split a matrix level by level, with tied splits near those of a nest.

    Parameters
    ----------
    matrix : ndarray, (n, n)
    nest : Nest
    worth : float
        What an entry that stays where it was counts: see `SplitHint`.
    """
    row_places, column_places = np.argsort(nest.rows), np.argsort(nest.columns)

    def choose(
        level: int, blocks: np.ndarray, rows: np.ndarray, groups: np.ndarray
    ) -> LevelSplit:
        bits = row_places[rows] >> level & 1
        labels = column_places[groups[:, 0]] >> (level + 1)
        return split_near(blocks, SplitHint(bits, labels, worth))

    return _split_all_levels(matrix, True, choose)


def _split_all_levels(matrix: np.ndarray, tied: bool, choose: SplitChoice) -> Nest:
    """Split the blocks of each level: together if tied, else each by itself.

    ``groups`` holds, for each set of blocks that are split together, the columns of the
    matrix that have become one column of the blocks.
    """
    n = len(matrix)
    square = float(np.vdot(matrix, matrix).real)
    blocks, rows = matrix[None], np.arange(n)[None]
    groups = [np.arange(n)[:, None]]
    factors, first_lost = [], 0.0
    for level in range(n.bit_length() - 1):
        parts = [slice(None)] if tied else [slice(i, i + 1) for i in range(len(blocks))]
        splits = [
            choose(level, blocks[part], rows[part], columns)
            for part, columns in zip(parts, groups, strict=True)
        ]
        pieces = [s.coordinates(blocks[p]) for s, p in zip(splits, parts, strict=True)]
        if not tied:
            factors.append(_level_factor(splits))
        if level == 0:
            first_lost = splits[0].lost
        blocks = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        halves = np.concatenate([split.halves for split in splits])
        rows = np.take_along_axis(rows[:, None], halves, 2).reshape(len(blocks), -1)
        copies = 1 if tied else 2
        groups = [
            columns[split.pairs].reshape(len(split.pairs), -1)
            for split, columns in zip(splits, groups, strict=True)
            for _ in range(copies)
        ]
    leaves = rows.ravel()
    if not tied:
        factors = _with_leaves(factors, leaves, blocks.ravel())
    lost = max(0.0, square - float(np.vdot(blocks, blocks).real))
    columns = groups[0].ravel()
    order = leaves[bit_reversal(n)]
    return Nest(order, columns, lost, first_lost, None if tied else factors)


def _level_factor(splits: Sequence[LevelSplit]) -> sp.csr_array:
    """Return the factor that takes one level to the next.

    Its rows are ordered by halves, then by pairs; each holds the line of a pair.
    """
    half = len(splits[0].pairs)
    starts = 2 * half * np.arange(len(splits))
    columns = np.stack([split.pairs for split in splits]) + starts[:, None, None]
    columns = np.stack([columns, columns], 1)
    values = np.stack([split.lines[0].conj() for split in splits])
    n = values.size // 2
    index = np.arange(0, 2 * n + 1, 2)
    return sp.csr_array((values.ravel(), columns.ravel(), index), shape=(n, n))


def _with_leaves(
    factors: list[sp.csr_array], leaves: np.ndarray, values: np.ndarray
) -> list[sp.csr_array]:
    """Return the factors from left to right, the single entries in the first.

    The entries that remain after the last level are in the rows ``leaves``.
    """
    n = len(leaves)
    end = sp.csr_array((values, (leaves, np.arange(n))), shape=(n, n))
    if not factors:
        return [end]
    return [sp.csr_array(end @ factors[-1]), *factors[-2::-1]]
