"""Cases of palm4MSA: sweeps, presets, lead fields, and the time to a given error.

There is no exact result to compare with. Errors are those of the approximation that
each implementation finds, and where two make the same sweeps, the error of nbfact may
not be worse. All implementations make the same number of sweeps, from their default
start. The yardstick is pyfaust where it is installed and affordable, else the algorithm
of the paper in NumPy (:mod:`nbfact.cases.rivals.numpy_palm`), else nbfact.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import targets
from ..algorithms import Preset, hierarchical, palm4msa, rectmat
from ..algorithms.palm.presets import named_preset
from ..constraints import Constraint
from ..harness.case import Case
from .palm_problems import CURVES, REACHES, K, Shape, gaussian, planted, splin_sets
from .rivals import faust, peers
from .rivals import numpy_palm as paper

OURS, NUMPY = "nbfact", "numpy"
"""Implementations: nbfact, and the algorithm of the paper in NumPy."""

RIVALS = {f"pyfaust {backend}": backend for backend in faust.BACKENDS}
"""Backends of pyfaust, by the name of the implementation."""

YARDSTICK = "pyfaust 2020"
"""Preferred yardstick: mostly the faster of pyfaust's two backends."""

SCALING = "sweep"
"""When λ is fitted where sweeps are compared one by one: after each sweep, because the
other implementations do so."""

SWEEPS = 5
"""Number of sweeps of `sweep_cases`."""

LEVELS = (30, 30)
"""Numbers of sweeps of each split and each refinement of a preset, as in pyfaust."""

SLACK = 1.05
"""Largest error that nbfact may have, as a multiple of the least error of the others.
With three factors and more, the iterates of two implementations diverge by rounding;
the largest ratio seen in 200 sweeps was 1.02."""

DEFAULT_SLACK = 1.01
"""Largest error with default options, which are others than those of the others, as a
multiple of the least error of these."""

FOUND, NEARLY = 1e-10, 1e-3
"""Relative errors at which a preset has found its transform, for nbfact and for the
other implementations. FAµST's 2016 backend and the scaling of the paper lose digits as
n grows (they reach 2.5e-6 and 4e-6 at n = 256); they are timed nevertheless."""

# Largest problem of each implementation, in entries of the target. The Hadamard matrix
# of order 512 takes pyfaust 2020 about 100 s a call, a 204x8193 lead field some
# minutes.
HADAMARD_MAX = {NUMPY: 256**2, "pyfaust 2016": 256**2, "pyfaust 2020": 512**2}
RECTMAT_MAX = {NUMPY: 204 * 8193, "pyfaust 2016": 64 * 2048}

_Prepare = Callable[[np.ndarray], Callable[[], np.ndarray]]


@dataclass(frozen=True)
class PalmProblem:
    """What one task factors, and how each of its implementations does it.

    Attributes
    ----------
    group, params : str, dict
        Group and parameters of the cases, without the dtype.
    shape : (int, int)
        Shape of the target.
    make : callable
        ``make(rng)`` returns the target.
    ours, numpy : callable
        ``prepare(target)`` of nbfact and of the paper's algorithm in NumPy.
    pyfaust : callable
        ``prepare(target, backend)`` of pyfaust.
    updates : int
        Number of updates of a factor, from which bytes and operations are counted.
    nnz : int or None
        Number of non-zeros of all factors, where it is known beforehand.
    slack : float
        See :class:`nbfact.harness.case.Case`; it applies to nbfact only.
    bounds : (float, float)
        Largest relative error allowed for nbfact, and for the others.
    largest : dict of str to int
        Largest target, in entries, of the implementations that are too slow beyond it.
    """

    group: str
    params: dict[str, Any]
    shape: tuple[int, int]
    make: Callable[[np.random.Generator], np.ndarray]
    ours: _Prepare
    numpy: _Prepare
    pyfaust: Callable[[np.ndarray, int], Callable[[], np.ndarray]]
    updates: int
    nnz: int | None = None
    slack: float = math.inf
    bounds: tuple[float, float] = (math.inf, math.inf)
    largest: dict[str, int] = dataclasses.field(default_factory=dict)

    def cases(self) -> Iterator[Case]:
        """Yield a case for each implementation that is installed and affordable."""
        size = math.prod(self.shape)
        made: dict[str, _Prepare] = {OURS: self.ours, NUMPY: self.numpy}
        if peers.installed("pyfaust"):
            for name, backend in RIVALS.items():
                made[name] = functools.partial(self._pyfaust, backend)
        made = {
            name: prepare
            for name, prepare in made.items()
            if size <= self.largest.get(name, math.inf)
        }
        yardstick, *others = [n for n in (YARDSTICK, NUMPY, OURS) if n in made]
        for impl, prepare in made.items():
            yield Case(
                group=self.group,
                impl=impl,
                params={**self.params, "dtype": "float64"},
                make=self.make,
                prepare=prepare,
                reference=lambda target: target,
                bound=self.bounds[impl != OURS],
                # These are lower bounds: each update of a factor reads the target, and
                # multiplies it by the non-zeros of all other factors.
                size=self.updates * size * 8,
                flops=2 * self.updates * (self.nnz or 0) * min(self.shape),
                nnz=self.nnz,
                yardstick=yardstick,
                fallbacks=tuple(others),
                rival=impl in RIVALS,
                slack=self.slack if impl == OURS else math.inf,
            )

    def _pyfaust(self, backend, target):
        return self.pyfaust(target, backend)


