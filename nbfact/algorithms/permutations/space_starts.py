"""The parts of the rows that the search of one level of rank above one begins with.

In a few bundles of one group, more columns than the rank r, the rows lie in b spaces of
dimension r, one for each part. Spaces through r rows are tried, and bundles are likely
to be of one group where as many rows as a part has are close to such a space.
"""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .angle_starts import EMPTY, TINY
from .rank_levels import RankLevel

CANDIDATES = 4096
"""Maximum number of sets of bundles with one bundle that are compared; of more, some
are drawn."""

SAFETY, MOST_SAMPLES = 4, 96
"""Number of spaces through r rows that are expected to lie in one part, and maximum
number of those that are tried for it."""

ALL_SAMPLES = 512
"""Maximum number of sets of rows that are tried for the parts of one set of bundles."""

CHUNK = 1 << 22
"""Number of distances of rows from spaces that are in memory at once."""

PROMISING, BEGUN = 12, 2
"""Number of sets of bundles with one bundle whose rows are divided in parts, and of
those that a search begins with."""

REFITS = 4
"""Maximum number of times that a space is fitted to the rows nearest to it."""


class StartEffort(NamedTuple):
    """How much is spent on the sets of columns with one bundle.

    Attributes
    ----------
    candidates : int
        Maximum number of sets that are compared; of more, some are drawn.
    safety : int
        Number of spaces through r rows that are expected to lie in one part.
    promising : int
        Number of sets whose rows are divided in parts.
    """

    candidates: int = CANDIDATES
    safety: int = SAFETY
    promising: int = PROMISING


FULL = StartEffort()
"""What a search spends."""

HITS = 5
"""Number of sets within one group that are expected among those of a quick look."""


