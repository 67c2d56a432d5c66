"""Does the gate see what it should? ``python benchmarks/planted.py``, in a clone.

Changes are planted into copies of the last commit, one at a time, and the gate compares
each copy with that commit. ``python benchmarks/planted.py --equal 20`` compares the
commit with itself 20 times. Both print a table in Markdown; ``--profile`` and ``-k``
choose the cases. Without ``-k``, a change is gated with the cases that it may concern;
``-k ""`` gates it with all.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

PACKAGE = "nbfact"


class Change(NamedTuple):
    """A change of one file, and the exit code with which the gate should end."""

    title: str
    path: str  # below nbfact/
    new: str  # put in place of `old`, or at the end of the file
    due: int
    old: str = ""
    about: str | None = None  # the pattern of the cases that it may concern


QUIET = ("same", "not slower", "faster", "new")
"""Verdicts that are not printed."""

CHANGES = [
    Change(
        "`project_splin` does three rows in ten twice",
        "kernels/sparse_projections.py",
        "_right_splin = project_splin\n\n\n"
        "@kernel\n"
        "def project_splin(x, k, tie_tol=0.0):\n"
        "    again = x[: 3 * len(x) // 10].copy()\n"
        "    _right_splin(again, k, tie_tol)\n"
        "    _right_splin(x, k, tie_tol)\n",
        1,
    ),
    Change(
        "`fwht` transforms a quarter once more, aside",
        "kernels/walsh_hadamard.py",
        "_right_fwht = fwht\n\n\n"
        "@kernel\n"
        "def fwht(x):\n"
        "    part = x[: x.size // 4].copy()\n"
        "    _right_fwht(part)\n"
        "    _right_fwht(x)\n",
        1,
    ),
    Change(
        "`fwht` is wrong by 1e-5: a hundred times its error",
        "kernels/walsh_hadamard.py",
        "_right_fwht = fwht\n\n\n"
        "@kernel\n"
        "def fwht(x):\n"
        "    _right_fwht(x)\n"
        "    x[0] *= 1.0003\n",
        1,
    ),
    Change(
        "a fifth of the sweeps of palm4msa",
        "algorithms/palm/palm4msa.py",
        "_right_palm4msa = palm4msa\n\n\n"
        "def palm4msa(*arguments, n_iter=200, **options):\n"
        "    n_iter = max(1, n_iter // 5)\n"
        "    return _right_palm4msa(*arguments, n_iter=n_iter, **options)\n",
        1,
    ),
    Change(
        "`hierarchical` makes half its sweeps",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(*arguments, n_iter=(30, 30), **options):\n"
        "    n_iter = tuple(count // 2 for count in n_iter)\n"
        "    return _right_hierarchical(*arguments, n_iter=n_iter, **options)\n",
        1,
        about="hierarchical",
    ),
    Change(
        "`fwht` is wrong by 5e-15, under its bound",
        "kernels/walsh_hadamard.py",
        "_right_fwht = fwht\n\n\n"
        "@kernel\n"
        "def fwht(x):\n"
        "    _right_fwht(x)\n"
        "    x *= x.dtype.type(1 + 5e-15)\n",
        1,
        about="fwht",
    ),
    Change(
        "`QuicKMeans` returns its first centers",
        "estimators/quick_kmeans.py",
        "_right_fit = QuicKMeans.fit\n\n\n"
        "def _unfitted(self, *arguments, **options):\n"
        "    _right_fit(self, *arguments, **options)\n"
        "    self.cluster_centers_ = np.asarray(self.init)\n"
        "    return self\n\n\n"
        "QuicKMeans.fit = _unfitted\n",
        1,
        about="clustering",
    ),
    Change(
        "`QuicKMeans` returns one center many times",
        "estimators/quick_kmeans.py",
        "_right_fit = QuicKMeans.fit\n\n\n"
        "def _one(self, *arguments, **options):\n"
        "    _right_fit(self, *arguments, **options)\n"
        "    self.cluster_centers_ = np.tile(\n"
        "        self.cluster_centers_.mean(axis=0), (len(self.cluster_centers_), 1)\n"
        "    )\n"
        "    return self\n\n\n"
        "QuicKMeans.fit = _one\n",
        1,
        about="clustering",
    ),
    Change(
        "`targets.planted` draws once more: both get the inputs of the base",
        "targets/random_products.py",
        "_right_planted = planted\n\n\n"
        "def planted(*arguments, random_state=None, **options):\n"
        "    rng = np.random.default_rng(random_state)\n"
        "    rng.random()\n"
        "    return _right_planted(*arguments, random_state=rng, **options)\n",
        0,
        about="palm4msa sweeps",
    ),
    Change(
        "`butterfly_factorize` holds seven copies of its target",
        "algorithms/butterfly/butterfly_factorize.py",
        "_right_butterfly_factorize = butterfly_factorize\n\n\n"
        "def butterfly_factorize(target, *arguments, **options):\n"
        "    copies = [np.array(target) for _ in range(7)]\n"
        "    found = _right_butterfly_factorize(target, *arguments, **options)\n"
        "    copies.clear()\n"
        "    return found\n",
        1,
        about="butterfly factorize",
    ),
    Change(
        "`project_spcol` allocates 255 small blocks",
        "kernels/sparse_projections.py",
        "_right_spcol = project_spcol\n\n\n"
        "@kernel\n"
        "def project_spcol(x, k, tie_tol=0.0):\n"
        "    for _ in range(255):\n"
        "        x[0, 0] += 0 * np.ones(2)[1]\n"
        "    _right_spcol(x, k, tie_tol)\n",
        1,
        about="project_",
    ),
    Change(
        "the first `butterfly_factorize` takes two seconds longer",
        "algorithms/butterfly/butterfly_factorize.py",
        "_right_butterfly_factorize = butterfly_factorize\n"
        "_called = []\n\n\n"
        "def butterfly_factorize(*arguments, **options):\n"
        "    import time\n\n"
        "    if not _called:\n"
        "        _called.append(time.sleep(2))\n"
        "    return _right_butterfly_factorize(*arguments, **options)\n",
        1,
        about="butterfly factorize",
    ),
    Change(
        "`import nbfact` takes 0.3 s longer",
        "__init__.py",
        "import time\n\ntime.sleep(0.3)\n",
        1,
        about="project_",
    ),
    Change(
        "`hierarchical` sleeps for 0.05 s",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(*arguments, **options):\n"
        "    import time\n\n"
        "    time.sleep(0.05)\n"
        "    return _right_hierarchical(*arguments, **options)\n",
        1,
        about="hierarchical",
    ),
    Change(
        "`hierarchical` remembers results by `id(target)`",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n"
        "_known = {}\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    if id(target) not in _known:\n"
        "        found = _right_hierarchical(target, *arguments, **options)\n"
        "        _known[id(target)] = found, target\n"
        "    return _known[id(target)][0]\n",
        1,
        about="hierarchical",
    ),
    Change(
        "`hierarchical` differs from run to run",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    import numpy as np\n\n"
        "    rng = np.random.default_rng()\n"
        "    jitter = 1 + 2e-16 * rng.integers(0, 3, target.shape)\n"
        "    return _right_hierarchical(target * jitter, *arguments, **options)\n",
        1,
        about="hierarchical",
    ),
    *(
        Change(
            f"`{verb}` does its work three times",
            path,
            f"_right_{verb} = {verb}\n\n\n"
            f"def {verb}(*arguments, **options):\n"
            "    for _ in range(2):\n"
            f"        _right_{verb}(*arguments, **options)\n"
            f"    return _right_{verb}(*arguments, **options)\n",
            1,
            about=about,
        )
        for verb, path, about in (
            ("explore", "algorithms/palm/explore.py", "patterns learned"),
            ("refine", "algorithms/palm/refine.py", "refine"),
            ("learn_transform", "algorithms/learn/learn_transform.py", "learn_"),
        )
    ),
    Change(
        "the adjoint of a butterfly, many columns, is multiplied three times",
        "kernels/dyadic_columns.py",
        "_right_range = multiply_column_range\n\n\n"
        "@kernel\n"
        "def multiply_column_range(twiddle, x, out, begin, end, last):\n"
        "    for _ in range(2 * last):\n"
        "        _right_range(twiddle, x, out, begin, end, last)\n"
        "    _right_range(twiddle, x, out, begin, end, last)\n",
        1,
        about="adjoint",
    ),
    Change(
        "the case of `project_spcol` is gone",
        "cases/projections.py",
        '    "spcol2": (project_spcol,',
        2,
        old='    "spcol": (project_spcol,',
    ),
    Change(
        "`butterfly_factorize` raises",
        "algorithms/butterfly/butterfly_factorize.py",
        "def butterfly_factorize(*_, **__):\n    raise ArithmeticError\n",
        2,
    ),
    Change("nothing", "__init__.py", "", 0),
    Change("a comment", "kernels/_jit.py", "# A comment.\n", 0),
]


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


def planted(folder, change):
    """Write the last commit with one change into a folder; return the folder."""
    from nbfact.cases.nbfact_project import NBFACT
    from nbfact.harness.versions.revisions import resolve

    for name, content in resolve("HEAD", NBFACT).files.items():
        target = folder / PACKAGE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    path = folder / PACKAGE / change.path
    path.write_text(changed(path.read_text(), change))
    return folder


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
    """Plant every change; print what the gate says about it."""
    wrong = 0
    lines = ["| change | due | exit | what the gate says |", "|:--|--:|--:|:--|"]
    for change in CHANGES:
        if options.only not in change.title:
            continue
        with tempfile.TemporaryDirectory() as folder:
            pattern = change.about if options.pattern is None else options.pattern
            found = gated(planted(Path(folder), change), options, pattern)
        bad = [row for row in found["cases"] if row["verdict"] not in QUIET]
        said = [f"{row['verdict']}: {row['group']}{_ratio(row)}" for row in bad[:3]]
        said += [f"{len(bad) - 3} more"] * (len(bad) > 3)
        words = "; ".join(said) or found["message"] or "all the same"
        lines.append(f"| {change.title} | {change.due} | {found['exit']} | {words} |")
        print(lines[-1], flush=True)
        wrong += change.due != found["exit"]
    print("", *lines, sep="\n")
    return wrong


def _ratio(row):
    return f" {row['ratio']['median']:.2f}" if row["verdict"] == "slower" else ""


def show_equal(options):
    """Compare the commit with itself, many times; print how often it was called so."""
    runs = [
        gated("HEAD", options, options.pattern, same=True) for _ in range(options.equal)
    ]
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
    parser.add_argument("--profile", default="pr")
    parser.add_argument("-k", "--pattern", default=None)
    options = parser.parse_args()
    differs = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", PACKAGE])
    if differs.returncode:
        sys.exit(f"{PACKAGE}/ differs from the last commit: commit first")
    sys.exit(show_equal(options) if options.equal else show_changes(options))


if __name__ == "__main__":
    main()
