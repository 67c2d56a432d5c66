"""The main job: measure every case, check every result, store every row.

Exit codes, which are also those of ``nbfact bench``:

====  =====================================================================
0     every result of the project is right (a rival's failure is shown, and does
      not count)
1     a result of the project is wrong, or computing it failed
2     wrong usage: no case matches, or a file cannot be read or written
130   interrupted; the rows of finished tasks are stored
====  =====================================================================
"""

import contextlib
import datetime
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import calibration, machine, store
from .case import Case, Pattern, patterns, select, tasks
from .isolate import Worker
from .measure import limited_threads, measure_task, share_of_roof
from .passes import LEAST_PROCESSES, measure_passes
from .project import Project

if TYPE_CHECKING:
    from rich.console import Console

BUDGETS = {"quick": 0.25, "pr": 0.4, "nightly": 0.4, "full": 1.0}
"""Seconds of samples for a task, by profile. Tasks with slow calls take longer, because
each call is timed in at least :data:`nbfact.harness.sample.MIN_ROUNDS` rounds."""

BUDGET = 1.0
"""Seconds of samples for a task of a profile that is not in :data:`BUDGETS`."""

PROCESSES = {"quick": 1}
"""Number of processes that measure each task, by profile."""

CALIBRATIONS = 3
"""Largest number of times that the machine is calibrated again because a case exceeds
its roof: the machine was slower while it was calibrated."""

_WIDTH = 100  # of tables in characters, where the output is no terminal


def run_bench(
    project: Project,
    profile: str = "full",
    pattern: Pattern = None,
    *,
    extra: Sequence[Callable[[], Iterable[Case]]] = (),
    threads: int = 1,
    output: Path | None = None,
    with_peers: bool = False,
    processes: int | None = None,
    as_json: bool = False,
) -> int:
    """Measure cases, print a ranked table for each computation, store the rows.

    Parameters
    ----------
    project : Project
        The package whose registry has the cases.
    profile : str
        Which list of cases: one of the project's profiles.
    pattern : str, sequence of str, or None
        Measure only the tasks whose name contains it, or matches it as a glob; of
        several patterns, one.
    extra : sequence of callables
        Functions without arguments that return more cases, which are measured before
        those of the registry; they must be such as can be pickled.
    threads : int
        Number of threads of BLAS, OpenMP and Numba while this runs.
    output : path or None
        File of JSON lines that the rows are added to; by default
        :func:`default_output`.
    with_peers : bool
        Whether the rivals that are installed are measured too. A task that holds one
        is measured in a process of its own, see :mod:`nbfact.harness.isolate`.
    processes : int or None
        Number of processes that measure each task; by default that of
        :data:`PROCESSES`, or else
        :data:`nbfact.harness.passes.LEAST_PROCESSES`, the least number that gives
        intervals. With one, there are none, and tasks without rivals are measured in
        this process.
    as_json : bool
        Print one object of JSON on standard output, with the exit code, a message and
        the rows, and everything else on standard error.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.harness.run`.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``bench`` is not installed; the message says how to install it.
    ValueError
        When there is no such profile, or `threads` exceeds the number of threads that
        Numba was started with.
    """
    try:
        import threadpoolctl  # noqa: F401
        from rich.console import Console
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{error.name} is missing; pip install "nbfact[bench]" brings it'
        ) from None
    project.check_profile(profile)
    stream = sys.stderr if as_json else sys.stdout
    console = Console(file=stream, width=None if stream.isatty() else _WIDTH)
    if processes is None:
        processes = PROCESSES.get(profile, LEAST_PROCESSES)
    if processes < 1:
        raise ValueError(f"processes={processes}: expected at least 1")
    run = _Run(project, console, output or default_output(project), threads, processes)
    sources = [*extra, project.cases(profile, with_peers)]
    try:
        with limited_threads(threads), run.hearing_interrupts():
            code = run.all(sources, profile, pattern, with_peers)
    except KeyboardInterrupt:
        code = run.interrupted()
    except OSError as error:  # the results cannot be written: a full disk, for example
        code = run.refuse(str(error))
    if as_json:
        store.print_json({"exit": code, "message": run.message, "rows": run.rows})
    return code


