"""Programs: a plan together with the values of a butterfly, packed for the kernels."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._core.cache_lines import aligned
from .._core.threads import current, share, shared_from
from ..kernels import (
    gather,
    gather_rows,
    kronecker_chain_apply,
    kronecker_chain_apply_columns,
    kronecker_pack,
    shuffled_chain_adjoint,
    shuffled_chain_apply,
    shuffled_pack,
)
from ..kernels.kronecker_columns import multiply_chain_tiles
from .call_forms import KEPT_BYTES, with_result
from .dense_blocks import block_functions, turned
from .dyadic_steps import dyadic_functions
from .patterns import fused_values, groups, shape_of
from .plan import BLOCKS, INCREASING, KRONECKER, SHUFFLED, TURNED, Plan, Step
from .reorderings import inverse
from .vector_calls import vector_call

TILE_BYTES = 1 << 18
"""Size of each of the two buffers that a tile of columns goes through, in bytes: small
enough for the tile to stay in cache from factor to factor."""

LEAST_ROWS = 1 << 21
"""Products of a value and a row from which on rows are multiplied as they are."""


class Call(NamedTuple):
    """A step of a plan with its values packed, as two functions that multiply.

    ``vector(x, out=None)`` multiplies one vector and returns `out`, which it allocates
    when it is None: a product of order 256 takes a microsecond, as long as a few lines
    of Python. ``columns(x, out)`` multiplies several columns into `out`, on threads if
    there are many; kinds of steps for one vector only have None in its place. ``rows``
    is the number of rows of `out`. From ``rows_from`` columns on `columns` takes x and
    out in Fortran order too, each by itself. ``prepared(batch)``, where there is one,
    returns `columns` for that many, with the least work in Python, as (x, out=None).
    ``few(batch)``, where there is one, returns a function (x, out) of as many rows.
    """

    rows: int
    vector: Callable
    columns: Any  # a function, or None
    rows_from: float = math.inf
    prepared: Any = None  # a function, or None
    few: Any = None  # a function, or None


class Program:
    """Multiply by the factors of a butterfly, step by step of a plan.

    Parameters
    ----------
    values : sequence of ndarray
        Values of the factors, in the order of the chain.
    plan : Plan
        Plan for that chain.
    dtype : numpy.dtype
        Dtype of the vectors to multiply, to which the values are converted.
    rows, columns : ndarray of intp, optional
        The permutations of `Butterfly`.
    packed : dict, optional
        Calls of other programs for the same values, by dtype and step: they are used
        again, and new ones are added, so that no values are packed twice.
    """

    def __init__(
        self,
        values: Sequence[np.ndarray],
        plan: Plan,
        dtype: np.dtype,
        rows: np.ndarray | None = None,
        columns: np.ndarray | None = None,
        packed: dict[tuple[np.dtype, Step], Call] | None = None,
    ) -> None:
        self.dtype = np.dtype(dtype)
        packed = {} if packed is None else packed
        self.calls = []
        for step in reversed(plan):
            key = self.dtype, step
            if key not in packed:
                packed[key] = _packed(values, step, self.dtype)
            self.calls.append(packed[key])
        self._values = sum(value.size for value in values)
        self._idle: list[np.ndarray] = []  # arrays that no thread is using
        if columns is not None:
            self.calls.insert(0, _gathering(columns, self.dtype))
        if rows is not None:
            self.calls.append(_gathering(inverse(rows), self.dtype))

    def run(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the product with a vector or several columns, unchecked.

        Parameters
        ----------
        x : ndarray, shape (n,) or (n, batch)
            Of the dtype of the program, C-contiguous, or Fortran-contiguous where
            `takes_rows`.
        out : ndarray, shape (m,) or (m, batch), optional
            Array for the product: of the dtype of the program, C-contiguous or laid out
            as x is, sharing no memory with x. Without it the product is laid out so.
        """
        if x.size == 0:  # no column
            return np.empty((self.calls[-1].rows, x.shape[1]), self.dtype)
        *others, last = self.calls
        if x.ndim == 1:
            for call in others:
                x = call.vector(x)
            return last.vector(x, out)
        batch, by_rows = x.shape[1], not x.flags.c_contiguous
        direct = by_rows and batch >= last.rows_from
        all_rows = direct and all(batch >= call.rows_from for call in others)
        if by_rows and batch < self.calls[0].rows_from:
            x = turned(x.T).T  # now in C order
        scratch = self._scratch(batch)
        for number, call in enumerate(others):
            target = scratch[number % 2][: call.rows * batch]
            target = target.reshape((batch, -1) if all_rows else (-1, batch))
            target = target.T if all_rows else target
            call.columns(x, target)
            x = target
        if out is not None and (direct or out.flags.c_contiguous):
            found = out
        elif direct:
            found = np.empty((batch, last.rows), self.dtype).T
        else:
            found = np.empty((last.rows, batch), self.dtype)
        last.columns(x, found)
        if others and scratch.nbytes <= KEPT_BYTES:
            self._idle.append(scratch)
        if found is out:
            return out
        found = turned(found) if by_rows and not direct else found
        if out is None:
            return found
        out[...] = found
        return out

    def takes_rows(self, batch: int) -> bool:
        """Return whether `run` is to be given columns in Fortran order as they are.

        Other programs, and all programs for few products, take rows a tile at a time,
        turned to columns. Several steps do so too, because their panels read columns.
        """
        ends = self.calls[0], self.calls[-1]
        if all(batch < call.rows_from for call in ends):
            return False
        return len(self.calls) == 1 and batch * self._values >= LEAST_ROWS

    def _scratch(self, batch):
        """Return two flat arrays (2, size) that hold what goes from step to step."""
        size = batch * max((call.rows for call in self.calls[:-1]), default=0)
        try:
            scratch = self._idle.pop()
        except IndexError:
            scratch = np.empty((2, 0), self.dtype)
        if scratch.shape[1] < size:
            scratch = aligned((2, size), self.dtype)
        return scratch

    def for_vectors(self) -> Callable:
        """Return a function (x, out=None) that does what `run` does for one vector.

        It does so with the least work in Python.
        """
        return self.run if len(self.calls) > 1 else self.calls[0].vector

    def for_columns(self, shape: tuple[int, int]) -> Callable:
        """Return what `for_vectors` does for C-contiguous columns of a shape."""
        if not shape[1]:
            return self.run
        if len(self.calls) > 1:
            widest = max(call.rows for call in self.calls[:-1]) * shape[1]
            small = 2 * widest * self.dtype.itemsize <= TILE_BYTES
            if not small:
                return self.run
            steps = [
                call.prepared(shape[1]) if call.prepared else call.columns
                for call in self.calls
            ]
            return self._in_steps(steps, shape[1])
        call = self.calls[0]
        if call.prepared is not None:
            return call.prepared(shape[1])
        assert call.columns is not None  # a plan for columns has only steps for them
        return with_result(call.columns, (call.rows, shape[1]), self.dtype)

    def for_rows(self, batch: int) -> Callable:
        """Return a function (x, out=None) of a few C-contiguous rows.

        All steps are such that they have `few`.
        """
        return self._in_steps([call.few(batch) for call in self.calls], batch, True)

    def _in_steps(self, steps, batch, rows=False):
        """Return a function (x, out=None) of several steps and little scratch.

        The arrays between the steps are kept, so that Python takes less time. `steps`
        are functions (x, out) of columns, or with `rows` of rows.
        """
        *others, last = self.calls
        *first, final = steps
        dtype, empty = self.dtype, np.empty
        shape = (batch, last.rows) if rows else (last.rows, batch)
        sizes = [call.rows * batch for call in others]
        idle: list[list] = []  # arrays between the steps that no thread is using

        def made():
            both = aligned((2, max(sizes, default=0)), dtype)
            pairs = zip(first, sizes, strict=True)
            between = (batch, -1) if rows else (-1, batch)
            return [
                (step, both[number % 2, :size].reshape(between))
                for number, (step, size) in enumerate(pairs)
            ]

        def multiply(x, out=None):
            if out is None:
                out = empty(shape, dtype)
            try:
                between = idle.pop()
            except IndexError:
                between = made()
            for step, target in between:
                step(x, target)
                x = target
            final(x, out)
            idle.append(between)
            return out

        return multiply


