"""The registry of cases, the clock of the harness, and what it says of a machine."""

import json
import math
import platform
import subprocess
import sys

import numpy as np
import pytest
from samples import LATER

from nbfact.cases import registry as cases
from nbfact.cases import timed_operators as operators
from nbfact.cases import yardsticks
from nbfact.cases.assignment import assignment_cases
from nbfact.cases.clustering import clustering_cases
from nbfact.cases.hadamard_transform import fwht_cases
from nbfact.cases.nbfact_project import NBFACT
from nbfact.cases.products import MATVEC, MERGED, matrix_cases, product_cases
from nbfact.cases.projections import projection_cases
from nbfact.cases.rivals import peers
from nbfact.cases.sparse_factors import sparse_factor_cases
from nbfact.harness import calibration, machine, sample
from nbfact.harness.case import select
from nbfact.operators import FactorProduct

SMALL = [
    *product_cases("hadamard", (16,), ("float32", "float64"), (1, 3)),
    *product_cases("butterfly", (16,), ("float32", "float64"), (1, 3)),
    *product_cases("dft", (16,), ("complex64", "complex128"), (1, 3)),
    *product_cases("dct", (16,), ("float32", "float64"), (1, 3)),
    *product_cases("planted", (16,), ("float32", "float64"), (1, 3)),
    *sparse_factor_cases((32,), ((2, 3),), ("float32", "complex64"), (1, 4)),
    *fwht_cases((16,), ("float32", "float64"), (1, 3)),
    *projection_cases((8,), ("float64",)),
    *assignment_cases([(16, 16, 40), (8, 20, 40)], ("float64",)),
]
OURS = cases.without_peers(SMALL)
EACH_OF_OURS = [
    pytest.param(
        case,
        id=case.name,
        marks=LATER if case.params["dtype"] in ("float32", "complex64") else (),
    )
    for case in OURS
]
CALIBRATION = {
    "bandwidth": [[1000, 1e9], [10**6, 1e8]],
    "gemm": {"float32": 2e9, "float64": 1e9},
}


def result_and_reference(case):
    inputs = case.make(np.random.default_rng(0))
    return case.prepare(inputs)(), case.reference(inputs)


@pytest.mark.compiled
@pytest.mark.slow  # in single precision
def test_clusterings_are_judged_by_their_objective():
    pytest.importorskip("sklearn")
    for case in clustering_cases([(8, 16, 80)]):
        got, want = result_and_reference(case)
        assert 0 <= case.error(got, want) <= case.bound
        assert case.error(got + 100, want) == np.inf  # far from all points
        assert case.error(got * np.nan, want) == np.inf


@pytest.mark.parametrize("case", EACH_OF_OURS)
def test_every_implementation_is_within_its_bound(case):
    got, want = result_and_reference(case)
    assert case.error(got, want) <= case.bound


@pytest.mark.parametrize("case", EACH_OF_OURS)
def test_a_call_gives_the_same_result_again(case):
    inputs = case.make(np.random.default_rng(0))
    call = case.prepare(inputs)
    first = call().copy()
    np.testing.assert_array_equal(call(), first)


@pytest.mark.parametrize("n", [16, 32])
@pytest.mark.parametrize("kind", ["hadamard", "butterfly", "dft"])
def test_merged_pairs_have_the_entries_that_their_case_says(kind, n):
    dtype = "complex128" if kind == "dft" else "float64"
    found = product_cases(kind, (n,), (dtype,), (1,))
    case = next(case for case in found if case.impl == MERGED)
    factors = case.make(np.random.default_rng(0)).operator.factors
    assert sum(f.nnz for f in yardsticks.merged_pairs(factors)) == case.nnz


def test_scipys_operator_stands_in_for_its_loop(monkeypatch):
    monkeypatch.setattr(yardsticks, "csr_matvec", None)
    for case in OURS:
        if case.impl == MATVEC:
            got, want = result_and_reference(case)
            assert case.error(got, want) <= case.bound


def test_the_dense_product_takes_the_layout_that_was_faster(monkeypatch):
    A, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    for fast in ("C", "F"):

        def product(A, x, fast=fast):
            slow = not A.flags[f"{fast}_CONTIGUOUS"]
            return lambda: sum(range(20000 if slow else 10))

        monkeypatch.setattr(yardsticks, "dense_product", product)
        found = yardsticks.fastest_layout(A, x)
        assert found.flags[f"{fast}_CONTIGUOUS"]
        np.testing.assert_array_equal(found, A)


