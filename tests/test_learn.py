"""learn_transform: budgets are kept, the best start wins, all trials are recorded."""

import dataclasses
import functools
from time import perf_counter, time
from types import SimpleNamespace

import numpy as np
import pytest
from samples import REALS_FIRST

import nbfact as nf
from nbfact.algorithms.common.problem import problem_of
from nbfact.algorithms.learn import budget_search, stages
from nbfact.algorithms.learn.finalists import as_good, hopeless, promising, shallow
from nbfact.algorithms.learn.stages import Race
from nbfact.algorithms.learn.starts import Start, split_budget, starts


def shuffled(n, seed):
    rng = np.random.default_rng(seed)
    return nf.targets.hadamard(n)[rng.permutation(n)][:, rng.permutation(n)]


def gaussian(m, n, dtype=np.float64):
    x = np.random.default_rng(0).standard_normal((2, m, n))
    return (x[0] + 1j * x[1] if np.dtype(dtype).kind == "c" else x[0]).astype(dtype)


def learn(target, *args, **options):
    return nf.learn_transform(target, *args, effort="quick", random_state=0, **options)


def assert_honest(found, target, budget):
    """Check that the error, the shape and the non-zeros of a result are as it says."""
    assert found.operator.shape == target.shape
    assert found.operator.dtype == target.dtype
    assert found.operator.nnz == sum(f.nnz for f in found.factors) <= budget
    size = np.abs(target).max()
    error = nf.relative_error(target / size, found.operator.toarray() / size)
    assert np.isclose(error, found.relative_error, rtol=1e-3, atol=1e-6)
    fitting = [t.error for t in found.trials if t.nnz <= budget and not t.failure]
    assert found.relative_error <= min(fitting) + 1e-12


@pytest.mark.compiled
@pytest.mark.parametrize("shape", [(8, 8), (5, 9), (9, 5)])
def test_any_shape_within_the_budget(shape):
    target = gaussian(*shape)
    budget = target.size // 2
    found = learn(target, budget)
    assert_honest(found, target, budget)
    assert 0 < found.relative_error < 0.5
    assert len({trial.n_factors for trial in found.trials}) > 2


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_dtypes(dtype):
    target = gaussian(8, 8, dtype)
    assert_honest(learn(target, 32), target, 32)


def test_fast_transforms_are_found_exactly():
    for target, method in (
        (nf.targets.hadamard(8), "named transform"),
        (shuffled(8, 1), "named transform"),
        (nf.targets.dft(8), "named transform"),
    ):
        found = learn(target, nnz=48)
        assert found.structure.startswith(("hadamard", "dft"))
        assert found.relative_error < 1e-12
        assert (found.method, found.operator.nnz) == (method, 48)


@pytest.mark.compiled
def test_it_beats_hierarchical_at_equal_complexity():
    target = nf.targets.dct(16)
    sets = [nf.constraints.Sp((16, 16), 32)] * 4
    residuals = [nf.constraints.Sp((16, 16), k) for k in (128, 64, 32)]
    other = nf.hierarchical(target, sets[:-1], residuals, n_iter=(100, 100))
    found = nf.learn_transform(target, nnz=128, random_state=0)
    assert found.relative_error < 0.8 * other.relative_error


@pytest.mark.slow
@pytest.mark.compiled
def test_an_error_is_reached_with_fewer_values_than_all():
    target = np.diag(np.arange(1.0, 11)) + 1e-3 * gaussian(10, 10)
    found = learn(target, error=0.05)
    assert found.relative_error <= 0.05
    assert found.operator.nnz <= 12
    exact = learn(target, error=0)
    assert exact.relative_error < 1e-12
    fast = learn(nf.targets.hadamard(8), error=0.0)
    assert fast.operator.nnz == 48


@pytest.mark.compiled
def test_budgets():
    target = nf.targets.hadamard(8)
    assert learn(target, rcg=64 / 48).budget == 48
    assert learn(target).budget == 32  # half of the entries
    assert learn(target, nnz=64).relative_error < 1e-12
    assert learn(np.ones((1, 5)), nnz=2).operator.nnz == 2
    assert [s.k for s in split_budget([(4, 4), (4, 4), (4, 16)], 24)] == [4, 4, 16]
    assert [s.k for s in split_budget([(2, 2), (2, 2), (2, 99)], 4)] == [1, 1, 2]
    assert [s.k for s in split_budget([(2, 2), (2, 2)], 1)] == [1, 1]


