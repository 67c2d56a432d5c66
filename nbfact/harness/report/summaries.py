"""Tables of the report, as text: the page and its Markdown summary show the same."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..table import seconds, versus
from . import curves, fields
from .figures import place

Row = dict[str, Any]

GOOD, BAD = ("faster",), ("slower", "less accurate", "broken", "missing")
"""Verdicts that please, and those that a gate stops."""


@dataclass
class Table:
    """Rows of text under titles.

    Parameters
    ----------
    caption : str
        What it shows.
    heads : sequence of str
        The titles of its columns; the first column names the row.
    rows : list of sequences of str
        The cells.
    filters : list of dict
        What selectors choose each row by, or nothing.
    """

    caption: str
    heads: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    filters: list[dict[str, str]] = field(default_factory=list)

    def add(self, *cells: str, **filters: str) -> None:
        """Add a row of one cell for each title.

        Raises
        ------
        ValueError
            When there are more or fewer.
        """
        if len(cells) != len(self.heads):
            raise ValueError(
                f"{self.caption}: {len(cells)} cells under {len(self.heads)} titles"
            )
        self.rows.append(cells)
        self.filters.append({k: v for k, v in filters.items() if v})

    def markdown(self) -> str:
        """Return it as a table of Markdown, without the caption.

        Examples
        --------
        >>> table = Table("Sizes", ["n"])
        >>> table.add("<b>|")
        >>> print(table.markdown())
        | n |
        |:--|
        | &lt;b&gt;&#124; |
        """
        lines = [self.heads, *self.rows]
        shown = ["| " + " | ".join(map(escaped, cells)) + " |" for cells in lines]
        rule = "|" + "|".join([":--"] * len(self.heads)) + "|"
        return "\n".join([shown[0], rule, *shown[1:]])


def escaped(value: str) -> str:
    """Return text that Markdown shows as it is, on one line.

    Examples
    --------
    >>> escaped("a_b *c* [d](e)")
    'a&#95;b &#42;c&#42; &#91;d&#93;(e)'
    """
    value = str(value).replace("&", "&amp;").replace("\n", "; ")
    value = " ".join(value.split())
    value = value.replace("<", "&lt;").replace(">", "&gt;")
    for character in r"|*_`[]\~":
        value = value.replace(character, f"&#{ord(character)};")
    return value


def budget(value: float) -> str:
    """Return a budget of error.

    Examples
    --------
    >>> budget(1e-6)
    'error ≤ 1e-6'
    """
    mantissa, exponent = f"{value:g}".split("e") if value < 1e-4 else (f"{value:g}", "")
    return f"error ≤ {mantissa}" + (f"e{int(exponent)}" if exponent else "")


def ranking(rows: Sequence[Row]) -> Table:
    """Return the table of the fastest within each budget.

    Parameters
    ----------
    rows : sequence of dict
        As of :func:`nbfact.harness.report.fields.newest`.
    """
    heads = ["computation", *map(budget, curves.BUDGETS)]
    several = _several(rows)
    table = Table("Fastest within an error budget", heads + several)
    for found in curves.ranking(rows):
        name = f"{found['family']} n={found['n']}"
        if found["batch"]:
            name += f" batch={found['batch']}"
        if found["field"] == "complex":
            name += ", complex"
        table.add(
            name,
            *map(_two, found["best"]),
            *([found["machine"]] if several else []),
            machine=found["machine"],
            family=found["family"],
        )
    return table


def _several(rows):
    """Return the title of the column of machines, where there are several."""
    return ["machine"] if len({*map(fields.machine, rows)}) > 1 else []


def _two(best):
    """Return the winner and the runner-up, on a line each."""
    if not best:
        return "-"
    told = f"{_named(best[0])}, {seconds(best[0]['time'])}"
    for p in best[1:]:
        told += f"\nthen {_named(p)}, {versus(p['time'] / best[0]['time'])}"
    return told


def _named(p):
    return f"{p['impl']} {p['dtype']}"


def crossings(rows: Sequence[Row]) -> Table:
    """Return the table of break-evens, and of what never breaks even."""
    heads = ["implementation", "dtype", "computation", "fixed", "breaks even"]
    several = _several(rows)
    table = Table("Where the ratio to dense passes 1", heads + several)
    for along in ("n", "batch"):
        for panel in curves.breakeven(rows, along):
            other = "n" if along == "batch" else "batch"
            for (impl, dtype), line in fields.panels(
                panel["points"], lambda p: p["impl"], lambda p: p["dtype"]
            ).items():
                marks = [
                    f"{m['to']} from {along} ≈ {place(m['at'])}"
                    for m in panel["crossings"]
                    if (m["impl"], m["dtype"]) == (impl, dtype)
                ]
                span = f"{along} = {line[0][along]} to {line[-1][along]}"
                word = "faster" if line[0]["ratio"] < 1 else "slower"
                table.add(
                    impl,
                    dtype,
                    panel["family"],
                    f"{other} = {panel['fixed']}",
                    "; ".join(marks) or f"{word} everywhere, {span}",
                    *([panel["machine"]] if several else []),
                    machine=panel["machine"],
                    family=panel["family"],
                )
    return table


def failures(rows: Sequence[Row]) -> Table:
    """Return the table of cases without a time, ours first."""
    table = Table("Cases without a time", ["case", "whose", "message", "machine"])
    failed = [row for row in rows if not fields.right(row)]
    for row in sorted(failed, key=lambda row: bool(row.get("rival"))):
        table.add(
            fields.text(row, "case"),
            "a rival's" if row.get("rival") else "ours",
            fields.text(row, "message", default="no finite time"),
            fields.machine(row),
        )
    return table


def verdicts(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the newest comparison, ready to be shown, the worst first.

    Parameters
    ----------
    rows : sequence of dict
        Of kind "verdict". Of each machine, the newest run.

    Returns
    -------
    list of dict
        Text under ``case``, ``verdict``, ``tone`` ("good", "bad", "plain"), ``ratio``,
        ``control``, ``floor``, ``limits``, ``error``, ``bound``, ``bits``,
        ``allocations``, ``seconds``, ``message``, and ``told`` (what was compared, and
        where); ``filters``, of :class:`Table`; and :func:`bar` or None under ``bar``.
    """
    last = fields.latest(rows, fields.machine)
    runs = {(place, fields.text(row, "run")) for place, row in last.items()}
    chosen = [
        row for row in rows if (fields.machine(row), fields.text(row, "run")) in runs
    ]
    shown = [_verdict(row) for row in chosen]
    ranks = {"bad": 0, "plain": 2, "good": 1}
    return sorted(shown, key=lambda v: (ranks[v["tone"]], v["verdict"] == "same"))


