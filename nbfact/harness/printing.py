"""What commands print besides tables: the machine, a progress bar, and JSON."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import store
from .project import Project

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


def print_json(found: Mapping[str, Any]) -> None:
    """Print what a command found on standard output, as one object of JSON.

    Examples
    --------
    >>> print_json({"exit": 0})
    {"schema": 3, "exit": 0}
    """
    print(json.dumps({"schema": store.SCHEMA, **found}, allow_nan=False))


def progress_bar(console: "Console", counted: bool = True) -> "Progress":
    """Return a progress bar that is drawn between tasks only.

    A thread that draws it would disturb the tasks.

    Parameters
    ----------
    console : rich.console.Console
        Where it is drawn.
    counted : bool
        Whether it shows how many tasks are done.
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
        *([MofNCompleteColumn()] if counted else []),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, transient=True, auto_refresh=False)


@contextlib.contextmanager
def stages(console: "Console") -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows what is done now: a text, the done, and the total.

    The bar appears with the first call, so that a request that is refused shows none.

    Parameters
    ----------
    console : rich.console.Console
        Where the bar is drawn.
    """
    bars = progress_bar(console, counted=False)
    bar = bars.add_task("")
    with contextlib.ExitStack() as stack:

        def progress(text, done, total):
            if not bars.live.is_started:
                stack.enter_context(bars)
            bars.update(bar, description=text, completed=done, total=total)
            bars.refresh()

        yield progress


def machine_lines(
    project: Project,
    fingerprint: Mapping[str, Any],
    rates: Mapping[str, Any],
    threads: int,
) -> str:
    """Return what a machine is and can do, as text.

    Parameters
    ----------
    project : Project
        The package that is measured.
    fingerprint : mapping
        What the machine is, from :func:`nbfact.harness.machine.fingerprint`.
    rates : mapping
        What it can do, from :func:`nbfact.harness.calibration.calibrate`.
    threads : int
        Number of threads.
    """
    cache, memory = (rates["bandwidth"][i][1] / 1e9 for i in (0, -1))
    gemm = " / ".join(f"{rate / 1e9:.0f}" for rate in rates["gemm"].values())
    versions = fingerprint["versions"]
    blas = ", ".join(
        f"{b['name']} {b['version'] or ''}".strip() for b in fingerprint["blas"]
    )
    plural = "" if threads == 1 else "s"
    return (
        f"{fingerprint['cpu']}, {fingerprint['cores']} cores, "
        f"{threads} thread{plural}, load {fingerprint.get('load', '?')}\n"
        f"{project.name} {project.version}, "
        f"numba {versions['numba']}, numpy "
        f"{versions['numpy']} ({blas or 'no BLAS found'}), "
        f"scipy {versions['scipy']}\n"
        f"bandwidth {cache:.0f} GB/s in cache, {memory:.0f} GB/s from memory, "
        f"GEMM {gemm} GFLOP/s (float32 / float64)"
    )
