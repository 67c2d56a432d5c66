"""Study of sources in the head that are localised through fast operators.

L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of matrices
and applications, IEEE JSTSP 10(4), 2016, section V: two sources in the head are found
again from what the sensors of magnetoencephalography (MEG) measure, by a sparse code
that is computed with the gain matrix, or with one of six approximations of it.

``nbfact study localisation`` needs mne: ``pip install "nbfact[meg,study]"``.
With ``--quick`` the matrix is a simulated one of a spherical head, which does not. It
writes ``localisation.csv``, ``localisation.md`` and ``localisation.png``.
"""

import functools
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..meg import approximations, meg_study
from ..meg.approximations import Setting
from ..meg.gain_matrices import MEG, SPHERE, gain_matrix
from ..tools.choices import FIRST_SEED
from ..tools.claims import claim_row, in_words
from ..tools.intervals import half_width
from ..tools.legends import legend_below
from ..tools.rows import Row, select, values
from ..tools.work import Job
from .solvers import ITERATIONS, MODULES, PENALTY, SLACK, SOLVERS, STEP, installed
from .source_pairs import CLASSES, SAME_PLACE, distances, draw_pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Two sources in the head, localised through fast operators"
QUESTION = (
    "Two sources in the head are found from what sensors outside it measure. How "
    "often are they still found when the gain matrix is replaced by a product of "
    "sparse factors?"
)
PICTURE = (
    "The picture shows the share of sources that orthogonal matching pursuit (OMP) "
    "finds at their exact place, without noise, against the relative complexity "
    "gain (RCG): how many times fewer multiplications the operator needs. Each "
    "panel is a class of distances between the two sources."
)
PARALLEL = True
NOTES = f"""\
- The gain matrix and its approximations are those of `nbfact study meg`. As in the
  code of the paper's authors, the columns of all of them are scaled to norm 1, which
  leaves their numbers of non-zeros unchanged. Signals are those of the dense matrix.
- Each column is a source. Of the real head, three columns are the dipoles along three
  axes at one place, while the paper has one at each place, of a fixed direction.
- Two sources are drawn uniformly among pairs of a class of distances, with standard
  normal weights. All matrices get the same draws. Seeds are {FIRST_SEED} and above.
- exact is the share of sources at whose place one of the two largest entries of the
  code is. difference is exact less that of the dense matrix, paired by draws. Both have
  half of a 95 percent interval, in points, over draws.
- median, q75 and q90 are quantiles of the distance from a source to the nearest one
  found, in cm. CPU s is the time of all codes of a line.
- "recoded" is fitted to the matrix with columns of norm 1, from "hierarchical". So is
  "weighted", a sparse dictionary and sparse codes as `learn_transform` finds them, but
  at last with errors weighted by W = (A Aᴴ)^(1/5): an error in a direction counts more
  if columns have more of it. The power was chosen on other draws than those shown. Its
  numbers of turns do not depend on the machine.
- IHT is `FISTA` of pylops with hard thresholds, so with momentum, in float32, with
  {ITERATIONS} iterations and steps of {STEP}.
- l1 is `lasso_path` of scikit-learn, with {PENALTY} of the least penalty at which the
  code is zero. It looks at some columns, and adds those that miss the conditions of the
  optimum by more than {SLACK} of it, until there are none. All columns are compared by
  products with the operator."""

SAME_ROW = ("method", "gain", "solver", "snr", "distance")
"""Columns by which rows of several runs are the same line."""

DENSE = "dense"
"""Method: the gain matrix itself."""

METHODS = (
    approximations.HIERARCHICAL,
    approximations.RECODED,
    approximations.LEARNED,
    approximations.WEIGHTED,
)
"""The methods that approximate the gain matrix."""

WHAT = (
    "the algorithm of the paper",
    "which fits its result anew",
    "nbfact's search",
    "the same with weighted errors",
)
"""What each of `METHODS` is, in a few words."""

FAR = "> 8 cm"
"""The class of distances that the claims are about."""

