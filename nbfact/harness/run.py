"""The main job: measure every case, check every result, store every row.

Exit codes, also those of ``nbfact bench``:

====  =====================================================================
0     every result of ours is right (a rival's failure is shown, and is its own)
1     a result of ours is wrong, or computing it failed
2     wrong usage: no case matches, or a file cannot be read or written
130   interrupted; the rows of finished tasks are stored
====  =====================================================================
"""

import contextlib
import datetime
import functools
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..cases import registry
from ..cases.first_factorization import learn
from ..cases.products import matrix_cases
from ..cases.rivals import peers
from ..targets import load_matrix
from . import machine, store
from .isolate import Worker
from .measure import limited_threads, measure_task

if TYPE_CHECKING:
    from rich.console import Console

BUDGETS = {"quick": 0.25, "pr": 0.4, "full": 1.0}
"""Seconds of samples for a task, by profile; slow ones take longer, for five rounds at
least."""

_WIDTH = 100  # of tables, where there is no terminal to fit


def run_bench(
    profile: str = "full",
    pattern: str | None = None,
    matrix: Path | None = None,
    threads: int = 1,
    output: Path | None = None,
    with_peers: bool = False,
) -> int:
    """Measure, print a ranked table for each computation, append the rows to a file.

    Parameters
    ----------
    profile : {"quick", "pr", "full"}
        Which cases, see :func:`nbfact.cases.registry.registry`.
    pattern : str or None
        Only tasks whose name contains it, or matches it as a glob.
    matrix : path or None
        A file of :func:`nbfact.targets.load_matrix`: its factorization is measured
        too, before the rest.
    threads : int
        Of BLAS, OpenMP and Numba, while it runs.
    output : path or None
        JSON lines; by default ``runs/<machine>.jsonl`` in the current directory.
    with_peers : bool
        Whether rivals that are installed are measured too: tasks that hold one in a
        process of their own, see :mod:`nbfact.harness.isolate`.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.harness.run`.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``bench`` is not installed; the message says how.
    ValueError
        When `threads` is more than Numba was started with.
    """
    try:
        import threadpoolctl  # noqa: F401
        from rich.console import Console
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{error.name} is missing; pip install "nbfact[bench]" brings it'
        ) from None
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    run = _Run(console, output, threads)
    try:
        with limited_threads(threads), run.hearing_interrupts():
            return run.all(profile, pattern, matrix, with_peers)
    except KeyboardInterrupt:
        return run.interrupted()
    except OSError as error:  # of the results: a full disk, a directory gone
        return run.refuse(str(error))


