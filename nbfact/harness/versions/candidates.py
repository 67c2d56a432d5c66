"""The commits among which a search looks for the one that made a case worse."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import revisions
from .clone import clone_of

GOOD, BAD, SKIPPED = "good", "bad", "skipped"
"""What is known of a commit."""


class NothingWorseError(ValueError):
    """The bad version is not worse than the good one."""


@dataclass
class Commit:
    """A commit of the search, or the changes of a working tree.

    Parameters
    ----------
    name : str
        Its hash, or ``worktree``.
    date, subject : str
        Its date, and the first line of its message.
    value : float or None
        What the search compares: time over that of the good version, relative error,
        blocks or bytes; or 1 where the case fails and 0 where it works. None where it
        was not measured.
    state : str or None
        :data:`GOOD`, :data:`BAD`, :data:`SKIPPED`, or None: not looked at.
    message : str or None
        Why it was skipped, or how the case fails.
    """

    name: str
    date: str = ""
    subject: str = ""
    value: float | None = None
    state: str | None = None
    message: str | None = None


def candidates(good: revisions.Revision, bad: revisions.Revision) -> list[Commit]:
    """Return the commits from one version to another one, oldest first.

    Parameters
    ----------
    good, bad : Revision
        The two versions. The first is not among the commits. The second one's changes
        that are not committed are the last.

    Raises
    ------
    ValueError
        When they are no commits, or the first is no ancestor of the second.
    NothingWorseError
        When no commit between them changes the package.
    """
    for version in (good, bad):
        if version.commit is None:
            raise ValueError(f"{version.name!r}: not a commit of this repository")
    if good.dirty:
        raise ValueError(f"{good.name!r}: it has uncommitted changes; name a commit")
    try:
        _git("merge-base", "--is-ancestor", good.commit, bad.commit)
    except subprocess.CalledProcessError:
        raise ValueError(
            f"{good.name!r} is no ancestor of {bad.name!r}"
            + (f" here: {revisions.SHALLOW}" if revisions.is_shallow(Path()) else "")
        ) from None
    span = f"{good.commit}..{bad.commit}"
    form = "--format=%H%x09%cs%x09%s"
    # From the top of the repository, because a path is relative to where git runs.
    clone = clone_of(good.project)
    paths = [f":/{clone.place}"] if clone else []
    log = _git("log", "--first-parent", "--reverse", form, span, "--", *paths)
    found = [Commit(*line.split("\t", 2)) for line in log.splitlines()]
    if bad.dirty:
        found.append(Commit(revisions.WORKTREE, "", "uncommitted changes"))
    if not found:
        raise NothingWorseError(
            f"no commit after {good.name!r} up to {bad.name!r} changes the package"
        )
    return found


def _git(*arguments):
    """Return what git prints; raise CalledProcessError where it fails."""
    done = subprocess.run(
        ["git", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout
