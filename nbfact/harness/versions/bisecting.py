"""Find the commit that made a case worse, by binary search over versions side by side.

A version is a folder of sources, so no commit is built or installed: the good version
and the one in question are imported in one process, as for a comparison, and a dozen
versions take minutes. The search follows first parents, and only commits that change
the package.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..case import epsilon, matches
from ..confidence import interval
from ..project import Project
from . import findings, revisions, verdicts
from .alongside import BASE, CONTROL, HEAD, NO_CASE
from .candidates import BAD, GOOD, SKIPPED, Commit, NothingWorseError, candidates
from .version_processes import ORDERS, VersionProcesses

METRICS = ("works", "error", "time", "waiting", "blocks", "memory")
"""What can become worse, in the order in which the search prefers it: the case raises
or is gone, its error, its time by the CPU clock and by the wall clock, the number of
blocks that a call allocates, the peak of its memory."""
WORKS, ERROR, TIME, WAITING, BLOCKS, MEMORY = METRICS

SAMPLED = {TIME: "logs", WAITING: "walls"}
"""Metrics that vary from process to process, and where their samples are in a row."""

LIMITS = {BLOCKS: findings.BLOCKS, MEMORY: findings.BYTES}
KEYS = {BLOCKS: "count", MEMORY: "peak"}
"""Where the metrics of memory are in what a process found."""

LEAST, INFINITE = 1e-30, 1e30
"""What stands for an error of zero, and for one that is not finite."""

FEWEST, MOST = 3, 9
"""Least and largest number of processes that time a commit. The search goes on when
all of them are on one side of the limit."""


@dataclass
class Bisection:
    """The result of a search.

    Parameters
    ----------
    case : str
        Name of the case.
    metric : str
        One of :data:`METRICS`.
    good : Commit
        The good version.
    commits : list of Commit
        The commits after it, up to the bad version, oldest first.
    suspects : list of Commit
        The commit that made the case worse. Where commits could not be measured, there
        are several, the last of which is known to be bad.
    ratio : dict or None
        Time of the suspect over that of the commit before it, as in
        :func:`nbfact.harness.confidence.interval`, where there is one suspect
        and the metric is a time.
    """

    case: str
    metric: str
    good: Commit
    commits: list[Commit] = field(default_factory=list)
    suspects: list[Commit] = field(default_factory=list)
    ratio: dict | None = None


def bisect(
    project: Project,
    case: str,
    bad: str | None = None,
    good: str | None = None,
    *,
    metric: str | None = None,
    threads: int = 1,
    progress: Callable[[str, int, int], object] = lambda text, done, total: None,
) -> Bisection:
    """Find the commit that made a case worse.

    Parameters
    ----------
    project : Project
        The package.
    case : str
        Name of a case, a part of it, or a glob that only one case matches.
    bad, good : str, optional
        Names of versions, as :func:`nbfact.harness.versions.revisions.resolve` takes
        them, that are commits or the working tree; by default the working tree, and
        :func:`nbfact.harness.versions.revisions.default_base`.
    metric : str, optional
        One of :data:`METRICS`; by default the first of them that is worse in `bad`.
    threads : int
        Number of threads of Numba and BLAS.
    progress : callable
        Called with what is done now, the number of steps that are done, and the number
        of all steps.

    Returns
    -------
    Bisection

    Raises
    ------
    NothingWorseError
        When `bad` is not worse than `good`.
    ValueError
        When there is no such version, case or metric, or `good` cannot run the case or
        is no ancestor of `bad`.
    """
    if metric is not None and metric not in METRICS:
        raise ValueError(f"metric {metric!r}; expected one of {', '.join(METRICS)}")
    first = revisions.resolve(good or revisions.default_base(project), project)
    last = revisions.resolve(bad or revisions.WORKTREE, project)
    commits = candidates(first, last)
    search = _Search(project, first, last, threads, progress)
    start = Commit(str(first.commit), (first.date or "")[:10], f"good: {first.name}")
    found = Bisection(search.choose(case), "", start, commits)
    found.metric = search.compare(found, metric)
    low, high = _halve(commits, search)
    found.suspects = commits[low + 1 : high + 1]
    if len(found.suspects) == 1 and found.metric in SAMPLED:
        before = commits[low] if low >= 0 else found.good
        found.ratio = search.confirm(before, found.suspects[0])
    return found


def _halve(commits, search):
    """Look at commits; return the last good one and the first bad one, by index."""
    low, high = -1, len(commits) - 1
    while True:
        open_ = [i for i in range(low + 1, high) if commits[i].state is None]
        if not open_:
            return low, high
        middle = (low + high) / 2
        index = min(open_, key=lambda i: abs(i - middle))
        search.judge(commits[index], high - low - 1)
        if commits[index].state == GOOD:
            low = index
        elif commits[index].state == BAD:
            high = index


class _Search:
    """One search: the two versions at its ends, and what it compares."""

    def __init__(self, project, good, bad, threads, progress):
        self.project, self.good, self.bad = project, good, bad
        self.threads, self.progress = threads, progress
        self.total, self.done = 3, 0
        self.case, self.metric, self.about = "", "", {}
        self.start, self.limit = 1.0, 1.0  # of the good version; between good and bad
        self.gone = False  # whether the bad version has no such case

    def processes(self, base, head):
        """Return what runs the processes of two versions."""
        found = VersionProcesses(base, head, self.threads)
        # Where the cases of a profile rotate, they are those of the bad version.
        found.turn = self.bad.turn
        return found

    def say(self, text):
        """Tell the progress what is done now."""
        self.progress(text, self.done, self.total)
        self.done += 1

    def choose(self, wanted):
        """Return the name of the one case of the good version that is wanted."""
        self.say("reading the cases")
        try:
            listed = self.processes(self.good, self.bad).listed(BASE)["every"]
        except RuntimeError as error:
            raise ValueError(error) from None
        found = [name for name in listed if name == wanted]
        found = found or [name for name in listed if matches(name, wanted)]
        if len(found) == 1:
            self.case, self.about = found[0], listed[found[0]]
            return self.case
        some = "; ".join(found[:10]) + ("; ..." if len(found) > 10 else "")
        raise ValueError(
            f"case {wanted!r}: {len(found)} of {self.good.name!r} match; expected one"
            + (f": {some}" if some else "")
        )

    def compare(self, found, metric):
        """Compare good and bad; return the metric to search by."""
        self.say("comparing the good and the bad version")
        processes = self.processes(self.good, self.bad)
        check = self.rows(processes, [(BASE, CONTROL, HEAD)], True)[-1]
        failed = check["failed"]
        if BASE in failed:
            raise ValueError(f"{self.good.name!r} cannot run {self.case}: {failed}")
        if check.get("changed"):
            raise ValueError(
                f"{self.case}: the two make other inputs, which cannot be exchanged"
            )
        worse = {} if failed else self.worse(check)
        if failed:
            worse[WORKS] = 0.0, 1.0
        elif metric in SAMPLED or not (metric or ERROR in worse):
            rows = self.rows(processes, (*ORDERS, *ORDERS[:2]), False)
            worse |= self.slower(check, rows)
        chosen = [name for name in METRICS if name in worse and metric in (None, name)]
        if not chosen:
            raise NothingWorseError(
                f"{self.case}: {self.bad.name!r} is not worse than {self.good.name!r} "
                f"in {metric or 'anything that is measured'}"
            )
        self.metric, self.gone = chosen[0], failed.get(HEAD) == NO_CASE
        self.start, value = worse[self.metric]
        # In the middle: of zero and one, or on a logarithmic scale.
        self.limit = math.sqrt(self.start * value) if self.start else value / 2
        self.total += math.ceil(math.log2(len(found.commits)))
        self.mark(found.good, self.start)
        self.mark(found.commits[-1], value, failed.get(HEAD))
        return self.metric

    def worse(self, check):
        """Return what is worse of what does not vary: values of good and bad."""
        eps = epsilon(self.about["params"]["dtype"])
        found = {}
        base, head = (check["error"][role] for role in (BASE, HEAD))
        limits = self.about["bound"], eps, self.about["looser"]
        if verdicts.accuracy(base, head, *limits):
            found[ERROR] = (
                self.value(check, BASE, ERROR),
                self.value(check, HEAD, ERROR),
            )
        for metric, (factor, more) in LIMITS.items():
            base, head = (self.value(check, role, metric) for role in (BASE, HEAD))
            if head > factor * base + more:
                found[metric] = base, head
        return found

    def slower(self, check, rows):
        """Return what is worse of what varies: ratios of good and bad to the good."""
        logs = {r: [row["logs"][r] for row in rows] for r in (HEAD, CONTROL)}
        least = self.about["slowdown"]
        if verdicts.speed(logs[HEAD], logs[CONTROL], least) == verdicts.SLOWER:
            return {TIME: (1.0, _ratio(rows, TIME))}
        eps = epsilon(self.about["params"]["dtype"])
        if "wall" in findings.of_batch(check, rows, self.about, eps):
            return {WAITING: (1.0, _ratio(rows, WAITING))}
        return {}

    def value(self, check, role, metric):
        """Return what a process found that does not vary, as a positive number."""
        if metric == ERROR:
            error = check["error"][role]
            return INFINITE if error is None else max(error, LEAST)
        return max(float(check["allocations"][role][KEYS[metric]]), 1.0)

    def judge(self, commit, left):
        """Measure a commit, and write into it what is known now."""
        self.say(f"{commit.name[:10]}: one of {left} left")
        try:
            head = revisions.resolve(commit.name, self.project)
        except ValueError as error:
            commit.state, commit.message = SKIPPED, str(error)
            return
        rows = self.measured(self.good, head)
        failed = _failure(rows[-1])
        if self.metric == WORKS:
            bad = failed and (failed == NO_CASE) == self.gone
            if failed and not bad:
                commit.state, commit.message = SKIPPED, failed
            else:
                self.mark(commit, 1.0 if bad else 0.0, failed)
        elif failed:
            commit.state, commit.message = SKIPPED, failed
        elif self.metric in SAMPLED:
            self.mark(commit, _ratio(rows, self.metric))
        else:
            self.mark(commit, self.value(rows[-1], HEAD, self.metric))

    def measured(self, base, head):
        """Return the rows of two versions that tell on which side the second is."""
        processes = self.processes(base, head)
        if self.metric not in SAMPLED:
            return self.rows(processes, [(BASE, HEAD)], True)
        turns = [(BASE, HEAD), (HEAD, BASE)] * MOST
        rows = self.rows(processes, turns[:FEWEST], False)
        while len(rows) < MOST and not _failure(rows[-1]):
            sides = np.array(_logs(rows, self.metric)) > math.log(self.limit)
            if sides.all() or not sides.any():
                break
            rows += self.rows(processes, [turns[len(rows)]], False)
        return rows

    def mark(self, commit, value, message=None):
        """Write into a commit what was measured, and on which side it is."""
        commit.value, commit.message = value, message
        commit.state = BAD if value > self.limit else GOOD

    def rows(self, processes, orders, checking):
        """Return the rows of a process for each order of roles, up to a failure."""
        rows = []
        for roles in orders:
            rows += processes.measured(roles, [self.case], checking)
            if _failure(rows[-1]):
                break
        return rows

    def confirm(self, before, suspect):
        """Return the time of a commit over that of the one before it, or None."""
        self.say("measuring the suspect beside the commit before it")
        names = before.name, suspect.name
        base, head = (revisions.resolve(name, self.project) for name in names)
        turns = [(BASE, HEAD), (HEAD, BASE)] * 4
        rows = self.rows(self.processes(base, head), turns, False)
        if _failure(rows[-1]):
            return None
        return interval(_logs(rows, self.metric))


def _failure(row):
    """Return why a row has no measurement, None if it has one."""
    if row.get("changed"):
        return "it makes other inputs, which cannot be exchanged"
    failed = row["failed"]
    return failed.get(HEAD) or failed.get(BASE)


def _logs(rows, metric):
    """Return the samples of a metric that varies."""
    return [row[SAMPLED[metric]][HEAD] for row in rows]


def _ratio(rows, metric):
    """Return the median ratio of the head to the base."""
    return float(np.exp(np.median(_logs(rows, metric))))
