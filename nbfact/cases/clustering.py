"""Cases of QuicK-means: one iteration, and a fit of several, beside Lloyd's algorithm.

The points lie around K centers that form a product of two factors with two entries a
row, which factors can fit, at a distance from one another of about their spread. The
result of a call is its centers. The error, computed outside the clock,
is the relative excess of their inertia (the sum of squared distances of the points to
the nearest centers) over that of scikit-learn's K-means after as many iterations from
the same first centers. A fit of QuicK-means begins with as many dense ones, which
are timed with its own.
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
"""Factorizers of QuicK-means that are timed."""

LLOYD = "scikit-learn Lloyd"
"""Implementation: K-means of scikit-learn by Lloyd's algorithm."""

SPARSITY = 2
"""Sparsity of the factors of one iteration."""

ITERATIONS = 5
"""Number of iterations of a fit."""

CHUNK = 1024
"""Number of points whose distances are held at once."""

EXCESS = 0.25
"""Largest error of QuicK-means: how far its inertia may be above that of K-means. For
64, 256 and 1024 centers it is at most 0.14 above. The first centers, which are points,
and the mean of all points in the place of every center, are at least 0.5 above."""


@dataclass(eq=False)
class ClusteringInputs:
    """Inputs of a clustering.

    Attributes
    ----------
    x : ndarray of float32, (N, D)
        The points.
    init : ndarray of float32, (K, D)
        The first centers.
    """

    x: np.ndarray
    init: np.ndarray


class ClusteringCase(Case):
    """A case whose result is centers, and whose reference is points and an inertia.

    The error of centers whose number is wrong, that are not finite, or whose inertia is
    larger than that of the mean of all points alone, is infinite.
    """

    def error(self, got: np.ndarray, want: Any) -> float:
        """Return the relative excess of the inertia of centers over a reference.

        Parameters
        ----------
        got : ndarray, (K, D)
            The centers.
        want : (ndarray, float, (int, int))
            The points, (N, D), the inertia of the reference, and the shape (K, D).

        Returns
        -------
        float
        """
        x, least, shape = want
        if got.shape != shape:
            return math.inf
        found, one = inertia(x, got), inertia(x, x.mean(axis=0, keepdims=True))
        return max(0.0, found / least - 1) if found <= one else math.inf


def clustering_cases(sizes: Sequence[tuple[int, int, int]]) -> Iterator[Case]:
    """Yield the cases of one iteration, and of a fit, with each factorizer.

    Without scikit-learn, which the estimator needs too, there are no cases.

    Parameters
    ----------
    sizes : sequence of (K, D, N)
        Numbers of centers, of columns, and of points.

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
        bound=1e-6 if impl == LLOYD else EXCESS,
        size=4 * n * d,
        flops=2 * n * k * d,
        nnz=None,
        yardstick=LLOYD,
        fallbacks=(f"nbfact {OURS[-1]}",),
        rival=peers.is_peer(impl),
    )


def inertia(x: np.ndarray, centers: np.ndarray) -> float:
    """Return the sum of the squared distances of points to their nearest centers.

    Parameters
    ----------
    x : ndarray, (N, D)
        The points.
    centers : ndarray, (K, D)
        The centers.

    Returns
    -------
    float
    """
    total, centers = 0.0, centers.astype(np.float64)
    norms = (centers**2).sum(axis=1)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK].astype(np.float64)
        nearest = (norms - 2 * part @ centers.T).min(axis=1)
        total += float(nearest.sum() + (part**2).sum())
    return total


def _inputs(k, d, n, rng):
    factors = _two_a_row(k, min(k, d), rng), _two_a_row(min(k, d), d, rng)
    centers = factors[0] @ factors[1]
    centers /= math.sqrt(np.mean(centers**2))
    x = centers[rng.integers(k, size=n)] + rng.standard_normal((n, d))
    x = x.astype(np.float32)
    return ClusteringInputs(x, x[rng.choice(n, k, replace=False)])


def _two_a_row(m, n, rng):
    """Draw a matrix with two entries ±1 in each row, and as many in each column."""
    out = np.zeros((m, n))
    for shift in (0, 1):
        columns = (rng.permutation(max(m, n))[:m] + shift) % n
        out[np.arange(m), columns] += rng.choice([-1.0, 1.0], m)
    return out


def _reached(iterations, inputs):
    """Return the points, the inertia of K-means after some iterations, and a shape."""
    found = _dense(inputs, iterations).cluster_centers_
    return inputs.x, inertia(inputs.x, found), inputs.init.shape


def _fit(name: str) -> Callable[[ClusteringInputs], Callable[[], Any]]:
    """Return the function that prepares a fit of QuicK-means with a factorizer."""

    def prepare(inputs):
        from ..estimators import QuicKMeans

        options: dict[str, Any] = {"factorizer": name, "max_iter": ITERATIONS, "tol": 0}
        model = QuicKMeans(len(inputs.init), init=inputs.init, **options)
        return lambda: model.fit(inputs.x).cluster_centers_

    return prepare


def _iteration(name: str) -> Callable[[ClusteringInputs], Callable[[], Any]]:
    """Return the function that prepares one iteration of QuicK-means."""

    def prepare(inputs):
        from ..estimators.lloyd import Clustering
        from ..estimators.points import Points
        from ..estimators.training import ValueOptions

        points = Points(inputs.x, np.ones(len(inputs.x)))
        values = ValueOptions(name, None, None, SPARSITY, 0.0)
        recipe = values.recipe(inputs.init.shape, points.mean_share)
        counts = np.ones(len(inputs.init))
        start = Clustering.of(points, recipe.first(inputs.init, counts, points.origin))

        def call():
            centers = recipe.improved(start.statistics, start.centers)
            return Clustering.of(points, centers).centers.array

        return call

    return prepare


def _lloyd(inputs):
    """Prepare one iteration of scikit-learn's K-means, by a function private to it."""
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
    """Prepare a fit of scikit-learn's K-means."""
    return lambda: _dense(inputs, ITERATIONS).cluster_centers_


def _dense(inputs, iterations):
    """Return scikit-learn's K-means after some iterations from the first centers."""
    from sklearn.cluster import KMeans

    options = {"init": inputs.init, "n_init": 1, "max_iter": iterations, "tol": 0}
    return KMeans(len(inputs.init), algorithm="lloyd", **options).fit(inputs.x)
