"""Measure tasks in several processes, one after the other, and put the rows together.

The median of one process is one sample: what its rounds say of their own spread does
not tell where the next process will find its median. So a time and a ratio have an
interval only across processes, and none where few processes measured, or where they
differ so much that the interval would say nothing.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from . import sample
from .case import Case
from .confidence import interval
from .isolate import Worker
from .measure import UNTIMED, Row, Turn

CONFIDENCE = 0.95
"""Probability that an interval contains the true median, if the machine stays as it is:
:func:`nbfact.harness.confidence.interval` says how."""

LEAST_PROCESSES = 6
"""Least number of processes that give an interval: of five samples, even the least and
the largest contain the true median with a probability of 94 % only."""

BLIND = 0.25
"""Largest relative half of an interval. A wider one is left out, and the row is marked
``unstable``: the machine changed between the processes by more than the interval could
express."""


def measure_passes(
    chosen: Mapping[str, Sequence[Case]],
    start: Callable[[], Worker],
    budget: float,
    processes: int,
    progress: Callable[[str], object] = lambda task: None,
) -> dict[str, list[Row]]:
    """Measure some tasks in several processes, each of which measures all of them.

    Parameters
    ----------
    chosen : mapping of str to sequence of Case
        Tasks by their names.
    start : callable
        Returns a process that measures.
    budget : float
        Seconds for the samples of a task in all processes together.
    processes : int
        Number of processes. A task with a call of
        :data:`nbfact.harness.sample.SLOW` seconds or more has only one.
    progress : callable
        Called with the name of the task that is measured next.

    Returns
    -------
    dict of str to list of dict
        A row for each case, by task.
    """
    found: dict[str, list[list[Row]]] = {name: [] for name in chosen}
    for number in range(processes):
        left = [name for name in chosen if number == 0 or _again(found[name][0])]
        if not left:
            break
        with start() as worker:
            for name in left:
                progress(name)
                clock = _clock(found[name][0]) if number else None
                turn = Turn(number, processes, clock)
                rows = worker.measure(chosen[name], budget / processes, turn)
                found[name].append(rows)
    return {
        name: [merged(rows) for rows in zip(*parts, strict=True)]
        for name, parts in found.items()
    }


def merged(rows: Sequence[Row]) -> Row:
    """Return one row of a case from the rows of several processes.

    Parameters
    ----------
    rows : sequence of dict
        Rows of :func:`nbfact.harness.measure.measure_task`; that of the process that
        checked results first.

    Returns
    -------
    dict
        The first row, with the medians and intervals across processes; a case that
        failed in one process has failed.
    """
    first = dict(rows[0])
    failed = [row for row in rows if not row["ok"]]
    if failed:
        return first | {**UNTIMED, "ok": False, "message": failed[0]["message"]}
    if len(rows) == 1:
        return first
    samples = [value for row in rows for value in row["samples"]]
    times = _across(rows, "time")
    medians = times.pop("samples")
    first["processes"] = len(rows)
    first["samples"] = samples
    first["time"] = {**sample.summary(np.array(samples)), **times, "medians": medians}
    if first["roof"] is not None:
        first["roof"] *= rows[0]["time"]["median"] / times["median"]
    for key in ("ratio", "cold"):
        if all(row[key] for row in rows):
            first[key] = first[key] | _across(rows, key)
    known = [first[key] for key in ("time", "ratio") if first[key]]
    enough = len(rows) >= LEAST_PROCESSES
    first["unstable"] = enough and any(one["low"] is None for one in known)
    return first


def _across(rows, key):
    """Return the median over processes, with an interval where one can be given."""
    found = interval(np.log([row[key]["median"] for row in rows]), CONFIDENCE)
    half = (found["high"] / found["low"]) ** 0.5 - 1
    if len(rows) < LEAST_PROCESSES or half > BLIND:
        found |= {"low": None, "high": None}
    return found


def _again(rows):
    """Return whether further processes measure a task."""
    times = [row["time"]["median"] for row in rows if row["time"]]
    return bool(times) and max(times) < sample.SLOW


def _clock(rows):
    """Return the clock of a task, which is that of each case that has a time."""
    return next((row["clock"] for row in rows if row["clock"]), None)
