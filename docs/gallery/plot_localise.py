"""
Localise two sources
====================

Two sources in a head are active at once, and sensors around it measure their field.
Which two are they? Orthogonal matching pursuit, :func:`nbfact.omp`, looks for the atoms
that explain the measurement. It multiplies by the operator many times, so a faster
operator that is nearly right is worth having.
"""

import matplotlib.pyplot as plt
import numpy as np

import nbfact as nf

# %%
# The operator of 32 sensors and 128 sources, and a product of four sparse factors
# instead of it, by the preset of the paper on such operators.

matrix = nf.targets.leadfield(32, 128, random_state=0)
matrix /= np.linalg.norm(matrix, axis=0)
fast = nf.refine(nf.hierarchical(matrix, nf.presets.rectmat(4, 8, 5)))
print(fast)

# %%
# Two hundred measurements, each of two sources. The dense matrix makes them.

rng = np.random.default_rng(0)
sources = np.zeros((128, 200))
for column in sources.T:
    column[rng.choice(128, 2, replace=False)] = rng.choice([-1.0, 1.0], 2)
measured = matrix @ sources
by_dense = nf.omp(matrix, measured, n_nonzero=2)
by_fast = nf.omp(fast, measured, n_nonzero=2)


def found(codes):
    """Return how many of the two sources are among the two largest of each code."""
    true = sources != 0
    return ((codes != 0) & true).sum(axis=0)


# %%
# On the left one measurement: where the sources are, and what both operators say. On
# the right how often none, one or both sources are found exactly.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.stem(sources[:, 0], linefmt="gray", markerfmt="ko", basefmt=" ", label="true")
left.plot(
    np.flatnonzero(by_dense[:, 0]),
    by_dense[by_dense[:, 0] != 0, 0],
    "bs",
    label="dense",
)
left.plot(
    np.flatnonzero(by_fast[:, 0]), by_fast[by_fast[:, 0] != 0, 0], "r^", label="fast"
)
left.set(xlabel="source", ylabel="amplitude", title="one measurement")
left.legend()
for place, (name, codes, color) in enumerate(
    [("dense", by_dense, "tab:blue"), ("fast", by_fast, "tab:red")]
):
    counts = np.bincount(found(codes), minlength=3)
    right.bar(np.arange(3) + 0.4 * place, counts, 0.4, label=name, color=color)
right.set(xticks=np.arange(3) + 0.2, xticklabels=["none", "one", "both"])
right.set(title=f"sources found, rcg {fast.operator.rcg:.1f}", ylabel="measurements")
right.legend()
plt.show()
