"""One level of a permuted butterfly: rows in two halves, columns in pairs."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from ..kernels import exchange_mates, pair_greedily, split_gain

# Blocks of at most so many rows are split the best way of all.
_SMALL = 8
MATCH = [2]
MODE = ['both']

# Gains that differ by less, relative to the largest, are equal: ties are frequent.
_TIE = 1e-12

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Split:
    """Blocks that share one pairing of their columns, each split by its rows.

    halves : (g, 2, m / 2), rows of each half
    pairs : (m / 2, 2), columns; the same for all blocks
    lines : (g, 2, m / 2, 2), unit vectors: rows in half h, columns in pair p lie near it
    gain : what the projections on the lines keep of the squared norm, twice
    """

    halves: np.ndarray
    pairs: np.ndarray
    lines: np.ndarray
    gain: float

    def coordinates(self, blocks):
        """Return along their lines the rows of each half: (2 g, m / 2, m / 2)."""
        g, m, _ = blocks.shape
        out = np.empty((g, 2, m // 2, m // 2), blocks.dtype)
        for h in range(2):
            part = np.take_along_axis(blocks, self.halves[:, h, :, None], 1)
            out[:, h] = _along(part, self.pairs, self.lines[:, h])
        return out.reshape(2 * g, m // 2, m // 2)


def _along(blocks, pairs, lines):
    """Return the products with unit vectors: (g, rows, m / 2)."""
    first = blocks[:, :, pairs[:, 0]] * lines[:, None, :, 0]
    return first + blocks[:, :, pairs[:, 1]] * lines[:, None, :, 1]


def best_lines(grams, pairs):
    """Return the leading eigenvectors of the minors of Gram matrices at pairs."""
    a, b = pairs.T
    p, q, r = grams[..., a, a].real, grams[..., b, b].real, grams[..., a, b]
    gap = np.sqrt((p - q) ** 2 + 4 * (r.real**2 + r.imag**2))
    first = p >= q
    x = np.where(first, (p - q + gap) / 2, r)
    y = np.where(first, r.conj(), (q - p + gap) / 2)
    x = np.where(gap > _TINY, x, 1)
    y = np.where(gap > _TINY, y, 0)
    return np.stack([x, y], -1) / np.hypot(abs(x), abs(y))[..., None]


def gram(x):
    """Return the Gram matrices of the columns."""
    return np.matmul(x.conj().swapaxes(-1, -2), x)


def improved(blocks, grams, halves, scale, rows=None, columns=None, n_iter=50):
    """Alternate between the best pairs for given halves, and halves for pairs.

    rows: (g, m), what a row gains in half 1; columns: (m, m), what pairs gain.
    """
    g, m, _ = blocks.shape
    best, top = None, -np.inf
    gain, liking = np.empty((2, m, m))
    for _ in range(n_iter):
        first = gram(np.take_along_axis(blocks, halves[:, 0, :, None], 1))
        if 2 * halves.shape[2] == m:
            second = grams - first
        else:
            second = gram(np.take_along_axis(blocks, halves[:, 1, :, None], 1))
        both = np.stack([first, second], 1)
        split_gain(both.reshape(2 * g, m, m), gain, liking)
        pairs = matched(gain, liking, _TIE * scale, columns)
        lines = best_lines(both, pairs)
        if 2 * halves.shape[2] == m:
            value = total = float(gain[pairs[:, 0], pairs[:, 1]].sum())
            if columns is not None:
                total += columns[pairs[:, 0], pairs[:, 1]].sum()
                total += 2 * np.take_along_axis(rows, halves[:, 1], 1).sum()
            if total <= top + _TIE * scale:
                break
            best, top = Split(halves, pairs, lines, value), total
        halves = _halves(blocks, pairs, lines, rows)
    return best


def matched(gain, liking, tolerance, columns=None):
    best = None
    if columns is not None:
        gain = gain + columns
        liking = liking + (columns > 0)
    for way in (liking, gain)[:MATCH[0]]:
        mate = np.empty(len(gain), np.intp)
        pair_greedily(way, mate)
        exchange_mates(gain, tolerance, mate)
        index = np.flatnonzero(np.arange(len(mate)) < mate)
        pairs = np.stack([index, mate[index]], 1)
        value = gain[pairs[:, 0], pairs[:, 1]].sum()
        if best is None or value > best[0] + tolerance:
            best = value, pairs
    return best[1]


def _halves(blocks, pairs, lines, rows=None):
    """Return the best halves for given lines."""
    g, m, _ = blocks.shape
    kept = [np.linalg.norm(_along(blocks, pairs, lines[:, h]), axis=2) for h in (0, 1)]
    score = kept[1] ** 2 - kept[0] ** 2
    order = np.argsort(score if rows is None else score + rows, 1, kind="stable")
    return np.sort(order.reshape(g, 2, m // 2), 2)


def bloch(blocks, pairs):
    """Return what tells lines apart: (g, rows, pairs, 3), and the squared lengths."""
    x, y = blocks[:, :, pairs[:, 0]], blocks[:, :, pairs[:, 1]]
    p, q, r = abs(x) ** 2, abs(y) ** 2, x * y.conj()
    return np.stack([p - q, 2 * r.real, 2 * r.imag], -1), p + q


def halves_of(blocks, pairs, share=1.0):
    """Return halves of the rows that differ most in these pairs of columns."""
    g, m, _ = blocks.shape
    points, sizes = bloch(blocks, pairs)
    centre = points.sum(1, keepdims=True) / (
        sizes.sum(1, keepdims=True)[..., None] + _TINY
    )
    points = (points - sizes[..., None] * centre).reshape(g, m, -1)
    if points.shape[2] > m:
        score = np.linalg.eigh(points @ points.swapaxes(1, 2))[1][:, :, -1]
    else:
        axis = np.linalg.eigh(points.swapaxes(1, 2) @ points)[1][:, :, -1:]
        score = (points @ axis)[..., 0]
    for _ in range(3):
        order = np.argsort(score, 1, kind="stable")
        halves = order.reshape(g, 2, m // 2)
        parts = [np.take_along_axis(blocks, halves[:, h, :, None], 1) for h in (0, 1)]
        flat = pairs.ravel()
        local = np.arange(flat.size).reshape(-1, 2)
        lines = best_lines(gram(np.stack([p[:, :, flat] for p in parts], 1)), local)
        s = [np.linalg.norm(_along(blocks, pairs, lines[:, h]), axis=2) for h in (0, 1)]
        score = s[1] ** 2 - s[0] ** 2
    order = np.argsort(score, 1, kind="stable")
    k = max(1, int(m // 2 * share))
    return np.stack([order[:, :k], order[:, m - k :]], 1)


def collinear(blocks, columns):
    """Return how far the points of two columns are from two lines: (r, m).

    Points (x, y) on two lines are zeros of one quadratic form: 0 where the smallest
    eigenvalue of the 3 × 3 moments of x², x y, y² vanishes.
    """
    size = (abs(blocks) ** 4).sum((0, 1)) ** 0.25 + 1e-100
    b = blocks / size
    a = b[:, :, columns]
    bb, aa = (b.conj() * b).real, (a.conj() * a).real
    turn = lambda x: x.conj().swapaxes(1, 2)
    A, F = (aa**2).sum(1)[:, :, None], (bb**2).sum(1)[:, None, :]
    u, v = turn(a * aa) @ b, turn(a * a) @ (b * b)
    C, w = turn(aa) @ bb, turn(a) @ (bb * b)
    U, V, W = abs(u) ** 2, abs(v) ** 2, abs(w) ** 2
    # moments: <aa,ab>=sum conj(a^2) a b = conj(a)|a|^2 b
    det = A * C * F + 2 * (u * w * v.conj()).real - A * W - C * V - F * U
    minors = A * C - U + A * F - V + C * F - W
    small = (np.maximum(det, 0) / (minors + 1e-300)).sum(0)
    middle = (np.maximum(minors, 0) / (A + C + F + 1e-300)).sum(0)
    ratio = small / (middle + 1e-300)
    ratio[np.arange(len(columns)), columns] = np.inf
    return ratio


def starts(blocks, rng, n_starts, n_columns, share):
    """Yield halves to start from."""
    m = blocks.shape[1]
    columns = rng.permutation(m)[:n_columns]
    ratio = collinear(blocks, columns)
    near = np.argsort(ratio + 1e-9 * rng.random(ratio.shape), 1)[:, :2]
    found = [
        (ratio[i, near[i, j]] + 1e-9 * rng.random(), columns[i], near[i, j])
        for i in range(len(columns))
        for j in range(near.shape[1])
    ]
    for _, a, b in sorted(found)[:n_starts]:
        if MODE[0] != "pca":
            yield halves_by_form(blocks, np.array([a, b]), share)
        if MODE[0] != "form":
            yield halves_of(blocks, np.array([[a, b]]), share)


def halves_by_form(blocks, pair, share):
    """Return halves near the two lines of the quadratic form that vanishes best."""
    m = blocks.shape[1]
    z = blocks[:, :, pair]
    size = np.sqrt((abs(z) ** 2).sum((0, 1))) + 1e-100
    x, y = np.moveaxis(z / size, 2, 0)
    form = np.linalg.eigh(gram(np.stack([x * x, x * y, y * y], -1)))[1][:, :, 0]
    c0, c1, c2 = form.T
    root = np.sqrt((c1 * c1 - 4 * c0 * c2).astype(complex))
    if blocks.dtype.kind != "c":
        root = root.real
    # c0 t^2 + c1 t + c2, t = x / y: t = 2 c2 / (-c1 -+ root) = (-c1 +- root) / (2 c0)
    sign = np.where((c1.conj() * root).real >= 0, 1, -1)
    q = -(c1 + sign * root) / 2
    score = []
    for top, low in ((q, c0), (c2, q)):
        scale = np.sqrt(abs(top) ** 2 + abs(low) ** 2) + 1e-100
        score.append(abs(x * (top.conj() / scale)[:, None] + y * (low.conj() / scale)[:, None]) ** 2)
    order = np.argsort(score[1] - score[0], 1, kind="stable")
    k = max(1, int(m // 2 * share))
    return np.stack([order[:, :k], order[:, m - k :]], 1)


@functools.cache
def _tables(m):
    """Return all bipartitions (h, 2, m / 2) and all pairings (k, m / 2, 2)."""
    halves = [
        (half, tuple(i for i in range(m) if i not in half))
        for half in itertools.combinations(range(m), m // 2)
        if 0 in half
    ]
    return np.array(halves), np.array(list(_pairings(tuple(range(m)))))


def _pairings(left):
    if not left:
        yield ()
        return
    for k in range(1, len(left)):
        for rest in _pairings(left[1:k] + left[k + 1 :]):
            yield ((left[0], left[k]), *rest)


def exact(blocks):
    """Return the best split of all."""
    g, m, _ = blocks.shape
    halves, pairings = _tables(m)
    grams = gram(blocks[:, halves])
    diagonal = np.diagonal(grams, axis1=-2, axis2=-1).real
    gap = diagonal[..., :, None] - diagonal[..., None, :]
    gain = np.sqrt(gap**2 + 4 * abs(grams) ** 2).sum(2)
    values = gain[:, :, pairings[..., 0], pairings[..., 1]].sum(-1)
    k = int(np.argmax(values.max(1).sum(0)))
    h = values[:, :, k].argmax(1)
    pairs = pairings[k]
    lines = best_lines(grams[np.arange(g), h], pairs)
    return Split(halves[h], pairs, lines, float(values[:, :, k].max(1).sum()))


def split(blocks, rng, n_starts, n_columns, share=0.5):
    """Return the best split found."""
    m = blocks.shape[1]
    if m <= _SMALL:
        return exact(blocks)
    grams = gram(blocks)
    total = float(np.einsum("gii->", grams).real)
    best = None
    for halves in starts(blocks, rng, n_starts, n_columns, share):
        found = improved(blocks, grams, halves, total)
        if best is None or found.gain > best.gain:
            best = found
        if best.gain >= total * (1 - 1e-11):  # 2 lmax - (p+q) sums to total if exact
            break
    return best


def resplit(blocks, bits, labels, noise, loyalty):
    """Return the split near a hint: bits of the rows (g, m), labels of columns (m,)."""
    g, m, _ = blocks.shape
    if m <= _SMALL:
        return exact(blocks)
    grams = gram(blocks)
    total = float(np.einsum("gii->", grams).real)
    halves = np.argsort(bits, 1, kind="stable").reshape(g, 2, m // 2)
    rows = loyalty * noise * np.sqrt(m) * (2.0 * bits - 1)
    columns = 2 * loyalty * noise * np.sqrt(2 * g * m) * (labels[:, None] == labels)
    return improved(blocks, grams, halves, total, rows, columns)
