"""Write the report: results of any runs and machines as one page of HTML.

The page contains its data and the script that draws it, and needs no network. A summary
in Markdown, for the page of a CI job, is written beside it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from ..._core.files import atomic_path
from ..project import Project
from . import pages
from .reading import read_results

DEFAULT_OUTPUT = Path("runs", "report.html")
"""Where the page is written if nobody says where: beside the results."""


def write_report(
    project: Project,
    paths: Sequence[Path],
    output: Path | None = None,
    asv: Path | None = None,
) -> tuple[list[Path], list[str]]:
    """Write the report of some results.

    Parameters
    ----------
    project : Project
        The package whose results these are.
    paths : sequence of Path
        Files and directories, as in :func:`nbfact.harness.store.read_rows`.
    output : Path, optional
        File of the page, ``.html``; the summary has the same name with ``.md``. A name
        in ``.md`` is that of the summary, which alone is written then. By default it is
        :data:`DEFAULT_OUTPUT`, whose folder is made where it is missing.
    asv : Path or None
        Directory of asv's results.

    Returns
    -------
    written : list of Path
        The page, if one is asked for, and the summary.
    problems : list of str
        Messages about what in the files is not a result.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``report`` is not installed, without which there is no page; the
        message says how to install it.
    ValueError
        When there is no result at all, or the name `output` ends in something else.
    OSError
        When a file cannot be read or written.
    """
    if output is not None:
        check_output(output)
    rows, points, counts, problems = read_results(project, paths, asv)
    shown = pages.sections(project, rows, points, counts, problems)
    head = pages.overview(project, rows, shown)
    output, given = output or DEFAULT_OUTPUT, output
    texts = {output: pages.html(head, shown)} if output.suffix == ".html" else {}
    texts[output.with_suffix(".md")] = pages.markdown(head, shown)
    if given is None:
        output.parent.mkdir(exist_ok=True)
    for path, text in texts.items():
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(texts), problems


def check_output(path: Path) -> None:
    """Raise an error unless a page can be written to `path`.

    Examples
    --------
    >>> check_output(Path("report.pdf"))
    Traceback (most recent call last):
        ...
    ValueError: --output report.pdf: expected a name in .html or .md
    """
    if path.suffix not in (".html", ".md"):
        raise ValueError(f"--output {path}: expected a name in .html or .md")
    if path.is_dir():
        raise IsADirectoryError(f"--output {path}: a directory")
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"--output {path}: {path.parent} is not a writable directory")
