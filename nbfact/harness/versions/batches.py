"""The processes of one comparison, in batches, and the verdicts on their samples.

A batch is a number of processes that each measure all open cases once, and one process
before them that measures what does not vary: errors, memory, and whether results
repeat. There is one process at a time for each core. After a batch, the cases whose
samples give a verdict are closed, and those that are clearly the same before its end.
What speaks against the head counts only when the fresh processes of another batch
confirm it.
"""

import concurrent.futures
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import calibration, store
from ..case import Pattern, epsilon, matches
from ..confidence import interval
from . import findings, first_calls, revisions, verdicts
from .alongside import BASE, CONTROL, HEAD, ROLES
from .version_processes import ORDERS, VersionProcesses

CHECK = -1
"""Number of the process of a batch that measures what does not vary."""

LANES = 4
"""Largest number of processes at a time: more share caches and memory too much."""


class Batches(VersionProcesses):
    """One comparison while it runs: what its steps share.

    Parameters
    ----------
    versions : dict of str to Revision
        The base and the head, by role.
    profile : str
        Name of the list of cases.
    output : path
        File of all samples.
    provenance : dict
        What every stored row says about the run.
    kept : sequence of dict
        Samples of an earlier run that was cut short.
    progress : callable
        Called with what is done now, the number of steps that are done, and the number
        of all steps.
    """

    def __init__(
        self,
        versions: dict[str, revisions.Revision],
        profile: str,
        output: Path,
        provenance: dict[str, Any],
        kept: Sequence[dict],
        progress: Callable[[str, int, int], object],
    ):
        threads = provenance["threads"]
        super().__init__(versions[BASE], versions[HEAD], threads, profile)
        self.output, self.provenance, self.progress = output, provenance, progress
        places = "batch", "process", "case"
        self.kept = {tuple(row[key] for key in places): row for row in kept}
        # For each case and batch, rows by the number of the process.
        self.logs: dict[str, list[dict[int, dict]]] = {}
        self.checks: dict[str, list] = {}  # for each case, a row for each batch
        self.cold: dict[str, findings.Found] = {}  # by case: first calls, empty cache
        self.every: dict[str, Any] = {}  # the cases of the base
        self.calibration: dict[str, Any] | None = None
        self.processes = 0  # in a batch
        self.writing = threading.Lock()
        self.stopped = threading.Event()

    def all(self, pattern, processes, fingerprint):
        """Measure the cases that match a pattern; return a row of verdict for each."""
        self.progress("reading the cases", 0, 1)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            base, head = pool.map(self.listed, (BASE, HEAD))
        wanted = _matching(base["every"], base["chosen"], pattern)
        new = [name for name in head["chosen"] if name not in base["every"]]
        new = _matching(head["every"], new, pattern)
        if not wanted and not new:
            raise ValueError(f"no case matches {pattern!r} in profile {self.profile}")
        both = [name for name in wanted if name in head["every"]]
        self.every = base["every"]
        self.cold = first_calls.found(self, both)
        open_ = both
        self.processes = processes
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
        if any(row["ratio"] for row in rows):  # else nothing was measured
            rows += self.import_verdict()
        return [{**row, "machine": fingerprint} for row in rows]

    def batch(self, names, batch, processes):
        """Measure some cases in a number of processes; store each row as it comes."""
        for name in names:
            self.logs.setdefault(name, []).append({})
            self.checks.setdefault(name, []).append(None)
        orders = itertools.cycle(ORDERS)
        numbers = list(zip(range(CHECK, processes), orders, strict=False))
        lanes = max(1, (os.cpu_count() or 1) // self.threads)
        pool = concurrent.futures.ThreadPoolExecutor(min(LANES, lanes))
        try:
            for part in (numbers[: verdicts.EARLY + 1], numbers[verdicts.EARLY + 1 :]):
                jobs = [(names, batch, process, roles) for process, roles in part]
                list(pool.map(self.process, jobs))
                names = [name for name in names if not self.alike(name)]
        finally:
            self.stopped.set()
            pool.shutdown(cancel_futures=True)
            self.stopped.clear()

    def process(self, job):
        """Measure some cases in one process, and store each row as it comes."""
        names, batch, process, roles = job
        if process == CHECK:
            roles = [role for role in roles if role != CONTROL]
        left = []
        for name in names:
            if (batch, process, name) in self.kept:
                self.keep(self.kept[batch, process, name], process)
            elif not self.failed(name):
                left.append(name)
        pair = {"kind": "pair", "batch": batch, "process": process}
        while left:  # a process that dies is followed by one for the cases left
            for row in self.measured(roles, left, process == CHECK):
                if self.stopped.is_set():
                    return
                name = row["case"]
                with self.writing:
                    self.keep(row, process)
                    store.append_rows(self.output, [{**self.provenance, **pair, **row}])
                    done = sum(len(self.logs[other][-1]) for other in names)
                    text = f"batch {batch + 1}: {name}"
                    self.progress(text, done, len(names) * self.processes)
                left = [other for other in left if other != name]

    def alike(self, name):
        """Return whether a case needs no further process: the two are the same."""
        if self.failed(name):
            return True
        same = verdicts.alike(self.samples(name), self.every[name]["slowdown"])
        return same and not findings.open_(self.findings(name))

    def keep(self, row, process):
        """Add a row of one process to what is known of its case."""
        if process == CHECK:
            self.checks[row["case"]][-1] = row
        else:
            self.logs[row["case"]][-1][process] = row

    def failed(self, name):
        """Return the messages with which a case failed, by role, or nothing."""
        rows = [*self.checks.get(name, []), *itertools.chain(*self.rows(name))]
        for row in rows:
            if row and (row["failed"] or row.get("changed")):
                return row["failed"] or {"inputs": "differ"}
        return {}

    def rows(self, name):
        """Return the rows of a case in each batch, in the order of the processes."""
        return [
            [rows[process] for process in sorted(rows)]
            for rows in self.logs.get(name, [])
        ]

    def samples(self, name):
        """Return the log-ratios of a case, a pair (head, control) for each batch."""
        return [
            tuple([row["logs"][role] for row in rows] for role in (HEAD, CONTROL))
            for rows in self.rows(name)
        ]

    def findings(self, name):
        """Return what each batch found of a case but its CPU time."""
        eps = epsilon(self.every[name]["params"]["dtype"])
        return [
            findings.of_batch(check, rows, self.every[name], eps)
            for check, rows in zip(self.checks[name], self.rows(name), strict=True)
        ]

    def settled(self, name):
        """Return whether a case needs no further batch."""
        if self.failed(name):
            return True
        made = self.findings(name)
        if findings.confirmed(made):
            return True
        return self.settle(name)[1] and not findings.open_(made)

    def settle(self, name):
        """Return the verdict on the speed of a case, and whether it is final."""
        return verdicts.settle(self.samples(name), self.every[name]["slowdown"])

    def row(self, name, case, **found):
        """Return a row of kind ``verdict``, in which None stands for the unknown."""
        empty = dict.fromkeys(
            "ratio control floor threshold seconds error allocations same_bits "
            "first fed metrics verdict message".split()
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
        """Return the row of the verdict on a case of the base."""
        if in_head is None:
            message = "the head has no such case"
            return self.row(name, case, verdict=verdicts.MISSING, message=message)
        if failed := self.failed(name):
            message = "; ".join(f"{role}: {text}" for role, text in failed.items())
            verdict = verdicts.BROKEN
            if "inputs" in failed:
                verdict, message = verdicts.CHANGED, "the two make other inputs"
            elif BASE in failed and HEAD not in failed:
                verdict = verdicts.NEW  # there is nothing to compare with
            return self.row(name, case, verdict=verdict, message=message)
        check, pooled = self.checks[name][0], zip(*self.samples(name), strict=True)
        head, control = (np.concatenate(logs) for logs in pooled)
        rows = list(itertools.chain(*self.rows(name)))
        floor = verdicts.floor(control)
        seconds = {
            role: float(np.median([row["seconds"][role] for row in rows]))
            for role in (BASE, HEAD)
        }
        speed = self.settle(name)[0]
        against = findings.confirmed(self.findings(name)) | self.cold.get(name, {})
        if speed == verdicts.FASTER and (gain := self.impossible(case, seconds)):
            against["speed"] = gain
        verdict = verdicts.worst([speed, *(word for word, _ in against.values())])
        if verdict not in verdicts.AGAINST:  # what is worse counts more
            against |= findings.loosened(case, in_head)
            verdict = verdicts.worst([verdict, *(word for word, _ in against.values())])
        messages = [text for _, text in against.values()]
        if check["fed"]:
            messages.append("the two make other inputs; both got those of the base")
        return self.row(
            name,
            case,
            ratio=interval(head),
            control=interval(control),
            floor=floor,
            threshold=verdicts.threshold(floor, case["slowdown"]),
            seconds=seconds,
            error={**_two(check["error"]), "bound": case["bound"]},
            allocations=_two(check["allocations"]),
            same_bits=check["same_bits"],
            first={
                role: min(row["first"][role][0] for row in rows)
                for role in (BASE, HEAD)
            },
            fed=check["fed"],
            metrics={metric: word for metric, (word, _) in against.items()},
            verdict=verdict,
            message="; ".join(messages) or None,
        )

    def impossible(self, case, seconds):
        """Return the finding that the head is faster than this machine can be."""
        if case["size"] is None:
            return None
        if self.calibration is None:
            self.calibration = calibration.calibrate(0.5)
        least = calibration.roof_time(
            self.calibration, case["size"], case["flops"], case["params"]["dtype"]
        )
        already = findings.impossible(seconds[BASE], least)
        return None if already else findings.impossible(seconds[HEAD], least)

    def import_verdict(self):
        """Return the row of the verdict on the import, none where nothing ran."""
        base = self.imported[BASE] + self.imported[CONTROL]
        if not base or not self.imported[HEAD]:
            return []
        found = findings.imports(self.imported)
        if found:  # a batch of imports alone, in fresh processes, must confirm it
            self.imported = {role: [] for role in ROLES}
            for roles in ORDERS:
                list(self.measured(roles, [], False))
            found = findings.imports(self.imported)
        name = f"import {self.project.name}"
        case = {"task": name, "group": name, "impl": self.project.name, "params": {}}
        first = {BASE: min(base)[0], HEAD: min(self.imported[HEAD])[0]}
        word, message = found.get("import", (verdicts.SAME, None))
        metrics = {metric: word for metric in found}
        return [
            self.row(
                name, case, first=first, metrics=metrics, verdict=word, message=message
            )
        ]


def _two(by_role):
    """Return what is known of the base and of the head."""
    return {role: by_role[role] for role in (BASE, HEAD)}


def _matching(every, names: Sequence[str], pattern: Pattern) -> list[str]:
    """Return those of some cases whose task matches a pattern."""
    return [name for name in names if matches(every[name]["task"], pattern)]
