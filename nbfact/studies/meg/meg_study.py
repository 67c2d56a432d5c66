"""Study of a real gain matrix of magnetoencephalography: error against complexity.

L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of matrices
and applications, IEEE JSTSP 10(4), 2016, section V: a gain matrix of 204 sensors and
8193 sources is approximated by products of sparse factors, in 127 of the 162 settings
that this study runs in full.

``nbfact study meg`` needs the package mne: ``pip install "nbfact[meg]"``. With
``--quick`` the matrix is a simulated one of a spherical head, which needs no package.
It writes ``meg.csv``, ``meg.md`` and ``meg.png``, and keeps the approximations that
``nbfact study localisation`` uses.
"""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...algorithms import hierarchical, rectmat
from ...cases.rivals import faust
from ...metrics import relative_error
from ...operators import FactorProduct
from ..tools.rows import Row, select, values
from ..tools.work import Job
from .approximations import (
    HIERARCHICAL,
    LEARNED,
    RECODED,
    Setting,
    approximation,
    levels,
)
from .gain_matrices import MEG, SPHERE, gain_matrix, spectral_norm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "A gain matrix of MEG: error against relative complexity gain"
PARALLEL = True
SECONDS = 60.0
"""Time limit of `learn_transform` at each gain in the whole study, in seconds."""

NOTES = f"""\
- The matrix of the whole study is `targets.meg(9.3)`, 204x7527: a real helmet and head,
  by the package mne. The paper has 204x8193, from another head and with one dipole at
  each place, where here are three. With `--quick` it is `targets.leadfield(64, 768)`, a
  simulated spherical head. So no error here is comparable with the paper's, digit by
  digit.
- The relative complexity gain (rcg) is the number of entries of the matrix over the
  number of non-zeros, nnz. spectral and frobenius are the norms of the difference over
  those of the matrix; the paper shows the spectral one. svd has the errors of the
  singular value decomposition truncated to rank floor(nnz / (m + n)), which stores as
  many parameters.
- "hierarchical" has the sets of the paper, `presets.rectmat(J, k, s)`, and nbfact's
  steps, 1.9 times longer. One run with the largest J gives the results for all smaller
  ones, each equal to that of a run of its own; CPU s is the time until each was there.
- The best setting at a gain has the least spectral error among those with at least that
  gain. The gains are those of the six approximations of the paper.
- "recoded" starts there: `refine` fits all values by least squares, and `omp` finds the
  last factor anew, by turns. "learn_transform" has the effort "quick", sparse products
  alone, and a limit of {SECONDS:g} seconds, so that its results depend on the machine.
- All starts are fixed, but learn_transform's, whose seed is 0."""

GAINS = (6, 7, 8, 11, 16, 25)
"""Complexity gains of the six approximations of the paper."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    matrix : str
        Name of the gain matrix.
    n_factors : int
        Largest number J of factors; all from 2 are in the study.
    k, s : tuple of int
        The other arguments of `rectmat`.
    best : tuple of Setting
        The best setting at each gain, which the other methods start from.
    seconds : float
        Time limit of `learn_transform`.
    """

    matrix: str
    n_factors: int
    k: tuple[int, ...]
    s: tuple[int, ...]
    best: tuple[Setting, ...]
    seconds: float


BEST = tuple(
    Setting(gain, *setting)
    for gain, setting in zip(
        GAINS,
        ((6, 30, 2), (5, 25, 2), (5, 20, 2), (8, 15, 8), (8, 10, 4), (10, 5, 8)),
        strict=True,
    )
)
"""The best settings of the whole study: those of its table, as a test checks."""

