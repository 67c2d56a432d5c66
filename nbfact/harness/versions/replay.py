"""Call a version with inputs that it has not seen, as a user's next call would.

A comparison repeats each call with the same inputs, so that a version which remembers
results by the identity or by the values of its inputs looks fast. Two checks find it.
New values are written into the array that was passed before: what is remembered by
identity is then wrong. And a call with new values is timed beside its repetitions:
what is remembered by values is then slow.
"""

import statistics
from typing import Any

import numpy as np

from ..case import Case
from ..operands import operand, with_operand
from ..sample import both_clocks

REPEATS = 3
"""Number of repetitions whose median time the first call is compared with."""


def replayed(case: Case, inputs: Any, seed: int) -> dict[str, float | None] | None:
    """Return what a call with other values in the same array comes to.

    Parameters
    ----------
    case : Case
        The case; it has been called with `inputs`.
    inputs : object
        Its inputs. They have the same values afterwards as before.
    seed : int
        Seed of the other inputs.

    Returns
    -------
    dict or None
        ``error`` of the result, None where it is not finite; ``first``, the CPU
        seconds of the first call with other values in a new array; and ``again``,
        those of its repetitions. None where the inputs are no array, and have none
        under the name ``x``, or where others do not fit into it.
    """
    place = operand(inputs)
    other = case.make(np.random.default_rng(seed))
    new = operand(other)
    if (
        place is None
        or new is None
        or not place.flags.writeable
        or (place.shape, place.dtype) != (new.shape, new.dtype)
    ):
        return None
    call = case.prepare(other)
    first = both_clocks(call)[0]
    again = statistics.median(both_clocks(call)[0] for _ in range(REPEATS))
    before = place.copy()
    try:
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
