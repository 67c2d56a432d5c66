"""Draw the pictures of README.md and of the page that begins the site.

``python docs/pictures/draw_pictures.py`` writes them beside this file, and computes all
that they show.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import nbfact as nf

HERE = Path(__file__).parent
GAINS = (2, 3, 4, 6, 8, 12, 16)
"""Relative complexity gains of the trade-off."""


def matrices(panels, size=2.0):
    """Return a figure of matrices side by side, each with a sign and a text.

    Parameters
    ----------
    panels : list of (str, ndarray, str)
        The sign before the matrix, the matrix, and the text below it. A boolean matrix
        is a support.
    size : float
        Width of a matrix, in inches.
    """
    figure = Figure((size * len(panels), size * 1.25), layout="constrained")
    for axes, (sign, matrix, text) in zip(
        np.ravel(figure.subplots(1, len(panels))), panels, strict=True
    ):
        if matrix.dtype == bool:
            axes.imshow(matrix, cmap="Blues", vmin=0, vmax=1.2, interpolation="nearest")
        else:
            top = abs(matrix).max()
            axes.imshow(matrix, cmap="RdBu", vmin=-top, vmax=top)
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(text)
        axes.text(-0.12, 0.5, sign, transform=axes.transAxes, ha="center", va="center")
    return figure


def shuffled(n):
    """Return a Hadamard matrix with rows and columns in random orders."""
    rng = np.random.default_rng(0)
    return nf.targets.hadamard(n)[rng.permutation(n)][:, rng.permutation(n)]


def supports_of(result):
    """Return a panel for the support of each factor of a result."""
    return [
        (
            "·" if number else "=",
            factor.toarray() != 0,
            f"{factor.nnz} of {factor.shape[0] * factor.shape[1]}",
        )
        for number, factor in enumerate(result.factors)
    ]


def purpose():
    """Draw what nbfact is for: a dense matrix, and the factors that it finds."""
    target = shuffled(32)
    result = nf.learn_transform(target, nnz=2 * 32 * 5, random_state=0)
    figure = matrices([("", target, f"{target.size} entries"), *supports_of(result)])
    figure.suptitle(
        f"nf.learn_transform finds {len(result.factors)} sparse factors of a shuffled "
        f"Hadamard matrix: {result.operator.nnz} non-zeros instead of {target.size}, "
        f"relative error {result.relative_error:.2g}"
    )
    return figure


def product():
    """Draw a transform beside the factors of its fast algorithm."""
    target = nf.targets.hadamard(16)
    result = nf.hierarchical(target, "hadamard")
    return matrices([("", target, f"{target.size} entries"), *supports_of(result)])


def two_methods():
    """Draw what two methods return for a shuffled matrix, with the same budget."""
    target = shuffled(32)
    found = nf.hierarchical(target, "hadamard")
    learned = nf.learn_transform(target, nnz=found.operator.nnz, random_state=0)
    return matrices(
        [
            ("", target, "the matrix"),
            *(
                ("", result.operator.toarray(), f"{name}: error {error}")
                for name, result in (
                    ("palm4MSA", found),
                    ("learn_transform", learned),
                )
                for error in [f"{result.relative_error:.2g}"]
            ),
        ],
        size=2.7,
    )


def tradeoff():
    """Draw errors against non-zeros for three ways to spend them on a lead field."""
    target = nf.targets.leadfield(32, 256, random_state=0)
    m, n = target.shape
    learned = nf.tradeoff(target, GAINS, random_state=0)
    values = np.linalg.svd(target, compute_uv=False) ** 2
    entries = np.sort(target.ravel() ** 2)[::-1]
    ranks = np.arange(1, m // 2)
    kept = np.array([int(m * n / gain) for gain in GAINS])
    figure = Figure((6, 3.6), layout="constrained")
    axes = figure.subplots()
    lost = 1 - np.cumsum(entries)[kept - 1] / entries.sum()
    axes.plot(kept / (m * n), np.sqrt(lost), "s--", label="the largest entries")
    lost = 1 - np.cumsum(values)[ranks - 1] / values.sum()
    axes.plot(ranks * (m + n) / (m * n), np.sqrt(lost), "^--", label="SVD")
    shares = [point.nnz / (m * n) for point in learned.points]
    errors = [point.error for point in learned.points]
    axes.plot(shares, errors, "o-", label="nf.tradeoff")
    axes.set(
        xlabel="non-zeros, as a share of the entries of the matrix",
        ylabel="relative error",
        xlim=(0, 0.55),
        ylim=(0, None),
    )
    axes.legend()
    return figure


PICTURES = {
    "purpose": purpose,
    "product": product,
    "shuffled": two_methods,
    "tradeoff": tradeoff,
}


def main():
    """Write every picture."""
    matplotlib.rcParams["svg.hashsalt"] = "nbfact"
    matplotlib.rcParams["axes.facecolor"] = "white"
    for name, draw in PICTURES.items():
        path = HERE / f"{name}.svg"
        draw().savefig(path, metadata={"Date": None}, facecolor="white")
        print(path.name)


if __name__ == "__main__":
    main()