def test_an_exploration_far_behind_is_given_up_at_half_of_the_sweeps():
    race = Race([0.9, *[0.5] * 59], 100)  # ended early: its last error stands
    far, near = [0.9, *[0.66] * 99], [0.9, *[0.64] * 99]
    assert [n for n in range(1, 101) if race(far[:n])] == [50, 60, 70, 80, 90, 100]
    assert not any(race(near[:n]) for n in range(1, 101))
    # With more factors, which settle earlier, less is too far, and earlier.
    deeper, little = Race([0.5] * 60, 100, deeper=True), [0.9, *[0.53] * 99]
    assert [n for n in range(1, 61) if deeper(little[:n])] == [40, 50, 60]
    assert not any(deeper([0.52] * n) for n in range(1, 101))


def found_with(error, count=2):
    """Return a start with an error and a number of factors."""
    result = nf.palm4msa(np.eye(2), [nf.constraints.Sp((2, 2), 2)] * count, n_iter=1)
    return Start.of("", dataclasses.replace(result, relative_error=error))


def test_which_results_are_followed():
    looks = [(found_with(1.0), found_with(error)) for error in (0.5, 0.51, 0.9)]
    for error, followed in ((0.45, 1), (0.1, 2)):  # near those of noise; far below
        assert as_good(looks, found_with(error)) == [s for s, _ in looks[1:]][:followed]
    three = [(found_with(1.0, 3), found_with(0.5001, 3))]
    assert shallow(looks + three, 3) and not shallow(three, 3)
    one, other = found_with(0.2), found_with(0.3)
    assert hopeless([one, other], [1.0, 0.9], 2) == [other]
    assert hopeless([one, other], [1.0, 0.5], 3) == []  # the best one never is


DEGENERATE = {
    "zero": np.zeros((4, 4)),
    "one entry": np.eye(4)[:1, :1],
    "zero columns": np.eye(8)[:, [0, 1, 2, 3]] @ np.tri(4, 8),
    "rank one": np.outer(np.arange(6.0), np.ones(6)),
    "huge": 1e200 * np.tri(6),
    "tiny": 1e-200 * np.tri(6),
    "badly scaled": np.diag(np.logspace(-12, 12, 6)) + np.tri(6),
}


@pytest.mark.compiled
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_targets(name):
    target = DEGENERATE[name]
    found = learn(target, nnz=12)
    assert all(np.isfinite(factor.data).all() for factor in found.factors)
    assert np.isfinite(found.relative_error)
    assert not [trial.failure for trial in found.trials if trial.failure]
    if target.any():
        assert_honest(found, target, 12)
    else:
        assert found.relative_error == found.scale == found.operator.nnz == 0


def test_the_callback_sees_trials_and_ends_the_search():
    seen = []
    found = learn(
        np.tri(6), 12, callback=lambda state: seen.append(state) or len(seen) == 2
    )
    assert [state.iteration for state in seen] == [1, 2] and len(found.trials) == 2
    for state, trial in zip(seen, found.trials, strict=True):
        assert (state.phase, state.failure) == (trial.method, trial.failure)
        assert (state.error, state.nnz) == (trial.error, trial.nnz)
        assert state.n_factors == trial.n_factors == len(state.factors)
        product = state.scale * functools.reduce(np.matmul, state.factors)
        assert np.isclose(nf.relative_error(np.tri(6), product), state.error)
    assert_honest(found, np.tri(6), 12)


def test_a_time_limit_or_ctrl_c_keeps_the_best_so_far():
    target = gaussian(6, 6)
    found = nf.learn_transform(target, 20, time_limit=1e-9)
    assert found.stopped == "time limit" and len(found.trials) == 1
    assert_honest(found, target, 20)

    def press(state):
        if state.iteration == 2:
            raise KeyboardInterrupt

    found = learn(target, 20, callback=press)
    assert found.stopped == "interrupted" and len(found.trials) == 2
    assert_honest(found, target, 20)


def noisy(matrix, noise):
    return nf.targets.noisy(
        nf.targets.permuted(matrix, random_state=0), noise, random_state=1
    )


TIMED = {
    "named transforms": (nf.targets.permuted(nf.targets.dct(8), random_state=0), 8),
    "sparse codes": (gaussian(6, 30), 32),
    "chains": (gaussian(12, 18), 150),
    "sparse + low rank": (gaussian(8, 8), 50),
    "permuted chains": (noisy(np.kron(gaussian(3, 3), gaussian(4, 4)), 0.03), 15),
    "sums of products": (gaussian(8, 8), 10),
    "products in blocks": (gaussian(16, 16), 300),
    "sparse products": (gaussian(6, 6), 600),
}
"""A target for each family whose candidates take long, and the least number of looks at
the time when there is plenty of it."""


