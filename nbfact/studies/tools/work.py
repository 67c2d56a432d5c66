"""The jobs of a study: in turn or in processes, each kept on disk once it is done.

A file beside the results holds a line for each job that is done, written through to the
disk, so that Ctrl-C, a crash or a power cut costs the jobs under way only. A line says
what it depends on (``key``): the study and its settings, the sources of the package,
versions and machine; lines of another key are not read.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..._core.jobs import each
from ...cases.nbfact_project import NBFACT
from ...harness import machine, store
from .result_files import Row

Job = tuple[str, Callable[[], list[Row]]]

PACKAGE = Path(__file__).parents[2]
_NOT_OURS = ("bench", "report", "cli.py", "factoring.py", "__main__.py")


class Kept:
    """The rows of the jobs that are done, in a file.

    Parameters
    ----------
    path : Path
        The file; made when the first job is done.
    key : str
        Of lines that may be used, and are written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key

    def read(self) -> dict[str, list[Row]]:
        """Return the rows of each job that is done, by its label."""
        if not self.path.exists():
            return {}
        lines, _ = store.read_rows(self.path)  # one that was cut short is done again
        return {
            line["job"]: line["rows"]
            for line in lines
            if line.get("kind") == "study" and line.get("key") == self.key
        }

    def add(self, label: str, rows: list[Row]) -> list[Row]:
        """Write the rows of a job; return them as they will be read."""
        head = {"schema": store.SCHEMA, "kind": "study", "key": self.key}
        line = json.dumps({**head, "job": label, "rows": rows}, default=_plain)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab+") as file:
            if file.tell() and not _ended(file):
                file.write(b"\n")
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return json.loads(line)["rows"]

    def remove(self) -> None:
        """Delete the file: the results are written."""
        self.path.unlink(missing_ok=True)


def key(name: str, settings: Any, with_peers: bool) -> str:
    """Return what rows depend on, as a digest.

    Parameters
    ----------
    name : str
        Of the study.
    settings : dataclass
        Its settings, told by their ``repr``.
    with_peers : bool

    Returns
    -------
    str

    Examples
    --------
    >>> key("noise", 1, False) == key("noise", 1, False) != key("noise", 2, False)
    True
    """
    found = machine.fingerprint(NBFACT)
    told = [name, repr(settings), with_peers, found["cpu"], sorted(found["versions"])]
    told += [found["versions"][one] for one in sorted(found["versions"])]
    digest = hashlib.sha256(repr(told).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if place.parts[0] not in _NOT_OURS:
            digest.update(str(place).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def do(jobs: Sequence[Job], n_jobs: int = 1, kept: Kept | None = None) -> list[Row]:
    """Do all jobs under a progress bar; return their rows, in the order of the jobs.

    Parameters
    ----------
    jobs : sequence of (label, function)
        With `kept`, labels differ, and rows hold what JSON does. With several
        processes, functions can be pickled.
    n_jobs : int
        Processes, with one thread each; 1 for this one.
    kept : Kept, optional
        Where jobs that are done are found, and put.

    Returns
    -------
    list of dict
    """
    found = kept.read() if kept else {}
    if found:
        print(f"{kept.path}: {len(found)} jobs are done already", file=sys.stderr)
    missing = [job for job in jobs if job[0] not in found]
    done = {} if kept is None else {label: rows for label, rows in found.items()}
    try:
        for place, rows in _progress(missing, n_jobs, len(jobs)):
            label = missing[place][0]
            if kept is None:
                done[place] = rows
            else:
                done[label] = kept.add(label, rows)
    except KeyboardInterrupt:
        if kept and done:
            told = f"{len(done)} of {len(jobs)} jobs are kept in {kept.path}"
            print(f"{told}; the same command goes on from there", file=sys.stderr)
        raise
    places = range(len(jobs)) if kept is None else [label for label, _ in jobs]
    return [row for place in places for row in done[place]]


def _progress(jobs, n_jobs, total) -> Iterator[tuple[int, list[Row]]]:
    """Yield the place and the rows of each job, as they are done, under a bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    told = TextColumn("{task.description}")
    # Drawn between jobs, not by a thread within them: some are timed.
    with Progress(
        *(MofNCompleteColumn(), BarColumn(), Elapsed(), told),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    ) as progress:
        task = progress.add_task("", total=total, completed=total - len(jobs))

        def started():
            for place, (label, job) in enumerate(jobs):
                if n_jobs == 1:
                    progress.update(task, description=label, refresh=True)
                yield place, job

        for place, rows in each(_done, started(), n_jobs, ordered=False):
            progress.advance(task)
            if n_jobs > 1:
                progress.update(task, description=jobs[place][0], refresh=True)
            yield place, rows


def _done(place, job):
    return place, job()


def _plain(value):
    """Return a number of NumPy as one of Python."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"a row holds {value!r}, which is no JSON")


def _ended(file):
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
