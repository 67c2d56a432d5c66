"""The values of a butterfly in other layouts: sparse factors, and torch twiddles.

The conversions move values and compute none, so that they are exact to the last bit.
"""

import cmath
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.array_checks import matrix_of, plain_array
from .._core.checks import flag, sequence
from .._core.dtypes import common_dtype
from .chain import Chain
from .patterns import Pattern, shape_of


def chain_of(chain: Chain | Sequence[Sequence[int]]) -> Chain:
    """Return an argument `chain`, a chain or its patterns, as a chain.

    Raises
    ------
    TypeError, ValueError
        Those of `Chain`, with the name of the argument.
    """
    try:
        return chain if isinstance(chain, Chain) else Chain(chain)
    except (TypeError, ValueError) as error:
        raise type(error)(f"chain: {error}") from None


def factor_values(factor: Any, pattern: Pattern, name: str) -> np.ndarray:
    """Return the values of a sparse or dense factor whose support is a pattern.

    Parameters
    ----------
    factor : array_like or scipy sparse array, shape (abd, acd)
    pattern : (a, b, c, d)
    name : str
        Name of the argument that holds the factor, for the message.

    Returns
    -------
    ndarray, shape (a, b, c, d)

    Raises
    ------
    ValueError
        When the shape is not that of the pattern, or an entry outside the pattern is
        not zero.
    """
    factor = matrix_of(name, factor)
    if factor.shape != shape_of(pattern):
        raise ValueError(
            f"{name} has shape {factor.shape}, the pattern {pattern} has shape "
            f"{shape_of(pattern)}"
        )
    _, b, c, d = pattern
    entries = sp.coo_array(factor)
    entries.sum_duplicates()
    row, column, data = entries.row, entries.col, entries.data
    i, j, line = row // (b * d), row // d % b, row % d
    outside = (column // (c * d) != i) | (column % d != line)
    if np.any(data[outside] != 0):
        raise ValueError(
            f"{name} has entries that are not zero outside the pattern {pattern}"
        )
    values = np.zeros(pattern, data.dtype)
    inside = ~outside
    k = column // d % c
    values[i[inside], j[inside], k[inside], line[inside]] = data[inside]
    return values


def from_twiddle(
    twiddle: np.ndarray, increasing_stride: bool = True
) -> tuple[Chain, list[np.ndarray]]:
    """Return the chain and the values of a twiddle (values) of torch_butterfly.

    Parameters
    ----------
    twiddle : ndarray, shape (nstacks, nblocks, log2(n), n / 2, 2, 2)
        The first block is applied first; the strides of blocks increase and decrease in
        turn. The 2 x 2 matrix i of a level of stride s mixes the positions
        p = 2 (i - i % s) + i % s and p + s.
    increasing_stride : bool
        Whether the first block starts with stride 1.

    Returns
    -------
    chain : Chain
        The chain of shape (nstacks n, n). When there are several stacks, the factor
        that is applied first copies the input for each of them.
    values : list of ndarray
        The values in the order of the chain, in which the factor that is applied last
        comes first.

    Raises
    ------
    ValueError
        When the shape is not that of a twiddle.
    """
    twiddle = plain_array("twiddle", twiddle)
    if not np.isfinite(twiddle).all():
        raise ValueError("twiddle contains NaN or infinity")
    shape = twiddle.shape
    if len(shape) != 6 or 0 in shape or shape[3:] != (2 ** (shape[2] - 1), 2, 2):
        raise ValueError(
            f"twiddle has shape {shape}, expected (nstacks, nblocks, log2(n), n / 2, "
            "2, 2)"
        )
    increasing_stride = flag("increasing_stride", increasing_stride)
    n_stacks, n_blocks, n_levels, half = shape[:4]
    applied = []
    if n_stacks > 1:
        applied.append(np.ones((1, n_stacks, 1, 2 * half), twiddle.dtype))
    for block in range(n_blocks):
        increasing = increasing_stride == (block % 2 == 0)
        for index in range(n_levels):
            stride = 2 ** (index if increasing else n_levels - 1 - index)
            level = twiddle[:, block, index].reshape(-1, stride, 2, 2)
            applied.append(np.ascontiguousarray(level.transpose(0, 2, 3, 1)))
    values = applied[::-1]
    return Chain([v.shape for v in values]), values


def to_twiddle(values: Sequence[np.ndarray]) -> tuple[np.ndarray, bool]:
    """Return the twiddle (array of values) of torch_butterfly for values on a chain.

    Parameters
    ----------
    values : sequence of ndarray, shapes (a, b, c, d)
        The values in the order of the chain.

    Returns
    -------
    twiddle : ndarray, shape (nstacks, nblocks, log2(n), n / 2, 2, 2)
    increasing_stride : bool
        Whether the first block starts with stride 1.

    Raises
    ------
    ValueError
        When the values are not one stack, or several, of dyadic butterflies whose
        strides increase and decrease in turn.
    """
    applied = list(values[::-1])
    n_stacks = 1
    if applied[0].shape[:1] + applied[0].shape[2:3] == (1, 1) and len(applied) > 1:
        if np.any(applied[0] != 1):
            raise ValueError("the first factor is not a stack of identities")
        n_stacks = applied.pop(0).shape[1]
    n = shape_of(applied[0].shape)[1] // n_stacks
    n_levels = n.bit_length() - 1
    strides = [value.shape[3] for value in applied]
    increasing = n_levels < 2 or strides[0] == 1
    wanted: list[int] = []
    block = [2**level for level in range(n_levels)]
    while n_levels and len(wanted) < len(applied):
        up = increasing == (len(wanted) // n_levels % 2 == 0)
        wanted += block if up else block[::-1]
    expected = [(n_stacks * n // (2 * s), 2, 2, s) for s in wanted]
    if not wanted or [value.shape for value in applied] != expected:
        shapes = [value.shape for value in values]
        raise ValueError(f"not butterflies of alternating directions: {shapes}")
    levels = [v.transpose(0, 3, 1, 2).reshape(n_stacks, n // 2, 2, 2) for v in applied]
    twiddle = np.stack(levels, axis=1)
    return twiddle.reshape(n_stacks, -1, n_levels, n // 2, 2, 2), increasing


def real_values(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return real values whose product is the real part of a product of complex ones.

    Parameters
    ----------
    values : sequence of ndarray, shapes (a, b, c, d)
        Complex values in the order of a chain whose neighbours, or their transposes,
        are chainable.

    Returns
    -------
    list of ndarray
        Real values. Between two neighbours each complex number becomes two real ones,
        so that c of the left factor and b of the right one double.

    Notes
    -----
    Re(K1 K2 ... KJ) = [Re K1, -Im K1] [[Re K2, -Im K2], [Im K2, Re K2]] ... [Re; Im].
    The index of the two parts is placed where two neighbours have the index of their
    rank, see `nbfact.operators.patterns.fused_values`.
    """
    last, found = len(values) - 1, []
    for number, value in enumerate(values):
        a, b, c, d = value.shape
        real, imag = value.real, value.imag
        inner = 1 if number == 0 else max(values[number - 1].shape[3] // d, 1)
        outer = 1 if number == last else max(values[number + 1].shape[3] // d, 1)
        # The new index of a row is (j', part, t) with t < inner, that of a column is
        # (k', part, t) with t < outer.
        rows = [(real, -imag), (imag, real)][: 1 if number == 0 else 2]
        parts = np.stack(
            [np.stack(row[: 1 if number == last else 2]) for row in rows]
        )  # (row parts, column parts, a, b, c, d)
        p, q = parts.shape[:2]
        parts = parts.reshape(p, q, a, b // inner, inner, c // outer, outer, d)
        placed = parts.transpose(2, 3, 0, 4, 5, 1, 6, 7)
        found.append(np.ascontiguousarray(placed.reshape(a, p * b, q * c, d)))
    return found


def checked_values(chain: Chain, values: Sequence[Any]) -> list[np.ndarray]:
    """Return the values as new C-ordered arrays of one dtype, or raise.

    Raises
    ------
    TypeError
        When values are not numbers.
    ValueError
        When the number of arrays or a shape is not that of the chain, when there are
        several dtypes, or when a value is NaN or infinite.
    """
    listed = values if type(values) is list else sequence("values", values, "arrays")
    arrays = [
        one
        if type(one) is np.ndarray and one.dtype.char in "fdFD"  # nothing to convert
        else plain_array(f"values[{j}]", one)
        for j, one in enumerate(listed)
    ]
    if len(arrays) != len(chain):
        raise ValueError(f"{len(arrays)} arrays of values for {len(chain)} patterns")
    for number, (array, pattern) in enumerate(zip(arrays, chain, strict=True)):
        if array.shape != pattern:
            raise ValueError(
                f"values[{number}] has shape {array.shape}, its pattern is {pattern}"
            )
    dtype = arrays[0].dtype
    if dtype.char not in "fdFD" or any(array.dtype is not dtype for array in arrays):
        dtypes = [common_dtype(array.dtype) for array in arrays]
        dtype = dtypes[0]
        if len(set(dtypes)) > 1:
            names = ", ".join(str(dtype) for dtype in dtypes)
            raise ValueError(
                f"values have several dtypes: {names}; convert them to one"
            )
    made = [np.array(array, dtype, order="C") for array in arrays]
    with np.errstate(all="ignore"):
        for number, array in enumerate(made):
            # A sum of squares is fast, and not finite unless all values are.
            square = np.vdot(array, array)  # it takes an array of any shape as one
            if not (cmath.isfinite(square) or np.isfinite(array).all()):
                raise ValueError(f"values[{number}] contains NaN or infinity")
    return made


def inverse_values(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the values of the inverse of a product, in the order of ``chain.T``.

    Raises
    ------
    ValueError
        When a factor is not square, or has a singular block.
    """
    inverses = []
    for number, value in enumerate(values):
        if value.shape[1] != value.shape[2]:
            raise ValueError(
                f"factor {number} has pattern {value.shape}: only square factors "
                "have inverses"
            )
        blocks = value.transpose(0, 3, 1, 2)
        try:
            inverse = np.linalg.inv(blocks)
        except np.linalg.LinAlgError:
            inverse = np.full(blocks.shape, np.nan)
        if not np.isfinite(inverse).all():
            raise ValueError(f"factor {number} has a singular block")
        inverses.append(inverse.transpose(0, 2, 3, 1))
    return inverses[::-1]
