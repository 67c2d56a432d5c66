"""One level of a permuted chain with blocks of rank r above one.

Within a part of the rows, the columns of a group have rank r up to noise. With G the
Gram matrix of the columns over a part, a split keeps

    Σ_parts Σ_groups Σ of the r largest eigenvalues of G[group, group]

of the squared norm. It is increased in turns as in `partition`, which is the same for
rank one, where pairs of columns say much; here it takes more than r of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..common.result import never
from .bipartition import EXACT, FINALISTS, ROUNDS
from .level_split import SplitHint, rows_of
from .partition import alternated, hinted_gains, parts_in_order
from .rank_levels import RankLevel
from .space_groups import GroupSpaces, grouped_bundles, groups_gain
from .space_starts import (
    columns_of,
    quick_effort,
    starting_spaces,
    surest_parts,
)

MOVES = 1 << 22
"""Maximum number of entries of the Gram matrices whose eigenvalues say exactly what
each row gains where it moves; above it, rows go to the nearest spaces."""

CLEAR = 1e-3
"""Largest loss of a few columns, relative to their squared norm, for a quick look to go
on: most matrices without such a structure lose five times as much and more."""


@dataclass(frozen=True)
class SpaceSplit:
    """A split of g blocks by their rows; all blocks group their bundles alike.

    Attributes
    ----------
    parts : ndarray of int, (g, b, m / b)
        The rows of each part of each block.
    groups : ndarray of int, (n / (s c), c)
        The bundles of each group, the same in all blocks.
    spaces : ndarray, (g, b, n / (s c), s c, r)
        Orthonormal columns: in a group of bundles, the rows of a part are close to the
        space of their conjugates.
    lost : float
        Sum of the squared distances of the rows to their spaces.
    s : int
        Number of columns of a bundle.
    """

    parts: np.ndarray
    groups: np.ndarray
    spaces: np.ndarray
    lost: float
    s: int

    def coordinates(self, blocks: np.ndarray) -> np.ndarray:
        """Return coordinates of the rows in their spaces: (b g, m / b, r n / s c)."""
        g, b, k = self.parts.shape
        columns = columns_of(self.groups, self.s)
        pieces = [
            np.einsum(
                "gktw,gtwr->gktr",
                rows_of(blocks, self.parts[:, part])[:, :, columns],
                self.spaces[:, part],
            )
            for part in range(b)
        ]
        return np.stack(pieces, 1).reshape(g * b, k, -1)


def best_space_partition(
    blocks: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    n_starts: int,
    over: Callable[[], bool] = never,
) -> SpaceSplit:
    """Return the best split from some starts.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
        float64 or complex128.
    level : RankLevel
    rng : numpy.random.Generator
    n_starts : int
        Number of bundles whose companions are looked for.
    over : callable
        Returns whether the time is over: then the best split so far is returned.
    """
    if level.b == 1:
        parts = parts_in_order(blocks, 1)
        return improve_space_partition(blocks, parts, level, rng)
    square = float(np.vdot(blocks, blocks).real)
    found: list[SpaceSplit] = []
    for parts in starting_spaces(blocks, level, rng, n_starts):
        if found and over():
            break
        split = improve_space_partition(
            blocks, parts, level, rng, n_iter=ROUNDS, over=over
        )
        if split.lost <= EXACT * square:
            return split
        found.append(split)
        found.sort(key=lambda split: split.lost)
    final = found[:1]
    for one in found[:FINALISTS]:
        if not over():
            final.append(
                improve_space_partition(blocks, one.parts, level, rng, over=over)
            )
    return min(final, key=lambda split: split.lost)


def quick_space_loss(
    blocks: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    most: float = np.inf,
) -> float:
    """Return the squared norm that a split loses, or infinity where none is in sight.

    The look begins with the column of the largest norm. It finds splits that lose next
    to nothing.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
    level : RankLevel
    rng : numpy.random.Generator
    most : float
        What the first split may lose at most for others to be tried.
    """
    n_bundles = blocks.shape[2] // level.s
    energy = (np.abs(blocks) ** 2).sum((0, 1)).reshape(n_bundles, -1).sum(1)
    seed, effort = int(np.argmax(energy)), quick_effort(n_bundles, level)
    away, parts = surest_parts(blocks, level, rng, seed, effort)[0]
    if away > CLEAR:
        return np.inf
    first = improve_space_partition(blocks, parts, level, rng, n_iter=1)
    if first.lost > most:
        return np.inf
    return improve_space_partition(blocks, first.parts, level, rng, n_iter=ROUNDS).lost


def space_partition_near(
    blocks: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    hint: SplitHint,
    over: Callable[[], bool] = never,
) -> SpaceSplit:
    """Return the best split found near a hint, or the first where the time is over."""
    order = np.argsort(hint.places, 1, kind="stable")
    parts = order.reshape(len(blocks), level.b, -1)
    return improve_space_partition(blocks, parts, level, rng, hint, over=over)


def improve_space_partition(
    blocks: np.ndarray,
    parts: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    hint: SplitHint | None = None,
    *,
    n_iter: int = 1000,
    over: Callable[[], bool] = never,
) -> SpaceSplit:
    """Alternate between the best groups for the parts, and the best parts for them.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
    parts : ndarray of int, (g, b, m / b)
        The parts to begin with.
    level : RankLevel
    rng : numpy.random.Generator
        Draws sets of bundles where there are too many.
    hint : SplitHint, optional
        Agreement with it counts as a gain.
    n_iter : int
        Maximum number of rounds that gain.
    over : callable
        Returns whether the time is over, which ends the rounds.

    Notes
    -----
    The gain never decreases, and the search stops when it no longer grows.
    """
    g, m, n = blocks.shape
    row_gain, pair_gain = hinted_gains(hint, g, level.b, (m, n // level.s))
    hinted = None
    if hint is not None:
        hinted = np.argsort(hint.labels, kind="stable").reshape(-1, level.c)

    def grouped(grams, best):
        old = hinted if best is None else best.groups
        fresh = best is None or hint is None
        spaces = grouped_bundles(grams, level, pair_gain, rng, old, fresh)
        return spaces, groups_gain(spaces, pair_gain)

    def moved(grams, parts, spaces, nearest):
        entries = g * m * level.b * len(spaces.groups) * (level.c * level.s) ** 2
        if nearest or entries > MOVES:
            return _near_spaces(blocks, spaces, level.s)
        return _moved(blocks, grams, parts, spaces, level.s)

    n_iter = 1 if level.b == 1 else n_iter
    parts, spaces, lost = alternated(
        blocks, parts, row_gain, grouped, moved, n_iter, over
    )
    return SpaceSplit(parts, spaces.groups, spaces.vectors, lost, level.s)


def _near_spaces(blocks: np.ndarray, spaces: GroupSpaces, s: int) -> np.ndarray:
    """Return the squared norm of each row in the spaces of each part: (g, m, b)."""
    flat = blocks[:, :, columns_of(spaces.groups, s)]
    along = np.einsum("gmtw,gbtwr->gmbtr", flat, spaces.vectors, optimize=True)
    return (np.abs(along) ** 2).sum((-1, -2))


def _moved(
    blocks: np.ndarray,
    grams: np.ndarray,
    parts: np.ndarray,
    spaces: GroupSpaces,
    s: int,
) -> np.ndarray:
    """Return what each part keeps by each row, if that row alone moves: (g, m, b)."""
    (g, m, _), b = blocks.shape, parts.shape[1]
    columns = columns_of(spaces.groups, s)
    points = blocks[:, :, columns]
    own = np.zeros((g, m, b), bool)
    for part in range(b):
        np.put_along_axis(own[:, :, part], parts[:, part], True, 1)
    sign = np.where(own, -1.0, 1.0)[..., None]
    minors = grams[..., columns[:, :, None], columns[:, None, :]]
    outer = points.conj()[..., :, None] * points[..., None, :]
    moved = minors[:, None] + sign[..., None, None] * outer[:, :, None]
    rank = spaces.kept.shape[-1]
    largest = np.linalg.eigvalsh(moved)[..., -rank:].sum(-1)
    return (sign * (largest - spaces.kept.sum(-1)[:, None])).sum(-1)
