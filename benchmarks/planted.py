"""Does the gate see what it should? ``python benchmarks/planted.py``, in a clone.

Changes are planted into copies of the last commit, those that concern different cases
together, and the gate compares each copy with that commit; what it says about the cases
of a change is its verdict on that change. ``python benchmarks/planted.py --equal 20``
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
from typing import NamedTuple

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

PACKAGE = "nbfact"


class Change(NamedTuple):
    """A change of a file, and the exit code with which the gate should end."""

    title: str
    path: str  # below nbfact/
    new: str  # put in place of `old`, or at the end of the file
    due: int
    about: str  # the pattern of the cases that it concerns
    run: str  # changes with the same letter are planted together
    old: str = ""
    also: tuple[tuple[str, str], ...] = ()  # more files, and what is put at their ends
    turn: int | None = None  # which rotating cases of the profile the gate chooses


def thrice(function):
    """Return code that lets a function of Python do its work three times."""
    return (
        f"_right_{function} = {function}\n\n\n"
        f"def {function}(*arguments, **options):\n"
        "    for _ in range(2):\n"
        f"        _right_{function}(*arguments, **options)\n"
        f"    return _right_{function}(*arguments, **options)\n"
    )


def slow_adjoint(operator, hook):
    """Return code that lets an operator multiply three times by its adjoint.

    The method with the name `hook` multiplies, or returns a function that does.
    """
    return (
        f"_right_adjoint = {operator}._adjoint\n\n\n"
        "def _thrice(call):\n"
        "    def thrice(*arguments, **options):\n"
        "        for _ in range(2):\n"
        "            call(*arguments, **options)\n"
        "        found = call(*arguments, **options)\n"
        "        return _thrice(found) if callable(found) else found\n\n"
        "    return thrice\n\n\n"
        "def _slow(self):\n"
        "    found = _right_adjoint(self)\n"
        f"    vars(found)['{hook}'] = _thrice(found.{hook})  # they are immutable\n"
        "    return found\n\n\n"
        f"{operator}._adjoint = _slow\n"
    )


def changed_calls(body):
    """Return code that changes the functions with which programs multiply.

    They take `arguments`; `call` is the right one, and `dtype` that of the numbers.
    """
    return (
        "_right_multiplier = ProgramOperator._multiplier\n\n\n"
        "def _changed(self, dtype, shape, right=_right_multiplier):\n"
        "    call = right(self, dtype, shape)\n\n"
        "    def multiply(*arguments):\n"
        f"        {body}\n\n"
        "    return multiply\n\n\n"
        "ProgramOperator._multiplier = _changed\n"
    )


def slow_calls(condition):
    """Return code that lets programs multiply three times under a condition."""
    return changed_calls(
        f"return [call(*arguments) for _ in range(3 if {condition} else 1)][-1]"
    )


def slow_product(condition):
    """Return code that lets all operators multiply three times under a condition."""
    return (
        "_right_product = FastOperator._product\n\n\n"
        "def _slow(self, other, *arguments, **options):\n"
        f"    for _ in range(2 if {condition} else 0):\n"
        "        _right_product(self, other, *arguments, **options)\n"
        "    return _right_product(self, other, *arguments, **options)\n\n\n"
        "FastOperator._product = _slow\n"
    )


ONCE_MORE = (
    "_right_planted = planted\n\n\n"
    "def planted(*arguments, random_state=None, **options):\n"
    "    rng = np.random.default_rng(random_state)\n"
    "    rng.random()\n"
    "    return _right_planted(*arguments, random_state=rng, **options)\n"
)
"""Code that lets `targets.planted` draw once more than before."""

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
        about="project_splin n=256",
        run="A",
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
        about="fwht",
        run="A",
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
        about="fwht",
        run="B",
    ),
    Change(
        "a fifth of the sweeps of palm4msa",
        "algorithms/palm/palm4msa.py",
        "_right_palm4msa = palm4msa\n\n\n"
        "def palm4msa(*arguments, n_iter=200, **options):\n"
        "    n_iter = max(1, n_iter // 5)\n"
        "    return _right_palm4msa(*arguments, n_iter=n_iter, **options)\n",
        1,
        about="palm4msa sweeps",
        run="B",
    ),
    Change(
        "`hierarchical` makes half its sweeps",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(*arguments, n_iter=(30, 30), **options):\n"
        "    n_iter = tuple(count // 2 for count in n_iter)\n"
        "    return _right_hierarchical(*arguments, n_iter=n_iter, **options)\n",
        1,
        about="palm4msa hierarchical",
        run="A",
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
        run="C",
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
        about="clustering objective",
        run="A",
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
        about="clustering objective",
        run="B",
    ),
    Change(
        "float32 plans are wrong by 6e-5, under their bound",
        "operators/program_operator.py",
        changed_calls(
            "scale = 1 + 5.9e-5 if dtype == np.float32 else 1\n"
            "        return np.multiply(found := call(*arguments), scale, found)"
        ),
        1,
        about="butterfly plans",
        run="A",
    ),
    Change(
        "a learned butterfly is wrong by 4e-4, under its bound",
        "algorithms/descent/learn_butterfly.py",
        "_right_learn = learn_butterfly\n\n\n"
        "def learn_butterfly(*arguments, **options):\n"
        "    found = _right_learn(*arguments, **options)\n"
        "    object.__setattr__(found, 'operator', found.operator * (1 + 3.9e-4))\n"
        "    return found\n",
        1,
        about="butterfly learned",
        run="A",
    ),
    Change(
        "`targets.planted` draws once more",
        "targets/random_products.py",
        ONCE_MORE,
        0,
        about="palm4msa sweeps",
        run="C",
    ),
    Change(
        "`targets.planted` draws once more, and `palm4msa` does its work three times",
        "targets/random_products.py",
        ONCE_MORE,
        1,
        about="palm4msa sweeps",
        run="A",
        also=(("algorithms/palm/palm4msa.py", thrice("palm4msa")),),
    ),
    Change(
        "`butterfly_factorize` holds seven copies of its target",
        "algorithms/butterfly/butterfly_factorize.py",
        "_right_butterfly_factorize = butterfly_factorize\n\n\n"
        "def butterfly_factorize(target, *arguments, **options):\n"
        "    copies = [target.copy() for _ in range(7)]\n"
        "    found = _right_butterfly_factorize(target, *arguments, **options)\n"
        "    copies.clear()\n"
        "    return found\n",
        1,
        about="butterfly factorize",
        run="B",
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
        about="project_spcol n=256",
        run="B",
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
        run="C",
    ),
    Change(
        "`import nbfact` takes 0.3 s longer",
        "__init__.py",
        "import time\n\ntime.sleep(0.3)\n",
        1,
        about="import",
        run="B",
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
        about="palm4msa hierarchical",
        run="B",
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
        about="palm4msa hierarchical",
        run="C",
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
        about="palm4msa hierarchical",
        run="E",
    ),
    Change(
        "`hierarchical` remembers results by the values of its target",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n"
        "_known = {}\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    key = target.tobytes()\n"
        "    if key not in _known:\n"
        "        _known[key] = _right_hierarchical(target, *arguments, **options)\n"
        "    return _known[key]\n",
        1,
        about="palm4msa hierarchical",
        run="D",
    ),
    Change(
        "operators remember products by the values of x",
        "operators/fast_operator.py",
        "_right_product = FastOperator._product\n\n\n"
        "def _remembered(self, other, *arguments, **options):\n"
        "    key = other.tobytes()\n"
        "    known = self.__dict__.setdefault('_known', {})\n"
        "    if key not in known:\n"
        "        known[key] = _right_product(self, other, *arguments, **options)\n"
        "    return known[key]\n\n\n"
        "FastOperator._product = _remembered\n",
        1,
        about="planted m=256",
        run="D",
    ),
    *(
        Change(f"`{verb}` does its work three times", path, thrice(verb), 1, about, run)
        for verb, path, about, run in (
            ("explore", "algorithms/palm/explore.py", "patterns learned", "A"),
            ("refine", "algorithms/palm/refine.py", "refine", "A"),
            ("learn_transform", "algorithms/learn/learn_transform.py", "learn_", "B"),
        )
    ),
    Change(
        "`nearest_rows` does its work three times",
        "kernels/nearest_search.py",
        "_right_nearest = nearest_rows\n\n\n"
        "@kernel\n"
        "def nearest_rows(centers, x, scratch, labels, scores):\n"
        "    for _ in range(2):\n"
        "        _right_nearest(centers, x, scratch, labels, scores)\n"
        "    return _right_nearest(centers, x, scratch, labels, scores)\n",
        1,
        about="assignment",
        run="A",
    ),
    Change(
        "a product with two thousand rows or more is made three times",
        "operators/fast_operator.py",
        slow_product("len(other) >= 2048"),
        1,
        about="planted m=512",
        run="C",
    ),
    *(
        Change(
            f"a product with {dtype} numbers is made three times",
            "operators/program_operator.py",
            slow_calls(f"dtype == '{dtype}'"),
            1,
            about,
            run,
            turn=turn,
        )
        for dtype, about, run, turn in (
            ("complex64", "butterfly*complex64", "B", None),
            ("complex128", "butterfly*complex128", "B", 1),
            ("float64", "butterfly n=2048*float64", "C", 2),
        )
    ),
    *(
        Change(
            f"a product with the adjoint of a `{operator}` is made three times",
            f"operators/{path}.py",
            slow_adjoint(operator, hook),
            1,
            f"{case} adjoint",
            run,
        )
        for operator, path, case, hook, run in (
            ("Butterfly", "butterfly", "butterfly", "_multiplier", "E"),
            ("FactorProduct", "factor_product", "planted", "_product", "A"),
        )
    ),
    Change(
        "the case of `project_spcol` is gone",
        "cases/projections.py",
        '    "spcol2": (project_spcol,',
        2,
        about="project_spcol n=256",
        run="C",
        old='    "spcol": (project_spcol,',
    ),
    Change(
        "`butterfly_factorize` raises",
        "algorithms/butterfly/butterfly_factorize.py",
        "def butterfly_factorize(*_, **__):\n    raise ArithmeticError\n",
        2,
        about="butterfly factorize",
        run="D",
    ),
    Change(
        "a comment",
        "kernels/_jit.py",
        "# A comment.\n",
        0,
        about="project_splin",
        run="D",
    ),
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
    parser.add_argument("--runs", default="ABCDE", help="letters of runs of changes")
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
