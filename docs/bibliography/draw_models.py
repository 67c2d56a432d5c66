"""Draw docs/bibliography/models.svg: the supports of the factors of some models.

``python docs/bibliography/draw_models.py``. Each model of order 16 is drawn by the
method ``plot`` of nbfact, as a row of the picture.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import nbfact as nf

N = 16


def product(*supports):
    """Return the product of factors of ones on supports."""
    return nf.FactorProduct([np.asarray(support, float) for support in supports])


def free(n_factors, k):
    """Return a product of random factors with k entries in each row and column."""
    rng = np.random.default_rng(0)
    sets = nf.constraints.SkPerm((N, N), k)
    return product(
        *(sets.project(rng.standard_normal((N, N))) != 0 for _ in range(n_factors))
    )


def rotations():
    """Return three layers of rotations of disjoint pairs at random."""
    rng, layers = np.random.default_rng(1), []
    for _ in range(3):
        order, layer = rng.permutation(N), np.zeros((N, N))
        for i, j in order.reshape(-1, 2):
            layer[np.ix_([i, j], [i, j])] = 1
        layers.append(layer)
    return product(*layers)


DYADIC = nf.Chain.square_dyadic(N)
MODELS = {
    "free supports, two in each row and column": free(4, 2),
    "dyadic butterfly": DYADIC,
    "the transposed chain": DYADIC.T,
    "Monarch": nf.Chain.monarch((N, N), 4, 4),
    "block tensor train, rank 2": nf.Chain.mixed_radix([4, 4], rank=2),
    "radices 4 x 2 x 2": nf.Chain.mixed_radix([4, 2, 2]),
    "cosine transform: blocks of rank 2": nf.Chain.rank2(N),
    "BLAST, 4 x 4 blocks, rank 3": nf.Chain([(4, 4, 3, 1), (1, 4, 4, 3), (4, 3, 4, 1)]),
    "a pair B B\u1d34": DYADIC @ DYADIC.T,
    "rotations of pairs": rotations(),
}
"""The models, from the top of the picture to its bottom."""


def main():
    """Draw each model in a row of one picture."""
    figure = Figure(figsize=(8.5, 1.55 * len(MODELS)), layout="constrained")
    for (title, model), row in zip(
        MODELS.items(), figure.subfigures(len(MODELS), 1), strict=True
    ):
        model.plot(row)
        row.suptitle(title, fontsize=9)
        for axes in row.axes:
            axes.title.set_fontsize(6)
    figure.savefig(Path(__file__).with_name("models.svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
