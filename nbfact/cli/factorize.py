"""``nbfact factorize``: a matrix in, a fast operator and its figures out."""

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from .. import hierarchical, learn_transform, palm4msa, targets
from ..algorithms.palm.presets import rectmat
from ..constraints import SpLin, SpLinCol
from ..harness.measure import limited_threads
from ..harness.sample import interleave, paired_ratio, summary
from ..metrics import relative_error
from ..operators import load
from .options import Threads


class Method(StrEnum):
    """The algorithms of ``nbfact factorize``."""

    learn = "learn"
    hierarchical = "hierarchical"
    palm4msa = "palm4msa"


class EffortName(StrEnum):
    """What ``nbfact factorize`` spends."""

    quick = "quick"
    normal = "normal"
    thorough = "thorough"


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
    effort: Annotated[EffortName, typer.Option(help="For learn.")] = EffortName.normal,
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
    options = str(method), factors, nnz_per_row, n_iter, threads, output
    budget = {"nnz": nnz, "rcg": rcg, "error": error}
    raise typer.Exit(run_factorize(matrix, *options, str(effort), **budget))


def run_factorize(
    matrix: Path,
    method: str = "learn",
    n_factors: int | None = None,
    k: int | None = None,
    n_iter: int | None = None,
    threads: int = 1,
    output: Path | None = None,
    effort: str = "normal",
    **budget: float | None,
) -> int:
    """Factor a matrix, save the operator, print its error and its speed.

    Parameters
    ----------
    matrix : path
        A file of :func:`nbfact.targets.load_matrix`.
    method : {"learn", "hierarchical", "palm4msa"}
        The algorithm: "learn" is `learn_transform`.
    n_factors, k, n_iter : int, optional
        Factors, entries kept in a row and a column, sweeps; not for "learn".
    threads : int
        Of BLAS and Numba.
    output : path, optional
        ``.npz`` or ``.mat``; by default `matrix` with the suffix ``.nbfact.npz``.
    effort, **budget
        Of `learn_transform`; ``nnz``, ``rcg`` or ``error``. Only for "learn".

    Returns
    -------
    int
        1 where what was saved differs from what was found, else 0.

    Raises
    ------
    ValueError, OSError
        For a file that cannot be read or written; options of another method.
    """
    budget = {name: value for name, value in budget.items() if value is not None}
    _check_options(method, {"n_factors": n_factors, "k": k, "n_iter": n_iter}, budget)
    output = output or matrix.with_suffix(".nbfact.npz")
    _check_output(output)
    target = targets.load_matrix(matrix)
    with limited_threads(threads):
        start = time.perf_counter()
        if method == "learn":
            result = _learn(target, effort, budget)
        else:
            result = _factorize(target, method, n_factors, k, n_iter)
        seconds = time.perf_counter() - start
        result.operator.save(output)
        operator = load(output)  # what is reported is what was written
        error = relative_error(target, operator)
        _print_result(target, operator, error, seconds, output)
    if abs(error - result.relative_error) <= 1e-5:
        return 0
    told = f"the saved operator has error {error}, not {result.relative_error}"
    print("nbfact:", told, file=sys.stderr)
    return 1


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


def _check_options(method, own, budget):
    """Refuse options that a method does not have, rather than ignore them."""
    given = [name for name, value in own.items() if value is not None]
    if method == "learn" and given:
        raise ValueError(f"{given}: only for --method hierarchical or palm4msa")
    if method != "learn" and budget:
        raise ValueError(f"{list(budget)}: only for --method learn")


def _learn(target, effort, budget):
    """Run `learn_transform`, telling each trial."""
    from rich.console import Console

    console, start = Console(stderr=True), time.monotonic()

    def callback(trial):
        found = f"error {trial.error:.3g}  RCG {target.size / max(trial.nnz, 1):.2f}"
        name = f"{trial.method} ({trial.n_factors})"
        told = trial.failure or found
        console.print(f"{time.monotonic() - start:6.1f} s  {name:45} {told}")

    options = {"effort": effort, "callback": callback, "random_state": 0}
    return learn_transform(target, **budget, **options)


def _factorize(target, method, n_factors, k, n_iter):
    """Run one of the algorithms under a progress bar."""
    m, n = target.shape
    n_factors = n_factors or default_n_factors(target.shape)
    if k is None:
        k = 2 if m == n else 10
    # What the presets use, "hadamard" and "rectmat" or its mirror.
    order = "left-to-right" if m > n else "right-to-left"
    options = {} if m == n else {"scaling": "sweep", "step": 1.9}
    factors, residuals, side = default_constraints(target.shape, n_factors, k)
    if method == "hierarchical":
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
    from rich.console import Console
    from rich.table import Table

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
