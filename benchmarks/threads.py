"""What do threads gain? ``python benchmarks/threads.py 2 float32 1024 64,256,1024 5``.

The arguments are the number of threads, dtype, order n, numbers of columns (batch), and
seconds for each operator and number; `NearestRows` assigns 16 real points for each
column. A call on one thread and one on several take turns, and the least times are
compared, because on cores that other programs use too, two threads seldom run at the
same time. BLAS has one thread: else it uses all cores for large blocks by itself, so
that nbfact would gain nothing. The load is that of the minute before.

The last rows are loops of arithmetic that read no memory, on 256 columns. What they
gain is what is left of two cores when threads have been woken and waited for, so that a
product that takes as long cannot gain much more.
"""

import os
import sys
from time import perf_counter

import numba
import numpy as np
from threadpoolctl import threadpool_limits

LOOPS = (100, 200, 400, 800, 1600, 3200)
"""Microseconds of one thread that the loops of arithmetic take, about."""


def calls(n, batch, dtype):
    """Return a function without arguments for each operator, by its name."""
    import nbfact as nf

    rng = np.random.default_rng(0)
    x, half = np.ones((n, batch), dtype), n.bit_length() // 2
    chain = nf.Chain.mixed_radix((2**half, n >> half))
    two_factors = nf.Butterfly(
        chain, [rng.standard_normal(p).astype(dtype) for p in chain]
    )
    dyadic = nf.transforms.hadamard(n).astype(dtype)
    product, transform = dyadic.to_factors(), nf.transforms.dft(n).astype("complex128")
    z = x.astype("complex128")
    nearest = nf.NearestRows(nf.transforms.hadamard(n).to_factors())
    points = rng.standard_normal((16 * batch, n)).astype(x.real.dtype)
    return {
        "Butterfly, two factors": lambda: two_factors @ x,
        "Butterfly, dyadic": lambda: dyadic @ x,
        "FactorProduct": lambda: product @ x,
        "dft, complex128": lambda: transform @ z,
        "dft of real columns": lambda: transform @ x,
        "NearestRows": lambda: nearest(points),
    }


@numba.njit(nogil=True)
def arithmetic(steps):
    """Return a number after some steps, each of which waits for the one before."""
    found = 1.0
    for _ in range(steps):
        found = found * 1.0000001 + 1e-9
    return found


def loops():
    """Return a function without arguments for each loop of arithmetic, by its name."""
    from nbfact._core import threads

    arithmetic(1)  # which compiles it
    start = perf_counter()
    arithmetic(1_000_000)
    step = (perf_counter() - start) * 1e6 / 1_000_000

    def loop(steps):
        """Return the call that shares the steps of 256 columns."""

        def part(begin, end):
            arithmetic(steps * (end - begin))

        return lambda: threads.share(threads.LEAST_WORK, 256, part)

    return {f"arithmetic, {time} µs": loop(int(time / step / 256)) for time in LOOPS}


def timed(call, count, seconds):
    """Return the seconds of a call on one thread and on several, in turns."""
    import nbfact as nf

    times = [], []
    end = perf_counter() + seconds
    while perf_counter() < end or len(times[1]) < 3:
        for number, found in zip((1, count), times, strict=True):
            with nf.threads(number):
                for _ in range(4):
                    start = perf_counter()
                    call()
                    found.append(perf_counter() - start)
    return times


def main(count, dtype, n, batches, seconds):
    """Print the least time of each call on one thread, and the gain of several."""
    print("| operator | n | columns | one thread (µs) | gain | of medians | load |")
    print("|:--|--:|--:|--:|--:|--:|--:|")
    for batch in map(int, batches.split(",")):
        for name, call in calls(int(n), batch, dtype).items():
            report(name, n, batch, call, int(count), float(seconds))
    for name, call in loops().items():
        report(name, "", 256, call, int(count), float(seconds))


def report(name, n, batch, call, count, seconds):
    """Print the row of a call."""
    with threadpool_limits(1, "blas"):
        one, several = timed(call, count, seconds)
    print(
        f"| {name} | {n} | {batch} | {min(one) * 1e6:.0f} "
        f"| {min(one) / min(several):.2f} "
        f"| {np.median(one) / np.median(several):.2f} "
        f"| {os.getloadavg()[0]:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
