"""Arguments that many functions check alike."""

import operator
from typing import Any

import numpy as np

RandomState = None | int | np.random.Generator


def size(name: str, value: Any) -> int:
    """Return `value` as a positive int, or say what is wrong with argument `name`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected an integer") from None
    if number < 1:
        raise ValueError(f"{name}={number}: expected at least 1")
    return number


def power_of_two(name: str, value: Any, what: str) -> int:
    """Return `value` as a power of two, or say that `what` needs one."""
    number = size(name, value)
    if number & (number - 1):
        raise ValueError(f"{name}={number}: {what} needs {name} to be a power of two")
    return number