def default_output(project: Project) -> Path:
    """Return the file that rows are stored in: ``runs/MACHINE.jsonl``."""
    return Path("runs", f"{machine.fingerprint(project)['name']}.jsonl")


def _progress(console):
    """Return a progress bar that is drawn between tasks only.

    A thread that draws it would disturb the tasks.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, transient=True, auto_refresh=False)


class _Run:
    """One run of the command: what its steps share."""

    def __init__(
        self,
        project: Project,
        console: "Console",
        output: Path,
        threads: int,
        processes: int,
    ):
        self.project = project
        self.console = console
        self.output = output
        self.threads = threads
        self.processes = processes
        self.calibrations = 0  # repeated ones
        self.unstable = 0  # cases without an interval
        self.start = time.perf_counter()
        self.rows: list[dict] = []
        self.message: str | None = None
        self.stop = False
        self.failures: list[str] = []
        self.rivals: list[str] = []

    @contextlib.contextmanager
    def hearing_interrupts(self) -> Iterator[None]:
        """Remember Ctrl-C, whose exception is lost where LLVM calls Python back."""

        def handle(number, frame):
            self.stop = True
            raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield  # handlers can be set in the main thread only
            return
        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def all(self, sources, profile, pattern, with_peers):
        """Do everything in order; return the exit code."""
        fingerprint = machine.fingerprint(self.project)
        try:
            store.check(self.output)
        except ValueError as error:  # the file holds something else
            return self.refuse(str(error))
        cases = [case for source in sources for case in source()]
        chosen = tasks(select(cases, pattern))
        if not chosen:
            groups = ", ".join(dict.fromkeys(case.group for case in cases))
            wanted = " -k ".join(map(repr, patterns(pattern)))
            return self.refuse(f"no case matches -k {wanted}; groups: {groups}")
        rates = self.calibrate(fingerprint)
        provenance = {
            "run": uuid.uuid4().hex,
            "started": datetime.datetime.now(datetime.UTC).isoformat("T", "seconds"),
            "profile": profile,
            "threads": self.threads,
            "machine": fingerprint,
            "calibration": rates,
        }
        crashed: dict[str, str] = {}

        def start():
            return Worker(sources, rates, self.threads, crashed=crashed)

        self.measure(chosen, provenance, BUDGETS.get(profile, BUDGET), start)
        return self.finish(with_peers)

    def calibrate(self, fingerprint):
        """Measure what the machine can do; print that, and what the machine is."""
        with self.console.status("calibrating the machine"):
            rates = calibration.calibrate()
        cache, memory = (rates["bandwidth"][i][1] / 1e9 for i in (0, -1))
        gemm = " / ".join(f"{rate / 1e9:.0f}" for rate in rates["gemm"].values())
        versions = fingerprint["versions"]
        blas = ", ".join(
            f"{b['name']} {b['version'] or ''}".strip() for b in fingerprint["blas"]
        )
        plural = "" if self.threads == 1 else "s"
        self.say(
            f"{fingerprint['cpu']}, {fingerprint['cores']} cores, "
            f"{self.threads} thread{plural}, load {fingerprint.get('load', '?')}\n"
            f"{self.project.name} {self.project.version}, "
            f"numba {versions['numba']}, numpy "
            f"{versions['numpy']} ({blas or 'no BLAS found'}), "
            f"scipy {versions['scipy']}\n"
            f"bandwidth {cache:.0f} GB/s in cache, {memory:.0f} GB/s from memory, "
            f"GEMM {gemm} GFLOP/s (float32 / float64)"
        )
        if rates["unstable"]:
            self.say(
                "the machine was busy: its rates changed by "
                f"{rates['spread']:.0%} within seconds",
                style="yellow",
            )
        return rates

    def measure(self, chosen, provenance, budget, start):
        """Measure the tasks of one group after the other; store and print the rows."""
        progress = _progress(self.console)
        groups: dict[str, dict] = {}
        for name, task in chosen.items():
            groups.setdefault(task[0].group, {})[name] = task
        with progress, start() as worker:
            bar = progress.add_task("", total=len(chosen) * self.processes)

            def now(name):
                progress.update(bar, description=name, refresh=True)
                progress.advance(bar)

            for group in groups.values():
                rows: list[dict] = []
                try:
                    if self.processes == 1:
                        measured = self.one_process(group, budget, worker, now)
                    else:
                        measured = iter(
                            measure_passes(
                                group, start, budget, self.processes, now
                            ).values()
                        )
                    for found in measured:
                        self.keep(found, provenance)
                        rows += found
                finally:
                    if rows:
                        self.show(rows)
            progress.refresh()

    def one_process(self, group, budget, worker, now):
        """Yield the rows of tasks, measured here or by a worker that may crash."""
        for name, task in group.items():
            now(name)
            if any(self.project.is_rival(case.impl) for case in task):
                yield worker.measure(task, budget)
            else:
                yield measure_task(task, budget, worker.calibration)

    def keep(self, rows, provenance):
        """Store the rows of a task, once its shares of the roof can be believed."""
        if self.stop:
            raise KeyboardInterrupt
        timed = [row for row in rows if row["roof"]]

        def exceeded():
            for row in timed:  # the rates may be better than when it was measured
                row["roof"] = share_of_roof(row, provenance["calibration"])
            return any(row["roof"] > 1 for row in timed)

        while exceeded() and self.calibrations < CALIBRATIONS:
            self.calibrations += 1
            again = calibration.calibrate()
            provenance["calibration"] = calibration.better(
                provenance["calibration"], again
            )
        full = [{**provenance, **row} for row in rows]
        store.append_rows(self.output, full)
        self.rows += full
        self.note(rows)

    def show(self, rows):
        """Print the table of one group."""
        from .table import table

        self.console.print(table(rows, self.project))
        self.console.print()

    def note(self, rows):
        """Remember what the last lines of the output say: failures, and no interval."""
        for row in rows:
            self.unstable += row["unstable"]
            if not row["ok"]:
                failed = self.rivals if row["rival"] else self.failures
                failed.append(f"{row['case']}: {row['message']}")

    def finish(self, with_peers):
        """Print what the columns mean and what failed; return the exit code."""
        from .table import legend

        self.say(legend(), style="dim")
        if with_peers and (missing := self.project.missing_rivals()):
            install = self.project.install_rivals
            self.say(f"rivals not installed: {', '.join(missing)} ({install})")
        if self.processes == 1:
            self.say("one process: no intervals; times may differ in the next one")
        elif self.processes < LEAST_PROCESSES:
            self.say(f"{self.processes} processes: no intervals, which need six")
        if self.unstable:
            self.say(
                f"the machine was unstable: {self.unstable} of {len(self.rows)} cases "
                "have no interval, because their processes differ too much",
                style="yellow",
            )
        for line in self.rivals:
            self.say(f"rival failed: {line}", style="yellow")
        for line in self.failures:
            self.say(f"FAILED: {line}", style="bold red")
        seconds = time.perf_counter() - self.start
        verdict = (
            f"{len(self.failures)} failed" if self.failures else "all results right"
        )
        self.say(f"{len(self.rows)} rows, {verdict}, {seconds:.0f} s; in {self.output}")
        return 1 if self.failures else 0

    def interrupted(self):
        """Print how many rows are stored; return the exit code."""
        where = f" in {self.output}" if self.rows else ""
        self.message = f"interrupted: {len(self.rows)} rows stored{where}"
        self.say(self.message, style="bold red")
        return 130

    def refuse(self, message):
        """Print what is wrong with the request; return the exit code."""
        print(f"nbfact bench: {message}", file=sys.stderr)
        self.message = message
        return 2

    def say(self, text, style=None):
        """Print plain text, in which nothing is markup and no number is coloured."""
        self.console.print(
            text, style=style, markup=False, highlight=False, soft_wrap=True
        )
