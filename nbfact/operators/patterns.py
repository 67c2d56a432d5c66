"""Kronecker-sparse patterns (a, b, c, d): checks, products and transposes.

A pattern stands for the support I_a ⊗ 1_{b×c} ⊗ I_d of a factor, of shape (abd, acd).
Two neighbours (a, b, c, d) and (a', b', c', d'), the left one written first, are
chainable when a divides a', d' divides d, and r = a c / a' is an integer. Their product
then has the pattern (a, b d / d', a' c' / a, d'), each block of which has rank r at
most (Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
guarantees, SIAM J. Matrix Anal. Appl. 46(4), 2025, arXiv:2411.04506).
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.checks import sequence, shown, size

Pattern = tuple[int, int, int, int]


def checked_pattern(number: int, pattern: Any) -> Pattern:
    """Return pattern `number` of a chain as a tuple of four positive integers.

    Raises
    ------
    ValueError
        When it is something else; the message names it ``patterns[number]``.
    """
    try:
        entries = tuple(size(f"patterns[{number}]", entry) for entry in pattern)
    except (TypeError, ValueError):
        entries = ()
    if len(entries) != 4 or min(entries) < 1:
        raise ValueError(
            f"patterns[{number}]={shown(pattern)}: expected four positive integers "
            "(a, b, c, d)"
        )
    a, b, c, d = entries
    return a, b, c, d


def shape_of(pattern: Pattern) -> tuple[int, int]:
    """Return the shape (abd, acd) of a factor with a pattern."""
    a, b, c, d = pattern
    return a * b * d, a * c * d


def csr_factor(values: np.ndarray) -> sp.csr_array:
    """Return a factor with values (a, b, c, d) as a CSR array that stores zeros too."""
    a, b, c, d = values.shape
    # Row (i, j, l) has entries in its c columns (i, k, l), in increasing order of k.
    i, _, k, thin = np.ogrid[:a, :b, :c, :d]
    columns = np.broadcast_to((i * c + k) * d + thin, values.shape)
    rows, width = shape_of(values.shape)
    data, indices = (x.transpose(0, 1, 3, 2).ravel() for x in (values, columns))
    indptr = np.arange(0, values.size + 1, c)
    return sp.csr_array((data, indices, indptr), shape=(rows, width))


def transposed(pattern: Pattern) -> Pattern:
    """Return the pattern of the transposed factor."""
    a, b, c, d = pattern
    return a, c, b, d


def is_chainable(left: Pattern, right: Pattern) -> bool:
    """Return whether two neighbouring patterns, whose shapes chain, are chainable."""
    a, _, c, d = left
    wide, _, _, thin = right
    return wide % a == 0 and d % thin == 0 and (a * c) % wide == 0


def fused(left: Pattern, right: Pattern) -> Pattern:
    """Return the pattern of the product of two neighbouring factors.

    Parameters
    ----------
    left, right : (a, b, c, d)
        Patterns of the two factors, the left one written first.

    Returns
    -------
    (a, b, c, d)

    Raises
    ------
    ValueError
        When neither the patterns nor their transposes are chainable.

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
    """Return the values of the product of two neighbouring factors.

    Parameters
    ----------
    left, right : ndarray, shapes (a, b, c, d) and (a', b', c', d')
        Values of the two factors, the left one written first.

    Returns
    -------
    ndarray, shape ``fused(left.shape, right.shape)``

    Raises
    ------
    ValueError
        When the product has no pattern, see `fused`.

    Notes
    -----
    Write a' = a s, d = d' t and c = s r. Column k = (σ, ρ) of the left block i at the
    index l = (τ, λ) of d meets row j' = (ρ, τ) of the right block (i, σ) at λ.
    """
    if not is_chainable(left.shape, right.shape):
        fused(left.shape, right.shape)  # raises unless the transposes are chainable
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
    """Return the pairs (start, stop) of groups of consecutive factors.

    Parameters
    ----------
    length : int
        Number of factors.
    sizes : sequence of int, optional
        Number of factors in each group, from the left; one group of all by default.

    Returns
    -------
    iterator of (int, int)

    Raises
    ------
    TypeError, ValueError
        When a size is not a positive integer, or the sizes do not add up to `length`.

    Examples
    --------
    >>> list(groups(3, [1, 2]))
    [(0, 1), (1, 3)]
    """
    found = [length]
    if sizes is not None:
        found = [size("sizes", one) for one in sequence("sizes", sizes, "integers")]
    if sum(found) != length:
        raise ValueError(f"sizes {found} add up to {sum(found)}, not {length} factors")
    return itertools.pairwise([0, *itertools.accumulate(found)])
