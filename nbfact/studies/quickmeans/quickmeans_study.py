"""QuicK-means: the tables of Giffon, Emiya, Ralaivola and Kadri (2019), and ours.

K-means whose centres are a product of sparse factors, beside K-means, and beside
centres that are factorised once K-means is done. :mod:`nbfact.studies.quickmeans.clusterings` is
what is measured on one data set, :mod:`nbfact.studies.quickmeans.published` what they published.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..patterns.instances import JUDGED, select, values
from ..tools.intervals import half_width, told_mean
from ..tools.result_files import Row
from ..tools.work import Job
from . import clusterings, datasets, published
from .clusterings import EXHAUSTIVE, KMEANS, UNIFORM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "QuicK-means"
PARALLEL = True
NOTES = f"""\
Claims: accuracies and times hold by the lower end of the interval, inertia by its mean.
Means over seeds ± Student's 95 percent interval; seeds are {JUDGED} and above: of
blobs, of the split (a quarter of the points is kept for tests), of first centres, of
landmarks.
All methods start from the same centres, drawn by k-means++ with one candidate each, and
compute in float32, on one thread.
K-means: scikit-learn's. "then factorised": its centres, factorised once by the paper's
hierarchical palm4MSA; points are assigned again. palm4msa: the paper. explore: ours.
sparsity: of the paper, values in rows and columns of a factor; butterflies have none.
inertia: of the points that were fitted, over that of K-means. values: K D of K-means,
non-zeros of all factors. compression: K D over these.
µs a point: `predict` of up to 1000 points at once. faster: K-means' time over that,
from calls of all methods in turn, in the same process; with jobs side by side, an
indication. fit s: without first centres; "then factorised" with K-means' own.
AMI: adjusted mutual information of clusters and classes, of the points that are fitted.
1-NN: accuracy of the nearest neighbour, searched in the nearest cluster only.
Nyström: of the kernel exp(-d²/m), m the mean squared distance, centres as landmarks:
relative error of the kernel of up to 1000 test points, in Frobenius norm; accuracy of
scikit-learn's LinearSVC on these features, of classes 0 to 31 where there are more.
blobs: {datasets.BLOB} points each, K of them. Breast cancer, covtype and kddcup99 are
standardised. Published: the table of arXiv 1908.08713, version for AAAI 2020: sparsity
2, means of 5 runs, vectors assigned one at a time. Their blobs are other draws, of
another number of points; their MNIST is the whole of it."""

Grid = tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
"""Names of data sets, numbers of clusters, sparsities."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is tried.

    grid: of all data sets; data: those that are wanted; points: at most, of each.
    """

    grid: Grid
    seeds: int
    max_iter: int
    points: int
    data: tuple[str, ...] = tuple(datasets.LOCAL)


ALL = (2, 3, 5)
FULL = Settings(
    (  # the longest first: then jobs that run side by side end together
        ("blobs", (512, 256), (2,)),
        ("blobs", (128,), ALL),
        ("mnist", (30, 16, 10), ALL),
        ("fashion_mnist", (30, 16, 10), ALL),
        ("covtype", (256, 64, 16), ALL),
        ("kddcup99", (256, 64, 16), ALL),
        ("digits", (64, 30, 16, 10), ALL),
        ("breast_cancer", (30, 16, 8), ALL),
    ),
    seeds=5,
    max_iter=20,
    points=80_000,
)
QUICK = Settings(
    (
        ("blobs", (64,), (2,)),
        ("digits", (30, 10), (2, 3)),
        ("breast_cancer", (8,), (2, 3)),
        *((name, (10,), (2,)) for name in datasets.DOWNLOADED),
    ),
    seeds=2,
    max_iter=10,
    points=4000,
)


def choose(settings: Settings, names: Sequence[str]) -> Settings:
    """Return settings for some data sets only; what is not here is downloaded now.

    Raises
    ------
    ValueError
        For an unknown name.
    OSError
        When data can not be downloaded; the message names those that need no network.
    """
    known = list(dict.fromkeys(name for name, _, _ in settings.grid))
    for name in names:
        if name not in known:
            raise ValueError(f"--data {name}: expected one of {', '.join(known)}")
    for name in names:
        if name in datasets.DOWNLOADED:
            datasets.load(name, 0, 0)
    return dataclasses.replace(settings, data=tuple(names))


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return a job for each data set, number of clusters and seed: all methods."""
    options = settings.max_iter, settings.points
    return [
        (
            f"{data}, K = {n_clusters}, {seed}",
            functools.partial(
                clusterings.rows_of, data, n_clusters, seed, sparsities, *options
            ),
        )
        for data, clusters, sparsities in settings.grid
        if data in settings.data
        for n_clusters in clusters
        for seed in range(JUDGED, JUDGED + settings.seeds)
    ]


