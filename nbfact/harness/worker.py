"""Run a module in a process of its own that gets a job and answers in lines.

What is measured there may crash, hang, or be killed; the last line of the answer then
says how the process ended.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from . import machine

PATIENCE = 600.0
"""Longest time, in seconds, for which a process may print nothing before it is killed:
a case may compile for minutes."""


def answers(
    module: str,
    job: Any,
    threads: int,
    patience: float = PATIENCE,
    drop: tuple[str, ...] = (),
    add: Mapping[str, str] | None = None,
) -> Iterator[dict]:
    """Run ``python -m module`` with a job on its standard input; yield what it prints.

    Parameters
    ----------
    module : str
        Name of a module that reads one line of JSON and prints one JSON object a line,
        the last one with the key ``done``.
    job : object
        The job; it is sent as JSON.
    threads : int
        Number of threads of Numba and BLAS, which the environment tells the process.
    patience : float
        Seconds without a line after which the process is killed.
    drop : tuple of str
        Environment variables that the process does not get.
    add : mapping of str to str, optional
        Environment variables that only the process gets.

    Yields
    ------
    dict
        The lines of the process except the last. Where that never comes, ``{"died":
        message}`` is yielded, with the last line of its standard error, or the signal
        or code it ended with.

    Notes
    -----
    The process is killed when the iterator is closed, and ends at its next line when
    this process is gone.
    """
    environment = {
        **os.environ,
        **dict.fromkeys(machine.THREADS, str(threads)),
        "OMP_WAIT_POLICY": "passive",
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        ),
    }
    for name in drop:
        environment.pop(name, None)
    environment |= add or {}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
        )
        assert process.stdin and process.stdout  # both are pipes
        with _ended(process):
            with contextlib.suppress(BrokenPipeError):  # it died: _cause says of what
                process.stdin.write(json.dumps(job) + "\n")
                process.stdin.flush()
            late = threading.Event()
            while line := _line(process, patience, late):
                found = json.loads(line)
                if "done" in found:
                    return
                yield found
            process.wait()
            yield {"died": _cause(process.returncode, errors, late, patience)}


@contextlib.contextmanager
def _ended(process):
    """Kill a process at the end of the block, whatever happens."""
    try:
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):
            process.stdin.close()


def _line(process, patience, late):
    """Read a line; when none comes in time, kill the process and set the event."""

    def kill():
        late.set()
        process.kill()

    timer = threading.Timer(patience, kill)
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()


def _cause(code, errors, late, patience):
    """Return what a process died of, as a message."""
    if late.is_set():
        return f"killed after {patience:g} s of silence"
    words = last_words(errors)
    return words if words and code >= 0 else ending(code)


def ending(code: int) -> str:
    """Return how a process with an exit code ended, as a message.

    Examples
    --------
    >>> ending(3), ending(-11)
    ('ended with code 3', 'crashed with SIGSEGV')
    """
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"crashed with {signal.Signals(-code).name}"
    except ValueError:
        return f"crashed with signal {-code}"


def last_words(errors: BinaryIO) -> str:
    """Return the last line that a process wrote to the file of its errors."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
