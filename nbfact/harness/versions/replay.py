"""Call a version with inputs that it has not seen, as a user's next call would.

A comparison repeats each call with the same inputs, so that a version which remembers
results by the identity or by the values of its inputs looks fast. Therefore one entry
of an input is another one in each round of samples (``variation.py``), and three
checks find what is left. New values are written into the array that was passed before:
what is remembered by identity is then wrong, and so is a call that has computed its
result when it was prepared. And calls with new values are timed beside their
repetitions: what is remembered by values is then slow.
"""

import copy
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Case
from ..clocks import both_clocks
from ..operands import operand, with_operand
from .sharing import adopt, bits_of, share
from .variation import nudge, varied

PAIRS = (2, 25)
"""Least and largest number of calls with new values, each followed by a repetition."""

BUDGET = 0.02
"""Seconds of such calls, without the time in which the machine ran other programs,
after which no more than the least number of pairs is made."""


class Replay:
    """Other values for the inputs of a case, with which each version is called.

    Parameters
    ----------
    judge : Case
        The case of the base, which judges the results of all versions.
    inputs : object
        The inputs of the base.
    seed : int
        Seed of the other values.
    """

    def __init__(self, judge: Case, inputs: Any, seed: int):
        self.judge, self.inputs, self.seed = judge, inputs, seed
        self.other = judge.make(np.random.default_rng(seed))
        self.wants: dict[str, Any] = {}

    def measured(
        self, case: Case, inputs: Any, call: Callable[[], object], bits: str
    ) -> dict[str, Any] | None:
        """Return what calls of one version with the other values come to.

        Parameters
        ----------
        case : Case
            The case of the version.
        inputs : object
            Its inputs. They have the same values afterwards as before.
        call : callable
            A call that was prepared with them and has been made.
        bits : str
            What :func:`nbfact.harness.versions.sharing.bits_of` returns of its result.

        Returns
        -------
        dict or None
            ``error`` of the result of a call that is prepared now, and ``late`` of the
            one that was prepared before, each None where it is not finite; ``follows``,
            whether the latter differs from `bits`; ``first``, the CPU seconds of a call
            after one entry has changed; and ``again``, those of its repetition. None
            where the inputs are no array, and have none under the name ``x``, or where
            others do not fit into it.
        """
        place, new, mine = varied(inputs), operand(self.other), self.other
        if case is not self.judge:
            mine = _like(self.other, case.make(np.random.default_rng(self.seed)))
        if place is None or new is None or mine is None:
            return None
        if (place.shape, place.dtype) != (new.shape, new.dtype):
            return None
        before = place.copy()
        try:
            first, again = _pairs(place, call)
            np.copyto(place, new)
            late, now = call(), case.prepare(with_operand(mine, place))()
            return {
                "late": self.error("late", self.inputs, place, late),
                "error": self.error("error", self.other, place, now),
                "follows": bits_of(late) != bits,
                "first": first,
                "again": again,
            }
        finally:
            np.copyto(place, before)

    def error(self, key, inputs, place, got):
        """Return the error of a result for inputs that hold the new values, or None."""
        if key not in self.wants:
            want = self.judge.reference(with_operand(inputs, place))
            self.wants[key] = copy.deepcopy(want)  # it may be the array at the place
        error = self.judge.error(got, self.wants[key])
        return error if np.isfinite(error) else None


def _like(base, other):
    """Return the inputs of a version with the numbers of the base, None if none are."""
    return other if share(base, other) else adopt(base, other)


def _pairs(place, call):
    """Return the CPU seconds of calls with new values, and of repetitions.

    Each is the lower median, because on a busy machine any one of few may be too long.
    """
    first: list[float] = []
    again: list[float] = []
    least, most = PAIRS
    spent = 0.0
    for step in range(most):
        if step >= least and spent > BUDGET:
            break
        nudge(place, step)
        for times in (first, again):
            cpu, wall = both_clocks(call)
            times.append(cpu)
            spent += wall
    return statistics.median_low(first), statistics.median_low(again)
