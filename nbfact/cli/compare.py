"""``nbfact compare``: time two versions side by side."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Head, Pattern, Profile, Threads


def compare(
    base: Annotated[
        str | None,
        typer.Argument(
            help="A commit, branch, tag, path, wheel, installed version, 'installed' "
            "or 'worktree'; default the last tag, or where this branch began."
        ),
    ] = None,
    head: Head = None,
    profile: Annotated[Profile, typer.Option(help="Which cases.")] = Profile.pr,
    pattern: Pattern = None,
    threads: Threads = 1,
    output: Annotated[
        Path | None, typer.Option(help="Append all samples to this JSON-lines file.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with a comparison that was cut short.")
    ] = None,
) -> None:
    """Time two versions side by side in one process, and compare their errors."""
    from ..harness.versions.gating import run_compare

    code = run_compare(base, head, str(profile), pattern, threads, output, resume)
    raise typer.Exit(code)
