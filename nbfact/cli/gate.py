"""``nbfact gate``: compare two versions, and exit with what was found."""

from pathlib import Path
from typing import Annotated

import typer

from ..cases.nbfact_project import NBFACT
from .options import PR, Head, Pattern, Profile, Threads, Waivers, output_option

GATE_CODES = (
    "Exit codes: 0 pass; 1 regression: slower beyond the noise, less accurate, more "
    "memory, a slower first call, results that do not repeat or cannot be; 2 broken: "
    "nothing ran, a case vanished or raises, or inputs differ; 3 inconclusive for more "
    "than 5 % of the cases; 130 interrupted."
)


def gate(
    base: Annotated[
        str,
        typer.Argument(
            help="The version to compare with, as for compare.", show_default=False
        ),
    ],
    head: Head = None,
    *,
    profile: Annotated[Profile, typer.Option(help="List of cases.")] = PR,
    pattern: Pattern = None,
    threads: Threads = 1,
    waivers: Waivers = None,
    output: Annotated[
        Path | None,
        output_option("JSON file of the verdict; default runs/gate.json."),
    ] = None,
) -> None:
    """Compare two versions, and exit with what was found: for pull requests."""
    from ..harness.versions.gating import run_gate

    code = run_gate(
        NBFACT,
        base,
        head,
        profile=str(profile),
        pattern=pattern,
        threads=threads,
        waived=waivers,
        output=output,
    )
    raise typer.Exit(code)
