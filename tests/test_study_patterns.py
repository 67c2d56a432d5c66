"""The study of learned sparsity patterns: its matrices, its methods, its attempts."""

import dataclasses

import numpy as np
import pytest

import nbfact as nf
from nbfact.studies.patterns import (
    approximation,
    budgeted_methods,
    exploration,
    instances,
    rank_one_blocks,
    recovery,
    support_exploration,
)
from nbfact.studies.patterns import patterns_study as patterns
from nbfact.studies.tools.choices import FIRST_SEED

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("kind", ["orthogonal", "gaussian", "unitary"])
def test_rank_one_blocks_find_a_permuted_butterfly(kind):
    target = nf.targets.permuted_butterfly(8, kind, random_state=1)
    found = rank_one_blocks.rank_one_blocks(target, random_state=0)
    assert nf.relative_error(target, found.operator) < 1e-12
    assert found.operator.nnz == 2 * 8 * 3


def test_rank_one_blocks_that_do_not_nest_are_given_up(monkeypatch):
    pairs, halves = np.arange(8) // 2, np.arange(8) // 4
    parts = iter([(pairs, halves), (np.arange(8) % 2, pairs)])
    monkeypatch.setattr(rank_one_blocks, "_level", lambda *a: next(parts))
    assert rank_one_blocks.rank_one_blocks(np.eye(8)) is None


def test_an_attempt_that_raises_is_a_row():
    def solve(matrix, instance, seed):
        assert matrix.shape == (8, 8) and instance.noise == 0.1 and seed == 3
        raise ValueError("of a\nkind")

    one = instances.Instance("Hartley", 8, 3, noise=0.1)
    (row,) = instances.attempt("part", "ours", solve, one)
    assert row["failure"] == "ValueError: of a kind"
    assert row["error"] is row["success"] is None
    assert patterns.tables([row])["Failures"][0]["failures"] == 1
    (row,) = instances.attempt("part", "none", lambda *a: None, one)
    assert (row["error"], row["success"], row["failure"]) == (1.0, 0, None)
    (row,) = instances.attempt("part", "same", lambda x, *a: x, one)
    assert row["error"] == pytest.approx(0.1) and (row["success"], row["exact"]) == (
        1,
        0,
    )


@pytest.mark.parametrize("name", instances.TARGETS)
def test_the_targets_of_patterns(name):
    if name == "digits centroids":
        pytest.importorskip("sklearn")
    first, clean = instances.Instance(name, 16, 5, noise=1e-2).matrices()
    again, _ = instances.Instance(name, 16, 5, noise=1e-2).matrices()
    np.testing.assert_array_equal(first, again)
    assert nf.relative_error(clean, first) == pytest.approx(1e-2)
    other, _ = instances.Instance(name, 16, 6).matrices()
    assert np.array_equal(clean, other) == (name in instances.FIXED)


def test_seeds_of_patterns_are_those_that_judge():
    jobs = patterns.jobs(patterns.FULL, True)
    seeds = {int(label.rsplit(", ", 1)[1]) for label, _ in jobs}
    assert min(seeds) == FIRST_SEED and max(seeds) < FIRST_SEED + 50
    parts = {label.split(", ")[0] for label, _ in jobs}
    assert parts == {recovery.PART, exploration.PART, "approximation", "budgets"}


@pytest.mark.compiled
def test_explorations_start_where_palm_does():
    task = dataclasses.replace(exploration.TASKS["Hadamard 8 x 2"], n_iter=150)
    one = instances.Instance(task.target, exploration.N, 1)
    rows = []
    for method, solve in exploration.methods(task, (0.0, 0.95)).items():
        rows += instances.attempt("exploration", method, solve, one, task="t")
    errors = {row["method"]: row["error"] for row in rows}
    assert errors["leak 0.0"] <= errors["palm4msa"] * (1 + 1e-12)
    assert errors["explore 0.95"] <= errors["leak 0.95"] < 1e-3 < errors["palm4msa"]
    assert exploration.worse(rows) == 0
    (line,) = [
        line
        for line in list(exploration.tables(rows).values())[-1]
        if line["leak"] == "0.95"
    ]
    assert line == {"leak": "0.95", "runs": 1, "exploration alone": 0, "explore": 0}
    rows[-1]["error"] = 2.0
    assert exploration.worse(rows) == 1
    assert exploration.worse(rows, "leak ") == 0


def test_support_exploration_has_least_squares_values_on_its_supports():
    rng = np.random.default_rng(3)
    target, left, right = (rng.standard_normal((8, 8)) for _ in range(3))
    support = rng.random((8, 8)) < 0.3
    found = support_exploration._fitted(target, left, right, 0 * target, support)
    assert not found[~support].any()
    gradient = left.T @ (left @ found @ right - target) @ right.T
    assert abs(gradient[support]).max() < 1e-6
    sets = [nf.constraints.SkPerm((8, 8), k) for k in (4, 2)]
    target = nf.targets.pair_rotations(8, 2, random_state=2)
    one = support_exploration.support_exploration(target, sets, 20, random_state=5)
    assert [factor.nnz <= 8 * k for factor, k in zip(one.factors, (4, 2), strict=True)]
    assert one.relative_error < nf.palm4msa(target, sets, n_iter=1).relative_error


def test_budgets_of_the_baselines():
    for budget in approximation.BUDGETS.values():
        factors, residuals = budgeted_methods.sets("sp", 64, budget)
        assert sum(one.k for one in [*factors, residuals[-1]]) == budget
    kept = approximation.within(
        [{"error": 1, "nnz": 3, "budget": 2}, {"error": 1, "nnz": 2, "budget": 2}]
    )
    assert [row["nnz"] for row in kept] == [2]


def test_the_refined_fixed_butterfly_is_that_of_the_matrix():
    target = nf.targets.dft(8).real.copy()
    found = budgeted_methods.fixed_butterfly(target, None, 0)
    best = nf.butterfly_factorize(target, permutation="search")
    assert found.relative_error <= best.relative_error + 1e-12
