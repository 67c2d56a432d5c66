"""ProgramOperator: an operator whose products run packed programs of kernels."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels.panels import lanes_of
from . import plan as plans
from .chain import Chain
from .multiplied_out import MOST_MULTIPLIED, in_range, rounded
from .patterns import shape_of
from .planned_operator import PlannedOperator
from .product_plans import slice_columns
from .program import Call, Program
from .reorderings import checked_permutation, inverse
from .repeated_blocks import (
    cheapest,
    kronecker_of,
    multiplier,
    rows_multiplier,
)
from .row_calls import columns_as_rows, turned_cost

DYADIC_BYTES = 1 << 27
"""Bytes of columns from which on those of a dyadic butterfly are copied slice by slice:
it reads fewer ones in place in less time."""
STEPS, STEPS_BYTES = 3, 1 << 24
"""Number of steps and bytes of columns from which on slices of long columns are copied,
too, because the arrays between the steps leave the caches."""
ROW_BYTES, MOST_COPIED = 256, 1 << 22
"""Least bytes of a row of such a slice, and most of a slice."""
EQUAL_BLOCKS = 1.4
"""Limit of the expected time of a Kronecker product over that of a program, which reads
equal blocks again and again: its price leaves out that they come from memory."""
RUN, ROWS = 3000.0, 1.25
"""Time of the calls of a program that multiplies rows, in nanoseconds, and how many
times as long its steps take as their prices say, because rows are far apart."""
GATHER, PERMUTED = 1.0, 3000.0
"""Time of reordering one entry by a permutation of a butterfly, and of the calls that
this takes beside those of the chain, in nanoseconds."""


class ProgramOperator(PlannedOperator):
    """Base class of `Butterfly`: products by programs that are packed when first used.

    A subclass sets the attributes below by ``_hold`` in its constructor. For
    each dtype there is a program for vectors, and one for each class of numbers of
    columns that was met, see `nbfact.operators.plan.columns_planned`. Steps that they
    have in common are packed once.

    Attributes
    ----------
    chain : Chain
        Supports of the factors.
    values : tuple of ndarray
        Values of the factors, of shapes (a, b, c, d).
    rows, columns : ndarray of intp, or None
        Permutations of rows and columns, see `Butterfly`.
    """

    chain: Chain
    values: tuple[np.ndarray, ...]
    rows: np.ndarray | None
    columns: np.ndarray | None
    _owned = ("values", "rows", "columns")
    _made: tuple[str, ...] = (
        *PlannedOperator._made,
        *("_costs", "_kronecker", "_packed", "_programs", "_rows_plans"),
    )  # fmt: skip

    def _hold(
        self, chain: Chain, values: Sequence[np.ndarray], rows: Any, columns: Any
    ) -> None:
        """Set all attributes, from arrays of values that belong to the operator."""
        m, n = chain.shape
        rows, m = checked_permutation("rows", rows, m)
        columns, n = checked_permutation("columns", columns, n)
        super().__init__(values[0].dtype, (m, n))
        # At once: to set each through `Sealed` takes as long as all checks together.
        self.__dict__.update(
            chain=chain,
            values=tuple(values),
            rows=rows,
            columns=columns,
            nnz=chain.n_parameters,
        )

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that kernels are expected to take, in nanoseconds."""
        way = self._kronecker_way(dtype, batch, rows)
        if way is not None:
            return way.cost
        found = self._columns_cost(dtype, batch)
        if not rows:
            return min(found, self._few_cost(dtype, batch))
        found += turned_cost(self.shape, dtype, batch)
        return min(found, self._rows_plan(dtype, batch)[1])

    def _few_cost(self, dtype, batch):
        """Return the time of a few columns that are turned to rows, or infinity."""
        return turned_cost(self.shape, dtype, batch) + self._rows_plan(dtype, batch)[1]

    def _rows_plan(self, dtype, batch):
        """Return the plan for a few rows, and its time: None and infinity for many."""
        plain = self.rows is None and self.columns is None
        if not plain or not 1 < batch < lanes_of(dtype):
            return None, math.inf
        key = dtype, batch
        if key not in self._rows_plans:
            plan, found = plans.best_rows(self.chain, *key)
            self._rows_plans[key] = plan, RUN + ROWS * found
        return self._rows_plans[key]

    def _columns_cost(self, dtype, batch):
        """Return the time of the program for columns and of the permutations, in ns."""
        planned = plans.columns_planned(batch)
        key = dtype, planned
        if key not in self._costs:
            plan = plans.best(self.chain, *key)
            found = plans.cost(self.chain, plan, *key)
            for index in (self.rows, self.columns):
                if index is not None:
                    found += PERMUTED + GATHER * len(index) * planned
            self._costs[key] = found
        return self._costs[key] * batch / planned

    def _matrix(self, dtype: np.dtype) -> np.ndarray | None:
        values, rows, columns = self.values, self.rows, self.columns
        turned, batch = self.shape[0] < self.shape[1], min(self.shape)
        if turned:  # from the side of fewer vectors
            values = tuple(value.transpose(0, 2, 1, 3) for value in values[::-1])
            rows, columns = columns, rows
        inner = [shape_of(value.shape)[1] for value in values]
        most = max(*inner, shape_of(values[0].shape)[0])
        if max(batch * most, self.nnz) > MOST_MULTIPLIED:
            return None
        entries = (value[value != 0] for value in values)
        if not in_range(entries, inner[:-1], dtype):
            return None
        found = np.zeros((inner[-1], batch), np.promote_types(dtype, np.float64))
        kept = np.arange(batch) if columns is None else inverse(columns)
        found[kept, np.arange(batch)] = 1
        for value in reversed(values):
            a, _, c, d = value.shape
            lines = found.reshape(a, c, d, batch).transpose(0, 2, 1, 3)
            found = (value.transpose(0, 3, 1, 2) @ lines).transpose(0, 2, 1, 3)
        found = found.reshape(-1, batch)
        found = found if rows is None else found[inverse(rows)]
        matrix = rounded(found, dtype)
        return matrix.T if turned and matrix is not None else matrix

    def _kronecker_way(self, dtype, batch, rows):
        """Return how a Kronecker product of matrices is multiplied by them.

        It is None for any other operator, and where programs take less time.
        """
        if "found" not in self._kronecker:
            plain = self.rows is None and self.columns is None
            self._kronecker["found"] = kronecker_of(self.values) if plain else None
        found = self._kronecker["found"]
        if found is None:
            return None
        way = cheapest(found, dtype, batch, rows)
        other = self._columns_cost(dtype, batch)
        return way if way.cost < EQUAL_BLOCKS * other else None

    def _multiplier(self, dtype, shape):
        way = self._kronecker_way(dtype, 1 if len(shape) == 1 else shape[1], False)
        if way is not None:
            product = (self.shape[0], *shape[1:])
            return multiplier(self._kronecker["found"], way, dtype, product)
        if len(shape) == 1:
            return self._program(dtype, 1).for_vectors()
        batch = shape[1]
        if self._few_cost(dtype, batch) < self._columns_cost(dtype, batch):
            call = self._few(dtype, batch)
            return columns_as_rows(
                lambda x, out: functools.partial(call, x, out), self.shape, dtype, batch
            )
        return self._program(dtype, batch).for_columns(shape)

    def _copied(self, dtype, batch):
        tile, longest = super()._copied(dtype, batch), max(self.shape) * dtype.itemsize
        widest = max(slice_columns(longest), ROW_BYTES // dtype.itemsize)
        far = longest * batch >= STEPS_BYTES and widest * longest <= MOST_COPIED
        far = far and batch > widest  # a slice is not cut again
        if not tile and not far:
            return 0
        plan = plans.best(self.chain, dtype, plans.columns_planned(batch))
        if far and len(plan) >= STEPS:
            return widest
        dyadic = plan[0].kind in (plans.INCREASING, plans.DECREASING)
        near = self.shape[1] * batch * dtype.itemsize < DYADIC_BYTES
        return 0 if dyadic and len(plan) == 1 and near else tile

    def _row_multiplier(self, dtype, shape):
        if self._kronecker_way(dtype, shape[0], True) is not None:
            product = shape[0], self.shape[0]
            return rows_multiplier(self._kronecker["found"], dtype, product)
        batch = shape[0]
        turned = self._columns_cost(dtype, batch)
        turned += turned_cost(self.shape, dtype, batch)
        if self._rows_plan(dtype, batch)[1] < turned:
            return self._few(dtype, batch)
        program = self._program(dtype, batch)
        if not program.takes_rows(batch):
            return super()._row_multiplier(dtype, shape)
        return lambda x, out=None: program.run(x.T, None if out is None else out.T).T

    def _few(self, dtype, batch):
        """Return the function (x, out=None) for a few rows."""
        plan, _ = self._rows_plan(dtype, batch)
        return Program(self.values, plan, dtype, packed=self._packed).for_rows(batch)

    def _program(self, dtype, batch):
        """Return the program for `batch` columns, packed only once."""
        key = dtype, plans.columns_planned(batch)
        if key not in self._programs:
            plan = plans.best(self.chain, *key)
            self._programs[key] = Program(
                self.values, plan, dtype, self.rows, self.columns, self._packed
            )
        return self._programs[key]

    def _forget(self) -> None:
        """Start without the programs that are made when first used."""
        super()._forget()
        self._kronecker: dict[str, Any] = {}  # a `Kronecker`, or None
        self._programs: dict[tuple[np.dtype, int], Program] = {}
        self._packed: dict[tuple[np.dtype, plans.Step], Call] = {}
        self._costs: dict[tuple[np.dtype, int], float] = {}
        self._rows_plans: dict[tuple[np.dtype, int], tuple[Any, float]] = {}
