"""Print how near to the speed of gathering products with one sparse factor are.

``python benchmarks/gathers.py float32,float64,complex64 256,1024,4096 2,4,8,16``: the
arguments are dtypes, orders n, and entries k in each row of a random matrix. Its
adjoint has as many entries in rows of uneven lengths. The numbers of a row are, for
each n,

* the share of the roof that ``F @ x`` reaches for one vector. The roof is a call that
  makes the result, and gathers as many entries as one slice of 16 rows that share all
  of them, so that sums never leave their registers, no loop ends and no row is written;
* how many times as long SciPy's loop over CSR rows takes for 64 columns, in memory made
  beforehand, as ``F @ X``.

All calls of a cell take turns, and least times are compared, of the thread's own clock.
The last lines name the cells that miss the goals of `SHARE` and `RATIO`.
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

COLUMNS = 64
"""Number of columns of ``F @ X``."""

SHARE, RATIO = 0.7, 1.3
"""Least share of the roof, and least ratio for columns."""


def factor(n, k, dtype, rng):
    """Return a random matrix of order n with k entries in each row."""
    indices = np.sort(np.argsort(rng.random((n, n)), axis=1)[:, :k]).astype(np.int32)
    data = rng.standard_normal(n * k).astype(dtype)
    ends = np.arange(0, n * k + 1, k, dtype=np.int32)
    return sp.csr_array((data, indices.ravel(), ends), shape=(n, n))


def roof_of(factor, x):
    """Return a call that gathers as many entries, as the rows of one slice."""
    data, indices = factor.data, factor.indices.astype(np.uint16)
    table = np.array([1, 0, 16, 1, 0, 0, 1, data.size // 16], np.uint32)
    rows, dtype, empty = factor.shape[0], x.dtype, np.empty

    def call():
        chain_apply(data, indices, table, 1.0, x, empty(rows, dtype))

    return call


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


def cell(F, rng):
    """Return the share of the roof, and the ratio for columns, of one factor."""
    (S,), n = F.factors, F.shape[1]
    x = rng.standard_normal(n).astype(F.dtype)
    X = rng.standard_normal((n, COLUMNS)).astype(F.dtype)
    calls = [roof_of(S, x), lambda: F @ x, lambda: F @ X, csr_product((S,), X)]
    roof, vector, columns, loop = least(calls)
    return roof / vector, loop / columns


def main(
    dtypes="float32,float64,complex64",
    orders="256,512,1024,2048,4096",
    entries="2,4,8,16",
):
    """Print a row for each dtype, side and number of entries, and what is missed."""
    rng, missed, cells = np.random.default_rng(0), [], 0
    sizes = [int(n) for n in orders.split(",")]
    print("| dtype | side | k |", *(f"n = {n} |" for n in sizes * 2))
    print("|:--|:--|--:" * 1 + "|--:" * 2 * len(sizes) + "|")
    for dtype in dtypes.split(","):
        for side in ("forward", "adjoint"):
            for k in map(int, entries.split(",")):
                found = []
                for n in sizes:
                    F = nf.FactorProduct([factor(n, k, dtype, rng)])
                    found.append(cell(F.H if side == "adjoint" else F, rng))
                    name = f"{dtype} {side} n={n} k={k}"
                    for value, goal in zip(found[-1], (SHARE, RATIO), strict=True):
                        cells += 1
                        if value < goal:
                            missed.append(f"{name}: {value:.2f} of {goal}")
                shares, ratios = zip(*found, strict=True)
                row = [f"{share:.2f}" for share in shares]
                row += [f"{ratio:.1f}" for ratio in ratios]
                print(f"| {dtype} | {side} | {k} |", " | ".join(row), "|", flush=True)
    print(f"{len(missed)} of {cells} cells miss their goal", *missed, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
