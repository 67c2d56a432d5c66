"""Set-up shared by all tests."""

import os

# Before numba is imported: on a busy machine a spinning barrier costs milliseconds.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba
import pytest


@pytest.fixture
def one_thread():
    """Run with one BLAS thread, as the command does; on busy cores two are slow."""
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
            dashboard_address=None,
            silence_logs=50,  # a worker that is killed is reported
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def on_cluster(client):
    """Make the cluster the one that dask uses."""
    import dask

    with client.as_current(), dask.config.set(scheduler="distributed"):
        yield client


def pytest_collection_modifyitems(items):
    """Skip the tests marked `compiled` when nothing is compiled."""
    if not numba.config.DISABLE_JIT:
        return
    skip = pytest.mark.skip(reason="too slow interpreted, or about compilation")
    for item in items:
        if "compiled" in item.keywords:
            item.add_marker(skip)
