"""The ``nbfact`` command, whose subcommands have a file each beside this one.

It needs the extra ``bench``. The number of threads is limited here, in the process of
the command, and never by the package: one thread of BLAS and of Numba unless a user
asks for more.
"""

import importlib
import importlib.util
import os
import sys

COMMANDS = (
    *("bench", "factorize", "study", "compare", "gate"),
    *("bisect", "report", "history"),
)
"""The subcommands, in the order in which the help lists them. Each has a file with a
function of its name. Only the file of the one that is asked for is imported, so that a
user of the harness waits for no algorithm."""


def main() -> int:
    """Run the command line; return, or exit with, a documented exit code."""
    needed = ("typer", "rich", "threadpoolctl")
    if not all(importlib.util.find_spec(name) for name in needed):
        print(
            'nbfact: the command line needs: pip install "nbfact[bench]"',
            file=sys.stderr,
        )
        return 2
    # An OpenMP barrier that spins costs milliseconds on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import typer

    from .messages import degrade_output, reporting
    from .options import EXIT_CODES, begin, flags_without_type

    degrade_output()
    app = typer.Typer(
        help="Learn fast linear transforms, and measure how fast they are.",
        epilog=EXIT_CODES,
        context_settings={"help_option_names": ["-h", "--help"]},
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(begin)
    asked = [name for name in COMMANDS if name in sys.argv[1:2]]
    for name in asked or COMMANDS:
        module = importlib.import_module(f"{__package__}.{name}")
        codes = getattr(module, f"{name.upper()}_CODES", EXIT_CODES)
        app.command(epilog=codes)(reporting(getattr(module, name)))
    command = typer.main.get_command(app)
    flags_without_type(command)
    command(prog_name="nbfact")
    return 0