@pytest.mark.parametrize("kind", ["hadamard", "butterfly", "dft", "dct", "planted"])
def test_dense_matrix_factors_and_reference_are_one_operator(kind):
    dtype = "complex128" if kind == "dft" else "float64"
    operator = operators.build(kind, 16, dtype)
    eye = np.eye(16, dtype=dtype)
    exact = operator.exact(eye)
    np.testing.assert_allclose(operator.dense, exact, rtol=0, atol=1e-14 * 16)
    if operator.factors:
        product = operator.factors[0].toarray()
        for factor in operator.factors[1:]:
            product = product @ factor.toarray()
        np.testing.assert_allclose(product, exact, rtol=0, atol=1e-14 * 16)


@pytest.mark.parametrize("case", EACH_OF_OURS)
def test_one_wrong_coefficient_exceeds_every_bound(case):
    got, want = result_and_reference(case)
    if math.isfinite(case.bound):
        got = got.copy()
        if got.dtype.kind == "i":  # labels
            got[0] = np.argmax(want[0])
        else:
            got.flat[np.argmax(np.abs(got))] *= 1 + 1e-3
        assert case.error(got, want) > case.bound


def test_error_refuses_another_shape_or_dtype_and_counts_nan_as_infinite():
    case = next(case for case in SMALL if case.params["dtype"] == "float64")
    got, want = result_and_reference(case)
    with pytest.raises(ValueError, match=r"shape \(15,\); expected \(16,\)"):
        case.error(got[1:], want)
    with pytest.raises(ValueError, match="dtype float32; expected float64"):
        case.error(got.astype("float32"), want)
    assert case.error(np.full_like(got, np.nan), want) == math.inf
    zero = np.zeros_like(got)
    assert case.error(zero, zero) == 0.0
    assert case.error(got, zero) == math.inf


@pytest.mark.parametrize("profile", cases.PROFILES)
def test_names_are_unique_and_every_task_has_its_yardstick(profile):
    registry = cases.registry(profile)
    assert len({case.name for case in registry}) == len(registry)
    for task in cases.tasks(registry).values():
        assert sum(case.impl == case.yardstick for case in task) == 1
        assert len({case.yardstick for case in task}) == 1


def test_peers_come_only_when_asked_for_and_yardsticks_fall_to_the_next(monkeypatch):
    monkeypatch.setattr(peers, "installed", lambda name: True)
    with_peers = cases.tasks(cases.registry("quick", peers=True))
    without = cases.tasks(cases.registry("quick"))
    assert list(with_peers) == list(without)
    for name, task in without.items():
        left = [c.impl for c in with_peers[name] if not peers.is_peer(c.impl)]
        assert [case.impl for case in task] == left
    yardsticks = {task[0].group: task[0].yardstick for task in with_peers.values()}
    fallen = {task[0].group: task[0].yardstick for task in without.values()}
    changed = {
        group: (yardsticks[group], fallen[group])
        for group in fallen
        if yardsticks[group] != fallen[group]
    }
    assert changed == {
        **{g: ("pyfaust 2020", "numpy") for g in fallen if g.startswith("palm4msa")},
        "butterfly factorize": ("pyfaust bbtree", "nbfact"),
    }
    for group in ("hadamard", "butterfly", "fwht", "project_sp"):
        assert any(
            peers.is_peer(case.impl)
            for task in with_peers.values()
            for case in task
            if case.group == group
        )


def test_pr_is_small():
    """It has a case for each public verb, set and kernel, and hardly more."""
    assert sum(c.impl.startswith("nbfact") for c in cases.registry("pr")) <= 60


@pytest.mark.skipif(not peers.installed("pyfaust"), reason="pyfaust is not installed")
def test_projections_of_pyfaust_are_ours():
    for case in projection_cases((8,), ("float64",)):
        # At n = 8 its skperm is not optimal: it keeps 44.79 of an energy of 44.90.
        if case.impl == "pyfaust" and "skperm" not in case.group:
            got, want = result_and_reference(case)
            assert case.error(got, want) == 0


def test_quick_holds_what_the_readme_promises():
    tasks = cases.tasks(cases.registry("quick"))
    for kind in ("hadamard", "butterfly"):
        for n in (256, 1024):
            for batch in (1, 64):
                assert f"{kind} n={n} batch={batch} float32" in tasks


def test_select_takes_substrings_and_globs():
    registry = cases.registry("quick")
    assert select(registry, None) == registry
    found = cases.tasks(select(registry, "butterfly N=256"))
    assert list(found) == [
        "butterfly n=256 batch=1 float32",
        "butterfly n=256 batch=64 float32",
    ]
    assert select(registry, "*n=256 batch=1 *") != []
    assert select(registry, "no such case") == []


def test_rounds_are_interleaved_rotated_and_reversed(monkeypatch):
    seen = []
    monkeypatch.setattr(sample, "calls_per_sample", lambda call: 1)
    calls = {name: lambda name=name: seen.append(name) for name in "ABC"}
    monkeypatch.setattr(sample, "FILLED", 0.0)
    times = sample.interleave(calls, budget=0.0, min_rounds=4)
    assert "".join(seen) == "ABC" + "CBA" + "BCA" + "ACB"
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys(
        "ABC", 4
    )


