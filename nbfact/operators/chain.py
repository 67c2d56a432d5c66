"""Chain: the Kronecker-sparse patterns (a, b, c, d) of a butterfly, left to right."""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import patterns as pt

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Chain(Sequence):
    """A sequence of Kronecker-sparse patterns, as written from left to right.

    The pattern (a, b, c, d) is the support I_a ⊗ 1_{b×c} ⊗ I_d, of shape
    (abd, acd): entry ``values[i, j, k, l]`` of an array of shape (a, b, c, d) stands
    in row ``i*b*d + j*d + l`` and column ``i*c*d + k*d + l``.

    Parameters
    ----------
    patterns : sequence of (a, b, c, d)
        Positive integers, at least one pattern; the columns of each, acd, are the rows
        of the next.

    Attributes
    ----------
    patterns : tuple of (a, b, c, d)
    shape : tuple of int
        (m, n) of the product.
    n_parameters : int
        Values of all factors together, the sum of abcd; multiplications of a product.
    chainable : bool
        Whether the products of such factors form a class with a best approximation,
        which `butterfly_factorize` then finds to a constant: for neighbours, a divides
        the next a, the next d divides d, and the rank is an integer.
    redundant : bool
        Whether two neighbours have a rank so high that one factor would do.
    ranks : tuple of int
        r = a c / a' of neighbours: the rank of the blocks that they factor.

    Raises
    ------
    ValueError
        Without a pattern; for one that is not four positive integers; for shapes that
        do not chain. The message names the pattern and the sizes.

    Notes
    -----
    A chain that is valid but not chainable can still be multiplied: the transpose of a
    chainable chain, or one after another, as in B Bᵀ.

    References
    ----------
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
    guarantees, SIAM J. Matrix Anal. Appl., 2025, definitions 3.1 and 3.9.

    Examples
    --------
    >>> chain = Chain.square_dyadic(8)
    >>> chain.patterns
    ((1, 2, 2, 4), (2, 2, 2, 2), (4, 2, 2, 1))
    >>> chain.n_parameters, chain.chainable, chain.T.chainable
    (48, True, False)
    """

    __array_ufunc__ = None  # chain @ array is an error, not a product of tables

    def __init__(self, patterns: Sequence[Sequence[int]]) -> None:
        checked = tuple(pt.checked(j, p) for j, p in enumerate(_listed(patterns)))
        if not checked:
            raise ValueError("a chain needs at least one pattern (a, b, c, d)")
        for j, (left, right) in enumerate(itertools.pairwise(checked)):
            columns, rows = pt.shape_of(left)[1], pt.shape_of(right)[0]
            if columns != rows:
                raise ValueError(
                    f"shapes do not chain: patterns[{j}]={left} has {columns} columns, "
                    f"patterns[{j + 1}]={right} has {rows} rows"
                )
        self.patterns = checked
        self.shape = (pt.shape_of(checked[0])[0], pt.shape_of(checked[-1])[1])
        self.n_parameters = sum(math.prod(pattern) for pattern in checked)

    @classmethod
    def square_dyadic(cls, n: int | tuple[int, int]) -> "Chain":
        """Return the chain of the fast Hadamard and Fourier transforms.

        Parameters
        ----------
        n : int or (int, int)
            Order, a power of two.

        Returns
        -------
        Chain
            Patterns (2^l, 2, 2, n / 2^(l+1)), l = 0 ... log2(n) - 1.

        Raises
        ------
        ValueError
            When n is not a power of two, or the shape is not square.
        """
        return cls.mixed_radix(_dyadic_radices(n))

    @classmethod
    def rank2(cls, n: int | tuple[int, int]) -> "Chain":
        """Return the dyadic chain with blocks of rank two between the factors.

        It holds the real parts of dyadic butterflies exactly: discrete cosine, sine and
        Hartley transforms. n is as in `square_dyadic`.
        """
        return cls.mixed_radix(_dyadic_radices(n), rank=2)

    @classmethod
    def mixed_radix(
        cls, factors: Sequence[int], columns: Sequence[int] | None = None, rank: int = 1
    ) -> "Chain":
        """Return the chain that splits rows, and columns, by one radix a factor.

        Parameters
        ----------
        factors : sequence of int
            Radices of the rows, m their product, the leftmost factor's first.
        columns : sequence of int, optional
            As many radices of the columns, n their product; by default those of the
            rows.
        rank : int
            Of the blocks between neighbouring factors.

        Returns
        -------
        Chain
            Factor l has b = factors[l], c = columns[l] (times `rank` where there is a
            neighbour on that side), a the product of the columns before it, d that of
            the factors after it.

        Raises
        ------
        ValueError
            Without a radix, for one that is not a positive integer, or when the two
            sequences differ in length.

        Examples
        --------
        >>> Chain.mixed_radix([2, 3]).patterns
        ((1, 2, 2, 3), (2, 3, 3, 1))
        """
        rows = [pt.positive("factors", value) for value in _listed(factors)]
        wide = rows if columns is None else _listed(columns)
        wide = [pt.positive("columns", value) for value in wide]
        rank = pt.positive("rank", rank)
        if not rows or len(rows) != len(wide):
            raise ValueError(
                f"{len(rows)} factors and {len(wide)} columns: expected as many of "
                "each, at least one"
            )
        last = len(rows) - 1
        patterns = [
            (
                math.prod(wide[:level]),
                rows[level] * (1 if level == 0 else rank),
                wide[level] * (1 if level == last else rank),
                math.prod(rows[level + 1 :]),
            )
            for level in range(len(rows))
        ]
        return cls(patterns)

    @classmethod
    def monarch(
        cls, shape: int | tuple[int, int], p: int | None = None, q: int | None = None
    ) -> "Chain":
        """Return the two-factor chain (1, p, q, m/p), (q, m/p, n/q, 1).

        Parameters
        ----------
        shape : int or (int, int)
            (m, n) of the matrix.
        p, q : int, optional
            Divisors of m and of n; by default the product of the smallest prime
            factors, multiplied from the smallest on, that comes nearest to the root.

        Returns
        -------
        Chain

        Raises
        ------
        ValueError
            When p does not divide m, or q does not divide n.

        References
        ----------
        T. Dao et al., Monarch: expressive structured matrices for efficient and
        accurate training, ICML 2022.

        Examples
        --------
        >>> Chain.monarch((64, 16)).patterns
        ((1, 8, 4, 8), (4, 8, 4, 1))
        """
        m, n = _shape(shape)
        p = pt.near_root(m) if p is None else pt.positive("p", p)
        q = pt.near_root(n) if q is None else pt.positive("q", q)
        for name, divisor, letter, size in (("p", p, "m", m), ("q", q, "n", n)):
            if size % divisor:
                raise ValueError(f"{name}={divisor} does not divide {letter}={size}")
        return cls.mixed_radix([p, m // p], [q, n // q])

    @classmethod
    def smallest(cls, shape: int | tuple[int, int]) -> "Chain":
        """Return a chainable chain of rank one for any shape, with many small blocks.

        Parameters
        ----------
        shape : int or (int, int)
            (m, n) of the matrix.

        Returns
        -------
        Chain
            Square: one factor for each prime factor, the smallest first, as Fourier
            transforms want. Else as many factors as m or n has prime factors, whichever
            has fewer: rows are split by the largest first and columns by the smallest,
            which has the fewest parameters; the surplus of the other is one radix.

        Examples
        --------
        >>> Chain.smallest((12, 12)).patterns, Chain.smallest((7, 6)).patterns
        (((1, 2, 2, 6), (2, 2, 2, 3), (4, 3, 3, 1)), ((1, 7, 6, 1),))
        """
        m, n = _shape(shape)
        rows, columns = pt.prime_factors(m) or [1], pt.prime_factors(n) or [1]
        if rows != columns:
            length = min(len(rows), len(columns))
            rows = pt.lumped(rows, length)[::-1]
            columns = pt.lumped(columns, length)
        return cls.mixed_radix(rows, columns)

    @property
    def chainable(self) -> bool:
        """Whether every pair of neighbours is chainable."""
        return all(pt.is_chainable(*pair) for pair in itertools.pairwise(self.patterns))

    @property
    def ranks(self) -> tuple[int, ...]:
        """Rank of the blocks between neighbours; ValueError unless chainable."""
        if not self.chainable:
            raise ValueError(f"{self} is not chainable: its blocks have no rank")
        pairs = itertools.pairwise(self.patterns)
        return tuple(left[0] * left[2] // right[0] for left, right in pairs)

    @property
    def redundant(self) -> bool:
        """Whether neighbours could be one factor without more parameters."""
        pairs = itertools.pairwise(self.patterns)
        return any(
            rank >= min(left[1], right[2])
            for rank, (left, right) in zip(self.ranks, pairs, strict=True)
        )

    @property
    def T(self) -> "Chain":
        """The chain of the transposed product."""
        return Chain([pt.transposed(pattern) for pattern in reversed(self.patterns)])

    def fuse(self, sizes: Sequence[int] | None = None) -> "Chain":
        """Return the chain whose factors are products of consecutive ones.

        Parameters
        ----------
        sizes : sequence of int, optional
            How many factors go into each, from the left; by default all into one.

        Returns
        -------
        Chain

        Raises
        ------
        ValueError
            When the sizes do not add up, or when the product of two factors is not a
            pattern: neither they nor their transposes are chainable.

        Examples
        --------
        >>> Chain.square_dyadic(16).fuse([2, 2]).patterns
        ((1, 4, 4, 4), (4, 4, 4, 1))
        """
        return Chain(
            [
                functools.reduce(pt.fused, self.patterns[start:stop])
                for start, stop in pt.groups(len(self), sizes)
            ]
        )

    def toarray(self) -> np.ndarray:
        """Return the support of the product: boolean, of shape `shape`."""
        product = np.ones((1, 1), bool)
        for number in range(len(self)):
            support = self.support(number)
            product = support if number == 0 else product @ support
        return product

    def support(self, number: int) -> np.ndarray:
        """Return the support of one factor: boolean, of shape (abd, acd)."""
        a, b, c, d = self.patterns[number]
        block = np.ones((b, c), bool)
        return np.kron(np.kron(np.eye(a, dtype=bool), block), np.eye(d, dtype=bool))

    def plot(self, figure: "Figure | None" = None) -> "Figure":
        """Draw the support of each factor, side by side.

        Parameters
        ----------
        figure : matplotlib.figure.Figure, optional
            Where to draw; a new one by default.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ModuleNotFoundError
            When matplotlib is not installed; the message says what brings it.
        """
        if figure is None:
            try:
                from matplotlib.figure import Figure
            except ModuleNotFoundError:
                raise ModuleNotFoundError(
                    'matplotlib is missing; pip install "nbfact[study]" brings it'
                ) from None
            figure = Figure(figsize=(3 * len(self), 3.2), layout="constrained")
        for number, (axes, pattern) in enumerate(
            zip(np.ravel(figure.subplots(1, len(self))), self.patterns, strict=True)
        ):
            axes.imshow(~self.support(number), cmap="gray", interpolation="nearest")
            axes.set(title=str(pattern), xticks=[], yticks=[])
        return figure

    def __matmul__(self, other: Any) -> "Chain":
        """Return the chain of the product of two products."""
        if not isinstance(other, Chain):
            return NotImplemented
        return Chain(self.patterns + other.patterns)

    def __getitem__(self, index: Any) -> Any:
        chosen = self.patterns[index]
        return Chain(chosen) if isinstance(index, slice) else chosen

    def __len__(self) -> int:
        return len(self.patterns)

    def __iter__(self) -> Iterator[pt.Pattern]:
        return iter(self.patterns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chain) and self.patterns == other.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)

    def __repr__(self) -> str:
        return f"Chain([{', '.join(map(str, self.patterns))}])"


def _listed(values):
    """Return a sequence as a list, or say that it is none."""
    try:
        return list(values)
    except TypeError:
        raise TypeError(f"expected a sequence, got {values!r}") from None


def _shape(shape):
    """Return (m, n) from an order or a shape."""
    sizes = _listed(shape) if np.ndim(shape) else [shape, shape]
    if len(sizes) != 2:
        raise ValueError(f"shape {shape!r}: expected an order, or (m, n)")
    return tuple(pt.positive("shape", size) for size in sizes)


def _dyadic_radices(n):
    """Return log2(n) radices 2, or a single 1, for an order or a square shape."""
    rows, columns = _shape(n)
    if rows != columns or rows & (rows - 1):
        raise ValueError(
            f"shape {(rows, columns)}: a dyadic chain is square, of an order that is "
            "a power of two"
        )
    return [2] * (rows.bit_length() - 1) or [1]
