"""Versions of the package, as source trees that can be imported side by side.

nbfact is Python through and through: a version is a folder of sources, and needs no
build and no environment of its own. Each is copied into a cache folder under its
digest and its role, so that its compiled kernels stay beside it for the next time.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..._core.files import atomic_path

WORKTREE, INSTALLED = "worktree", "installed"
"""Names of the working tree, uncommitted changes included, and of the package that
Python imports here."""

REGISTRIES = ("cases/registry.py", "bench/cases.py")
"""Where a version keeps its registry of cases, newest place first."""

_PACKAGE = "nbfact"
_KEPT_DAYS = 14


@dataclass(frozen=True)
class Revision:
    """One version of the package, read into memory.

    Parameters
    ----------
    name : str
        What was asked for.
    files : dict of str to bytes
        Its Python files by path below the package.
    version : str
        Its ``__version__``.
    commit, date : str or None
        Where git knows it: the commit it is, or started from, and when that was made.
    dirty : bool
        Whether it differs from the commit.
    """

    name: str
    files: dict[str, bytes]
    version: str
    commit: str | None = None
    date: str | None = None
    dirty: bool = False

    @property
    def digest(self) -> str:
        """Sixteen characters that tell its sources from any others."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]

    def describe(self) -> dict:
        """Return what a row of results says of it."""
        return {
            "name": self.name,
            "version": self.version,
            "commit": self.commit,
            "date": self.date,
            "dirty": self.dirty,
            "digest": self.digest,
        }

    @property
    def kernels(self) -> dict[str, bytes]:
        """The files that its compiled code is made from."""
        return {
            path: content
            for path, content in self.files.items()
            if path == "_jit.py" or path.startswith("kernels/")
        }

    def folder(self, cache: Path, role: str) -> Path:
        """Return the folder of the package in `cache`, written there when missing.

        Two roles never share one, even of the same sources: what is compiled for one
        name of the package cannot be read under another.
        """
        place = cache / f"{self.digest}-{role}"
        package = place / _PACKAGE
        if not package.is_dir():
            fresh = cache / f".{place.name}-{os.getpid()}-{time.monotonic_ns()}"
            for path, content in self.files.items():
                target = fresh / _PACKAGE / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            try:
                fresh.rename(place)
            except OSError:  # another process was first
                shutil.rmtree(fresh)
        os.utime(place)
        return package


def resolve(name: str) -> Revision:
    """Return the version that a user names.

    Parameters
    ----------
    name : str
        ``worktree``; ``installed``; what git knows (a tag, a branch, a commit); the
        version that is installed (``0.1.0``); a path: a clone, the package's own
        folder, or a wheel.

    Returns
    -------
    Revision

    Raises
    ------
    ValueError
        When nothing is called so, or what is holds no nbfact with a harness.

    Examples
    --------
    >>> resolve("installed").name
    'installed'
    """
    if name == WORKTREE:
        found = _worktree(name)
    elif name == INSTALLED:
        found = _installed(name)
    elif any(mark in name for mark in ("/", os.sep, ".whl")) or name in (".", ".."):
        found = _path(name, Path(name))
        if found is None:
            found = _git(name)  # origin/main
    else:
        found = _git(name) or _path(name, Path(name))
        if found is None and name.removeprefix("v") == _installed_version():
            found = _installed(name)
    if found is None:
        raise ValueError(
            f"{name!r}: neither a commit, branch or tag, nor a path, nor an installed "
            f"version; expected one of these, {WORKTREE!r} or {INSTALLED!r}"
        )
    if not any(path in found.files for path in REGISTRIES):
        raise ValueError(
            f"{name!r}: it has no registry of cases ({' or '.join(REGISTRIES)})"
        )
    return found


def default_base() -> str:
    """Return what to compare the working tree with when nothing is named.

    Returns
    -------
    str
        The last tag; without one, where this branch left ``main`` (or ``master``, or
        that of ``origin``); on that branch itself the last commit, if anything differs
        from it, else the one before.

    Raises
    ------
    ValueError
        Where there is no repository, or only one commit.
    """
    repository = _repository()
    if repository is None:
        raise ValueError("no git repository of nbfact here: name what to compare with")
    changed = _dirty(repository)
    last = "HEAD" if changed else "HEAD~1"  # the tag of what we stand on says nothing
    tag = _run(repository, "describe", "--tags", "--abbrev=0", last)
    if tag:
        return tag
    head = _run(repository, "rev-parse", "HEAD")
    for branch in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        base = _run(repository, "merge-base", "HEAD", branch)
        if base and base != head:
            return base[:10]
    if _run(repository, "rev-parse", "--verify", "--quiet", last):
        return last
    raise ValueError("one commit only: name what to compare with")


