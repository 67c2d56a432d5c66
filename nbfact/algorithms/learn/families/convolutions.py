"""The family "convolutions": circulant, Toeplitz and Hankel matrices."""

from collections.abc import Iterator

import numpy as np

from ....operators.circulants import circulant, hankel, toeplitz
from ..starts import Start, measured
from .family import Family, Task
from .transform_matching import TOLERANCE


def convolutions(task: Task) -> Iterator[Start]:
    """Yield the nearest circulant, Toeplitz or Hankel matrix, if it is near."""
    problem = task.problem
    (m, n), matrix = problem.shape, problem.wide.array
    if min(m, n) < 2:
        return
    plain, mirrored = _diagonals(matrix), _diagonals(matrix[::-1])
    if _distance(matrix, plain) <= TOLERANCE * problem.wide.norm:
        c, r = plain[m - 1 :: -1], plain[m - 1 :]
        cyclic = m == n and np.allclose(c[1:], r[:0:-1], atol=TOLERANCE * abs(c).max())
        if cyclic:
            mean = np.append(c[0], (c[1:] + r[:0:-1]) / 2)
            yield _start(problem, circulant(mean), "circulant")
        yield _start(problem, toeplitz(c, r), "toeplitz")
    elif _distance(matrix[::-1], mirrored) <= TOLERANCE * problem.wide.norm:
        c, r = mirrored[:m], mirrored[m - 1 :]
        yield _start(problem, hankel(c, r), "hankel")


def _diagonals(matrix):
    """Return the mean of each diagonal, the one of the last row first."""
    m, n = matrix.shape
    index = np.arange(n)[None, :] - np.arange(m)[:, None] + m - 1
    counts = np.bincount(index.ravel(), minlength=m + n - 1)
    sums = np.zeros(m + n - 1, matrix.dtype)
    np.add.at(sums, index, matrix)
    return sums / counts


def _distance(matrix, means):
    """Return the distance of a matrix from the Toeplitz matrix with these diagonals."""
    m, n = matrix.shape
    index = np.arange(n)[None, :] - np.arange(m)[:, None] + m - 1
    return np.linalg.norm(matrix - means[index])


def _start(problem, operator, words):
    """Return the start from an operator of the shifted matrix."""
    operator = (operator * 2.0**problem.wide.exponent).astype(problem.dtype)
    found = measured(problem, operator.to_factors())
    return Start.of("convolution", found, words, form=operator)


CONVOLUTIONS = Family("convolutions", once=convolutions)
"""Circulant, Toeplitz and Hankel matrices."""
