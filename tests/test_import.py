"""Importing nbfact compiles nothing, prints nothing, and changes no settings."""

import os
import subprocess
import sys

IMPORT = """
import os, sys
import numba, scipy.fft, scipy.io, scipy.sparse.linalg
environment = dict(os.environ)  # SciPy may bring threadpoolctl, which adds to it
from numba.core import event
threads, loaded = numba.get_num_threads(), set(sys.modules)
recorder = event.RecordingListener()
event.register("numba:compile", recorder)
import nbfact, nbfact.kernels, nbfact.metrics, nbfact.targets
assert not recorder.buffer, recorder.buffer
assert dict(os.environ) == environment
assert numba.get_num_threads() == threads
extras = {"asv", "dask", "pytest", "rich", "sklearn", "threadpoolctl", "typer"}
brought = extras & (set(sys.modules) - loaded)
assert not brought, brought
if not numba.config.DISABLE_JIT:  # the recorder does see a compilation
    numba.njit(lambda: 1)()
    assert recorder.buffer
"""
THREADS = """
import numba, numpy, scipy.fft, scipy.io, scipy.linalg, scipy.sparse.linalg
import threadpoolctl
before = threadpoolctl.threadpool_info()
import nbfact
after = threadpoolctl.threadpool_info()
changed = [pool for pool in before + after if (pool in before) != (pool in after)]
assert after == before, changed
"""
LAZY = """
import sys
import numba, scipy.io, scipy.linalg, scipy.sparse.linalg
loaded = set(sys.modules)
import nbfact
slow = {"scipy.fft", "scipy.optimize", "scipy.stats"}
brought = slow & (set(sys.modules) - loaded)
assert not brought, brought
"""
WITHOUT = """
import sys
sys.modules["sklearn"] = None  # as if it were not installed
import nbfact
try:
    import nbfact.estimators
except ModuleNotFoundError as error:
    assert 'pip install "nbfact[estimators]"' in str(error), error
else:
    raise AssertionError("imported")
"""


def run(code, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout + done.stderr
    assert not list(folder.iterdir())


def test_import_is_silent_and_compiles_nothing(tmp_path):
    run(IMPORT, tmp_path)


def test_import_writes_no_file(tmp_path, monkeypatch):
    """Numba's ``cache=True`` tries where it may write, once for each kernel."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    run("import nbfact", tmp_path)


def test_import_leaves_slow_modules_to_the_calls_that_need_them(tmp_path):
    run(LAZY, tmp_path)


def test_import_leaves_the_threads_alone(tmp_path):
    run(THREADS, tmp_path)


def test_estimators_say_what_brings_scikit_learn(tmp_path):
    run(WITHOUT, tmp_path)
