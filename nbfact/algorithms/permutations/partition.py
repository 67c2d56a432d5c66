"""One level of a permuted chain of any radices: rows in b parts, columns in groups.

Within a part of the rows, the columns of a group have rank one up to noise. With G the
Gram matrix of the columns over a part, a split keeps

    Σ_parts Σ_groups λ_max G[group, group]

of the squared norm. It is increased in turns over the groups, for fixed parts, and over
the parts, for fixed groups. `bipartition` is the same for two halves and pairs, where
sums over all pairs have closed forms and kernels.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..common.result import never
from .angle_starts import TINY, starting_parts
from .bipartition import EXACT, FINALISTS, ROUNDS, TIE
from .column_groups import group_greedily, pairs_lose
from .level_split import LevelSplit, SplitHint, column_grams, rows_of

TURNS = 3
"""Maximum number of times that columns move between the groups of one grouping."""

MOVES = 1 << 18
"""Maximum number of matrices of one group whose eigenvalues say exactly what each row
gains where it moves; above it, rows go to the nearest lines."""


LARGE_BLOCKS, FEW_COLUMNS, SAME = 1 << 17, 16, 1e-3
"""Number of entries of all blocks above which a search looks for the partners of few
columns, and ends when two starts lose the same up to a small part: a start takes a
second for a million entries."""


class GroupLines(NamedTuple):
    """The best lines of a grouping.

    Attributes
    ----------
    groups : ndarray of int, (n / c, c)
    kept : ndarray, (g, b, n / c)
        The squared norms along the lines.
    vectors : ndarray, (g, b, n / c, c)
        The lines, unit vectors.
    """

    groups: np.ndarray
    kept: np.ndarray
    vectors: np.ndarray


def best_partition(
    blocks: np.ndarray,
    radices: tuple[int, int],
    rng: np.random.Generator,
    n_starts: int,
    n_columns: int,
    n_finalists: int = FINALISTS,
    over: Callable[[], bool] = never,
) -> LevelSplit:
    """Return the best split from some starts.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
        float64 or complex128.
    radices : (int, int)
        The number b of parts, a divisor of m, and the size c of groups, one of n.
    rng : numpy.random.Generator
    n_starts : int
        Number of pairs of columns that the search begins with.
    n_columns : int
        Number of columns, chosen at random, whose partners are looked for.
    n_finalists : int
        Number of the best starts that go on until they no longer gain.
    over : callable
        Returns whether the time is over: then the best split so far is returned.
    """
    m, (b, c) = blocks.shape[1], radices
    if b == m or b == 1 or c == 1:
        return improve_partition(blocks, parts_in_order(blocks, b), c)
    square = float(np.vdot(blocks, blocks).real)
    large = blocks.size > LARGE_BLOCKS
    n_columns = min(n_columns, FEW_COLUMNS) if large else n_columns
    found: list[LevelSplit] = []
    starts = starting_parts(blocks, b, rng, n_columns, over)
    for number, parts in enumerate(starts):
        if number == n_starts or (found and over()):
            break
        split = improve_partition(blocks, parts, c, n_iter=ROUNDS, over=over)
        if split.lost <= EXACT * square:
            return split
        found.append(split)
        found.sort(key=lambda split: split.lost)
        if (
            large
            and len(found) > 1
            and found[1].lost - found[0].lost <= SAME * found[0].lost
        ):
            break
    final = found[:1]
    for one in found[:n_finalists]:
        if not over():
            final.append(improve_partition(blocks, one.parts, c, over=over))
    return min(final, key=lambda split: split.lost)


def partition_near(
    blocks: np.ndarray,
    radices: tuple[int, int],
    hint: SplitHint,
    over: Callable[[], bool] = never,
) -> LevelSplit:
    """Return the best split found near a hint, or the first where the time is over."""
    b, c = radices
    order = np.argsort(hint.places, 1, kind="stable")
    parts = order.reshape(len(blocks), b, -1)
    return improve_partition(blocks, parts, c, hint, over=over)


def parts_in_order(blocks: np.ndarray, b: int) -> np.ndarray:
    """Return the parts of rows in their order: (g, b, m / b)."""
    g, m, _ = blocks.shape
    return np.broadcast_to(np.arange(m).reshape(b, -1), (g, b, m // b)).copy()


def improve_partition(
    blocks: np.ndarray,
    parts: np.ndarray,
    c: int,
    hint: SplitHint | None = None,
    n_iter: int = 1000,
    over: Callable[[], bool] = never,
) -> LevelSplit:
    """Alternate between the best groups for the parts, and the best parts for them.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
    parts : ndarray of int, (g, b, m / b)
        The parts to begin with.
    c : int
        The number of columns of a group.
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
    b = parts.shape[1]
    energy = (np.abs(blocks) ** 2).sum((0, 1))
    row_gain, pair_gain = hinted_gains(hint, g, b, (m, n))

    def grouped(grams, best):
        lines = _grouped(grams, c, energy, pair_gain)
        return lines, _gain(lines, pair_gain)

    def moved(grams, parts, lines, nearest):
        if nearest or g * m * b * len(lines.groups) > MOVES:
            return _near_lines(blocks, lines)
        return _moved(blocks, grams, parts, lines)

    n_iter = 1 if b == m else n_iter
    parts, lines, lost = alternated(
        blocks, parts, row_gain, grouped, moved, n_iter, over
    )
    return LevelSplit(parts, lines.groups, lines.vectors, lost)


