"""Twins of butterfly factorizations: the best low-rank blocks, by singular values."""

import numpy as np


def split_blocks(target, left, right):
    """Return the rows and columns of the blocks of a split, and their rank.

    left, right: patterns of two factors. The rows of a block are those where a column
    of the left factor may have entries, and its columns those where the row of the
    right factor of the same number may have entries.
    """
    first, second = (
        np.kron(np.kron(np.eye(a), np.ones((b, c))), np.eye(d)) != 0
        for a, b, c, d in (left, right)
    )
    blocks = {}
    for inner in range(first.shape[1]):
        rows, columns = np.flatnonzero(first[:, inner]), np.flatnonzero(second[inner])
        blocks.setdefault((*rows, -1, *columns), (rows, columns, []))[2].append(inner)
    return list(blocks.values())


def split(target, left, right, orthonormal):
    """Return the best two factors of these patterns, and what they lose."""
    (a, b, c, d), (e, f, g, h) = left, right
    first = np.zeros((a * b * d, a * c * d), target.dtype)
    second = np.zeros((e * f * h, e * g * h), target.dtype)
    for rows, columns, inner in split_blocks(target, left, right):
        u, sigma, v = np.linalg.svd(target[np.ix_(rows, columns)], full_matrices=False)
        kept = slice(len(inner))
        power = 0 if orthonormal else 0.5
        first[np.ix_(rows, inner)] = u[:, kept] * sigma[kept] ** power
        second[np.ix_(inner, columns)] = (v[kept].T * sigma[kept] ** (1 - power)).T
    return first, second, np.linalg.norm(target - first @ second)


def butterfly_left_to_right(target, patterns, orthonormal=True):
    """Return the factors, dense, and what each split loses."""
    factors, lost, rest = [], [], target
    for number, pattern in enumerate(patterns[:-1]):
        a, _, c, d = pattern
        wide = patterns[number + 1][0]
        rows = a * c * d // wide
        right = (wide, rows, target.shape[1] // wide, 1)
        first, rest, loss = split(rest, pattern, right, orthonormal)
        factors.append(first)
        lost.append(loss)
    return [*factors, rest], lost


def rank_one_butterfly(target, patterns, orthonormal):
    """Return the dense factors, and the energy that each split loses."""
    factors, lost = butterfly_left_to_right(target, patterns, orthonormal)
    return factors, np.array(lost) ** 2
