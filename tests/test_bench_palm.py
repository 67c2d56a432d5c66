"""The cases of palm4MSA: what they compare, and how a worse error is reported."""

import dataclasses
import importlib.util
import math
import os
import signal
import time

import numpy as np
import pytest

import nbfact as nf
from nbfact.cases import palm as palm_bench
from nbfact.cases import registry as cases
from nbfact.cases.palm import (
    curve_cases,
    hierarchical_cases,
    reach_cases,
    rectmat_cases,
    sweep_cases,
)
from nbfact.cases.rivals import faust, peers
from nbfact.cases.rivals import numpy_palm as paper
from nbfact.harness import sample
from nbfact.harness.measure import measure_task
from nbfact.harness.table import table

SMALL = [
    *sweep_cases((8,), (2, 3)),
    *hierarchical_cases((8,)),
    *rectmat_cases([(8, 12, 3, 3, 2)]),
    *reach_cases(("butterflies 32",)),
    *curve_cases([("planted splin4", 8, (1, 4)), ("hadamard split", 8, (2,))]),
]
OURS = [case for case in SMALL if not case.rival]
CALIBRATION = {
    "bandwidth": [[1000, 1e9]],
    "gemm": {"float32": 2e9, "float64": 1e9},
}
pytestmark = pytest.mark.usefixtures("one_thread")
INSTALLED = importlib.util.find_spec("pyfaust") is not None


def error_of(case):
    inputs = case.make(np.random.default_rng(0))
    return case.error(case.prepare(inputs)(), case.reference(inputs))


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.name)
def test_every_implementation_approximates_within_its_bound(case):
    assert error_of(case) <= min(case.bound, 0.99)


@pytest.mark.parametrize("name", cases.tasks(SMALL))
def test_the_paper_in_numpy_and_ours_find_the_same(name):
    ours, numpy = (c for c in cases.tasks(SMALL)[name] if not c.rival)
    errors = error_of(ours), error_of(numpy)
    if "rectmat" in name:  # nbfact makes longer steps than the paper
        assert errors[0] < errors[1]
    else:
        assert errors[0] == pytest.approx(errors[1], rel=1e-6, abs=1e-9)


@pytest.mark.compiled
@pytest.mark.skipif(not INSTALLED, reason="pyfaust is not installed")
@pytest.mark.parametrize("name", [n for n in cases.tasks(SMALL) if "sweeps" in n])
def test_pyfaust_makes_the_same_sweeps_and_says_nothing(name, capfd):
    found = [error_of(case) for case in cases.tasks(SMALL)[name]]
    assert len(found) == 4
    assert max(found) <= 1.01 * min(found)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not INSTALLED, reason="pyfaust is not installed")
@pytest.mark.parametrize("backend", faust.BACKENDS)
def test_ctrl_c_is_heard_after_pyfaust_has_run(backend):
    faust.palm(np.eye(4), [nf.constraints.SpLin((4, 4), 1)] * 2, 2, backend)()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_set_that_pyfaust_may_not_know_is_refused():
    if not INSTALLED:
        pytest.skip("pyfaust is not installed")
    with pytest.raises(ValueError, match="Toeplitz has no counterpart"):
        faust.palm(np.eye(4), [nf.constraints.Toeplitz((4, 4))] * 2, 5, 2020)


@pytest.mark.parametrize("installed", [True, False])
def test_the_yardstick_is_pyfaust_where_it_is(monkeypatch, installed):
    monkeypatch.setattr(peers, "installed", lambda name: installed)
    made = list(rectmat_cases([(8, 12, 3, 3, 2)]))
    assert {case.yardstick for case in made} == {
        palm_bench.YARDSTICK if installed else palm_bench.NUMPY
    }
    assert [case.rival for case in made] == [False] * 2 + [True] * (2 * installed)
    # For targets that are too large for the others, nbfact is its own yardstick.
    monkeypatch.setattr(palm_bench, "RECTMAT_MAX", dict.fromkeys(palm_bench.RIVALS, 0))
    monkeypatch.setitem(palm_bench.RECTMAT_MAX, palm_bench.NUMPY, 0)
    (case,) = rectmat_cases([(8, 12, 3, 3, 2)])
    assert case.yardstick == case.impl == palm_bench.OURS


