"""Results on disk: one JSON object a line, the file whole at every moment.

Rows are written to a temporary file beside the results, which then replaces them, while
a lock on the directory is held. A single ``write`` in append mode would need no lock,
but leaves half a line behind when the disk is full. The lock is one of the operating
system, so that a killed process leaves none. Windows has no such lock: there, two runs
at the same time need two files.

Results of several machines or runs are merged by copying their files into one folder,
or by concatenating them: every row says what it is (``kind``), and from which run and
machine it comes, and a row that is met twice counts once.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .._core.files import atomic_path, is_temporary

try:
    import fcntl
except ImportError:  # Windows, whose lack of it the type of a module cannot say
    fcntl = None  # type: ignore[assignment]

SCHEMA = 3
"""Version of the rows that are written. Rows of version 1 had no ``kind`` (all were
measured cases) and no ``allocations``; measured cases of version 2 were timed by one
process and the wall clock, had no ``cold`` times, and an interval of ratios within that
process, which said nothing about another one. They are read without this interval, and
as if they had all keys of today."""

_ADDED = {"processes": 1, "clock": "wall", "cold": None, "unstable": False}


def append_rows(path: str | os.PathLike[str], rows: Iterable[dict]) -> None:
    """Add rows to a file of results, all of them or none.

    Parameters
    ----------
    path : str or path-like
        The file; it is made, with its directory, when missing.
    rows : iterable of dict
        Rows to add; the key ``schema`` is put first in each. NaN and infinity are
        refused, because they are not JSON.

    Raises
    ------
    ValueError
        When the file holds something else than results, or a row holds NaN or
        infinity.
    OSError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     append_rows(Path(folder) / "a.jsonl", [{"kind": "bench", "case": "x"}])
    ...     read_rows(Path(folder) / "a.jsonl")
    ([{'schema': 3, 'kind': 'bench', 'case': 'x'}], [])
    """
    path = Path(os.path.realpath(path))
    lines = [json.dumps({"schema": SCHEMA, **row}, allow_nan=False) for row in rows]
    added = "".join(line + "\n" for line in lines).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.parent):
        check(path)
        before = path.read_bytes() if path.exists() else b""
        if before and not before.endswith(b"\n"):
            before += b"\n"
        with atomic_path(path) as temporary:
            temporary.write_bytes(before + added)


def read_rows(
    *paths: str | os.PathLike[str],
) -> tuple[list[dict], list[str]]:
    """Return the rows of some files of results, and the lines that are not rows.

    Parameters
    ----------
    paths : str or path-like
        Files; and directories, in which all files ``*.jsonl`` are read.

    Returns
    -------
    rows : list of dict
        Rows in the order of files and lines, each once, in the present schema.
    problems : list of str
        A message ``FILE, line N: ...`` for each line that is not a row: one that was
        cut short or damaged, is something else, or has a later schema. The lines stay
        in the files.

    Raises
    ------
    OSError
        When a file cannot be read.

    Examples
    --------
    See :func:`append_rows`.
    """
    rows: dict[str, dict] = {}
    problems = []
    for path in files(*paths):
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = _row(line, f"{path}, line {number}")
            except ValueError as error:
                problems.append(str(error))
            else:
                rows.setdefault(json.dumps(row, sort_keys=True), row)
    return list(rows.values()), problems


def check(path: str | os.PathLike[str]) -> None:
    """Raise an error unless rows can be added to the file `path`.

    The file may be missing or empty, or must hold a row.

    Raises
    ------
    ValueError
        When the file holds something else.
    OSError
        When `path` is a directory, or when it, or the nearest directory that exists,
        is not writable.

    Examples
    --------
    >>> check("no-such-directory/results.jsonl")
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory, not a file to write")
    place = path if path.exists() else path.parent
    while not place.exists():
        place = place.parent
    if place != path and not place.is_dir():
        raise NotADirectoryError(f"{place} is a file, not a directory to write in")
    if not os.access(place, os.W_OK):
        raise PermissionError(f"{place} is not writable")
    if path.exists():
        _check_lines(path)


def _check_lines(path):
    """Raise an error about the first line unless some line of the file is a row."""
    first = None
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                _row(line, f"{path}, line {number}")
            except ValueError as error:
                first = first or error
            else:
                return
    if first is not None:
        raise first


def print_json(found: Mapping[str, Any]) -> None:
    """Print what a command found on standard output, as one object of JSON.

    Examples
    --------
    >>> print_json({"exit": 0})
    {"schema": 3, "exit": 0}
    """
    print(json.dumps({"schema": SCHEMA, **found}, allow_nan=False))


def files(*paths: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the files that some paths name, those of a directory sorted by name.

    Parameters
    ----------
    paths : str or path-like
        Files; and directories, which stand for the files ``*.jsonl`` in them, without
        those that a process is writing or was when it was killed.

    Yields
    ------
    Path

    Examples
    --------
    >>> [path.name for path in files("a.jsonl")]
    ['a.jsonl']
    """
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        yield from sorted(p for p in path.glob("*.jsonl") if not is_temporary(p))


def _row(line, where):
    """Return the row in a line, in the present schema; raise ValueError if it is none.

    Rows are changed as far as an older schema demands.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # not JSON, or not even text
        row = None
    version = row.get("schema") if isinstance(row, dict) else None
    if not isinstance(version, int):
        raise ValueError(f"{where}: not a row of nbfact results")
    if version > SCHEMA:
        raise ValueError(f"{where}: schema {version}; this nbfact reads up to {SCHEMA}")
    if version == 1:
        row = {**row, "kind": "bench", "allocations": None}
    if version < SCHEMA and row.get("kind") == "bench":
        row = {**_ADDED, **row}
        for key in ("time", "ratio"):
            if isinstance(row.get(key), dict):
                row[key] = {**row[key], "low": None, "high": None}
    return {**row, "schema": SCHEMA}


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a directory, after waiting for the process that holds it."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
