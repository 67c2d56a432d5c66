"""``nbfact study``: reproduce a figure about factorizing."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import Threads


class Study(StrEnum):
    """The studies of ``nbfact study``: modules of :mod:`nbfact.studies`."""

    tradeoff = "tradeoff"
    cost = "cost"
    scale = "scale"
    noise = "noise"
    patterns = "patterns"
    crossover = "crossover"
    product_speed = "product_speed"
    rates = "rates"
    dao = "dao"
    quickmeans = "quickmeans"


def study(
    name: Annotated[Study, typer.Argument(help="Which one.", show_default=False)],
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller, to see that it works.")
    ] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Run pyfaust beside it: takes minutes.")
    ] = False,
    threads: Threads = 1,
    jobs: Annotated[
        int,
        typer.Option(min=1, help="Processes, where jobs are not timed; of one thread."),
    ] = 1,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Data set, again for more; for quickmeans.",
            show_default="those that need no network",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Directory of the table, the rows and the picture.")
    ] = Path("runs"),
) -> None:
    """Reproduce a figure about factorizing: NAME.csv, NAME.md and NAME.png.

    A study that does not time its jobs goes on where it was interrupted.
    """
    from ..studies.tools.run_study import run_study

    options = quick, output, peers, threads, jobs, data or ()
    raise typer.Exit(run_study(str(name), *options))
