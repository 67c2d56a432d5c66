"""Measure tasks in a process of their own, which a rival may crash or hang.

All implementations of a task run in that one process, interleaved as they would be in
this one. Before each call, while no clock runs, the process writes into eight bytes of
shared memory which implementation it calls. When it dies, or makes no progress for
:data:`LIMIT` seconds, these bytes say which implementation is at fault; another process
is started, and measures the rest of the task again.

The process ends with the one that started it, whatever ends that one: where the system
offers it (Linux), the process is killed by the system, and elsewhere it ends when its
standard input does. It ignores Ctrl-C, which the process that started it handles.
"""

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, BinaryIO

from . import machine
from .case import Case, leave_out
from .measure import ALONE, Turn, failed_row, limited_threads, measure_task
from .worker import ending, last_words

LIMIT = 900.0
"""Longest time of one call, in seconds, after which the process is killed. FAµST needs
303 s for a 204 x 8193 lead field."""

START = 120.0
"""Longest time that the process may take to begin, in seconds: it imports the cases."""

_POLL = 0.5  # seconds between two looks at the process
_MARK = struct.Struct("ii")  # number of the implementation, number of calls so far
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "import {0} as isolate; isolate.serve()"
)
_PR_SET_PDEATHSIG = 1


class CrashError(Exception):
    """The process died or was killed; the message says how it ended."""


class Worker:
    """A process that measures tasks; it is started when it is first needed.

    Parameters
    ----------
    sources : sequence of callables
        Functions without arguments that return cases, called in the process. They must
        be functions of modules, or partials of them, which can be pickled; cases
        cannot, because they hold closures.
    calibration : dict
        What the machine can do, from :func:`nbfact.harness.calibration.calibrate`.
    threads : int
        Number of threads of BLAS, OpenMP and Numba in the process.
    limit : float, optional
        Longest time of one call, in seconds; by default :data:`LIMIT`.
    crashed : dict of str to str, optional
        Why cases crashed or hung, by name: they are not called again. Those that crash
        now are added.
    """

    _files: contextlib.ExitStack  # what the process needs while it runs
    _input: IO[bytes]
    _answers: queue.SimpleQueue
    _mark: mmap.mmap
    _errors: BinaryIO
    _fresh: bool  # whether it has measured nothing yet

    def __init__(
        self,
        sources: Sequence[Callable[[], Iterable[Case]]],
        calibration: dict,
        threads: int = 1,
        limit: float | None = None,
        crashed: dict[str, str] | None = None,
    ):
        self._job = (list(sources), calibration, threads)
        self.calibration = calibration
        self._limit = LIMIT if limit is None else limit
        self._process: subprocess.Popen | None = None
        self._crashed = {} if crashed is None else crashed

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def measure(
        self, task: Sequence[Case], budget: float, turn: Turn = ALONE
    ) -> list[dict]:
        """Measure a task in the process; return a row for each of its cases.

        Parameters
        ----------
        task : sequence of Case
            One of the tasks of the sources.
        budget : float
            Seconds for the samples of all implementations together.
        turn : Turn
            Which of several processes this is.

        Returns
        -------
        list of dict
            Rows as those of :func:`nbfact.harness.measure.measure_task`. An
            implementation that crashed or hung has failed, with a message that says
            so; where making the inputs, or the process itself, crashed, all have
            failed. The inputs, and implementations that are no rivals, fail only in a
            process that has measured nothing before, because a rival may have damaged
            the memory of an older one.
        """
        names = {case.name: case.impl for case in task}
        failed = {names[k]: why for k, why in self._crashed.items() if k in names}
        rows: list[dict] = []
        while not rows and len(failed) < len(task):
            try:
                rows = self._ask(task[0].task, budget, failed, turn)
            except CrashError as error:
                running, fresh = self._running, self._fresh
                self.close()
                left = [case for case in task if case.impl not in failed]
                culprits = left if running is None else [left[running]]
                if fresh or (running is not None and culprits[0].rival):
                    failed |= {case.impl: str(error) for case in culprits}
                    self._crashed |= {case.name: str(error) for case in culprits}
            except BaseException:
                self.close()
                raise
        measured = {row["impl"]: row for row in rows}
        return [
            measured.get(case.impl) or failed_row(case, failed[case.impl])
            for case in task
        ]

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._files.close()
            self._process = None

    @property
    def _running(self):
        """The number of the implementation that runs, None where none does."""
        number, _ = _MARK.unpack(self._mark[: _MARK.size])
        return number if number >= 0 else None

    def _ask(self, name, budget, failed, turn):
        """Have one task measured; raise CrashError if the process does not answer."""
        if self._process is None:
            self._start()
        with contextlib.suppress(OSError):  # the process died: _answer reports it
            self._send((name, budget, list(failed), turn))
        rows = self._answer(self._limit)
        self._fresh = False
        return rows

    def _start(self):
        """Start the process and send it what it needs to measure tasks."""
        self._files = contextlib.ExitStack()
        self._fresh = True
        descriptor, path = tempfile.mkstemp()
        self._files.callback(Path(path).unlink, missing_ok=True)
        with os.fdopen(descriptor, "r+b") as file:
            file.write(_MARK.pack(-1, 0))
            file.flush()
            self._mark = self._files.enter_context(mmap.mmap(file.fileno(), 0))
        self._errors = self._files.enter_context(tempfile.TemporaryFile())
        self._process = process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _BOOT.format(__name__),
                json.dumps(list(map(str, sys.path))),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Rivals are imported there after BLAS was limited, and read this.
            env=os.environ | dict.fromkeys(machine.THREADS, str(self._job[2])),
            start_new_session=True,  # so that Ctrl-C does not reach it
        )
        assert process.stdin and process.stdout  # both are pipes
        self._input = process.stdin
        for pipe in (process.stdin, process.stdout):
            self._files.enter_context(contextlib.suppress(OSError))
            self._files.enter_context(pipe)
        self._answers = queue.SimpleQueue()
        threading.Thread(
            target=_receive, args=(process.stdout, self._answers), daemon=True
        ).start()
        with contextlib.suppress(OSError):
            self._send((path, os.getpid(), *self._job))
        self._answer(max(self._limit, START))
        with contextlib.suppress(OSError):  # Windows removes it only when it is closed
            os.unlink(path)

    def _send(self, message):
        pickle.dump(message, self._input)
        self._input.flush()

    def _answer(self, limit):
        """Wait for an answer; raise CrashError if the process dies or stands still."""
        seen, since = b"", monotonic()
        while True:
            try:
                answer = self._answers.get(timeout=min(_POLL, limit / 4))
            except queue.Empty:
                mark = self._mark[: _MARK.size]
                if mark != seen:
                    seen, since = mark, monotonic()
                elif monotonic() - since > limit:
                    raise CrashError(
                        f"no result of a call in {limit:g} s; its process was killed"
                    ) from None
            else:
                if answer is None:
                    assert self._process is not None
                    raise CrashError(self._death(self._process.wait()))
                return answer

    def _death(self, code):
        """Return how the process ended, with its last words if no case was running."""
        words = last_words(self._errors) if self._running is None else ""
        return f"{ending(code)} in its own process" + (f": {words}" if words else "")


