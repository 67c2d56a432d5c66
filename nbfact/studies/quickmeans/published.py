"""What was published of QuicK-means, beside what is measured, and what is claimed."""

from collections.abc import Sequence

import numpy as np

from ..patterns.instances import select, values
from ..tools.intervals import half_width, told, told_mean
from ..tools.result_files import Row
from .clusterings import EXPLORE, KMEANS, PALM

_MEASURES = ("us", "knn", "svm", "nnz", "nystrom")
# Giffon, Emiya, Ralaivola and Kadri, arXiv 1908.08713, the table of the version for
# AAAI 2020; Nyström errors are of a line of its source that is not printed.
PAPER = {
    ("blobs", 128): {
        KMEANS: (300, 0.96, 0.98, 256_000, 0.032),
        PALM: (1200, 0.61, 0.95, 6207, 0.032),
    },
    ("blobs", 256): {
        KMEANS: (3100, 0.97, 1.0, 512_000, 0.030),
        PALM: (1400, 0.49, 1.0, 8656, 0.031),
    },
    ("blobs", 512): {
        KMEANS: (5700, 0.99, 1.0, 1_024_000, 0.027),
        PALM: (1300, 0.37, 1.0, 14_078, 0.029),
    },
    ("mnist", 10): {
        KMEANS: (3, 0.96, 0.74, 7840, 0.087),
        PALM: (500, 0.96, 0.73, 2610, 0.091),
    },
    ("mnist", 16): {
        KMEANS: (5, 0.96, 0.83, 12_544, 0.069),
        PALM: (600, 0.96, 0.79, 2269, 0.083),
    },
    ("mnist", 30): {
        KMEANS: (6, 0.96, 0.88, 25_088, 0.049),
        PALM: (800, 0.95, 0.86, 2427, 0.061),
    },
}
"""Of a data set and K: µs to assign a point, accuracy of 1-NN, of Nyström + SVM,
values, error of Nyström; at sparsity 2."""

_SPARSITY = 2
_CLOSE = 1.05
"""Of K-means' inertia: what is asked for at sparsity 3 on digits."""


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return what is measured beside what was published, a table for each data set."""
    captions = {
        "nnz": "values", "knn": "1-NN", "nystrom": "Nyström error",
        "svm": "Nyström + SVM", "us": "µs a point",
    }  # fmt: skip
    found: dict[str, list[Row]] = {}
    for (data, n_clusters), numbers in PAPER.items():
        some = select(rows, data=data, K=n_clusters)
        if not some:
            continue
        lines = found.setdefault(f"{data}, beside the paper: sparsity {_SPARSITY}", [])
        for name, caption in captions.items():
            line: Row = {"K": n_clusters, "": caption}
            for method, theirs in numbers.items():
                line[f"{method}, paper"] = f"{theirs[_MEASURES.index(name)]:g}"
                line[f"{method}, here"] = told_mean(_of(some, method, name))
            line[f"{EXPLORE}, here"] = told_mean(_of(some, EXPLORE, name))
            lines.append(line)
    return found


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return what is claimed, what was found, and the command that prints it."""
    return [*_search(rows), *_inertia(rows), *_against_palm(rows), *_speed(rows)]


def _search(rows):
    """Claim that 1-NN on blobs is better than published, with no more values."""
    for (data, n_clusters), numbers in PAPER.items():
        some = select(rows, data=data, K=n_clusters)
        if data == "blobs" and some:
            paper = dict(zip(_MEASURES, numbers[PALM], strict=True))
            accuracy, size = (_of(some, EXPLORE, name) for name in ("knn", "nnz"))
            better = _low(accuracy) > paper["knn"] and np.mean(size) <= paper["nnz"]
            yield _claim(
                f"1-NN on blobs, K = {n_clusters}, explore, sparsity {_SPARSITY}",
                f"above {paper['knn']:g} (the paper), at most {paper['nnz']} values",
                f"{told_mean(accuracy)}, {told_mean(size)} values",
                better,
                data,
            )


def _inertia(rows):
    """Claim that inertia on digits at sparsity 3 is near that of K-means."""
    for n_clusters in sorted(values(select(rows, data="digits"), "K")):
        some = select(rows, data="digits", K=n_clusters)
        ratios = _of(some, EXPLORE, "relative", 3)
        if ratios:
            yield _claim(
                f"inertia on digits, K = {n_clusters}, explore, sparsity 3",
                f"at most {_CLOSE:g} times K-means'",
                told_mean(ratios),
                np.mean(ratios) <= _CLOSE,
                "digits",
            )


def _against_palm(rows):
    """Claim that exploration leaves less inertia than the paper's method."""
    for data in values(rows, "data"):
        some = select(rows, data=data)
        wins = [
            ours["inertia"] < theirs["inertia"] and ours["nnz"] <= theirs["nnz"]
            for ours, theirs in _pairs(some)
        ]
        if wins:
            yield _claim(
                f"inertia on {data}, explore against palm4msa, all K and sparsities",
                "less, with no more values, in most runs",
                told(sum(wins), len(wins)),
                2 * sum(wins) > len(wins),
                data,
            )


def _speed(rows):
    """Claim that points are assigned faster than by scikit-learn, at the largest K."""
    for data in values(rows, "data"):
        most = max(values(select(rows, data=data), "K"))
        ratios = _of(select(rows, data=data, K=most), EXPLORE, "ratio")
        if ratios:
            yield _claim(
                f"assignment on {data}, K = {most}, explore, sparsity {_SPARSITY}",
                "faster than K-means'",
                f"{told_mean(ratios)} times",
                _low(ratios) > 1,
                data,
            )


def _pairs(rows):
    """Yield rows of both methods from the same start, of the same sparsity."""
    theirs = {
        (row["K"], row["sparsity"], row["seed"]): row
        for row in select(rows, method=PALM, failure=None)
    }
    for ours in select(rows, method=EXPLORE, failure=None):
        other = theirs.get((ours["K"], ours["sparsity"], ours["seed"]))
        if other is not None:
            yield ours, other


def _claim(claim, asked, found, holds, data):
    return {
        "claim": claim,
        "asked": asked,
        "found": found,
        "holds": "yes" if holds else "no",
        "command": f"`nbfact study quickmeans --data {data}`",
    }


def _of(rows, method, name, sparsity=_SPARSITY):
    """Return what is known of a column, of one method at one sparsity."""
    wanted = None if method == KMEANS else sparsity
    some = select(rows, method=method, sparsity=wanted)
    return [row[name] for row in some if row[name] is not None]


def _low(numbers):
    """Return the lower end of the interval of a mean; of one number, itself."""
    if not numbers:
        return -np.inf
    half = half_width(numbers)
    return np.mean(numbers) - (half if np.isfinite(half) else 0.0)
