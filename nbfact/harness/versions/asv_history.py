"""Run the asv suite over commits, keep the results, publish asv's pages.

This is a thin layer over asv, whose configuration, environments and files stay as they
are. It adds a name for the machine that stays the same; the versions of packages that
were installed, beside those that were asked for; files that are whole at every moment
and saved after every benchmark (asv alone saves once a commit); and exit codes that are
read from the results (asv exits with 1 both when nothing ran and when something is
wrong):

====  =====================================================================
0     every benchmark of every commit has a result, or does not exist there; or
      there is no new commit for NEW
1     a benchmark failed: its result is wrong, or it raised
2     wrong usage, or nothing ran
130   interrupted; the benchmarks that were finished are stored
====  =====================================================================
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ..._core.files import atomic_path, is_temporary, remove_dead
from ..case import Pattern
from ..machine import fingerprint
from ..project import Project
from .asv_setup import (
    asv_patterns,
    configuration,
    load_asv,
    read_json,
    saving,
    write_machine,
)
from .revisions import SHALLOW, is_shallow

NEW = "NEW"
"""Word for the commits since the last one that has results."""

_PACKAGES = (  # a program that prints what is installed where it runs
    "import json, platform; from importlib import metadata as m; print(json.dumps("
    "[platform.python_version(), {d.name: d.version for d in m.distributions()}]))"
)
_WORKERS = "environments.jsonl"  # what was installed, beside asv's results


def run_history(
    project: Project,
    revisions: Sequence[str] = ("HEAD",),
    *,
    profile: str = "pr",
    quick: bool = False,
    threads: int = 1,
    pythons: Sequence[str] = (),
    requirements: Sequence[str] = (),
    machine: str | None = None,
    pattern: Pattern = None,
    skin: bool = False,
) -> int:
    """Run the suite on commits that lack results, then publish.

    Parameters
    ----------
    project : Project
        The package.
    revisions : sequence of str
        Commits, ranges ``A..B``, or ``NEW``.
    profile : str
        Which list of cases. Results of ``pr`` go where ``asv.conf.json`` says, those of
        the other profiles under ``.asv``.
    quick : bool
        Run each benchmark of the profile ``quick`` once, and keep nothing.
    threads : int
        Number of threads of BLAS, OpenMP and Numba. Each number has an environment of
        its own.
    pythons : sequence of str
        Versions of Python, as ``3.11``; by default the one that runs this.
    requirements : sequence of str
        ``NAME=VERSION[,VERSION...]``, in place of the versions in ``asv.conf.json``. Of
        several versions, all combinations run.
    machine : str or None
        Name of the machine in the results; by default that of
        :func:`nbfact.harness.machine.fingerprint`.
    pattern : str, sequence of str, or None
        Run only the tasks whose name contains it, or matches it as a glob (of several
        patterns, one), and the benchmarks without parameters whose own name does.
    skin : bool
        Put the pages of asv-tachyon over those of asv, which load their scripts from
        the network.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.harness.versions.asv_history`.

    Raises
    ------
    ModuleNotFoundError
        When asv is not installed, or `skin` is asked for and asv-tachyon is not.
    ValueError
        When an argument is wrong, or this is not a clone with an ``asv.conf.json``.
    """
    asv = load_asv(skin)
    conf = configuration(
        asv,
        project,
        profile=profile,
        quick=quick,
        threads=threads,
        pythons=pythons,
        requirements=requirements,
    )
    profile = "quick" if quick else profile
    with contextlib.ExitStack() as stack:
        if quick:
            conf.results_dir = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(_environment(**{project.variable("BENCH"): profile}))
        results = Path(conf.results_dir)
        commits = resolve(revisions, results)
        if not commits and list(revisions) == [NEW]:
            print("nothing new: the last commit has results")
            return 0
        if not commits:
            return _end(project, 2, f"{' '.join(revisions)}: no commit to run")
        machines = Path(conf.env_dir).with_name("machine.json")
        name = write_machine(machines, project, machine)
        folder = results / name
        remove_dead(folder)  # asv would read what a killed process was writing
        options = {
            "range_spec": commits,
            "bench": asv_patterns(pattern, Path(conf.benchmark_dir), profile),
            "quick": quick,
            "machine": name,
            "_machine_file": str(machines),
        }
        try:
            returns = _run_suite(asv, conf, options)
        except asv.UserError as error:
            if "Interrupted" in str(error):
                raise KeyboardInterrupt from None
            return _end(project, 2, f"asv: {error}")
        environments = returns.get("environments", [])
        names = {env.name for env in environments}
        done, failed = tally(folder, commits, names, returns.get("benchmarks", ()))
        if done and not quick:
            _note_installed(folder / _WORKERS, project, commits, environments)
            asv.Publish.run(conf)
            asv.log.flush()
            if skin:
                command = [sys.executable, "-m", "asv_tachyon", "install"]
                subprocess.run([*command, conf.html_dir], check=True)
    for line in failed:
        print(f"FAILED: {line}")
    if not done and not failed:
        return _end(project, 2, "no benchmark ran")
    where = "" if quick else f" in {folder}; pages in {conf.html_dir}"
    many = f"{len(commits)} commit{'s' * (len(commits) > 1)}"
    print(f"{done} points of {many}, failed benchmarks: {len(failed)}{where}")
    return 1 if failed else 0


def _run_suite(asv, conf, options):
    """Run the suite; return what asv leaves in ``_returns``."""
    returns: dict = {}
    # A forked process computes on one thread: see docs/threads.md.
    one = conf.matrix["env_nobuild"].get("NUMBA_NUM_THREADS", ["1"]) == ["1"]
    forks = hasattr(os, "fork") and one
    try:
        with saving(asv, conf.results_dir):
            asv.Run.run(
                conf,
                skip_successful=not options["quick"],
                show_stderr=True,
                pull=False,
                launch_method=None if forks else "spawn",
                _returns=returns,
                **options,
            )
    finally:
        asv.log.flush()
    return returns


def resolve(revisions: Sequence[str], results: Path) -> list[str]:
    """Return the hashes of the commits that a user names.

    Parameters
    ----------
    revisions : sequence of str
        Names as in :func:`run_history`. A range follows first parents only.
    results : path
        Directory of asv's results, in which ``NEW`` looks for commits that have some;
        without any, ``NEW`` is ``HEAD``.

    Raises
    ------
    ValueError
        When there is no such commit here.
    """
    found: list[str] = []
    for revision in revisions:
        if revision == NEW:
            files = [p for p in results.glob("*/*-*.json") if not is_temporary(p)]
            names = {path.name.split("-")[0] for path in files}
            known = [c for n in names if (c := _git("rev-parse", "-q", "--verify", n))]
            commits = _git("rev-list", "--first-parent", "HEAD", "--not", *known)
            commits = commits if known else _git("rev-parse", "HEAD")
        elif ".." in revision or revision.endswith("^!"):
            commits = _git("rev-list", "--first-parent", revision, "--")
        else:
            commits = _git("rev-parse", "-q", "--verify", f"{revision}^{{commit}}")
        if commits is None and is_shallow(Path()):
            raise ValueError(f"{revision}: {SHALLOW}")
        if commits is None:
            raise ValueError(f"{revision}: not a commit or a range of this repository")
        found += commits.split()
    return list(dict.fromkeys(found))


def tally(
    folder: Path,
    commits: Collection[str],
    environments: Collection[str],
    benchmarks: Collection[str],
) -> tuple[int, list[str]]:
    """Count the points that have a value in asv's results, and list what failed.

    Parameters
    ----------
    folder : path
        Folder with the results of one machine.
    commits, environments, benchmarks : collections of str
        Hashes and names of those that count; others are not looked at.

    Returns
    -------
    done : int
        Number of points with a value. A point that was skipped has none, and has not
        failed.
    failed : list of str
        Hash and name of each benchmark that failed at some point.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = '{"a": [[1.0, NaN]], "b": [null], "old": [null]}'
    ...     text = f'{{"commit_hash": "01", "env_name": "e", "results": {results}}}'
    ...     _ = Path(folder, "01-e.json").write_text(text)
    ...     tally(Path(folder), ["01"], ["e"], ["a", "b"])
    (1, ['01 b'])
    """
    done, failed = 0, []
    for path in sorted(folder.glob("*-*.json")):
        if is_temporary(path):
            continue
        content = read_json(path)
        if content["commit_hash"] in commits and content["env_name"] in environments:
            for name in content["results"].keys() & set(benchmarks):
                row = content["results"][name]
                values = row[0] if row and row[0] is not None else [None]
                if None in values:
                    failed.append(f"{content['commit_hash'][:8]} {name}")
                done += sum(value is not None and value == value for value in values)
    return done, sorted(failed)


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Set environment variables within the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _note_installed(path, project, commits, environments):
    """Record what is installed in the environments; asv records what it asked for."""
    rows = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows[row["commit"], row["env"]] = row
    dropped = ("flags", "versions", "blas", "environment", "commit", "dirty")
    here = {k: v for k, v in fingerprint(project).items() if k not in dropped}
    for env in environments:
        text = env.run(["-c", _PACKAGES], dots=False)
        python, packages = json.loads(text.strip().splitlines()[-1])
        for commit in commits:
            rows[commit, env.name] = {
                "commit": commit,
                "env": env.name,
                "python": python,
                "packages": dict(sorted(packages.items())),
                "machine": here,
            }
    with atomic_path(path) as temporary:
        lines = [json.dumps(row) + "\n" for row in rows.values()]
        temporary.write_text("".join(lines), encoding="utf-8")


def _git(*arguments):
    """Return what git prints, None where it fails."""
    done = subprocess.run(("git", *arguments), capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _end(project, code, message):
    """Print why nothing is run; return the exit code."""
    print(f"{project.name} history: {message}", file=sys.stderr)
    return code
