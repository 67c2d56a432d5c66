"""The process that times two versions of a package side by side.

Each version is imported under a name of its own (``nbfact_base``, ``nbfact_head``), and
the base a second time from a copy (``nbfact_ctrl``, the control): by how much the two
differ is what a difference must exceed to count. All get the same inputs, and the same
arrays where the inputs that a version makes equal those of the base bit for bit.

Run as ``python -m nbfact.harness.versions.alongside`` with a job on standard input, the
module prints one JSON object a line. It is started many times (see
:mod:`nbfact.harness.versions.comparison`), because where a process places code and
memory, which is chance, moves the times of all its calls.
"""

import functools
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numba.core.event import install_listener

from ..allocations import allocations, resident
from ..clocks import both_clocks
from ..registered import listed
from .aliases import bring, keep_compiled, tell_tuples_apart
from .compiling import COMPILE, CompileTimes
from .renaming import SelfImports
from .replay import Replay
from .sampling import sampled
from .sharing import adopt, bits_of, share

BASE, CONTROL, HEAD = ROLES = ("base", "ctrl", "head")
"""The roles of the versions in a comparison. The names have one length, so that the
paths of their sources have, and nothing depends on a name."""

SEED = 0
"""Seed of all inputs."""

NO_CASE = "no such case"
"""Message about a version that lacks a case that is to be measured."""


def chosen_cases(
    registry: ModuleType, profile: str, name: str, turn: int | None = None
) -> dict[str, Any]:
    """Return the project's own cases of a version in a profile, by name.

    Parameters
    ----------
    registry : module
        A registry from :func:`registry_of`.
    profile : str
        Name of a list of cases. A version from before there were profiles gives the
        cases of its quick run.
    name : str
        Name of the package, with which the names of its own implementations begin.
    turn : int, optional
        Number that chooses among the cases of a profile that rotates them, where the
        registry knows it.

    Returns
    -------
    dict of str to Case
        The cases without rivals.
    """
    return _own(listed(registry, profile, turn), name)


def every_case(
    registry: ModuleType, name: str, turn: int | None = None
) -> dict[str, Any]:
    """Return the project's own cases of a version in any profile, by name.

    Parameters
    ----------
    registry : module
        A registry from :func:`registry_of`.
    name : str
        Name of the package, as in :func:`chosen_cases`, and so is `turn`.

    Returns
    -------
    dict of str to Case
    """
    return _own(listed(registry, None, turn), name)


def measure(
    tasks: dict[str, list[str]],
    cases: dict[str, dict[str, Any]],
    budget: float,
    checking: bool,
    say: Callable[..., None] = lambda **line: None,
) -> Iterator[dict]:
    """Measure the cases of all versions; yield a row for each case.

    Parameters
    ----------
    tasks : dict of str to list of str
        Names of cases, by task.
    cases : dict of str to dict
        For each role its cases by name. Calls are prepared in the order of the roles.
    budget : float
        Seconds of samples for each case; with 0 none is taken.
    checking : bool
        Whether to measure what does not vary from process to process: errors, memory,
        and whether results repeat.
    say : callable
        Called with the case and the role of what is called next.

    Yields
    ------
    dict
        ``case``; ``failed``, a message for each role that failed; ``changed``, whether
        the versions make different inputs that cannot be exchanged, and ``fed``,
        whether all got those of the base because others differed; ``first``, the CPU
        and wall seconds of the first call, and ``bits``, a digest of its result, by
        role; ``compiled``, the CPU seconds of each kernel that it has compiled; what
        :func:`nbfact.harness.versions.sampling.sampled` returns; with `checking` also
        ``error``, ``repeats`` (whether a second result is the same bit for bit),
        ``allocations`` and ``replay`` by role, and ``same_bits``.
    """
    roles = sorted(cases, key=ROLES.index)  # the others share the inputs of the base
    for names in tasks.values():
        inputs: dict[str, Any] = {}
        failed: dict[str, str] = {}
        changed = fed = False
        want = None
        for role in roles:
            say(case=names[0], role=role)
            case = cases[role][names[0]]
            try:
                inputs[role] = case.make(np.random.default_rng(SEED))
                if role == roles[0]:
                    want = case.reference(inputs[role]) if checking else None
                elif not failed and not share(inputs[roles[0]], inputs[role]):
                    inputs[role] = adopt(inputs[roles[0]], inputs[role])
                    changed, fed = changed or inputs[role] is None, True
            except Exception as error:  # in the code of that version: a verdict says so
                failed[role] = _message(error)
        for name in names:
            row: dict[str, Any] = {
                "case": name,
                "failed": failed,
                "changed": changed,
                "fed": fed and not changed,
            }
            if not failed and not changed:
                versions = {role: cases[role][name] for role in cases}
                row |= _measure(name, versions, inputs, want, budget, checking, say)
            yield row


