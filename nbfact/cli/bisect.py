"""``nbfact bisect``: find the commit that made a case worse."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ..harness.versions.bisecting import METRICS
from .options import Cases, Threads, project_of

BISECT_CODES = (
    "Exit codes: 0 one commit is found; 1 several are left, because commits between "
    "them cannot be measured; 2 wrong usage, or the good version cannot run the case; "
    "3 the bad version is not worse than the good one; 130 interrupted."
)

if TYPE_CHECKING:  # a type checker knows no enum whose members are computed
    Metric = str
else:
    Metric = StrEnum("Metric", {name: name for name in METRICS})


def bisect(
    case: Annotated[
        str,
        typer.Argument(
            help="Name of a case, a part of it, or a glob that one case matches.",
            show_default=False,
        ),
    ],
    bad: Annotated[
        str | None,
        typer.Argument(help="A commit, branch or tag; default the working tree."),
    ] = None,
    good: Annotated[
        str | None,
        typer.Argument(
            help="An earlier one; default the last tag, or where this branch began."
        ),
    ] = None,
    *,
    cases: Cases = None,
    metric: Annotated[
        Metric | None,
        typer.Option(
            metavar="<metric>",
            help=f"What became worse: {', '.join(METRICS)}; default the first of these "
            "that did.",
        ),
    ] = None,
    threads: Threads = 1,
) -> None:
    """Find the commit that made a case slower, less accurate, larger, or fail."""
    from ..harness.versions.bisect_table import run_bisect

    code = run_bisect(
        project_of(cases),
        case,
        bad,
        good,
        metric=None if metric is None else str(metric),
        threads=threads,
    )
    raise typer.Exit(code)
