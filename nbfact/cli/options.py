"""Options that several commands share, and the exit codes that their help shows.

Every option has one name in all commands: ``-k``, ``-o``, ``--cases``, ``--json``,
``--threads``, ``--n-jobs``, ``--peers``, ``--profile``, ``--quick``.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from .. import __version__
from ..harness.case_module import find_project
from ..harness.project import Project
from ..harness.registered import PROFILES

PR = "pr"
"""The profile that commands compare versions with: it is small enough for every change.
"""

_METAVAR = f"<{'|'.join(PROFILES)}>"

Cases = Annotated[
    str | None,
    typer.Option(
        help="Measure another project: its module of cases (mypkg.bench), the file of "
        "that, or the name of an entry point nbfact.cases; default nbfact itself.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one object of JSON alone; the rest on standard error."
    ),
]
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
    list[str] | None,
    typer.Option(
        "--pattern",
        "-k",
        metavar="<text>",
        help="Only tasks whose name contains this text, or matches it as a glob; "
        "repeat it for tasks that match another one.",
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


def profile_option(help_: str, **options):
    """Return the option ``--profile`` of a command.

    The project checks the name: another one may have lists of its own.
    """
    return typer.Option("--profile", help=help_, metavar=_METAVAR, **options)


Profile = Annotated[str, profile_option("List of cases.")]


def project_of(cases: str | None) -> Project:
    """Return the project that ``--cases`` names, by default nbfact.

    Its cases are imported for nothing else: whoever measures another project waits for
    none of the algorithms of nbfact.
    """
    if cases is not None:
        return find_project(cases)
    from ..cases.nbfact_project import NBFACT

    return NBFACT


def begin(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and stop.")
    ] = False,
) -> None:
    """Learn fast linear transforms, and measure how fast they are."""
    if version:
        print(f"nbfact {__version__}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(0)


def flags_without_type(command: Any) -> None:
    """Let the help show flags alone: Typer writes ``<bool>`` after each of them."""
    for one in (command, *command.commands.values()):
        context = typer.Context(one, help_option_names=["-h", "--help"])
        for option in one.get_params(context):
            if getattr(option, "is_flag", False):
                option.metavar = ""
