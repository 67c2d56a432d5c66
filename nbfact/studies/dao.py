"""Learning fast transforms: the table of Dao, Gu, Eichhorn, Rudra and Ré (ICML 2019).

Their RMSE by gradient descent, beside ours by gradient descent and in closed form.
"""

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg

from ..algorithms import butterfly_factorize, learn_butterfly
from ..operators import Chain
from ..targets import named
from .tools.result_files import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Learning fast transforms by gradient descent, and in closed form"
NOTES = """\
RMSE: ‖A - Â‖_F / N, on the scaling of the paper, where success is below 1e-4.
Published: learning_transforms/rmse.pkl of HazyResearch/butterfly, the data of figure 3:
the best of 20 (N = 8) to 320 (N = 1024) trials of up to 80000 steps, float32, 8 GPUs.
Learned: `learn_butterfly` on one thread, tied complex values; the permutation is
searched for, with one start each; of Legendre, Hilbert and randn 8, up to N = 256. For
convolutions it is given ("bit-reversal"), with 32 starts, 8 above N = 256. `parameters`
are real numbers, `steps` those of all trials. Exact: `butterfly_factorize`, with the
permutation of the transform and rank-2 chains for real ones; two butterflies for a
convolution. Random entries: those of numpy.random.RandomState(0), as theirs."""

SUCCESS = 1e-4
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
# HazyResearch/butterfly, learning_transforms/rmse.pkl, for N in SIZES.
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


# Those that no permutation makes exact: what is left depends on the start.
INEXACT = ("Legendre", "Hilbert", "randn")


@dataclass(frozen=True)
class Settings:
    """Orders, transforms, options of `learn_butterfly`."""

    sizes: tuple[int, ...] = SIZES
    transforms: tuple[str, ...] = tuple(PUBLISHED)
    n_iter: int = 2000
    n_refine_iter: int = 100


FULL = Settings()
QUICK = Settings(sizes=(8, 16, 32))


def target(name: str, n: int) -> np.ndarray:
    """Return a transform, on the scaling of the paper.

    Parameters
    ----------
    name : str
        A key of :data:`PUBLISHED`.
    n : int
        A power of two.

    Returns
    -------
    ndarray, (n, n)
        As ``named_target_matrix`` of their learning_transforms/target_matrix.py.

    Examples
    --------
    >>> bool(np.isclose(np.linalg.norm(target("Hilbert", 8), 2), 1))
    True
    """
    if name not in ("convolution", "randn"):
        return named(name.lower(), n)
    draw = np.random.RandomState(0).standard_normal  # as theirs
    if name == "randn":
        return draw((n, n)) / math.sqrt(n)
    return scipy.linalg.circulant(draw(n)) / math.sqrt(n)


_MODELS = {"DCT": "BPP", "DST": "BPP", "convolution": "BPBP"}
# Chains and permutations of the closed form; the others are searched for.
_RANK2 = {"DCT": "makhoul", "DST": "makhoul", "Hartley": "bit-reversal"}


def jobs(settings: Settings, peers: bool) -> list[tuple[str, Callable[[], list[Row]]]]:
    """Return one job for each transform and order."""
    return [
        (f"{name}, N = {n}", functools.partial(_rows, name, n, settings))
        for n in settings.sizes
        for name in settings.transforms
    ]


def _rows(name, n, settings):
    """Return the row of a transform and an order."""
    matrix = target(name, n)
    row = {"transform": name, "N": n, "model": _MODELS.get(name, "BP")}
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
    """Return how many starts of each permutation: what a few minutes allow."""
    if name == "convolution":  # a third of the starts gets anywhere
        return 32 if n <= 256 else 8
    return 8 if name in INEXACT and n <= 256 else 1


def _timed(function, *arguments):
    """Return a result, or None, and the seconds it took."""
    start = time.perf_counter()
    found = function(*arguments)
    return found, None if found is None else time.perf_counter() - start


def _exact(name, matrix):
    """Return the RMSE of the closed form."""
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
    """Return a table of RMSE for each method, transforms down, orders across."""
    found = {}
    for method, caption in (
        ("exact", "RMSE in closed form"),
        ("learned", "RMSE learned by gradient descent"),
        ("published", "RMSE published (Dao et al. 2019)"),
        ("exact_seconds", "Seconds, closed form"),
        ("learned_seconds", "Seconds, gradient descent"),
    ):
        found[caption] = _table(rows, method)
    return found


def _table(rows, method):
    """Return one value a transform and order."""
    lines = []
    for name in dict.fromkeys(row["transform"] for row in rows):
        own = [row for row in rows if row["transform"] == name]
        line = {"transform": name}
        for row in own:
            value = row[method]
            line[str(row["N"])] = None if value is None else float(f"{value:.1e}")
        lines.append(line)
    return lines


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the RMSE against N, one panel a transform."""
    names = list(dict.fromkeys(row["transform"] for row in rows))
    columns = min(3, len(names))
    panels = figure.subplots(
        *(-(-len(names) // columns), columns), sharex=True, sharey=True, squeeze=False
    )
    figure.set_size_inches(10, 3 * len(panels))
    for axes, name in zip(panels.flat, names, strict=False):
        own = [row for row in rows if row["transform"] == name]
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
    panels[0, 0].legend(fontsize="small")
