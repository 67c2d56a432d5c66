"""``nbfact history``: run the asv suite over commits."""

from typing import Annotated

import typer

from .options import PR, Cases, Pattern, Profile, Threads, project_of


def history(
    commits: Annotated[
        list[str] | None,
        typer.Argument(help="Commits, ranges A..B, or NEW; default HEAD."),
    ] = None,
    *,
    cases: Cases = None,
    profile: Profile = PR,
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
        typer.Option(help="Version of Python, as 3.11; repeat it for more."),
    ] = None,
    requirement: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="NAME=VERSION[,VERSION...], in place of the pinned ones."
        ),
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(help="Name of the machine in the results; default CPU and cores."),
    ] = None,
    skin: Annotated[
        bool, typer.Option("--skin", help="Pages that need no network (asv-tachyon).")
    ] = False,
) -> None:
    """Run the asv suite on commits that lack results; publish them in .asv/html."""
    from ..harness.versions.asv_history import run_history

    code = run_history(
        project_of(cases),
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
