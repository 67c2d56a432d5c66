"""One level of a permuted butterfly: rows in two halves, columns in pairs."""

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...kernels import exchange_mates, half_gain, pair_greedily, split_gain

# Blocks of at most so many rows are split the best way of all.
_SMALL = 8

# What differs by less, relative to the squared norm, is equal: ties are frequent.
_TIE = 1e-12

# A split that loses less, relative to the squared norm, ends the search for a better.
_EXACT = 1e-11

# With more rows, two starts with the same best loss are enough.
_LARGE = 256

# Each start takes some rounds, the best then all that gain.
_ROUNDS, _FINALISTS = 3, 2

# Added to what is divided by: a block may be zero.
_TINY = 1e-300


@dataclass(frozen=True)
class Split:
    """Blocks (g, m, m) split by their rows, their columns paired alike.

    Attributes
    ----------
    halves : ndarray of int, (g, 2, m / 2)
        The rows of each half of each block.
    pairs : ndarray of int, (m / 2, 2)
        Columns; the same in all blocks.
    lines : ndarray, (g, 2, m / 2, 2)
        Unit vectors v: the rows of a half are near multiples of vᴴ in a pair.
    lost : float
        Squared norm of what is off the lines.
    """

    halves: np.ndarray
    pairs: np.ndarray
    lines: np.ndarray
    lost: float

    def coordinates(self, blocks: np.ndarray) -> np.ndarray:
        """Return where on their lines the rows are: (2 g, m / 2, m / 2)."""
        g, m, _ = blocks.shape
        parts = [
            _along(_rows(blocks, self.halves[:, h]), self.pairs, self.lines[:, h])
            for h in (0, 1)
        ]
        return np.stack(parts, 1).reshape(2 * g, m // 2, m // 2)


@dataclass(frozen=True)
class Hint:
    """A split to stay near, and what staying is worth.

    Attributes
    ----------
    bits : ndarray of int, (g, m)
        The half of each row.
    labels : ndarray of int, (m,)
        Columns with equal labels were paired.
    worth : float
        Of an entry, in units of its squared modulus: some variances of the noise.
    """

    bits: np.ndarray
    labels: np.ndarray
    worth: float


def best_split(
    blocks: np.ndarray,
    rng: np.random.Generator,
    n_starts: int,
    n_columns: int,
    share: float = 0.5,
) -> Split:
    """Return the best split found: of all for small blocks, else from some starts.

    Parameters
    ----------
    blocks : ndarray, (g, m, m)
        float64 or complex128, m even.
    rng : numpy.random.Generator
    n_starts : int
        Of pairs of columns that begin a search; each costs some products of matrices.
    n_columns : int
        Columns that partners are looked for, chosen at random.
    share : float
        Of the rows of a half, those that pairs are first looked for with: the surest.
    """
    if blocks.shape[1] <= _SMALL:
        return best_of_all(blocks)
    grams = _grams(blocks)
    square = float(np.einsum("gii->", grams).real)
    large = len(blocks) * blocks.shape[1] > _LARGE
    found = []
    for halves in starts(blocks, rng, n_starts, n_columns, share):
        split = improved(blocks, grams, halves, n_iter=_ROUNDS)
        if split.lost <= _EXACT * square:
            return split
        found.append(split)
        found.sort(key=lambda split: split.lost)
        if large and len(found) > 1 and found[1].lost - found[0].lost <= _TIE * square:
            break
    final = [improved(blocks, grams, split.halves) for split in found[:_FINALISTS]]
    return min(final, key=lambda split: split.lost)


def split_near(blocks: np.ndarray, hint: Hint) -> Split:
    """Return the best split found from a hint; of all for small blocks."""
    if blocks.shape[1] <= _SMALL:
        return best_of_all(blocks)
    order = np.argsort(hint.bits, 1, kind="stable")
    halves = order.reshape(len(blocks), 2, -1)
    return improved(blocks, _grams(blocks), halves, hint)


def improved(
    blocks: np.ndarray,
    grams: np.ndarray,
    halves: np.ndarray,
    hint: Hint | None = None,
    n_iter: int = 1000,
) -> Split:
    """Alternate between pairs for given halves, and the best halves for pairs.

    Parameters
    ----------
    blocks, grams : ndarray, (g, m, m)
        `grams` are those of the columns.
    halves : ndarray of int, (g, 2, k)
        To begin with; k may be below m / 2.
    hint : Hint, optional
        What agrees with it counts as a gain.
    n_iter : int
        Rounds, at most, after those that begin with fewer rows or end with no gain.

    Notes
    -----
    Stops when the gain no longer grows: it never decreases.
    """
    g, m, _ = blocks.shape
    square = float(np.einsum("gii->", grams).real)
    row_gain, pair_gain = _gains(hint, g, m)
    gain, liking = np.empty((2, m, m))
    best, top, nearest = None, -math.inf, False
    while True:
        whole = 2 * halves.shape[2] == m
        first = _grams(_rows(blocks, halves[:, 0]))
        second = grams - first if whole else _grams(_rows(blocks, halves[:, 1]))
        both = np.stack([first, second], 1)
        split_gain(both.reshape(2 * g, m, m), gain, liking)
        pairs = matched(gain + pair_gain, liking + (pair_gain > 0), _TIE * square)
        kept = float(gain[pairs[:, 0], pairs[:, 1]].sum())
        total = kept + float(pair_gain[pairs[:, 0], pairs[:, 1]].sum())
        total += 2 * float(np.take_along_axis(row_gain, halves[:, 1], 1).sum())
        if whole and total > top + _TIE * square:
            lines = _lines(both, pairs)
            best = Split(halves, pairs, lines, max(0.0, (square - kept) / 2))
            top, nearest = total, False
            n_iter -= 1
            if n_iter == 0:
                return best
        elif whole:
            # Rows that moved one by one did not fit together; the nearest lines do.
            if nearest:
                return best
            halves, nearest = _nearest(blocks, best, row_gain), True
            continue
        halves = _moved(blocks, both, pairs, halves, row_gain)


def _gains(hint, g, m):
    """Return what rows gain in half 1, and what pairs gain twice."""
    if hint is None:
        return np.zeros((g, m)), np.zeros((m, m))
    rows = hint.worth * math.sqrt(m) * (2.0 * hint.bits - 1)
    same = hint.labels[:, None] == hint.labels
    return rows, 2 * hint.worth * math.sqrt(2 * g * m) * same


def matched(gain: np.ndarray, liking: np.ndarray, tolerance: float) -> np.ndarray:
    """Return pairs (m / 2, 2) with a large sum of gains, those liked most first."""
    mate = np.empty(len(gain), np.intp)
    pair_greedily(liking, mate)
    exchange_mates(gain, tolerance, mate)
    first = np.flatnonzero(np.arange(len(mate)) < mate)
    return np.stack([first, mate[first]], 1)


def starts(
    blocks: np.ndarray,
    rng: np.random.Generator,
    n_starts: int,
    n_columns: int,
    share: float,
) -> Iterator[np.ndarray]:
    """Yield halves (g, 2, k) that pairs of columns suggest, the best pairs first."""
    columns = rng.permutation(blocks.shape[2])[:n_columns]
    # Of a Hadamard matrix all pairs of columns lie on two lines: any two will do.
    ratio = off_two_lines(blocks, columns)
    ratio += 1e-9 * rng.random(ratio.shape)
    near = np.argsort(ratio, 1)[:, :2]
    order = np.argsort(np.take_along_axis(ratio, near, 1), None)[:n_starts]
    for i, j in zip(*np.unravel_index(order, near.shape), strict=True):
        yield halves_of_pair(blocks, np.array([columns[i], near[i, j]]), share)


def off_two_lines(blocks: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return how far points (x, y) in two columns are from two lines: (k, m).

    Two lines through 0 are the zeros of a quadratic form: then one eigenvalue of the
    3 × 3 moments of (x², x y, y²) is 0. Returned is about its share of the middle one;
    inf for a column with itself.
    """
    b = blocks / ((abs(blocks) ** 4).sum((0, 1)) ** 0.25 + _TINY)
    a = b[:, :, columns]
    a_square, b_square = abs(a) ** 2, abs(b) ** 2
    # The moments [[p, u, v], [u*, q, w], [v*, w*, r]], by products of matrices.
    p = (a_square**2).sum(1)[:, :, None]
    r = (b_square**2).sum(1)[:, None, :]
    q = a_square.swapaxes(1, 2) @ b_square
    u = _adjoint(a * a_square) @ b
    v = _adjoint(a * a) @ (b * b)
    w = _adjoint(a) @ (b * b_square)
    uu, vv, ww = abs(u) ** 2, abs(v) ** 2, abs(w) ** 2
    det = p * q * r + 2 * (u * w * v.conj()).real - p * ww - q * vv - r * uu
    minors = np.maximum(p * q - uu + p * r - vv + q * r - ww, 0)
    least = (np.maximum(det, 0) / (minors + _TINY)).sum(0)
    middle = (minors / (p + q + r + _TINY)).sum(0)
    # Both vanish where points lie on one line, or are all 0: that tells nothing.
    ratio = np.where(middle > 1e-14, least / np.maximum(middle, 1e-14), 1.0)
    ratio[np.arange(len(columns)), columns] = np.inf
    return ratio


def halves_of_pair(blocks: np.ndarray, pair: np.ndarray, share: float) -> np.ndarray:
    """Return the surest rows (g, 2, k) of the two lines of points in two columns."""
    m = blocks.shape[1]
    points = blocks[:, :, pair]
    points = points / (np.sqrt((abs(points) ** 2).sum((0, 1))) + _TINY)
    x, y = points[:, :, 0], points[:, :, 1]
    moments = _grams(np.stack([x * x, x * y, y * y], -1))
    c, b, a = np.linalg.eigh(moments)[1][:, :, 0].T  # c x² + b x y + a y² is smallest
    root = np.sqrt((b * b - 4 * a * c).astype(np.complex128))
    if blocks.dtype.kind != "c":
        root = root.real  # no real zeros: one line, in the middle
    same = (b.conj() * root).real >= 0
    sum_ = -(b + np.where(same, root, -root)) / 2
    # x / y is sum_ / c on one line, a / sum_ on the other.
    kept = [_on_line(x, y, *line) for line in ((sum_, c), (a, sum_))]
    order = np.argsort(kept[1] - kept[0], 1, kind="stable")
    k = max(1, int(m // 2 * share))
    return np.stack([order[:, :k], order[:, m - k :]], 1)


def _on_line(x, y, right, up):
    """Return the squared length of (x, y) along the line through (right, up)."""
    size = np.sqrt(abs(right) ** 2 + abs(up) ** 2) + _TINY
    right, up = (right.conj() / size)[:, None], (up.conj() / size)[:, None]
    return abs(x * right + y * up) ** 2


def best_of_all(blocks: np.ndarray) -> Split:
    """Return the best of all splits."""
    g, m, _ = blocks.shape
    halves, pairings = _choices(m)
    grams = _grams(blocks[:, halves])
    squares = np.diagonal(grams, axis1=-2, axis2=-1).real
    gap = squares[..., :, None] - squares[..., None, :]
    gain = np.sqrt(gap**2 + 4 * abs(grams) ** 2).sum(2)
    value = gain[:, :, pairings[..., 0], pairings[..., 1]].sum(-1)
    pairs = int(value.max(1).sum(0).argmax())
    half = value[:, :, pairs].argmax(1)
    kept = float(value[:, :, pairs].max(1).sum())
    lost = max(0.0, float(squares[:, 0].sum()) - kept) / 2
    lines = _lines(grams[np.arange(g), half], pairings[pairs])
    return Split(halves[half], pairings[pairs], lines, lost)


@functools.cache
def _choices(m):
    """Return all halves (h, 2, m / 2) of m rows, and all pairings (k, m / 2, 2)."""
    halves = []
    for others in itertools.combinations(range(1, m), m // 2 - 1):
        first = (0, *others)
        halves.append((first, tuple(i for i in range(m) if i not in first)))
    return np.array(halves), np.array(list(_pairings(tuple(range(m)))))


def _pairings(left):
    """Yield all perfect matchings."""
    if not left:
        yield ()
    for k in range(1, len(left)):
        for others in _pairings(left[1:k] + left[k + 1 :]):
            yield ((left[0], left[k]), *others)


def _nearest(blocks, split, row_gain):
    """Return halves by the distances of the rows to the lines of a split."""
    pairs, lines = split.pairs, split.lines
    kept = [np.linalg.norm(_along(blocks, pairs, lines[:, h]), axis=2) for h in (0, 1)]
    return _halved(kept[1] ** 2 - kept[0] ** 2 + row_gain)


def _moved(blocks, grams, pairs, halves, row_gain):
    """Return the halves that rows would rather be in, each by itself."""
    g, m, _ = blocks.shape
    half = np.full((g, m), -1)
    for h in (0, 1):
        np.put_along_axis(half, halves[:, h], h, 1)
    score = np.empty((g, m))
    half_gain(blocks, grams, half, pairs, score)
    return _halved(score + row_gain)


def _halved(score):
    """Return the rows of smaller scores, and those of larger ones: (g, 2, m / 2)."""
    order = np.argsort(score, 1, kind="stable")
    return np.sort(order.reshape(len(order), 2, -1), 2)


def _lines(grams, pairs):
    """Return the leading eigenvectors of 2 × 2 minors: (..., m / 2, 2)."""
    a, b = pairs.T
    p, q, r = grams[..., a, a].real, grams[..., b, b].real, grams[..., a, b]
    gap = np.sqrt((p - q) ** 2 + 4 * abs(r) ** 2)
    x = np.where(p >= q, (p - q + gap) / 2, r)
    y = np.where(p >= q, r.conj(), (q - p + gap) / 2)
    size = np.sqrt(abs(x) ** 2 + abs(y) ** 2)
    lines = np.stack([x, y], -1) / np.where(size > 0, size, 1)[..., None]
    lines[size == 0] = 1, 0  # all vectors are as good
    return lines


def _along(blocks, pairs, lines):
    """Return products of rows in pairs with unit vectors: (g, rows, m / 2)."""
    out = blocks[:, :, pairs[:, 0]] * lines[:, None, :, 0]
    out += blocks[:, :, pairs[:, 1]] * lines[:, None, :, 1]
    return out


def _rows(blocks, index):
    """Return rows of each block: (g, k, m)."""
    return np.take_along_axis(blocks, index[:, :, None], 1)


def _adjoint(x):
    return x.conj().swapaxes(-1, -2)


def _grams(x):
    """Return the Gram matrices of the columns."""
    return np.matmul(_adjoint(x), x)
