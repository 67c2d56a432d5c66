"""Time of `nbfact.omp` beside scikit-learn's, on an operator of the size of MEG's.

    python -m benchmarks.sparse_coding [SIGNALS]

The operator is 204x7527 with a relative complexity gain of 11: seven random sparse
factors of order 204 and one with 15 entries in each column, and columns of norm 1. 500
signals are two of its columns with normal weights, and noise of 5 percent. Both get the
same matrix; `omp` gets the operator, too. scikit-learn's `orthogonal_mp` runs twice:
without a Gram matrix, its default, and with one (``precompute=True``), which is in its
time. It copies that matrix, 453 MB, for each signal, and so gets the first SIGNALS ones
alone then (by default all): its time for all 500 is longer. Rounds alternate between
the first three. It prints CPU seconds of one thread, and whether the supports are the
same.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

import nbfact as nf

M, N, SIGNALS = 204, 7527, 500
ROUNDS = 3
"""Number of calls of each but the one with a Gram matrix; the least time is printed."""


def operator() -> nf.FactorProduct:
    """Return the operator."""
    rng = np.random.default_rng(0)
    factors = [
        sp.eye_array(M) + sp.random_array((M, M), density=0.088, rng=rng)
        for _ in range(7)
    ]
    last = np.zeros((M, N))
    for column in last.T:
        column[rng.choice(M, 15, replace=False)] = rng.standard_normal(15)
    product = nf.FactorProduct([*factors, last])
    last /= np.linalg.norm(product.toarray(), axis=0)
    return nf.FactorProduct([*factors, last])


def signals(A: np.ndarray) -> np.ndarray:
    """Return the signals, one in each column."""
    rng = np.random.default_rng(1)
    pairs, weights = (
        rng.integers(N, size=(2, SIGNALS)),
        rng.standard_normal((2, SIGNALS)),
    )
    Y = (A[:, pairs] * weights).sum(axis=1)
    noise = rng.standard_normal(Y.shape)
    return Y + 0.05 * noise * np.linalg.norm(Y) / np.linalg.norm(noise)


def timed(code: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Return the CPU seconds of a call, and the supports of its codes."""
    start = time.process_time()
    codes = code()
    return time.process_time() - start, codes.reshape(N, -1) != 0


def main(count: int) -> None:
    """Print the times."""
    from sklearn.linear_model import orthogonal_mp

    fast = operator()
    A = fast.toarray()
    Y = signals(A)
    calls = {
        "nbfact.omp, operator": lambda: nf.omp(fast, Y, n_nonzero=2),
        "nbfact.omp, matrix": lambda: nf.omp(A, Y, n_nonzero=2),
        "scikit-learn": lambda: orthogonal_mp(A, Y, n_nonzero_coefs=2),
    }
    for dictionary in (fast, A):
        nf.omp(dictionary, Y[:, :2], n_nonzero=2)  # compiles
    rounds = [
        {name: timed(code) for name, code in calls.items()} for _ in range(ROUNDS)
    ]
    seconds = {name: min(one[name][0] for one in rounds) for name in calls}
    with_gram = f"scikit-learn, Gram matrix, {count} signals"
    seconds[with_gram], theirs = timed(
        lambda: orthogonal_mp(A, Y[:, :count], n_nonzero_coefs=2, precompute=True)
    )
    found = [rounds[0][name][1][:, :count] for name in calls]
    same = all(np.array_equal(one, theirs) for one in found)
    print(f"rcg {fast.rcg:.1f}, {SIGNALS} signals")
    first, second = (seconds[name] for name in list(calls)[:2])
    for name, own in seconds.items():
        times = f"{own / first:.1f} times the operator's"
        times += f", {own / second:.1f} times the matrix's"
        print(f"{name}: {own:.3f} CPU s, {times}")
    print(f"same supports: {'yes' if same else 'no'}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SIGNALS)
