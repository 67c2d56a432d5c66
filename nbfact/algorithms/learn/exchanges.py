"""Better supports of products of two factors, by moves of single entries.

Explorations judge all entries at a time, by gradients. Where they end, single entries
can still be exchanged for better ones: with one factor held, the columns of the other
one are sparse codes, of which `exchange_atoms` judges the moves by the errors that they
lead to. Both factors pay the same price for an entry, so that entries go to the factor
where they are worth more. Then some entries are removed at random, the small ones
rather than the large ones, and the moves begin again from there (an iterated local
search).
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...kernels import exchange_atoms
from ...operators import FactorProduct
from ..coding.sparse_dictionary import Normal, fitted_at
from ..common.problem import Problem, shift
from ..palm.iterations import SweepRecord
from ..palm.refinement import RefineOptions, refine_problem
from ..palm.value_sweeps import unit_factors
from .stages import Deadline
from .starts import Start

_KICKED = 0.2
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

_FIRST_WORK, _KICKED_WORK = 3e10, 2e9
"""Largest estimates of the multiplications of all first turns, for moves that judge all
atoms once, and of those after the removals: there are fewer where a turn takes more."""

_FIRST_PRICE = 0.02
"""Share of the entries whose loss is below the price in the first turn."""

_SURPLUS = 1.01
"""Number of entries that both factors shall have after their moves, over the number
that they may have."""


class Pair(NamedTuple):
    """A product of two dense arrays with zeros: left (m, r) and right (r, n)."""

    left: np.ndarray
    right: np.ndarray

    @property
    def entries(self) -> int:
        """Number of non-zeros of both."""
        return int(np.count_nonzero(self.left) + np.count_nonzero(self.right))

    def sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the squared norms of the columns on the left and rows on the right."""
        return _squares(self.left).sum(0), _squares(self.right).sum(1)

    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return about how much the squared error grows without each entry."""
        columns, rows = self.sizes()
        return _squares(self.left) * rows, _squares(self.right) * columns[:, None]

    @property
    def work(self) -> float:
        """About how many multiplications it takes to judge a move of each code once."""
        heights, widths = (
            np.count_nonzero(side, axis).astype(float)
            for side, axis in zip(self, (1, 0), strict=True)
        )
        return len(self.right) * float(heights @ heights + widths @ widths)

    def balanced(self) -> "Pair":
        """Return the same product, its columns and rows with equal norms."""
        columns, rows = self.sizes()
        both = (columns > 0) & (rows > 0)
        scales = (np.where(both, rows, 1) / np.where(both, columns, 1)) ** 0.25
        return Pair(self.left * scales, self.right / scales[:, None])


class Exchange(NamedTuple):
    """What is approximated, and by how many entries.

    Attributes
    ----------
    matrix, adjoint : ndarray
        The matrix A in double precision, and its adjoint.
    most : int
        Largest number of non-zeros of both factors together.
    deadline : Deadline
        When to end with the best so far.
    """

    matrix: np.ndarray
    adjoint: np.ndarray
    most: int
    deadline: Deadline

    def error(self, pair: Pair) -> float:
        """Return the Frobenius norm of what a product leaves."""
        return float(np.linalg.norm(self.matrix - pair.left @ pair.right))

    def improved(self, pair: Pair, price: float, turns: int) -> tuple[Pair, float]:
        """Move entries of both factors in turns; return the best pair, and its price.

        The best pair is the given one where no turn has less error.
        """
        best, least, lowered = pair, self.error(pair), 0
        for turn in range(1, turns + 1):
            pair = pair.balanced()
            right = _moved(self.matrix, pair.left, pair.right, price)
            left = _moved(self.adjoint, _turned(right), _turned(pair.left), price)
            pair = Pair(_turned(left), right)
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
        kept = [np.ascontiguousarray(side != 0) for side in pair]
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
        right = _solved(self.matrix, pair.left, pair.right, kept[1])
        left = _solved(self.adjoint, _turned(right), _turned(pair.left), kept[0].T)
        return Pair(_turned(left), right)

    def _gains(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Return how much each entry would lower the squared error, alone."""
        rest = self.matrix - pair.left @ pair.right
        columns, rows = (np.where(one > 0, one, math.inf) for one in pair.sizes())
        return (
            _squares(rest @ pair.right.conj().T) / rows,
            _squares(pair.left.conj().T @ rest) / columns[:, None],
        )

    def kicked(self, pair: Pair, rng: np.random.Generator) -> Pair:
        """Return a pair in which some entries, mostly small, gave way to others."""
        sides = []
        for side, loss in zip(pair, pair.losses(), strict=True):
            places = np.flatnonzero(side)
            chances = loss.ravel()[places] * rng.exponential(size=places.size)
            gone = places[np.argsort(chances)[: round(_KICKED * places.size)]]
            rest = side.copy()
            rest.ravel()[gone] = 0
            sides.append(rest)
        return self.cut(Pair(*sides))


