"""The ``nbfact`` command, whose subcommands have a file each beside this one.

It needs the extra ``bench``. The number of threads is limited here, in the process of
the command, and never by the package: one thread of BLAS and of Numba unless a user
asks for more.
"""

import importlib.util
import os
import sys


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
    from collections.abc import Callable

    import typer

    from . import bench, bisect, compare, factorize, gate, history, report, study
    from .messages import degrade_output, reporting
    from .options import EXIT_CODES

    degrade_output()
    app = typer.Typer(
        help="Learn fast linear transforms, and measure how fast they are.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    commands: dict[Callable[..., None], str] = {
        bench.bench: EXIT_CODES,
        factorize.factorize: EXIT_CODES,
        study.study: EXIT_CODES,
        compare.compare: EXIT_CODES,
        gate.gate: gate.GATE_CODES,
        bisect.bisect: bisect.BISECT_CODES,
        report.report: EXIT_CODES,
        history.history: EXIT_CODES,
    }
    for command, codes in commands.items():
        app.command(epilog=codes)(reporting(command))
    app(prog_name="nbfact")
    return 0
