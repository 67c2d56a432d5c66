"""Cases of factorizing: sweeps, presets, lead fields, and the time to a given error.

There is no exact result to compare with: errors are those of approximation, of each
implementation's own result, and where two make the same sweeps ours may not be worse.
All make the same number of sweeps, from their default start. The yardstick is pyfaust
where it is installed and affordable, else the paper's algorithm in NumPy
(:mod:`nbfact.cases.rivals.numpy_palm`), else ours.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import constraints, targets
from ..algorithms import Preset, hierarchical, palm4msa, rectmat
from ..algorithms.palm.presets import named_preset
from ..harness.case import Case
from .rivals import faust, peers
from .rivals import numpy_palm as paper

OURS, NUMPY = "nbfact", "numpy"
RIVALS = {f"pyfaust {backend}": backend for backend in faust.BACKENDS}
YARDSTICK = "pyfaust 2020"  # mostly the faster of the two

SCALING = "sweep"
"""When λ is fitted where sweeps are compared one by one: as they all do."""

SWEEPS, K = 5, 4
LEVELS = (30, 30)  # of the presets, also pyfaust's
SLACK = 1.05
"""Times the least error of the others that ours may have. Trajectories of three
factors and more part by rounding; 1.02 was the most seen in 200 sweeps."""

FOUND, NEARLY = 1e-10, 1e-3
"""Errors at which a preset has found its transform: ours, another's. FAµST's 2016
backend and the paper's scaling lose digits with n (2.5e-6 and 4e-6 at 256); they are
timed all the same."""

# The largest problem of each rival, in entries of the target. Hadamard 512 takes
# pyfaust 2020 some 100 s a call, a 204x8193 lead field some minutes.
HADAMARD_MAX = {NUMPY: 256**2, "pyfaust 2016": 256**2, "pyfaust 2020": 512**2}
RECTMAT_MAX = {NUMPY: 204 * 8193, "pyfaust 2016": 64 * 2048}

_Prepare = Callable[[np.ndarray], Callable[[], np.ndarray]]


@dataclass(frozen=True)
class PalmProblem:
    """What one task factors, and how its implementations are told so."""

    group: str
    params: dict[str, Any]
    shape: tuple[int, int]
    make: Callable[[np.random.Generator], np.ndarray]
    ours: _Prepare
    numpy: _Prepare
    theirs: Callable[[np.ndarray, int], Callable[[], np.ndarray]]
    updates: int
    nnz: int | None = None
    slack: float = math.inf
    bounds: tuple[float, float] = (math.inf, math.inf)
    largest: dict[str, int] = dataclasses.field(default_factory=dict)

    def cases(self) -> Iterator[Case]:
        """Yield the implementations that are installed, and affordable at this size."""
        size = math.prod(self.shape)
        made: dict[str, _Prepare] = {OURS: self.ours, NUMPY: self.numpy}
        if peers.installed("pyfaust"):
            for name, backend in RIVALS.items():
                made[name] = functools.partial(self._theirs, backend)
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
                # The least there is to do: each update of a factor reads the target,
                # and multiplies it by the non-zeros of all other factors.
                size=self.updates * size * 8,
                flops=2 * self.updates * (self.nnz or 0) * min(self.shape),
                nnz=self.nnz,
                yardstick=yardstick,
                fallbacks=tuple(others),
                rival=impl in RIVALS,
                slack=self.slack if impl == OURS else math.inf,
            )

    def _theirs(self, backend, target):
        return self.theirs(target, backend)


def sweep_cases(sizes: Sequence[int], depths: Sequence[int]) -> Iterator[Case]:
    """Yield five sweeps over J factors in `SpLin` (k = 4) of a planted n × n target.

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
                functools.partial(_planted, n, depth),
                lambda n=n, depth=depth: [constraints.SpLin((n, n), K)] * depth,
                SWEEPS,
                nnz=depth * n * min(K, n),
            )


def shape_cases(shapes: Sequence["Shape"]) -> Iterator[Case]:
    """Yield sweeps at the sizes that the literature and FAµST's tests time.

    Parameters
    ----------
    shapes : sequence of tuples
        Of :data:`SHAPES`.

    Yields
    ------
    Case
    """
    for name, m, n, make_sets, sweeps in shapes:
        sets = functools.partial(make_sets, m, n)
        yield from _palm(
            "palm4msa shapes",
            {"m": m, "n": n, "sets": name, "sweeps": sweeps},
            (m, n),
            functools.partial(_gaussian, m, n),
            sets,
            sweeps,
        )


