"""The report as one page of HTML and one of Markdown: its sections, in order.

The page is ``report.html``, which Jinja fills with everything escaped, around
``report.css`` and ``report.js``: three files beside this one that can be read as such.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..project import Project
from ..versions.verdicts import SAME
from . import change_list, charts, curves, fields, figures, provenance, summaries
from .sections import is_empty, section

Row = dict[str, Any]

_ROOF = (
    "The roof of a case is the larger of bytes / bandwidth and flops / GEMM rate: the "
    "bytes that any implementation moves, each once, at the bandwidth measured on the "
    "working set nearest in size; the real operations at the rate of a product of "
    "order 768. All were measured by the run itself (see provenance). More than 100 % "
    "means that the machine was slower while it was calibrated."
)


def sections(
    project: Project,
    rows: Sequence[Row],
    points: Sequence[Row],
    files: dict[str, int],
    problems: list[str],
) -> list[dict[str, Any]]:
    """Return the sections of the report.

    Parameters
    ----------
    project : Project
        The package whose results are reported.
    rows : sequence of dict
        Rows from :func:`nbfact.harness.store.read_rows`.
    points : sequence of dict
        Points from :func:`nbfact.harness.report.asvfiles.read_points`.
    files : dict of str to int
        The files that were read, and the number of rows in each.
    problems : list of str
        Messages about what could not be read.

    Returns
    -------
    list of dict
        For each section ``id``, ``title`` and ``lede``; ``figures``, ``tables``,
        ``verdicts`` and ``machines``; ``comparisons``, which say what the verdicts
        compare; ``selects``, pairs of a name and its choices; and ``command``, which
        makes data for a section without any.
    """
    compared = [row for row in rows if row.get("kind") == "verdict"]
    cases = fields.newest(row for row in rows if row.get("kind") == "bench")
    made = [
        *_product_sections(project, cases),
        *_commit_sections(project, rows, points),
        *_other_sections(project, cases, compared),
    ]
    made.sort(key=is_empty)  # a page opens on what there is
    return [*made, _provenance(project, rows, files, problems)]


def _product_sections(project, cases):
    """Return the sections in which implementations are compared with one another."""
    command = f"{project.command('bench')} --quick"
    return [
        section(
            "pareto",
            "Error against time",
            "Each point is a product with one matrix: its relative error, and its time "
            "over that of the dense product, with its 95 % interval over processes, "
            "where these agree. Down and left is better; the dashed line is the dense "
            "product; the grey steps are the fronts of each dtype, which no other "
            "point of that dtype beats in both.",
            command,
            figures.pareto(cases, project),
        ),
        section(
            "ranking",
            "Fastest within an error budget",
            "The two fastest implementations of each computation, size and batch whose "
            "relative error is within the budget; dtypes of one field compete.",
            command,
            tables=[summaries.ranking(cases)],
        ),
        section(
            "breakeven",
            "Break-even with the dense product",
            "Time over that of the dense product, against n and against the columns "
            "of X. A cross marks where a line passes 1; lines are straight between "
            "measurements, on logarithmic axes.",
            command,
            figures.breakeven(cases, "n", project)
            + figures.breakeven(cases, "batch", project),
            [summaries.crossings(cases)],
        ),
        section(
            "convergence",
            "Iterations: error against time",
            "The same factorization with growing numbers of sweeps, each a point.",
            f'{project.command("bench")} -k "{curves.CURVE}"',
            figures.convergence(cases, project),
        ),
    ]


def _commit_sections(project, rows, points):
    """Return the sections on measurements over commits."""
    ratios, others, found = change_list.changes(rows, points)
    return [
        section(
            "ratios",
            "Commits beside a baseline",
            "Each commit was measured beside an earlier one, in one process, and "
            "ratios lead back to the first commit that had the case: what the machine "
            "did on that day cancels. A line for each machine, and for each set of "
            "versions of Python, Numba and NumPy. A ring marks a change of the level.",
            f"{project.command('history')} --measure HEAD",
            figures.trends(ratios, project),
        ),
        section(
            "changes",
            "Changes over commits",
            "Commits at which the level of a measurement changed, the newest first: "
            "the mean of the last commits differs from that of those before them by "
            "more than the noise of a comparison, for ratios to a baseline, or of "
            "earlier commits, for other times; and what does not vary differs by more "
            "than the limits of the gate.",
            f"{project.command('history')} --measure HEAD",
            tables=[change_list.change_table(found)],
        )
        | {"count": len(found)},
        section(
            "history",
            "History over commits",
            "Commits in the order of their dates, those that asv measured and those "
            "of stored runs. Errors are steps. The band is the noise that an A/A "
            "comparison, of a version with itself, found (the median over cases where "
            "the case has none of its own), around the first value. Zeros are left "
            "out, because a logarithmic axis has none.",
            f"{project.command('history')} HEAD~5..HEAD",
            figures.timelines(others, project),
        ),
    ]


def _other_sections(project, cases, compared):
    """Return the sections on machines and versions."""
    return [
        section(
            "roofs",
            "Machines, in shares of their roof",
            _ROOF,
            project.command("bench"),
            figures.roofs(cases, project),
        ),
        section(
            "verdicts",
            "Verdicts of the newest comparison",
            "Time of head over base, with its 99 % interval over processes. Dark "
            "band: the noise, base against a copy of itself. Light band: the "
            "threshold. The scale runs from 0.8 to 1.25.",
            project.command("compare"),
            verdicts=summaries.verdicts(compared),
        ),
    ]


def _provenance(project, rows, files, problems):
    """Return the section on where all rows come from."""
    found = section(
        "provenance",
        "Provenance",
        "Where several runs measured one case on one machine with one number of "
        "threads, plots and tables show the newest.",
        project.command("bench"),
        tables=[provenance.runs(rows), *provenance.sources(files, problems)],
    )
    # Ratios keep less of what is known of a machine.
    whole = [row for row in rows if row.get("kind") != "ratio"]
    machines = {about["name"]: about for about in provenance.machines(rows)}
    machines |= {about["name"]: about for about in provenance.machines(whole)}
    return {**found, "machines": list(machines.values())}


def overview(
    project: Project, rows: Sequence[Row], shown: Sequence[dict]
) -> dict[str, Any]:
    """Return the head of the page: its counts, its date, and what failed.

    Parameters
    ----------
    project : Project
        The package whose results are reported.
    rows : sequence of dict
        All rows.
    shown : sequence of dict
        Sections from :func:`sections`.

    Returns
    -------
    dict
        ``project`` (its name), ``version``, ``commit``, ``started``, ``tiles`` (tuples
        of title, value, explanation and tone) and ``failures`` (a table).
    """
    cases = fields.newest(row for row in rows if row.get("kind") == "bench")
    failed = summaries.failures(cases)
    ours = sum(cells[1] == "ours" for cells in failed.rows)
    verdicts = next(s["verdicts"] for s in shown if s["id"] == "verdicts")
    bad = sum(verdict["tone"] == "bad" for verdict in verdicts)
    machines = {fields.machine(row) for row in rows}
    names = {fields.text(row, "machine", "name") for row in rows}
    newest = next(iter(fields.latest(rows, lambda row: None).values()), {})
    much = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
    if len(machines) > len(names):
        much = f"{len(machines)} sets of versions and threads, {much}"
    tiles = [
        ("cases", f"{len(cases)}", "newest of each", "plain"),
        (
            "wrong or failed",
            f"{ours}" if cases else "-",
            f"ours; {len(failed.rows) - ours} of rivals" if cases else "no case",
            "bad" if ours else "good" if cases else "plain",
        ),
        (
            "verdicts against",
            f"{bad}" if verdicts else "-",
            f"of {len(verdicts)}" if verdicts else "nothing compared",
            "bad" if bad else "good" if verdicts else "plain",
        ),
        ("machines", f"{len(names)}", much, "plain"),
    ]
    if count := next(part["count"] for part in shown if part["id"] == "changes"):
        tiles.append(("changes", f"{count}", "over commits", "plain"))
    if busy := {fields.text(row, "run") for row in rows if fields.unstable(row)}:
        every = {fields.text(row, "run") for row in rows}
        more = f"of {len(every)}: the machine was busy, and its times are less sure"
        tiles.append(("unstable runs", f"{len(busy)}", more, "bad"))
    return {
        "project": project.name,
        "tiles": tiles,
        "started": fields.when(newest),
        "commit": fields.commit(newest),
        "version": fields.text(newest, "machine", "versions", project.name, default=""),
        "failures": failed,
    }


def html(head: dict[str, Any], shown: Sequence[dict]) -> str:
    """Return the page in HTML.

    Parameters
    ----------
    head : dict
        Head of the page from :func:`overview`.
    shown : sequence of dict
        Sections from :func:`sections`.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``report`` is not installed.
    """
    data: dict[str, Any] = {
        "project": head["project"],
        "specs": charts.specifications(),
        "figures": {},
    }
    drawn = [figure for section in shown for figure in section["figures"]]
    for index, figure in enumerate(drawn):
        figure["id"] = f"figure-{index + 1}"
        data["figures"][figure["id"]] = {
            key: figure[key]
            for key in ("kind", "height", "columns", "rows")
            if key in figure
        }
    try:
        import jinja2
    except ModuleNotFoundError:
        raise ModuleNotFoundError(charts.MISSING.format(name="jinja2")) from None
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        head=head,
        sections=shown,
        style=(folder / "report.css").read_text(encoding="utf-8"),
        script=(folder / "report.js").read_text(encoding="utf-8"),
        vega=charts.javascript().replace("</script", r"<\/script"),
        data=as_json(data),
    )


def as_json(data: Any) -> str:
    r"""Return JSON that can stand in an element of HTML, which no text in it can end.

    Examples
    --------
    >>> as_json({"case": "</script>"})
    '{"case":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def markdown(head: dict[str, Any], shown: Sequence[dict]) -> str:
    """Return the summary in Markdown, with verdicts and tables and without charts.

    Parameters
    ----------
    head : dict
        Head of the page from :func:`overview`.
    shown : sequence of dict
        Sections from :func:`sections`.
    """
    parts = [f"# {head['project']} report"]
    tiles = [f"{name}: **{value}** ({more})" for name, value, more, _ in head["tiles"]]
    names = head["project"], head["version"], head["commit"]
    measured = " ".join(filter(None, names))
    parts.append(
        f"{summaries.escaped(measured)}, {head['started']}. " + "; ".join(tiles)
    )
    if head["failures"].rows:
        parts += ["## Cases without a time", head["failures"].markdown()]
    order = sorted(shown, key=lambda part: part["id"] != "verdicts")
    for part in order:
        if part["verdicts"]:
            lines = [summaries.counts(part["verdicts"]), *part["comparisons"]]
            parts += [f"## {part['title']}", *map(summaries.escaped, lines)]
            if (table := _verdict_table(part["verdicts"])).rows:
                parts.append(table.markdown())
        elif part["id"] == "verdicts":
            parts += [f"## {part['title']}", _none(part)]
        for table in part["tables"]:
            if (
                part["id"] in ("ranking", "changes")
                or table.caption == provenance.DAMAGED
            ):
                parts += [f"## {table.caption}", table.markdown()]
            else:
                parts += _folded(table)
    for about in shown[-1]["machines"]:
        facts = [f"{key} {value}" for key, value in about["facts"]]
        parts += [f"## {summaries.escaped(about['name'])}"]
        parts.append(summaries.escaped("; ".join(facts)))
    return "\n\n".join(parts) + "\n"


def _folded(table):
    """Return a table that opens on a click, as the pages of CI jobs allow."""
    opening = f"<details><summary>{table.caption}</summary>"
    return [opening, table.markdown(), "</details>"]


def _verdict_table(verdicts):
    """Return the table of the verdicts that are not "same"."""
    names = ("case", "verdict", "ratio", "floor", "error", "allocations", "message")
    titles = {"ratio": "head / base", "floor": "noise"}
    heads = [titles.get(name, name) for name in names]
    table = summaries.Table("Verdicts", heads)
    for verdict in verdicts:
        if verdict["verdict"] != SAME:
            table.add(*(verdict[name] for name in names))
    return table


def _none(section):
    """Return the text of a section without data."""
    return f"No data; `{section['command']}` makes it."
