"""Two versions of the package side by side: speed, error, allocations, a verdict.

Both are imported in one process, with the base once more as a control, and get the same
inputs; their calls are interleaved. One process is one sample of each case, since where
it puts code and pages moves a time by more than the clock can see: there are eight, and
as many again, twice at most, for the cases that these do not settle.
"""

import concurrent.futures
import dataclasses
import datetime
import hashlib
import itertools
import math
import os
import platform
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np

from ...cases import registry
from .. import machine, store, worker
from . import revisions, verdicts
from .alongside import BASE, CONTROL, HEAD, ROLES

PROCESSES = 8
"""In a batch: the least whose extremes are an interval at 99 %."""

BUDGET = 0.04
"""Seconds of samples of a case in a process."""


@dataclasses.dataclass(eq=False)
class Comparison:
    """What was compared, and what came of it.

    Parameters
    ----------
    base, head : Revision
        The two versions.
    profile : str
        Whose registry.
    rows : list of dict
        Rows of kind ``verdict``, one a case, in the order of the registry.
    file : path
        Where they, and all samples, are stored.
    problems : list of str
        Lines of a file that was continued which are no rows.
    """

    base: revisions.Revision
    head: revisions.Revision
    profile: str
    rows: list[dict]
    file: Path
    problems: list[str]


