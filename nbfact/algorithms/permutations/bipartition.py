"""One level of a permuted butterfly: rows in two halves, columns in pairs.

With P the Gram matrix of the columns over a half of the rows, a split loses

    Σ_halves Σ_pairs λ_min [[P_aa, P_ab], [P_ba, P_bb]],

which is the exact squared error of the best lines. It is lowered in turns over the
pairs, for fixed halves, and over the halves, for fixed pairs.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from ...kernels import exchange_mates, half_gain, pair_greedily, split_gain
from ..common.result import never
from .level_split import (
    LevelSplit,
    SplitHint,
    along_lines,
    best_lines,
    column_grams,
    rows_of,
    squared_norm,
)
from .line_starts import starting_halves

SMALL = 8
"""Largest blocks, in rows, of which all splits are compared: 35 halves times 105
pairings for 8 rows, and 126 times 945 for 10."""

TIE = 1e-12
"""Gains that differ by less, relative to the squared norm, count as equal, because ties
are frequent and rounding must not decide them."""

EXACT = 1e-11
"""A split that loses less, relative to the squared norm, is taken without trying the
other starts."""

LARGE = 256
"""Number of rows of all blocks above which two starts that reach the same best loss end
the search, because each start costs several products of matrices."""

ROUNDS, FINALISTS = 3, 2
"""Rounds that each start makes, and number of the best starts that go on until they no
longer gain."""


def best_split(
    blocks: np.ndarray,
    rng: np.random.Generator,
    n_starts: int,
    n_columns: int,
    share: float = 0.5,
    over: Callable[[], bool] = never,
) -> LevelSplit:
    """Return the best of all splits for small blocks, else the best from some starts.

    Parameters
    ----------
    blocks : ndarray, (g, m, m)
        float64 or complex128, m even.
    rng : numpy.random.Generator
    n_starts : int
        Number of pairs of columns that a search begins with. Each costs several
        products of matrices.
    n_columns : int
        Number of columns, chosen at random, whose partners are looked for.
    share : float
        Share of the rows of a half that the first pairs are found from: the rows that
        lie most surely in that half.
    over : callable
        Returns whether the time is over: then the best split so far is returned.
    """
    if blocks.shape[1] <= SMALL:
        return best_of_all(blocks)
    grams = column_grams(blocks)
    square = squared_norm(grams)
    large = len(blocks) * blocks.shape[1] > LARGE
    found: list[LevelSplit] = []
    for halves in starting_halves(blocks, rng, n_starts, n_columns, share):
        if found and over():
            break
        split = improve_split(blocks, grams, halves, n_iter=ROUNDS, over=over)
        if split.lost <= EXACT * square:
            return split
        found.append(split)
        found.sort(key=lambda split: split.lost)
        if large and len(found) > 1 and found[1].lost - found[0].lost <= TIE * square:
            break
    final = found[:1]
    for one in found[:FINALISTS]:
        if not over():
            final.append(improve_split(blocks, grams, one.parts, over=over))
    return min(final, key=lambda split: split.lost)


def split_near(
    blocks: np.ndarray, hint: SplitHint, over: Callable[[], bool] = never
) -> LevelSplit:
    """Return the best split found near a hint; for small blocks, the best of all."""
    if blocks.shape[1] <= SMALL:
        return best_of_all(blocks)
    order = np.argsort(hint.places, 1, kind="stable")
    halves = order.reshape(len(blocks), 2, -1)
    return improve_split(blocks, column_grams(blocks), halves, hint, over=over)


def improve_split(
    blocks: np.ndarray,
    grams: np.ndarray,
    halves: np.ndarray,
    hint: SplitHint | None = None,
    n_iter: int = 1000,
    over: Callable[[], bool] = never,
) -> LevelSplit:
    """Alternate between the best pairs for the halves, and the best halves for them.

    Parameters
    ----------
    blocks : ndarray, (g, m, m)
    grams : ndarray, (g, m, m)
        The Gram matrices of the columns of the blocks.
    halves : ndarray of int, (g, 2, k)
        The halves to begin with; k may be below m / 2.
    hint : SplitHint, optional
        Agreement with it counts as a gain.
    n_iter : int
        Maximum number of rounds that gain. A round from fewer rows than m / 2, and the
        last one, which gains nothing, do not count.
    over : callable
        Returns whether the time is over, which ends the rounds.

    Notes
    -----
    The gain never decreases, and the search stops when it no longer grows.
    """
    g, m, _ = blocks.shape
    square = squared_norm(grams)
    row_gain, pair_gain = _hinted_gains(hint, g, m)
    gain, liking = np.empty((2, m, m))
    best: LevelSplit | None = None
    top, nearest = -math.inf, False
    while True:
        whole = 2 * halves.shape[2] == m
        first = column_grams(rows_of(blocks, halves[:, 0]))
        if whole:
            second = grams - first
        else:
            second = column_grams(rows_of(blocks, halves[:, 1]))
        both = np.stack([first, second], 1)
        split_gain(both.reshape(2 * g, m, m), gain, liking)
        preferred = liking + (pair_gain > 0)
        pairs = match_columns(gain + pair_gain, preferred, TIE * square)
        kept = float(gain[pairs[:, 0], pairs[:, 1]].sum())
        total = kept + float(pair_gain[pairs[:, 0], pairs[:, 1]].sum())
        total += 2 * float(np.take_along_axis(row_gain, halves[:, 1], 1).sum())
        if whole and (best is None or total > top + TIE * square):
            lines = best_lines(both, pairs)
            best = LevelSplit(halves, pairs, lines, max(0.0, (square - kept) / 2))
            top, nearest = total, False
            n_iter -= 1
            if n_iter == 0 or over():
                return best
        elif whole and best is not None:
            # Rows that moved one by one did not fit together; the nearest lines do.
            if nearest:
                return best
            halves, nearest = _nearest_halves(blocks, best, row_gain), True
            continue
        halves = _moved_halves(blocks, both, pairs, halves, row_gain)


def _hinted_gains(
    hint: SplitHint | None, g: int, m: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a hint adds for rows in half 1, and twice what it adds for pairs."""
    if hint is None:
        return np.zeros((g, m)), np.zeros((m, m))
    rows = hint.worth * math.sqrt(m) * (2.0 * hint.places - 1)
    same = hint.labels[:, None] == hint.labels
    return rows, 2 * hint.worth * math.sqrt(2 * g * m) * same


