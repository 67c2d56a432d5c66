"""The clone of a git repository around a package, and the package at a commit of it."""

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from ..project import Project


@dataclass(frozen=True)
class Clone:
    """A clone of a repository that holds a package.

    Parameters
    ----------
    top : path
        The top of the clone.
    place : str
        Where the package is below it, as ``src/mypkg``.
    """

    top: Path
    place: str

    @property
    def package(self) -> Path:
        """The folder of the package in the working tree."""
        return self.top / self.place

    @property
    def changed(self) -> bool:
        """Whether the package in the working tree differs from the last commit."""
        return bool(git(self.top, "status", "--porcelain", "--", self.place))

    def at(self, commit: str) -> dict[str, bytes]:
        """Return the files of the package at a commit, by their path below it.

        Parameters
        ----------
        commit : str
            Hash of the commit. The package may have moved into ``src`` or out of it.

        Raises
        ------
        ValueError
            When the commit has no such package.
        """
        *outer, name = self.place.split("/")
        elsewhere = outer[:-1] if outer[-1:] == ["src"] else [*outer, "src"]
        for place in (self.place, "/".join([*elsewhere, name])):
            packed = subprocess.run(
                ["git", "-C", self.top, "archive", commit, place], capture_output=True
            )
            if packed.returncode == 0:
                break
        else:
            raise ValueError(f"commit {commit[:10]} holds no {self.place}/")
        files = {}
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    files[member.name.removeprefix(f"{place}/")] = content.read()
        return files


def clone_of(project: Project, path: Path | None = None) -> Clone | None:
    """Return the clone around a path that holds a package, None where there is none.

    Parameters
    ----------
    project : Project
        The package. It is looked for in the folder `path`, in its ``src``, and in the
        folders above, up to the top of the clone.
    path : path, optional
        By default the current directory.
    """
    start = (path or Path.cwd()).resolve()
    text = git(start, "rev-parse", "--show-toplevel")
    if not text:
        return None
    top = Path(text).resolve()
    for folder in (start, *start.parents):
        for place in (folder / project.name, folder / "src" / project.name):
            if (place / "__init__.py").is_file():
                return Clone(top, place.relative_to(top).as_posix())
        if folder == top:
            break
    return None


def git(folder: Path | None, *arguments: str) -> str:
    """Return what git prints in a folder, an empty text where it fails.

    Examples
    --------
    >>> git(None, "status")
    ''
    """
    if folder is None:
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments], capture_output=True, text=True
        )
    except OSError:  # no git
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
