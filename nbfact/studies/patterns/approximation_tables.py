"""Tables and pictures of the approximation part of the study of patterns."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..tools.rows import Row, select, values
from .approximation import ABLATION, COURSE, OURS, PART, WHOLE
from .budgeted_methods import CLOSED
from .equal_compute import SHARES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAME = 1e-9
"""Error below which two are the same: both are exact."""


def smaller(error: float, other: float) -> bool:
    """Return whether an error is smaller than another one by more than rounding.

    Examples
    --------
    >>> smaller(0.1, 0.2), smaller(1e-16, 1e-15), smaller(0.2, 0.2 * (1 + 1e-12))
    (True, False, False)
    """
    return error < other * (1 - SAME) and other > SAME


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return what was spent, and the errors of ablations."""
    found: dict[str, list[Row]] = {}
    tried = select(rows, part=PART)
    if tried:
        found["Compute: CPU seconds over those of learn_transform, and runs"] = [
            _compute(method, tried) for method in values(tried, "method")
        ]
    changed = select(rows, part=ABLATION)
    for n in values(changed, "n"):
        some = select(changed, n=n)
        found[f"Ablations: errors of explorations, n = {n}"] = [
            _ablated(target, select(some, target=target))
            for target in values(some, "target")
        ]
    return found


def _by_seed(rows, method):
    """Return the error of a method on each instance that it has a result for."""
    tried = select(rows, method=method)
    return {row["seed"]: row["error"] for row in tried if row["error"] is not None}


def _compute(method, rows):
    """Return the line of one method: what it spent, and how often it ran."""
    tried = [row for row in select(rows, method=method) if row["seconds"] is not None]
    shares = sorted(row["share"] for row in tried)
    line: Row = {"method": method, "instances": len(tried)}
    line["share"] = spread(shares)
    within = sum(abs(share - 1) <= 0.1 for share in shares)
    line["within a tenth"] = "" if method in CLOSED else f"{within}/{len(shares)}"
    line["runs"] = spread((row["trials"] for row in tried), ".0f")
    line["CPU seconds"] = spread((row["seconds"] for row in tried), ".2g")
    return line


def _ablated(target, rows):
    """Return the line of one target: errors of explorations with a part changed."""
    whole = _by_seed(rows, WHOLE)
    line: Row = {"target": target, "instances": len(whole)}
    for method in values(rows, "method"):
        errors = _by_seed(rows, method)
        line[method] = spread(errors.values())
        if method != WHOLE:
            worse = sum(smaller(whole[seed], errors[seed]) for seed in errors)
            better = sum(smaller(errors[seed], whole[seed]) for seed in errors)
            line[method] += f", {worse} worse {better} better"
    return line


def spread(numbers: Iterable[float], digits: str = ".3g") -> str:
    """Return the median as text, with the least and the largest where they differ.

    Examples
    --------
    >>> spread([0.1, 0.3, 0.2]), spread([2, 2], ".0f"), spread([])
    ('0.2 (0.1..0.3)', '2', '')
    """
    ordered = sorted(numbers)
    if not ordered:
        return ""
    middle = format(float(np.median(ordered)), digits)
    ends = format(ordered[0], digits), format(ordered[-1], digits)
    return middle if len(set(ends)) == 1 else f"{middle} ({ends[0]}..{ends[1]})"


def draw_course(axes: "Axes", rows: Sequence[Row], n: int) -> None:
    """Draw errors against CPU seconds, both over those that learn_transform ends with.

    Each line is the geometric mean over the instances that learn_transform does not
    solve exactly.
    """
    tried = select(rows, part=PART, n=n)
    ours = {
        (row["target"], row["seed"]): row["error"]
        for row in select(tried, method=OURS)
        if row["error"] is not None and row["error"] > SAME
    }
    for index, method in enumerate(values(tried, "method")):
        some = [
            row
            for row in select(tried, method=method)
            if row["error"] and (row["target"], row["seed"]) in ours
        ]
        if not some or len(some) < len(ours) or method in CLOSED:
            continue  # a mean over fewer instances would be another figure
        ratios = [
            [
                row[name] / ours[row["target"], row["seed"]]
                for name in (*COURSE, "error")
            ]
            for row in some
        ]
        means = np.exp(np.mean(np.log(ratios), axis=0))
        line = "o-" if method == OURS else ("x--" if index % 2 else ".-")
        axes.plot((*SHARES, 1.0), means, line, lw=1, label=method)
    axes.set(xscale="log", yscale="log", title=f"error against compute, n = {n}")
    axes.set_xticks((*SHARES, 1.0), [f"{share:g}" for share in (*SHARES, 1.0)])
    axes.set_xticks((), minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_xlabel("CPU seconds, over those of learn_transform")
