"""Run a study: progress, then its table, its rows and its picture.

Exit codes, also those of ``nbfact study``:

====  =====================================================================
0     done
1     a number of the study is NaN or infinite, or an attempt of ours raised; its files
      are written all the same
2     wrong usage, a directory that cannot be written, an extra not installed
130   interrupted: no results are written; where jobs are not timed, those that are
      done are kept beside the results, and the same command goes on from there
====  =====================================================================
"""

import importlib.util
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ...cases.nbfact_project import NBFACT
from ...cases.rivals import peers
from ...harness import machine
from ...harness.measure import limited_threads
from . import result_files, work

BRINGS = 'pip install "nbfact[study]" brings it'
STUDIES = tuple(
    "tradeoff cost scale noise patterns crossover products rates dao quickmeans".split()
)


def load(name: str) -> ModuleType:
    """Return the module of a study.

    Examples
    --------
    >>> bool(load("noise").TITLE)
    True
    """
    if name not in STUDIES:
        raise ValueError(f"unknown study {name!r}: expected one of {STUDIES}")
    rooms = {"patterns": "patterns.patterns_study"}
    rooms["quickmeans"] = "quickmeans.quickmeans_study"
    rooms["products"] = "product_speed"
    return importlib.import_module(f"nbfact.studies.{rooms.get(name, name)}")


def run_study(
    name: str,
    quick: bool = False,
    output: Path | None = None,
    with_peers: bool = False,
    threads: int = 1,
    n_jobs: int = 1,
    data: Sequence[str] = (),
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
    n_jobs : int
        Processes, of one thread each, for a study with ``PARALLEL``.
    data : sequence of str
        Names of data sets, for a study with a function ``choose``; by default those
        that need no network.
    settings : optional
        Other settings of the study than its ``QUICK`` or ``FULL``.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.studies.tools.run_study`.

    Raises
    ------
    ModuleNotFoundError
        When an extra is not installed; the message says what brings it.
    ValueError
        For an unknown study, more threads than there are, processes for a study that
        times its jobs, or data that a study does not have.
    OSError
        When the directory cannot be written, or data cannot be downloaded.
    """
    study = load(name)
    output = Path("runs") if output is None else output
    result_files.new_figure()  # before the work and not after: matplotlib, the directory
    result_files.check_directory(output)
    if with_peers and not peers.installed("pyfaust"):
        raise ModuleNotFoundError(f"--peers: pyfaust is missing; {peers.INSTALL}")
    parallel = getattr(study, "PARALLEL", False)
    _check_jobs(name, parallel, n_jobs, threads)
    settings = settings or (study.QUICK if quick else study.FULL)
    if data:
        settings = _chosen(study, name, settings, data)
    kept = None
    if parallel:
        kind = f"{'-quick' * quick}{'-peers' * with_peers}"
        path = output / f"{name}{kind}.partial.jsonl"
        kept = work.Kept(path, work.key(name, settings, with_peers))
    start = time.perf_counter()
    with limited_threads(threads):
        rows = work.do(study.jobs(settings, with_peers), n_jobs, kept)
    seconds = time.perf_counter() - start
    shown = result_files.markdown(study.tables(rows))
    output.mkdir(parents=True, exist_ok=True)
    flags = f"{' --quick' * quick}{' --peers' * with_peers}"
    flags += "".join(f" --data {one}" for one in data)
    head = f"# {study.TITLE}\n\n`nbfact study {name}{flags}`: {_where(threads)}.\n\n"
    result_files.write_csv(output / f"{name}.csv", rows)
    tail = f"![{study.TITLE}]({name}.png)\n\nAll rows: [{name}.csv]({name}.csv).\n"
    text = f"{head}{shown}\n{study.NOTES}\n\n{tail}"
    result_files.write_text(output / f"{name}.md", text)
    result_files.write_png(
        output / f"{name}.png", lambda figure: study.draw(rows, figure)
    )
    if kept:
        kept.remove()
    print(f"{shown}\n{study.NOTES}")  # after the files: `| head` closes the pipe
    wrong = result_files.broken(rows) + _failed(rows)
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    files = ", ".join(str(output / f"{name}.{kind}") for kind in ("csv", "md", "png"))
    print(f"\n{len(rows)} rows, {seconds:.0f} s; in {files}")
    return 1 if wrong else 0


def _failed(rows):
    """Return a line for each attempt of ours that raised."""
    return [
        f"row {number}: {row['method']}: {row['failure']}"
        for number, row in enumerate(rows, start=1)
        if row.get("failure") and not peers.is_peer(row["method"])
    ]


def _chosen(study, name, settings, data):
    """Return settings for some data sets only."""
    if not hasattr(study, "choose"):
        raise ValueError(f"--data {data[0]}: study {name} has no data sets to choose")
    return study.choose(settings, data)


def _check_jobs(name, parallel, n_jobs, threads):
    """Raise where a study can not be spread over processes."""
    if n_jobs == 1:
        return
    if n_jobs < 1:
        raise ValueError(f"--n-jobs {n_jobs}: expected at least 1")
    if not parallel:
        raise ValueError(f"--n-jobs {n_jobs}: study {name} times its jobs, one by one")
    if threads > 1:
        raise ValueError(f"--n-jobs {n_jobs} --threads {threads}: choose one")
    if importlib.util.find_spec("joblib") is None:
        raise ModuleNotFoundError(f"--n-jobs {n_jobs}: joblib is missing; {BRINGS}")


def _where(threads):
    """Return what the figures depend on, in a line."""
    found = machine.fingerprint(NBFACT)
    versions = found["versions"]
    names = ("nbfact", "numba", "numpy", "scikit-learn", "pyfaust")
    told = [f"{name} {versions[name]}" for name in names if name in versions]
    commit = found.get("commit")
    told += [f"commit {commit[:10]}{'+' * bool(found.get('dirty'))}"] if commit else []
    plural = "" if threads == 1 else "s"
    return f"{found['cpu']}, {threads} thread{plural}, {', '.join(told)}"
