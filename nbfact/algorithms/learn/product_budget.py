"""The budget of `learn_transform` that is a time: that of one product."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...operators import FastOperator
from ...operators.product_times import (
    column_blocks_within,
    dense_time,
    entries_within,
    expected_time,
    guarded_time,
)

_UNEVEN = 1.1
"""How many times as long as one with equally long rows a product with learned supports
is expected to take, before it is known."""

_STEP = 1.5
"""Power of the ratio of times by which entries are removed: the call takes time too."""


@dataclass(frozen=True)
class ProductBudget:
    """The longest time that a product is allowed to take, by the model of times.

    Attributes
    ----------
    time, dense : float
        Nanoseconds that are allowed, and that the dense product is expected to take.
    batch : int
        Number of columns; 1 for a vector.
    shape : (int, int)
    dtype : numpy.dtype
        Those of the target.
    """

    time: float
    dense: float
    batch: int
    shape: tuple[int, int]
    dtype: np.dtype

    @classmethod
    def of(
        cls, speedup: float, batch: int, shape: tuple[int, int], dtype: np.dtype
    ) -> "ProductBudget":
        """Return the budget of products that have a speedup over the dense one."""
        dense = dense_time(shape, dtype, batch)
        return cls(dense / speedup, dense, batch, shape, dtype)

    @property
    def impossible(self) -> bool:
        """Whether the call of a product of sparse factors alone takes longer."""
        return max(self.entries([self.shape]), self.blocks([self.shape])) < 1

    def admits(self, operator: FastOperator) -> bool:
        """Return whether a product with an operator is fast enough.

        It has to be so not only where the model of times was fitted, but on all
        machines that were measured.
        """
        return guarded_time(operator, self.batch) <= self.time

    def expected(self, operator: FastOperator) -> float:
        """Return the time that a product is expected to take, in nanoseconds."""
        return expected_time(operator, self.batch)

    def entries(self, shapes: Sequence[tuple[int, int]]) -> int:
        """Return how many entries factors may have whose rows are equally long."""
        return entries_within(self.time, shapes, self.dtype, self.batch)

    def learned_entries(self, shapes: Sequence[tuple[int, int]]) -> int:
        """Return how many entries factors may have whose supports are learned."""
        time = self.time / (_UNEVEN if self.batch == 1 else 1.0)
        return entries_within(time, shapes, self.dtype, self.batch)

    def fewer(self, operator: FastOperator) -> int:
        """Return how many entries may be left of a product that is too slow."""
        slower = guarded_time(operator, self.batch) / self.time
        return int(operator.nnz / slower**_STEP)

    def blocks(self, shapes: Sequence[tuple[int, int]]) -> int:
        """Return how many blocks of eight rows factors of some shapes may have."""
        return column_blocks_within(self.time, shapes, self.dtype)

    def ladder(self, most: int) -> Iterator[int]:
        """Yield numbers of entries, the largest first, that structures may have.

        The fastest structures hold more entries than free supports in equal time; each
        number is half of the one before, from `most` down to that of free supports.
        """
        least = max(1, self.entries([self.shape]))
        while most > least:
            yield most
            most //= 2
        yield least


@dataclass(frozen=True)
class ProductTimes:
    """How long one product takes with a result, and with the dense matrix.

    Attributes
    ----------
    batch : int
        Number of columns; 1 for a vector.
    expected, expected_dense : float
        Seconds by the stored model of times, which alone decides what is chosen.
    measured, measured_dense : float
        Seconds, as measured at the end of the search on the threads of that moment.
    asked : float
        The speedup that was asked for.
    """

    batch: int
    expected: float
    expected_dense: float
    measured: float
    measured_dense: float
    asked: float

    @property
    def expected_speedup(self) -> float:
        """How many times as fast as dense the product is expected to be."""
        return self.expected_dense / self.expected

    @property
    def measured_speedup(self) -> float:
        """How many times as fast as dense the product was."""
        return self.measured_dense / self.measured

    @property
    def reached(self) -> bool:
        """Whether the product was as fast as was asked for, when it was measured."""
        return self.measured_speedup >= self.asked

    def __str__(self) -> str:
        columns = "one vector" if self.batch == 1 else f"{self.batch} columns"
        missed = "" if self.reached else f", {self.asked:.3g} was asked for"
        return (
            f"{columns}: {self.measured * 1e6:.3g} µs, dense "
            f"{self.measured_dense * 1e6:.3g} µs: {self.measured_speedup:.3g} times as "
            f"fast (expected {self.expected_speedup:.3g}){missed}"
        )
