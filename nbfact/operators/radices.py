"""The radices by which chains split the rows and the columns of a matrix."""

import itertools
import math
import operator
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .._core.checks import sequence, shown, size

MAX_PRIME = 1 << 21
"""Largest divisor that `prime_factors` tries, which takes a tenth of a second: enough
for all orders below 2^42."""


def prime_factors(n: int, name: str = "n") -> list[int]:
    """Return the prime factors of n in increasing order, none for 1.

    A ValueError is raised for an order whose two largest prime factors are both above
    `MAX_PRIME`.

    Examples
    --------
    >>> prime_factors(60)
    [2, 2, 3, 5]
    """
    found, prime, rest = [], 2, n
    while prime * prime <= rest:
        while rest % prime == 0:
            found.append(prime)
            rest //= prime
        prime += 1
        if prime > MAX_PRIME:
            raise ValueError(
                f"{name}: the order {n} is too large, its prime factors above "
                f"{MAX_PRIME} are not looked for"
            )
    return [*found, rest] if rest > 1 else found


def divisors(n: int, name: str = "n") -> list[int]:
    """Return all divisors of n in increasing order.

    Examples
    --------
    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    found = {1}
    for prime in prime_factors(n, name):
        found |= {prime * divisor for divisor in found}
    return sorted(found)


def near_root(n: int, name: str = "n") -> int:
    """Return the product of the first prime factors of n that is nearest to √n.

    The product of all prime factors, n itself, is returned only for a prime and for 1.
    `name` is that of the argument, for the message.

    Examples
    --------
    >>> near_root(1000), near_root(100), near_root(7)
    (40, 4, 7)
    """
    products = list(itertools.accumulate(prime_factors(n, name) or [1], operator.mul))
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


def patterns_of(
    rows: list[int], columns: list[int], rank: int
) -> list[tuple[int, int, int, int]]:
    """Return the patterns of the chain whose factors split rows and columns by radices.

    The parameters are those of `Chain.mixed_radix`, checked. A ValueError is raised
    when a product of radices is larger than any array can be.
    """
    for name, numbers in (("factors", rows), ("columns", columns)):
        if any(order > sys.maxsize for order in _products(numbers)):
            raise ValueError(
                f"{name} of {len(numbers)} radices have a product above {sys.maxsize}"
            )
    before, after = _products([1, *columns[:-1]]), _products([1, *rows[:0:-1]])[::-1]
    last = len(rows) - 1
    return [
        (a, b * (1 if level == 0 else rank), c * (1 if level == last else rank), d)
        for level, (a, b, c, d) in enumerate(
            zip(before, rows, columns, after, strict=True)
        )
    ]


def _products(numbers):
    """Return the products of the first one, two, ... numbers, up to one too large."""
    found = [1]
    for number in numbers:
        found.append(found[-1] * number)
        if found[-1] > sys.maxsize:
            break
    return found[1:]


def order_or_shape(name: str, shape: Any) -> tuple[int, int]:
    """Return the shape (m, n) that an argument, an order or a shape, stands for.

    `name` is that of the argument, for messages.
    """
    sizes = [shape, shape]
    single = isinstance(shape, np.ndarray) and not shape.ndim
    if isinstance(shape, Iterable) and not single:
        sizes = sequence(name, shape, "two sizes, or an order")
    if len(sizes) != 2:
        raise ValueError(f"{name}={shown(shape)}: expected an order, or a shape (m, n)")
    return size(name, sizes[0]), size(name, sizes[1])


def dyadic(name: str, n: Any) -> list[int]:
    """Return log2(n) radices 2, or [1] for order 1, from an order or a square shape."""
    rows, columns = order_or_shape(name, n)
    if rows != columns or rows & (rows - 1):
        raise ValueError(
            f"{name}={shown(n)}: a dyadic chain has a square shape, of an order that "
            "is a power of two"
        )
    return [2] * (rows.bit_length() - 1) or [1]


def factorizations(n: int) -> Iterator[tuple[int, ...]]:
    """Yield all sequences of integers above 1 with product n; (1,) for 1.

    Examples
    --------
    >>> sorted(factorizations(12))
    [(2, 2, 3), (2, 3, 2), (2, 6), (3, 2, 2), (3, 4), (4, 3), (6, 2), (12,)]
    """
    yield (n,)
    for first in range(2, n // 2 + 1):
        if n % first == 0:
            for rest in factorizations(n // first):
                yield (first, *rest)
