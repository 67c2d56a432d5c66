"""What do threads gain? ``python benchmarks/threads.py 2 float32 1024 64,256,1024 5``.

The arguments are the number of threads, dtype, order n, numbers of columns (batch), and
seconds for each operator and number; `NearestRows` assigns 16 real points for each
column. A call on one thread and one on several take turns, and the least times are
compared, because on cores that other programs use too, two threads seldom run at the
same time. BLAS has one thread: else it uses all cores for large blocks by itself, so
that nbfact would gain nothing. The load is that of the minute before.
"""

import os
import sys
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits


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
            with threadpool_limits(1, "blas"):
                one, several = timed(call, int(count), float(seconds))
            print(
                f"| {name} | {n} | {batch} | {min(one) * 1e6:.0f} "
                f"| {min(one) / min(several):.2f} "
                f"| {np.median(one) / np.median(several):.2f} "
                f"| {os.getloadavg()[0]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