_claim = functools.partial(claim_row, command="nbfact study localisation")


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    matrix : str
        Name of the gain matrix.
    best : tuple of Setting
        The complexity gains of the approximations, and their settings.
    seconds : float
        Time limit of `learn_transform`.
    draws, noisy_draws, solver_draws : int
        Number of pairs of each class for OMP, for each level of noise, and for the
        other solvers.
    snrs : tuple of float
        Levels of noise, in decibels.
    """

    matrix: str
    best: tuple[Setting, ...]
    seconds: float
    draws: int
    noisy_draws: int
    solver_draws: int
    snrs: tuple[float, ...] = (40.0, 20.0, 10.0)


FULL = Settings(MEG, meg_study.FULL.best, meg_study.SECONDS, 5000, 1000, 5000)
QUICK = Settings(
    SPHERE, meg_study.QUICK.best, meg_study.QUICK.seconds, 500, 100, 100, (20.0,)
)

TILE = 500
"""Number of signals that are coded at a time, so that their codes fit into memory."""


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return a job for each solver, level of noise, class of distances and matrix."""
    plans: list[tuple[str, float | None, int]] = [("OMP", None, settings.draws)]
    plans += [("OMP", snr, settings.noisy_draws) for snr in settings.snrs]
    plans += [(name, None, settings.solver_draws) for name in SOLVERS if name != "OMP"]
    matrices: list[tuple[str, Setting | None]] = [(DENSE, None)]
    matrices += [(method, best) for method in METHODS for best in settings.best]
    found: list[Job] = []
    for solver, snr, count in plans:
        for method, best in matrices:
            matrix = DENSE if best is None else f"{method}, RCG {best.gain}"
            for name in CLASSES:
                noise = "no noise" if snr is None else f"{snr:g} dB"
                given = Draws(solver, snr, name, count)
                job = functools.partial(rows_of, settings, given, method, best)
                found.append((f"{solver}, {noise}, {name}, {matrix}", job))
    return found


def check_installed(labels: Sequence[str]) -> None:
    """Raise ModuleNotFoundError if a package is missing that one of the jobs needs.

    labels : those of the jobs that are asked for.
    """
    for solver, module in MODULES.items():
        if any(label.startswith(f"{solver}, ") for label in labels):
            installed(module)


class Draws(NamedTuple):
    """What is drawn and how it is solved.

    Attributes
    ----------
    solver : str
        Key of `SOLVERS`.
    snr : float or None
        The signal-to-noise ratio in decibels.
    distance : str
        Key of `CLASSES`.
    draws : int
        Number of pairs.
    """

    solver: str
    snr: float | None
    distance: str
    draws: int


def rows_of(
    settings: Settings, given: Draws, method: str, best: Setting | None
) -> list[Row]:
    """Return the row of one matrix, beside the shares of the dense one.

    Parameters
    ----------
    settings : Settings
        The study's.
    given : Draws
        The draws and the solver.
    method : str
        `DENSE`, or one of `METHODS`.
    best : Setting or None
        The complexity gain and the setting; None for the dense matrix.

    Returns
    -------
    list of dict
    """
    reference = _localised(settings, given, DENSE, None)[0]
    exact, far, seconds = _localised(settings, given, method, best)
    gained = exact - reference
    quantiles = np.quantile(100 * far, (0.1, 0.25, 0.5, 0.75, 0.9))
    names = ("q10", "q25", "median", "q75", "q90")
    matrix = None if best is None else _prepared(settings, method, best)
    row: Row = {
        "method": method,
        "gain": None if best is None else best.gain,
        "rcg": 1.0 if matrix is None else float(matrix.rcg),
        **given._asdict(),
        "exact": float(exact.mean()),
        "exact_half": _half(exact),
        "difference": float(gained.mean()),
        "difference_half": _half(gained),
        **dict(zip(names, map(float, quantiles), strict=True)),
        "CPU s": seconds,
    }
    return [row]


@functools.lru_cache(maxsize=64)
def _localised(settings, given, method, best):
    """Return, of each draw, the share of sources found, and the distances in metres.

    The third value is the CPU time in seconds.
    """
    gain = gain_matrix(settings.matrix)
    seed = zlib.crc32(f"{given.distance}, {given.snr}".encode())
    rng = np.random.default_rng([FIRST_SEED, seed])
    pairs = draw_pairs(gain, given.distance, given.draws, given.snr, rng)
    matrix = gain.unit if best is None else _prepared(settings, method, best)
    start, apart = time.process_time(), []
    for first in range(0, given.draws, TILE):
        part = slice(first, first + TILE)
        codes = SOLVERS[given.solver](matrix, pairs.signals[:, part])
        apart.append(distances(gain.positions, codes, pairs.places[part]))
    seconds = time.process_time() - start
    far = np.concatenate(apart)
    far[np.isinf(far)] = np.ptp(gain.positions, axis=0).max()  # nothing was found
    return (far < SAME_PLACE).mean(axis=1), far, seconds


def _half(sample):
    """Return half of the 95 percent interval of a mean."""
    return half_width(sample) if np.ptp(sample) else 0.0