@pytest.mark.compiled
@pytest.mark.parametrize("family", TIMED)
def test_every_family_looks_at_the_time_between_candidates(family, monkeypatch):
    target, many = TIMED[family]
    looks = []

    def searched(limit):
        looks.clear()  # each look at the clock takes one second
        clock = SimpleNamespace(
            time=lambda: looks.append(0) or float(len(looks)),
            perf_counter=perf_counter,
        )
        for module in (stages, budget_search):
            monkeypatch.setattr(module, "time", clock)
        options = {"families": [family], "time_limit": limit}
        return learn(target, int(0.6 * target.size), **options), len(looks)

    assert not searched(1e9)[0].stopped and len(looks) >= many
    found, seen = searched(4)
    # The candidate of that moment, the family and the search see once each that time
    # is over.
    assert found.stopped == "time limit" and seen <= 11
    assert_honest(found, target, int(0.6 * target.size))


def test_a_result_draws_its_supports():
    pytest.importorskip("matplotlib")
    found = learn(np.diag(np.arange(1.0, 5)), 4)
    figure = found.plot()
    drawn = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(drawn, ~np.eye(4, dtype=bool))
    assert nf.transforms.hadamard(8).plot(figure) is figure
    assert len(figure.axes) == 1 + 3


@pytest.mark.compiled
def test_seeds_and_processes_give_the_same():
    target = gaussian(6, 6)
    one, other = learn(target, 14), learn(target, 14, n_jobs=2)
    assert one.relative_error == other.relative_error
    assert [t.method for t in one.trials] == [t.method for t in other.trials]


@pytest.mark.parametrize("size", [1.0, 1.5e38, 1e-38])
def test_singular_vectors_start_from_the_target_at_every_scale(size):
    target = (np.eye(3) + 1 - 1j).astype("c8") * np.float32(size)
    found = starts(problem_of(target), 6, 2, 0, 1, np.random.default_rng(0))
    left, right = next(s.factors for s in found if s.method == "singular vectors")
    assert left.dtype == right.dtype == target.dtype
    assert nf.relative_error(target, left.astype("c16") @ right) < 1e-6


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"nnz": 4, "rcg": 2}, ValueError, "give one of nnz, rcg, error and speedup"),
        ({"nnz": 4, "speedup": 2}, ValueError, "give one of nnz, rcg, error and"),
        ({"speedup": 0}, ValueError, "speedup=0: expected a finite number, above 0"),
        ({"speedup": 2, "batch": 0}, ValueError, "batch=0: expected at least 1"),
        ({"nnz": 0}, ValueError, "nnz=0: expected at least 1"),
        ({"nnz": 2.5}, TypeError, "nnz=2.5: expected an integer"),
        ({"rcg": -1}, ValueError, "rcg=-1: expected a finite number, above 0"),
        ({"rcg": "2"}, TypeError, "rcg='2': expected a real number"),
        (
            {"error": 1},
            ValueError,
            "error=1: expected a finite number, at least 0 and below",
        ),
        ({"error": float("nan")}, ValueError, "error=nan: expected a finite"),
        ({"effort": "huge"}, ValueError, "effort='huge': expected one of"),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        nf.learn_transform(np.eye(4), **options)


def test_structures_worse_than_single_entries_are_not_explored():
    entries, good, bad = (
        Start(name, [], SimpleNamespace(relative_error=error, operator=one), None, name)
        for name, error, one in (
            ("", 0.5, SimpleNamespace(nnz=9)),
            ("good", 0.4, SimpleNamespace(nnz=8)),
            ("bad", 0.6, SimpleNamespace(nnz=7)),
        )
    )
    assert promising([entries, good, bad], [good, bad], False) == [good]
    assert promising([entries, good, bad], [bad], True) == [good, bad]
    assert promising([], [bad], False) == [bad]


def test_a_part_of_the_time_that_is_left():
    now = time()
    part = stages.Deadline(now + 100).part(0.25)
    assert now + 20 < part.end < now + 30 and not part.over
    assert stages.Deadline(now - 1).part(0.5).over
    assert stages.Deadline(np.inf).part(0.5).callback is None
