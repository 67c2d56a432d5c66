"""Twins of the pairing of columns, and of halves of rows."""

import numpy as np


def pair_greedily(liking):
    """Return the mate of each index: the largest of what is left, ties by index."""
    n = len(liking)
    mate = np.full(n, -1)
    while min(mate) < 0:
        free = np.flatnonzero(mate < 0)
        pairs = [(i, j) for i in free for j in free if i != j]
        i, j = max(pairs, key=lambda pair: liking[pair])  # max keeps the first
        mate[i], mate[j] = j, i
    return mate


def exchange_mates(gain, tolerance, mate):
    """Return the mates after all exchanges in chains of pairs that gain.

    An index waits until a chain from it has been tried, and again when its mate
    changes. When no chain gains, all indices are tried once more.
    """
    mate, waiting = np.array(mate), set(range(len(mate)))
    whole, changed = False, True
    while changed or not whole:
        if not changed:
            waiting = set(range(len(mate)))
        whole, changed = not changed, False
        for first in range(len(mate)):
            if first in waiting:
                waiting.remove(first)
                chain = exchanging_chain(gain, tolerance, mate, first)
                changed = changed or bool(chain)
                for i, j in zip(chain[1::2], chain[2::2] + chain[:1], strict=True):
                    mate[i], mate[j] = j, i
                    waiting |= {i, j}
    return mate


def exchanging_chain(gain, tolerance, mate, first, longest=6):
    """Return a chain that gains if each odd member pairs with the next one, or [].

    It grows by the pair that gains most, while the members so far gain.
    """
    chain, kept, best = [mate[first], first], [], tolerance
    total = -gain[first, mate[first]]
    while len(chain) < 2 * min(longest, len(mate) // 2):
        end = chain[-1]
        joined = {i: gain[end, i] - gain[i, mate[i]] for i in range(len(mate))}
        free = [i for i in joined if i not in chain and total + gain[end, i] > 0]
        for i in free:
            closed = total + joined[i] + gain[chain[0], mate[i]]
            if closed > best:
                best, kept = closed, [*chain, i, mate[i]]
        if not free:
            break
        new = max(free, key=joined.get)  # max keeps the first
        total += joined[new]
        chain += [new, mate[new]]
    return kept


def matchings(indices):
    """Return all ways to pair indices."""
    if not indices:
        return [[]]
    first, *others = indices
    return [
        [(first, other), *pairs]
        for other in others
        for pairs in matchings([i for i in others if i != other])
    ]


def best_matching(gain):
    """Return the largest sum of the gains of a pairing."""
    ways = matchings(list(range(len(gain))))
    return max(sum(gain[pair] for pair in way) for way in ways)


def exchange_gain(gain, mate):
    """Return what is gained at most when two pairs change partners."""
    n = len(gain)
    return max(
        gain[a, c] + gain[mate[a], mate[c]] - gain[a, mate[a]] - gain[c, mate[c]]
        for a in range(n)
        for c in range(n)
        if c not in (a, mate[a])
    )


def minor_eigenvalues(gram, a, b):
    """Return the eigenvalues, increasing, of a Gram matrix of two columns."""
    return np.linalg.eigvalsh(gram[np.ix_([a, b], [a, b])])


def split_gain(grams):
    """Return gain and liking of all pairs of columns; their diagonals mean nothing."""
    n = grams.shape[1]
    gain, liking = np.zeros((2, n, n))
    for a in range(n):
        for b in range(n):
            if a != b:
                pairs = [minor_eigenvalues(gram, a, b) for gram in grams]
                gain[a, b] = sum(large - small for small, large in pairs)
                squares = grams[:, [a, b], [a, b]].real.sum(0)
                liking[a, b] = -2 * sum(small for small, _ in pairs) / min(squares)
    return gain, liking


def split_loss(block, halves, pairs):
    """Return what rank one in each half and pair of columns loses, squared."""
    blocks = [block[np.ix_(half, pair)] for half in halves for pair in pairs]
    lost = [np.linalg.svd(part, compute_uv=False)[1:] for part in blocks]
    return sum(np.sum(sigma**2) for sigma in lost)


def half_gain(block, half, pairs):
    """Return what each row adds to the gain in half 1 more than in half 0, halved."""
    gains = []
    for i, row in enumerate(block):
        kept = []
        for h in (0, 1):
            others = block[[k for k in np.flatnonzero(half == h) if k != i]]
            kept.append(
                kept_energy(np.vstack([others, row]), pairs)
                - kept_energy(others, pairs)
            )
        gains.append(kept[1] - kept[0])
    return np.array(gains)


def kept_energy(rows, pairs):
    """Return the sum of the larger eigenvalues of pairs of columns."""
    gram = rows.conj().T @ rows
    return sum(minor_eigenvalues(gram, a, b)[1] for a, b in pairs)
