"""Measure commits beside a pinned one, so that the history of a case is one of ratios.

Times that were taken on different days differ by what the machine did. Here each commit
is measured beside an earlier one, in one process, as in a comparison, and what is kept
is the ratio of the two. A chain of ratios leads from each commit to the *baseline*:
where that cannot run a case, which may be newer, the first commit that can takes its
place. Rows are of the kind ``ratio``, one for each case and commit.
"""

import datetime
import tempfile
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import machine, store
from ..case import matches
from ..confidence import interval
from ..project import Project
from ..surroundings import surroundings
from . import revisions, verdicts
from .alongside import BASE, CONTROL, HEAD
from .asv_history import resolve
from .version_processes import ORDERS, VersionProcesses

PROCESSES = 6
"""Number of processes that measure a commit, one for each order of the roles."""

RESULTS = Path("benchmarks", "results")
"""Where the measurements of a project's own commits are kept, by machine."""

FILE = "ratios.jsonl"
"""Name of the file of ratios in the folder of a machine."""

KEPT = ("name", "cpu", "cores", "os", "versions", "blas", "environment")
"""What a row keeps of what is known of the machine."""


def default_output(project: Project) -> Path:
    """Return the file of ratios of this machine."""
    return RESULTS / str(machine.fingerprint(project)["name"]) / FILE


def measure(
    project: Project,
    commits: Sequence[str],
    baseline: str | None = None,
    *,
    profile: str = "pr",
    patterns: Sequence[str] = (),
    threads: int = 1,
    output: Path | None = None,
    processes: int = PROCESSES,
    progress: Callable[[str, int, int], object] = lambda text, done, total: None,
) -> tuple[list[dict], Path]:
    """Measure commits beside the baseline, and add rows to a file.

    Parameters
    ----------
    project : Project
        The package.
    commits : sequence of str
        Names of versions, as :func:`nbfact.harness.versions.revisions.resolve` takes
        them, that are commits. What the file has of them is not measured again.
    baseline : str, optional
        The commit that ratios lead back to; by default that of the file.
    profile : str
        Which list of today's cases.
    patterns : sequence of str
        Measure only the tasks whose name contains one of these, or matches it as a
        glob.
    threads : int
        Number of threads of Numba and BLAS.
    output : path, optional
        The file; by default :func:`default_output`.
    processes : int
        Number of processes that measure a commit.
    progress : callable
        Called with what is done now, the number of steps that are done, and the number
        of all steps.

    Returns
    -------
    rows : list of dict
        The new rows.
    output : path
        The file.

    Raises
    ------
    ValueError
        When there is no such version or profile, no case matches, or no baseline is
        known.
    """
    project.check_profile(profile)
    output = Path(output or default_output(project))
    store.check(output)
    old = store.read_rows(output)[0] if output.exists() else []
    runner = _Runner(project, old, threads, output, processes, progress)
    names = [*([baseline] if baseline else []), *runner.origins()]
    if not names:
        raise ValueError(f"{output}: no ratios yet; name a baseline to begin with")
    found = [_commit(name, project) for name in names]
    anchors = list({anchor.commit: anchor for anchor in found}.values())
    heads = {head.commit: head for head in [_commit(name, project) for name in commits]}
    heads = {anchors[0].commit: anchors[0], **heads}
    cases = [
        case.name
        for case in project.cases(profile)()
        if project.is_own(case.impl) and matches(case.task, patterns)
    ]
    if not cases:
        raise ValueError(f"no case matches {', '.join(patterns)} in profile {profile}")
    ordered = sorted(heads.values(), key=lambda head: str(head.date))
    for number, head in enumerate(ordered):
        progress(f"{head.name}", number, len(ordered))
        if runner.follow(head, anchors, cases):
            anchors.append(head)
    return runner.rows, output


def _commit(name, project):
    """Return the version of a name, which must be a commit without changes."""
    found = revisions.resolve(name, project)
    if found.commit is None or found.dirty:
        raise ValueError(f"{name!r}: not a commit; commit the changes first")
    return found


def run_measure(
    project: Project,
    commits: Sequence[str],
    baseline: str | None = None,
    *,
    say: Callable[[str], object],
    **options: Any,
) -> int:
    """Measure commits beside the baseline, and say what was done.

    Parameters
    ----------
    project, commits, baseline, **options
        As in :func:`measure`; commits can be ranges ``A..B`` too.
    say : callable
        Called with a message about each step.

    Returns
    -------
    int
        The exit code: 0, or 2 where nothing was measured.
    """
    names = resolve(commits, RESULTS)
    if not names:
        say(f"{' '.join(commits)}: no commit to measure")
        return 2
    rows, output = measure(
        project, names, baseline, progress=lambda text, *_: say(text), **options
    )
    measured = {row["commit"] for row in rows}
    print(f"{len(rows)} ratios of {len(measured)} commits, in {output}")
    return 0


