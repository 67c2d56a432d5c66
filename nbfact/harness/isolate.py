"""Measure tasks in a process of their own, which a rival may crash or hang.

All implementations of a task run in that one process, interleaved as they would be
here. It says which of them it calls through eight bytes of shared memory, whose cost
is outside the clock; so when it dies, or does not move for :data:`LIMIT` seconds, we
know whose fault that is, start another one, and measure the rest of the task again.

The process ends with the one that started it, however that ends: it is killed by the
system where that can be asked for (Linux), and ends by itself when its input does. It
hears no Ctrl-C: who started it does, and kills it.
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

from .case import Case, leave_out
from .measure import failed_row, limited_threads, measure_task
from .worker import ending, last_words

LIMIT = 900.0
"""Seconds that one call may take there. FAµST needs 303 for a 204 x 8193 lead field."""

START = 120.0
"""Seconds it may take to begin."""

_POLL = 0.5
_MARK = struct.Struct("ii")  # which implementation, and how many calls so far
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "import {0} as isolate; isolate.serve()"
)
_PR_SET_PDEATHSIG = 1


class CrashError(Exception):
    """The process died or was killed; the message says how."""


class Worker:
    """A process that measures tasks; started when first needed.

    Parameters
    ----------
    sources : sequence of callables
        Without arguments, they return the cases, there; cases hold closures, which do
        not travel, so these have to: functions of modules, or partials of them.
    calibration : dict
        From :func:`nbfact.harness.machine.calibrate`.
    threads : int
        Of BLAS, OpenMP and Numba there.
    limit : float, optional
        Seconds of one call; by default :data:`LIMIT`.
    """

    def __init__(
        self,
        sources: Sequence[Callable[[], Iterable[Case]]],
        calibration: dict,
        threads: int = 1,
        limit: float | None = None,
    ):
        self._job = (list(sources), calibration, threads)
        self._limit = LIMIT if limit is None else limit
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def measure(self, task: Sequence[Case], budget: float) -> list[dict]:
        """Return the rows of a task, as :func:`nbfact.harness.measure.measure_task` does.

        Parameters
        ----------
        task : sequence of Case
            One of the tasks of the sources.
        budget : float
            Seconds for the samples of all of them.

        Returns
        -------
        list of dict
            An implementation that crashed or hung has failed, and says how. Where the
            inputs or the process itself did, all have. Ours, and the inputs, fail only
            in a process that has measured nothing else before: what a rival has done
            to its memory is not their fault.
        """
        failed: dict[str, str] = {}
        rows: list[dict] = []
        while not rows and len(failed) < len(task):
            try:
                rows = self._ask(task[0].task, budget, failed)
            except CrashError as error:
                running, fresh = self._running, self._fresh
                self.close()
                left = [case for case in task if case.impl not in failed]
                culprits = left if running is None else [left[running]]
                if fresh or (running is not None and culprits[0].rival):
                    failed |= {case.impl: str(error) for case in culprits}
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
        """The number of the implementation that runs, None for what is none."""
        number, _ = _MARK.unpack(self._mark[: _MARK.size])
        return number if number >= 0 else None

    def _ask(self, name, budget, failed):
        """Have one task measured; raise CrashError where it is not."""
        if self._process is None:
            self._start()
        with contextlib.suppress(OSError):  # it died: the answer says so
            self._send((name, budget, list(failed)))
        rows = self._answer(self._limit)
        self._fresh = False
        return rows

    def _start(self):
        """Start the process and tell it what to measure."""
        self._files = contextlib.ExitStack()
        self._fresh = True
        descriptor, path = tempfile.mkstemp()
        self._files.callback(Path(path).unlink, missing_ok=True)
        with os.fdopen(descriptor, "r+b") as file:
            file.write(_MARK.pack(-1, 0))
            file.flush()
            self._mark = self._files.enter_context(mmap.mmap(file.fileno(), 0))
        self._errors = self._files.enter_context(tempfile.TemporaryFile())
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _BOOT.format(__name__),
                json.dumps(list(map(str, sys.path))),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for who started it
        )
        for pipe in (self._process.stdin, self._process.stdout):
            self._files.enter_context(contextlib.suppress(OSError))
            self._files.enter_context(pipe)
        self._answers = queue.SimpleQueue()
        threading.Thread(
            target=_receive, args=(self._process.stdout, self._answers), daemon=True
        ).start()
        with contextlib.suppress(OSError):
            self._send((path, os.getpid(), *self._job))
        self._answer(max(self._limit, START))
        with contextlib.suppress(OSError):  # it has opened it; Windows waits for close
            os.unlink(path)

    def _send(self, message):
        pickle.dump(message, self._process.stdin)
        self._process.stdin.flush()

    def _answer(self, limit):
        """Wait for what it sends; raise CrashError when it is dead, or stands still."""
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
                    raise CrashError(self._death())
                return answer

    def _death(self):
        """Say how the process ended, with its last words where nobody was running."""
        code = self._process.wait()
        words = last_words(self._errors) if self._running is None else ""
        return f"{ending(code)} in its own process" + (f": {words}" if words else "")


def serve() -> None:
    """Measure what standard input asks for; end with it."""
    try:
        _serve()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # at once: a thread waits for the input


def _serve():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What rivals print goes nowhere: rows only come out of the standard output.
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
            name, budget, failed = orders.get()
            task = [case for case in cases if case.task == name]
            rows = _measure(leave_out(task, failed), budget, calibration, mark)
            pickle.dump(rows, out)
            out.flush()


def _measure(task, budget, calibration, mark):
    """Measure a task, and write at each call which implementation it is of."""
    numbers = {case.impl: number for number, case in enumerate(task)}
    count = 0

    def announce(impl):
        nonlocal count
        count = (count + 1) % (1 << 30)
        _MARK.pack_into(mark, 0, numbers.get(impl, -1), count)

    rows = measure_task(task, budget, calibration, announce)
    announce(None)
    return rows


def _receive(pipe, received, at_end: Callable[[int], object] | None = None):
    """Put what comes out of a pipe into a queue; at its end None, or end the process.

    What a dying process wrote only half of is none of its answers.
    """
    with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
        while True:
            received.put(pickle.load(pipe))
    if at_end is not None:
        at_end(0)
    received.put(None)


def _die_with(parent):
    """Ask to be killed when the process that started us ends; leave no core behind."""
    with contextlib.suppress(ImportError, ValueError):
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
