"""The array that a call reads, which the harness exchanges for another one.

The inputs of a case are that array, or hold it under the name ``x``. Calls of other
inputs are always made with the same array.
"""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Built = TypeVar("Built")

_BUILT = "_built"  # attribute of inputs with what their copies have in common


def operand(inputs: Any) -> np.ndarray | None:
    """Return the array that a call reads, or None where the harness cannot know it.

    Examples
    --------
    >>> operand(np.ones(2)), operand([np.ones(2)])
    (array([1., 1.]), None)
    """
    found = inputs if isinstance(inputs, np.ndarray) else getattr(inputs, "x", None)
    return found if isinstance(found, np.ndarray) else None


def with_operand(inputs: Any, x: np.ndarray, built: dict | None = None) -> Any:
    """Return inputs that hold `x` in place of their operand, and share all the rest.

    Parameters
    ----------
    inputs : object
        Inputs for which :func:`operand` returns an array. They are not changed.
    x : ndarray
        The other array.
    built : dict, optional
        What :func:`built_once` has built for these inputs, and will.

    Examples
    --------
    >>> with_operand(np.ones(2), np.zeros(2))
    array([0., 0.])
    """
    if isinstance(inputs, np.ndarray):
        return x
    other = copy.copy(inputs)
    object.__setattr__(other, "x", x)  # inputs may be frozen
    if built is not None:
        object.__setattr__(other, _BUILT, built)
    return other


def built_once(inputs: Any, build: Callable[[], Built]) -> Built:
    """Return what the preparation of a call builds besides memory for its operand.

    Calls that are prepared for copies of one operand then have one operator in common.

    Parameters
    ----------
    inputs : object
        Inputs of a case. Unless they come from :func:`with_operand` with `built`, each
        call builds anew.
    build : callable
        Function without arguments; an implementation has one at most.

    Examples
    --------
    >>> built_once(np.ones(2), list)
    []
    """
    built = getattr(inputs, _BUILT, None)
    if built is None:
        return build()
    if not built:
        built["it"] = build()
    return built["it"]
