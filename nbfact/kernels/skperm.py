"""The nearest matrix with at most k_row entries per row and k_col per column.

The support of largest energy is a maximum-weight b-matching of rows and columns, an
integral linear programme (Le and Gribonval, ICASSP 2021). Where it is the only one,
`matching` finds it and proves so. Where others are as good, or nearly, the one kept is
that of successive shortest augmenting paths, below: each keeps one entry more at the
best energy, moving entries kept before where that pays; the first that gains nothing
ends the search.

Nodes are the rows, 0 to m - 1, then the columns, m to m + n - 1. A node is open while
it may keep more entries: ``left > 0``. A path starts from an open row, at distance
minus its energy, and ends in an open column. Potentials, 0 on open columns, make the
cost of every later arc at least 0:

* taking (i, j):    potential[i] - potential[m + j] - energy[i, j];
* releasing (i, j): the opposite.

Distances are compared without a tolerance, and blocks of a matrix that share no row
and no column do not round one another: small blocks are as exact as large ones.
"""

import numpy as np

from ._jit import kernel
from .matching import match
from .select import modulus


@kernel
def project_skperm(x, k_row, k_col, tie_tol=0.0):
    """Keep the support of largest energy with k_row entries a row, k_col a column.

    x: (m, n). At most, not exactly: entries that add no energy are not kept. tie_tol:
    energies relative to the largest are rounded to its multiples; 0 for none.
    """
    potential = np.zeros(x.shape[0] + x.shape[1])
    project_skperm_warm(x, k_row, k_col, potential, tie_tol)


@kernel
def project_skperm_warm(x, k_row, k_col, potential, tie_tol=0.0):
    """Do as project_skperm, sooner from the potentials of a matrix like this one.

    x: (m, n); potential: (m + n,) float64, read and written; whatever it holds, zeros
    at first, the result is the same.
    """
    m, n = x.shape
    k_row = min(k_row, n)
    k_col = min(k_col, m)
    energy = np.empty((m, n))
    _relative_energies(x, energy)
    if tie_tol > 1e-300:  # the inverse of a smaller one may overflow
        _round_to_multiples(energy, tie_tol)
    _take_best(energy, k_row, k_col, potential)
    _keep_taken(x, energy)


@kernel
def _take_best(energy, k_row, k_col, potential):
    """Take the support of largest energy, negative once taken.

    energy: (m, n), at least 0; k_row <= n, k_col <= m; potential: (m + n,).
    """
    m, n = energy.shape
    work, prices = energy, potential
    # Rows bid: turned, if need be, so that they hold less than columns might.
    turned = m * k_row > n * k_col
    if turned:
        work, prices = np.empty((n, m)), np.empty(m + n)
        for j in range(n):
            for i in range(m):
                work[j, i] = energy[i, j]
        for node in range(m + n):
            prices[node] = potential[(node + m) % (m + n)]
        k_row, k_col = k_col, k_row
    only = match(work, k_row, k_col, prices)
    for i in range(m if turned else 0):
        for j in range(n):
            energy[i, j] = work[j, i]
    for node in range(m + n if turned else 0):
        potential[(node + m) % (m + n)] = prices[node]
    if only:
        return
    for i in range(m):
        for j in range(n):
            energy[i, j] = abs(energy[i, j])
    if turned:
        k_row, k_col = k_col, k_row
    _search(energy, k_row, k_col)


@kernel
def _search(energy, k_row, k_col):
    """Take the support of largest energy, one of them where others are as good.

    energy: (m, n), -inf once taken. k_row <= n, k_col <= m.
    """
    m, n = energy.shape
    left = np.empty(m + n, np.int64)
    for node in range(m + n):
        left[node] = k_row if node < m else k_col
    potential = np.zeros(m + n)
    distance = np.empty(m + n)
    key = np.empty(m + n)
    parent = np.empty(m + n, np.int64)
    slot = np.empty(m, np.int64)
    taken_rows = np.empty((n, k_col), np.int64)  # what each column keeps
    taken_energy = np.empty((n, k_col))
    best = np.empty(n)
    best_row = np.empty(n, np.int64)
    for j in range(n):
        _best_of_column(energy, left, j, best, best_row)
    for _ in range(min(m * k_row, n * k_col)):
        _leave_open_rows(potential, best, best_row, distance, parent)
        end = _nearest_open_column(
            energy, left, potential, distance, key, parent, slot, taken_rows,
            taken_energy,
        )  # fmt: skip
        gain = -distance[end]
        if gain <= 0.0:
            break
        for node in range(m + n):
            potential[node] += min(distance[node] + gain, 0.0)
        source = _augment(end, energy, left, parent, slot, taken_rows, taken_energy)
        if left[source] == 0:
            potential[source] = gain
        for j in range(n):
            if best_row[j] == source:
                _best_of_column(energy, left, j, best, best_row)


