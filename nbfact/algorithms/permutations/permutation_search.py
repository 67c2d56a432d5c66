"""The search for the permutations of a butterfly: starts, passes, and the best so far.

A start splits all levels of the matrix, or of its transpose, without regard to earlier
splits. A pass splits them near the best splits of its start, in the transpose and in
the matrix in turns, so that the level that was split last is split first.
"""

import itertools
import math
import time
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from ...kernels import frobenius_norm
from ...metrics import relative_error
from ...operators import Butterfly, FactorProduct
from ..butterfly.butterfly_factorize import ButterflyOptions, butterfly_problem
from ..butterfly.butterfly_result import ButterflyFactorization
from ..butterfly.split_problem import exact_error
from ..common.factors import Dense, Factor
from ..common.problem import Problem, problem_of, shift
from ..common.result import CallbackState, History
from ..palm.iterations import SweepRecord
from ..palm.refinement import RefineOptions, refine_problem
from .identify_options import IdentifyOptions
from .nests import Nest, Split, fresh_nest, nest_near
from .rank_levels import RankLevel
from .split_radices import SplitRadices

FirstSplits: TypeAlias = dict[RankLevel, Split]
"""First splits of one matrix, by their level."""

LOYALTIES = (0.0, 1.0, 3.0, 9.0)
"""What agreement with the best splits counts in a pass, in variances of the noise;
passes take the values in turn. 0 follows the data alone; with 9, only what is sure
changes."""

SHAKE = 0.5
"""Maximum norm of the noise that is added before the third and later starts, relative
to the norm of the residual."""

BETTER = 1e-9
"""Relative decrease of the error below which a pass did not help: it is rounding."""

AGREEING = 3
"""Number of starts that end with the least error, at which the search of a chain with a
rank above one ends."""

LARGE = 1 << 18
"""Number of entries above which no passes follow a start that noise explains, because a
pass takes seconds."""

LIKELY = 0.02
"""Relative difference, besides 1 / n, between an error and the one that noise explains,
up to which they count as equal: the error that noise leaves varies."""


@dataclass(frozen=True)
class FoundNest:
    """A nest of the target, or of its transpose if `transposed`, and its error."""

    nest: Nest
    transposed: bool
    error: float

    def of_target(self) -> Nest:
        """Return the nest of the target itself."""
        return self.nest.transposed() if self.transposed else self.nest


@dataclass(frozen=True)
class PermutedProduct:
    """The best factors of a search, in the units of the target.

    Attributes
    ----------
    operator : Butterfly or FactorProduct
        A Butterfly; for untied splits the product of the factors, with the permutations
        merged into them.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F.
    nest : Nest
        The splits of the target.
    """

    operator: Butterfly | FactorProduct
    relative_error: float
    nest: Nest


