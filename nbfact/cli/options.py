"""Options that several commands share, and the exit codes that their help shows."""

from enum import StrEnum
from typing import Annotated

import typer

Threads = Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")]
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern", "-k", help="Only the tasks whose name holds this, or a glob."
    ),
]
Head = Annotated[
    str | None, typer.Argument(help="As the base; default the working tree.")
]

EXIT_CODES = (
    "Exit codes: 0 done; 1 a result is wrong; 2 wrong usage or a bad file; "
    "130 interrupted."
)


class Profile(StrEnum):
    """The lists of cases: :data:`nbfact.cases.registry.PROFILES`."""

    quick = "quick"
    pr = "pr"
    full = "full"
