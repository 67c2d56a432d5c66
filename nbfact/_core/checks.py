"""Arguments that many functions check alike."""

import operator
from typing import Any

import numpy as np

from .dtypes import DTYPES, common_dtype

RandomState = None | int | np.random.Generator


def size(name: str, value: Any, least: int = 1) -> int:
    """Return `value` as an int that is not too small, or say what is wrong with it."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected an integer") from None
    if number < least:
        raise ValueError(f"{name}={number}: expected at least {least}")
    return number


def power_of_two(name: str, value: Any, what: str) -> int:
    """Return `value` as a power of two, or say that `what` needs one."""
    number = size(name, value)
    if number & (number - 1):
        raise ValueError(f"{name}={number}: {what} needs {name} to be a power of two")
    return number


def dtype_of(dtype: Any, kinds: str) -> np.dtype:
    """Return a supported dtype of one of the kinds ("f" real, "c" complex), or raise.

    Raises
    ------
    TypeError
        For another dtype; the message names those that are accepted.
    """
    accepted = [name for name in DTYPES if np.dtype(name).kind in kinds]
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in accepted:
        raise TypeError(f"dtype={dtype!r}: expected {' or '.join(accepted)}")
    return found


def array_of(name: str, value: Any, ndim: int) -> np.ndarray:
    """Return `value` as an array of `ndim` dimensions: not empty, numbers, finite.

    Raises
    ------
    TypeError
        For entries that are not numbers.
    ValueError
        For other dimensions, an empty array, NaN or infinity.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is no array: its rows differ in length") from None
    if array.ndim != ndim or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: expected {ndim} dimension"
            f"{'s' * (ndim > 1)}, none empty"
        )
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} has dtype {array.dtype}: expected numbers")
    array = array.astype(common_dtype(array.dtype), copy=False)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity")
    return array
