"""The report as one page of HTML and one of Markdown: its sections, in order.

The page is ``report.html``, filled by Jinja with everything escaped, around
``report.css`` and ``report.js``: three files beside this one, to be read as such.
"""

import json
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from . import charts, curves, fields, figures, provenance, summaries, timelines

Row = dict[str, Any]

_ROOF = (
    "The roof of a case is the larger of bytes / bandwidth and flops / GEMM rate: the "
    "bytes that any implementation moves, each once, at the bandwidth measured on the "
    "working set nearest in size; the real operations at the rate of a product of "
    "order 768. All were measured by the run itself (see provenance). More than 100 % "
    "means that the machine was slower while it was calibrated."
)
_PRODUCT = 'nbfact bench -k "butterfly n=*"'


def sections(
    rows: Sequence[Row], points: Sequence[Row], files: dict[str, int], problems: list
) -> list[dict[str, Any]]:
    """Return the sections of the report.

    Parameters
    ----------
    rows : sequence of dict
        From :func:`nbfact.harness.store.read_rows`.
    points : sequence of dict
        From :func:`nbfact.harness.report.asvfiles.read_points`.
    files : dict of str to int
        The files read, and how many rows each gave.
    problems : list of str
        What could not be read.

    Returns
    -------
    list of dict
        ``id``, ``title``, ``lede``; ``figures``, ``tables``, ``verdicts``,
        ``machines``; ``comparisons``: what the verdicts are of; ``selects``: pairs of
        a name and its choices; ``command``: what makes its data, where it has none.
    """
    bench = [row for row in rows if row.get("kind") == "bench"]
    compared = [row for row in rows if row.get("kind") == "verdict"]
    cases = fields.newest(bench)
    panels = timelines.timelines(bench, points, timelines.floors(compared))
    found = [
        _section(
            "pareto",
            "Error against time",
            "Each point is a product with one matrix: its relative error, and its time "
            "over that of the dense product, with the 95 % interval of the paired "
            "rounds. Down and left is better; the dashed line is the dense product; "
            "the grey steps are the fronts of each dtype, which no other point of that "
            "dtype beats in both.",
            _PRODUCT,
            figures.pareto(cases),
        ),
        _section(
            "ranking",
            "Fastest within an error budget",
            "For each computation, size and batch the two fastest implementations "
            "whose relative error keeps the budget, dtypes of one field competing.",
            "nbfact bench",
            tables=[summaries.ranking(cases)],
        ),
        _section(
            "breakeven",
            "Break-even with the dense product",
            "Time over that of the dense product, against n and against the columns "
            "of X. A cross marks where a line passes 1, straight lines drawn between "
            "measurements on both axes of powers.",
            _PRODUCT,
            figures.breakeven(cases, "n") + figures.breakeven(cases, "batch"),
            [summaries.crossings(cases)],
        ),
        _section(
            "convergence",
            "PALM: error against time",
            "The same factorization by growing numbers of sweeps, each a point.",
            f'nbfact bench -k "{curves.PALM}"',
            figures.convergence(cases),
        ),
        _section(
            "history",
            "History over commits",
            "Commits in the order of their dates, those that asv measured and those "
            "of stored runs. Errors are steps. The band is the noise that an A/A "
            "comparison found (the median over cases where the case has none of its "
            "own), around the first value. Zeros are left out: an axis of powers has "
            "none.",
            "asv run HEAD~5..HEAD",
            figures.timelines(panels),
        ),
        _section(
            "roofs",
            "Machines, in shares of their roof",
            _ROOF,
            "nbfact bench",
            figures.roofs(cases),
        ),
        _section(
            "verdicts",
            "Verdicts of the newest comparison",
            "Time of head over base, with its 99 % interval over processes. Dark "
            "band: the noise, base against a copy of itself. Light band: the "
            "threshold. The scale runs from 0.8 to 1.25.",
            "nbfact compare",
            verdicts=summaries.verdicts(compared),
        ),
    ]
    return [*found, _provenance(rows, files, problems)]


def _section(name, title, lede, command, drawn=(), tables=(), verdicts=()):
    """Return a section; tables without rows are dropped."""
    tables = [table for table in tables if table.rows]
    filters = [figure["filters"] for figure in _richest(drawn)]
    filters += [given for table in tables for given in table.filters]
    filters += [verdict["filters"] for verdict in verdicts]
    return {
        "id": name,
        "title": title,
        "lede": lede,
        "command": command,
        "figures": list(drawn),
        "tables": tables,
        "selects": _selects(filters),
        "verdicts": list(verdicts),
        "comparisons": list(dict.fromkeys(verdict["told"] for verdict in verdicts)),
        "machines": [],
    }


def _richest(drawn):
    """Return figures, first those of the computations with most to choose and to see.

    Fronts whose errors differ by more than rounding, ratios before seconds, many rows.
    """
    families = fields.panels(drawn, lambda figure: figure["filters"].get("family"))

    def riches(group):
        best = [row for f in group for row in f["rows"] if row.get("front")]
        fronts = fields.panels(best, *map(itemgetter, ("n", "batch", "dtype"))).values()
        errors = [[row["drawn"] for row in front] for front in fronts]
        choice = any(max(front) > 10 * min(front) for front in errors)
        ratios = any(figure["kind"] == "timeline" for figure in group)
        return choice, ratios, sum(len(figure["rows"]) for figure in group)

    ordered = sorted(families.values(), key=riches, reverse=True)
    return [figure for group in ordered for figure in group]


