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
from ..tools.legends import legend_below
from ..tools.rows import Row, select, values
from ..tools.work import Job
from . import meg_claims
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
QUESTION = (
    "How few non-zeros are enough to represent the gain matrix of a real helmet of "
    "magnetoencephalography (MEG) by a product of sparse factors?"
)
PICTURE = (
    "The picture shows the error against the relative complexity gain: the number of "
    "entries of the matrix, divided by the number of non-zeros of the factors. Lower "
    "and further right is better. Each dot is one setting of `hierarchical`, the "
    "algorithm of the paper; its last factor has k non-zeros in each column."
)
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
  steps, longer by a factor of 1.9. One run with the largest J gives the results for all
  smaller ones, each equal to that of a run of its own; CPU s is the time until each was
  there.
- The best setting at a gain has the least spectral error among those with at least that
  gain. The gains are those of the six approximations of the paper.
- "recoded" starts there: `refine` fits all values by least squares, and `omp` finds the
  last factor anew, by turns. "learn_transform" has the effort "quick", the families
  "sparse codes" and "sparse products", and a limit of {SECONDS:g} seconds, so that its
  results depend on the machine.
- All starts are fixed, but learn_transform's, whose seed is 0."""

NORMS = {"spectral": "spectral", "frobenius": "Frobenius"}
"""The norms of errors: the column of rows, and the word that people write."""

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


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, the best of each method at the gains, and the whole grid."""
    return meg_claims.tables(rows)


opening = meg_claims.opening


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw both errors against the complexity gain."""
    panels = figure.subplots(1, 2)
    for axes, norm in zip(panels, NORMS, strict=True):
        for method in values(rows, "method"):
            some = select(rows, method=method)
            if method != HIERARCHICAL:
                marker, color = ("D", "C6") if method == RECODED else ("s", "black")
                _scatter(axes, some, norm, marker, method, color)
                continue
            for k in values(some, "k"):
                _scatter(axes, select(some, k=k), norm, ".", f"{method}, k = {k}")
        curve = sorted(rows, key=lambda row: row["rcg"])
        svd = [row[f"svd_{norm}"] for row in curve]
        axes.plot([row["rcg"] for row in curve], svd, "--", color="0.5", label="SVD")
        axes.set_xlabel("relative complexity gain")
        axes.set_ylabel(f"relative {NORMS[norm]} error")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(which="minor", labelsize="x-small")
    legend_below(figure, panels, 5)


def _scatter(axes, rows, norm, marker, label, color=None):
    """Draw a point for each row."""
    x, y = [row["rcg"] for row in rows], [row[norm] for row in rows]
    order = 3 if marker != "." else 2
    axes.scatter(x, y, color=color, marker=marker, label=label, zorder=order)
