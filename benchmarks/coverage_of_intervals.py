"""Do intervals hold? ``python benchmarks/coverage_of_intervals.py`` repeats a run.

It runs ``nbfact bench`` several times over the same code, one run after the other, and
counts how often the interval of one run contains the median of the medians that the
other runs found, how many pairs of intervals are disjoint, and how many cases have no
interval. ``--load N`` keeps N processes busy meanwhile. ``--write docs/coverage.csv``
stores what was counted; ``--read docs/coverage.csv`` counts it again.
"""

import argparse
import contextlib
import csv
import itertools
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

FIELDS = "run case load unstable seconds seconds_low seconds_high ratio ratio_low"
FIELDS = (*FIELDS.split(), "ratio_high", "cold", "cold_low", "cold_high", "roof")
"""Columns of the file; what is missing is empty."""

MEASURES = ("seconds", "ratio", "cold")
"""What has an interval."""


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep some processes busy within a ``with`` block."""
    loop = "x = 0\nwhile True: x += 1"
    started = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def measured(run: int, options: Sequence[str]) -> list[dict]:
    """Run ``nbfact bench`` with some options; return what the file has of each case."""
    from nbfact.harness import store

    load = f"{os.getloadavg()[0]:.1f}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        command = [sys.executable, "-m", "nbfact", "bench", *options, "-o", path]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows, _ = store.read_rows(path)
    found = []
    for row in rows:
        one = {"run": run, "case": row["case"], "load": load}
        one |= {"unstable": int(row["unstable"]), "roof": row["roof"]}
        yardstick = row["impl"] == row["yardstick"]
        for name, key in zip(MEASURES, ("time", "ratio", "cold"), strict=True):
            if row[key] and not (name == "ratio" and yardstick):
                one[name] = row[key]["median"]
                one |= {f"{name}_{end}": row[key][end] for end in ("low", "high")}
        found.append(one)
    return found


def counted(rows: Sequence[dict], name: str) -> dict[str, float]:
    """Return the shares that the table shows, of one of :data:`MEASURES`.

    Parameters
    ----------
    rows : sequence of dict
        One for each case of each run: its median and interval under `name`, None where
        it has none.
    name : str
        What has an interval.

    Returns
    -------
    dict
        ``intervals``: how many there are; ``blank``: share of the medians without one;
        ``covered``: share of the intervals that contain the median of the other runs;
        ``disjoint``: share of the pairs of intervals of one case that are disjoint;
        ``width``: median of half an interval over its median.
    """
    cases: dict[str, list[dict]] = {}
    for row in rows:
        if row.get(name) is not None:
            cases.setdefault(row["case"], []).append(row)
    covered, disjoint, widths, blank = [], [], [], []
    for found in cases.values():
        ends = [(row[f"{name}_low"], row[f"{name}_high"]) for row in found]
        known = [pair for pair in ends if None not in pair]
        blank += [None in pair for pair in ends]
        for row, (low, high) in zip(found, ends, strict=True):
            if low is None or high is None or len(found) < 2:
                continue
            others = statistics.median(o[name] for o in found if o is not row)
            covered.append(low <= others <= high)
            widths.append((high - low) / 2 / row[name])
        for (low, high), (low_, high_) in itertools.combinations(known, 2):
            disjoint.append(low > high_ or low_ > high)
    return {
        "intervals": len(covered),
        "blank": _share(blank),
        "covered": _share(covered),
        "disjoint": _share(disjoint),
        "width": statistics.median(widths) if widths else math.nan,
    }


def table(rows: Sequence[dict]) -> list[str]:
    """Return the lines of the table in Markdown."""
    runs = {row["run"]: float(row["load"]) for row in rows}
    cases = len({row["case"] for row in rows})
    roofs = [row["roof"] for row in rows if row["roof"] is not None]
    lines = [
        f"{len(runs)} runs of {cases} cases, load {min(runs.values()):g} to "
        f"{max(runs.values()):g}; largest share of the roof {max(roofs):.2f}",
        "",
        "| of | intervals | contain the median of the other runs | disjoint pairs | "
        "none given | half width |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    titles = {"seconds": "time", "ratio": "ratio to the yardstick", "cold": "cold time"}
    for name in MEASURES:
        found = counted(rows, name)
        shares = (found[key] for key in ("covered", "disjoint", "blank", "width"))
        cells = " | ".join(f"{share:.1%}" for share in shares)
        lines.append(f"| {titles[name]} | {found['intervals']} | {cells} |")
    return lines


def read(path: Path) -> list[dict]:
    """Return the rows of a file that ``--write`` wrote."""
    with open(path, encoding="utf-8", newline="") as file:
        return [
            {key: _value(key, text) for key, text in row.items()}
            for row in csv.DictReader(file)
        ]


def write(path: Path, rows: Sequence[dict]) -> None:
    """Write rows to a file, with four significant digits."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            short = {k: f"{v:.4g}" for k, v in row.items() if isinstance(v, float)}
            writer.writerow(row | short)


def _value(key, text):
    if key == "case" or not text:
        return text or None
    return int(text) if key in ("run", "unstable") else float(text)


def _share(found):
    return sum(found) / len(found) if found else math.nan


def main() -> None:
    """Read the command line, repeat the runs or read them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--load", type=int, default=0, metavar="N")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("-k", dest="pattern", default="n=256")
    parser.add_argument("--processes", type=int, default=9)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--read", type=Path, metavar="FILE")
    asked = parser.parse_args()
    if asked.read:
        rows = read(asked.read)
    else:
        options = ["--profile", asked.profile, "-k", asked.pattern]
        options += ["--processes", str(asked.processes)]
        rows = []
        with busy(asked.load):
            for run in range(asked.runs):
                rows += measured(run, options)
                print(f"run {run + 1} of {asked.runs} done", file=sys.stderr)
        if asked.write:
            write(asked.write, rows)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
