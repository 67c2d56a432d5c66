"""Exchanges of single entries in the supports of the outer factors of a product."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from samples import REALS_FIRST

import nbfact as nf
from nbfact.algorithms.common.problem import problem_of
from nbfact.algorithms.common.result import Factorization, History
from nbfact.algorithms.learn.exchanges import Exchange, Pair, exchanged
from nbfact.algorithms.learn.finalists import exchangeable
from nbfact.algorithms.learn.stages import Deadline
from nbfact.algorithms.learn.starts import Start

ENDLESS = Deadline(math.inf)


def planted(shape, seed=0, dtype=np.float64):
    """Return two factors with about a third of their entries."""
    rng = np.random.default_rng(seed)
    m, n = shape
    sides = []
    for size in ((m, m), (m, n)):
        x = rng.standard_normal(size) * (rng.random(size) < 0.3)
        if np.dtype(dtype).kind == "c":
            x = x * np.exp(2j * np.pi * rng.random(size))
        sides.append((x + (0 if size == shape else np.eye(m))).astype(dtype))
    return sides


def started(target, factors):
    product = nf.FactorProduct([sp.csr_array(one) for one in factors])
    error = float(nf.relative_error(target, product.toarray()))
    found = Factorization(product, error, History(), target=target)
    return Start.of("start", found)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_exchanges_of_wrong_entries_leave_a_fifth_of_the_error(dtype):
    right = planted((8, 12), dtype=dtype)
    target = right[0] @ right[1]
    budget = sum(np.count_nonzero(one) for one in right)
    wrong = [one.copy() for one in right]
    for one in wrong:  # the least entries of both are at other places
        places = np.flatnonzero(one)
        least = places[np.argsort(abs(one.ravel()[places]))[:2]]
        one.ravel()[least] = 0
        one.ravel()[np.flatnonzero(one == 0)[-2:]] = 0.1
    start = started(target, wrong)
    rng = np.random.default_rng(1)
    found = exchanged(problem_of(target), start, budget, 3, rng, ENDLESS)
    assert found.nnz <= budget and found.method == "start, exchanged"
    assert found.error < start.error / 5
    assert found.result.operator.dtype == np.dtype(dtype)


@pytest.mark.parametrize("exponent", [-1000, 1000])
def test_any_size_of_the_entries(exponent):
    target = np.ldexp(np.random.default_rng(2).standard_normal((6, 9)), exponent)
    first = [np.eye(6), target * (abs(target) > np.ldexp(1.0, exponent))]
    start = started(target, first)
    rng = np.random.default_rng(3)
    found = exchanged(problem_of(target), start, start.nnz, 3, rng, ENDLESS)
    assert found.nnz <= start.nnz and found.error < 0.98 * start.error


@pytest.mark.parametrize("most", [1, 20, 70, 1000])
def test_a_cut_keeps_as_many_entries_as_are_allowed(most):
    left, right = planted((6, 9), seed=4)
    matrix = np.random.default_rng(4).standard_normal((6, 9))
    task = Exchange(matrix, np.ascontiguousarray(matrix.T), most, ENDLESS)
    found = task.cut(Pair(left, right))
    assert found.entries <= min(most, 6 * 6 + 6 * 9)
    if most == 70:
        assert found.entries > np.count_nonzero(left) + np.count_nonzero(right)
        assert task.error(found) < task.error(Pair(left, right))


def test_nothing_is_exchanged_where_nothing_is_left_or_the_time_is_over():
    right = planted((6, 6), seed=5)
    target = right[0] @ right[1]
    start = started(target, right)
    rng = np.random.default_rng(0)
    problem = problem_of(target)
    assert exchanged(problem, start, start.nnz, 3, rng, ENDLESS) is None
    worse = started(target, [right[0], right[1] * (right[1] > 0)])
    over = exchanged(problem, worse, worse.nnz, 10**9, rng, Deadline(0.0))
    assert over is None or over.error < worse.error


def test_factors_between_the_two_stay_as_they_are():
    rng = np.random.default_rng(7)
    target = np.ldexp(rng.standard_normal((6, 6)), 90).astype(np.float32)
    middle = np.triu(np.tril(rng.standard_normal((6, 6)), 1), -1).astype(np.float32)
    kept = target * (abs(target) > np.ldexp(0.5, 90))
    start = started(target, [np.eye(6, dtype=np.float32), middle, kept])
    budget = start.nnz + 3
    found = exchanged(problem_of(target), start, budget, 3, rng, ENDLESS)
    assert found.n_factors == 3 and found.nnz <= budget
    assert found.error < 0.7 * start.error
    ratio = found.factors[1].toarray()[middle != 0] / middle[middle != 0]
    assert np.ptp(ratio) == 0 and found.factors[1].nnz == np.count_nonzero(middle)


def test_only_what_is_near_the_best_one_is_exchanged():
    target = np.random.default_rng(6).standard_normal((6, 6))
    two = started(target, [np.eye(6), target * (target > 0)])
    one = started(target, [target * (target > 1)])
    best = started(target, [target * (abs(target) > 0.01)])
    assert exchangeable([one, two], every=False) == [two]
    assert exchangeable([one], every=False) == []
    assert exchangeable([two, best], every=False) == []
    assert exchangeable([two, best], every=True) == [two]
