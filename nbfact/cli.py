"""The ``nbfact`` command.

It comes with the extra ``bench``. Threads are limited here, in the process of the
command and never by the package: one BLAS and one Numba thread unless asked.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

with contextlib.suppress(ModuleNotFoundError):  # main() says what brings it
    import typer

    Threads = Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")]
    Pattern = Annotated[
        str | None, typer.Option("-k", help="Only the tasks whose name holds this.")
    ]
    Head = Annotated[
        str | None, typer.Argument(help="As the base; default the working tree.")
    ]

EXIT_CODES = (
    "Exit codes: 0 done; 1 a result is wrong; 2 wrong usage or a bad file; "
    "130 interrupted."
)


GATE_CODES = (
    "Exit codes: 0 pass; 1 regression: slower beyond the noise, or an error beyond its "
    "bound; 2 broken: nothing ran, a case vanished or raises; 3 not measurable; 130 "
    "interrupted."
)


class Profile(StrEnum):
    """The lists of cases: :data:`nbfact.bench.cases.PROFILES`."""

    quick = "quick"
    pr = "pr"
    full = "full"


class Study(StrEnum):
    """The studies of ``nbfact study``: modules of :mod:`nbfact.studies`."""

    tradeoff = "tradeoff"
    cost = "cost"
    scale = "scale"
    noise = "noise"
    patterns = "patterns"
    crossover = "crossover"
    products = "products"
    rates = "rates"
    dao = "dao"
    quickmeans = "quickmeans"


class Method(StrEnum):
    """The algorithms of ``nbfact factorize``."""

    learn = "learn"
    hierarchical = "hierarchical"
    palm4msa = "palm4msa"


class Effort(StrEnum):
    """What ``nbfact factorize`` spends."""

    quick = "quick"
    normal = "normal"
    thorough = "thorough"


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
    app = typer.Typer(
        help="Learn fast linear transforms, and measure how fast they are.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.command(epilog=EXIT_CODES)(_reporting(bench))
    app.command(epilog=EXIT_CODES)(_reporting(factorize))
    app.command(epilog=EXIT_CODES)(_reporting(study))
    app.command(epilog=EXIT_CODES)(_reporting(compare))
    app.command(epilog=GATE_CODES)(_reporting(gate))
    app.command(epilog=EXIT_CODES)(_reporting(report))
    app.command(epilog=EXIT_CODES)(_reporting(history))
    app(prog_name="nbfact")
    return 0


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
    from .bench import run

    if quick and profile not in (None, Profile.quick):
        raise ValueError(f"--quick with --profile {profile}: choose one")
    chosen = str(profile or (Profile.quick if quick else Profile.full))
    raise typer.Exit(run.run_bench(chosen, pattern, matrix, threads, output, peers))


def factorize(
    matrix: Annotated[
        Path, typer.Argument(help="The matrix to factor: .npy .npz .mat .csv.")
    ],
    method: Annotated[Method, typer.Option(help="The algorithm.")] = Method.learn,
    nnz: Annotated[
        int | None, typer.Option(min=1, help="Non-zeros at most; for learn.")
    ] = None,
    rcg: Annotated[
        float | None, typer.Option(help="The same, as a gain: m n / nnz; for learn.")
    ] = None,
    error: Annotated[
        float | None, typer.Option(help="Relative error to reach; for learn.")
    ] = None,
    effort: Annotated[Effort, typer.Option(help="For learn.")] = Effort.normal,
    factors: Annotated[
        int | None,
        typer.Option(min=2, help="Factors, J; default log2(n). Not for learn."),
    ] = None,
    nnz_per_row: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Entries kept in each row and each column; default 2, or 10 if not "
            "square.",
        ),
    ] = None,
    n_iter: Annotated[
        int | None,
        typer.Option(min=1, help="Sweeps; default 200, or 30 of each kind a split."),
    ] = None,
    threads: Threads = 1,
    output: Annotated[
        Path | None, typer.Option(help="Where to save; default MATRIX.nbfact.npz.")
    ] = None,
) -> None:
    """Factor a matrix into sparse factors, and save the fast operator."""
    from .factoring import run_factorize

    options = str(method), factors, nnz_per_row, n_iter, threads, output
    budget = {"nnz": nnz, "rcg": rcg, "error": error}
    raise typer.Exit(run_factorize(matrix, *options, str(effort), **budget))


def study(
    name: Annotated[Study, typer.Argument(help="Which one.", show_default=False)],
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller, to see that it works.")
    ] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Run pyfaust beside it: takes minutes.")
    ] = False,
    threads: Threads = 1,
    jobs: Annotated[
        int,
        typer.Option(min=1, help="Processes, where jobs are not timed; of one thread."),
    ] = 1,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Data set, again for more; for quickmeans.",
            show_default="those that need no network",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Directory of the table, the rows and the picture.")
    ] = Path("runs"),
) -> None:
    """Reproduce a figure about factorizing: NAME.csv, NAME.md and NAME.png.

    A study that does not time its jobs goes on where it was interrupted.
    """
    from .studies.run import run_study

    options = quick, output, peers, threads, jobs, data or ()
    raise typer.Exit(run_study(str(name), *options))


def compare(
    base: Annotated[
        str | None,
        typer.Argument(
            help="A commit, branch, tag, path, wheel, installed version, 'installed' "
            "or 'worktree'; default the last tag, or where this branch began."
        ),
    ] = None,
    head: Head = None,
    profile: Annotated[Profile, typer.Option(help="Which cases.")] = Profile.pr,
    pattern: Pattern = None,
    threads: Threads = 1,
    output: Annotated[
        Path | None, typer.Option(help="Append all samples to this JSON-lines file.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with a comparison that was cut short.")
    ] = None,
) -> None:
    """Time two versions side by side in one process, and compare their errors."""
    from .bench.gate import run_compare

    code = run_compare(base, head, str(profile), pattern, threads, output, resume)
    raise typer.Exit(code)


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
    from .bench.gate import run_gate

    code = run_gate(base, head, str(profile), pattern, threads, output)
    raise typer.Exit(code)


def report(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and directories of results.", show_default="runs"),
    ] = None,
    asv: Annotated[
        Path | None,
        typer.Option(
            help="asv's results; default benchmarks/results if there.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page; .md goes beside it.")
    ] = Path("report.html"),
) -> None:
    """Put results of all runs and machines into one page that needs no network."""
    from .report.write import write_report

    default = Path("benchmarks", "results")
    if asv is None and default.is_dir():
        asv = default
    written, problems = write_report(paths or [Path("runs")], output, asv)
    for problem in problems:
        _say(problem)
    print(" ".join(map(str, written)))


def history(
    commits: Annotated[
        list[str] | None,
        typer.Argument(help="Commits, ranges A..B, or NEW; default HEAD."),
    ] = None,
    profile: Annotated[str, typer.Option(help="Cases: quick, pr or full.")] = "pr",
    quick: Annotated[
        bool, typer.Option("--quick", help="The quick ones, once each; keep nothing.")
    ] = False,
    pattern: Annotated[
        str | None, typer.Option("-k", help="Only benchmarks this pattern matches.")
    ] = None,
    threads: Threads = 1,
    python: Annotated[
        list[str] | None, typer.Option(help="Version, as 3.11; again for more.")
    ] = None,
    requirement: Annotated[
        list[str] | None,
        typer.Option("--with", help="NAME=VERSION[,VERSION...]: instead of the pins."),
    ] = None,
    machine: Annotated[
        str | None, typer.Option(help="Its name in the results; default CPU and cores.")
    ] = None,
    skin: Annotated[
        bool, typer.Option("--skin", help="Pages that need no network (asv-tachyon).")
    ] = False,
) -> None:
    """Run the asv suite on commits that lack results; publish them in .asv/html."""
    from .bench.history import run_history

    code = run_history(
        commits or ["HEAD"],
        profile=profile,
        quick=quick,
        threads=threads,
        pythons=python or [],
        requirements=requirement or [],
        machine=machine,
        pattern=pattern,
        skin=skin,
    )
    raise typer.Exit(code)


def _reporting(command):
    """Turn a user's mistake into one line and code 2, Ctrl-C into one and 130."""

    @functools.wraps(command)
    def wrapped(**options):
        try:
            return command(**options)
        except KeyboardInterrupt:
            _say("interrupted; files are whole")
            raise typer.Exit(130) from None
        except (ValueError, OSError, ModuleNotFoundError) as error:
            _say(error)
            raise typer.Exit(2) from None

    return wrapped


def _say(message):
    """Print a message of the command to standard error, on one line."""
    print("nbfact:", " ".join(str(message).split()), file=sys.stderr)
