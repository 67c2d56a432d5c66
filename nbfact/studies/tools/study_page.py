"""The page of a study: what was asked, a picture, the answer, then tables and notes.

A reader sees first what the study is about and what it found. Tables come below: a few
short ones open, all others folded, so that nobody scrolls past them to the notes.
"""

import html
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from .result_files import markdown
from .rows import Row

LONG = 14
"""Number of rows above which a table is folded: more do not fit on a screen."""

OPEN = 3
"""Number of tables that are shown open."""

BY_HAND = "<!-- by hand: kept when the page is written anew -->"
END = "<!-- end of the part by hand -->"
"""Marks around the part of a page that a person wrote about its figures."""

WIDTH = 96
"""Number of characters of a line of text."""


def page(
    study: ModuleType, name: str, rows: Sequence[Row], source: str, by_hand: str = ""
) -> str:
    """Return the page of a study in Markdown.

    Parameters
    ----------
    study : module
        With the members that :mod:`nbfact.studies` lists.
    name : str
        Name of the files of the study, without their endings.
    rows : sequence of dict
        Rows of the study.
    source : str
        The command that made the rows, in backticks, and the machine it ran on.
    by_hand : str
        What a person wrote about these rows, in Markdown, see `part_by_hand`.

    Returns
    -------
    str
    """
    tables = study.tables(rows)
    shown = [key for key, lines in tables.items() if len(lines) <= LONG][:OPEN]
    folded = {key: lines for key, lines in tables.items() if key not in shown}
    opening = getattr(study, "opening", None)
    picture = f"![{study.TITLE}]({name}.png)"
    parts = [f"# {study.TITLE}", _filled(study.QUESTION), picture]
    parts += [_filled(study.PICTURE), _filled(opening(rows)) if opening else "", source]
    if by_hand:
        parts += [BY_HAND, by_hand, END]
    parts.append(markdown({key: tables[key] for key in shown}).rstrip())
    if hasattr(study, "draw_details"):
        parts += ["## All parts", f"![All parts of the study]({name}_details.png)"]
    parts += ["## What the columns mean", study.NOTES]
    parts += ["## All tables" if folded else "## All rows", _where(name, bool(folded))]
    parts += [_folded({caption: lines}) for caption, lines in folded.items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _filled(text: str) -> str:
    """Return paragraphs broken into lines."""
    paragraphs = [
        textwrap.fill(one, WIDTH, break_on_hyphens=False, break_long_words=False)
        for one in text.split("\n\n")
    ]
    return "\n\n".join(paragraphs)


def _where(name: str, folded: bool) -> str:
    """Return the sentences about where the figures of `nbfact study` are."""
    rows = f"All rows that `nbfact study {name}` wrote are in [{name}.csv]({name}.csv)."
    return rows + " Each line below opens a table." * folded


def _folded(tables: Mapping[str, Sequence[Row]]) -> str:
    """Return tables of which a reader sees only the captions until they are opened."""
    parts = []
    for caption, lines in tables.items():
        table = markdown({caption: lines}).split("\n\n", 1)[1]
        rows = f"{len(lines)} row{'s' * (len(lines) != 1)}"
        summary = f"<summary>{html.escape(caption)} ({rows})</summary>"
        parts.append(f"<details>\n{summary}\n\n{table}\n</details>")
    return "\n\n".join(parts)


def part_by_hand(text: str) -> str:
    r"""Return the part of a page that a person wrote, or nothing.

    Parameters
    ----------
    text : str
        A page in Markdown.

    Returns
    -------
    str
        What stands between the lines `BY_HAND` and `END`.

    Examples
    --------
    >>> part_by_hand("\n".join(["# Title", BY_HAND, "", "Look here.", "", END]))
    'Look here.'
    """
    found = re.search(f"{re.escape(BY_HAND)}\n(.*?)\n{re.escape(END)}", text, re.S)
    return found[1].strip() if found else ""


def source_of(text: str) -> str:
    r"""Return the line of a page that says how its figures were made, or nothing.

    Examples
    --------
    >>> source_of("# Title\n\n`nbfact study noise`: AMD EPYC.\n")
    '`nbfact study noise`: AMD EPYC.'
    """
    found = re.search(r"^`nbfact study .*", text, re.M)
    return found[0].strip() if found else ""


def earlier(path: Path) -> str:
    """Return the text of the page that stands beside a file of rows, or nothing.

    Parameters
    ----------
    path : Path
        A page, or the CSV file of the same study.
    """
    beside = path.with_suffix(".md")
    return beside.read_text(encoding="utf-8") if beside.exists() else ""
