"""History: run the asv suite over commits, keep the results, publish asv's site.

A thin layer over asv, whose configuration, environments and files stay as they are.
What it adds: a name for the machine that stays the same, the versions that were
installed beside those asked for, files that are whole at every moment and saved after
every benchmark (asv alone saves once a commit), and exit codes that say what happened,
read from the results: asv's own is 1 both when nothing ran and when something is wrong.

====  =====================================================================
0     every benchmark of every commit has a result, or does not exist there; there
      is nothing NEW
1     a benchmark failed: its result is wrong, or it raised
2     wrong usage, or nothing ran
130   interrupted; the benchmarks that were finished are stored
====  =====================================================================
"""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

from ..._core.files import atomic_path
from ...cases.registry import PROFILES
from ..machine import fingerprint

CONFIGURATION = Path("asv.conf.json")
NEW = "NEW"
"""In place of a commit: those since the last one that has results."""

_PACKAGES = (
    "import json, platform; from importlib import metadata as m; print(json.dumps("
    "[platform.python_version(), {d.name: d.version for d in m.distributions()}]))"
)
_WORKERS = "environments.jsonl"


def run_history(
    revisions: Sequence[str] = ("HEAD",),
    *,
    profile: str = "pr",
    quick: bool = False,
    threads: int = 1,
    pythons: Sequence[str] = (),
    requirements: Sequence[str] = (),
    machine: str | None = None,
    pattern: str | None = None,
    skin: bool = False,
) -> int:
    """Run the suite on commits that lack results, then publish.

    Parameters
    ----------
    revisions : sequence of str
        Commits, ranges ``A..B``, or ``NEW``.
    profile : {"quick", "pr", "full"}
        Which cases. Results of ``pr`` go where ``asv.conf.json`` says, those of the
        others under ``.asv``.
    quick : bool
        Run each benchmark of the profile ``quick`` once, and keep nothing.
    threads : int
        Of BLAS, OpenMP and Numba: an environment of its own.
    pythons : sequence of str
        Versions, ``3.11``; by default the one that runs this.
    requirements : sequence of str
        ``NAME=VERSION[,VERSION...]``, in place of those in ``asv.conf.json``: with
        several versions, all combinations run.
    machine : str or None
        Its name in the results; by default that of :func:`~.machine.fingerprint`.
    pattern : str or None
        A regular expression: only the benchmarks whose name it matches.
    skin : bool
        Put asv-tachyon's pages over asv's, which read their scripts from the network.

    Returns
    -------
    int
        The exit code, see :mod:`nbfact.harness.versions.asv_history`.

    Raises
    ------
    ModuleNotFoundError
        When asv is not installed, or asv-tachyon and `skin` asks for it.
    ValueError
        When an argument is wrong, or this is not a clone with an ``asv.conf.json``.
    """
    asv = _asv(skin)
    conf = _configuration(asv, profile, quick, threads, pythons, requirements)
    with contextlib.ExitStack() as stack:
        if quick:
            conf.results_dir = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(_environment(NBFACT_BENCH="quick" if quick else profile))
        results = Path(conf.results_dir)
        commits = resolve(revisions, results)
        if not commits and list(revisions) == [NEW]:
            print("nothing new: the last commit has results")
            return 0
        if not commits:
            return _end(2, f"{' '.join(revisions)}: no commit to run")
        name = write_machine(Path(conf.env_dir).with_name("machine.json"), machine)
        folder = results / name
        for partial in folder.glob(".*.json"):  # of a process killed while it wrote
            partial.unlink()
        returns: dict = {}
        try:
            with _saving(asv, conf.results_dir):
                asv.Run.run(
                    conf,
                    range_spec=commits,
                    bench=pattern,
                    quick=quick,
                    machine=name,
                    _machine_file=str(Path(conf.env_dir).with_name("machine.json")),
                    skip_successful=not quick,
                    show_stderr=True,
                    pull=False,
                    launch_method=None if hasattr(os, "fork") else "spawn",
                    _returns=returns,
                )
        except asv.UserError as error:
            if "Interrupted" in str(error):
                raise KeyboardInterrupt from None
            return _end(2, f"asv: {error}")
        finally:
            asv.log.flush()
        environments = returns.get("environments", [])
        names = {env.name for env in environments}
        done, failed = tally(folder, commits, names, returns.get("benchmarks", ()))
        if done and not quick:
            _note_installed(folder / _WORKERS, commits, environments)
            asv.Publish.run(conf)
            asv.log.flush()
            if skin:
                command = [sys.executable, "-m", "asv_tachyon", "install"]
                subprocess.run([*command, conf.html_dir], check=True)
    for line in failed:
        print(f"FAILED: {line}")
    if not done and not failed:
        return _end(2, "no benchmark ran")
    where = "" if quick else f" in {folder}; pages in {conf.html_dir}"
    many = f"{len(commits)} commit{'s' * (len(commits) > 1)}"
    print(f"{done} points of {many}, failed benchmarks: {len(failed)}{where}")
    return 1 if failed else 0


def resolve(revisions: Sequence[str], results: Path) -> list[str]:
    """Return the hashes of commits, those of ranges along first parents.

    Parameters
    ----------
    revisions : sequence of str
        As in :func:`run_history`.
    results : path
        Directory of asv results, where ``NEW`` looks; without any, it is ``HEAD``.

    Raises
    ------
    ValueError
        When there is no such commit here.
    """
    found: list[str] = []
    for revision in revisions:
        if revision == NEW:
            names = {path.name.split("-")[0] for path in results.glob("*/*-*.json")}
            known = [c for n in names if (c := _git("rev-parse", "-q", "--verify", n))]
            commits = _git("rev-list", "--first-parent", "HEAD", "--not", *known)
            commits = commits if known else _git("rev-parse", "HEAD")
        elif ".." in revision or revision.endswith("^!"):
            commits = _git("rev-list", "--first-parent", revision, "--")
        else:
            commits = _git("rev-parse", "-q", "--verify", f"{revision}^{{commit}}")
        if commits is None:
            raise ValueError(f"{revision}: not a commit or a range of this repository")
        found += commits.split()
    return list(dict.fromkeys(found))


