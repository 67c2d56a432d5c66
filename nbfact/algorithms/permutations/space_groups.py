"""The groups of bundles of one level with blocks of a rank above one, for given parts.

Groups are begun with a few bundles and those nearest to their span. Then bundles move
to the spaces that they are nearest to, and pairs of two groups are exchanged.
"""

from typing import NamedTuple

import numpy as np

from .angle_starts import TINY
from .bipartition import TIE
from .partition import balanced
from .rank_levels import RankLevel
from .space_starts import columns_of, subsets

TURNS = 4
"""Maximum number of times that bundles move between the groups of one grouping."""

SETS = 1 << 12
"""Maximum number of sets of bundles that groups are begun with."""

SWAPS = 1 << 13
"""Maximum number of matrices of one group whose eigenvalues say what all exchanges of
two bundles gain: 0.1 s for groups of eight columns. Larger levels make none, and their
groups, of more columns, are seldom begun wrongly."""

RIDGE = 1e-13
"""Added to the squared norms of columns that span a space, relative to their sum,
because they may be dependent."""


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


def grouped_bundles(
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
    whose space it is nearest to, and pairs are exchanged, as long as that helps.

    Parameters
    ----------
    grams : ndarray, (g, b, n, n)
        Gram matrices of the columns over the parts of each block.
    level : RankLevel
    pair_gain : ndarray, (n / s, n / s)
        What pairs of bundles in one group gain beside.
    rng : numpy.random.Generator
        Draws sets of bundles where there are too many.
    old : ndarray of int, (t, c), optional
        Earlier groups.
    fresh : bool
    """
    n_bundles = grams.shape[-1] // level.s
    if level.c in (1, n_bundles):
        groups = np.arange(n_bundles).reshape(-1, level.c)
        return _best_spaces(grams, groups, level)
    found = [] if old is None else [old]
    if fresh:
        found.append(_surest_groups(grams, level, rng))
    tried = [_settled(grams, groups, level, pair_gain) for groups in found]
    best = max(tried, key=lambda one: groups_gain(one, pair_gain))
    other = _exchanged(grams, best, level)
    return max(best, other, key=lambda one: groups_gain(one, pair_gain))


def _settled(grams, groups, level, pair_gain):
    """Return groups after bundles have moved between them, as long as that helped."""
    best = _best_spaces(grams, groups, level)
    for _ in range(TURNS):
        other = _best_spaces(grams, _regrouped(grams, best, level.s), level)
        if groups_gain(other, pair_gain) <= groups_gain(best, pair_gain) * (1 + TIE):
            break
        best = other
    return best


def groups_gain(spaces: GroupSpaces, pair_gain: np.ndarray) -> float:
    """Return what groups keep, and what pairs of their first bundles gain beside."""
    beside = pair_gain[spaces.groups[:, :1], spaces.groups[:, 1:]]
    return float(spaces.kept.sum()) + float(beside.sum())


def _exchanged(grams: np.ndarray, spaces: GroupSpaces, level: RankLevel) -> GroupSpaces:
    """Return groups after exchanges of two bundles, as long as those keep more.

    Of all exchanges, those that gain most are made, one for each group.
    """
    t, c = spaces.groups.shape
    first, second = np.triu_indices(t, 1)
    matrices = 2 * c * c * len(first) * grams.shape[0] * grams.shape[1]
    if matrices > SWAPS:
        return spaces
    first, second = np.repeat(first, c * c), np.repeat(second, c * c)
    one, two = np.divmod(np.arange(len(first)) % (c * c), c)
    least = TIE * float(spaces.kept.sum())
    while True:
        groups, every = spaces.groups, np.arange(len(first))
        left, right = groups[first], groups[second]
        left[every, one], right[every, two] = right[every, two], left[every, one]
        kept = spaces.kept.sum((0, 1, 3))
        gain = _kept_by(grams, left, level) + _kept_by(grams, right, level)
        gain -= kept[first] + kept[second]
        groups, free = groups.copy(), np.ones(t, bool)
        for best in np.argsort(-gain, kind="stable")[:t]:
            pair = [first[best], second[best]]
            if gain[best] > least and free[pair].all():
                groups[pair] = left[best], right[best]
                free[pair] = False
        if free.all():
            return spaces
        spaces = _best_spaces(grams, groups, level)


def _kept_by(grams: np.ndarray, groups: np.ndarray, level: RankLevel) -> np.ndarray:
    """Return the squared norm that each group keeps."""
    columns = columns_of(groups, level.s)
    minors = grams[..., columns[:, :, None], columns[:, None, :]]
    largest = np.linalg.eigvalsh(minors)[..., -level.rank :]
    return np.maximum(largest, 0).sum((0, 1, 3))


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
