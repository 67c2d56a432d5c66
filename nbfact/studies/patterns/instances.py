"""The matrices of the study of patterns, and one attempt at one of them as a row."""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import targets
from ...metrics import relative_error
from ..tools.result_files import Row

JUDGED = 1000
"""The first seed of the study. Those below are for tuning, here and elsewhere."""

SUCCESS, EXACT = 1e-3, 1e-10
"""Errors: of a success without noise, and of an exact recovery."""


@dataclass(frozen=True)
class Instance:
    """One matrix to factor.

    Attributes
    ----------
    target : str
        A name of :data:`TARGETS`.
    n, seed : int
    noise : float
        Of what is to be factored, relative.
    nnz : int or None
        What may be spent.
    """

    target: str
    n: int
    seed: int
    noise: float = 0.0
    nnz: int | None = None

    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrix to factor, and that without noise."""
        clean = TARGETS[self.target](self.n, self.seed)
        if not self.noise:
            return clean, clean
        noise = np.random.default_rng((self.seed, 1))
        return targets.noisy(clean, self.noise, random_state=noise), clean


Solve = Callable[[np.ndarray, Instance, int], Any]
"""A method: of a matrix, its instance and a seed; returns an operator, or what has one
as `operator`, or None where it gives up."""


def _butterfly(kind, n, seed):
    return targets.permuted_butterfly(n, kind, random_state=seed)


def _graph_fourier(kind, n, seed):
    return targets.graph_fourier(n, kind, random_state=seed)


def _named(name, n, seed):
    return getattr(targets, name)(n)


def _rotations(n_factors, n, seed):
    return targets.pair_rotations(n, n_factors, random_state=seed)


def _planted(n_factors, n, seed):
    return targets.planted(n, n_factors, 2, random_state=seed)


def _leadfield(n, seed):
    return targets.leadfield(n, n, random_state=seed)


TARGETS: dict[str, Callable[[int, int], np.ndarray]] = {
    "Hadamard, permuted": functools.partial(_butterfly, "hadamard"),
    "orthogonal butterfly, permuted": functools.partial(_butterfly, "orthogonal"),
    "Gaussian butterfly, permuted": functools.partial(_butterfly, "gaussian"),
    **{f"pair rotations, J = {j}": functools.partial(_rotations, j) for j in (2, 3, 4)},
    **{f"planted 2-regular, J = {j}": functools.partial(_planted, j) for j in (2, 3)},
    "Gaussian": targets.randn,
    "DCT": functools.partial(_named, "dct"),
    "Hartley": functools.partial(_named, "hartley"),
    "graph Fourier": functools.partial(_graph_fourier, "geometric"),
    "graph Fourier, community": functools.partial(_graph_fourier, "community"),
    "lead field": _leadfield,
    "digits centroids": targets.centroids,
}
"""Functions of an order and a seed."""

FIXED = ("DCT", "Hartley")
"""Those of which there is one instance only."""


def attempt(
    part: str, method: str, solve: Solve, instance: Instance, **more: Any
) -> list[Row]:
    """Return the row of one method on one instance; a failure is a row too.

    Parameters
    ----------
    part, method : str
        As the row tells them.
    solve : callable
        The method.
    instance : Instance
    **more
        Further columns.

    Returns
    -------
    list of dict
        One row: `error` to the matrix without noise, 1 where the method gives up;
        `success`, at most 1e-3 or twice the noise; `exact`, at most 1e-10; `failure`,
        what was raised.

    Examples
    --------
    >>> def zero(matrix, instance, seed):
    ...     return 0 * matrix
    >>> attempt("p", "zero", zero, Instance("DCT", 4, 0))[0]["error"]
    1.0
    """
    row: Row = {
        "part": part,
        "target": instance.target,
        "n": instance.n,
        "noise": instance.noise,
        "method": method,
        "seed": instance.seed,
        "budget": instance.nnz,
        **more,
    }
    found: Row = dict.fromkeys(
        ("error", "nnz", "factors", "trials", "seconds", "success", "exact", "failure")
    )
    try:
        target, clean = instance.matrices()
        start = time.perf_counter()
        result = solve(target, instance, instance.seed)
        found["seconds"] = time.perf_counter() - start
        operator = getattr(result, "operator", result)
        error = 1.0 if operator is None else relative_error(clean, operator)
        found |= {
            "error": error,
            "nnz": getattr(operator, "nnz", None),
            "factors": len(getattr(operator, "factors", ())) or None,
            "trials": len(getattr(result, "trials", ())) or None,
            "success": int(error <= max(SUCCESS, 2 * instance.noise)),
            "exact": int(error <= EXACT),
        }
    except Exception as problem:  # one attempt of thousands, told in its row
        found["failure"] = " ".join(f"{type(problem).__name__}: {problem}".split())
    return [row | found]


def select(rows: Sequence[Row], **wanted: Any) -> list[Row]:
    """Return the rows that have the values wanted.

    Examples
    --------
    >>> select([{"n": 1, "m": 2}, {"n": 3, "m": 2}], n=3)
    [{'n': 3, 'm': 2}]
    """
    return [
        row
        for row in rows
        if all(row.get(name) == value for name, value in wanted.items())
    ]


def values(rows: Sequence[Row], name: str) -> list[Any]:
    """Return the values of a column, each once, as they are met.

    Examples
    --------
    >>> values([{"n": 1}, {"n": 2}, {"n": 1}], "n")
    [1, 2]
    """
    return list(dict.fromkeys(row.get(name) for row in rows))
