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
tell in the end whether a row overlooked something: it then looks at all columns. They
also tell whether no other matching is as good, whatever the prices it was found from.
"""

import numpy as np

from ._jit import kernel
from .select import kth_largest

ROUNDS = 4
"""Rounds of bids before paths are searched for: more find few."""

ALL = -1
"""In place of a number of candidates: all columns are."""


ROUNDING = 1e-14
"""What rounding may leave of energies, at most 1, and of potentials."""


@kernel
def match(energy, k_row, k_col, potential):
    """Find the only matching of largest energy; return whether it is the only one.

    energy: (m, n), 0 to 1, negated where held; potential: (m + n,), those of columns
    are read if they make sense, all are written.
    """
    m, n = energy.shape
    count = np.zeros(m + n, np.int64)
    start = np.empty(m + n + 1, np.int64)  # in held, with a place to spare
    start[0] = 0
    for node in range(m + n):
        start[node + 1] = start[node] + (k_row if node < m else k_col) + 1
        if not 0.0 <= potential[node] < np.inf:
            potential[node] = 0.0
    held = np.empty(start[m + n], np.int64)
    groups = 2 * k_row + 2
    near = np.empty((m, min(n, 5 * groups)), np.int64)
    near_count = np.empty(m, np.int64)
    nets = np.empty((2, n))
    columns = np.empty(n, np.int64)
    for i in range(m):
        _find_candidates(energy, i, groups, potential, near, near_count, nets[0])
        potential[i] = np.inf
    distance = np.full(m + n, np.inf)
    work = np.empty((2, m + n), np.int64)
    overlooked = m
    while overlooked > 0:
        for turn in range(ROUNDS):
            tied = 0
            for i in range(m):
                if potential[i] > 0.0 and _room(i, start, count) > 0:
                    tied += _bid(
                        i, energy, start, potential, count, held, near, near_count,
                        nets, columns,
                    )  # fmt: skip
            if turn == 0 and 4 * tied > m:
                return False
        for root in range(m + n):
            while potential[root] > 0.0 and _room(root, start, count) > 0:
                _improve(
                    root, energy, start, potential, count, held, near, near_count,
                    distance, work[0], work[1],
                )  # fmt: skip
        overlooked = 0
        for i in range(m):
            if near_count[i] != ALL and _overlooks(energy, i, potential):
                overlooked += 1
                near_count[i] = ALL
                potential[i] = np.inf
                while count[i] > 0:
                    _release(i, held[start[i]], energy, start, count, held)
    return _is_only(energy, potential, work[0])


@kernel
def _room(node, start, count):
    """Return how many entries more a node may hold.

    start: (m + n + 1,) int, of a node in held; count: (m + n,) int, how many it holds.
    """
    return start[node + 1] - start[node] - 1 - count[node]


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
def _bid(i, energy, start, potential, count, held, near, near_count, nets, columns):
    """Offer row i to the columns it likes best; return whether it likes more as well.

    near, near_count: candidates, or ALL; nets: (2, n), columns: (n,) int, clobbered.
    """
    m, n = energy.shape
    room = _room(i, start, count)
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
    if found > room:
        potential[i], ties = kth_largest(nets[1, :found], room + 1)
    for t in range(found):
        if nets[0, t] > potential[i]:
            _offer(i, m + columns[t], energy, start, potential, count, held)
    return ties > 1


@kernel
def _offer(i, node, energy, start, potential, count, held):
    """Let a column hold row i if it has room, or in place of its weakest row."""
    j = node - energy.shape[0]
    if _room(node, start, count) == 0:
        offer = energy[i, j] - potential[i]
        weakest, least, next_least = held[start[node]], np.inf, np.inf
        for s in range(start[node], start[node] + count[node]):
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
        _release(weakest, node, energy, start, count, held)
    _hold(i, node, energy, start, count, held)


@kernel
def _hold(row, column, energy, start, count, held):
    """Hold an entry; row, column: its nodes."""
    energy[row, column - energy.shape[0]] *= -1.0
    held[start[row] + count[row]] = column
    held[start[column] + count[column]] = row
    count[row] += 1
    count[column] += 1


@kernel
def _release(row, column, energy, start, count, held):
    """Hold an entry no more; row, column: its nodes."""
    energy[row, column - energy.shape[0]] *= -1.0
    _forget(row, column, start, count, held)
    _forget(column, row, start, count, held)


@kernel
def _forget(node, other, start, count, held):
    """Remove other from what node holds."""
    count[node] -= 1
    s = start[node]
    while held[s] != other:
        s += 1
    held[s] = held[start[node] + count[node]]


@kernel
def _improve(
    root, energy, start, potential, count, held, near, near_count, distance, parent,
    reached,
):  # fmt: skip
    """Fill a node with room by a shortest path, or bring its potential to 0.

    distance: (m + n,), infinite, and so again; parent, reached: (m + n,), clobbered.
    """
    m = energy.shape[0]
    distance[root] = 0.0
    reached[0] = root
    total, settled = np.int64(1), 0  # a literal would compile callees twice
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
                node, total, end, shortest, energy, start, potential, count, near,
                near_count, distance, parent, reached,
            )  # fmt: skip
        else:
            total, end, shortest = _reach_held(
                node, total, end, shortest, energy, start, potential, count, held,
                distance, parent, reached,
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
    _augment(root, end, energy, start, count, held, parent)


@kernel
def _reach_takers(
    node, total, end, shortest, energy, start, potential, count, near, near_count,
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
            if _room(other, start, count) > 0:
                end, shortest = other, new
    return total, end, shortest


@kernel
def _reach_held(
    node, total, end, shortest, energy, start, potential, count, held, distance,
    parent, reached,
):  # fmt: skip
    """Reach what a settled node of the other side may release; three as given."""
    m = energy.shape[0]
    for s in range(start[node], start[node] + count[node]):
        other = held[s]
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
def _augment(root, end, energy, start, count, held, parent):
    """Hold and release the entries along the path from root to end."""
    m = energy.shape[0]
    node = end
    if (end < m) != (root < m):
        node = parent[end]
        _hold(min(node, end), max(node, end), energy, start, count, held)
    while node != root:
        other = parent[node]
        _release(min(node, other), max(node, other), energy, start, count, held)
        node = parent[other]
        _hold(min(node, other), max(node, other), energy, start, count, held)


@kernel
def _overlooks(energy, i, potential):
    """Return whether a column is worth more to row i than its potential."""
    m, n = energy.shape
    best = 0.0
    for j in range(n):
        net = energy[i, j] - potential[m + j]
        best = net if net > best else best
    return best > potential[i] + ROUNDING


@kernel
def _is_only(energy, potential, parent):
    """Return whether the potentials prove that no other matching is as good.

    A change of what is held is a path or a cycle. It costs more than rounding unless
    all its entries are tight (held or not, as good) and the ends of a path without a
    potential. There is none if tight entries make a forest of the nodes, those without
    a potential taken for one. energy, potential: as after a search; parent: (m + n,)
    int, clobbered.
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
    """Join the trees of two nodes; return whether they were two. parent: as above."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    while parent[other] != other:
        parent[other] = parent[parent[other]]
        other = parent[other]
    parent[other] = node
    return node != other
