"""``nbfact report``: put the results of all runs into one page."""

from pathlib import Path
from typing import Annotated

import typer

from .messages import say
from .options import Cases, output_option, project_of


def report(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and directories of results.", show_default="runs"),
    ] = None,
    *,
    cases: Cases = None,
    asv: Annotated[
        Path | None,
        typer.Option(
            help="Directory of asv's results; default benchmarks/results if it exists.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, output_option("The page; a summary in .md is written beside it.")
    ] = Path("report.html"),
) -> None:
    """Put results of all runs and machines into one page that needs no network."""
    from ..harness.report.write import write_report

    default = Path("benchmarks", "results")
    if asv is None and default.is_dir():
        asv = default
    if not paths:  # a fresh clone has results of asv, and no runs
        runs = Path("runs")
        paths = [runs] if runs.exists() or asv is None else []
    written, problems = write_report(project_of(cases), paths, output, asv)
    for problem in problems:
        say(problem)
    print(" ".join(map(str, written)))
