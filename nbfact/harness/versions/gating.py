"""The commands ``nbfact compare`` and ``nbfact gate``: what they print and exit with.

The exit codes of ``gate``:

====  =====================================================================
0     no regression, or two versions with the same sources
1     a regression that a second batch of processes confirms: slower beyond the
      threshold, a larger error, more memory, a slower first call or import, results
      that do not repeat, or a gain that cannot be one
2     broken: nothing was measured, a case vanished, one raises, or the two versions
      make different inputs that cannot be exchanged
3     inconclusive: for more than 5 % of the cases the noise hides a slowdown that
      matters
====  =====================================================================

Where several hold, 2 counts before 1, and 1 before 3. ``compare`` exits with 0 whatever
it finds, and with 2 where it could not compare. A verdict that a waiver accepts
(:mod:`nbfact.harness.versions.waivers`) is shown and does not count.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._core.files import atomic_path
from .. import store
from ..printing import print_json, stages
from ..project import Project
from . import verdicts
from .comment import WORDS, comment_of
from .comparison import Comparison, SameSourcesError, compare

if TYPE_CHECKING:
    from rich.console import Console

NOTHING = "nothing to compare: base and head have the same sources"
"""Message of a gate between versions with the same sources."""


def run_compare(
    project: Project,
    base: str | None = None,
    head: str | None = None,
    *,
    profile: str = "pr",
    as_json: bool = False,
    **options: Any,
) -> int:
    """Compare two versions and print a table.

    Parameters
    ----------
    project : Project
        The package.
    base, head : str or None
        Names of versions, as in :func:`nbfact.harness.versions.comparison.compare`.
    profile : str
        Name of the list of cases.
    as_json : bool
        Print one object of JSON on standard output, the one that :func:`run_gate`
        writes, and everything else on standard error.
    **options
        Further options of :func:`nbfact.harness.versions.comparison.compare`.

    Returns
    -------
    int
        The exit code.
    """
    asked = {"base": base, "head": head, "profile": profile}
    found = _found(project, "compare", asked, as_json, options)
    broken = verdicts.EXIT_CODES[verdicts.BROKEN]
    if not found["message"]:  # what a gate would exit with is in the verdicts
        nothing = not any(row["ratio"] for row in found["cases"])
        found["exit"] = broken if nothing and found["exit"] == broken else 0
    if as_json:
        print_json(found)
    return found["exit"]


def run_gate(
    project: Project,
    base: str,
    head: str | None = None,
    *,
    profile: str = "pr",
    output: Path | None = None,
    comment: Path | None = None,
    as_json: bool = False,
    **options: Any,
) -> int:
    """Compare two versions, write the verdict to a file, and return an exit code.

    Parameters
    ----------
    project : Project
        The package.
    base, head : str or None
        Names of versions, as in :func:`nbfact.harness.versions.comparison.compare`.
    profile : str
        Name of the list of cases.
    output : path or None
        File of the verdict, as JSON; by default ``runs/gate.json``. It is written
        whatever happens, except for Ctrl-C. ``exit`` is the code, ``message`` says what
        is broken or is null, ``cases`` are the rows of kind ``verdict``, and
        ``samples`` is the file of all samples.
    comment : path, optional
        File of the same as Markdown, for a comment on a pull request, see
        :mod:`nbfact.harness.versions.comment`.
    as_json : bool
        Print the object in `output` on standard output, and everything else on standard
        error.
    **options
        Further options of :func:`nbfact.harness.versions.comparison.compare`.

    Returns
    -------
    int
        The exit code, as in :mod:`nbfact.harness.versions.gating`.
    """
    output = Path(output or "runs/gate.json")
    asked = {"base": base, "head": head, "profile": profile}
    found = _found(project, "gate", asked, as_json, options)
    code = found["exit"]
    texts = {output: json.dumps(found, indent=1) + "\n"}
    if comment is not None:
        texts[Path(comment)] = comment_of(project, found)
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        return _refuse("gate", error)
    if as_json:
        print_json(found)
    else:
        print(f"gate: {WORDS[code]} ({code}); verdict in {output}")
    return code


def _found(project, command, asked, as_json, options):
    """Compare two versions; return the object that says what was found."""
    found: dict[str, Any] = {"schema": store.SCHEMA, "project": project.name, **asked}
    nothing: dict[str, Any] = {"samples": None, "cases": []}
    stream = sys.stderr if as_json else sys.stdout
    try:
        comparison = _compared(project, asked, stream, options)
    except (ValueError, RuntimeError, OSError) as error:
        if command == "gate" and isinstance(error, SameSourcesError):
            print(NOTHING, file=stream)
            return found | {"exit": 0, "message": NOTHING, **nothing}
        return found | {
            "exit": _refuse(command, error),
            "message": str(error),
            **nothing,
        }
    return found | {
        "base": comparison.base.describe(),
        "head": comparison.head.describe(),
        "exit": verdicts.exit_code(comparison.rows),
        "message": None,
        "problems": comparison.problems,
        "samples": str(comparison.file),
        "cases": comparison.rows,
    }


def _compared(project, asked, stream, options) -> Comparison:
    """Compare two versions under a progress bar, and print the table."""
    from rich.console import Console

    from ..table import WIDTH
    from .verdict_table import verdict_table

    console = Console(file=stream, width=None if stream.isatty() else WIDTH)
    start = time.perf_counter()
    with stages(console) as progress:
        comparison = compare(project, **asked, progress=progress, **options)
    console.print(verdict_table(comparison.rows))
    _summarize(console, comparison, time.perf_counter() - start)
    return comparison


def _summarize(console: "Console", comparison, seconds):
    """Print what was compared, how many verdicts there are, and where they are."""

    def say(text):
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    for role in ("base", "head"):
        about = getattr(comparison, role).describe()
        commit = (about["commit"] or "no commit")[:10] + ("+" if about["dirty"] else "")
        say(f"{role}: {about['name']}, {about['version']}, {commit}")
    for problem in comparison.problems:
        say(f"skipped: {problem}")
    for row in comparison.rows:
        if row["message"]:
            say(f"{row['verdict']}: {row['case']}: {row['message']}")
        if row.get("waived"):
            say(f"waived: {row['case']}: {row['waived']}")
    counts = Counter(row["verdict"] for row in comparison.rows)
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    say(f"{words}; {seconds:.0f} s; in {comparison.file}")


def _refuse(command, error):
    """Print why nothing could be compared; return the exit code."""
    message = " ".join(str(error).split())
    print(f"nbfact {command}: {message}", file=sys.stderr)
    return verdicts.EXIT_CODES[verdicts.BROKEN]
