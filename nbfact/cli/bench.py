"""``nbfact bench``: measure every case, check every result."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Pattern, Profile, Threads


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="A selection, in under a minute.")
    ] = False,
    profile: Annotated[
        Profile | None,
        typer.Option(help="What --quick is; one of each; all.", show_default="full"),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Rivals of nbfact[peers] beside ours.")
    ] = False,
    pattern: Pattern = None,
    matrix: Annotated[
        Path | None,
        typer.Option(help="Factor and time this matrix too: .npy .npz .mat .csv."),
    ] = None,
    threads: Threads = 1,
    output: Annotated[
        Path | None, typer.Option(help="Append the rows to this JSON-lines file.")
    ] = None,
) -> None:
    """Time every case against the dense product, and check its error."""
    from ..harness import run

    if quick and profile not in (None, Profile.quick):
        raise ValueError(f"--quick with --profile {profile}: choose one")
    chosen = str(profile or (Profile.quick if quick else Profile.full))
    raise typer.Exit(run.run_bench(chosen, pattern, matrix, threads, output, peers))
