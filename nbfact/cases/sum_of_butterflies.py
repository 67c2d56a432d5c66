"""Cases of nearest rows and of distances, to the rows of a sum of two operators.

The sum B + Bᵀ of butterflies has no factors, so that products with it are made first,
where `NearestRows` otherwise searches while it multiplies. Half of the points lie
between two rows, which must be compared in double precision.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..harness.case import Case
from ..operators import FastOperator, NearestRows
from . import timed_operators
from .assignment import AssignmentCase

OURS = "nbfact"
"""Implementation: the class itself. There is no yardstick but it."""


@dataclass(eq=False)
class SumInputs:
    """Inputs of the cases.

    Attributes
    ----------
    operator : FastOperator, (n, n)
        The sum.
    centers : ndarray, (n, n)
        Its matrix.
    x : ndarray, (N, n)
        The points.
    """

    operator: FastOperator
    centers: np.ndarray
    x: np.ndarray


def sum_cases(n: int, points: int, dtype: str) -> Iterator[Case]:
    """Yield the cases of nearest rows of a sum, and of squared distances to them.

    Parameters
    ----------
    n : int
        Order of the operator, a power of two.
    points : int
        Number of points.
    dtype : {"float32", "float64"}
        Dtype of the operator and of the points.

    Yields
    ------
    Case
    """
    made: tuple[tuple[str, type[Case], Callable, Callable], ...] = (
        ("nearest rows of a sum", AssignmentCase, _nearest, _scores),
        ("distances to rows of a sum", Case, _distances, _squares),
    )
    for group, kind, prepare, reference in made:
        yield kind(
            group=group,
            impl=OURS,
            params={"n": n, "points": points, "dtype": dtype},
            make=functools.partial(_inputs, n, points, dtype),
            prepare=prepare,
            reference=reference,
            bound=8 * n**0.5 * float(np.finfo(dtype).eps),
            size=2 * points * n * np.dtype(dtype).itemsize,
            flops=0,
            nnz=None,
            yardstick=OURS,
        )


def _inputs(n, points, dtype, rng):
    butterfly = timed_operators.build("butterfly", n, dtype).butterfly
    operator = butterfly + butterfly.T
    centers = operator.toarray()
    x = (centers[rng.integers(n, size=points)] + rng.standard_normal((points, n))) / 2
    pairs = rng.integers(n, size=(2, points // 2))
    x[::2][: points // 2] = centers[pairs].mean(axis=0)
    return SumInputs(operator, centers, x.astype(dtype))


def _nearest(inputs):
    nearest, x = NearestRows(inputs.operator), inputs.x
    return lambda: nearest(x)[0]


def _distances(inputs):
    from ..estimators.center_distances import CenterDistances

    distances, x = CenterDistances(inputs.operator, inputs.centers, None), inputs.x
    return lambda: distances.squares(x)


def _scores(inputs):
    """Return squared distances without the squared norms of the points, (N, n)."""
    centers = inputs.centers.astype(np.float64)
    return (centers**2).sum(axis=1) - 2 * inputs.x.astype(np.float64) @ centers.T


def _squares(inputs):
    """Return the squared distances, (n, N), in double precision."""
    return _scores(inputs).T + (inputs.x.astype(np.float64) ** 2).sum(axis=1)
