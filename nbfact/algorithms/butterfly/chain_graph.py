"""All chainable chains of one shape, as the paths of a graph, cheapest first.

A *cut* (P, Q, r) of a chain for an (m, n) matrix lies between two factors: those on its
left have split the rows P times and the columns Q times, and the blocks of the product
have rank r there. The factor between the cuts (P, Q, r) and (P', Q', r') has the
pattern (Q, r P'/P, r' Q'/Q, m/P'), and so r r' Q' m/P values. A chain is a path from
the cut (1, 1, 1) to the cut (m, n, 1), and its number of values is a sum over edges.
"""

import functools
import heapq
import itertools
import math
from collections.abc import Iterator

import numpy as np

from ..._core.checks import size
from ...operators import Chain
from ...operators.radices import divisors, order_or_shape

RANKS = (16, 8, 4, 2, 1)
"""Largest ranks of blocks that are listed: the first one with at most `_CUTS` cuts."""

_CUTS = 1200
"""Maximum number of cuts of one graph, whose memory and time grow with its square: all
chains of ranks up to 16 for orders up to some 256, and those of fewer ranks beyond."""


_FACTOR = 2.0**-10
"""Weight of one more factor, in values: of two chains with as many values that of fewer
factors comes first."""


class ChainGraph:
    """The cuts of all chains of one shape within a budget, and the factors between.

    Parameters
    ----------
    shape : (int, int)
        The shape (m, n) of the product.
    nnz : int
        The largest number of values of a chain.
    cuts : ndarray of int, (k, 3)
        The P, Q and r of each cut, the left ones first. The first one is (1, 1, 1) and
        the last one (m, n, 1); there is none where no chain is within the budget.
    costs : ndarray, (k, k)
        Number of values of the factor between two cuts; infinite where there is none.

    Attributes
    ----------
    shape, nnz, cuts, costs
        The parameters.
    to_end : ndarray, (k,)
        The fewest values of all factors on the right of each cut.
    """

    def __init__(
        self, shape: tuple[int, int], nnz: int, cuts: np.ndarray, costs: np.ndarray
    ) -> None:
        self.shape, self.nnz = shape, nnz
        self.cuts, self.costs = cuts, costs
        self.to_end = _to_end(costs) if len(cuts) else np.zeros(0)

    def only(self, kept: np.ndarray) -> "ChainGraph":
        """Return the graph of some of the cuts, a boolean for each."""
        costs = self.costs[np.ix_(kept, kept)]
        return ChainGraph(self.shape, self.nnz, self.cuts[kept], costs)

    def paths(
        self, weights: np.ndarray | None = None, most: int | None = None
    ) -> Iterator[tuple[float, list[int]]]:
        """Yield the chains within the budget, those of the least weight first.

        Parameters
        ----------
        weights : ndarray, (k,), optional
            A weight of at least 0 for each cut, whose sum over a chain is its weight.
            By default the weight of a chain is its number of values, and of those with
            as many values the ones with fewer factors come first.
        most : int, optional
            Maximum number of partial chains that are looked at; by default all.

        Yields
        ------
        weight : float
        path : list of int
            The indices of the cuts, both ends included.
        """
        if not len(self.cuts):
            return
        last = len(self.cuts) - 1
        if weights is None:
            steps = self.costs + _FACTOR
        else:
            steps = np.where(np.isfinite(self.costs), weights[None, :], math.inf)
        rest = _to_end(steps)
        queue = [(float(rest[0]), 0.0, 0.0, [0])]
        for count in itertools.count():
            if not queue or (most is not None and count >= most):
                return
            _, weight, cost, path = heapq.heappop(queue)
            at = path[-1]
            if at == last:
                yield weight, path
                continue
            costs = cost + self.costs[at]
            for to in np.flatnonzero(costs + self.to_end <= self.nnz):
                total = weight + steps[at, to]
                if np.isfinite(total + rest[to]):
                    entry = total + rest[to], total, float(costs[to]), [*path, int(to)]
                    heapq.heappush(queue, entry)

    def chain(self, path: list[int]) -> Chain:
        """Return the chain of a path."""
        m = self.shape[0]
        patterns = []
        for left, right in itertools.pairwise(self.cuts[path].tolist()):
            (p, q, r), (p_next, q_next, r_next) = left, right
            pattern = q, r * (p_next // p), r_next * (q_next // q), m // p_next
            patterns.append(pattern)
        return Chain(patterns)


def chains(shape: int | tuple[int, int], nnz: int | None = None) -> Iterator[Chain]:
    """Enumerate the chains of Kronecker-sparse factors of one shape, cheapest first.

    Parameters
    ----------
    shape : int or (int, int)
        Shape (m, n) of the product, or the order of a square one.
    nnz : int, optional
        The largest number of values of all factors together; by default m n - 1, fewer
        than a dense matrix has.

    Yields
    ------
    Chain
        Chains of the shape that are chainable, or whose transposes are, each once, by
        increasing `n_parameters`: every order of the radices of rows and columns, two
        factors (Monarch matrices among them), three, and more, with blocks of all ranks
        up to 16, low-rank products too. Redundant chains, in which two factors could be
        one of as few values, are left out. For orders with very many divisors the ranks
        end earlier.

    Raises
    ------
    TypeError, ValueError
        When a size or the budget is not a positive integer. The message names it.

    See Also
    --------
    butterfly_factorize : Its option ``chain="search"`` finds the best one for a matrix.

    Notes
    -----
    The chains are the paths of a graph, found by best-first search with the exact cost
    of what remains, so that the first chains cost little however many there are.

    Examples
    --------
    >>> import nbfact as nf
    >>> listed = list(nf.chains(4, 12))
    >>> len(listed), [chain.n_parameters for chain in listed[:3]]
    (7, [8, 12, 12])
    >>> listed[0].patterns, listed[1].patterns
    (((1, 4, 1, 1), (1, 1, 4, 1)), ((1, 2, 1, 2), (1, 2, 4, 1)))
    """
    m, n = order_or_shape("shape", shape)
    most = m * n - 1 if nnz is None else size("nnz", nnz, most=None)
    return _listed((m, n), most)


def _listed(shape, nnz):
    """Yield the chains of a shape and the transposes of those of the other one."""
    m, n = shape
    upright = chain_graph((m, n), nnz)
    turned = chain_graph((n, m), nnz)
    sides = (
        (upright.chain(path) for _, path in upright.paths()),
        (turned.chain(path).T for _, path in turned.paths()),
    )
    merged = heapq.merge(*sides, key=lambda chain: chain.n_parameters)
    seen: set[Chain] = set()
    for chain in merged:
        if chain not in seen:
            seen.add(chain)
            yield chain


@functools.lru_cache(maxsize=8)
def chain_graph(shape: tuple[int, int], nnz: int) -> ChainGraph:
    """Return the graph of the chains of a shape within a budget, made once."""
    cuts = _cuts(shape, nnz)
    costs = _costs(shape[0], cuts)
    costs[costs > nnz] = math.inf
    kept = _from_start(costs) + _to_end(costs) <= nnz
    return ChainGraph(shape, nnz, cuts, costs).only(kept)


def _to_end(steps):
    """Return the least sum of steps from each cut to the last; steps[start, to]."""
    return _from_start(steps[::-1, ::-1].T)[::-1]


def _cuts(shape, nnz):
    """Return the cuts (P, Q, r) that a chain within the budget may have, sorted."""
    m, n = shape
    of_sides = [divisors(side, "shape") for side in (m, n)]
    pairs = np.array(list(itertools.product(*of_sides)))
    inner = pairs[1:-1]  # without (1, 1) and (m, n)
    for most in RANKS:
        ranks = np.arange(1, most + 1)
        cuts = np.array([(p, q, r) for p, q in inner.tolist() for r in ranks.tolist()])
        cuts = cuts.reshape(-1, 3)
        p, q, r = cuts.T
        # The two factors beside a cut have at least r² Q m / P values each.
        cuts = cuts[(r < np.minimum(p, n // q)) & (2 * r * r * q * (m / p) <= nnz)]
        if len(cuts) <= _CUTS:
            break
    if len(cuts) > _CUTS:
        p, q, _ = cuts.T
        uneven = np.abs(np.log(p / m * (n / q)))
        cuts = cuts[np.sort(np.argsort(uneven, kind="stable")[:_CUTS])]
    cuts = cuts[np.argsort(cuts[:, 0] * cuts[:, 1], kind="stable")]
    return np.concatenate([[(1, 1, 1)], cuts, [(m, n, 1)]])


def _costs(m, cuts):
    """Return the number of values of the factor between each two cuts."""
    p, q, r = cuts.T
    splits = (p[None, :] % p[:, None] == 0) & (q[None, :] % q[:, None] == 0)
    splits &= (p[None, :] > p[:, None]) | (q[None, :] > q[:, None])
    # A rank that is no restriction makes the chain redundant.
    ahead, behind = (r[:, None] * p < r * p[:, None]).T, (r * q)[:, None] < r * q
    ahead[:, -1] = behind[0] = True  # at the ends nothing is restricted
    splits &= ahead & behind
    costs = (r[:, None] * r[None, :]) * (q[None, :] * (m // p)[:, None]).astype(float)
    return np.where(splits, costs, math.inf)


def _from_start(steps):
    """Return the least sum of steps from the first cut to each; steps[start, to]."""
    found, steps = np.full(len(steps), math.inf), steps.T.copy()
    found[0] = 0.0
    for number in range(1, len(steps)):
        found[number] = np.min(found[:number] + steps[number, :number])
    return found
