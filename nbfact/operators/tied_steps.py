"""What the kernels for named transforms and for convolutions have in common.

These are the radices of a transform, the numbers that its passes multiply by, and the
sides of the matrix as which a vector is transformed.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._core.angles import exp_turns
from .._core.dtypes import real_dtype
from ..kernels.entry_points import entry_point
from ..kernels.vectors import BYTES
from .reorderings import digit_reversal, inverse

GROUP = 64
"""Most rows of the planes without an unused one after them."""
LARGEST_PRIME = 5
"""Largest radix that the kernels have."""


class Tied(NamedTuple):
    """The arguments of a kernel that do not depend on its columns.

    Attributes
    ----------
    kernel : callable
        A kernel of `nbfact/kernels`, for columns or for a vector.
    arguments : tuple
        Its arguments between x and the scratch arrays.
    scratch : tuple of tuple of int
        Shapes of its scratch arrays.
    """

    kernel: Callable[..., Any]
    arguments: tuple
    scratch: tuple[tuple[int, ...], ...]


def width_of(dtype: np.dtype) -> int:
    """Return how many real numbers of the precision of a dtype are a vector."""
    return BYTES // real_dtype(dtype).itemsize


def has_sides(n: int, dtype: np.dtype) -> bool:
    """Return whether an order has the sides that `vector_steps` needs."""
    return _sides(n, dtype) is not None


def _sides(n, dtype):
    """Return the divisors p ≤ q of n, nearest to each other, or None below a vector."""
    for p in range(math.isqrt(n), width_of(dtype) - 1, -1):
        if n % p == 0:
            return p, n // p
    return None


def vector_filling(n: int, dtype: np.dtype) -> float:
    """Return the part of whole vectors that `vector_steps` fills, for an order.

    Both sides are computed in whole vectors, the last of which overlaps the one before.
    """
    width, (p, q) = width_of(dtype), _sides(n, dtype)
    found, works = 0.0, [sum(tied_radices(side)) for side in (p, q)]
    for work, length in zip(works, (q, p), strict=True):
        found += work * -(-length // width) * width / length
    return sum(works) / found


def tied_passes(radices: Sequence[int], dtype: np.dtype) -> tuple[int, np.ndarray]:
    """Return the rows of a group, and the numbers of the passes of some radices.

    `nbfact.kernels.fourier_columns` says what they are; the dtype is a real one.
    """
    return _group(radices), _turns(radices, dtype)


def tied_radices(n: int) -> list[int]:
    """Return radices 4, 2, 3 and 5 with product n, and at most one of 2."""
    found = []
    for radix in (4, 2, 3, 5):
        while n % radix == 0:
            found.append(radix)
            n //= radix
    return found


def _group(radices):
    """Return the largest product of last radices that is at most `GROUP`."""
    found = 1
    for radix in reversed(radices):
        if found * radix > GROUP:
            break
        found *= radix
    return found


def _turns(radices, dtype):
    """Return the numbers by which the passes multiply, see `fourier_columns`."""
    found, count = [], int(np.prod(radices))
    for radix in radices:
        step = count // radix
        angle = np.arange(step)[:, None] * np.arange(1, radix)
        found.append(exp_turns(-angle, count).ravel())
        count = step
    return np.concatenate(found).view(float).astype(dtype)


def vector_steps(
    n: int, dtype: np.dtype
) -> tuple[list[int], np.ndarray, np.ndarray, tuple[tuple[int, ...], ...]]:
    """Return the arguments of `nbfact.kernels.fourier_vector` for an order with sides.

    They are the layout, as a list and without its last entry, turns and cross, and the
    shapes of planes and tiles.
    """
    real, width, (p, q) = real_dtype(dtype), width_of(dtype), _sides(n, dtype)
    listed, turns = [], []
    for order in (p, q):
        radices = tied_radices(order)
        places = inverse(digit_reversal(radices))
        listed += [order, len(radices), *radices, *places]
        turns.append(_turns(radices, real))
    angles = exp_turns(-np.multiply.outer(np.arange(p), np.arange(q)), n)
    cross = np.stack([angles.real, angles.imag]).astype(real)
    scratch = (2, p * width), (-(-p // width), 2, q * width)
    return listed, np.concatenate(turns), cross, scratch


def vector_multiplier(
    kernel: Callable, arguments: tuple, scratch: tuple, m: int, dtype: np.dtype
) -> Callable:
    """Return the function (x, out=None) that calls a kernel of `Tied` for one vector.

    The product has m numbers. Where `out` is given, x and out may hold several vectors,
    one after the other. Scratch arrays are kept for the next call.
    """
    idle: list[list[np.ndarray]] = []  # scratch arrays that no thread is using
    empty, real = np.empty, real_dtype(dtype)
    compiled: Any = None

    def multiply(x, out=None):
        nonlocal compiled
        if out is None:
            out = empty(m, dtype)
        try:
            arrays = idle.pop()
        except IndexError:
            arrays = [empty(shape, real) for shape in scratch]
            if compiled is None:
                compiled = entry_point(kernel, out, *arguments, *arrays, out)
        compiled(x, *arguments, *arrays, out)
        idle.append(arrays)
        return out

    return multiply
