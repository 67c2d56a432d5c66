"""What do parallel kernels gain? ``python benchmarks/parallel.py float32 1024 256 7``.

The arguments are dtype, order n, number of columns (batch), and seconds for each kernel
and its parallel twin; ``nearest_rows`` assigns 16 real points for each column. Calls
are timed in bursts and the least times are compared, because on cores that other
programs use too, two threads seldom run at the same time.
``OMP_WAIT_POLICY=active`` keeps the threads awake between calls; with ``passive`` each
call begins by waking them.
"""

import functools
import sys
from time import perf_counter

import numba
import numpy as np


def cases(n, batch, dtype):
    """Return the serial and the parallel call of each kernel."""
    # asv imports this module with older versions of nbfact, which lack some of these.
    from nbfact import kernels
    from nbfact.operators import NearestRows, hadamard

    threads = numba.get_num_threads()
    length = (n.bit_length() - 1) // 2
    n = 4**length
    layout = np.array([(4 ** (length - 1 - i), 4, 4, 4**i) for i in range(length)])
    rng = np.random.default_rng(0)
    values = rng.standard_normal(4 * n * length).astype(dtype)
    x, zeros = np.ones((n, batch), dtype), np.zeros((n, batch), dtype)
    out, rows = np.empty_like(x), zeros.T.copy()
    chain = values, layout, x
    scratch = np.empty((threads, 2, n, min(64, batch)), dtype)
    names = "kronecker_chain_apply_columns", "fwht_rows", "fwht_columns"
    serial = (*chain, scratch[0], out), (rows,), (zeros,)
    parallel = (*chain, scratch, out), (rows, threads), (zeros,)
    nearest, points = NearestRows(hadamard(n)), np.ones((16 * batch, n), x.real.dtype)
    twins = {
        name: [
            functools.partial(getattr(kernels, name), *a),
            functools.partial(getattr(kernels, f"{name}_parallel"), *b),
        ]
        for name, a, b in zip(names, serial, parallel, strict=True)
    }
    twins["nearest_rows"] = [
        functools.partial(nearest, points, parallel=threaded)
        for threaded in (False, True)
    ]
    return twins


def timed(calls, seconds):
    """Return the seconds of two calls that take turns, in bursts of 4 and of 12 calls.

    The bursts of the second, parallel call are longer, because its threads wake up
    during the first calls of a burst.
    """
    times = [], []
    for call in calls * 2:
        call()
    end = perf_counter() + seconds
    while perf_counter() < end:
        for call, found, burst in zip(calls, times, (4, 12), strict=True):
            for _ in range(burst):
                start = perf_counter()
                call()
                found.append(perf_counter() - start)
    return times


def main(dtype, n, batch, seconds):
    """Print the least time of each kernel, and how often its twin was faster."""
    for name, calls in cases(int(n), int(batch), dtype).items():
        serial, parallel = timed(calls, float(seconds))
        least = min(serial)
        share = np.mean(np.array(parallel) < least)
        print(
            f"{dtype} {name}, {n} x {batch}: {least * 1e6:.0f} us, twin "
            f"{least / min(parallel):.2f} times as fast; {share:.0%} of its times "
            f"are below, with {numba.get_num_threads()} threads",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
