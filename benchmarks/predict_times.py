"""Time `QuicKMeans.predict` beside `KMeans.predict` over sizes, dtypes and orders.

``python benchmarks/predict_times.py [points x features x clusters at most] [far]``
prints the cells above 1.05, and the largest and the mean ratio, of CPU seconds of calls
that take turns. The points are Gaussian noise, around 0 or with ``far`` around 100, and
both have the same centers, unless those of `QuicKMeans` are factored.
"""

import itertools
import math
import sys
import time
import warnings
from typing import Any

import numpy as np
from sklearn.cluster import KMeans

import nbfact as nf

CLUSTERS, FEATURES = (8, 16, 64, 256, 1024), (6, 16, 64, 128, 256, 784)
POINTS, DTYPES, ORDERS = (100, 1000, 5000, 20_000, 100_000), ("f4", "f8"), "CF"

CENTERS, SECONDS, LEAST = 300_000, 0.12, 7
"""Largest number of entries of the centers, seconds of a cell, and least rounds."""

LIMIT = 1.05
"""Ratio above which a cell is printed."""


def models(k: int, d: int, dtype: str, place: float) -> tuple[Any, Any]:
    """Return k-means of scikit-learn, and that of nbfact from its centers."""
    x = np.random.default_rng(0).standard_normal((max(4 * k, 100), d)) + place
    x = x.astype(dtype)
    dense = KMeans(k, n_init=1, init=x[:k], max_iter=2).fit(x)
    return dense, nf.QuicKMeans(k, init=dense.cluster_centers_, max_iter=1).fit(x)


def ratio(dense: Any, ours: Any, x: np.ndarray) -> float:
    """Return the median ratio of the times of calls that take turns."""
    calls, times = (dense.predict, ours.predict), ([], [])
    for call in calls:
        call(x)
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times[0]) < LEAST:
        for i in (0, 1) if len(times[0]) % 2 else (1, 0):
            start = time.process_time()
            calls[i](x)
            times[i].append(time.process_time() - start)
    return float(np.median(np.divide(times[1], times[0])))


def main(most: float = 2e8, place: float = 0.0) -> None:
    """Print the ratios."""
    found, rng = [], np.random.default_rng(1)
    for k, d, dtype in itertools.product(CLUSTERS, FEATURES, DTYPES):
        if k * d > CENTERS:
            continue
        dense, ours = models(k, d, dtype, place)
        for n, order in itertools.product(POINTS, ORDERS):
            if n * d * k > most:
                continue
            x = (rng.standard_normal((n, d)) + place).astype(dtype, order=order)
            found.append(ratio(dense, ours, x))
            if found[-1] > LIMIT:
                kind = "factored" if ours.factored_ else "dense"
                print(f"K={k} D={d} N={n} {dtype} {order} {kind}: {found[-1]:.2f}")
    mean = math.exp(float(np.log(found).mean()))
    print(f"{len(found)} cells: {max(found):.2f} at most, {mean:.2f} on average")


if __name__ == "__main__":
    # The few iterations end before they converge, and some clusters are empty.
    warnings.simplefilter("ignore")
    numbers = [float(word) for word in sys.argv[1:] if word != "far"]
    main(*numbers[:1] or [2e8], 100.0 if "far" in sys.argv else 0.0)
