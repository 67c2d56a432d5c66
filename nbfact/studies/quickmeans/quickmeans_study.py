"""Study of QuicK-means: K-means with a product of sparse factors for its centres.

The paper (L. Giffon, V. Emiya, H. Kadri and L. Ralaivola, QuicK-means: accelerating
inference for K-means by learning fast transforms, Machine Learning 110, 2021; first as
arXiv 1908.08713) claims that K-means whose centres are a product of sparse factors
assigns points faster, with an inertia near that of K-means. The study fits such
clusterings beside K-means, and beside K-means whose centres are factorised afterwards.
It measures what the paper measures, but its blobs and its palm4MSA are not the paper's:
the notes list the differences.
:mod:`nbfact.studies.quickmeans.clusterings` measures one data set;
:mod:`nbfact.studies.quickmeans.published` holds numbers of a draft, and the claims.

``nbfact study quickmeans --n-jobs 2`` runs on the data that need no network, and
``--data mnist --data covtype`` on others; ``--quick`` is a sample with two seeds and
few clusters. The fits alone of the whole study took 25 minutes on one core of an AMD
EPYC. It writes ``quickmeans.csv``, ``quickmeans.md`` and ``quickmeans.png``.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..tools.choices import FIRST_SEED
from ..tools.intervals import half_width, mean_text
from ..tools.rows import Row, failure_table, known, select, values
from ..tools.work import Job
from . import clusterings, datasets, paper_problem, published
from .clusterings import EXHAUSTIVE, KMEANS, UNIFORM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "QuicK-means"
PARALLEL = True
NOTES = f"""\
- Claims about accuracies and times hold when the lower end of the 95 % interval does;
  claims about inertia hold when its mean does.
- Numbers are means over seeds ± half of Student's 95 percent interval. Seeds are
  {FIRST_SEED} and above. They choose the blobs, the split (a quarter of the points is
  kept for tests), the first centres and the landmarks.
- All methods start from the same centres, drawn by k-means++ with one candidate for
  each, and compute in float32 on one thread.
- "K-means" is scikit-learn's. "K-means, then factorised" has its centres, factorised
  once by hierarchical palm4MSA, after which points are assigned again. "QuicK-means,
  palm4msa" is nbfact's variant of the method of the paper; "QuicK-means, explore" and
  "QuicK-means, butterfly" are nbfact's own.
- The variant differs from the paper in this: a factor has a number of values in all
  (`Sp`), where the paper has at least `sparsity` in each row and column; the
  log2(min(K, D)) factors share the values of log2(√(K D)), rounded up (with K = 128 and
  D = 2000, 7 factors share those of 9); k-means++ and up to five iterations of dense
  K-means come first, where the paper factors points drawn uniformly; there are at most
  20 iterations, where the paper has 10 on blobs; the inner palm4MSA makes 15 to 100
  sweeps with balanced scales, where the paper makes up to 300 and fits the scale after
  each; and an offset is added to all centres where that pays.
- sparsity stands for a number of values, that of factors with `sparsity` values for
  each row or column of their longer side; butterflies have none.
- inertia is that of the fitted points, over the inertia of K-means. values is K D for
  K-means, and the number of non-zeros of all factors for the others; compression is K D
  over values.
- µs a point is the time of `predict` on at most 1000 points at once. faster is the time
  of K-means over that, from calls of all methods in turn in one process. With jobs side
  by side both are only an indication. fit s leaves out the drawing of the first
  centres; "then factorised" includes the fit of K-means.
- AMI is the adjusted mutual information between clusters and classes of the fitted
  points.
- 1-NN is the share of test points whose class is that of the nearest neighbour, which
  is searched in the nearest cluster only. It does not say how often the true nearest
  neighbour is found.
- Nyström error is the relative error, in Frobenius norm, with which the Nyström method
  approximates the kernel exp(-d²/m) of at most 1000 test points, with the centres as
  landmarks; m is the mean squared distance. Nyström + SVM is the accuracy of
  scikit-learn's LinearSVC on these features, for classes 0 to 31 where there are more.
- blobs are K groups of {datasets.BLOB} points each. Breast cancer, covtype and kddcup99
  are standardised.
- The numbers of the draft are from reports/aaai_2020/applications.tex of
  lucgiffon/qkmeans, a later draft of the paper than the arXiv text: sparsity 2, means
  of 5 runs, one vector assigned at a time. The lines of its Nyström errors are
  commented out. The arXiv text (reports/nips_2019/applications.tex) has its table at
  sparsity 5: 1-NN of 0.74, 0.66 and 0.66.
- Blobs of the draft are another, harder problem: 1000 classes for every K, 29000
  points to fit and 1000 to test, a start drawn uniformly, and 10 iterations. Here there
  are as many classes as clusters, so that even K-means has a higher accuracy. A higher
  number here is therefore no improvement on the paper. Its MNIST is the whole data
  set."""

DataGrid = tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
"""Entries (name of a data set, numbers of clusters, sparsities)."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    grid : DataGrid
        Numbers of clusters and sparsities of all data sets.
    seeds : int
        Number of seeds.
    max_iter : int
        Largest number of iterations of each clustering.
    points : int
        Largest number of points of a data set.
    data : tuple of str
        Names of the data sets that are wanted.
    """

    grid: DataGrid
    seeds: int
    max_iter: int
    points: int
    data: tuple[str, ...] = (*datasets.LOCAL, paper_problem.NAME)


ALL = (2, 3, 5)
"""All sparsities that are tried."""

FULL = Settings(
    (  # The longest come first, so that jobs that run side by side end together.
        (paper_problem.NAME, (512, 256, 128), paper_problem.SPARSITIES),
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
    """Return settings for some data sets only, and download those that are missing.

    Parameters
    ----------
    settings : Settings
        Settings for all data sets.
    names : sequence of str
        Names of the data sets that are wanted.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        For a name that the settings do not have.
    OSError
        When data cannot be downloaded; the message names those that need no network.
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
    """Return one job for each data set, number of clusters and seed: all methods."""
    return [
        (
            f"{data}, K = {n_clusters}, {seed}",
            _job(data, n_clusters, seed, sparsities, settings),
        )
        for data, clusters, sparsities in settings.grid
        if data in settings.data
        for n_clusters in clusters
        for seed in range(FIRST_SEED, FIRST_SEED + settings.seeds)
    ]


