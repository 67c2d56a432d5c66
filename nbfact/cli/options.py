"""Options that several commands share, and the exit codes that their help shows.

Every option has one name in all commands: ``-k``, ``-o``, ``--threads``, ``--n-jobs``,
``--peers``, ``--profile``, ``--quick``.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..cases.nbfact_project import NBFACT

if TYPE_CHECKING:  # a type checker knows no enum whose members are computed
    Profile = str
else:
    Profile = StrEnum("Profile", {name: name for name in NBFACT.profiles})

PR = Profile("pr")
"""The profile that commands compare versions with: it is small enough for every change.
"""

Threads = Annotated[
    int, typer.Option(min=1, help="Number of threads of BLAS and Numba.")
]
Waivers = Annotated[
    Path | None,
    typer.Option(
        help="TOML file of verdicts that are accepted, with reasons; default "
        "benchmarks/waivers.toml if it exists.",
        show_default=False,
    ),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        "-k",
        help="Only tasks whose name contains this text, or matches it as a glob.",
    ),
]
Head = Annotated[
    str | None,
    typer.Argument(
        help="The version to judge, named like the base; default the working tree."
    ),
]

EXIT_CODES = (
    "Exit codes: 0 done; 1 a result is wrong; 2 wrong usage or a bad file; "
    "130 interrupted."
)


def output_option(help_: str, **options):
    """Return the option ``--output`` of a command, whose help says what is written."""
    return typer.Option("--output", "-o", help=help_, **options)
