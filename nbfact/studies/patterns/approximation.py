"""Approximation, a part of the study of patterns: errors at equal numbers of non-zeros.

The targets are operators that are no exact product of sparse factors. Every method
may spend the same number of non-zeros on each of them.
"""

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..tools.choices import FIRST_SEED
from ..tools.rows import Row, select, values
from ..tools.work import Job
from .budgeted_methods import FEW_FACTORS, HIERARCHICAL, OURS, PYFAUST, methods
from .instances import FIXED, Instance, attempt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PART, CURVE = "approximation", "budgets"
"""Names of the two parts in the rows: one budget for each target, and many budgets."""

BUDGETS = {
    "Gaussian": 879,
    "DCT": 838,
    "Hartley": 855,
    "graph Fourier": 904,
    "lead field": 915,
    "digits centroids": 970,
}
"""Largest number of non-zeros at n = 64, for each target: a choice, and no result.

It is 13 n to 15 n, about what six factors hold that keep two entries of each row and
column (`SpLinCol`), and was fixed before the methods were compared."""


def budget_of(target: str, n: int) -> int:
    """Return the number of non-zeros that may be spent on a target of order n.

    It is in proportion to n log(n), and that of :data:`BUDGETS` at n = 64.

    Examples
    --------
    >>> budget_of("DCT", 64), budget_of("DCT", 8)
    (838, 52)
    """
    return round(BUDGETS[target] * n * np.log2(n) / (64 * 6))


FLOOR = 1e-4
"""Smallest error that is drawn: smaller ones are drawn at this height."""


@dataclass(frozen=True)
class Sizes:
    """What this part varies.

    Attributes
    ----------
    targets : tuple of str
        Keys of :data:`BUDGETS`.
    seeds : int
        Number of instances of each target that is random.
    n_iter : tuple of int
        Iterations of each split and refinement of the hierarchical baselines.
    curve : tuple of str
        Targets whose error is shown against the relative complexity gain (RCG): the
        number of entries of the matrix over the number of non-zeros.
    gains : tuple of float
        Complexity gains of these curves.
    curve_iter : int
        The same as `n_iter`, for the curves.
    n : int
        Order of the matrices, a power of two; the centroids have 64 columns.
    """

    targets: tuple[str, ...] = tuple(BUDGETS)
    seeds: int = 5
    n_iter: tuple[int, ...] = (30, 200)
    curve: tuple[str, ...] = ("DCT", "graph Fourier", "lead field")
    gains: tuple[float, ...] = (2.0, 4.0, 6.0, 8.0)
    curve_iter: int = 200
    n: int = 64


def jobs(sizes: Sizes, peers: bool) -> list[Job]:
    """Return one job for each method and instance, then those of the curves."""
    n = sizes.n
    at_budget, on_curve = (
        methods(sizes.n_iter, peers),
        methods((sizes.curve_iter,), peers),
    )
    budgets = tuple(round(n * n / gain) for gain in sizes.gains)
    tried = [
        *((PART, target, (budget_of(target, n),)) for target in sizes.targets),
        *((CURVE, target, budgets) for target in sizes.curve),
    ]
    found: list[Job] = []
    for part, target, allowed in tried:
        solvers, seeds = (at_budget, sizes.seeds) if part == PART else (on_curve, 1)
        for budget, (method, solve) in itertools.product(allowed, solvers.items()):
            last = FIRST_SEED + (1 if target in FIXED else seeds)
            for seed in range(FIRST_SEED, last):
                instance = Instance(target, n, seed, nnz=budget)
                label = f"{part}, {method}, {target}, {budget}, {seed}"
                job = functools.partial(attempt, part, method, solve, instance)
                found.append((label, job))
    return found


