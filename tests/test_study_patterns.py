"""The study of learned sparsity patterns: its matrices, its methods, its attempts."""

import dataclasses
import inspect

import numpy as np
import pytest

import nbfact as nf
from nbfact.studies.patterns import (
    ablations,
    approximation,
    approximation_tables,
    budgeted_methods,
    equal_compute,
    exploration,
    hard_thresholding,
    instances,
    monarch,
    patterns_page,
    rank_one_blocks,
    recovery,
)
from nbfact.studies.patterns import patterns_study as patterns
from nbfact.studies.patterns.instances import FIRST_SEED

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
        assert matrix.shape == (8, 8) and instance.noise == 0.1 and instance.seed == 3
        assert seed.random() == np.random.default_rng((3, 2)).random()
        raise ValueError("of a\nkind")

    one = instances.Instance("Gaussian", 8, 3, noise=0.1)
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
    if name == "trained weights":
        pytest.importorskip("sklearn")
    n = recovery.ORDER_OF.get(name, 16)
    first, clean = instances.Instance(name, n, 5, noise=1e-2).matrices()
    again, _ = instances.Instance(name, n, 5, noise=1e-2).matrices()
    np.testing.assert_array_equal(first, again)
    assert nf.relative_error(clean, first) == pytest.approx(1e-2)
    assert len(clean) == n
    other, _ = instances.Instance(name, n, 6).matrices()
    assert not np.array_equal(clean, other)


def test_every_target_of_patterns_is_used():
    tasks = [task.target for task in exploration.TASKS.values()]
    used = {*approximation.TARGETS, *recovery.TARGETS, *recovery.OF_RADICES, *tasks}
    assert used == set(instances.TARGETS)


def test_seeds_of_patterns_are_those_that_judge():
    jobs = patterns.jobs(patterns.FULL, True)
    seeds = {int(label.rsplit(", ", 1)[1]) for label, _ in jobs}
    assert min(seeds) == FIRST_SEED and max(seeds) < FIRST_SEED + 50
    parts = {label.split(", ")[0] for label, _ in jobs}
    assert parts == {
        recovery.PART,
        exploration.PART,
        approximation.PART,
        "ablation",
        "pyfaust",
    }
    assert FIRST_SEED == 5000 and approximation.Sizes().seeds >= 20
    labels = [label for label, _ in jobs]
    assert len(set(labels)) == len(labels)


def test_a_method_and_a_target_of_one_seed_draw_from_different_streams():
    drawn = [approximation.stream(5000, name).random() for name in ("a", "b")]
    assert drawn[0] != drawn[1]
    assert np.random.default_rng(5000).random() not in drawn


@pytest.mark.compiled
def test_explorations_start_where_palm_does():
    task = dataclasses.replace(exploration.TASKS["Hadamard 8 x 2"], n_iter=150)
    one = instances.Instance(task.target, exploration.N, 1)
    rows = []
    for method, solve in exploration.methods(task, (0.0, 0.95)).items():
        rows += instances.attempt("exploration", method, solve, one, task="t")
    errors = {row["method"]: row["error"] for row in rows}
    assert errors["leak 0.0"] <= errors["palm4msa"] * (1 + 1e-12)
    assert errors["leak 0.95"] < 1e-3 < errors["palm4msa"]
    last = list(exploration.tables(rows).values())[-1]
    assert [line["method"] for line in last] == ["SEA's rule", "leak 0.0", "leak 0.95"]
    assert last[-1] == {"method": "leak 0.95", "runs": 1, "larger error": 0}
    rows[-1]["error"] = 2.0
    assert exploration.worse(rows, "leak 0.95") == 1
    assert exploration.worse(rows, "leak 0.0") == 0


@pytest.mark.parametrize("n", [32, 64, 128])
def test_budgets_of_the_baselines(n):
    budget = budgeted_methods.monarch_budget(n)
    for count in (2, 3, 4, 6):
        assert sum(one.k for one in budgeted_methods.even(n, count, budget)) == budget
        factors, residuals = budgeted_methods.levels(n, budget, count, 0.5)
        assert len(factors) == len(residuals) == count - 1
        assert sum(one.k for one in [*factors, residuals[-1]]) == budget
    assert monarch.radices(n, budget) and not monarch.radices(n, budget - 1)


def ended(seconds=0.0):
    return equal_compute.Clock(seconds)


