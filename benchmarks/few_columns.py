"""Print times of dyadic butterflies with a few columns, beside those that plans expect.

``python -m benchmarks.few_columns 256,1024,4096 2,4,8,16``: the arguments are orders
and numbers of columns. The constants `DYADIC_SHORT` and the rates "few" of a dyadic
butterfly in ``nbfact/operators/plan.py`` are fitted to what it prints.
"""

import functools
import sys
import time

import numpy as np

import nbfact as nf
from nbfact._core.dtypes import DTYPES
from nbfact.operators import plan

CALLS = 1000
"""Number of calls, of which the fastest counts."""


def least_time(call):
    """Return the least CPU time of a call, in microseconds."""
    least = np.inf
    for _ in range(CALLS):
        began = time.thread_time_ns()
        call()
        least = min(least, time.thread_time_ns() - began)
    return least / 1e3


def main(orders="256,1024,4096", batches="2,4,8,16"):
    """Print a line for each order, dtype and number of columns."""
    rng = np.random.default_rng(0)
    print(f"{'n':>6}{'columns':>8}  {'dtype':11}{'us':>9}{'expected':>9}")
    for n in map(int, orders.split(",")):
        chain = nf.Chain.square_dyadic(n)
        for name in DTYPES:
            values = [rng.standard_normal(pattern).astype(name) for pattern in chain]
            product, dtype = nf.Butterfly(chain, values), np.dtype(name)
            for batch in map(int, batches.split(",")):
                x = rng.standard_normal((n, batch)).astype(name)
                out = np.empty_like(x)
                measured = least_time(functools.partial(product.apply, x, out))
                best = plan.best(chain, dtype, batch)
                expected = plan.cost(chain, best, dtype, batch) / 1e3
                print(f"{n:6}{batch:8}  {name:11}{measured:9.2f}{expected:9.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
