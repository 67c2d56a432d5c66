"""Permutations to try, and operators from learned twiddles."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...operators import Butterfly, Chain, FactorProduct, FastOperator
from ...operators.reorderings import bit_reversal, dao, makhoul

MODELS = ("BP", "BPP", "BPBP")
NAMES = {
    "identity": np.arange,
    "bit-reversal": bit_reversal,
    "makhoul": lambda n: makhoul(n)[bit_reversal(n)],
}
Permutations = tuple[np.ndarray, ...]
"""One permutation; two for "BPBP", as written from the left."""


def candidates(
    n: int, model: str, bits: Sequence[Sequence[bool]] | None = None
) -> list[Permutations]:
    """Return the different permutations that the relaxation may be rounded to.

    Parameters
    ----------
    n : int
        A power of two.
    model : str
        "BP": the eight of `nbfact.operators.reorderings.dao`. "BPP": each after one of
        eight steps on all n entries. "BPBP": the same one of eight twice.
    bits : sequence of sequences of bool, optional
        Values of each of the three bits, or of six for "BPP", those of the step first;
        by default both of each.

    Examples
    --------
    >>> len(candidates(8, "BP")), len(candidates(2, "BP")), len(candidates(8, "BPP"))
    (8, 1, 64)
    """
    bits = [(False, True)] * (6 if model == "BPP" else 3) if bits is None else bits
    found = {}
    for chosen in itertools.product(*bits):
        columns = dao(n, *chosen[-3:])
        if model == "BPP":
            columns = _step(n, *chosen[:3])[columns]
        found.setdefault(columns.tobytes(), columns)
    copies = 2 if model == "BPBP" else 1
    return [(columns,) * copies for columns in found.values()]


def _step(n, split, reverse_first, reverse_second):
    """Return the permutation of one step on all n entries."""
    order = np.r_[0:n:2, 1:n:2] if split else np.arange(n)
    first, second = order[: n // 2], order[n // 2 :]
    first = first[::-1] if reverse_first else first
    return np.concatenate([first, second[::-1] if reverse_second else second])


def fixed(permutation: Any, n: int, model: str) -> Permutations:
    """Return permutations by name or from arrays of indices, checked.

    Raises
    ------
    ValueError
        For an unknown name, or an array that is no permutation of n.
    """
    copies = 2 if model == "BPBP" else 1
    given = permutation if isinstance(permutation, tuple) else (permutation,) * copies
    if len(given) != copies:
        raise ValueError(
            f"permutation holds {len(given)} permutations, model {model!r} has {copies}"
        )
    return tuple(_fixed(one, n) for one in given)


def _fixed(permutation, n):
    """Return one permutation by name or from an array."""
    if isinstance(permutation, str):
        if permutation not in NAMES:
            raise ValueError(
                f"permutation must be an array, 'learned', 'search' or one of "
                f"{tuple(NAMES)}, got {permutation!r}"
            )
        return NAMES[permutation](n)
    index = np.asarray(permutation)
    if index.shape != (n,) or index.dtype.kind not in "iu":
        raise ValueError(
            f"permutation must be {n} integers, got shape {index.shape} of "
            f"{index.dtype}"
        )
    if np.any(np.sort(index) != np.arange(n)):
        raise ValueError(f"permutation is none: 0 to {n - 1} must stand once each")
    return index.astype(np.intp)


def butterfly(
    twiddle: np.ndarray, tied: bool, columns: np.ndarray, dtype: np.dtype
) -> Butterfly:
    """Return B P of one twiddle: (planes, 4, size), and ``A[:, columns] = B``."""
    n, blocks = len(columns), twiddle[0]
    if len(twiddle) == 2:
        blocks = twiddle[0] + 1j * twiddle[1]
    values = []
    for level in range(n.bit_length() - 2, -1, -1):
        stride = 1 << level
        if tied:
            part = blocks[:, stride - 1 : 2 * stride - 1].reshape(2, 2, 1, stride)
        else:
            part = blocks[:, level * n // 2 : (level + 1) * n // 2]
            part = part.reshape(2, 2, -1, stride)
        shape = (n // (2 * stride), 2, 2, stride)
        values.append(np.broadcast_to(part.transpose(2, 0, 1, 3), shape).astype(dtype))
    return Butterfly(Chain.square_dyadic(n), values, columns=columns)


def operator(
    twiddles: np.ndarray,
    tied: bool,
    permutations: Permutations,
    dtype: np.dtype,
    real: bool,
) -> FastOperator:
    """Return the learned operator, or its real part.

    Parameters
    ----------
    twiddles : ndarray, (butterflies, planes, 4, size)
    tied : bool
    permutations : tuple of ndarray
    dtype : numpy.dtype
        Of the values, complex with two planes.
    real : bool
        Whether to take the real part of complex values.

    Returns
    -------
    Butterfly
        With two butterflies, where the inner permutation is the identity or the bit
        reversal, which turns the strides of the right one around; else a FactorProduct.
    """
    parts = [
        butterfly(twiddle, tied, columns, dtype)
        for twiddle, columns in zip(twiddles, permutations, strict=True)
    ]
    if len(parts) == 1:
        return parts[0].real_part() if real else parts[0]
    merged = _merged(*parts)
    if merged is None or (real and not _has_real_part(merged)):
        factors = parts[0].to_factors() @ parts[1].to_factors()
        return _real_product(factors) if real else factors
    return merged.real_part() if real else merged


def _merged(left, right):
    """Return the product as one butterfly, or None."""
    n = left.shape[0]
    inner = np.arange(n) if left.columns is None else left.columns
    columns = np.arange(n) if right.columns is None else right.columns
    values, chain = right.values, right.chain
    if np.array_equal(inner, bit_reversal(n)):
        # P K P⁻¹ mixes bits from the other end: pattern (a, 2, 2, d) is (d, 2, 2, a).
        values = [_reversed(value) for value in values]
        chain, columns = Chain([v.shape for v in values]), columns[inner]
    elif left.columns is not None:
        return None
    return Butterfly(
        left.chain @ chain, left.values + values, rows=None, columns=columns
    )


def _reversed(value):
    """Return the values of P K P⁻¹, P the bit reversal."""
    a, _, _, d = value.shape
    turned = value.transpose(3, 1, 2, 0)
    return np.ascontiguousarray(turned[bit_reversal(d)][..., bit_reversal(a)])


def _has_real_part(merged):
    """Whether each pair of neighbours has a pattern."""
    try:
        for left, right in itertools.pairwise(merged.chain):
            Chain([left, right]).fuse()
    except ValueError:
        return False
    return True


def _real_product(product):
    """Return Re(S1 ... SJ): [Re, -Im] [[Re, -Im], [Im, Re]] ... [Re; Im]."""
    factors = []
    last = len(product.factors) - 1
    for number, factor in enumerate(product.factors):
        upper, lower = [factor.real, -factor.imag], [factor.imag, factor.real]
        rows = [upper] if number == 0 else [upper, lower]
        if number == last:
            rows = [row[:1] for row in rows]
        factors.append(sp.block_array(rows, format="csr"))
    return FactorProduct(factors, product.scale)


def spread_scale(twiddles: np.ndarray, scale: float, tied: bool) -> np.ndarray:
    """Return the twiddles of the product times a scale, a part of it in each level."""
    n_butterflies, _, _, size = twiddles.shape
    n_levels = (size + 1).bit_length() - 1 if tied else _untied_levels(size)
    return twiddles * math.pow(scale, 1 / (n_butterflies * n_levels))


def _untied_levels(size):
    """Return L with L 2^(L-1) = size."""
    return next(k for k in range(1, 64) if k << (k - 1) == size)
