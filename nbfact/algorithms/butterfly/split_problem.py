"""The best of several ways to factor one matrix, whatever the size of its entries."""

import functools
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...kernels import frobenius_norm
from ...operators import Butterfly
from ...operators.butterfly import own_butterfly
from ..common.problem import Problem, shift
from ..common.result import History
from .butterfly_result import ButterflyFactorization
from .split_factors import SplitFactors
from .splits import SplitOrder, factor_by_splits, smallest_error
from .ways import Way

MODERATE = 30
"""Largest binary exponent, in modulus, of a norm that is left as it is: a target with a
smaller or a larger norm is scaled, because the splits form fourth powers of entries."""


@functools.cache
def exact_error(dtype: np.dtype) -> float:
    """Return the relative error below which a factorization counts as exact."""
    return float(np.finfo(dtype).eps) ** 0.625


@dataclass(frozen=True)
class SplitProblem:
    """A matrix whose norm is moderate, and how to split it.

    Attributes
    ----------
    matrix : ndarray, (m, n)
        The target divided by ``2**exponent``.
    norm : float
        Frobenius norm of `matrix`.
    exponent : int
        0 unless the squares of the entries of the target could over- or underflow.
    order, orthonormal
        Options of `butterfly_factorize`.
    """

    matrix: np.ndarray
    norm: float
    exponent: int
    order: SplitOrder
    orthonormal: bool

    @classmethod
    def of(
        cls, problem: Problem, order: SplitOrder, orthonormal: bool
    ) -> "SplitProblem":
        """Return the problem of a dense target."""
        matrix, norm, exponent = problem.array, problem.norm, 0
        power = problem.norm_exponent
        if abs(power) > MODERATE:
            exponent, matrix = power, shift(matrix, -power)
            norm = frobenius_norm(matrix.reshape(-1))
        return cls(matrix, norm, exponent, order, orthonormal)

    @property
    def tolerance(self) -> float:
        """The error, a norm, below which a factorization counts as exact."""
        return exact_error(self.matrix.dtype) * self.norm

    def view(self, way: Way) -> np.ndarray:
        """Return the matrix, or its transpose where that is what the way factors."""
        return self.matrix.T if way.transposed else self.matrix

    def best(self, candidates: Iterator[Way]) -> tuple[Way, SplitFactors]:
        """Return the best way and its factors; the first exact one ends the search."""
        best: tuple[Way, SplitFactors] | None = None
        for way in candidates:
            limit = self.tolerance if way.only_exact else math.inf
            if best is not None:
                limit = min(limit, best[1].error)
            found = factor_by_splits(
                self.view(way), way.rows, way.columns, way.chain, self.order,
                self.orthonormal, limit,
            )  # fmt: skip
            if found is not None and (best is None or found.error < best[1].error):
                best = way, found
                if found.error <= self.tolerance:
                    break
        assert best is not None, "the first way has no limit: it always finds factors"
        return best

    def result(
        self, way: Way, found: SplitFactors, problem: Problem, began: float
    ) -> ButterflyFactorization[Butterfly]:
        """Return the factors found by a way as a result, in the units of the target.

        `began` is when the search began, by `time.perf_counter`.
        """
        values = found.values
        if self.norm == 0:
            values = [np.zeros_like(value) for value in values]
        if self.exponent:
            # Every factor takes a share of the exponent, so that none overflows.
            ends = [self.exponent * j // len(values) for j in range(len(values) + 1)]
            steps = [stop - start for start, stop in itertools.pairwise(ends)]
            values = [
                np.asarray(shift(value, step))
                for value, step in zip(values, steps, strict=True)
            ]
        if found.fresh and not self.exponent:
            operator = own_butterfly(way.chain, values, way.rows, way.columns)
        else:
            operator = Butterfly(way.chain, values, rows=way.rows, columns=way.columns)
        size = self.norm or 1.0
        error = float(found.error / size)
        split_errors = tuple((found.lost / size).tolist())
        return ButterflyFactorization(
            operator=operator.T if way.transposed else operator,
            relative_error=error,
            history=History([error], [1.0], [time.perf_counter() - began], [0]),
            target=problem.array,
            bound=float(found.bound / size),
            # Where both are equal, what rounding adds to this one is taken off.
            lower_bound=min(float(found.lower_bound / size), error),
            split_errors=split_errors[::-1] if way.transposed else split_errors,
            permutation=way.name,
            transposed=way.transposed,
        )


def certified(split: SplitProblem, way: Way, found: SplitFactors) -> SplitFactors:
    """Return what a way found, with the lower bound of all splits of the matrix."""
    view = split.view(way)
    bound = smallest_error(view, way.rows, way.columns, way.chain)
    return replace(found, lower_bound=bound)