FULL = Settings(MEG, 10, (5, 10, 15, 20, 25, 30), (2, 4, 8), BEST, SECONDS)
QUICK = Settings(
    SPHERE, 6, (3, 6), (2, 4), (Setting(4, 5, 6, 2), Setting(8, 5, 3, 2)), 10.0
)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return a job for each (k, s), and one for each other method and gain."""
    found: list[Job] = [
        (f"k = {k}, s = {s}", functools.partial(grid_rows, settings, k, s))
        for k in settings.k
        for s in settings.s
    ]
    for method in (RECODED, LEARNED):
        for best in settings.best:
            job = functools.partial(other_rows, settings, method, best)
            found.append((f"{method}, RCG {best.gain}", job))
    if peers:
        for best in settings.best:
            job = functools.partial(peer_rows, settings, best)
            found.append((f"pyfaust, RCG {best.gain}", job))
    return found


def grid_rows(settings: Settings, k: int, s: int) -> list[Row]:
    """Return a row for each number of factors, from one run of `hierarchical`.

    Parameters
    ----------
    settings : Settings
        The study's.
    k, s : int
        The arguments of `rectmat`.

    Returns
    -------
    list of dict
    """
    target = gain_matrix(settings.matrix).matrix
    hierarchical(target[:4, :6], rectmat(3, 2, 2), n_iter=(1, 1))  # compiles
    return [
        _row(settings, level.operator, HIERARCHICAL, (j, k, s), None, level.seconds)
        for j, level in enumerate(levels(target, settings.n_factors, k, s), start=2)
    ]


def other_rows(settings: Settings, method: str, best: Setting) -> list[Row]:
    """Return the row of another method of nbfact at one gain.

    Parameters
    ----------
    settings : Settings
        The study's.
    method : str
        `RECODED` or `LEARNED`.
    best : Setting
        The gain, and the preset to start from.

    Returns
    -------
    list of dict
        One row. Its time is that of reading a file where an earlier run kept it.
    """
    if method == RECODED:  # whose time is without that of its start
        approximation(settings.matrix, HIERARCHICAL, best, settings.seconds)
    start = time.process_time()
    operator = approximation(settings.matrix, method, best, settings.seconds)
    seconds = time.process_time() - start
    jks = (best.n_factors, best.k, best.s) if method == RECODED else (None,) * 3
    return [_row(settings, operator, method, jks, best.gain, seconds)]


def peer_rows(settings: Settings, best: Setting) -> list[Row]:
    """Return the rows of pyfaust's `hierarchical` with one of the best settings."""
    target = gain_matrix(settings.matrix).matrix
    jks = best.n_factors, best.k, best.s
    found = []
    for backend in faust.BACKENDS:
        call = faust.hierarchical(target, ["rectmat", *jks], backend)
        start = time.process_time()
        dense = call()
        seconds = time.process_time() - start
        n = target.shape[1]
        nnz = sum(
            getattr(one, "k", 0) * (n if one.shape == target.shape else 1)
            for one in _sets(target, jks)
        )
        method = f"pyfaust {backend}"
        row = _measured(settings, dense, nnz, method, jks, best.gain, seconds)
        found.append(row)
    return found


def _sets(target, jks):
    """Return the sets of the factors of a preset: SpCol has k for each column."""
    factors, residuals = rectmat(*jks).constraints(target.shape)
    return [*factors, residuals[-1]]


def _row(settings, operator: FactorProduct, method, jks, gain, seconds) -> Row:
    """Return the row of an operator."""
    dense, nnz = operator.toarray(), operator.nnz
    return _measured(settings, dense, nnz, method, jks, gain, seconds)


def _measured(settings, dense, nnz, method, jks, gain, seconds) -> Row:
    """Return the row of a dense approximation with a number of non-zeros."""
    target = gain_matrix(settings.matrix).matrix
    singular = _singular_values(settings.matrix)
    rank = nnz // sum(target.shape)
    return {
        "matrix": settings.matrix,
        "method": method,
        "gain": gain,
        **dict(zip(("J", "k", "s"), jks, strict=True)),
        "nnz": nnz,
        "rcg": target.size / nnz,
        "spectral": spectral_norm(target - dense) / float(singular[0]),
        "frobenius": float(relative_error(target, dense)),
        "rank": rank,
        "svd_spectral": float(singular[rank] / singular[0]),
        "svd_frobenius": float(np.linalg.norm(singular[rank:])),
        "CPU s": seconds,
    }


@functools.cache
def _singular_values(matrix):
    """Return the singular values of a gain matrix, in decreasing order."""
    return np.linalg.svd(gain_matrix(matrix).matrix, compute_uv=False)


def best_row(rows: Sequence[Row], gain: float) -> Row | None:
    """Return the row with the least spectral error among those of at least a gain."""
    enough = [row for row in rows if row["rcg"] >= gain]
    return min(enough, key=lambda row: row["spectral"], default=None)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, the best of each method at the gains, and the whole grid."""
    grid = select(rows, method=HIERARCHICAL)
    others = [row for row in rows if row["gain"] is not None]
    found = {
        "Claims": claims(rows),
        "The best at each gain": _best_lines(rows),
        "Other methods": [_shown(row) for row in others],
        "Settings that no other setting beats in both": [
            _shown(r) for r in front(grid)
        ],
        "All settings": [_shown(row) for row in sorted(grid, key=lambda r: -r["rcg"])],
    }
    return {caption: lines for caption, lines in found.items() if lines}


def _shown(row: Row) -> Row:
    """Return the columns of a row that tables show."""
    hidden = ("matrix", "rank", "gain")
    return {name: value for name, value in row.items() if name not in hidden}


def _gains(rows: Sequence[Row]) -> list[float]:
    """Return the nominal gains of the other methods, in increasing order."""
    return sorted(gain for gain in values(rows, "gain") if gain is not None)


def _best_lines(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each gain: the best setting, and what other methods reach."""
    grid = select(rows, method=HIERARCHICAL)
    methods = [one for one in values(rows, "method") if one != HIERARCHICAL]
    lines = []
    for gain in _gains(rows):
        best = best_row(grid, gain)
        if best is None:
            continue
        line: Row = {"gain": gain, **{one: best[one] for one in ("J", "k", "s", "rcg")}}
        for norm in ("spectral", "frobenius"):
            line[f"hierarchical, {norm}"] = best[norm]
            for method in methods:
                for row in select(rows, method=method, gain=gain):
                    line[f"{method}, {norm}"] = row[norm]
            line[f"svd, {norm}"] = best[f"svd_{norm}"]
        lines.append(line)
    return lines


