"""The options of `identify_butterfly`, checked once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..._core.checks import flag, function, size, store
from ..common.result import CallbackState, never

MOST_STARTS, FEWEST_STARTS = 16, 2
"""Limits of the number of starts, the first one included, if none is given."""

ENTRIES = 1 << 21
"""Number of entries that all starts see together, within the limits above, if no number
of starts is given: it bounds the time of a call."""


@dataclass(frozen=True, kw_only=True)
class IdentifyOptions:
    """The options of `identify_butterfly`; making one checks them all.

    Attributes
    ----------
    tied, n_iter, n_restarts, refine_values, callback
        See `nbfact.identify_butterfly`.
    over : callable
        Returns whether the time is over. Other than the callback, it is asked within a
        split too, and ends with the best so far.

    Raises
    ------
    TypeError, ValueError
        An `n_iter` or an `n_restarts` that is no integer, or out of range; a `tied` or
        a `refine_values` that is neither True nor False; a `callback` that is not a
        function of one argument.
    """

    tied: bool = True
    n_iter: int = 20
    n_restarts: int | None = None
    refine_values: bool = True
    callback: Callable[[CallbackState], Any] | None = None
    over: Callable[[], bool] = never

    def __post_init__(self) -> None:
        store(self, n_iter=size("n_iter", self.n_iter))
        if self.n_restarts is not None:
            store(self, n_restarts=size("n_restarts", self.n_restarts, least=0))
        flag("tied", self.tied)
        flag("refine_values", self.refine_values)
        function("callback", self.callback)

    def n_starts(self, shape: tuple[int, int]) -> int:
        """Return the number of starts for a matrix of a shape."""
        if self.n_restarts is not None:
            return self.n_restarts + 1
        return max(FEWEST_STARTS, min(MOST_STARTS, ENTRIES // math.prod(shape)))
