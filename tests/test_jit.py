"""The compilation cache gives no kernel that is stale, and none of another kind."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config

from nbfact.kernels import _jit

PACKAGE = Path(__file__).parents[1] / "nbfact"
CALLEE = """
from ._jit import kernel

@kernel
def second(x):
    return x[1] + 1.0
"""
CALLER = """
from ._jit import kernel
from .callee import second

@kernel
def caller(x):
    return second(x)
"""
WITH_A_TUPLE = """
from typing import NamedTuple
import numpy as np
from ._jit import kernel
class {name}(NamedTuple):
    x: np.ndarray

@kernel
def first(pair):
    return pair.x[0]

def caller(x):
    return first({name}(x))
caller.stats = first.stats
"""
RUN = """
import numpy as np
from nbfact.kernels.caller import caller
print(caller(np.arange(9.0)[:{length}]), sum(caller.stats.cache_hits.values()))
"""


@pytest.fixture
def project(tmp_path):
    """Return a copy of the package with a kernel that calls another one."""
    copy = shutil.copytree(
        PACKAGE, tmp_path / "nbfact", ignore=shutil.ignore_patterns("__pycache__")
    )
    (copy / "__init__.py").write_text("")
    (copy / "kernels" / "__init__.py").write_text("")
    (copy / "kernels" / "callee.py").write_text(CALLEE)
    (copy / "kernels" / "caller.py").write_text(CALLER)
    return copy


def run(project, length=9, check=True, **settings):
    """Run the caller in a process of its own; return what it printed."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    env |= {"NUMBA_CACHE_DIR": str(project.parent / "cache"), **settings}
    env |= {"PYTHONPATH": str(project.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(length=length)],
        env=env,
        cwd=project.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.split() if check else done.stderr


@pytest.mark.slow
@pytest.mark.compiled
def test_a_cached_caller_follows_its_callee(project):
    assert run(project) == ["2.0", "0"]
    assert run(project) == ["2.0", "1"], "the second process reads the cache"
    callee = project / "kernels" / "callee.py"
    callee.write_text(CALLEE.replace("+ 1.0", "+ 2.0"))
    assert run(project) == ["3.0", "0"]
    assert run(project) == ["3.0", "1"]


@pytest.mark.slow
@pytest.mark.compiled
def test_a_cache_that_names_a_class_which_is_gone_is_stale(project):
    """Numba unpickles the index, classes and all, before it looks at the stamp."""
    caller = project / "kernels" / "caller.py"
    caller.write_text(WITH_A_TUPLE.format(name="Old"))
    assert run(project) == ["0.0", "0"]
    assert run(project) == ["0.0", "1"]
    caller.write_text(WITH_A_TUPLE.format(name="New"))
    assert run(project) == ["0.0", "0"]
    assert run(project) == ["0.0", "1"]


@pytest.mark.compiled
def test_all_kernels_are_serial_and_release_the_gil():
    """Threads of Python share them: no kernel starts the threads of Numba."""
    for path in sorted((PACKAGE / "kernels").glob("*.py")):
        module = importlib.import_module(f"nbfact.kernels.{path.stem}")
        for name, found in vars(module).items():
            options = getattr(found, "targetoptions", {"nogil": True})
            assert not options.get("parallel", False) and options["nogil"], name


@pytest.mark.compiled
def test_bounds_are_checked_on_a_warm_cache(project):
    # The array of one entry is a view of a longer one, so that reading a second entry
    # is safe, and wrong.
    assert run(project, length=1) == ["2.0", "0"]
    assert "IndexError" in run(project, 1, check=False, NUMBA_BOUNDSCHECK="1")


@pytest.mark.compiled
def test_kernels_compile_where_nothing_is_writable(project):
    (project / "kernels" / "__pycache__").write_text("not a directory")
    nowhere = {"NUMBA_CACHE_DIR": os.devnull, "HOME": os.devnull}
    nowhere |= {"XDG_CACHE_HOME": os.devnull, "LOCALAPPDATA": os.devnull}
    assert run(project, **nowhere) == ["2.0", "0"]


def test_the_stamp_tells_options_apart(monkeypatch):
    def function():
        pass

    plain = {"nogil": True, "error_model": "numpy", "fastmath": False}
    fast = plain | {"fastmath": set(_jit.REASSOC)}
    stamps = [_jit._stamp(function, options) for options in (plain, fast)]
    monkeypatch.setattr(config, "BOUNDSCHECK", 1)
    stamps.append(_jit._stamp(function, plain))
    function.__module__ = "another_name_of_the_package.kernels"
    stamps.append(_jit._stamp(function, plain))
    assert len({repr(stamp) for stamp in stamps}) == len(stamps)
    assert _jit._stamp(function, plain) == stamps[-1]
