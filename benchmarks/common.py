"""What the benchmark classes share: made from the registry, one class a group.

asv asks the newest commit of a run for the parameters, and sends an older one their
positions only. So they stand in a file, ``points.json``, made from the registry of
today by ``python -m benchmarks.common`` (a test compares the two), and never depend on
the version of nbfact that is measured. A case that version does not have is skipped.
"""

import functools
import importlib.util
import itertools
import json
import math
import os
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from nbfact.cases import registry as cases
from nbfact.harness.case import DENSE, Case
from nbfact.harness.sample import interleave

POINTS = Path(__file__).with_name("points.json")
PROFILES = ("quick", "pr", "full")

VERSIONS: dict[str, str] = {}
"""Of groups whose workload has changed, beyond "1"; asv then drops old results."""

SPARSE = 4
"""Groups with fewer than one case in so many combinations of their parameters have one
axis of tasks instead: 500 rows go with these sets, 32 with those."""


def profile() -> str:
    """Return the profile that ``NBFACT_BENCH`` names, "pr" unless it is set."""
    name = os.environ.get("NBFACT_BENCH") or "pr"
    if name not in PROFILES:
        raise ValueError(f"NBFACT_BENCH={name}; expected one of {', '.join(PROFILES)}")
    return name


def points(registry: Iterable[Case]) -> dict[str, dict]:
    """Return what asv needs to know of cases: by group, names and values.

    Ours, dense and SciPy's. Rivals come and go with what is installed, parameters must
    not; and the times of references written in NumPy have no history worth keeping.
    """
    found: dict[str, dict] = {}
    for case in registry:
        if case.impl.startswith(("nbfact", "dense", "scipy")):
            group = found.setdefault(case.group, {"names": [*case.params], "impls": {}})
            values = list(case.params.values())
            group["impls"].setdefault(case.impl, []).append(values)
    return found


@functools.cache
def installed() -> dict[tuple, Case]:
    """Return every case of the nbfact that is measured, by group, parameters and impl.

    The shim for the registries of older commits: they had a flag for profiles, and
    some a list of its own for asv.
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
    """Return the module that counts allocations: today's, older nbfact have none."""
    path = Path(__file__).parents[1] / "nbfact" / "harness" / "allocations.py"
    spec = importlib.util.spec_from_file_location("allocations_of_today", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Axes:
    """The parameters of a group, as asv wants them: axes, and holes in their product.

    Parameters
    ----------
    group : dict
        Of :func:`points`.
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
        """Return ``param_names``, ``params`` and ``skip_params`` of some points."""
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
        """Return the parameters and ``impl`` of what asv calls with these values."""
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

    rounds = 1  # with two, a run that is killed in the first would keep nothing

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
        """Return another implementation of the task; asv skips one that is not there.

        Raises
        ------
        NotImplementedError
            When the nbfact that is measured has no such case.
        """
        params = {k: v for k, v in self.point.items() if k != "impl"}
        found = installed().get(key(self.group, params, impl))
        if found is None:
            raise NotImplementedError(f"no case {self.group} {params} [{impl}]")
        return found


def run(self, *_):
    """Do what is timed."""
    self.call()


def rel_error(self, *_):
    """Return the error, four units in the last place at least.

    Below that, changes are rounding's, and asv would report them as regressions.
    """
    eps = np.finfo(self.case.params["dtype"]).eps
    return float(f"{max(self.error, 4 * float(eps)):.3g}")


def ratio_to_dense(self, *_):
    """Return ratios of our time to the dense product's, of interleaved samples."""
    dense = self.installed_case(DENSE)
    calls = {"ours": self.call, "dense": dense.prepare(self.inputs)}
    times = interleave(calls, budget=0.3)
    # With samples asv computes a median and an interval, as for times.
    ratios = times["ours"] / times["dense"]
    return {"samples": [float(f"{r:.3g}") for r in ratios], "number": 1}


def allocs(self, *_):
    """Return the blocks that Numba's runtime allocates in one call, and one more.

    The one more: asv takes a ratio to what it was before, which may have been none.
    """
    return 1 + allocations_module().allocations(self.call)["count"]


def peak_bytes(self, *_):
    """Return the most bytes of arrays that one call holds at once.

    Not asv's ``peakmem_``, which is that of the process: mostly LLVM compiling.
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
        ``__name__`` of where they will stand.
    wanted : callable
        ``wanted(group, names of its parameters)``.

    Returns
    -------
    dict of str to type
        Named after the groups: ``palm4msa sweeps`` is ``Palm4msaSweeps``.
    """
    stored = json.loads(POINTS.read_text(encoding="utf-8"))[profile()]
    made = {}
    for group, content in stored.items():
        if wanted(group, content["names"]):
            name = "".join(
                word[0].upper() + word[1:] for word in group.replace("_", " ").split()
            )
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
    """Yield the benchmarks of a group: each where it says something."""
    products = "batch" in axes.names
    dense = any(point[-1] == DENSE for point in axes.points)
    fewest = min(axes.named(p).get("batch", 0) for p in axes.points)
    projections = axes.points[0][-1].startswith("nbfact project")
    to_error = "to" in axes.names
    last = axes.named(axes.points[-1])  # one task tells of memory

    def ours(point):
        return point["impl"].startswith("nbfact")

    def few(point):  # with more columns a call allocates the same
        return ours(point) and point["batch"] == fewest

    time = "time_to_tolerance" if to_error else "time_apply"
    yield from _method(time, run, axes, lambda point: True)
    # A projection is right or not, and one that reaches an error has it: see setup.
    if not projections and not to_error:
        yield from _method("track_rel_error", rel_error, axes, ours)
    if dense:
        yield from _method("track_ratio_to_dense", ratio_to_dense, axes, ours)
        yield from _method("track_allocs", allocs, axes, few)
    if not products and not projections and not to_error:
        yield from _method("track_peak_bytes", peak_bytes, axes, last.__eq__)


def _method(name, body, axes, keep):
    """Yield a method with axes of its own, unless it would have no points."""
    if chosen := axes.select(keep):

        @functools.wraps(body)
        def method(self, *values):
            return body(self, *values)

        method.__name__ = name
        vars(method).update(chosen)
        yield name, method


def write_points() -> str:
    """Return the text of ``points.json`` for the registry of this nbfact."""
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
