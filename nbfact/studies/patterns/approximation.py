"""Part of the study of patterns: operators that are no product, at equal non-zeros."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from ... import algorithms
from ...cases.rivals import faust
from ...constraints import Sp, SpLinCol
from ...operators import Butterfly, FactorProduct
from ..tools.result_files import Row
from ..tools.work import Job
from .instances import FIXED, JUDGED, Instance, Solve, attempt, select, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PART, CURVE = "approximation", "budgets"
BUDGETS = {
    "Gaussian": 879,
    "DCT": 838,
    "Hartley": 855,
    "graph Fourier": 904,
    "lead field": 915,
    "digits centroids": 970,
}
"""Non-zeros that may be spent at n = 64: those of FAµST in the prototypes."""


def budget_of(target: str, n: int) -> int:
    """Return what may be spent: as :data:`BUDGETS` do, in proportion to n log(n).

    Examples
    --------
    >>> budget_of("DCT", 64), budget_of("DCT", 8)
    (838, 52)
    """
    return round(BUDGETS[target] * n * np.log2(n) / (64 * 6))


QUOTED = dict(zip(BUDGETS, (0.684, 0.678, 0.674, 0.291, 0.127, 0.236), strict=True))
"""The best of nine runs of FAµST in the prototypes (algorithms.md, C.6): instances of
their own, which differ from these for graphs, lead fields and Gaussian matrices."""

FLOOR = 1e-4  # of errors, as drawn
OURS = "learn_transform"


@dataclass(frozen=True)
class Sizes:
    """Instances of each target, iterations of the baselines, budgets of the curve.

    Attributes
    ----------
    targets : tuple of str
    seeds : int
        Where the target is random.
    n_iter : tuple of int
    curve : tuple of str
        Targets of error against complexity gain.
    gains : tuple of float
    curve_iter : int
    n : int
        Order, a power of two; centroids have 64 columns.
    """

    targets: tuple[str, ...] = tuple(BUDGETS)
    seeds: int = 5
    n_iter: tuple[int, ...] = (30, 200)
    curve: tuple[str, ...] = ("DCT", "graph Fourier", "lead field")
    gains: tuple[float, ...] = (2.0, 4.0, 6.0, 8.0)
    curve_iter: int = 200
    n: int = 64


def _learn(target, instance, seed):
    return algorithms.learn_transform(target, nnz=instance.nnz, random_state=seed)


def _fixed(target, instance, seed):
    found = algorithms.butterfly_factorize(target, permutation="search").operator
    factors = Butterfly(found.chain, found.values).to_factors().factors
    if found.rows is not None:
        factors[0] = factors[0][np.argsort(found.rows)]
    if found.columns is not None:
        factors[-1] = factors[-1][:, np.argsort(found.columns)]
    return algorithms.refine(factors, target)


def _svd(target, instance, seed):
    """Return the truncated SVD with as many values."""
    rank = max(instance.nnz // sum(target.shape), 1)
    left, values_, right = np.linalg.svd(target, full_matrices=False)
    kept = left[:, :rank] * values_[:rank], right[:rank]
    return FactorProduct([scipy.sparse.csr_array(part) for part in kept])


def _largest(target, instance, seed):
    """Return the largest entries as they are: one sparse factor."""
    kept = Sp(target.shape, instance.nnz, normalized=False).project(target.copy())
    return FactorProduct([scipy.sparse.csr_array(kept)])


def sets(kind: str, n: int, nnz: int) -> tuple[list, list]:
    """Return the sets of log2(n) factors of the literature, for `hierarchical`.

    Parameters
    ----------
    kind : {"sp", "splincol"}
        "sp": the budget shared out evenly, residuals of n² / 2^l entries at level l.
        "splincol": 2 entries a row and a column, whatever the budget.
    n, nnz : int
        Order, budget.

    Returns
    -------
    factors, residuals : list of constraints

    Examples
    --------
    >>> [one.k for part in sets("sp", 8, 50) for one in part]
    [16, 16, 32, 18]
    """
    shape, n_factors = (n, n), n.bit_length() - 1
    entries = [n >> level for level in range(1, n_factors)]
    if kind == "splincol":
        residuals = [SpLinCol(shape, k) for k in entries]
        return [SpLinCol(shape, 2)] * (n_factors - 1), residuals
    each = nnz // n_factors
    last = nnz - each * (n_factors - 1)
    residuals = [Sp(shape, max(n * k, each)) for k in entries[:-1]] + [Sp(shape, last)]
    return [Sp(shape, each)] * (n_factors - 1), residuals


def _hierarchical(kind, side, n_iter, target, instance, seed):
    lists = sets(kind, instance.n, instance.nnz)
    return algorithms.refine(
        algorithms.hierarchical(
            target, *lists, n_iter=(n_iter, n_iter), residual_side=side
        )
    )


def _theirs(kind, side, n_iter, target, instance, seed):
    lists = sets(kind, instance.n, instance.nnz)
    found = faust.levels(target, *lists, n_iter, side, 2020)()
    return algorithms.refine([scipy.sparse.csr_array(part) for part in found], target)


def _palm(count, target, instance, seed):
    """Run `palm4msa` with few factors, polished: what the number of factors does."""
    n, each = instance.n, instance.nnz // count
    found = algorithms.palm4msa(
        target, [Sp((n, n), each)] * count, n_iter=1000, keep="best"
    )
    return algorithms.refine(found)


KINDS = (("splincol", "right"), ("sp", "left"), ("sp", "right"))


def baselines(n_iter: Sequence[int], solve: Solve, prefix: str) -> dict[str, Solve]:
    """Return runs of `hierarchical`, polished by `refine`: three for each n_iter."""
    return {
        f"{prefix} {kind} {side} {count}": functools.partial(solve, kind, side, count)
        for (kind, side), count in itertools.product(KINDS, n_iter)
    }


NINE, THEIRS, FEW = "hierarchical", "pyfaust hierarchical", "palm4msa, factors:"


def methods(n_iter: Sequence[int], peers: bool) -> dict[str, Solve]:
    """Return what is tried: a new method is a line here."""
    return {
        OURS: _learn,
        **baselines(n_iter, _hierarchical, NINE),
        **{f"{FEW} {count}": functools.partial(_palm, count) for count in (2, 3)},
        "fixed butterfly, search, refined": _fixed,
        "largest entries": _largest,
        "truncated SVD": _svd,
        **(baselines(n_iter, _theirs, THEIRS) if peers else {}),
    }


def jobs(sizes: Sizes, peers: bool) -> list[Job]:
    """Return one job for each method and instance, then those of the curve."""
    n, solvers = sizes.n, methods(sizes.n_iter, peers)
    tried = [
        (PART, solvers, target, (budget_of(target, n),), sizes.seeds)
        for target in sizes.targets
    ]
    budgets = [round(n * n / gain) for gain in sizes.gains]
    curve = methods((sizes.curve_iter,), peers)
    tried += [(CURVE, curve, target, budgets, 1) for target in sizes.curve]
    found = []
    for part, solvers, target, budgets, seeds in tried:
        for budget, (method, solve) in itertools.product(budgets, solvers.items()):
            for seed in range(JUDGED, JUDGED + (1 if target in FIXED else seeds)):
                instance = Instance(target, n, seed, nnz=budget)
                label = f"{part}, {method}, {target}, {budget}, {seed}"
                job = functools.partial(attempt, part, method, solve, instance)
                found.append((label, job))
    return found


def within(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have an error, and at most as many non-zeros as allowed."""
    return [
        row for row in rows if row["error"] is not None and row["nnz"] <= row["budget"]
    ]


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points (gain, error) than which none has more gain and less error.

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
    """Return errors within the budget, targets down; all methods; the Pareto fronts."""
    chosen = select(rows, part=PART)
    found = {}
    if chosen:
        lines, every = [], []
        for target in values(chosen, "target"):
            tried = select(chosen, target=target)
            groups = {
                OURS: lambda name: name == OURS,
                f"best {NINE}": lambda name: name.startswith(f"{NINE} "),
                "best palm4msa, few factors": lambda name: name.startswith(FEW),
                "fixed butterfly": lambda name: name.startswith("fixed"),
                "largest entries": lambda name: name == "largest entries",
                "truncated SVD": lambda name: name == "truncated SVD",
                f"best {THEIRS}": lambda name: name.startswith(THEIRS),
            }
            line: Row = {"target": target, "budget": tried[0]["budget"]}
            for name, belongs in groups.items():
                one = [row for row in within(tried) if belongs(row["method"])]
                line[name] = _spread(_best(one).values())
            ours, nine = (
                _best([row for row in within(tried) if belongs(row["method"])])
                for belongs in itertools.islice(groups.values(), 2)
            )
            both = ours.keys() & nine.keys()
            beaten = sum(ours[seed] < nine[seed] for seed in both)
            line["below the best hierarchical"] = f"{beaten}/{len(both)}"
            line["FAµST, quoted"] = QUOTED[target]
            lines.append(line)
            for method in values(tried, "method"):
                row = {"target": target, "method": method}
                made = [one for one in select(tried, method=method) if one["nnz"]]
                row["error"] = _spread(one["error"] for one in made)
                row["nnz"] = _spread((one["nnz"] for one in made), ".0f")
                depths = (one["factors"] for one in made if one["factors"])
                row["factors"] = _spread(depths, ".0f")
                row["seconds"] = _spread((one["seconds"] for one in made), ".2g")
                every.append(row)
        found["Approximation within the budget"] = lines
        found["Approximation: all methods"] = every
    curve = select(rows, part=CURVE)
    for target in values(curve, "target"):
        tried = [
            row for row in select(curve, target=target) if row["nnz"] and row["error"]
        ]
        by_point = {(_gain(row), row["error"]): row for row in tried}
        found[f"Error against complexity gain, {target}: the Pareto front"] = [
            {"rcg": gain, "error": error, "method": by_point[gain, error]["method"]}
            for gain, error in front(list(by_point))
        ]
    return found


def _gain(row):
    return row["n"] ** 2 / row["nnz"]


def _best(rows):
    """Return the least error of each seed."""
    return {
        seed: min(row["error"] for row in select(rows, seed=seed))
        for seed in values(rows, "seed")
    }


def _spread(numbers, digits=".3g"):
    """Return the median, and the least and the largest where they differ."""
    numbers = sorted(numbers)
    if not numbers:
        return ""
    middle = format(float(np.median(numbers)), digits)
    ends = format(numbers[0], digits), format(numbers[-1], digits)
    return middle if len(set(ends)) == 1 else f"{middle} ({ends[0]}..{ends[1]})"


def draw_curve(axes: "Axes", rows: Sequence[Row], target: str) -> None:
    """Draw errors against complexity gains, and the Pareto front of all.

    Errors below 1e-4 are drawn there.
    """
    tried = [
        row
        for row in select(rows, part=CURVE, target=target)
        if row["nnz"] and row["error"]
    ]
    points = {}
    drawn = [max(row["error"], FLOOR) for row in tried]
    tried = [row | {"error": error} for row, error in zip(tried, drawn, strict=True)]
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
