"""
A kernel in your own compiled code
==================================

Every kernel of nbfact is a plain ``@njit`` function. This program calls the fast
Hadamard transform inside a compiled loop of its own, which searches for the threshold
that removes most of the noise of many signals: no call returns to Python in between.
"""

import matplotlib.pyplot as plt
import numba
import numpy as np

from nbfact.kernels import fwht


@numba.njit
def shrink(signals, threshold, out):
    """Write the signals without their small Hadamard coefficients."""
    n = signals.shape[1]
    for i in range(signals.shape[0]):
        row = out[i]
        for j in range(n):
            row[j] = signals[i, j]
        fwht(row)
        for j in range(n):
            if abs(row[j]) < threshold * np.sqrt(n):
                row[j] = 0.0
        fwht(row)
        for j in range(n):
            row[j] /= n


@numba.njit
def errors(signals, true, thresholds):
    """Return the mean squared error for each threshold."""
    found = np.zeros(thresholds.size)
    out = np.empty_like(signals)
    for k in range(thresholds.size):
        shrink(signals, thresholds[k], out)
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                found[k] += (out[i, j] - true[i, j]) ** 2
        found[k] /= out.size
    return found


# %%
# Signals that jump a few times, as Hadamard transforms like them, and noise.

rng = np.random.default_rng(0)
true = np.repeat(rng.standard_normal((50, 8)), 32, axis=1)
noisy = true + 0.5 * rng.standard_normal(true.shape)
thresholds = np.linspace(0, 3, 31)
found = errors(noisy, true, thresholds)
best = thresholds[found.argmin()]

# %%
# What is left of one signal at the best threshold.

clean = np.empty_like(noisy)
shrink(noisy, best, clean)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
left.plot(thresholds, found, "o-")
left.axvline(best, color="gray", linestyle="--")
left.set(xlabel="threshold", ylabel="mean squared error")
right.plot(noisy[0], ".", color="lightgray", label="noisy")
right.plot(true[0], "k", label="true")
right.plot(clean[0], label="shrunk")
figure.legend(loc="outside lower center", ncols=3)
plt.show()
