"""Groups of columns that lose little as blocks of rank one, judged by pairs."""

import numpy as np

from .angle_starts import TINY

CACHED = 1 << 14
"""Number of entries of Gram matrices that are looked at together, so that they stay in
the cache: for ten of order 1000, that takes a third of the time."""


def pairs_lose(grams: np.ndarray) -> np.ndarray:
    """Return the smaller eigenvalue of each pair of columns, summed over parts."""
    n = grams.shape[-1]
    lost = np.zeros((n, n))
    step = max(1, CACHED // n)
    for rows in (slice(start, start + step) for start in range(0, n, step)):
        part = lost[rows]
        for gram in grams.reshape(-1, n, n):
            size = np.diagonal(gram).real
            gap = np.abs(gram[rows])
            gap *= 2
            gap *= gap
            gap += np.square(size[rows, None] - size)
            part -= np.sqrt(gap, out=gap)
            part += size[rows, None] + size
    return np.maximum(lost, 0) / 2


def group_greedily(lost: np.ndarray, c: int, energy: np.ndarray) -> np.ndarray:
    """Return groups (n / c, c) of columns, the surest ones made first.

    Parameters
    ----------
    lost : ndarray, (n, n)
        Symmetric: what two columns lose in one group.
    c : int
    energy : ndarray, (n,)
        The squared norm of each column: losses count relative to the smaller one.
    """
    n = len(lost)
    pair = lost / (np.minimum(energy[:, None], energy) + TINY)
    np.fill_diagonal(pair, np.inf)
    groups, left = [], np.ones(n, bool)
    partner = np.argmin(pair, 1)
    least = pair[np.arange(n), partner]
    for _ in range(n // c):
        while True:
            first = int(np.argmin(least))
            second = int(partner[first])
            if left[second]:
                break
            # Others have taken its partner: it looks for one among those left.
            second = int(np.argmin(np.where(left, pair[first], np.inf)))
            partner[first], least[first] = second, pair[first, second]
        group = [first, second]
        worst = np.where(left, np.maximum(pair[first], pair[second]), np.inf)
        while len(group) < c:
            worst[group] = np.inf
            group.append(int(np.argmin(worst)))
            worst = np.maximum(worst, pair[group[-1]])
        groups.append(sorted(group))
        left[group], least[group] = False, np.inf
    return np.array(groups)
