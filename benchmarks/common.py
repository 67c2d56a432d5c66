"""What the benchmark classes share: they are made from the registry, one for a group.

asv takes the parameters from the newest commit of a run, and passes only their
positions to an older one. Therefore they are in a file, ``points.json``, which ``python
-m benchmarks.common`` makes from the registry of today (a test compares the two), and
never depend on the version of nbfact that is measured. A case that this version does
not have is skipped.
"""

import functools
import importlib
import importlib.util
import itertools
import json
import math
import os
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np


def module_of(*places: str):
    """Return the first of some modules of nbfact that exists.

    asv runs the suite of today with older versions of nbfact, whose harness and
    registry were in nbfact/bench.
    """
    for place in places[:-1]:
        try:
            return importlib.import_module(f"nbfact.{place}")
        except ModuleNotFoundError as error:
            if not f"nbfact.{place}".startswith(error.name):
                raise  # the module exists, and something that it imports does not
    return importlib.import_module(f"nbfact.{places[-1]}")


cases = module_of("cases.registry", "bench.cases")
_case = module_of("harness.case", "bench.case")
DENSE, Case = _case.DENSE, _case.Case
interleave = module_of("harness.sample", "bench.sample").interleave

POINTS = Path(__file__).with_name("points.json")
PROFILES = ("quick", "pr", "nightly", "full")

VERSIONS: dict[str, str] = {}
"""Versions, other than "1", of groups whose workload has changed; asv then drops
their old results."""

SPARSE = 4
"""Least number of combinations of parameters for each case at which a group has a
single axis of tasks instead of an axis for each parameter: where 500 rows go with some
sets and 32 rows with others, most combinations would be empty."""


def profile() -> str:
    """Return the profile that ``NBFACT_BENCH`` names, "pr" unless it is set."""
    name = os.environ.get("NBFACT_BENCH") or "pr"
    if name not in PROFILES:
        raise ValueError(f"NBFACT_BENCH={name}; expected one of {', '.join(PROFILES)}")
    return name


def points(registry: Iterable[Case]) -> dict[str, dict]:
    """Return what asv must know of cases: for each group its class, names and values.

    The cases are those of nbfact, of the dense product and of SciPy. Rivals are there
    only where they are installed, and parameters must not depend on that; and the times
    of references written in NumPy have no history worth keeping.
    """
    found: dict[str, dict] = {}
    for case in registry:
        if case.impl.startswith(("nbfact", "dense", "scipy")):
            new = {
                "class": class_name(case.group),
                "names": [*case.params],
                "impls": {},
            }
            group = found.setdefault(case.group, new)
            values = list(case.params.values())
            group["impls"].setdefault(case.impl, []).append(values)
    return found


def class_name(group: str) -> str:
    """Return the name of the class of a group: Palm4msaSweeps for "palm4msa sweeps"."""
    words = group.replace("_", " ").split()
    return "".join(word[0].upper() + word[1:] for word in words)


@functools.cache
def installed() -> dict[tuple, Case]:
    """Return every case of the nbfact that is measured, by group, parameters and impl.

    Registries of older commits had a flag in place of profiles, and some had a list of
    cases for asv.
    """
    if hasattr(cases, "PROFILES"):
        found = [case for name in cases.PROFILES for case in cases.registry(name)]
    else:
        found = [*cases.registry(quick=True), *cases.registry(quick=False)]
        found += cases.suite() if hasattr(cases, "suite") else []
    return {key(case.group, case.params, case.impl): case for case in found}


def key(group: str, params: dict, impl: str) -> tuple:
    """Return the key of a case in :func:`installed`."""
    return group, tuple(sorted(params.items())), impl