def hierarchical_cases(
    sizes: Sequence[int], presets: Sequence[str] = ("hadamard",)
) -> Iterator[Case]:
    """Yield the factorization of the Hadamard matrix by presets that find it exactly.

    Parameters
    ----------
    sizes : sequence of int
        Values of n.
    presets : sequence of str
        Names that `hierarchical` and pyfaust know.

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
    """Yield the factorization of lead fields by the preset of the MEG experiment.

    Parameters
    ----------
    settings : sequence of (m, n, j, k, s)
        Sensors, sources, and the arguments of `nbfact.presets.rectmat`.

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
    """Yield the time to a relative error, which a case that does not reach it fails.

    Parameters
    ----------
    names : sequence of str
        Of :data:`REACHES`.

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
    """Yield points of curves of error against time: one problem, more and more sweeps.

    Parameters
    ----------
    problems : sequence of (str, int, sequence of int)
        Name in :data:`CURVES`, columns n, and numbers of sweeps.

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
                slack=math.inf,  # where curves part, another point tells
            )


def _palm(
    group, params, shape, make, make_sets, sweeps, nnz=None, stop=0.0, slack=SLACK
):
    """Yield the cases of palm4msa from left to right, pyfaust's default."""

    def ours(target):
        sets = make_sets()
        options = {"n_iter": sweeps, "order": "left-to-right", "scaling": SCALING}
        if stop:
            options["callback"] = lambda state: state.error <= stop
        return lambda: palm4msa(target, sets, **options).operator.toarray()

    def numpy(target):
        sets = make_sets()
        return lambda: paper.dense(*paper.palm(target, sets, sweeps, stop=stop))

    def theirs(target, backend):
        return faust.palm(target, make_sets(), sweeps, backend, stop)

    bound = stop * (1 + 1e-6) if stop else math.inf  # they round, too
    return PalmProblem(
        group,
        params,
        shape,
        make,
        ours,
        numpy,
        theirs,
        updates=(1 if stop else sweeps) * len(make_sets()),
        nnz=nnz,
        slack=math.inf if stop else slack,
        bounds=(bound, bound),
    ).cases()


def _hierarchical(group, params, shape, make, preset: Preset, theirs, nnz):
    """Return the problem of a preset; its bounds are still to be set."""

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
        lambda target, backend: faust.hierarchical(target, theirs, backend),
        updates=updates,
        nnz=nnz,
    )


def _planted(n, depth, rng):
    return targets.planted(n, depth, min(K, n), random_state=rng)


def _gaussian(m, n, rng):
    return rng.standard_normal((m, n))


def _uniform(m, n, rng):
    return rng.random((m, n))


def _hadamard(m, n, rng):
    return targets.hadamard(n)


def _splin_normcol(m, n):
    return [constraints.SpLin((m, n), 5), constraints.NormCol((n, n), 1.0)]


def _normcol_spcol(m, n):
    return [constraints.NormCol((m, m), 1.0), constraints.SpCol((m, n), 5)]


def _three_sp(m, n):
    return [constraints.Sp((n, n), 10 * n)] * 3


def _three_splin(m, n):
    return [constraints.SpLin((n, n), K)] * 3


def _first_split(m, n):
    """Return the sets of the first split of a Hadamard matrix."""
    return [constraints.SkPerm((n, n), k) for k in (2, n // 2)]


def _butterflies(m, n):
    """Return the supports of the fast Hadamard transform, one for each stride."""
    rows = np.arange(n)
    strides = [1 << level for level in range(n.bit_length() - 1)]
    return [constraints.Supp((rows[:, None] ^ rows) & ~s == 0) for s in strides]


Shape = tuple[str, int, int, Callable[[int, int], list], int]

SHAPES: tuple[Shape, ...] = (
    ("normcol*spcol5", 64, 1024, _normcol_spcol, 5),
    ("normcol*spcol5", 64, 8192, _normcol_spcol, 5),
    ("splin5*normcol", 500, 32, _splin_normcol, 200),
    ("3 x sp640", 64, 64, _three_sp, 200),
)
"""Name of the sets, rows, columns, sets and sweeps; the first is quick."""

REACHES: dict[str, tuple[int, int, Callable, Callable, float, int]] = {
    "butterflies 32": (32, 32, _hadamard, _butterflies, 1e-8, 50),
    "butterflies 128": (128, 128, _hadamard, _butterflies, 1e-8, 50),
    "splin5*normcol": (500, 32, _uniform, _splin_normcol, 0.372, 200),
}
"""Rows, columns, target, sets, the error to reach, and sweeps to give up after. The
third target is FAµST's documented example, where 200 sweeps end at 0.367."""

CURVES: dict[str, tuple[Callable, Callable, int | None]] = {
    "planted splin4": (lambda m, n, rng: _planted(n, 3, rng), _three_splin, None),
    "splin5*normcol": (_uniform, _splin_normcol, 500),
    "hadamard split": (_hadamard, _first_split, None),
}
"""Target, sets, and rows where these are not as many as columns."""
