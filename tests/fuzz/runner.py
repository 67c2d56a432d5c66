"""Run functions in a child process, so that a crash or a hang is only a failure.

>>> with Runner("fuzz.judge:judged") as runner:
...     reply = runner.call({"entry": "transforms.dct"}, timeout=60)
>>> reply.status, reply.value  # doctest: +SKIP
('done', {'outcome': 'right'})
"""

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
MEMORY = 6 << 30
"""Bytes of address space that a child may have, so that an array of 10**12 entries is a
MemoryError and does not fill the machine."""

_SERVE = "import sys; sys.path[:0] = {paths!r}; from fuzz.runner import serve; serve()"


@dataclass(frozen=True)
class Reply:
    """What became of one call.

    Attributes
    ----------
    status : str
        "done"; "crash" when the process ended, by a signal or otherwise; "hang" when
        the time was over.
    value : object
        What the function returned, when done.
    detail : str
        The signal or exit status, with the end of what the child wrote to stderr.
    """

    status: str
    value: Any = None
    detail: str = ""


class Runner:
    """A child process that calls a function; a new one is started after each loss.

    Parameters
    ----------
    function : str
        Such as ``"fuzz.judge:judged"``: a module that can be imported with the folder
        of the tests in ``sys.path``, and a function in it. It takes one argument, of
        what JSON can hold, and returns such a value; it must not raise.
    interpreted : bool
        Whether kernels run as plain Python (``NUMBA_DISABLE_JIT=1``), in which an index
        out of bounds is an IndexError.
    variables : dict of str
        More environment variables of the child.
    """

    def __init__(self, function, *, interpreted=True, variables=None):
        self.function = function
        self.environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "NUMBA_DISABLE_JIT": "1" if interpreted else "0",
            **(variables or {}),
        }
        self.started = 0
        self._child = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def call(self, argument, timeout):
        """Call the function in the child, and return the `Reply`.

        The time of starting a child does not count.
        """
        child = self._running()
        try:
            child.stdin.write(json.dumps(argument).encode() + b"\n")
            child.stdin.flush()
        except BrokenPipeError:
            return self._lost("crash")
        line = self._line(timeout)
        if line is None:
            return self._lost("hang", f"no answer in {timeout} s")
        if not line:
            return self._lost("crash")
        return Reply("done", json.loads(line))

    def close(self):
        """End the child, if there is one."""
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._stderr.close()
        self._child = None

    def _running(self):
        """Return the child, which is ready for a call; start one if there is none."""
        if self._child is None:
            self._stderr = tempfile.TemporaryFile()
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _SERVE.format(paths=[str(TESTS), str(TESTS.parent)]),
                    self.function,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=self.environment,
            )
            self.started += 1
            if not self._line(600):
                raise RuntimeError(f"no child: {self._lost('crash').detail}")
        return self._child

    def _line(self, timeout):
        """Return the next line of the child: empty at its end, None without one."""
        received, end = b"", time.monotonic() + timeout
        pipe = self._child.stdout.fileno()
        while not received.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                return None
            part = os.read(pipe, 1 << 16)
            if not part:
                return b""
            received += part
        return received

    def _lost(self, status, detail=""):
        """Return the reply of a call that has none, and end the child."""
        if status == "crash":
            code = self._child.wait(60)
            detail = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            self._stderr.seek(0)
            text = self._stderr.read().decode(errors="replace").strip()
            detail += f"; {text[-300:]}" if text else ""
        self.close()
        return Reply(status, None, detail)


def serve():
    """Answer calls until standard input ends: what the child runs."""
    limit_memory()
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a call prints is not an answer
    module, name = sys.argv[1].split(":")
    function = getattr(importlib.import_module(module), name)
    replies.write(b'"ready"\n')
    for line in sys.stdin.buffer:
        replies.write(json.dumps(function(json.loads(line))).encode() + b"\n")


def limit_memory():
    """Limit the address space of this process, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
