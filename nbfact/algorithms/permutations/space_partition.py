"""One level of a permuted chain with blocks of rank r above one.

Within a part of the rows, the columns of a group have rank r up to noise. With G the
Gram matrix of the columns over a part, a split keeps

    Σ_parts Σ_groups Σ of the r largest eigenvalues of G[group, group]

of the squared norm. It is increased in turns as in `partition`, which is the same for
rank one, where pairs of columns say much; here it takes more than r of them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .angle_starts import TINY
from .bipartition import EXACT, FINALISTS, ROUNDS, TIE
from .level_split import SplitHint, rows_of
from .partition import alternated, balanced, hinted_gains, parts_in_order
from .rank_levels import RankLevel
from .space_starts import (
    columns_of,
    quick_effort,
    starting_spaces,
    subsets,
    surest_parts,
)

TURNS = 4
"""Maximum number of times that bundles move between the groups of one grouping."""

MOVES = 1 << 22
"""Maximum number of entries of the Gram matrices whose eigenvalues say exactly what
each row gains where it moves; above it, rows go to the nearest spaces."""

SETS = 1 << 12
"""Maximum number of sets of bundles that groups are begun with."""

CLEAR = 1e-3
"""Largest loss of a few columns, relative to their squared norm, for a quick look to go
on: most matrices without such a structure lose five times as much and more."""

RIDGE = 1e-13
"""Added to the squared norms of columns that span a space, relative to their sum,
because they may be dependent."""


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


class GroupSpaces(NamedTuple):
    """The best spaces of a grouping.

    Attributes
    ----------
    groups : ndarray of int, (t, c)
    kept : ndarray, (g, b, t, r)
        The squared norms along the vectors.
    vectors : ndarray, (g, b, t, s c, r)
        Bases of the spaces, orthonormal.
    """

    groups: np.ndarray
    kept: np.ndarray
    vectors: np.ndarray


def best_space_partition(
    blocks: np.ndarray, level: RankLevel, rng: np.random.Generator, n_starts: int
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
    """
    if level.b == 1:
        parts = parts_in_order(blocks, 1)
        return improve_space_partition(blocks, parts, level, rng)
    square = float(np.vdot(blocks, blocks).real)
    found: list[SpaceSplit] = []
    for parts in starting_spaces(blocks, level, rng, n_starts):
        split = improve_space_partition(blocks, parts, level, rng, n_iter=ROUNDS)
        if split.lost <= EXACT * square:
            return split
        found.append(split)
        found.sort(key=lambda split: split.lost)
    final = [
        improve_space_partition(blocks, one.parts, level, rng)
        for one in found[:FINALISTS]
    ]
    return min([found[0], *final], key=lambda split: split.lost)


def quick_space_loss(
    blocks: np.ndarray, level: RankLevel, rng: np.random.Generator
) -> float:
    """Return the squared norm that a split loses, or infinity where none is in sight.

    The look begins with the column of the largest norm. It finds splits that lose next
    to nothing.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
    level : RankLevel
    rng : numpy.random.Generator
    """
    n_bundles = blocks.shape[2] // level.s
    energy = (np.abs(blocks) ** 2).sum((0, 1)).reshape(n_bundles, -1).sum(1)
    seed, effort = int(np.argmax(energy)), quick_effort(n_bundles, level)
    away, parts = surest_parts(blocks, level, rng, seed, effort)[0]
    if away > CLEAR:
        return np.inf
    return improve_space_partition(blocks, parts, level, rng, n_iter=ROUNDS).lost


def space_partition_near(
    blocks: np.ndarray, level: RankLevel, rng: np.random.Generator, hint: SplitHint
) -> SpaceSplit:
    """Return the best split found near a hint."""
    order = np.argsort(hint.places, 1, kind="stable")
    parts = order.reshape(len(blocks), level.b, -1)
    return improve_space_partition(blocks, parts, level, rng, hint)


