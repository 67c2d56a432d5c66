"""Print what share of the roof an assignment to fast centers reaches, and could reach.

``python benchmarks/assignment_roof.py 1024,256``: orders K = D. The centers are those
of ``nbfact bench -k assignment``. A row has, for each dtype,

* the rate of a dense product by BLAS, in GFLOP/s, which is the roof;
* the share of it that `NearestRows` reaches, two operations for each entry of the
  factors and point;
* the share of the same kernel and factors whose columns are taken modulo `NEAR`, so
  that all rows of a tile that it reads stay in the first level of cache: what no other
  order of rows could exceed. Its labels mean nothing.

All calls of a row take turns, and least times are compared, of the thread's own clock.
"""

import sys

import numpy as np

from nbfact.cases.assignment import assignment_cases
from nbfact.harness.clocks import CPU
from nbfact.harness.sample import interleave_clocks
from nbfact.operators import NearestRows

POINTS, NEAR, SECONDS = 4096, 64, 3.0
"""Number of points, number of columns that stay, and seconds for each row."""


def shares(k, dtype):
    """Return the rate of BLAS in GFLOP/s and the two shares of an order and dtype."""
    rng = np.random.default_rng(0)
    case, *_ = assignment_cases([(k, k, POINTS)], [dtype])
    inputs = case.make(rng)
    nearest, x, flops = NearestRows(inputs.factors), inputs.x, case.flops
    labels, scores = nearest(x)
    kernel, packed, _, _, _, (scratch,) = nearest._packed[x.dtype]
    near = packed._replace(indices=packed.indices % packed.indices.dtype.type(NEAR))
    calls = {
        "dense": lambda: x @ inputs.dense.T,
        "ours": lambda: nearest(x),
        "near": lambda: kernel(near, x, scratch, labels, scores),
    }
    times = interleave_clocks(calls, SECONDS)
    dense, ours, close = (times[name][:, CPU].min() for name in calls)
    rate = 2 * k * k * POINTS / dense
    return rate / 1e9, flops / ours / rate, flops / close / rate


def main(orders="1024"):
    """Print a row for each order and dtype."""
    print("| K = D | dtype | BLAS, GFLOP/s | share | share in the first cache |")
    print("|--:|:--|--:|--:|--:|")
    for k in map(int, orders.split(",")):
        for dtype in ("float32", "float64"):
            rate, share, near = shares(k, dtype)
            print(f"| {k} | {dtype} | {rate:.0f} | {share:.2f} | {near:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
