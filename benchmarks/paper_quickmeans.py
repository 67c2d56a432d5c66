"""The accuracy of the paper's QuicK-means after few iterations, on its own problem.

``python -m benchmarks.paper_quickmeans [sparsity] [iterations] [seeds]`` prints the
class accuracy of the nearest neighbour in the nearest cluster, for 128 clusters of the
paper's 1000 blobs, after no iteration, which is the factorization of points, and after
each number of iterations up to the last. A seed takes minutes. It needs
``pip install "nbfact[estimators]"``.
"""

import sys

from nbfact.studies.quickmeans.paper_problem import (
    TRAIN,
    VARIANT_CLUSTERS,
    accuracy,
    drawn,
)
from nbfact.studies.quickmeans.paper_variant import PaperQuicKMeans

FIRST_SEED = 1000
"""The first seed of the study."""


def main(sparsity: int = 2, iterations: int = 2, n_seeds: int = 2) -> None:
    """Print accuracies, inertias and numbers of values."""
    (n_clusters,) = VARIANT_CLUSTERS
    for seed in range(FIRST_SEED, FIRST_SEED + n_seeds):
        points, classes, first = drawn(n_clusters, seed)
        for max_iter in range(iterations + 1):
            model = PaperQuicKMeans(first, sparsity, max_iter).fit(points[:TRAIN])
            found = accuracy(model, points, classes)
            print(f"seed {seed}, iterations {max_iter}: accuracy {found:.3f}", end=", ")
            print(f"inertia {model.inertia_:.4g}, {model.nnz_} values", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
