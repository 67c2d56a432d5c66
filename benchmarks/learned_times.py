"""Print errors of learned products against measured times: blocks and free supports.

``python -m benchmarks.learned_times 256,1024 gaussian,dct,legendre,kernel,graph`` (the
arguments are orders n and targets) explores products of two factors, in blocks of eight
rows and with free supports, from the same starts with the same number of sweeps, and
without least squares. A line
has the relative complexity gain, the relative error, and for one vector and 64 columns
how many times as fast as the dense matrix the product is, measured in turns. One more
line for each target is what ``learn_transform(A, speedup=2)`` returns for one vector,
with its expected and its measured time, where the order is at most `LEARNED`.
"""

import sys
import time

import numpy as np

import nbfact as nf
from nbfact.algorithms.learn.product_timing import operand, product_seconds

GAINS = (2, 4, 8)
"""Relative complexity gains."""

BATCHES = (1, 64)
"""Numbers of columns."""

PASSES = 5
"""Number of times that all products are measured."""

WORK = 4e9
"""Entries of the target times its order times sweeps of an exploration."""

LEARNED = 256
"""Largest order for which `learn_transform` runs."""

TARGETS = {
    "gaussian": lambda n: np.random.default_rng(5000).standard_normal((n, n)),
    "dct": nf.targets.dct,
    "legendre": nf.targets.legendre,
    "kernel": lambda n: _kernel(n, np.random.default_rng(5000)),
    "graph": lambda n: nf.targets.graph_fourier(n, random_state=5000),
}
"""Functions of the order that make a target."""


def _kernel(n, rng):
    """Return a Gaussian kernel of points in the plane, in the order of an axis."""
    points = rng.random((n, 2))
    points = points[np.argsort(points[:, 0])]
    apart = ((points[:, None] - points) ** 2).sum(-1)
    return np.exp(-apart / 0.02)


def sets(kind, n, gain):
    """Return the sets of two factors at a relative complexity gain."""
    k = int(n * n / gain / 2)
    if kind == "free":
        return [nf.constraints.Sp((n, n), k)] * 2
    return [nf.constraints.SpBlock((n, n), k // 8, block=(8, 1))] * 2


def learned(target, kind, gain):
    """Return the better exploration of those from two starts."""
    n = len(target)
    sweeps = int(min(100, max(8, WORK / n**3)))
    starts = ([target, np.eye(n)], [np.eye(n), target])
    found = [
        nf.explore(
            target,
            sets(kind, n, gain),
            leak=(0.95, 0.5),
            n_iter=sweeps,
            init=start,
            safeguard=False,
            refine_values=False,
        )
        for start in starts
    ]
    return min(found, key=lambda one: one.relative_error)


def timed(target, operators):
    """Return how many times as fast as dense operators are, for each of `BATCHES`.

    The least times of several passes count, because memory is shared with others.
    """
    least = {}
    for _ in range(PASSES):
        for batch in BATCHES:
            found = product_seconds([target, *operators], operand(target, batch))
            least[batch] = np.minimum(found, least.get(batch, np.inf))
    return [(times[0] / times[1:]) for times in least.values()]


def main(orders="256,1024", names="gaussian,dct,legendre,kernel,graph"):
    """Print a line for each product."""
    print("    n target    supports  RCG     error  x vector  x 64 columns  seconds")
    for n in map(int, orders.split(",")):
        for name in names.split(","):
            target, rows = TARGETS[name](n), []
            for kind in ("free", "blocks"):
                for gain in GAINS:
                    began = time.perf_counter()
                    found = learned(target, kind, gain)
                    rows.append((kind, found, time.perf_counter() - began))
            speeds = timed(target, [found.operator for _, found, _ in rows])
            for (kind, found, spent), vector, columns in zip(
                rows, *speeds, strict=True
            ):
                print(
                    f"{n:5} {name:9} {kind:7} {found.operator.rcg:5.2f} "
                    f"{found.relative_error:9.3g} {vector:9.2f} "
                    f"{columns:13.2f} {spent:8.1f}",
                    flush=True,
                )
            if n <= LEARNED:
                found = nf.learn_transform(
                    target, speedup=2, effort="quick", random_state=0
                )
                print(f"{n:5} {name:9} speedup=2: {found.structure}; {found.times}")


if __name__ == "__main__":
    main(*sys.argv[1:])
