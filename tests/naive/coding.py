"""Twins of the steps of orthogonal matching pursuit, and the pursuit itself."""

import numpy as np


def largest_of_columns(x):
    """Return the row of the largest modulus in each column, and those moduli."""
    sizes = np.abs(x)
    return np.argmax(sizes, axis=0), np.max(sizes, axis=0)


def add_atoms(atoms, active, step, tiny, basis, triangle, residuals):
    """Return the basis, the triangles and the residuals after one atom was added."""
    basis, triangle, residuals = basis.copy(), triangle.copy(), residuals.copy()
    for atom, j in zip(atoms, active, strict=True):
        span = basis[j, :step].T
        along = span.conj().T @ atom
        rest = atom - span @ along
        again = span.conj().T @ rest
        rest = rest - span @ again
        triangle[j, :step, step + 1] = along + again
        length = np.linalg.norm(rest)
        if length <= tiny * np.linalg.norm(atom):
            continue
        basis[j, step] = rest / length
        triangle[j, step, step + 1] = length
        triangle[j, step, 0] = np.vdot(basis[j, step], residuals[j])
        residuals[j] -= triangle[j, step, 0] * basis[j, step]
    return basis, triangle, residuals


def solve_triangles(triangle, counts):
    """Return the triangles with the solutions of R x = y in their first columns."""
    triangle = triangle.copy()
    for one, t in zip(triangle, counts, strict=True):
        one[:t, 0] = np.linalg.solve(one[:t, 1 : t + 1], one[:t, 0])
    return triangle


def gram_pursuit(atoms, residuals, k):
    """Return the supports, the values and the residuals of codes with k non-zeros."""
    support, values, rests = [], [], []
    for y in residuals:
        code = omp(atoms.T, y, k, order := [])
        support.append(order)
        values.append(code[order])
        rests.append(y - atoms.T @ code)
    return np.array(support), np.array(values), np.array(rests)


def exchange_atoms(A, Y, price, codes):
    """Return the codes of the columns of Y in A that the best single moves lead to."""

    def cost(y, support):
        places, code = sorted(support), np.zeros(A.shape[1], np.result_type(A, y))
        code[places] = np.linalg.lstsq(A[:, places], y, rcond=None)[0]
        return np.linalg.norm(y - A @ code) ** 2 + price * len(places), places, code

    found = []
    for y, x in zip(Y.T, codes, strict=True):
        now = cost(y, np.flatnonzero(x))
        while True:
            support = set(now[1])
            starts = [support] + [support - {a} for a in support]
            ends = starts + [one | {b} for one in starts for b in range(A.shape[1])]
            best = min((cost(y, one) for one in ends), key=lambda end: end[0])
            if best[0] >= now[0] - 1e-4 * price:
                break
            now = best
        found.append(now[2])
    return np.array(found)


def solve_coupled(gram, right_gram, places, blocks, values):
    """Return the solutions of systems; blocks: lists of the unknowns of each."""
    found = np.zeros_like(values)
    for block in blocks:
        system = np.ones((len(block), len(block)), values.dtype)
        for matrix, lines in zip((gram, right_gram), places, strict=True):
            if matrix.size:
                system *= matrix[np.ix_(lines[block], lines[block])]
        found[block] = np.linalg.solve(system, values[block])
    return found


def update_atoms(atoms, codes, y):
    """Return the atoms, the codes and the residuals after one step of K-SVD.

    atoms: (n, m); codes: (p, n), dense; y: (p, m), the signals.
    """
    atoms, codes = atoms.copy(), codes.copy()
    for j in range(len(atoms)):
        used = codes[:, j] != 0
        others = codes[used] @ atoms - np.outer(codes[used, j], atoms[j])
        without = y[used] - others
        new = codes[used, j] @ without
        if np.linalg.norm(new) == 0:
            continue
        atoms[j] = new / np.linalg.norm(new)
        codes[used, j] = without @ atoms[j]
    return atoms, codes, y - codes @ atoms


def omp(A, y, n_nonzero, support=None):
    """Return the code of one signal: least squares anew for each support.

    support: an empty list, to which the atoms are added in their order.
    """
    support = [] if support is None else support
    residual, values = y, np.zeros(0)
    for _ in range(n_nonzero):
        support.append(int(np.argmax(np.abs(A.conj().T @ residual))))
        values = np.linalg.lstsq(A[:, support], y, rcond=None)[0]
        residual = y - A[:, support] @ values
    code = np.zeros(A.shape[1], np.result_type(A, y))
    code[support] = values
    return code
