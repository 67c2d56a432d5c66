"""The asv suite: it imports without running a kernel, and every class runs."""

import dataclasses
import importlib
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from samples import LATER

from nbfact.cases import registry as cases
from nbfact.harness.case import matches, task_name
from nbfact.harness.versions.asv_setup import asv_patterns

ROOT = Path(__file__).parent.parent
MODULES = sorted(path.stem for path in ROOT.glob("benchmarks/bench_*.py"))


def load(name):
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module(f"benchmarks.{name}")
    finally:
        sys.path.remove(str(ROOT))


common = load("common")
planted, CHANGES = load("planted"), load("planted_changes").CHANGES


def classes():
    """Yield (module, class) as asv discovers them: no leading underscore."""
    for name in MODULES:
        for key, value in vars(load(name)).items():
            if isinstance(value, type) and not key.startswith("_"):
                heavy = key.startswith(("Palm", "Butterfly", "Dct"))
                marks = [pytest.mark.compiled] if heavy else []
                if name == "bench_products":  # in single precision
                    marks.extend(LATER)
                yield pytest.param(value, id=f"{name}.{key}", marks=marks)


def benchmarks(cls):
    """Return the benchmarks of a class, by name."""
    names = [name for name in dir(cls) if name.startswith(("time", "track"))]
    return {name: getattr(cls, name) for name in names}


def points_of(benchmark):
    """Return the values with which asv calls a benchmark, without the holes."""
    if not hasattr(benchmark, "params"):
        return [()]
    every = itertools.product(*benchmark.params)
    return [values for values in every if values not in benchmark.skip_params]


def test_the_suite_is_found_and_small():
    found = [param.values[0] for param in classes()]
    every = {name for cls in found for name in benchmarks(cls)}
    assert len(found) >= 15
    assert {"time_apply", "time_to_tolerance", "timeraw_import"} <= every
    assert {"timeraw_first_call", "track_rel_error", "track_ratio_to_dense"} <= every
    assert {"track_allocs", "track_peak_bytes"} <= every
    assert len(found) == len({cls.__name__ for cls in found})
    assert all(isinstance(cls.version, str) for cls in found)
    count = {
        cls.__name__: sum(len(points_of(b)) for b in benchmarks(cls).values())
        for cls in found
    }
    assert count.pop("ColdStart") == 9  # two imports, and seven first calls
    total = sum(count.values())
    assert 97 <= total <= 160, f"{total} points; the profile pr is for every commit"


def test_axes_are_named_and_end_with_the_implementation():
    cls = load("bench_products").Hadamard
    assert cls.time_apply.param_names == ["n", "batch", "dtype", "impl"]
    # What is published is ours: neither NumPy nor SciPy has regressions here.
    assert all(impl.startswith("nbfact") for impl in cls.time_apply.params[-1])
    assert cls.time_apply.params[-1] == cls.track_ratio_to_dense.params[-1]
    ours = cls.track_rel_error.params[-1]
    assert all(impl.startswith("nbfact") for impl in ours)


def test_groups_of_few_combinations_have_an_axis_of_tasks():
    rows = [[500, 32, "x", "float64"], [8, 16, "y", "float64"], [9, 1, "z", "float64"]]
    axes = common.Axes({"names": ["m", "n", "sets", "dtype"], "impls": {"ours": rows}})
    chosen = axes.select(lambda point: point["m"] > 8)
    assert chosen["param_names"] == ["task", "impl"]
    assert chosen["params"][0] == [
        "m=500 n=32 sets=x float64",
        "m=9 n=1 sets=z float64",
    ]
    found = axes.find(("m=9 n=1 sets=z float64", "ours"))
    assert found == dict(m=9, n=1, sets="z", dtype="float64", impl="ours")


def test_the_points_are_those_of_the_registry():
    stored = json.loads(common.POINTS.read_text(encoding="utf-8"))
    assert json.loads(common.write_points()) == stored, "python -m benchmarks.common"
    assert list(stored) == list(cases.PROFILES)


def test_the_environment_names_the_profile(monkeypatch):
    monkeypatch.delenv("NBFACT_BENCH", raising=False)
    assert common.profile() == "pr"
    monkeypatch.setenv("NBFACT_BENCH", "quick")
    assert common.profile() == "quick"
    assert "Palm4msaErrorAgainstTime" in common.classes("x", lambda group, names: True)
    monkeypatch.setenv("NBFACT_BENCH", "fast")
    with pytest.raises(ValueError, match="NBFACT_BENCH=fast; expected one of quick"):
        common.profile()