def front(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with less error than all rows of at least their gain.

    Parameters
    ----------
    rows : sequence of dict
        Rows with the columns ``rcg`` and ``spectral``.

    Returns
    -------
    list of dict
        In order of decreasing gain.

    Examples
    --------
    >>> a, b = {"rcg": 9.0, "spectral": 0.1}, {"rcg": 8.0, "spectral": 0.2}
    >>> front([b, a]) == [a]
    True
    """
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (-row["rcg"], row["spectral"])):
        if not found or row["spectral"] < found[-1]["spectral"]:
            found.append(row)
    return found


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each claim: the published one, what was found, if it holds."""
    grid = select(rows, method=HIERARCHICAL)
    found = []
    if grid:
        found += [_two_factors(grid), _svd(grid), _driven_by_k(grid), _seconds(grid)]
    for gain in _gains(rows):
        best = best_row(grid, gain)
        for norm in ("spectral", "frobenius"):
            ours = [
                (row[norm], row["method"])
                for row in select(rows, gain=gain)
                if row["method"] in (RECODED, LEARNED) and row["rcg"] >= gain
            ]
            if best is not None and ours:
                least, method = min(ours)
                found.append(
                    _claim(
                        f"RCG {gain}: {norm} error of nbfact's other methods",
                        f"at most hierarchical's (goal of nbfact): {best[norm]:.4f}",
                        f"{least:.4f} ({method})",
                        least <= best[norm],
                    )
                )
    return found


def _two_factors(grid: Sequence[Row]) -> Row:
    """Check that J = 2 is never the best compromise."""
    some = front(grid)
    two = len(select(some, J=2))
    return _claim(
        "J = 2 among the settings that no other beats in error and gain",
        "never (the paper)",
        f"{two} of {len(some)}",
        two == 0,
    )


def _svd(grid: Sequence[Row]) -> Row:
    """Check that the truncated SVD is far worse at equal parameters."""
    ratios = [row["svd_spectral"] / row["spectral"] for row in grid]
    return _claim(
        "spectral error of the SVD with as many parameters, over hierarchical's",
        "far above 1 (the paper)",
        f"{min(ratios):.1f} to {max(ratios):.1f}, median {np.median(ratios):.1f}",
        min(ratios) > 1,
    )


def _driven_by_k(grid: Sequence[Row]) -> Row:
    """Check that k decides most of the complexity."""
    nnz = np.array([row["nnz"] for row in grid], float)
    means = {
        k: np.mean([row["nnz"] for row in select(grid, k=k)]) for k in values(grid, "k")
    }
    between = np.var([means[row["k"]] for row in grid])
    share = float(between / np.var(nnz))
    return _claim(
        "share of the variance of the number of non-zeros that k explains",
        "k drives the complexity (the paper)",
        f"{share:.3f}",
        share > 0.5,
    )


def _seconds(grid: Sequence[Row]) -> Row:
    """Check the time of the whole grid."""
    last = max(values(grid, "J"))
    seconds = sum(row["CPU s"] for row in select(grid, J=last))
    return _claim(
        f"CPU minutes of all {len(grid)} settings",
        "20 (goal); more than 6000 (the paper)",
        f"{seconds / 60:.1f}; each alone {sum(row['CPU s'] for row in grid) / 60:.1f}",
        seconds <= 1200,
    )


def _claim(claim: str, asked: str, found: str, holds: bool) -> Row:
    return {
        "claim": claim,
        "asked": asked,
        "found": found,
        "holds": "yes" if holds else "no",
        "command": "`nbfact study meg`",
    }


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw both errors against the complexity gain."""
    panels = figure.subplots(1, 2)
    for axes, norm in zip(panels, ("spectral", "frobenius"), strict=True):
        for method in values(rows, "method"):
            some = select(rows, method=method)
            if method != HIERARCHICAL:
                _scatter(axes, some, norm, "D" if method == RECODED else "s", method)
                continue
            for k in values(some, "k"):
                _scatter(axes, select(some, k=k), norm, ".", f"{method}, k = {k}")
        curve = sorted(rows, key=lambda row: row["rcg"])
        svd = [row[f"svd_{norm}"] for row in curve]
        axes.plot([row["rcg"] for row in curve], svd, "--", color="0.5", label="SVD")
        axes.set(xlabel="relative complexity gain", ylabel=f"relative {norm} error")
        axes.set_yscale("log")
    panels[0].legend(fontsize="small")


def _scatter(axes, rows, norm, marker, label):
    """Draw a point for each row."""
    x, y = [row["rcg"] for row in rows], [row[norm] for row in rows]
    axes.scatter(x, y, marker=marker, label=label, zorder=3 if marker != "." else 2)
