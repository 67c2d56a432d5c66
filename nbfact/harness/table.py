"""Results as tables: one for each computation, each size ranked from fast to slow."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from .sample import MIN_ROUNDS
from .versions import verdicts

WIDTH = 100
"""Of tables, in characters, where there is no terminal to fit."""

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def table(rows: Sequence[dict]) -> Table:
    """Return the table of one group of rows, as :mod:`nbfact.harness.run` makes them.

    Parameters
    ----------
    rows : sequence of dict
        Of one group; sizes keep the order of the first row of each.

    Returns
    -------
    rich.table.Table
        A block for each size: implementations by their median time, those without a
        time last.
    """
    first = rows[0]
    shown = Table(
        title=first["group"],
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=0,
    )
    sizes = [name for name in first["params"] if name not in ("m", "n", "dtype")]
    for title in ("n", *sizes):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("dtype", no_wrap=True)
    shown.add_column("implementation", overflow="fold")
    # One for all blocks but where a rival stops at a smaller size than ours.
    yardstick = "/".join(dict.fromkeys(row["yardstick"].split()[0] for row in rows))
    titles = ["time", "±", f"vs {yardstick}", "error", "nnz", "roof"]
    if compared := any(row["error_ratio"] and row["bound"] is None for row in rows):
        titles.insert(4, "ratio")
    for title in titles:
        shown.add_column(title, justify="right", no_wrap=True)
    for block in _blocks(rows):
        for index, row in enumerate(block):
            shown.add_row(
                *(_sizes(row, sizes) if index == 0 else [""] * (len(sizes) + 2)),
                *_figures(row, compared),
                style=_style(row),
                end_section=index == len(block) - 1,
            )
    return shown


def verdict_table(rows: Sequence[dict]) -> Table:
    """Return the table of a comparison: a line for each case.

    Parameters
    ----------
    rows : sequence of dict
        Of kind ``verdict``, as :mod:`nbfact.harness.versions.comparison` makes them.

    Returns
    -------
    rich.table.Table
        Ratios are times of the head over those of the base, with their interval at
        99 %; A/A is the floor, what a copy of the base shows; `!=` marks results that
        differ in some bit, and an arrow allocations that changed.
    """
    shown = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0)
    )
    shown.add_column("case", overflow="fold", ratio=1)
    for title in ("ratio", "interval", "A/A", "error", "allocs", "verdict"):
        shown.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        ratio, style = row["ratio"], _VERDICT_STYLES.get(row["verdict"], "")
        figures = [""] * 5
        if ratio:
            figures = [
                f"{ratio['median']:.3f}",
                f"{ratio['low']:.2f}-{ratio['high']:.2f}",
                f"{row['floor']:.1%}",
                _before_after(row["error"], _error)
                + ("" if row["same_bits"] else " !="),
                _before_after(
                    {k: v["count"] for k, v in row["allocations"].items()}, str
                ),
            ]
        shown.add_row(escape(row["case"]), *figures, row["verdict"], style=style)
    return shown


_VERDICT_STYLES = {
    verdicts.FASTER: "green",
    verdicts.SLOWER: "bold red",
    verdicts.INACCURATE: "bold red",
    verdicts.BROKEN: "bold red",
    verdicts.MISSING: "bold red",
    verdicts.UNMEASURED: "yellow",
    verdicts.CHANGED: "yellow",
}


def _before_after(values, show):
    """Return one value where the head's is the base's, else both."""
    base, head = show(values["base"]), show(values["head"])
    return base if base == head else f"{base}→{head}"


def _error(value):
    return "inf" if value is None else f"{value:.0e}"


def legend() -> str:
    """Return the lines below the tables that say what the columns are."""
    return (
        "time: median of one call; ±: half the interquartile range, or of how few "
        "rounds it is;\n"
        "      vs: median ratio of paired samples\n"
        "error: relative, against a product in higher precision; *: of approximation, "
        "without a bound;\n"
        "       ratio: over that of the implementation that times are compared with\n"
        "nnz: entries stored\n"
        "roof: time needed at the machine's measured GEMM rate, and at its bandwidth "
        "(of the cache that\n"
        "      holds the case) for each byte once, over the time taken"
    )


def seconds(value: float) -> str:
    """Return a time with three significant digits.

    Examples
    --------
    >>> seconds(1.2345e-6), seconds(0.0999), seconds(250.0)
    ('1.23 µs', '99.9 ms', '250 s')
    """
    scale, unit = next((pair for pair in _UNITS if value >= pair[0]), _UNITS[-1])
    return f"{_three(value / scale)} {unit}"


def versus(ratio: float) -> str:
    """Return a ratio of times in words.

    Examples
    --------
    >>> versus(0.1), versus(2.0), versus(1.001)
    ('10.0x faster', '2.00x slower', 'same')
    """
    if 1 / 1.01 < ratio < 1.01:
        return "same"
    if ratio < 1:
        return f"{_three(1 / ratio)}x faster"
    return f"{_three(ratio)}x slower"


def _three(value):
    """Return a positive number with three significant digits, without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{digits}f}"


def _blocks(rows):
    """Split rows by task, and sort each by time."""
    tasks = {}
    for row in rows:
        tasks.setdefault(row["task"], []).append(row)
    for block in tasks.values():
        yield sorted(block, key=lambda row: (row["time"] or {}).get("median", math.inf))


def _sizes(row, names):
    params = row["params"]
    n = f"{params['m']}x{params['n']}" if "m" in params else str(params["n"])
    return n, *(str(params.get(name, "")) for name in names), params["dtype"]


def _figures(row, compared):
    """Return implementation, time, spread, ratio, error(s), nnz and roof as text."""
    nnz = "-" if row["nnz"] is None else str(row["nnz"])
    error = "-" if row["error"] is None else f"{row['error']:.1e}"
    if row["bound"] is None and row["approximate"] and row["error"]:
        error = f"{row['error']:.3g}"
    same = row["impl"] == row["yardstick"]
    over = row["error_ratio"]
    over = "" if same or over is None else f"{_three(over)}x"
    errors = (error, over) if compared else (error,)
    if not row["ok"]:
        verdict = "FAILED" if row["error"] is None else "WRONG"
        return row["impl"], verdict, "", "", *errors, nnz, ""
    if row["bound"] is None:
        errors = (f"{error}*", *errors[1:])
    time, ratio = row["time"], row["ratio"]
    spread = (time["q3"] - time["q1"]) / 2 / time["median"]
    few = time["rounds"] < MIN_ROUNDS
    return (
        row["impl"],
        seconds(time["median"]),
        f"n={time['rounds']}" if few else f"{spread:.0%}",
        "" if same or ratio is None else versus(ratio["median"]),
        *errors,
        nnz,
        f"{row['roof']:.0%}",
    )


def _style(row):
    if not row["ok"]:
        return "yellow" if row["rival"] else "bold red"
    if row["impl"].startswith("nbfact"):
        return "bold"
    return ""
