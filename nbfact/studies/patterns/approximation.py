"""Approximation, a part of the study of patterns: errors at equal compute.

Every method may spend the same number of non-zeros on a matrix, and as many CPU seconds
of one thread as one call of `learn_transform` did: it restarts until then.
"""

import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import algorithms
from ..tools.rows import Row
from ..tools.work import Job
from .ablations import ablated, ablations
from .budgeted_methods import CLOSED, PEERS, RESTARTED, monarch_budget
from .equal_compute import Clock, Spent, approximation_of, least_by, restarted
from .instances import FIRST_SEED, GRAPHS, Instance, judged

PART, ABLATION = "approximation", "ablation"
"""Names of the two parts in the rows."""

OURS, WHOLE = "learn_transform", "explorations"
"""The call that all are compared with, and its explorations without an ablation."""

TARGETS = (
    "Gaussian",
    *("lead field", "trained weights", "wavelet packets", "wavelet packets, permuted"),
    *("spherical harmonics", "gaussian kernel", "exponential kernel", "inverse kernel"),
    *("Toeplitz", "convolution layer", "sparse + rank 2"),
    *("DCT, permuted", "Haar, permuted", "Gaussian butterfly, permuted"),
    *(f"graph Fourier, {kind}" for kind in GRAPHS),
)
"""The targets of this part: all are random, and their seeds are new."""

COURSE = ("eighth", "quarter", "half")
"""Columns of the least error after these shares of the seconds of `learn_transform`."""


@dataclass(frozen=True)
class Sizes:
    """What this part varies.

    Attributes
    ----------
    targets : tuple of str
        Names in `nbfact.studies.patterns.instances.TARGETS`.
    n : tuple of int
        Orders of the matrices, powers of two.
    seeds, ablated : int
        Number of instances of each target and order, and of those with ablations.
    effort : str
        That of `learn_transform`.
    """

    targets: tuple[str, ...] = TARGETS
    n: tuple[int, ...] = (32, 64, 128)
    seeds: int = 20
    ablated: int = 20
    effort: str = "normal"


def jobs(sizes: Sizes, peers: bool) -> list[Job]:
    """Return two jobs for each instance: a comparison of all methods, and ablations.

    With `peers` there is a third one, in which pyfaust spends what `learn_transform`
    does in the same process.

    The first instance of every target comes before the second of any, so that a run
    that is not finished says something of all of them.
    """
    compare = functools.partial(_compared, effort=sizes.effort)
    rivals = functools.partial(_beside, effort=sizes.effort)
    parts: list[tuple[str, int, Callable[..., list[Row]]]] = [
        (PART, sizes.seeds, compare),
        (ABLATION, sizes.ablated, _changed),
    ]
    if peers:
        parts.append(("pyfaust", sizes.seeds, rivals))
    return [
        (f"{part}, {target}, {n}, {seed}", functools.partial(job, target, n, seed))
        for part, seeds, job in parts
        for n in sizes.n
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
        for target in sizes.targets
    ]


def stream(seed: int, method: str) -> np.random.Generator:
    """Return the stream of a method on an instance, which made no target or noise."""
    return np.random.default_rng((seed, zlib.crc32(method.encode())))


@functools.cache
def _warm_up(runs):
    """Run methods once in this process, so that none pays for compilation."""
    matrix = Instance("Gaussian", 16, 0).matrices()[0]
    nnz = monarch_budget(16)
    for run in runs:
        restarted(run, matrix, nnz, 0.0, np.random.default_rng(0))
    for closed in CLOSED.values():
        closed(matrix, nnz)
    algorithms.learn_transform(matrix, nnz=nnz, effort="quick", random_state=0)


def _beside(target, n, seed, *, effort):
    """Return the rows of pyfaust's methods on one instance."""
    rows = _compared(target, n, seed, effort=effort, methods=PEERS)
    return [row for row in rows if row["method"] in PEERS or row["failure"]]


def _compared(target, n, seed, *, effort, methods=RESTARTED):
    """Return the rows of `learn_transform`, of methods beside it, and closed forms."""
    _warm_up(tuple(methods.values()))
    instance = Instance(target, n, seed, nnz=monarch_budget(n))
    matrix, _ = instance.matrices()
    nnz = monarch_budget(n)
    rows = [_row(PART, OURS, instance, lambda: _ours(matrix, nnz, seed, effort))]
    seconds = rows[0]["seconds"]
    if seconds is None:
        return rows
    for name, run in methods.items():
        spend = functools.partial(
            restarted, run, matrix, nnz, seconds, stream(seed, name)
        )
        rows.append(_row(PART, name, instance, spend))
    for name, closed in CLOSED.items():
        solve = functools.partial(_once, functools.partial(closed, matrix, nnz), matrix)
        rows.append(_row(PART, name, instance, solve))
    for row in rows:
        row["share"] = row["seconds"] and row["seconds"] / seconds
    return rows


def _changed(target, n, seed):
    """Return the rows of the ablations of one instance."""
    instance = Instance(target, n, seed, nnz=monarch_budget(n))
    matrix, _ = instance.matrices()
    rows = []
    for name, changes in {WHOLE: {}, **ablations(n)}.items():
        rng = stream(seed, OURS)
        search = functools.partial(ablated, matrix, monarch_budget(n), changes, rng)
        solve = functools.partial(_once, search, matrix)
        rows.append(_row(ABLATION, name, instance, solve))
    return rows


def _ours(matrix, nnz, seed, effort):
    """Return what one call of `learn_transform` finds, and its course."""
    clock, ends = Clock(np.inf), list[float]()

    def note(state):
        ends.append(clock.spent)
        return False

    found = algorithms.learn_transform(
        matrix,
        nnz=nnz,
        effort=effort,
        callback=note,
        random_state=stream(seed, OURS),
    )
    seconds = clock.spent
    known = [
        (end, trial.error)
        for end, trial in zip(ends, found.trials, strict=True)
        if trial.nnz <= nnz
    ]
    best = approximation_of(found)
    course = least_by(known, seconds)
    return Spent(best, found.relative_error, seconds, len(found.trials), course)


def _once(solve, matrix):
    """Return what a single run finds."""
    clock = Clock(np.inf)
    found: Any = solve()
    seconds = clock.spent
    best = approximation_of(found) if hasattr(found, "operator") else found
    error = float(np.linalg.norm(matrix - best.matrix) / np.linalg.norm(matrix))
    return Spent(best, error, seconds, 1, [error] * len(COURSE))


def _row(part: str, method: str, instance: Instance, solve: Callable[[], Spent]) -> Row:
    """Return the row of one method on one instance, also when it raises."""
    row = judged(part, method, instance)
    try:
        spent = solve()
    except Exception as problem:  # one of thousands: its row reports it
        row["failure"] = " ".join(f"{type(problem).__name__}: {problem}".split())
        return row
    best = spent.best
    row |= {
        "error": spent.error,
        "nnz": best.nnz if best else None,
        "factors": best.factors if best else None,
        "trials": spent.runs,
        "seconds": spent.seconds,
        "structure": best.structure if best else None,
        **dict(zip(COURSE, spent.course, strict=True)),
    }
    return row
