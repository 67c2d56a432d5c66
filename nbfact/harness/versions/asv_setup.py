"""What asv is given: its configuration, a machine, the benchmarks to run, a writer.

The parts of asv that are used are those of version 0.6.6, which is pinned.
"""

import contextlib
import fnmatch
import json
import platform
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..._core.files import atomic_path
from ..case import Pattern, matches, patterns, task_name
from ..machine import fingerprint
from ..project import Project

CONFIGURATION = Path("asv.conf.json")
"""asv's configuration, at the root of a clone."""

POINTS = "points.json"
"""File in the folder of the benchmarks that lists, for each profile, the groups of
tasks: their class, the names of their parameters, and the values by implementation."""


def load_asv(skin: bool = False) -> SimpleNamespace:
    """Import asv; return the parts of it that are used.

    Parameters
    ----------
    skin : bool
        Whether asv-tachyon must be installed too, which is found missing before an hour
        of measurements and not after.

    Raises
    ------
    ModuleNotFoundError
        When one of them is not installed; the message says how to install it.
    """
    try:
        if skin:
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


def configuration(
    asv: SimpleNamespace,
    project: Project,
    *,
    profile: str = "pr",
    quick: bool = False,
    threads: int = 1,
    pythons: Sequence[str] = (),
    requirements: Sequence[str] = (),
) -> Any:
    """Return asv's configuration, changed as the arguments demand.

    Parameters
    ----------
    asv : namespace
        From :func:`load_asv`.
    project : Project
        The package.
    profile, quick, threads, pythons, requirements
        As in :func:`nbfact.harness.versions.asv_history.run_history`.

    Raises
    ------
    ValueError
        When an argument is wrong, or there is no configuration here.
    """
    project.check_profile(profile)
    if not CONFIGURATION.is_file():
        raise ValueError(
            f"{CONFIGURATION}: not here; run this at the root of a clone of "
            f"{project.name}"
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


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of asv; raise a ValueError that names it."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: not a JSON file of asv; remove it")
    return content


def write_machine(path: Path, project: Project, name: str | None = None) -> str:
    """Write what asv must know of this machine; return the name of the machine.

    asv would take the name of the host, which differs on every CI runner, and ask for
    the rest. What it knows becomes parts of paths, so that only what stays the same is
    written.

    Parameters
    ----------
    path : path
        The file, in the form of ``~/.asv-machine.json``, which is not touched. Entries
        of other machines are kept.
    project : Project
        The package.
    name : str or None
        By default that of :func:`nbfact.harness.machine.fingerprint`.
    """
    found = fingerprint(project)
    name = name or str(found["name"])
    if name in ("version", "") or {"/", "\\"} & set(name):
        raise ValueError(f"machine {name!r}; expected a name that a directory can have")
    entries: dict[str, Any] = read_json(path) if path.is_file() else {"version": 1}
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


def asv_patterns(pattern: Pattern, folder: Path, profile: str) -> list[str] | None:
    """Return regular expressions that select in asv the tasks that match a pattern.

    Parameters
    ----------
    pattern : str, sequence of str, or None
        As in :func:`nbfact.harness.case.matches`.
    folder : path
        Folder of the benchmarks. Without :data:`POINTS` in it, nothing is known of
        tasks, and `pattern` itself is the regular expression.
    profile : str
        Name of the list of cases.

    Returns
    -------
    list of str or None
        One expression for each task, and one for the benchmarks without parameters,
        which measure no task and are selected by their own name. None selects all.

    Notes
    -----
    asv searches the expressions in ``bench_products.Hadamard.time_apply(1024, 64,
    'float32', 'nbfact chain')``: the class stands for the group, values for parameters,
    and the last one for the implementation. Groups with few combinations of values have
    in place of them one text, ``'m=48 n=512 float64'``.
    """
    wanted = patterns(pattern)
    if not wanted:
        return None
    path = folder / POINTS
    if not path.is_file():
        return wanted
    groups = json.loads(path.read_text(encoding="utf-8"))[profile]
    globs = [fnmatch.translate(f"*{one}*") for one in wanted]
    found = dict.fromkeys(rf"(?i)^(?!.*\(){glob}" for glob in globs)
    for group, content in groups.items():
        for rows in content["impls"].values():
            for values in rows:
                params = dict(zip(content["names"], values, strict=True))
                task = task_name(group, params)
                if matches(task, pattern):
                    one = re.escape(repr(task.removeprefix(f"{group} ")))
                    several = re.escape(", ".join(map(repr, values)))
                    name = content["class"]
                    found[rf"\.{name}\.\w+\((?:{several}|{one}), [^,]*\)$"] = None
    return list(found)


@contextlib.contextmanager
def saving(asv: SimpleNamespace, results_dir: str) -> Iterator[None]:
    """Make asv save the results of a commit after each benchmark, in whole files.

    Parameters
    ----------
    asv : namespace
        From :func:`load_asv`. Its class of results is replaced within the block.
    results_dir : str
        Directory of asv's results.
    """
    results: Any = asv.run.Results

    class SavedResults(results):
        _filename: str  # set by asv

        def add_result(self, *args, record_samples=False, **options):
            super().add_result(*args, record_samples=record_samples, **options)
            if not record_samples:  # samples of earlier rounds are not complete yet
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

    asv.run.Results = SavedResults
    try:
        yield
    finally:
        asv.run.Results = results