@kernel
def project_skperm_greedy(x, k_row, k_col):
    """Keep the largest entry that its row and column have room for, while there is one.

    x: (m, n). At least half the energy of project_skperm, in a fraction of the time.
    """
    m, n = x.shape
    energy = np.empty((m, n))  # -inf once taken
    _relative_energies(x, energy)
    left = np.empty(m + n, np.int64)
    for node in range(m + n):
        left[node] = k_row if node < m else k_col
    best = np.empty(n)
    best_row = np.empty(n, np.int64)
    for j in range(n):
        _best_of_column(energy, left, j, best, best_row)
    for _ in range(min(m * min(k_row, n), n * min(k_col, m))):
        column = 0
        for j in range(1, n):
            if best[j] > best[column]:
                column = j
        if best[column] <= 0.0:
            break
        row = best_row[column]
        energy[row, column] = -np.inf
        left[row] -= 1
        left[m + column] -= 1
        for j in range(n):
            if best_row[j] == row:
                _best_of_column(energy, left, j, best, best_row)
        if left[m + column] == 0:
            best[column] = -np.inf
            best_row[column] = -1
    _keep_taken(x, energy)


@kernel
def _relative_energies(x, energy):
    """Write the squared moduli of x over the largest; zeros if x is zero.

    x: (m, n); energy: (m, n) float64.
    """
    largest = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            energy[i, j] = modulus(x[i, j])
            largest = max(largest, energy[i, j])
    if largest > 0.0:
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                energy[i, j] = (energy[i, j] / largest) ** 2


@kernel
def _round_to_multiples(energy, unit):
    """Round to the nearest multiple of unit; energy: (m, n)."""
    for i in range(energy.shape[0]):
        for j in range(energy.shape[1]):
            energy[i, j] = np.rint(energy[i, j] / unit) * unit


@kernel
def _best_of_column(energy, left, j, best, best_row):
    """Find the largest entry of column j in the open rows; -inf and row -1 if none.

    energy: (m, n); left: (m + n,) int; best, best_row: (n,), written at j.
    """
    best[j] = -np.inf
    best_row[j] = -1
    for i in range(energy.shape[0]):
        if left[i] > 0 and energy[i, j] > best[j]:
            best[j] = energy[i, j]
            best_row[j] = i


@kernel
def _leave_open_rows(potential, best, best_row, distance, parent):
    """Start the distances: rows unreached, columns by the best arc of an open row."""
    m = distance.size - best.size
    for i in range(m):
        distance[i] = np.inf
    for j in range(best.size):
        distance[m + j] = -potential[m + j] - best[j]
        parent[m + j] = best_row[j]


@kernel
def _nearest_open_column(
    energy, left, potential, distance, key, parent, slot, taken_rows, taken_energy
):
    """Settle nodes by distance, as Dijkstra, up to the nearest open column; return it.

    energy: (m, n); distance, parent: (m + n,), starting with the arcs of open rows;
    key: (m + n,), clobbered; others as in project_skperm.
    """
    m, n = energy.shape
    end = -1
    for node in range(m + n):
        key[node] = np.inf  # the distance of closed nodes, until they are settled
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
            end = _take(node, end, energy, left, potential, distance, key, parent)
        else:
            _release(
                node, left, potential, distance, key, parent, slot, taken_rows,
                taken_energy,
            )  # fmt: skip


@kernel
def _take(i, end, energy, left, potential, distance, key, parent):
    """Reach the columns from row i, settled; return the nearest open one so far."""
    m, n = energy.shape
    for j in range(n):
        cost = potential[i] - potential[m + j] - energy[i, j]
        reached = distance[i] + max(cost, 0.0)  # rounding may leave it below 0
        if reached < distance[m + j]:
            distance[m + j] = reached
            parent[m + j] = i
            if left[m + j] == 0:
                key[m + j] = reached
            elif reached < distance[end]:
                end = m + j
    return end


@kernel
def _release(
    node, left, potential, distance, key, parent, slot, taken_rows, taken_energy
):
    """Reach the closed rows whose entry a settled, closed column would release."""
    j = node - (left.size - taken_rows.shape[0])
    for s in range(taken_rows.shape[1]):
        i = taken_rows[j, s]
        cost = potential[node] + taken_energy[j, s] - potential[i]
        reached = distance[node] + max(cost, 0.0)
        if left[i] == 0 and reached < distance[i]:
            distance[i] = reached
            key[i] = reached
            parent[i] = node
            slot[i] = s


@kernel
def _augment(end, energy, left, parent, slot, taken_rows, taken_energy):
    """Take and release the entries along the path to end; return its first row."""
    m = energy.shape[0]
    left[end] -= 1
    column = end - m
    s = left[end]  # slots fill from the last
    while True:
        i = parent[m + column]
        taken_rows[column, s] = i
        taken_energy[column, s] = energy[i, column]
        energy[i, column] = -np.inf
        if left[i] > 0:
            left[i] -= 1
            return i
        column = parent[i] - m
        s = slot[i]
        energy[i, column] = taken_energy[column, s]


@kernel
def _keep_taken(x, energy):
    """Zero the entries that were not taken.

    x: (m, n); energy: (m, n), negative where taken.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if energy[i, j] >= 0.0:
                x[i, j] = 0