def within(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have an error, and no more non-zeros than their budget."""
    return [
        row for row in rows if row["error"] is not None and row["nnz"] <= row["budget"]
    ]


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the Pareto front of points (gain, error), by increasing gain.

    A point is on the front when no other one has at least its gain and a smaller error.

    Examples
    --------
    >>> front([(2, 0.1), (4, 0.3), (3, 0.4), (8, 0.5)])
    [(2, 0.1), (4, 0.3), (8, 0.5)]
    """
    kept: list[tuple[float, float]] = []
    for gain, error in sorted(set(points), key=lambda point: (-point[0], point[1])):
        if not kept or error < kept[-1][1]:
            kept.append((gain, error))
    return kept[::-1]


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return errors within the budget, all methods, and the Pareto fronts."""
    chosen = select(rows, part=PART)
    found: dict[str, list[Row]] = {}
    if chosen:
        by_target = {
            target: select(chosen, target=target) for target in values(chosen, "target")
        }
        found["Approximation within the budget"] = [
            _budget_line(target, tried) for target, tried in by_target.items()
        ]
        found["Approximation: all methods"] = [
            _method_line(target, method, select(tried, method=method))
            for target, tried in by_target.items()
            for method in values(tried, "method")
        ]
    for target in values(select(rows, part=CURVE), "target"):
        tried = _on_curve(rows, target)
        by_point = {(_gain(row), row["error"]): row for row in tried}
        found[f"Error against complexity gain, {target}: the Pareto front"] = [
            {"rcg": gain, "error": error, "method": by_point[gain, error]["method"]}
            for gain, error in front(list(by_point))
        ]
    return found


GROUPS = {
    OURS: OURS,
    f"best {HIERARCHICAL}": f"{HIERARCHICAL} ",
    "best palm4msa, few factors": FEW_FACTORS,
    "fixed butterfly": "fixed",
    "largest entries": "largest entries",
    "truncated SVD": "truncated SVD",
    f"best {PYFAUST}": PYFAUST,
}
"""Beginning of the names of the methods that a column of the first table stands for."""


def _budget_line(target, rows):
    """Return the line of one target: the least error of each group of methods."""
    kept = within(rows)
    least = {
        name: _best([row for row in kept if row["method"].startswith(prefix)])
        for name, prefix in GROUPS.items()
    }
    line: Row = {"target": target, "budget": rows[0]["budget"]}
    line |= {name: _spread(errors.values()) for name, errors in least.items()}
    ours, other = least[OURS], least[f"best {HIERARCHICAL}"]
    both = ours.keys() & other.keys()
    smaller = sum(ours[seed] < other[seed] for seed in both)
    line["below the best hierarchical"] = f"{smaller}/{len(both)}"
    return line


def _method_line(target, method, rows):
    """Return the line of one method on one target: medians and ranges of its runs."""
    made = [row for row in rows if row["nnz"]]
    depths = (row["factors"] for row in made if row["factors"])
    return {
        "target": target,
        "method": method,
        "error": _spread(row["error"] for row in made),
        "nnz": _spread((row["nnz"] for row in made), ".0f"),
        "factors": _spread(depths, ".0f"),
        "seconds": _spread((row["seconds"] for row in made), ".2g"),
    }


def _on_curve(rows, target):
    """Return the rows of a curve that a point can be drawn for."""
    curve = select(rows, part=CURVE, target=target)
    return [row for row in curve if row["nnz"] and row["error"]]


def _gain(row):
    """Return the relative complexity gain of a row: entries over non-zeros."""
    return row["n"] ** 2 / row["nnz"]


def _best(rows):
    """Return the least error of each seed."""
    return {
        seed: min(row["error"] for row in select(rows, seed=seed))
        for seed in values(rows, "seed")
    }


def _spread(numbers: Iterable[float], digits: str = ".3g") -> str:
    """Return the median as text, with the least and the largest where they differ."""
    ordered = sorted(numbers)
    if not ordered:
        return ""
    middle = format(float(np.median(ordered)), digits)
    ends = format(ordered[0], digits), format(ordered[-1], digits)
    return middle if len(set(ends)) == 1 else f"{middle} ({ends[0]}..{ends[1]})"


def draw_curve(axes: "Axes", rows: Sequence[Row], target: str) -> None:
    """Draw errors against complexity gains, and the Pareto front of all methods.

    Errors below :data:`FLOOR` are drawn there.
    """
    tried = [
        row | {"error": max(row["error"], FLOOR)} for row in _on_curve(rows, target)
    ]
    points = {}
    for method in values(tried, "method"):
        points[method] = sorted(
            (_gain(row), row["error"]) for row in select(tried, method=method)
        )
        axes.plot(*zip(*points[method], strict=True), ".-", lw=1, label=method)
    best = front([point for found in points.values() for point in found])
    if best:
        axes.step(
            *zip(*best, strict=True), color="k", lw=2.5, alpha=0.25, where="pre",
            label="Pareto front",
        )  # fmt: skip
    axes.set(title=target, yscale="log")
    axes.set_xlabel("relative complexity gain")
    axes.legend(fontsize="xx-small")
