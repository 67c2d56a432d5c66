"""Run a study: show its progress, then write its rows, its tables and its picture.

Exit codes, which ``nbfact study`` returns too:

====  =====================================================================
0     The study is done.
1     A number is NaN or infinite, or an attempt of nbfact (not of another
      library) raised an exception. The files are written nevertheless.
2     Wrong usage, a directory that cannot be written, or an extra that is
      not installed.
130   Interrupted. No results are written. A study with ``PARALLEL`` keeps the
      jobs that are done beside the results, and the same command resumes.
====  =====================================================================
"""

import functools
import importlib
import importlib.util
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..._core.jobs import processes
from ...cases.nbfact_project import NBFACT
from ...cases.rivals import peers
from ...harness import machine
from ...harness.case import Pattern, matches, patterns
from ...harness.measure import limited_threads
from .. import STUDIES
from . import result_files, study_page, work
from .rows import Row

MOST_LISTED = 8
"""Number of patterns up to which a page lists them all."""

JOBLIB_MISSING = 'joblib is missing; pip install "nbfact[study]" brings it'


def load(name: str) -> ModuleType:
    """Return the module of a study, imported now.

    Parameters
    ----------
    name : str
        One of :data:`nbfact.studies.STUDIES`.

    Returns
    -------
    module

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> bool(load("noise").TITLE)
    True
    """
    if name not in STUDIES:
        raise ValueError(f"unknown study {name!r}: expected one of {tuple(STUDIES)}")
    return importlib.import_module(f"..{STUDIES[name]}", __package__)


def run_study(
    name: str,
    quick: bool = False,
    output: Path | None = None,
    with_peers: bool = False,
    threads: int = 1,
    n_jobs: int = 1,
    data: Sequence[str] = (),
    settings: Any = None,
    *,
    pattern: Pattern = None,
    so_far: bool = False,
    rows_of: Sequence[Path] = (),
) -> int:
    """Run a study, print its tables, and write NAME.csv, NAME.md and NAME.png.

    Parameters
    ----------
    name : str
        One of :data:`nbfact.studies.STUDIES`.
    quick : bool
        Run the smaller version of the study, which shows within minutes that it works.
    output : Path or None
        Directory of the files, made when missing. None means ``runs`` in the current
        directory.
    with_peers : bool
        Run pyfaust too, where the study compares with it.
    threads : int
        Number of threads that BLAS, OpenMP and Numba use.
    n_jobs : int
        Number of processes, with one thread each, for a study with ``PARALLEL``; -1
        for all cores.
    data : sequence of str
        Names of data sets, for a study with a function ``choose``. None named means
        those that need no network.
    pattern : str, sequence of str, or None
        Only the jobs whose label contains this text, or matches it as a glob; of
        several, one must match.
    so_far : bool
        Do no job, and write the files from those that an interrupted run has done.
    rows_of : sequence of Path
        CSV files of earlier runs: do no job, and write the files from their rows. Of
        rows that agree in the columns ``SAME_ROW`` of the study, the first one counts.
    settings : optional
        Settings to use instead of the study's ``QUICK`` or ``FULL``.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.studies.tools.run_study`.

    Raises
    ------
    ModuleNotFoundError
        When an extra is not installed; the message names the one that is needed.
    ValueError
        For an unknown study, more threads than the machine has, several processes for
        a study that times its jobs, data that the study does not have, or a pattern
        that no job matches.
    OSError
        When the directory cannot be written, or data cannot be downloaded.
    """
    study = load(name)
    output = Path("runs") if output is None else output
    # These raise before the work is done rather than after it.
    result_files.new_figure()
    result_files.check_directory(output)
    if with_peers and not peers.installed("pyfaust"):
        raise ModuleNotFoundError(f"--peers: pyfaust is missing; {peers.INSTALL}")
    if rows_of:
        return _written(study, name, output, rows_of)
    parallel = getattr(study, "PARALLEL", False)
    n_jobs = _checked_n_jobs(name, parallel, n_jobs, threads)
    given = "" if settings is None else f" with {settings!r}"
    settings = settings or (study.QUICK if quick else study.FULL)
    if data:
        settings = _chosen(study, name, settings, data)
    kept = None
    if parallel:
        kind = f"{'-quick' * quick}{'-peers' * with_peers}"
        path = output / f"{name}{kind}.partial.jsonl"
        kept = work.Kept(path, work.key(name, settings, with_peers))
    jobs = _matching(name, study.jobs(settings, with_peers), pattern)
    total = len(jobs)
    if so_far:
        jobs = _done_jobs(name, jobs, kept)
    elif check := getattr(study, "check_installed", None):
        check([label for label, _ in jobs])
    start = time.perf_counter()
    with limited_threads(threads):
        rows = work.do(jobs, n_jobs, kept)
    seconds = time.perf_counter() - start
    flags = f"{' --quick' * quick}{' --peers' * with_peers}"
    flags += f" --threads {threads}" * (threads > 1)
    flags += "".join(f" --data {one}" for one in data)
    listed = patterns(pattern)
    many = len(listed) > MOST_LISTED
    shown = ["..."] if many else map(shlex.quote, listed)
    flags += "".join(f" -k {one}" for one in shown)
    source = f"`nbfact study {name}{flags}`{given}: {_machine_and_versions(threads)}."
    source += f" {len(listed)} patterns chose {total} jobs." * many
    if so_far:
        source += f" {len(jobs)} of {total} jobs are done so far."
    text = _write_files(study, name, output, rows, source)
    if kept and not so_far and pattern is None:
        kept.remove()
    print(text)  # after the files are written, because `| head` closes the pipe
    mistakes = _mistakes(rows)
    files = ", ".join(str(output / f"{name}.{kind}") for kind in ("csv", "md", "png"))
    print(f"\n{len(rows)} rows, {seconds:.0f} s; in {files}")
    return 1 if mistakes else 0


