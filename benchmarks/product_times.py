"""Print measured times of products beside those that the stored model expects.

``python -m benchmarks.product_times float64,float32 64,256,1024 1,64``: the arguments
are dtypes, orders n, and numbers of columns. Each line is one product: the dense
matrix, two factors of free entries and of blocks at some relative complexity gains, a
Hadamard transform and a cosine transform. `nbfact.learn_transform` chooses by the model
where `speedup` is its budget; its constants are in ``operators/product_times.py``.
"""

import sys

import numpy as np
import scipy.sparse as sp

import nbfact as nf
from nbfact.algorithms.learn.product_timing import operand, product_seconds
from nbfact.operators.product_times import dense_time, expected_time

GAINS = (2, 4, 16)
"""Relative complexity gains of the products of two factors."""


def factor(n, nnz, height, dtype, rng):
    """Return a random matrix of about `nnz` entries, in blocks of some rows."""
    support = rng.random((-(-n // height), n)) < nnz / n**2
    whole = np.kron(support, np.ones((height, 1)))[:n]
    return sp.csr_array((whole * rng.standard_normal((n, n))).astype(dtype))


def products(n, dtype, rng):
    """Yield the names of operators of order n, and the operators."""
    for name, height in (("free", 1), ("blocks", 8)):
        for gain in GAINS:
            share = n * n / gain / 2
            pair = [factor(n, share, height, dtype, rng) for _ in range(2)]
            yield f"{name}, RCG {gain}", nf.FactorProduct(pair)
    yield "hadamard", nf.transforms.hadamard(n).astype(dtype)
    if np.dtype(dtype).kind != "c":
        yield "dct", nf.transforms.dct(n).astype(dtype)


def main(dtypes="float64,float32", orders="64,256,1024", batches="1,64"):
    """Print a line for each product."""
    rng = np.random.default_rng(0)
    print(f"{'dtype':11}{'n':>5}{'columns':>8}  {'operator':16}{'us':>9}{'model':>9}")
    for name in dtypes.split(","):
        dtype = np.dtype(name)
        for n in map(int, orders.split(",")):
            dense = rng.standard_normal((n, n)).astype(dtype)
            made = dict(products(n, dtype, rng))
            for batch in map(int, batches.split(",")):
                x = operand(dense, batch)
                measured = product_seconds([dense, *made.values()], x)
                model = [dense_time((n, n), dtype, batch)]
                model += [expected_time(one, batch) for one in made.values()]
                rows = zip(["dense", *made], measured, model, strict=True)
                for which, seconds, expected in rows:
                    print(
                        f"{name:11}{n:5}{batch:8}  {which:16}{seconds * 1e6:9.2f}"
                        f"{expected / 1e3:9.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(*sys.argv[1:])
