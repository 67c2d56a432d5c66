"""Study of the noise under which the fast Hadamard transform is still found.

The presets of Le Magoarou and Gribonval (IEEE JSTSP 10(4), 2016) find the fast Hadamard
transform exactly. The entries of the Hadamard matrix all have the same modulus,
however, so that the rule of a projection for ties decides which of them are kept. The
study adds noise to the matrix, or permutes its rows, and shows which presets still
succeed.

``nbfact study noise`` took half a minute on one core of a busy AMD EPYC, most of which
was the compilation of the kernels. It writes ``noise.csv``, ``noise.md`` and
``noise.png``.
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
from .tools.choices import PRESETS
from .tools.legends import legend_below
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The Hadamard matrix with noise, and with its rows permuted"
QUESTION = (
    "How much noise may a Hadamard matrix have, so that the presets of the "
    "literature still find its fast transform, and do they find it when its rows "
    "are permuted?"
)
PICTURE = (
    "The picture shows the median and the range of the relative error against the "
    "noise; lower is better."
)
NOTES = """\
- The noise E = default_rng(seed).standard_normal is scaled to a Frobenius norm of
  `noise` times that of the Hadamard matrix H. The error is that to H without noise.
- In the column "permuted" the rows of H are permuted by
  default_rng(100 + seed).permutation, and the error is that to the permuted matrix.
- Cells are the median over seeds, and the worst error in parentheses. The acceptance
  data from FAµST follow the same protocol."""

PERMUTED = "permuted"
"""Value of the column ``noise`` for the matrix with permuted rows, without noise."""

PARALLEL = True


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    n : int
        Order of the Hadamard matrix, a power of two.
    noises : tuple of float
        Relative noises.
    seeds : int
        Number of seeds; without noise there is only one.
    """

    n: int = 32
    noises: tuple[float, ...] = (0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
    seeds: int = 5


FULL = Settings()
QUICK = Settings(seeds=2)


def instance(n: int, noise: float | str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix to factor, and the one that its approximation is compared with.

    Parameters
    ----------
    n : int
        Order of the Hadamard matrix.
    noise : float or "permuted"
        Relative noise, or :data:`PERMUTED` for permuted rows without noise.
    seed : int
        Seed of the noise. The seed of the permutation is larger by 100.

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
    if isinstance(noise, str):
        permuted = clean[np.random.default_rng(100 + seed).permutation(n)]
        return permuted, permuted
    return noisy(clean, noise, random_state=seed), clean


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each method, noise and seed."""
    methods: dict[str, Callable] = {}
    for preset in PRESETS:
        methods[f"nbfact {preset}"] = functools.partial(_nbfact, preset)
    if peers:
        for preset in PRESETS:
            for backend in faust.BACKENDS:
                name = f"pyfaust {backend} {preset}"
                methods[name] = functools.partial(_pyfaust, preset, backend)
    found: list[Job] = []
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


def _nbfact(preset, target):
    return hierarchical(target, preset).operator


def _pyfaust(preset, backend, target):
    return faust.hierarchical(target, preset, backend)()


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the median and the worst error: a line a method, a column a noise."""
    lines = []
    for method in values(rows, "method"):
        line = {"method": method}
        for noise in values(rows, "noise"):
            errors = _errors(rows, method, noise)
            line[str(noise)] = f"{np.median(errors):.2g} ({max(errors):.2g})"
        lines.append(line)
    return {TITLE: lines}


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the median and range of the errors against the noise."""
    axes = figure.subplots()
    noises = values(rows, "noise")
    # The permuted matrix stands apart at the right, because it has no noise.
    places = np.array([i + 0.7 * (noise == PERMUTED) for i, noise in enumerate(noises)])
    level = [noise != PERMUTED for noise in noises]
    for method in values(rows, "method"):
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
    legend_below(figure, [axes])


def _errors(rows, method, noise):
    return [row["error"] for row in select(rows, method=method, noise=noise)]
