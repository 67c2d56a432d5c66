"""The commands ``nbfact compare`` and ``nbfact gate``: what they print and exit with.

====  =====================================================================
0     no regression
1     a regression: slower beyond the threshold, in two independent batches, or an
      error beyond its bound
2     broken: nothing was measured, a case vanished, or one raises
3     not measurable: for some case the noise hides what matters
====  =====================================================================

Where several hold, 2 counts before 1, and 1 before 3. ``compare`` exits with 0 whatever
it finds, and 2 where it could not compare.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..._core.files import atomic_path
from .. import store
from . import verdicts
from .comparison import PROCESSES, Comparison, compare

if TYPE_CHECKING:
    from rich.console import Console


def run_compare(
    base: str | None,
    head: str | None,
    profile: str = "pr",
    pattern: str | None = None,
    threads: int = 1,
    output: Path | None = None,
    resume: Path | None = None,
) -> int:
    """Compare two versions and print a table; see :func:`nbfact.harness.versions.comparison.compare`.

    Returns
    -------
    int
        The exit code.
    """
    try:
        comparison = _compared(base, head, profile, pattern, threads, output, resume)
    except (ValueError, RuntimeError, OSError) as error:
        return _refuse("compare", error)
    codes = verdicts.exit_code(comparison.rows)
    nothing = not any(row["ratio"] for row in comparison.rows)
    return codes if nothing and codes == verdicts.EXIT_CODES[verdicts.BROKEN] else 0


def run_gate(
    base: str,
    head: str | None = None,
    profile: str = "pr",
    pattern: str | None = None,
    threads: int = 1,
    output: Path | None = None,
    processes: int = PROCESSES,
) -> int:
    """Compare two versions, write the verdict to a file, and exit by it.

    Parameters
    ----------
    base, head, profile, pattern, threads, processes
        As in :func:`nbfact.harness.versions.comparison.compare`.
    output : path or None
        Of the verdict, JSON; by default ``runs/gate.json``. It is written whatever
        happens, but for Ctrl-C: ``exit`` is the code, ``message`` what is broken or
        null, ``cases`` the rows of kind ``verdict``, ``samples`` the file of all
        samples.

    Returns
    -------
    int
        The exit code, of the table above.
    """
    output = Path(output or "runs/gate.json")
    found = {"schema": store.SCHEMA, "base": base, "head": head, "profile": profile}
    try:
        comparison = _compared(base, head, profile, pattern, threads, None, processes)
    except (ValueError, RuntimeError, OSError) as error:
        found |= {"exit": 2, "message": str(error), "samples": None, "cases": []}
        code = _refuse("gate", error)
    else:
        code = verdicts.exit_code(comparison.rows)
        found |= {
            "base": comparison.base.describe(),
            "head": comparison.head.describe(),
            "exit": code,
            "message": None,
            "samples": str(comparison.file),
            "cases": comparison.rows,
        }
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(output) as temporary:
            temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        return _refuse("gate", error)
    words = {0: "pass", 1: "regression", 2: "broken", 3: "not measurable"}
    print(f"gate: {words[code]} ({code}); verdict in {output}")
    return code


def _compared(
    base, head, profile, pattern, threads, output, resume, processes=PROCESSES
) -> Comparison:
    """Compare under a progress bar, and print the table."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from ..table import WIDTH, verdict_table

    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    start = time.perf_counter()
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(
        *columns, console=console, transient=True, auto_refresh=False
    ) as progress:
        bar = progress.add_task("")

        def told(text, done, total):
            progress.update(bar, description=text, completed=done, total=total)
            progress.refresh()

        comparison = compare(base, head, profile, pattern, threads, output, told=told)
    console.print(verdict_table(comparison.rows))
    _summarize(console, comparison, time.perf_counter() - start)
    return comparison


def _summarize(console: "Console", comparison, seconds):
    """Print what was compared, how it went, and where it is stored."""

    def say(text):
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    for role in ("base", "head"):
        told = getattr(comparison, role).describe()
        commit = (told["commit"] or "no commit")[:10] + ("+" if told["dirty"] else "")
        say(f"{role}: {told['name']}, {told['version']}, {commit}")
    for problem in comparison.problems:
        say(f"skipped: {problem}")
    for row in comparison.rows:
        if row["message"]:
            say(f"{row['verdict']}: {row['case']}: {row['message']}")
    counts = Counter(row["verdict"] for row in comparison.rows)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    say(f"{told}; {seconds:.0f} s; in {comparison.file}")


def _refuse(command, error):
    """Say what could not be compared; return the exit code."""
    print(f"nbfact {command}:", " ".join(str(error).split()), file=sys.stderr)
    return verdicts.EXIT_CODES[verdicts.BROKEN]