def alternated(
    blocks: np.ndarray,
    parts: np.ndarray,
    row_gain: np.ndarray,
    grouped: Callable[[np.ndarray, Any], tuple[Any, float]],
    moved: Callable[[np.ndarray, np.ndarray, Any, bool], np.ndarray],
    n_iter: int,
    over: Callable[[], bool] = never,
) -> tuple[np.ndarray, Any, float]:
    """Alternate between groups and parts, as long as that gains.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
    parts : ndarray of int, (g, b, m / b)
        The parts to begin with.
    row_gain : ndarray, (g, m, b)
        What a hint adds for a row in each part.
    grouped : callable
        Returns the best groups for the Gram matrices of the parts, with an attribute
        ``kept``, and their gain; it is given the best groups so far too, or None.
    moved : callable
        Returns what each row gains in each part, (g, m, b), for the Gram matrices,
        parts and groups, and whether rows go to the nearest groups.
    n_iter : int
        Maximum number of rounds that gain.
    over : callable
        Returns whether the time is over, which ends the rounds.

    Returns
    -------
    parts : ndarray of int, (g, b, m / b)
    groups : object
        What `grouped` returned for them.
    lost : float
        The squared norm of the blocks that they do not keep.
    """
    g, b, _ = parts.shape
    n = blocks.shape[2]
    square = float(np.vdot(blocks, blocks).real)
    best: tuple[np.ndarray, np.ndarray, Any] | None = None
    top, nearest = -math.inf, False
    while True:
        grams = column_grams(rows_of(blocks, parts.reshape(g, -1)).reshape(g, b, -1, n))
        groups, gain = grouped(grams, None if best is None else best[2])
        total = gain + sum(
            float(np.take_along_axis(row_gain[:, :, part], parts[:, part], 1).sum())
            for part in range(b)
        )
        if best is None or total > top + TIE * square:
            best, top, nearest = (parts, grams, groups), total, False
            n_iter -= 1
        elif nearest:
            n_iter = 0
        else:
            # Rows that moved one by one did not fit together; the nearest groups do.
            nearest = True
        parts, grams, groups = best
        if n_iter == 0 or over():
            return parts, groups, max(0.0, square - float(groups.kept.sum()))
        gains = moved(grams, parts, groups, nearest) + row_gain
        parts = np.stack([balanced(one) for one in gains])


