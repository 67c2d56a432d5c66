"""Cases of products: fast operators against their own dense matrices.

The error bounds are of the probabilistic kind (Higham and Mary, A new approach to
probabilistic rounding error analysis, 2019): roundings partly cancel, so that a sum of
n terms is wrong by √n units in the last place rather than by n. Measured errors are
about a tenth of these bounds; tests/test_bench.py checks both.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..harness.case import DENSE, Case
from ..operators import Butterfly, Chain, FactorProduct, dct, dft
from . import product_calls, timed_operators
from .product_calls import ProductInputs
from .rivals import peers

BUTTERFLY = "nbfact Butterfly @"
"""Implementation: a `Butterfly` and the operator ``@``."""

CHAIN, SCIPY_CHAIN = "nbfact chain", "scipy CSR chain"
"""Implementations: sparse factors one after the other, by nbfact and by SciPy."""

MATVEC, MERGED = "scipy csr_matvec", "scipy merged pairs"
"""Implementations: the same factors by SciPy's loop and in memory made beforehand, as
they are, and with every two of them multiplied out."""


@dataclass(eq=False)
class _Product:
    """One product at one size, which makes the cases of its implementations.

    Attributes
    ----------
    group : str
        Group of the cases.
    shape : (int, int)
        Shape (m, n) of the operator.
    dtype : str
        Dtype of the operator and of x.
    batch : int
        Number of columns of x; with one column, x is a vector.
    operator : callable
        Returns the operator; called when inputs are made, not before.
    """

    group: str
    shape: tuple[int, int]
    dtype: str
    batch: int
    operator: Callable[[], timed_operators.Operator]

    def case(
        self,
        impl: str,
        prepare: Callable[[ProductInputs], Callable[[], np.ndarray]],
        bound: float,
        flops: float,
        stored: float = 0.0,
        nnz: int | None = None,
        rival: bool = False,
    ) -> Case:
        """Return the case of one implementation.

        Parameters
        ----------
        impl : str
            Name of the implementation.
        prepare : callable
            See :class:`nbfact.harness.case.Case`.
        bound : float
            Largest relative error allowed, in units of the machine epsilon.
        flops : float
            Number of real operations for each column of x.
        stored : float
            Bytes that the operator stores.
        nnz : int or None
            Number of entries that it stores, or None when it stores none.
        rival : bool
            Whether the implementation is somebody else's.

        Returns
        -------
        Case
        """
        m, n = self.shape
        dtype = np.dtype(self.dtype)
        return Case(
            group=self.group,
            impl=impl,
            params={
                **({} if m == n else {"m": m}),
                "n": n,
                "batch": self.batch,
                "dtype": self.dtype,
            },
            make=self.make,
            prepare=prepare,
            reference=lambda inputs: inputs.operator.exact(inputs.x),
            bound=bound * float(np.finfo(dtype).eps),
            size=int(stored + (m + n) * self.batch * dtype.itemsize),
            flops=int(flops * self.batch),
            nnz=nnz,
            rival=rival,
        )

    def make(self, rng: np.random.Generator) -> ProductInputs:
        """Return the operator and a Gaussian x."""
        n = self.shape[1]
        shape = (n,) if self.batch == 1 else (n, self.batch)
        x = rng.standard_normal(shape)
        if self.dtype.startswith("complex"):
            x = x + 1j * rng.standard_normal(shape)
        return ProductInputs(self.operator(), x.astype(self.dtype))

    @property
    def multiply_add(self) -> int:
        """The number of real operations of one multiply-add of the dtype."""
        return 8 if self.dtype.startswith("complex") else 2

    def dense(self) -> Case:
        """Return the case of the dense product, the yardstick."""
        m, n = self.shape
        stored = m * n * np.dtype(self.dtype).itemsize
        bound = 2 * math.sqrt(n)
        return self.case(
            DENSE, product_calls.dense, bound, self.multiply_add * m * n, stored, m * n
        )

    def chain(
        self, nnz: int, bound: float, merged: int | None = None
    ) -> Iterator[Case]:
        """Yield the cases that multiply by sparse factors, one after the other.

        A stored entry counts with its index of four bytes. The row pointers do not
        count, because factors with equally many entries in each row do not need them.

        Parameters
        ----------
        nnz : int
            Number of entries of all factors.
        bound : float
            As in `case`.
        merged : int or None
            Number of entries with every two factors multiplied out; None where that
            has more entries than the factors, so that it does not pay.
        """
        entry = np.dtype(self.dtype).itemsize + 4
        stored, flops = nnz * entry, self.multiply_add * nnz
        yield self.case(CHAIN, product_calls.chain, bound, flops, stored, nnz)
        yield self.case(
            SCIPY_CHAIN, product_calls.scipy_chain, bound, flops, stored, nnz
        )
        yield self.case(MATVEC, product_calls.scipy_matvec, bound, flops, stored, nnz)
        if merged is not None:
            more = self.multiply_add * merged, merged * entry, merged
            yield self.case(MERGED, product_calls.scipy_merged, bound, *more)
        if self.dtype != "complex64":  # pyfaust would compute in complex128
            yield from self.peer("pyfaust", bound, flops, stored, nnz)

    def exact(
        self, transform: Callable[..., Butterfly], nnz: int, bound: float
    ) -> Case:
        """Return the case of an exact transform of nbfact, not normalised."""
        stored = nnz * np.dtype(self.dtype).itemsize
        name = f"nbfact {transform.__name__}"
        prepare = functools.partial(product_calls.exact_transform, transform)
        return self.case(name, prepare, bound, self.multiply_add * nnz, stored, nnz)

    def peer(
        self, name: str, bound: float, flops: float, stored: float, nnz: int | None
    ) -> Iterator[Case]:
        """Yield the case of a peer where it is installed; arguments as in `case`."""
        if peers.installed(name):
            prepare = peers.prepare(name)
            yield self.case(name, prepare, bound, flops, stored, nnz, rival=True)


def product_cases(
    kind: str, sizes: Sequence[int], dtypes: Sequence[str], batches: Sequence[int]
) -> Iterator[Case]:
    """Yield the cases of products with a kind of operator.

    All batches of one operator come one after another, because its dense matrix is
    large and only the last one is kept.

    Parameters
    ----------
    kind : {"hadamard", "butterfly", "dft", "dct", "planted"}
        See :func:`nbfact.cases.timed_operators.build`.
    sizes, dtypes, batches : sequences
        Orders (powers of two), names of dtypes, and numbers of columns of x; with one
        column, x is a vector.

    Yields
    ------
    Case
    """
    for n in sizes:
        for dtype in dtypes:
            for batch in batches:
                yield from _KINDS[kind](kind, n, dtype, batch)


def matrix_cases(
    name: str, target: np.ndarray, learned: FactorProduct, with_peers: bool = False
) -> list[Case]:
    """Return the cases of products with a user's matrix and its learned approximation.

    Parameters
    ----------
    name : str
        Group of the cases, and title of the table.
    target : ndarray, shape (m, n)
        The matrix. Its product, in double precision, is the reference.
    learned : FactorProduct, shape (m, n)
        The approximation. Its error is shown, and has no bound.
    with_peers : bool
        Whether the peers multiply by the approximation too.

    Returns
    -------
    list of Case
    """
    dtype = target.dtype.name
    wide = target.astype(timed_operators.wider(dtype))
    factors = [factor.astype(dtype) for factor in learned.factors]
    factors[0] = factors[0] * target.dtype.type(learned.scale)
    operator = timed_operators.Operator(
        dtype, lambda x: wide @ x, lambda: target, tuple(factors)
    )
    found: list[Case] = []
    for batch in (1, 64):
        product = _Product(name, target.shape, dtype, batch, lambda: operator)
        found += product.chain(operator.nnz, math.inf)
        found.append(product.dense())
    return [case for case in found if with_peers or not peers.is_peer(case.impl)]


def _at(kind, n, dtype, batch, m=None):
    """Return the product with the operator of a kind, n × n unless m is given."""
    shape = (m or n, n)
    return _Product(
        kind, shape, dtype, batch, lambda: timed_operators.build(kind, n, dtype)
    )


def _pairs(n):
    """Return the number of entries of a butterfly with pairs of levels multiplied out.

    A pair has four entries in each row, and a last level without a partner two.
    """
    levels = n.bit_length() - 1
    return n * (4 * (levels // 2) + 2 * (levels % 2))


def _hadamard(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    bound, nnz = 2 * levels, 2 * n * levels
    yield product.case("nbfact fwht", product_calls.in_place_fwht, bound, n * levels)
    yield from product.chain(nnz, bound, _pairs(n))
    yield from product.peer("fht-cpu", bound, n * levels, 0, None)
    if dtype == "float64" and batch == 1:  # its batches are lists of vectors
        yield from product.peer("pyfwht", bound, n * levels, 0, None)
    yield product.dense()


def _butterfly(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    bound, nnz = 2 * levels, 2 * n * levels
    flops, stored = product.multiply_add * nnz, nnz * np.dtype(dtype).itemsize
    yield product.case(
        BUTTERFLY, product_calls.butterfly_operator, bound, flops, stored, nnz
    )
    yield product.case(
        "nbfact butterfly", product_calls.butterfly_kernel, bound, flops, stored, nnz
    )
    yield from product.chain(nnz, bound, _pairs(n))
    if dtype != "complex64":
        yield from product.peer(peers.OPTIMIZED, bound, flops, stored, nnz)
    for name in ("lazylinop", *peers.FUSED):
        yield from product.peer(name, bound, flops, stored, nnz)
    yield product.dense()


def _dft(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    bound = 2 * levels
    yield product.exact(dft, 2 * n * levels, bound)
    yield from product.chain(2 * n * levels, bound, _pairs(n))
    yield product.case(
        "scipy.fft", product_calls.scipy_fft, bound, 5 * n * levels, rival=True
    )
    yield product.dense()


def _dct(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    flops = 2.5 * n * levels
    yield product.exact(dct, Chain.rank2(n).n_parameters, 2 * levels)
    yield product.case(
        "scipy.fft", product_calls.scipy_dct, 2 * levels, flops, rival=True
    )
    yield product.dense()


def _planted(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch, n // 4)
    depth, k = timed_operators.PLANTED_FACTORS, timed_operators.PLANTED_K
    rows = (depth - 1) * n + n // 4
    yield from product.chain(k * rows, 2 * depth)
    yield product.dense()


_KINDS = {
    "hadamard": _hadamard,
    "butterfly": _butterfly,
    "dft": _dft,
    "dct": _dct,
    "planted": _planted,
}
