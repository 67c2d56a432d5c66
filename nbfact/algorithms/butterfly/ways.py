"""The ways to factor a matrix: chains, and permutations that make it a butterfly."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._core.array_checks import permutation_of
from ..._core.checks import shown
from ...operators import Chain
from ...operators.reorderings import bit_reversal, dao, digit_reversal, makhoul

PermutationOption = (
    Literal["bit-reversal", "digit-reversal", "makhoul", "search"]
    | npt.ArrayLike
    | tuple[npt.ArrayLike | None, npt.ArrayLike | None]
    | None
)
"""What the argument ``permutation`` of `butterfly_factorize` may be."""

TransposeOption = bool | Literal["auto"]
"""What the argument ``transpose`` of `butterfly_factorize` may be."""

NAMES = ("bit-reversal", "digit-reversal", "makhoul", "search")
"""Names that the argument ``permutation`` of `butterfly_factorize` may be."""


class Way(NamedTuple):
    """One way to factor a matrix: a chain, and orders of the rows and the columns.

    It is a named tuple, because making a frozen dataclass takes microseconds, and small
    matrices are factored in tens of them.

    Attributes
    ----------
    chain : Chain
        A chainable chain.
    transposed : bool
        Whether the transpose of the matrix is factored.
    only_exact : bool
        Whether the factors are wanted only if they are exact.
    name : str or None
        Name of the permutation; None where it was given by its indices, or not at all.
    rows, columns : ndarray of intp, or None
        Order of the rows and of the columns of the matrix that is factored, which is
        the transpose if `transposed`; None leaves them in order.
    """

    chain: Chain
    transposed: bool
    only_exact: bool
    name: str | None = None
    rows: np.ndarray | None = None
    columns: np.ndarray | None = None


def ways(
    matrix: np.ndarray,
    chain: Chain | None,
    permutation: PermutationOption,
    transpose: TransposeOption,
) -> Iterator[Way]:
    """Yield the ways to try, at least one of them, in the order in which to try them.

    The arguments are those of `butterfly_factorize`, the chain and the matrix already
    checked.

    Raises
    ------
    ValueError
        If the chain has another shape or is not chainable, or if the permutation is
        unknown or no permutation.
    """
    shape = matrix.shape[0], matrix.shape[1]
    plain = _chains(shape, chain, transpose)
    if permutation is None:
        yield from plain
        return
    if not isinstance(permutation, str):
        rows, columns = checked_permutations(permutation, shape)
        for way in plain:
            if way.transposed:
                yield way._replace(rows=columns, columns=rows)
            else:
                yield way._replace(rows=rows, columns=columns)
        return
    if permutation != "search":
        for way in plain:
            columns = named_permutation(permutation, way.chain)
            yield way._replace(name=permutation, columns=columns)
        return
    n = shape[0]
    if chain is None and matrix.dtype.kind == "f" and _is_dyadic(shape):
        rank2 = Chain.rank2(n)
        if rank2.n_parameters < n * n:
            dyadic = list(plain)
            doubled = [Way(rank2, way.transposed, True) for way in dyadic]
            plain = iter(dyadic + doubled)
    for way in plain:
        for name, columns in searched_permutations(way.chain):
            yield way._replace(name=name, columns=columns)


def _chains(
    shape: tuple[int, int], chain: Chain | None, transpose: TransposeOption
) -> Iterator[Way]:
    """Yield the ways without a permutation: the matrix first, then its transpose."""
    transposed_shape = shape[::-1]
    automatic = isinstance(transpose, str)
    forced = not automatic and bool(transpose)
    if chain is None:
        if not forced:
            yield Way(_default_chain(shape), False, False)
        if forced or automatic:
            yield Way(_default_chain(transposed_shape), True, automatic)
        return
    factored, expected = "the target", shape
    if forced:
        factored, expected = "its transpose", transposed_shape
    if chain.shape != expected:
        raise ValueError(
            f"chain has shape {chain.shape}, {factored} has shape {expected}"
        )
    if chain.chainable:
        if not forced:
            yield Way(chain, False, False)
        if forced or (automatic and shape == transposed_shape):
            yield Way(chain, True, automatic)
    elif automatic and chain.T.chainable:
        yield Way(chain.T, True, False)
    else:
        either = ", nor is its transpose" if automatic else ""
        raise ValueError(f"chain is not chainable{either}: {chain}")


@functools.lru_cache(maxsize=64)
def _default_chain(shape: tuple[int, int]) -> Chain:
    """Return the chain that is used where none is given."""
    return Chain.square_dyadic(shape) if _is_dyadic(shape) else Chain.smallest(shape)


def _is_dyadic(shape: tuple[int, int]) -> bool:
    """Return whether a shape is square, of an order that is a power of two."""
    return shape[0] == shape[1] and shape[0] & (shape[0] - 1) == 0


def column_radices(chain: Chain) -> list[int]:
    """Return by which factor each pattern of a chainable chain splits the columns."""
    ends = [pattern[0] for pattern in chain.patterns[1:]]
    _, _, c, d = chain.patterns[-1]
    ends.append(chain.patterns[-1][0] * c * d)
    return [
        end // pattern[0] for pattern, end in zip(chain.patterns, ends, strict=True)
    ]


def named_permutation(name: str, chain: Chain) -> np.ndarray:
    """Return the order of the columns that has a name.

    Raises
    ------
    ValueError
        If the name is unknown, or if it is "bit-reversal" and the number of columns is
        no power of two.
    """
    n = chain.shape[1]
    if name == "bit-reversal":
        if n & (n - 1):
            raise ValueError(
                f'permutation "bit-reversal": {n} columns are no power of two'
            )
        return bit_reversal(n)
    if name == "digit-reversal":
        return digit_reversal(column_radices(chain))
    if name == "makhoul":
        return makhoul(n)[digit_reversal(column_radices(chain))]
    raise ValueError(f"permutation must be one of {NAMES}, got {shown(name)}")


def searched_permutations(chain: Chain) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield the name and the columns of each permutation that a search tries.

    These are the columns in order, the digit reversal, Makhoul's order, and, for a
    power of two, six of the eight permutations of Dao et al. (2019): the other two are
    the columns in order and the bit reversal.
    """
    n = chain.shape[1]
    yield "identity", None
    power = n & (n - 1) == 0
    reversal = digit_reversal(column_radices(chain))
    if power and np.array_equal(reversal, bit_reversal(n)):
        yield "bit-reversal", reversal
    else:
        yield "digit-reversal", reversal
        if power:
            yield "bit-reversal", bit_reversal(n)
    yield "makhoul", makhoul(n)[reversal]
    bits = (False, True)
    for split, first, second in itertools.product((True, False), bits, bits):
        if power and (first or second):
            name = f"dao-{split:d}{first:d}{second:d}"
            yield name, dao(n, split, first, second)


def checked_permutations(
    permutation: Any, shape: tuple[int, int]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the rows and the columns of an argument that holds indices, or None each.

    Parameters
    ----------
    permutation : array_like of int, pair of those, or None
        Columns, or a pair of rows and columns.
    shape : tuple of int
        Shape of the matrix whose rows and columns are permuted.

    Raises
    ------
    ValueError
        If indices are no permutation; the message names the argument and the sizes.
    """
    pair = isinstance(permutation, tuple) and len(permutation) == 2
    if pair and all(part is None or np.ndim(part) == 1 for part in permutation):
        rows, columns = permutation
    else:
        rows, columns = None, permutation
    return (
        _checked_indices("rows", rows, shape[0]),
        _checked_indices("columns", columns, shape[1]),
    )


def _checked_indices(what: str, index: Any, size: int) -> np.ndarray | None:
    """Return a permutation of `size` indices as an array, or None for None."""
    if index is None:
        return None
    return permutation_of(f"permutation of the {what}", index, size)
