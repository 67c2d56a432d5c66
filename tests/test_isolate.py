"""A rival that crashes or hangs stops nothing else, and leaves no process behind."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import crashers
import pytest

from nbfact.cases import registry as cases
from nbfact.cases.nbfact_project import NBFACT
from nbfact.harness import calibration, isolate, machine, run, store
from nbfact.harness.measure import measure_task

CALIBRATION = {
    "bandwidth": [[1000, 1e9]],
    "gemm": {"float32": 2e9, "float64": 1e9},
    "spread": 0.0,
    "unstable": False,
}
pytestmark = pytest.mark.compiled  # takes seconds, so that one of two passes has it


def alive(pid):
    """Return whether a process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds=30):
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop, "nothing happened"
        time.sleep(0.02)


@pytest.mark.slow
def test_who_crashes_hangs_exits_or_raises_is_named_and_the_rest_measured(capfd):
    task = crashers.every()
    sources = [crashers.every, crashers.after]
    with isolate.Worker(sources, CALIBRATION, limit=1.0) as worker:
        rows = worker.measure(task, 0.01)
        pid = worker._process.pid
        assert alive(pid)
        (not_ours,) = worker.measure(crashers.after(), 0.01)
        assert not_ours["ok"] and worker._process.pid != pid
    assert not alive(pid)
    assert capfd.readouterr() == ("", "")
    messages = {row["impl"]: row["message"] for row in rows}
    assert messages == {
        "pyfaust": "crashed with SIGSEGV in its own process",
        "right": None,
        "leave": "ended with code 3 in its own process",
        "hang": "no result of a call in 1 s; its process was killed",
        "fail": "ArithmeticError: no luck",
        "noisy": None,
    }
    assert [row["impl"] for row in rows] == [case.impl for case in task]
    here = measure_task(crashers.good()[:1], 0.01, CALIBRATION)
    for row in rows:
        assert row.keys() == here[0].keys()
        assert row["ok"] == (row["time"] is not None) == (row["ratio"] is not None)
    ratios = {row["impl"]: row["ratio"] for row in rows}
    assert ratios["right"]["median"] == 1.0  # it is the yardstick that is left


def test_all_libraries_have_the_threads_of_the_run():
    """Rivals are imported after BLAS was limited, and read the environment."""
    with isolate.Worker([crashers.after], CALIBRATION, threads=1) as worker:
        worker.measure(crashers.after(), 0.01)
        with open(f"/proc/{worker._process.pid}/environ") as file:
            settings = dict(line.split("=", 1) for line in file.read().split("\0")[:-1])
    assert {settings[name] for name in machine.THREADS} == {"1"}


def test_a_process_that_cannot_begin_fails_the_task_and_says_why():
    with isolate.Worker([crashers.missing], CALIBRATION) as worker:
        rows = worker.measure(crashers.good()[1:], 0.01)
    assert [row["message"] for row in rows] == [
        "ended with code 1 in its own process: ModuleNotFoundError: no cases here"
    ] * 2


@pytest.fixture
def quiet(monkeypatch, tmp_path):
    """Run in a directory of its own, with a calibration that takes no time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibration, "calibrate", lambda: CALIBRATION)
    monkeypatch.setenv(crashers.PID_FILE, str(tmp_path / "pid"))
    return tmp_path


def test_ctrl_c_ends_the_process_of_a_rival_that_hangs(quiet, monkeypatch, capsys):
    monkeypatch.setattr(cases, "registry", crashers.hanging)
    pid = quiet / "pid"

    def interrupt():
        wait_for(lambda: pid.exists() and pid.read_text())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert run.run_bench(NBFACT, "quick", output="rows.jsonl", with_peers=True) == 130
    thread.join()
    assert not alive(int(pid.read_text()))
    rows, problems = store.read_rows("rows.jsonl")
    assert [row["params"]["n"] for row in rows] == [4, 5, 5] and not problems
    assert "interrupted: 3 rows stored in rows.jsonl" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")
def test_kill_9_loses_the_task_in_flight_and_leaves_no_orphan(quiet):
    code = (
        "import crashers\n"
        "from nbfact.cases import registry\n"
        "from nbfact.cases.nbfact_project import NBFACT\n"
        "from nbfact.harness import calibration, run\n"
        "registry.registry = crashers.hanging\n"
        f"calibration.calibrate = lambda: {CALIBRATION!r}\n"
        "run.run_bench(NBFACT, 'quick', output='rows.jsonl', with_peers=True)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
    )
    pid = quiet / "pid"
    try:
        wait_for(lambda: pid.exists() and pid.read_text())
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not alive(int(pid.read_text())), 5)
    rows, problems = store.read_rows("rows.jsonl")
    assert [row["params"]["n"] for row in rows] == [4, 5, 5] and not problems
    store.append_rows("rows.jsonl", [{"kind": "bench"}])  # the lock is free


@pytest.mark.slow
def test_several_processes_give_one_row_and_an_interval(quiet, monkeypatch, capsys):
    """What crashed in the first process is not called again in the others."""
    monkeypatch.setattr(cases, "registry", crashers.counted)
    assert run.run_bench(NBFACT, "quick", output="rows.jsonl", processes=6) == 0
    rows, problems = store.read_rows("rows.jsonl")
    assert not problems and [row["impl"] for row in rows] == ["right", "leave"]
    right, crashed = rows
    assert right["processes"] == len(right["time"]["medians"]) == 6
    assert right["clock"] == "cpu" and right["roof"] > 0
    assert right["ratio"]["samples"] == [1.0] * 6  # it is its own yardstick
    assert right["ratio"]["low"] == right["ratio"]["high"] == 1.0
    if not right["unstable"]:
        time = right["time"]
        assert time["low"] <= time["median"] <= time["high"]
    assert not crashed["ok"] and crashed["time"] is None
    assert "code 3" in crashed["message"]
    with open(os.environ[crashers.PID_FILE]) as file:
        assert len(file.read().split()) == 1
    run.run_bench(NBFACT, "quick", output="rows.jsonl", processes=2)
    assert "2 processes: no intervals, which need six" in capsys.readouterr().out


def test_without_any_rival_the_run_says_what_brings_them(quiet, monkeypatch, capsys):
    monkeypatch.setattr(cases, "registry", crashers.good)
    rivals = {"pyfaust": "no_such_module"}
    project = dataclasses.replace(NBFACT, rivals=rivals)
    for asked in (True, False):
        assert run.run_bench(project, "quick", "n=4", with_peers=asked) == 0
        text = capsys.readouterr().out
        assert ('pip install "nbfact[peers]"' in text) == asked
