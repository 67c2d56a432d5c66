"""The process that times two versions of the package side by side.

Each version is imported under a name of its own, ``nbfact_base``, ``nbfact_head``, and
the base a second time, ``nbfact_ctrl``, from a copy: how the two differ is what a
difference must exceed. All get the same inputs, the same arrays where one version's
own equal the base's bit for bit. Run as ``python -m nbfact.harness.versions.alongside`` with a job
on standard input, it prints one JSON object a line; :mod:`nbfact.harness.versions.comparison` starts
it many times, since where a process puts code and pages is luck of its own.
"""

import gc
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, perf_counter_ns, process_time_ns
from types import ModuleType
from typing import Any

import numpy as np

from .. import sample
from ..allocations import allocations
from .revisions import REGISTRIES

BASE, CONTROL, HEAD = ROLES = ("base", "ctrl", "head")
"""Of one length, as the paths of their sources are: nothing depends on a name."""

SEED = 0
ROUNDS = 6
"""Of one placement: each role is first, second and last, in both directions."""

FEW = 4
"""Of calls so long that one makes a sample: forth and back, twice."""

PLACEMENTS = 6
"""How often calls are prepared anew, at most: where their arrays lie moves the time of
a short call by more than a tenth."""


def load(role: str, package: Path) -> ModuleType:
    """Import a package's folder under the name of a role.

    Examples
    --------
    >>> folder = Path(__file__).parents[2]
    >>> load("base", folder).__name__
    'nbfact_base'
    """
    alias = f"nbfact_{role}"
    spec = importlib.util.spec_from_file_location(
        alias, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    spec.loader.exec_module(module)
    return module


def registry_of(module: ModuleType) -> ModuleType:
    """Return the module of a version that holds its registry of cases.

    Parameters
    ----------
    module : module
        A package from :func:`load`.

    Raises
    ------
    ModuleNotFoundError
        When it has none, at any of `REGISTRIES`.
    """
    folder = Path(module.__file__).parent
    for path in REGISTRIES:
        if (folder / path).is_file():
            inner = path.removesuffix(".py").replace("/", ".")
            return importlib.import_module(f"{module.__name__}.{inner}")
    raise ModuleNotFoundError(f"{module.__name__} has no registry of cases")


def chosen_cases(module: ModuleType, profile: str) -> dict[str, Any]:
    """Return a version's own cases in a profile, by name.

    Parameters
    ----------
    module : module
        A package from :func:`load`.
    profile : str
        Of :data:`nbfact.cases.registry.PROFILES`. A version that knows no profiles gives
        the cases of its ``--quick`` run.

    Returns
    -------
    dict of str to Case
        What we implement, rivals left out.
    """
    cases = registry_of(module)
    # Before profiles the one argument was `quick`.
    known = hasattr(cases, "PROFILES")
    return _own(cases.registry(profile if known else True))


def every_case(module: ModuleType) -> dict[str, Any]:
    """Return a version's own cases in any profile, by name.

    Parameters
    ----------
    module : module
        A package from :func:`load`.

    Returns
    -------
    dict of str to Case
    """
    cases = registry_of(module)
    profiles = getattr(cases, "PROFILES", (False, True))
    return {k: v for p in profiles for k, v in _own(cases.registry(p)).items()}


def measure(
    tasks: dict[str, list[str]],
    cases: dict[str, dict[str, Any]],
    budget: float,
    checking: bool,
    say: Callable[..., None] = lambda **line: None,
) -> Iterator[dict]:
    """Yield what is found of each case, one after the other.

    Parameters
    ----------
    tasks : dict of str to list of str
        Names of cases by task.
    cases : dict of str to dict
        For each role its cases by name, in the order of preparing them.
    budget : float
        Seconds of samples a case; 0 takes none.
    checking : bool
        Whether to compare results with the reference, bit for bit with one another,
        and to count allocations: once is enough, they do not vary.
    say : callable
        Told the case and the role of what is called next.

    Yields
    ------
    dict
        ``case``; ``seconds`` of a call by role (medians), ``logs`` of the ratio to the
        base for the two others; ``failed``: a message by role; ``changed``: whether
        their inputs differ; with `checking` also ``error`` by role, ``same_bits`` and
        ``allocations``.
    """
    roles = sorted(cases, key=ROLES.index)  # the base's inputs are the ones shared
    for names in tasks.values():
        inputs, failed, shared, want = {}, {}, True, None
        for role in roles:
            say(case=names[0], role=role)
            case = cases[role][names[0]]
            try:
                inputs[role] = case.make(np.random.default_rng(SEED))
                if role == roles[0]:
                    want = case.reference(inputs[role]) if checking else None
                elif not failed:
                    shared &= share(inputs[roles[0]], inputs[role])
            except Exception as error:  # of that version's own code: it is told
                failed[role] = _told(error)
        for name in names:
            row = {"case": name, "failed": failed, "changed": not shared}
            if not failed and shared:
                versions = {role: cases[role][name] for role in cases}
                row |= _measure(name, versions, inputs, want, budget, checking, say)
            yield row


def _measure(name, versions, inputs, want, budget, checking, say):
    """Return what is found of one case."""
    calls, results, failed, known = {}, {}, {}, 0.0
    for role, case in versions.items():
        say(case=name, role=role)
        try:
            calls[role] = case.prepare(inputs[role])
            results[role] = calls[role]()
            start = perf_counter()
            calls[role]()
            known = max(known, perf_counter() - start)
        except Exception as error:  # as above
            failed[role] = _told(error)
    if failed:
        return {"failed": failed}
    row = {}
    if checking:
        row["error"] = {
            role: _error(versions[role], results[role], want) for role in versions
        }
        bits = {role: _bits(result) for role, result in results.items()}
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
    # Of one thread the time that it ran, not what the machine gave to others meanwhile.
    alone = os.environ.get("NUMBA_NUM_THREADS") == "1"
    clock = process_time_ns if alone else perf_counter_ns
    number, rounds = 1, FEW
    if known * 1e9 < 100 * sample.SAMPLE_NS:
        number = min(sample.calls_per_sample(call) for call in calls.values())
        rounds = ROUNDS
    names, logs, seconds, kept = list(calls), [], [], []
    rng = np.random.default_rng(os.getpid())  # each process has its own luck
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
            times = {role: [] for role in names}
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


def share(ours: Any, theirs: Any, depth: int = 6) -> bool:
    """Let two inputs of the same kind hold the same arrays, where these are equal.

    Parameters
    ----------
    ours, theirs : object
        Arrays, or objects, lists, tuples and dicts that hold some; `theirs` is changed
        in place where it can be.
    depth : int
        How far to look.

    Returns
    -------
    bool
        Whether every array of `theirs` that was looked at equals its own in `ours`,
        bit for bit.

    Examples
    --------
    >>> x, y = {"a": np.ones(2)}, {"a": np.ones(2)}
    >>> share(x, y), y["a"] is x["a"]
    (True, True)
    >>> share(x, {"a": np.zeros(2)})
    False
    """
    if isinstance(theirs, np.ndarray):
        return isinstance(ours, np.ndarray) and _bits(ours) == _bits(theirs)
    if depth == 0 or type(ours).__name__ != type(theirs).__name__:
        return True
    same = True
    for key, one, other, holder in _held(ours, theirs):
        equal = share(one, other, depth - 1)
        same &= equal
        if equal and holder is not None and isinstance(other, np.ndarray):
            holder[key] = one
    return same


def _held(ours, theirs):
    """Yield the pairs two objects hold, with their key and where to set the second."""
    if isinstance(theirs, list | tuple):
        holder = theirs if isinstance(theirs, list) else None
        for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            yield index, one, other, holder
        return
    own, held = (x if isinstance(x, dict) else _attributes(x) for x in (ours, theirs))
    for key in own.keys() & held.keys():
        yield key, own[key], held[key], held


def _attributes(instance):
    """Return the attributes of an instance; of classes and functions none."""
    attributes = getattr(instance, "__dict__", None)
    data = isinstance(attributes, dict) and not callable(instance)
    return attributes if data else {}


def _own(cases):
    """Return what we implement ourselves, by name."""
    return {
        case.name: case
        for case in cases
        if case.impl.startswith("nbfact") and not case.rival
    }


def _error(case, got, want):
    """Return an error, None where it is not finite."""
    error = case.error(got, want)
    return error if np.isfinite(error) else None


def _bits(result):
    """Return what tells a result from any that differs in one bit."""
    array = np.ascontiguousarray(getattr(result, "toarray", lambda: result)())
    return array.shape, array.dtype.str, hash(array.tobytes())


def _told(error):
    return f"{type(error).__name__}: {error}"


def main() -> None:
    """Read a job, print what is found, a line each; the last line is ``done``."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints does not reach the lines

    def say(**line):
        out.write(json.dumps(line) + "\n")
        out.flush()

    job = json.loads(sys.stdin.readline())
    cases = {}
    for role, package in job["roles"]:
        say(role=role, case=None)
        module = load(role, Path(package))
        cases[role] = chosen_cases(module, job["profile"])
        names = job["cases"] or [None]
        if not cases[role].keys() >= set(names):
            chosen, cases[role] = list(cases[role]), every_case(module)
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
    """Return what the parent must know of cases; an infinite bound as None."""
    kept = ("task", "group", "impl", "params", "bound")
    told = {}
    for name, case in cases.items():
        told[name] = {key: getattr(case, key) for key in kept}
        if not np.isfinite(case.bound):
            told[name]["bound"] = None
    return told


if __name__ == "__main__":
    main()