def _written(study, name, output: Path, rows_of: Sequence[Path]) -> int:
    """Write the files of a study from rows of earlier runs; return the exit code."""
    rows = [row for path in rows_of for row in result_files.read_csv(path)]
    if not rows:
        names = " ".join(f"--rows {path}" for path in rows_of)
        raise ValueError(f"{names}: no rows of results")
    if same := getattr(study, "SAME_ROW", ()):
        first: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            first.setdefault(tuple(row.get(one) for one in same), row)
        rows = list(first.values())
    flags = "".join(f" --rows {path.name}" for path in rows_of)
    made = (study_page.source_of(study_page.earlier(path)) for path in rows_of)
    source = " ".join(filter(None, dict.fromkeys(made)))
    source = (
        source or f"`nbfact study {name}{flags}`: {len(rows)} rows of earlier runs."
    )
    print(_write_files(study, name, output, rows, source))
    return 1 if _mistakes(rows) else 0


def _mistakes(rows: Sequence[Row]) -> list[str]:
    """Return what is wrong with rows, and print it."""
    mistakes = result_files.not_finite(rows) + _own_failures(rows)
    for message in mistakes:
        print(f"WRONG: {message}", file=sys.stderr)
    return mistakes


def _write_files(study, name, output: Path, rows: Sequence[Row], source: str) -> str:
    """Write the files of a study, and return its tables and notes as text.

    What a person wrote into an earlier page at the same place stays there.
    """
    by_hand = study_page.part_by_hand(study_page.earlier(output / f"{name}.md"))
    text = study_page.page(study, name, rows, source, by_hand)
    output.mkdir(parents=True, exist_ok=True)
    result_files.write_csv(output / f"{name}.csv", rows)
    result_files.write_text(output / f"{name}.md", text)
    pictures = {"": study.draw, "_details": getattr(study, "draw_details", None)}
    for ending, draw in pictures.items():
        if draw:
            drawn = functools.partial(draw, rows)
            result_files.write_png(output / f"{name}{ending}.png", drawn)
    if by_hand:
        place = f"{output / name}.md"
        print(f"{place}: kept what was written by hand; is it still true?")
    return f"{result_files.markdown(study.tables(rows))}\n{study.NOTES}"


def _own_failures(rows):
    """Return a message for each attempt of nbfact, not of a rival, that raised."""
    return [
        f"row {number}: {row['method']}: {row['failure']}"
        for number, row in enumerate(rows, start=1)
        if row.get("failure") and not peers.is_peer(row["method"])
    ]


def _chosen(study, name, settings, data):
    """Return the settings of a study restricted to some data sets."""
    if not hasattr(study, "choose"):
        raise ValueError(f"--data {data[0]}: study {name} has no data sets to choose")
    return study.choose(settings, data)


def _matching(name, jobs, pattern):
    """Return the jobs whose label matches a pattern."""
    found = [job for job in jobs if matches(job[0], pattern)]
    if not found:
        raise ValueError(f"-k {pattern}: study {name} has no such job")
    return found


def _done_jobs(name, jobs, kept):
    """Return the jobs that an interrupted run has done already, or raise."""
    done = kept.read() if kept else {}
    found = [job for job in jobs if job[0] in done]
    if not found:
        raise ValueError(f"--so-far: no job of study {name} is done and kept")
    return found


def _checked_n_jobs(name, parallel, n_jobs, threads):
    """Return the number of processes, or raise when a study cannot use several."""
    if n_jobs == 1:
        return 1
    if not parallel:
        raise ValueError(f"--n-jobs {n_jobs}: study {name} times its jobs, one by one")
    if threads > 1:
        raise ValueError(f"--n-jobs {n_jobs} --threads {threads}: choose one")
    if importlib.util.find_spec("joblib") is None:
        raise ModuleNotFoundError(f"--n-jobs {n_jobs}: {JOBLIB_MISSING}")
    return processes(n_jobs)


def _machine_and_versions(threads):
    """Return a line with the machine and the versions that the figures depend on."""
    found = machine.fingerprint(NBFACT)
    versions = found["versions"]
    names = ("nbfact", "numba", "numpy", "scikit-learn", "pyfaust")
    parts = [f"{name} {versions[name]}" for name in names if name in versions]
    if commit := found.get("commit"):
        parts.append(f"commit {commit[:10]}{'+' * bool(found.get('dirty'))}")
    plural = "" if threads == 1 else "s"
    return f"{found['cpu']}, {threads} thread{plural}, {', '.join(parts)}"
