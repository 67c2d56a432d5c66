"""The ``nbfact`` command.

It comes with the extra ``bench``. Threads are limited here, in the process of the
command and never by the package: one BLAS and one Numba thread unless asked.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import math
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

with contextlib.suppress(ModuleNotFoundError):  # main() says what brings it
    import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    crossover = "crossover"
    products = "products"
    rates = "rates"
    dao = "dao"


class Method(StrEnum):
    """The algorithms of ``nbfact factorize``."""

    hierarchical = "hierarchical"
    palm4msa = "palm4msa"


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
    pattern: Annotated[
        str | None, typer.Option("-k", help="Only the tasks whose name holds this.")
    ] = None,
    matrix: Annotated[
        Path | None,
        typer.Option(help="Factor and time this matrix too: .npy .npz .mat .csv."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")] = 1,
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
    method: Annotated[Method, typer.Option(help="The algorithm.")] = (
        Method.hierarchical
    ),
    factors: Annotated[
        int | None, typer.Option(min=2, help="Number of factors, J; default log2(n).")
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
    threads: Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")] = 1,
    output: Annotated[
        Path | None, typer.Option(help="Where to save; default MATRIX.nbfact.npz.")
    ] = None,
) -> None:
    """Factor a matrix into sparse factors, and save the fast operator."""
    from . import load, targets
    from .bench.measure import limited_threads
    from .metrics import relative_error

    output = output or matrix.with_suffix(".nbfact.npz")
    _check_output(output)
    target = targets.load_matrix(matrix)
    n_factors = factors or default_n_factors(target.shape)
    with limited_threads(threads):
        start = time.perf_counter()
        result = _factorize(target, method, n_factors, nnz_per_row, n_iter)
        seconds = time.perf_counter() - start
        result.operator.save(output)
        operator = load(output)  # what is reported is what was written
        error = relative_error(target, operator)
        _print_result(target, operator, error, seconds, output)
    if not abs(error - result.relative_error) <= 1e-5:
        _say(f"the saved operator has error {error}, not {result.relative_error}")
        raise typer.Exit(1)


def study(
    name: Annotated[Study, typer.Argument(help="Which one.", show_default=False)],
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller, to see that it works.")
    ] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Run pyfaust beside it: takes minutes.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")] = 1,
    output: Annotated[
        Path, typer.Option(help="Directory of the table, the rows and the picture.")
    ] = Path("runs"),
) -> None:
    """Reproduce a figure about factorizing: NAME.csv, NAME.md and NAME.png."""
    from .studies.run import run_study

    raise typer.Exit(run_study(str(name), quick, output, peers, threads))


def compare(
    base: Annotated[
        str | None,
        typer.Argument(
            help="A commit, branch, tag, path, wheel, installed version, 'installed' "
            "or 'worktree'; default the last tag, or where this branch began."
        ),
    ] = None,
    head: Annotated[
        str | None, typer.Argument(help="The same; default the working tree.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="Which cases.")] = Profile.pr,
    pattern: Annotated[
        str | None, typer.Option("-k", help="Only the tasks whose name holds this.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")] = 1,
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
    head: Annotated[
        str | None, typer.Argument(help="As for compare; default the working tree.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="Which cases.")] = Profile.pr,
    pattern: Annotated[
        str | None, typer.Option("-k", help="Only the tasks whose name holds this.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")] = 1,
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
    threads: Annotated[int, typer.Option(min=1, help="BLAS and Numba threads.")] = 1,
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


def default_n_factors(shape: tuple[int, int]) -> int:
    """Return the number of factors when none is asked for.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the target.

    Returns
    -------
    int
        log2(n) rounded, from 2 to 12, for a square target, as many as a fast transform
        has; 4 for another one.

    Examples
    --------
    >>> default_n_factors((32, 32)), default_n_factors((204, 8193))
    (5, 4)
    """
    rows, columns = shape
    return min(max(2, round(math.log2(rows))), 12) if rows == columns else 4


def default_constraints(shape: tuple[int, int], n_factors: int, k: int) -> tuple:
    """Return the sets that ``nbfact factorize`` looks for factors in.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n of the target.
    n_factors : int
        Number of factors J, at least 2.
    k : int
        Entries kept in each row and in each column.

    Returns
    -------
    factors, residuals : lists of J - 1 constraints
        One of each a split.
    residual_side : str
        ``"left"`` for wide targets, ``"right"`` for others.

    Notes
    -----
    Square: all factors in ``SpLinCol(k)``, and residuals whose entries kept per row
    decrease geometrically from n to k; with k = 2 and J = log2(n) these are the sets
    that find the fast Hadamard transform. Wide: the sets of the MEG experiments of Le
    Magoarou and Gribonval (2016), a rightmost factor with k entries a column, square
    ones with k m in all, residuals with 1.4 m² 0.8^(l-1). Tall: their transposes.

    Examples
    --------
    >>> factors, residuals, side = default_constraints((8, 8), 3, 2)
    >>> [c.k for c in factors], [c.k for c in residuals], side
    ([2, 2], [4, 2], 'right')
    """
    from . import SpLin, SpLinCol, rectmat

    m, n = shape
    if m == n:
        splits = range(1, n_factors)
        kept = [max(k, round(n * (k / n) ** (i / (n_factors - 1)))) for i in splits]
        factors = [SpLinCol(shape, k) for _ in splits]
        return factors, [SpLinCol(shape, kept_) for kept_ in kept], "right"
    preset = rectmat(n_factors, k, k)
    if m < n:
        return *preset.constraints(shape), "left"
    factors, residuals = preset.constraints((n, m))
    return [SpLin(shape, k), *factors[1:]], residuals, "right"


def _check_output(path):
    """Refuse a file that could not be written, before the work and not after."""
    if path.is_dir():
        raise IsADirectoryError(f"--output {path}: a directory")
    if path.suffix not in (".npz", ".mat"):
        raise ValueError(f"--output {path}: expected a name in .npz or .mat")
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"--output {path}: {path.parent} is not a writable directory")


def _factorize(target, method, n_factors, k, n_iter):
    """Run one of the algorithms under a progress bar."""
    from . import hierarchical, palm4msa

    m, n = target.shape
    if k is None:
        k = 2 if m == n else 10
    # What the presets use, "hadamard" and "rectmat" or its mirror.
    order = "left-to-right" if m > n else "right-to-left"
    options = {} if m == n else {"scaling": "sweep", "step": 1.9}
    factors, residuals, side = default_constraints(target.shape, n_factors, k)
    if method is Method.hierarchical:
        sweeps = (n_iter or 30,) * 2
        # The callback sees the refinements on the target, as the history does.
        with _progress(len(factors) * sweeps[1], target.size) as callback:
            return hierarchical(
                target,
                factors,
                residuals,
                n_iter=sweeps,
                residual_side=side,
                order=order,
                callback=callback,
                **options,
            )
    # Left to right as written: on the left side, the splits are met in reverse.
    if side == "left":
        constraints = [residuals[-1], *factors[::-1]]
    else:
        constraints = [*factors, residuals[-1]]
    n_iter = n_iter or 200
    with _progress(n_iter, target.size) as callback:
        return palm4msa(target, constraints, n_iter=n_iter, callback=callback)


@contextlib.contextmanager
def _progress(total, size) -> Iterator:
    """Show a bar; yield the callback that moves it, with the error and the RCG."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    told = TextColumn("error {task.fields[error]}  RCG {task.fields[rcg]}")
    columns = (TextColumn("sweep"), MofNCompleteColumn(), BarColumn(), Elapsed(), told)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, error="-", rcg="-")
        shown = 0.0

        def callback(state):
            nonlocal shown
            progress.advance(task)
            if time.monotonic() - shown > 0.5 or progress.finished:
                rcg = f"{size / state.nnz:.2f}" if state.nnz else "inf"
                progress.update(task, error=f"{state.error:.3g}", rcg=rcg)
                shown = time.monotonic()

        yield callback


