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
        Path | None,
        output_option(
            "The page, with a summary in .md; or the summary alone; default "
            "runs/report.html.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Put results of all runs and machines into one page that needs no network."""
    from ..harness.report.write import write_report

    paths, asv = found_results(paths or [], asv)
    written, problems = write_report(project_of(cases), paths, output, asv)
    for problem in problems:
        say(problem)
    print(" ".join(map(str, written)))


def found_results(
    paths: list[Path], asv: Path | None
) -> tuple[list[Path], Path | None]:
    """Return where results are, as far as a user does not say.

    Parameters
    ----------
    paths : list of path
        Files and directories that a user names; by default ``runs``.
    asv : path or None
        Directory of asv's results, by default ``benchmarks/results``.
    """
    default, runs = Path("benchmarks", "results"), Path("runs")
    if asv is None and default.is_dir():
        asv = default
    # A fresh clone has results of asv, and no runs.
    if not paths and (runs.exists() or asv is None):
        paths = [runs]
    return paths, asv
