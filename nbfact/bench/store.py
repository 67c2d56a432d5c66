"""Results on disk: one JSON object a line, the file whole at every moment.

Rows go to a temporary file beside the results, which then replaces them, under a
lock on the directory. A single ``write`` in append mode would need no lock, but leaves
half a line behind when the disk is full; the lock is the operating system's, so a
killed process leaves none. Windows has no such lock: there, two runs at once need two
files.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .._files import atomic_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

SCHEMA = 1
"""Version of the rows; a reader refuses what it does not know."""


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
    ...     append_rows(Path(folder) / "a.jsonl", [{"case": "x"}])
    ...     read_rows(Path(folder) / "a.jsonl")
    [{'schema': 1, 'case': 'x'}]
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


def read_rows(path: str | os.PathLike[str]) -> list[dict]:
    """Return the rows of a results file.

    Raises
    ------
    ValueError
        When a line is not a row of a known schema; the message names it.

    Examples
    --------
    See :func:`append_rows`.
    """
    rows = []
    for number, line in enumerate(Path(path).read_bytes().splitlines(), start=1):
        rows.append(_row(line, f"{path}, line {number}"))
    return rows


def check(path: str | os.PathLike[str]) -> None:
    """Raise unless `path` can take rows: missing, empty, or starting with a row.

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
        with open(path, "rb") as file:
            first = file.readline(1 << 20)
        if first:
            _row(first, f"{path}, line 1")


def _row(line, where):
    """Parse one line, or say where it is not a row."""
    try:
        row = json.loads(line)
        if isinstance(row, dict) and row.get("schema") == SCHEMA:
            return row
    except ValueError:  # not JSON, or not even text
        pass
    raise ValueError(f"{where}: not a row of nbfact results (schema {SCHEMA})")


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
