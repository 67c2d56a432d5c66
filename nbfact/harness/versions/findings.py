"""Judge everything of a case but its CPU time: errors, memory, first calls, waiting.

Each function looks at one batch of processes, and returns a finding for each metric in
which the head is worse than the base: a verdict and a message. A finding counts once
the processes of two batches have made it, one after the other; so a run of hundreds of
cases stays quiet. Limits are generous where a metric varies from process to process.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..confidence import interval
from . import verdicts
from .alongside import BASE, CONTROL, HEAD

Found = dict[str, tuple[str, str]]
"""Findings: a verdict and a message by the name of the metric."""

BLOCKS = (1.25, 2)
"""Largest number of allocated blocks that is no finding: times that of the base, plus
some."""

BYTES = (1.5, 4096)
"""The same for the peak of what Python and NumPy allocate, in bytes."""

RESIDENT = (1.5, 512 << 10)
"""The same for the memory of the process, in bytes; pages of the heap come and go."""

KEPT = (1.5, 1024)
"""The same for the bytes that a call leaves behind."""

BLOCKS_KEPT = (1.0, 0)
"""The same for the blocks of compiled code that a call leaves behind."""

MEMORY: dict[str, tuple[tuple[float, float], Callable[[int], str]]] = {
    "count": (BLOCKS, lambda n: f"{n} blocks allocated"),
    "peak": (BYTES, lambda n: f"peak of {n / 1024:.0f} KiB"),
    "resident": (RESIDENT, lambda n: f"peak of {n / 1024:.0f} KiB resident"),
    "kept": (KEPT, lambda n: f"{n} bytes left behind by a call"),
    "blocks_kept": (BLOCKS_KEPT, lambda n: f"{n} blocks left behind by a call"),
}
"""What is measured of the memory of a call: its limit, and how it is shown."""

FIRST = (1.5, 0.15)
"""The same for the seconds of a first call in a process, whose kernels are compiled.
Those of equal versions differ by less than a tenth of that."""

IMPORT = (1.25, 0.1)
"""The same for the seconds of the import."""

COMPILE = (1.5, 0.75)
"""The same for the CPU seconds of a first call with an empty cache of kernels."""

WAITING = 0.1
"""Least threshold of the ratio of wall times. They vary more than CPU times where the
host of a virtual machine takes processors away, which its system does not see."""

REMEMBERED = (2.0, 5e-6)
"""How many times longer a call with new values may take than its repetition, in units
of the same ratio of the base, and the seconds by which it must be longer for a
finding."""

HEADROOM = 4.0
"""How many times faster than the roof a call must be to be impossible. The roof is
measured on a busy machine, and caches are faster than the smallest working set."""


def of_batch(check: Mapping[str, Any], rows: Sequence[Mapping], case, eps) -> Found:
    """Return the findings of one batch about one case.

    Parameters
    ----------
    check : mapping
        Row of the process that measured what does not vary.
    rows : sequence of mapping
        Rows of the processes that took times.
    case : mapping
        Description of the case: ``bound`` and others.
    eps : float
        Machine epsilon of its dtype.

    Returns
    -------
    dict of str to (str, str)
    """
    found = {
        "error": _error(check, case, eps),
        "repeats": _repeats(check, rows),
        "replay": _replay(check, case, eps),
        "memory": _memory(check["allocations"]),
        "first call": _first(rows),
        "wall": _wall(rows),
    }
    return {metric: finding for metric, finding in found.items() if finding}


def confirmed(batches: Sequence[Found]) -> Found:
    """Return the findings that the last two batches have both made.

    Examples
    --------
    >>> one = {"memory": ("more memory", "2 blocks"), "wall": ("slower", "")}
    >>> confirmed([one]), confirmed([one, {"memory": ("more memory", "3 blocks")}])
    ({}, {'memory': ('more memory', '3 blocks')})
    """
    if len(batches) < 2:
        return {}
    *_, before, last = batches
    return {metric: last[metric] for metric in last if metric in before}


def open_(batches: Sequence[Found]) -> bool:
    """Return whether the last batch has made a finding that another must confirm.

    Examples
    --------
    >>> open_([{"wall": ("slower", "")}]), open_([{}, {}])
    (True, False)
    """
    return confirmed(batches).keys() != batches[-1].keys()


def imports(seconds: Mapping[str, Sequence[Sequence[float]]]) -> Found:
    """Return the finding about the time of the import.

    Parameters
    ----------
    seconds : mapping of str to sequence of (float, float)
        For each role the CPU and wall seconds in the processes that imported it first.

    Examples
    --------
    >>> imports({"base": [(0.2, 0.2)], "head": [(0.2, 0.5)]})["import"][0]
    'slower first call'
    """
    pairs = {r: seconds.get(r, ()) for r in (BASE, CONTROL, HEAD)}
    finding = _longer(pairs, IMPORT, "import")
    return {"import": finding} if finding else {}


def compiled(base: float, head: float) -> Found:
    """Return the finding about the CPU time of a first call with an empty cache.

    Examples
    --------
    >>> compiled(2.0, 4.5)["compile"][1]
    'first call with an empty cache 4.50 s of CPU (base: 2.00 s)'
    >>> compiled(2.0, 3.0)
    {}
    """
    if head <= _most(base, COMPILE):
        return {}
    message = f"first call with an empty cache {head:.2f} s of CPU (base: {base:.2f} s)"
    return {"compile": (verdicts.LATER, message)}


def loosened(base: Mapping[str, Any], head: Mapping[str, Any]) -> Found:
    """Return the finding that the head accepts what the base does not.

    Parameters
    ----------
    base, head : mapping
        Descriptions of a case in the two versions: ``bound``, ``slowdown``, ``looser``.

    Examples
    --------
    >>> strict = {"bound": 1e-6, "slowdown": None, "looser": None}
    >>> loosened(strict, {**strict, "slowdown": 1000.0})["limits"][1]
    'the head accepts slowdown=1000, the base 0.05'
    >>> loosened(strict, {**strict, "bound": 1e-7})
    {}
    """
    usual = {"bound": math.inf, "slowdown": verdicts.LEAST}
    usual["looser"] = verdicts.SLACK if base["bound"] is None else verdicts.LOOSER
    for key, default in usual.items():
        before, now = (default if x[key] is None else x[key] for x in (base, head))
        if now > before:
            message = f"the head accepts {key}={now:g}, the base {before:g}"
            return {"limits": (verdicts.CHANGED, message)}
    return {}


def impossible(seconds: float, roof: float) -> tuple[str, str] | None:
    """Return the finding about a call that is faster than the machine can be.

    Examples
    --------
    >>> impossible(1e-4, 1e-3)
    ('suspicious', 'takes 0.10 ms, where the roof of this machine is 1.00 ms')
    >>> impossible(5e-4, 1e-3) is None
    True
    """
    if seconds * HEADROOM >= roof:
        return None
    message = f"takes {1e3 * seconds:.2f} ms, where the roof of this machine is "
    return verdicts.SUSPECT, f"{message}{1e3 * roof:.2f} ms"


def _most(base, limit):
    """Return the largest value that is no finding."""
    times, plus = limit
    return times * base + plus


def _error(check, case, eps):
    error = check["error"]
    limits = case["bound"], eps, case.get("looser")
    wrong = verdicts.accuracy(error[BASE], error[HEAD], *limits)
    return wrong and (verdicts.INACCURATE, wrong)


def _repeats(check, rows):
    """Return the finding about results that differ where those of the base do not."""
    bits: dict[str, set] = {BASE: set(), HEAD: set()}
    for row in [check, *rows]:
        for role, digest in row["bits"].items():
            bits[HEAD if role == HEAD else BASE].add(digest)
    steady = check["repeats"][BASE] and len(bits[BASE]) == 1
    if not steady or (check["repeats"][HEAD] and len(bits[HEAD]) == 1):
        return None
    where = "in one process" if not check["repeats"][HEAD] else "between processes"
    return verdicts.UNSTEADY, f"equal inputs give results that differ {where}"


_WHEN = {"error": "after", "late": "prepared before"}


def _replay(check, case, eps):
    """Return the finding about a call that remembers inputs it has seen."""
    base, head = (check["replay"][role] for role in (BASE, HEAD))
    if base is None or head is None:
        return None
    limits = case["bound"], eps, case.get("looser")
    for key, when in _WHEN.items():
        # Samples that an earlier version has stored lack the second.
        wrong = verdicts.accuracy(base.get(key), head.get(key), *limits)
        if wrong:
            return verdicts.INACCURATE, f"{when} its input was written to: {wrong}"
    if base.get("follows") and not head["follows"]:
        return verdicts.INACCURATE, "the result does not follow the values of its input"
    longer, (times, least) = head["first"] - head["again"], REMEMBERED
    ratio, usual = (one["first"] / max(one["again"], 1e-9) for one in (head, base))
    if longer < least or ratio <= times * max(usual, 1.0):
        return None
    message = f"a call with new values takes {ratio:.1f} times its repetition"
    return verdicts.SUSPECT, f"{message} (base: {usual:.1f})"


def _memory(allocations):
    """Return the finding about blocks, or about the peak of memory."""
    for name, (limit, show) in MEMORY.items():
        base, head = (allocations[role].get(name) for role in (BASE, HEAD))
        if None not in (base, head) and head > _most(base, limit):
            return (
                verdicts.HEAVIER,
                f"{show(head)} (base: {show(base)})",
            )
    return None


def _first(rows):
    """Return the finding about the first call in a process."""
    pairs = {r: [row["first"][r] for row in rows] for r in (BASE, CONTROL, HEAD)}
    return _longer(pairs, FIRST, "first call")


def _longer(pairs, limit, what):
    """Return the finding that the least time of the head exceeds that of the base."""
    for clock, name in enumerate(("of CPU", "on the wall")):
        base = min(pair[clock] for role in (BASE, CONTROL) for pair in pairs[role])
        head = min(pair[clock] for pair in pairs[HEAD])
        if head > _most(base, limit):
            message = f"{what} {head:.2f} s {name} (base: {base:.2f} s)"
            return verdicts.LATER, message
    return None


def _wall(rows):
    """Return the finding that calls of the head wait, or work in another process."""
    if any(row["walls"] is None for row in rows):
        return None
    head, control = ([row["walls"][r] for row in rows] for r in (HEAD, CONTROL))
    limit = verdicts.threshold(verdicts.floor(control), WAITING)
    if interval(head, verdicts.EQUAL)["low"] <= 1 + limit:
        return None
    ratio, cpu = (
        interval(logs)["median"] for logs in (head, [row["logs"][HEAD] for row in rows])
    )
    if ratio < (1 + WAITING) * cpu:
        return None  # the CPU clock sees it as well, and decides
    message = f"{ratio:.2f} times the wall time and {cpu:.2f} times the CPU time"
    return verdicts.SLOWER, message
