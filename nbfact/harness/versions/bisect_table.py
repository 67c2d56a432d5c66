"""The command ``nbfact bisect``: what it prints and exits with.

The exit codes:

====  =====================================================================
0     one commit made the case worse: it is named
1     several may have: the commits between them could not be measured
2     wrong usage, or the good version cannot run the case
3     the bad version is not worse than the good one
====  =====================================================================
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..printing import stages
from ..project import Project
from ..table import WIDTH
from . import bisecting, candidates

TITLES = {
    bisecting.WORKS: "fails",
    bisecting.ERROR: "error",
    bisecting.TIME: "time / good",
    bisecting.WAITING: "wall time / good",
    bisecting.BLOCKS: "blocks",
    bisecting.MEMORY: "peak, bytes",
}
"""Titles of the column of values, by metric."""

_FORMS = {bisecting.ERROR: ".1e", bisecting.TIME: ".3f", bisecting.WAITING: ".3f"}
_STYLES = {candidates.BAD: "bold red", candidates.SKIPPED: "yellow"}


def run_bisect(
    project: Project,
    case: str,
    bad: str | None = None,
    good: str | None = None,
    **options: Any,
) -> int:
    """Find the commit that made a case worse, and print it.

    Parameters
    ----------
    project : Project
        The package.
    case, bad, good, **options
        As in :func:`nbfact.harness.versions.bisecting.bisect`.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.harness.versions.bisect_table`.
    """
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    start = time.perf_counter()
    try:
        with stages(console) as progress:
            found = bisecting.bisect(
                project, case, bad, good, progress=progress, **options
            )
    except candidates.NothingWorseError as error:
        print(error)
        return 3
    console.print(bisect_table(found))
    for line in [*conclusion(found), f"{time.perf_counter() - start:.0f} s"]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0 if len(found.suspects) == 1 else 1


def bisect_table(found: bisecting.Bisection) -> Table:
    """Return the table of the commits that were looked at, oldest first."""
    shown = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0)
    )
    for title in ("commit", "date"):
        shown.add_column(title, no_wrap=True)
    shown.add_column(TITLES[found.metric], justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    shown.add_column("subject", overflow="ellipsis", no_wrap=True, ratio=1)
    for commit in (found.good, *found.commits):
        if commit.state is not None:
            value = "" if commit.value is None else _value(commit.value, found.metric)
            about = escape(commit.message or commit.subject)
            cells = commit.name[:10], commit.date, value, commit.state, about
            shown.add_row(*cells, style=_STYLES.get(commit.state, ""))
    return shown


def _value(value, metric):
    """Return the value of a commit as text."""
    if metric == bisecting.WORKS:
        return "yes" if value else "no"
    if value in (bisecting.LEAST, bisecting.INFINITE):
        return "0" if value < 1 else "inf"
    return format(value, _FORMS.get(metric, ".0f"))


def conclusion(found: bisecting.Bisection) -> Sequence[str]:
    """Return what was found in a few lines, the commit first."""
    looked = sum(commit.state is not None for commit in found.commits)
    lines = [f"{found.case}: {looked} of {len(found.commits)} commits looked at"]
    if len(found.suspects) > 1:
        lines.append("one of these, because those before the last cannot be measured:")
    else:
        lines.append("worse since:")
    for commit in found.suspects:
        about = [commit.name, commit.date, commit.subject]
        lines.append("  " + " ".join(filter(None, about)))
    if found.ratio:
        ratio = found.ratio
        lines.append(
            f"its time over that of the commit before: {ratio['median']:.3f} "
            f"({ratio['low']:.2f}-{ratio['high']:.2f})"
        )
    return lines
