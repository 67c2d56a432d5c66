"""Checks of single values: numbers, flags, words, functions, seeds and sequences.

There is one check for each kind of argument. It returns the checked value, and
otherwise raises an error whose message names the argument. `nbfact._core.array_checks`
has those of arrays and matrices.
"""

import inspect
import math
import numbers
import operator
import reprlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, TypeVar

import numpy as np

from .dtypes import DTYPES

RandomState = None | int | np.random.Generator | np.random.RandomState
"""What every argument ``random_state`` accepts: a seed, a generator, or ``None`` for a
generator that differs from call to call."""

LONGEST = 60
"""Number of characters of a value up to which a message shows it, so that a message
stays a few lines long."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = LONGEST

Word = TypeVar("Word", bound=str)
Called = TypeVar("Called", bound=Callable[..., Any] | None)


def shown(value: Any) -> str:
    """Return a value as a text for a message, cut where it is long.

    An array is shown by its shape and its dtype.
    """
    kind = type(value).__name__
    if isinstance(value, type):
        return f"the class {value.__name__}"
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and shape:
        dtype = getattr(value, "dtype", None)
        return f"{kind} {shape}" + (f" of {dtype}" if dtype is not None else "")
    try:
        text = " ".join(_short.repr(value).split())
    except Exception:  # an object whose repr fails, or an integer of 5000 digits
        return f"a value of type {kind}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def size(name: str, value: Any, least: int = 1, most: int | None = sys.maxsize) -> int:
    """Return an integer argument as an int.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : int-like
        Any integer, NumPy's included; ``True`` and ``False`` are refused.
    least : int
        Smallest value that is accepted.
    most : int or None
        Largest value that is accepted; None where there is none. By default it is that
        of an index, 2**63 - 1.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        When the value is not an integer.
    ValueError
        When the value is below `least` or above `most`.
    """
    if type(value) is int and least <= value <= (sys.maxsize if most is None else most):
        return value
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={shown(value)}: expected an integer") from None
    if number < least:
        raise ValueError(f"{name}={shown(number)}: expected at least {least}")
    if most is not None and number > most:
        raise ValueError(f"{name}={shown(number)}: expected at most {most}")
    return number


def store(options: Any, **values: Any) -> None:
    """Write checked values over those that a frozen dataclass was made with.

    Its method ``__post_init__`` calls this, so that integers and numbers of NumPy do
    not travel: ``np.uint8(255) + 1`` is 0.
    """
    for name, value in values.items():
        object.__setattr__(options, name, value)


def real_number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> float:
    """Return a real number as a float.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : float-like
        Any real number, NumPy's included, finite; ``True`` and ``False`` are refused.
    least, above : float, optional
        Lower bound: the number may equal `least`, and must exceed `above`.
    most, below : float, optional
        Upper bound: the number may equal `most`, and must be less than `below`.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        When the value is not a real number.
    ValueError
        When it is NaN, infinite, or out of bounds.
    """
    number = value
    if type(value) is not float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{name}={shown(value)}: expected a real number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    inside = (
        math.isfinite(number)
        and (least is None or number >= least)
        and (above is None or number > above)
        and (most is None or number <= most)
        and (below is None or number < below)
    )
    if not inside:
        bounds = {"at least": least, "above": above, "at most": most, "below": below}
        texts = [f"{word} {end:g}" for word, end in bounds.items() if end is not None]
        expected = "a finite number" + ", " * bool(texts) + " and ".join(texts)
        raise ValueError(f"{name}={shown(value)}: expected {expected}")
    return number


def flag(name: str, value: Any) -> bool:
    """Return an argument that is True or False as a bool, or raise a TypeError.

    Nothing else is accepted, not even 0 and 1: an argument that is meant for another
    place would otherwise count as True.
    """
    if value is True or value is False:
        return value
    if not isinstance(value, np.bool_):
        raise TypeError(f"{name}={shown(value)}: expected True or False")
    return bool(value)


def choice(name: str, value: Any, words: Iterable[Word]) -> Word:
    """Return an argument that is one of several words.

    Raises
    ------
    TypeError
        When the value is not a string.
    ValueError
        When it is another word; the message lists those that are accepted.
    """
    words = tuple(words)
    if isinstance(value, str) and value in words:
        return words[words.index(value)]
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"{name}={shown(value)}: expected one of {words}")


def function(name: str, value: Called, n_arguments: int = 1) -> Called:
    """Return an argument that is a function, or None.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : callable or None
        What the caller passed.
    n_arguments : int
        Number of arguments that it will be called with.

    Returns
    -------
    callable or None

    Raises
    ------
    TypeError
        When it is neither, or cannot take that many arguments.
    """
    if value is None:
        return value
    expected = f"a function of {n_arguments} argument{'s' * (n_arguments != 1)}"
    if not callable(value):
        raise TypeError(f"{name}={shown(value)}: expected {expected}")
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # compiled functions may have no signature
        return value
    try:
        signature.bind(*[None] * n_arguments)
    except TypeError as error:
        raise TypeError(
            f"{name}={shown(value)}: expected {expected} ({error})"
        ) from None
    return value


def generator(name: str, value: Any) -> np.random.Generator:
    """Return an argument ``random_state`` as a generator of random numbers.

    Every target is made with one; algorithms take a `stream`.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : None, int, numpy.random.Generator or numpy.random.RandomState
        A seed of at least 0, a generator, which is returned, or None for a generator
        that differs from call to call. A `RandomState` gives the seed of a new
        generator, and advances. What else `numpy.random.default_rng` takes (a
        `SeedSequence`, a `BitGenerator`, an array of seeds) is accepted too.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    TypeError
        When it is none of these.
    ValueError
        When a seed is negative.
    """
    if value is None or isinstance(value, np.random.Generator):
        return np.random.default_rng(value)
    if isinstance(value, np.random.RandomState):
        return np.random.default_rng(value.randint(2**31, size=4))
    if isinstance(value, numbers.Integral) and value < 0:
        raise ValueError(f"{name}={shown(value)}: expected a seed of at least 0")
    try:
        if not isinstance(value, np.random.SeedSequence | np.random.BitGenerator):
            seeds = np.asarray(value)
            if seeds.dtype.kind not in "iuO" or isinstance(value, np.ma.MaskedArray):
                raise TypeError
            if seeds.size == 0 or any(isinstance(seed, bool) for seed in seeds.flat):
                raise ValueError
        return np.random.default_rng(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name}={shown(value)}: expected None, an integer of at least 0, a "
            "numpy.random.Generator or a numpy.random.RandomState"
        ) from None


def sequence(name: str, value: Any, what: str, least: int = 0) -> list[Any]:
    """Return a sequence as a list; what it holds is not checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : iterable
        What the caller passed. Strings, sets and mappings are refused, and so are
        operators and sparse matrices, whose rows are not meant.
    what : str
        What the sequence holds, for the message, such as ``"constraints"``.
    least : int
        Smallest number of items.

    Returns
    -------
    list

    Raises
    ------
    TypeError
        When it is no sequence.
    ValueError
        When it has fewer items.
    """
    try:
        if type(value) not in (list, tuple) and _is_no_sequence(value):
            raise TypeError
        items = list(value)
    except TypeError:
        raise TypeError(
            f"{name}={shown(value)}: expected a sequence of {what}"
        ) from None
    if len(items) < least:
        empty = f"{name} is empty" if not items else f"{name} holds {len(items)}"
        raise ValueError(f"{empty}: expected at least {least} of {what}")
    return items


def _is_no_sequence(value):
    """Return whether a value that can be iterated over is none the less no sequence."""
    matrix = hasattr(value, "shape") and not isinstance(value, np.ndarray | Sequence)
    return matrix or isinstance(value, str | bytes | Mapping | Set | type)


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
    try:  # NumPy would take an array for its own dtype
        whole = dtype is None or isinstance(dtype, str | type | np.dtype)
        found = np.dtype(dtype) if whole else None
    except TypeError:
        found = None
    if found is None or found not in accepted:
        raise TypeError(f"dtype={shown(dtype)}: expected {' or '.join(accepted)}")
    return found
