"""Cases of projections onto the sets that `projections.py` has no rival for.

A call is that of a user: ``project`` checks and copies its argument. The reference is
the projection in double precision, so that errors are those of rounding; whether it is
the right one, tests say.
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from .. import constraints
from ..harness.case import Case

OURS = "nbfact"
"""Implementation: the method ``project``. There is no yardstick but it."""

K = 4
"""Number of entries kept of each row, on average, by the sets that keep the largest."""


def _blocks(n):
    return constraints.BlockDiag([(n // 4, n // 4)] * 4)


def _support(n):
    rows = np.arange(n)
    return constraints.Supp((rows[:, None] ^ rows) < K)


def _tiles(n):
    labels = np.arange(n)[:, None] // 4 * n + np.arange(n) // 4
    return constraints.Partition(labels, K * n // 16)


SETS: dict[str, Callable[[int], constraints.FastConstraint]] = {
    "AntiCirc": lambda n: constraints.AntiCirc((n, n)),
    "BlockDiag": _blocks,
    "Circ": lambda n: constraints.Circ((n, n)),
    "Const": lambda n: constraints.Const(np.eye(n)),
    "Hankel": lambda n: constraints.Hankel((n, n)),
    "NormCol": lambda n: constraints.NormCol((n, n), 1.0),
    "NormLin": lambda n: constraints.NormLin((n, n), 1.0),
    "Partition": _tiles,
    "SpBlock": lambda n: constraints.SpBlock((n, n), K * n // 8),
    "SpSymm": lambda n: constraints.SpSymm((n, n), K * n),
    "SpTril": lambda n: constraints.SpTril((n, n), K * n),
    "SpTriu": lambda n: constraints.SpTriu((n, n), K * n),
    "Supp": _support,
    "Toeplitz": lambda n: constraints.Toeplitz((n, n)),
}
"""Functions that return a set of n x n matrices, by the name of its class."""

NONNEG = "Toeplitz nonneg"
"""Name of the set whose negative entries become zero first; only for real matrices."""


def set_cases(n: int, dtype: str) -> Iterator[Case]:
    """Yield the cases of projections of an n x n Gaussian matrix.

    Parameters
    ----------
    n : int
        Order of the matrix, divisible by four.
    dtype : str
        Name of its dtype.

    Yields
    ------
    Case
    """
    made = dict(SETS)
    if not dtype.startswith("complex"):
        made[NONNEG] = lambda n: constraints.Toeplitz((n, n), nonneg=True)
    for name, make in made.items():
        yield Case(
            group=f"set {name}",
            impl=OURS,
            params={"n": n, "dtype": dtype},
            make=functools.partial(_gaussian, n, dtype),
            prepare=functools.partial(_prepare, make),
            reference=functools.partial(_reference, make),
            # A mean, or a norm, is a sum of up to n² terms.
            bound=4 * n * float(np.finfo(dtype).eps),
            size=2 * n * n * np.dtype(dtype).itemsize,
            flops=0,
            nnz=None,
            yardstick=OURS,
        )


def _gaussian(n, dtype, rng):
    x = rng.standard_normal((n, n))
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal((n, n))
    return x.astype(dtype)


def _prepare(make, x):
    project = make(len(x)).project
    return lambda: project(x)


def _reference(make, x):
    return make(len(x)).project(x.astype(np.result_type(x, np.float64)))
