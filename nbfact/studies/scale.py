"""Study of the scale λ of a factorization: the evidence for the default of ``scaling``.

It examines when palm4MSA (Le Magoarou and Gribonval, IEEE JSTSP 10(4), 2016) had best
fit the scale λ: after each sweep, as in the paper, after each factor, or with balanced
factors. Each option meets the same targets, several instances of each, with the same
sets and the same number of sweeps.

``nbfact study scale`` took 6 minutes on one core of a busy AMD EPYC, and 11 s with
``--quick``; ``--n-jobs 2`` spreads it over two processes. It writes ``scale.csv``,
``scale.md`` and ``scale.png``.
"""

import functools
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import targets
from ..algorithms import hierarchical, palm4msa, refine
from ..constraints import SkPerm, Sp, SpLin, SpLinCol
from ..metrics import relative_error
from .tools.choices import SCALINGS
from .tools.legends import legend_below
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Error with each way to treat the scale"
QUESTION = (
    "When should `palm4msa` fit the scale λ of a factorization: after each sweep, "
    "after each factor, or with balanced factors?"
)
PICTURE = (
    "The picture shows the median and the range of the relative error of each "
    "option on each target, with a panel for each method; lower is better."
)
NOTES = """\
- Relative errors are the median over instances (least..largest), at equal numbers of
  sweeps and of non-zeros.
- wins counts the instances where an option has the least error, or is within 1e-6 of
  it.
- The last line of each method is over all targets: the geometric mean of the error of
  an option over the least error of all options on the same instance (errors below 1e-12
  count as 1e-12), and all wins.
- "refined" means after `refine`.
- The number of factors J is log2(n) where k = 2, and 3 where k = 4. Sp keeps k n
  entries."""

BEST = 1e-6
"""Relative difference to the least error up to which an option also wins."""

FLOOR = 1e-12
"""Smallest error that the geometric mean distinguishes: below it is rounding."""

PARALLEL = True


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    n : int
        Order of the targets.
    seeds : int
        Number of instances of each target.
    n_iter : int
        Number of sweeps of `palm4msa`.
    levels : (int, int)
        Numbers of iterations of each split and each refinement of `hierarchical`.
    methods, targets : tuple of str
        Names of methods and of targets; an empty tuple means all of them.
    """

    n: int = 32
    seeds: int = 5
    n_iter: int = 200
    levels: tuple[int, int] = (30, 30)
    methods: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


FULL = Settings()
QUICK = Settings(
    seeds=2,
    n_iter=50,
    levels=(15, 15),
    methods=("palm SpLin k=4", "palm SkPerm k=2", "hierarchical SpLinCol"),
)


def _gaussian(n, rng):
    return rng.standard_normal((n, n))


def _permuted(name, n, rng):
    """Return a named transform with its rows and columns randomly permuted."""
    return targets.permuted(getattr(targets, name)(n), rng)


def _graph_fourier(n, rng):
    return targets.graph_fourier(n, "geometric", random_state=rng)


def _leadfield(n, rng):
    return targets.leadfield(n, n, random_state=rng)


def _planted(n, rng):
    return targets.planted(n, 3, 4, random_state=rng)


def _lowrank(n, rng):
    """Return a matrix of low rank plus noise, as centroids of clusters are."""
    rank = max(1, n // 8)
    low = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n))
    return low + 0.3 * np.sqrt(rank) * rng.standard_normal((n, n))


def _digits(n, rng):
    """Return n centroids of handwritten digits, at half their width: 32 pixels."""
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_digits

    images = load_digits().data.reshape(-1, 8, 4, 2).mean(-1).reshape(-1, 32)
    seed = int(rng.integers(2**31))
    return KMeans(n, n_init=1, random_state=seed).fit(images).cluster_centers_


def families(n: int) -> dict[str, Callable[[int, np.random.Generator], np.ndarray]]:
    """Return the kinds of targets, by name.

    Parameters
    ----------
    n : int
        Order of the targets. Centroids of digits exist at n = 32 only, and where
        scikit-learn is installed; elsewhere matrices of low rank take their place.

    Returns
    -------
    dict of str to callable
        Functions that return a target, given its order and a random generator.

    Examples
    --------
    >>> len(families(8))
    8
    """
    found: dict[str, Callable] = {
        "gaussian": _gaussian,
        "dct": functools.partial(_permuted, "dct"),
        "hartley": functools.partial(_permuted, "hartley"),
        "graph fourier": _graph_fourier,
        "lead field": _leadfield,
        "planted": _planted,
        "hadamard permuted": functools.partial(_permuted, "hadamard"),
    }
    if n == 32 and importlib.util.find_spec("sklearn"):
        found["digits"] = _digits
    else:
        found["low rank + noise"] = _lowrank
    return found


def _palm(make_set, depth, settings, target, scaling):
    sets = [make_set(settings.n)] * depth
    return palm4msa(target, sets, n_iter=settings.n_iter, scaling=scaling)


def _hierarchical(make_set, settings, target, scaling):
    n = settings.n
    kept = [max(n >> level, 2) for level in range(1, _log2(n))]
    return hierarchical(
        target,
        [make_set(n, 2) for _ in kept],
        [make_set(n, k) for k in kept],
        n_iter=settings.levels,
        order="right-to-left",
        scaling=scaling,
    )


def _log2(n):
    return max(n.bit_length() - 1, 2)


def _sp(n, k):
    return Sp((n, n), k * n)


def _splin(n, k):
    return SpLin((n, n), k)


def _skperm(n, k):
    return SkPerm((n, n), k)


def _splincol(n, k):
    return SpLinCol((n, n), k)


def methods(settings: Settings) -> dict[str, Callable]:
    """Return the methods: functions of a target and of a value of ``scaling``."""
    found: dict[str, Callable] = {}
    for name, make in (("SpLin", _splin), ("SkPerm", _skperm), ("Sp", _sp)):
        for k, depth in ((2, _log2(settings.n)), (4, 3)):
            one = functools.partial(make, k=k)
            found[f"palm {name} k={k}"] = functools.partial(_palm, one, depth, settings)
    for name, make in (("SpLinCol", _splincol), ("Sp", _sp)):
        solve = functools.partial(_hierarchical, make, settings)
        found[f"hierarchical {name}"] = solve
    chosen = settings.methods or tuple(found)
    return {name: found[name] for name in chosen}


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each method, target and instance, with all options."""
    found: list[Job] = []
    made = families(settings.n)
    for method, solve in methods(settings).items():
        for name in settings.targets or made:
            for seed in range(settings.seeds):
                job = functools.partial(
                    _rows, method, solve, name, made[name], settings.n, seed
                )
                found.append((f"{method}, {name}, seed {seed}", job))
    return found


