"""Call a version with inputs that it has not seen, as a user's next call would.

A comparison repeats each call with the same inputs, so that a version which remembers
results by the identity or by the values of its inputs looks fast. Therefore one entry
of an input is another one in each round of samples (``variation.py``), and two checks
find what is left. New values are written into the array that was passed before: what
is remembered by identity is then wrong. And calls with new values are timed beside
their repetitions: what is remembered by values is then slow.
"""

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from ..case import Case
from ..operands import operand, with_operand
from ..sample import both_clocks
from .variation import nudge, varied

PAIRS = (3, 25)
"""Least and largest number of calls with new values, each followed by a repetition."""

BUDGET = 0.02
"""Seconds after which no more than the least number of such pairs is made."""


def replayed(
    case: Case, inputs: Any, call: Callable[[], object], seed: int
) -> dict[str, float | None] | None:
    """Return what a call with other values in the same array comes to.

    Parameters
    ----------
    case : Case
        The case.
    inputs : object
        Its inputs. They have the same values afterwards as before.
    call : callable
        A call that was prepared with them and has been made.
    seed : int
        Seed of the other inputs.

    Returns
    -------
    dict or None
        ``error`` of the result, None where it is not finite; ``first``, the CPU
        seconds of a call after one entry has changed; and ``again``, those of its
        repetition. None where the inputs are no array, and have none under the name
        ``x``, or where others do not fit into it.
    """
    place = varied(inputs)
    other = case.make(np.random.default_rng(seed))
    new = operand(other)
    if place is None or new is None or place.dtype != new.dtype:
        return None
    if place.shape != new.shape:
        return None
    before = place.copy()
    try:
        first, again = _pairs(place, call)
        np.copyto(place, new)
        other = with_operand(other, place)
        want = case.reference(other)
        error = case.error(case.prepare(other)(), want)
    finally:
        np.copyto(place, before)
    return {
        "error": error if np.isfinite(error) else None,
        "first": first,
        "again": again,
    }


def _pairs(place, call):
    """Return the median CPU seconds of calls with new values, and of repetitions."""
    first, again = [], []
    least, most = PAIRS
    stop = perf_counter() + BUDGET
    for step in range(most):
        if step >= least and perf_counter() > stop:
            break
        nudge(place, step)
        first.append(both_clocks(call)[0])
        again.append(both_clocks(call)[0])
    return statistics.median(first), statistics.median(again)