def sweep_cases(sizes: Sequence[int], depths: Sequence[int]) -> Iterator[Case]:
    """Yield the cases of five sweeps over J factors in `SpLin`, with k = 4.

    The target is planted: a product of J such n × n factors.

    Parameters
    ----------
    sizes, depths : sequences of int
        Values of n and of J.

    Yields
    ------
    Case
    """
    for n in sizes:
        for depth in depths:
            yield from _palm(
                "palm4msa sweeps",
                {"n": n, "J": depth, "k": K},
                (n, n),
                functools.partial(planted, n, depth),
                functools.partial(splin_sets, n, depth),
                SWEEPS,
                nnz=depth * n * min(K, n),
            )


def shape_cases(shapes: Sequence[Shape], defaults: bool = False) -> Iterator[Case]:
    """Yield the cases of sweeps at sizes that the literature and FAµST's tests time.

    Parameters
    ----------
    shapes : sequence of tuples
        Entries of :data:`nbfact.cases.palm_problems.SHAPES`.
    defaults : bool
        Whether nbfact makes them with its default options.

    Yields
    ------
    Case
    """
    for name, m, n, make_sets, sweeps in shapes:
        yield from _palm(
            "palm4msa defaults" if defaults else "palm4msa shapes",
            {"m": m, "n": n, "sets": name, "sweeps": sweeps},
            (m, n),
            functools.partial(gaussian, m, n),
            functools.partial(make_sets, m, n),
            sweeps,
            slack=DEFAULT_SLACK if defaults else SLACK,
            defaults=defaults,
        )


def hierarchical_cases(
    sizes: Sequence[int], presets: Sequence[str] = ("hadamard",)
) -> Iterator[Case]:
    """Yield the cases of presets that factor the Hadamard matrix exactly.

    Parameters
    ----------
    sizes : sequence of int
        Orders n, powers of two.
    presets : sequence of str
        Names of presets that `hierarchical` and pyfaust both know.

    Yields
    ------
    Case
    """
    for preset in presets:
        for n in sizes:
            problem = _hierarchical(
                "palm4msa hierarchical",
                {"n": n, "preset": preset},
                (n, n),
                lambda rng, n=n: targets.hadamard(n),
                named_preset(preset),
                preset,
                nnz=2 * n * (n.bit_length() - 1),
            )
            yield from dataclasses.replace(
                problem, bounds=(FOUND, NEARLY), largest=HADAMARD_MAX
            ).cases()


def rectmat_cases(
    settings: Sequence[tuple[int, int, int, int, int]],
) -> Iterator[Case]:
    """Yield the cases of the preset `rectmat`, which factor simulated lead fields.

    Parameters
    ----------
    settings : sequence of (m, n, j, k, s)
        Numbers of sensors and of sources, and the arguments of
        `nbfact.presets.rectmat`.

    Yields
    ------
    Case
    """
    for m, n, j, k, s in settings:
        problem = _hierarchical(
            "palm4msa rectmat",
            {"m": m, "n": n, "j": j, "k": k, "s": s},
            (m, n),
            lambda rng, m=m, n=n: targets.leadfield(m, n, random_state=rng),
            rectmat(j, k, s),
            ["rectmat", j, k, s],
            nnz=math.ceil(1.4 * m**2 * 0.8 ** (j - 2)) + (j - 2) * s * m + k * n,
        )
        yield from dataclasses.replace(
            problem, slack=SLACK, largest=RECTMAT_MAX
        ).cases()