@pytest.mark.parametrize("name", budgeted_methods.RESTARTED)
def test_the_runs_of_every_method_keep_the_budget(name):
    run, rng = budgeted_methods.RESTARTED[name], np.random.default_rng(3)
    target = nf.targets.randn(16, random_state=7)
    nnz = budgeted_methods.monarch_budget(16)
    for number in (0, 7):  # with the usual settings, and from a random start
        found = run(target, nnz, number, rng, ended())
        assert found.nnz <= nnz and np.isfinite(found.matrix).all()
        # From a random start one sweep may end above the error of zero.
        assert number or np.linalg.norm(target - found.matrix) < np.linalg.norm(target)


def test_methods_that_do_not_fit_the_budget_find_nothing():
    target = nf.targets.randn(16, random_state=7)
    for run in (monarch.random_monarch, monarch.steam, budgeted_methods._godec):
        assert run(target, 20, 0, np.random.default_rng(0), ended()) is None


def test_restarts_end_with_the_compute_and_keep_the_best():
    spent = []

    def run(target, nnz, number, rng, clock):
        spent.append(clock.spent)
        while clock.spent < 0.004 * (number + 1):
            pass
        if number == 1:
            raise ValueError("a product overflows")
        nnz = 5 if number == 2 else 4
        return equal_compute.Approximation(target * rng.random(), nnz)

    found = equal_compute.restarted(run, np.eye(2), 4, 0.03, np.random.default_rng(1))
    assert found.runs == len(spent) and found.best.nnz == 4
    assert max(spent) < 0.98 * 0.03 <= found.seconds
    drawn = np.random.default_rng(1).random(found.runs - 1)
    kept = np.delete(drawn, 1)  # the third run has too many non-zeros
    assert found.error == pytest.approx(1 - kept.max())
    assert found.course == sorted(found.course, reverse=True)


def test_the_monarch_projection_has_the_best_block_of_rank_one_everywhere():
    target = np.random.default_rng(2).standard_normal((12, 12))
    for p in (2, 3, 4, 6):
        found = monarch.monarch_projection(target, p)
        chain = nf.Chain.monarch(12, p, p)
        best = nf.butterfly_factorize(target, chain)
        np.testing.assert_allclose(found, best.operator.toarray(), atol=1e-12)
        np.testing.assert_allclose(monarch.monarch_projection(found, p), found)


def test_steam_keeps_its_best_iterate():
    rng = np.random.default_rng(0)
    target = monarch.monarch_projection(rng.standard_normal((16, 16)), 4)
    nnz = budgeted_methods.monarch_budget(16)
    found = monarch.steam(target, nnz, 0, rng, ended(np.inf))
    np.testing.assert_allclose(found.matrix, target, atol=1e-12)
    target = nf.targets.permuted(target, random_state=1)
    first = monarch.random_monarch(target, nnz, 0, rng, ended())
    found = monarch.steam(target, nnz, 0, rng, ended(np.inf))
    errors = [np.linalg.norm(target - one.matrix) for one in (found, first)]
    assert errors[0] < 0.98 * errors[1]


def test_pursuit_leaves_the_supports_of_palm():
    target = nf.targets.pair_rotations(8, 2, random_state=2)
    sets = [nf.constraints.SkPerm((8, 8), 2)] * 2
    start = {"init": "random", "random_state": 4}
    found = hard_thresholding.pursued(target, sets, 200, **start)
    palm = nf.palm4msa(target, sets, n_iter=50, keep="best", **start)
    assert found.relative_error < palm.relative_error
    assert all(factor.nnz <= 16 for factor in found.factors)


@pytest.mark.compiled
@pytest.mark.slow
def test_ablations_change_what_they_say():
    target = nf.targets.pair_rotations(8, 3, random_state=3)
    made = {
        name: ablations.ablated(target, 40, changes, np.random.default_rng(1))
        for name, changes in {"whole": {}, **ablations.ablations(8)}.items()
    }
    for count in (2, 3):
        counts = {
            trial.n_factors
            for trial in made[f"{count} factors"].trials
            if not trial.method.startswith("largest entries")
        }
        assert counts == {count}
    assert all(found.operator.nnz <= 40 for found in made.values())
    usual = nf.learn_transform(
        target, 40, families=["sparse products"], random_state=np.random.default_rng(1)
    )
    assert made["whole"].relative_error == usual.relative_error
    assert made["whole"].relative_error < made["leak 0"].relative_error


def row(method, seed, error, **more):
    kind = approximation.PART
    base = {"part": kind, "target": "t", "n": 4, "method": method, "seed": seed}
    base |= {"error": error, "seconds": 1.0, "trials": 1, "failure": None}
    base["share"] = more.get("seconds", 1.0)
    course = dict.fromkeys(approximation.COURSE, error)
    return base | course | {"structure": "s, relative error 1"} | more