def serve() -> None:
    """Measure the tasks that standard input names, until it ends."""
    try:
        _serve()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # at once, although a thread still waits for the input


def _serve():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Standard output is for rows; what rivals print there is thrown away.
    out = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    orders: queue.SimpleQueue = queue.SimpleQueue()
    path, parent, sources, calibration, threads = pickle.load(sys.stdin.buffer)
    _die_with(parent)
    threading.Thread(
        target=_receive, args=(sys.stdin.buffer, orders, os._exit), daemon=True
    ).start()
    with open(path, "r+b") as file:
        mark = mmap.mmap(file.fileno(), 0)
    cases = [case for source in sources for case in source()]
    pickle.dump("ready", out)
    out.flush()
    with limited_threads(threads):
        while True:
            name, budget, failed, turn = orders.get()
            task = [case for case in cases if case.task == name]
            rows = _measure(leave_out(task, failed), budget, calibration, mark, turn)
            pickle.dump(rows, out)
            out.flush()


def _measure(task, budget, calibration, mark, turn):
    """Measure a task, and write before each call which implementation it is of."""
    numbers = {case.impl: number for number, case in enumerate(task)}
    count = 0

    def announce(impl):
        nonlocal count
        count = (count + 1) % (1 << 30)
        _MARK.pack_into(mark, 0, numbers.get(impl, -1), count)

    rows = measure_task(task, budget, calibration, announce, turn)
    announce(None)
    return rows


def _receive(pipe, received, at_end: Callable[[int], object] | None = None):
    """Put the objects that come out of a pipe into a queue.

    At the end of the pipe, or at an object that a dying process has written only half
    of, None is put into the queue, after `at_end(0)` is called.
    """
    with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
        while True:
            received.put(pickle.load(pipe))
    if at_end is not None:
        at_end(0)
    received.put(None)


def _die_with(parent):
    """Ask the system to kill this process when its parent ends, without a core file."""
    with contextlib.suppress(ImportError, ValueError):
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
