"""
Supports of a learned Hadamard transform
========================================

A dense matrix goes in, and the supports of its fast algorithm come out. The same is
done with the rows and columns of the matrix shuffled: the method of the literature,
which keeps the largest entries at each moment, no longer finds the factors, and
:func:`nbfact.learn_transform` does.
"""

import matplotlib.pyplot as plt
import numpy as np

import nbfact as nf

n = 32
hadamard = nf.targets.hadamard(n)
rng = np.random.default_rng(0)
shuffled = hadamard[rng.permutation(n)][:, rng.permutation(n)]

# %%
# The budget is the number of non-zeros that the fast Hadamard transform has, which is
# 2 n log2(n). Nothing else is said about the factors, their number included.

budget = 2 * n * 5
learned = [nf.learn_transform(matrix, nnz=budget) for matrix in (hadamard, shuffled)]
for result in learned:
    print(result.relative_error, len(result.factors), result.operator.rcg)

# %%
# The method of the literature, palm4MSA split by split, does not find the second.

hierarchical = nf.hierarchical(shuffled, "hadamard")
print(hierarchical.relative_error)

# %%
# One row for each matrix: what went in, then the support of each factor.

figure, grid = plt.subplots(2, 6, figsize=(11, 4), layout="constrained")
for row, matrix, result, name in zip(
    grid, (hadamard, shuffled), learned, ("Hadamard", "shuffled"), strict=True
):
    row[0].imshow(matrix, cmap="gray")
    row[0].set_title(name)
    for number, (axes, factor) in enumerate(zip(row[1:], result.factors, strict=True)):
        axes.imshow(factor.toarray() == 0, cmap="gray")
        axes.set_title(f"factor {number}")
for axes in grid.flat:
    axes.set(xticks=[], yticks=[])
plt.show()
