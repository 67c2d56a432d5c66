"""``nbfact gate``: compare two versions, and exit with what was found."""

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
    cases: Cases = None,
    profile: Profile = PR,
    pattern: Pattern = None,
    threads: Threads = 1,
    waivers: Waivers = None,
    output: Annotated[
        Path | None,
        output_option("JSON file of the verdict; default runs/gate.json."),
    ] = None,
    comment: Annotated[
        Path | None,
        typer.Option(help="Markdown file of a comment on the pull request."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions, and exit with what was found: for pull requests."""
    from ..harness.versions.gating import run_gate

    code = run_gate(
        project_of(cases),
        base,
        head,
        profile=profile,
        pattern=pattern,
        threads=threads,
        waived=waivers,
        as_json=as_json,
        output=output,
        comment=comment,
    )
    raise typer.Exit(code)
