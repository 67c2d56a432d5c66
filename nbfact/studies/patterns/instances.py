"""Matrices of the study of patterns, and attempts of methods at them."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import targets
from ...cases.nbfact_project import NBFACT
from ...harness import machine
from ...metrics import relative_error
from ..tools.rows import Row

FIRST_SEED = 5000
"""Smallest seed of this study: no parameter was chosen by runs on it or above it."""

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


Solve = Callable[[np.ndarray, Instance, np.random.Generator], Any]
"""A method to compare: a function of the matrix to factor, of its instance and of a
stream, which is no stream of the instance, and the same for all methods. It returns an
operator, or a result with one in its attribute ``operator``, or None when it gives
up."""


def _butterfly(kind, n, seed):
    return targets.permuted_butterfly(n, kind, random_state=seed)


def _graph_fourier(kind, n, seed):
    return targets.graph_fourier(n, kind, random_state=seed)


def _rotations(n_factors, n, seed):
    return targets.pair_rotations(n, n_factors, random_state=seed)


def _planted(n_factors, n, seed):
    return targets.planted(n, n_factors, 2, random_state=seed)


def _leadfield(n, seed):
    return targets.leadfield(n, n, random_state=seed)


def _kernel(kind, n, seed):
    return targets.kernel_matrix(n, kind, random_state=seed)


def _packets(n, seed):
    packets = targets.wavelet_packet(n, random_state=seed)
    return targets.permuted(packets, np.random.default_rng((seed, 3)))


def _drawn(name, n, seed):
    return getattr(targets, name)(n, random_state=seed)


def _permuted(name, n, seed):
    return targets.permuted(getattr(targets, name)(n), random_state=seed)


def _of_radices(kind, radices, n, seed):
    return targets.permuted_butterfly(n, kind, radices=radices, random_state=seed)


GRAPHS = (
    *("geometric", "community", "random", "scale free"),
    *("small world", "grid", "path"),
)
"""The random graphs whose Fourier transforms are factored."""

RADICES = ((2, 2, 3), (4, 8), (3, 3, 2, 2), (3, 3, 3, 3), (10, 10))
"""Radices of butterflies whose permutations are looked for, leftmost first."""


def radix_name(kind: str, radices: tuple[int, ...]) -> str:
    """Return the name of a permuted butterfly of given radices.

    Examples
    --------
    >>> radix_name("Gaussian", (4, 8))
    'Gaussian butterfly 4·8, permuted'
    """
    return f"{kind} butterfly {'·'.join(map(str, radices))}, permuted"


TARGETS: dict[str, Callable[[int, int], np.ndarray]] = {
    "Hadamard, permuted": functools.partial(_butterfly, "hadamard"),
    "orthogonal butterfly, permuted": functools.partial(_butterfly, "orthogonal"),
    "Gaussian butterfly, permuted": functools.partial(_butterfly, "gaussian"),
    **{f"pair rotations, J = {j}": functools.partial(_rotations, j) for j in (2, 3)},
    **{f"planted 2-regular, J = {j}": functools.partial(_planted, j) for j in (2, 3)},
    "Gaussian": targets.randn,
    **{
        f"graph Fourier, {kind}": functools.partial(_graph_fourier, kind)
        for kind in GRAPHS
    },
    "lead field": _leadfield,
    "trained weights": targets.trained_weights,
    "wavelet packets": functools.partial(_drawn, "wavelet_packet"),
    "wavelet packets, permuted": _packets,
    "spherical harmonics": targets.spherical_harmonics,
    **{
        f"{kind} kernel": functools.partial(_kernel, kind)
        for kind in ("gaussian", "exponential", "inverse")
    },
    "Toeplitz": targets.toeplitz,
    "convolution layer": functools.partial(_drawn, "convolution_layer"),
    "sparse + rank 2": functools.partial(_drawn, "sparse_plus_low_rank"),
    "DCT, permuted": functools.partial(_permuted, "dct"),
    "Haar, permuted": functools.partial(_permuted, "haar"),
    **{
        radix_name(name, radices): functools.partial(_of_radices, kind, radices)
        for kind, name in (("orthogonal", "orthogonal"), ("gaussian", "Gaussian"))
        for radices in RADICES
    },
}
"""Functions that return a target matrix, given its order and a seed, by name."""


@functools.cache
def made_by() -> str:
    """Return the version of nbfact that runs, with the commit where git knows it.

    A plus says that files differ from the commit.
    """
    found = machine.fingerprint(NBFACT)
    commit = found.get("commit", "")[:10] + "+" * bool(found.get("dirty"))
    return f"{found['versions']['nbfact']} {commit}".strip()


def judged(part: str, method: str, instance: Instance, **more: Any) -> Row:
    """Return the row of an attempt that has not been made, without its results.

    Parameters
    ----------
    part, method : str
        Part of the study and name of the method.
    instance : Instance
        The matrix to factor.
    **more
        Values of further columns.

    Examples
    --------
    >>> judged("p", "m", Instance("Gaussian", 4, 0))["error"] is None
    True
    """
    row: Row = {
        "part": part,
        "target": instance.target,
        "n": instance.n,
        "noise": instance.noise,
        "method": method,
        "seed": instance.seed,
        "budget": instance.nnz,
        "made by": made_by(),
        **more,
    }
    found = ("error", "nnz", "factors", "trials", "seconds", "success", "exact")
    return row | dict.fromkeys((*found, "failure"))


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
        One row. ``seconds`` are CPU seconds of the process. ``error`` is the relative
        error to the matrix without noise, or 1 when the method gives up; ``success``
        says whether it is at most 1e-3 or twice the noise, and ``exact`` whether it is
        at most 1e-10; ``failure`` is the exception that was raised, or None.

    Examples
    --------
    >>> def zero(matrix, instance, seed):
    ...     return 0 * matrix
    >>> attempt("p", "zero", zero, Instance("Gaussian", 4, 0))[0]["error"]
    1.0
    """
    row = judged(part, method, instance, **more)
    try:
        target, clean = instance.matrices()
        start = time.process_time()
        rng = np.random.default_rng((instance.seed, 2))
        result = solve(target, instance, rng)
        row["seconds"] = time.process_time() - start
        operator = getattr(result, "operator", result)
        error = 1.0 if operator is None else relative_error(clean, operator)
        row |= {
            "error": error,
            "nnz": getattr(operator, "nnz", None),
            "factors": len(getattr(operator, "factors", ())) or None,
            "trials": len(getattr(result, "trials", ())) or None,
            "success": int(error <= max(SUCCESS, 2 * instance.noise)),
            "exact": int(error <= EXACT),
        }
    except Exception as problem:  # one attempt of thousands: its row reports it
        row["failure"] = " ".join(f"{type(problem).__name__}: {problem}".split())
    return [row]
