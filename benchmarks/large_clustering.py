"""Cluster a million points in blocks, on a local cluster whose memory is limited.

``python benchmarks/large_clustering.py [points] [features] [clusters] [workers]``
prints the time of the fit, its inertia beside that of scikit-learn's MiniBatchKMeans on
the same blocks, and the largest memory of a worker. Blocks are drawn anew in each pass,
so that no worker ever holds the points. It needs
``pip install "nbfact[dask,estimators]"``.
"""

import resource
import sys
import time
from typing import Any

import numpy as np

import nbfact as nf

BLOCK, LIMIT = 50_000, "1GiB"
"""Rows of a block, and the memory that a worker may use."""

CENTERS = 200
"""Number of places that points are drawn around."""


def drawn(rows: int, features: int, seed: int) -> np.ndarray:
    """Return a block of points around centers that are products of sparse factors.

    The centers are the same in all blocks.
    """
    rng = np.random.default_rng(0)
    left, right = (
        rng.standard_normal(shape) * (rng.random(shape) < 4 / features)
        for shape in ((CENTERS, features), (features, features))
    )
    rng = np.random.default_rng(seed)
    points = (4 * left @ right)[rng.integers(CENTERS, size=rows)]
    return (points + rng.standard_normal((rows, features))).astype(np.float32)


def used() -> tuple[float, float]:
    """Return the largest memory that this process had so far, in MiB, and its CPU s."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return most, time.process_time()


def blocks_of(n_blocks: int, features: int) -> Any:
    """Return the points as a dask array, of which nothing is drawn yet."""
    import dask
    import dask.array as da

    shape = BLOCK, features
    draw = dask.delayed(drawn)
    blocks = [
        da.from_delayed(draw(*shape, seed), shape, np.float32)
        for seed in range(1, n_blocks + 1)
    ]
    return da.concatenate(blocks)


def rival(n_blocks: int, features: int, n_clusters: int) -> tuple[float, float]:
    """Return the inertia of MiniBatchKMeans after two passes, and their seconds."""
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(n_clusters, random_state=0, n_init=1)
    seeds, start = range(1, n_blocks + 1), time.perf_counter()
    for seed in (*seeds, *seeds):
        model.partial_fit(drawn(BLOCK, features, seed))
    seconds = time.perf_counter() - start
    return -sum(model.score(drawn(BLOCK, features, seed)) for seed in seeds), seconds


def main(
    points: int = 1_000_000,
    features: int = 64,
    n_clusters: int = 128,
    n_workers: int = 2,
) -> None:
    """Print times, inertias and memories."""
    import dask
    from dask.distributed import Client, LocalCluster

    n_blocks = -(-points // BLOCK)
    x = blocks_of(n_blocks, features)
    waits = ("connect", "tcp")
    dask.config.set({f"distributed.comm.timeouts.{name}": "600s" for name in waits})
    options = {"n_workers": n_workers, "threads_per_worker": 1, "memory_limit": LIMIT}
    cluster = LocalCluster(dashboard_address=None, **options)
    with cluster, Client(cluster) as client:
        before, own = client.run(used), time.process_time()
        start = time.perf_counter()
        model = nf.QuicKMeans(n_clusters, random_state=0, max_iter=10).fit(x)
        seconds = time.perf_counter() - start
        own, after = time.process_time() - own, client.run(used)
    print(f"points {x.shape}, {x.nbytes / 2**20:.0f} MiB, {n_clusters} clusters")
    print(f"fit: {seconds:.1f} s, {model.n_iter_} iterations")
    print(f"CPU of the process that calls fit: {own:.1f} s")
    print(f"values: {model.nnz_} of {model.cluster_centers_.size}")
    print(f"inertia over dense: {model.inertia_ / model.dense_inertia_:.4f}")
    inertia, seconds = rival(n_blocks, features, n_clusters)
    print(f"MiniBatchKMeans, two passes in one process: {seconds:.1f} s")
    print(f"inertia over that of MiniBatchKMeans: {model.inertia_ / inertia:.4f}")
    for worker, most in after.items():
        (first, began), (peak, ended) = before[worker], most
        print(f"a worker: {first:.0f} MiB at first, {peak:.0f} MiB at most,", end=" ")
        print(f"{ended - began:.1f} s of CPU")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
