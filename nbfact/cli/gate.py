"""``nbfact gate``: compare two versions, and exit by what was found."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Head, Pattern, Profile, Threads

GATE_CODES = (
    "Exit codes: 0 pass; 1 regression: slower beyond the noise, or an error beyond its "
    "bound; 2 broken: nothing ran, a case vanished or raises; 3 not measurable; 130 "
    "interrupted."
)


def gate(
    base: Annotated[str, typer.Argument(help="As for compare.", show_default=False)],
    head: Head = None,
    profile: Annotated[Profile, typer.Option(help="Which cases.")] = Profile.pr,
    pattern: Pattern = None,
    threads: Threads = 1,
    output: Annotated[
        Path | None, typer.Option(help="The verdict; default runs/gate.json.")
    ] = None,
) -> None:
    """Compare, and exit by what was found: for pull requests."""
    from ..harness.versions.gating import run_gate

    code = run_gate(base, head, str(profile), pattern, threads, output)
    raise typer.Exit(code)
