"""
Error against budget for a matrix of yours
==========================================

How many non-zeros does a matrix need? :func:`nbfact.tradeoff` learns a product under
each of several budgets and times it. Beside it stand the two simplest ways to spend the
same number of non-zeros: the largest entries of the matrix, and its SVD.
"""

import matplotlib.pyplot as plt
import numpy as np

import nbfact as nf

# %%
# Here the matrix says what 24 sensors around a head measure of 128 sources in it. Put
# yours in its place: ``np.load("mine.npy")``.

matrix = nf.targets.leadfield(24, 128, random_state=0)
m, n = matrix.shape
found = nf.tradeoff(
    matrix, (2, 4, 8), families=("sparse products", "low rank"), random_state=0
)
print(found)

# %%
# The errors of the largest entries, and of the SVD, whose rank r costs r (m + n).

entries = np.sort(np.abs(matrix).ravel())[::-1] ** 2
singular = np.linalg.svd(matrix, compute_uv=False) ** 2
kept = np.arange(m * n // 16, m * n // 2, 16)
ranks = np.arange(1, 8)

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(
    kept / (m * n),
    np.sqrt(1 - np.cumsum(entries)[kept - 1] / entries.sum()),
    label="largest entries",
)
axes.plot(
    ranks * (m + n) / (m * n),
    np.sqrt(1 - np.cumsum(singular)[ranks - 1] / singular.sum()),
    "^-",
    label="SVD",
)
axes.plot(
    [point.nnz / (m * n) for point in found.points],
    [point.error for point in found.points],
    "o-",
    label="nf.tradeoff",
)
axes.set(xlabel="share of the entries", ylabel="relative error", xlim=(0, 0.55))
axes.legend()
plt.show()
