"""Print errors of learned products against measured times: blocks and free supports.

``python -m benchmarks.learned_times 256,1024 gaussian,dct,legendre,kernel,graph 2 1``
(the arguments are orders n, targets, speedups and numbers of columns) explores products
of two factors, in blocks of eight rows and with free supports, from the same starts
with the same number of sweeps, and without least squares. A line has the relative
complexity gain, the relative error, and for one vector and 64 columns how many times as
fast as the dense matrix the product is, measured in turns.

Further lines say what ``learn_transform(A, speedup=...)`` returns for each speedup and
number of columns, with its expected and its measured speedup: quickly, and without the
families of chains and butterflies, which no target here is. Without the products,
``python -m benchmarks.learned_times speedups 256 gaussian,dct 1.2,1.5,2,3 1,64`` prints
them alone. A last argument is the dtype, float64 by default.
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

FAMILIES = ("named transforms", "low rank", "products in blocks", "sparse products")
"""What `learn_transform` looks for."""

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


def timed(target, operators, batches=BATCHES):
    """Return how many times as fast as dense operators are, for numbers of columns.

    Ratios are medians of several passes, in which all products are measured in turns.
    """
    ratios = {batch: [] for batch in batches}
    for _ in range(PASSES):
        for batch in batches:
            times = product_seconds([target, *operators], operand(target, batch))
            ratios[batch].append(times[0] / np.array(times[1:]))
    return [np.median(found, axis=0) for found in ratios.values()]


def explored(n, names, dtype):
    """Print a line for each product that is explored."""
    print("    n target    supports  RCG     error  x vector  x 64 columns  seconds")
    for name in names:
        target, rows = TARGETS[name](n).astype(dtype), []
        for kind in ("free", "blocks"):
            for gain in GAINS:
                began = time.perf_counter()
                found = learned(target, kind, gain)
                rows.append((kind, found, time.perf_counter() - began))
        speeds = timed(target, [found.operator for _, found, _ in rows])
        for (kind, found, spent), vector, columns in zip(rows, *speeds, strict=True):
            print(
                f"{n:5} {name:9} {kind:7} {found.operator.rcg:5.2f} "
                f"{found.relative_error:9.3g} {vector:9.2f} "
                f"{columns:13.2f} {spent:8.1f}",
                flush=True,
            )


def asked(n, names, speedups, batches, dtype):
    """Print a line for what `learn_transform` returns for each speedup."""
    print("    n target    columns asked expected measured     error  structure")
    for name in names:
        target = TARGETS[name](n).astype(dtype)
        for batch in batches:
            families = [one for one in FAMILIES if batch == 1 or "blocks" not in one]
            for speedup in speedups:
                found = nf.learn_transform(
                    target,
                    speedup=speedup,
                    batch=batch,
                    effort="quick",
                    families=families,
                    random_state=0,
                )
                (measured,) = timed(target, [found.operator], [batch])[0]
                print(
                    f"{n:5} {name:9} {batch:7} {speedup:5} "
                    f"{found.times.expected_speedup:8.2f} {measured:8.2f} "
                    f"{found.relative_error:9.3g}  {found.structure}",
                    flush=True,
                )


def main(
    orders="256,1024",
    names="gaussian,dct,legendre,kernel,graph",
    speeds="2",
    batches="1",
    dtype="float64",
    products=True,
):
    """Print a line for each product, and for each speedup."""
    listed = [float(one) for one in speeds.split(",")]
    columns = [int(one) for one in batches.split(",")]
    for n in map(int, orders.split(",")):
        if products:
            explored(n, names.split(","), dtype)
        asked(n, names.split(","), listed, columns, dtype)


if __name__ == "__main__":
    if sys.argv[1:2] == ["speedups"]:
        main(*sys.argv[2:], products=False)
    else:
        main(*sys.argv[1:])
