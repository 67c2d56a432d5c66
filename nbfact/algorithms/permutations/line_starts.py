"""The halves of the rows that the search of one level begins with.

In a pair of columns that a butterfly pairs, the rows (x, y) lie on two lines through 0,
one for each half of the rows. Pairs whose points are closest to two lines are tried
first, and their two lines say which half each row is in.
"""

from collections.abc import Iterator

import numpy as np

from .level_split import adjoints, column_grams

TINY = 1e-300
"""Added to norms that are divided by, because a block may be zero."""

MIDDLE = 1e-14
"""Smallest middle eigenvalue of moments, of points of norm about 1, that counts as more
than rounding: below it the points lie on one line, or are all zero."""

TIE_BREAK = 1e-9
"""Size of the random numbers that decide between pairs which are equally close to two
lines. In a Hadamard matrix all pairs of columns are, and any of them will do."""


def starting_halves(
    blocks: np.ndarray,
    rng: np.random.Generator,
    n_starts: int,
    n_columns: int,
    share: float,
) -> Iterator[np.ndarray]:
    """Yield halves (g, 2, k) of the rows, those of the most likely pairs first.

    The arguments are those of `bipartition.best_split`.
    """
    columns = rng.permutation(blocks.shape[2])[:n_columns]
    ratio = off_two_lines(blocks, columns)
    ratio += TIE_BREAK * rng.random(ratio.shape)
    near = np.argsort(ratio, 1)[:, :2]
    order = np.argsort(np.take_along_axis(ratio, near, 1), None)[:n_starts]
    for i, j in zip(*np.unravel_index(order, near.shape), strict=True):
        yield halves_of_pair(blocks, np.array([columns[i], near[i, j]]), share)


def off_two_lines(blocks: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return how far the points (x, y) in two columns are from two lines: (k, m).

    Entry (i, j) is of ``columns[i]`` and column j, over all blocks. Two lines through 0
    are the zeros of a quadratic form, so that one eigenvalue of the 3 × 3 moments of
    (x², x y, y²) is 0. Returned is approximately the smallest eigenvalue divided by the
    middle one, and inf for a column with itself.
    """
    b = blocks / ((abs(blocks) ** 4).sum((0, 1)) ** 0.25 + TINY)
    a = b[:, :, columns]
    a_square, b_square = abs(a) ** 2, abs(b) ** 2
    # The moments [[p, u, v], [u*, q, w], [v*, w*, r]], by products of matrices.
    p = (a_square**2).sum(1)[:, :, None]
    r = (b_square**2).sum(1)[:, None, :]
    q = a_square.swapaxes(1, 2) @ b_square
    u = adjoints(a * a_square) @ b
    v = adjoints(a * a) @ (b * b)
    w = adjoints(a) @ (b * b_square)
    uu, vv, ww = abs(u) ** 2, abs(v) ** 2, abs(w) ** 2
    det = p * q * r + 2 * (u * w * v.conj()).real - p * ww - q * vv - r * uu
    minors = np.maximum(p * q - uu + p * r - vv + q * r - ww, 0)
    least = (np.maximum(det, 0) / (minors + TINY)).sum(0)
    middle = (minors / (p + q + r + TINY)).sum(0)
    # Points on one line, or all zero, say nothing: both eigenvalues vanish.
    ratio = np.where(middle > MIDDLE, least / np.maximum(middle, MIDDLE), 1.0)
    ratio[np.arange(len(columns)), columns] = np.inf
    return ratio


def halves_of_pair(blocks: np.ndarray, pair: np.ndarray, share: float) -> np.ndarray:
    """Return the surest rows (g, 2, k) of the two lines of points in two columns.

    k is the given share of half of the rows, at least 1.
    """
    m = blocks.shape[1]
    points = blocks[:, :, pair]
    points = points / (np.sqrt((abs(points) ** 2).sum((0, 1))) + TINY)
    x, y = points[:, :, 0], points[:, :, 1]
    moments = column_grams(np.stack([x * x, x * y, y * y], -1))
    c, b, a = np.linalg.eigh(moments)[1][:, :, 0].T  # c x² + b x y + a y² is smallest
    root = np.sqrt((b * b - 4 * a * c).astype(np.complex128))
    if blocks.dtype.kind != "c":
        root = root.real  # without real zeros, both lines are the one in the middle
    same = (b.conj() * root).real >= 0
    half_sum = -(b + np.where(same, root, -root)) / 2
    # x / y is half_sum / c on one line, and a / half_sum on the other.
    kept = [_on_line(x, y, *line) for line in ((half_sum, c), (a, half_sum))]
    order = np.argsort(kept[1] - kept[0], 1, kind="stable")
    k = max(1, int(m // 2 * share))
    return np.stack([order[:, :k], order[:, m - k :]], 1)


def _on_line(
    x: np.ndarray, y: np.ndarray, right: np.ndarray, up: np.ndarray
) -> np.ndarray:
    """Return the squared length of (x, y) along the line through (right, up)."""
    size = np.sqrt(abs(right) ** 2 + abs(up) ** 2) + TINY
    right, up = (right.conj() / size)[:, None], (up.conj() / size)[:, None]
    return abs(x * right + y * up) ** 2