def quick_effort(n_bundles: int, level: RankLevel) -> StartEffort:
    """Return what a quick look spends, which suffices without noise.

    Parameters
    ----------
    n_bundles : int
    level : RankLevel
    """
    few = level.rank // level.s
    among, within = math.comb(n_bundles - 1, few), math.comb(level.c - 1, few)
    candidates = -(-HITS * among // max(1, within))
    return StartEffort(min(2 * CANDIDATES, candidates), 2 * SAFETY, PROMISING // 4)


def starting_spaces(
    blocks: np.ndarray, level: RankLevel, rng: np.random.Generator, n_seeds: int
) -> Iterator[np.ndarray]:
    """Yield parts (g, b, m / b) of the rows, from the likely sets with each seed.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
        The columns of a bundle stand side by side.
    level : RankLevel
    rng : numpy.random.Generator
    n_seeds : int
        Number of bundles, chosen at random, whose companions are looked for.
    """
    n_bundles = blocks.shape[2] // level.s
    for seed in rng.permutation(n_bundles)[:n_seeds]:
        found = surest_parts(blocks, level, rng, int(seed))
        yield from (parts for _, parts in found[:BEGUN])


def surest_parts(
    blocks: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    seed: int,
    effort: StartEffort = FULL,
) -> list[tuple[float, np.ndarray]]:
    """Return parts from the likely sets with one bundle, the surest first.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
        The columns of a bundle stand side by side.
    level : RankLevel
    rng : numpy.random.Generator
    seed : int
        The bundle that is in all sets.
    effort : StartEffort

    Returns
    -------
    list of (float, ndarray of int)
        What the columns of the set lose, relative to their squared norm, and parts
        (g, b, m / b) of the rows.
    """
    sets = _sets_with(seed, blocks.shape[2] // level.s, level, rng, effort.candidates)
    lost = _sets_lose(blocks, sets, level, rng, effort.safety)
    found = list[tuple[float, np.ndarray]]()
    for best in np.argsort(lost, kind="stable")[: effort.promising]:
        columns = columns_of(sets[best], level.s)
        pairs = [_parts_of(rows[:, columns], level, rng) for rows in blocks]
        energy = float((np.abs(blocks[..., columns]) ** 2).sum())
        away = sum(one[0] for one in pairs) / (energy + TINY)
        found.append((away, np.stack([one[1] for one in pairs])))
    return sorted(found, key=lambda one: one[0])


def columns_of(bundles: np.ndarray, s: int) -> np.ndarray:
    """Return the columns of bundles (..., k), which are adjacent: (..., k s).

    Examples
    --------
    >>> columns_of(np.array([0, 2]), 2)
    array([0, 1, 4, 5])
    """
    columns = bundles[..., None] * s + np.arange(s)
    return columns.reshape(*bundles.shape[:-1], -1)


def subsets(n: int, k: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return all sets of k of n numbers, (count, k), or at most some random ones."""
    if math.comb(n, k) <= most:
        return np.array(list(itertools.combinations(range(n), k)), np.intp)
    drawn = rng.random((most, n))
    return np.sort(np.argpartition(drawn, k - 1, 1)[:, :k], 1)


def _sets_with(
    seed: int, n_bundles: int, level: RankLevel, rng: np.random.Generator, most: int
) -> np.ndarray:
    """Return at most some sets with one bundle: just more columns than the rank."""
    others = np.delete(np.arange(n_bundles), seed)
    companions = others[subsets(len(others), level.rank // level.s, most, rng)]
    return np.column_stack([np.full(len(companions), seed), companions])


def _sets_lose(
    blocks: np.ndarray,
    sets: np.ndarray,
    level: RankLevel,
    rng: np.random.Generator,
    safety: int,
) -> np.ndarray:
    """Return what the rows nearest to the best space lose in each set of bundles.

    It is relative to the least column of the set, and summed over blocks.
    """
    _, m, _ = blocks.shape
    k, r = m // level.b, level.rank
    needed = safety * level.b ** (r - 1)
    n_samples = min(needed, MOST_SAMPLES)
    energy = (np.abs(blocks) ** 2).sum((0, 1))
    columns = columns_of(sets, level.s)
    total = np.zeros(len(sets))
    step = max(1, CHUNK // (n_samples * m))
    for rows in blocks:
        samples = np.stack([rng.permutation(m)[:r] for _ in range(n_samples)])
        for begin in range(0, len(sets), step):
            chosen = columns[begin : begin + step]
            points = np.moveaxis(rows[:, chosen], 0, 1)
            away = _distances(points, points[:, samples])
            nearest = np.partition(away, k - 1, -1)[..., :k].sum(-1)
            total[begin : begin + step] += nearest.min(-1)
    total /= energy[columns].min(-1) + TINY
    total[energy[columns].min(-1) <= EMPTY * energy.max(initial=0)] = np.inf
    return total


def _distances(points: np.ndarray, through: np.ndarray) -> np.ndarray:
    """Return squared distances of points (f, m, q) from spaces: (f, samples, m).

    The spaces are spanned by r points each, (f, samples, r, q).
    """
    basis = np.linalg.qr(np.swapaxes(through, -1, -2))[0]
    along = np.einsum("fmq,fsqr->fsmr", points, basis.conj(), optimize=True)
    square = (np.abs(points) ** 2).sum(-1)[:, None]
    return np.maximum(square - (np.abs(along) ** 2).sum(-1), 0)


def _parts_of(
    points: np.ndarray, level: RankLevel, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Return parts (b, m / b) of rows (m, q), and what they lose: the surest first."""
    left, found, total = np.arange(len(points)), [], 0.0
    k = len(points) // level.b
    for _ in range(level.b - 1):
        samples = subsets(len(left), level.rank, ALL_SAMPLES, rng)
        some = points[left]
        away = _distances(some[None], some[samples][None])[0]
        order = np.argpartition(away, k - 1, 1)[:, :k]
        lost = np.take_along_axis(away, order, 1).sum(1)
        nearest, least = order[int(np.argmin(lost))], float(lost.min())
        for _ in range(REFITS):
            basis = np.linalg.svd(some[nearest], full_matrices=False)[2][: level.rank]
            away = (np.abs(some) ** 2).sum(1)
            away -= (np.abs(some @ basis.conj().T) ** 2).sum(1)
            other = np.argpartition(away, k - 1)[:k]
            if away[other].sum() >= least:
                break
            nearest, least = other, float(away[other].sum())
        total += max(least, 0.0)
        found.append(np.sort(left[nearest]))
        left = np.delete(left, nearest)
    rest = np.linalg.svd(points[left], compute_uv=False)[level.rank :]
    return total + float((rest**2).sum()), np.stack([*found, left])