def hinted_gains(
    hint: SplitHint | None, g: int, b: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a hint adds for rows in each part, (g, m, b), and for pairs, (n, n).

    The weights are those of `bipartition`, where rows in half 1 and pairs count twice.
    """
    m, n = shape
    if hint is None:
        return np.zeros((g, m, b)), np.zeros((n, n))
    same = hint.labels[:, None] == hint.labels
    stays = hint.places[:, :, None] == np.arange(b)
    return (
        hint.worth * math.sqrt(n) * stays,
        hint.worth * math.sqrt(b * g * m) * same,
    )


def balanced(gain: np.ndarray) -> np.ndarray:
    """Return parts (b, m / b) of equal size of the largest sum of gains, (m, b)."""
    m, b = gain.shape
    k = m // b
    if b == 2:
        order = np.argsort(gain[:, 1] - gain[:, 0], kind="stable")
        return np.sort(order.reshape(2, -1), 1)
    part = gain.argmax(1)
    if (np.bincount(part, minlength=b) != k).any():
        part = linear_sum_assignment(np.repeat(gain, k, 1), maximize=True)[1] // k
    return np.argsort(part, kind="stable").reshape(b, k)


def _grouped(
    grams: np.ndarray, c: int, energy: np.ndarray, pair_gain: np.ndarray
) -> GroupLines:
    """Return groups of columns that nearly have rank one in all parts.

    Pairs that lose least are first made groups; then each column moves to the group
    whose line it is nearest to, as long as that helps.
    """
    n = len(energy)
    if c == 1 or c == n:
        return _best_lines(grams, np.arange(n).reshape(-1, c))
    lost = pairs_lose(grams) - pair_gain
    best = _best_lines(grams, group_greedily(lost, c, energy))
    for _ in range(TURNS if c > 2 else 0):
        other = _best_lines(grams, _regrouped(grams, best))
        if _gain(other, pair_gain) <= _gain(best, pair_gain) * (1 + TIE):
            break
        best = other
    return best


def _gain(lines: GroupLines, pair_gain: np.ndarray) -> float:
    """Return what groups keep, and what pairs of their first columns gain beside."""
    beside = pair_gain[lines.groups[:, :1], lines.groups[:, 1:]]
    return float(lines.kept.sum()) + float(beside.sum())


def _best_lines(grams: np.ndarray, groups: np.ndarray) -> GroupLines:
    """Return the best lines: leading eigenvectors of minors of Gram matrices."""
    minors = grams[..., groups[:, :, None], groups[:, None, :]]
    values, vectors = np.linalg.eigh(minors)
    return GroupLines(groups, values[..., -1], vectors[..., -1])


def _regrouped(grams: np.ndarray, lines: GroupLines) -> np.ndarray:
    """Return groups by how much of each column lies along the line of each group.

    The rows of a part along the line v of a group are multiples of X v, with X the
    columns of the group.
    """
    t, n = len(lines.groups), grams.shape[-1]
    taken = grams.take(lines.groups, axis=-1)  # half of the time of indexing, and less
    inner = np.einsum("...ntc,...tc->...nt", taken, lines.vectors)
    along = np.abs(inner) ** 2 / (lines.kept[..., None, :] + TINY)
    return balanced(along.reshape(-1, n, t).sum(0))


def _near_lines(blocks: np.ndarray, lines: GroupLines) -> np.ndarray:
    """Return the squared norm of each row along the lines of each part: (g, m, b)."""
    flat = blocks[:, :, lines.groups]
    along = np.einsum("gmtc,gbtc->gmbt", flat, lines.vectors)
    return (np.abs(along) ** 2).sum(-1)


def _moved(
    blocks: np.ndarray, grams: np.ndarray, parts: np.ndarray, lines: GroupLines
) -> np.ndarray:
    """Return what each part keeps by each row, if that row alone moves: (g, m, b)."""
    (g, m, _), b = blocks.shape, parts.shape[1]
    groups = lines.groups
    points = blocks[:, :, groups]
    own = np.zeros((g, m, b), bool)
    for part in range(b):
        np.put_along_axis(own[:, :, part], parts[:, part], True, 1)
    sign = np.where(own, -1.0, 1.0)[..., None]
    minors = grams[..., groups[:, :, None], groups[:, None, :]]
    outer = points.conj()[..., :, None] * points[..., None, :]
    moved = minors[:, None] + sign[..., None, None] * outer[:, :, None]
    if groups.shape[1] == 2:
        p, q, r = moved[..., 0, 0].real, moved[..., 1, 1].real, moved[..., 0, 1]
        largest = (p + q + np.sqrt((p - q) ** 2 + 4 * np.abs(r) ** 2)) / 2
    else:
        largest = np.linalg.eigvalsh(moved)[..., -1]
    return (sign * (largest - lines.kept[:, None])).sum(-1)
