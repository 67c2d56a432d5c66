"""What the machine is, and how fast it can be: fingerprint and calibration.

Everything here only reads: no setting is changed, no file written, and a part that
cannot be read (no git, no /proc) is left out, never an error.
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

import numpy as np

from ..cases.rivals.peers import PACKAGES

_PACKAGES = ("numba", "llvmlite", "numpy", "scipy", "scikit-learn", "threadpoolctl")
THREADS = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
"""Environment variables that numbers of threads are read from, at import."""

_REVISION = (
    *("cpu family", "model", "stepping"),
    *("CPU implementer", "CPU variant", "CPU part", "CPU revision"),  # ARM
)

WORKING_SETS = (256 << 10, 1 << 20, 4 << 20, 16 << 20, 96 << 20)
"""Bytes touched by each measurement of bandwidth: from a second-level cache to main
memory, on most machines."""

UNSTABLE = 0.2

_GEMM_ORDER = 768


def fingerprint() -> dict:
    """Return what a time depends on: machine, versions, threads, load, commit.

    Returns
    -------
    dict
        ``name``, ``cpu``, ``revision`` (family, model and stepping), ``flags``,
        ``caches``, ``cores`` (that this process may use), ``memory``, ``frequency``
        (MHz, the highest where known), ``hypervisor``, ``governor``, ``os``,
        ``versions``, ``blas``, ``environment``, ``load``, ``commit`` and ``dirty``.
        What cannot be read is absent.

    Notes
    -----
    ``name`` is usable in a file name: the model of the processor, the cores of the
    machine, and four digits that tell apart what else is of its hardware: revision,
    caches, gibibytes of memory. It does not change with a session, a kernel, the
    host's name or the cores a process is given; two machines of one make share it.
    ``NBFACT_MACHINE`` in the environment is taken instead, for those.

    Examples
    --------
    >>> fingerprint()["versions"]["numpy"] == np.__version__
    True
    """
    from .. import __version__

    cpu = _cpu()
    versions = {"nbfact": __version__, "python": platform.python_version()}
    for package in (*_PACKAGES, *PACKAGES):
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
            k: os.environ[k] for k in (*THREADS, "OMP_WAIT_POLICY") if k in os.environ
        },
        "load": _load(),
        **_commit(Path(__file__).parent),
    }
    machine["name"] = _name(machine)
    return {key: value for key, value in machine.items() if value not in (None, [])}


def calibrate(seconds: float = 2.0) -> dict:
    """Measure what the machine can do: bandwidth and rate of matrix products.

    Parameters
    ----------
    seconds : float
        For all measurements together; of each, the best repetition counts. On a
        machine that is busy meanwhile they come out low, and roofs above 100 %.

    Returns
    -------
    dict
        ``bandwidth``: list of [bytes touched, bytes per second], one for each of
        :data:`WORKING_SETS`, the better of ``np.add`` (two reads, one write) and
        ``np.dot`` (two reads); ``gemm``: flop/s of a product of order 768, by dtype
        (float32, float64); ``spread``: by how much, relatively, the best repetitions of
        the two halves of the time differ, at most; ``unstable``: whether that is more
        than :data:`UNSTABLE`, as on a machine that is busy.

    Examples
    --------
    >>> calibrate(0.001)["gemm"]["float32"] > 0
    True
    """
    calls = {}
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
    unstable = spread > UNSTABLE
    return {
        "bandwidth": bandwidth,
        "gemm": gemm,
        "spread": round(spread, 3),
        "unstable": unstable,
    }


def roof_time(calibration: dict, size: int, flops: int, dtype: str) -> float:
    """Return the seconds this machine would need, were it all bandwidth and GEMM.

    Parameters
    ----------
    calibration : dict
        From :func:`calibrate`.
    size : int
        Bytes that must move, each counted once.
    flops : int
        Real operations; a complex product is six and a sum two.
    dtype : str
        Chooses the rate: complex numbers are counted in their real parts.

    Returns
    -------
    float
        The larger of size / bandwidth and flops / rate, with the bandwidth measured
        on the working set nearest in size. A case far smaller than the smallest of
        them may sit in a faster cache than that.

    Examples
    --------
    >>> roof_time({"bandwidth": [[100, 1e9]], "gemm": {"float32": 1e9}}, 10, 0, "float32")
    1e-08
    """  # noqa: E501
    pairs = calibration["bandwidth"]
    bandwidth = min(pairs, key=lambda pair: abs(math.log(pair[0] / max(size, 1))))[1]
    single = dtype in ("float32", "complex64")
    rate = calibration["gemm"]["float32" if single else "float64"]
    return max(size / bandwidth, flops / rate)


def _best(calls, seconds):
    """Return the shortest time of each call, repeated in turn for ``seconds``.

    In turn: a neighbour busy for a moment then spoils a few times of each, not all the
    times of one. Every turn gives a call a hundredth of a second, or one repetition.
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
    """Return the name of a machine; see :func:`fingerprint`."""
    given = os.environ.get("NBFACT_MACHINE")
    if given:
        return _slug(given)
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
    """Return MHz: the highest where it is told, else that of the moment."""
    most = _read("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")
    if most:
        return round(int(most) / 1000)
    now = re.search(r"^cpu MHz\s*:\s*(\d+)", _read("/proc/cpuinfo") or "", re.M)
    return int(now[1]) if now else None


def _hypervisor(flags):
    """Return what a virtual machine runs on, "unknown" where it does not say."""
    if "hypervisor" not in flags.split():
        return _read("/sys/hypervisor/type")
    names = (
        _read(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")
    )
    told = _read("/sys/hypervisor/type"), *names
    return " ".join(filter(None, told)) or "unknown"


def _caches():
    """Return the caches of the first core, as ``L1 Data 32K``."""
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
    """Return the commit and whether files differ from it, when git tracks us.

    A package installed inside another project's repository is not tracked by it: that
    project's commit says nothing about us.
    """
    git = ("git", "-C", str(folder))
    if _run(*git, "ls-files", "--error-unmatch", "machine.py") is None:
        return {}
    commit = _run(*git, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return {}
    # --no-optional-locks: a status that writes nothing, not even the index.
    changed = _run(
        *git, "--no-optional-locks", "status", "--porcelain", "-uno", "--", ".."
    )
    return {"commit": commit, "dirty": bool(changed)}


def _run(*command):
    """Return what a command prints, or None when it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def _read(path):
    """Return the text of a file, or None."""
    try:
        return Path(path).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _slug(text):
    """Return text usable in a file name: ``AMD EPYC 7B13 @ 2.4GHz`` to amd-epyc-7b13.

    Examples
    --------
    >>> _slug("Intel(R) Core(TM) i7-1185G7 @ 3.00GHz")
    'intel-core-i7-1185g7'
    """
    text = re.sub(r"\((R|TM|C)\)|@.*|\b(CPU|Processor)\b", " ", text, flags=re.I)
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unknown"
