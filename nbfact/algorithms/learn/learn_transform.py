"""learn_transform: the best factorization under a budget, whatever finds it."""

import math
import numbers
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..._core.checks import RandomState
from ..._core.jobs import each
from ...operators import FactorProduct
from ..common.result import Factorization, History
from ..common.target import checked_target, shift, shift_exponent
from ..palm.explore import explore
from .starts import Start, butterflies, rounding, split_budget, starts


@dataclass(frozen=True)
class Effort:
    """What is spent: sweeps of a first look at each start, and of a long exploration.

    finalists: explored for long; rounds: of annealing again from the best two;
    draws: random starts of each kind; restarts: of identifying a butterfly.
    """

    look: int
    long: int
    finalists: int
    rounds: int
    draws: int
    restarts: int | None


EFFORTS = {
    "quick": Effort(60, 200, 1, 0, 0, 1),
    "normal": Effort(100, 1000, 4, 4, 1, 3),
    "thorough": Effort(200, 3000, 8, 12, 4, None),
}

# Leaks of a first look, of a long exploration and of a round after it: annealed, the
# longer the slower.
_LOOK, _LONG, _AGAIN = (0.95, 0.5), (0.99, 0.5), (0.98, 0.5)

# Entries of the target times inner dimension times sweeps, at most: long explorations
# of larger targets are shorter, 1000 sweeps up to n = 256.
_WORK, _LEAST = 2e10, 20

# The same, without sweeps, up to which a first look ends with least squares: these cost
# half a second a start at n = 128, and 35 seconds at 512.
_REFINED = 1 << 21

# Budgets between the largest that misses an error and the smallest that reaches it,
# as a ratio, where the search for the smallest ends.
_CLOSE = 1.05


@dataclass(frozen=True)
class Trial:
    """One factorization that was tried.

    Attributes
    ----------
    method : str
        Where it started from; ", explored" for the long exploration, ", annealed" for
        the rounds after it.
    n_factors : int
    error : float
        ‖A - Â‖_F / ‖A‖_F.
    nnz : int
        Non-zeros of the factors together, as counted.
    seconds : float
        Of this trial alone.
    failure : str
        Why there is no result; empty where there is one.
    """

    method: str
    n_factors: int
    error: float
    nnz: int
    seconds: float
    failure: str = ""


@dataclass(frozen=True)
class LearnedTransform(Factorization):
    """A ≈ scale * factors[0] @ ... @ factors[-1], the best of all trials.

    Attributes
    ----------
    operator, relative_error, history, target
        See `Factorization`.
    method : str
        That of the best trial.
    budget : int
        Non-zeros that were allowed.
    trials : tuple of Trial
        All that was tried, in order.
    """

    method: str = ""
    budget: int = 0
    trials: tuple[Trial, ...] = field(default=(), repr=False)


def learn_transform(
    target: Any,
    nnz: int | None = None,
    *,
    rcg: float | None = None,
    error: float | None = None,
    effort: str = "normal",
    n_jobs: int = 1,
    callback: Callable[[Trial], Any] | None = None,
    random_state: RandomState = None,
) -> LearnedTransform:
    """Learn a fast transform: the best product of sparse factors under a budget.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite. Made dense.
    nnz : int, optional
        Non-zeros of all factors together, at most.
    rcg : float, optional
        The same, as a relative complexity gain: m n / nnz.
    error : float, optional
        The relative error to reach with as few non-zeros as are found.
    effort : {"quick", "normal", "thorough"}
        Sweeps and starts: a few, some, or many. With `error`, ten times as many.
    n_jobs : int
        Processes over which trials are spread; more than 1 needs joblib.
    callback : callable, optional
        Called with each `Trial`; returning True ends the search with the best so far.
    random_state : None, int or numpy.random.Generator
        For random starts, and for the columns that identification begins with.

    Returns
    -------
    LearnedTransform
        Its `nnz`, as counted, never exceeds the budget. The number of factors is found
        too, 1 included: the largest entries of A. Without `nnz`, `rcg` or `error` the
        budget is 2 max(m, n) log2(min(m, n)), that of a fast transform, or half the
        entries of A if that is less. Scale 0 and error 0 for a zero target.

    Raises
    ------
    TypeError
        A target that is not numeric, a budget that is no number.
    ValueError
        More than one of `nnz`, `rcg` and `error`; nnz < 1, rcg <= 0, error outside
        [0, 1); another effort; NaN or infinity.
    ModuleNotFoundError
        ``n_jobs`` above 1 without joblib.

    Notes
    -----
    1. Where A is a butterfly under the budget, also with permutations that are not
       known (`butterfly_factorize`, `identify_butterfly`), that is the result.
    2. Else trials start from: the largest entries of A (one factor); identities, with
       and without A as the first or last factor; singular vectors; `hierarchical`;
       the fixed butterfly of the best known permutation; bipartition matching; random
       matrices; with 2, 3, 4 and log2(n) factors. Each is explored for a short while
       in the sets `Sp`, whose budgets are in proportion to the longer side of a factor.
    3. The best few, half of them at most with one number of factors, are explored for
       long, with a leak annealed from 0.99 to 0.5, and refined by exact least squares.
    4. The best two are annealed again, some times, from 0.98 to 0.5.

    Few factors approximate what has no structure, many what is a fast transform: at
    n = 64 and 879 non-zeros, a Gaussian matrix is left at 0.44 by two factors, at 0.63
    by six (`nbfact study patterns`). A sweep costs what one of `explore` does.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> rng = np.random.default_rng(0)
    >>> A = nf.targets.hadamard(16)[rng.permutation(16)][:, rng.permutation(16)]
    >>> r = nf.learn_transform(A, nnz=128)
    >>> r.method, r.operator.nnz, bool(r.relative_error < 1e-12)
    ('identified butterfly', 128, True)
    """
    matrix = checked_target(target, 1)
    given = {"nnz": nnz, "rcg": rcg, "error": error}
    given = {name: value for name, value in given.items() if value is not None}
    budget = _checked_budget(given, matrix.shape)
    if effort not in EFFORTS:
        raise ValueError(f"effort must be one of {tuple(EFFORTS)}, got {effort!r}")
    if shift_exponent(matrix) is None:
        zero = sp.csr_array(matrix.shape, dtype=matrix.dtype)
        product = FactorProduct([zero], 0.0)
        return LearnedTransform(
            product, 0.0, History(), "zero", budget, target=matrix
        )
    search = _BudgetSearch(matrix, EFFORTS[effort], n_jobs, callback, random_state)
    if error is not None:
        return _smallest(search, error)
    return search.best(budget)


