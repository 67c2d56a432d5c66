"""What studies vary, in one place: extend these, and every study follows.

Names that this version does not know are left out, so that a study can be run on an
older one for comparison.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import algorithms
from ..algorithms import Factorization, palm4msa
from ..bench.palm import known_preset
from ..constraints import Sp

SCALINGS = ("sweep", "factor", "early", "balanced")
"""Of `palm4msa` and `hierarchical`: when λ is fitted."""

PRESETS = ("hadamard", "hadamard_skperm", "hadamard_simple")
"""Of `hierarchical`, for the Hadamard matrix."""

RECTMATS = ("rectmat", "rectmat_simple")
"""Functions of (j, k, s) that return a preset for wide matrices."""

FAUST_PRESETS = ("hadamard", "hadamard_skperm", "hadamard_simple")
"""Of pyfaust's hierarchical, for the Hadamard matrix."""


def scalings() -> tuple[str, ...]:
    """Return those of :data:`SCALINGS` that `palm4msa` accepts.

    Examples
    --------
    >>> "sweep" in scalings()
    True
    """
    return tuple(name for name in SCALINGS if _accepted(name))


def presets() -> tuple[str, ...]:
    """Return those of :data:`PRESETS` that `hierarchical` has.

    Examples
    --------
    >>> "hadamard" in presets()
    True
    """
    return tuple(name for name in PRESETS if known_preset(name))


def rectmats() -> dict[str, Callable[[int, int, int], Any]]:
    """Return those of :data:`RECTMATS` that exist.

    Examples
    --------
    >>> "rectmat" in rectmats()
    True
    """
    found = {name: getattr(algorithms, name, None) for name in RECTMATS}
    return {name: function for name, function in found.items() if function is not None}


def refined(target: np.ndarray, result: Factorization) -> Factorization | None:
    """Return the result after `refine`, ``None`` where there is no such function.

    Parameters
    ----------
    target : ndarray, (m, n)
        What `result` approximates.
    result : Factorization
        Of one of the algorithms.

    Returns
    -------
    Factorization or None

    Examples
    --------
    >>> result = palm4msa(np.eye(2), [Sp((2, 2), 2)] * 2, n_iter=1)
    >>> refined(np.eye(2), result) is None or True
    True
    """
    refine = getattr(algorithms, "refine", None)
    if refine is None:
        return None
    first = next(iter(inspect.signature(refine).parameters))
    return refine(result) if first == "result" else refine(target, result)


def _accepted(scaling):
    try:
        palm4msa(np.eye(2), [Sp((2, 2), 2)] * 2, n_iter=1, scaling=scaling)
    except ValueError:
        return False
    return True