@pytest.mark.compiled
def test_importing_the_suite_runs_no_kernel():
    imports = "; ".join(f"import benchmarks.{name}" for name in MODULES)
    code = (
        f"{imports}; import nbfact.kernels as k; "
        "kernels = [n for n in k.__all__ if not isinstance(getattr(k, n), type)]; "
        "print([n for n in kernels if getattr(k, n).signatures])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.usefixtures("one_thread")  # as asv.conf.json has it
@pytest.mark.parametrize("cls", list(classes()))
def test_every_class_runs(cls):
    found = benchmarks(cls)
    if any(name.startswith("timeraw") for name in found):
        return  # they run in a process of their own, in a test below
    # A case that most benchmarks have; the other cases are checked in test_bench.py.
    values = points_of(found.get("track_allocs") or next(iter(found.values())))[0]
    instance = cls()
    instance.setup(*values)
    for name, benchmark in found.items():
        if values in points_of(benchmark):
            got = getattr(instance, name)(*values)
            if name.startswith("time"):
                assert got is None
            else:  # for asv, less is better
                samples = got["samples"] if isinstance(got, dict) else [got]
                assert min(samples) > 0, name


def prepared(monkeypatch, case, **changes):
    """Return a benchmark of a case that is changed, not set up."""
    changed = dataclasses.replace(case, **changes)
    found = {common.key(case.group, case.params, case.impl): changed}
    monkeypatch.setattr(common, "installed", lambda: found)
    return load("bench_projections").ProjectSplin()


@pytest.mark.parametrize("factor", [0.0, float("nan")])
def test_a_wrong_result_fails(monkeypatch, factor):
    (case,) = [
        case for case in cases.registry("pr") if case.impl == "nbfact project_splin"
    ]
    wrong = {"prepare": lambda x: lambda: factor * case.prepare(x)()}
    values = (*case.params.values(), case.impl)
    prepared(monkeypatch, case).setup(*values)
    with pytest.raises(ValueError, match=r"project_splin n=256 .*: error .*, bound"):
        prepared(monkeypatch, case, **wrong).setup(*values)


@pytest.mark.parametrize("suite", [True, False])
def test_registries_of_older_commits_are_read(monkeypatch, suite):
    def registry(quick=False):
        return cases.registry("quick")[: 5 if quick else 9]

    old = SimpleNamespace(registry=registry)
    if suite:
        old.suite = lambda: cases.registry("pr")
    monkeypatch.setattr(common, "cases", old)
    common.installed.cache_clear()
    try:
        assert len(common.installed()) >= 9
        benchmark = load("bench_products").Dct()
        values = points_of(benchmark.track_allocs)[0]
        if suite:
            benchmark.setup(*values)
        else:
            with pytest.raises(NotImplementedError, match="no case dct"):
                benchmark.setup(*values)
    finally:
        common.installed.cache_clear()


def test_modules_are_found_where_a_version_of_nbfact_has_them(monkeypatch):
    old = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "nbfact.bench", SimpleNamespace(__path__=[]))
    monkeypatch.setitem(sys.modules, "nbfact.bench.cases", old)
    assert common.module_of("cases.registry", "bench.cases") is cases
    assert common.module_of("no_room.registry", "bench.cases") is old
    with pytest.raises(ModuleNotFoundError, match=r"nbfact\.no_room"):
        common.module_of("no_room.registry", "no_room.cases")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.title)
def test_planted_changes_are_of_files_and_names_that_exist(change):
    text = (ROOT / "nbfact" / change.path).read_text(encoding="utf-8")
    new = planted.changed(text, change)
    compile(new, change.path, "exec")
    assert all((ROOT / "nbfact" / path).is_file() for path, _ in change.also)
    assert new != text or not change.new
    for line in change.new.splitlines():
        if line.startswith("_right_"):
            name, _, method = line.split(" = ")[1].partition(".")
            heads = [f"\nclass {name}{end}" for end in "(:"]
            heads = heads if method else [f"\ndef {name}("]
            assert any(head in text for head in heads)
            assert not method or f"\n    def {method}(" in text
        elif line.startswith("def ") and not line.startswith("def _"):
            assert f"\n{line.partition('(')[0]}(" in text


def test_changes_that_are_planted_together_have_cases_in_one_turn():
    for run in {change.run for change in CHANGES}:
        together = [change for change in CHANGES if change.run == run]
        asked = {change.turn for change in together} - {None}
        assert len(asked) <= 1
        turn = max(asked, default=0)
        tasks = {case.task for case in cases.registry("pr", turn=turn)} | {"import"}
        for change in together:
            assert any(matches(task, change.about) for task in tasks), change.title


def test_the_expressions_of_history_select_the_points_of_a_task():
    """The name in asv of each point is matched by the task of the point alone."""
    folder = ROOT / "benchmarks"
    found = set()
    for param in classes():
        cls = param.values[0]
        for name, benchmark in benchmarks(cls).items():
            for values in points_of(benchmark) if hasattr(cls, "axes") else []:
                shown = f"{cls.__module__}.{cls.__name__}.{name}"
                shown += f"({', '.join(map(repr, values))})"
                point = cls.axes.find(values)
                params = {k: v for k, v in point.items() if k != "impl"}
                found.add((task_name(cls.group, params), shown))
    assert len(found) > 90
    for task in {task for task, _ in found}:
        expressions = asv_patterns(task, folder, "pr")
        for other, shown in found:
            selected = any(re.search(one, shown) for one in expressions)
            assert selected == (task in other), (task, shown)


@pytest.mark.compiled
@pytest.mark.parametrize(
    "name",
    [
        "timeraw_import",
        *(
            pytest.param(f"timeraw_{name}", marks=pytest.mark.slow)
            for name in (
                *("first_call", "butterfly_columns", "palm4msa", "hierarchical"),
                *("learn_transform", "dct", "quick_kmeans"),
            )
        ),
    ],
)
def test_what_a_new_process_runs_is_code(name):
    statement, setup = getattr(load("bench_coldstart").ColdStart(), name)()
    code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{setup}\n{statement}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_configuration_pins_what_must_be():
    text = re.sub(r"^\s*//.*$", "", (ROOT / "asv.conf.json").read_text(), flags=re.M)
    requirements = json.loads(text)["matrix"]["req"]
    assert requirements["pip+asv_runner"] == ["0.2.5"]
    assert all(version != [""] for version in requirements.values())
