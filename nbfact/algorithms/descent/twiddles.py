"""Operators from learned twiddles, the 2 × 2 blocks of all levels of a butterfly."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from ...operators import Butterfly, Chain, FactorProduct
from ...operators.reorderings import bit_reversal
from .permutation_choices import Permutations


def twiddle_operator(
    twiddles: np.ndarray,
    tied: bool,
    permutations: Permutations,
    dtype: np.dtype,
    real: bool,
) -> Butterfly | FactorProduct:
    """Return the learned operator, or its real part.

    Parameters
    ----------
    twiddles : ndarray, (butterflies, planes, 4, size)
        The values of one or two butterflies; the planes are real and imaginary parts.
    tied : bool
        Whether all blocks of a level that are at the same position are equal.
    permutations : tuple of ndarray
        One for each butterfly.
    dtype : numpy.dtype
        Dtype of the values, complex if there are two planes.
    real : bool
        Whether to take the real part of complex values.

    Returns
    -------
    Butterfly or FactorProduct
        A Butterfly, except for two butterflies whose inner permutation is neither the
        identity nor the bit reversal, which reverses the strides of the right one, or
        whose real part has no patterns.
    """
    parts = [
        twiddle_butterfly(twiddle, tied, columns, dtype)
        for twiddle, columns in zip(twiddles, permutations, strict=True)
    ]
    if len(parts) == 1:
        return parts[0].real_part() if real else parts[0]
    left, right = parts
    merged = _merged(left, right)
    if merged is None or (real and not _has_real_part(merged)):
        factors = left.to_factors() @ right.to_factors()
        return _real_product(factors) if real else factors
    return merged.real_part() if real else merged


def twiddle_butterfly(
    twiddle: np.ndarray, tied: bool, columns: np.ndarray, dtype: np.dtype
) -> Butterfly:
    """Return the operator A of one twiddle (planes, 4, size): ``A[:, columns] = B``."""
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


def _merged(left: Butterfly, right: Butterfly) -> Butterfly | None:
    """Return the product of two butterflies as one, or None if it is none."""
    n = left.shape[0]
    inner = np.arange(n) if left.columns is None else left.columns
    columns = np.arange(n) if right.columns is None else right.columns
    values, chain = right.values, right.chain
    if np.array_equal(inner, bit_reversal(n)):
        # P K P⁻¹ mixes bits from the other end: pattern (a, 2, 2, d) is (d, 2, 2, a).
        values = tuple(_bit_reversed(value) for value in values)
        chain = Chain([value.shape for value in values])
        columns = columns[inner]
    elif left.columns is not None:
        return None
    return Butterfly(
        left.chain @ chain, left.values + values, rows=None, columns=columns
    )


def _bit_reversed(values: np.ndarray) -> np.ndarray:
    """Return the values of P K P⁻¹ from those of a factor K; P is the bit reversal."""
    a, _, _, d = values.shape
    swapped = values.transpose(3, 1, 2, 0)
    return np.ascontiguousarray(swapped[bit_reversal(d)][..., bit_reversal(a)])


def _has_real_part(merged: Butterfly) -> bool:
    """Return whether the product of each pair of neighbours has a pattern."""
    try:
        for left, right in itertools.pairwise(merged.chain):
            Chain([left, right]).fuse()
    except ValueError:
        return False
    return True


def _real_product(product: FactorProduct) -> FactorProduct:
    """Return Re(S1 ... SJ) as [Re, -Im] [[Re, -Im], [Im, Re]] ... [Re; Im]."""
    factors = []
    last = len(product.factors) - 1
    for number, factor in enumerate(product.factors):
        upper, lower = [factor.real, -factor.imag], [factor.imag, factor.real]
        rows: Sequence[list[sp.csr_array]] = [upper, lower]
        if number == 0:
            rows = [upper]
        if number == last:
            rows = [row[:1] for row in rows]
        factors.append(sp.block_array(rows, format="csr"))
    return FactorProduct(factors, product.scale)


def spread_scale(twiddles: np.ndarray, scale: float, tied: bool) -> np.ndarray:
    """Return the twiddles of the product times a scale, shared equally by all levels.

    Parameters
    ----------
    twiddles : ndarray, (butterflies, planes, 4, size)
    scale : float
    tied : bool
    """
    n_butterflies, _, _, size = twiddles.shape
    n_levels = (size + 1).bit_length() - 1 if tied else _untied_levels(size)
    return twiddles * math.pow(scale, 1 / (n_butterflies * n_levels))


def _untied_levels(size: int) -> int:
    """Return the number of levels L of untied twiddles, which have L 2^(L-1) blocks."""
    return next(k for k in range(1, 64) if k << (k - 1) == size)
