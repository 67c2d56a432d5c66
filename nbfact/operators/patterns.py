"""Kronecker-sparse patterns (a, b, c, d), and the arithmetic of pairs of them.

A pattern is the support I_a ⊗ 1_{b×c} ⊗ I_d. Two neighbours, the left one written
first, are chainable when a divides a', d' divides d, and r = a c / a' is an integer:
then their product is the pattern (a, b d / d', a' c' / a, d'), and each of its blocks
has rank r at most (Le et al. 2025, definition 3.9).
"""

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Pattern = tuple[int, int, int, int]


def checked(number: int, pattern: Any) -> Pattern:
    """Return pattern `number` as a tuple of four positive integers, or raise."""
    try:
        entries = tuple(operator.index(entry) for entry in pattern)
    except TypeError:
        entries = ()
    if len(entries) != 4 or min(entries) < 1:
        raise ValueError(
            f"patterns[{number}]={pattern!r}: expected four positive integers "
            "(a, b, c, d)"
        )
    return entries


def positive(name: str, value: Any) -> int:
    """Return `value` as a positive integer, or raise naming the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}: expected integers, got {value!r}") from None
    if number < 1:
        raise ValueError(f"{name}: expected at least 1, got {number}")
    return number


def shape_of(pattern: Pattern) -> tuple[int, int]:
    """Return the rows abd and the columns acd of a pattern."""
    a, b, c, d = pattern
    return a * b * d, a * c * d


def transposed(pattern: Pattern) -> Pattern:
    """Return the pattern of the transpose."""
    a, b, c, d = pattern
    return a, c, b, d


def is_chainable(left: Pattern, right: Pattern) -> bool:
    """Return whether two neighbours are chainable; their shapes must chain."""
    a, _, c, d = left
    wide, _, _, thin = right
    return wide % a == 0 and d % thin == 0 and (a * c) % wide == 0


def fused(left: Pattern, right: Pattern) -> Pattern:
    """Return the pattern of the product of two neighbours, the left one written first.

    Raises
    ------
    ValueError
        When neither they nor their transposes are chainable.

    Examples
    --------
    >>> fused((1, 2, 2, 4), (2, 2, 2, 2))
    (1, 4, 4, 2)
    """
    if is_chainable(left, right):
        a, b, _, d = left
        wide, _, c, thin = right
        return a, b * (d // thin), (wide // a) * c, thin
    if is_chainable(transposed(right), transposed(left)):
        return transposed(fused(transposed(right), transposed(left)))
    raise ValueError(
        f"the product of patterns {left} and {right} is not a pattern: neither they "
        "nor their transposes are chainable"
    )


def fused_values(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the values of the product of two factors, which `fused` gives a pattern.

    Parameters
    ----------
    left, right : ndarray, shapes (a, b, c, d)
        Values of two neighbours, the left one written first.

    Returns
    -------
    ndarray, shape ``fused(left.shape, right.shape)``

    Notes
    -----
    With a' = a s, d = d' t, c = s r: column k = (σ, ρ) of the left block and l = (τ, λ)
    meet row j' = (ρ, τ) of the right one.
    """
    if not is_chainable(left.shape, right.shape):
        fused(left.shape, right.shape)  # raises when the transposes are not either
        turned = fused_values(right.transpose(0, 2, 1, 3), left.transpose(0, 2, 1, 3))
        return np.ascontiguousarray(turned.transpose(0, 2, 1, 3))
    a, b, c, d = left.shape
    wide, _, columns, thin = right.shape
    s, t = wide // a, d // thin
    r = c // s
    blocks = np.einsum(
        "ijsrtl,isrtkl->ijtskl",
        left.reshape(a, b, s, r, t, thin),
        right.reshape(a, s, r, t, columns, thin),
    )
    return np.ascontiguousarray(blocks.reshape(fused(left.shape, right.shape)))


def groups(length: int, sizes: Sequence[int] | None) -> Iterator[tuple[int, int]]:
    """Return where each group of consecutive factors starts and stops.

    Raises
    ------
    ValueError
        When the sizes are not positive integers, or do not add up to `length`.

    Examples
    --------
    >>> list(groups(3, [1, 2]))
    [(0, 1), (1, 3)]
    """
    sizes = [length] if sizes is None else [positive("sizes", size) for size in sizes]
    if sum(sizes) != length:
        raise ValueError(f"sizes {sizes} add up to {sum(sizes)}, not {length} factors")
    return itertools.pairwise([0, *itertools.accumulate(sizes)])


def prime_factors(n: int) -> list[int]:
    """Return the prime factors of n in increasing order.

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
    """Return the product of the first prime factors that is nearest to the root of n.

    Examples
    --------
    >>> near_root(1000), near_root(100), near_root(7)
    (40, 4, 7)
    """
    products = list(itertools.accumulate(prime_factors(n) or [1], operator.mul))
    proper = [product for product in products if product < n] or products
    return min(proper, key=lambda product: abs(product - n**0.5))


def lumped(factors: list[int], length: int) -> list[int]:
    """Return `length` increasing numbers of the same product, the last of many factors.

    Examples
    --------
    >>> lumped([2, 2, 3, 5], 2)
    [2, 30]
    """
    return sorted([*factors[: length - 1], math.prod(factors[length - 1 :])])
