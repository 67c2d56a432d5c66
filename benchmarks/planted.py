"""Does the gate see what it should? ``python -m benchmarks.planted``, in a clone.

Changes are planted into copies of the last commit, those that concern different cases
together, and the gate compares each copy with that commit; what it says about the cases
of a change is its verdict on that change. ``python -m benchmarks.planted --equal 20``
compares the commit with itself 20 times; with ``--thirds``, each time with another
third of the groups of cases. Both print a table in Markdown.
"""

import argparse
import collections
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .planted_changes import CHANGES

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

PACKAGE = "nbfact"

QUIET = ("same", "not slower", "faster", "new")
"""Verdicts that are not printed."""


def changed(text, change):
    """Return the text of a file with a change.

    Raises
    ------
    ValueError
        When the file does not contain what the change replaces.
    """
    if change.old and change.old not in text:
        raise ValueError(f"{change.path}: does not hold {change.old!r}")
    if change.old:
        return text.replace(change.old, change.new, 1)
    return f"{text}\n\n{change.new}" if change.new else text


def planted(folder, changes):
    """Write the last commit with some changes into a folder; return the folder."""
    from nbfact.cases.nbfact_project import NBFACT
    from nbfact.harness.versions.revisions import resolve

    for name, content in resolve("HEAD", NBFACT).files.items():
        target = folder / PACKAGE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for change in changes:
        path = folder / PACKAGE / change.path
        path.write_text(changed(path.read_text(), change))
        for other, new in change.also:
            path = folder / PACKAGE / other
            path.write_text(f"{path.read_text()}\n\n{new}")
    for turn in {change.turn for change in changes} - {None}:
        _turned(folder, turn)
    return folder


def _turned(folder, turn):
    """Add a comment to a version with which the gate chooses the cases of a turn."""
    from nbfact.cases.nbfact_project import NBFACT
    from nbfact.cases.registry import TURNS
    from nbfact.harness.versions.revisions import resolve

    path = folder / PACKAGE / "__init__.py"
    text = path.read_text()
    for number in itertools.count():
        path.write_text(f"{text}\n# {number}\n")
        if int(resolve(str(folder), NBFACT).digest[:8], 16) % len(TURNS) == turn:
            return


def gated(head, options, pattern=None, same=False):
    """Gate a version against the last commit; return what the verdict file says."""
    from nbfact.cases.nbfact_project import NBFACT
    from nbfact.harness.versions.gating import run_gate

    with tempfile.TemporaryDirectory() as folder:
        verdict = Path(folder, "gate.json")
        start = time.perf_counter()
        run_gate(
            NBFACT,
            "HEAD",
            str(head),
            profile=options.profile,
            pattern=pattern,
            output=verdict,
            same=same,
        )
        found = json.loads(verdict.read_text())
    return {**found, "seconds": time.perf_counter() - start}


def show_changes(options):
    """Plant the changes of each run together; print what the gate says about each."""
    from nbfact.harness.case import matches
    from nbfact.harness.versions.verdicts import exit_code

    wrong = 0
    lines = ["| change | due | exit | what the gate says |", "|:--|--:|--:|:--|"]
    chosen = [
        change
        for change in CHANGES
        if options.only in change.title and change.run in options.runs
    ]
    for run in sorted({change.run for change in chosen}):
        changes = [change for change in chosen if change.run == run]
        patterns = [change.about for change in changes]
        with tempfile.TemporaryDirectory() as folder:
            found = gated(planted(Path(folder), changes), options, patterns)
        for change in changes:
            rows = [r for r in found["cases"] if matches(r["task"], change.about)]
            code = exit_code(rows)
            bad = [row for row in rows if row["verdict"] not in QUIET]
            said = [f"{row['verdict']}: {row['group']}{_ratio(row)}" for row in bad[:3]]
            said += [f"{len(bad) - 3} more"] * (len(bad) > 3)
            words = "; ".join(said) or found["message"] or "all the same"
            lines.append(f"| {change.title} | {change.due} | {code} | {words} |")
            print(lines[-1], flush=True)
            wrong += change.due != code
    print("", *lines, sep="\n")
    return wrong


def _ratio(row):
    return f" {row['ratio']['median']:.2f}" if row["verdict"] == "slower" else ""


def show_equal(options):
    """Compare the commit with itself, many times; print how often it was called so."""
    from nbfact.cases.registry import registry

    groups = list(dict.fromkeys(case.group for case in registry("pr", turn=0)))
    thirds = [[f"{group} *" for group in groups[i::3]] for i in range(3)]
    runs = []
    for number in range(options.equal):
        pattern = thirds[number % 3] if options.thirds else options.pattern
        runs.append(gated("HEAD", options, pattern, same=True))
        print(number, runs[-1]["exit"], round(runs[-1]["seconds"]), flush=True)
    cases = [row for run in runs for row in run["cases"]]
    ratios = [row["ratio"]["median"] for row in cases if row["ratio"]]
    seconds = sorted(run["seconds"] for run in runs)
    codes = collections.Counter(run["exit"] for run in runs)
    verdicts = collections.Counter(row["verdict"] for row in cases)
    print("\n| runs | exit codes | verdicts | ratios | seconds a run |")
    print("|--:|:--|:--|:--|:--|")
    print(
        f"| {len(runs)} | {_counts(codes)} | {_counts(verdicts)} | "
        f"{min(ratios):.3f} to {max(ratios):.3f} | {seconds[0]:.0f} to "
        f"{seconds[-1]:.0f}, median {seconds[len(seconds) // 2]:.0f} |"
    )
    return codes.total() - codes[0]


def _counts(counter):
    return ", ".join(f"{count} x {name}" for name, count in counter.items())


def main():
    """Run one of the two; exit with the number of outcomes that were not due."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--equal", type=int, default=0, metavar="RUNS")
    parser.add_argument(
        "--only", default="", help="only changes with this in the title"
    )
    parser.add_argument("--runs", default="ABCDEF", help="letters of runs of changes")
    parser.add_argument("--thirds", action="store_true")
    parser.add_argument("--profile", default="pr")
    parser.add_argument("-k", "--pattern", default=None)
    options = parser.parse_args()
    differs = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", PACKAGE])
    if differs.returncode:
        sys.exit(f"{PACKAGE}/ differs from the last commit: commit first")
    sys.exit(show_equal(options) if options.equal else show_changes(options))


if __name__ == "__main__":
    main()