class _Run:
    """One run of the command: what is shared by its steps."""

    def __init__(self, console: "Console", output: Path | None, threads: int):
        self.console = console
        self.output = output
        self.threads = threads
        self.start = time.perf_counter()
        self.stored = 0
        self.stop = False
        self.failures: list[str] = []
        self.rivals: list[str] = []

    @contextlib.contextmanager
    def hearing_interrupts(self) -> Iterator[None]:
        """Remember Ctrl-C: one that falls into a callback of LLVM is lost."""

        def handle(number, frame):
            self.stop = True
            raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield  # only there can handlers be set
            return
        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def all(self, profile, pattern, matrix, with_peers):
        """Do everything in order; return the exit code."""
        fingerprint = machine.fingerprint()
        if self.output is None:
            self.output = Path("runs", f"{fingerprint['name']}.jsonl")
        sources = [functools.partial(registry.registry, profile, with_peers)]
        try:
            store.check(self.output)
            if matrix is not None:
                sources.insert(0, self.learn(load_matrix(matrix), matrix, with_peers))
        except ValueError as error:  # what a file holds
            return self.refuse(str(error))
        cases = [case for source in sources for case in source()]
        chosen = registry.tasks(registry.select(cases, pattern))
        if not chosen:
            groups = ", ".join(dict.fromkeys(case.group for case in cases))
            return self.refuse(f"no case matches -k {pattern!r}; groups: {groups}")
        calibration = self.calibrate(fingerprint)
        provenance = {
            "run": uuid.uuid4().hex,
            "started": datetime.datetime.now(datetime.UTC).isoformat("T", "seconds"),
            "profile": profile,
            "threads": self.threads,
            "machine": fingerprint,
            "calibration": calibration,
        }
        with Worker(sources, calibration, self.threads) as worker:
            self.measure(chosen, provenance, BUDGETS[profile], worker)
        return self.finish(with_peers)

    def learn(self, target, path, with_peers):
        """Factor a user's matrix; return what makes the cases of the product."""
        with self.console.status(f"factoring {path}"):
            learned = learn(target)
        name = f"matrix {Path(path).name}"
        return functools.partial(matrix_cases, name, target, learned, with_peers)

    def calibrate(self, fingerprint):
        """Measure the machine and say what it is."""
        with self.console.status("calibrating the machine"):
            calibration = machine.calibrate()
        cache, memory = (calibration["bandwidth"][i][1] / 1e9 for i in (0, -1))
        gemm = " / ".join(f"{rate / 1e9:.0f}" for rate in calibration["gemm"].values())
        versions = fingerprint["versions"]
        blas = ", ".join(
            f"{b['name']} {b['version'] or ''}".strip() for b in fingerprint["blas"]
        )
        plural = "" if self.threads == 1 else "s"
        self.say(
            f"{fingerprint['cpu']}, {fingerprint['cores']} cores, "
            f"{self.threads} thread{plural}, load {fingerprint.get('load', '?')}\n"
            f"nbfact {versions['nbfact']}, numba {versions['numba']}, numpy "
            f"{versions['numpy']} ({blas or 'no BLAS found'}), "
            f"scipy {versions['scipy']}\n"
            f"bandwidth {cache:.0f} GB/s in cache, {memory:.0f} GB/s from memory, "
            f"GEMM {gemm} GFLOP/s (float32 / float64)"
        )
        if calibration["unstable"]:
            self.say(
                "the machine was busy: its rates changed by "
                f"{calibration['spread']:.0%} within seconds",
                style="yellow",
            )
        return calibration

    def measure(self, chosen, provenance, budget, worker):
        """Measure tasks one by one; store the rows of each, print those of a group."""
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
        # The bar is drawn between tasks: a thread that draws it would run within them.
        progress = Progress(
            *columns, console=self.console, transient=True, auto_refresh=False
        )
        group: list[dict] = []
        names = list(chosen)
        with progress:
            bar = progress.add_task("", total=len(names))
            try:
                for name in names:
                    progress.update(bar, description=name, refresh=True)
                    if group and group[0]["group"] != chosen[name][0].group:
                        self.show(group)
                        group = []
                    task = chosen[name]
                    if any(peers.is_peer(case.impl) for case in task):
                        rows = worker.measure(task, budget)
                    else:
                        rows = measure_task(task, budget, provenance["calibration"])
                    if self.stop:
                        raise KeyboardInterrupt
                    store.append_rows(
                        self.output, [{**provenance, **row} for row in rows]
                    )
                    self.stored += len(rows)
                    group += rows
                    self.note(rows)
                    progress.advance(bar)
                progress.refresh()
            finally:
                if group:
                    self.show(group)

    def show(self, rows):
        """Print the table of one group."""
        from .table import table

        self.console.print(table(rows))
        self.console.print()

    def note(self, rows):
        """Keep what failed, for the last lines."""
        for row in rows:
            if not row["ok"]:
                failed = self.rivals if row["rival"] else self.failures
                failed.append(f"{row['case']}: {row['message']}")

    def finish(self, with_peers):
        """Print what the columns mean and how it went; return the exit code."""
        from .table import legend

        self.say(legend(), style="dim")
        if with_peers and (missing := peers.missing()):
            self.say(f"rivals not installed: {', '.join(missing)} ({peers.INSTALL})")
        for line in self.rivals:
            self.say(f"rival failed: {line}", style="yellow")
        for line in self.failures:
            self.say(f"FAILED: {line}", style="bold red")
        seconds = time.perf_counter() - self.start
        verdict = (
            f"{len(self.failures)} failed" if self.failures else "all results right"
        )
        self.say(f"{self.stored} rows, {verdict}, {seconds:.0f} s; in {self.output}")
        return 1 if self.failures else 0

    def interrupted(self):
        """Say what was kept; return the exit code."""
        where = f" in {self.output}" if self.stored else ""
        self.say(f"interrupted: {self.stored} rows stored{where}", style="bold red")
        return 130

    def refuse(self, message):
        """Say what is wrong with the request; return the exit code."""
        print(f"nbfact bench: {message}", file=sys.stderr)
        return 2

    def say(self, text, style=None):
        """Print plain text: nothing in it is markup, no number is coloured."""
        self.console.print(
            text, style=style, markup=False, highlight=False, soft_wrap=True
        )
