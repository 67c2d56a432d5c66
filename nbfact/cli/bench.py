"""``nbfact bench``: measure every case, check every result."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..harness import run, store
from ..harness.case import Case, select
from ..harness.measure import limited_threads
from .options import (
    AsJson,
    Cases,
    Pattern,
    Threads,
    output_option,
    profile_option,
    project_of,
)


def bench(
    *,
    cases: Cases = None,
    listing: Annotated[
        bool,
        typer.Option("--list", help="Print the names of the cases; measure nothing."),
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A selection, in under a minute.")
    ] = False,
    profile: Annotated[
        str | None,
        profile_option(
            "List of cases: quick is that of --quick, pr has one case of each kernel "
            "and algorithm, full has all.",
            show_default="full",
        ),
    ] = None,
    peers: Annotated[
        bool,
        typer.Option("--peers", help="Measure the rivals that are installed too."),
    ] = False,
    pattern: Pattern = None,
    matrix: Annotated[
        Path | None,
        typer.Option(
            help="Factor and time this matrix too: .npy .npz .mat .h5 .mtx .csv."
        ),
    ] = None,
    threads: Threads = 1,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that measure each task; intervals need six.",
            show_default="6; 1 for quick",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        output_option(
            "JSON-lines file to add the rows to; default runs/MACHINE.jsonl."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time every case against the dense product, and check its error."""
    if quick and profile not in (None, "quick"):
        raise ValueError(f"--quick with --profile {profile}: choose one")
    chosen = profile or ("quick" if quick else "full")
    project = project_of(cases)
    if listing:
        project.check_profile(chosen)
        found = select(project.cases(chosen, peers)(), pattern)
        names = [case.name for case in found]
        if as_json:
            store.print_json({"cases": names})
        else:
            print(*names, sep="\n")
        raise typer.Exit(0 if names else 2)
    extra = []
    if matrix is not None:
        store.check(output or run.default_output(project))  # before the work, not after
        extra.append(matrix_source(matrix, threads, peers))
    code = run.run_bench(
        project,
        chosen,
        pattern,
        extra=extra,
        threads=threads,
        output=output,
        with_peers=peers,
        processes=processes,
        as_json=as_json,
    )
    raise typer.Exit(code)


def matrix_source(
    path: Path, threads: int = 1, with_peers: bool = False
) -> Callable[[], list[Case]]:
    """Factor a user's matrix; return a function that makes the cases of its product.

    Parameters
    ----------
    path : path
        A file of :func:`nbfact.targets.load_matrix`.
    threads : int
        Number of threads of BLAS and Numba while the matrix is factored.
    with_peers : bool
        Whether the rivals that are installed are among the cases.

    Returns
    -------
    callable
        A function without arguments that can be pickled, because it is called again in
        the process that measures rivals.
    """
    from rich.console import Console

    from ..cases.first_factorization import learn
    from ..cases.products import matrix_cases
    from ..targets import load_matrix

    target = load_matrix(path)
    with limited_threads(threads), Console(stderr=True).status(f"factoring {path}"):
        learned = learn(target)
    return functools.partial(
        matrix_cases, f"matrix {path.name}", target, learned, with_peers
    )