def write_machine(path: Path, name: str | None = None) -> str:
    """Write what asv is to know of this machine; return its name.

    asv takes the host's name, which differs on every CI runner, and asks for the rest;
    what it is told becomes parts of paths, so that only what stays the same is told.

    Parameters
    ----------
    path : path
        The file, in the form of ``~/.asv-machine.json``, which is left alone. Entries
        of other machines are kept.
    name : str or None
        By default CPU model and cores.
    """
    found = fingerprint()
    name = name or found["name"]
    if name in ("version", "") or {"/", "\\"} & set(name):
        raise ValueError(f"machine {name!r}; expected a name that a directory can have")
    entries = json.loads(path.read_text()) if path.is_file() else {"version": 1}
    entries[name] = {
        "machine": name,
        "os": platform.system(),
        "arch": platform.machine(),
        "cpu": found["cpu"],
        "num_cpu": str(found["cores"]),
        "ram": str(found.get("memory", "")),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    return name


def tally(
    folder: Path,
    commits: Collection[str],
    environments: Collection[str],
    benchmarks: Collection[str],
) -> tuple[int, list[str]]:
    """Return how many points have a value in asv's result files, and what failed.

    Parameters
    ----------
    folder : path
        Results of one machine.
    commits, environments, benchmarks : collections of str
        Hashes and names of those that count; others are not looked at.

    Returns
    -------
    done : int
        Points with a value; one that was skipped has none, and has not failed.
    failed : list of str
        Hash and name of each benchmark that failed at a point or more.

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
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["commit_hash"] in commits and content["env_name"] in environments:
            for name in content["results"].keys() & set(benchmarks):
                row = content["results"][name]
                values = row[0] if row and row[0] is not None else [None]
                if None in values:
                    failed.append(f"{content['commit_hash'][:8]} {name}")
                done += sum(value is not None and value == value for value in values)
    return done, sorted(failed)


def _asv(skin=False):
    """Return the parts of asv that are used; they are of 0.6.6, which is pinned."""
    try:
        if skin:  # missed before an hour of measurements, not after
            import asv_tachyon  # noqa: F401
        from asv.commands import publish, run
        from asv.config import Config
        from asv.console import log
        from asv.plugin_manager import plugin_manager  # noqa: F401  loads environments
        from asv.util import UserError
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{error.name} is missing; pip install "nbfact[bench]" brings it'
        ) from None
    log.enable()
    return SimpleNamespace(
        run=run,
        Run=run.Run,
        Publish=publish.Publish,
        Config=Config,
        UserError=UserError,
        log=log,
    )


def _configuration(asv, profile, quick, threads, pythons, requirements):
    """Return asv's configuration with what was asked for in place."""
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r}; expected one of {', '.join(PROFILES)}")
    if not CONFIGURATION.is_file():
        raise ValueError(
            f"{CONFIGURATION}: not here; run this at the root of a clone of nbfact"
        )
    conf = asv.Config.load(str(CONFIGURATION))
    limits = conf.matrix["env_nobuild"]
    for name in limits:
        if name.endswith("NUM_THREADS"):
            limits[name] = [str(threads)]
    for requirement in requirements:
        name, _, versions = requirement.partition("=")
        if not (name and versions.strip("=,")):
            raise ValueError(f"{requirement!r}; expected NAME=VERSION[,VERSION...]")
        conf.matrix["req"][name] = versions.strip("=,").split(",")
    if pythons:
        conf.pythons = list(pythons)
    if profile != "pr" and not quick:  # one file cannot hold two sets of parameters
        conf.results_dir = str(Path(conf.env_dir).with_name(f"results-{profile}"))
        conf.html_dir = str(Path(conf.env_dir).with_name(f"html-{profile}"))
    return conf


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Set environment variables, for a while."""
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


@contextlib.contextmanager
def _saving(asv, results_dir) -> Iterator[None]:
    """Make asv save a commit's results after each benchmark, in whole files."""
    Results = asv.run.Results

    class Saved(Results):
        def add_result(self, *args, record_samples=False, **options):
            super().add_result(*args, record_samples=record_samples, **options)
            if not record_samples:  # those of earlier rounds are not done yet
                self.save(results_dir)

        def save(self, result_dir):
            name, path = self._filename, Path(result_dir, self._filename)
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as temporary:
                self._filename = str(Path(name).with_name(temporary.name))
                try:
                    super().save(result_dir)
                finally:
                    self._filename = name

    asv.run.Results = Saved
    try:
        yield
    finally:
        asv.run.Results = Results


def _note_installed(path, commits, environments):
    """Record what the environments hold: asv records what it asked for."""
    rows = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows[row["commit"], row["env"]] = row
    dropped = ("flags", "versions", "blas", "environment", "commit", "dirty")
    here = {k: v for k, v in fingerprint().items() if k not in dropped}
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
    """Return what git prints, or None when it fails."""
    done = subprocess.run(("git", *arguments), capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _end(code, message):
    """Say why it ends here; return the exit code."""
    print(f"nbfact history: {message}", file=sys.stderr)
    return code
