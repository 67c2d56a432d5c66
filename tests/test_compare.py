"""Two versions side by side: packages of a few lines stand for them."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from nbfact.harness import machine, store
from nbfact.harness.versions import alongside, revisions, verdicts
from nbfact.harness.versions import comparison as compare
from nbfact.harness.versions import gating as gate

CASES = """
import os
import numpy as np

PROFILES = ("pr", "full")


class Case:
    rival, bound = False, 1e-6
    params = {"n": 3, "dtype": "float64"}

    def __init__(self, name, call, start=1.0):
        self.group, self.impl, self.task = name, "nbfact", f"{name} n=3 float64"
        self.name = f"{self.task} [nbfact]"
        self.call, self.start = call, start

    def make(self, rng):
        return {"x": np.full(3, self.start)}

    def reference(self, inputs):
        return 2.0 * inputs["x"]

    def prepare(self, inputs):
        return lambda: self.call(inputs["x"])

    def error(self, got, want):
        return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def double(x):
    return x + x


def fails(x):
    raise ArithmeticError("no luck")


def dies(x):
    os._exit(7)


def registry(profile):
    return CASES[profile]
"""
BASE = (
    CASES
    + """
listed = [Case(name, double) for name in (
    "equal", "wrong", "gone", "moved", "fails", "dies", "inputs")]
CASES = {"pr": listed, "full": listed + [Case("mended", fails)]}
CASES["pr"] = CASES["full"]
"""
)
HEAD = (
    CASES
    + """
listed = [
    Case("equal", double), Case("wrong", lambda x: x * (2 + 1e-4)),
    Case("fails", fails), Case("dies", dies), Case("inputs", double, 3.0),
    Case("mended", double), Case("added", double)]
