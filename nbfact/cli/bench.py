"""``nbfact bench``: measure every case, check every result."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..cases.first_factorization import learn
from ..cases.nbfact_project import NBFACT
from ..cases.products import matrix_cases
from ..harness import run, store
from ..harness.case import Case
from ..harness.measure import limited_threads
from ..targets import load_matrix
from .options import Pattern, Profile, Threads, output_option


def bench(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="A selection, in under a minute.")
    ] = False,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="List of cases: quick is that of --quick, pr has one case of each "
            "kernel and algorithm, full has all.",
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
            help="Processes that measure each task; intervals need 6.",
            show_default="9; 1 for quick",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        output_option(
            "JSON-lines file to add the rows to; default runs/MACHINE.jsonl."
        ),
    ] = None,
) -> None:
    """Time every case against the dense product, and check its error."""
    if quick and profile not in (None, "quick"):
        raise ValueError(f"--quick with --profile {profile}: choose one")
    chosen = str(profile or ("quick" if quick else "full"))
    extra = []
    if matrix is not None:
        store.check(output or run.default_output(NBFACT))  # before the work, not after
        extra.append(matrix_source(matrix, threads, peers))
    code = run.run_bench(
        NBFACT,
        chosen,
        pattern,
        extra=extra,
        threads=threads,
        output=output,
        with_peers=peers,
        processes=processes,
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

    target = load_matrix(path)
    with limited_threads(threads), Console(stderr=True).status(f"factoring {path}"):
        learned = learn(target)
    return functools.partial(
        matrix_cases, f"matrix {path.name}", target, learned, with_peers
    )