def _gathering(index: np.ndarray, dtype: np.dtype) -> Call:
    """Return the call that gathers the rows of x with some indices."""
    # A copy, because a kernel would be compiled again for read-only arrays.
    index = np.array(index)

    def vector(x, out=None):
        out = np.empty(len(index), dtype) if out is None else out
        gather(x, index, out)
        return out

    def columns(x, out):
        if x.shape[1] < wide:
            gather_rows(x, index, out)
        else:
            rows, work = len(index), x.shape[1] * dtype.itemsize
            share(work, rows, lambda i, j: gather_rows(x, index[i:j], out[i:j]), 1)

    wide = shared_from(len(index) * dtype.itemsize)
    return Call(len(index), vector, columns)


def _packed(values: Sequence[np.ndarray], step: Step, dtype: np.dtype) -> Call:
    """Return a step of a plan as a call, with its values packed."""
    # Converted before they are multiplied out: the dtype may be the more precise one.
    chosen = [np.asarray(one, dtype) for one in values[step.start : step.stop]]
    rows = shape_of(chosen[0].shape)[0]
    pack = _PACKERS.get(step.kind)
    if pack is None:
        vector, columns, prepared = dyadic_functions(
            chosen, dtype, step.kind == INCREASING
        )
        return Call(rows, vector, columns, prepared=prepared)
    return Call(rows, *pack(chosen, step, dtype))