@functools.cache
def allocations_module():
    """Return today's module that counts allocations, which older nbfact do not have."""
    path = Path(__file__).parents[1] / "nbfact" / "harness" / "allocations.py"
    spec = importlib.util.spec_from_file_location("allocations_of_today", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Axes:
    """The parameters of a group as asv needs them: axes, and holes in their product.

    Parameters
    ----------
    group : dict
        A group from :func:`points`.
    """

    def __init__(self, group: dict):
        self.names = [*group["names"], "impl"]
        self.points = [
            (*values, impl) for impl, rows in group["impls"].items() for values in rows
        ]
        columns = zip(*((p[:-1]) for p in self.points), strict=True)
        product = math.prod(len(set(column)) for column in columns)
        tasks = len({p[:-1] for p in self.points})
        self.sparse = tasks * SPARSE < product

    def select(self, keep: Callable[[dict], bool]) -> dict[str, list]:
        """Return ``param_names``, ``params`` and ``skip_params`` for some points."""
        chosen = [p for p in self.points if keep(self.named(p))]
        if not chosen:
            return {}
        if self.sparse:
            shown = [(self.task(p), p[-1]) for p in chosen]
            names = ["task", "impl"]
        else:
            shown, names = chosen, self.names
        params = [list(dict.fromkeys(column)) for column in zip(*shown, strict=True)]
        holes = [p for p in itertools.product(*params) if p not in set(shown)]
        return {"param_names": names, "params": params, "skip_params": holes}

    def find(self, values: tuple) -> dict:
        """Return the parameters and ``impl`` of the point that asv calls."""
        if self.sparse:
            values = next(
                p for p in self.points if (self.task(p), p[-1]) == tuple(values)
            )
        return self.named(values)

    def named(self, point: tuple) -> dict:
        return dict(zip(self.names, point, strict=True))

    def task(self, point: tuple) -> str:
        pairs = zip(self.names[:-2], point[:-2], strict=True)
        return " ".join([*(f"{k}={v}" for k, v in pairs), point[-2]])


class Benchmark:
    """Prepare one case, check its result, and leave it warm as ``self.call``."""

    rounds = 1  # with two, a run that is killed in the first keeps nothing

    def setup(self, *values):
        self.point = self.axes.find(values)
        self.case = self.installed_case(self.point["impl"])
        self.inputs = self.case.make(np.random.default_rng(0))
        self.call = self.case.prepare(self.inputs)
        want = self.case.reference(self.inputs)
        self.error = self.case.error(self.call(), want)
        if not self.error <= self.case.bound:
            raise ValueError(
                f"{self.case.name}: error {self.error:.2e}, bound {self.case.bound:.2e}"
            )

    def installed_case(self, impl: str) -> Case:
        """Return the case of an implementation of the task.

        Raises
        ------
        NotImplementedError
            When the nbfact that is measured has no such case; asv then skips it.
        """
        params = {k: v for k, v in self.point.items() if k != "impl"}
        found = installed().get(key(self.group, params, impl))
        if found is None:
            raise NotImplementedError(f"no case {self.group} {params} [{impl}]")
        return found


def run(self, *_):
    """Make the call that is timed."""
    self.call()


def rel_error(self, *_):
    """Return the relative error, or four units in the last place if that is more.

    Changes of smaller errors are rounding, and asv would report them as regressions.
    """
    eps = np.finfo(self.case.params["dtype"]).eps
    return float(f"{max(self.error, 4 * float(eps)):.3g}")


def ratio_to_dense(self, *_):
    """Return ratios of the time to that of the dense product, from paired samples."""
    dense = self.installed_case(DENSE)
    calls = {"fast": self.call, "dense": dense.prepare(self.inputs)}
    times = interleave(calls, budget=0.3)
    # asv computes a median and an interval from samples, as for times.
    ratios = times["fast"] / times["dense"]
    return {"samples": [float(f"{r:.3g}") for r in ratios], "number": 1}


def allocs(self, *_):
    """Return one plus the number of blocks that Numba's runtime allocates in one call.

    One is added because asv takes the ratio to an earlier value, which may be zero.
    """
    return 1 + allocations_module().allocations(self.call)["count"]


def peak_bytes(self, *_):
    """Return the most bytes of arrays that one call holds at once.

    asv's own ``peakmem_`` is the peak of the process, most of which is LLVM compiling.
    """
    tracemalloc.start()
    try:
        self.call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


rel_error.unit = "relative error"
ratio_to_dense.unit = "x dense time"
allocs.unit = "allocations + 1"
peak_bytes.unit = "bytes"


def classes(module: str, wanted: Callable[[str, dict], bool]) -> dict[str, type]:
    """Return the benchmark classes of some groups of the profile, by name.

    Parameters
    ----------
    module : str
        ``__name__`` of the module in which they will be.
    wanted : callable
        ``wanted(group, names)`` returns whether the class of a group is wanted, given
        the names of its parameters.

    Returns
    -------
    dict of str to type
        Classes named after their groups, see :func:`class_name`.
    """
    stored = json.loads(POINTS.read_text(encoding="utf-8"))[profile()]
    made = {}
    for group, content in stored.items():
        if wanted(group, content["names"]):
            name = content["class"]
            axes = Axes(content)
            made[name] = type(
                name,
                (Benchmark,),
                {
                    "__module__": module,
                    "__doc__": f"The group {group!r} of the registry.",
                    "version": VERSIONS.get(group, "1"),
                    "group": group,
                    "axes": axes,
                    **dict(_methods(axes)),
                },
            )
    return made


def _methods(axes: Axes) -> Iterator[tuple[str, Callable]]:
    """Yield the benchmarks of a group, each where it says something."""
    products = "batch" in axes.names
    dense = any(point[-1] == DENSE for point in axes.points)
    fewest = min(axes.named(p).get("batch", 0) for p in axes.points)
    projections = axes.points[0][-1].startswith("nbfact project")
    to_error = "to" in axes.names
    last = axes.named(axes.points[-1])  # one task is enough to measure memory

    def own(point):
        return point["impl"].startswith("nbfact")

    def few(point):  # with more columns a call allocates the same
        return own(point) and point["batch"] == fewest

    time = "time_to_tolerance" if to_error else "time_apply"
    # The code of NumPy and SciPy is no history of ours, and none of its changes ours.
    yield from _method(time, run, axes, own)
    # Whether a projection is right, or an error is reached, is checked in setup.
    if not projections and not to_error:
        yield from _method("track_rel_error", rel_error, axes, own)
    if dense:
        yield from _method("track_ratio_to_dense", ratio_to_dense, axes, own)
        yield from _method("track_allocs", allocs, axes, few)
    if not products and not projections and not to_error:
        yield from _method("track_peak_bytes", peak_bytes, axes, last.__eq__)


def _method(name, body, axes, keep):
    """Yield a method with its own axes, unless it has no points."""
    if chosen := axes.select(keep):

        @functools.wraps(body)
        def method(self, *values):
            return body(self, *values)

        method.__name__ = name
        vars(method).update(chosen)
        yield name, method


def write_points() -> str:
    """Return the text of ``points.json`` for the registry of today."""
    lines = []
    for name in PROFILES:
        groups = points(cases.registry(name))
        rows = [
            f"  {json.dumps(group)}: {json.dumps(content)}"
            for group, content in groups.items()
        ]
        lines.append(f" {json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    POINTS.write_text(write_points(), encoding="utf-8")
