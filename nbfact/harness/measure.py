"""Measure one task: check every result, then time the right ones side by side."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from .._core.threads import threads as kernel_threads
from . import sample
from .allocations import allocations
from .calibration import roof_time
from .case import Case
from .cold import cold_times

SEED = 0
"""Seed of all inputs, fixed so that a wrong result can be computed again."""

Row = dict[str, Any]
"""A row of results: what is stored of one case of one run."""

COLD_ROUNDS = 5
"""Samples of each call with an operand that lies in no cache, in each process."""

FEW = 2
"""Least number of rounds of one process where several measure."""

CLOCKS = ("cpu", "wall")
"""Names of the clocks, at their places in the samples of
:func:`nbfact.harness.sample.interleave_clocks`."""

UNTIMED: Row = dict.fromkeys(
    ("clock", "time", "cold", "samples", "ratio", "roof", "allocations")
)
"""The keys of a row that a case without a time leaves empty."""


NO_INTERVAL: Row = {"low": None, "high": None}
"""The interval of what one process measured: it says nothing about another one."""


@dataclass(frozen=True)
class Turn:
    """Which of several processes measures a task.

    Parameters
    ----------
    number : int
        Number of the process, from 0. The first one checks results and counts
        allocations.
    processes : int
        How many processes measure, one after the other.
    clock : str or None
        One of :data:`CLOCKS`, by which the first process measured; None in that one.
    """

    number: int = 0
    processes: int = 1
    clock: str | None = None

    def rounds(self, slowest: float) -> int:
        """Return the least number of rounds, given the seconds of the slowest call."""
        least = sample.least_rounds(slowest)
        return least if self.processes == 1 else min(FEW, least)


ALONE = Turn()
"""The only process that measures a task."""


@contextlib.contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Limit BLAS, OpenMP, Numba and nbfact to some threads within a ``with`` block.

    Parameters
    ----------
    threads : int
        Number of threads, at least 1.

    Raises
    ------
    ValueError
        When Numba was started with fewer threads.

    Examples
    --------
    >>> import numba
    >>> with limited_threads(1):
    ...     numba.get_num_threads()
    1
    """
    import numba
    from threadpoolctl import threadpool_limits

    # numba.config gets its variables when numba is imported, unseen by a type checker.
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if threads > most:
        raise ValueError(f"--threads {threads}: this machine has {most}")
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        with kernel_threads(threads), threadpool_limits(threads):
            yield
    finally:
        numba.set_num_threads(before)


def measure_task(
    task: Sequence[Case],
    budget: float,
    calibration: dict,
    announce: Callable[[str | None], object] = lambda impl: None,
    turn: Turn = ALONE,
) -> list[Row]:
    """Check and time the cases of a task; return a row for each.

    Parameters
    ----------
    task : sequence of Case
        All implementations of one computation, as in
        :func:`nbfact.harness.case.tasks`.
    budget : float
        Seconds for the samples of all implementations together.
    calibration : dict
        What the machine can do, from
        :func:`nbfact.harness.calibration.calibrate`.
    announce : callable
        Called, while no clock runs, with the name of the implementation that is called
        next, and with None where none is.
    turn : Turn
        Which of several processes this is.

    Returns
    -------
    list of dict
        Rows for :func:`nbfact.harness.store.append_rows`. A case that raises, or whose
        result is wrong, has ``ok`` false, a ``message``, and no time, because the time
        of a wrong result means nothing.

    Notes
    -----
    Results are compared with the reference before they are timed, and once more
    afterwards, which finds a call that spoils its own inputs. A call of
    :data:`nbfact.harness.sample.SLOW` seconds or more is not checked again.
    """
    announce(None)
    inputs = task[0].make(np.random.default_rng(SEED))
    want = task[0].reference(inputs) if turn.number == 0 else None
    rows = {case.impl: _row(case) for case in task}
    calls, known = {}, {}
    start = turn.number % len(task)
    for case in [*task[start:], *task[:start]]:  # memory is taken in another order
        announce(case.impl)
        try:
            call, seconds = _prepared(case, inputs, want, rows[case.impl], announce)
        except Exception as error:  # whatever it is, the other cases go on
            _fail(rows[case.impl], f"{type(error).__name__}: {error}")
        else:
            if rows[case.impl]["ok"]:
                calls[case.impl], known[case.impl] = call, seconds
    announce(None)
    if want is not None:
        _compare(task, rows)
    calls = {impl: call for impl, call in calls.items() if rows[impl]["ok"]}
    known = {impl: known[impl] for impl in calls}
    if not calls:
        return list(rows.values())
    rounds = turn.rounds(max(known.values()))
    both = sample.interleave_clocks(calls, budget, rounds, known, announce)
    clock = _clock(both, calls, announce, turn)
    samples = {impl: times[:, clock] for impl, times in both.items()}
    medians = {impl: float(np.median(times)) for impl, times in samples.items()}
    cold = cold_times(task, inputs, medians, COLD_ROUNDS, announce)
    for case in task:
        if case.impl in calls:
            row = rows[case.impl]
            row["clock"] = CLOCKS[clock]
            _fill(row, case, samples, calibration)
            if case.impl in cold:
                copies, times = cold[case.impl]
                median = float(np.median(times[:, clock]))
                row["cold"] = {"median": median, **NO_INTERVAL, "copies": copies}
            if turn.number == 0 and known[case.impl] < sample.SLOW:
                _check_again(case, calls[case.impl], want, row, announce)
    return list(rows.values())