def _print_result(target, operator, error, seconds, output):
    """Measure the operator against the dense product; print the table."""
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from .bench.sample import interleave, paired_ratio, summary

    table = Table("", "", title=f"{output}", show_header=False)
    factors = " ".join("x".join(map(str, f.shape)) for f in operator.factors)
    table.add_row("factors", factors)
    table.add_row("relative error", f"{error:.6g}")
    table.add_row("RCG", f"{operator.rcg:.4g}")
    table.add_row("non-zeros", f"{operator.nnz} of {target.size}")
    table.add_row("factored in", f"{seconds:.2f} s")
    rng = np.random.default_rng(0)
    for batch in (1, 64):
        x = rng.standard_normal((target.shape[1], batch)).astype(target.dtype)
        x = x[:, 0] if batch == 1 else x
        calls = {"ours": lambda x=x: operator @ x, "dense": lambda x=x: target @ x}
        times = interleave(calls, budget=0.5)
        ours, dense = (summary(times[name])["median"] for name in calls)
        speed = paired_ratio(times["dense"], times["ours"])["median"]
        told = f"{ours * 1e6:.4g} µs, dense {dense * 1e6:.4g} µs"
        ratio = f"{speed:.3g} x faster" if speed >= 1 else f"{1 / speed:.3g} x slower"
        table.add_row(f"product, batch {batch}", f"{told}: {ratio}")
    Console().print(table)


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
