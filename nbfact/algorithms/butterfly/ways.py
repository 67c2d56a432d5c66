"""What to try: chains, and permutations that make transforms butterflies."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...operators import Chain
from ...operators.reorderings import bit_reversal, dao, digit_reversal, makhoul

NAMES = ("bit-reversal", "digit-reversal", "makhoul", "search")


@dataclass(frozen=True)
class Way:
    """One way to factor: a chain and a permutation, of the matrix or its transpose."""

    chain: Chain
    turned: bool
    only_exact: bool
    name: str | None
    rows: np.ndarray | None
    columns: np.ndarray | None


def ways(
    matrix: np.ndarray, chain: Chain | None, permutation: Any, transpose: bool | str
) -> Iterator[Way]:
    """Yield the ways to try, in order, or raise."""
    chains = _chains(matrix.shape, chain, transpose)
    if not isinstance(permutation, str):
        rows, columns = given(permutation, matrix.shape)
        for one, turned, only_exact in chains:
            pair = (columns, rows) if turned else (rows, columns)
            yield Way(one, turned, only_exact, None, *pair)
        return
    if permutation != "search":
        for one, turned, only_exact in chains:
            columns = named(permutation, one)
            yield Way(one, turned, only_exact, permutation, None, columns)
        return
    n = matrix.shape[0]
    if chain is None and matrix.dtype.kind == "f" and _is_dyadic(matrix.shape):
        rank2 = Chain.rank2(n)
        if rank2.n_parameters < n * n:
            chains = list(chains)
            chains += [(rank2, turned, True) for _, turned, _ in chains]
    for one, turned, only_exact in chains:
        for name, columns in searched(one):
            yield Way(one, turned, only_exact, name, None, columns)


def _chains(shape, chain, transpose) -> Iterator[tuple[Chain, bool, bool]]:
    """Yield chains, whether for the transpose, and whether only if exact."""
    turned_shape = shape[::-1]
    if chain is None:
        if transpose is not True:
            yield _default_chain(shape), False, False
        if transpose is not False:
            yield _default_chain(turned_shape), True, transpose == "auto"
        return
    if chain.shape != (turned_shape if transpose is True else shape):
        told = "its transpose" if transpose is True else "the target"
        raise ValueError(
            f"chain has shape {chain.shape}, {told} has shape "
            f"{turned_shape if transpose is True else shape}"
        )
    if chain.chainable:
        if transpose is not True:
            yield chain, False, False
        if transpose is True or (transpose == "auto" and shape == turned_shape):
            yield chain, True, transpose == "auto"
    elif transpose == "auto" and chain.T.chainable:
        yield chain.T, True, False
    else:
        either = "" if transpose != "auto" else ", nor is its transpose"
        raise ValueError(f"chain is not chainable{either}: {chain}")


@functools.lru_cache(maxsize=64)
def _default_chain(shape):
    return Chain.square_dyadic(shape) if _is_dyadic(shape) else Chain.smallest(shape)


def _is_dyadic(shape):
    return shape[0] == shape[1] and shape[0] & (shape[0] - 1) == 0


def column_radices(chain: Chain) -> list[int]:
    """Return by which factor each pattern of a chainable chain splits the columns."""
    ends = [pattern[0] for pattern in chain.patterns[1:]]
    _, _, c, d = chain.patterns[-1]
    ends.append(chain.patterns[-1][0] * c * d)
    return [
        end // pattern[0] for pattern, end in zip(chain.patterns, ends, strict=True)
    ]


def named(name: str, chain: Chain) -> np.ndarray:
    """Return the columns in a named order.

    Raises
    ------
    ValueError
        For an unknown name, or a bit reversal of an order that is no power of two.
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
    raise ValueError(f"permutation must be one of {NAMES}, got {name!r}")


def searched(chain: Chain) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield names and columns: in order, digit reversal, Makhoul's, Dao's.

    Of Dao's eight, which need a power of two, two are there already.
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
    for split, first, second in itertools.product((1, 0), (0, 1), (0, 1)):
        if power and (first or second):
            yield f"dao-{split}{first}{second}", dao(n, split, first, second)


def given(permutation: Any, shape: tuple[int, int]) -> tuple[Any, Any]:
    """Return rows and columns, checked, of indices or a pair of indices.

    Raises
    ------
    ValueError
        When they are no permutation; the message names the argument and the sizes.
    """
    pair = isinstance(permutation, tuple) and len(permutation) == 2
    if pair and all(part is None or np.ndim(part) == 1 for part in permutation):
        rows, columns = permutation
    else:
        rows, columns = None, permutation
    return (
        _checked("rows", rows, shape[0]),
        _checked("columns", columns, shape[1]),
    )


def _checked(what, index, size):
    """Return a permutation of `size` indices, or None."""
    if index is None:
        return None
    index = np.asarray(index)
    if index.shape != (size,) or index.dtype.kind not in "iu":
        raise ValueError(
            f"permutation: expected {size} integers for the {what}, got shape "
            f"{index.shape} of {index.dtype}"
        )
    if np.any(np.sort(index) != np.arange(size)):
        raise ValueError(
            f"permutation: the {what} must hold 0 to {size - 1}, each of them once"
        )
    return index.astype(np.intp)
