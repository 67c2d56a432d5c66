"""``nbfact compare``: time two versions side by side."""

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    PR,
    AsJson,
    Cases,
    Head,
    Pattern,
    Profile,
    Threads,
    Waivers,
    output_option,
    project_of,
)


def compare(
    base: Annotated[
        str | None,
        typer.Argument(
            help="A commit, branch, tag, path, wheel, release (NAME==1.2), installed "
            "version, 'installed' or 'worktree'; default the last tag, or where this "
            "branch began."
        ),
    ] = None,
    head: Head = None,
    *,
    cases: Cases = None,
    profile: Profile = PR,
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
    as_json: AsJson = False,
) -> None:
    """Time two versions side by side in one process, and compare their errors."""
    from ..harness.versions.gating import run_compare

    code = run_compare(
        project_of(cases),
        base,
        head,
        profile=profile,
        pattern=pattern,
        threads=threads,
        waived=waivers,
        as_json=as_json,
        output=output,
        resume=resume,
        same=same,
    )
    raise typer.Exit(code)
