"""Files are written whole or not at all, and nothing stays of a writer that was killed.

A writer holds a lock on its temporary file. It is one of the operating system, which
frees it when the process ends in any way, so that the next writer in the directory
knows which files are those of dead ones.
"""

import contextlib
import os
import re
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, whose lack of it the type of a module cannot say
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = re.compile(r"\..*-[0-9a-f]{32}(\..*)?")
_OLD = 86_400
"""Seconds after which a temporary file is that of a dead writer, where there are no
locks: no file takes a day to write."""


def user_cache(*names: str) -> Path:
    """Return a folder of the user's cache, made where it is missing.

    It is below ``nbfact`` in ``$XDG_CACHE_HOME``, or in ``~/.cache`` without it.
    """
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root, "nbfact", *names)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path whose file replaces `path` when the ``with`` block ends.

    When the block raises, Ctrl-C included, the temporary file is removed and an earlier
    file at `path` stays unchanged. Temporary files that killed processes left in the
    directory are removed too.

    Parameters
    ----------
    path : str or path-like
        The file to write. Its directory must exist. When it is a symbolic link, the
        file that the link points to is replaced.

    Yields
    ------
    pathlib.Path
        Path of an empty file in the same directory, with the suffix of `path`.

    Raises
    ------
    OSError
        When the directory is missing or not writable, or `path` is a directory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [entry.name for entry in Path(folder).iterdir()]
    ['a.txt']
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory, not a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a directory to write in")
    remove_dead(path.parent)
    temporary, descriptor = _opened(path)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())  # a power cut keeps one of the two files whole
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def is_temporary(path: Path) -> bool:
    """Return whether a file has a name of those that `atomic_path` writes to.

    Whoever reads all files of a directory skips these, which are being written, or were
    when a process was killed.

    Examples
    --------
    >>> is_temporary(Path(f".a-{'0' * 32}.txt")), is_temporary(Path("a.txt"))
    (True, False)
    """
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_dead(folder: Path) -> None:
    """Remove from a directory the temporary files of processes that were killed.

    Parameters
    ----------
    folder : Path
        What cannot be removed from it, or is being written, stays.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in [Path(entry.path) for entry in entries]:
            if is_temporary(path):
                with contextlib.suppress(OSError):
                    _remove_if_dead(path)


def _opened(path):
    """Make a temporary file; return its path, and the descriptor that has its lock."""
    while True:
        temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}{path.suffix}")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if fcntl is None:
            os.close(descriptor)
            return temporary, None
        lost = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lost = True  # another process is removing it
        except OSError:
            pass  # some network file systems have no locks: there, nobody removes it
        if not lost and temporary.exists():
            return temporary, descriptor
        os.close(descriptor)


def _remove_if_dead(path):
    """Remove a temporary file unless a process writes it."""
    if fcntl is None:
        if time.time() - path.stat().st_mtime > _OLD:
            path.unlink()
        return
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    finally:
        os.close(descriptor)
