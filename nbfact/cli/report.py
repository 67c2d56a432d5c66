"""``nbfact report``: results of any runs as one page."""

from pathlib import Path
from typing import Annotated

import typer

from .messages import say


def report(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and directories of results.", show_default="runs"),
    ] = None,
    asv: Annotated[
        Path | None,
        typer.Option(
            help="asv's results; default benchmarks/results if there.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page; .md goes beside it.")
    ] = Path("report.html"),
) -> None:
    """Put results of all runs and machines into one page that needs no network."""
    from ..harness.report.write import write_report

    default = Path("benchmarks", "results")
    if asv is None and default.is_dir():
        asv = default
    written, problems = write_report(paths or [Path("runs")], output, asv)
    for problem in problems:
        say(problem)
    print(" ".join(map(str, written)))
