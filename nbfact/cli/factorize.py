"""``nbfact factorize``: factor a matrix, save the fast operator, print its figures."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from .. import hierarchical, palm4msa, targets
from ..algorithms.common.as_factors import as_factors
from ..algorithms.palm.sweep_options import order_for
from ..harness.measure import limited_threads
from ..harness.sample import interleave, paired_ratio, summary
from ..metrics import relative_error
from ..operators import load
from ..operators.drawings import figure_class
from .default_constraints import default_constraints, default_n_factors
from .learning import learn, show_tradeoff
from .messages import dashed
from .options import Threads, output_option

TOLERANCE = 1e-5
"""Largest difference of the relative error between the operator that was found and the
one that was saved, which may be rounded to single precision."""

PRODUCT_SECONDS = 0.5
"""Seconds of samples for each comparison of the operator with the dense product."""


class Method(StrEnum):
    """The algorithms of ``nbfact factorize``."""

    learn = "learn"
    hierarchical = "hierarchical"
    palm4msa = "palm4msa"


class EffortName(StrEnum):
    """How much time ``nbfact factorize`` spends."""

    quick = "quick"
    normal = "normal"
    thorough = "thorough"


def factorize(
    matrix: Annotated[
        Path,
        typer.Argument(help="The matrix to factor: .npy .npz .mat .h5 .mtx .csv."),
    ],
    *,
    variable: Annotated[
        str | None,
        typer.Option(help="Name of the matrix in a file that holds several."),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            metavar="<method>",
            help="The algorithm: learn (tries several), hierarchical or palm4msa.",
        ),
    ] = Method.learn,
    nnz: Annotated[
        int | None, typer.Option(min=1, help="Most non-zeros; for learn.")
    ] = None,
    rcg: Annotated[
        float | None,
        typer.Option(help="The same as relative complexity gain m n / nnz; for learn."),
    ] = None,
    error: Annotated[
        float | None, typer.Option(help="Relative error to reach; for learn.")
    ] = None,
    speedup: Annotated[
        float | None,
        typer.Option(
            help="How many times as fast as dense a product must be expected to be; "
            "for learn."
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Columns of that product; for --speedup.")
    ] = 1,
    effort: Annotated[
        EffortName, typer.Option(help="Time to spend; for learn.")
    ] = EffortName.normal,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of random starts; for learn.")
    ] = 0,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Seconds after which learn ends with the best so far."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the supports of the factors to this file (.png .svg)."),
    ] = None,
    trade: Annotated[
        bool,
        typer.Option(
            "--tradeoff",
            help="Print errors, non-zeros and measured times of several budgets, and "
            "write no operator; --plot draws them.",
        ),
    ] = False,
    n_factors: Annotated[
        int | None,
        typer.Option(
            min=2, help="Number of factors; default log2(n), or 4 if not square."
        ),
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
        typer.Option(
            min=1, help="Sweeps; default 200, or 30 of each kind for each split."
        ),
    ] = None,
    threads: Threads = 1,
    output: Annotated[
        Path | None,
        output_option("File of the operator; default MATRIX.nbfact.npz."),
    ] = None,
) -> None:
    """Factor a matrix into sparse factors, and save the fast operator."""
    budget = {"nnz": nnz, "rcg": rcg, "error": error, "speedup": speedup}
    options = {"n_factors": n_factors, "nnz_per_row": nnz_per_row, "n_iter": n_iter}
    if trade:
        others = {**budget, **options, "time_limit": time_limit, "output": output}
        unused = [name for name, value in others.items() if value is not None]
        unused += [] if batch == 1 else ["batch"]
        if unused or method != Method.learn:
            raise ValueError(f"{dashed(*(unused or ['method']))}: not for --tradeoff")
        target = targets.load_matrix(matrix, variable)
        if plot is not None:
            _check_plot(plot)
        with limited_threads(threads):
            show_tradeoff(target, effort=effort.value, seed=seed, plot=plot)
        raise typer.Exit(0)
    code = run_factorize(
        matrix,
        str(method),
        variable=variable,
        output=output,
        threads=threads,
        plot=plot,
        search={
            "effort": str(effort),
            "seed": seed,
            "time_limit": time_limit,
            "batch": batch,
        },
        budget=budget,
        options=options,
    )
    raise typer.Exit(code)


def run_factorize(
    matrix: Path,
    method: str = "learn",
    *,
    variable: str | None = None,
    output: Path | None = None,
    threads: int = 1,
    plot: Path | None = None,
    search: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    options: dict[str, int | None] | None = None,
) -> int:
    """Factor a matrix, save the operator, print its error and its speed.

    Parameters
    ----------
    matrix : path
        A file of :func:`nbfact.targets.load_matrix`.
    method : {"learn", "hierarchical", "palm4msa"}
        The algorithm; "learn" is :func:`nbfact.learn_transform`.
    variable : str, optional
        Name of the matrix in a file that holds several.
    output : path, optional
        File of the operator, ``.npz`` or ``.mat``; by default `matrix` with the suffix
        ``.nbfact.npz``.
    threads : int
        Number of threads of BLAS and Numba.
    plot : path, optional
        File of a drawing of the supports.
    search, budget : dict
        For "learn" only: the ``effort``, ``seed``, ``time_limit`` and ``batch`` of
        :func:`nbfact.learn_transform`, and its ``nnz``, ``rcg``, ``error`` or
        ``speedup``.
    options : dict
        For the other methods only: ``n_factors``, ``nnz_per_row`` (entries kept in
        each row and each column) and ``n_iter``.

        In both dicts None stands for the default.

    Returns
    -------
    int
        1 where the saved operator differs from the one that was found, 130 where the
        search was interrupted and its best result so far was saved, else 0.

    Raises
    ------
    ValueError, OSError
        For a file that cannot be read or written, or options of another method.
    """
    budget = {
        name: value for name, value in (budget or {}).items() if value is not None
    }
    own = {name: value for name, value in (options or {}).items() if value is not None}
    if "speedup" not in budget and (search or {}).get("batch", 1) != 1:
        raise ValueError(f"{dashed('batch')}: only for --speedup")
    _check_options(method, own, budget)
    output = output or matrix.with_suffix(".nbfact.npz")
    _check_output(output)
    if plot is not None:
        _check_plot(plot)
    target = targets.load_matrix(matrix, variable)
    with limited_threads(threads):
        start = time.perf_counter()
        if method == "learn":
            chosen = {
                "effort": "normal",
                "seed": 0,
                "time_limit": None,
                "batch": 1,
                **(search or {}),
            }
            result = learn(target, output, budget=budget, **chosen)
        else:
            result = _factorize(target, method, **own)
        seconds = time.perf_counter() - start
        result.save(output)
        operator = load(output)  # the figures are those of what was written
        error = relative_error(target, operator)
        structure = getattr(result, "structure", "")
        times = getattr(result, "times", None)
        _print_result(target, operator, error, seconds, output, structure)
        if times is not None:
            print(times)
            if times.measured_speedup <= 1:
                print("Nothing that was found is faster than the dense product.")
        if plot is not None:
            operator.plot().savefig(plot)
    if abs(error - result.relative_error) <= TOLERANCE:
        interrupted = getattr(result, "stopped", "") == "interrupted"
        return 130 if interrupted else 0
    message = f"the saved operator has error {error}, not {result.relative_error}"
    print("nbfact:", message, file=sys.stderr)
    return 1


def _check_output(path):
    """Raise an error for a file that cannot be written, before the work is done."""
    if path.is_dir():
        raise IsADirectoryError(f"--output {path}: a directory")
    if path.suffix not in (".npz", ".mat"):
        raise ValueError(f"--output {path}: expected a name in .npz or .mat")
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"--output {path}: {path.parent} is not a writable directory")


def _check_plot(path):
    """Raise an error for a drawing that cannot be made, before the work is done."""
    figure_class()
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"--plot {path}: expected a name in .png, .svg or .pdf")
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"--plot {path}: {path.parent} is not a writable directory")


def _check_options(method, own, budget):
    """Raise an error for options that a method does not have."""
    if method == "learn" and own:
        raise ValueError(f"{dashed(*own)}: only for --method hierarchical or palm4msa")
    if method != "learn" and budget:
        raise ValueError(f"{dashed(*budget)}: only for --method learn")
    if len(budget) > 1:
        raise ValueError(f"{dashed(*budget)}: give one of them")


def _factorize(target, method, n_factors=None, nnz_per_row=None, n_iter=None):
    """Run `hierarchical` or `palm4msa` under a progress bar."""
    m, n = target.shape
    n_factors = n_factors or default_n_factors(target.shape)
    k = nnz_per_row or (2 if m == n else 10)
    factors, residuals, side = default_constraints(target.shape, n_factors, k)
    if method == "hierarchical":
        # The options of the presets "hadamard" and "rectmat", or of its mirror image.
        options: dict[str, Any] = {} if m == n else {"scaling": "sweep", "step": 1.9}
        sweeps = n_iter or 30
        # The callback sees the refinements on the target, as the history does.
        with _progress(len(factors) * sweeps, target.size) as callback:
            return hierarchical(
                target,
                factors,
                residuals,
                n_iter=(sweeps, sweeps),
                residual_side=side,
                order=order_for(None, target.shape),
                callback=callback,
                **options,
            )
    # With the residual on the left, the splits are written from right to left.
    if side == "left":
        constraints = [residuals[-1], *factors[::-1]]
    else:
        constraints = [*factors, residuals[-1]]
    n_iter = n_iter or 200
    with _progress(n_iter, target.size) as callback:
        return palm4msa(target, constraints, n_iter=n_iter, callback=callback)


@contextlib.contextmanager
def _progress(total, size) -> Iterator:
    """Show a progress bar; yield the callback that moves it.

    Beside the bar stand the relative error and the relative complexity gain (RCG).
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    figures = TextColumn("error {task.fields[error]}  RCG {task.fields[rcg]}")
    count = TextColumn("sweep"), MofNCompleteColumn()
    columns = (*count, BarColumn(), Elapsed(), figures)
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


