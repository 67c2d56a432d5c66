"""The best chain for one matrix, among all chains within a budget.

What a chain loses at a cut is a sum of squared singular values, which depends on the
cut alone: no chain through a cut has a smaller error than the loss there, and the
factors found split by split have an error of at most the root of the sum of the squared
losses. So the losses of few cuts rule out most chains, and order the others.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...operators import Butterfly
from ...operators.reorderings import digit_reversal, makhoul
from ..common.problem import Problem
from ..common.result import never
from .butterfly_result import ButterflyFactorization
from .chain_graph import ChainGraph, chain_graph
from .split_factors import SplitFactors
from .split_problem import SplitProblem, certified
from .splits import factor_by_splits
from .ways import Way, column_radices

_FACTORED = 16
"""Maximum number of chains that are factored for each order of rows and columns. The
others have larger bounds on their errors; all that are exact have the same bound."""

_PARTIAL = 3000
"""Maximum number of partial chains that are looked at for each order."""

_PARTS = 4
"""Number of blocks, and more, whose losses are computed at a time: where those so far
are too large, those of the other blocks are not computed."""


class Order(NamedTuple):
    """How rows and columns are read before they are split.

    Attributes
    ----------
    transposed : bool
        Whether the transpose of the matrix is split.
    rows, columns : bool
        Whether the digits of the rows, of the columns, are reversed.
    makhoul : bool
        Whether the columns are in Makhoul's order first.
    """

    transposed: bool
    rows: bool = False
    columns: bool = False
    makhoul: bool = False

    @property
    def name(self) -> str | None:
        """The name of the permutation."""
        if self.makhoul:
            return "makhoul"
        if self.rows:
            return "digit-reversal of the rows"
        return "digit-reversal" if self.columns else None

    def way(self, graph: ChainGraph, path: list[int]) -> Way:
        """Return the way to factor the matrix by a path of a graph."""
        chain = graph.chain(path)
        rows = columns = None
        if self.rows:
            left = graph.cuts[path, 0]
            rows = digit_reversal((left[1:] // left[:-1]).tolist())
        if self.columns:
            columns = digit_reversal(column_radices(chain))
        if self.makhoul:
            columns = makhoul(chain.shape[1])[columns]
        return Way(chain, self.transposed, False, self.name, rows, columns)


PLAIN: tuple[Order, ...] = (
    Order(False),
    Order(True),
    Order(False, columns=True),
    Order(False, rows=True),
)
"""Rows and columns as they are, and with the digits of either reversed. The transpose
with reversed digits splits the matrix as the matrix with reversed digits."""

COSINES: tuple[Order, ...] = (
    Order(False, columns=True, makhoul=True),
    Order(True, columns=True, makhoul=True),
)
"""Makhoul's order of the columns, or of the rows: cosine and sine transforms."""


@dataclass
class ChainSearch:
    """A search for the best chain within a budget.

    Parameters
    ----------
    split : SplitProblem
        The matrix.
    nnz : int
        The largest number of values of all factors.
    limit : float
        The error, a norm, from which on a result is of no use.
    over : callable
        Returns whether the time is over: then the best so far is the result.
    """

    split: SplitProblem
    nnz: int
    limit: float = math.inf
    over: Callable[[], bool] = never
    best: tuple[Way, SplitFactors] | None = field(default=None, init=False)

    def run(self, orders: Iterable[Order]) -> None:
        """Look at all chains in some orders of rows and columns.

        Those that are exact come first, because their search costs little: the losses
        of few blocks rule out most cuts.
        """
        orders, limit = tuple(orders), self.limit
        self.limit = self.split.tolerance
        self._run(orders)
        if self.best is None and limit > self.limit:
            self.limit = limit
            self._run(orders)

    def _run(self, orders):
        """Look at the chains below the limit."""
        for order in orders:
            if self.over():
                return
            view = self.split.matrix.T if order.transposed else self.split.matrix
            if order.makhoul:
                view = view[:, makhoul(view.shape[1])]
            most = self.nnz
            if self.exact and self.best:  # others matter if they have fewer values
                most = self.best[0].chain.n_parameters - 1
            graph = chain_graph((view.shape[0], view.shape[1]), most)
            if len(graph.cuts):
                self._search(order, view, graph)

    def _search(self, order, view, graph):
        """Look at the chains in one order."""
        losses = CutLosses(view, order.rows, order.columns).of(
            graph.cuts, self.limit, self.over
        )
        inside = losses <= self.limit
        part, kept = graph.only(inside), losses[inside]
        if self.limit <= self.split.tolerance:
            paths = itertools.islice(part.paths(most=_PARTIAL), 1)
        else:
            paths = itertools.islice(part.paths(kept**2, _PARTIAL), _FACTORED)
        for _, path in paths:
            if self.over():
                return
            if np.max(kept[path]) <= self.limit:
                self._try(order, part, path)

    @property
    def exact(self) -> bool:
        """Whether the best result so far is exact."""
        return self.best is not None and self.best[1].error <= self.split.tolerance

    def _try(self, order, graph, path):
        """Factor by one chain, and keep the result if it is the best."""
        way = order.way(graph, path)
        found = factor_by_splits(
            self.split.view(way), way.rows, way.columns, way.chain, self.split.order,
            self.split.orthonormal, self.limit,
        )  # fmt: skip
        if found is not None and self._better(way, found):
            self.best = way, found
            self.limit = min(self.limit, max(found.error, self.split.tolerance))

    def _better(self, way, found):
        """Return whether a result is better: exact ones are by the number of values."""
        if self.best is None:
            return True
        known, enough = self.best, self.split.tolerance
        errors = max(found.error, enough), max(known[1].error, enough)
        sizes = way.chain.n_parameters, known[0].chain.n_parameters
        return (errors[0], sizes[0]) < (errors[1], sizes[1])


