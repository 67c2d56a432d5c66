"""Shortest augmenting paths: how a matching of rows and columns is repaired.

`matching.py` says what a matching, an energy and a potential are, and when a matching
is of largest energy. A path starts from a node with room and a potential, takes and
releases entries in turn, and ends at a node of the other side with room, or where a
potential is down to 0. Taking an entry (i, j) costs potential[i] + potential[m + j] -
energy[i, j], releasing it costs the opposite, and neither is negative.
"""

from typing import NamedTuple

import numpy as np

from ._jit import kernel

ALL = -1
"""Stands in place of a number of candidates where all columns are candidates."""


class Matching(NamedTuple):
    """The entries that rows and columns hold, and what they bid and search with.

    Attributes
    ----------
    energy : ndarray of float64, shape (m, n)
        From 0 to 1, negated where an entry is held.
    potential : ndarray of float64, shape (m + n,)
        The price of each node.
    start, held : ndarray of int64, shapes (m + n + 1,) and (start[m + n],)
        Node v holds the nodes held[start[v]], held[start[v] + 1], ...; start leaves one
        place to spare for each.
    n_held : ndarray of int64, shape (m + n,)
        How many nodes each node holds.
    near, near_count : ndarray of int64, shapes (m, .) and (m,)
        The columns that are candidates of each row, and how many they are, or `ALL`.
    """

    energy: np.ndarray
    potential: np.ndarray
    start: np.ndarray
    held: np.ndarray
    n_held: np.ndarray
    near: np.ndarray
    near_count: np.ndarray


class PathSearch(NamedTuple):
    """Scratch of a search for a path, for each node.

    Attributes
    ----------
    distance : ndarray of float64, shape (m + n,)
        The cost of the shortest path to a node so far; infinite before and after a
        search.
    parent : ndarray of int64, shape (m + n,)
        The node before it on that path.
    reached : ndarray of int64, shape (m + n,)
        The nodes that have been reached, those that are settled first.
    """

    distance: np.ndarray
    parent: np.ndarray
    reached: np.ndarray


@kernel
def room(matching, node):
    """Return how many entries more a node may hold."""
    start = matching.start
    return start[node + 1] - start[node] - 1 - matching.n_held[node]


@kernel
def hold(matching, row, column):
    """Add an entry to what its row and its column hold; both are node numbers."""
    energy, start = matching.energy, matching.start
    held, count = matching.held, matching.n_held
    energy[row, column - energy.shape[0]] *= -1.0
    held[start[row] + count[row]] = column
    held[start[column] + count[column]] = row
    count[row] += 1
    count[column] += 1


@kernel
def release(matching, row, column):
    """Remove an entry from what its row and its column hold; both are node numbers."""
    energy = matching.energy
    energy[row, column - energy.shape[0]] *= -1.0
    _forget(matching, row, column)
    _forget(matching, column, row)


@kernel
def _forget(matching, node, other):
    """Remove one node from what another one holds."""
    start, held, count = matching.start, matching.held, matching.n_held
    count[node] -= 1
    s = start[node]
    while held[s] != other:
        s += 1
    held[s] = held[start[node] + count[node]]


@kernel
def improve(matching, search, root):
    """Fill a node with room by a shortest path, or bring its potential down to 0.

    root has room and a potential above 0. ``search.distance`` is infinite on entry and
    on return.
    """
    m, potential = matching.energy.shape[0], matching.potential
    distance, reached = search.distance, search.reached
    distance[root] = 0.0
    reached[0] = root
    total, settled = np.int64(1), 0  # a literal would compile the callees twice
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
                matching, search, node, total, end, shortest
            )
        else:
            total, end, shortest = _reach_held(
                matching, search, node, total, end, shortest
            )
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
    _augment(matching, search.parent, root, end)


@kernel
def _reach_takers(matching, search, node, total, end, shortest):
    """Reach the nodes that a settled node on the side of the root may take.

    total: the number of nodes that have been reached; end, shortest: where the best
    path so far ends, and its cost. Return these three, updated.
    """
    energy, potential = matching.energy, matching.potential
    near, near_count = matching.near, matching.near_count
    distance, parent, reached = search
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
        new = distance[node] + max(cost, 0.0)  # rounding may leave the cost below 0
        if new < shortest and new < distance[other]:
            if distance[other] == np.inf:
                reached[total] = other
                total += 1
            distance[other] = new
            parent[other] = node
            if room(matching, other) > 0:
                end, shortest = other, new
    return total, end, shortest


@kernel
def _reach_held(matching, search, node, total, end, shortest):
    """Reach the nodes that a settled node on the other side may release.

    Arguments and results are as in `_reach_takers`.
    """
    energy, potential, start, held, count, _, _ = matching
    distance, parent, reached = search
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
def _augment(matching, parent, root, end):
    """Hold and release the entries along the path from root to end."""
    m = matching.energy.shape[0]
    node = end
    if (end < m) != (root < m):
        node = parent[end]
        hold(matching, min(node, end), max(node, end))
    while node != root:
        other = parent[node]
        release(matching, min(node, other), max(node, other))
        node = parent[other]
        hold(matching, min(node, other), max(node, other))
