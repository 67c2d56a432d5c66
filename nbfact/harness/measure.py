"""Measure one task: check every result, then time the right ones side by side."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

import numpy as np

from . import machine, sample
from .allocations import allocations
from .case import Case

SEED = 0
"""Of all inputs, so that a wrong result can be looked at again."""

_UNTIMED = dict.fromkeys(("time", "samples", "ratio", "roof", "allocations"))


@contextlib.contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Limit BLAS, OpenMP and Numba to `threads` threads, then restore them.

    Parameters
    ----------
    threads : int
        At least 1.

    Raises
    ------
    ValueError
        When Numba was started with fewer.

    Examples
    --------
    >>> import numba
    >>> with limited_threads(1):
    ...     numba.get_num_threads()
    1
    """
    import numba
    from threadpoolctl import threadpool_limits

    most = numba.config.NUMBA_NUM_THREADS
    if threads > most:
        raise ValueError(f"--threads {threads}: this machine has {most}")
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        numba.set_num_threads(before)


def measure_task(
    task: Sequence[Case],
    budget: float,
    calibration: dict,
    announce: Callable[[str | None], object] = lambda impl: None,
) -> list[dict]:
    """Return a row for each case of a task.

    Parameters
    ----------
    task : sequence of Case
        All implementations of one computation, as in :func:`nbfact.cases.registry.tasks`.
    budget : float
        Seconds for the samples of all of them.
    calibration : dict
        From :func:`nbfact.harness.machine.calibrate`.
    announce : callable
        Told which implementation is called next, outside the clock; None for none.

    Returns
    -------
    list of dict
        Ready for :func:`nbfact.harness.store.append_rows`. A case whose result is
        wrong, or that raises, has ``ok`` false, a ``message``, and no time: a wrong
        result has none. Results are compared before the clock runs, and once more
        after it, for a call that spoils its own inputs (not those of several seconds).
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
                start = perf_counter()  # the first may have compiled for seconds
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
                continue  # a call more costs more than it tells
            announce(case.impl)
            if not case.rival:
                rows[case.impl]["allocations"] = allocations(calls[case.impl])
            if not _check(case, calls[case.impl], want, rows[case.impl]):
                rows[case.impl].update(**_UNTIMED)
    return list(rows.values())


def failed_row(case: Case, message: str) -> dict:
    """Return the row of a case that could not be measured.

    Parameters
    ----------
    case : Case
        Which one.
    message : str
        Why.

    Returns
    -------
    dict
    """
    row = _row(case)
    _fail(row, message)
    return row


def _compare(task, rows):
    """Write how errors of approximation compare; fail those above their slack."""
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
    """Return the row of a case before anything is known of it."""
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
    """Mark a row as failed."""
    row.update(ok=False, message=message)


def _fill(row, case, samples, calibration):
    """Write the statistics of a case's samples into its row."""
    times = samples[case.impl]
    row["time"] = sample.summary(times)
    row["samples"] = [float(f"{value:.4g}") for value in times]
    if case.yardstick in samples:
        row["ratio"] = sample.paired_ratio(times, samples[case.yardstick])
    ideal = machine.roof_time(calibration, case.size, case.flops, case.params["dtype"])
    row["roof"] = ideal / row["time"]["median"]
