"""Perfect matchings of large weight."""

import numpy as np

from ._jit import kernel

# Pairs in the chains that change partners.
_LONGEST = 6


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
    """Let chains of pairs change partners where that gains more than tolerance.

    gain: (n, n) symmetric; mate: (n,) int, of `pair_greedily`, changed until no chain
    that `_chain_from` finds gains, of two pairs or of a few.
    """
    n = gain.shape[0]
    own = np.empty(n, gain.dtype)
    waiting = np.ones(n, np.bool_)
    used = np.full(n, -1)
    chain = np.empty(2 * min(_LONGEST, n // 2), np.int64)
    for i in range(n):
        own[i] = gain[i, mate[i]]
    changed, whole = True, True
    while changed or not whole:
        if not changed:
            waiting[:] = True
        whole, changed = not changed, False
        for first in range(n):
            if waiting[first]:
                waiting[first] = False
                length = _chain_from(gain, tolerance, mate, own, first, used, chain)
                changed = changed or length > 0
                for k in range(1, length, 2):
                    i, j = chain[k], chain[(k + 1) % length]
                    mate[i], mate[j] = j, i
                    own[i] = own[j] = gain[i, j]
                    waiting[i] = waiting[j] = True
        used[:] = -1


@kernel
def _chain_from(gain, tolerance, mate, own, first, used, chain):
    """Return how many indices of chain gain, if each odd one pairs with the next one.

    own: (n,), gain of each with its mate; used: (n,), below first where free; chain:
    first's mate, first, then partners and their mates, written. What joins is what
    gains most, less what it leaves; the last is what gains most if the chain ends. No
    part from first on may lose: some order of each chain that gains is like that.
    """
    home = mate[first]
    chain[0], chain[1] = home, first
    used[home] = used[first] = first
    total = -own[first]
    best, last, length, kept = tolerance, -1, 2, 0
    while length < chain.size:
        end, new, most = chain[length - 1], -1, 0.0
        for i in range(gain.shape[0]):
            if total + gain[end, i] > 0 and used[i] != first:
                value = gain[end, i] - own[i]
                if total + value + gain[home, mate[i]] > best:
                    best = total + value + gain[home, mate[i]]
                    last, kept = i, length + 2
                if new < 0 or value > most:
                    new, most = i, value
        if new < 0:
            break
        chain[length], chain[length + 1] = new, mate[new]
        used[new] = used[mate[new]] = first
        total += most
        length += 2
    if kept > 0:
        chain[kept - 2], chain[kept - 1] = last, mate[last]
    return kept


@kernel
def _best_free(gain, mate, i):
    """Return the free index other than i that it gains most with; -1 if none."""
    best = -1
    for j in range(gain.shape[0]):
        if j != i and mate[j] < 0 and (best < 0 or gain[i, j] > gain[i, best]):
            best = j
    return best


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
                gain[i, j] += _gap(p, grams[k, j, j].real, grams[k, i, j])
    for i in range(n):
        for j in range(n):
            if i != j:
                p, q = liking[i, i], liking[j, j]
                least = max(min(p, q), 1e-300)
                liking[i, j] = min(gain[i, j] - p - q, 0.0) / least


@kernel
def half_gain(blocks, grams, half, pairs, out):
    """Tell what a row adds to `split_gain` in half 1 more than in half 0, exactly.

    blocks: (g, m, m); grams: (g, 2, m, m), of the halves; half: (g, m) int, 0 or 1, or
    -1 for rows in neither; pairs: (m / 2, 2) int; out: (g, m) real, written: half that.
    """
    g, m, _ = blocks.shape
    for block in range(g):
        for i in range(m):
            total = 0.0
            for pair in range(pairs.shape[0]):
                a, b = pairs[pair, 0], pairs[pair, 1]
                x, y = blocks[block, i, a], blocks[block, i, b]
                xx = x.real * x.real + x.imag * x.imag
                yy = y.real * y.real + y.imag * y.imag
                xy = np.conj(x) * y
                for h in range(2):
                    p, q = grams[block, h, a, a].real, grams[block, h, b, b].real
                    r = grams[block, h, a, b]
                    now = _gap(p, q, r)
                    if half[block, i] == h:
                        gained = now - _gap(p - xx, q - yy, r - xy)
                    else:
                        gained = _gap(p + xx, q + yy, r + xy) - now
                    total += gained if h == 1 else -gained
            out[block, i] = total / 2


@kernel
def _gap(p, q, r):
    """Return the gap of the eigenvalues of [[p, r], [r*, q]]."""
    return np.sqrt((p - q) * (p - q) + 4 * (r.real * r.real + r.imag * r.imag))
