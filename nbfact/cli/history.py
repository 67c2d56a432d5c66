"""``nbfact history``: measure commits, and list the changes between them."""

from pathlib import Path
from typing import Annotated

import typer

from ..harness.versions.asv_setup import CONFIGURATION
from .messages import say
from .options import PR, Cases, Pattern, Profile, Threads, output_option, project_of
from .report import found_results


def history(
    commits: Annotated[
        list[str] | None,
        typer.Argument(help="Commits, ranges A..B, or NEW; default HEAD."),
    ] = None,
    *,
    cases: Cases = None,
    profile: Profile = PR,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Measure the commits beside a baseline, in one process, not with asv.",
        ),
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(help="With --measure: the commit that ratios lead back to."),
    ] = None,
    changes: Annotated[
        bool,
        typer.Option("--changes", help="Measure nothing; list the changes so far."),
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Run the cases of bench --quick once each; keep nothing."
        ),
    ] = False,
    pattern: Pattern = None,
    threads: Threads = 1,
    python: Annotated[
        list[str] | None,
        typer.Option(
            metavar="<version>", help="Version of Python, as 3.11; repeat it for more."
        ),
    ] = None,
    requirement: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="<versions>",
            help="NAME=VERSION[,VERSION...], in place of the pinned ones.",
        ),
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(help="Name of the machine in the results; default CPU and cores."),
    ] = None,
    skin: Annotated[
        bool, typer.Option("--skin", help="Pages that need no network (asv-tachyon).")
    ] = False,
    output: Annotated[
        Path | None,
        output_option("With --measure: file of ratios; default in benchmarks/results."),
    ] = None,
) -> None:
    """Run the asv suite on commits that lack results; publish them in .asv/html.

    Commits of another project without asv.conf.json are measured as by --measure.
    """
    of_asv = quick or python or requirement or machine or skin
    if measure and changes:
        raise ValueError("--measure with --changes: choose one")
    if (measure or changes) and of_asv:
        raise ValueError("--quick, --python, --with, --machine and --skin are of asv")
    project = project_of(cases)
    if cases is not None and not (changes or of_asv or CONFIGURATION.is_file()):
        measure = True  # another project needs no suite of asv
    if not measure and (baseline or output):
        raise ValueError("--baseline and --output go with --measure")
    if changes:
        from ..harness.report.change_list import run_changes

        raise typer.Exit(run_changes(project, *found_results([], None)))
    if measure:
        from ..harness.versions.milestones import run_measure

        code = run_measure(
            project,
            commits or ["HEAD"],
            baseline,
            say=say,
            profile=profile,
            patterns=pattern or [],
            threads=threads,
            output=output,
        )
        raise typer.Exit(code)
    from ..harness.versions.asv_history import run_history

    code = run_history(
        project,
        commits or ["HEAD"],
        profile=profile,
        quick=quick,
        threads=threads,
        pythons=python or [],
        requirements=requirement or [],
        machine=machine,
        pattern=pattern,
        skin=skin,
    )
    raise typer.Exit(code)