def _prepared(case, inputs, want, row, announce):
    """Return a warm call, whose result is right if the row says so, and its seconds."""
    call = case.prepare(inputs)
    start = perf_counter()
    if want is None:
        call()
    else:
        _check(case, call, want, row)
    seconds = perf_counter() - start
    if not case.rival and sample.SLOW <= seconds < sample.ENDLESS:
        announce(case.impl)
        start = perf_counter()  # the first call may have compiled for seconds
        call()
        seconds = perf_counter() - start
    return call, seconds


def _clock(both, calls, announce, turn):
    """Return the clock by which the calls of a task are compared.

    It is the CPU clock where one thread works, unless some call waits for something, or
    has another process work: that clock does not see it.
    """
    if turn.clock is not None:
        return CLOCKS.index(turn.clock)
    if sample.clock() == sample.WALL:
        return sample.WALL
    for impl, times in both.items():
        if (times[:, sample.WALL] > sample.GAP * times[:, sample.CPU]).all():
            announce(impl)
            if sample.waits(calls[impl]):
                return sample.WALL
    return sample.CPU


def _check_again(case, call, want, row, announce):
    """Count allocations, and check the result once more; a wrong one has no time."""
    announce(case.impl)
    if not case.rival:
        row["allocations"] = allocations(call)
    if not _check(case, call, want, row):
        row.update(UNTIMED)


def failed_row(case: Case, message: str) -> Row:
    """Return the row of a case that could not be measured.

    Parameters
    ----------
    case : Case
        The case.
    message : str
        Why it could not be measured.

    Returns
    -------
    dict
    """
    row = _row(case)
    _fail(row, message)
    return row


def share_of_roof(row: Row, calibration: Mapping[str, Any]) -> float | None:
    """Return the least time that the machine allows, over the time of a row.

    It is None where the case does not say what it must at least do.

    Parameters
    ----------
    row : dict
        Row of a case that has a time.
    calibration : mapping
        What the machine can do, from
        :func:`nbfact.harness.calibration.calibrate`.
    """
    if not row["size"] and not row["flops"]:
        return None
    dtype = row["params"]["dtype"]
    ideal = roof_time(calibration, row["size"], row["flops"], dtype)
    return ideal / row["time"]["median"]


def _compare(task, rows):
    """Compare the errors of approximation of a task; fail those above their slack."""
    right = {case.impl: rows[case.impl]["error"] for case in task}
    right = {impl: error for impl, error in right.items() if rows[impl]["ok"]}
    judged = {case.impl for case in task if case.slack is not None}
    for case in task:
        if case.slack is None or case.impl not in right:
            continue
        row, error = rows[case.impl], right[case.impl]
        if case.yardstick in judged and right.get(case.yardstick):
            row["error_ratio"] = error / right[case.yardstick]
        least = min((right[impl] for impl in right if impl != case.impl), default=None)
        if least is not None and error > case.slack * least:
            _fail(
                row,
                f"error of approximation {error:.3g}, over {case.slack:g} times "
                f"the {least:.3g} of another",
            )


def _row(case):
    """Return the row of a case before anything is measured."""
    return {
        "kind": "bench",
        "case": case.name,
        "task": case.task,
        "group": case.group,
        "impl": case.impl,
        "params": case.params,
        "yardstick": case.yardstick,
        "rival": case.rival,
        "size": case.size,
        "flops": case.flops,
        "nnz": case.nnz,
        "bound": case.bound if math.isfinite(case.bound) else None,
        "approximate": case.slack is not None,
        "ok": True,
        "message": None,
        "error": None,
        "error_ratio": None,
        "processes": 1,
        "unstable": False,
        **UNTIMED,
    }


def _check(case, call, want, row):
    """Compare one result with the reference; return whether it is right."""
    error = case.error(call(), want)
    row["error"] = error if math.isfinite(error) else None
    if not math.isfinite(error):
        _fail(row, "the result holds NaN or infinity")
    elif error > case.bound:
        _fail(row, f"relative error {error:.2e} exceeds the bound {case.bound:.2e}")
    return row["ok"]


def _fail(row, message):
    """Mark a row as failed, for the reason in `message`."""
    row.update(ok=False, message=message)


def _fill(row, case, samples, calibration):
    """Write the statistics of a case's samples into its row."""
    times = samples[case.impl]
    row["time"] = {**sample.summary(times), **NO_INTERVAL}
    row["samples"] = [float(f"{value:.4g}") for value in times]
    if case.yardstick in samples:
        ratio = sample.paired_ratio(times, samples[case.yardstick])
        row["ratio"] = {"median": ratio, **NO_INTERVAL}
    row["roof"] = share_of_roof(row, calibration)
