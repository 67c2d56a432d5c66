"""Results on disk: one JSON object a line, the file whole at every moment.

Rows go to a temporary file beside the results, which then replaces them, under a
lock on the directory. A single ``write`` in append mode would need no lock, but leaves
half a line behind when the disk is full; the lock is the operating system's, so a
killed process leaves none. Windows has no such lock: there, two runs at once need two
files.

Results of several machines, or of several runs, merge by copying files beside one
another, or by concatenating them: every row says by itself what it is (``kind``), of
which run and of which machine, and a row that is met twice counts once.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .._core.files import atomic_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

SCHEMA = 2
"""Version of the rows that are written. Version 1 had no ``kind`` (all were measured
cases), nor ``allocations``; its rows are read as if they had been written today."""


def append_rows(path: str | os.PathLike[str], rows: Iterable[dict]) -> None:
    """Add rows to a results file, all of them or none.

    Parameters
    ----------
    path : str or path-like
        The file; made, with its directory, when missing.
    rows : iterable of dict
        What to add; each gets ``schema`` first. NaN and infinity are refused: they
        are not JSON.

    Raises
    ------
    ValueError
        When the file is not one of results, or a row holds NaN or infinity.
    OSError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     append_rows(Path(folder) / "a.jsonl", [{"kind": "bench", "case": "x"}])
    ...     read_rows(Path(folder) / "a.jsonl")
    ([{'schema': 2, 'kind': 'bench', 'case': 'x'}], [])
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
    """Return the rows of some results files, and what is not a row in them.

    Parameters
    ----------
    paths : str or path-like
        Files, and directories: of these, all files in ``.jsonl``.

    Returns
    -------
    rows : list of dict
        In the order of files and lines, each once, in the present schema.
    problems : list of str
        One for each line that is not a row, ``FILE, line N: ...``: cut short, damaged,
        something else, or of a later schema. The files keep them.

    Raises
    ------
    OSError
        When a file cannot be read.

    Examples
    --------
    See :func:`append_rows`.
    """
    rows, problems = {}, []
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
    """Raise unless `path` can take rows: missing, empty, or with a row in it.

    Raises
    ------
    ValueError
        When the file holds something else.
    OSError
        When it is a directory, or it or its nearest directory is not writable.

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
    """Raise, for the first line, unless one line of a file that has any is a row."""
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


def files(*paths: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield files, and of directories those in ``.jsonl``, in order of their names.

    Examples
    --------
    >>> [path.name for path in files("a.jsonl")]
    ['a.jsonl']
    """
    for path in map(Path, paths):
        yield from sorted(path.glob("*.jsonl")) if path.is_dir() else [path]


def _row(line, where):
    """Parse one line into a row of the present schema, or say where it is not one."""
    try:
        row = json.loads(line)
    except ValueError:  # not JSON, or not even text
        row = None
    version = row.get("schema") if isinstance(row, dict) else None
    if not isinstance(version, int):
        raise ValueError(f"{where}: not a row of nbfact results")
    if version > SCHEMA:
        raise ValueError(f"{where}: schema {version}; this nbfact reads up to {SCHEMA}")
    if version == 1:
        row = {**row, "schema": SCHEMA, "kind": "bench", "allocations": None}
    return row


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a directory; wait for whoever holds it."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
