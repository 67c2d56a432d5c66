"""Time `QuicKMeans.fit` beside the fits of scikit-learn's `KMeans`, in CPU seconds.

``python benchmarks/fit_times.py [rounds] [text of the names of cells ...]`` prints for
each cell our time, that of the faster one of scikit-learn's algorithms (Lloyd's or
Elkan's), and the ratio. Both have the same first centers and the same largest number of
iterations, and take turns; the least time of each counts, and the median of the ratios
of the turns is printed beside. Names of cells end in their dtype; those with ``large``
in them take minutes, and run only where a text in their name is given.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

import nbfact as nf
from nbfact.studies.quickmeans.datasets import split

ROUNDS = 5
"""Number of turns of a cell, where no other number is given."""

SHORT = 0.05
"""Seconds that a call is repeated for in one turn, if it is shorter than that."""


def noise(n: int, d: int) -> Callable[[], np.ndarray]:
    """Return a function that draws Gaussian points without structure."""
    return lambda: np.random.default_rng(0).standard_normal((n, d))


def structured(n: int, d: int, k: int) -> Callable[[], np.ndarray]:
    """Return a function that draws points around a product of two sparse factors."""

    def draw() -> np.ndarray:
        rng = np.random.default_rng(0)
        left, right = (
            rng.standard_normal(shape) * (rng.random(shape) < 2 / d)
            for shape in ((k, d), (d, d))
        )
        centers = left @ right
        centers /= np.sqrt(np.mean(centers**2))
        return centers[rng.integers(k, size=n)] + rng.standard_normal((n, d))

    return draw


def patches() -> np.ndarray:
    """Return patches of the images of scikit-image: those of the study."""
    return split("patches", 256, 0, 80_000).train


CELLS: dict[str, tuple[Callable[[], np.ndarray], int, int]] = {
    "noise 20000x256 K=256": (noise(20_000, 256), 256, 10),
    "structured 20000x256 K=256": (structured(20_000, 256, 256), 256, 10),
    "patches 12000x256 K=256": (patches, 256, 10),
    "noise 5000x128 K=64": (noise(5000, 128), 64, 100),
    "noise 4000x32 K=50": (noise(4000, 32), 50, 100),
    "digits 1797x64 K=64": (lambda: load_digits().data, 64, 100),
    "digits 1797x64 K=16": (lambda: load_digits().data, 16, 100),
    "noise 100x6 K=8": (noise(100, 6), 8, 100),
    "large noise 20000x1024 K=1024": (noise(20_000, 1024), 1024, 10),
    "large structured 20000x1024": (structured(20_000, 1024, 1024), 1024, 10),
}
"""Points, number of centers and largest number of iterations of each cell."""


def calls(x: np.ndarray, k: int, n_iter: int) -> dict[str, Callable[[], Any]]:
    """Return the fits of one cell, by name."""
    init = x[np.random.default_rng(1).choice(len(x), k, replace=False)]
    tol = 1e-4 if n_iter > 10 else 0.0
    shared: dict[str, Any] = {"init": init, "max_iter": n_iter, "tol": tol}
    return {
        "lloyd": lambda: KMeans(k, n_init=1, **shared).fit(x),
        "elkan": lambda: KMeans(k, n_init=1, algorithm="elkan", **shared).fit(x),
        "ours": lambda: nf.QuicKMeans(k, **shared).fit(x),
    }


def seconds(call: Callable[[], Any]) -> float:
    """Return CPU seconds of one call, the mean of several if they are short."""
    begin, n_calls = time.process_time(), 0
    while n_calls == 0 or time.process_time() - begin < SHORT:
        call()
        n_calls += 1
    return (time.process_time() - begin) / n_calls


def main(rounds: int, names: list[str]) -> None:
    """Print a line for each cell."""
    for name, (draw, k, n_iter) in CELLS.items():
        points = draw()
        for dtype in ("float64", "float32"):
            cell = f"{name} {dtype}"
            found = any(part in cell for part in names)
            if not (found if names else "large" not in cell):
                continue
            fits = calls(points.astype(dtype), k, n_iter)
            model, dense = fits["ours"](), fits["lloyd"]()
            alone = {name: seconds(fits[name]) for name in ("lloyd", "elkan")}
            best = min(alone, key=lambda name: alone[name])
            pairs = [
                (seconds(fits[best]), seconds(fits["ours"])) for _ in range(rounds)
            ]
            theirs, ours = (min(times) for times in zip(*pairs, strict=True))
            middle = statistics.median(own / other for other, own in pairs)
            share = model.nnz_ / model.cluster_centers_.size
            print(
                f"{cell}: {1e3 * ours:.1f} ms, {best} {1e3 * theirs:.1f} ms; ratio "
                f"{ours / theirs:.2f}, by turns "
                f"{middle:.2f}; {model.n_iter_} iterations to {dense.n_iter_}; values "
                f"{share:.3f}; inertia {model.inertia_ / dense.inertia_:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the few iterations end before they converge
    given = sys.argv[1:]
    n_rounds = int(given.pop(0)) if given and given[0].isdecimal() else ROUNDS
    main(n_rounds, given)
