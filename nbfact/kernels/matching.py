"""Matchings of largest energy between rows and columns, from any prices.

Nodes are the rows, 0 to m - 1, then the columns, m to m + n - 1. A node holds a limited
number of entries, and has a potential (a price) that is not negative. A matching is of
largest energy if

* potential[i] + potential[m + j] <= energy[i, j] for the entries that are held,
* potential[i] + potential[m + j] >= energy[i, j] for the others,
* nodes with room for more entries have potential 0.

All kernels keep the first two conditions, and work towards the last one.

Rows bid for the columns that they like best at the present prices, as in an auction.
What is left is repaired node by node, by shortest augmenting paths
(`matching_paths.py`).

Rows look at their candidates only: the best columns at the first prices. In the end the
potentials say whether a row overlooked something, and it then looks at all columns.
They also say whether no other matching is as good, whatever prices it was found from.
"""

import numpy as np

from ._jit import kernel
from .matching_paths import ALL, Matching, PathSearch, hold, improve, release, room
from .select import kth_largest

ROUNDS = 4
"""Number of rounds of bids before paths are searched for: later rounds find few
entries."""

ROUNDING = 1e-14
"""What rounding may leave of a difference of energies, which are at most 1, and of
potentials."""


@kernel
def match(energy, k_row, k_col, potential):
    """Find the matching of largest energy, and return whether no other one is as good.

    energy: (m, n) float64, from 0 to 1, negated on return where an entry is held;
    k_row, k_col: how many entries a row and a column may hold; potential: (m + n,)
    float64, of which those of columns are read if they are finite and not negative, and
    all are written. If the result is False, another matching may be as good, and what
    is held is of no use.
    """
    m, n = energy.shape
    count = np.zeros(m + n, np.int64)
    start = np.empty(m + n + 1, np.int64)
    start[0] = 0
    for node in range(m + n):
        start[node + 1] = start[node] + (k_row if node < m else k_col) + 1
        if not 0.0 <= potential[node] < np.inf:
            potential[node] = 0.0
    held = np.empty(start[m + n], np.int64)
    groups = 2 * k_row + 2
    near = np.empty((m, min(n, 5 * groups)), np.int64)
    near_count = np.empty(m, np.int64)
    matching = Matching(energy, potential, start, held, count, near, near_count)
    nets = np.empty((2, n))
    columns = np.empty(n, np.int64)
    for i in range(m):
        find_candidates(energy, i, groups, potential, near, near_count, nets[0])
        potential[i] = np.inf
    work = np.empty((2, m + n), np.int64)
    search = PathSearch(np.full(m + n, np.inf), work[0], work[1])
    overlooked = m
    while overlooked > 0:
        for turn in range(ROUNDS):
            tied = 0
            for i in range(m):
                if potential[i] > 0.0 and room(start, count, i) > 0:
                    tied += _bid(matching, i, nets, columns)
            if turn == 0 and 4 * tied > m:
                return False
        for root in range(m + n):
            while potential[root] > 0.0 and room(start, count, root) > 0:
                improve(matching, search, root)
        overlooked = 0
        for i in range(m):
            if near_count[i] != ALL and _overlooks(energy, i, potential):
                overlooked += 1
                near_count[i] = ALL
                potential[i] = np.inf
                while count[i] > 0:
                    release(i, held[start[i]], energy, start, held, count)
    return _is_only(energy, potential, work[0])


@kernel
def find_candidates(energy, i, groups, potential, near, near_count, net):
    """List the columns that are at least as good for a row as the best of each group.

    The columns are divided into `groups` groups. near, near_count: written at i, see
    `Matching`; net: (n,) float64, overwritten. Where there are few columns, or too many
    candidates, all columns are candidates.
    """
    m, n = energy.shape
    near_count[i] = ALL
    if 4 * groups > n:
        return
    for j in range(n):
        net[j] = energy[i, j] - potential[m + j]
    worst = np.inf
    size = n // groups
    for group in range(groups):
        best = 0.0
        for j in range(group * size, (group + 1) * size):
            best = net[j] if net[j] > best else best
        worst = min(worst, best)
    found = 0
    last = near.shape[1] - 1
    for j in range(n):  # no branch that could be predicted wrongly
        near[i, min(found, last)] = j
        found += net[j] >= worst
    if found <= last:
        near_count[i] = found


