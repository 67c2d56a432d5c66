"""The harness measures any project: the example of docs/own_kernels, and small ones."""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_run import CALIBRATION

from nbfact.cli import app
from nbfact.harness import Case, Project, calibration, calling, register, run
from nbfact.harness.case import epsilon
from nbfact.harness.case_module import find_project
from nbfact.harness.registered import registered
from nbfact.harness.versions import (
    comment,
    comparison,
    gating,
    revisions,
    verdicts,
)

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "own_kernels"

KERNELS = """
import threading, otherpkg.helper
from otherpkg import helper as h
import otherpkg

def double(x):
    import otherpkg.helper as late
    assert late is h is otherpkg.helper
    return h.add(x, x)
"""
BENCH = """
import numpy as np
from nbfact.harness import Case, Project, calling, register
from .kernels import double

PROJECT = Project("otherpkg", slowdown=1e9)

register(
    Case(
        group="twice", impl="otherpkg", params={"n": 3, "dtype": "int64"},
        make=lambda rng: rng.integers(0, 9, 3), prepare=calling(double),
        reference=lambda x: x + x, bound=0.0,
    ),
    Case(
        group="half", impl="numpy", params={"n": 3, "dtype": "float64"},
        make=lambda rng: rng.standard_normal(3), prepare=calling(lambda x: x / 2),
        reference=lambda x: x * np.longdouble(0.5), bound=1e-15,
    ),
)
"""


def write(folder, text=BENCH, version="1"):
    """Write a version of a package of another project, and return the folder."""
    package = folder / "otherpkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (package / "helper.py").write_text("def add(x, y):\n    return x + y\n")
    (package / "kernels.py").write_text(KERNELS)
    if text:
        (package / "bench.py").write_text(text)
    return folder


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Make a package in the current directory, which no other test imports."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(verdicts, "BLIND", 1e9)
    monkeypatch.chdir(write(tmp_path / "other"))
    importlib.invalidate_caches()
    yield tmp_path / "other"
    for name in [one for one in sys.modules if one.startswith("otherpkg")]:
        del sys.modules[name]


