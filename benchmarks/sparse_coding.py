"""Time of `nbfact.omp` beside scikit-learn's, on an operator of the size of MEG's.

    python -m benchmarks.sparse_coding [SIGNALS]

The operator is 204x7527 with a relative complexity gain of 11: seven random sparse
factors of order 204 and one with 15 entries in each column, and columns of norm 1. 500
signals are two of its columns with normal weights, and noise of 5 percent. Both get the
same matrix; the Gram matrix that scikit-learn needs is in its time. It copies that
matrix, 453 MB, for each signal, and so gets the first SIGNALS ones alone (by default
all): its time for all 500 is longer. It prints CPU seconds of one thread, and whether
the supports are the same.
"""

import sys
import time

import numpy as np
import scipy.sparse as sp

import nbfact as nf

M, N, SIGNALS = 204, 7527, 500
ROUNDS = 3
"""Number of calls of `omp`, of which the least time is printed."""


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


def main(count: int) -> None:
    """Print the times."""
    from sklearn.linear_model import orthogonal_mp

    fast = operator()
    A = fast.toarray()
    Y = signals(A)
    nf.omp(fast, Y[:, :2], n_nonzero=2)  # compiles
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        codes = nf.omp(fast, Y, n_nonzero=2)
        times.append(time.process_time() - start)
    start = time.process_time()
    theirs = orthogonal_mp(A, Y[:, :count], n_nonzero_coefs=2, precompute=True)
    seconds = time.process_time() - start
    ours = min(times)
    same = np.array_equal(codes[:, :count] != 0, theirs.reshape(N, -1) != 0)
    print(f"rcg {fast.rcg:.1f}; nbfact.omp, {SIGNALS} signals: {ours:.3f} CPU s")
    print(f"scikit-learn, {count} signals: {seconds:.3f} CPU s, {seconds / ours:.1f}x")
    print(f"same supports: {'yes' if same else 'no'}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SIGNALS)