def _selects(filters):
    """Return the choices worth offering, in the order they are met; batches sorted."""
    found = []
    for name in ("machine", "family", "batch"):
        choices = list(dict.fromkeys(f[name] for f in filters if name in f))
        if name == "batch":
            choices.sort(key=lambda b: (len(b), b))
        if len(choices) > 1:
            found.append((name, choices))
    return found


def _provenance(rows, files, problems):
    section = _section(
        "provenance",
        "Provenance",
        "Of several runs of one case on one machine with as many threads, plots and "
        "tables show the newest.",
        "nbfact bench",
        tables=[provenance.runs(rows), *provenance.sources(files, problems)],
    )
    return {**section, "machines": provenance.machines(rows)}


def overview(rows: Sequence[Row], shown: Sequence[dict]) -> dict[str, Any]:
    """Return the head of the page: counts, when, and what failed.

    Parameters
    ----------
    rows : sequence of dict
        All of them.
    shown : sequence of dict
        From :func:`sections`.
    """
    cases = fields.newest(row for row in rows if row.get("kind") == "bench")
    failed = summaries.failures(cases)
    ours = sum(cells[1] == "ours" for cells in failed.rows)
    verdicts = next(s["verdicts"] for s in shown if s["id"] == "verdicts")
    bad = sum(verdict["tone"] == "bad" for verdict in verdicts)
    machines = {fields.machine(row) for row in rows}
    newest = next(iter(fields.latest(rows, lambda row: None).values()), {})
    tiles = [
        ("cases", f"{len(cases)}", "newest of each", "plain"),
        (
            "wrong or failed",
            f"{ours}",
            f"ours; {len(failed.rows) - ours} of rivals",
            "bad" if ours else "good",
        ),
        (
            "verdicts against",
            f"{bad}" if verdicts else "-",
            f"of {len(verdicts)}" if verdicts else "nothing compared",
            "bad" if bad else "good" if verdicts else "plain",
        ),
        ("machines", f"{len(machines)}", f"{len(rows)} rows", "plain"),
    ]
    return {
        "tiles": tiles,
        "started": fields.when(newest),
        "commit": fields.commit(newest),
        "version": fields.text(newest, "machine", "versions", "nbfact", default=""),
        "failures": failed,
    }


def html(head: dict[str, Any], shown: Sequence[dict]) -> str:
    """Return the page.

    Parameters
    ----------
    head : dict
        From :func:`overview`.
    shown : sequence of dict
        From :func:`sections`.

    Raises
    ------
    ModuleNotFoundError
        When the extra ``report`` is not installed.
    """
    data: dict[str, Any] = {"specs": charts.specifications(), "figures": {}}
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
    r"""Return JSON that no text in it can end the element it stands in.

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
    """Return the summary in Markdown: verdicts and tables, no charts.

    Parameters
    ----------
    head : dict
        From :func:`overview`.
    shown : sequence of dict
        From :func:`sections`.
    """
    parts = ["# nbfact report"]
    told = [f"{name}: **{value}** ({more})" for name, value, more, _ in head["tiles"]]
    about = " ".join(filter(None, ["nbfact", head["version"], head["commit"]]))
    parts.append(f"{summaries.escaped(about)}, {head['started']}. " + "; ".join(told))
    if head["failures"].rows:
        parts += ["## Cases without a time", head["failures"].markdown()]
    order = sorted(shown, key=lambda section: section["id"] != "verdicts")
    for section in order:
        if section["verdicts"]:
            told = [summaries.counts(section["verdicts"]), *section["comparisons"]]
            parts += [f"## {section['title']}", *map(summaries.escaped, told)]
            if (table := _verdict_table(section["verdicts"])).rows:
                parts.append(table.markdown())
        elif section["id"] == "verdicts":
            parts += [f"## {section['title']}", _none(section)]
        for table in section["tables"]:
            if section["id"] == "ranking" or table.caption == provenance.DAMAGED:
                parts += [f"## {table.caption}", table.markdown()]
            else:
                parts += _folded(table)
    for about in shown[-1]["machines"]:
        told = [f"{key} {value}" for key, value in about["facts"]]
        parts += [f"## {summaries.escaped(about['name'])}"]
        parts.append(summaries.escaped("; ".join(told)))
    return "\n\n".join(parts) + "\n"


def _folded(table):
    """Return a table that opens when it is asked for, as the pages of CI jobs can."""
    opening = f"<details><summary>{table.caption}</summary>"
    return [opening, table.markdown(), "</details>"]


def _verdict_table(verdicts):
    names = ("case", "verdict", "ratio", "floor", "error", "allocations", "message")
    heads = ["case", "verdict", "head / base", "noise", "error", "allocations", "told"]
    table = summaries.Table("Verdicts", heads)
    for verdict in verdicts:
        if verdict["verdict"] != "same":
            table.add(*(verdict[name] for name in names))
    return table


def _none(section):
    return f"No data; `{section['command']}` makes it."