def _job(data, n_clusters, seed, sparsities, settings):
    """Return the function of one job: all methods on one data set, or the paper's."""
    if data == paper_problem.NAME:
        arguments = n_clusters, seed, sparsities
        return functools.partial(paper_problem.rows_of, *arguments)
    options = settings.max_iter, settings.points
    return functools.partial(
        clusterings.rows_of, data, n_clusters, seed, sparsities, *options
    )


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
"""Columns of the rows that the tables show, by the name that they have there."""


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, the published numbers, the means, and the fits that raised."""
    found = {
        "Claims": [*paper_problem.claims(rows), *published.claims(rows)],
        "The paper's problem: 1000 blobs": paper_problem.lines(rows),
    }
    found |= published.tables(rows)
    for data in values(rows, "data"):
        if data == paper_problem.NAME:
            continue
        some = select(rows, data=data)
        shape = f"{some[0]['N']} points, D = {some[0]['D']}"
        if len(values(some, "N")) > 1:
            shape = f"D = {some[0]['D']}"
        found[f"{data}: {shape}"] = [
            line
            for n_clusters in sorted(values(some, "K"))
            for line in means(select(some, K=n_clusters))
        ]
    found |= failure_table(rows)
    return {caption: lines for caption, lines in found.items() if lines}


def means(rows: Sequence[Row]) -> list[Row]:
    """Return a line of means for each method and sparsity.

    Parameters
    ----------
    rows : sequence of dict
        Rows of one number of clusters on one data set.

    Returns
    -------
    list of dict
    """
    keys = dict.fromkeys((row["method"], row["sparsity"]) for row in rows)
    order = values(rows, "method")
    lines = []
    for method, sparsity in sorted(keys, key=lambda key: order.index(key[0])):
        some = select(rows, method=method, sparsity=sparsity)
        line: Row = {"K": rows[0]["K"], "method": method, "sparsity": sparsity}
        for caption, name in COLUMNS.items():
            line[caption] = mean_text(known(some, name))
        lines.append(line)
    return lines


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw inertia against compression, then accuracies, errors and times against K."""
    rows = [row for row in rows if row["data"] != paper_problem.NAME]
    if not rows:
        return  # a table is enough
    names = values(rows, "data")
    figure.set_size_inches(5 * len(names), 14)
    panels = figure.subplots(4, len(names), squeeze=False)
    colours = {name: f"C{i}" for i, name in enumerate(values(rows, "method"))}
    for column, data in zip(panels.T, names, strict=True):
        some = select(rows, data=data)
        _draw_inertia(column[0], some, colours)
        for axes, (measure, label, without) in zip(column[1:], _PANELS, strict=True):
            _draw_measure(axes, some, measure, without, colours)
            axes.set(xlabel="K", ylabel=label)
            axes.set_xscale("log", base=2)
            axes.set_xticks(clusters := sorted(values(some, "K")), map(str, clusters))
    handles = {
        label: handle
        for axes in panels.flat
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside upper center", ncols=3
    )


_PANELS = (
    ("knn", "accuracy of the nearest neighbour", (UNIFORM,)),
    ("nystrom", "error of the Nyström approximation", (EXHAUSTIVE,)),
    ("ratio", "K-means' time of assignment over ours", (UNIFORM, EXHAUSTIVE)),
)
"""Panels drawn against K, at the least sparsity: the column, the label of the axis, and
the methods that do not have this measure."""


def _draw_inertia(axes: "Axes", rows, colours):
    """Draw inertia against compression, at the largest K."""
    most = max(values(rows, "K"))
    rows = [row for row in select(rows, K=most) if row["nnz"]]
    for method in values(rows, "method"):
        if method == KMEANS:
            continue  # drawn as the horizontal line at 1
        some = select(rows, method=method)
        parts = [select(some, sparsity=one) for one in values(some, "sparsity")]
        x = [np.mean(known(part, "compression")) for part in parts]
        _line(axes, x, [known(part, "relative") for part in parts], method, colours)
    axes.axhline(1, color="0.5", linewidth=1)
    label = f"inertia over K-means', K = {most}"
    axes.set(title=rows[0]["data"], xlabel="compression", ylabel=label)


def _draw_measure(axes: "Axes", rows, measure, without, colours):
    """Draw a measure against K, for each method that has it."""
    least = min(filter(None, values(rows, "sparsity")))
    for method in values(rows, "method"):
        if method in without:
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
    """Draw means with their 95 % intervals, which a single value does not have."""
    halves = [half_width(part) for part in parts]
    halves = [half if np.isfinite(half) else 0.0 for half in halves]
    heights = [np.mean(part) for part in parts]
    options = {"color": colours[method], "label": method, "capsize": 3}
    axes.errorbar(x, heights, halves, fmt=".-", linewidth=1, **options)