def test_an_error_above_that_of_another_fails_ours_only():
    ours, numpy = (c for c in sweep_cases((8,), (2,)) if not c.rival)

    def zero(target):
        return lambda: np.zeros_like(target)

    worse = measure_task(
        [dataclasses.replace(ours, prepare=zero), numpy], 0.0, CALIBRATION
    )
    assert [row["ok"] for row in worse] == [False, True]
    assert "over 1.05 times the" in worse[0]["message"]
    assert worse[0]["time"] is None
    worse = measure_task(
        [ours, dataclasses.replace(numpy, prepare=zero)], 0.0, CALIBRATION
    )
    assert [row["ok"] for row in worse] == [True, True]


def test_the_table_shows_ratios_of_errors_and_how_few_rounds(monkeypatch):
    task = [c for c in sweep_cases((8,), (2,)) if not c.rival]
    task = [dataclasses.replace(case, yardstick="numpy") for case in task]
    monkeypatch.setattr(sample, "SLOW", 0.0)  # every call then counts as slow
    rows = measure_task(task, 0.0, CALIBRATION)
    assert [row["time"]["rounds"] for row in rows] == [2, 2]
    assert rows[1]["error_ratio"] == 1.0
    assert rows[0]["error_ratio"] == pytest.approx(1, abs=1e-6)
    shown = table(rows)
    columns = {column.header: list(column.cells) for column in shown.columns}
    assert list(columns)[:5] == ["n", "J", "k", "dtype", "implementation"]
    assert [text[:2] for text in columns["ratio"] if text] in (["1."], ["0."])
    assert columns["±"] == ["n=2", "n=2"]
    assert columns["error"][0].endswith("*")
    # There is no ratio of errors where they are rounding errors below a bound.
    exact = [c for c in hierarchical_cases((8,)) if not c.rival]
    shown = table(measure_task(exact, 0.0, CALIBRATION))
    assert "ratio" not in [column.header for column in shown.columns]


def test_seconds_of_compilation_do_not_make_a_call_slow(monkeypatch):
    (ours, _) = (c for c in sweep_cases((8,), (2,)) if not c.rival)
    seen = []

    def prepare(target):
        call = ours.prepare(target)

        def slow_at_first():
            if not seen.append(1) and len(seen) == 1:
                time.sleep(0.3)
            return call()

        return slow_at_first

    monkeypatch.setattr(sample, "SLOW", 0.2)
    case = dataclasses.replace(ours, prepare=prepare)
    (row,) = measure_task([case], 0.0, CALIBRATION)
    assert row["time"]["rounds"] == 5


def test_rounds_are_as_few_as_calls_are_long():
    assert [sample.least_rounds(s) for s in (0.0, 4.9, 5.0, 30.0, 31.0)] == [
        *(5, 5),
        *(2, 2, 1),
    ]


def test_the_paper_in_numpy_stops_and_takes_both_orders():
    target = nf.targets.planted(8, 2, 2, random_state=0)
    sets = [nf.constraints.SpLin((8, 8), 4)] * 2
    for forward in (True, False):
        full = paper.dense(*paper.palm(target, sets, 50, forward))
        error = nf.relative_error(target, full)
        short = paper.dense(*paper.palm(target, sets, 50, forward, stop=2 * error))
        assert error <= nf.relative_error(target, short) <= 2 * error


def test_muting_gives_the_streams_back(capfd):
    with faust.muted():
        os.write(1, b"lost")
    print("heard")
    assert capfd.readouterr() == ("heard\n", "")
    assert math.isinf(SMALL[0].bound)
