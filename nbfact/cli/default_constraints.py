"""The constraint sets that ``nbfact factorize`` uses when a user names none."""

import math

from ..algorithms.palm.presets import Side, rectmat
from ..constraints import Constraint, SpLin, SpLinCol

MOST_FACTORS = 12
"""Largest number of factors for a square target when none is asked for, because each
costs another split. log2(n) exceeds it only for targets above 4096 x 4096."""

FACTORS_OF_OTHERS = 4
"""Number of factors for a target that is not square: a choice, within the 2 to 10 that
Le Magoarou and Gribonval (2016) tried on a MEG lead field."""


def default_n_factors(shape: tuple[int, int]) -> int:
    """Return the number of factors for a target when none is asked for.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the target.

    Returns
    -------
    int
        For a square target log2(n), rounded, from 2 to 12, which is the number of
        factors of a fast transform; for any other target 4.

    Examples
    --------
    >>> default_n_factors((32, 32)), default_n_factors((204, 8193))
    (5, 4)
    """
    rows, columns = shape
    if rows != columns:
        return FACTORS_OF_OTHERS
    return min(max(2, round(math.log2(rows))), MOST_FACTORS)


def default_constraints(
    shape: tuple[int, int], n_factors: int, k: int
) -> tuple[list[Constraint], list[Constraint], Side]:
    """Return the sets in which ``nbfact factorize`` looks for factors.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n of the target.
    n_factors : int
        Number of factors J, at least 2.
    k : int
        Number of entries kept in each row and in each column.

    Returns
    -------
    factors, residuals : lists of J - 1 constraints
        One set of each for every split.
    residual_side : str
        ``"left"`` for wide targets, ``"right"`` for others.

    Notes
    -----
    For a square target, all factors are in ``SpLinCol(k)``, and the number of entries
    that residuals keep in a row decreases geometrically from n to k. With k = 2 and
    J = log2(n) these are FAµST's sets, with which the fast Hadamard transform is found.

    For a wide target they are of the kind of the MEG experiments of [1]_: a rightmost
    factor with k entries in each column, square factors with k m entries in all, and
    residuals with 1.4 m² 0.8^(l-1) entries after split l. For a tall target they are
    the transposes of these.

    References
    ----------
    .. [1] L. Le Magoarou and R. Gribonval, "Flexible multi-layer sparse approximations
       of matrices and applications", IEEE J. Sel. Top. Signal Process. 10(4), 2016.

    Examples
    --------
    >>> factors, residuals, side = default_constraints((8, 8), 3, 2)
    >>> [c.k for c in factors], [c.k for c in residuals], side
    ([2, 2], [4, 2], 'right')
    """
    m, n = shape
    if m == n:
        splits = range(1, n_factors)
        kept = [max(k, round(n * (k / n) ** (i / (n_factors - 1)))) for i in splits]
        own: list[Constraint] = [SpLinCol(shape, k) for _ in splits]
        return own, [SpLinCol(shape, count) for count in kept], "right"
    preset = rectmat(n_factors, k, k)
    if m < n:
        return *preset.constraints(shape), "left"
    factors, residuals = preset.constraints((n, m))
    return [SpLin(shape, k), *factors[1:]], residuals, "right"