def _checked_budget(given, shape):
    """Return the non-zeros that are allowed; all entries for an error."""
    if len(given) > 1:
        raise ValueError(f"give one of nnz, rcg and error, got {given}")
    m, n = shape
    if not given:
        fast = 2 * max(m, n) * math.log2(max(2, min(m, n)))
        return max(1, min(round(fast), m * n // 2))
    (name, value), *_ = given.items()
    kind = numbers.Integral if name == "nnz" else numbers.Real
    if isinstance(value, bool) or not isinstance(value, kind):
        expected = "an integer" if name == "nnz" else "a number"
        raise TypeError(f"{name} must be {expected}, got {value!r}")
    if name == "nnz":
        if value < 1:
            raise ValueError(f"nnz must be at least 1, got {value}")
        return int(value)
    if name == "rcg":
        if not 0 < value < math.inf:
            raise ValueError(f"rcg must be positive and finite, got {value}")
        return max(1, int(m * n / value))
    if not 0 <= value < 1:
        raise ValueError(f"error must be in [0, 1), got {value}")
    return m * n


class _BudgetSearch:
    """Trials on one target, all on record."""

    def __init__(self, matrix, effort, n_jobs, callback, random_state):
        self.matrix, self.effort = matrix, effort
        self.n_jobs, self.callback = n_jobs, callback
        self.rng = np.random.default_rng(random_state)
        self.trials, self.stopped = [], False
        self.most = max(_LEAST, int(_WORK / (matrix.size * min(matrix.shape))))
        self.fast = self._butterflies()  # they do not depend on the budget

    def best(self, budget: int) -> LearnedTransform:
        """Return the best factorization with so many non-zeros."""
        one = _kept(self.matrix, budget)
        self._record("largest entries", one, 0.0)
        found = [("largest entries", one)]
        found += [(start.method, start.result) for start in self.fast]
        exact = rounding(self.matrix.dtype)
        fitting = [pair for pair in found if pair[1].operator.nnz <= budget]
        if min(result.relative_error for _, result in fitting) > exact:
            fitting += self._explored(budget)
        method, result = min(
            fitting,
            key=lambda pair: (max(pair[1].relative_error, exact), pair[1].operator.nnz),
        )
        return LearnedTransform(
            result.operator, result.relative_error, result.history,
            method, budget, tuple(self.trials), target=self.matrix,
        )  # fmt: skip

    def _butterflies(self):
        """Return the butterflies that start trials, recorded."""
        found, began = [], time.perf_counter()
        for start in butterflies(self.matrix, self.effort.restarts, self.rng):
            self._record(start.method, start.result, time.perf_counter() - began)
            found.append(start)
            began = time.perf_counter()
            if self.stopped:
                break
        return found

    def _explored(self, budget):
        """Look at all starts, explore the best for long."""
        effort, most = self.effort, self.most
        fresh = list(starts(self.matrix, budget, effort.draws, most, self.rng))
        found = [
            (start.method, start.result)
            for start in fresh
            if start.result is not None and start.result.operator.nnz <= budget
        ]
        pool = [*fresh, *self.fast]
        looked = self._run(pool, budget, min(effort.look, most), _LOOK, "")
        chosen = _finalists(looked, effort.finalists)
        long = self._run(chosen, budget, min(effort.long, most), _LONG, ", explored")
        found += [(start.method, result) for start, result in looked]
        found += [(f"{start.method}, explored", result) for start, result in long]
        pool = sorted(found, key=lambda pair: pair[1].relative_error)[:2]
        pool = [Start(name, result.factors, result) for name, result in pool]
        for _ in range(effort.rounds):
            n_iter = min(effort.long // 2, most)
            again = self._run(pool, budget, n_iter, _AGAIN, ", annealed")
            pool = [_better(*pair) for pair in again]
        return found + [(f"{start.method}, annealed", start.result) for start in pool]

    def _run(self, pool, budget, n_iter, leak, suffix):
        """Explore from starts; return those that did not fail, with what was found."""
        found = []
        if self.stopped:
            return found
        calls = [(self.matrix, start, budget, n_iter, leak) for start in pool]
        outcomes = each(_explore, calls, self.n_jobs)
        for start, (result, seconds, failure) in zip(pool, outcomes, strict=False):
            if result is not None and result.operator.nnz <= budget:
                found.append((start, result))
            method = start.method + suffix
            self._record(method, result, seconds, failure, start.n_factors)
            if self.stopped:
                break
        return found

    def _record(self, method, result, seconds, failure="", n_factors=0):
        if result is None:
            trial = Trial(method, n_factors, math.inf, 0, seconds, failure)
        else:
            operator, error = result.operator, result.relative_error
            count = len(operator.factors)
            trial = Trial(method, count, error, operator.nnz, seconds)
        self.trials.append(trial)
        if self.callback is not None and self.callback(trial):
            self.stopped = True


def _explore(matrix, start, budget, n_iter, leak):
    """Explore from one start; return the result, seconds, and what went wrong."""
    began = time.perf_counter()
    shapes = [tuple(factor.shape) for factor in start.factors]
    refine_values = leak != _LOOK or matrix.size * min(matrix.shape) <= _REFINED
    options = {"leak": leak, "n_iter": n_iter, "safeguard": False}
    options["refine_values"] = refine_values
    result, failure = None, ""
    try:
        sets = split_budget(shapes, budget)
        init = start.factors if start.result is None else start.result
        result = explore(matrix, sets, init=init, **options)
    except (ValueError, np.linalg.LinAlgError) as error:
        failure = f"{type(error).__name__}: {error}"
    return result, time.perf_counter() - began, failure


def _better(start, result):
    """Return a start from what was found from one, if that is better."""
    if result.relative_error >= start.result.relative_error:
        return start
    return Start(start.method, result.factors, result)


def _finalists(looked, many):
    """Return the best starts, at most half of them with one number of factors."""
    chosen, counts = [], {}
    for start, _ in sorted(looked, key=lambda pair: pair[1].relative_error):
        count = counts.get(start.n_factors, 0)
        if len(chosen) < many and count < max(1, many // 2):
            chosen.append(start)
            counts[start.n_factors] = count + 1
    return chosen


def _kept(matrix, budget):
    """Return the largest entries as one factor: the best there is."""
    scaled = shift(matrix, -shift_exponent(matrix))
    size = np.abs(scaled).ravel()
    order = np.argsort(-size, kind="stable")
    rest = np.linalg.norm(size[order[budget:]]) / np.linalg.norm(size)
    rows, columns = np.unravel_index(order[:budget], matrix.shape)
    kept = sp.csr_array((matrix[rows, columns], (rows, columns)), shape=matrix.shape)
    kept.eliminate_zeros()
    return Factorization(
        FactorProduct([kept]), float(rest), History(), target=matrix
    )


def _smallest(search, error):
    """Return what reaches an error with fewest non-zeros, by bisection."""
    error = max(error, rounding(search.matrix.dtype))
    low, reached = 0, search.best(search.matrix.size)
    for start in search.fast:  # they reach it with what they have
        count = start.result.operator.nnz
        if start.result.relative_error <= error and count < reached.operator.nnz:
            reached = search.best(count)
    while not search.stopped:
        high = reached.operator.nnz
        budget = int(math.sqrt(max(low, 1) * high))
        if budget <= low or high <= _CLOSE * budget:
            break
        found = search.best(budget)
        if found.relative_error <= error:
            reached = found
        else:
            low = budget
    return replace(reached, trials=tuple(search.trials))
