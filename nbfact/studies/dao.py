"""Study of learning fast transforms: the errors of Dao et al. (ICML 2019).

The paper (T. Dao, A. Gu, M. Eichhorn, A. Rudra and C. Ré, Learning fast algorithms for
linear transforms using butterfly factorizations) claims that gradient descent finds the
fast algorithms of the DFT, DCT, DST, convolution, Hadamard and Hartley transforms to a
root mean square error (RMSE) below 1e-4. The study sets the errors of their repository
beside those of `learn_butterfly`, which is gradient descent too, and of
`butterfly_factorize`, a closed form.

``nbfact study dao`` took 9 minutes on a two-core AMD EPYC. It writes ``dao.csv``,
``dao.md`` and ``dao.png``.
"""

import functools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg

from ..algorithms import butterfly_factorize, learn_butterfly
from ..operators import Chain
from ..targets import named
from .tools.legends import legend_below
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Learning fast transforms by gradient descent, and in closed form"
QUESTION = (
    "Does gradient descent find the fast algorithms of known transforms, and does "
    "the closed form find them with a smaller error?"
)
PICTURE = (
    "The picture shows the root mean square error against the order N, with a panel "
    "for each transform; lower is better."
)
NOTES = """\
- RMSE is ‖A - Â‖_F / N, with the transforms scaled as in the code of the paper; an RMSE
  below 1e-4 is a success in the paper.
- "published" is from learning_transforms/rmse.pkl of HazyResearch/butterfly, commit
  2dda76d: the best of 20 (N = 8) to 320 (N = 1024) trials of up to 80000 steps, in
  float32 on 8 GPUs. It holds the data of figure 3 of the paper and more: the script
  that draws the figure leaves out Hilbert, and the list of runs (run_exp.sh) has
  neither Hilbert nor randn at N = 1024, so these are numbers of the repository alone.
- The runs of the paper share the logits of a permutation over its levels (share_logit
  is True in learning_transforms.py), and so does `learn_butterfly`: a permutation is
  one of eight.
- "learned" is `learn_butterfly` on one thread, with tied complex values. It searches
  for the permutation, with one start for each candidate; for Legendre, Hilbert and
  randn it makes 8 starts up to N = 256. For convolutions the permutation "bit-reversal"
  is given, with 32 starts, or 8 above N = 256. `parameters` counts real numbers, and
  `steps` those of all trials.
- "exact" is `butterfly_factorize`, with the permutation of the transform, and with
  rank-2 chains for real transforms; a convolution is a product of two butterflies,
  whose middle factors are multiplied together.
- Random entries are those of numpy.random.RandomState(0), as in the paper's code."""

SUCCESS = 1e-4
"""RMSE below which the paper counts a transform as learned."""

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
PUBLISHED = {
    "DFT": (3.1e-6, 4.6e-6, 8.7e-6, 1.0e-5, 2.0e-5, 3.8e-5, 8.0e-5, 5.7e-5),
    "DCT": (4.4e-6, 1.1e-5, 8.6e-6, 1.2e-5, 2.1e-5, 1.9e-5, 3.1e-5, 7.3e-5),
    "DST": (1.1e-6, 7.5e-6, 4.6e-5, 5.1e-5, 3.0e-5, 2.1e-5, 3.6e-5, 4.6e-5),
    "convolution": (4.0e-6, 2.5e-5, 6.4e-5, 7.6e-5, 5.9e-5, 7.8e-5, 6.3e-5, 1.9e-2),
    "Hadamard": (8.8e-7, 7.8e-6, 1.3e-5, 3.9e-5, 3.5e-5, 4.5e-5, 6.1e-5, 3.6e-5),
    "Hartley": (3.4e-6, 9.0e-6, 1.1e-5, 1.3e-5, 3.6e-5, 4.3e-5, 4.5e-5, 3.6e-5),
    "Legendre": (3.4e-2, 2.9e-2, 2.4e-2, 1.4e-2, 7.9e-3, 4.5e-3, 2.6e-3, 1.6e-3),
    "Hilbert": (6.4e-3, 5.9e-3, 4.2e-3, 2.7e-3, 1.6e-3, 1.1e-3, 6.5e-4, 3.7e-4),
    "randn": (1.4e-1, 1.6e-1, 1.4e-1, 1.1e-1, 8.4e-2, 6.1e-2, 4.4e-2, 3.1e-2),
}
"""RMSE of each transform, for each N of :data:`SIZES`, in learning_transforms/rmse.pkl
of HazyResearch/butterfly, commit 2dda76d. Hilbert, and randn at N = 1024, are not in
the figure of the paper."""

