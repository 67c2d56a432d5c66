"""The page of the study of patterns: what it says first, and tables that fit on it."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..tools.intervals import rate_text
from ..tools.rows import Row, select, values
from . import approximation, exploration, recovery
from .approximation_tables import SAME, smaller
from .budgeted_methods import PEERS
from .instances import EXACT

Key = tuple[str, int, int]
"""A target, an order and a seed."""

CLOSE, NOISY = 1.2, 1e-2
"""Error, as a multiple of the noise, up to which a recovery counts as closer, and the
least noise for which that is asked."""

DEFAULT_LEAK = "leak 0.99 to 0.9"
"""The row of the exploration with the leak that `explore` has by default."""


def errors_by_key(rows: Sequence[Row], part: str) -> dict[Key, dict[str, float]]:
    """Return the errors of the methods on each instance of a part, by their names."""
    found: dict[Key, dict[str, float]] = {}
    for row in select(rows, part=part):
        if row["error"] is not None:
            key = row["target"], row["n"], row["seed"]
            found.setdefault(key, {})[row["method"]] = row["error"]
    return found


def beside_ours(rows: Sequence[Row]) -> dict[Key, tuple[float, float, str]]:
    """Return our error, the least other one and its method for each instance."""
    found = {}
    for key, errors in errors_by_key(rows, approximation.PART).items():
        others = [(error, name) for name, error in errors.items()]
        others = [one for one in others if one[1] != approximation.OURS]
        if approximation.OURS in errors and others:
            found[key] = errors[approximation.OURS], *min(others)
    return found


def geometric_mean(numbers: Sequence[float]) -> float:
    """Return the geometric mean of positive numbers.

    Examples
    --------
    >>> round(geometric_mean([1, 4]), 6)
    2.0
    """
    return float(np.exp(np.mean(np.log(numbers))))


def opening(rows: Sequence[Row]) -> str:
    """Return the sentences that the page begins with, each of a part that has rows."""
    parts = (_compared, _ratios, _leaks, _recovered, _safeguard)
    return " ".join(text for part in parts if (text := part(rows)))


def _compared(rows):
    """Say on how many instances no other method was better."""
    beside = beside_ours(rows)
    if not beside:
        return ""
    won = [not smaller(other, ours) for ours, other, _ in beside.values()]
    equal = sum(
        not smaller(other, ours) and not smaller(ours, other)
        for ours, other, _ in beside.values()
    )
    targets = len({target for target, *_ in beside})
    orders = ", ".join(map(str, sorted({n for _, n, _ in beside})))
    return (
        "No other method has a smaller error than `learn_transform` on "
        f"{sum(won)} of {len(won)} instances "
        f"({targets} target{'s' * (targets != 1)}, n = {orders}; "
        f"on {equal} of them another method is equal)."
    )


def _ratios(rows):
    """Say how much larger the least other error is."""
    inexact = {
        key: (other / ours, method)
        for key, (ours, other, method) in beside_ours(rows).items()
        if ours > SAME
    }
    if not inexact:
        return ""
    ratios = sorted((ratio, key[0], name) for key, (ratio, name) in inexact.items())
    mean = geometric_mean([ratio for ratio, *_ in ratios])
    least, most = (
        f"{ratio:.2f} times ({target}: {name})"
        for ratio, target, name in (ratios[0], ratios[-1])
    )
    return (
        f"On the {len(ratios)} instances that it does not solve exactly, the error of "
        f"the best other method is {mean:.2f} times as large in the geometric mean, "
        f"from {least} to {most}."
    )


def _leaks(rows):
    """Say what the leak is for."""
    found = [
        errors["leak 0"] / errors[approximation.WHOLE]
        for errors in errors_by_key(rows, approximation.ABLATION).values()
        if errors.get(approximation.WHOLE, 0) > SAME and "leak 0" in errors
    ]
    if not found:
        return ""
    return (
        "It explores with a leak, that is, it remembers a part of what each projection "
        "drops; without a leak, explorations from the same starts end with "
        f"{geometric_mean(found):.2f} ({min(found):.2f} to {max(found):.2f}) times the "
        f"error (geometric mean, least to largest, of {len(found)} instances)."
    )


def _recovered(rows):
    """Say how often permutations were found."""
    tried = select(rows, part=recovery.PART, method=recovery.OURS)
    if not tried:
        return ""
    good = sum(bool(row["success"]) for row in tried)
    orders = sorted(set(values(tried, "n")))
    return (
        f"`identify_butterfly` found the unknown permutations of {good} of "
        f"{len(tried)} permuted butterflies (n = {orders[0]} to {orders[-1]}, noise "
        f"up to {max(values(tried, 'noise')):g})."
    )


def _safeguard(rows):
    """Say how often the exploration alone was worse than PALM."""
    tried = select(rows, part=exploration.PART)
    runs = len(select(tried, method=DEFAULT_LEAK))
    if not runs:
        return ""
    return (
        "`explore` also runs palm4MSA, the method of the literature, and returns the "
        "better of both results; alone, its exploration ended with a larger error than "
        "palm4MSA from the same start on "
        f"{exploration.worse(tried, DEFAULT_LEAK)} of {runs} runs."
    )


def measured(rows: Sequence[Row], planned: Sequence[str]) -> list[Row]:
    """Return how much of the full study was run, and by which version.

    Parameters
    ----------
    rows : sequence of dict
    planned : sequence of str
        The labels of all jobs of the full study.
    """
    counts = Counter(label.split(", ")[0] for label in planned)
    lines: list[Row] = []
    for part, jobs in counts.items():
        some = _of_part(rows, part)
        names = ["target", "task", "n", "noise", "seed"]
        if part == recovery.PART:
            names.append("method")
        done = {tuple(row.get(one) for one in names) for row in some}
        seeds = sorted(set(values(some, "seed"))) or [""]
        lines.append(
            {
                "part": part,
                "instances of the full study": jobs,
                "measured": len(done),
                "orders n": _between(sorted(set(values(some, "n")))),
                "seeds": _between(seeds),
                "made by": ", ".join(
                    sorted({str(row.get("made by") or "unknown") for row in some})
                ),
            }
        )
    return lines


def _of_part(rows, part):
    """Return the rows of the jobs whose labels begin with the name of a part."""
    if part == "pyfaust":
        return [row for row in select(rows, part=approximation.PART) if _peer(row)]
    return [row for row in select(rows, part=part) if not _peer(row)]


def _peer(row):
    return row["method"] in PEERS or row["method"] in recovery.PEERS


def _between(ordered):
    """Return the first and the last of sorted values as text."""
    ends = list(dict.fromkeys([*map(str, ordered[:1]), *map(str, ordered[-1:])]))
    return " to ".join(ends)


def against_methods(rows: Sequence[Row]) -> list[Row]:
    """Return, for each method, on how many instances its error is smaller or larger."""
    found = errors_by_key(rows, approximation.PART)
    pairs: dict[str, list[tuple[float, float]]] = {}
    for errors in found.values():
        for method, error in errors.items():
            if approximation.OURS in errors and method != approximation.OURS:
                pairs.setdefault(method, []).append((error, errors[approximation.OURS]))
    lines: list[Row] = []
    for method, some in pairs.items():
        ratios = [other / ours for other, ours in some if ours > SAME < other]
        less = sum(smaller(other, ours) for other, ours in some)
        more = sum(smaller(ours, other) for other, ours in some)
        lines.append(
            {
                "method": method,
                "instances": len(some),
                "error over ours, geometric mean": geometric_mean(ratios)
                if ratios
                else None,
                "least": min(ratios, default=None),
                "smaller": less,
                "equal": len(some) - less - more,
                "larger": more,
            }
        )
    return lines


def against_targets(rows: Sequence[Row]) -> list[Row]:
    """Return, for each target and order, our median error and that of the best other.

    The best other method is that of the least median.
    """
    found = errors_by_key(rows, approximation.PART)
    said = {
        (row["target"], row["n"]): str(row["structure"]).split(", relative error")[0]
        for row in select(rows, part=approximation.PART, method=approximation.OURS)
        if row["structure"]
    }
    lines: list[Row] = []
    for target, n in dict.fromkeys((target, n) for target, n, _ in found):
        some = [errors for key, errors in found.items() if key[:2] == (target, n)]
        medians = {
            method: float(np.median([one[method] for one in some if method in one]))
            for method in dict.fromkeys(name for one in some for name in one)
        }
        ours = medians.pop(approximation.OURS, None)
        if ours is None or not medians:
            continue
        best = min(medians, key=lambda name: medians[name])
        lines.append(
            {
                "target": target,
                "n": n,
                "instances": len(some),
                approximation.OURS: ours,
                "best other": medians[best],
                "by": best,
                "ratio": medians[best] / ours if ours > SAME else None,
                "structure": said.get((target, n), ""),
            }
        )
    return lines


def recovered(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return two tables of successes: of ours, by target, and of the other methods."""
    tried = select(rows, part=recovery.PART)
    noises = sorted(values(tried, "noise"))
    ours: list[Row] = []
    for target in values(select(tried, method=recovery.OURS), "target"):
        for n in sorted(values(select(tried, target=target), "n")):
            some = select(tried, target=target, n=n, method=recovery.OURS)
            line = {"target": target, "n": n, **_by_noise(some, noises)}
            ours.append(line | {"closer": _closer(some)})
    others: list[Row] = []
    for method in values(tried, "method"):
        for n in sorted(values(select(tried, method=method), "n")):
            if method != recovery.OURS:
                some = select(tried, n=n, method=method)
                rates = _by_noise(some, noises)
                others.append({"method": method, "n": n, **rates})
    caption = "Recovery: successes of the other methods, on all targets of an order"
    found = {"Recovery: successes of identify_butterfly": ours, caption: others}
    return {name: lines for name, lines in found.items() if lines}


