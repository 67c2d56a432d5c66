"""Write the report: results of any runs and machines as one page of HTML.

The page contains its data and the script that draws it, and needs no network. A summary
in Markdown, for the page of a CI job, is written beside it.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..._core.files import atomic_path
from .. import store
from ..project import Project
from ..surroundings import tell_apart
from ..versions.milestones import FILE
from . import asvfiles, fields, pages


def write_report(
    project: Project, paths: Sequence[Path], output: Path, asv: Path | None = None
) -> tuple[list[Path], list[str]]:
    """Write the report of some results.

    Parameters
    ----------
    project : Project
        The package whose results these are.
    paths : sequence of Path
        Files and directories, as in :func:`nbfact.harness.store.read_rows`.
    output : Path
        File of the page, ``.html``; the summary has the same name with ``.md``.
    asv : Path or None
        Directory of asv's results.

    Returns
    -------
    written : list of Path
        The page and the summary.
    problems : list of str
        Messages about what in the files is not a result.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``report`` is not installed; the message says how to install it.
    ValueError
        When there is no result at all, or the name `output` does not end in ``.html``.
    OSError
        When a file cannot be read or written.
    """
    check_output(output)
    rows, points, counts, problems = read_results(project, paths, asv)
    shown = pages.sections(project, rows, points, counts, problems)
    head = pages.overview(project, rows, shown)
    summary = output.with_suffix(".md")
    page = pages.html(head, shown)
    for path, text in ((output, page), (summary, pages.markdown(head, shown))):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [output, summary], problems


def read_results(
    project: Project, paths: Sequence[Path], asv: Path | None = None
) -> tuple[list[dict], list[dict], dict[str, int], list[str]]:
    """Return all results.

    Parameters
    ----------
    project : Project
        The package whose results these are.
    paths : sequence of Path
        Files and directories, as in :func:`nbfact.harness.store.read_rows`.
    asv : Path or None
        Directory of asv's results, in which the ratios of commits are too.

    Returns
    -------
    rows : list of dict
        Rows, each once. Those of one machine with different versions of Numba, NumPy or
        Python have words for that.
    points : list of dict
        Points from :func:`nbfact.harness.report.asvfiles.read_points`.
    counts : dict of str to int
        The number of rows in each file.
    problems : list of str
        Messages about what in the files is not a result.

    Raises
    ------
    ValueError
        When there is no result at all.
    OSError
        When a file cannot be read.
    """
    points: list[dict] = []
    files: list[Path] = []
    damaged: list[str] = []
    if asv is not None:
        if not asv.is_dir():
            raise NotADirectoryError(f"--asv {asv}: not a directory")
        points, damaged, files = asvfiles.read_points(asv)
        paths = [*paths, *sorted(asv.glob(f"*/{FILE}"))]
    rows, counts, problems = _read(project, paths)
    problems += damaged
    if not rows and not points:
        places = ", ".join(map(str, [*paths, *([asv] if asv else [])]))
        more = f" ({len(problems)} problems, first: {problems[0]})" if problems else ""
        command = f"{project.name} bench"
        raise ValueError(f"no result in {places}{more}; {command} writes some")
    for file in files:
        counts[str(file)] = sum(p["file"] == file for p in points)
    tell_apart(rows)
    return rows, points, counts, problems


def check_output(path: Path) -> None:
    """Raise an error unless a page can be written to `path`.

    Examples
    --------
    >>> check_output(Path("report.pdf"))
    Traceback (most recent call last):
        ...
    ValueError: --output report.pdf: expected a name in .html
    """
    if path.suffix != ".html":
        raise ValueError(f"--output {path}: expected a name in .html")
    if path.is_dir():
        raise IsADirectoryError(f"--output {path}: a directory")
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"--output {path}: {path.parent} is not a writable directory")


def _read(project, paths):
    """Return the rows, each once, their number in each file, and messages of damage."""
    rows: dict[str, dict] = {}
    counts: dict[str, int] = {}
    problems: list[str] = []
    lacking: Counter[tuple[str, str]] = Counter()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"{path}: no such file or directory; {project.name} bench writes runs"
            )
        for file in store.files(path):
            found, damaged = store.read_rows(file)
            counts[str(file)] = len(found)
            problems += damaged
            for row in found:
                if row.get("kind") == "pair":
                    continue  # a sample of a comparison: its verdict is shown
                row.pop("samples", None)  # the page does not show them
                lacking[f"{file}: ", fields.lacks(row)] += 1
                rows.setdefault(json.dumps(row, sort_keys=True), row)
    problems += [
        f"{where}{count} row{'s' * (count > 1)} {what}"
        for (where, what), count in lacking.items()
        if what
    ]
    return list(rows.values()), counts, problems
