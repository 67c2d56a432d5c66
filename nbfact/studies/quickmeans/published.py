"""Numbers of a draft on QuicK-means beside those measured here, and the claims checked.

The draft is by the authors of the paper (Giffon, Emiya, Kadri and Ralaivola, Machine
Learning 110, 2021), in their repository lucgiffon/qkmeans: `reports/aaai_2020`. Its
problems are not those of this study: see the notes of `quickmeans_study`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..tools.claims import claim_row
from ..tools.intervals import half_width, mean_text, rate_text
from ..tools.rows import Row, known, select, values
from .clusterings import EXPLORE, KMEANS, PALM

_MEASURES = ("us", "knn", "svm", "nnz", "nystrom")
"""Columns of the rows that the numbers of :data:`DRAFT` belong to, in their order."""

DRAFT: dict[tuple[str, int], dict[str, tuple[float, ...]]] = {
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
"""Measures at sparsity 2 in the draft, by data set, number of clusters K, and method:
the microseconds to assign one vector, the class accuracy of 1-NN, that of Nyström +
SVM, the number of values stored, and the error of the Nyström approximation.

They are from the results table of `reports/aaai_2020/applications.tex` as it was read
for nbfact 0.1.0. At commit b17e656 the same file still has the table of the arXiv text
(`reports/nips_2019/applications.tex`, commit 3f5daf0), which is at sparsity 5: there
1-NN has 0.74, 0.66 and 0.66 on blobs with K = 128, 256 and 512. The lines of the
Nyström errors are commented out in the file."""

_SPARSITY = 2
"""Sparsity of the numbers of the draft."""

_CLOSE = 1.05
"""Largest inertia, as a multiple of that of K-means, that the claim for digits at
sparsity 3 allows."""


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return what was measured beside the draft, a table for each data set."""
    found: dict[str, list[Row]] = {}
    for (data, n_clusters), numbers in DRAFT.items():
        some = select(rows, data=data, K=n_clusters)
        if not some:
            continue
        caption = f"{data}, beside another problem in a draft: sparsity {_SPARSITY}"
        lines = found.setdefault(caption, [])
        for name, caption in _CAPTIONS.items():
            line: Row = {"": caption, "K": n_clusters}
            for method, published in numbers.items():
                cell = f"{published[_MEASURES.index(name)]:g}"
                line[f"{_IN_DRAFT[method]}, draft"] = cell
                line[f"{method}, here"] = mean_text(_measured(some, method, name))
            line[f"{EXPLORE}, here"] = mean_text(_measured(some, EXPLORE, name))
            lines += _apart(line) if name == "us" else [line]
    return found


_CAPTIONS = {
    "nnz": "values",
    "knn": "class accuracy of 1-NN",
    "nystrom": "Nyström error",
    "svm": "Nyström + SVM",
    "us": "µs a point",
}
"""What each measure is called in the tables beside the draft."""

_IN_DRAFT = {KMEANS: KMEANS, PALM: "QuicK-means"}
"""What the methods of the draft are called: its QuicK-means is not our variant."""


