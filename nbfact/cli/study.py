"""``nbfact study``: reproduce a figure about factorizing."""

from pathlib import Path
from typing import Annotated

import typer

from ..studies import STUDIES
from .options import Pattern, Threads, output_option


def study(
    name: Annotated[
        str,
        typer.Argument(
            help=f"Which study: {', '.join(STUDIES)}.",
            show_default=False,
        ),
    ],
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="A smaller study, to see that it works.")
    ] = False,
    peers: Annotated[
        bool,
        typer.Option("--peers", help="Run pyfaust beside nbfact, which takes minutes."),
    ] = False,
    threads: Threads = 1,
    n_jobs: Annotated[
        int,
        typer.Option(
            help="Number of processes, of one thread each, -1 for all cores; for "
            "studies that do not time their jobs.",
        ),
    ] = 1,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="<name>",
            help="Data set; repeat it for more; for quickmeans and denoising.",
            show_default="those that need no network",
        ),
    ] = None,
    pattern: Pattern = None,
    so_far: Annotated[
        bool,
        typer.Option(
            "--so-far", help="Write the files from the jobs done, and do no other."
        ),
    ] = False,
    rows: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="<file>",
            help="CSV file of an earlier run: write the files from its rows, and do no "
            "job; repeat it for more.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, output_option("Directory of the table, the rows and the picture.")
    ] = Path("runs"),
) -> None:
    """Reproduce a figure about factorizing: NAME.csv, NAME.md and NAME.png.

    A study that does not time its jobs continues where it was interrupted.
    """
    from ..studies.tools.run_study import run_study

    options = quick, output, peers, threads, n_jobs, data or ()
    code = run_study(name, *options, pattern=pattern, so_far=so_far, rows_of=rows or ())
    raise typer.Exit(code)
