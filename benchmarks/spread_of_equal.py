"""How near do equal versions come to the limits? Reads files of A/A runs.

``python benchmarks/spread_of_equal.py runs/compare-*.jsonl`` reads the samples that
``python -m benchmarks.planted --equal N`` has left, and prints, for each metric with a
limit, in how many batches of processes it was measured, by how much the head exceeded
the base at most, the largest share of its limit that the head reached, and how many
batches made a finding, which fresh processes must confirm before it counts.
"""

import collections
import math
import sys
from pathlib import Path

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.


def batches(paths):
    """Yield (check, rows) for each case in each batch of some files."""
    from nbfact.harness import store

    for path in paths:
        found = collections.defaultdict(list)
        for row in store.read_rows(path)[0]:
            if row["kind"] == "pair" and not row["failed"] and not row["changed"]:
                found[row["case"], row["batch"]].append(row)
        for rows in found.values():
            checks = [row for row in rows if "allocations" in row]
            timed = [row for row in rows if "logs" in row]
            if checks and timed:
                yield checks[-1], timed


def imports(paths):
    """Yield the CPU seconds of the import, of base and head, in each file."""
    from nbfact.harness import store

    for path in paths:
        for row in store.read_rows(path)[0]:
            if row["kind"] == "verdict" and row["task"].startswith("import "):
                yield row["first"]["base"], row["first"]["head"]


def values(check, rows):
    """Yield (metric, base, head) of what a batch compares by a limit."""
    from nbfact.harness.versions import findings

    allocated = check["allocations"]
    for name in findings.MEMORY:
        base, head = (allocated[role].get(name) for role in ("base", "head"))
        if None not in (base, head):
            yield name, base, head
    for clock, name in enumerate(("first call, CPU", "first call, wall")):
        least = {
            role: min(row["first"][role][clock] for row in rows)
            for role in ("base", "ctrl", "head")
        }
        yield name, min(least["base"], least["ctrl"]), least["head"]


def table(paths):
    """Return the lines of the table in Markdown."""
    from nbfact.harness.versions import findings

    limits = {name: limit for name, (limit, _) in findings.MEMORY.items()}
    limits |= dict.fromkeys(("first call, CPU", "first call, wall"), findings.FIRST)
    limits["import, CPU"] = findings.IMPORT
    seen = collections.defaultdict(list)
    for check, rows in batches(paths):
        for name, base, head in values(check, rows):
            seen[name].append((base, head))
    seen["import, CPU"] = list(imports(paths))
    lines = [
        "| metric | batches | head / base at most | head - base at most | "
        "largest share of the limit | findings |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for name, pairs in seen.items():
        shares = [head / most if (most := _most(base, limits[name])) else math.inf
                  for base, head in pairs if head]  # fmt: skip
        ratios = [head / base for base, head in pairs if base]
        cells = (
            f"{max(ratios, default=math.nan):.2f}",
            f"{max(head - base for base, head in pairs):.3g}",
            f"{max(shares, default=0):.2f}",
            sum(share > 1 for share in shares),
        )
        lines.append(f"| {name} | {len(pairs)} | {' | '.join(map(str, cells))} |")
    return lines


def _most(base, limit):
    times, plus = limit
    return times * base + plus


if __name__ == "__main__":
    print("\n".join(table([Path(name) for name in sys.argv[1:]])))