def lend_kernels(source: Path, target: Path, names: tuple[str, str]) -> None:
    """Copy compiled kernels from a package's folder to one of the same kernels.

    Parameters
    ----------
    source, target : path
        Folders of packages.
    names : (str, str)
        What each is imported as, of equal length: compiled code and Numba's index of
        it hold the name. What Numba cannot read so it compiles again.
    """
    old, new = (name.encode() for name in names)
    for path in source.rglob("*.nb[ic]"):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(place) as temporary:
            temporary.write_bytes(path.read_bytes().replace(old, new))


def cache_folder() -> Path:
    """Return the folder of source trees and their compiled kernels, made when missing.

    Trees not used for two weeks are removed from it.
    """
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root, _PACKAGE, "revisions")
    folder.mkdir(parents=True, exist_ok=True)
    limit = time.time() - _KEPT_DAYS * 86400
    for place in folder.iterdir():
        if place.stat().st_mtime < limit:
            shutil.rmtree(place, ignore_errors=True)
    return folder


def _worktree(name):
    """Return the package of the clone we stand in."""
    repository = _repository()
    if repository is None:
        raise ValueError(f"{name!r}: no git repository of nbfact here")
    return _of_folder(name, repository / _PACKAGE, repository)


def _installed(name):
    """Return the package that this Python imports."""
    return _of_folder(name, Path(__file__).parents[2])


def _installed_version():
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return None


def _path(name, path):
    """Return the package at a path, or None."""
    if path.suffix == ".whl" and path.is_file():
        with zipfile.ZipFile(path) as wheel:
            names = [n for n in wheel.namelist() if n.startswith(f"{_PACKAGE}/")]
            files = {n.split("/", 1)[1]: wheel.read(n) for n in names}
        return _revision(name, files)
    for package in (path / _PACKAGE, path):
        if (package / "__init__.py").is_file():
            return _of_folder(name, package, _repository(path))
    return None


def _git(name):
    """Return the package of a commit of the repository we stand in, or None."""
    repository = _repository()
    if repository is None or name.startswith("-"):
        return None
    commit = _run(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        return None
    packed = subprocess.run(
        ["git", "-C", repository, "archive", commit, _PACKAGE], capture_output=True
    )
    if packed.returncode:
        raise ValueError(f"{name!r}: commit {commit[:10]} holds no {_PACKAGE}/")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        files = {
            member.name.split("/", 1)[1]: archive.extractfile(member).read()
            for member in archive
            if member.isfile()
        }
    date = _run(repository, "show", "-s", "--format=%cI", commit)
    return _revision(name, files, commit=commit, date=date)


def _of_folder(name, package, repository=None):
    """Return the package in a folder as it is now."""
    files = {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    known = {}
    if repository is not None:
        known = {
            "commit": _run(repository, "rev-parse", "HEAD") or None,
            "date": _run(repository, "show", "-s", "--format=%cI", "HEAD") or None,
            "dirty": _dirty(repository),
        }
    return _revision(name, files, **known)


def _revision(name, files, **known):
    """Return a revision of these files, those that Python reads."""
    files = {path: files[path] for path in files if not path.endswith((".pyc", ".so"))}
    text = files.get("__init__.py", b"").decode(errors="replace")
    version = next(_versions(text), "unknown")
    return Revision(name, files, version, **known)


def _versions(text) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("__version__"):
            yield line.partition("=")[2].strip().strip("\"'")


def _repository(path=None):
    """Return the top of the clone of nbfact around a path, by default where we are."""
    top = _run(path or Path.cwd(), "rev-parse", "--show-toplevel")
    if top and (Path(top) / _PACKAGE / "__init__.py").is_file():
        return Path(top)
    return None


def _dirty(repository):
    """Return whether the package differs from the last commit."""
    return bool(_run(repository, "status", "--porcelain", "--", _PACKAGE))


def _run(folder, *arguments):
    """Return what git prints, nothing where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments], capture_output=True, text=True
        )
    except OSError:  # no git
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
