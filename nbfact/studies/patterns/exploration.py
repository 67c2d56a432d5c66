"""Part of the study of patterns: what the leak finds, and PALM does not."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ... import algorithms
from ...constraints import Constraint, SkPerm
from ..tools.intervals import told
from ..tools.result_files import Row
from ..tools.work import Job
from .instances import JUDGED, Instance, attempt, select, values

PART = "exploration"
N = 16


@dataclass(frozen=True)
class Task:
    """A target, the sets of its factors (entries a row and a column), the sweeps."""

    target: str
    k: tuple[int, ...]
    n_iter: int

    def sets(self) -> list[Constraint]:
        """Return the constraints."""
        return [SkPerm((N, N), k) for k in self.k]


TASKS = {
    "Hadamard 8 x 2": Task("Hadamard, permuted", (8, 2), 300),
    "Hadamard 4 x 4": Task("Hadamard, permuted", (4, 4), 300),
    "Hadamard direct, J = 4": Task("Hadamard, permuted", (2, 2, 2, 2), 1000),
    "pair rotations, J = 2": Task("pair rotations, J = 2", (2, 2), 300),
    "pair rotations, J = 3": Task("pair rotations, J = 3", (2, 2, 2), 300),
    "planted 2-regular, J = 2": Task("planted 2-regular, J = 2", (2, 2), 300),
    "planted 2-regular, J = 3": Task("planted 2-regular, J = 3", (2, 2, 2), 300),
}

LEAKS = (0.0, 0.5, 0.9, 0.95, 0.98, 0.99, 1.0, (0.99, 0.9), (0.98, 0.5))
"""Leaks, and pairs between which it is annealed."""

PALM = "palm4msa"


def jobs(tasks: Sequence[str], leaks: Sequence, seeds: int, peers: bool) -> list[Job]:
    """Return one job for each task and seed: all leaks, from the start of that seed."""
    return [
        (f"{PART}, {task}, {seed}", functools.partial(_rows, task, tuple(leaks), seed))
        for task in tasks
        for seed in range(JUDGED, JUDGED + seeds)
    ]


def methods(task: Task, leaks: Sequence) -> dict[str, Callable]:
    """Return what is compared: same start, same sets, same sweeps.

    Parameters
    ----------
    task : Task
    leaks : sequence of float or pairs
        For each, "leak ρ" is the exploration alone, "explore ρ" the call as it is
        meant, with palm4MSA as its safeguard.

    Returns
    -------
    dict of str to callable

    Examples
    --------
    >>> list(methods(TASKS["Hadamard 8 x 2"], [0.9]))
    ['palm4msa', 'leak 0.9', 'explore 0.9']
    """
    found: dict[str, Callable] = {PALM: functools.partial(_palm, task)}
    for leak in leaks:
        name = " to ".join(map(str, leak)) if isinstance(leak, tuple) else str(leak)
        for safeguard, kind in ((False, "leak"), (True, "explore")):
            found[f"{kind} {name}"] = functools.partial(
                _explored, task, leak, safeguard
            )
    return found


def _palm(task, target, instance, seed):
    return algorithms.palm4msa(
        target,
        task.sets(),
        n_iter=task.n_iter,
        init="random",
        keep="best",
        random_state=seed,
    )


def _explored(task, leak, safeguard, target, instance, seed):
    return algorithms.explore(
        target,
        task.sets(),
        leak=leak,
        n_iter=task.n_iter,
        init="random",
        safeguard=safeguard,
        random_state=seed,
    )


def _rows(name, leaks, seed):
    task = TASKS[name]
    instance = Instance(task.target, N, seed)
    found = []
    for method, solve in methods(task, leaks).items():
        found += attempt(PART, method, solve, instance, task=name)
    return found


def worse(rows: Sequence[Row]) -> int:
    """Return on how many instances `explore` has a larger error than `palm4msa`.

    Larger by more than rounding, that is: 1e-12 of it, and 1e-14 of the matrix.

    Examples
    --------
    >>> worse([])
    0
    """
    palm = {
        (row["task"], row["seed"]): row["error"] for row in select(rows, method=PALM)
    }
    return sum(
        row["error"] is not None
        and (least := palm[row["task"], row["seed"]]) is not None
        and row["error"] > least * (1 + 1e-12) + 1e-14
        for row in rows
        if row["method"].startswith("explore ")
    )


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return successes and median errors: leaks down, tasks across; then the count."""
    if not rows:
        return {}
    rates, errors = [], []
    for method in values(rows, "method"):
        if method.startswith("explore "):
            continue  # the leak alone is what is to be told
        rate: Row = {"method": method}
        error: Row = {"method": method}
        for task in values(rows, "task"):
            tried = select(rows, method=method, task=task)
            rate[task] = told(sum(bool(row["success"]) for row in tried), len(tried))
            known = [row["error"] for row in tried if row["error"] is not None]
            error[task] = float(np.median(known)) if known else None
        rates.append(rate)
        errors.append(error)
    guarded = [row for row in rows if row["method"].startswith("explore ")]
    return {
        "Exploration: successes": rates,
        "Exploration: median errors": errors,
        "Exploration: larger error than that of palm4msa from the same start": [
            {"explore, runs": len(guarded), "larger": worse(rows)}
        ],
    }
