"""Better supports of the outer factors of a product, by moves of single entries.

Explorations judge all entries at a time, by gradients. Where they end, single entries
can still be exchanged for better ones: with all factors but the last held, its columns
are sparse codes, and with all but the first, so are its rows. `exchange_atoms` judges
the moves of their entries by the errors that they lead to. Both factors pay the same
price for an entry, so that entries go to the factor where they are worth more. Then
some entries are removed at random, the small ones rather than the large ones, and the
moves begin again from there (an iterated local search).
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...kernels import exchange_atoms
from ...operators import FactorProduct
from ..common.factors import adjoint
from ..common.problem import Problem, shift
from ..palm.value_sweeps import dense_product, unit_factors
from .stages import Deadline
from .starts import Start, measured

_KICKED = 0.15
"""Share of the entries of each factor that are removed at random."""

_FIRST_TURNS, _TURNS, _PATIENCE = 12, 4, 3
"""Largest number of turns, in which both factors move, from a product that is new and
from one that had entries removed; and how many turns in a row that lower no error end
them."""

_MOVES = 8
"""Maximum number of moves of a code in a turn."""

_NEAR = 1e-5
"""Relative error below which no entry is exchanged: what is left there is a matter of
digits."""

_FIRST_WORK, _KICKED_WORK = 1e10, 2e9
"""Largest estimates of the multiplications of all first turns, for moves that judge all
atoms once, and of those after the removals: there are fewer where a turn takes more."""

_FIRST_PRICE = 0.02
"""Share of the entries whose loss is below the price in the first turn."""

_SURPLUS = 1.01
"""Number of entries that both factors shall have after their moves, over the number
that they may have."""


class Pair(NamedTuple):
    """The outer factors of a product L M R, as dense arrays, and what is between them.

    Attributes
    ----------
    left, right : ndarray
        L and R, whose entries are exchanged.
    middle : ndarray or None
        M, the product of the other factors; None where there are none.
    """

    left: np.ndarray
    right: np.ndarray
    middle: np.ndarray | None = None

    @property
    def before(self) -> np.ndarray:
        """The product L M, of which R has the codes."""
        return self.left if self.middle is None else self.left @ self.middle

    @property
    def after(self) -> np.ndarray:
        """The adjoint of M R, of which that of L has the codes."""
        return adjoint(self.right if self.middle is None else self.middle @ self.right)

    @property
    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """Both factors."""
        return self.left, self.right

    @property
    def entries(self) -> int:
        """Number of non-zeros of both."""
        return int(np.count_nonzero(self.left) + np.count_nonzero(self.right))

    def sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the squared norms that an entry of L and of R is multiplied by.

        The former are those of its column, the latter those of its row.
        """
        return _squares(self.after).sum(0), _squares(self.before).sum(0)[:, None]

    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return about how much the squared error grows without each entry."""
        first, last = self.sizes()
        return _squares(self.left) * first, _squares(self.right) * last

    @property
    def work(self) -> float:
        """About how many multiplications it takes to judge a move of each code once."""
        heights = np.count_nonzero(self.left, 1).astype(float)
        widths = np.count_nonzero(self.right, 0).astype(float)
        atoms = max(self.left.shape[1], len(self.right))
        return atoms * float(heights @ heights + widths @ widths)


class Exchange(NamedTuple):
    """What is approximated, and by how many entries.

    Attributes
    ----------
    matrix, turned : ndarray
        The matrix A in double precision, and its adjoint.
    most : int
        Largest number of non-zeros of both factors together.
    deadline : Deadline
        When to end with the best so far.
    """

    matrix: np.ndarray
    turned: np.ndarray
    most: int
    deadline: Deadline

    def error(self, pair: Pair) -> float:
        """Return the Frobenius norm of what a product leaves."""
        return float(np.linalg.norm(self.matrix - pair.before @ pair.right))

    def improved(self, pair: Pair, price: float, turns: int) -> tuple[Pair, float]:
        """Move entries of both factors in turns; return the best pair, and its price.

        The best pair is the given one where no turn has less error.
        """
        best, least, lowered = pair, self.error(pair), 0
        for turn in range(1, turns + 1):
            pair = self.moved(pair, pair.left, pair.right, price, _MOVES)
            price *= (max(pair.entries, 1) / (_SURPLUS * self.most)) ** 2
            pair = self.cut(pair)
            error = self.error(pair)
            if error < least:
                best, least, lowered = pair, error, turn
            if turn - lowered >= _PATIENCE or self.deadline.over:
                break
        return best, price

    def cut(self, pair: Pair) -> Pair:
        """Return a pair with as many entries as are allowed, and with better values.

        The entries that are left out are those of least loss; the ones that are added
        promise most by their gradients.
        """
        kept = [np.ascontiguousarray(side != 0) for side in pair.sides]
        extra = int(kept[0].sum() + kept[1].sum()) - self.most
        if extra > 0:
            worths = [
                np.where(inside, loss, math.inf)
                for inside, loss in zip(kept, pair.losses(), strict=True)
            ]
            _switch(kept, worths, extra)
        elif extra < 0:
            gains = self._gains(pair)
            worths = [
                np.where(inside, math.inf, -gain)
                for inside, gain in zip(kept, gains, strict=True)
            ]
            _switch(kept, worths, -extra)
        return self.moved(pair, kept[0], kept[1], 1.0, 0)

    def moved(
        self, pair: Pair, left: np.ndarray, right: np.ndarray, price: float, moves: int
    ) -> Pair:
        """Return a pair after moves of the entries of R and then of L.

        They begin from the places of the entries of `left` and `right`.
        """
        pair = pair._replace(
            right=_moved(self.matrix, pair.before, right, price, moves)
        )
        turned = _moved(self.turned, pair.after, left.T, price, moves)
        return pair._replace(left=adjoint(turned))

    def _gains(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Return how much each entry would lower the squared error, alone."""
        before, after = pair.before, pair.after
        rest = self.matrix - before @ pair.right
        first, last = (np.where(one > 0, one, math.inf) for one in pair.sizes())
        return _squares(rest @ after) / first, _squares(adjoint(before) @ rest) / last

    def kicked(self, pair: Pair, rng: np.random.Generator) -> Pair:
        """Return a pair in which some entries, mostly small, gave way to others."""
        sides = []
        for side, loss in zip(pair.sides, pair.losses(), strict=True):
            places = np.flatnonzero(side)
            chances = loss.ravel()[places] * rng.exponential(size=places.size)
            gone = places[np.argsort(chances)[: round(_KICKED * places.size)]]
            rest = side.copy()
            rest.ravel()[gone] = 0
            sides.append(rest)
        return self.cut(pair._replace(left=sides[0], right=sides[1]))


