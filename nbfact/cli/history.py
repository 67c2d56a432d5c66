"""``nbfact history``: run the asv suite over commits."""

from typing import Annotated

import typer

from .options import Threads


def history(
    commits: Annotated[
        list[str] | None,
        typer.Argument(help="Commits, ranges A..B, or NEW; default HEAD."),
    ] = None,
    profile: Annotated[str, typer.Option(help="Cases: quick, pr or full.")] = "pr",
    quick: Annotated[
        bool, typer.Option("--quick", help="The quick ones, once each; keep nothing.")
    ] = False,
    pattern: Annotated[
        str | None, typer.Option("-k", help="Only benchmarks this pattern matches.")
    ] = None,
    threads: Threads = 1,
    python: Annotated[
        list[str] | None, typer.Option(help="Version, as 3.11; again for more.")
    ] = None,
    requirement: Annotated[
        list[str] | None,
        typer.Option("--with", help="NAME=VERSION[,VERSION...]: instead of the pins."),
    ] = None,
    machine: Annotated[
        str | None, typer.Option(help="Its name in the results; default CPU and cores.")
    ] = None,
    skin: Annotated[
        bool, typer.Option("--skin", help="Pages that need no network (asv-tachyon).")
    ] = False,
) -> None:
    """Run the asv suite on commits that lack results; publish them in .asv/html."""
    from ..harness.versions.asv_history import run_history

    code = run_history(
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
