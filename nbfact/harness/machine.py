"""What the machine is: its fingerprint.

Everything here only reads: no setting of the machine is changed and no file is written.
What cannot be read, for want of git or of /proc, is left out and is no error.
"""

import hashlib
import math
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from .project import Project

PACKAGES = ("numba", "llvmlite", "numpy", "scipy", "scikit-learn", "threadpoolctl")
"""Packages on which the time of any numerical code depends; their versions are recorded
with every result."""

THREADS = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
"""Environment variables from which libraries read their number of threads when they are
imported."""

SETTINGS = ("OMP_WAIT_POLICY", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_OPT")
"""Environment variables that change compiled code, or how its threads wait."""

_REVISION = (  # fields of /proc/cpuinfo
    *("cpu family", "model", "stepping"),
    *("CPU implementer", "CPU variant", "CPU part", "CPU revision"),  # ARM
)


def fingerprint(project: Project) -> dict[str, Any]:
    """Return what a time depends on: machine, versions, threads, load, commit.

    Parameters
    ----------
    project : Project
        The package that is measured.

    Returns
    -------
    dict
        ``name``, ``cpu``, ``revision`` (family, model and stepping), ``flags``,
        ``caches``, ``cores`` (those that this process may use), ``memory`` (bytes),
        ``frequency`` (MHz, the highest where it is known), ``hypervisor``,
        ``governor``, ``os``, ``versions``, ``blas``, ``environment``, ``load``,
        ``commit`` and ``dirty``. What cannot be read is absent.

    Notes
    -----
    ``name`` can be part of a file name: the model of the processor, the number of cores
    of the machine, and four digits that distinguish the rest of its hardware: revision,
    caches, gibibytes of memory. It does not depend on the session, the kernel, the name
    of the host, or the number of cores that a process may use. Two machines of one make
    have the same name; the environment variable ``NBFACT_MACHINE`` (of another
    project: its own name in capitals) gives another one.

    Examples
    --------
    >>> from nbfact.cases.nbfact_project import NBFACT
    >>> fingerprint(NBFACT)["versions"]["numpy"] == np.__version__
    True
    """
    cpu = _cpu()
    versions = {project.name: project.version, "python": platform.python_version()}
    for package in (*PACKAGES, *project.packages):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    machine = {
        "name": "",
        **cpu,
        "caches": _caches(),
        "cores": _cores(),
        "memory": _memory(),
        "frequency": _frequency(),
        "hypervisor": _hypervisor(cpu.get("flags", "")),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "os": platform.platform(),
        "versions": versions,
        "blas": _blas(),
        "environment": {
            k: os.environ[k] for k in (*THREADS, *SETTINGS) if k in os.environ
        },
        "load": _load(),
        **_commit(_folder(project)),
    }
    chosen = os.environ.get(project.variable("MACHINE"))
    machine["name"] = _slug(chosen) if chosen else _name(machine)
    return {key: value for key, value in machine.items() if value not in (None, [])}


def last_cache() -> int:
    """Return the bytes of the largest cache of the first core, 32 MiB if unknown.

    Examples
    --------
    >>> last_cache() > 0
    True
    """
    sizes = [cache.rpartition(" ")[2] for cache in _caches()]
    known = [re.fullmatch(r"(\d+)([KMG])", size) for size in sizes]
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return max((int(m[1]) * units[m[2]] for m in known if m), default=32 << 20)


def _name(machine):
    """Return the name of a machine, as described in :func:`fingerprint`."""
    memory = math.ceil((machine["memory"] or 0) / 2**30)
    rest = repr((machine.get("revision"), machine["caches"], memory))
    digits = hashlib.sha256(rest.encode()).hexdigest()[:4]
    return f"{_slug(machine['cpu'])}-{os.cpu_count() or 1}c-{digits}"


def _cpu():
    """Return the model, the revision and the flags of the processor."""
    text = _read("/proc/cpuinfo") or ""
    found = {}
    for key, pattern in (
        ("cpu", r"^(?:model name|Model|cpu model)\s*:\s*(.+)$"),
        ("flags", r"^(?:flags|Features)\s*:\s*(.+)$"),
    ):
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            found[key] = match[1].strip()
    parts = [re.search(rf"^{key}\s*:\s*(\S+)$", text, re.M) for key in _REVISION]
    if any(parts):
        found["revision"] = "-".join(part[1] for part in parts if part)
    if "cpu" not in found and platform.system() == "Darwin":
        found["cpu"] = _run("sysctl", "-n", "machdep.cpu.brand_string")
    if not found.get("cpu"):
        found["cpu"] = platform.processor() or platform.machine() or "unknown"
    return found


def _frequency():
    """Return the highest clock rate in MHz, the present one if it is unknown."""
    most = _read("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")
    if most:
        return round(int(most) / 1000)
    now = re.search(r"^cpu MHz\s*:\s*(\d+)", _read("/proc/cpuinfo") or "", re.M)
    return int(now[1]) if now else None


def _hypervisor(flags):
    """Return what a virtual machine runs on, "unknown" where it hides that."""
    if "hypervisor" not in flags.split():
        return _read("/sys/hypervisor/type")
    names = (
        _read(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")
    )
    known = _read("/sys/hypervisor/type"), *names
    return " ".join(filter(None, known)) or "unknown"


def _caches():
    """Return the caches of the first core, each as ``L1 Data 32K``."""
    folder = Path("/sys/devices/system/cpu/cpu0/cache")
    caches = []
    for index in sorted(folder.glob("index*")):
        parts = [_read(index / name) for name in ("level", "type", "size")]
        if all(parts):
            caches.append("L{} {} {}".format(*parts))
    return caches


def _cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory():
    """Return the bytes of main memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _blas():
    """Return the BLAS libraries loaded: name, version, architecture, threads."""
    from threadpoolctl import threadpool_info

    return [
        {
            "name": info["internal_api"],
            "version": info.get("version"),
            "architecture": info.get("architecture"),
            "threads": info["num_threads"],
        }
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]


def _load():
    """Return the load average of the last minute."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _folder(project):
    """Return the folder of a package, None where none is installed."""
    try:
        return project.folder
    except ModuleNotFoundError:
        return None


def _commit(folder):
    """Return the commit of a package and whether files differ from it, if git knows.

    A repository that does not track the package, such as that of another project in
    which the package is installed, has no commit that says anything about it.
    """
    git = ("git", "-C", str(folder))
    if (
        folder is None
        or _run(*git, "ls-files", "--error-unmatch", "__init__.py") is None
    ):
        return {}
    commit = _run(*git, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return {}
    # With --no-optional-locks the status writes nothing, not even the index.
    changed = _run(
        *git, "--no-optional-locks", "status", "--porcelain", "-uno", "--", "."
    )
    date = _run(*git, "show", "-s", "--format=%cI", "HEAD")
    return {"commit": commit, "commit_date": date, "dirty": bool(changed)}


def _run(*command):
    """Return what a command prints, or None where it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def _read(path):
    """Return the text of a file, or None where it is empty or cannot be read."""
    try:
        return Path(path).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _slug(text):
    """Return a text in the form that file names can have.

    Examples
    --------
    >>> _slug("Intel(R) Core(TM) i7-1185G7 @ 3.00GHz")
    'intel-core-i7-1185g7'
    """
    text = re.sub(r"\((R|TM|C)\)|@.*|\b(CPU|Processor)\b", " ", text, flags=re.I)
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unknown"
