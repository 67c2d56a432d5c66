"""One change that is planted: where, and what is due."""

from typing import NamedTuple


class Change(NamedTuple):
    """A change of a file, and the exit code with which the gate should end."""

    title: str
    path: str  # below nbfact/
    new: str  # put in place of `old`, or at the end of the file
    due: int
    about: str  # the pattern of the cases that it concerns
    run: str  # changes with the same letter are planted together
    old: str = ""
    also: tuple[tuple[str, str], ...] = ()  # more files, and what is put at their ends
    turn: int | None = None  # which rotating cases of the profile the gate chooses
