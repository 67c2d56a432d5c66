"""Compare two versions of a package: speed, error, allocations, and a verdict.

Both versions are imported in one process, the base a second time as a control, and get
the same inputs; their calls are interleaved. One process is one sample of each case,
because where it places code and memory moves a time by more than the clock can see.
Therefore there are eight processes, and as many again, up to four times, for the cases
that these do not settle (:mod:`nbfact.harness.versions.batches`).
"""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import machine, store
from ..case import Pattern
from ..project import Project
from . import revisions, waivers
from .alongside import BASE, HEAD
from .batches import Batches

PROCESSES = 8
"""Number of processes in a batch: the smallest number of samples whose least and
largest are the ends of a 99 % interval of the median (1 - 2 / 2**8 = 0.992)."""


class SameSourcesError(ValueError):
    """The two versions to compare have the same sources."""


@dataclass(eq=False)
class Comparison:
    """The result of a comparison.

    Parameters
    ----------
    base, head : Revision
        The two versions.
    profile : str
        Name of the list of cases that was compared.
    rows : list of dict
        Rows of kind ``verdict``, one for each case, in the order of the registry.
    file : path
        File in which these rows and all samples are stored.
    problems : list of str
        Messages about the lines of a resumed file that are not rows, and about waivers
        that have expired.
    """

    base: revisions.Revision
    head: revisions.Revision
    profile: str
    rows: list[dict]
    file: Path
    problems: list[str]


def compare(
    project: Project,
    base: str | None = None,
    head: str | None = None,
    *,
    profile: str = "pr",
    pattern: Pattern = None,
    threads: int = 1,
    output: Path | None = None,
    resume: Path | None = None,
    processes: int = PROCESSES,
    same: bool = False,
    waived: Path | None = None,
    progress: Callable[[str, int, int], object] = lambda text, done, total: None,
) -> Comparison:
    """Measure two versions of a package side by side.

    Parameters
    ----------
    project : Project
        The package.
    base, head : str, optional
        Names of versions, as :func:`nbfact.harness.versions.revisions.resolve` takes
        them; by default :func:`nbfact.harness.versions.revisions.default_base`, and
        the working tree.
    profile : str
        Which list of cases of the base is compared: one of the project's profiles.
        Cases that only the head has are named and not measured.
    pattern : str or sequence of str, optional
        Compare only the tasks whose name contains it, or matches it as a glob; of
        several patterns, one.
    threads : int
        Number of threads of Numba and BLAS.
    output : path, optional
        File for all samples and the verdicts; by default a new one in ``runs``.
    resume : path, optional
        File of a comparison of the same two versions that was cut short. It is
        continued: its samples are used, and new ones are added to it.
    processes : int
        Number of processes in a batch, at least two.
    same : bool
        Whether to measure versions that have the same sources too (an *A/A run*, which
        shows the noise of the measurement).
    waived : path, optional
        File of waivers, see :mod:`nbfact.harness.versions.waivers`.
    progress : callable
        Called with what is done now, the number of steps that are done, and the number
        of all steps.

    Returns
    -------
    Comparison

    Raises
    ------
    SameSourcesError
        When the two versions have the same sources, unless `same` is true.
    ValueError
        For an unknown version or profile, when no case matches, when the file to
        resume holds no samples of these versions, threads and machine, or when the file
        of waivers is wrong.
    RuntimeError
        When a version cannot be imported.
    """
    project.check_profile(profile)
    if processes < 2:
        raise ValueError(f"processes {processes}: at least 2 are needed")
    accepted = waivers.read_waivers(waived)
    versions = {
        BASE: revisions.resolve(base or revisions.default_base(project), project),
        HEAD: revisions.resolve(head or revisions.WORKTREE, project),
    }
    digests = [versions[role].digest for role in (BASE, HEAD)]
    if len(set(digests)) == 1 and not same:
        raise SameSourcesError(
            f"base {versions[BASE].name!r} and head {versions[HEAD].name!r} have the "
            "same sources: nothing to compare (--same compares them, to show the noise)"
        )
    fingerprint = machine.fingerprint(project)
    started = datetime.datetime.now(datetime.UTC)
    provenance = {
        "run": uuid.uuid4().hex,
        "started": started.isoformat("T", "seconds"),
        "threads": threads,
        "versions": digests,
        "host": fingerprint["name"],
    }
    kept, problems = [], []
    if resume is not None:
        kept, problems = _kept(resume, provenance)
        provenance["run"] = kept[-1]["run"]
        output = resume
    if output is None:
        name = f"compare-{started:%Y%m%d-%H%M%S}-{provenance['run'][:6]}.jsonl"
        output = Path("runs", name)
    output = Path(output)
    store.check(output)
    batches = Batches(versions, profile, output, provenance, kept, progress)
    rows = batches.all(pattern, processes, fingerprint)
    problems += waivers.apply(rows, accepted, started.date())
    store.append_rows(output, rows)
    return Comparison(versions[BASE], versions[HEAD], profile, rows, output, problems)


def _kept(path, provenance):
    """Return the samples in a file that a comparison can use, and its damaged lines.

    Samples of earlier versions of the harness lack what is measured today.
    """
    rows, problems = store.read_rows(path)
    same = "threads", "versions", "host"
    kept = [
        row
        for row in rows
        if row.get("kind") == "pair"
        and (row.get("failed") or row.get("changed") or "first" in row)
        and all(row.get(key) == provenance[key] for key in same)
    ]
    if not kept:
        raise ValueError(
            f"{path}: no samples of these two versions, on this machine, with "
            f"{provenance['threads']} threads"
        )
    return kept, problems