def match_columns(gain: np.ndarray, liking: np.ndarray, tolerance: float) -> np.ndarray:
    """Return pairs (m / 2, 2) of columns with a large sum of gains.

    Parameters
    ----------
    gain : ndarray, (m, m)
        Symmetric: what each pair gains.
    liking : ndarray, (m, m)
        Symmetric: pairs are first made in the order of decreasing liking.
    tolerance : float
        Partners are exchanged only if that gains more.
    """
    mate = np.empty(len(gain), np.intp)
    pair_greedily(liking, mate)
    exchange_mates(gain, tolerance, mate)
    first = np.flatnonzero(np.arange(len(mate)) < mate)
    return np.stack([first, mate[first]], 1)


def best_of_all(blocks: np.ndarray) -> LevelSplit:
    """Return the best of all splits of small blocks."""
    g, m, _ = blocks.shape
    halves, pairings = _choices(m)
    grams = column_grams(blocks[:, halves])
    squares = np.diagonal(grams, axis1=-2, axis2=-1).real
    gap = squares[..., :, None] - squares[..., None, :]
    gain = np.sqrt(gap**2 + 4 * abs(grams) ** 2).sum(2)
    value = gain[:, :, pairings[..., 0], pairings[..., 1]].sum(-1)
    pairs = int(value.max(1).sum(0).argmax())
    half = value[:, :, pairs].argmax(1)
    kept = float(value[:, :, pairs].max(1).sum())
    lost = max(0.0, float(squares[:, 0].sum()) - kept) / 2
    lines = best_lines(grams[np.arange(g), half], pairings[pairs])
    return LevelSplit(halves[half], pairings[pairs], lines, lost)


@functools.cache
def _choices(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all halves (h, 2, m / 2) of m rows, and all pairings (k, m / 2, 2)."""
    halves = []
    for others in itertools.combinations(range(1, m), m // 2 - 1):
        first = (0, *others)
        halves.append((first, tuple(i for i in range(m) if i not in first)))
    return np.array(halves), np.array(list(_pairings(tuple(range(m)))))


def _pairings(left: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield all ways to pair the given numbers."""
    if not left:
        yield ()
    for k in range(1, len(left)):
        for others in _pairings(left[1:k] + left[k + 1 :]):
            yield ((left[0], left[k]), *others)


def _nearest_halves(
    blocks: np.ndarray, split: LevelSplit, row_gain: np.ndarray
) -> np.ndarray:
    """Return halves by the distances of the rows to the lines of a split."""
    kept = [
        np.linalg.norm(along_lines(blocks, split.groups, split.lines[:, half]), axis=2)
        for half in (0, 1)
    ]
    return _halved(kept[1] ** 2 - kept[0] ** 2 + row_gain)


def _moved_halves(
    blocks: np.ndarray,
    grams: np.ndarray,
    pairs: np.ndarray,
    halves: np.ndarray,
    row_gain: np.ndarray,
) -> np.ndarray:
    """Return the halves in which each row gains most if it alone moves."""
    g, m, _ = blocks.shape
    half = np.full((g, m), -1)
    for number in (0, 1):
        np.put_along_axis(half, halves[:, number], number, 1)
    score = np.empty((g, m))
    half_gain(blocks, grams, half, pairs, score)
    return _halved(score + row_gain)


def _halved(score: np.ndarray) -> np.ndarray:
    """Return the rows with the smaller scores, and the others: (g, 2, m / 2)."""
    order = np.argsort(score, 1, kind="stable")
    return np.sort(order.reshape(len(order), 2, -1), 2)
