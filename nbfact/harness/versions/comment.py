"""What a gate found, as Markdown for a comment on a pull request.

The comment begins with a line that no reader sees and that names the project, by which
a workflow finds its earlier comment and updates it. The cases with a verdict against
the head, or a gain, stand in a table; all others are folded away.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..project import Project
from . import verdicts

WORDS = {0: "pass", 1: "regression", 2: "broken", 3: "inconclusive"}
"""What the exit codes of a gate mean, in a word."""

SHOWN = 20
"""Largest number of cases in the table that is not folded."""

LONGEST = 60_000
"""Largest number of characters of a comment: GitHub refuses more than 65536."""


def marker(project: Project) -> str:
    """Return the line by which a workflow finds the comment of an earlier run.

    Examples
    --------
    >>> marker(Project("mypkg"))
    '<!-- nbfact gate: mypkg -->'
    """
    return f"<!-- nbfact gate: {project.name} -->"


def comment_of(project: Project, found: Mapping[str, Any]) -> str:
    """Return the comment about what a gate found.

    Parameters
    ----------
    project : Project
        The package.
    found : mapping
        What :func:`nbfact.harness.versions.gating.run_gate` writes as JSON.

    Returns
    -------
    str

    Examples
    --------
    >>> found = {"exit": 2, "message": "no such version", "cases": []}
    >>> print(comment_of(Project("mypkg"), found))
    <!-- nbfact gate: mypkg -->
    ### `mypkg`: broken
    <BLANKLINE>
    no such version
    <BLANKLINE>
    """
    rows = found["cases"]
    parts = [marker(project) + f"\n### `{project.name}`: {WORDS[found['exit']]}"]
    if found["message"]:
        parts.append(_plain(found["message"]))
    if rows:
        counts = Counter(row["verdict"] for row in rows)
        total = ", ".join(f"{count} {word}" for word, count in counts.items())
        head, base = (_version(found[role]) for role in ("head", "base"))
        parts.append(f"{total}; {head} against {base}.")
    order = [*verdicts.AGAINST, verdicts.INCONCLUSIVE, verdicts.FASTER, verdicts.NEW]
    loud = [row for row in rows if row["verdict"] in order]
    loud.sort(key=lambda row: order.index(row["verdict"]))
    if loud:
        parts.append(_table(loud[:SHOWN]))
    rest = [*loud[SHOWN:], *(row for row in rows if row["verdict"] not in order)]
    if rest:
        few = f"{len(rest)} other case" + "s" * (len(rest) > 1)
        folded = f"<summary>{few}</summary>\n\n{_table(rest)}"
        parts.append(f"<details>{folded}\n\n</details>")
    parts += [_plain(problem) for problem in found.get("problems", ())]
    if rows:
        parts.append(f"<sub>{_about(rows[0])}</sub>")
    text = "\n\n".join(parts) + "\n"
    if len(text) > LONGEST and rest:
        text = comment_of(project, {**found, "cases": loud[:SHOWN]})
        text += f"\n{len(rest)} other cases are in the file of the verdict.\n"
    return text


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of Markdown with a line for each case."""
    lines = [
        "| case | verdict | time, head / base | error | |",
        "|:--|:--|--:|--:|:--|",
    ]
    for row in rows:
        ratio, error = row["ratio"], row["error"]
        time = errors = ""
        if ratio:
            interval = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
            time = f"{ratio['median']:.2f} ({interval})"
        if error:
            base, head = (
                "not finite" if error[role] is None else f"{error[role]:.0e}"
                for role in ("base", "head")
            )
            errors = base if base == head else f"{base} → {head}"
        verdict, message = row["verdict"], row["message"] or ""
        if row.get("waived"):
            verdict += ", waived"
            message = f"{message} {row['waived']}".strip()
        elif verdict in verdicts.AGAINST:
            verdict = f"**{verdict}**"
        cells = f"`{row['case']}`", verdict, time, errors, message
        lines.append("| " + " | ".join(map(_plain, cells)) + " |")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a text as one line that is no markup of a table or of HTML."""
    text = " ".join(text.split()).replace("|", "\\|")
    return text.replace("<", "&lt;").replace("@", "&#64;")


def _version(about: Mapping[str, Any]) -> str:
    """Return the name of a version, with its commit."""
    commit = (about["commit"] or "")[:10] + "+" * bool(about["dirty"])
    return f"`{_plain(about['name'])}`" + (f" ({commit})" if commit else "")


def _about(row: Mapping[str, Any]) -> str:
    """Return on what, and how, the cases were measured."""
    machine = row.get("machine") or {}
    known = machine.get("versions", {})
    packages = [f"{p} {known[p]}" for p in ("python", "numba", "numpy") if p in known]
    threads = f"{row['threads']} thread" + "s" * (row["threads"] > 1)
    about = [machine.get("cpu", "unknown processor"), threads, *packages]
    return (
        "Both were timed in turn in one process; intervals are at 99 %. "
        f"{_plain(', '.join(about))}."
    )
