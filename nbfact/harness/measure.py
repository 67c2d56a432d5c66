"""Measure one task: check every result, then time the right ones side by side."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from .._core.threads import threads as kernel_threads
from . import machine, sample
from .allocations import allocations
from .case import Case

SEED = 0
"""Seed of all inputs, fixed so that a wrong result can be computed again."""

Row = dict[str, Any]
"""A row of results: what is stored of one case of one run."""

_UNTIMED: Row = dict.fromkeys(("time", "samples", "ratio", "roof", "allocations"))


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
        What the machine can do, from :func:`nbfact.harness.machine.calibrate`.
    announce : callable
        Called, while no clock runs, with the name of the implementation that is called
        next, and with None where none is.

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
    want = task[0].reference(inputs)
    rows = {case.impl: _row(case) for case in task}
    calls, known = {}, {}
    for case in task:
        announce(case.impl)
        try:
            call = case.prepare(inputs)
            start = perf_counter()
            right = _check(case, call, want, rows[case.impl])
            seconds = perf_counter() - start
            if not case.rival and sample.SLOW <= seconds < sample.ENDLESS:
                announce(case.impl)
                start = perf_counter()  # the first call may have compiled for seconds
                call()
                seconds = perf_counter() - start
            if right:
                calls[case.impl], known[case.impl] = call, seconds
        except Exception as error:  # whatever it is, the other cases go on
            _fail(rows[case.impl], f"{type(error).__name__}: {error}")
    announce(None)
    _compare(task, rows)
    calls = {impl: call for impl, call in calls.items() if rows[impl]["ok"]}
    known = {impl: known[impl] for impl in calls}
    samples = {}
    if calls:
        samples = sample.interleave(calls, budget, known=known, announce=announce)
    for case in task:
        if case.impl in calls:
            _fill(rows[case.impl], case, samples, calibration)
            if known[case.impl] >= sample.SLOW:
                continue  # checking again takes longer than it is worth
            announce(case.impl)
            if not case.rival:
                rows[case.impl]["allocations"] = allocations(calls[case.impl])
            if not _check(case, calls[case.impl], want, rows[case.impl]):
                rows[case.impl].update(_UNTIMED)
    return list(rows.values())


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
        **_UNTIMED,
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
    row["time"] = sample.summary(times)
    row["samples"] = [float(f"{value:.4g}") for value in times]
    if case.yardstick in samples:
        row["ratio"] = sample.paired_ratio(times, samples[case.yardstick])
    ideal = machine.roof_time(calibration, case.size, case.flops, case.params["dtype"])
    row["roof"] = ideal / row["time"]["median"] if ideal else None
