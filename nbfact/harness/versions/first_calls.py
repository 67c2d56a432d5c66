"""First calls with an empty cache of kernels: compile what is needed, and compare.

Before two versions are timed, their kernels are compiled, in a process for each core.
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

from . import findings, revisions
from .alongside import BASE, CONTROL, HEAD, ROLES

MOST = 4
"""Largest number of cases whose first calls are measured with an empty cache."""

REPEATS = 2
"""Number of such first calls of each version, of which the shorter one counts."""


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
    times = _warmed(batches, names)
    slower = {
        name: times[HEAD][name] - times[BASE].get(name, 0.0)
        for name in times[HEAD]
        if findings.compiled(times[BASE].get(name, 0.0), times[HEAD][name])
    }
    suspects = sorted(slower, key=slower.__getitem__, reverse=True)[:MOST]
    made = {}
    for number, name in enumerate(suspects):
        batches.progress(f"first call: {name}", number, len(suspects))
        base, head = (_cold(batches, role, name) for role in (BASE, HEAD))
        if base is not None and head is not None:
            made[name] = findings.compiled(base, head)
    return made


def _cold(batches, role, name):
    """Return the CPU seconds of a first call with an empty cache, None if it fails."""
    seconds = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            for line in batches.lines([role], [name], cache=folder):
                if "row" in line and not line["row"]["failed"]:
                    seconds.append(line["row"]["first"][role][0])
    return min(seconds, default=None)


def _warmed(batches, names):
    """Compile what each role needs; return the CPU seconds of first calls, by role.

    Roles whose kernels are those of the base get copies of what is compiled for it.
    Their first calls are those of the base.
    """
    key = [platform.python_version(), numba.__version__, np.__version__, *names]
    mark = "cold-" + hashlib.sha256("\n".join(key).encode()).hexdigest()[:16]
    # Beside the package: some packages read the files in their own folder.
    marks = {role: batches.folders[role].with_name(f"{mark}.json") for role in ROLES}
    cold = [role for role in ROLES if not marks[role].exists()]
    kernels = batches.versions[BASE].kernels
    # A project may not say what its kernels are made from; the control is the base.
    lent = [
        role
        for role in cold
        if role == CONTROL or (kernels and batches.version(role).kernels == kernels)
    ]
    alone = [role for role in cold if role not in lent]
    if lent:
        alone = [BASE, *alone]
    times: dict[str, dict[str, float]] = {role: {} for role in alone}

    def compile_(job):
        role, part = job
        for line in batches.lines([role], part, checking=True):
            if "row" in line and role in line["row"].get("first", {}):
                times[role][line["row"]["case"]] = line["row"]["first"][role][0]

    # Cases beside one another share kernels: each core gets two runs of cases.
    cores = os.cpu_count() or 1
    size = max(1, math.ceil(len(names) * len(alone) / (2 * cores)))
    parts = [names[i : i + size] for i in range(0, len(names), size)]
    jobs = [(role, part) for role in alone for part in parts]
    batches.progress("compiling", 0, len(jobs))
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        list(pool.map(compile_, jobs))
    for role in lent:
        if role != BASE:
            name = batches.project.name
            base, folder = batches.folders[BASE], batches.folders[role]
            aliases = f"{name}_{BASE}", f"{name}_{role}"
            revisions.lend_kernels(base, folder, aliases)
    for role in cold:
        marks[role].write_text(json.dumps(times.get(role, times.get(BASE, {}))))
    return {role: json.loads(marks[role].read_text()) for role in (BASE, HEAD)}