def improve_space_partition(
    blocks: np.ndarray,
    parts: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    hint: SplitHint | None = None,
    *,
    n_iter: int = 1000,
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
        spaces = _grouped(grams, level, pair_gain, rng, old, fresh)
        return spaces, _gain(spaces, pair_gain)

    def moved(grams, parts, spaces, nearest):
        entries = g * m * level.b * len(spaces.groups) * (level.c * level.s) ** 2
        if nearest or entries > MOVES:
            return _near_spaces(blocks, spaces, level.s)
        return _moved(blocks, grams, parts, spaces, level.s)

    n_iter = 1 if level.b == 1 else n_iter
    parts, spaces, lost = alternated(blocks, parts, row_gain, grouped, moved, n_iter)
    return SpaceSplit(parts, spaces.groups, spaces.vectors, lost, level.s)


def _grouped(
    grams: np.ndarray,
    level: RankLevel,
    pair_gain: np.ndarray,
    rng: np.random.Generator,
    old: np.ndarray | None,
    fresh: bool,
) -> GroupSpaces:
    """Return groups of bundles that nearly have the rank in all parts.

    They begin with earlier groups or, if `fresh`, with the bundles that are nearest to
    the span of a few of them, whichever keeps more. Then each bundle moves to the group
    whose space it is nearest to, as long as that helps.
    """
    n_bundles = grams.shape[-1] // level.s
    if level.c in (1, n_bundles):
        groups = np.arange(n_bundles).reshape(-1, level.c)
        return _best_spaces(grams, groups, level)
    found = [] if old is None else [old]
    if fresh:
        found.append(_surest_groups(grams, level, rng))
    tried = [_settled(grams, groups, level, pair_gain) for groups in found]
    return max(tried, key=lambda one: _gain(one, pair_gain))


def _settled(grams, groups, level, pair_gain):
    """Return groups after bundles have moved between them, as long as that helped."""
    best = _best_spaces(grams, groups, level)
    for _ in range(TURNS):
        other = _best_spaces(grams, _regrouped(grams, best, level.s), level)
        if _gain(other, pair_gain) <= _gain(best, pair_gain) * (1 + TIE):
            break
        best = other
    return best


def _gain(spaces: GroupSpaces, pair_gain: np.ndarray) -> float:
    """Return what groups keep, and what pairs of their first bundles gain beside."""
    beside = pair_gain[spaces.groups[:, :1], spaces.groups[:, 1:]]
    return float(spaces.kept.sum()) + float(beside.sum())


def _surest_groups(
    grams: np.ndarray, level: RankLevel, rng: np.random.Generator
) -> np.ndarray:
    """Return groups (t, c) of bundles, the surest first.

    A group is a few bundles, as many columns as the rank, and those nearest to their
    span.
    """
    n_bundles, few = grams.shape[-1] // level.s, level.rank // level.s
    sets = subsets(n_bundles, few, SETS, rng)
    away = _from_spans(grams, sets, level)
    away[np.arange(len(sets))[:, None], sets] = np.inf
    groups = list[np.ndarray]()
    for _ in range(n_bundles // level.c - 1):
        nearest = np.partition(away, level.c - few - 1, 1)[:, : level.c - few]
        best = int(np.argmin(nearest.sum(1)))
        others = np.argsort(away[best], kind="stable")[: level.c - few]
        group = np.sort(np.concatenate([sets[best], others]))
        groups.append(group)
        away[:, group] = np.inf
        away[np.isin(sets, group).any(1)] = np.inf
        if not np.isfinite(away).any():  # not all sets were drawn
            break
    rest = np.setdiff1d(np.arange(n_bundles), np.concatenate(groups))
    return np.concatenate([np.stack(groups), rest.reshape(-1, level.c)])


def _from_spans(grams: np.ndarray, sets: np.ndarray, level: RankLevel) -> np.ndarray:
    """Return squared distances of all bundles from spans of sets: (sets, bundles).

    They are summed over parts, relative to the squared norm of each bundle.
    """
    n, s = grams.shape[-1], level.s
    columns = columns_of(sets, s)
    energy = np.einsum("gbii->i", grams).real
    away = np.zeros((len(sets), n))
    for gram in grams.reshape(-1, n, n):
        own = gram[columns[:, :, None], columns[:, None, :]]
        ridge = RIDGE * np.einsum("fii->f", own).real + TINY
        own = own + ridge[:, None, None] * np.eye(level.rank)
        beside = gram[columns]
        inside = (beside.conj() * np.linalg.solve(own, beside)).real.sum(1)
        away += np.maximum(np.diagonal(gram).real - inside, 0)
    norms = energy.reshape(-1, s).sum(1) + TINY
    return away.reshape(len(sets), -1, s).sum(2) / norms


def _best_spaces(
    grams: np.ndarray, groups: np.ndarray, level: RankLevel
) -> GroupSpaces:
    """Return the best spaces: leading eigenvectors of minors of Gram matrices."""
    columns = columns_of(groups, level.s)
    minors = grams[..., columns[:, :, None], columns[:, None, :]]
    values, vectors = np.linalg.eigh(minors)
    kept = np.maximum(values[..., -level.rank :], 0)
    return GroupSpaces(groups, kept, vectors[..., -level.rank :])


def _regrouped(grams: np.ndarray, spaces: GroupSpaces, s: int) -> np.ndarray:
    """Return groups by how much of each bundle lies in the space of each group."""
    columns = columns_of(spaces.groups, s)
    inner = np.einsum("...ntw,...twr->...ntr", grams[..., columns], spaces.vectors)
    along = (np.abs(inner) ** 2 / (spaces.kept[..., None, :, :] + TINY)).sum(-1)
    n, t = along.shape[-2:]
    of_columns = along.reshape(-1, n, t).sum(0)
    return balanced(of_columns.reshape(-1, s, t).sum(1))


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
