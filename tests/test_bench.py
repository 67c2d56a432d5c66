"""The harness: its registry, its clock, its files, its verdicts."""

import contextlib
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from nbfact.bench import cases, machine, operators, peers, run, sample, store
from nbfact.bench.case import DENSE
from nbfact.bench.hadamard import fwht_cases
from nbfact.bench.measure import measure_task
from nbfact.bench.products import matrix_cases, product_cases
from nbfact.bench.steps import projection_cases
from nbfact.operators import FactorProduct

SMALL = [
    *product_cases("hadamard", (16,), ("float32", "float64"), (1, 3)),
    *product_cases("butterfly", (16,), ("float32", "float64"), (1, 3)),
    *product_cases("dft", (16,), ("complex64", "complex128"), (1, 3)),
    *product_cases("dct", (16,), ("float32", "float64"), (1, 3)),
    *product_cases("planted", (16,), ("float32", "float64"), (1, 3)),
    *fwht_cases((16,), ("float32", "float64"), (1, 3)),
    *projection_cases((8,), ("float64",)),
]
OURS = [case for case in SMALL if case.impl not in peers.PACKAGES]
CALIBRATION = {
    "bandwidth": [[1000, 1e9], [10**6, 1e8]],
    "gemm": {"float32": 2e9, "float64": 1e9},
}


def rows_of(path):
    rows, problems = store.read_rows(path)
    assert problems == []
    return rows


def result_and_reference(case):
    inputs = case.make(np.random.default_rng(0))
    return case.prepare(inputs)(), case.reference(inputs)


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.name)
def test_every_implementation_is_within_its_bound(case):
    got, want = result_and_reference(case)
    assert case.error(got, want) <= case.bound


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.name)
def test_a_call_gives_the_same_result_again(case):
    inputs = case.make(np.random.default_rng(0))
    call = case.prepare(inputs)
    first = call().copy()
    np.testing.assert_array_equal(call(), first)


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


def test_one_wrong_coefficient_exceeds_every_bound():
    for case in OURS:
        got, want = result_and_reference(case)
        if math.isfinite(case.bound):
            got = got.copy()
            got.flat[np.argmax(np.abs(got))] *= 1 + 1e-3
            assert case.error(got, want) > case.bound, case.name


def test_error_refuses_another_shape_or_dtype_and_counts_nan_as_infinite():
    case = SMALL[0]
    got, want = result_and_reference(case)
    with pytest.raises(ValueError, match=r"shape \(15,\); expected \(16,\)"):
        case.error(got[1:], want)
    with pytest.raises(ValueError, match="dtype float64; expected float32"):
        case.error(got.astype("float64"), want)
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


def test_quick_holds_what_the_readme_promises():
    tasks = cases.tasks(cases.registry("quick"))
    for kind in ("hadamard", "butterfly"):
        for n in (256, 1024):
            for batch in (1, 64):
                assert f"{kind} n={n} batch={batch} float32" in tasks


def test_select_takes_substrings_and_globs():
    registry = cases.registry("quick")
    assert cases.select(registry, None) == registry
    found = cases.tasks(cases.select(registry, "butterfly N=256"))
    assert list(found) == [
        "butterfly n=256 batch=1 float32",
        "butterfly n=256 batch=64 float32",
    ]
    assert cases.select(registry, "*n=256 batch=1 *") != []
    assert cases.select(registry, "no such case") == []


def test_rounds_are_interleaved_rotated_and_reversed(monkeypatch):
    seen = []
    monkeypatch.setattr(sample, "calls_per_sample", lambda call: 1)
    calls = {name: lambda name=name: seen.append(name) for name in "ABC"}
    times = sample.interleave(calls, budget=0.0, min_rounds=4)
    assert "".join(seen) == "ABC" + "CBA" + "BCA" + "ACB"
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys(
        "ABC", 4
    )


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
    # What disturbs a round disturbs both: the ratio does not see it.
    ratio = sample.paired_ratio(times, 2 * times)
    assert ratio == {"median": 0.5, "low": 0.5, "high": 0.5}
    ratio = sample.paired_ratio(times, np.ones(5))
    assert ratio["low"] < ratio["median"] == 3.0 < ratio["high"]