def _apart(line: Row) -> list[Row]:
    """Return two lines of times, because the draft assigns one vector at a time."""
    ours = {name: cell for name, cell in line.items() if not name.endswith("draft")}
    theirs = {name: cell for name, cell in line.items() if not name.endswith("here")}
    empty = dict.fromkeys(line)
    caption = line[""]
    return [
        empty | theirs | {"": f"{caption}, one vector at a time"},
        empty | ours | {"": f"{caption}, up to 1000 at once"},
    ]


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each claim: what it asks, what was found, and whether it holds.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the study. A claim about data that are not among them is left out.

    Returns
    -------
    list of dict
        The last column is the command that prints what was found.
    """
    return [*_search(rows), *_inertia(rows), *_against_palm(rows), *_speed(rows)]


def _search(rows: Sequence[Row]) -> Iterator[Row]:
    """Check that 1-NN on blobs is better by exploration than by palm4MSA, run by run.

    The accuracies of the draft are no bound here: its blobs are a harder problem.
    """
    for n_clusters in sorted(values(select(rows, data="blobs"), "K")):
        some = select(rows, data="blobs", K=n_clusters, sparsity=_SPARSITY)
        gains = [
            explored["knn"] - palm["knn"]
            for explored, palm in _pairs(some)
            if explored["nnz"] <= palm["nnz"]
        ]
        if gains:
            accuracy = {name: _measured(some, name, "knn") for name in (EXPLORE, PALM)}
            yield _claim(
                f"class accuracy of 1-NN on blobs of {n_clusters} classes, "
                f"K = {n_clusters}, explore, sparsity {_SPARSITY}",
                "above that of palm4msa here, with no more values",
                f"{mean_text(accuracy[EXPLORE])}, palm4msa "
                f"{mean_text(accuracy[PALM])}; gain {mean_text(gains)}",
                _low_end(gains) > 0,
                "blobs",
            )


def _inertia(rows: Sequence[Row]) -> Iterator[Row]:
    """Check that the inertia on digits at sparsity 3 is near that of K-means."""
    for n_clusters in sorted(values(select(rows, data="digits"), "K")):
        some = select(rows, data="digits", K=n_clusters)
        ratios = _measured(some, EXPLORE, "relative", 3)
        if ratios:
            yield _claim(
                f"inertia on digits, K = {n_clusters}, explore, sparsity 3",
                f"at most {_CLOSE:g} times K-means'",
                mean_text(ratios),
                np.mean(ratios) <= _CLOSE,
                "digits",
            )


def _against_palm(rows: Sequence[Row]) -> Iterator[Row]:
    """Check that exploration mostly ends with less inertia than palm4MSA here."""
    for data in values(rows, "data"):
        some = select(rows, data=data)
        wins = [
            explored["inertia"] < palm["inertia"] and explored["nnz"] <= palm["nnz"]
            for explored, palm in _pairs(some)
        ]
        if wins:
            yield _claim(
                f"inertia on {data}, explore against palm4msa, all K and sparsities",
                "less, with no more values, in most runs",
                rate_text(sum(wins), len(wins)),
                2 * sum(wins) > len(wins),
                data,
            )


def _speed(rows: Sequence[Row]) -> Iterator[Row]:
    """Check that points are assigned faster than by scikit-learn at the largest K."""
    for data in values(rows, "data"):
        most = max(values(select(rows, data=data), "K"))
        ratios = _measured(select(rows, data=data, K=most), EXPLORE, "ratio")
        if ratios:
            yield _claim(
                f"assignment on {data}, K = {most}, explore, sparsity {_SPARSITY}",
                "faster than K-means'",
                f"{mean_text(ratios)} times",
                _low_end(ratios) > 1,
                data,
            )


def _pairs(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield the rows of `explore` and `palm4msa` from the same start and sparsity."""
    by_start = {
        (row["K"], row["sparsity"], row["seed"]): row
        for row in select(rows, method=PALM, failure=None)
    }
    for explored in select(rows, method=EXPLORE, failure=None):
        start = explored["K"], explored["sparsity"], explored["seed"]
        if start in by_start:
            yield explored, by_start[start]


def _claim(claim: str, asked: str, found: str, holds: Any, data: str) -> Row:
    command = f"nbfact study quickmeans --data {data}"
    return claim_row(claim, asked, found, holds, command)


def _measured(
    rows: Sequence[Row], method: str, name: str, sparsity: int = _SPARSITY
) -> list[float]:
    """Return the known values of a column, for one method at one sparsity."""
    wanted = None if method == KMEANS else sparsity
    return known(select(rows, method=method, sparsity=wanted), name)


def _low_end(numbers: Sequence[float]) -> float:
    """Return the lower end of the 95 % interval of a mean; of one number, itself."""
    if not numbers:
        return -np.inf
    half = half_width(numbers)
    return float(np.mean(numbers)) - (half if np.isfinite(half) else 0.0)
