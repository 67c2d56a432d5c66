"""Run a study: progress, then its table, its rows and its picture.

Exit codes, also those of ``nbfact study``:

====  =====================================================================
0     done
1     a number of the study is NaN or infinite; its files are written all the same
2     wrong usage, a directory that cannot be written, an extra not installed
130   interrupted; nothing is written
====  =====================================================================
"""

import importlib
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from ..bench import machine, peers
from ..bench.measure import limited_threads
from . import report

STUDIES = tuple("tradeoff cost scale noise crossover products rates dao".split())


def load(name: str) -> ModuleType:
    """Return the module of a study.

    Examples
    --------
    >>> bool(load("noise").TITLE)
    True
    """
    if name not in STUDIES:
        raise ValueError(f"unknown study {name!r}: expected one of {STUDIES}")
    return importlib.import_module(f"{__package__}.{name}")


def run_study(
    name: str,
    quick: bool = False,
    output: Path | None = None,
    with_peers: bool = False,
    threads: int = 1,
    settings: Any = None,
) -> int:
    """Run a study, print its table, write NAME.csv, NAME.md and NAME.png.

    Parameters
    ----------
    name : str
        One of :data:`STUDIES`.
    quick : bool
        Smaller, to see that it works.
    output : Path or None
        Directory, made when missing; by default ``runs`` in the current one.
    with_peers : bool
        Run pyfaust live where the study compares with it.
    threads : int
        Of BLAS, OpenMP and Numba.
    settings : optional
        Other settings of the study than its ``QUICK`` or ``FULL``.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.studies.run`.

    Raises
    ------
    ModuleNotFoundError
        When an extra is not installed; the message says what brings it.
    ValueError
        For an unknown study, or more threads than there are.
    OSError
        When the directory cannot be written.
    """
    study = load(name)
    output = Path("runs") if output is None else output
    report.new_figure()  # before the work and not after: matplotlib, the directory
    report.check_directory(output)
    if with_peers and not peers.installed("pyfaust"):
        raise ModuleNotFoundError(f"--peers: pyfaust is missing; {peers.INSTALL}")
    settings = settings or (study.QUICK if quick else study.FULL)
    start = time.perf_counter()
    with limited_threads(threads):
        rows = _rows(study.jobs(settings, with_peers))
    seconds = time.perf_counter() - start
    shown = report.markdown(study.tables(rows))
    output.mkdir(parents=True, exist_ok=True)
    flags = f"{' --quick' * quick}{' --peers' * with_peers}"
    head = f"# {study.TITLE}\n\n`nbfact study {name}{flags}`: {_where(threads)}.\n\n"
    report.write_csv(output / f"{name}.csv", rows)
    report.write_text(output / f"{name}.md", f"{head}{shown}\n{study.NOTES}\n")
    report.write_png(output / f"{name}.png", lambda figure: study.draw(rows, figure))
    print(f"{shown}\n{study.NOTES}")  # after the files: `| head` closes the pipe
    wrong = report.broken(rows)
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    files = ", ".join(str(output / f"{name}.{kind}") for kind in ("csv", "md", "png"))
    print(f"\n{len(rows)} rows, {seconds:.0f} s; in {files}")
    return 1 if wrong else 0


def _rows(jobs):
    """Do all jobs under a progress bar; return their rows."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    told = TextColumn("{task.description}")
    rows = []
    # Drawn between jobs, not by a thread within them: some are timed.
    with Progress(
        *(MofNCompleteColumn(), BarColumn(), Elapsed(), told),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    ) as progress:
        task = progress.add_task("", total=len(jobs))
        for label, job in jobs:
            progress.update(task, description=label, refresh=True)
            rows += job()
            progress.advance(task)
    return rows


def _where(threads):
    """Return what the figures depend on, in a line."""
    found = machine.fingerprint()
    versions = found["versions"]
    names = ("nbfact", "numba", "numpy", "pyfaust")
    told = [f"{name} {versions[name]}" for name in names if name in versions]
    commit = found.get("commit")
    told += [f"commit {commit[:10]}{'+' * bool(found.get('dirty'))}"] if commit else []
    plural = "" if threads == 1 else "s"
    return f"{found['cpu']}, {threads} thread{plural}, {', '.join(told)}"
