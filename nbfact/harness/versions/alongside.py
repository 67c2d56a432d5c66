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

import gc
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter, perf_counter_ns, process_time_ns
from types import ModuleType
from typing import Any

import numpy as np

from .. import sample
from ..allocations import allocations
from .sharing import bits_of, share

BASE, CONTROL, HEAD = ROLES = ("base", "ctrl", "head")
"""The roles of the versions in a comparison. The names have one length, so that the
paths of their sources have, and nothing depends on a name."""

SEED = 0
"""Seed of all inputs."""

ROUNDS = 6
"""Rounds of one placement: each role is first, second and last, in both directions."""

FEW = 4
"""Rounds of one placement where one call is a whole sample: forward and backward,
twice."""

PLACEMENTS = 6
"""Largest number of times that calls are prepared anew. Where their arrays lie in
memory moves the time of a short call by more than a tenth."""


def load(role: str, package: Path) -> ModuleType:
    """Import the folder of a package under a name that ends with its role.

    Parameters
    ----------
    role : str
        One of :data:`ROLES`.
    package : path
        Folder of the package.

    Returns
    -------
    module

    Examples
    --------
    >>> folder = Path(__file__).parents[2]
    >>> load("base", folder).__name__
    'nbfact_base'
    """
    alias = f"{package.name}_{role}"
    spec = importlib.util.spec_from_file_location(
        alias, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{package}: no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    spec.loader.exec_module(module)
    return module


def tell_tuples_apart(role: str) -> None:
    """Give the NamedTuples of a version that was loaded a name of their own.

    Numba finds the compiled code for an argument by a fingerprint, which holds the name
    and the fields of the class of a NamedTuple, and not its module. Of several versions
    with such a class, Numba knows only the first one by that; each call of the others
    then takes some ten microseconds longer. Only ``__name__`` changes, which nothing
    else is found by.

    Parameters
    ----------
    role : str
        One of :data:`ROLES`. The classes are those that its modules hold now; more may
        be imported later.
    """
    for name, module in list(sys.modules.items()):
        alias = name.partition(".")[0]
        if not alias.endswith(f"_{role}"):
            continue
        for value in list(vars(module).values()):
            if (
                isinstance(value, type)
                and issubclass(value, tuple)
                and value.__module__.partition(".")[0] == alias
            ):
                value.__name__ = f"{value.__qualname__}_{role}"


def registry_of(module: ModuleType, registries: Sequence[str]) -> ModuleType:
    """Return the module of a version that holds its registry of cases.

    Parameters
    ----------
    module : module
        A package from :func:`load`.
    registries : sequence of str
        Places to look for it, as those of :class:`nbfact.harness.project.Project`.

    Raises
    ------
    ModuleNotFoundError
        When the version has a registry at none of the places.
    """
    for place in registries:
        path = place.replace(".", "/") + ".py"
        if any((Path(folder) / path).is_file() for folder in module.__path__):
            return importlib.import_module(f"{module.__name__}.{place}")
    raise ModuleNotFoundError(f"{module.__name__} has no registry of cases")


def chosen_cases(registry: ModuleType, profile: str, name: str) -> dict[str, Any]:
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

    Returns
    -------
    dict of str to Case
        The cases without rivals.
    """
    # Before there were profiles, the one argument was `quick`.
    known = hasattr(registry, "PROFILES")
    return _own(registry.registry(profile if known else True), name)


def every_case(registry: ModuleType, name: str) -> dict[str, Any]:
    """Return the project's own cases of a version in any profile, by name.

    Parameters
    ----------
    registry : module
        A registry from :func:`registry_of`.
    name : str
        Name of the package, as in :func:`chosen_cases`.

    Returns
    -------
    dict of str to Case
    """
    found: dict[str, Any] = {}
    for profile in getattr(registry, "PROFILES", (False, True)):
        found |= _own(registry.registry(profile), name)
    return found


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
        Whether to compare the results with the reference and bit for bit with one
        another, and to count allocations. They do not vary, so that once is enough.
    say : callable
        Called with the case and the role of what is called next.

    Yields
    ------
    dict
        ``case``; ``seconds``, the median time of a call by role; ``logs``, the
        logarithm of the ratio of its time to that of the base, by role; ``failed``, a
        message for each role that failed; ``changed``, whether the versions make
        different inputs; with `checking` also ``error`` by role, ``same_bits`` and
        ``allocations``.
    """
    roles = sorted(cases, key=ROLES.index)  # the others share the inputs of the base
    for names in tasks.values():
        inputs: dict[str, Any] = {}
        failed: dict[str, str] = {}
        shared, want = True, None
        for role in roles:
            say(case=names[0], role=role)
            case = cases[role][names[0]]
            try:
                inputs[role] = case.make(np.random.default_rng(SEED))
                if role == roles[0]:
                    want = case.reference(inputs[role]) if checking else None
                elif not failed:
                    shared &= share(inputs[roles[0]], inputs[role])
            except Exception as error:  # in the code of that version: a verdict says so
                failed[role] = _message(error)
        for name in names:
            row: dict[str, Any] = {
                "case": name,
                "failed": failed,
                "changed": not shared,
            }
            if not failed and shared:
                versions = {role: cases[role][name] for role in cases}
                row |= _measure(name, versions, inputs, want, budget, checking, say)
            yield row


def _measure(name, versions, inputs, want, budget, checking, say):
    """Return the measurements of one case, as a part of its row."""
    calls: dict[str, Any] = {}
    results: dict[str, Any] = {}
    failed: dict[str, str] = {}
    known = 0.0  # seconds of the slowest call
    for role, case in versions.items():
        say(case=name, role=role)
        try:
            calls[role] = case.prepare(inputs[role])
            results[role] = calls[role]()
            tell_tuples_apart(role)
            start = perf_counter()
            calls[role]()
            known = max(known, perf_counter() - start)
        except Exception as error:  # in the code of that version, as above
            failed[role] = _message(error)
    if failed:
        return {"failed": failed}
    row: dict[str, Any] = {}
    if checking:
        row["error"] = {
            role: _error(versions[role], results[role], want) for role in versions
        }
        bits = {role: bits_of(result) for role, result in results.items()}
        row["same_bits"] = len(set(bits.values())) == 1
        row["allocations"] = {
            role: allocations(calls[role]) for role in versions if role != CONTROL
        }
    del results
    if budget > 0:
        row |= _sampled(versions, inputs, calls, known, budget)
    return row


def _sampled(versions, inputs, calls, known, budget):
    """Return medians of seconds and of log-ratios over rounds and placements."""
    # For one thread, the clock counts the time in which the machine ran this process.
    alone = os.environ.get("NUMBA_NUM_THREADS") == "1"
    clock = process_time_ns if alone else perf_counter_ns
    number, rounds = 1, FEW
    if known * 1e9 < 100 * sample.SAMPLE_NS:
        number = min(sample.calls_per_sample(call) for call in calls.values())
        rounds = ROUNDS
    names, logs, seconds = list(calls), [], []
    kept = []  # memory that is not freed, so that the next placement lies elsewhere
    rng = np.random.default_rng(os.getpid())  # another placement in each process
    gc.collect()
    gc.disable()
    try:
        stop = perf_counter() + budget
        for placement in range(PLACEMENTS):
            if placement:
                for role in sample.order(names, placement):
                    kept.append(np.empty(rng.integers(16, 8192), np.uint8))
                    calls[role] = versions[role].prepare(inputs[role])
                    calls[role]()
            times: dict[str, list[float]] = {role: [] for role in names}
            for round_ in range(rounds):
                for role in sample.order(names, placement * rounds + round_):
                    times[role].append(sample.once(calls[role], number, clock))
            ratios = {k: np.log(times[k]) - np.log(times[BASE]) for k in names}
            logs.append({k: float(np.median(ratios[k])) for k in names})
            seconds.append({k: float(np.median(times[k])) for k in names})
            if perf_counter() > stop:
                break
    finally:
        gc.enable()
    return {
        "logs": {k: float(np.median([x[k] for x in logs])) for k in names},
        "seconds": {k: float(np.median([x[k] for x in seconds])) for k in names},
        "placements": len(logs),
    }


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
    ``registries`` and ``profile``, say where the cases are. ``cases`` are the names of
    those to measure, with ``budget`` and ``checking`` as in :func:`measure`; without
    names the cases of each role are described.
    """
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # so that nothing else is printed among the lines

    def say(**line):
        out.write(json.dumps(line) + "\n")
        out.flush()

    job = json.loads(sys.stdin.readline())
    cases = {}
    for role, package in job["roles"]:
        say(role=role, case=None)
        folder = Path(package)
        registry = registry_of(load(role, folder), job["registries"])
        cases[role] = chosen_cases(registry, job["profile"], folder.name)
        names = job["cases"] or [None]
        if not cases[role].keys() >= set(names):
            chosen, cases[role] = list(cases[role]), every_case(registry, folder.name)
        if job["cases"] is None:
            say(role=role, chosen=chosen, every=_described(cases[role]))
    if job["cases"] is not None:
        tasks: dict[str, list[str]] = {}
        for name in job["cases"]:
            tasks.setdefault(cases[role][name].task, []).append(name)
        for row in measure(tasks, cases, job["budget"], job["checking"], say):
            say(row=row)
    say(done=True)


def _described(cases):
    """Return what the parent process must know of cases, for JSON."""
    kept = ("task", "group", "impl", "params", "bound")
    found = {}
    for name, case in cases.items():
        found[name] = {key: getattr(case, key) for key in kept}
        if not np.isfinite(case.bound):
            found[name]["bound"] = None  # infinity is not JSON
    return found


if __name__ == "__main__":
    main()