def nbfact(*arguments, folder):
    """Run the command in a process of its own; return its exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "nbfact", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_module_of_cases_is_named_in_three_ways(other, monkeypatch):
    by_module, by_file = (
        find_project("otherpkg.bench"),
        find_project("otherpkg/bench.py"),
    )
    for found in (by_module, by_file):
        assert (found.name, found.version, found.slowdown) == ("otherpkg", "1", 1e9)
        assert (found.module, found.registries) == ("otherpkg.bench", ("bench",))
        assert found.file == other / "otherpkg" / "bench.py"
    assert by_module.command("bench") == "nbfact bench --cases otherpkg.bench"
    assert "otherpkg" not in sys.modules  # it is found without being imported
    point = importlib.metadata.EntryPoint("mine", "otherpkg.bench", "nbfact.cases")
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group, name: [point][name != "mine" :],
    )
    assert find_project("mine").module == "otherpkg.bench"
    names = [case.name for case in by_module.cases("pr")()]
    assert names == ["twice n=3 int64 [otherpkg]", "half n=3 float64 [numpy]"]


def test_cases_outside_the_package_say_whose_they_are(other, tmp_path):
    outside = tmp_path / "some_cases.py"
    outside.write_text(BENCH.replace("from .kernels", "from otherpkg.kernels"))
    found = find_project(str(outside))
    assert (found.name, found.module) == ("otherpkg", "some_cases")
    base = revisions.resolve(str(other), found)
    assert found.registries == ("_nbfact_cases",)
    assert b"from otherpkg.kernels" in base.files["_nbfact_cases.py"]


MISTAKES = {
    "x = 1\n": "in no package.*PROJECT",
    "PROJECT = Project(NAME)\n": r"line 1: PROJECT is read before .* \(NameErr",
    "PROJECT = 3\n": "PROJECT is no Project",
    "PROJECT = Project('a-b')\n": "expected the name of a package",
    "PROJECT = Project('ab', slowdown=-1)\n": "slowdown=-1; expected a number above 0",
    "def (\n": "invalid syntax",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_module_of_cases_is_named(tmp_path, text, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])
    (tmp_path / "alone.py").write_text(text)
    with pytest.raises(ValueError, match=MISTAKES[text]):
        find_project(str(tmp_path / "alone.py"))


def test_a_module_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        find_project(str(tmp_path / "none.py"))
    with pytest.raises(ValueError, match=r"no\.such: no such module, file or entry"):
        find_project("no.such")


def case(**changes):
    options = {
        "group": "g",
        "impl": "p",
        "params": {"dtype": "float64"},
        "make": lambda rng: 1,
        "prepare": calling(float),
        "reference": float,
        "bound": 0.0,
    }
    return Case(**{**options, **changes})


def test_registered_cases_belong_to_the_module_that_registers_them():
    register(case(), profiles=("full",))
    register(case(group="h"))
    assert [one.group for one in registered(__name__)] == ["g", "h"]
    assert [one.group for one in registered(__name__, "pr")] == ["h"]
    with pytest.raises(ValueError, match=r"has a case 'g float64 \[p\]' already"):
        register(case())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"params": {"n": 3}}, "params has no dtype"),
        ({"params": {"dtype": "float65"}}, "params has no dtype"),
        ({"bound": float("nan")}, "bound=nan"),
        ({"slowdown": 0.0}, "slowdown=0.0; expected a number above 0"),
        ({"looser": 0.5}, "looser=0.5; expected a number of at least 1"),
    ],
)
def test_a_case_checks_itself(changes, message):
    with pytest.raises(ValueError, match=message):
        case(**changes)


def test_results_of_integers_are_compared_exactly():
    one = case(params={"dtype": "uint8"})
    got, want = np.array([0, 3], np.uint8), np.array([1, 3], np.uint8)
    assert one.error(want, want) == 0.0
    assert one.error(got, want) == pytest.approx(1 / np.sqrt(10))
    assert epsilon("uint8") == 0.0 and epsilon("complex64") == epsilon("float32") > 0


def test_a_case_has_tolerances_of_its_own():
    slow, control = [0.10] * 8, [0.0] * 8
    assert verdicts.speed(slow, control) == "slower"
    assert verdicts.speed(slow, control, 0.2) == "same"
    assert verdicts.settle([(slow, control)] * 2, 0.2) == ("same", True)
    assert verdicts.settle([(slow, control)] * 2, 0.02) == ("slower", True)
    assert verdicts.accuracy(1e-10, 3e-10, 1e-6, 1e-16) is None
    assert "at most 2.0e-10" in verdicts.accuracy(1e-10, 3e-10, 1e-6, 1e-16, 2.0)


def test_the_names_of_cases_are_listed_one_a_line(other, capsys, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nbfact", "bench", "--list", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code, capsys.readouterr().out

    options = ("--cases", "otherpkg.bench")
    both = "twice n=3 int64 [otherpkg]\nhalf n=3 float64 [numpy]\n"
    assert run(*options) == run(*options, "-k", "twi", "-k", "half") == (0, both)
    assert run(*options, "-k", "half") == (0, "half n=3 float64 [numpy]\n")
    assert json.loads(run(*options, "--json")[1])["cases"] == both.splitlines()
    assert run(*options, "-k", "none")[0] == 2


@pytest.mark.slow
def test_a_project_with_absolute_imports_is_compared(other, tmp_path):
    head = write(tmp_path / "head", BENCH, version="2")
    helper = head / "otherpkg" / "helper.py"
    helper.write_text("def add(x, y):\n    return x + y + (x > 4)\n")
    project = find_project("otherpkg.bench")
    found = comparison.compare(project, str(other), str(head), processes=2)
    twice, imported = found.rows
    name = "twice n=3 int64 [otherpkg]"
    assert (twice["case"], twice["verdict"]) == (name, "less accurate")
    assert twice["threshold"] == 1e9
    assert imported["case"] == "import otherpkg"
    assert (found.base.version, found.head.version) == ("1", "2")


def test_json_alone_is_printed_where_it_is_asked_for(other, monkeypatch, capsys):
    monkeypatch.setattr(calibration, "calibrate", lambda *_: CALIBRATION)
    project = find_project("otherpkg.bench")
    assert run.run_bench(project, "quick", "half", as_json=True) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["exit"] == 0 and "all results right" in err
    (row,) = found["rows"]
    assert row["case"] == "half n=3 float64 [numpy]" and row["roof"] is None
    assert run.run_bench(project, "quick", ["no", "none"], as_json=True) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["message"].startswith("no case matches -k 'no' -k 'none'; groups:")
    same = str(other), str(other)
    for command, code in ((gating.run_gate, 0), (gating.run_compare, 2)):
        assert command(project, *same, as_json=True) == code
        found = json.loads(capsys.readouterr().out)
        assert found["exit"] == code and "same sources" in found["message"]


ROW = {
    "case": "sort n=8 float64 [p]",
    "verdict": "same",
    "ratio": {"median": 1.2, "low": 1.1, "high": 1.3},
    "error": {"base": 1e-9, "head": None},
    "message": None,
    "threads": 1,
    "machine": {"cpu": "AMD", "versions": {"numba": "1"}},
}


def test_the_comment_shows_what_changed_and_folds_the_rest():
    about = {"name": "main", "commit": "a" * 40, "dirty": True}
    waived = {**ROW, "verdict": "changed", "waived": "for <b> | @me"}
    rows = [ROW, {**ROW, "verdict": "faster"}, {**ROW, "verdict": "slower"}, waived]
    found = {"exit": 1, "message": None, "base": about, "head": about, "cases": rows}
    text = comment.comment_of(Project("p"), found)
    assert text.splitlines()[0] == "<!-- nbfact gate: p -->"
    assert "### `p`: regression" in text and "`main` (aaaaaaaaaa+)" in text
    shown, folded = text.split("<details>")
    order = [
        shown.index(word) for word in ("changed, waived", "**slower**", "| faster")
    ]
    assert order == sorted(order) and "1.20 (1.10 to 1.30)" in shown
    assert r"for &lt;b> \| &#64;me" in shown and "1e-09 → not finite" in shown
    assert "1 other case<" in folded and "| same |" in folded
    many = comment.comment_of(Project("p"), {**found, "cases": rows * 2000})
    assert len(many) < 65536 and "7980 other cases are in the file" in many


def test_no_algorithm_is_imported_for_another_project(other):
    code = (
        "import sys\n"
        "sys.argv = ['nbfact', 'bench', '--cases', 'otherpkg.bench', '--list']\n"
        "from nbfact.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n"
        "    rooms = {name.split('.')[1] for name in sys.modules if "
        "name.startswith('nbfact.')}\n"
        "    assert rooms <= {'cli', 'harness', '_core'}, rooms\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=other, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("twice")


@pytest.mark.pages
@pytest.mark.slow
@pytest.mark.compiled
def test_the_example_of_the_page_finds_the_slow_and_the_wrong_change(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", sys.path[:])
    base, head = tmp_path / "ripple", tmp_path / "changed"
    for folder in (base, head):
        shutil.copytree(EXAMPLE, folder)
    patches = [head / "slow.patch", head / "wrong.patch"]
    subprocess.run(["git", "apply", *patches], cwd=head, check=True)
    code, out, err = nbfact("bench", "--cases", "ripple.bench", "--quick", folder=base)
    assert code == 0 and "all results right" in out, out + err
    monkeypatch.chdir(base)
    found = comparison.compare(
        find_project("ripple.bench"),
        str(base),
        str(head),
        pattern=["distances", "mean n=1000 ", "smoothing"],
        processes=3,
    )
    verdict = {row["group"]: row["verdict"] for row in found.rows}
    assert verdict["distances"] == "slower"
    assert verdict["moving mean"] == "less accurate"
    assert verdict["smoothing"] not in verdicts.AGAINST