def test_roof_is_the_larger_of_moving_and_computing():
    roof = machine.roof_time
    assert roof(CALIBRATION, 1000, 0, "float32") == 1e-6
    assert roof(CALIBRATION, 10**6, 0, "float32") == 1e-2
    assert roof(CALIBRATION, 1000, 10**6, "float32") == 5e-4
    assert roof(CALIBRATION, 1000, 10**6, "complex128") == 1e-3


def test_fingerprint_is_json_and_survives_a_machine_without_tools(monkeypatch):
    full = machine.fingerprint()
    assert {"name", "cpu", "cores", "versions", "blas", "os"} <= full.keys()
    assert full["versions"]["numpy"] == np.__version__
    json.dumps(full, allow_nan=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(machine, "_read", lambda path: None)
    bare = machine.fingerprint()
    assert "commit" not in bare and bare["cpu"]


def test_commit_of_a_repository_that_does_not_track_us_is_not_ours(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "machine.py").touch()
    assert machine._commit(tmp_path) == {}


def test_rows_are_appended_and_read_back(tmp_path):
    path = tmp_path / "new" / "rows.jsonl"
    store.append_rows(path, [{"a": 1}])
    store.append_rows(path, [{"a": 2}, {"a": 3}])
    assert [row["a"] for row in rows_of(path)] == [1, 2, 3]
    assert os.listdir(path.parent) == ["rows.jsonl"]


def test_a_last_line_without_its_end_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"schema": 2, "a": 1}')
    store.append_rows(path, [{"a": 2}])
    assert [row["a"] for row in rows_of(path)] == [1, 2]


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    store.append_rows(path, [{"a": 1}])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.append_rows(path, [{"a": 2}, {"a": math.nan}])

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.append_rows(path, [{"a": 2}])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["rows.jsonl"]


@pytest.mark.parametrize("text", [b"some text\n", b"\x93NUMPY\x01\x00", b'{"a": 1}\n'])
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text)
    for act in (store.check, lambda p: store.append_rows(p, [{}])):
        with pytest.raises(ValueError, match=r"rows\.jsonl, line 1: not a row"):
            act(path)
    assert store.read_rows(path) == (
        [],
        [f"{path}, line 1: not a row of nbfact results"],
    )
    assert path.read_bytes() == text


def test_lines_that_are_no_rows_are_told_by_number_and_stay(tmp_path):
    path = tmp_path / "rows.jsonl"
    store.append_rows(path, [{"a": 1}])
    damage = b'{"schema": 2, "a": \n\x00\xff\n{"schema": 99}\n'
    path.write_bytes(damage + path.read_bytes())
    store.append_rows(path, [{"a": 2}])
    rows, problems = store.read_rows(path)
    assert [row["a"] for row in rows] == [1, 2]
    assert problems == [
        f"{path}, line 1: not a row of nbfact results",
        f"{path}, line 2: not a row of nbfact results",
        f"{path}, line 3: schema 99; this nbfact reads up to {store.SCHEMA}",
    ]
    assert path.read_bytes().startswith(damage)


def test_files_merge_by_copying_and_old_rows_are_read(tmp_path):
    old = b'{"schema": 1, "case": "x"}\n'
    (tmp_path / "a.jsonl").write_bytes(old)
    store.append_rows(tmp_path / "b.jsonl", [{"kind": "pair", "case": "y"}])
    both = (tmp_path / "b.jsonl").read_bytes() + old
    (tmp_path / "both.jsonl").write_bytes(both)
    rows, problems = store.read_rows(tmp_path)
    assert problems == []
    assert [(row["kind"], row["case"]) for row in rows] == [
        ("bench", "x"),
        ("pair", "y"),
    ]


