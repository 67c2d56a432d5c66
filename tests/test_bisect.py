"""``nbfact bisect``: the commit that made a case worse, in small repositories."""

import math
import subprocess
import sys
import types

import pytest

from nbfact.cli import app
from nbfact.harness.project import Project
from nbfact.harness.versions import bisect_table, bisecting, candidates
from nbfact.harness.versions.alongside import BASE, HEAD, NO_CASE
from nbfact.harness.versions.version_processes import VersionProcesses

TINY = Project("tiny", "1", ("cases",), ("all",))

CASES = """
import numpy as np
from nbfact.harness.case import Case
from . import double


def registry(profile):
    return [
        Case(name, "tiny", {"n": 3, "dtype": "float64"}, lambda rng: rng.normal(size=3),
             lambda x: lambda: double(x), lambda x: 2 * x, 1e-3, 1, 1, None)
        for name in names
    ]


PROFILES = ("all",)
"""
GOOD = "def double(x):\n    return x + x\n"
WORSE = "def double(x):\n    return x * (2 + 1e-6)\n"
FAILS = "def double(x):\n    raise ArithmeticError('no luck')\n"


def git(*arguments):
    names = ("-c", "user.name=x", "-c", "user.email=x@x.org")
    done = subprocess.run(["git", *names, *arguments], check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def commit(tmp_path, monkeypatch):
    """Make a repository the current directory; return what commits to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    git("init", "-q", "-b", "main")
    (tmp_path / "tiny").mkdir()

    def add(subject, source=None, names=("doubles",), file="__init__.py"):
        (tmp_path / "tiny" / "cases.py").write_text(f"names = {names}\n" + CASES)
        if source is not None:
            (tmp_path / "tiny" / file).write_text(f"# {subject}\n{source}")
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", subject)
        return git("rev-parse", "HEAD")

    return add


@pytest.fixture
def stubbed(monkeypatch):
    """Replace the processes by what a version's sources say of it."""

    def ratio(revision):
        return float(revision.files["__init__.py"].decode().split("# ")[1].split()[0])

    def measured(self, roles, names, checking):
        base, head = (ratio(self.versions[role]) for role in (BASE, HEAD))
        row = {"case": names[0], "failed": {}, "changed": False}
        if head < 0:
            row["failed"] = {HEAD: NO_CASE}
        noise = (hash(roles) % 5 - 2) / 100
        by = dict.fromkeys(roles, noise) | {HEAD: math.log(abs(head / base))}
        same = {role: {"count": 0, "peak": 0, "resident": None} for role in roles}
        row |= {"bits": {}, "repeats": dict.fromkeys(roles, True)}
        row |= {"first": dict.fromkeys(roles, (0, 0)), "replay": dict.fromkeys(roles)}
        errors = dict.fromkeys(roles, 1e-16)
        row |= {"logs": by, "walls": None, "error": errors, "allocations": same}
        yield row

    def lines(self, roles, names):
        case = {"bound": 1e-9, "params": {"dtype": "float64"}, "task": "t"}
        lenient = {**case, "slowdown": 0.5}
        yield {"every": {"t [tiny]": case, "lenient [tiny]": lenient}}

    monkeypatch.setattr(VersionProcesses, "measured", measured)
    monkeypatch.setattr(VersionProcesses, "lines", lines)


def times(commit, *values):
    """Commit versions whose times are these; return their hashes."""
    return [commit(f"{value} of time", GOOD) for value in values]


def test_the_commit_that_made_a_case_slower_is_found(commit, stubbed, capsys):
    hashes = times(commit, *[1.0 + i / 1000 for i in range(12)], 1.3, 1.31, 1.32)
    found = bisecting.bisect(TINY, "t [tiny]", "HEAD", hashes[0])
    assert [c.name for c in found.suspects] == [hashes[12]]
    looked = [c for c in found.commits if c.state]
    assert len(looked) <= 5 and found.metric == "time"
    assert found.ratio["median"] == pytest.approx(1.3 / 1.011)
    assert bisect_table.run_bisect(TINY, "t [tiny]", "HEAD", hashes[0]) == 0
    printed = capsys.readouterr().out
    assert hashes[12] in printed and "1.286" in printed and "1.32" in printed


def test_a_case_is_judged_by_its_own_limits(commit, stubbed):
    hashes = times(commit, 1.0, 1.01, 1.2)
    with pytest.raises(candidates.NothingWorseError, match="lenient"):
        bisecting.bisect(TINY, "lenient [tiny]", "HEAD", hashes[0])
    worse = times(commit, 1.6)
    found = bisecting.bisect(TINY, "lenient [tiny]", "HEAD", hashes[0])
    assert [c.name for c in found.suspects] == worse


def test_commits_without_the_case_are_skipped(commit, stubbed, capsys):
    hashes = times(commit, 1, 1.01, 1, -1, -1.001, -1.002, 1.5, 1.5001, 1.5002)
    found = bisecting.bisect(TINY, "t [tiny]", "HEAD", hashes[0])
    assert [c.name for c in found.suspects] == hashes[3:7]
    assert [c.state for c in found.suspects] == ["skipped"] * 3 + ["bad"]
    assert bisect_table.run_bisect(TINY, "t [tiny]", "HEAD", hashes[0]) == 1
    assert NO_CASE in capsys.readouterr().out


def test_uncommitted_changes_are_the_last_suspect(commit, stubbed, tmp_path):
    hashes = times(commit, 1, 1.01, 1.02)
    (tmp_path / "tiny" / "__init__.py").write_text("# 1.4 of time\n")
    found = bisecting.bisect(TINY, "t [tiny]", None, hashes[0])
    assert [c.name for c in found.suspects] == ["worktree"]


def test_what_cannot_be_searched_is_said(commit, stubbed, capsys):
    hashes = times(commit, 1, 1.01, 1.02)
    assert bisect_table.run_bisect(TINY, "t [tiny]", "HEAD", hashes[0]) == 3
    assert "not worse" in capsys.readouterr().out
    commit("nothing of the package changes")
    assert bisect_table.run_bisect(TINY, "t [tiny]", "HEAD", hashes[2]) == 3
    bisect = bisecting.bisect
    for words, arguments in {
        "2 of .* match; expected one": ("tiny", "HEAD", hashes[0]),
        "0 of .* match": ("none", "HEAD", hashes[0]),
        "no ancestor": ("t [tiny]", hashes[0], "HEAD"),
        "neither a commit": ("t [tiny]", "HEAD", str(TINY)),
    }.items():
        with pytest.raises(ValueError, match=words):
            bisect(TINY, *arguments)
    with pytest.raises(ValueError, match="metric 'speed'; expected one of works"):
        bisect(TINY, "t [tiny]", "HEAD", hashes[0], metric="speed")


@pytest.mark.slow
def test_errors_and_failures_are_found_in_real_processes(commit, capsys):
    first = commit("start", GOOD)
    commit("a comment", GOOD + "# more\n")
    worse = commit("worse", WORSE)
    commit("gone for a while", WORSE + "# x\n", names=("other",))
    fails = commit("fails", FAILS)
    commit("still fails", FAILS + "# y\n")
    found = bisecting.bisect(TINY, "doubles", "HEAD", first)
    assert (found.metric, found.suspects[-1].name) == ("works", fails)
    assert bisect_table.run_bisect(TINY, "doubles", worse, first) == 0
    printed = capsys.readouterr().out
    assert worse in printed and "5.0e-07" in printed
    with pytest.raises(ValueError, match=r"cannot run doubles.*no luck"):
        bisecting.bisect(TINY, "doubles", "HEAD", fails)


def test_the_command_passes_its_arguments_on(monkeypatch):
    calls: list = []
    fake = types.SimpleNamespace(run_bisect=lambda *a, **k: calls.append((a, k)) or 3)
    monkeypatch.setitem(sys.modules, "nbfact.harness.versions.bisect_table", fake)
    monkeypatch.setattr("sys.argv", ["nbfact", "bisect", "fwht", "--metric", "error"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    (project, *names), options = calls[0]
    assert (ended.value.code, project.name) == (3, "nbfact")
    assert names == ["fwht", None, None]
    assert options == {"metric": "error", "threads": 1}
