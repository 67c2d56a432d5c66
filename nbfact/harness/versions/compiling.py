"""What each kernel costs to compile, and how what was compiled is kept.

The cost of a kernel is the CPU time without that of the kernels that it calls.
A first call compiles only what no earlier call has compiled, so that its time depends
on which calls were made before. The times of kernels do not.
"""

from time import process_time
from typing import Any

from numba.core import event

COMPILE = "numba:compile"
"""The event that Numba announces before and after it compiles a function."""


class CompileTimes(event.Listener):
    """Listens to Numba, and keeps the CPU seconds of each function that it compiles.

    Parameters
    ----------
    role : str
        What the names of the modules and of the types of a version end with; names of
        functions are kept without it, so that those of two versions are the same.

    Examples
    --------
    >>> times = CompileTimes("head")
    >>> with event.install_listener(COMPILE, times):
    ...     pass
    >>> times.found
    {}
    """

    def __init__(self, role: str):
        self.role = role
        self.running: list[float] = []  # seconds of nested compilations, per level
        self.begun: list[float] = []
        self.found: dict[str, float] = {}

    def on_start(self, event: Any) -> None:
        """Note when a compilation begins."""
        self.begun.append(process_time())
        self.running.append(0.0)

    def on_end(self, event: Any) -> None:
        """Add its time, less that of the compilations within it."""
        seconds = process_time() - self.begun.pop()
        alone = seconds - self.running.pop()
        if self.running:
            self.running[-1] += seconds
        function = event.data["dispatcher"].py_func
        name = f"{function.__module__}.{function.__qualname__} {event.data['args']}"
        name = name.replace(f"_{self.role}", "")
        self.found[name] = self.found.get(name, 0.0) + alone
