"""Tables of where the rows of the report come from: machines, runs, files."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from . import fields
from .summaries import Table

Row = dict[str, Any]

DAMAGED = "Lines and files that could not be read"
"""Caption of the table of problems."""


def machines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what is known of each machine, from its newest row.

    Parameters
    ----------
    rows : sequence of dict
        Rows of all kinds.

    Returns
    -------
    list of dict
        For each machine ``name``, ``facts`` (pairs of text), ``flags`` (text, possibly
        empty), ``calibration`` and ``versions`` (tables of
        :class:`nbfact.harness.report.summaries.Table`).

    Examples
    --------
    >>> found = machines([{"machine": {"name": "m", "load": 0.5}, "threads": 1}])
    >>> found[0]["name"], ("load when it started", "0.5") in found[0]["facts"]
    ('m, 1 thread', True)
    """
    newest = fields.latest(rows, fields.machine)
    return [_machine(name, row) for name, row in newest.items()]


def _machine(name, row):
    """Return what a row says about its machine."""
    about = fields.inner(row, "machine")
    about = about if isinstance(about, dict) else {}
    memory = fields.number(about, "memory")
    environment = about.get("environment")
    whole = row.get("kind") != "ratio"  # ratios keep less, and many commits
    facts = {
        "processor": about.get("cpu"),
        "cores": about.get("cores"),
        "caches": ", ".join(map(str, _list(about.get("caches")))),
        "memory": memory and f"{memory / 2**30:.1f} GiB",
        "system": about.get("os"),
        "governor": about.get("governor", "not readable" if whole else None),
        "load when it started": about.get("load"),
        "stability": _stability(row),
        "threads": row.get("threads"),
        "BLAS": "; ".join(map(_library, _list(about.get("blas")))),
        "environment": " ".join(f"{k}={v}" for k, v in _items(environment)),
        "newest run": fields.when(row),
        "commit": _commit(about) if whole else None,
    }
    versions = Table("Versions", ["package", "version"])
    for package, version in _items(about.get("versions")):
        versions.add(str(package), str(version))
    return {
        "name": name,
        "facts": [(key, str(value)) for key, value in facts.items() if value],
        "flags": fields.text(about, "flags", default=""),
        "versions": versions,
        "calibration": _calibration(row.get("calibration")),
    }


def _commit(about):
    """Return the commit of a run, and whether files differed from it, as text."""
    commit = about.get("commit")
    if not commit:
        return "not known: the package was not in a repository"
    return f"{commit}, {'with' if about.get('dirty') else 'without'} changes"


def _stability(row):
    """Return how far the rates of the machine repeated, as text, None if unknown."""
    spread = fields.number(row, "calibration", "spread")
    if spread is None:
        return "unstable" if fields.unstable(row) else None
    word = "unstable" if fields.unstable(row) else "stable"
    return f"{word}: the rates of two halves differ by {spread:.0%}"


def _list(value):
    """Return a value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def _items(value):
    """Return the items of a value if it is a dict, else none."""
    return value.items() if isinstance(value, dict) else ()


def _library(blas):
    """Return a BLAS library as text."""
    names = ("name", "version", "architecture")
    known = " ".join(str(blas[key]) for key in names if blas.get(key))
    return f"{known}, threads {blas.get('threads', '?')}"


def _calibration(found):
    """Return the table of the rates from which a roof is computed."""
    table = Table("Calibration", ["measured", "rate"])
    for pair in _list(fields.inner(found, "bandwidth")):
        numbers = [fields.number(value) for value in _list(pair)]
        size, rate = numbers if len(numbers) == 2 else (None, None)
        if size and rate:
            table.add(f"bandwidth, {_bytes(size)} touched", f"{rate / 1e9:.1f} GB/s")
    gemm = fields.inner(found, "gemm")
    for dtype, _ in _items(gemm):
        speed = fields.number(gemm, dtype)
        if speed is not None:
            table.add(f"product of order 768, {dtype}", f"{speed / 1e9:.1f} GFLOP/s")
    return table


def _bytes(size):
    """Return a number of bytes as text."""
    return f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB"


def runs(rows: Sequence[Row]) -> Table:
    """Return the table of runs, the newest first.

    Examples
    --------
    >>> row = {"kind": "bench", "run": "0123456789", "started": "2026-01-01T00:00Z"}
    >>> runs([row]).rows
    [('2026-01-01 00:00 UTC', '01234567', 'bench', '?, ? threads', '-', '-', '', '1')]
    """
    heads = [
        "started",
        "run",
        "kind",
        "machine",
        "commit",
        "load",
        "machine was",
        "rows",
    ]
    table = Table("Runs", heads)
    described = [
        (
            fields.when(row),
            *(fields.text(row, key) for key in ("run", "kind")),
            fields.machine(row),
            fields.commit(row) or "-",
            fields.text(row, "machine", "load", default="-"),
            "unstable" if fields.unstable(row) else "",
        )
        for row in rows
    ]
    for key, count in sorted(Counter(described).items(), reverse=True):
        started, run, *rest = key
        table.add(started, run[:8], *rest, str(count))
    return table


def sources(counts: dict[str, int], problems: Sequence[str]) -> list[Table]:
    """Return the table of the files that were read and, if any, that of problems.

    Parameters
    ----------
    counts : dict of str to int
        Number of rows in each file.
    problems : sequence of str
        Messages about lines and files that could not be read.

    Examples
    --------
    >>> [table.rows for table in sources({"a.jsonl": 2}, ["a.jsonl, line 3: damaged"])]
    [[('a.jsonl', '2')], [('a.jsonl, line 3: damaged',)]]
    """
    files = Table("Files read", ["file", "rows"])
    for name, count in counts.items():
        files.add(name, str(count))
    damaged = Table(DAMAGED, ["where, and why"])
    for problem in problems:
        damaged.add(problem)
    return [files, damaged] if problems else [files]