def exchanged(
    problem: Problem,
    start: Start,
    budget: int,
    kicks: int,
    rng: np.random.Generator,
    deadline: Deadline,
) -> Start | None:
    """Return a product whose outer factors have better supports, None without one.

    Parameters
    ----------
    problem : Problem
        The target.
    start : Start
        The product, of at least two factors without blocks.
    budget : int
        Largest number of non-zeros of all factors together.
    kicks : int
        How often entries are removed at random.
    rng : numpy.random.Generator
        What chooses them.
    deadline : Deadline
        When to end with the best so far.

    Notes
    -----
    A turn costs 4 m r n multiplications, and about t² r for each move of a code with t
    entries.
    """
    most = budget - sum(one.nnz for one in start.factors[1:-1])
    if start.result is None or start.error <= _NEAR or most < 1:
        return None
    matrix = np.ascontiguousarray(problem.wide.array)
    task = Exchange(matrix, adjoint(matrix), most, deadline)
    with np.errstate(all="ignore"):  # atoms may nearly depend on one another
        best = _searched(task, _pair(problem, start.result.operator), kicks, rng)
    return None if best is None else _found(problem, start, best)


def _searched(
    task: Exchange, pair: Pair, kicks: int, rng: np.random.Generator
) -> Pair | None:
    """Return the best pair of a search, None where a turn would take too long."""
    pair = task.cut(pair)
    turns = min(_FIRST_TURNS, int(_FIRST_WORK / (pair.work + 1)))
    kicks = min(kicks, int(_KICKED_WORK / (_TURNS * pair.work + 1)))
    losses = np.concatenate([one[one > 0] for one in pair.losses()])
    if not (turns and losses.size):
        return None
    best, price = task.improved(pair, float(np.quantile(losses, _FIRST_PRICE)), turns)
    least = task.error(best)
    for _ in range(kicks):
        if task.deadline.over or not (least > 0 and price > 0):
            break
        pair, _ = task.improved(task.kicked(best, rng), price, _TURNS)
        error = task.error(pair)
        if error < least:
            best, least = pair, error
    return best


def _pair(problem: Problem, product: FactorProduct) -> Pair:
    """Return the outer factors of a product, in units of the wide target."""
    wide = problem.wide
    factors, total = unit_factors(product, wide.array.dtype)
    dense = [dense_product([factor.matrix()]) for factor in factors]
    mantissa, power = math.frexp(product.scale)
    first = shift(dense[0] * mantissa, total + power - wide.exponent)
    middle = dense_product(dense[1:-1]) if len(dense) > 2 else None
    return Pair(first, dense[-1], middle)


def _found(problem: Problem, start: Start, pair: Pair) -> Start | None:
    """Return a pair as a product of the target's dtype, None if it is no better.

    Factors between the two have the norms of orthogonal matrices, as in `_pair`.
    """
    assert start.result is not None, "what has no result is not exchanged"
    dtype, exponent = problem.dtype, problem.wide.exponent
    sides = [sp.csr_array(one.astype(dtype)) for one in pair.sides]
    between = []
    for factor in unit_factors(start.result.operator, dtype)[0][1:-1]:
        places = (factor.values, (factor.rows, factor.cols))
        between.append(sp.csr_array(places, shape=factor.shape))
    # 2**exponent alone may overflow.
    scale = math.ldexp(0.5, exponent)
    found = measured(problem, FactorProduct([sides[0] * 2, *between, sides[1]], scale))
    if found.relative_error >= start.error:
        return None
    found = replace(found, history=start.result.history)
    return Start.of(f"{start.method}, exchanged", found, keeps_shares=True)


def _moved(
    matrix: np.ndarray, atoms: np.ndarray, places: np.ndarray, price: float, moves: int
) -> np.ndarray:
    """Return codes of the columns of a matrix, of least squares after some moves.

    places: the codes to start from, of which only the places of their entries matter.
    """
    turned = adjoint(atoms)
    inner = np.ascontiguousarray((turned @ matrix).T)
    codes = np.array(places.T, matrix.dtype, order="C")
    exchange_atoms(turned @ atoms, inner, price, moves, codes)
    return np.ascontiguousarray(codes.T)


def _switch(kept: list[np.ndarray], worths: list[np.ndarray], count: int) -> None:
    """Turn `count` flags of two arrays, those with the least finite worths."""
    both = np.concatenate([worth.ravel() for worth in worths])
    places = np.argpartition(both, min(count, both.size - 1))[:count]
    places = places[np.isfinite(both[places])]
    border = kept[0].size
    for flags, own in zip(
        kept, (places[places < border], places[places >= border] - border), strict=True
    ):
        flags.ravel()[own] ^= True


def _squares(x: np.ndarray) -> np.ndarray:
    """Return the squared moduli of entries."""
    return x.real**2 + x.imag**2
