"""Versions of a package, as source trees that can be imported side by side.

A package of pure Python needs no build and no environment of its own: a version is a
folder of sources. Each version is copied into a cache folder named after its digest and
its role in a comparison, so that its compiled kernels stay beside it for the next time.
"""

import compileall
import dataclasses
import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from ..._core.files import atomic_path, is_temporary, user_cache
from ..case_module import lent_files
from ..project import Project, declared_version
from .clone import Clone, clone_of, git
from .renaming import renamed
from .wheels import in_wheel, release

WORKTREE, INSTALLED = "worktree", "installed"
"""Names of the working tree, with its uncommitted changes, and of the package that
Python imports here."""

SHALLOW = (
    "not in this clone, which is shallow: it lacks the earlier commits; "
    "'git fetch --unshallow --tags' brings them"
)
"""What a user of a shallow clone reads about a version that is missing."""

_AGE = 946684800  # the time of the last change of all sources: the year 2000
_KEPT_DAYS = 14  # source trees that were not used for so long are removed


@dataclass(frozen=True)
class Revision:
    """One version of a package, read into memory.

    Parameters
    ----------
    name : str
        The name that a user gave.
    project : Project
        The package that this is a version of.
    files : dict of str to bytes
        Its Python files, by their path below the package.
    version : str
        Its ``__version__``.
    commit, date : str or None
        The commit that it is, or started from, and the date of that commit; None where
        git does not know it.
    dirty : bool
        Whether it differs from the commit.
    """

    name: str
    project: Project = field(repr=False)
    files: dict[str, bytes] = field(repr=False)  # its text would fill a megabyte
    version: str
    commit: str | None = None
    date: str | None = None
    dirty: bool = False

    @property
    def digest(self) -> str:
        """Sixteen characters that distinguish its sources from any others."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]

    @property
    def turn(self) -> int:
        """The number by which the cases of a profile that rotate are chosen."""
        return int((self.commit or self.digest)[:8], 16)

    def describe(self) -> dict[str, Any]:
        """Return what a row of results says about it, for JSON."""
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
        """The files that its compiled code is made from, by path."""
        return {
            path: content
            for path, content in self.files.items()
            if any(
                path.startswith(place) if place.endswith("/") else path == place
                for place in self.project.kernels
            )
        }

    def folder(self, cache: Path, role: str) -> Path:
        """Return the folder of the package in `cache`; write it if it is missing.

        Two roles never share a folder, even for the same sources, because what is
        compiled under one name of the package cannot be read under another.

        Parameters
        ----------
        cache : path
            From :func:`cache_folder`.
        role : str
            One of :data:`nbfact.harness.versions.alongside.ROLES`.

        Returns
        -------
        path
        """
        place = cache / f"{self.digest}-{role}"
        name = self.project.name
        package = place / name
        if not package.is_dir():
            fresh = cache / f".{place.name}-{os.getpid()}-{time.monotonic_ns()}"
            for path, content in self.files.items():
                target = fresh / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                if path.endswith(".py"):
                    content = renamed(content, name, f"{name}_{role}")
                target.write_bytes(content)
                # Numba reads compiled code back beside a source of this age only.
                os.utime(target, (_AGE, _AGE))
            # Dozens of processes import it, also where Python may not write bytecode.
            compileall.compile_dir(fresh, quiet=2, stripdir=fresh, prependdir=place)
            try:
                fresh.rename(place)
            except OSError:  # another process was first
                shutil.rmtree(fresh)
        os.utime(place)
        return package


def resolve(name: str, project: Project) -> Revision:
    """Return the version of a package that a user names.

    Parameters
    ----------
    name : str
        ``worktree``; ``installed``, the package that this Python imports; a tag, a
        branch or a commit of the repository that the current directory is in; a path:
        a clone, the folder of the package itself, or a wheel; a release, as
        ``mypkg==1.2``, whose wheel pip downloads; or the number of the installed
        version (``0.1.0``, ``v0.1.0``), unless that is an editable installation, whose
        number says nothing about its sources.
    project : Project
        The package.

    Returns
    -------
    Revision

    Raises
    ------
    ValueError
        When there is no such version, when it holds compiled modules, or when it has no
        registry of cases and the project has no file that it can get.

    Examples
    --------
    >>> from nbfact.cases.nbfact_project import NBFACT
    >>> resolve("installed", NBFACT).name
    'installed'
    """
    found: Revision | None
    if name == WORKTREE:
        found = _worktree(name, project)
    elif "==" in name:
        wheel = release(name, project, cache_folder(project))
        found = _in_wheel(name, project, wheel)
    elif name == INSTALLED:
        found = _of_folder(name, project, project.folder)
    elif any(mark in name for mark in ("/", os.sep, ".whl")) or name in (".", ".."):
        # A name with a slash can also be that of a branch, such as origin/main.
        found = _path(name, project, Path(name)) or _git(name, project)
    else:
        found = _git(name, project) or _path(name, project, Path(name))
        if found is None and name.removeprefix("v") == installed_version(project):
            found = _of_folder(name, project, project.folder)
    if found is None and is_shallow(_top(project)):
        raise ValueError(f"{name!r}: {SHALLOW}")
    if found is None:
        raise ValueError(
            f"{name!r}: neither a commit, branch or tag, nor a path, nor an installed "
            f"version; expected one of these, {WORKTREE!r} or {INSTALLED!r}"
        )
    places = [f"{place.replace('.', '/')}.py" for place in project.registries]
    places += [f"{place.removesuffix('.py')}/__init__.py" for place in places]
    if any(path in found.files for path in places):
        return found
    if project.file is None:
        found_at = " or ".join(places[: len(project.registries)])
        raise ValueError(f"{name!r}: it has no registry of cases ({found_at})")
    return dataclasses.replace(found, files=found.files | lent_files(project))


def default_base(project: Project) -> str:
    """Return the version to compare the working tree with when none is named.

    Parameters
    ----------
    project : Project
        The package.

    Returns
    -------
    str
        The last tag. Without a tag, the commit where this branch left ``main`` (or
        ``master``, or that of ``origin``). On that branch itself, the last commit if
        the working tree differs from it, and else the commit before.

    Raises
    ------
    ValueError
        Where there is no repository, or only one commit.
    """
    clone = clone_of(project)
    if clone is None:
        raise ValueError(
            f"no git repository of {project.name} here: name what to compare with"
        )
    repository = clone.top
    # A tag of HEAD would compare equal sources.
    last = "HEAD" if clone.changed else "HEAD~1"
    tag = git(repository, "describe", "--tags", "--abbrev=0", last)
    if tag:
        return tag
    head = git(repository, "rev-parse", "HEAD")
    for branch in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        base = git(repository, "merge-base", "HEAD", branch)
        if base and base != head:
            return base[:10]
    if git(repository, "rev-parse", "--verify", "--quiet", last):
        return last
    if is_shallow(repository):
        raise ValueError(SHALLOW)
    raise ValueError("one commit only: name what to compare with")


def is_shallow(folder: Path | None) -> bool:
    """Return whether a folder is in a clone without the earlier commits."""
    if folder is None:
        return False
    return git(folder, "rev-parse", "--is-shallow-repository") == "true"


def lend_kernels(source: Path, target: Path, names: tuple[str, str]) -> None:
    """Copy compiled kernels from one folder to another one with the same kernels.

    Parameters
    ----------
    source, target : path
        Folders of packages.
    names : (str, str)
        The names under which each is imported, of equal length, because compiled code
        and Numba's index of it contain the name. What Numba cannot read in the copies,
        it compiles again.
    """
    old, new = (name.encode() for name in names)
    for path in source.rglob("[!.]*.nb[ic]"):  # the hidden ones are being written
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(place) as temporary:
            temporary.write_bytes(path.read_bytes().replace(old, new))


def cache_folder(project: Project) -> Path:
    """Return the folder of source trees and their compiled kernels.

    It is made when it is missing. Trees that were not used for two weeks are removed.
    """
    own = project.name == "nbfact"
    folder = user_cache("revisions", *(() if own else (project.name,)))
    limit = time.time() - _KEPT_DAYS * 86400
    for place in folder.iterdir():
        if place.stat().st_mtime < limit:
            shutil.rmtree(place, ignore_errors=True)
    return folder


def installed_version(project: Project) -> str | None:
    """Return the version of a package that is installed, None where it is none.

    An editable installation is none: its metadata keep the version of the day of the
    installation, while its sources are those of a working tree. It is recognized by
    the file ``direct_url.json`` that installers write [1]_; so is a package that Python
    imports from a clone, by where it lies.

    References
    ----------
    .. [1] PEP 610, Recording the Direct URL Origin of installed distributions.
    """
    try:
        distribution = metadata.distribution(project.name)
    except metadata.PackageNotFoundError:
        return None
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable", False):
        return None
    clone = clone_of(project, project.folder.parent)
    if clone is not None and project.folder.resolve() == clone.package:
        return None
    return distribution.version


def _worktree(name, project):
    """Return the package of the clone that the current directory is in."""
    clone = clone_of(project)
    if clone is None:
        raise ValueError(f"{name!r}: no git repository of {project.name} here")
    return _of_folder(name, project, clone.package, clone)


def _path(name, project, path):
    """Return the package at a path, None where there is none."""
    if path.suffix == ".whl" and path.is_file():
        return _in_wheel(name, project, path)
    for package in (path / project.name, path / "src" / project.name, path):
        if (package / "__init__.py").is_file():
            clone = clone_of(project, package.parent)
            if clone is not None and clone.package != package.resolve():
                clone = None
            return _of_folder(name, project, package, clone)
    return None


def _in_wheel(name, project, path):
    """Return the package in a wheel; its name has the version, if no source has it."""
    found = _revision(name, project, in_wheel(path, project))
    if found.version == "unknown":
        found = dataclasses.replace(found, version=path.name.split("-")[1])
    return found


def _git(name, project):
    """Return the package of a commit of the repository here, None without such one."""
    clone = clone_of(project)
    if clone is None or name.startswith("-"):
        return None
    commit = git(clone.top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        return None
    try:
        files = clone.at(commit)
    except ValueError as error:
        raise ValueError(f"{name!r}: {error}") from None
    date = git(clone.top, "show", "-s", "--format=%cI", commit)
    return _revision(name, project, files, commit=commit, date=date)


def _of_folder(name, project, package, clone: Clone | None = None):
    """Return the package in a folder, as it is now."""
    files = {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and not is_temporary(path)
    }
    known: dict[str, Any] = {}
    if clone is not None:
        known = {
            "commit": git(clone.top, "rev-parse", "HEAD") or None,
            "date": git(clone.top, "show", "-s", "--format=%cI", "HEAD") or None,
            "dirty": clone.changed,
        }
    return _revision(name, project, files, **known)


def _revision(name, project, files, **known):
    """Return a revision with those of some files that Python reads."""
    # A repository may hold compiled files by mistake.
    files = {path: files[path] for path in files if "__pycache__" not in path}
    for path in files:
        if path.endswith((".so", ".pyd", ".dylib")):
            raise ValueError(
                f"{name!r}: {project.name}/{path} is compiled; only versions in pure "
                "Python, which Numba may compile, are compared"
            )
    version = declared_version(files.get("__init__.py", b"").decode(errors="replace"))
    return Revision(name, project, files, version or "unknown", **known)


def _top(project):
    """Return the top of the clone of the package around here, None where is none."""
    clone = clone_of(project)
    return clone and clone.top
