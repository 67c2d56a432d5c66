"""ProgramOperator: an operator whose products run packed programs of kernels."""

from typing import Any

import numpy as np

from .._core.cache_lines import aligned
from .._core.threads import share
from ..kernels import transpose
from ..kernels.entry_points import entry_point
from . import plan as plans
from .chain import Chain
from .patterns import shape_of
from .planned_operator import PlannedOperator
from .program import Call, Program
from .reorderings import inverse
from .small_matrices import in_range, rounded

TURNED = 0.05
"""Time of each byte that is turned from rows to columns or back, in nanoseconds."""
ROWS_CALL = 1000.0
"""Time of the calls that turn rows to columns and back, in nanoseconds."""
GATHER, PERMUTED = 1.0, 1500.0
"""Time of reordering one entry by a permutation of a butterfly, and of the calls that
this takes beside those of the chain, in nanoseconds."""


class ProgramOperator(PlannedOperator):
    """Base class of `Butterfly`: products by programs that are packed when first used.

    A subclass sets the attributes below and calls ``_forget`` in its constructor. For
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
        *PlannedOperator._made, "_adjoints", "_costs", "_packed", "_programs"
    )  # fmt: skip

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that kernels are expected to take, in nanoseconds."""
        found = self._columns_cost(dtype, plans.columns_planned(batch))
        if not rows or batch == 1:
            return found
        turned = ROWS_CALL + TURNED * sum(self.shape) * batch * dtype.itemsize
        return min(found + turned, batch * self._columns_cost(dtype, 1))

    def _columns_cost(self, dtype, batch):
        """Return the time of the best plan and of the permutations, in nanoseconds."""
        key = dtype, batch
        if key not in self._costs:
            found = plans.cost(self.chain, plans.best(self.chain, *key), *key)
            for index in (self.rows, self.columns):
                if index is not None:
                    found += PERMUTED + GATHER * len(index) * batch
            self._costs[key] = found
        return self._costs[key]

    def _matrix(self, dtype: np.dtype) -> np.ndarray | None:
        inner = (acd for acd in (shape_of(p)[1] for p in self.chain.patterns[:-1]))
        entries = (value[value != 0] for value in self.values)
        if not in_range(entries, inner, dtype):
            return None
        m, n = self.chain.shape
        found = np.eye(n, dtype=np.promote_types(dtype, np.float64))
        for value in reversed(self.values):
            a, _, c, d = value.shape
            lines = found.reshape(a, c, d, n).transpose(0, 2, 1, 3)
            found = (value.transpose(0, 3, 1, 2) @ lines).transpose(0, 2, 1, 3)
        found = found.reshape(m, n)
        found = found if self.rows is None else found[inverse(self.rows)]
        found = found if self.columns is None else found[:, inverse(self.columns)]
        return rounded(found, dtype)

    def _multiplier(self, dtype, shape):
        program = self._program(dtype, shape[1] if len(shape) == 2 else 1)
        return program.for_vectors() if len(shape) == 1 else program.for_columns(shape)

    def _row_multiplier(self, dtype, shape):
        """Return a function (x, out=None) for C-contiguous rows of a shape."""
        (m, n), batch = self.shape, shape[0]
        program, tile = self._program(dtype, batch), self._tile(dtype, batch)
        idle: list[tuple] = []  # columns and their product that no thread is using
        length, empty, some = min(batch, tile), np.empty, np.empty((0, 0), dtype)
        turn, multiply = entry_point(transpose, some, some), self._ready

        def made():
            return aligned((n, length), dtype), aligned((m, length), dtype)

        def one_by_one(x, out=None):
            out = empty((batch, m), dtype) if out is None else out
            for i in range(batch):
                vector(x[i], out[i])
            return out

        def in_place(x, out=None):
            return program.run(x.T, None if out is None else out.T).T

        def in_one_tile(x, out=None):
            if out is None:
                out = empty((batch, m), dtype)
            columns, found = pair = idle.pop() if idle else made()
            turn(x, columns)
            whole(columns, found)
            turn(found, out)
            idle.append(pair)
            return out

        def in_tiles(x, out=None):
            out = empty((batch, m), dtype) if out is None else out

            def some_tiles(begin, end):
                pair = idle.pop() if idle else made()
                for first in range(begin, end, tile):
                    part = x[first : min(first + tile, end)]
                    columns, found = (
                        one.reshape(-1)[: len(one) * len(part)].reshape(-1, len(part))
                        for one in pair
                    )
                    turn(part, columns)
                    multiply(dtype, columns.shape)(columns, found)
                    turn(found, out[first : first + len(part)])
                idle.append(pair)

            share(self.nnz * dtype.itemsize, batch, some_tiles, tile)
            return out

        if program.takes_rows(batch):
            return in_place
        if self._rows_alone(dtype, batch):
            vector = self._ready(dtype, (n,))
            return one_by_one
        whole = self._ready(dtype, (n, length))
        return in_one_tile if batch <= tile else in_tiles

    def _rows_alone(self, dtype, batch):
        """Return whether vectors one by one are expected to take the least time."""
        alone, together = (
            self._columns_cost(dtype, plans.columns_planned(one)) for one in (1, batch)
        )
        turned = ROWS_CALL + TURNED * sum(self.shape) * batch * dtype.itemsize
        return batch * alone < together + turned

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
        """Start without the programs and the adjoints that are made when first used."""
        super()._forget()
        self._adjoints: dict[str, Any] = {}
        self._programs: dict[tuple[np.dtype, int], Program] = {}
        self._packed: dict[tuple[np.dtype, plans.Step], Call] = {}
        self._costs: dict[tuple[np.dtype, int], float] = {}
