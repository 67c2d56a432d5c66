"""How fast the machine can be: its rates of moving bytes and of multiplying matrices.

The *roof* of a case is the least time that these rates allow. A roof that cases exceed
says nothing, so each rate is the best of several loops, at sizes from the first-level
cache to main memory.
"""

import functools
import math
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from . import sample

WORKING_SETS = tuple(k << 10 for k in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096))
WORKING_SETS += tuple(m << 20 for m in (8, 16, 32, 96))
"""Bytes touched by each measurement of bandwidth: they range, on most machines, from a
first-level cache to main memory."""

UNSTABLE = 0.2
"""Relative difference of two calibrations within seconds above which the machine is
called unstable, because other programs use it."""

_PASS = (
    1 << 20
)  # bytes that a call passes over: smaller sets are passed over repeatedly
_GEMM = {  # dtypes and orders of the matrix products that are timed
    "float32": (("float32", 384), ("float32", 768), ("complex64", 384)),
    "float64": (("float64", 384), ("float64", 768), ("complex128", 384)),
}


def calibrate(seconds: float = 2.0) -> dict[str, Any]:
    """Measure what the machine can do: its bandwidth and its rate of matrix products.

    Parameters
    ----------
    seconds : float
        Time for all measurements together. The best repetition of each counts, by the
        CPU clock where one thread works; on a machine that is busy meanwhile rates
        come out low all the same.

    Returns
    -------
    dict
        ``bandwidth``: list of [bytes touched, bytes per second], one pair for each of
        :data:`WORKING_SETS`, the best of ``copyto``, of sums in place (two reads, one
        write), and, where NumPy's overhead does not matter, of ``np.add`` and
        ``np.dot``. ``gemm``: operations per second of the best of some matrix
        products, by dtype (float32, float64); complex products count among those of
        their parts. ``spread``: the largest relative difference between the best
        repetitions of the first and the second half of the time. ``unstable``: whether
        that exceeds :data:`UNSTABLE`.

    Examples
    --------
    >>> calibrate(0.001)["gemm"]["float32"] > 0
    True
    """
    loops: dict[int | str, dict[str, tuple[int, Callable]]] = {}
    loops |= {size: _loops(size) for size in WORKING_SETS}
    loops |= {kind: dict(map(_product, products)) for kind, products in _GEMM.items()}
    calls = {
        (key, name): call
        for key, named in loops.items()
        for name, (_, call) in named.items()
    }
    halves = [_best(calls, seconds / 2) for _ in range(2)]
    spread = max(abs(math.log(halves[0][name] / halves[1][name])) for name in calls)
    spread = math.expm1(spread)
    rates = {
        key: max(
            amount / min(half[key, name] for half in halves)
            for name, (amount, _) in named.items()
        )
        for key, named in loops.items()
    }
    return {
        "bandwidth": [[size, rates[size]] for size in WORKING_SETS],
        "gemm": {kind: rates[kind] for kind in _GEMM},
        "spread": round(spread, 3),
        "unstable": spread > UNSTABLE,
    }


def better(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the better rates of two calibrations of one machine.

    Examples
    --------
    >>> slow, fast = ({"bandwidth": [[9, r]], "gemm": {"float32": r}} for r in (1, 2))
    >>> better(slow, fast) == better(fast, slow) == fast
    True
    """
    pairs = zip(first["bandwidth"], second["bandwidth"], strict=True)
    return {
        **first,
        "bandwidth": [[one[0], max(one[1], two[1])] for one, two in pairs],
        "gemm": {
            kind: max(rate, second["gemm"][kind])
            for kind, rate in first["gemm"].items()
        },
    }


def roof_time(
    calibration: Mapping[str, Any], size: int, flops: int, dtype: str
) -> float:
    """Return the least time in which this machine could do a computation, in seconds.

    Parameters
    ----------
    calibration : mapping
        What the machine can do, from :func:`calibrate`.
    size : int
        Bytes that must move, each counted once.
    flops : int
        Real operations; a complex product counts as six and a complex sum as two.
    dtype : str
        Dtype whose rate is taken: complex numbers count as pairs of real ones.

    Returns
    -------
    float
        The larger of size / bandwidth and flops / rate, with the best bandwidth of the
        largest working set that is not larger than `size`, and of all larger ones: what
        lies in a slower cache cannot move faster.

    Examples
    --------
    >>> calibration = {"bandwidth": [[100, 1e9]], "gemm": {"float32": 1e9}}
    >>> roof_time(calibration, 10, 0, "float32")
    1e-08
    """
    pairs = sorted(calibration["bandwidth"])
    first = max((i for i, pair in enumerate(pairs) if pair[0] <= size), default=0)
    bandwidth = max(rate for _, rate in pairs[first:])
    single = dtype in ("float32", "complex64")
    rate = calibration["gemm"]["float32" if single else "float64"]
    return max(size / bandwidth, flops / rate)


def _loops(size: int) -> dict[str, tuple[int, Callable]]:
    """Return loops over a working set: how many bytes a call moves, and the call."""
    passes = max(1, _PASS // size)
    found: dict[str, tuple[int, Callable]] = {}
    a, b = _passed(size // 2, passes, "f8"), _passed(size // 2, passes, "f8")
    found["copy"] = passes * size, functools.partial(np.copyto, b, a)
    if passes == 1:
        a, b = a[0], b[0]
        found["dot"] = size, functools.partial(np.dot, a, b)
        third = size // 24
        out = np.empty(third)
        found["add"] = 24 * third, functools.partial(np.add, a[:third], b[:third], out)
        return found
    for dtype in ("f4", "f8"):
        a = _passed(size // 2, passes, dtype)
        call = functools.partial(np.add.reduce, a, 0, None, np.empty_like(a[0]))
        found[f"sum {dtype}"] = passes * size * 3 // 2, call
    return found


def _passed(size, passes, dtype):
    """Return an array of some bytes, repeated without a copy along a first axis."""
    x = np.ones(size // np.dtype(dtype).itemsize, dtype)
    return as_strided(x, (passes, len(x)), (0, x.itemsize))


def _product(named):
    """Return the name of a matrix product, with its number of operations and a call."""
    dtype, order = named
    x = np.ones((order, order), dtype)
    flops = (8 if x.dtype.kind == "c" else 2) * order**3
    call = functools.partial(np.matmul, x, x, np.empty_like(x))
    return f"{dtype} {order}", (flops, call)


def _best(calls, seconds):
    """Return the shortest time of each call, when all are repeated for ``seconds``.

    The calls take turns of a hundredth of a second at most, or of one repetition, so
    that a program that is busy for a moment spoils a few times of each call and not all
    the times of one.
    """
    clock = sample.clock()
    best = dict.fromkeys(calls, math.inf)
    stop = perf_counter() + seconds
    length = min(0.01, seconds / 2 / len(calls))
    turn = 0
    while turn < 2 or perf_counter() < stop:
        for name, call in calls.items():
            end = perf_counter() + length
            while True:
                times = sample.both_clocks(call)
                best[name] = min(best[name], max(times[clock], 1e-9))
                if perf_counter() > end:
                    break
        turn += 1
    return best
