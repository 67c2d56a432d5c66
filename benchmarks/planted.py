"""Does the gate see what it should? ``python benchmarks/planted.py``, in a clone.

Changes are planted into copies of the last commit, one at a time; the gate compares
each with that commit. ``python benchmarks/planted.py --equal 20`` compares the commit
with itself. Both print a table in Markdown; ``--profile`` and ``-k`` choose the cases.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nbfact.harness.versions.gating import run_gate
from nbfact.harness.versions.revisions import resolve

CHANGES = [
    (
        "`project_splin` does three rows in ten twice",
        "kernels/projections.py",
        "    for i in range(m):\n        write_moduli(x[i], moduli)\n"
        "        low, high, left",
        "    for step in range(m + m * 3 // 10):\n        i = step % m\n"
        "        write_moduli(x[i], moduli)\n        low, high, left",
        1,
    ),
    (
        "`fwht` transforms a quarter once more, aside",
        "kernels/hadamard.py",
        "    _transform(x, x.size, _base(x, x.size), True)\n",
        "    part = x[: x.size // 4].copy()\n"
        "    _transform(part, part.size, _base(part, part.size), True)\n"
        "    _transform(x, x.size, _base(x, x.size), True)\n",
        1,
    ),
    (
        "`fwht` is wrong by 1e-5: a hundred times its error",
        "kernels/hadamard.py",
        "    _transform(x, x.size, _base(x, x.size), True)\n",
        "    _transform(x, x.size, _base(x, x.size), True)\n    x[0] *= 1.0003\n",
        1,
    ),
    (
        "a fifth of the sweeps of palm4msa",
        "algorithms/palm4msa.py",
        "for iteration in range(1, n_iter + 1):",
        "for iteration in range(1, max(1, n_iter // 5) + 1):",
        1,
    ),
    (
        "the case of `project_spcol` is gone",
        "bench/steps.py",
        '    "spcol": (project_spcol,',
        '    "spcol2": (project_spcol,',
        2,
    ),
    (
        "`butterfly_factorize` raises",
        "algorithms/butterfly.py",
        "def butterfly_factorize(",
        "def butterfly_factorize(*_, **__):\n    raise ArithmeticError\n\n\n"
        "def _butterfly_factorize(",
        2,
    ),
    ("nothing", "__init__.py", "", "", 0),
    ("a comment", "kernels/_jit.py", '"""How', '# A comment.\n"""How', 0),
]
"""What it is, where, the text that it replaces, by what, and the exit code due."""


def planted(folder, path, old, new):
    """Write the last commit with one change in a folder; return the folder."""
    for name, content in resolve("HEAD").files.items():
        target = folder / "nbfact" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    changed = folder / "nbfact" / path
    text = changed.read_text()
    if old not in text:
        raise ValueError(f"{path}: does not hold {old!r}")
    changed.write_text(text.replace(old, new, 1))
    return folder


def gated(head, options):
    """Gate a version against the last commit; return what the verdict file says."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = Path(folder, "gate.json")
        start = time.perf_counter()
        run_gate("HEAD", str(head), options.profile, options.k, output=verdict)
        told = json.loads(verdict.read_text())
    return {**told, "seconds": time.perf_counter() - start}


def show_changes(options):
    """Plant every change; print what the gate says of it."""
    wrong = 0
    lines = ["| change | due | exit | what the gate says |", "|:--|--:|--:|:--|"]
    for title, path, old, new, due in CHANGES:
        if options.only not in title:
            continue
        with tempfile.TemporaryDirectory() as folder:
            told = gated(planted(Path(folder), path, old, random_state=new), options)
        found = [row for row in told["cases"] if row["verdict"] not in ("same", "new")]
        said = [f"{row['verdict']}: {row['group']}{_ratio(row)}" for row in found[:3]]
        said += [f"{len(found) - 3} more"] * (len(found) > 3)
        said = "; ".join(said) or "all the same"
        lines.append(f"| {title} | {due} | {told['exit']} | {said} |")
        print(lines[-1], flush=True)
        wrong += due != told["exit"]
    print("", *lines, sep="\n")
    return wrong


def _ratio(row):
    return f" {row['ratio']['median']:.2f}" if row["verdict"] == "slower" else ""


def show_equal(options):
    """Compare the commit with itself, many times; print how often it was called so."""
    told = [gated("HEAD", options) for _ in range(options.equal)]
    cases = [row for run in told for row in run["cases"]]
    ratios = [row["ratio"]["median"] for row in cases if row["ratio"]]
    seconds = sorted(run["seconds"] for run in told)
    codes = collections.Counter(run["exit"] for run in told)
    verdicts = collections.Counter(row["verdict"] for row in cases)
    print("\n| runs | exit codes | verdicts | ratios | seconds a run |")
    print("|--:|:--|:--|:--|:--|")
    print(
        f"| {len(told)} | {_counts(codes)} | {_counts(verdicts)} | "
        f"{min(ratios):.3f} to {max(ratios):.3f} | {seconds[0]:.0f} to "
        f"{seconds[-1]:.0f}, median {seconds[len(seconds) // 2]:.0f} |"
    )
    return codes.total() - codes[0]


def _counts(counter):
    return ", ".join(f"{count} x {name}" for name, count in counter.items())


def main():
    """Run one of the two; exit with how many outcomes were not due."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--equal", type=int, default=0, metavar="RUNS")
    parser.add_argument("--only", default="", metavar="WORDS", help="of a change")
    parser.add_argument("--profile", default="pr")
    parser.add_argument("-k", default=None, metavar="PATTERN")
    options = parser.parse_args()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "nbfact"])
    if changed.returncode:
        sys.exit("nbfact/ differs from the last commit: commit first")
    sys.exit(show_equal(options) if options.equal else show_changes(options))


if __name__ == "__main__":
    main()