class PermutationSearch:
    """The search of one call of `identify_butterfly`, and the best nest found so far.

    Parameters
    ----------
    problem : Problem
        The target, (m, n).
    options : IdentifyOptions
    radices : SplitRadices
        The radices of a chain (m, n).
    known : (dict, dict), optional
        First splits of the target and of its transpose, which the searches of several
        chains share. With them, starts are given up whose later levels lose far more
        than the noise that the first one tells of, so that there may be no nest at the
        end; and there are two starts at most.

    Attributes
    ----------
    history : History
        The errors of all starts and passes.
    """

    def __init__(
        self,
        problem: Problem,
        options: IdentifyOptions,
        radices: SplitRadices,
        known: tuple[FirstSplits, FirstSplits] | None = None,
    ) -> None:
        self._radices = radices, radices.transposed
        self._chains = radices.chain, radices.transposed.chain
        self.history = History()
        self._problem, self._options = problem, options
        self._dtype, matrix = problem.dtype, problem.array
        self._exponent = problem.norm_exponent
        wide = matrix.astype(np.result_type(matrix, np.float64))
        scaled: np.ndarray = np.asarray(shift(wide, -self._exponent))
        self._views = scaled, np.ascontiguousarray(scaled.T)
        self._problems = [problem_of(view) for view in self._views]
        self._square = float(np.vdot(scaled, scaled).real)
        self._tied, self._known = options.tied, known or (None, None)
        self._best: FoundNest | None = None
        self._began = time.perf_counter()
        self._stopped = False
        # Relative norm of the noise, estimated from the first level that loses least.
        self._noise = math.inf

    @property
    def best(self) -> FoundNest:
        """The nest of the smallest error so far."""
        assert self._best is not None, "the search has not started"
        return self._best

    @property
    def is_given_up(self) -> bool:
        """Whether all starts were given up, so that there is no nest."""
        return self._best is None

    @property
    def is_exact(self) -> bool:
        """Whether the smallest error so far is rounding."""
        return self.best.error <= exact_error(self._dtype)

    @property
    def is_stopped(self) -> bool:
        """Whether the result is exact, or the callback has ended the search."""
        return self._stopped

    @property
    def radices(self) -> SplitRadices:
        """The radices of the chain."""
        return self._radices[0]

    def run(self, rng: np.random.Generator) -> None:
        """Start several times, from the target and its transpose in turns."""
        large, ends = self._problem.array.size > LARGE, list[float]()
        for number in range(self._options.n_starts(self._problem.shape)):
            transposed = bool(number % 2)
            view = self._views[transposed]
            if self._tied and number > 1:
                if self.is_given_up:
                    return
                view = self._shaken(view, rng)
            share = 1.0 if not self._tied and number % 4 > 1 else 0.5
            radices = self._radices[transposed]
            nest = fresh_nest(
                view, radices, self._tied, rng, share,
                self._known[transposed], self._options.over,
            )  # fmt: skip
            if nest is None:
                continue
            found = self._recorded(nest, transposed)
            again = self.radices.rank > 1 and bool(ends)
            again = again and found.error <= min(ends) * (1 + BETTER)
            if self._tied and not (again or (large and self.is_explained)):
                found = self._improve(found, self._options.n_iter, rng)
            ends.append(found.error)
            if self._stopped or self.is_explained or self._agree(ends):
                return

    def _shaken(self, view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a view with noise added, so that near ties are decided otherwise."""
        pairs = rng.standard_normal((*view.shape, 2))
        drawn = pairs.view(np.complex128)[..., 0]
        noise = np.ascontiguousarray(drawn if view.dtype.kind == "c" else drawn.real)
        norm = SHAKE * rng.random() * self.best.error * math.sqrt(self._square)
        return view + norm / frobenius_norm(noise) * noise

    def _improve(
        self, found: FoundNest, n_iter: int, rng: np.random.Generator
    ) -> FoundNest:
        """Make passes near the best nest of this start, until they no longer help."""
        stale = 0
        for _ in range(n_iter):
            if self._stopped or stale == 2 * len(LOYALTIES):
                break
            other = stale % 2 == 0
            nest = found.nest.transposed() if other else found.nest
            transposed = found.transposed ^ other
            worth = LOYALTIES[stale // 2] * found.error**2 * self._square
            view = self._views[transposed]
            worth = worth / view.size
            nest = nest_near(view, nest, worth, rng, self._options.over)
            passed = self._recorded(nest, transposed)
            better = passed.error < found.error * (1 - BETTER)
            found, stale = (passed, 0) if better else (found, stale + 1)
        return found

    def _agree(self, ends: list[float]) -> bool:
        """Return whether several starts of a rank above one ended with the least error.

        Such starts are long, and seldom end alike but at the best permutations.
        """
        if self.radices.rank == 1:
            return False
        least = min(ends)
        return sum(error <= least * (1 + BETTER) for error in ends) == AGREEING

    def _recorded(self, nest: Nest, transposed: bool) -> FoundNest:
        """Return a nest with its error; record it, and pass it on to the callback."""
        error = math.sqrt(nest.lost / (self._square or 1.0))
        if self._tied:
            error = self._factored(nest, transposed).relative_error
        found = FoundNest(nest, transposed, error)
        if self._best is None or error < self._best.error:
            self._best = found
        share = nest.radices.first_share
        if share > 0:
            left = nest.first_lost / (self._square or 1.0) / share
            self._noise = min(self._noise, math.sqrt(left))
        self.history.errors.append(error)
        self.history.scales.append(1.0)
        self.history.seconds.append(time.perf_counter() - self._began)
        self.history.support_changes.append(0)
        self._stopped = self.is_exact or self._options.over()
        callback = self._options.callback
        if callback is not None:
            done = len(self.history.errors)
            state = CallbackState(done, self.best.error, 1.0, self._best_factors)
            self._stopped |= bool(callback(state))
        return found

    @property
    def is_explained(self) -> bool:
        """Return whether the error of the best nest is the one that noise would leave.

        The error of a target that is no butterfly, or whose permutations are not found
        yet, is smaller or larger.
        """
        m, n = self._problem.shape
        if not self._tied or m * n < 64 or not self.radices.says_noise:
            return False
        expected = self._noise * math.sqrt(1 - self._radices[0].freedom / (m * n))
        likely = LIKELY + 1 / math.sqrt(m * n)
        return abs(self.best.error - expected) < likely * expected

    def _factored(
        self, nest: Nest, transposed: bool
    ) -> ButterflyFactorization[Butterfly]:
        """Return the factorization of the target, or its transpose, in a tied order."""
        permutation = nest.rows, nest.columns
        options = ButterflyOptions(permutation, transpose=False)
        problem = self._problems[transposed]
        return butterfly_problem(problem, self._chains[transposed], options)

    def _best_factors(self) -> list[Factor]:
        """Return the best factors so far, for a callback."""
        product = self._operator(self.best.of_target()).to_factors()
        return [Dense(factor.toarray()) for factor in product.factors]

    def _operator(self, nest: Nest) -> Butterfly | FactorProduct:
        """Return the butterfly if tied, else the factors, in units of the target."""
        if nest.factors is None:
            exact: np.ndarray = np.asarray(shift(self._views[0], self._exponent))
            options = ButterflyOptions((nest.rows, nest.columns), transpose=False)
            found = butterfly_problem(problem_of(exact), self._chains[0], options)
            return found.operator.astype(self._dtype)
        steps = _exponents(self._exponent, len(nest.factors))
        factors = [
            sp.csr_array(shift(factor, step), dtype=self._dtype)
            for factor, step in zip(nest.factors, steps, strict=True)
        ]
        return FactorProduct(factors)

    def result(self) -> PermutedProduct:
        """Return the best factors found, with refined values if that is asked for."""
        nest = self.best.of_target()
        operator = self._operator(nest)
        product = operator.to_factors()
        error = float(relative_error(self._problem.array, product))
        exact = error <= 10 * np.finfo(self._dtype).eps
        over = self._options.over
        if self._options.refine_values and not exact and not over():
            form = operator if isinstance(operator, Butterfly) else None
            refined = refine_problem(
                self._problem,
                product,
                RefineOptions(callback=lambda state: over()),
                SweepRecord(),
                form,
            )
            if refined.relative_error < error:
                operator, error = refined.operator, refined.relative_error
        return PermutedProduct(operator, error, nest)


def _exponents(exponent: int, n_factors: int) -> list[int]:
    """Return the power of two of each factor, shared so that no factor overflows."""
    ends = [exponent * j // n_factors for j in range(n_factors + 1)]
    return [stop - start for start, stop in itertools.pairwise(ends)]