class _Runner:
    """One run: what its steps share."""

    def __init__(self, project, old, threads, output, processes, progress):
        about = machine.fingerprint(project)
        self.project, self.threads, self.output = project, threads, output
        self.processes, self.progress = processes, progress
        self.rows: list[dict] = []
        started = datetime.datetime.now(datetime.UTC)
        self.provenance = {
            "kind": "ratio",
            "run": uuid.uuid4().hex,
            "started": started.isoformat("T", "seconds"),
            "threads": threads,
            "machine": {key: about[key] for key in KEPT if key in about},
        }
        # Other versions of Numba, or of Python, have rows of their own.
        self.old = [row for row in old if self.key(row) == self.key(self.provenance)]

    def key(self, row):
        """Return what the rows of one chain of ratios share."""
        about = row["machine"]["name"], surroundings(row)
        return row.get("kind"), row.get("threads"), *about

    def origins(self):
        """Return the commits that other commits were measured beside, in order."""
        found = [row["against"] for row in self.old]
        return sorted(dict.fromkeys(found), key=found.count, reverse=True)

    def follow(self, head, anchors, cases):
        """Measure a commit beside the first anchor that can; return if it becomes one.

        It becomes an anchor where it has a case that no anchor can run.
        """
        known = {row["case"] for row in self.old if row["commit"] == head.commit}
        left = [name for name in cases if name not in known]
        found = []
        for anchor in anchors:
            if left and anchor.commit != head.commit:
                found += self.compared(anchor, head, left)
                left = [name for name in left if name not in {r["case"] for r in found}]
        origins = self.alone(head, left) if left else []
        found += origins
        if found:
            compiled = self.compiled(head, [row["case"] for row in found])
            found = [{**row, "compile": compiled.get(row["case"])} for row in found]
            store.append_rows(self.output, found)
            self.rows += found
        return bool(origins)

    def compared(self, anchor, head, names):
        """Return the rows of the cases that an anchor and a commit can run."""
        processes = VersionProcesses(anchor, head, self.threads)
        checks = {
            row["case"]: row
            for row in processes.measured((BASE, CONTROL, HEAD), names, True)
            if not _failed(row)
        }
        found: dict[str, list[dict]] = {name: [] for name in checks}
        for process in range(self.processes if checks else 0):
            self.progress(f"{head.name}: times", process, self.processes)
            order = ORDERS[process % len(ORDERS)]
            for row in processes.measured(order, list(checks), False):
                if not _failed(row):
                    found[row["case"]].append(row)
        return [
            self.row(anchor, head, check, found[name])
            for name, check in checks.items()
            if len(found[name]) > self.processes // 2
        ]

    def alone(self, head, names):
        """Return the rows of the cases that a commit is the first to run."""
        processes = VersionProcesses(head, head, self.threads)
        rows = processes.measured([HEAD], names, True)
        return [self.row(head, head, row, []) for row in rows if not _failed(row)]

    def compiled(self, head, names):
        """Return the CPU seconds of first calls with an empty cache, by case.

        The cases are called in one order, so that each compiles what those before it
        left.
        """
        with tempfile.TemporaryDirectory() as folder:
            processes = VersionProcesses(head, head, self.threads)
            lines = processes.lines([HEAD], names, cache=folder)
            rows = [line["row"] for line in lines if "row" in line]
        return {row["case"]: row["first"][HEAD][0] for row in rows if not _failed(row)}

    def row(self, anchor, head, check, rows):
        """Return the row of a case of a commit."""
        logs = {r: [row["logs"][r] for row in rows] for r in (HEAD, CONTROL)}
        origin = {"median": 1.0, "low": 1.0, "high": 1.0, "samples": []}
        memory = check["allocations"][HEAD]
        seconds = sorted(row["seconds"][HEAD] for row in rows)
        return {
            **self.provenance,
            "case": check["case"],
            "commit": head.commit,
            "commit_date": head.date,
            "against": anchor.commit,
            "ratio": interval(logs[HEAD]) if rows else origin,
            "floor": verdicts.floor(logs[CONTROL]) if rows else None,
            "seconds": seconds[len(seconds) // 2] if rows else None,
            "error": check["error"][HEAD],
            "blocks": memory["count"],
            "peak": memory["peak"],
        }


def _failed(row) -> bool:
    """Return whether a row has no measurement."""
    return bool(row["failed"] or row.get("changed"))
