"""``nbfact compare``: time two versions side by side."""

from pathlib import Path
from typing import Annotated

import typer

from ..cases.nbfact_project import NBFACT
from .options import PR, Head, Pattern, Profile, Threads, Waivers, output_option


def compare(
    base: Annotated[
        str | None,
        typer.Argument(
            help="A commit, branch, tag, path, wheel, installed version, 'installed' "
            "or 'worktree'; default the last tag, or where this branch began."
        ),
    ] = None,
    head: Head = None,
    *,
    profile: Annotated[Profile, typer.Option(help="List of cases.")] = PR,
    pattern: Pattern = None,
    threads: Threads = 1,
    waivers: Waivers = None,
    same: Annotated[
        bool,
        typer.Option(
            "--same", help="Compare equal sources too (A/A run, which shows the noise)."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        output_option("JSON-lines file to add all samples to; default one in runs."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="File of a comparison that was cut short, to continue it."),
    ] = None,
) -> None:
    """Time two versions side by side in one process, and compare their errors."""
    from ..harness.versions.gating import run_compare

    code = run_compare(
        NBFACT,
        base,
        head,
        profile=str(profile),
        pattern=pattern,
        threads=threads,
        waived=waivers,
        output=output,
        resume=resume,
        same=same,
    )
    raise typer.Exit(code)
