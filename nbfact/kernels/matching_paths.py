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
def room(start, n_held, node):
    """Return how many entries more a node may hold."""
    return start[node + 1] - start[node] - 1 - n_held[node]


@kernel
def hold(row, column, energy, start, held, n_held):
    """Add an entry to what its row and its column hold; both are node numbers.

    The arrays are those of a `Matching`.
    """
    energy[row, column - energy.shape[0]] *= -1.0
    held[start[row] + n_held[row]] = column
    held[start[column] + n_held[column]] = row
    n_held[row] += 1
    n_held[column] += 1


@kernel
def release(row, column, energy, start, held, n_held):
    """Remove an entry from what its row and its column hold; both are node numbers.

    The arrays are those of a `Matching`.
    """
    energy[row, column - energy.shape[0]] *= -1.0
    _forget(row, column, start, held, n_held)
    _forget(column, row, start, held, n_held)


@kernel
def _forget(node, other, start, held, n_held):
    """Remove a node, other, from what another one holds."""
    n_held[node] -= 1
    s = start[node]
    while held[s] != other:
        s += 1
    held[s] = held[start[node] + n_held[node]]


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
    _augment(root, end, matching, search.parent)


@kernel
def _reach_takers(matching, search, node, total, end, shortest):
    """Reach the nodes that a settled node on the side of the root may take.

    total: the number of nodes that have been reached; end, shortest: where the best
    path so far ends, and its cost. Return these three, updated.
    """
    energy, potential, start, _, n_held, near, near_count = matching
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
            if room(start, n_held, other) > 0:
                end, shortest = other, new
    return total, end, shortest


@kernel
def _reach_held(matching, search, node, total, end, shortest):
    """Reach the nodes that a settled node on the other side may release.

    Arguments and results are as in `_reach_takers`.
    """
    energy, potential, start, held, n_held, _, _ = matching
    distance, parent, reached = search
    m = energy.shape[0]
    for s in range(start[node], start[node] + n_held[node]):
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
def _augment(root, end, matching, parent):
    """Hold and release the entries along the path from root to end."""
    energy, start = matching.energy, matching.start
    held, n_held = matching.held, matching.n_held
    m = energy.shape[0]
    node = end
    if (end < m) != (root < m):
        node = parent[end]
        hold(min(node, end), max(node, end), energy, start, held, n_held)
    while node != root:
        other = parent[node]
        row, column = min(node, other), max(node, other)
        release(row, column, energy, start, held, n_held)
        node = parent[other]
        row, column = min(node, other), max(node, other)
        hold(row, column, energy, start, held, n_held)