def test_a_sample_of_short_calls_follows_one_that_is_not_timed(monkeypatch):
    seen = []
    calls = {name: lambda name=name: seen.append(name) for name in "ab"}
    for warm, expected in (((), "abbb"), (("b",), "abbbb"), ("ab", "aabbbb")):
        seen.clear()
        found = sample.one_round(calls, {"a": 1, "b": 3}, 0, warm=warm)
        assert "".join(seen) == expected and list(found) == ["a", "b"]
    seen.clear()
    monkeypatch.setattr(sample, "calls_per_sample", lambda call: 1)
    sample.interleave(calls, budget=0.0, min_rounds=2)  # the first one finds the times
    assert "".join(seen) == "ab" + "bbaa"


def test_short_calls_are_repeated_within_a_sample_and_long_ones_are_not():
    assert sample.calls_per_sample(lambda: None) > 1
    assert sample.calls_per_sample(lambda: sum(range(1_000_000))) == 1


def test_interleave_warms_up_and_leaves_the_collector_as_it_was():
    import gc

    def broken():
        if calls.append(1) or len(calls) > 6:
            raise RuntimeError("late")

    calls = []
    with pytest.raises(RuntimeError, match="late"):
        sample.interleave({"a": broken}, budget=1.0)
    assert gc.isenabled()
    with pytest.raises(ValueError, match="calls: empty"):
        sample.interleave({}, budget=1.0)


def test_statistics():
    times = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    assert sample.summary(times) == {
        "min": 1.0,
        "q1": 2.0,
        "median": 3.0,
        "q3": 4.0,
        "rounds": 5,
    }
    # What disturbs a round disturbs both calls, so that the ratio does not show it.
    assert sample.paired_ratio(times, 2 * times) == 0.5


def test_roof_is_the_larger_of_moving_and_computing():
    roof = calibration.roof_time
    assert roof(CALIBRATION, 1000, 0, "float32") == 1e-6
    assert roof(CALIBRATION, 10**6, 0, "float32") == 1e-2
    assert roof(CALIBRATION, 1000, 10**6, "float32") == 5e-4
    assert roof(CALIBRATION, 1000, 10**6, "complex128") == 1e-3


def test_fingerprint_is_json_and_survives_a_machine_without_tools(monkeypatch):
    full = machine.fingerprint(NBFACT)
    assert {"name", "cpu", "cores", "versions", "blas", "os"} <= full.keys()
    assert full["versions"]["numpy"] == np.__version__
    json.dumps(full, allow_nan=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(machine, "_read", lambda path: None)
    bare = machine.fingerprint(NBFACT)
    assert "commit" not in bare and bare["cpu"]


def test_the_name_of_a_machine_is_that_of_its_hardware(monkeypatch):
    name = machine.fingerprint(NBFACT)["name"]
    monkeypatch.setattr(machine, "_cores", lambda: 1)  # fewer given to this process
    monkeypatch.setattr(platform, "platform", lambda: "another kernel")
    assert machine.fingerprint(NBFACT)["name"] == name
    monkeypatch.setattr(machine, "_memory", lambda: 1 << 50)
    assert machine.fingerprint(NBFACT)["name"] != name
    monkeypatch.setenv("NBFACT_MACHINE", "CI runner (blue)")
    assert machine.fingerprint(NBFACT)["name"] == "ci-runner-blue"


def test_a_busy_machine_is_reported(monkeypatch):
    halves = [1.0, 1.3]
    monkeypatch.setattr(
        calibration, "_best", lambda calls, seconds: dict.fromkeys(calls, halves.pop())
    )
    found = calibration.calibrate()
    assert found["unstable"] and found["spread"] == pytest.approx(0.3)
    assert found["gemm"]["float32"] == 2 * 768**3


def test_commit_of_a_repository_that_does_not_track_us_is_not_ours(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "__init__.py").touch()
    assert machine._commit(tmp_path) == {}


def test_the_cases_of_a_matrix_show_the_error_and_have_no_bound():
    factors = [np.diag([1.0, 2.0]), np.array([[1.0, 1.0], [0.0, 1.0]])]
    learned = FactorProduct(factors, scale=3.0)
    target = learned.toarray() * 1.01
    found = matrix_cases("mine", target, learned)
    chain = next(case for case in found if case.impl == "nbfact chain")
    got, want = result_and_reference(chain)
    assert chain.bound == math.inf and chain.nnz == 5
    assert chain.error(got, want) == pytest.approx(0.01 / 1.01)


@pytest.mark.parametrize("name", peers.PACKAGES)
def test_rivals_are_detected_without_importing_them(name):
    before = set(sys.modules)
    assert peers.installed(name) == (name not in peers.missing())
    assert peers.PACKAGES[name] not in set(sys.modules) - before
