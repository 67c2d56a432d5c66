"""The problem of the paper on QuicK-means: 1000 blobs, for each number of clusters.

There are 2000 features, 29000 points to fit and 1000 to test, whose standard deviation
is 12; centres are drawn uniformly from the points, and there are 10 iterations. The
measure is the class accuracy of the nearest neighbour, searched in the nearest cluster.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..tools.claims import claim_row
from ..tools.intervals import half_width, mean_text
from ..tools.rows import Row, known, select, values
from .clusterings import EXPLORE, KMEANS

NAME = "paper_blobs"
"""Name of the problem among the data sets of the study."""

CLUSTERS, SPARSITIES, ITERATIONS = (128, 256, 512), (2, 5), 10
"""Numbers of clusters and sparsities of the published tables, and of iterations."""

VARIANT = "QuicK-means, the paper's variant"
"""Method: `PaperQuicKMeans`."""

VARIANT_CLUSTERS, VARIANT_SWEEPS = (128,), 300
"""Numbers of clusters for which it is run, because one fit takes minutes for more, and
the largest number of sweeps of each of its palm4MSA, as in the paper."""

TRAIN, TEST, CLASSES, FEATURES, SPREAD = 29_000, 1000, 1000, 2000, 12
"""Points to fit and to test, classes, features, and the standard deviation."""

PUBLISHED = {
    2: ("reports/aaai_2020/applications.tex, a draft", (0.61, 0.49, 0.37)),
    5: ("reports/nips_2019/applications.tex, the arXiv text", (0.74, 0.66, 0.66)),
}
"""Accuracies of the QuicK-means of the paper for the numbers of clusters, by sparsity,
and the file of lucgiffon/qkmeans that each is from."""

DRAFT_VALUES = (6207, 8656, 14_078)
"""Numbers of values at sparsity 2 in the draft; the other table has none that could be
read."""


def drawn(n_clusters: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all points, their classes, and the first centres.

    Those to fit come first. The first centres are drawn uniformly from them.
    """
    from sklearn.datasets import make_blobs

    size = TRAIN + TEST, FEATURES
    options: dict[str, Any] = {
        "centers": CLASSES,
        "cluster_std": SPREAD,
        "random_state": seed,
    }
    points, classes = make_blobs(*size, **options)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(points))
    points, classes = points[order].astype(np.float32), classes[order]
    first = rng.choice(TRAIN, n_clusters, replace=False)
    return points, classes, points[first]


def accuracy(model: Any, points: np.ndarray, classes: np.ndarray) -> float:
    """Return the class accuracy of the nearest neighbour in the nearest cluster."""
    from sklearn.frozen import FrozenEstimator

    from ...estimators import ClusterNeighborsClassifier

    frozen = FrozenEstimator(model)
    search = ClusterNeighborsClassifier(n_probes=1, clusterer=frozen)
    search.fit(points[:TRAIN], classes[:TRAIN])
    return float(search.score(points[TRAIN:], classes[TRAIN:]))


def rows_of(n_clusters: int, seed: int, sparsities: Sequence[int]) -> list[Row]:
    """Return a row for K-means, and for QuicK-means at each sparsity.

    For some numbers of clusters, there is a row for the variant of the paper too.

    Parameters
    ----------
    n_clusters : int
        Number of clusters, K.
    seed : int
        Seed of the blobs, of the split and of the first centres.
    sparsities : sequence of int
    """
    from sklearn.cluster import KMeans

    from ...estimators import QuicKMeans
    from .paper_variant import PaperQuicKMeans

    points, classes, first = drawn(n_clusters, seed)
    train = points[:TRAIN]
    shared: dict[str, Any] = {
        "init": first,
        "n_init": 1,
        "max_iter": ITERATIONS,
        "tol": 0,
    }
    models: dict[tuple[str, int | None], Any] = {
        (KMEANS, None): KMeans(n_clusters, **shared)
    }
    for sparsity in sparsities:
        model = QuicKMeans(n_clusters, sparsity=sparsity, **shared)
        models[EXPLORE, sparsity] = model
        if n_clusters in VARIANT_CLUSTERS:
            variant = PaperQuicKMeans(first, sparsity, ITERATIONS)
            variant.set_params(n_sweeps=VARIANT_SWEEPS)
            models[VARIANT, sparsity] = variant
    rows: list[Row] = []
    for (method, number), model in models.items():
        start = time.process_time()
        with warnings.catch_warnings():  # that clusters are empty, or not converged
            warnings.simplefilter("ignore")
            model.fit(train)
        seconds = time.process_time() - start
        rows.append(
            {
                "data": NAME,
                "K": n_clusters,
                "N": TRAIN,
                "D": FEATURES,
                "seed": seed,
                "method": method,
                "sparsity": number,
                "inertia": float(model.inertia_),
                "relative": float(model.inertia_) / rows[0]["inertia"] if rows else 1.0,
                "nnz": int(getattr(model, "nnz_", model.cluster_centers_.size)),
                "fit_seconds": seconds,
                "knn": accuracy(model, points, classes),
                "failure": None,
            }
        )
    return rows


def lines(rows: Sequence[Row]) -> list[Row]:
    """Return what was measured beside both published tables, a line for each number."""
    found: list[Row] = []
    rows = select(rows, data=NAME)
    for n_clusters in sorted(values(rows, "K")):
        some = select(rows, K=n_clusters)
        dense = select(some, method=KMEANS)
        for sparsity, (file, numbers) in PUBLISHED.items():
            ours = select(some, method=EXPLORE, sparsity=sparsity)
            variant = select(some, method=VARIANT, sparsity=sparsity)
            if not ours or n_clusters not in CLUSTERS:
                continue
            place = CLUSTERS.index(n_clusters)
            draft = f"{DRAFT_VALUES[place]}" if sparsity == 2 else None
            found.append(
                {
                    "K": n_clusters,
                    "sparsity": sparsity,
                    "1-NN here": mean_text(known(ours, "knn")),
                    "published": f"{numbers[place]:.2f}",
                    "in": file,
                    "the paper's variant here": mean_text(known(variant, "knn")),
                    "K-means here": mean_text(known(dense, "knn")),
                    "values here": mean_text(known(ours, "nnz")),
                    "values of the variant": mean_text(known(variant, "nnz")),
                    "values published": draft,
                    "inertia over K-means'": mean_text(known(ours, "relative")),
                    "fit, CPU s": mean_text(known(ours, "fit_seconds")),
                    "K-means' fit, CPU s": mean_text(known(dense, "fit_seconds")),
                    "seeds": len(ours),
                }
            )
    return found


def claims(rows: Sequence[Row]) -> Iterator[Row]:
    """Check that the accuracy is at or above that which was published, K by K."""
    rows = select(rows, data=NAME, method=EXPLORE)
    for n_clusters in sorted(values(rows, "K")):
        for sparsity, (file, numbers) in PUBLISHED.items():
            some = known(select(rows, K=n_clusters, sparsity=sparsity), "knn")
            if not some or n_clusters not in CLUSTERS:
                continue
            least, half = numbers[CLUSTERS.index(n_clusters)], half_width(some)
            low = float(np.mean(some)) - (half if np.isfinite(half) else 0.0)
            yield claim_row(
                f"1-NN on the paper's 1000 blobs, K = {n_clusters}, sparsity "
                f"{sparsity}",
                f"at least {least:.2f} ({file})",
                mean_text(some),
                low >= least,
                f"nbfact study quickmeans --data {NAME}",
            )
