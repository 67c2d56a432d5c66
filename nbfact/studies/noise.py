"""How much noise the fast Hadamard transform is still found under.

The presets find it exactly, but its entries tie in modulus, and which of them a
projection keeps is then decided by a rule for ties, not by the matrix.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..algorithms import hierarchical
from ..cases.rivals import faust
from ..metrics import relative_error
from ..targets import hadamard, noisy
from .tools.options import PRESETS
from .tools.result_files import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The Hadamard matrix with noise, and with its rows permuted"
NOTES = """\
Noise E = default_rng(seed).standard_normal, scaled to a Frobenius norm of `noise` times
that of H; the error is that to the clean H. Rows permuted by
default_rng(100 + seed).permutation; the error is that to the permuted matrix. Cells:
median over seeds, and the worst. FAµST's acceptance data follow the same protocol."""

PERMUTED = "permuted"


PARALLEL = True


@dataclass(frozen=True)
class Settings:
    """Order, relative noises, number of seeds; noise 0 needs one only."""

    n: int = 32
    noises: tuple[float, ...] = (0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
    seeds: int = 5


FULL = Settings()
QUICK = Settings(seeds=2)


def instance(n: int, noise: float | str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix to factor, and that its approximation is compared with.

    Parameters
    ----------
    n : int
        Order.
    noise : float or "permuted"
        Relative to H, or rows permuted.
    seed : int
        Of the noise; 100 less than that of the permutation.

    Returns
    -------
    target, clean : ndarray, (n, n)

    Examples
    --------
    >>> target, clean = instance(4, 0.1, 0)
    >>> round(float(np.linalg.norm(target - clean) / np.linalg.norm(clean)), 12)
    0.1
    """
    clean = hadamard(n)
    if noise == PERMUTED:
        permuted = clean[np.random.default_rng(100 + seed).permutation(n)]
        return permuted, permuted
    return noisy(clean, noise, random_state=seed), clean


def jobs(settings: Settings, peers: bool) -> list[tuple[str, Callable[[], list[Row]]]]:
    """Return one job for each method, noise and seed."""
    methods: dict[str, Callable] = {}
    for preset in PRESETS:
        methods[f"nbfact {preset}"] = functools.partial(_ours, preset)
    if peers:
        for preset in PRESETS:
            for backend in faust.BACKENDS:
                name = f"pyfaust {backend} {preset}"
                methods[name] = functools.partial(_theirs, preset, backend)
    found = []
    for method, solve in methods.items():
        for noise in (*settings.noises, PERMUTED):
            for seed in range(1 if noise == 0 else settings.seeds):
                job = functools.partial(_rows, settings.n, method, solve, noise, seed)
                found.append((f"{method}, noise {noise}, seed {seed}", job))
    return found


def _rows(n, method, solve, noise, seed):
    target, clean = instance(n, noise, seed)
    error = relative_error(clean, solve(target))
    return [{"method": method, "noise": noise, "seed": seed, "error": error}]


def _ours(preset, target):
    return hierarchical(target, preset).operator


def _theirs(preset, backend, target):
    return faust.hierarchical(target, preset, backend)()


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the median and the worst, methods down, noises across."""
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        line = {"method": method}
        for noise in dict.fromkeys(row["noise"] for row in rows):
            errors = _errors(rows, method, noise)
            line[str(noise)] = f"{np.median(errors):.2g} ({max(errors):.2g})"
        lines.append(line)
    return {TITLE: lines}


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw medians and ranges against the noise."""
    axes = figure.subplots()
    noises = list(dict.fromkeys(row["noise"] for row in rows))
    # Permuted rows stand at the right, apart: that is no noise.
    places = np.array([i + 0.7 * (noise == PERMUTED) for i, noise in enumerate(noises)])
    level = [noise != PERMUTED for noise in noises]
    for method in dict.fromkeys(row["method"] for row in rows):
        found = [np.maximum(_errors(rows, method, noise), 1e-17) for noise in noises]
        middle = np.array([np.median(errors) for errors in found])
        spread = (
            middle - [errors.min() for errors in found],
            [errors.max() for errors in found] - middle,
        )
        points = axes.errorbar(places, middle, spread, fmt="o", capsize=3, label=method)
        axes.plot(places[level], middle[level], color=points[0].get_color())
    axes.set_xticks(places, [str(noise) for noise in noises])
    axes.set(
        yscale="log", xlabel="relative noise", ylabel="relative error", title=TITLE
    )
    axes.legend(fontsize="small")


def _errors(rows, method, noise):
    return [
        row["error"]
        for row in rows
        if row["method"] == method and row["noise"] == noise
    ]