def test_tables_count_what_we_lose_and_what_was_spent():
    rows = [
        *(row(approximation.OURS, seed, 0.2) for seed in (1, 2)),
        row("palm4msa", 1, 0.1, seconds=1.05, trials=9),
        row("palm4msa", 2, 0.2 * (1 + 1e-12), seconds=1.2, trials=7),
        row("largest entries", 1, 0.3, seconds=1e-3),
    ]
    (compute,) = approximation_tables.tables(rows).values()
    assert compute[1]["within a tenth"] == "1/2" and compute[1]["runs"] == "8 (7..9)"
    (line,) = patterns_page.against_targets(rows)
    assert (line["by"], line["best other"]) == ("palm4msa", pytest.approx(0.15))
    assert line["structure"] == "s" and line["instances"] == 2
    palm, largest = patterns_page.against_methods(rows)
    assert (palm["smaller"], palm["equal"], palm["larger"]) == (1, 1, 0)
    assert palm["error over ours, geometric mean"] == pytest.approx(0.5**0.5)
    assert (largest["instances"], largest["larger"]) == (1, 1)
    (line,) = patterns_page.failures_of_ours(rows)
    assert line["where"] == "t, n = 4, seed 1"
    assert line["what"] == "error 0.2, that of palm4msa is 0.1"
    ablated = row(approximation.WHOLE, 2, 0.19) | {"part": approximation.ABLATION}
    line = patterns_page.failures_of_ours([*rows, ablated])[-1]
    assert line["what"] == "error 0.2, its explorations alone end with 0.19"
    said = patterns_page.opening(rows)
    assert (
        "smaller error than `learn_transform` on 1 of 2 instances (1 target, n = 4"
        in said
    )
    assert "0.71 times as large in the geometric mean" in said
    assert "from 0.50 times (t: palm4msa) to 1.00 times (t: palm4msa)." in said
    rows = [row(approximation.OURS, 1, 1e-16), row("palm4msa", 1, 1e-17)]
    assert patterns_page.failures_of_ours(rows) == []
    assert "on 1 of 1 instances" in patterns_page.opening(rows)


def test_the_page_counts_what_was_measured_and_recovered():
    def found(noise, seed, error, method=recovery.OURS):
        one = instances.Instance("Hadamard, permuted", 32, seed, noise)
        made = instances.judged(recovery.PART, method, one)
        success = int(error <= max(1e-3, 2 * noise))
        return made | {"error": error, "success": success}

    rows = [found(0.0, 1, 1e-12), found(0.1, 1, 0.15), found(0.1, 2, 0.9)]
    rows.append(found(0.1, 1, 1.0, "palm4msa SkPerm"))
    (ours,), (other,) = patterns_page.recovered(rows).values()
    assert ours["noise 0"].startswith("1/1") and ours["noise 0.1"].startswith("1/2")
    assert ours["closer"].startswith("1/3") and other["noise 0.1"].startswith("0/1")
    (failed,) = patterns_page.failures_of_ours(rows)
    assert failed["what"] == "1 of 2 not found (n = 32 seed 2)"
    assert "of 2 of 3 permuted butterflies" in patterns_page.opening(rows)
    (line,) = patterns_page.measured(rows, ["recovery, a", "recovery, b"])
    assert (line["measured"], line["seeds"]) == (4, "1 to 2")
    assert line["instances of the full study"] == 2
    assert line["made by"] == instances.made_by() and nf.__version__ in line["made by"]


def test_the_page_says_what_leaks_do():
    def explored(method, error):
        base = {"part": exploration.PART, "task": "t", "seed": 1, "method": method}
        return base | {"error": error, "success": int(error < 1e-3)}

    rows = [explored("palm4msa", 0.5), explored(patterns_page.DEFAULT_LEAK, 0.6)]
    assert "from the same start on 1 of 1 runs" in patterns_page.opening(rows)
    assert patterns_page.failures_of_ours(rows)[0]["what"].startswith("0 of 1 found")
    part = {"part": approximation.ABLATION}
    rows = [
        row(approximation.WHOLE, 1, 0.1) | part,
        row("leak 0", 1, 0.3) | part,
    ]
    assert "end with 3.00 (3.00 to 3.00) times" in patterns_page.opening(rows)
    assert patterns_page.opening([]) == ""


def test_the_default_leak_of_the_page_is_that_of_explore():
    leak = inspect.signature(nf.explore).parameters["leak"].default
    assert patterns_page.DEFAULT_LEAK == f"leak {leak[0]} to {leak[1]}"