# Transforms that are no butterfly under any permutation: their error depends on the
# start.
INEXACT = ("Legendre", "Hilbert", "randn")


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    sizes : tuple of int
        Orders N, powers of two.
    transforms : tuple of str
        Keys of :data:`PUBLISHED`.
    n_iter, n_refine_iter : int
        Options of `learn_butterfly`.
    """

    sizes: tuple[int, ...] = SIZES
    transforms: tuple[str, ...] = tuple(PUBLISHED)
    n_iter: int = 2000
    n_refine_iter: int = 100


FULL = Settings()
QUICK = Settings(sizes=(8, 16, 32))


def target(name: str, n: int) -> np.ndarray:
    """Return the matrix of a transform, scaled as in the code of the paper.

    Parameters
    ----------
    name : str
        A key of :data:`PUBLISHED`.
    n : int
        Its order, a power of two.

    Returns
    -------
    ndarray, (n, n)
        The same matrix as ``named_target_matrix`` of HazyResearch/butterfly returns
        (learning_transforms/target_matrix.py).

    Examples
    --------
    >>> bool(np.isclose(np.linalg.norm(target("Hilbert", 8), 2), 1))
    True
    """
    if name not in ("convolution", "randn"):
        return named(name.lower(), n)
    draw = np.random.RandomState(0).standard_normal  # as in the paper's code
    if name == "randn":
        return draw((n, n)) / math.sqrt(n)
    return scipy.linalg.circulant(draw(n)) / math.sqrt(n)


_MODELS = {"DCT": "BPP", "DST": "BPP", "convolution": "BPBP"}
"""Models of the paper: B is a butterfly, P a permutation. The others have "BP"."""

_RANK2 = {"DCT": "makhoul", "DST": "makhoul", "Hartley": "bit-reversal"}
"""Permutations of the transforms that have a rank-2 chain in closed form. For the other
transforms the permutation is searched for."""


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each transform and order; pyfaust has no part in it."""
    return [
        (f"{name}, N = {n}", functools.partial(_rows, name, n, settings))
        for n in settings.sizes
        for name in settings.transforms
    ]


def _rows(name, n, settings):
    """Return the row of one transform at one order."""
    matrix = target(name, n)
    row: Row = {"transform": name, "N": n, "model": _MODELS.get(name, "BP")}
    row["permutation"] = "bit-reversal" if name == "convolution" else "search"
    exact, row["exact_seconds"] = _timed(_exact, name, matrix)
    row["exact"] = exact
    start = time.perf_counter()
    learned = learn_butterfly(
        matrix,
        row["model"],
        permutation=row["permutation"],
        n_iter=settings.n_iter,
        n_refine_iter=settings.n_refine_iter,
        n_restarts=_starts(name, n) - 1,
        random_state=0,
    )
    row["learned_seconds"] = time.perf_counter() - start
    row["learned"] = float(learned.rmse)
    row["steps"], row["parameters"] = learned.n_steps, learned.n_parameters
    row["published"] = dict(zip(SIZES, PUBLISHED[name], strict=True)).get(n)
    return [row]


def _starts(name, n):
    """Return the number of starts for each permutation, as a few minutes allow."""
    if name == "convolution":  # only a third of the starts succeed
        return 32 if n <= 256 else 8
    return 8 if name in INEXACT and n <= 256 else 1


def _timed(function, *arguments):
    """Return the result of a function and its seconds, both None without a result."""
    start = time.perf_counter()
    found = function(*arguments)
    return found, None if found is None else time.perf_counter() - start


def _exact(name, matrix):
    """Return the RMSE of the butterfly in closed form."""
    n = len(matrix)
    if name == "convolution":
        found = butterfly_factorize(matrix, model="circulant")
    else:
        chain = Chain.rank2(n) if name in _RANK2 else Chain.square_dyadic(n)
        found = butterfly_factorize(
            matrix, chain, permutation=_RANK2.get(name, "search")
        )
    return float(found.relative_error * np.linalg.norm(matrix) / n)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return a table of each measure, with a line a transform and a column an order."""
    found = {}
    for method, caption in (
        ("exact", "RMSE in closed form"),
        ("learned", "RMSE learned by gradient descent"),
        ("published", "RMSE in the repository of Dao et al. (2019)"),
        ("exact_seconds", "Seconds, closed form"),
        ("learned_seconds", "Seconds, gradient descent"),
    ):
        found[caption] = _table(rows, method)
    return found


def _table(rows, method):
    """Return the table of one column of the rows, with two significant digits."""
    lines = []
    for name in values(rows, "transform"):
        line: Row = {"transform": name}
        for row in select(rows, transform=name):
            value = row[method]
            line[str(row["N"])] = None if value is None else float(f"{value:.1e}")
        lines.append(line)
    return lines


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the RMSE against N, in a panel for each transform."""
    names = values(rows, "transform")
    columns = min(3, len(names))
    panels = figure.subplots(
        *(-(-len(names) // columns), columns), sharex=True, sharey=True, squeeze=False
    )
    figure.set_size_inches(10, 3 * len(panels))
    for axes, name in zip(panels.flat, names, strict=False):
        own = select(rows, transform=name)
        for method, style in (("published", "s-"), ("learned", "o-"), ("exact", "^-")):
            points = [(r["N"], r[method]) for r in own if r[method] is not None]
            sizes, errors = zip(*points, strict=True) if points else ((), ())
            axes.plot(sizes, np.maximum(errors, 1e-17), style, label=method)
        axes.axhline(SUCCESS, color="0.7", linewidth=0.8)
        axes.set_xscale("log", base=2)
        axes.set(yscale="log", title=name)
    for axes in panels[-1]:
        axes.set_xlabel("N")
    for axes in panels[:, 0]:
        axes.set_ylabel("RMSE")
    for axes in panels.flat[len(names) :]:
        axes.set_visible(False)
    legend_below(figure, panels.flat)
