"""
A custom constraint
===================

Any object with ``shape`` and ``project(x)`` is a constraint. Here it is a band: entries
near the diagonal. A product of banded factors is what a layered filter is made of.
"""

import matplotlib.pyplot as plt
import numpy as np

import nbfact as nf


class Band:
    """Matrices whose entries are at most `width` away from the diagonal."""

    def __init__(self, shape, width):
        self.shape = shape
        rows, columns = np.indices(shape)
        self.outside = abs(rows - columns) > width

    def project(self, x):
        """Return the nearest matrix of the set."""
        return np.where(self.outside, 0, x)


# %%
# A product of three factors of width 1 has width 3. A thousand sweeps come near to it.

n = 24
sets = [Band((n, n), 1)] * 3
rng = np.random.default_rng(0)
parts = [one.project(np.eye(n) + 0.3 * rng.standard_normal((n, n))) for one in sets]
target = parts[0] @ parts[1] @ parts[2]
result = nf.palm4msa(target, sets, n_iter=1000)
print(result)

# %%
# Sets of nbfact and of your own mix: here a factor has two entries in each row instead.

mixed = nf.palm4msa(target, [sets[0], nf.constraints.SpLin((n, n), 2), sets[2]])

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
axes[0].imshow(target, cmap="RdBu", vmin=-1.5, vmax=1.5)
axes[0].set(title="the matrix", xticks=[], yticks=[])
axes[1].imshow(result.factors[0].toarray() != 0, cmap="Blues")
axes[1].set(title="support of a banded factor", xticks=[], yticks=[])
axes[2].semilogy(result.history.errors, label="three bands")
axes[2].semilogy(mixed.history.errors, label="band, two a row, band")
axes[2].set(xlabel="sweep", ylabel="relative error")
axes[2].legend()
plt.show()
