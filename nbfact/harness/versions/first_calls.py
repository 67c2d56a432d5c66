"""First calls with an empty cache of kernels: compile what is needed, and compare.

Before two versions are timed, their kernels are compiled, in a process for each core;
what was compiled for an earlier version with the same kernels is copied.
The CPU time of the first call of each case, which that gives, depends on which process
compiled a kernel first. It only chooses the cases whose first calls are measured, with
an empty cache each, in processes of their own.
"""

import concurrent.futures
import hashlib
import json
import math
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numba
import numpy as np

from ..._core.files import atomic_path
from . import findings, revisions
from .alongside import BASE, HEAD, ROLES

MOST = 4
"""Largest number of cases whose first calls are measured with an empty cache."""


_TIMES = (
    "cold-{}.json"  # the file of first calls that compiled; its mark names versions
)


class Running(Protocol):
    """A comparison that runs, as :class:`nbfact.harness.versions.batches.Batches`."""

    versions: dict[str, revisions.Revision]
    folders: dict[str, Any]
    project: Any
    progress: Callable[[str, int, int], object]

    def version(self, role: str) -> revisions.Revision:
        """Return the version of a role."""

    @property
    def lines(self) -> Callable[..., Iterator[dict]]:
        """Yield what one process prints about some cases."""


def found(batches: Running, names: Sequence[str]) -> dict[str, findings.Found]:
    """Compile what cases need; return the findings about first calls, by case.

    Parameters
    ----------
    batches : Running
        The comparison.
    names : sequence of str
        The cases that both versions have.

    Returns
    -------
    dict of str to dict
        Findings of the cases whose first call with an empty cache is slower.
    """
    for role in ROLES:
        _inherit(batches, role)
    times = {role: _Times(batches, role) for role in ROLES}
    _warm(batches, names, times)
    base, head = times[BASE].known, times[HEAD].known
    slower = {
        name: head[name] - base[name]
        for name in names
        if {name} <= base.keys() & head.keys()
        if findings.compiled(base[name], head[name])
    }
    suspects = sorted(slower, key=slower.__getitem__, reverse=True)[:MOST]
    made = {}
    for number, name in enumerate(suspects):
        batches.progress(f"first call: {name}", number, len(suspects))
        seconds = _cold(batches, BASE, name), _cold(batches, HEAD, name)
        if None in seconds:
            continue
        times[BASE].add({name: seconds[0]})  # it is no suspect the next time
        if findings.compiled(*seconds):  # another pair of processes must confirm it
            again = _cold(batches, BASE, name), _cold(batches, HEAD, name)
            made[name] = findings.compiled(*map(min, zip(seconds, again, strict=True)))
    return made


class _Times:
    """The CPU seconds of first calls of one version that compiled, kept in a file."""

    def __init__(self, batches: Running, role: str):
        key = [platform.python_version(), numba.__version__, np.__version__]
        mark = hashlib.sha256("\n".join(key).encode()).hexdigest()[:16]
        self.file = batches.folders[role] / _TIMES.format(mark)
        self.known: dict[str, float] = {}
        if self.file.exists():
            self.known = json.loads(self.file.read_text())

    def add(self, seconds):
        """Keep the longest time of each case: kernels that it shares take none."""
        for name, found in seconds.items():
            self.known[name] = max(found, self.known.get(name, 0.0))
        with atomic_path(self.file) as temporary:
            temporary.write_text(json.dumps(self.known))


def _inherit(batches, role):
    """Copy what was compiled for the same role of a version with the same kernels."""
    folder, name = batches.folders[role], batches.project.name
    kernels = sorted(batches.version(role).kernels.items())
    digest = hashlib.sha256(repr(kernels).encode()).hexdigest()
    mark = folder.with_name("kernels")
    if mark.exists() or not kernels:
        return
    sources = [
        other.with_name(name)
        for other in folder.parents[1].glob(f"*-{role}/kernels")
        if other.read_text() == digest
    ]
    if sources:
        fullest = max(sources, key=lambda place: len(list(place.rglob("*.nbi"))))
        revisions.lend_kernels(fullest, folder, (f"{name}_{role}",) * 2)
        for times in fullest.glob(_TIMES.format("*")):
            (folder / times.name).write_bytes(times.read_bytes())
    mark.write_text(digest)


def _cold(batches, role, name):
    """Return the CPU seconds of a first call with an empty cache, None if it fails."""
    seconds = None
    with tempfile.TemporaryDirectory() as folder:
        for line in batches.lines([role], [name], cache=folder):
            if "row" in line and not line["row"]["failed"]:
                seconds = line["row"]["first"][role][0]
    return seconds


def _warm(batches, names, times):
    """Compile what each role needs and was not compiled before; add its times.

    Roles whose kernels are those of the base get copies of what is compiled for it.
    Their first calls are those of the base.
    """
    kernels = batches.versions[BASE].kernels
    lent = [role for role in ROLES if batches.version(role).kernels == kernels]
    missing = {
        role: [name for name in names if name not in times[role].known]
        for role in ROLES
    }
    alone = [BASE, *(role for role in ROLES if role not in lent)]
    jobs = _jobs(alone, missing)
    batches.progress("compiling", 0, len(jobs))

    def compile_(job):
        role, part = job
        found = {}
        for line in batches.lines([role], part):
            if "row" in line and role in line["row"].get("first", {}):
                found[line["row"]["case"]] = line["row"]["first"][role][0]
        return role, found

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for role, found in pool.map(compile_, jobs):
            times[role].add(found)
    for role in lent:
        if role != BASE and missing[role]:
            name = batches.project.name
            base, folder = batches.folders[BASE], batches.folders[role]
            aliases = f"{name}_{BASE}", f"{name}_{role}"
            revisions.lend_kernels(base, folder, aliases)
            times[role].add({name: times[BASE].known.get(name, 0.0) for name in names})


def _jobs(roles, missing):
    """Return pairs of a role and the cases that one process compiles.

    Cases beside one another share kernels: each core gets two runs of cases.
    """
    cores = os.cpu_count() or 1
    total = sum(len(missing[role]) for role in roles)
    size = max(1, math.ceil(total / (2 * cores)))
    return [
        (role, missing[role][i : i + size])
        for role in roles
        for i in range(0, len(missing[role]), size)
    ]