def checked(
    versions: dict[str, Any],
    inputs: dict[str, Any],
    calls: dict[str, Any],
    results: dict[str, Any],
    want: Any,
    bits: dict[str, str],
) -> dict[str, Any]:
    """Return what does not vary of a case, as a part of a row.

    The case of the base judges the results of all versions, because an error that a
    version computes itself may forgive what it does.

    Parameters
    ----------
    versions, inputs, calls, results, bits : dict
        For each role, the base first: its case, its inputs, a prepared call, the result
        of that call, and a digest of the result.
    want : object
        The reference of the base.
    """
    row: dict[str, Any] = {
        "same_bits": len(set(bits.values())) == 1,
        **{key: {} for key in ("error", "repeats", "allocations", "replay")},
    }
    replay = None
    for role, case in versions.items():
        try:
            replay = replay or Replay(case, inputs[role], SEED + 1)
            row["error"][role] = _error(replay.judge, results[role], want)
            row["repeats"][role] = bits_of(calls[role]()) == bits[role]
            row["allocations"][role] = allocations(calls[role])
            row["allocations"][role]["resident"] = resident(calls[role])
            known = inputs[role], calls[role], bits[role]
            row["replay"][role] = replay.measured(case, *known)
        except Exception as error:  # in the code of that version, as above
            return {"failed": {role: _message(error)}}
    return row


def _measure(name, versions, inputs, want, budget, checking, say):
    """Return the measurements of one case, as a part of its row."""
    calls: dict[str, Any] = {}
    results: dict[str, Any] = {}
    failed: dict[str, str] = {}
    row: dict[str, Any] = {"first": {}, "bits": {}, "compiled": {}}
    known = 0.0  # seconds of the slowest call

    def first_call(role):
        calls[role] = versions[role].prepare(inputs[role])
        results[role] = calls[role]()

    for role in versions:
        say(case=name, role=role)
        times = CompileTimes(role)
        try:
            with install_listener(COMPILE, times):
                row["first"][role] = both_clocks(functools.partial(first_call, role))
            row["compiled"] |= times.found
            row["bits"][role] = bits_of(results[role])
            tell_tuples_apart(role)
            known = max(known, both_clocks(calls[role])[1])
        except Exception as error:  # in the code of that version, as above
            failed[role] = _message(error)
    if failed:
        return {"failed": failed}
    if checking:
        row |= checked(versions, inputs, calls, results, want, row["bits"])
    results.clear()
    if budget > 0:
        row |= sampled(versions, inputs, calls, known, budget, BASE)
    return row


def _own(cases, name):
    """Return the cases of the package called `name` itself, by their names."""
    return {
        case.name: case
        for case in cases
        if case.impl.startswith(name) and not case.rival
    }


def _error(case, got, want):
    """Return the error of a result, None where it is not finite."""
    error = case.error(got, want)
    return error if np.isfinite(error) else None


def _message(error):
    return f"{type(error).__name__}: {error}"


def main() -> None:
    """Read a job and print what is found, one JSON object a line; the last is ``done``.

    A job is a dict: ``roles``, pairs of a role and the folder of its package, and
    ``registries``, ``profile`` and ``turn`` say where the cases are. ``cases`` are the
    names of those to measure, with ``budget`` and ``checking`` as in :func:`measure`;
    without names the cases of each role are described.
    """
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # so that nothing else is printed among the lines

    def say(**line):
        out.write(json.dumps(line) + "\n")
        out.flush()

    job = json.loads(sys.stdin.readline())
    name = Path(job["roles"][0][1]).name
    sys.path[:0] = job["path"]
    if name != __name__.partition(".")[0]:  # nbfact itself runs here too
        sys.meta_path.insert(0, SelfImports(name))
    cases: dict[str, dict[str, Any]] = {}
    for role, package in job["roles"]:
        say(role=role, case=None)
        folder = Path(package)
        brought: list[ModuleType] = []
        seconds = both_clocks(functools.partial(bring, role, folder, job, brought))
        if not cases:  # the others find modules that both need imported already
            say(imported=role, seconds=seconds)
        (registry,) = brought
        keep_compiled(f"{folder.name}_{role}")
        cases[role] = chosen_cases(registry, job["profile"], folder.name, job["turn"])
        names = job["cases"] or [None]
        if not cases[role].keys() >= set(names):
            chosen = list(cases[role])
            cases[role] = every_case(registry, folder.name, job["turn"])
        if job["cases"] is None:
            say(role=role, chosen=chosen, every=_described(cases[role]))
    gc.collect()
    gc.freeze()  # else each collection goes through all that was imported: 0.1 s
    if job["cases"] is not None:
        tasks: dict[str, list[str]] = {}
        for name in job["cases"]:
            lacking = [role for role in cases if name not in cases[role]]
            if lacking:
                failed = dict.fromkeys(lacking, NO_CASE)
                say(row={"case": name, "failed": failed, "changed": False})
            else:
                tasks.setdefault(cases[role][name].task, []).append(name)
        for row in measure(tasks, cases, job["budget"], job["checking"], say):
            say(row=row)
    say(done=True)


def _described(cases):
    """Return what the parent process must know of cases, for JSON."""
    kept = (
        *("task", "group", "impl", "params", "bound", "size", "flops"),
        *("slowdown", "looser"),
    )
    found = {}
    for name, case in cases.items():
        found[name] = {key: getattr(case, key, None) for key in kept}
        if not np.isfinite(case.bound):
            found[name]["bound"] = None  # infinity is not JSON
    return found


if __name__ == "__main__":
    main()