CASES = {"pr": listed, "full": [Case("moved", double)]}
"""
)
FOUND = {
    "equal": "same",
    "wrong": "less accurate",
    "gone": "missing",
    "moved": "same",
    "fails": "broken",
    "dies": "broken",
    "inputs": "changed",
    "mended": "new",
    "added": "new",
}


def package(folder, text):
    (folder / "nbfact" / "bench").mkdir(parents=True)
    for name in ("__init__.py", "bench/__init__.py"):
        (folder / "nbfact" / name).write_text('__version__ = "0"\n')
    (folder / "nbfact" / "bench" / "cases.py").write_text(text)
    return str(folder)


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Lay out two versions, and a cache of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(verdicts, "BLIND", 1e9)  # nothing here is about time
    monkeypatch.setattr(verdicts, "LEAST", 1e9)
    return package(tmp_path / "a", BASE), package(tmp_path / "b", HEAD)


def test_every_case_of_the_base_gets_its_verdict(two, tmp_path):
    steps = []
    found = compare.compare(
        *two, processes=2, told=lambda text, done, total: steps.append(done / total)
    )
    verdict = {row["group"]: row["verdict"] for row in found.rows}
    assert verdict == FOUND
    messages = {row["group"]: row["message"] for row in found.rows}
    assert messages["fails"] == "head: ArithmeticError: no luck"
    assert messages["dies"] == "head: ended with code 7"
    assert messages["wrong"] == "error 5.0e-05, bound 1.0e-06 (base: 0.0e+00)"
    rows, problems = store.read_rows(found.file)
    assert problems == []
    stored = [row for row in rows if row["kind"] == "verdict"]
    assert stored == [{"schema": store.SCHEMA, **row} for row in found.rows]
    pairs = [row for row in rows if row["kind"] == "pair"]
    equal = [row for row in pairs if row["case"].startswith("equal")]
    assert len(equal) == 2 and {"logs", "seconds"} <= equal[0].keys()
    # Cut short within the second process, and damaged: it goes on from there.
    lines = found.file.read_bytes().splitlines(keepends=True)
    at = [row["process"] for row in pairs].index(1)
    found.file.write_bytes(b"".join([*lines[: at + 1], lines[at + 1][:50]]))
    again = compare.compare(*two, processes=2, resume=found.file)
    assert {row["group"]: row["verdict"] for row in again.rows} == FOUND
    assert again.rows[0]["ratio"] == found.rows[0]["ratio"]
    assert again.problems == [
        f"{found.file}, line {at + 2}: not a row of nbfact results"
    ]
    row = found.rows[0]
    assert row["same_bits"] and len(row["ratio"]["samples"]) == 2
    assert row["error"] == {"base": 0.0, "head": 0.0, "bound": 1e-6}
    assert row["machine"]["name"] == machine.fingerprint()["name"]
    assert not found.rows[1]["same_bits"] and max(steps) <= 1
    assert found.base.digest != found.head.digest


def test_the_gate_writes_its_verdict_and_exits_by_it(two, monkeypatch, capsys):
    row = dict.fromkeys("ratio floor error allocations same_bits message".split())
    versions = [revisions.resolve(path) for path in two]

    def run(*found):
        rows = [{**row, "case": "x", "verdict": verdict} for verdict in found]
        made = compare.Comparison(*versions, "pr", rows, "samples.jsonl", [])
        monkeypatch.setattr(gate, "compare", lambda *_, **__: made)
        code = gate.run_gate(*two, output="out/verdict.json")
        with open("out/verdict.json") as file:
            told = json.load(file)
        assert (told["exit"], told["cases"]) == (code, rows)
        assert told["head"]["digest"] == versions[1].digest
        return code, capsys.readouterr().out.splitlines()[-1]

    assert run("same") == (0, "gate: pass (0); verdict in out/verdict.json")
    assert run("same", "slower")[0] == 1
    assert run("slower", "missing")[0] == 2
    assert run("not measurable")[0] == 3


def test_versions_that_cannot_be_imported_are_told(two, tmp_path, capsys):
    broken = package(tmp_path / "c", "import no_such_module\n")
    assert gate.run_compare(two[0], broken) == 2
    told = capsys.readouterr().err
    assert "cannot be read: ModuleNotFoundError" in told and "no_such_module" in told


def test_wrong_usage(two):
    with pytest.raises(ValueError, match="profile 'pull'; expected one of quick, pr"):
        compare.compare(*two, profile="pull")
    with pytest.raises(ValueError, match="processes 1: at least 2"):
        compare.compare(*two, processes=1)
    store.append_rows("other.jsonl", [{"kind": "pair", "threads": 1}])
    with pytest.raises(ValueError, match=r"other.jsonl: no samples of these two"):
        compare.compare(*two, resume="other.jsonl")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc"), reason="reads /proc")
def test_a_killed_comparison_keeps_its_samples_and_leaves_no_process(two, tmp_path):
    code = "import sys; from nbfact.harness.versions.comparison import compare; compare(*sys.argv[1:])"
    running = subprocess.Popen([sys.executable, "-c", code, *two])
    pairs = []
    deadline = time.monotonic() + 60
    while len(pairs) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        for path in tmp_path.glob("runs/*.jsonl"):
            pairs, problems = store.read_rows(path)
            assert problems == []
    children = f"/proc/{running.pid}/task/{running.pid}/children"
    with open(children) as file:
        left = [int(pid) for pid in file.read().split()]
    running.send_signal(signal.SIGKILL)
    running.wait()
    while any(os.path.exists(f"/proc/{pid}") for pid in left):
        assert time.monotonic() < deadline, "a process outlives its parent"
        time.sleep(0.05)
    again, problems = store.read_rows(tmp_path / "runs")
    assert len(again) >= len(pairs) >= 3 and problems == []


def test_calls_share_arrays_only_where_they_are_equal():
    def inputs(n):
        return SimpleNamespace(
            x=np.arange(n), listed=[np.ones(n), (np.zeros(n),)], table={"a": np.eye(n)}
        )

    one, other = inputs(3), inputs(3)
    other.listed[0][1] = 5.0
    assert not alongside.share(one, other)
    assert other.x is one.x and other.table["a"] is one.table["a"]
    assert other.listed[0] is not one.listed[0]
    assert alongside.share(one, inputs(3)) and not alongside.share(one, inputs(4))
    assert alongside.share(np.int64, np.int64)  # a class has nothing to share


def test_versions_before_profiles_give_what_quick_ran(tmp_path):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "cases.py").touch()
    quick = SimpleNamespace(impl="nbfact", rival=False, name="q")
    rival = SimpleNamespace(impl="nbfact", rival=True, name="r")
    full = SimpleNamespace(impl="nbfact x", rival=False, name="f")
    old = SimpleNamespace(
        registry=lambda quick_=False: [quick, rival] if quick_ else [quick, full]
    )
    sys.modules["nbfact_old.bench.cases"] = old
    sys.modules["nbfact_old.bench"] = sys.modules["nbfact_old"] = SimpleNamespace()
    try:
        module = SimpleNamespace(
            __name__="nbfact_old", __file__=str(tmp_path / "__init__.py")
        )
        assert list(alongside.chosen_cases(module, "pr")) == ["q"]
        assert sorted(alongside.every_case(module)) == ["f", "q"]
    finally:
        for name in ("nbfact_old", "nbfact_old.bench", "nbfact_old.bench.cases"):
            del sys.modules[name]


def test_the_default_base_and_head(monkeypatch, two):
    asked = []
    monkeypatch.setattr(revisions, "default_base", lambda: "somewhere")

    def resolve(name):
        asked.append(name)
        raise ValueError(name)

    monkeypatch.setattr(revisions, "resolve", resolve)
    assert gate.run_compare(None, None) == 2
    assert gate.run_gate("x") == 2
    assert asked == ["somewhere", "x"]
    with open("runs/gate.json") as file:
        told = json.load(file)
    assert (told["exit"], told["message"], told["cases"]) == (2, "x", [])