def compare(
    base: str | None = None,
    head: str | None = None,
    profile: str = "pr",
    pattern: str | None = None,
    threads: int = 1,
    output: Path | None = None,
    resume: Path | None = None,
    processes: int = PROCESSES,
    told: Callable[[str, int, int], None] = lambda text, done, total: None,
) -> Comparison:
    """Measure two versions side by side.

    Parameters
    ----------
    base, head : str, optional
        As :func:`nbfact.harness.versions.revisions.resolve` takes them; by default
        :func:`nbfact.harness.versions.revisions.default_base`, and the working tree.
    profile : {"quick", "pr", "full"}
        Whose cases, of the base; what only the head has is named and not measured.
    pattern : str, optional
        Only cases of tasks that contain it, or match it as a glob.
    threads : int
        Of Numba and BLAS.
    output : path, optional
        File for all samples and the verdicts; by default a new one in ``runs``.
    resume : path, optional
        File of a comparison of the same two versions that was cut short: it is
        continued, with the samples in it.
    processes : int
        In a batch, at least two.
    told : callable
        Given what is done now, and how many of how many steps are.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        For a version or a profile that is not known, when no case matches, or when
        the file to continue holds no samples of these versions, threads and machine.
    RuntimeError
        When a version cannot be imported.
    """
    if profile not in registry.PROFILES:
        known = ", ".join(registry.PROFILES)
        raise ValueError(f"profile {profile!r}; expected one of {known}")
    if processes < 2:
        raise ValueError(f"processes {processes}: at least 2 are needed")
    versions = {
        BASE: revisions.resolve(base or revisions.default_base()),
        HEAD: revisions.resolve(head or revisions.WORKTREE),
    }
    fingerprint = machine.fingerprint()
    started = datetime.datetime.now(datetime.UTC)
    provenance = {
        "run": uuid.uuid4().hex,
        "started": started.isoformat("T", "seconds"),
        "threads": threads,
        "versions": [versions[role].digest for role in (BASE, HEAD)],
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
    store.check(output)
    running = _Running(versions, profile, Path(output), provenance, kept, told)
    rows = running.all(pattern, processes, fingerprint)
    store.append_rows(output, rows)
    return Comparison(
        versions[BASE], versions[HEAD], profile, rows, Path(output), problems
    )


def _kept(path, provenance):
    """Return the samples in a file that a comparison can go on from, and its damage."""
    rows, problems = store.read_rows(path)
    same = "threads", "versions", "host"
    kept = [
        row
        for row in rows
        if row.get("kind") == "pair"
        and all(row.get(key) == provenance[key] for key in same)
    ]
    if not kept:
        raise ValueError(
            f"{path}: no samples of these two versions, on this machine, with "
            f"{provenance['threads']} threads"
        )
    return kept, problems


class _Running:
    """One comparison while it runs: what is shared by its steps."""

    def __init__(self, versions, profile, output, provenance, kept, told):
        self.versions, self.profile, self.output = versions, profile, output
        self.provenance, self.told = provenance, told
        places = "batch", "process", "case"
        self.kept = {tuple(row[key] for key in places): row for row in kept}
        cache = revisions.cache_folder()
        self.folders = {r: self.version(r).folder(cache, r) for r in ROLES}
        self.logs: dict[str, list] = {}  # by case: one list of rows a batch

    def version(self, role):
        """Return the version that a role runs."""
        return self.versions[BASE if role == CONTROL else role]

    def all(self, pattern, processes, fingerprint):
        """Do everything in order; return the rows of verdicts."""
        self.told("reading the cases", 0, 1)
        listed = self.list_cases()
        base, head = listed[BASE], listed[HEAD]
        wanted = _matching(base["every"], base["chosen"], pattern)
        new = [name for name in head["chosen"] if name not in base["every"]]
        new = _matching(head["every"], new, pattern)
        if not wanted and not new:
            raise ValueError(f"no case matches {pattern!r} in profile {self.profile}")
        both = [name for name in wanted if name in head["every"]]
        self.warm(both)
        open_ = both
        for batch in range(verdicts.BATCHES):
            if open_:
                self.batch(open_, batch, processes)
            open_ = [name for name in open_ if not self.settled(name)]
        rows = [
            self.verdict(name, base["every"][name], head["every"].get(name))
            for name in wanted
        ]
        rows += [
            self.row(name, head["every"][name], verdict=verdicts.NEW) for name in new
        ]
        return [{**row, "machine": fingerprint} for row in rows]

    def list_cases(self):
        """Return, for the base and the head, what is chosen and every case there is."""
        listed = {}
        for role in (BASE, HEAD):
            for line in self.lines([role], None):
                if "died" in line:
                    name = self.versions[role].name
                    raise RuntimeError(f"{name!r} cannot be read: {line['died']}")
                if "chosen" in line:
                    listed[role] = line
        return listed

    def warm(self, names):
        """Compile what each role needs, as many roles at once as there are cores.

        Roles with the same kernels as the base take what is compiled for that.
        """
        key = [platform.python_version(), numba.__version__, np.__version__, *names]
        mark = "warm-" + hashlib.sha256("\n".join(key).encode()).hexdigest()[:16]
        cold = [role for role in ROLES if not (self.folders[role] / mark).exists()]
        kernels = self.versions[BASE].kernels
        lent = [role for role in cold if self.version(role).kernels == kernels]
        alone = [role for role in cold if role not in lent]
        if lent:
            alone = [BASE, *alone]

        def compile_(job):
            role, part = job
            for _ in self.lines([role], part, checking=True):
                pass

        # Neighbours share kernels: parts are runs of cases, two for each core.
        cores = os.cpu_count() or 1
        size = max(1, math.ceil(len(names) * len(alone) / (2 * cores)))
        parts = [names[i : i + size] for i in range(0, len(names), size)]
        jobs = [(role, part) for role in alone for part in parts]
        self.told("compiling", 0, len(jobs))
        with concurrent.futures.ThreadPoolExecutor(cores) as pool:
            list(pool.map(compile_, jobs))
        for role in lent:
            if role != BASE:
                aliases = f"nbfact_{BASE}", f"nbfact_{role}"
                base, folder = self.folders[BASE], self.folders[role]
                revisions.lend_kernels(base, folder, aliases)
        for role in cold:
            (self.folders[role] / mark).touch()

    def batch(self, names, batch, processes):
        """Measure some cases in a number of processes, storing each as it comes."""
        total = processes * len(names)
        for name in names:
            self.logs.setdefault(name, []).append([])
        orders = itertools.cycle(itertools.permutations(ROLES))
        for process, roles in zip(range(processes), orders, strict=False):
            left = []
            for name in names:
                if (batch, process, name) in self.kept:
                    self.logs[name][-1].append(self.kept[batch, process, name])
                elif not self.failed(name):
                    left.append(name)
            while left:
                died = None
                for line in self.lines(roles, left, BUDGET, checking=process == 0):
                    if "row" in line:
                        row = line["row"]
                    elif "died" in line:
                        died = line
                        row = {
                            "case": line["case"] or left[0],
                            "failed": {line["role"]: line["died"]},
                        }
                    else:
                        continue
                    name = row["case"]
                    self.logs[name][-1].append(row)
                    pair = {"kind": "pair", "batch": batch, "process": process, **row}
                    store.append_rows(self.output, [{**self.provenance, **pair}])
                    left = left[left.index(name) + 1 :]
                    done = process * len(names) + len(names) - len(left)
                    self.told(f"batch {batch + 1}: {name}", done, total)
                if died is None:
                    break

    def failed(self, name):
        """Return the messages by role of what a case failed with, if it did."""
        for rows in self.logs.get(name, []):
            for row in rows:
                if row["failed"] or row.get("changed"):
                    return row["failed"] or {"inputs": "differ"}
        return {}

    def batches(self, name):
        """Return the batches of a case as verdicts take them."""
        return [
            tuple([row["logs"][role] for row in rows] for role in (HEAD, CONTROL))
            for rows in self.logs[name]
        ]

    def settled(self, name):
        """Return whether a case needs no other batch."""
        return bool(self.failed(name)) or verdicts.settle(self.batches(name))[1]

    def row(self, name, case, **found):
        """Return the row of a verdict; what is not known is None."""
        empty = dict.fromkeys(
            "ratio control floor threshold seconds error allocations same_bits "
            "verdict message".split()
        )
        described = {key: case[key] for key in ("task", "group", "impl", "params")}
        return {
            **self.provenance,
            "kind": "verdict",
            "profile": self.profile,
            "base": self.versions[BASE].describe(),
            "head": self.versions[HEAD].describe(),
            "case": name,
            **described,
            **empty,
            **found,
        }

    def verdict(self, name, case, in_head):
        """Return the row of a case of the base."""
        if in_head is None:
            told = "the head has no such case"
            return self.row(name, case, verdict=verdicts.MISSING, message=told)
        failed = self.failed(name)
        if failed:
            told = "; ".join(f"{role}: {text}" for role, text in failed.items())
            verdict = verdicts.BROKEN
            if "inputs" in failed:
                verdict, told = verdicts.CHANGED, "the two make other inputs"
            elif BASE in failed and HEAD not in failed:
                verdict = verdicts.NEW  # there is nothing to compare with
            return self.row(name, case, verdict=verdict, message=told)
        checked = self.logs[name][0][0]
        error, pooled = checked["error"], zip(*self.batches(name), strict=True)
        head, control = (np.concatenate(logs) for logs in pooled)
        rows = [row for batch in self.logs[name] for row in batch]
        floor = verdicts.floor(control)
        eps = float(np.finfo(case["params"]["dtype"]).eps)
        verdict, message = verdicts.settle(self.batches(name))[0], None
        wrong = verdicts.accuracy(error[BASE], error[HEAD], case["bound"], eps)
        if wrong:
            verdict, message = verdicts.INACCURATE, wrong
        return self.row(
            name,
            case,
            ratio=verdicts.interval(head),
            control=verdicts.interval(control),
            floor=floor,
            threshold=verdicts.threshold(floor),
            seconds={
                role: float(np.median([row["seconds"][role] for row in rows]))
                for role in (BASE, HEAD)
            },
            error={BASE: error[BASE], HEAD: error[HEAD], "bound": case["bound"]},
            allocations=checked["allocations"],
            same_bits=checked["same_bits"],
            verdict=verdict,
            message=message,
        )

    def lines(self, roles, names, budget=0.0, checking=False) -> Iterator[dict]:
        """Yield what one process prints; a last line tells when it died, and where."""
        job = {
            "roles": [(role, str(self.folders[role])) for role in roles],
            "profile": self.profile,
            "cases": names,
            "budget": budget,
            "checking": checking,
        }
        at: dict[str, Any] = {"case": None, "role": roles[0]}
        module = f"{__package__}.alongside"
        # Without a directory for all, compiled kernels stay beside their sources.
        drop = ("NUMBA_CACHE_DIR",)
        threads = self.provenance["threads"]
        for line in worker.answers(module, job, threads, drop=drop):
            at.update({key: line[key] for key in at if key in line})
            yield {**at, **line} if "died" in line else line


def _matching(every, names: Sequence[str], pattern) -> list[str]:
    """Return the names of cases whose task matches a pattern."""
    return [name for name in names if registry.matches(every[name]["task"], pattern)]
