"""Options of palm4msa and hierarchical."""

import dataclasses
import threading

import numpy as np
import pytest
import scipy.sparse as sp
from palm_samples import ORDERS, SCALINGS, sets
from samples import DTYPES, random

import nbfact as nf
from nbfact.algorithms.palm.sweep_options import SweepOptions
from nbfact.kernels import project_skperm


@pytest.mark.parametrize("scaling", SCALINGS)
def test_each_scaling_ends_in_the_sets(scaling):
    target = random((8, 8), "float64")
    got = nf.palm4msa(
        target, [*sets(), nf.constraints.Identity((8, 8))], n_iter=20, scaling=scaling
    )
    norms = [sp.linalg.norm(factor) for factor in got.factors[:3]]
    assert norms == pytest.approx([1, 1, 1])
    assert [f.nnz for f in got.factors[:3]] == [24, 24, 24]
    assert got.history.scales[-1] == pytest.approx(got.scale)
    assert got.relative_error == pytest.approx(nf.relative_error(target, got.operator))


def test_balanced_without_free_factors_is_sweep():
    target = random((6, 6), "float64")
    own = [nf.constraints.NormCol((6, 6), 1.0), nf.constraints.NormLin((6, 6), 1.0)]
    balanced, sweep = (
        nf.palm4msa(target, own, n_iter=10, scaling=scaling)
        for scaling in SCALINGS[::2]
    )
    assert balanced.history.errors == sweep.history.errors


@pytest.mark.parametrize("order", ORDERS)
def test_fixed_factors_do_not_change(order):
    target = random((8, 8), "complex128")
    start = [random((8, 8), "complex128", seed) for seed in range(3)]
    got = nf.palm4msa(target, sets(), n_iter=15, init=start, order=order, fixed=[0, -1])
    np.testing.assert_array_equal(got.factors[0].toarray(), start[0])
    np.testing.assert_array_equal(got.factors[2].toarray(), start[2])
    assert got.factors[1].nnz == 24
    assert got.history.errors[-1] < got.history.errors[0]
    whole = nf.palm4msa(target, sets(), n_iter=5, init=start, fixed=[0, 1, 2])
    assert len(set(whole.history.errors)) == 1


def test_the_best_iterate_is_kept():
    """`SpLinCol.project` is no true projection, so that errors go up and down."""
    target = random((16, 16), "float64", 1)
    rough = [nf.constraints.SpLinCol((16, 16), 2)] * 3
    best, last = (
        nf.palm4msa(target, rough, n_iter=60, keep=keep) for keep in ("best", "last")
    )
    assert best.history.errors == last.history.errors
    assert best.relative_error == min(best.history.errors) < last.relative_error
    error = nf.relative_error(target, best.operator)
    assert error == pytest.approx(best.relative_error)


def test_random_starts():
    target = random((8, 8), "float64")
    runs = [
        nf.palm4msa(target, sets(), n_iter=10, init="random", random_state=seed)
        for seed in (0, 0, 1, np.random.default_rng(0))
    ]
    for same in (runs[1], runs[3]):
        assert same.history.errors == runs[0].history.errors
        for a, b in zip(same.factors, runs[0].factors, strict=True):
            np.testing.assert_array_equal(a.toarray(), b.toarray())
    assert runs[2].history.errors != runs[0].history.errors


@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_the_same_call_gives_the_same_bits(dtype):
    target = random((20, 30), dtype)
    preset = nf.presets.rectmat(3, 4, 3)
    first, second = (nf.hierarchical(target, preset, n_iter=(5, 5)) for _ in range(2))
    assert first.history.errors == second.history.errors
    for a, b in zip(first.factors, second.factors, strict=True):
        np.testing.assert_array_equal(a.toarray(), b.toarray())


def test_history():
    got = nf.palm4msa(random((8, 8), "float64"), sets(), n_iter=12)
    history = got.history
    columns = (history.errors, history.scales, history.seconds, history.support_changes)
    assert [len(column) for column in columns] == [12] * 4
    assert history.seconds == sorted(history.seconds) and history.seconds[0] > 0
    assert history.support_changes[0] > 0 and min(history.support_changes) >= 0
    exact = nf.palm4msa(
        np.diag(np.arange(1.0, 6)), [nf.constraints.Sp((5, 5), 5)] * 2, n_iter=200
    )
    assert exact.history.support_changes[-1] == 0
    assert len(exact.history.errors) < 200  # nothing but rounding is left


def test_state():
    seen = []
    got = nf.palm4msa(random((8, 8), "float64"), sets(), n_iter=3, callback=seen.append)
    assert seen[-1].nnz == got.operator.nnz
    for mine, theirs in zip(seen[-1].factors, got.factors, strict=True):
        np.testing.assert_allclose(mine, theirs.toarray(), rtol=1e-12)


@pytest.mark.compiled
def test_long_steps_descend_faster_here():
    target = nf.targets.leadfield(16, 64, random_state=0)
    preset = nf.presets.rectmat(3, 5, 4)
    long, short = (
        nf.hierarchical(target, preset, step=step).relative_error for step in (1.9, 1.0)
    )
    assert long < short
    assert nf.hierarchical(target, preset).relative_error == long


