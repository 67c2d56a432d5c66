"""The permutations of a learned butterfly: by name, from indices, or searched among."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..._core.array_checks import permutation_of
from ...operators.reorderings import bit_reversal, dao, makhoul
from .descent_options import DescentModel

PermutationChoice = (
    Literal["search", "learned", "identity", "bit-reversal", "makhoul"]
    | npt.ArrayLike
    | tuple[npt.ArrayLike, npt.ArrayLike]
)
"""What the argument ``permutation`` of `learn_butterfly` may be."""

Permutations = tuple[np.ndarray, ...]
"""One permutation, or, for the model "BPBP", the two of them from left to right."""

NAMES: dict[str, Callable[[int], np.ndarray]] = {
    "identity": np.arange,
    "bit-reversal": bit_reversal,
    "makhoul": lambda n: makhoul(n)[bit_reversal(n)],
}
"""Permutations of n entries that have a name."""


def candidate_permutations(
    n: int, model: DescentModel, bits: Sequence[Sequence[bool]] | None = None
) -> list[Permutations]:
    """Return the different permutations that the relaxation may be rounded to.

    Parameters
    ----------
    n : int
        Order, a power of two.
    model : {"BP", "BPP", "BPBP"}
        "BP": the eight permutations of `nbfact.operators.reorderings.dao`. "BPP": each
        of them after one of eight steps on all n entries. "BPBP": one of the eight,
        used twice.
    bits : sequence of sequences of bool, optional
        The values to try of each of the three bits of a permutation, or, for "BPP", of
        the three bits of the step and then those of the permutation. By default False
        and True for each.

    Examples
    --------
    >>> [len(candidate_permutations(8, model)) for model in ("BP", "BPP", "BPBP")]
    [8, 64, 8]
    >>> len(candidate_permutations(2, "BP"))
    1
    """
    if bits is None:
        bits = [(False, True)] * (6 if model == "BPP" else 3)
    found: dict[bytes, np.ndarray] = {}
    for chosen in itertools.product(*bits):
        columns = dao(n, *chosen[-3:])
        if model == "BPP":
            columns = _step(n, *chosen[:3])[columns]
        found.setdefault(columns.tobytes(), columns)
    copies = 2 if model == "BPBP" else 1
    return [(columns,) * copies for columns in found.values()]


def _step(n: int, split: bool, reverse_first: bool, reverse_second: bool) -> np.ndarray:
    """Return the permutation of one step on all n entries."""
    order = np.r_[0:n:2, 1:n:2] if split else np.arange(n)
    first, second = order[: n // 2], order[n // 2 :]
    first = first[::-1] if reverse_first else first
    return np.concatenate([first, second[::-1] if reverse_second else second])


def fixed_permutations(permutation: Any, n: int, model: DescentModel) -> Permutations:
    """Return permutations that are given by name or by their indices, checked.

    Parameters
    ----------
    permutation : str, array_like of n int, or a tuple of two of these
    n : int
        Order, a power of two.
    model : {"BP", "BPP", "BPBP"}
        "BPBP" has two permutations, and takes one for both.

    Raises
    ------
    ValueError
        If a name is unknown, an array is no permutation of n entries, or a tuple does
        not hold as many permutations as the model has.
    """
    copies = 2 if model == "BPBP" else 1
    listed = permutation if isinstance(permutation, tuple) else (permutation,) * copies
    if len(listed) != copies:
        raise ValueError(
            f"permutation holds {len(listed)} permutations, model {model!r} has "
            f"{copies}"
        )
    return tuple(_fixed_permutation(one, n) for one in listed)


def _fixed_permutation(permutation: Any, n: int) -> np.ndarray:
    """Return one permutation from its name or its indices."""
    if isinstance(permutation, str):
        if permutation not in NAMES:
            raise ValueError(
                f"permutation must be an array, 'learned', 'search' or one of "
                f"{tuple(NAMES)}, got {permutation!r}"
            )
        return NAMES[permutation](n)
    return permutation_of("permutation", permutation, n)
