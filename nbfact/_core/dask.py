"""Dask arrays: products block by block, and sums over blocks of rows.

The work runs where dask runs it: on the cluster of the active ``dask.distributed``
Client if there is one, and on threads of this process otherwise. The kernels use one
thread for each block, because dask uses all cores already. Only functions that are
given a dask array import dask, so that nbfact works without it.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .threads import alone


def is_dask(x: Any) -> bool:
    """Return whether x is a dask array, without importing dask."""
    return isinstance(x, getattr(sys.modules.get("dask.array"), "Array", ()))


def check_known(x: Any, *axes: int) -> None:
    """Raise ValueError when the size of a dask array along one of the axes is unknown.

    Dask does not know these sizes after operations such as ``x[x > 0]``.
    """
    if x.ndim and any(np.isnan(x.shape[axis]) for axis in axes):
        raise ValueError(
            f"x has shape {x.shape}, which is not known: call x.compute_chunk_sizes() "
            "first"
        )


def product(operator: Any, x: Any, dtype: np.dtype) -> Any:
    """Return operator @ x as a dask array, without computing anything.

    Parameters
    ----------
    operator : FastOperator, shape (m, n)
        One node of the graph: it is sent to each worker once.
    x : dask array, shape (n,) or (..., n, batch)
        The n entries of a column become one chunk; the chunks of the batch stay.
    dtype : numpy.dtype
        Dtype of the product.

    Returns
    -------
    dask array, shape (m,) or (..., m, batch)
    """
    import dask

    axis = max(x.ndim - 2, 0)
    if x.numblocks[axis] > 1:
        x = x.rechunk({axis: -1})
    return x.map_blocks(
        _times,
        dask.delayed(operator, pure=True, traverse=False),
        chunks=(*x.chunks[:axis], (operator.shape[0],), *x.chunks[axis + 1 :]),
        meta=np.empty((0,) * x.ndim, dtype),
    )


def row_blocks(x: Any) -> list[Any]:
    """Return the blocks of rows of a dask array as a list of `Delayed` objects.

    Each pass over the blocks computes them again: call ``x.persist()`` before, when the
    blocks are costly to compute and fit into the memory of the workers.

    Parameters
    ----------
    x : dask array, shape (m, n)

    Returns
    -------
    list of Delayed
        Each stands for an array of shape (some rows, n).

    Raises
    ------
    ValueError
        When the array is not two-dimensional, or a size of a chunk is unknown.
    """
    if x.ndim != 2:
        raise ValueError(f"x must be an array (m, n), got shape {x.shape}")
    check_known(x, 0, 1)
    return x.rechunk({1: -1}).to_delayed().ravel().tolist()


def map_blocks(function: Callable, blocks: Sequence[Any], *shared: Any) -> list[Any]:
    """Compute function(block, *shared) for each block, and return the list of results.

    Parameters
    ----------
    function : callable
        It must not change its arguments, because a block that is lost with its worker
        is computed again. It must accept a block without rows.
    blocks : sequence of Delayed
        The result of `row_blocks`.
    *shared : object
        Arrays, operators or numbers, the same for all blocks. Each is sent to a worker
        once.

    Returns
    -------
    list
        The results, in the order of the blocks.
    """
    import dask

    return list(dask.compute(*_tasks(function, blocks, shared)))


def sum_blocks(function: Callable, blocks: Sequence[Any], *shared: Any) -> tuple:
    """Compute the tuple function(block, *shared) for each block, and return their sum.

    The workers add the tuples of neighbouring blocks in pairs, then the sums of
    neighbouring pairs, and so on. The rounding therefore depends on the blocks and
    never on which worker ends first, and only one sum is sent back. Parameters are
    those of `map_blocks`.

    Returns
    -------
    tuple
        The sums, entry by entry.
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
    """Return function(block, shared) of all blocks of rows of x as one dask array.

    Nothing is computed.

    Parameters
    ----------
    function : callable
        It returns an array of shape (rows, width), or (rows,) when `width` is None, for
        a block of shape (rows, n).
    x : dask array, shape (m, n)
    dtype : numpy.dtype
        Dtype of the result.
    width : int or None
        Number of columns of the result; None for a vector.
    shared : object
        Second argument of all calls, sent to a worker once.

    Returns
    -------
    dask array, shape (m, width) or (m,)
    """
    import dask

    shared = dask.delayed(shared, pure=False, traverse=False)
    if width is None:
        shape = {"drop_axis": 1, "meta": np.empty(0, dtype)}
    else:
        shape = {"chunks": (x.chunks[0], (width,)), "meta": np.empty((0, 0), dtype)}
    return x.rechunk({1: -1}).map_blocks(_on_rows, function, shared, **shape)


def _tasks(function, blocks, shared):
    """Return function(block, *shared) as a `Delayed` object for each block."""
    import dask

    call = dask.delayed(alone, pure=False)
    # The shared values are nodes of the graph and not results of ``client.scatter``,
    # because the scheduler sends a node again when the worker that held it is lost.
    nodes = [dask.delayed(value, pure=False, traverse=False) for value in shared]
    return [call(function, block, *nodes) for block in blocks]


def _on_rows(block, function, shared):
    """Return function(block, shared), on one thread."""
    return alone(function, block, shared)


def _times(block, operator):
    """Return operator @ block; a named function, so that it can be pickled."""
    return alone(operator.__matmul__, block)


def _add(left, right):
    """Return the sum of two tuples, entry by entry."""
    return tuple(a + b for a, b in zip(left, right, strict=True))
