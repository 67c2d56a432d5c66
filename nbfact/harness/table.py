"""Results as tables in a terminal: one table for each computation.

The implementations of each size are sorted from fast to slow.
"""

import itertools
import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .project import Project
from .sample import MIN_ROUNDS

WIDTH = 100
"""Width of tables in characters where the output is no terminal."""

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def table(rows: Sequence[dict], project: Project | None = None) -> Table:
    """Return the table of the rows of one group.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`nbfact.harness.measure.measure_task`, all of one group. Sizes
        keep the order in which they are met.
    project : Project, optional
        The project whose implementations are shown in bold.

    Returns
    -------
    rich.table.Table
        A block for each size, with the implementations sorted by their median time and
        those without a time at the end.
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
    # All blocks have one yardstick, except where a rival stops at a smaller size.
    yardstick = "/".join(dict.fromkeys(row["yardstick"].split()[0] for row in rows))
    timed = any(row["ratio"] for row in rows)  # some task has a yardstick
    columns = {
        "time": True,
        "±": any(row["time"] and _half(row["time"]) for row in rows),
        "cold": any(row["cold"] for row in rows),
        f"vs {yardstick}" if timed else "": True,
        "error": True,
        "ratio": any(row["error_ratio"] and row["bound"] is None for row in rows),
        "nnz": True,
        "roof": True,
    }
    for title, wanted in columns.items():
        if wanted:
            shown.add_column(title, justify="right", no_wrap=True)
    for block in _blocks(rows):
        for index, row in enumerate(block):
            shown.add_row(
                *(_sizes(row, sizes) if index == 0 else [""] * (len(sizes) + 2)),
                row["impl"],
                *itertools.compress(_figures(row), columns.values()),
                style=_style(row, project),
                end_section=index == len(block) - 1,
            )
    return shown


def legend() -> str:
    """Return the lines below the tables that explain their columns."""
    return (
        "time: of one call, with warm caches: median over rounds, or over processes; "
        "cold: the same with an\n"
        "      operand in no cache; ±: half the 95 % interval over processes, blank "
        "where none can be\n"
        "      given; vs: median ratio of paired samples\n"
        "error: relative, against a result in higher precision; *: error of "
        "approximation, without a\n"
        "       bound; ratio: that error over the one of the implementation that times "
        "are compared with\n"
        "nnz: entries stored\n"
        "roof: least time at the machine's best measured GEMM rate and bandwidth (of "
        "the cache that holds\n"
        "      the case, each byte moved once), over the time taken"
    )


def seconds(value: float) -> str:
    """Return a time in seconds as text with a unit and three significant digits.

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
    """Yield the rows of each task, sorted by time."""
    tasks: dict[str, list[dict]] = {}
    for row in rows:
        tasks.setdefault(row["task"], []).append(row)
    for block in tasks.values():
        yield sorted(block, key=lambda row: (row["time"] or {}).get("median", math.inf))


def _sizes(row, names):
    """Return the order, the other sizes and the dtype of a row as text."""
    params = row["params"]
    n = str(params.get("n", ""))
    n = f"{params['m']}x{n}" if "m" in params else n
    return n, *(str(params.get(name, "")) for name in names), params["dtype"]


def _figures(row):
    """Return the columns after the implementation as text, those left out too."""
    nnz = "-" if row["nnz"] is None else str(row["nnz"])
    error = "-" if row["error"] is None else f"{row['error']:.1e}"
    if row["bound"] is None and row["approximate"] and row["error"]:
        error = f"{row['error']:.3g}"
    same = row["impl"] == row["yardstick"]
    over = row["error_ratio"]
    over = "" if same or over is None else f"{_three(over)}x"
    if not row["ok"]:
        verdict = "FAILED" if row["error"] is None else "WRONG"
        return verdict, "", "", "", error, over, nnz, ""
    if row["bound"] is None:
        error = f"{error}*"
    time, ratio, cold = row["time"], row["ratio"], row["cold"]
    return (
        seconds(time["median"]),
        _half(time),
        seconds(cold["median"]) if cold else "",
        "" if same or ratio is None else versus(ratio["median"]),
        error,
        over,
        nnz,
        "-" if row["roof"] is None else f"{row['roof']:.0%}",
    )


def _half(time):
    """Return half the interval of a time in percent; without one, how few rounds."""
    if time["low"] is None:
        few = time["rounds"] < MIN_ROUNDS
        return f"n={time['rounds']}" if few else ""
    return f"{(time['high'] - time['low']) / 2 / time['median']:.0%}"


def _style(row, project):
    """Return the style of a row: failures in colour, own implementations in bold."""
    if not row["ok"]:
        return "yellow" if row["rival"] else "bold red"
    own = project is not None and project.is_own(row["impl"])
    return "bold" if own else ""