def _rows(method, solve, name, make, n, seed):
    """Return the rows of one method on one instance, as found and after `refine`."""
    target = make(n, np.random.default_rng(seed))
    rows = []
    for scaling in SCALINGS:
        result = solve(target, scaling)
        common = {"target": name, "seed": seed, "scaling": scaling}
        rows.append(_row(method, common, target, result))
        rows.append(_row(f"{method}, refined", common, target, refine(result)))
    return rows


def _row(method, common, target, result):
    error = relative_error(target, result.operator)
    return {"method": method, **common, "error": error, "nnz": result.operator.nnz}


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return a table for each method, with a line a target and a column an option."""
    found = {}
    options = values(rows, "scaling")
    for method in values(rows, "method"):
        lines, logs, total = [], [], np.zeros(len(options), int)
        for name in values(rows, "target"):
            errors = _errors(rows, method, name, options)
            least = errors.min(axis=0)
            wins = (errors <= least * (1 + BEST) + FLOOR).sum(axis=1)
            line = {"target": name}
            for option, own in zip(options, errors, strict=True):
                middle = f"{np.median(own):.3g}"
                line[option] = f"{middle} ({own.min():.3g}..{own.max():.3g})"
            lines.append({**line, "wins": _counts(wins)})
            logs.append(np.log(np.maximum(errors, FLOOR) / np.maximum(least, FLOOR)))
            total += wins
        means = np.exp(np.concatenate(logs, axis=1).mean(axis=1))
        over = {o: f"{mean:.3f}" for o, mean in zip(options, means, strict=True)}
        lines.append({"target": "all, over the least", **over, "wins": _counts(total)})
        found[f"{TITLE}: {method}"] = lines
    return found


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the median and range of each target and option, in a panel a method."""
    names, options = values(rows, "target"), values(rows, "scaling")
    labels = values(rows, "method")
    across = min(4, len(labels))
    down = -(-len(labels) // across)
    figure.set_size_inches(3.5 * across, 3.2 * down + 1)
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes, method in zip(panels, labels, strict=False):
        for index, option in enumerate(options):
            errors = [_errors(rows, method, name, [option])[0] for name in names]
            found = np.maximum(errors, 1e-16)
            middle = np.median(found, axis=1)
            spread = middle - found.min(axis=1), found.max(axis=1) - middle
            places = np.arange(len(names)) + 0.15 * (index - (len(options) - 1) / 2)
            axes.errorbar(places, middle, spread, fmt="o", capsize=2, label=option)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)
        axes.set_title(method, fontsize="small")
    for axes in panels[len(labels) :]:
        axes.set_visible(False)
    panels[0].set_ylabel("relative error")
    legend_below(figure, panels)


def _errors(rows, method, name, options):
    """Return the errors of a method on a target, (number of options, of instances)."""
    own = select(rows, method=method, target=name)
    return np.array(
        [[row["error"] for row in select(own, scaling=option)] for option in options]
    )


def _counts(wins):
    """Return counts as text, one for each option."""
    return " / ".join(map(str, wins))