@pytest.mark.skipif(store.fcntl is None, reason="no lock on this system")
def test_two_processes_lose_no_row_of_each_other(tmp_path):
    path = tmp_path / "rows.jsonl"
    code = (
        "import sys; from nbfact.bench.store import append_rows\n"
        "for i in range(40): append_rows(sys.argv[1], [{'who': sys.argv[2], 'i': i}])"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, path, who]) for who in "ab"
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    rows = rows_of(path)
    for who in "ab":
        assert [row["i"] for row in rows if row["who"] == who] == list(range(40))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Make runs of two tasks, quick ones, in a directory of their own."""
    chosen = product_cases("dct", (16,), ("float64",), (1, 3))
    chosen = [case for case in chosen if case.impl in ("scipy.fft", DENSE)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cases, "registry", lambda profile: list(chosen))
    monkeypatch.setattr(machine, "calibrate", lambda: CALIBRATION)
    monkeypatch.setattr(run, "BUDGET_QUICK", 0.005)
    return chosen


def broken(case, spoil, **changes):
    """Return the case with its results spoiled."""

    def prepare(inputs):
        call = case.prepare(inputs)
        return lambda: spoil(call())

    return dataclasses.replace(case, prepare=prepare, **changes)


def test_a_run_stores_rows_prints_a_table_and_exits_0(small, tmp_path, capsys):
    assert run.run_bench(quick=True) == 0
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
            assert row["ratio"] == {"median": 1.0, "low": 1.0, "high": 1.0}


def test_a_wrong_result_fails_the_run_and_has_no_time(small, capsys):
    small[1] = broken(small[1], lambda y: y * (1 + 1e-6))
    assert run.run_bench(quick=True, output="rows.jsonl") == 1
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
    assert run.run_bench(quick=True) == 1
    text = capsys.readouterr().out
    assert "FAILED" in text and "ArithmeticError: no luck" in text


def test_a_rival_that_is_wrong_is_shown_and_fails_nothing(small, capsys):
    small[0] = broken(small[0], np.zeros_like, rival=True)
    assert run.run_bench(quick=True) == 0
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
    assert run.run_bench(quick=True, pattern="no such case") == 2
    assert "no case matches -k 'no such case'; groups: dct" in capsys.readouterr().err
    assert run.run_bench(quick=True, output=tmp_path) == 2
    assert "is a directory" in capsys.readouterr().err
    assert run.run_bench(quick=True, matrix=tmp_path / "none.npy") == 2
    assert "none.npy" in capsys.readouterr().err
    (tmp_path / "text.txt").write_text("hello")
    assert run.run_bench(quick=True, output=tmp_path / "text.txt") == 2
    assert "not a row of nbfact results" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["text.txt"]


def test_interrupted_runs_keep_the_rows_of_finished_tasks(small, capsys):
    def interrupt(inputs):
        raise KeyboardInterrupt

    small[3] = dataclasses.replace(small[3], prepare=interrupt)
    assert run.run_bench(quick=True, output="rows.jsonl") == 130
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
    assert run.run_bench(quick=True, output="rows.jsonl") == 130
    assert signal.getsignal(signal.SIGINT) is handler
    assert not os.path.exists("rows.jsonl")
    assert "interrupted: 0 rows stored" in capsys.readouterr().out


def test_without_the_extra_the_message_says_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "nbfact\[bench\]"'):
        run.run_bench(quick=True)


def test_the_cases_of_a_matrix_show_the_error_and_have_no_bound():
    factors = [np.diag([1.0, 2.0]), np.array([[1.0, 1.0], [0.0, 1.0]])]
    learned = FactorProduct(factors, scale=3.0)
    target = learned.toarray() * 1.01
    found = matrix_cases("mine", target, learned)
    chain = next(case for case in found if case.impl == "nbfact chain")
    got, want = result_and_reference(chain)
    assert chain.bound == math.inf and chain.nnz == 5
    assert chain.error(got, want) == pytest.approx(0.01 / 1.01)


@pytest.mark.compiled
def test_a_matrix_file_is_factored_and_timed(small, tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", rng.standard_normal((6, 8)))
    assert run.run_bench(True, "mine", tmp_path / "mine.npy") == 0
    text = capsys.readouterr().out
    assert "matrix mine.npy" in text and "6x8" in text


@pytest.mark.parametrize("name", peers.PACKAGES)
def test_rivals_are_detected_without_importing_them(name):
    before = set(sys.modules)
    assert peers.installed(name) == (name not in peers.missing())
    assert peers.PACKAGES[name] not in set(sys.modules) - before
