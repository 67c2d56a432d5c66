"""A section of the report: what it shows, and by what a reader can choose."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from . import fields
from .summaries import Table


def is_empty(section: Mapping[str, Any]) -> bool:
    """Return whether a section has nothing to show but the command that fills it."""
    return not any(section[key] for key in ("figures", "tables", "verdicts"))


def section(
    name: str,
    title: str,
    lede: str,
    command: str,
    drawn: Sequence[dict] = (),
    tables: Sequence[Table] = (),
    verdicts: Sequence[dict] = (),
) -> dict[str, Any]:
    """Return a section of the page, in which tables without rows are left out.

    Parameters
    ----------
    name, title, lede, command : str
        As in :func:`nbfact.harness.report.pages.sections`.
    drawn : sequence of dict
        Figures.
    tables : sequence of Table
        Tables.
    verdicts : sequence of dict
        Verdicts from :func:`nbfact.harness.report.summaries.verdicts`.
    """
    tables = [table for table in tables if table.rows]
    filters = [figure["filters"] for figure in _richest(drawn)]
    filters += [chosen for table in tables for chosen in table.filters]
    filters += [verdict["filters"] for verdict in verdicts]
    return {
        "id": name,
        "title": title,
        "lede": lede,
        "command": command,
        "figures": list(drawn),
        "tables": tables,
        "selects": _selects(filters),
        "verdicts": list(verdicts),
        "comparisons": list(dict.fromkeys(v["comparison"] for v in verdicts)),
        "machines": [],
    }


def _richest(drawn):
    """Return figures so sorted that the most instructive computations come first.

    These are the ones whose fronts have errors that differ by more than rounding, then
    those with ratios rather than seconds, then those with many rows.
    """
    families = fields.panels(drawn, lambda figure: figure["filters"].get("family"))

    def riches(group):
        best = [row for f in group for row in f["rows"] if row.get("front")]
        fronts = fields.panels(best, *map(itemgetter, ("n", "batch", "dtype"))).values()
        errors = [[row["drawn"] for row in front] for front in fronts]
        choice = any(max(front) > 10 * min(front) for front in errors)
        ratios = any(figure["kind"] == "timeline" for figure in group)
        return choice, ratios, sum(len(figure["rows"]) for figure in group)

    ordered = sorted(families.values(), key=riches, reverse=True)
    return [figure for group in ordered for figure in group]


def _selects(filters):
    """Return the selectors that have more than one choice, with these choices."""
    found = []
    for name in ("measure", "machine", "family", "batch"):
        choices = list(dict.fromkeys(f[name] for f in filters if name in f))
        if name == "batch":
            choices.sort(key=lambda b: (len(b), b))
        if len(choices) > 1:
            found.append((name, choices))
    return found
