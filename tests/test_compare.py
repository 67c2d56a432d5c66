"""Two versions side by side, in whose place packages of a few lines are compared."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nbfact.cases.nbfact_project import NBFACT
from nbfact.cli import app
from nbfact.harness import machine, store
from nbfact.harness.versions import (
    aliases,
    alongside,
    comparison,
    gating,
    revisions,
    sharing,
    verdicts,
)

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
        x = np.full(3, self.start)
        return {"x": x, "f": len} if self.group == "sealed" else {"x": x}

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
    "equal", "wrong", "gone", "moved", "fails", "dies", "inputs", "sealed")]
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
    Case("sealed", double, 3.0),
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
    "inputs": "same",  # both get those of the base
    "sealed": "changed",  # and here that is not possible
    "import nbfact": "same",
    "mended": "new",
    "added": "new",
}


def compare(*versions, **options):
    return comparison.compare(NBFACT, *versions, **options)


def package(folder, text, place="cases/registry.py"):
    """Write a version whose registry of cases is at a place; return its folder."""
    path = folder / "nbfact" / place
    path.parent.mkdir(parents=True)
    for parent in (folder / "nbfact", path.parent):
        (parent / "__init__.py").write_text('__version__ = "0"\n')
    path.write_text(text)
    return str(folder)


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Lay out two versions, the base from before the move, and a cache of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(verdicts, "BLIND", 1e9)  # nothing here is about time
    monkeypatch.setattr(verdicts, "LEAST", 1e9)
    base = package(tmp_path / "a", BASE, "bench/cases.py")
    return base, package(tmp_path / "b", HEAD)


@pytest.mark.slow
def test_every_case_of_the_base_gets_its_verdict(two, tmp_path):
    steps = []

    def progress(text, done, total):
        steps.append(done / total)

    found = compare(*two, processes=2, progress=progress)
    verdict = {row["group"]: row["verdict"] for row in found.rows}
    assert verdict == FOUND
    messages = {row["group"]: row["message"] for row in found.rows}
    assert messages["fails"] == "head: ArithmeticError: no luck"
    assert messages["dies"] == "head: ended with code 7"
    assert messages["wrong"] == (
        "error 5.0e-05, at most 8.9e-16 is right (base: 0.0e+00)"
    )
    rows, problems = store.read_rows(found.file)
    assert problems == []
    stored = [row for row in rows if row["kind"] == "verdict"]
    assert stored == [{"schema": store.SCHEMA, **row} for row in found.rows]
    pairs = [row for row in rows if row["kind"] == "pair"]
    equal = [row for row in pairs if row["case"].startswith("equal")]
    check, *equal = sorted(equal, key=lambda row: row["process"])
    assert len(equal) == 2 and {"logs", "walls", "seconds"} <= equal[0].keys()
    assert check["process"] == -1 and {"error", "replay"} <= check.keys()
    assert "both got those of the base" in messages["inputs"]
    assert messages["sealed"] == "the two make other inputs"
    # A file that was cut short within the second process, and damaged, is continued.
    lines = found.file.read_bytes().splitlines(keepends=True)
    at = [row["process"] for row in pairs].index(1)
    found.file.write_bytes(b"".join([*lines[: at + 1], lines[at + 1][:50]]))
    again = compare(*two, processes=2, resume=found.file)
    assert {row["group"]: row["verdict"] for row in again.rows} == FOUND
    assert again.rows[0]["ratio"] == found.rows[0]["ratio"]
    assert again.problems == [
        f"{found.file}, line {at + 2}: not a row of nbfact results"
    ]
    row = found.rows[0]
    assert row["same_bits"] and len(row["ratio"]["samples"]) == 2
    assert row["error"] == {"base": 0.0, "head": 0.0, "bound": 1e-6}
    assert row["machine"]["name"] == machine.fingerprint(NBFACT)["name"]
    assert not found.rows[1]["same_bits"] and max(steps) <= 1
    assert found.base.digest != found.head.digest


def test_the_gate_writes_its_verdict_and_exits_by_it(two, monkeypatch, capsys):
    row = dict.fromkeys("ratio floor error allocations same_bits message".split())
    versions = [revisions.resolve(path, NBFACT) for path in two]

    def run(*found):
        rows = [{**row, "case": "x", "verdict": verdict} for verdict in found]
        made = comparison.Comparison(*versions, "pr", rows, "samples.jsonl", [])
        monkeypatch.setattr(gating, "compare", lambda *_, **__: made)
        code = gating.run_gate(NBFACT, *two, output="out/verdict.json")
        with open("out/verdict.json") as file:
            written = json.load(file)
        assert (written["exit"], written["cases"]) == (code, rows)
        assert written["head"]["digest"] == versions[1].digest
        return code, capsys.readouterr().out.splitlines()[-1]

    assert run("same") == (0, "gate: pass (0); verdict in out/verdict.json")
    assert run("same", "slower")[0] == 1
    assert run("slower", "missing")[0] == 2
    assert run("inconclusive")[0] == 3
    assert run("changed", "same")[0] == 2


def test_versions_that_cannot_be_imported_are_named(two, tmp_path, capsys):
    broken = package(tmp_path / "c", "import no_such_module\n")
    assert gating.run_compare(NBFACT, two[0], broken) == 2
    message = capsys.readouterr().err
    assert "cannot be read: ModuleNotFoundError" in message
    assert "no_such_module" in message


def test_wrong_usage(two):
    with pytest.raises(ValueError, match="profile 'pull'; expected one of quick, pr"):
        compare(*two, profile="pull")
    with pytest.raises(ValueError, match="processes 1: at least 2"):
        compare(*two, processes=1)
    store.append_rows("other.jsonl", [{"kind": "pair", "threads": 1}])
    with pytest.raises(ValueError, match=r"other.jsonl: no samples of these two"):
        compare(*two, resume="other.jsonl")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc"), reason="reads /proc")
def test_a_killed_comparison_keeps_its_samples_and_leaves_no_process(two, tmp_path):
    code = (
        "import sys\n"
        "from nbfact.cases.nbfact_project import NBFACT\n"
        "from nbfact.harness.versions.comparison import compare\n"
        "compare(NBFACT, *sys.argv[1:])"
    )
    running = subprocess.Popen([sys.executable, "-c", code, *two])
    pairs = []
    deadline = time.monotonic() + 60
    while len(pairs) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        if (tmp_path / "runs").is_dir():  # without files that are being written
            pairs, problems = store.read_rows(tmp_path / "runs")
            assert problems == []
    children = Path(f"/proc/{running.pid}/task").glob("*/children")  # of each thread
    left = [int(pid) for file in children for pid in file.read_text().split()]
    assert left
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
    assert not sharing.share(one, other)
    assert other.x is one.x and other.table["a"] is one.table["a"]
    assert other.listed[0] is not one.listed[0]
    assert sharing.share(one, inputs(3)) and not sharing.share(one, inputs(4))
    assert sharing.share(np.int64, np.int64)  # a class has nothing to share


@pytest.mark.parametrize("place", ["cases.registry", "bench.cases"])
def test_the_registry_is_found_where_a_version_has_it(tmp_path, place):
    path = tmp_path / "nbfact" / (place.replace(".", "/") + ".py")
    package(tmp_path, "here = True\n", path.relative_to(tmp_path / "nbfact"))
    name = f"nbfact_{place.replace('.', '_')}"
    try:
        module = aliases.load(place.replace(".", "_"), tmp_path / "nbfact")
        assert module.__name__ == name
        assert aliases.registry_of(module, NBFACT.registries).here
        with pytest.raises(ModuleNotFoundError, match="no registry"):
            aliases.registry_of(module, ("elsewhere",))
    finally:
        for loaded in [one for one in sys.modules if one.startswith(name)]:
            del sys.modules[loaded]


def test_versions_before_profiles_give_what_quick_ran():
    quick = SimpleNamespace(impl="nbfact", rival=False, name="q")
    rival = SimpleNamespace(impl="nbfact", rival=True, name="r")
    full = SimpleNamespace(impl="nbfact x", rival=False, name="f")
    other = SimpleNamespace(impl="scipy", rival=False, name="s")
    old = SimpleNamespace(
        registry=lambda quick_=False: [quick, rival] if quick_ else [quick, full, other]
    )
    assert list(alongside.chosen_cases(old, "pr", "nbfact")) == ["q"]
    assert sorted(alongside.every_case(old, "nbfact")) == ["f", "q"]


@pytest.fixture
def same(tmp_path, monkeypatch):
    """Lay out one version of one case, twice, and a cache of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = CASES + 'CASES = {"pr": [Case("equal", double)], "full": []}\n'
    return package(tmp_path / "a", text), package(tmp_path / "b", text)


