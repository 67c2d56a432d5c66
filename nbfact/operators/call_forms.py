"""Functions (x, out=None) that multiply, made of others for arrays of other forms."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .._core.cache_lines import aligned, maker

SHAPES = 64
"""Number of shapes of operands for which an operator keeps how it multiplies them."""

KEPT_BYTES = 1 << 24
"""Limit of the scratch arrays that are kept for the next call, in bytes: new memory
costs as much as a step of a product, because the system clears it first."""


def single_column(vector: Callable, shape: tuple[int, int], dtype) -> Callable:
    """Return the function (x, out=None) for (n, 1) or (1, n) that takes it as a vector.

    `shape` is that of the product.
    """

    def multiply(x, out=None):
        if out is None:
            out = np.empty(shape, dtype)
        vector(x.ravel(), out.ravel())
        return out

    return multiply


def is_ready(
    x: np.ndarray, out: np.ndarray, shape: tuple[int, ...], ordered: bool
) -> bool:
    """Return whether a kernel that multiplies x may write its product to an array.

    It has the shape, and the dtype and the order of x, and shares no memory with x:
    two arrays that own theirs share none, nor do views of two such arrays. `ordered`
    says whether x is in C order, and not in Fortran order.
    """
    if out.shape != shape or out.dtype is not x.dtype:
        return False
    flags = out.flags
    if not (flags.carray if ordered else flags.fnc and flags.behaved):
        return False
    first, second = x.base, out.base
    if first is second is None:
        return x is not out
    first = x if first is None else first
    second = out if second is None else second
    if first is not second and type(first) is type(second) is ndarray:
        if first.base is second.base is None:
            return True
    return not np.may_share_memory(x, out)


def left_turned(call: Callable) -> Callable:
    """Return the function of rows in Fortran order, from that of columns in C order."""

    def multiply(x):
        return call(x.T).T

    return multiply


def turned_call(call: Callable) -> Callable:
    """Return the function (x, out=None) that does for x.T what another does for x."""

    def multiply(x, out=None):
        if out is None:
            return call(x.T).T
        call(x.T, out.T)
        return out

    return multiply


def with_result(columns: Callable, shape: tuple[int, ...], dtype: np.dtype) -> Callable:
    """Return the function (x, out=None) of one (x, out), for one shape of out."""
    make = maker(shape, dtype)

    def multiply(x, out=None):
        if out is None:
            out = make()
        columns(x, out)
        return out

    return multiply


def converting_call(
    call: Callable, shape: tuple[int, ...], dtype: np.dtype, turned: bool
) -> Callable:
    """Return the function (x) that multiplies arrays of another dtype or strides.

    `call` multiplies C-contiguous arrays of a shape and a dtype. `turned` says whether
    x is the transpose of such an array.
    """
    idle = list[np.ndarray]()  # copies that no thread is using
    kept = math.prod(shape) * dtype.itemsize <= KEPT_BYTES

    def multiply(x):
        try:
            copy = idle.pop()
        except IndexError:
            copy = aligned(shape, dtype)
        copy[...] = x.T if turned else x
        found = call(copy)
        if kept:
            idle.append(copy)
        return found.T if turned else found

    return multiply


def keep(known: dict, key: Any, call: Any) -> None:
    """Keep what multiplies arrays of a shape, and forget all where shapes are many."""
    if len(known) >= SHAPES:
        known.clear()
    known[key] = call
