"""Run the processes in which two versions of a package are imported side by side."""

from collections.abc import Iterator, Sequence
from typing import Any

from .. import worker
from ..allocations import RETURNED
from ..case_module import tolerances_of
from . import revisions
from .alongside import BASE, CONTROL, HEAD, ROLES

BUDGET = 0.04
"""Seconds of samples for each case in each process."""

ORDERS = tuple(ROLES[i:] + ROLES[:i] for i in range(3))
ORDERS = (*ORDERS, *(order[::-1] for order in ORDERS))
"""Orders of the roles in one process after the other: soon each has been the first."""


class VersionProcesses:
    """Two versions, and the processes that measure them.

    Parameters
    ----------
    base, head : Revision
        The two versions.
    threads : int
        Number of threads of Numba and BLAS.
    profile : str, optional
        Name of the list of cases, by default the project's last one, which holds all.
    """

    def __init__(
        self,
        base: revisions.Revision,
        head: revisions.Revision,
        threads: int,
        profile: str | None = None,
    ):
        self.versions = {BASE: base, HEAD: head}
        self.project = base.project
        self.threads = threads
        self.profile = profile or self.project.profiles[-1]
        cache = revisions.cache_folder(self.project)
        self.folders = {r: self.version(r).folder(cache, r) for r in ROLES}
        self.imported: dict[str, list] = {role: [] for role in ROLES}  # seconds
        self.turn = head.turn

    def version(self, role: str) -> revisions.Revision:
        """Return the version of a role; the control is the base once more."""
        return self.versions[BASE if role == CONTROL else role]

    def listed(self, role: str) -> dict[str, Any]:
        """Return the names of the profile and all cases of a version.

        What a case does not tolerate by itself, the project of its version does.

        Raises
        ------
        RuntimeError
            When the version cannot be imported.
        """
        version = self.versions[role]
        slowdown, looser = tolerances_of(self.project, version.files)
        found: dict[str, Any] = {}
        for line in self.lines([role], None):
            if "died" in line:
                raise RuntimeError(f"{version.name!r} cannot be read: {line['died']}")
            found = line if "every" in line else found
        for case in found["every"].values():
            case["slowdown"] = case.get("slowdown") or slowdown
            case["looser"] = case.get("looser") or looser
        return found

    def measured(
        self, roles: Sequence[str], names: Sequence[str], checking: bool
    ) -> Iterator[dict]:
        """Yield the rows of one process; the case in which it dies has failed.

        Parameters
        ----------
        roles : sequence of str
            The versions, in the order in which they are imported.
        names : sequence of str
            The cases.
        checking : bool
            Whether what does not vary is measured, in place of times.
        """
        budget = 0.0 if checking else BUDGET
        for line in self.lines(roles, names, budget, checking):
            if "row" in line:
                yield line["row"]
            elif "imported" in line and not checking:
                self.imported[line["imported"]].append(line["seconds"])
            elif "died" in line:
                case = line["case"] or names[0]
                yield {"case": case, "failed": {line["role"]: line["died"]}}

    def lines(
        self, roles, names, budget=0.0, checking=False, cache=None
    ) -> Iterator[dict]:
        """Yield what one process prints; if it dies, a last line says where.

        With `cache`, compiled kernels are in that folder and not beside their sources.
        """
        job = {
            "roles": [(role, str(self.folders[role])) for role in roles],
            "registries": self.project.registries,
            "path": list(map(str, self.project.path)),
            "profile": self.profile,
            "turn": self.turn,
            "cases": names,
            "budget": budget,
            "checking": checking,
        }
        at: dict[str, Any] = {"case": None, "role": roles[0]}
        module = f"{__package__}.alongside"
        # Without a common directory, compiled kernels stay beside their sources.
        drop = () if cache else ("NUMBA_CACHE_DIR",)
        add = {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
        if checking:
            add |= RETURNED
        for line in worker.answers(module, job, self.threads, drop=drop, add=add):
            at.update({key: line[key] for key in at if key in line})
            yield {**at, **line} if "died" in line else line
