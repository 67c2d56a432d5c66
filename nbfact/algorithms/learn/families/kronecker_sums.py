"""Sums of two or three Kronecker products, of any shapes.

The blocks of A ⊗ B are multiples of one matrix, so that the matrix whose rows are the
blocks has rank one (Van Loan and Pitsianis 1993). Each term of a sum is fitted in turn
to what the others leave over: that is a matrix of low rank, in its own arrangement.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ....operators import Butterfly
from ....operators.kronecker_product import kronecker
from ....operators.operator_sum import OperatorSum
from ....operators.radices import divisors
from ..starts import Start, measured
from .family import FamilyTask

_TERMS = {2: "two", 3: "three"}
"""Numbers of terms that are tried, in words."""

_SHAPES = 6
"""Number of shapes of which sums are made: those whose single products leave least."""

_LOOK, _LONG, _LONGEST = 8, 3, 1000
"""Number of turns in which all sums are fitted, number of the best of them that are
fitted on, and maximum number of turns of these."""

_SLOW = 1e-3
"""Least share by which the error falls in a turn that goes on."""

_AHEAD = 20
"""Number of turns with the gain of the last one that are expected of the others
together, because each gains less than the one before it."""

_SEED = 0
"""Seed of the vectors that turns begin with: they draw from a stream of their own, so
that what `learn_transform` draws afterwards does not change."""


class Split(NamedTuple):
    """The shapes (m, n) of the left and (p, q) of the right factor of a product."""

    m: int
    n: int
    p: int
    q: int

    @property
    def nnz(self) -> int:
        """Number of values of both sparse factors, in the cheaper order of the two."""
        return min(sum(self._orders[:2]), sum(self._orders[2:]))

    @property
    def _orders(self) -> tuple[int, int, int, int]:
        """Values of (A ⊗ I) (I ⊗ B), and of (I ⊗ B) (A ⊗ I)."""
        m, n, p, q = self
        return m * n * p, n * p * q, m * p * q, m * n * q

    def rows_of_blocks(self, matrix: np.ndarray) -> np.ndarray:
        """Return a matrix (mp, nq) with its blocks (p, q) as rows."""
        m, n, p, q = self
        return matrix.reshape(m, p, n, q).transpose(0, 2, 1, 3).reshape(m * n, p * q)

    def assembled(self, rows: np.ndarray) -> np.ndarray:
        """Return the matrix whose blocks are the rows of another one."""
        m, n, p, q = self
        return rows.reshape(m, n, p, q).transpose(0, 2, 1, 3).reshape(m * p, n * q)

    def operator(self, left: np.ndarray, right: np.ndarray) -> Butterfly:
        """Return A ⊗ B from the entries of both, with as few values as `nnz` says."""
        a, b = left.reshape(self.m, self.n), right.reshape(self.p, self.q)
        if sum(self._orders[:2]) <= sum(self._orders[2:]):
            return kronecker(a, b)
        return kronecker(a.T, b.T).T

    @property
    def words(self) -> str:
        """What a term is, as "Kronecker 8 x 4"."""
        m, n, p, q = self
        if (m, p) == (n, q):
            return f"Kronecker {m} x {p}"
        return f"Kronecker of {m} x {n} and {p} x {q}"


class Sum:
    """A sum of Kronecker products, fitted to a matrix in turns.

    Parameters
    ----------
    matrix : ndarray, (m, n)
    splits : sequence of Split
        One for each term.
    rng : numpy.random.Generator

    Attributes
    ----------
    error : float
        The norm of what is left over; infinite before the first turn.
    """

    def __init__(
        self, matrix: np.ndarray, splits: Sequence[Split], rng: np.random.Generator
    ) -> None:
        self._matrix, self.error = matrix, math.inf
        # Terms of one shape are one matrix of low rank.
        self._ranks = Counter(splits)
        self._right = {
            one: rng.standard_normal((rank, one.p * one.q)).astype(matrix.dtype)
            for one, rank in self._ranks.items()
        }
        self._left: dict[Split, np.ndarray] = {}
        self._terms = {one: np.zeros_like(matrix) for one in self._ranks}

    def turn(self) -> None:
        """Fit each term to what the others leave over."""
        for one in self._ranks:
            others = sum(self._terms[other] for other in self._ranks if other != one)
            rows = one.rows_of_blocks(self._matrix - others)
            left = np.linalg.qr(rows @ self._right[one].conj().T)[0]
            self._left[one], self._right[one] = left, left.conj().T @ rows
            self._terms[one] = one.assembled(left @ self._right[one])
        rest = self._matrix - sum(self._terms.values())
        self.error = float(np.linalg.norm(rest))

    def run(self, exact: float, limit: float, over: Callable[[], bool]) -> None:
        """Take turns until they no longer help, or are not expected to reach a limit.

        exact: the error from which on there is nothing to gain.
        """
        for _ in range(_LONGEST):
            before = self.error
            self.turn()
            gain = self.error / before
            hopeless = self.error * gain**_AHEAD > limit or gain > 1 - _SLOW
            if self.error <= exact or hopeless or over():
                break

    @property
    def parts(self) -> list[tuple[Split, np.ndarray, np.ndarray]]:
        """The shapes of each product, and the entries of its two factors."""
        return [
            (one, self._left[one][:, k], self._right[one][k])
            for one, rank in self._ranks.items()
            for k in range(rank)
        ]

    @property
    def words(self) -> str:
        """What the sum is, in words."""
        parts = [one.words for one, _, _ in self.parts]
        return f"sum of {_TERMS[len(parts)]} products: {'; '.join(parts)}"


def sums_of_kroneckers(task: FamilyTask) -> Iterator[Start]:
    """Yield the best sum of two Kronecker products, and of three, that are of use."""
    problem, limit = task.problem, task.limit
    matrix, norm = problem.wide.array, problem.wide.norm
    rng = np.random.default_rng(_SEED)
    listed = likely_splits(matrix, task.budget)
    for count in _TERMS:
        looked: list[Sum] = []
        for splits in itertools.combinations_with_replacement(listed, count):
            if sum(one.nnz for one in splits) > task.budget:
                continue
            if task.over():
                break
            looked.append(Sum(matrix, splits, rng))
            for _ in range(_LOOK):
                looked[-1].turn()
        looked = sorted(looked, key=lambda one: one.error)[:_LONG]
        for one in looked:
            one.run(task.exact * norm / 100, limit * norm, task.over)
        best = min(looked, key=lambda one: one.error, default=None)
        if best is None or best.error >= limit * norm:
            continue
        terms = [
            split.operator(left, right * 2.0**problem.wide.exponent)
            for split, left, right in best.parts
        ]
        total = OperatorSum([one.astype(problem.dtype) for one in terms])
        found = measured(problem, total.to_factors())
        if found.relative_error < limit and found.operator.nnz <= task.budget:
            limit = found.relative_error
            yield Start.of("sum of products", found, best.words, keeps_shares=True)
        if limit <= task.exact:
            return


def likely_splits(matrix: np.ndarray, nnz: int) -> list[Split]:
    """Return the shapes whose single Kronecker products leave least of a matrix.

    Two of them have at most `nnz` values. Square matrices are split alike.
    """
    m, n = matrix.shape
    if m == n:
        splits = [Split(k, k, m // k, m // k) for k in divisors(m)]
    else:
        pairs = itertools.product(divisors(m), divisors(n))
        splits = [Split(k, j, m // k, n // j) for k, j in pairs]
    held: dict[Split, float] = {}
    for one in splits:
        both = one.m * one.n, one.p * one.q
        if min(both) > 1 and 2 * one.nnz <= nnz:
            rows = one.rows_of_blocks(matrix)
            held[one] = float(np.linalg.norm(rows, 2))
    return sorted(held, key=lambda one: -held[one])[:_SHAPES]
