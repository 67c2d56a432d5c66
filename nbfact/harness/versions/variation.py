"""Let inputs differ from call to call by so little that the work stays the same."""

from typing import Any

import numpy as np

from ..operands import operand

STRIDE = 7919
"""Distance of the entries that successive steps change: a prime number, so that all
entries come round."""


def varied(inputs: Any) -> np.ndarray | None:
    """Return the array of some inputs whose entries :func:`nudge` can change, or None.

    Examples
    --------
    >>> varied(np.zeros(2)), varied(np.zeros(2, int))
    (array([0., 0.]), None)
    """
    found = operand(inputs)
    if found is None or found.dtype.kind not in "fc" or found.size == 0:
        return None
    return found if found.flags.writeable else None


def nudge(array: np.ndarray, step: int) -> None:
    """Change one entry of an array by a unit in the last place, each time another one.

    Parameters
    ----------
    array : ndarray of a floating or complex dtype
        Its first entry that is not zero, from a place that `step` chooses, is scaled.
    step : int
        Number of the change.

    Examples
    --------
    >>> x = np.array([1.0, 0.0, 1.0])
    >>> nudge(x, 1), nudge(x, 2), x.tolist()
    (None, None, [1.0, 0.0, 0.9999999999999996])
    """
    for offset in range(array.size):
        place = (step * STRIDE + offset) % array.size
        if array.flat[place] != 0:
            array.flat[place] *= array.dtype.type(1 - np.finfo(array.dtype).eps)
            return
