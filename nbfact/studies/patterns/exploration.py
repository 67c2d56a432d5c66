"""Exploration, a part of the study of patterns: a leak finds what PALM does not.

`explore` is palm4MSA with a leak ρ between 0 and 1. Each factor remembers the gradients
of the entries that its projection has removed, and forgets a share 1 - ρ of them in
each sweep, so that its support can still change: ρ = 0 is palm4MSA, ρ = 1 forgets
nothing. Here `explore` and `palm4msa` start from the same random factors and make the
same number of sweeps over the same sets.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ... import algorithms
from ...constraints import Constraint, SkPerm
from ..tools.intervals import rate_text
from ..tools.rows import Row, known, select, values
from ..tools.work import Job
from .instances import FIRST_SEED, Instance, attempt

PART = "exploration"

N = 16
"""Order of all matrices of this part."""


@dataclass(frozen=True)
class Task:
    """A problem: a target, the sets of its factors, and how long to search.

    Attributes
    ----------
    target : str
        Name in :data:`nbfact.studies.patterns.instances.TARGETS`.
    k : tuple of int
        Entries in each row and column, for each factor from left to right.
    n_iter : int
        Number of sweeps.
    """

    target: str
    k: tuple[int, ...]
    n_iter: int

    def sets(self) -> list[Constraint]:
        """Return the constraints on the factors, from left to right."""
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

Leak = float | tuple[float, float]
LEAKS: tuple[Leak, ...] = (
    *(0.0, 0.5, 0.9, 0.95, 0.98, 0.99, 1.0),
    *((0.99, 0.9), (0.98, 0.5)),
)
"""Leaks that are compared. A pair is annealed: it starts at the first and ends at the
second."""

PALM, SEA = "palm4msa", "SEA's rule"


def jobs(
    tasks: Sequence[str], leaks: Sequence[Leak], seeds: int, peers: bool
) -> list[Job]:
    """Return one job for each task and seed: all leaks, from the same random start."""
    return [
        (f"{PART}, {task}, {seed}", functools.partial(_rows, task, tuple(leaks), seed))
        for task in tasks
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
    ]


def methods(task: Task, leaks: Sequence[Leak]) -> dict[str, Callable]:
    """Return the methods to compare, with the same start, sets and number of sweeps.

    Parameters
    ----------
    task : Task
        The problem to solve.
    leaks : sequence of float or pairs
        For each leak ρ, "leak ρ" is the exploration alone. (`explore` by default
        returns what palm4MSA finds when that has a smaller error.)

    Returns
    -------
    dict of str to callable

    Examples
    --------
    >>> list(methods(TASKS["Hadamard 8 x 2"], [0.9]))
    ['palm4msa', "SEA's rule", 'leak 0.9']
    """
    found: dict[str, Callable] = {PALM: functools.partial(_palm, task)}
    found[SEA] = functools.partial(_explored, task, 1.0, "least squares")
    for leak in leaks:
        name = " to ".join(map(str, leak)) if isinstance(leak, tuple) else str(leak)
        found[f"leak {name}"] = functools.partial(_explored, task, leak, "projected")
    return found


def _palm(task, target, instance, rng):
    return algorithms.palm4msa(
        target,
        task.sets(),
        n_iter=task.n_iter,
        init="random",
        keep="best",
        random_state=rng,
    )


def _explored(task, leak, values, target, instance, rng):
    return algorithms.explore(
        target,
        task.sets(),
        leak=leak,
        values=values,
        n_iter=task.n_iter,
        init="random",
        safeguard=False,
        random_state=rng,
    )


def _rows(name, leaks, seed):
    """Return the rows of all methods on one task and seed."""
    task = TASKS[name]
    instance = Instance(task.target, N, seed)
    found = []
    for method, solve in methods(task, leaks).items():
        found += attempt(PART, method, solve, instance, task=name)
    return found


def worse(rows: Sequence[Row], method: str) -> int:
    """Return on how many instances a method has a larger error than `palm4msa`.

    An error counts as larger when it is so by more than rounding: by 1e-12 of the other
    error plus 1e-14.

    Parameters
    ----------
    rows : sequence of dict
        Rows of this part, those of `palm4msa` among them.
    method : str
        Name of the method.

    Examples
    --------
    >>> worse([], "leak 0.9")
    0
    """
    palm = {
        (row["task"], row["seed"]): row["error"] for row in select(rows, method=PALM)
    }
    return sum(
        row["error"] is not None
        and (least := palm[row["task"], row["seed"]]) is not None
        and row["error"] > least * (1 + 1e-12) + 1e-14
        for row in select(rows, method=method)
    )


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return success rates and median errors of each leak, and the counts of `worse`.

    All tables have one line for each leak; the first two have a column for each task.
    """
    if not rows:
        return {}
    rates, errors = [], []
    for method in values(rows, "method"):
        rate: Row = {"method": method}
        error: Row = {"method": method}
        for task in values(rows, "task"):
            tried = select(rows, method=method, task=task)
            good = sum(bool(row["success"]) for row in tried)
            rate[task] = rate_text(good, len(tried))
            finite = known(tried, "error")
            error[task] = float(np.median(finite)) if finite else None
        rates.append(rate)
        errors.append(error)
    return {
        "Exploration: successes": rates,
        "Exploration: median errors": errors,
        "Exploration: larger error than that of palm4msa from the same start": [
            *_larger(rows)
        ],
    }


def _larger(rows):
    """Yield the line of each method: on how many instances PALM has less error."""
    for method in values(rows, "method"):
        if method != PALM:
            runs = len(select(rows, method=method))
            larger = worse(rows, method)
            yield {"method": method, "runs": runs, "larger error": larger}
