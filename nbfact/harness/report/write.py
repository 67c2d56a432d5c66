"""``nbfact report``: results of any runs and machines as one page of HTML.

The page holds its data and the script that draws it, and asks the network for nothing.
A summary in Markdown, for the page of a CI job, is written beside it.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from ..._core.files import atomic_path
from .. import store
from . import asvfiles, pages


def write_report(
    paths: Sequence[Path], output: Path, asv: Path | None = None
) -> tuple[list[Path], list[str]]:
    """Write the report of some results.

    Parameters
    ----------
    paths : sequence of Path
        Files and directories, as of :func:`nbfact.harness.store.read_rows`.
    output : Path
        The page, in ``.html``; the summary has the same name in ``.md``.
    asv : Path or None
        A directory of asv's results.

    Returns
    -------
    written : list of Path
        The page and the summary.
    problems : list of str
        What in the files is not a result.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``report`` is not installed; the message says how.
    ValueError
        When there is no result at all, or `output` is not a name in ``.html``.
    OSError
        When a file cannot be read or written.
    """
    check_output(output)
    rows, counts, problems = _read(paths)
    points, damaged, files = [], [], []
    if asv is not None:
        if not asv.is_dir():
            raise NotADirectoryError(f"--asv {asv}: not a directory")
        points, damaged, files = asvfiles.read_points(asv)
    problems += damaged
    if not rows and not points:
        places = ", ".join(map(str, paths))
        more = f" ({len(problems)} problems, first: {problems[0]})" if problems else ""
        raise ValueError(f"no result in {places}{more}; nbfact bench writes some")
    for file in files:
        counts[str(file)] = sum(p["file"] == file for p in points)
    shown = pages.sections(rows, points, counts, problems)
    head = pages.overview(rows, shown)
    summary = output.with_suffix(".md")
    page = pages.html(head, shown)
    for path, text in ((output, page), (summary, pages.markdown(head, shown))):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [output, summary], problems


def check_output(path: Path) -> None:
    """Raise unless `path` names a page that could be written.

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


def _read(paths):
    """Return the rows, each once, how many each file holds, and what is no row."""
    rows, counts, problems = {}, {}, []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"{path}: no such file or directory; nbfact bench writes runs"
            )
        for file in store.files(path):
            found, damaged = store.read_rows(file)
            counts[str(file)] = len(found)
            problems += damaged
            for row in found:
                if row.get("kind") == "pair":
                    continue  # what a verdict was made from
                row.pop("samples", None)  # the page shows none
                rows.setdefault(json.dumps(row, sort_keys=True), row)
    return list(rows.values()), counts, problems
