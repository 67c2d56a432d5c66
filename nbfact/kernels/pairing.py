"""Perfect matchings of large weight."""

import numpy as np

from .._jit import kernel


@kernel
def pair_greedily(liking, mate):
    """Pair all indices: those of the largest liking first, ties by index.

    liking: (n, n) symmetric, n even; mate: (n,) int, written: i and mate[i] are a pair.
    """
    n = liking.shape[0]
    best = np.empty(n, np.int64)
    for i in range(n):
        mate[i] = -1
    for i in range(n):
        best[i] = _best_free(liking, mate, i)
    for _ in range(n // 2):
        first = -1
        for i in range(n):
            if mate[i] < 0 and (
                first < 0 or liking[i, best[i]] > liking[first, best[first]]
            ):
                first = i
        second = best[first]
        mate[first] = second
        mate[second] = first
        for i in range(n):
            if mate[i] < 0 and mate[best[i]] >= 0:
                best[i] = _best_free(liking, mate, i)


@kernel
def exchange_mates(gain, tolerance, mate):
    """Let two pairs change partners where that gains more than tolerance, to the end.

    gain: (n, n) symmetric; mate: (n,) int, of `pair_greedily`, changed.
    """
    n = gain.shape[0]
    changed = True
    while changed:
        changed = False
        for i in range(n):
            for j in range(n):
                if mate[i] > i and mate[j] > j and i < j:
                    changed = _exchange(gain, tolerance, mate, i, j) or changed


@kernel
def _best_free(gain, mate, i):
    """Return the free index other than i that it gains most with; -1 if none."""
    best = -1
    for j in range(gain.shape[0]):
        if j != i and mate[j] < 0 and (best < 0 or gain[i, j] > gain[i, best]):
            best = j
    return best


@kernel
def _exchange(gain, tolerance, mate, i, j):
    """Pair i and j, or i and mate[j], if that gains more; return whether."""
    k = mate[i]
    m = mate[j]
    now = gain[i, k] + gain[j, m] + tolerance
    straight = gain[i, j] + gain[k, m]
    crossed = gain[i, m] + gain[j, k]
    if max(straight, crossed) <= now:
        return False
    if straight >= crossed:
        mate[i] = j
        mate[j] = i
        mate[k] = m
        mate[m] = k
    else:
        mate[i] = m
        mate[m] = i
        mate[j] = k
        mate[k] = j
    return True


@kernel
def split_gain(grams, gain, liking):
    """Tell what pairs of columns keep that are near two lines, one for each half.

    grams: (k, n, n) hermitian, of the halves of all blocks; gain and liking: (n, n)
    real, written. gain: twice the larger eigenvalue of [[p, r], [r*, q]] less p + q,
    all added up; liking: less the sum of the smaller eigenvalues, in units of the
    smaller sum of p and of q.
    """
    n = gain.shape[0]
    gain[:, :] = 0
    liking[:, :] = 0
    for k in range(grams.shape[0]):
        for i in range(n):
            p = grams[k, i, i].real
            liking[i, i] += p
            for j in range(n):
                r = grams[k, i, j]
                gap = p - grams[k, j, j].real
                size = r.real * r.real + r.imag * r.imag
                gain[i, j] += np.sqrt(gap * gap + 4 * size)
    for i in range(n):
        for j in range(n):
            if i != j:
                p, q = liking[i, i], liking[j, j]
                least = max(min(p, q), 1e-300)
                liking[i, j] = min(gain[i, j] - p - q, 0.0) / least
