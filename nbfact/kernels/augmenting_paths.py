"""A support of largest energy by successive shortest augmenting paths.

Each path keeps one entry more at the best energy, and moves entries that were kept
before where that pays. The first path that gains nothing ends the search.

Nodes are the rows, 0 to m - 1, then the columns, m to m + n - 1. A node is open while
it may keep more entries: ``left > 0``. A path starts from an open row, at distance
minus its energy, and ends in an open column. Potentials, which are 0 on open columns,
make the cost of every later arc at least 0:

* taking (i, j) costs potential[i] - potential[m + j] - energy[i, j];
* releasing (i, j) costs the opposite.

Distances are compared without a tolerance, and blocks of a matrix that share no row and
no column do not round one another: small blocks are as exact as large ones.
"""

from typing import NamedTuple

import numpy as np

from ._jit import kernel


class NodeSearch(NamedTuple):
    """Scratch of the search for a path, for each node.

    Attributes
    ----------
    left : ndarray of int64, shape (m + n,)
        How many more entries each node may keep; it is open while this is above 0.
    potential, distance : ndarray of float64, shape (m + n,)
        The potential, and the cost of the shortest path from an open row so far.
    key : ndarray of float64, shape (m + n,)
        The distance of closed nodes until they are settled, and infinity elsewhere.
    parent : ndarray of int64, shape (m + n,)
        The node before each node on that path.
    slot : ndarray of int64, shape (m,)
        Which entry of its column a row would release.
    """

    left: np.ndarray
    potential: np.ndarray
    distance: np.ndarray
    key: np.ndarray
    parent: np.ndarray
    slot: np.ndarray


class KeptEntries(NamedTuple):
    """The rows that each column keeps, and the energies of these entries.

    Both arrays have shape (n, k_col) and fill from the last place on.
    """

    rows: np.ndarray
    energies: np.ndarray


@kernel
def take_along_paths(energy, k_row, k_col):
    """Take the support of largest energy, one of them where others are as good.

    energy: (m, n), minus infinity once taken; k_row <= n, k_col <= m.
    """
    m, n = energy.shape
    left = np.empty(m + n, np.int64)
    for node in range(m + n):
        left[node] = k_row if node < m else k_col
    potential = np.zeros(m + n)
    distance = np.empty(m + n)
    parent = np.empty(m + n, np.int64)
    slot = np.empty(m, np.int64)
    search = NodeSearch(left, potential, distance, np.empty(m + n), parent, slot)
    kept = KeptEntries(np.empty((n, k_col), np.int64), np.empty((n, k_col)))
    best = np.empty(n)
    best_row = np.empty(n, np.int64)
    for j in range(n):
        best_of_column(energy, left, j, best, best_row)
    for _ in range(min(m * k_row, n * k_col)):
        _leave_open_rows(potential, best, best_row, distance, parent)
        end = _nearest_open_column(energy, search, kept)
        gain = -distance[end]
        if gain <= 0.0:
            break
        for node in range(m + n):
            potential[node] += min(distance[node] + gain, 0.0)
        source = _augment(energy, search, kept, end)
        if left[source] == 0:
            potential[source] = gain
        for j in range(n):
            if best_row[j] == source:
                best_of_column(energy, left, j, best, best_row)


@kernel
def best_of_column(energy, left, j, best, best_row):
    """Find the largest entry of column j in the open rows.

    energy: (m, n); left: (m + n,) int; best, best_row: (n,), written at j with the
    energy and the row, or with minus infinity and -1 where no row is open.
    """
    best[j] = -np.inf
    best_row[j] = -1
    for i in range(energy.shape[0]):
        if left[i] > 0 and energy[i, j] > best[j]:
            best[j] = energy[i, j]
            best_row[j] = i


@kernel
def _leave_open_rows(potential, best, best_row, distance, parent):
    """Start the distances: columns by the best arc of an open row, rows unreached."""
    m = distance.size - best.size
    for i in range(m):
        distance[i] = np.inf
    for j in range(best.size):
        distance[m + j] = -potential[m + j] - best[j]
        parent[m + j] = best_row[j]


@kernel
def _nearest_open_column(energy, search, kept):
    """Settle nodes by distance (Dijkstra) up to the nearest open column; return it.

    energy: (m, n). Distances and parents start with the arcs of open rows.
    """
    m, n = energy.shape
    left, distance, key = search.left, search.distance, search.key
    end = -1
    for node in range(m + n):
        key[node] = np.inf
        if left[node] == 0:
            key[node] = distance[node]
        elif node >= m and (end < 0 or distance[node] < distance[end]):
            end = node
    while True:
        node = 0
        for other in range(1, m + n):
            if key[other] < key[node]:
                node = other
        if key[node] >= distance[end]:
            return end
        key[node] = np.inf
        if node < m:
            end = _take(
                node, end, energy, left, search.potential, distance, key, search.parent
            )
        else:
            _release(search, kept, node)


@kernel
def _take(i, end, energy, left, potential, distance, key, parent):
    """Reach the columns from row i, which is settled; return the nearest open one.

    end: the nearest open column so far.
    """
    m, n = energy.shape
    for j in range(n):
        cost = potential[i] - potential[m + j] - energy[i, j]
        reached = distance[i] + max(cost, 0.0)  # rounding may leave the cost below 0
        if reached < distance[m + j]:
            distance[m + j] = reached
            parent[m + j] = i
            if left[m + j] == 0:
                key[m + j] = reached
            elif reached < distance[end]:
                end = m + j
    return end


@kernel
def _release(search, kept, node):
    """Reach the closed rows whose entry a settled and closed column would release."""
    left, potential, distance, key, parent, slot = search
    rows, energies = kept
    j = node - (left.size - rows.shape[0])
    for s in range(rows.shape[1]):
        i = rows[j, s]
        cost = potential[node] + energies[j, s] - potential[i]
        reached = distance[node] + max(cost, 0.0)
        if left[i] == 0 and reached < distance[i]:
            distance[i] = reached
            key[i] = reached
            parent[i] = node
            slot[i] = s


@kernel
def _augment(energy, search, kept, end):
    """Take and release the entries along the path to end; return its first row."""
    left, parent, slot = search.left, search.parent, search.slot
    m = energy.shape[0]
    left[end] -= 1
    column = end - m
    s = left[end]  # slots fill from the last
    while True:
        i = parent[m + column]
        kept.rows[column, s] = i
        kept.energies[column, s] = energy[i, column]
        energy[i, column] = -np.inf
        if left[i] > 0:
            left[i] -= 1
            return i
        column = parent[i] - m
        s = slot[i]
        energy[i, column] = kept.energies[column, s]