def searched_problem(
    problem: Problem,
    split: SplitProblem,
    nnz: int,
    orders: Iterable[Order] = PLAIN,
    limit: float = math.inf,
    certify: bool = False,
    over: Callable[[], bool] = never,
) -> ButterflyFactorization[Butterfly] | None:
    """Return the best factorization of a problem in any chain within a budget.

    Parameters
    ----------
    problem : Problem
    split : SplitProblem
        That of the problem.
    nnz : int
        The largest number of values.
    orders : iterable of Order
        The orders of rows and columns that are tried.
    limit : float
        The relative error from which on a result is of no use.
    certify : bool
        See `butterfly_factorize`.
    over : callable
        Returns whether the time is over, between two cuts and between two chains.

    Returns
    -------
    ButterflyFactorization, or None where no chain is within the budget and the limit,
    or none was found in time.
    """
    began = time.perf_counter()
    search = ChainSearch(split, nnz, max(limit * split.norm, split.tolerance), over)
    search.run(orders)
    if search.best is None:
        return None
    way, found = search.best
    if certify:
        found = certified(split, way, found)
    return split.result(way, found, problem, began)


class CutLosses:
    """What the best chains lose of a matrix at single cuts.

    At a cut (P, Q, r) the rows fall into m/P sets and the columns into Q, by their fast
    or slow digits, and each block of one set of either is replaced by one of rank r.

    Parameters
    ----------
    matrix : ndarray, (m, n)
        A matrix whose squared entries neither over- nor underflow.
    rows, columns : bool
        Whether the digits of the rows and of the columns are reversed.
    """

    def __init__(self, matrix: np.ndarray, rows: bool, columns: bool) -> None:
        self.matrix, self.rows, self.columns = matrix, rows, columns

    def of(
        self, cuts: np.ndarray, limit: float, over: Callable[[], bool] = never
    ) -> np.ndarray:
        """Return the loss at each cut, a norm; infinity may stand for one above limit.

        Parameters
        ----------
        cuts : ndarray of int, (k, 3)
            P, Q and r of each; the first and the last one, which lose nothing, are the
            ends of chains.
        limit : float
        over : callable
            Returns whether the time is over: the losses that are left are infinite.
        """
        found = np.full(len(cuts), math.inf)
        found[[0, -1]] = 0.0
        inner = np.arange(1, len(cuts) - 1)
        pairs = cuts[inner, 0] * (cuts[:, 1].max() + 1) + cuts[inner, 1]
        for pair in np.unique(pairs):
            if over():
                break
            members = inner[pairs == pair]
            p, q = cuts[members[0], :2].tolist()
            found[members] = self._of_pair(p, q, cuts[members, 2], limit)
        return found

    def _of_pair(self, p, q, ranks, limit):
        """Return the losses of one P and Q for several ranks."""
        m, n = self.matrix.shape
        rows = (m // p, p) if self.rows else (p, m // p)
        columns = (n // q, q) if self.columns else (q, n // q)
        fixed, free = (0, 1) if self.rows else (1, 0)
        other, wide = (3, 2) if self.columns else (2, 3)
        axes = (fixed, other, free, wide)
        apart = self.matrix.reshape(*rows, *columns).transpose(axes)
        blocks = apart.reshape(-1, p, n // q)
        if not math.isfinite(limit):
            return _tails(_squares(blocks), ranks)
        squares, step = 0.0, max(1, len(blocks) // _PARTS)
        for start in range(step):  # strided, so that all regions of a matrix count
            squares = squares + _squares(blocks[start::step])
            if _tails(squares, ranks).min() > limit:
                return math.inf
        return _tails(squares, ranks)


def _squares(blocks):
    """Return the sums over blocks of the squares of their singular values."""
    sigma = np.linalg.svd(blocks, compute_uv=False).astype(float)
    return np.sum(sigma**2, axis=0)


def _tails(squares, ranks):
    """Return the norm of all singular values past each of some ranks."""
    sums = np.append(np.cumsum(squares[::-1])[::-1], 0.0)
    return np.sqrt(sums[np.minimum(ranks, len(sums) - 1)])
