"""The ``nbfact`` command.

It comes with the extra ``bench``. Threads are limited here, in the process of the
command and never by the package: one BLAS and one Numba thread unless asked.
"""

import importlib.util
import os
import sys


def main() -> int:
    """Run the command line; return, or exit with, one of the documented codes."""
    needed = ("typer", "rich", "threadpoolctl")
    if not all(importlib.util.find_spec(name) for name in needed):
        print(
            'nbfact: the command line needs: pip install "nbfact[bench]"',
            file=sys.stderr,
        )
        return 2
    # A spinning OpenMP barrier costs milliseconds on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import typer

    from . import bench, compare, factorize, gate, history, report, study
    from .messages import reporting
    from .options import EXIT_CODES

    app = typer.Typer(
        help="Learn fast linear transforms, and measure how fast they are.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    commands = {
        bench.bench: EXIT_CODES,
        factorize.factorize: EXIT_CODES,
        study.study: EXIT_CODES,
        compare.compare: EXIT_CODES,
        gate.gate: gate.GATE_CODES,
        report.report: EXIT_CODES,
        history.history: EXIT_CODES,
    }
    for command, codes in commands.items():
        app.command(epilog=codes)(reporting(command))
    app(prog_name="nbfact")
    return 0