COLUMNS = {
    "inertia": "relative",
    "values": "nnz",
    "compression": "compression",
    "µs a point": "us",
    "faster": "ratio",
    "fit s": "fit_seconds",
    "iterations": "n_iter",
    "AMI": "ami",
    "1-NN": "knn",
    "Nyström error": "nystrom",
    "Nyström + SVM": "svm",
}
"""Of the tables, and of the rows."""


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return claims, what is beside published numbers, all means, and what failed."""
    found = {"Claims": published.claims(rows)} | published.tables(rows)
    for data in values(rows, "data"):
        some = select(rows, data=data)
        shape = f"{some[0]['N']} points, D = {some[0]['D']}"
        if len(values(some, "N")) > 1:
            shape = f"D = {some[0]['D']}"
        found[f"{data}: {shape}"] = [
            line
            for n_clusters in sorted(values(some, "K"))
            for line in means(select(some, K=n_clusters))
        ]
    failed = [row for row in rows if row["failure"]]
    if failed:
        found["Failures"] = [
            {"method": method, "failures": len(these), "first": these[0]["failure"]}
            for method in values(failed, "method")
            if (these := select(failed, method=method))
        ]
    return {caption: lines for caption, lines in found.items() if lines}


def means(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each method and sparsity, of rows of one K on one data set."""
    keys = dict.fromkeys((row["method"], row["sparsity"]) for row in rows)
    order = values(rows, "method")
    lines = []
    for method, sparsity in sorted(keys, key=lambda key: order.index(key[0])):
        some = select(rows, method=method, sparsity=sparsity)
        line: Row = {"K": rows[0]["K"], "method": method, "sparsity": sparsity}
        for caption, name in COLUMNS.items():
            line[caption] = told_mean(known(some, name))
        lines.append(line)
    return lines


def known(rows: Sequence[Row], name: str) -> list[float]:
    """Return what is known of a column."""
    return [row[name] for row in rows if row[name] is not None]


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw inertia against compression, then accuracies, errors and times against K."""
    names = values(rows, "data")
    figure.set_size_inches(5 * len(names), 14)
    panels = figure.subplots(4, len(names), squeeze=False)
    colours = {name: f"C{i}" for i, name in enumerate(values(rows, "method"))}
    for column, data in zip(panels.T, names, strict=True):
        some = select(rows, data=data)
        _draw_inertia(column[0], some, colours)
        for axes, (measure, label, apart) in zip(column[1:], _PANELS, strict=True):
            _draw_measure(axes, some, measure, apart, colours)
            axes.set(xlabel="K", ylabel=label)
            axes.set_xscale("log", base=2)
            axes.set_xticks(clusters := sorted(values(some, "K")), map(str, clusters))
    handles = {
        label: handle
        for axes in panels.flat
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    options = {"loc": "outside upper center", "ncols": 3}
    figure.legend(handles.values(), handles.keys(), **options)


_PANELS = (
    ("knn", "accuracy of the nearest neighbour", (UNIFORM,)),
    ("nystrom", "error of the Nyström approximation", (EXHAUSTIVE,)),
    ("ratio", "K-means' time of assignment over ours", (UNIFORM, EXHAUSTIVE)),
)
"""What is drawn against K, at the least sparsity, and which methods have none of it."""


def _draw_inertia(axes: "Axes", rows, colours):
    most = max(values(rows, "K"))
    rows = [row for row in select(rows, K=most) if row["nnz"]]
    for method in values(rows, "method"):
        if method == KMEANS:
            continue  # the line at 1
        some = select(rows, method=method)
        parts = [select(some, sparsity=one) for one in values(some, "sparsity")]
        x = [np.mean(known(part, "compression")) for part in parts]
        _line(axes, x, [known(part, "relative") for part in parts], method, colours)
    axes.axhline(1, color="0.5", linewidth=1)
    label = f"inertia over K-means', K = {most}"
    axes.set(title=rows[0]["data"], xlabel="compression", ylabel=label)


def _draw_measure(axes: "Axes", rows, measure, apart, colours):
    least = min(filter(None, values(rows, "sparsity")))
    for method in values(rows, "method"):
        if method in apart:
            continue
        some = [
            row
            for row in select(rows, method=method)
            if row["sparsity"] in (None, least) and row[measure] is not None
        ]
        x = sorted(values(some, "K"))
        parts = [known(select(some, K=one), measure) for one in x]
        _line(axes, x, parts, method, colours)


def _line(axes, x, parts, method, colours):
    """Draw means with their intervals; of one value, there is none."""
    halves = [half_width(part) for part in parts]
    halves = [half if np.isfinite(half) else 0.0 for half in halves]
    heights = [np.mean(part) for part in parts]
    options = {"color": colours[method], "label": method, "capsize": 3}
    axes.errorbar(x, heights, halves, fmt=".-", linewidth=1, **options)