def reach_cases(names: Sequence[str]) -> Iterator[Case]:
    """Yield the cases of the time to a relative error; not to reach it is a failure.

    Parameters
    ----------
    names : sequence of str
        Keys of :data:`nbfact.cases.palm_problems.REACHES`.

    Yields
    ------
    Case
    """
    for name in names:
        m, n, make, make_sets, error, most = REACHES[name]
        yield from _palm(
            "palm4msa to an error",
            {"m": m, "n": n, "sets": name, "to": error},
            (m, n),
            functools.partial(make, m, n),
            functools.partial(make_sets, m, n),
            most,
            stop=error,
        )


def curve_cases(
    problems: Sequence[tuple[str, int, Sequence[int]]],
) -> Iterator[Case]:
    """Yield the points of curves of error against time: more and more sweeps.

    Parameters
    ----------
    problems : sequence of (str, int, sequence of int)
        Key of :data:`nbfact.cases.palm_problems.CURVES`, number of columns n, and
        numbers of sweeps.

    Yields
    ------
    Case
    """
    for name, n, grid in problems:
        make, make_sets, rows = CURVES[name]
        for sweeps in grid:
            yield from _palm(
                "palm4msa error against time",
                {"m": rows or n, "n": n, "problem": name, "sweeps": sweeps},
                (rows or n, n),
                functools.partial(make, rows or n, n),
                functools.partial(make_sets, rows or n, n),
                sweeps,
                slack=math.inf,  # a curve may be above another one at some points
            )


def _palm(
    group: str,
    params: dict[str, Any],
    shape: tuple[int, int],
    make: Callable[[np.random.Generator], np.ndarray],
    make_sets: Callable[[], list[Constraint]],
    sweeps: int,
    *,
    nnz: int | None = None,
    stop: float = 0.0,
    slack: float = SLACK,
    defaults: bool = False,
) -> Iterator[Case]:
    """Yield the cases of palm4msa from left to right, the default order of pyfaust.

    With `stop`, the relative error to reach, `sweeps` is the largest number of sweeps.
    """

    def ours(target):
        sets = make_sets()
        options: dict[str, Any] = {"order": "left-to-right", "scaling": SCALING}
        if defaults:
            options = {}
        if stop:
            options["callback"] = lambda state: state.error <= stop
        return lambda: palm4msa(
            target, sets, n_iter=sweeps, **options
        ).operator.toarray()

    def numpy(target):
        sets = make_sets()
        return lambda: paper.dense(*paper.palm(target, sets, sweeps, stop=stop))

    def pyfaust(target, backend):
        return faust.palm(target, make_sets(), sweeps, backend, stop)

    # The others compute the error that they stop at with rounding errors of their own.
    bound = stop * (1 + 1e-6) if stop else math.inf
    return PalmProblem(
        group,
        params,
        shape,
        make,
        ours,
        numpy,
        pyfaust,
        updates=(1 if stop else sweeps) * len(make_sets()),
        nnz=nnz,
        slack=math.inf if stop else slack,
        bounds=(bound, bound),
    ).cases()


def _hierarchical(group, params, shape, make, preset: Preset, pyfaust_preset, nnz):
    """Return the problem of a preset, without bounds: the caller sets them."""

    def ours(target):
        return lambda: hierarchical(target, preset, n_iter=LEVELS).operator.toarray()

    def numpy(target):
        sets = preset.constraints(target.shape)
        right = preset.residual_side == "right"
        return lambda: paper.dense(*paper.hierarchical(target, *sets, LEVELS, right))

    n_levels = len(preset.constraints(shape)[0])
    updates = sum(2 * LEVELS[0] + (2 + i) * LEVELS[1] for i in range(n_levels))
    return PalmProblem(
        group,
        params,
        shape,
        make,
        ours,
        numpy,
        lambda target, backend: faust.hierarchical(target, pyfaust_preset, backend),
        updates=updates,
        nnz=nnz,
    )
