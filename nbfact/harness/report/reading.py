"""Read all results of a project: rows of runs, ratios of commits, and those of asv."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .. import store
from ..project import Project
from ..surroundings import tell_apart
from ..versions.milestones import FILE
from . import asvfiles, fields


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
        command = project.command("bench")
        raise ValueError(f"no result in {places}{more}; {command} writes some")
    for file in files:
        counts[str(file)] = sum(p["file"] == file for p in points)
    tell_apart(rows)
    return rows, points, counts, problems


def _read(project, paths):
    """Return the rows, each once, their number in each file, and messages of damage."""
    rows: dict[str, dict] = {}
    counts: dict[str, int] = {}
    problems: list[str] = []
    lacking: Counter[tuple[str, str]] = Counter()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"{path}: no such file or directory; {project.command('bench')} writes "
                "runs"
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