def _verdict(row):
    """Return one verdict as text."""
    word = fields.text(row, "verdict")
    names = [
        fields.text(row, side, "name", default="") or side for side in ("base", "head")
    ]
    commits = [
        fields.text(row, side, "commit", default="")[:8]
        + ("+" if fields.inner(row, side, "dirty") else "")
        for side in ("base", "head")
    ]
    times = [fields.number(row, "seconds", side) for side in ("base", "head")]
    errors = [fields.number(row, "error", key) for key in ("base", "head", "bound")]
    bits = fields.inner(row, "same_bits")
    return {
        "case": fields.text(row, "case"),
        "filters": {
            "machine": fields.machine(row),
            "family": fields.text(row, "group"),
        },
        "told": " → ".join(
            f"{name} {commit}".strip()
            for name, commit in zip(names, commits, strict=True)
        )
        + f", on {fields.machine(row)}, begun {fields.when(row)}",
        "verdict": word,
        "tone": "good" if word in GOOD else "bad" if word in BAD else "plain",
        "ratio": _interval(row, "ratio"),
        "control": _interval(row, "control"),
        "floor": _share(fields.number(row, "floor")),
        "limits": " / ".join(
            _share(fields.number(row, key)) for key in ("floor", "threshold")
        ),
        "seconds": " → ".join("-" if t is None else seconds(t) for t in times),
        "error": " → ".join("-" if e is None else f"{e:.1e}" for e in errors[:2]),
        "bound": "-" if errors[2] is None else f"{errors[2]:.1e}",
        "bits": "same bits" if bits is True else "other bits" if bits is False else "",
        "allocations": _allocations(row),
        "message": fields.text(row, "message", default=""),
        "bar": bar(row),
    }


def _share(value):
    return "-" if value is None else f"{value:.1%}"


def _interval(row, key):
    middle, low, high = (
        fields.number(row, key, name) for name in ("median", "low", "high")
    )
    if middle is None:
        return "-"
    known = low is not None and high is not None
    return f"{middle:.3f}" + (f" [{low:.3f}, {high:.3f}]" if known else "")


def _allocations(row):
    """Return counts, and peaks where they differ: ``2 → 3``."""
    sides = ("base", "head")
    counts = [fields.number(row, "allocations", side, "count") for side in sides]
    peaks = [fields.number(row, "allocations", side, "peak") for side in sides]
    if None in counts:
        return "-"
    told = " → ".join(f"{count:g}" for count in counts)
    if None not in peaks and peaks[0] != peaks[1]:
        told += f" ({peaks[0]:g} → {peaks[1]:g} B)"
    return told


def bar(row: Row) -> dict[str, float] | None:
    """Return where the parts of a verdict's bar lie, in percent from 0.8 to 1.25.

    What lies beyond is drawn at the end.

    Returns
    -------
    dict or None
        ``one``, ``median``, ``low``, ``high``, and left and right ends of the noise
        (``floor0``, ``floor1``) and of the threshold; None without a ratio.

    Examples
    --------
    >>> found = bar({"ratio": {"median": 1.0, "low": 0.8, "high": 2.0}})
    >>> found["one"], found["median"], found["low"], found["high"]
    (50.0, 50.0, 0.0, 100.0)
    """
    middle = fields.number(row, "ratio", "median")
    if middle is None or middle <= 0:
        return None
    floor = fields.number(row, "floor") or 0.0
    threshold = fields.number(row, "threshold") or 0.0
    ends = {
        "one": 1.0,
        "median": middle,
        "low": fields.number(row, "ratio", "low") or middle,
        "high": fields.number(row, "ratio", "high") or middle,
        "floor0": 1 / (1 + floor),
        "floor1": 1 + floor,
        "threshold0": 1 / (1 + threshold),
        "threshold1": 1 + threshold,
    }
    return {name: _place(value) for name, value in ends.items()}


def _place(ratio, edge=1.25):
    """Return where a ratio lies between 1 / edge and edge, in percent of powers."""
    if ratio <= 0:
        return 0.0
    share = 0.5 + 0.5 * math.log(ratio) / math.log(edge)
    return round(100 * min(max(share, 0.0), 1.0), 2)


def counts(verdicts: Sequence[Row]) -> str:
    """Return how many verdicts there are of each word.

    Examples
    --------
    >>> counts([{"verdict": "same"}, {"verdict": "faster"}, {"verdict": "same"}])
    '2 same, 1 faster'
    """
    found = Counter(verdict["verdict"] for verdict in verdicts).most_common()
    return ", ".join(f"{count} {word}" for word, count in found)
