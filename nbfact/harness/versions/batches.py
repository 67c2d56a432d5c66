"""The processes of one comparison, in batches, and the verdicts on their samples.

A batch is a number of processes that each measure all open cases once. After a batch,
the cases whose samples give a verdict are closed.
"""

import concurrent.futures
import hashlib
import itertools
import math
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np

from .. import store, worker
from ..case import matches
from . import revisions, verdicts
from .alongside import BASE, CONTROL, HEAD, ROLES

BUDGET = 0.04
"""Seconds of samples for each case in each process."""


class Batches:
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
        self.versions, self.profile, self.output = versions, profile, output
        self.provenance, self.progress = provenance, progress
        self.project = versions[BASE].project
        places = "batch", "process", "case"
        self.kept = {tuple(row[key] for key in places): row for row in kept}
        cache = revisions.cache_folder(self.project)
        self.folders = {r: self.version(r).folder(cache, r) for r in ROLES}
        self.logs: dict[str, list] = {}  # for each case, a list of rows for each batch

    def version(self, role):
        """Return the version of a role; the control is the base once more."""
        return self.versions[BASE if role == CONTROL else role]

    def all(self, pattern, processes, fingerprint):
        """Measure the cases that match a pattern; return a row of verdict for each."""
        self.progress("reading the cases", 0, 1)
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
        """Return, for base and head, the names of the profile and all their cases."""
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
        """Compile what each role needs, in one process for each core.

        Roles whose kernels are those of the base get copies of what is compiled for it.
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

        # Cases beside one another share kernels: each core gets two runs of cases.
        cores = os.cpu_count() or 1
        size = max(1, math.ceil(len(names) * len(alone) / (2 * cores)))
        parts = [names[i : i + size] for i in range(0, len(names), size)]
        jobs = [(role, part) for role in alone for part in parts]
        self.progress("compiling", 0, len(jobs))
        with concurrent.futures.ThreadPoolExecutor(cores) as pool:
            list(pool.map(compile_, jobs))
        for role in lent:
            if role != BASE:
                name = self.project.name
                base, folder = self.folders[BASE], self.folders[role]
                aliases = f"{name}_{BASE}", f"{name}_{role}"
                revisions.lend_kernels(base, folder, aliases)
        for role in cold:
            (self.folders[role] / mark).touch()

    def batch(self, names, batch, processes):
        """Measure some cases in a number of processes; store each row as it comes."""
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
            pair = {"kind": "pair", "batch": batch, "process": process}
            while left:  # a process that dies is followed by one for the cases left
                for row in self.measured(roles, left, process == 0):
                    name = row["case"]
                    self.logs[name][-1].append(row)
                    store.append_rows(self.output, [{**self.provenance, **pair, **row}])
                    left = [other for other in left if other != name]
                    done = process * len(names) + len(names) - len(left)
                    self.progress(f"batch {batch + 1}: {name}", done, total)

    def measured(self, roles, names, checking) -> Iterator[dict]:
        """Yield the rows of one process; the case in which it dies has failed."""
        for line in self.lines(roles, names, BUDGET, checking):
            if "row" in line:
                yield line["row"]
            elif "died" in line:
                case = line["case"] or names[0]
                yield {"case": case, "failed": {line["role"]: line["died"]}}

    def failed(self, name):
        """Return the messages with which a case failed, by role, or nothing."""
        for rows in self.logs.get(name, []):
            for row in rows:
                if row["failed"] or row.get("changed"):
                    return row["failed"] or {"inputs": "differ"}
        return {}

    def samples(self, name):
        """Return the log-ratios of a case, a pair (head, control) for each batch."""
        return [
            tuple([row["logs"][role] for row in rows] for role in (HEAD, CONTROL))
            for rows in self.logs[name]
        ]

    def settled(self, name):
        """Return whether a case needs no further batch."""
        return bool(self.failed(name)) or verdicts.settle(self.samples(name))[1]

    def row(self, name, case, **found):
        """Return a row of kind ``verdict``, in which None stands for the unknown."""
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
        checked = self.logs[name][0][0]
        error, pooled = checked["error"], zip(*self.samples(name), strict=True)
        head, control = (np.concatenate(logs) for logs in pooled)
        rows = [row for batch in self.logs[name] for row in batch]
        floor = verdicts.floor(control)
        eps = float(np.finfo(case["params"]["dtype"]).eps)
        verdict = verdicts.settle(self.samples(name))[0]
        wrong = verdicts.accuracy(error[BASE], error[HEAD], case["bound"], eps)
        if wrong is not None:
            verdict = verdicts.INACCURATE
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
            message=wrong,
        )

    def lines(self, roles, names, budget=0.0, checking=False) -> Iterator[dict]:
        """Yield what one process prints; if it dies, a last line says where."""
        job = {
            "roles": [(role, str(self.folders[role])) for role in roles],
            "registries": self.project.registries,
            "profile": self.profile,
            "cases": names,
            "budget": budget,
            "checking": checking,
        }
        at: dict[str, Any] = {"case": None, "role": roles[0]}
        module = f"{__package__}.alongside"
        # Without a common directory, compiled kernels stay beside their sources.
        drop = ("NUMBA_CACHE_DIR",)
        threads = self.provenance["threads"]
        for line in worker.answers(module, job, threads, drop=drop):
            at.update({key: line[key] for key in at if key in line})
            yield {**at, **line} if "died" in line else line


def _matching(every, names: Sequence[str], pattern) -> list[str]:
    """Return those of some cases whose task matches a pattern."""
    return [name for name in names if matches(every[name]["task"], pattern)]