def _pack_shuffled(values, step, dtype):
    """Return the function of `Call` for a whole chain and one vector, and None.

    A step of kind "turned" is the adjoint of a chain with blocks transposed and
    conjugated.
    """
    if step.kind == TURNED:
        factors = [np.conj(value.transpose(0, 2, 1, 3)) for value in values]
    else:
        factors = values[::-1]
    packed, layout, widest = _flat(factors, shuffled_pack, dtype)
    kernel = shuffled_chain_adjoint if step.kind == TURNED else shuffled_chain_apply
    rows = shape_of(values[0].shape)[0]
    make = functools.partial(aligned, (3, widest), dtype)
    return vector_call(kernel, (packed, layout), rows, dtype, make), None


def _flat(factors, pack, dtype):
    """Return the packed values of all factors, their patterns, and the widest size.

    That size is the largest number of rows or columns of a factor.
    """
    layout = np.array([factor.shape for factor in factors], np.int64)
    widest = max(max(shape_of(factor.shape)) for factor in factors)
    packed = aligned((sum(factor.size for factor in factors),), dtype)
    first = 0
    for factor in factors:
        # A copy, because a kernel would be compiled again for read-only arrays.
        values = np.array(factor, dtype, order="C")
        pack(values, packed[first : first + factor.size])
        first += factor.size
    return packed, layout, widest


def _pack_chain(values, step, dtype):
    """Return the two functions of `Call` for the fused groups of factors of a step."""
    ends = list(groups(len(values), step.sizes))[::-1]
    factors = [functools.reduce(fused_values, values[i:j]) for i, j in ends]
    packed, layout, widest = _flat(factors, kronecker_pack, dtype)
    tile = max(16, TILE_BYTES // (widest * dtype.itemsize))
    rows = shape_of(values[0].shape)[0]
    make = functools.partial(aligned, (2, widest), dtype)
    vector = vector_call(kronecker_chain_apply, (packed, layout), rows, dtype, make)

    def all_of(x, out):
        if len(layout) == 1:  # from x to out at once, without tiles between factors
            scratch = np.empty((2, 0, x.shape[1]), dtype)
        else:
            scratch = np.empty((2, widest, min(tile, x.shape[1])), dtype)
        kronecker_chain_apply_columns(packed, layout, x, scratch, out)

    def shared(x, out):
        def multiply(begin, end):
            if end - begin == x.shape[1]:
                all_of(x, out)
            else:
                multiply_chain_tiles(packed, layout, x, spare.pop(), out, begin, end)

        # Made here, because new memory is slower in the threads that help.
        spare = [np.empty((2, widest, tile), dtype) for _ in range(current())]
        share(packed.nbytes, x.shape[1], multiply, tile)

    def columns(x, out):
        if x.shape[1] < wide:
            all_of(x, out)
        else:
            shared(x, out)

    wide = shared_from(packed.nbytes)
    return vector, columns


def _pack_blocks(values, step, dtype):
    """Return the fields of `Call` for a factor with large blocks."""
    value = np.asarray(functools.reduce(fused_values, values), dtype)
    vector, columns, prepared, few = block_functions(value)
    return vector, columns, 1, prepared, few


_PACKERS = {
    BLOCKS: _pack_blocks,
    KRONECKER: _pack_chain,
    SHUFFLED: _pack_shuffled,
    TURNED: _pack_shuffled,
}
