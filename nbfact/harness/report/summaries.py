"""Tables of the report as text, which the page and its Markdown summary both show."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..table import seconds, versus
from ..versions.verdicts import AGAINST, FASTER, SAME
from . import curves, fields
from .figures import place

Row = dict[str, Any]


@dataclass
class Table:
    """Rows of text under titles.

    Parameters
    ----------
    caption : str
        Title of the table.
    heads : sequence of str
        Titles of the columns; the first column names the row.
    rows : list of sequences of str
        Cells of each row.
    filters : list of dict
        Values by which the selectors of the page choose each row, possibly none.
    """

    caption: str
    heads: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    filters: list[dict[str, str]] = field(default_factory=list)

    def add(self, *cells: str, **filters: str) -> None:
        """Add a row.

        Parameters
        ----------
        *cells : str
            One text for each column.
        **filters : str
            Values by which selectors choose the row; empty ones are left out.

        Raises
        ------
        ValueError
            When there are more or fewer cells than columns.
        """
        if len(cells) != len(self.heads):
            raise ValueError(
                f"{self.caption}: {len(cells)} cells under {len(self.heads)} titles"
            )
        self.rows.append(cells)
        self.filters.append({k: v for k, v in filters.items() if v})

    def markdown(self) -> str:
        """Return the table in Markdown, without its caption.

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
    """Return a text so written that Markdown shows it unchanged, on one line.

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
    """Return an error budget as text.

    Examples
    --------
    >>> budget(1e-6)
    'error ≤ 1e-6'
    """
    mantissa, exponent = f"{value:g}".split("e") if value < 1e-4 else (f"{value:g}", "")
    return f"error ≤ {mantissa}" + (f"e{int(exponent)}" if exponent else "")


def ranking(rows: Sequence[Row]) -> Table:
    """Return the table of the fastest implementations within each error budget.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`nbfact.harness.report.fields.newest`.
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
    """Return the titles of a column of machines, which is there only for several."""
    return ["machine"] if len({*map(fields.machine, rows)}) > 1 else []


def _two(best):
    """Return the winner and the runner-up, each on a line."""
    if not best:
        return "-"
    lines = [f"{_named(best[0])}, {seconds(best[0]['time'])}"]
    for p in best[1:]:
        lines.append(f"then {_named(p)}, {versus(p['time'] / best[0]['time'])}")
    return "\n".join(lines)


def _named(p):
    """Return implementation and dtype of a point as text."""
    return f"{p['impl']} {p['dtype']}"


def crossings(rows: Sequence[Row]) -> Table:
    """Return the table of break-evens with the dense product.

    Implementations that are always faster, or always slower, are in it too.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`nbfact.harness.report.fields.newest`.
    """
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
    """Return the table of cases without a time, those of rivals at the end.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`nbfact.harness.report.fields.newest`.
    """
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
    """Return the newest comparison on each machine as text, bad verdicts first.

    Parameters
    ----------
    rows : sequence of dict
        Rows of kind "verdict".

    Returns
    -------
    list of dict
        For each case texts under ``case``, ``verdict``, ``tone`` ("good", "bad",
        "plain"), ``ratio``, ``control``, ``floor``, ``limits``, ``error``, ``bound``,
        ``bits``, ``allocations``, ``seconds``, ``message`` and ``comparison`` (which
        versions were compared, and where); ``filters`` as in :class:`Table`; and under
        ``bar`` the result of :func:`bar`.
    """
    last = fields.latest(rows, fields.machine)
    runs = {(place, fields.text(row, "run")) for place, row in last.items()}
    chosen = [
        row for row in rows if (fields.machine(row), fields.text(row, "run")) in runs
    ]
    shown = [_verdict(row) for row in chosen]
    ranks = {"bad": 0, "plain": 2, "good": 1}
    return sorted(shown, key=lambda v: (ranks[v["tone"]], v["verdict"] == SAME))


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
    message, waived = (fields.text(row, k, default="") for k in ("message", "waived"))
    return {
        "case": fields.text(row, "case"),
        "filters": {
            "machine": fields.machine(row),
            "family": fields.text(row, "group"),
        },
        "comparison": " → ".join(
            f"{name} {commit}".strip()
            for name, commit in zip(names, commits, strict=True)
        )
        + f", on {fields.machine(row)}, begun {fields.when(row)}",
        "verdict": word,
        "tone": "plain" if waived else _tone(word),
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
        "message": "; ".join(filter(None, [message, waived and f"waived: {waived}"])),
        "bar": bar(row),
    }


def _tone(verdict):
    """Return whether a verdict is good or bad news, or plain."""
    if verdict in AGAINST:
        return "bad"
    return "good" if verdict == FASTER else "plain"


def _share(value):
    """Return a share in percent as text."""
    return "-" if value is None else f"{value:.1%}"


def _interval(row, key):
    """Return a ratio with its interval as text."""
    middle, low, high = (
        fields.number(row, key, name) for name in ("median", "low", "high")
    )
    if middle is None:
        return "-"
    known = low is not None and high is not None
    return f"{middle:.3f}" + (f" [{low:.3f}, {high:.3f}]" if known else "")


def _allocations(row):
    """Return numbers of allocations as ``2 → 3``, with the peaks where they differ."""
    sides = ("base", "head")
    counts = [fields.number(row, "allocations", side, "count") for side in sides]
    peaks = [fields.number(row, "allocations", side, "peak") for side in sides]
    if None in counts:
        return "-"
    shown = " → ".join(f"{count:g}" for count in counts)
    if None not in peaks and peaks[0] != peaks[1]:
        shown += f" ({peaks[0]:g} → {peaks[1]:g} B)"
    return shown


def bar(row: Row) -> dict[str, float] | None:
    """Return the places of the parts of a verdict's bar.

    Places are in percent of the width of the bar, whose logarithmic axis has ratios
    from 0.8 to 1.25. What lies beyond is drawn at the end.

    Parameters
    ----------
    row : dict
        Row of kind "verdict".

    Returns
    -------
    dict or None
        ``one``, ``median``, ``low``, ``high``, and the left and right ends of the noise
        floor (``floor0``, ``floor1``) and of the threshold (``threshold0``,
        ``threshold1``); None if the row has no ratio.

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
    """Return where a ratio lies between 1 / edge and edge, in percent of the axis."""
    if ratio <= 0:
        return 0.0
    share = 0.5 + 0.5 * math.log(ratio) / math.log(edge)
    return round(100 * min(max(share, 0.0), 1.0), 2)


def counts(verdicts: Sequence[Row]) -> str:
    """Return the number of verdicts of each kind as text.

    Examples
    --------
    >>> counts([{"verdict": "same"}, {"verdict": "faster"}, {"verdict": "same"}])
    '2 same, 1 faster'
    """
    found = Counter(verdict["verdict"] for verdict in verdicts).most_common()
    return ", ".join(f"{count} {word}" for word, count in found)
