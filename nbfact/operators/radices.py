"""The radices by which chains split the rows and the columns of a matrix."""

import itertools
import math
import operator
from typing import Any

import numpy as np

from .._core.checks import size


def prime_factors(n: int) -> list[int]:
    """Return the prime factors of n in increasing order, none for 1.

    Examples
    --------
    >>> prime_factors(60)
    [2, 2, 3, 5]
    """
    found, prime = [], 2
    while prime * prime <= n:
        while n % prime == 0:
            found.append(prime)
            n //= prime
        prime += 1
    return [*found, n] if n > 1 else found


def near_root(n: int) -> int:
    """Return the product of the first prime factors of n that is nearest to √n.

    The product of all prime factors, n itself, is returned only for a prime and for 1.

    Examples
    --------
    >>> near_root(1000), near_root(100), near_root(7)
    (40, 4, 7)
    """
    products = list(itertools.accumulate(prime_factors(n) or [1], operator.mul))
    proper = [product for product in products if product < n] or products
    return min(proper, key=lambda product: abs(product - n**0.5))


def lumped(factors: list[int], length: int) -> list[int]:
    """Return `length` numbers in increasing order with the product of the given ones.

    The first ``length - 1`` numbers stay, and the product of the others is one number.

    Examples
    --------
    >>> lumped([2, 2, 3, 5], 2)
    [2, 30]
    """
    return sorted([*factors[: length - 1], math.prod(factors[length - 1 :])])


def listed(values: Any) -> list:
    """Return a sequence as a list, or raise a TypeError."""
    try:
        return list(values)
    except TypeError:
        raise TypeError(f"expected a sequence, got {values!r}") from None


def order_or_shape(shape: Any) -> tuple[int, int]:
    """Return the shape (m, n) that an argument, an order or a shape, stands for."""
    sizes = listed(shape) if np.ndim(shape) else [shape, shape]
    if len(sizes) != 2:
        raise ValueError(f"shape {shape!r}: expected an order, or (m, n)")
    return size("shape", sizes[0]), size("shape", sizes[1])


def dyadic(n: Any) -> list[int]:
    """Return log2(n) radices 2, or [1] for order 1, from an order or a square shape."""
    rows, columns = order_or_shape(n)
    if rows != columns or rows & (rows - 1):
        raise ValueError(
            f"shape {(rows, columns)}: a dyadic chain is square, of an order that is "
            "a power of two"
        )
    return [2] * (rows.bit_length() - 1) or [1]