def exchanged(
    problem: Problem,
    start: Start,
    budget: int,
    kicks: int,
    rng: np.random.Generator,
    deadline: Deadline,
) -> Start | None:
    """Return a product of two factors with better supports, None where none is found.

    Parameters
    ----------
    problem : Problem
        The target.
    start : Start
        The product, of two factors without blocks.
    budget : int
        Largest number of non-zeros of both factors together.
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
    if start.result is None or start.error <= _NEAR:
        return None
    wide = problem.wide
    adjoint = _turned(wide.array)
    task = Exchange(np.ascontiguousarray(wide.array), adjoint, budget, deadline)
    pair = task.cut(_pair(problem, start.result.operator).balanced())
    turns = min(_FIRST_TURNS, int(_FIRST_WORK / (pair.work + 1)))
    kicks = min(kicks, int(_KICKED_WORK / (_TURNS * pair.work + 1)))
    losses = np.concatenate(
        [one[side != 0] for one, side in zip(pair.losses(), pair, strict=True)]
    )
    best, price = task.improved(pair, float(np.quantile(losses, _FIRST_PRICE)), turns)
    least = task.error(best)
    for _ in range(kicks):
        if deadline.over or not least > 0 or not price > 0:
            break
        pair, _ = task.improved(task.kicked(best, rng), price, _TURNS)
        error = task.error(pair)
        if error < least:
            best, least = pair, error
    return _found(problem, start, best)


def _pair(problem: Problem, product: FactorProduct) -> Pair:
    """Return the two factors of a product as arrays, in units of the wide target."""
    wide, sides = problem.wide, []
    factors, total = unit_factors(product, wide.array.dtype)
    for factor in factors:
        side = np.zeros(factor.shape, factor.values.dtype)
        side[factor.rows, factor.cols] = factor.values
        sides.append(side)
    mantissa, power = math.frexp(product.scale)
    return Pair(shift(sides[0] * mantissa, total + power - wide.exponent), sides[1])


def _found(problem: Problem, start: Start, pair: Pair) -> Start | None:
    """Return a pair as a product of the target's dtype, None if it is no better."""
    sides = [sp.csr_array(one.astype(problem.dtype)) for one in pair]
    exponent = problem.wide.exponent
    product = FactorProduct([sides[0] * 2, sides[1]], math.ldexp(0.5, exponent))
    found = refine_problem(problem, product, RefineOptions(), SweepRecord())
    if start.result is None or found.relative_error >= start.error:
        return None
    found = replace(found, history=start.result.history)
    return Start.of(f"{start.method}, exchanged", found, keeps_shares=True)


def _moved(
    matrix: np.ndarray, atoms: np.ndarray, codes: np.ndarray, price: float
) -> np.ndarray:
    """Return better codes of the columns of a matrix, after moves of their entries."""
    turned = _turned(atoms)
    inner = np.ascontiguousarray((turned @ matrix).T)
    lines = np.array(codes.T, order="C")
    exchange_atoms(turned @ atoms, inner, price, _MOVES, lines)
    return np.ascontiguousarray(lines.T)


def _solved(
    matrix: np.ndarray, atoms: np.ndarray, codes: np.ndarray, kept: np.ndarray
) -> np.ndarray:
    """Return the codes of least squares with entries where they are kept."""
    turned = _turned(atoms)
    normal = Normal(turned @ atoms, None, turned @ matrix)
    return fitted_at(normal, codes, *np.nonzero(kept))


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


def _turned(x: np.ndarray) -> np.ndarray:
    """Return the adjoint, C-contiguous."""
    return np.ascontiguousarray(x.conj().T)


def _squares(x: np.ndarray) -> np.ndarray:
    """Return the squared moduli of entries."""
    return x.real**2 + x.imag**2
