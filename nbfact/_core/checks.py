"""Checks of arguments that functions of many rooms share.

Each check returns the checked value, and otherwise raises an error whose message names
the argument.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtypes import DTYPES, common_dtype

RandomState = None | int | np.random.Generator
"""What every argument ``random_state`` accepts: a seed, a generator, or ``None`` for a
generator that differs from call to call."""


def size(name: str, value: Any, least: int = 1) -> int:
    """Return an integer argument as an int.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : int-like
        Any integer, NumPy's included; ``True`` and ``False`` are refused.
    least : int
        Smallest value that is accepted.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        When the value is not an integer.
    ValueError
        When the value is below `least`.
    """
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected an integer") from None
    if number < least:
        raise ValueError(f"{name}={number}: expected at least {least}")
    return number


def power_of_two(name: str, value: Any, what: str) -> int:
    """Return an integer argument that must be a power of two as an int.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : int-like
        A power of two; 1 is one.
    what : str
        What needs a power of two, for the message, such as ``"a Haar matrix"``.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        When the value is not an integer.
    ValueError
        When the value is not positive, or not a power of two.
    """
    number = size(name, value)
    if number & (number - 1):
        raise ValueError(f"{name}={number}: {what} needs {name} to be a power of two")
    return number


def dtype_of(dtype: Any, kinds: str) -> np.dtype:
    """Return an argument ``dtype`` as one of the supported dtypes.

    Parameters
    ----------
    dtype : dtype-like
        What the caller passed.
    kinds : str
        Accepted kinds: ``"f"`` for real dtypes, ``"c"`` for complex ones, ``"fc"`` for
        both.

    Returns
    -------
    numpy.dtype

    Raises
    ------
    TypeError
        When the dtype is not accepted; the message lists those that are.
    """
    accepted = [name for name in DTYPES if np.dtype(name).kind in kinds]
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in accepted:
        raise TypeError(f"dtype={dtype!r}: expected {' or '.join(accepted)}")
    return found


def array_of(name: str, value: Any, ndim: int) -> np.ndarray:
    """Return an argument as a non-empty array of finite numbers.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        What the caller passed; it is copied only where its dtype changes.
    ndim : int
        Required number of dimensions.

    Returns
    -------
    ndarray
        In float32, float64, complex64 or complex128; integers become float64.

    Raises
    ------
    TypeError
        When the entries are not numbers, or wider than complex128.
    ValueError
        When the number of dimensions is another, the array is empty, or an entry is
        NaN or infinite.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is no array: its rows differ in length") from None
    if ndim == 2:
        check_matrix(name, array.shape)
    elif array.ndim != ndim or array.size == 0:
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


def check_matrix(name: str, shape: Sequence[int]) -> None:
    """Raise a ValueError unless a shape is that of a matrix with entries.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    shape : sequence of int
        The shape of an array, of a sparse matrix or of an operator.
    """
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{name} must be a matrix that is not empty, got shape {tuple(shape)}"
        )


def permutation_of(
    name: str, value: Any, length: int, *, dropped: bool = False
) -> np.ndarray:
    """Return a permutation as an array of indices.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like of int, shape (length,)
        What the caller passed.
    length : int
        Number of indices.
    dropped : bool, default False
        Whether an index -1 is accepted, for what is left out. The others are then those
        from 0 on, at least one of them.

    Returns
    -------
    ndarray of intp, shape (length,)
        A copy.

    Raises
    ------
    ValueError
        Unless there are `length` integers, each from 0 on once.
    """
    index = np.asarray(value)
    if index.shape != (length,) or index.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be {length} integers, got shape {index.shape} of "
            f"{index.dtype}"
        )
    index = index.astype(np.intp)
    kept = np.sort(index[index != -1] if dropped else index)
    if kept.size == 0 or np.any(kept != np.arange(kept.size)):
        raise ValueError(
            f"{name} is no permutation: expected 0 to {max(kept.size - 1, 0)}, each of "
            f"them once{', and nothing else but -1' * dropped}"
        )
    return index
