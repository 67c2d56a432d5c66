"""Print how near to the speed of gathering a product with one sparse factor is.

``python benchmarks/gathers.py float32 1024,4096 2,4,8``: the arguments are the dtype,
orders n, and entries in each row. The roof is one slice of 16 rows that share all
entries, so that sums never leave their registers and no loop ends. The columns are
nanoseconds for each entry: the roof, ``F @ x`` forward and adjoint, SciPy's
``csr_matvec`` in memory made beforehand, and SciPy's ``S @ x``; then the share of the
roof that ``F @ x`` reaches. All calls take turns, and least times are compared, of the
thread's own clock.
"""

import sys
from time import thread_time

import numpy as np
import scipy.sparse as sp

import nbfact as nf
from nbfact.cases.yardsticks import csr_product
from nbfact.kernels import chain_apply

ROUNDS, SECONDS = 40, 2e-4
"""Number of turns of each call, and length of a turn."""


def factor(n, k, dtype, rng):
    """Return a random matrix of order n with k entries in each row."""
    indices = np.sort(np.argsort(rng.random((n, n)), axis=1)[:, :k]).astype(np.int32)
    data = rng.standard_normal(n * k).astype(dtype)
    ends = np.arange(0, n * k + 1, k, dtype=np.int32)
    return sp.csr_array((data, indices.ravel(), ends), shape=(n, n))


def roof_of(factor, x):
    """Return a call that gathers as many entries, as the rows of one slice."""
    data, indices = factor.data, factor.indices.astype(np.uint16)
    table = np.array([0, data.size, 0, data.size], np.uint32)
    layout = np.array([[16, 0, 0, -1]])
    scale, out = x.real.dtype.type(1), np.empty(16, x.dtype)
    scratch = np.empty((2, 16), x.dtype)
    return lambda: chain_apply(data, indices, table, layout, scale, x, scratch, out)


def least(calls):
    """Return the least seconds of each call."""
    counts, times = [], [np.inf] * len(calls)
    for call in calls:
        call()
        start = thread_time()
        call()
        counts.append(max(1, int(SECONDS / (thread_time() - start))))
    for _ in range(ROUNDS):
        for i, call in enumerate(calls):
            start = thread_time()
            for _ in range(counts[i]):
                call()
            times[i] = min(times[i], (thread_time() - start) / counts[i])
    return np.array(times)


def main(dtype="float32", orders="256,1024,4096", entries="2,4,8,16"):
    """Print a row for each order and number of entries."""
    rng = np.random.default_rng(0)
    print("   n  k    roof  F @ x  F.H @ x  csr_matvec  S @ x  of the roof")
    for n in map(int, orders.split(",")):
        for k in map(int, entries.split(",")):
            S = factor(n, k, dtype, rng)
            F, x = nf.FactorProduct([S]), rng.standard_normal(n).astype(dtype)
            calls = [
                roof_of(S, x),
                *(lambda op=op, x=x: op @ x for op in (F, F.H)),
                csr_product((S,), x),
                lambda S=S, x=x: S @ x,
            ]
            roof, forward, adjoint, raw, scipy = least(calls) / (n * k) * 1e9
            print(
                f"{n:4} {k:2} {roof:7.3f} {forward:6.3f} {adjoint:8.3f} {raw:11.3f} "
                f"{scipy:6.3f} {roof / forward:12.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
