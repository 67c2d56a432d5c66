"""What splits of a chain find, and how far it is from the matrix."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...kernels import frobenius_norm
from ...operators.patterns import fused_values


@dataclass(frozen=True)
class SplitFactors:
    """The factors that splits find, and the norms of what they lose.

    Attributes
    ----------
    values : list of ndarray, (a, b, c, d) each
        The values of the factors, left to right.
    lost : ndarray, (J - 1,)
        The norm that each split drops, by its place in the chain of J factors.
    error, bound : float
        ‖A - Â‖_F, and an upper bound on it that holds but for rounding.
    lower_bound : float
        No product B of the chain has a smaller ‖A - B‖_F.
    fresh : bool
        Whether the values are finite arrays in C order that nothing else refers to, so
        that an operator need neither check nor copy them.
    """

    values: list[np.ndarray]
    lost: np.ndarray
    error: float
    bound: float
    lower_bound: float
    fresh: bool = False


def permuted(
    target: np.ndarray, rows: np.ndarray | None, columns: np.ndarray | None
) -> np.ndarray:
    """Return target[rows][:, columns], where None leaves the order."""
    target = target if rows is None else target[rows]
    return target if columns is None else target[:, columns]


def distance(whole: np.ndarray, parts: Sequence[np.ndarray]) -> float:
    """Return ‖whole - product of the parts‖_F."""
    product = functools.reduce(fused_values, parts)
    return frobenius_norm((whole - product).reshape(-1))
