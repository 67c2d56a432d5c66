"""Do the jobs of a study, in turn or in processes, and keep the finished ones on disk.

A file beside the results gets one line for each job that is done. The line is written
through to the disk, so that Ctrl-C, a crash or a power cut loses only the jobs under
way. Each line holds a digest (``key``) of all that its rows depend on: the study and
its settings, the sources of the package, the versions of its dependencies and the
machine. Lines with another digest are ignored.
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
from .rows import Row

Job = tuple[str, Callable[[], list[Row]]]
"""A label, which the progress bar shows, and a function that returns rows."""

PACKAGE = Path(__file__).parents[2]
"""Directory of the package, whose sources the rows of a job depend on."""

_IRRELEVANT = ("harness", "cli", "__main__.py")
"""Parts of the package that no job's result depends on: when they change, the jobs that
are done are kept."""


class Kept:
    """The rows of the jobs that are done, kept in a file of JSON lines.

    Parameters
    ----------
    path : Path
        The file. It is made when the first job is done.
    key : str
        Digest of what rows depend on: lines with another one are not read.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key

    def read(self) -> dict[str, list[Row]]:
        """Return the rows of each job that is done, by the label of the job."""
        if not self.path.exists():
            return {}
        lines, _ = store.read_rows(self.path)  # skips a line that was cut short
        return {
            line["job"]: line["rows"]
            for line in lines
            if line.get("kind") == "study" and line.get("key") == self.key
        }

    def add(self, label: str, rows: list[Row]) -> list[Row]:
        """Write the rows of a job, and return them as a later run will read them.

        Parameters
        ----------
        label : str
            Label of the job.
        rows : list of dict
            Its rows, of values that JSON can hold; NumPy numbers become Python's.

        Returns
        -------
        list of dict

        Raises
        ------
        TypeError
            When a row holds a value that JSON cannot.
        """
        head = {"schema": store.SCHEMA, "kind": "study", "key": self.key}
        line = json.dumps({**head, "job": label, "rows": rows}, default=_plain)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab+") as file:
            if file.tell() and not _ends_with_a_newline(file):
                file.write(b"\n")
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return json.loads(line)["rows"]

    def remove(self) -> None:
        """Delete the file, which nobody needs once the results are written."""
        self.path.unlink(missing_ok=True)


def key(name: str, settings: Any, with_peers: bool) -> str:
    """Return a digest of all that the rows of a study depend on.

    Parameters
    ----------
    name : str
        Name of the study.
    settings : dataclass
        Its settings; their ``repr`` enters the digest.
    with_peers : bool
        Whether pyfaust runs too.

    Returns
    -------
    str
        16 hexadecimal digits. Besides the arguments they depend on the sources of the
        package, on the versions of its dependencies, and on the processor.

    Examples
    --------
    >>> key("noise", 1, False) == key("noise", 1, False) != key("noise", 2, False)
    True
    """
    found = machine.fingerprint(NBFACT)
    parts = [name, repr(settings), with_peers, found["cpu"], sorted(found["versions"])]
    parts += [found["versions"][one] for one in sorted(found["versions"])]
    digest = hashlib.sha256(repr(parts).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if place.parts[0] not in _IRRELEVANT:
            digest.update(str(place).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def do(jobs: Sequence[Job], n_jobs: int = 1, kept: Kept | None = None) -> list[Row]:
    """Do all jobs under a progress bar, and return their rows in the order of the jobs.

    Parameters
    ----------
    jobs : sequence of (label, function)
        The jobs. With `kept`, labels must differ and rows must be valid JSON. With
        several processes, functions must be picklable.
    n_jobs : int
        Number of processes, with one thread each; with 1 the jobs run in this process.
    kept : Kept, optional
        File that holds the jobs that are done already, which are skipped, and that gets
        those done now.

    Returns
    -------
    list of dict
    """
    done = _done_before(jobs, kept)
    missing = [place for place in range(len(jobs)) if place not in done]
    try:
        for place, rows in _progress(jobs, missing, n_jobs):
            done[place] = rows if kept is None else kept.add(jobs[place][0], rows)
    except KeyboardInterrupt:
        if kept and done:
            message = f"{len(done)} of {len(jobs)} jobs are kept in {kept.path}"
            print(f"{message}; the same command goes on from there", file=sys.stderr)
        raise
    return [row for place in range(len(jobs)) for row in done[place]]


def _done_before(jobs: Sequence[Job], kept: Kept | None) -> dict[int, list[Row]]:
    """Return the rows of the jobs that an earlier run has done, by place of the job."""
    found = {} if kept is None else kept.read()
    if kept is not None and found:
        print(f"{kept.path}: {len(found)} jobs are done already", file=sys.stderr)
    return {
        place: found[label] for place, (label, _) in enumerate(jobs) if label in found
    }


def _progress(
    jobs: Sequence[Job], missing: Sequence[int], n_jobs: int
) -> Iterator[tuple[int, list[Row]]]:
    """Yield the place and rows of each missing job once it is done, under a bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    text = TextColumn("{task.description}")
    # No thread refreshes the bar, because some jobs are timed: it is drawn between
    # jobs.
    with Progress(
        *(MofNCompleteColumn(), BarColumn(), Elapsed(), text),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    ) as progress:
        task = progress.add_task(
            "", total=len(jobs), completed=len(jobs) - len(missing)
        )

        def started():
            for place in missing:
                label, function = jobs[place]
                if n_jobs == 1:
                    progress.update(task, description=label, refresh=True)
                yield place, function

        for place, rows in each(_run, started(), n_jobs, ordered=False):
            progress.advance(task)
            if n_jobs > 1:
                progress.update(task, description=jobs[place][0], refresh=True)
            yield place, rows


def _run(place, function):
    """Run a job, and return its place with its rows: processes end in any order."""
    return place, function()


def _plain(value):
    """Return a NumPy number as a Python number, which JSON can hold."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"a row holds {value!r}, which JSON cannot hold")


def _ends_with_a_newline(file):
    """Return whether the last byte of a file, which is not empty, ends a line."""
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