def test_equal_sources_are_compared_only_when_asked_for(same, capsys):
    assert gating.run_compare(NBFACT, *same) == 2
    message = capsys.readouterr().err
    assert "have the same sources: nothing to compare" in message
    assert "--same" in message and len(message.splitlines()) == 1
    assert not os.path.exists("runs")


@pytest.mark.slow
def test_equal_sources_are_compared_in_runs(same, capsys):
    assert gating.run_compare(NBFACT, *same, same=True, processes=2) == 0
    assert "in runs" in capsys.readouterr().out


def test_a_gate_of_equal_sources_passes_and_says_why(same, capsys):
    assert gating.run_gate(NBFACT, *same, output="verdict.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "nothing to compare: base and head have the same sources"
    assert lines[1] == "gate: pass (0); verdict in verdict.json"
    with open("verdict.json") as file:
        written = json.load(file)
    assert (written["exit"], written["message"]) == (0, lines[0])
    assert (written["cases"], written["samples"]) == ([], None)


@pytest.mark.slow
def test_the_command_resumes_a_file_that_was_cut_short(same, tmp_path, monkeypatch):
    """The samples in the file are used, and those that are missing are added."""
    options = {"same": True, "processes": 2}
    assert gating.run_compare(NBFACT, *same, output=tmp_path / "r", **options) == 0
    first = store.read_rows(tmp_path / "r")[0]
    pairs = [row for row in first if row["kind"] == "pair"]
    lines = (tmp_path / "r").read_bytes().splitlines(keepends=True)
    (tmp_path / "r").write_bytes(lines[0] + lines[1])
    code = run_cli(
        monkeypatch, "compare", *same, "--same", "--resume", str(tmp_path / "r")
    )
    assert code == 0
    again = store.read_rows(tmp_path / "r")[0]
    assert again[:2] == pairs[:2] and {row["run"] for row in again} == {pairs[0]["run"]}
    measured = [row["process"] for row in again if row["kind"] == "pair"]
    assert sorted(measured[:6]) == list(range(-1, 5))  # two of them from the file
    verdict, _ = [row for row in again if row["kind"] == "verdict"]
    kept = {row["process"]: row for row in pairs[:2]}
    for process in kept.keys() - {-1}:
        ratio = float(f"{np.exp(kept[process]['logs']['head']):.5g}")
        assert verdict["ratio"]["samples"][process] == ratio


def run_cli(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["nbfact", *arguments])
    with pytest.raises(SystemExit) as exit_:
        app.main()
    return exit_.value.code


def test_the_default_base_and_head(monkeypatch, two):
    asked = []
    monkeypatch.setattr(revisions, "default_base", lambda project: "somewhere")

    def resolve(name, project):
        asked.append(name)
        raise ValueError(name)

    monkeypatch.setattr(revisions, "resolve", resolve)
    assert gating.run_compare(NBFACT) == 2
    assert gating.run_gate(NBFACT, "x") == 2
    assert asked == ["somewhere", "x"]
    with open("runs/gate.json") as file:
        written = json.load(file)
    assert (written["exit"], written["message"]) == (2, "x")
    assert written["cases"] == []