@kernel
def _bid(matching, i, nets, columns):
    """Offer a row to the columns it likes best; return whether it likes more as well.

    nets: (2, n) float64, columns: (n,) int64, both overwritten.
    """
    energy, potential, start, held, n_held, near, near_count = matching
    m, n = energy.shape
    free = room(start, n_held, i)
    found = 0
    for t in range(n if near_count[i] == ALL else near_count[i]):
        j = t if near_count[i] == ALL else near[i, t]
        net = energy[i, j] - potential[m + j]
        nets[0, found] = net
        nets[1, found] = net
        columns[found] = j
        found += net > 0.0
    potential[i] = 0.0
    ties = 0
    if found > free:
        potential[i], ties = kth_largest(nets[1, :found], free + 1)
    for t in range(found):
        if nets[0, t] > potential[i]:
            _offer(i, m + columns[t], energy, potential, start, held, n_held)
    return ties > 1


@kernel
def _offer(i, node, energy, potential, start, held, n_held):
    """Let a column hold a row if it has room, or in place of its weakest row.

    i: the row; node: the node number of the column. The arrays are those of a
    `Matching`.
    """
    j = node - energy.shape[0]
    if room(start, n_held, node) == 0:
        offer = energy[i, j] - potential[i]
        weakest, least, next_least = held[start[node]], np.inf, np.inf
        for s in range(start[node], start[node] + n_held[node]):
            row = held[s]
            value = -energy[row, j] - potential[row]
            if value < least:
                weakest, least, next_least = row, value, least
            else:
                next_least = min(next_least, value)
        if offer <= least:
            potential[node] = max(potential[node], least)
            return
        potential[node] = max(potential[node], min(offer, next_least))
        release(weakest, node, energy, start, held, n_held)
    hold(i, node, energy, start, held, n_held)


@kernel
def _overlooks(energy, i, potential):
    """Return whether a column is worth more to a row than the potential of the row."""
    m, n = energy.shape
    best = 0.0
    for j in range(n):
        net = energy[i, j] - potential[m + j]
        best = net if net > best else best
    return best > potential[i] + ROUNDING


@kernel
def _is_only(energy, potential, parent):
    """Return whether the potentials prove that no other matching is as good.

    energy, potential: as after a search; parent: (m + n,) int64, overwritten.

    A change of what is held is a path or a cycle. An entry is tight if it costs nothing
    to hold or to release it. The change costs more than rounding unless all its entries
    are tight and the ends of a path have no potential. There is no such change if the
    tight entries make a forest of the nodes, where all nodes without a potential count
    as one node.
    """
    m, n = energy.shape
    tight = ROUNDING * (m + n)
    ground = -1
    for node in range(m + n):
        parent[node] = node
        if potential[node] <= tight:
            ground = node if ground < 0 else ground
            parent[node] = ground
    for i in range(m):
        close = 0
        for j in range(n):
            slack = potential[i] + potential[m + j] - abs(energy[i, j])
            slack = slack if energy[i, j] >= 0.0 else -slack
            close += slack <= tight and energy[i, j] != 0.0
        for j in range(n if close > 0 else 0):
            slack = potential[i] + potential[m + j] - abs(energy[i, j])
            slack = slack if energy[i, j] >= 0.0 else -slack
            if slack > tight or energy[i, j] == 0.0:
                continue
            if slack < -ROUNDING or not _join(i, m + j, parent):
                return False
    return True


@kernel
def _join(node, other, parent):
    """Join the trees of two nodes; return whether they were two different trees."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    while parent[other] != other:
        parent[other] = parent[parent[other]]
        other = parent[other]
    parent[other] = node
    return node != other
