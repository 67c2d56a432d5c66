"""Programs: a plan with the values of a butterfly packed for its kernels."""

import functools
import threading
from collections.abc import Callable, Sequence

import numba
import numpy as np

from ..kernels import (
    butterfly_adjoint,
    butterfly_adjoint_columns,
    butterfly_apply,
    butterfly_apply_columns,
    butterfly_pack,
    gather,
    gather_rows,
    kronecker_chain_apply,
    kronecker_chain_apply_columns,
    kronecker_chain_apply_columns_parallel,
    kronecker_pack,
)
from .patterns import fused_values, groups, shape_of
from .permutations import inverse
from .plan import INCREASING, KRONECKER, Plan, Step

TILE = 64
"""Columns that go through the factors of a step together."""

_TEAM = threading.Lock()
"""Held by whoever runs a parallel kernel: Numba's "workqueue", its threads where
neither TBB nor OpenMP is installed, ends the process when two callers meet in it."""


class Program:
    """Multiplies by the values of a chain, step by step.

    Parameters
    ----------
    values : sequence of ndarray
        Of the chain.
    plan : Plan
    dtype : dtype
        Of what is multiplied; values are converted.
    rows, columns : ndarray of intp, optional
        As in `Butterfly`.
    """

    def __init__(
        self,
        values: Sequence[np.ndarray],
        plan: Plan,
        dtype: np.dtype,
        rows: np.ndarray | None = None,
        columns: np.ndarray | None = None,
    ) -> None:
        self.dtype = dtype
        self.steps = [_packed(values, step, dtype) for step in reversed(plan)]
        if columns is not None:
            self.steps.insert(0, _gathering(columns))
        if rows is not None:
            self.steps.append(_gathering(inverse(rows)))

    def run(
        self, x: np.ndarray, out: np.ndarray | None = None, parallel: bool = False
    ) -> np.ndarray:
        """Return the product with x: (n,) or (n, batch) of the dtype, C-contiguous.

        out, when given, is of the right shape and dtype and C-contiguous, and shares no
        memory with x. parallel: whether chains, which alone gain by it, multiply more
        than `TILE` columns on several threads.
        """
        for number, (rows, step) in enumerate(self.steps, start=1):
            y = out if number == len(self.steps) else None
            y = np.empty((rows, *x.shape[1:]), self.dtype) if y is None else y
            step(x, y, parallel)
            x = y
        return x


def _gathering(index: np.ndarray) -> tuple:
    """Return the rows of a step that puts rows in order, and its function."""

    def run(x, out, parallel):
        (gather if x.ndim == 1 else gather_rows)(x, index, out)

    return len(index), run


def _packed(values: Sequence[np.ndarray], step: Step, dtype: np.dtype) -> tuple:
    """Return the rows of a step, and the function of x, out, parallel that makes it."""
    chosen = values[step.start : step.stop]
    rows = shape_of(chosen[0].shape)[0]
    pack = _pack_chain if step.kind == KRONECKER else _pack_dyadic
    return rows, pack(chosen, step, dtype)


def _pack_dyadic(values, step, dtype) -> Callable:
    """Pack a whole dyadic butterfly.

    The kernels apply stride 1 first; the one that applies it last is the adjoint of one
    with blocks transposed, and conjugated.
    """
    increasing = step.kind == INCREASING
    levels = [value.transpose(0, 3, 1, 2).reshape(-1, 2, 2) for value in values]
    if increasing:
        levels = levels[::-1]
    else:
        levels = [np.conj(level.transpose(0, 2, 1)) for level in levels]
    twiddle = np.empty((len(levels), 2, 2, len(levels[0])), dtype)
    butterfly_pack(np.array(levels, dtype), twiddle)
    one = butterfly_apply if increasing else butterfly_adjoint
    many = butterfly_apply_columns if increasing else butterfly_adjoint_columns

    def run(x, out, parallel):
        if x.ndim == 1:
            one(twiddle, x, np.empty_like(x), out)
        else:
            many(twiddle, x, out)

    return run


def _pack_chain(values, step, dtype) -> Callable:
    """Multiply out the groups of a step, and pack what comes of it."""
    ends = list(groups(len(values), step.sizes))[::-1]
    factors = [functools.reduce(fused_values, values[i:j]) for i, j in ends]
    layout = np.array([factor.shape for factor in factors], np.int64)
    widest = max(max(shape_of(factor.shape)) for factor in factors)
    packed = np.empty(sum(factor.size for factor in factors), dtype)
    first = 0
    for factor in factors:
        kronecker_pack(factor.astype(dtype), packed[first : first + factor.size])
        first += factor.size

    def run(x, out, parallel):
        if x.ndim == 1:
            scratch = np.empty((2, widest), dtype)
            kronecker_chain_apply(packed, layout, x, scratch, out)
            return
        tile, count = min(TILE, x.shape[1]), 1
        if parallel:
            count = min(numba.get_num_threads(), -(-x.shape[1] // tile))
        scratch = np.empty((count, 2, widest, tile), dtype)
        if count == 1:
            kronecker_chain_apply_columns(packed, layout, x, scratch[0], out)
        else:
            with _TEAM:
                kronecker_chain_apply_columns_parallel(packed, layout, x, scratch, out)

    return run