def _by_noise(rows, noises):
    """Return the success rate at each noise, empty where none was tried."""
    line: Row = {}
    for noise in noises:
        some = select(rows, noise=noise)
        good = sum(bool(row["success"]) for row in some)
        line[f"noise {noise:g}"] = rate_text(good, len(some)) if some else ""
    return line


def _closer(rows):
    """Return how many errors are at most 1e-10 without noise, or 1.2 times the noise.

    Noise of 1e-6 and less is left out: errors that it leaves depend on rounding.
    """
    judged = [row for row in rows if not row["noise"] or row["noise"] >= NOISY]
    good = sum(
        row["error"] is not None and row["error"] <= (CLOSE * row["noise"] or EXACT)
        for row in judged
    )
    return rate_text(good, len(judged)) if judged else ""


def failures_of_ours(rows: Sequence[Row]) -> list[Row]:
    """Return where ours failed: another was better, or nothing was found."""
    lines: list[Row] = []
    for (target, n, seed), (ours, other, name) in beside_ours(rows).items():
        if smaller(other, ours):
            what = f"error {ours:.3g}, that of {name} is {other:.3g}"
            lines.append(
                {"part": "approximation", "where": f"{target}, n = {n}, seed {seed}"}
                | {"what": what}
            )
    alone = errors_by_key(rows, approximation.ABLATION)
    for key, (ours, *_) in beside_ours(rows).items():
        whole = alone.get(key, {}).get(approximation.WHOLE, np.inf)
        if smaller(whole, ours):
            target, n, seed = key
            what = f"error {ours:.3g}, its explorations alone end with {whole:.3g}"
            lines.append(
                {"part": "approximation", "where": f"{target}, n = {n}, seed {seed}"}
                | {"what": what}
            )
    tried = select(rows, part=recovery.PART, method=recovery.OURS)
    for target in values(tried, "target"):
        for noise in values(select(tried, target=target), "noise"):
            some = select(tried, target=target, noise=noise)
            bad = [row for row in some if not row["success"]]
            if bad:
                seeds = ", ".join(f"n = {row['n']} seed {row['seed']}" for row in bad)
                what = f"{len(bad)} of {len(some)} not found ({seeds})"
                where = f"{target}, noise {noise:g}"
                lines.append({"part": "recovery", "where": where, "what": what})
    tried = select(rows, part=exploration.PART, method=DEFAULT_LEAK)
    for task in values(tried, "task"):
        some = select(tried, task=task)
        good = sum(bool(row["success"]) for row in some)
        if 2 * good < len(some):
            what = f"{good} of {len(some)} found with the default leak"
            lines.append({"part": "exploration", "where": task, "what": what})
    return lines
