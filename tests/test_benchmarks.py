"""The asv suite: it imports without running a kernel, and every benchmark runs."""

import importlib
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(path.stem for path in ROOT.glob("benchmarks/bench_*.py"))


def load(name):
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module(f"benchmarks.{name}")
    finally:
        sys.path.remove(str(ROOT))


def classes():
    """Yield (module, class) as asv discovers them: no leading underscore."""
    for name in MODULES:
        for key, value in vars(load(name)).items():
            if isinstance(value, type) and not key.startswith("_"):
                heavy = key.startswith(("Palm", "Butterfly"))
                marks = [pytest.mark.compiled] if heavy else []
                yield pytest.param(value, id=f"{name}.{key}", marks=marks)


def methods(cls, *kinds):
    return [name for name in dir(cls) if name.startswith(kinds)]


def test_the_suite_is_found():
    found = [param.values[0] for param in classes()]
    every = {name for cls in found for name in methods(cls, "time", "track")}
    assert len(found) >= 10
    assert {"time_product", "time_step", "timeraw_import"} <= every
    assert {"track_rel_error", "track_ratio_to_dense"} <= every


@pytest.mark.compiled
def test_importing_the_suite_runs_no_kernel():
    imports = "; ".join(f"import benchmarks.{name}" for name in MODULES)
    code = (
        f"{imports}; import nbfact.kernels as k; "
        "print([n for n in k.__all__ if getattr(k, n).signatures])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.usefixtures("one_thread")  # as asv.conf.json has it
@pytest.mark.parametrize("cls", list(classes()))
def test_every_benchmark_runs_once(cls):
    assert cls.version
    timed, tracked = methods(cls, "time_"), methods(cls, "track_")
    if methods(cls, "timeraw_"):  # for a process of their own: see below
        return
    assert timed or tracked
    seen = set()
    for values in itertools.product(*cls.params):
        if values[-1] in seen:  # one size of each implementation
            continue
        seen.add(values[-1])
        benchmark = cls()
        benchmark.setup(*values)
        for name in timed:
            assert getattr(benchmark, name)(*values) is None
        for name in tracked:
            got = getattr(benchmark, name)(*values)
            samples = got["samples"] if isinstance(got, dict) else [got]
            assert min(samples) > 0, name  # asv reads less as better


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["timeraw_import", "timeraw_first_call"])
def test_what_a_new_process_runs_is_code(name):
    statement, setup = getattr(load("bench_coldstart").ColdStart(), name)()
    code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{setup}\n{statement}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_configuration_pins_what_must_be():
    text = re.sub(r"^\s*//.*$", "", (ROOT / "asv.conf.json").read_text(), flags=re.M)
    requirements = json.loads(text)["matrix"]["req"]
    assert requirements["pip+asv_runner"] == ["0.2.5"]
    assert all(version != [""] for version in requirements.values())
