"""Matchings of largest energy between rows and columns, from any prices.

Nodes are the rows, 0 to m - 1, then the columns, m to m + n - 1. A node holds so many
entries at most, and has a potential (a price) of at least 0. A matching is of largest
energy if, as always here but for the last condition,

* potential[i] + potential[m + j] <= energy[i, j] for entries that are held,
* potential[i] + potential[m + j] >= energy[i, j] for the others,
* nodes with room have potential 0.

Rows bid for the columns they like best at the prices given, as in an auction. What is
left is repaired node by node: a shortest augmenting path from a node with room and a
potential ends at a node of the other side with room, or where a potential is down to 0.

Rows look at their candidates only, the best columns at the first prices. The potentials
tell in the end whether a row overlooked something: it then looks at all columns.
"""

import numpy as np

from .._jit import kernel
from .select import kth_largest

ROUNDS = 4
"""Rounds of bids before paths are searched for: more find few."""

ALL = -1
"""In place of a number of candidates: all columns are."""


@kernel
def match(energy, k_row, k_col, groups, potential, count, held):
    """Match rows and columns with the largest energy, exactly but for rounding.

    energy: (m, n), at least 0, negated where held; groups: candidates a row has at
    least; potential: (m + n,), its columns' read, all written; count: (m + n,) int,
    how many a node holds; held: (m + n, max(k_row, k_col) + 1) int, which.
    """
    m, n = energy.shape
    near = np.empty((m, min(n, 5 * groups)), np.int64)
    near_count = np.empty(m, np.int64)
    nets = np.empty((3, n))
    columns = np.empty(n, np.int64)
    limit = np.empty(m + n, np.int64)
    for node in range(m + n):
        limit[node] = k_row if node < m else k_col
        count[node] = 0
        if not 0.0 <= potential[node] < np.inf:
            potential[node] = 0.0
    for i in range(m):
        _find_candidates(energy, i, groups, potential, near, near_count, nets[0])
        potential[i] = np.inf
    distance = np.full(m + n, np.inf)
    parent = np.empty(m + n, np.int64)
    reached = np.empty(m + n, np.int64)
    overlooked = m
    while overlooked > 0:
        for _ in range(ROUNDS):
            for i in range(m):
                if count[i] < k_row and potential[i] > 0.0:
                    _bid(
                        i, energy, limit, potential, count, held, near, near_count,
                        nets, columns,
                    )  # fmt: skip
        for root in range(m + n):
            while count[root] < limit[root] and potential[root] > 0.0:
                _improve(
                    root, energy, limit, potential, count, held, near, near_count,
                    distance, parent, reached,
                )  # fmt: skip
        overlooked = 0
        for i in range(m):
            if near_count[i] != ALL and _overlooks(energy, i, potential):
                overlooked += 1
                near_count[i] = ALL
                potential[i] = np.inf
                while count[i] > 0:
                    _release(i, held[i, 0], energy, count, held)


