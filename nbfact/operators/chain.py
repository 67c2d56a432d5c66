"""Chain: the Kronecker-sparse patterns (a, b, c, d) of the factors of a butterfly."""

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from .._core.checks import sequence, shown, size
from .._core.limits import check_memory
from . import patterns as pt
from . import radices
from .drawings import Drawable, notebook_html


class Chain(Sequence, Drawable):
    """A sequence of Kronecker-sparse patterns, the supports of factors in a product.

    The patterns are in the order of the factors, from left to right. The pattern
    (a, b, c, d) is the support I_a ⊗ 1_{b×c} ⊗ I_d, of shape (abd, acd): the entry
    ``values[i, j, k, l]`` of an array of shape (a, b, c, d) is in row
    ``i*b*d + j*d + l`` and column ``i*c*d + k*d + l`` of the factor.

    Parameters
    ----------
    patterns : sequence of (a, b, c, d)
        At least one pattern of four positive integers. The number of columns of each,
        acd, must be the number of rows of the next one.

    Attributes
    ----------
    patterns : tuple of (a, b, c, d)
    shape : tuple of int
        Rows m and columns n of the product.
    n_parameters : int
        Number of values of all factors together, the sum of all abcd. It is also the
        number of multiplications of a product with a vector.
    chainable : bool
        Whether, for all neighbours (a, b, c, d) and (a', b', c', d'), a divides a', d'
        divides d, and a c / a' is an integer. A best approximation by products of such
        factors then exists, and `butterfly_factorize` finds one whose error exceeds the
        best by a known factor at most.
    redundant : bool
        Whether two neighbours have blocks of so high a rank that one factor in their
        place would have no more parameters.
    ranks : tuple of int
        r = a c / a' of all neighbours: the largest rank of the blocks of their product.

    Raises
    ------
    TypeError
        When `patterns` is not a sequence.
    ValueError
        When there is no pattern, one is not made of four positive integers, or shapes
        do not chain. The message names the pattern and the sizes.

    See Also
    --------
    Butterfly : The operator, with values on the supports.
    nbfact.butterfly_factorize : Approximate a matrix by a butterfly on a chain.

    Notes
    -----
    Factors can be multiplied on every chain, also on one that is not chainable, such as
    the transpose of a chainable chain, or a chain followed by its transpose, as in the
    product B₁ B₂ᵀ of two butterflies.

    References
    ----------
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
    guarantees, SIAM J. Matrix Anal. Appl. 46(4), 2025 (arXiv:2411.04506):
    Kronecker-sparse factors and chainable chains [le2025].

    Examples
    --------
    >>> chain = Chain.square_dyadic(8)
    >>> chain.patterns
    ((1, 2, 2, 4), (2, 2, 2, 2), (4, 2, 2, 1))
    >>> chain.n_parameters, chain.chainable, chain.T.chainable
    (48, True, False)
    >>> bool(chain.toarray().all()), int(chain.support(0).sum()), Chain.rank2(8).ranks
    (True, 16, (2, 2))
    """

    patterns: tuple[pt.Pattern, ...]
    __array_ufunc__ = None  # so that NumPy does not take `chain @ array` as a product

    def __init__(self, patterns: Iterable[Sequence[int]]) -> None:
        if isinstance(patterns, Chain):
            patterns = patterns.patterns
        listed = sequence("patterns", patterns, "patterns (a, b, c, d)")
        checked = tuple(pt.checked_pattern(j, one) for j, one in enumerate(listed))
        if not checked:
            raise ValueError("patterns is empty: expected at least one (a, b, c, d)")
        for j, (left, right) in enumerate(itertools.pairwise(checked)):
            columns, rows = pt.shape_of(left)[1], pt.shape_of(right)[0]
            if columns != rows:
                raise ValueError(
                    f"shapes do not chain: patterns[{j}]={left} has {columns} columns, "
                    f"patterns[{j + 1}]={right} has {rows} rows"
                )
        self.patterns = checked
        self.shape = (pt.shape_of(checked[0])[0], pt.shape_of(checked[-1])[1])
        self.n_parameters = sum(math.prod(pattern) for pattern in checked)  # the last

    def __setattr__(self, name: str, value: Any) -> None:
        if "n_parameters" in self.__dict__:
            self.__delattr__(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"cannot change {name!r}: a Chain is immutable")

    @classmethod
    def square_dyadic(cls, n: int | tuple[int, int]) -> "Chain":
        """Return the chain of the fast Hadamard and Fourier transforms of order 2^J.

        Parameters
        ----------
        n : int or (int, int)
            Order, a power of two, or the square shape (n, n).

        Returns
        -------
        Chain
            Patterns (2^l, 2, 2, n / 2^(l+1)), l = 0 ... log2(n) - 1.

        Raises
        ------
        TypeError, ValueError
            When `n` is not an integer or a pair of integers, not a power of two, or the
            shape is not square.
        """
        return cls.mixed_radix(radices.dyadic("n", n))

    @classmethod
    def rank2(cls, n: int | tuple[int, int]) -> "Chain":
        """Return the dyadic chain whose neighbouring factors have blocks of rank two.

        The real part of a butterfly on `square_dyadic` is a butterfly on this chain:
        discrete cosine, sine and Hartley transforms are. Parameters and errors are
        those of `square_dyadic`.
        """
        return cls.mixed_radix(radices.dyadic("n", n), rank=2)

    @classmethod
    def mixed_radix(
        cls, factors: Sequence[int], columns: Sequence[int] | None = None, rank: int = 1
    ) -> "Chain":
        """Return the chain whose factors split rows and columns by one radix each.

        Parameters
        ----------
        factors : sequence of int
            Radices of the rows, that of the leftmost factor first. Their product is m.
        columns : sequence of int, optional
            Radices of the columns, as many as of the rows, with product n; by default
            those of the rows.
        rank : int
            Rank of the blocks of the product of two neighbours.

        Returns
        -------
        Chain
            The chain of shape (m, n). Factor l has b = factors[l] and c = columns[l],
            each multiplied by `rank` where the factor has a neighbour on that side, a
            equal to the product of the columns before l, and d equal to the product of
            the factors after l.

        Raises
        ------
        TypeError, ValueError
            When there is no radix, a radix or the rank is not a positive integer, or
            the two sequences differ in length.

        Examples
        --------
        >>> Chain.mixed_radix([2, 3]).patterns
        ((1, 2, 2, 3), (2, 3, 3, 1))
        """
        rows = [
            size("factors", value) for value in sequence("factors", factors, "radices")
        ]
        wide = rows if columns is None else sequence("columns", columns, "radices")
        wide = [size("columns", value) for value in wide]
        rank = size("rank", rank)
        if not rows or len(rows) != len(wide):
            raise ValueError(
                f"{len(rows)} factors and {len(wide)} columns: expected as many of "
                "each, at least one"
            )
        return cls(radices.patterns_of(rows, wide, rank))

    @classmethod
    def monarch(
        cls, shape: int | tuple[int, int], p: int | None = None, q: int | None = None
    ) -> "Chain":
        """Return the chain of two factors (1, p, q, m/p), (q, m/p, n/q, 1).

        Parameters
        ----------
        shape : int or (int, int)
            Shape (m, n) of the product, or the order of a square one.
        p, q : int, optional
            Divisors of m and of n. By default the prime factors are multiplied, from
            the smallest on, and the product nearest to the square root is taken.

        Returns
        -------
        Chain

        Raises
        ------
        TypeError, ValueError
            When a size is not a positive integer, p does not divide m, or q does not
            divide n.

        References
        ----------
        T. Dao et al., Monarch: expressive structured matrices for efficient and
        accurate training, ICML 2022 [dao2022].

        Examples
        --------
        >>> Chain.monarch((64, 16)).patterns
        ((1, 8, 4, 8), (4, 8, 4, 1))
        """
        m, n = radices.order_or_shape("shape", shape)
        p = radices.near_root(m, "shape") if p is None else size("p", p)
        q = radices.near_root(n, "shape") if q is None else size("q", q)
        for name, divisor, letter, order in (("p", p, "m", m), ("q", q, "n", n)):
            if order % divisor:
                raise ValueError(f"{name}={divisor} does not divide {letter}={order}")
        return cls.mixed_radix([p, m // p], [q, n // q])

    @classmethod
    def smallest(cls, shape: int | tuple[int, int]) -> "Chain":
        """Return a chainable chain for any shape, with blocks of rank one, all small.

        Parameters
        ----------
        shape : int or (int, int)
            Shape (m, n) of the product, or the order of a square one.

        Returns
        -------
        Chain
            A square chain has one factor for each prime factor of the order, the
            smallest first, as Fourier transforms need it. Another chain has as many
            factors as m or n has prime factors, whichever has fewer: rows are split by
            the largest radix first and columns by the smallest first, which gives the
            fewest parameters, and the surplus prime factors of the other number are
            multiplied into one radix.

        Raises
        ------
        TypeError, ValueError
            When a size is not a positive integer.

        Examples
        --------
        >>> Chain.smallest((12, 12)).patterns, Chain.smallest((7, 6)).patterns
        (((1, 2, 2, 6), (2, 2, 2, 3), (4, 3, 3, 1)), ((1, 7, 6, 1),))
        """
        m, n = radices.order_or_shape("shape", shape)
        rows, columns = (
            radices.prime_factors(order, "shape") or [1] for order in (m, n)
        )
        if rows != columns:
            length = min(len(rows), len(columns))
            rows = radices.lumped(rows, length)[::-1]
            columns = radices.lumped(columns, length)
        return cls.mixed_radix(rows, columns)

    @functools.cached_property
    def chainable(self) -> bool:
        """Whether every pair of neighbours is chainable."""
        return all(pt.is_chainable(*pair) for pair in itertools.pairwise(self.patterns))

    @property
    def ranks(self) -> tuple[int, ...]:
        """The rank of each pair of neighbours; ValueError for another chain."""
        if not self.chainable:
            raise ValueError(f"{self} is not chainable: its blocks have no rank")
        pairs = itertools.pairwise(self.patterns)
        return tuple(left[0] * left[2] // right[0] for left, right in pairs)

    @property
    def redundant(self) -> bool:
        """Whether two neighbours could be one factor without more parameters."""
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
        """Return the chain of the products of consecutive factors.

        Parameters
        ----------
        sizes : sequence of int, optional
            Number of factors in each product, from the left; by default all factors go
            into one product.

        Returns
        -------
        Chain

        Raises
        ------
        TypeError, ValueError
            When a size is not a positive integer, the sizes do not add up to the number
            of factors, or the product of two factors has no pattern because neither
            they nor their transposes are chainable.

        Examples
        --------
        >>> Chain.square_dyadic(16).fuse([2, 2]).patterns
        ((1, 4, 4, 4), (4, 4, 4, 1))
        """
        fused: list[pt.Pattern] = [
            functools.reduce(pt.fused, self.patterns[start:stop])
            for start, stop in pt.groups(len(self), sizes)
        ]
        return Chain(fused)

    def toarray(self) -> np.ndarray:
        """Return the support of the product as a boolean array of the chain's shape.

        Returns
        -------
        ndarray of bool, (m, n)
        """
        check_memory(f"the support of a product {self.shape}", math.prod(self.shape), 1)
        product = np.ones((1, 1), bool)
        for number in range(len(self)):
            support = self.support(number)
            product = support if number == 0 else product @ support
        return product

    def support(self, number: int) -> np.ndarray:
        """Return the support of one factor; -1 is the last one.

        Parameters
        ----------
        number : int
            Place of the factor.

        Returns
        -------
        ndarray of bool, (abd, acd)
        """
        place = size("number", number, -len(self), len(self) - 1)
        pattern = self.patterns[place]
        check_memory(f"the support of {pattern}", math.prod(pt.shape_of(pattern)), 1)
        return pt.csr_factor(np.ones(pattern, bool)).toarray()

    def _supports(self) -> list[tuple[str, Any]]:
        """Return the support of each factor, sparse, with its pattern as the title."""
        return [(str(p), pt.csr_factor(np.ones(p, bool))) for p in self]

    def _repr_html_(self) -> str:
        """Return what a notebook shows: sizes, and pictures of the supports."""
        m, n = self.shape
        gain = m * n / self.n_parameters
        text = f"{m}x{n}, {self.n_parameters} parameters, rcg {gain:.4g}"
        return notebook_html(f"{self!r}\n{text}", self)

    def __matmul__(self, other: Any) -> "Chain":
        """Return the chain of the product of two products."""
        if not isinstance(other, Chain):
            raise TypeError(f"other is {shown(other)}: expected a Chain")
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