@pytest.mark.parametrize("name", ["hadamard_skperm", "hadamard_simple"])
def test_other_hadamard_presets(name):
    got = nf.hierarchical(nf.targets.hadamard(16), name)
    assert got.relative_error < 1e-12
    assert [factor.nnz for factor in got.factors] == [32] * 4


@pytest.mark.compiled
def test_rectmat_relatives():
    target = nf.targets.leadfield(16, 64, random_state=0)
    simple = nf.hierarchical(target, nf.presets.rectmat_simple(4, 5, 4))
    budget = int(np.ceil(1.4 * 16**2 * 0.8**2))
    counts = [factor.nnz for factor in simple.factors]
    assert counts[0] <= budget and counts[1:] == [64, 64, 320]
    learned = nf.hierarchical(target, nf.presets.dictionary(3, 4, rho=0.5))
    assert [factor.nnz for factor in learned.factors] == [128, 64, 256]
    # Two refinements of 50 sweeps, as in the paper.
    assert len(learned.history.errors) == 2 * 50
    fewer = nf.hierarchical(target, nf.presets.dictionary(3, 4, rho=0.5), n_iter=3)
    assert len(fewer.history.errors) == 2 * 3
    with pytest.raises(ValueError, match="dictionary needs"):
        nf.hierarchical(target.T, nf.presets.dictionary())


# ----------------------------------------------------------- targets given by products


def test_misuse_of_options():
    target = np.eye(8)
    for options, error in (
        ({"step": 2.0}, ValueError),
        ({"step": 0}, ValueError),
        ({"step": "long"}, TypeError),
        ({"step": np.nan}, ValueError),
        ({"keep": "first"}, ValueError),
        ({"fixed": [0]}, ValueError),
        ({"fixed": [3], "init": [target] * 3}, ValueError),
        ({"fixed": [0.5], "init": [target] * 3}, TypeError),
        ({"init": "best"}, ValueError),
        ({"tol": np.nan}, ValueError),
    ):
        with pytest.raises(error, match=next(iter(options))):
            nf.palm4msa(target, sets(), **options)
    for options in ({"scaling": "no"}, {"step": 3.0}, {"keep": "no"}, {"tol": -1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            nf.hierarchical(target, "hadamard", **options)


@pytest.mark.compiled
def test_kernels_release_the_gil():
    x = random((120, 120), "float64")
    project_skperm(x.copy(), 2, 2)  # compiled, or read from the cache
    work = threading.Thread(
        target=lambda: project_skperm(random((400, 400), "float64"), 9, 9)
    )
    work.start()
    steps = 0
    while work.is_alive():
        steps += 1
    assert steps > 1000


# ------------------------------------------------------------------- objects of options


def test_hierarchical_takes_one_number_of_sweeps_or_a_pair():
    target, lists = random((8, 8), "float64"), (sets()[:2], sets()[1:])
    one, pair, other = (
        nf.hierarchical(target, *lists, n_iter=n_iter, order=ORDERS[0])
        for n_iter in (6, (6, 6), (6, 3))
    )
    assert one.history.errors == pair.history.errors
    assert len(one.history.errors) == 12
    assert len(other.history.errors) == 6
    for bad, error in (((6,), ValueError), ((6, 0), ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="n_iter"):
            nf.hierarchical(target, *lists, n_iter=bad)


def test_sweep_options_check_themselves():
    options = SweepOptions(n_iter=3, step=1.9)
    assert dataclasses.replace(options, keep="best").step == 1.9
    with pytest.raises(ValueError, match="step"):
        dataclasses.replace(options, step=2.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.step = 1.0
    with pytest.raises(TypeError, match="positional"):
        SweepOptions(3)


def test_options_of_presets_and_results_are_keyword_only():
    def lists(shape):
        return [nf.constraints.Sp(shape, 32)], [nf.constraints.Sp(shape, 32)]

    preset = nf.presets.Preset("mine", lists, step=1.5, order="both")
    target = random((8, 8), "float64")
    got = nf.hierarchical(target, preset, n_iter=4)
    same = nf.hierarchical(
        target, *lists((8, 8)), n_iter=4, step=1.5, order="both", keep="best"
    )
    assert got.history.errors == same.history.errors
    with pytest.raises(TypeError, match="positional"):
        nf.presets.Preset("mine", lists, "left")
    with pytest.raises(TypeError, match="positional"):
        nf.Factorization(got.operator, 0.0, got.history, target)
    again = nf.Factorization(got.operator, 0.0, got.history, target=target)
    assert again.target is target


@pytest.mark.parametrize(
    ("shape", "order"),
    [((40, 8), "left-to-right"), ((8, 40), "right-to-left"), ((8, 8), "right-to-left")],
)
def test_default_order_begins_on_the_longer_side(shape, order):
    target, inner = random(shape, "float64"), min(shape)
    kinds = (shape[0], inner), (inner, shape[1])
    sparse = [nf.constraints.SpLin(kind, 3) for kind in kinds]
    for function in (nf.palm4msa, nf.explore):
        default = function(target, sparse, n_iter=5)
        named = function(target, sparse, n_iter=5, order=order)
        assert default.history.errors == named.history.errors
