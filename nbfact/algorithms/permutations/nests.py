"""Nested splits of a matrix: all levels of a permuted butterfly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ...operators.reorderings import bit_reversal
from .bipartition import Hint, Split, best_split, split_near

# Pairs of columns that searches begin with in each block, and columns that these are
# looked for in.
_STARTS, _COLUMNS = 8, 64


@dataclass(frozen=True)
class Nest:
    """Splits of a matrix into halves and pairs, down to single entries.

    Attributes
    ----------
    rows, columns : ndarray of intp, (n,)
        ``matrix[rows][:, columns]`` is nearly a butterfly; for untied splits, columns
        are in the order of the first block of each level.
    lost : float
        Squared norm of what all levels dropped, rounding included.
    first_lost : float
        Of what the first level alone dropped.
    factors : list of scipy.sparse.csr_array, or None
        Of the matrix, permutations merged, left to right; None for tied splits.
    """

    rows: np.ndarray
    columns: np.ndarray
    lost: float
    first_lost: float
    factors: list[sp.csr_array] | None

    def turned(self) -> "Nest":
        """Return the nest of the transpose."""
        reverse = bit_reversal(len(self.rows))
        factors = self.factors
        if factors is not None:
            factors = [sp.csr_array(factor.T) for factor in reversed(factors)]
        rows, columns = self.columns[reverse], self.rows[reverse]
        return Nest(rows, columns, self.lost, self.first_lost, factors)


def fresh(
    matrix: np.ndarray, tied: bool, rng: np.random.Generator, share: float
) -> Nest:
    """Split a matrix level by level, each as well as is found; see `best_split`."""

    def choose(level, blocks, rows, groups):
        n_columns = min(_COLUMNS, blocks.shape[1] // 2)
        return best_split(blocks, rng, _STARTS, n_columns, share)

    return _peeled(matrix, tied, choose)


def near(matrix: np.ndarray, nest: Nest, worth: float) -> Nest:
    """Split a matrix level by level near a nest.

    worth: of an entry that stays where it was, in units of its squared modulus.
    """
    row_places, column_places = np.argsort(nest.rows), np.argsort(nest.columns)

    def choose(level, blocks, rows, groups):
        bits = row_places[rows] >> level & 1
        labels = column_places[groups[:, 0]] >> (level + 1)
        return split_near(blocks, Hint(bits, labels, worth))

    return _peeled(matrix, True, choose)


def _peeled(matrix: np.ndarray, tied: bool, choose: Callable[..., Split]) -> Nest:
    """Split all blocks of each level, together or each by itself."""
    n = len(matrix)
    square = float(np.vdot(matrix, matrix).real)
    blocks, rows = matrix[None], np.arange(n)[None]
    groups = [np.arange(n)[:, None]]  # columns that are now one, of each set of blocks
    factors, first_lost = [], 0.0
    for level in range(n.bit_length() - 1):
        parts = [slice(None)] if tied else [slice(i, i + 1) for i in range(len(blocks))]
        splits = [
            choose(level, blocks[part], rows[part], columns)
            for part, columns in zip(parts, groups, strict=True)
        ]
        pieces = [s.coordinates(blocks[p]) for s, p in zip(splits, parts, strict=True)]
        if not tied:
            factors.append(_factor(splits))
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


def _factor(splits):
    """Return what takes one level to the next: rows are halves, then pairs."""
    half = len(splits[0].pairs)
    starts = 2 * half * np.arange(len(splits))
    columns = np.stack([split.pairs for split in splits]) + starts[:, None, None]
    columns = np.stack([columns, columns], 1)
    values = np.stack([split.lines[0].conj() for split in splits])
    n = values.size // 2
    index = np.arange(0, 2 * n + 1, 2)
    return sp.csr_array((values.ravel(), columns.ravel(), index), shape=(n, n))


def _with_leaves(factors, leaves, values):
    """Return the factors from left to right, entries and rows in the first."""
    n = len(leaves)
    end = sp.csr_array((values, (leaves, np.arange(n))), shape=(n, n))
    if not factors:
        return [end]
    return [sp.csr_array(end @ factors[-1]), *factors[-2::-1]]
