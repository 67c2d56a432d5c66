"""A run of ``nbfact bench``: its exit codes, its rows, and what stops it."""

import contextlib
import dataclasses
import os
import pickle
import signal
import sys

import numpy as np
import pytest
from test_store import rows_of

from nbfact.cases import registry as cases
from nbfact.cases.nbfact_project import NBFACT
from nbfact.cases.products import product_cases
from nbfact.cli.bench import matrix_source
from nbfact.harness import calibration, run
from nbfact.harness.case import DENSE
from nbfact.harness.measure import measure_task
from nbfact.harness.project import Project

CALIBRATION = {
    "bandwidth": [[1000, 1e9], [10**6, 1e8]],
    "gemm": {"float32": 2e9, "float64": 1e9},
    "spread": 0.3,
    "unstable": True,
}


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Make runs have two quick tasks, in a directory of their own."""
    chosen = product_cases("dct", (16,), ("float64",), (1, 3))
    chosen = [case for case in chosen if case.impl in ("scipy.fft", DENSE)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cases, "registry", lambda profile, peers: list(chosen))
    monkeypatch.setattr(calibration, "calibrate", lambda: CALIBRATION)
    monkeypatch.setitem(run.BUDGETS, "quick", 0.005)
    return chosen


def broken(case, spoil, **changes):
    """Return the case with its results spoiled."""

    def prepare(inputs):
        call = case.prepare(inputs)
        return lambda: spoil(call())

    return dataclasses.replace(case, prepare=prepare, **changes)


def test_a_run_stores_rows_prints_a_table_and_exits_0(small, tmp_path, capsys):
    assert run.run_bench(NBFACT, "quick") == 0
    (path,) = (tmp_path / "runs").iterdir()
    rows = rows_of(path)
    assert [row["case"] for row in rows] == [case.name for case in small]
    text = capsys.readouterr().out
    assert str(path.relative_to(tmp_path)) in text and "all results right" in text
    for row in rows:
        assert row["ok"] and row["error"] <= row["bound"]
        assert 0 < row["time"]["min"] <= row["time"]["median"]
        assert len(row["samples"]) == row["time"]["rounds"] >= 5
        assert row["machine"]["versions"]["numpy"] == np.__version__
        assert row["roof"] > 0 and row["impl"] in text
        if row["impl"] == DENSE:
            assert row["ratio"] == {"median": 1.0, "low": None, "high": None}


def test_a_case_above_its_roof_calibrates_the_machine_again(small, monkeypatch):
    rates = [  # the first says that nothing takes less than a second
        {**CALIBRATION, "bandwidth": [[1, rate], [2, rate]]} for rate in (1.0, 1e15)
    ]
    calls = []

    def calibrate():
        calls.append(1)
        return rates[min(len(calls), 2) - 1] | {
            "gemm": dict.fromkeys(("float32", "float64"), 1e15)
        }

    monkeypatch.setattr(calibration, "calibrate", calibrate)
    assert run.run_bench(NBFACT, "quick", output="rows.jsonl") == 0
    assert len(calls) == 2
    for row in rows_of("rows.jsonl"):
        assert 0 < row["roof"] < 1
        assert row["calibration"]["bandwidth"] == [[1, 1e15], [2, 1e15]]


def test_a_wrong_result_fails_the_run_and_has_no_time(small, capsys):
    small[1] = broken(small[1], lambda y: y * (1 + 1e-6))
    assert run.run_bench(NBFACT, "quick", output="rows.jsonl") == 1
    text = capsys.readouterr().out
    assert "WRONG" in text and "1 failed" in text and "exceeds the bound" in text
    rows = rows_of("rows.jsonl")
    assert [row["ok"] for row in rows] == [True, False, True, True]
    assert rows[1]["time"] is None and rows[0]["ratio"] is None
    assert rows[0]["time"] is not None


def test_an_implementation_that_raises_fails_the_run(small, capsys):
    def fail(inputs):
        raise ArithmeticError("no luck")

    small[0] = dataclasses.replace(small[0], prepare=fail, rival=False)
    assert run.run_bench(NBFACT, "quick") == 1
    text = capsys.readouterr().out
    assert "FAILED" in text and "ArithmeticError: no luck" in text


def test_a_rival_that_is_wrong_is_shown_and_fails_nothing(small, capsys):
    small[0] = broken(small[0], np.zeros_like, rival=True)
    assert run.run_bench(NBFACT, "quick") == 0
    assert "rival failed: dct n=16" in capsys.readouterr().out


def test_a_result_that_goes_wrong_while_timed_is_caught():
    _, case, dense = product_cases("dct", (16,), ("float64",), (1,))
    left = [30]

    def wears_out(y):
        left[0] -= 1
        return y if left[0] > 0 else y + 1

    rows = measure_task([broken(case, wears_out), dense], 0.005, CALIBRATION)
    assert [row["ok"] for row in rows] == [False, True]
    assert rows[0]["time"] is None


def test_wrong_usage_exits_2_and_names_what_is_wrong(small, tmp_path, capsys):
    with pytest.raises(ValueError, match="processes=0: expected at least 1"):
        run.run_bench(NBFACT, "quick", processes=0)
    assert run.run_bench(NBFACT, "quick", pattern="no such case") == 2
    assert "no case matches -k 'no such case'; groups: dct" in capsys.readouterr().err
    assert run.run_bench(NBFACT, "quick", output=tmp_path) == 2
    assert "is a directory" in capsys.readouterr().err
    (tmp_path / "text.txt").write_text("hello")
    assert run.run_bench(NBFACT, "quick", output=tmp_path / "text.txt") == 2
    assert "not a row of nbfact results" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["text.txt"]


def test_interrupted_runs_keep_the_rows_of_finished_tasks(small, capsys):
    def interrupt(inputs):
        raise KeyboardInterrupt

    small[3] = dataclasses.replace(small[3], prepare=interrupt)
    assert run.run_bench(NBFACT, "quick", output="rows.jsonl") == 130
    assert len(rows_of("rows.jsonl")) == 2
    text = capsys.readouterr().out
    assert "interrupted: 2 rows stored in rows.jsonl" in text
    assert "scipy.fft" in text


def test_an_interrupt_lost_in_a_callback_is_heard_after_the_task(small, capsys):
    def swallowed(inputs):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise RuntimeError("what LLVM says then")

    small[0] = dataclasses.replace(small[0], prepare=swallowed)
    handler = signal.getsignal(signal.SIGINT)
    assert run.run_bench(NBFACT, "quick", output="rows.jsonl") == 130
    assert signal.getsignal(signal.SIGINT) is handler
    assert not os.path.exists("rows.jsonl")
    assert "interrupted: 0 rows stored" in capsys.readouterr().out


def test_without_the_extra_the_message_says_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "nbfact\[bench\]"'):
        run.run_bench(NBFACT, "quick")


@pytest.mark.compiled
def test_a_matrix_file_is_factored_and_timed(small, tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", rng.standard_normal((6, 8)))
    source = matrix_source(tmp_path / "mine.npy")
    assert run.run_bench(NBFACT, "quick", "mine", extra=[source]) == 0
    text = capsys.readouterr().out
    assert "matrix mine.npy" in text and "6x8" in text
    assert pickle.loads(pickle.dumps(source))()[0].name == source()[0].name


def test_the_harness_measures_any_project(tmp_path, monkeypatch, capsys):
    """A package of two files, which is not nbfact, is measured."""
    package = tmp_path / "other"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "listed.py").write_text(OTHER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibration, "calibrate", lambda: CALIBRATION)
    monkeypatch.setenv("OTHER_MACHINE", "Mine")
    project = Project("other", "7", ("listed",), ("short",))
    monkeypatch.setitem(run.BUDGETS, "short", 0.005)
    assert run.run_bench(project, "short", processes=1) == 0
    (row,) = rows_of(tmp_path / "runs" / "mine.jsonl")
    assert row["machine"]["versions"]["other"] == "7" and row["error"] == 0
    assert "nbfact" not in row["machine"]["versions"]
    assert "other 7, numba" in capsys.readouterr().out
    with pytest.raises(ValueError, match="profile 'quick'; expected one of short"):
        run.run_bench(project, "quick")


OTHER = """
from nbfact.harness.case import Case

def prepare(x):
    return lambda: x + x

def registry(profile, peers=False):
    return [Case(
        group="double", impl="other add", params={"n": 3, "dtype": "float64"},
        make=lambda rng: rng.standard_normal(3), prepare=prepare,
        reference=lambda x: 2 * x, bound=0.0, size=48, flops=3, nnz=None,
    )]
"""
