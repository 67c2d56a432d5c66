"""First calls with an empty cache of kernels: compile what is needed, and compare.

Before two versions are timed, their kernels are compiled, in a process for each core;
what was compiled for an earlier version with the same kernels is copied. The CPU time
of each kernel chooses the cases whose first calls are measured, with an empty cache
each, in processes of their own: those that compile kernels which take longer than
before.
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
from .alongside import BASE, CONTROL, HEAD, ROLES

MOST = 2
"""Largest number of cases whose first calls are measured with an empty cache."""

PAIRS = 2
"""Number of first calls of each version that must be slower, of which the shorter one
counts."""

_TIMES = "compiled-{}.json"  # the file of a `_Compiled`; its mark names versions


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
    known = {role: _Compiled(batches, role) for role in ROLES}
    _warm(batches, names, known)
    slower = {}
    for name in names:
        base, head = _seconds(known[BASE], known[HEAD], name)
        if findings.compiled(base, head):
            slower[name] = head - base
    suspects = sorted(slower, key=slower.__getitem__, reverse=True)[:MOST]
    made = {}
    for number, name in enumerate(suspects):
        batches.progress(f"first call: {name}", number, len(suspects))
        pairs: list[tuple[float, float]] = []
        # Another pair of processes must confirm what the first one finds.
        while not pairs or (len(pairs) < PAIRS and findings.compiled(*pairs[-1])):
            seconds = [_cold(batches, role, name) for role in (BASE, HEAD)]
            if None in seconds:
                break
            pairs.append((seconds[0], seconds[1]))
        if pairs:
            made[name] = findings.compiled(*map(min, zip(*pairs, strict=True)))
    return made


class _Compiled:
    """What was compiled for one version, kept in a file.

    Attributes
    ----------
    cases : dict of str to list of str
        For each case whose kernels are compiled, those that it was the first to need.
    kernels : dict of str to float
        The CPU seconds that each took.
    """

    def __init__(self, batches: Running, role: str):
        key = [platform.python_version(), numba.__version__, np.__version__]
        mark = hashlib.sha256("\n".join(key).encode()).hexdigest()[:16]
        self.file = batches.folders[role].with_name(_TIMES.format(mark))
        self.cases: dict[str, list[str]] = {}
        self.kernels: dict[str, float] = {}
        if self.file.exists():
            self.cases, self.kernels = json.loads(self.file.read_text())

    def add(self, name, kernels):
        """Add a case, and what its first call has compiled."""
        self.cases[name] = list(kernels)
        for kernel, seconds in kernels.items():
            self.kernels[kernel] = min(seconds, self.kernels.get(kernel, seconds))

    def save(self):
        """Write the file."""
        with atomic_path(self.file) as temporary:
            temporary.write_text(json.dumps([self.cases, self.kernels]))


def _seconds(base, head, name):
    """Return what the kernels that a case of the head was the first to need take.

    Where nothing is known of the case in the base, its new kernels are left out: they
    may have been compiled before this was written down.
    """
    kernels = [
        kernel
        for kernel in head.cases.get(name, ())
        if kernel in base.kernels or base.cases.get(name)
    ]
    return tuple(
        sum(one.kernels.get(kernel, 0.0) for kernel in kernels) for one in (base, head)
    )


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
        for times in fullest.parent.glob(_TIMES.format("*")):
            folder.with_name(times.name).write_bytes(times.read_bytes())
    mark.write_text(digest)


def _cold(batches, role, name):
    """Return the CPU seconds of a first call with an empty cache, None if it fails."""
    seconds = None
    with tempfile.TemporaryDirectory() as folder:
        for line in batches.lines([role], [name], cache=folder):
            if "row" in line and not line["row"]["failed"]:
                seconds = line["row"]["first"][role][0]
    return seconds


def _warm(batches, names, known):
    """Compile what each role needs and was not compiled before.

    Roles whose kernels are those of the base get copies of what is compiled for it.
    """
    kernels = batches.versions[BASE].kernels
    # A project may not say what its kernels are made from; the control is the base.
    lent = [
        role
        for role in ROLES
        if role == CONTROL or (kernels and batches.version(role).kernels == kernels)
    ]
    missing = {
        role: [name for name in names if name not in known[role].cases]
        for role in ROLES
    }
    alone = list(dict.fromkeys([BASE, *(role for role in ROLES if role not in lent)]))
    jobs = _jobs(alone, missing)
    batches.progress("compiling", 0, len(jobs))

    def compile_(job):
        role, part = job
        rows = [line["row"] for line in batches.lines([role], part) if "row" in line]
        return role, {row["case"]: row["compiled"] for row in rows if "compiled" in row}

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for role, found in pool.map(compile_, jobs):
            for name, compiled in found.items():
                known[role].add(name, compiled)
            known[role].save()
    for role in lent:
        if role != BASE and missing[role]:
            package = batches.project.name
            base, folder = batches.folders[BASE], batches.folders[role]
            aliases = f"{package}_{BASE}", f"{package}_{role}"
            revisions.lend_kernels(base, folder, aliases)
            known[role].cases = {**{name: [] for name in names}, **known[BASE].cases}
            known[role].kernels = known[BASE].kernels
            known[role].save()


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