def _print_result(target, operator, error, seconds, output, structure=""):
    """Time the operator beside the dense product; print a table of all figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "", title=f"{output}", show_header=False)
    shapes = [factor.shape for factor in as_factors("operator", operator)[0]]
    factors = " ".join("x".join(map(str, shape)) for shape in shapes)
    if structure:
        table.add_row("structure", structure)
    table.add_row("factors", factors)
    table.add_row("relative error", f"{error:.6g}")
    table.add_row("RCG", f"{operator.rcg:.4g}")
    table.add_row("non-zeros", f"{operator.nnz} of {target.size}")
    table.add_row("factored in", f"{seconds:.2f} s")
    rng = np.random.default_rng(0)
    for batch in (1, 64):
        x = rng.standard_normal((target.shape[1], batch)).astype(target.dtype)
        x = x[:, 0] if batch == 1 else x
        calls = {"fast": lambda x=x: operator @ x, "dense": lambda x=x: target @ x}
        times = interleave(calls, budget=PRODUCT_SECONDS)
        fast, dense = (summary(times[name])["median"] for name in calls)
        speed = paired_ratio(times["dense"], times["fast"])
        both = f"{fast * 1e6:.4g} µs, dense {dense * 1e6:.4g} µs"
        ratio = f"{speed:.3g} x faster" if speed >= 1 else f"{1 / speed:.3g} x slower"
        table.add_row(f"product, batch {batch}", f"{both}: {ratio}")
    Console().print(table)