@kernel
def _find_candidates(energy, i, groups, potential, near, near_count, net):
    """List columns at least as good for row i as the best of each group of columns.

    near, near_count: written at i; net: (n,), clobbered.
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
    for j in range(n):  # no branch to mispredict
        near[i, min(found, last)] = j
        found += net[j] >= worst
    if found <= last:
        near_count[i] = found


@kernel
def _bid(
    i, energy, limit, potential, count, held, near, near_count, nets, columns
):
    """Give row i the columns it likes best, up to its limit; it may displace others.

    nets: (3, n), columns: (n,) int, clobbered.
    """
    m, n = energy.shape
    room = limit[i] - count[i]
    found = 0
    for t in range(n if near_count[i] == ALL else near_count[i]):
        j = t if near_count[i] == ALL else near[i, t]
        net = energy[i, j] - potential[m + j]
        nets[0, found] = net
        nets[1, found] = net
        columns[found] = j
        found += net > 0.0
    potential[i] = 0.0
    if found > room:
        potential[i] = kth_largest(nets[1, :found], room + 1)[0]
    for t in range(found):
        if nets[0, t] > potential[i]:
            _offer(i, m + columns[t], energy, limit, potential, count, held)


@kernel
def _offer(i, node, energy, limit, potential, count, held):
    """Let a column hold row i if it has room, or in place of its weakest row."""
    j = node - energy.shape[0]
    if count[node] == limit[node]:
        offer = energy[i, j] - potential[i]
        weakest, least, next_least = -1, np.inf, np.inf
        for s in range(count[node]):
            row = held[node, s]
            value = -energy[row, j] - potential[row]
            if value < least:
                weakest, least, next_least = row, value, least
            else:
                next_least = min(next_least, value)
        if offer <= least:
            potential[node] = max(potential[node], least)
            return
        potential[node] = max(potential[node], min(offer, next_least))
        _release(weakest, node, energy, count, held)
    _hold(i, node, energy, count, held)


@kernel
def _hold(row, column, energy, count, held):
    """Hold an entry; row, column: its nodes."""
    energy[row, column - energy.shape[0]] *= -1.0
    held[row, count[row]] = column
    held[column, count[column]] = row
    count[row] += 1
    count[column] += 1


@kernel
def _release(row, column, energy, count, held):
    """Hold an entry no more; row, column: its nodes."""
    energy[row, column - energy.shape[0]] *= -1.0
    _forget(row, column, count, held)
    _forget(column, row, count, held)


@kernel
def _forget(node, other, count, held):
    """Remove other from what node holds."""
    count[node] -= 1
    s = 0
    while held[node, s] != other:
        s += 1
    held[node, s] = held[node, count[node]]


@kernel
def _improve(
    root, energy, limit, potential, count, held, near, near_count, distance, parent,
    reached,
):  # fmt: skip
    """Fill a node with room by a shortest path, or bring its potential to 0.

    distance: (m + n,), infinite, and so again; parent, reached: (m + n,), clobbered.
    """
    m = energy.shape[0]
    distance[root] = 0.0
    reached[0] = root
    total, settled = 1, 0
    end, shortest = root, potential[root]
    while settled < total:
        at = settled
        for t in range(settled + 1, total):
            if distance[reached[t]] < distance[reached[at]]:
                at = t
        node = reached[at]
        if distance[node] >= shortest:
            break
        reached[at] = reached[settled]
        reached[settled] = node
        settled += 1
        if (node < m) == (root < m):
            total, end, shortest = _reach_takers(
                node, total, end, shortest, energy, limit, potential, count, near,
                near_count, distance, parent, reached,
            )  # fmt: skip
        else:
            total, end, shortest = _reach_held(
                node, total, end, shortest, energy, potential, count, held, distance,
                parent, reached,
            )  # fmt: skip
    for t in range(settled):
        node = reached[t]
        change = shortest - distance[node]
        if (node < m) == (root < m):
            potential[node] = max(potential[node] - change, 0.0)
        else:
            potential[node] += change
    if (end < m) == (root < m):
        potential[end] = 0.0
    for t in range(total):
        distance[reached[t]] = np.inf
    _augment(root, end, energy, count, held, parent)


@kernel
def _reach_takers(
    node, total, end, shortest, energy, limit, potential, count, near, near_count,
    distance, parent, reached,
):  # fmt: skip
    """Reach what a settled node of the root's side may take; return three as given."""
    m, n = energy.shape
    listed = node < m and near_count[node] != ALL
    size = near_count[node] if listed else n if node < m else m
    for t in range(size):
        if node < m:
            j = near[node, t] if listed else t
            other, gain = m + j, energy[node, j]
        else:
            other, gain = t, energy[t, node - m]
        if gain <= 0.0:
            continue
        cost = potential[node] + potential[other] - gain
        new = distance[node] + max(cost, 0.0)  # rounding may leave it below 0
        if new < shortest and new < distance[other]:
            if distance[other] == np.inf:
                reached[total] = other
                total += 1
            distance[other] = new
            parent[other] = node
            if count[other] < limit[other]:
                end, shortest = other, new
    return total, end, shortest


@kernel
def _reach_held(
    node, total, end, shortest, energy, potential, count, held, distance, parent,
    reached,
):  # fmt: skip
    """Reach what a settled node of the other side may release; three as given."""
    m = energy.shape[0]
    for s in range(count[node]):
        other = held[node, s]
        gain = -energy[min(node, other), max(node, other) - m]
        cost = gain - potential[node] - potential[other]
        new = distance[node] + max(cost, 0.0)
        if new < shortest and new < distance[other]:
            if distance[other] == np.inf:
                reached[total] = other
                total += 1
            distance[other] = new
            parent[other] = node
            if new + potential[other] < shortest:
                end, shortest = other, new + potential[other]
    return total, end, shortest


@kernel
def _augment(root, end, energy, count, held, parent):
    """Hold and release the entries along the path from root to end."""
    m = energy.shape[0]
    node = end
    if (end < m) != (root < m):
        node = parent[end]
        _hold(min(node, end), max(node, end), energy, count, held)
    while node != root:
        other = parent[node]
        _release(min(node, other), max(node, other), energy, count, held)
        node = parent[other]
        _hold(min(node, other), max(node, other), energy, count, held)


@kernel
def _overlooks(energy, i, potential):
    """Return whether a column is worth more to row i than its potential."""
    m, n = energy.shape
    best = 0.0
    for j in range(n):
        net = energy[i, j] - potential[m + j]
        best = net if net > best else best
    return best > potential[i]
