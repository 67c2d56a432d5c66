"""Dask arrays: products block by block, and sums over blocks of rows.

Work runs where dask runs it: on the ``dask.distributed`` Client when there is one,
else on threads. Dask is imported only by functions that are given its arrays.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def is_dask(x: Any) -> bool:
    """Return whether x is a dask array, without importing dask."""
    return isinstance(x, getattr(sys.modules.get("dask.array"), "Array", ()))


def check_known(x: Any, *axes: int) -> None:
    """Refuse a dask array whose sizes along these axes are unknown."""
    if x.ndim and any(np.isnan(x.shape[axis]) for axis in axes):
        raise ValueError(
            f"shape {x.shape} is not known: call x.compute_chunk_sizes() first"
        )


def product(operator: Any, x: Any, dtype: np.dtype) -> Any:
    """Return operator @ x, nothing computed, for a dask array x (n,) or (n, batch).

    The n entries of a column are made one chunk; the chunks of the batch stay. The
    operator is one node of the graph: it travels to a worker once.
    """
    import dask

    if x.numblocks[0] > 1:
        x = x.rechunk({0: -1})
    return x.map_blocks(
        _times,
        dask.delayed(operator, pure=True, traverse=False),
        chunks=((operator.shape[0],), *x.chunks[1:]),
        meta=np.empty((0,) * x.ndim, dtype),
    )


def row_blocks(x: Any) -> list[Any]:
    """Return the blocks of rows of a dask array (m, n), each a `Delayed`.

    A pass over the blocks computes them again: call ``x.persist()`` before where they
    are costly to make and fit the memory of the workers.

    Raises
    ------
    ValueError
        For other dimensions, or chunks of unknown sizes.
    """
    if x.ndim != 2:
        raise ValueError(f"expected an array (m, n), got {x.shape}")
    check_known(x, 0, 1)
    return x.rechunk({1: -1}).to_delayed().ravel().tolist()


def map_blocks(function: Callable, blocks: Sequence[Any], *shared: Any) -> list[Any]:
    """Return what function(block, *shared) returns for each block, in their order.

    Parameters
    ----------
    function : callable
        Changes none of its arguments: blocks are lost with their worker and made
        again. A block may have no rows.
    blocks : sequence of Delayed
        What `row_blocks` returns.
    *shared : object
        Arrays, operators, numbers: the same for all blocks, sent to a worker once.
    """
    import dask

    return list(dask.compute(*_tasks(function, blocks, shared)))


def sum_blocks(function: Callable, blocks: Sequence[Any], *shared: Any) -> tuple:
    """Return the sum over all blocks of the tuples function(block, *shared) returns.

    Blocks are summed by the workers, in pairs of neighbours, pairs of pairs, and so
    on: the rounding depends on the blocks, never on who was done first, and no more
    than one sum comes back. Parameters are those of `map_blocks`.
    """
    import dask

    add = dask.delayed(_add, pure=False)
    sums = _tasks(function, blocks, shared)
    while len(sums) > 1:
        pairs = zip(sums[::2], sums[1::2], strict=False)
        alone = sums[len(sums) // 2 * 2 :]
        sums = [*(add(*pair) for pair in pairs), *alone]
    return dask.compute(*sums)[0]


def map_rows(
    function: Callable, x: Any, dtype: np.dtype, width: int | None, shared: Any
) -> Any:
    """Return function(block, shared) for blocks of rows of x (m, n), nothing computed.

    The function returns (rows, width), or (rows,) where width is None.
    """
    import dask

    shared = dask.delayed(shared, pure=False, traverse=False)
    if width is None:
        shape = {"drop_axis": 1, "meta": np.empty(0, dtype)}
    else:
        shape = {"chunks": (x.chunks[0], (width,)), "meta": np.empty((0, 0), dtype)}
    return x.rechunk({1: -1}).map_blocks(function, shared, **shape)


def _tasks(function, blocks, shared):
    import dask

    call = dask.delayed(function, pure=False)
    # Nodes of the graph, not ``client.scatter``: what is in the graph, the scheduler
    # sends again when the worker that held it is lost.
    nodes = [dask.delayed(value, pure=False, traverse=False) for value in shared]
    return [call(block, *nodes) for block in blocks]


def _times(block, operator):
    return operator @ block


def _add(left, right):
    return tuple(a + b for a, b in zip(left, right, strict=True))
