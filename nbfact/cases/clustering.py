"""Cases of QuicK-means: an iteration, and what is reached after some, beside Lloyd's.

Points are around K centers that share some structure: sums of few directions. Results
are centers. The error, outside the clock, is by how much their sum of squared distances
exceeds that of scikit-learn's K-means after as many iterations from the same points. A
fit of ours begins with a few dense iterations, within its time, before its own.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..harness.case import Case
from .rivals import peers

OURS = ("explore", "palm4msa")
LLOYD = "scikit-learn Lloyd"
ITERATIONS = 5
CHUNK = 1024
# How far above K-means centers may be depends on the points; see `ClusteringCase`.
_ANY = 1e3


@dataclass(eq=False)
class ClusteringInputs:
    """Points, (N, D), and those that centers are first near, (K, D)."""

    x: np.ndarray
    init: np.ndarray


class ClusteringCase(Case):
    """A case whose result is centers, and whose reference is points and a sum.

    Centers that are not finite, or worse than the mean of all points alone, are
    infinitely wrong.
    """

    def error(self, got: np.ndarray, want: tuple[np.ndarray, float]) -> float:
        """Return by how much the sum of squared distances exceeds another."""
        x, least = want
        found, one = inertia(x, got), inertia(x, x.mean(axis=0, keepdims=True))
        return max(0.0, found / least - 1) if found <= one else math.inf


def clustering_cases(sizes: Sequence[tuple[int, int, int]]) -> Iterator[Case]:
    """Yield an iteration, and the objective after some, of each factorizer.

    Nothing without scikit-learn, which the estimator needs too.

    Parameters
    ----------
    sizes : sequence of (K, D, N)
        Centers, columns, points.

    Yields
    ------
    Case
    """
    if not peers.installed(LLOYD):
        return
    for k, d, n in sizes:
        case = functools.partial(_case, k, d, n)
        for name in OURS:
            yield case("clustering iteration", f"nbfact {name}", _iteration(name))
            yield case("clustering objective", f"nbfact {name}", _fit(name))
        yield case("clustering iteration", LLOYD, _lloyd)
        yield case("clustering objective", LLOYD, _kmeans)


def _case(k, d, n, group, impl, prepare):
    once = group.endswith("iteration")
    return ClusteringCase(
        group=group,
        impl=impl,
        params={"m": k, "n": d, "points": n, "dtype": "float32"},
        make=functools.partial(_inputs, k, d, n),
        prepare=prepare,
        reference=functools.partial(_reached, 1 if once else ITERATIONS),
        bound=1e-6 if impl == LLOYD else _ANY,
        size=4 * n * d,
        flops=2 * n * k * d,
        nnz=None,
        yardstick=LLOYD,
        fallbacks=(f"nbfact {OURS[-1]}",),
        rival=peers.is_peer(impl),
    )


def inertia(x: np.ndarray, centers: np.ndarray) -> float:
    """Return the sum of squared distances of points to their nearest centers."""
    total, centers = 0.0, centers.astype(np.float64)
    norms = (centers**2).sum(axis=1)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK].astype(np.float64)
        nearest = (norms - 2 * part @ centers.T).min(axis=1)
        total += float(nearest.sum() + (part**2).sum())
    return total


def _inputs(k, d, n, rng):
    directions = rng.standard_normal((k, d))
    centers = rng.standard_normal((k, k)) * (rng.random((k, k)) < 4 / k) @ directions
    x = centers[rng.integers(k, size=n)] + rng.standard_normal((n, d))
    x = x.astype(np.float32)
    return ClusteringInputs(x, x[rng.choice(n, k, replace=False)])


def _reached(iterations, inputs):
    return inputs.x, inertia(inputs.x, _dense(inputs, iterations).cluster_centers_)


def _fit(name) -> Callable[[ClusteringInputs], Callable[[], Any]]:
    def prepare(inputs):
        from ..estimators import QuicKMeans

        options = {"factorizer": name, "max_iter": ITERATIONS, "tol": 0}
        model = QuicKMeans(len(inputs.init), init=inputs.init, **options)
        return lambda: model.fit(inputs.x).cluster_centers_

    return prepare


def _iteration(name) -> Callable[[ClusteringInputs], Callable[[], Any]]:
    def prepare(inputs):
        from ..estimators.lloyd import Clustering
        from ..estimators.points import Points
        from ..estimators.recipes import RECIPES

        points = Points(inputs.x, np.ones(len(inputs.x)))
        recipe = RECIPES[name](inputs.init.shape, 2, None, points.mean_share)
        counts = np.ones(len(inputs.init))
        start = Clustering.of(points, recipe.first(inputs.init, counts, points.origin))

        def call():
            centers = recipe.improved(start.statistics, start.centers)
            return Clustering.of(points, centers).centers.array

        return call

    return prepare


def _lloyd(inputs):
    from sklearn.cluster._k_means_lloyd import lloyd_iter_chunked_dense

    x, old = inputs.x, inputs.init
    weights, labels = np.ones(len(x), x.dtype), np.zeros(len(x), np.int32)
    new, counts = np.empty_like(old), np.empty(len(old), x.dtype)
    shift = np.empty(len(old), x.dtype)

    def call():
        lloyd_iter_chunked_dense(x, weights, old, new, counts, labels, shift, 1)
        return new

    return call


def _kmeans(inputs):
    return lambda: _dense(inputs, ITERATIONS).cluster_centers_


def _dense(inputs, iterations):
    from sklearn.cluster import KMeans

    options = {"init": inputs.init, "n_init": 1, "max_iter": iterations, "tol": 0}
    return KMeans(len(inputs.init), algorithm="lloyd", **options).fit(inputs.x)