@functools.lru_cache(maxsize=64)
def _prepared(settings, method, best):
    """Return an approximation with unit columns."""
    found = approximations.approximation(
        settings.matrix,
        method,
        best,
        settings.seconds,
        unit=method in (approximations.RECODED, approximations.WEIGHTED),
    )
    return approximations.unit_columns(found)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, then a table for each solver, noise and class."""
    found = {"Claims": claims(rows)}
    for solver in values(rows, "solver"):
        for snr in values(select(rows, solver=solver), "snr"):
            noise = "no noise" if snr is None else f"signal to noise {snr:g} dB"
            for name in CLASSES:
                some = select(rows, solver=solver, snr=snr, distance=name)
                if some:
                    caption = f"{solver}, {noise}, sources {name} apart"
                    caption += f", {some[0]['draws']} draws"
                    found[caption] = [_line(row) for row in some]
    return {caption: lines for caption, lines in found.items() if lines}


def _line(row: Row) -> Row:
    """Return the line of a row: shares in percent with their intervals."""
    return {
        "method": row["method"],
        "RCG asked": row["gain"],
        "rcg": row["rcg"],
        "exact %": _percent(row, "exact"),
        "difference": "" if row["method"] == DENSE else _percent(row, "difference"),
        **{name: row[name] for name in ("median", "q75", "q90", "CPU s")},
    }


def _percent(row: Row, name: str) -> str:
    """Return a share in percent, with half of its interval."""
    return f"{100 * row[name]:.1f} ± {100 * row[name + '_half']:.1f}"


PUBLISHED = ((6, 75), (7, 75), (8, 75), (11, 75), (16, 50), (25, 50))
"""Complexity gains, and the published share in percent of exact sources more than 8 cm
apart: "more than" that (the text of section V)."""


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each claim of the paper and each goal, with what was found."""
    far = select(rows, solver="OMP", snr=None, distance=FAR)
    found = []
    for gain, percent in PUBLISHED:
        for row in select(far, gain=gain, method=approximations.HIERARCHICAL):
            found.append(
                _claim(
                    f"RCG {gain}, {row['method']}, {FAR}: exact, OMP",
                    f"more than {percent} % (the paper)",
                    f"{_percent(row, 'exact')} %",
                    100 * row["exact"] > percent,
                )
            )
    for gain in (11, 25):
        some = select(far, gain=gain)
        if not some:
            continue
        row = max(some, key=lambda row: row["exact"])
        where = f"RCG {gain}, the best method ({row['method']}), {FAR}"
        if gain == 11:
            found.append(
                _claim(
                    f"{where}: difference to the dense matrix",
                    "at most 2 points below (goal)",
                    _percent(row, "difference"),
                    100 * row["difference"] >= -2,
                )
            )
        else:
            found.append(
                _claim(
                    f"{where}: exact",
                    "at least 75 % (goal)",
                    f"{_percent(row, 'exact')} %",
                    100 * row["exact"] >= 75,
                )
            )
    return found


def opening(rows: Sequence[Row]) -> str:
    """Return what was found, in a few sentences for the head of the page."""
    far = select(rows, solver="OMP", snr=None, distance=FAR)
    dense = select(far, method=DENSE)
    if not dense:
        return ""
    parts = [
        f"With the gain matrix itself, {100 * dense[0]['exact']:.0f} percent of the "
        f"sources that are {FAR.replace('>', 'more than')} apart are found at their "
        "exact place."
    ]
    for method, what in zip(METHODS, WHAT, strict=True):
        some = sorted(select(far, method=method), key=lambda row: row["gain"])
        if some:
            ends = " and ".join(
                f"{100 * row['exact']:.0f} percent at an RCG of {row['gain']}"
                for row in some[:: max(1, len(some) - 1)]
            )
            parts.append(f"`{method}`, {what}, finds {ends}.")
    return " ".join([*parts, in_words(claims(rows))]).strip()


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the shares of exact sources, without noise and with OMP, against the RCG."""
    rows = select(rows, solver="OMP", snr=None)
    names = values(rows, "distance")
    if not names:
        return  # tables are enough
    figure.set_size_inches(10, 4)
    panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axes, name in zip(panels, names, strict=True):
        some = select(rows, distance=name)
        for row in select(some, method=DENSE):
            axes.axhline(100 * row["exact"], color="0.5", ls="--", label="gain matrix")
        for method in METHODS:
            points = sorted(select(some, method=method), key=lambda row: row["rcg"])
            axes.errorbar(
                [row["rcg"] for row in points],
                [100 * row["exact"] for row in points],
                [100 * row["exact_half"] for row in points],
                fmt=".-",
                capsize=2,
                label=method,
            )
        axes.set(title=f"sources {name} apart", xlabel="RCG", ylim=(0, 100))
    panels[0].set_ylabel("% at the exact place")
    legend_below(figure, panels)
