"""Perfect matchings of large weight, and what pairs of columns can keep.

`identify_butterfly` pairs the columns of a matrix and splits its rows into halves, so
that in each half each pair of columns is nearly of rank one.
"""

import numpy as np

from ._jit import kernel

LONGEST_CHAIN = 6
"""Maximum number of pairs in a chain that changes partners, because each pair of a
chain costs a pass over a row of gains."""


@kernel
def pair_greedily(liking: np.ndarray, mate: np.ndarray) -> None:
    """Pair all indices: the pair with the largest liking first.

    Parameters
    ----------
    liking : ndarray, shape (n, n), real, n even
        Symmetric and without NaN; the diagonal is not read. Only read.
    mate : ndarray of int, shape (n,)
        Overwritten: i and mate[i] are a pair, and mate[mate[i]] is i.

    See Also
    --------
    exchange_mates : Improves the pairs.
    nbfact.identify_butterfly : The function that pairs rows and columns.

    Notes
    -----
    Of pairs that tie, the one with the lowest index is taken first, with its lowest
    partner. The cost is n² comparisons, and up to n³ where many like the same ones.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> liking = np.zeros((4, 4))
    >>> liking[0, 2] = liking[2, 0] = 5.0
    >>> nf.kernels.pair_greedily(liking, mate := np.empty(4, int))
    >>> mate
    array([2, 3, 0, 1])
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
def exchange_mates(gain: np.ndarray, tolerance: float, mate: np.ndarray) -> None:
    """Exchange partners of pairs, in place, until no short chain of exchanges gains.

    Parameters
    ----------
    gain : ndarray, shape (n, n), real, n even
        Symmetric and without NaN: what each pair is worth; the diagonal is not read.
        Only read.
    tolerance : float
        What an exchange has to gain more than, at least 0. With 0, rounding may let it
        go on for ever.
    mate : ndarray of int, shape (n,)
        Pairs, as `pair_greedily` writes them; overwritten with pairs of at least the
        same total gain. No exchange of two pairs gains more than the tolerance, nor one
        of the chains of up to `LONGEST_CHAIN` pairs that are tried.

    See Also
    --------
    pair_greedily : The pairs to begin with.
    split_gain : What pairs of columns are worth.

    Notes
    -----
    The total is a local maximum: another pairing may be worth more. Of partners that
    gain the same, the lowest index is tried. The cost is about n² comparisons for each
    round over the indices.

    Examples
    --------
    The pairs (0, 1) and (2, 3) are worth nothing, and (0, 2) and (1, 3) five each:

    >>> import numpy as np, nbfact as nf
    >>> gain, mate = np.zeros((4, 4)), np.array([1, 0, 3, 2])
    >>> gain[[0, 2, 1, 3], [2, 0, 3, 1]] = 5.0
    >>> nf.kernels.exchange_mates(gain, 1e-9, mate)
    >>> mate
    array([2, 3, 0, 1])
    """
    n = gain.shape[0]
    own = np.empty(n, gain.dtype)
    waiting = np.empty(n, np.bool_)
    used = np.empty(n, np.int64)
    for i in range(n):
        waiting[i] = True
        used[i] = -1
    chain = np.empty(2 * min(LONGEST_CHAIN, n // 2), np.int64)
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
    """Find a chain of pairs that gains if its members change partners.

    Return how many indices of `chain` take part: each one at an odd place then pairs
    with the next one, and the last with the first. It is 0 where no chain gains.

    own: (n,), the gain of each index with its mate; used: (n,), smaller than `first`
    where an index is free; chain: overwritten with the mate of `first`, `first`, and
    then partners and their mates. The index that joins is the one that gains most, less
    what it leaves; the last one is that which gains most if the chain ends there. No
    part of the chain from `first` on may lose, because every chain that gains has such
    an order.
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
    """Return the free index that i gains most with, or -1 if no other is free."""
    best = -1
    for j in range(gain.shape[0]):
        if j != i and mate[j] < 0 and (best < 0 or gain[i, j] > gain[i, best]):
            best = j
    return best


