"""Matrices of the study of patterns, and attempts of methods at them."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import targets
from ...metrics import relative_error
from ..tools.rows import Row

SUCCESS = 1e-3
"""Largest relative error that counts as a success on a matrix without noise."""

EXACT = 1e-10
"""Largest relative error that counts as an exact recovery."""


@dataclass(frozen=True)
class Instance:
    """One matrix to factor.

    Attributes
    ----------
    target : str
        A name of :data:`TARGETS`.
    n : int
        Order of the matrix.
    seed : int
        Seed of the matrix, and of its noise.
    noise : float
        Frobenius norm of the added noise, relative to that of the matrix.
    nnz : int or None
        Largest number of non-zeros that the factors may have together, if there is
        one.
    """

    target: str
    n: int
    seed: int
    noise: float = 0.0
    nnz: int | None = None

    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrix to factor, and the same matrix without noise."""
        clean = TARGETS[self.target](self.n, self.seed)
        if not self.noise:
            return clean, clean
        noise = np.random.default_rng((self.seed, 1))
        return targets.noisy(clean, self.noise, random_state=noise), clean


Solve = Callable[[np.ndarray, Instance, int], Any]
"""A method to compare: a function of the matrix to factor, of its instance and of a
seed. It returns an operator, or a result with one in its attribute ``operator``, or
None when it gives up."""


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
"""Functions that return a target matrix, given its order and a seed, by name."""

FIXED = ("DCT", "Hartley")
"""Targets that do not depend on the seed: there is one instance of each."""


def attempt(
    part: str, method: str, solve: Solve, instance: Instance, **more: Any
) -> list[Row]:
    """Run one method on one instance, and return its row, also when the method raises.

    Parameters
    ----------
    part, method : str
        Part of the study and name of the method, as they stand in the row.
    solve : callable
        The method.
    instance : Instance
        The matrix to factor.
    **more
        Values of further columns.

    Returns
    -------
    list of dict
        One row. ``error`` is the relative error to the matrix without noise, or 1 when
        the method gives up; ``success`` says whether it is at most 1e-3 or twice the
        noise, and ``exact`` whether it is at most 1e-10; ``failure`` is the exception
        that was raised, or None.

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
    except Exception as problem:  # one attempt of thousands: its row reports it
        found["failure"] = " ".join(f"{type(problem).__name__}: {problem}".split())
    return [row | found]
