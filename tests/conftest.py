"""Fixtures and settings that all tests share."""

import gc
import os
import signal
import sys

# Before numba is imported: on a busy machine a spinning barrier costs milliseconds.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba
import pytest


@pytest.fixture(scope="module", autouse=True)
def few_objects_to_collect():
    """Hide the objects made so far from the garbage collector.

    Numba and the test items leave millions of objects that live until the end. The
    harness collects garbage before each measurement, and a collection would visit all
    of them: half a second each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def interrupts():
    """Install Python's own handler of SIGINT, also where the shell ignores the signal.

    A shell without job control starts its background jobs with SIGINT ignored. A test
    that raises the signal would then wait for an exception that never comes.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def one_thread():
    """Run with one BLAS thread, as the commands do.

    On a machine whose cores are busy, two threads wait for one another.
    """
    pytest.importorskip("threadpoolctl")
    from nbfact.harness.measure import limited_threads

    with limited_threads(1):
        yield


@pytest.fixture(scope="module")
def client():
    """Yield a client of a cluster of two worker processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",  # None means port 8787, which may be in use
            silence_logs=50,  # the tests kill workers, and each loss would be logged
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def on_cluster(client):
    """Make the cluster of `client` the scheduler that dask uses by default."""
    import dask

    with client.as_current(), dask.config.set(scheduler="distributed"):
        yield client


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Skip the tests marked `compiled` when NUMBA_DISABLE_JIT is set.

    Otherwise mark `slow` scikit-learn's check of an estimator in all dtypes, because it
    compiles single precision, and its checks of the factorizers that are not default.
    """
    skip = pytest.mark.skip(reason="too slow interpreted, or about compilation")
    for item in items:
        if numba.config.DISABLE_JIT and "compiled" in item.keywords:
            item.add_marker(skip)
        elif "-check_estimators_dtypes" in item.name or "(factorizer=" in item.name:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty directory; return its code, output and errors."""
    from nbfact.cli import app as cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nbfact", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return exit_.value.code, out, err

    return run


@pytest.fixture
def hearing_ctrl_c():
    """Let Ctrl-C raise KeyboardInterrupt, which it does not in a background job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def eager(monkeypatch):
    """Share all work among threads, however little there is."""
    from nbfact._core import threads

    monkeypatch.setattr(threads, "LEAST_WORK", 1)
    monkeypatch.setattr(threads, "LEAST_PART", threads.COLUMNS)


@pytest.fixture
def ranges(monkeypatch):
    """Record how many ranges each call was shared among."""
    from nbfact._core import threads

    found, share = [], threads._Team.share

    def recorded(self, parts, *rest):
        found.append(parts)
        return share(self, parts, *rest)

    monkeypatch.setattr(threads._Team, "share", recorded)
    return found
