"""The changes of all measurements over commits, as a table, and as a command.

``nbfact history --changes`` prints the table that the report shows.
"""

import datetime
import sys
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from ..project import Project
from . import fields, timelines, trends
from .reading import read_results
from .summaries import Table

MOST = 200
"""Largest number of changes that a table shows."""

HEADS = ("case", "measure", "change", "commits", "date", "confidence", "levels")


def changes(
    rows: Sequence[trends.Row], points: Sequence[trends.Row]
) -> tuple[list[trends.Row], list[trends.Row], list[trends.Row]]:
    """Return the panels over commits of all results, and the changes in them.

    Parameters
    ----------
    rows : sequence of dict
        Rows of all kinds.
    points : sequence of dict
        Points from :func:`nbfact.harness.report.asvfiles.read_points`.

    Returns
    -------
    ratios, others : list of dict
        Panels from :func:`nbfact.harness.report.trends.panels`, and from
        :func:`nbfact.harness.report.timelines.timelines`.
    found : list of dict
        Changes from :func:`nbfact.harness.report.trends.changes`, newest first.
    """
    kinds = fields.panels(rows, lambda row: row.get("kind"))
    bench, compared, measured = (
        kinds.get((kind,), []) for kind in ("bench", "verdict", "ratio")
    )
    ratios = trends.panels(measured)
    others = timelines.timelines(bench, points, timelines.floors(compared))
    found = [change for panel in (*ratios, *others) for change in trends.changes(panel)]
    return ratios, others, trends.by_size(found)


def change_table(found: Sequence[trends.Row]) -> Table:
    """Return the table of changes.

    Parameters
    ----------
    found : sequence of dict
        Changes from :func:`changes`.
    """
    several = len({change["machine"] for change in found}) > 1
    heads = [*HEADS, *(["machine"] if several else [])]
    many = f": the newest {MOST} of {len(found)}" if len(found) > MOST else ""
    table = Table(f"Changes{many}", heads)
    for change in found[:MOST]:
        low, high = change["levels"]
        table.add(
            change["case"],
            change["measure"],
            f"\N{MULTIPLICATION SIGN} {change['ratio']:.3g}",
            f"{change['before']}..{change['commit']}",
            _day(change["date"]),
            _share(change["confidence"]),
            f"{low:.3g} \N{RIGHTWARDS ARROW} {high:.3g} {change['unit']}",
            *([change["machine"]] if several else []),
        )
    return table


def _day(date):
    """Return the day of a date in seconds since 1970."""
    moment = datetime.datetime.fromtimestamp(date, datetime.UTC)
    return moment.date().isoformat()


def _share(confidence):
    """Return a confidence as text; values that do not vary leave no doubt."""
    if confidence == 1:
        return "certain"
    return "> 99.9%" if confidence > 0.999 else f"{confidence:.1%}"


def run_changes(
    project: Project, paths: Sequence[Path], asv: Path | None = None
) -> int:
    """Print the changes in all results.

    Parameters
    ----------
    project : Project
        The package.
    paths : sequence of path
        Files and directories of results.
    asv : path, optional
        Directory of asv's results, which holds ratios of commits too.

    Returns
    -------
    int
        0, the exit code.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Shown

    from ..table import WIDTH

    rows, points, _, problems = read_results(project, paths, asv)
    ratios, others, found = changes(rows, points)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for problem in problems:
        console.print(f"skipped: {problem}", markup=False, soft_wrap=True)
    for (machine,), group in fields.panels(found, itemgetter("machine")).items():
        shown = Shown(title=escape(machine), box=SIMPLE_HEAD, show_edge=False)
        for head in ("commits", "date", "change", "confidence"):
            shown.add_column(head, no_wrap=True)
        shown.add_column("measure and case", overflow="fold", ratio=1)
        for cells in change_table(group).rows:
            case, measure, ratio, *facts = cells[: len(HEADS) - 1]
            commits, date, share = facts
            shown.add_row(commits, date, ratio, share, escape(f"{measure}: {case}"))
        console.print(shown)
    lines = sum(
        len({point["impl"] for point in panel["points"]})
        for panel in (*ratios, *others)
    )
    print(f"{len(found)} changes in {lines} lines over commits")
    return 0