@kernel
def split_gain(grams: np.ndarray, gain: np.ndarray, liking: np.ndarray) -> None:
    """Write what rank one keeps of each pair of columns, in each half of the rows.

    Parameters
    ----------
    grams : ndarray, shape (k, n, n), real or complex
        The Gram matrices of the columns, Hermitian, one for each half of each block of
        rows; only read. For a pair of columns, [[p, r], [r*, q]] is its part of one.
    gain : ndarray, shape (n, n), real
        Overwritten with the sum over all halves of the difference of the eigenvalues of
        that part: twice the larger one, less p + q. The diagonal holds twice the sums
        of p.
    liking : ndarray, shape (n, n), real
        Overwritten with minus twice the sum of the smaller eigenvalues, divided by the
        smaller one of the sums of p and of q: 0 where nothing is lost, else negative.
        The diagonal holds the sums of p.

    See Also
    --------
    half_gain : What moving a row to the other half gains.
    exchange_mates : Finds good pairs from the gain.

    Notes
    -----
    The cost is k n (n + 1) / 2 square roots.

    Examples
    --------
    Columns that are proportional lose nothing when rank one is kept:

    >>> import numpy as np, nbfact as nf
    >>> grams = np.array([[[1.0, 2.0], [2.0, 4.0]]])
    >>> gain, liking = np.empty((2, 2)), np.empty((2, 2))
    >>> nf.kernels.split_gain(grams, gain, liking)
    >>> gain.tolist(), liking.tolist()
    ([[2.0, 5.0], [5.0, 8.0]], [[1.0, 0.0], [0.0, 4.0]])
    """
    n = gain.shape[0]
    gain[:, :] = 0
    liking[:, :] = 0
    for k in range(grams.shape[0]):
        for i in range(n):
            p = grams[k, i, i].real
            liking[i, i] += p
            for j in range(i, n):
                gain[i, j] += _gap(p, grams[k, j, j].real, grams[k, i, j])
    for i in range(n):
        p = liking[i, i]
        for j in range(i):
            q = liking[j, j]
            gain[i, j] = gain[j, i]
            least = max(min(p, q), 1e-300)
            liking[i, j] = liking[j, i] = min(gain[i, j] - (p + q), 0.0) / least


@kernel
def half_gain(
    blocks: np.ndarray,
    grams: np.ndarray,
    half: np.ndarray,
    pairs: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write how much more each row adds to what pairs keep in half 1 than in half 0.

    Parameters
    ----------
    blocks : ndarray, shape (g, m, m), real or complex
        The rows of each block; only read.
    grams : ndarray, shape (g, 2, m, m), of the dtype of blocks
        The Gram matrices of the columns, Hermitian, over the rows of each half; only
        read.
    half : ndarray of int, shape (g, m)
        0 or 1: the half that a row is in, or -1 for rows in neither.
    pairs : ndarray of int, shape (m / 2, 2)
        The pairs of columns, the same in all blocks.
    out : ndarray, shape (g, m), real
        Overwritten. For each row: the larger eigenvalues of its pairs in half 1 with
        the row less those without it, minus the same for half 0.

    See Also
    --------
    split_gain : What pairs of columns keep.

    Notes
    -----
    The differences are those of the gain of `split_gain`, halved, and up to rounding
    exact. The cost is 2 g m² square roots.

    Examples
    --------
    Row 0 belongs to half 0, whose only row it is, and so does row 1 to half 1:

    >>> import numpy as np, nbfact as nf
    >>> block, half = np.array([[[1.0, 0.0], [0.0, 2.0]]]), np.array([[0, 1]])
    >>> grams = np.array([[[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 4.0]]]])
    >>> out = np.empty((1, 2))
    >>> nf.kernels.half_gain(block, grams, half, np.array([[0, 1]]), out)
    >>> out
    array([[-1.,  1.]])
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
    """Return the difference of the eigenvalues of [[p, r], [r*, q]]."""
    return np.sqrt((p - q) * (p - q) + 4 * (r.real * r.real + r.imag * r.imag))
