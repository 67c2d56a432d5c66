"""What the machine is, and how fast it can be: fingerprint and calibration.

Everything here only reads: no setting of the machine is changed and no file is written.
What cannot be read, for want of git or of /proc, is left out and is no error.
"""

import functools
import hashlib
import math
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

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

WORKING_SETS = (256 << 10, 1 << 20, 4 << 20, 16 << 20, 96 << 20)
"""Bytes touched by each measurement of bandwidth: they range, on most machines, from a
second-level cache to main memory."""

UNSTABLE = 0.2
"""Relative difference of two calibrations within seconds above which the machine is
called unstable, because other programs use it."""

_REVISION = (  # fields of /proc/cpuinfo
    *("cpu family", "model", "stepping"),
    *("CPU implementer", "CPU variant", "CPU part", "CPU revision"),  # ARM
)

_GEMM_ORDER = 768  # order of the matrix product that is timed: 14 MB in float64


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
        **_commit(project.folder),
    }
    chosen = os.environ.get(project.variable("MACHINE"))
    machine["name"] = _slug(chosen) if chosen else _name(machine)
    return {key: value for key, value in machine.items() if value not in (None, [])}


def calibrate(seconds: float = 2.0) -> dict[str, Any]:
    """Measure what the machine can do: its bandwidth and its rate of matrix products.

    Parameters
    ----------
    seconds : float
        Time for all measurements together. The best repetition of each counts; on a
        machine that is busy meanwhile rates come out low, and shares of the roof
        exceed 100 %.

    Returns
    -------
    dict
        ``bandwidth``: list of [bytes touched, bytes per second], one pair for each of
        :data:`WORKING_SETS`, the better of ``np.add`` (two reads, one write) and
        ``np.dot`` (two reads). ``gemm``: operations per second of a matrix product of
        order 768, by dtype (float32, float64). ``spread``: the largest relative
        difference between the best repetitions of the first and the second half of
        the time. ``unstable``: whether that exceeds :data:`UNSTABLE`.

    Examples
    --------
    >>> calibrate(0.001)["gemm"]["float32"] > 0
    True
    """
    calls: dict[tuple[str, int | str], functools.partial] = {}
    for size in WORKING_SETS:
        a, b, c = (np.ones(size // 24) for _ in range(3))
        calls["add", size] = functools.partial(np.add, a, b, out=c)
        a, b = np.ones(size // 16), np.ones(size // 16)
        calls["dot", size] = functools.partial(np.dot, a, b)
    for dtype in ("float32", "float64"):
        x = np.ones((_GEMM_ORDER, _GEMM_ORDER), dtype)
        calls["gemm", dtype] = functools.partial(np.matmul, x, x, np.empty_like(x))
    halves = [_best(calls, seconds / 2) for _ in range(2)]
    spread = max(abs(math.log(halves[0][name] / halves[1][name])) for name in calls)
    spread = math.expm1(spread)
    best = {name: min(half[name] for half in halves) for name in calls}
    bandwidth = [
        [size, size / min(best["add", size], best["dot", size])]
        for size in WORKING_SETS
    ]
    gemm = {
        dtype: 2 * _GEMM_ORDER**3 / best["gemm", dtype]
        for dtype in ("float32", "float64")
    }
    return {
        "bandwidth": bandwidth,
        "gemm": gemm,
        "spread": round(spread, 3),
        "unstable": spread > UNSTABLE,
    }


def roof_time(calibration: dict, size: int, flops: int, dtype: str) -> float:
    """Return the least time in which this machine could do a computation, in seconds.

    Parameters
    ----------
    calibration : dict
        What the machine can do, from :func:`calibrate`.
    size : int
        Bytes that must move, each counted once.
    flops : int
        Real operations; a complex product counts as six and a complex sum as two.
    dtype : str
        Dtype whose rate is taken: complex numbers count as pairs of real ones.

    Returns
    -------
    float
        The larger of size / bandwidth and flops / rate, with the bandwidth measured on
        the working set whose size is nearest. A case far smaller than the smallest
        working set may lie in a faster cache than that.

    Examples
    --------
    >>> calibration = {"bandwidth": [[100, 1e9]], "gemm": {"float32": 1e9}}
    >>> roof_time(calibration, 10, 0, "float32")
    1e-08
    """
    pairs = calibration["bandwidth"]
    bandwidth = min(pairs, key=lambda pair: abs(math.log(pair[0] / max(size, 1))))[1]
    single = dtype in ("float32", "complex64")
    rate = calibration["gemm"]["float32" if single else "float64"]
    return max(size / bandwidth, flops / rate)


def _best(calls, seconds):
    """Return the shortest time of each call, when all are repeated for ``seconds``.

    The calls take turns of a hundredth of a second, or of one repetition, so that a
    program that is busy for a moment spoils a few times of each call and not all the
    times of one.
    """
    best = dict.fromkeys(calls, math.inf)
    stop = perf_counter() + seconds
    turn = 0
    while turn < 2 or perf_counter() < stop:
        for name, call in calls.items():
            end = perf_counter() + 0.01
            while True:
                start = perf_counter()
                call()
                now = perf_counter()
                best[name] = min(best[name], now - start)
                if now > end:
                    break
        turn += 1
    return best


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


def _commit(folder):
    """Return the commit of a package and whether files differ from it, if git knows.

    A repository that does not track the package, such as that of another project in
    which the package is installed, has no commit that says anything about it.
    """
    git = ("git", "-C", str(folder))
    if _run(*git, "ls-files", "--error-unmatch", "__init__.py") is None:
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
