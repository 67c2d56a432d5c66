"""butterfly_factorize: a product of Kronecker-sparse factors, with guarantees."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from ..._core.dtypes import common_dtype
from ...kernels import frobenius_norm, project_circ
from ...metrics import relative_error
from ...operators import Butterfly, Chain, OperatorSum, circulant
from ..common.target import shift
from .splits import ORDERS, Parts, factored, least_error
from .ways import Way, ways

# Norms beyond 2**±SAFE are scaled: fourth powers of what is in a block are formed.
_SAFE = 30

MODELS = ("product", "sum", "circulant")


@dataclass(frozen=True)
class ButterflyFactorization:
    """A ≈ operator, a product of Kronecker-sparse factors.

    Attributes
    ----------
    operator : Butterfly
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F, as measured; 0 for a zero target.
    bound : float
        What theory guarantees of the relative error, rounding apart. With
        orthonormalisation the root of the sum of the squares of `split_errors` for the
        orders "left-to-right" and "right-to-left", where this is the error; their sum for "balanced". inf
        without orthonormalisation.
    lower_bound : float
        No butterfly of this chain and permutation has a smaller relative error,
        rounding apart: the largest of `split_errors`; without orthonormalisation, the
        one that was made first. Larger with ``certify``.
    split_errors : tuple of float
        What each split drops, relative to ‖A‖_F, by its place in the chain. Without
        orthonormalisation only the first one that was made is comparable with A.
    permutation : str or None
        The name of the permutation that was asked for, or found; None for none, or
        for indices.
    transposed : bool
        Whether the transpose was factored; the chain of `operator` is then the
        transpose of a chainable one.
    terms : tuple of ButterflyFactorization
        Of a sum, each of what the ones before it left over. `operator` is then an
        `OperatorSum`, `bound` and `split_errors` are those of the last term relative
        to A, `lower_bound` is 0.
    """

    operator: Butterfly | OperatorSum
    relative_error: float
    bound: float
    lower_bound: float
    split_errors: tuple[float, ...]
    permutation: str | None
    transposed: bool
    terms: tuple["ButterflyFactorization", ...] = ()


def butterfly_factorize(
    target: Any,
    chain: Chain | Sequence[Sequence[int]] | None = None,
    *,
    permutation: Any = None,
    order: str = "left-to-right",
    orthonormal: bool = True,
    transpose: bool | str = "auto",
    model: str = "product",
    n_terms: int = 2,
    certify: bool = False,
) -> ButterflyFactorization:
    """Factor a matrix into Kronecker-sparse factors, split by split, without iterating.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite; float32, float64, complex64, complex128,
        integers count as float64. Made dense.
    chain : Chain, or sequence of patterns (a, b, c, d), optional
        Of the shape of A. It, or its transpose, has to be chainable. By default
        `Chain.square_dyadic` for a power of two, else `Chain.smallest`.
    permutation : array_like of int, pair of those, or str, optional
        ``columns`` or ``(rows, columns)``: ``A[rows][:, columns]`` is factored, either
        may be None. Or an order of the columns by name:

        * ``"bit-reversal"``: Fourier transforms of 2^k points; real parts of it, such
          as Hartley's, in ``Chain.rank2(n)``.
        * ``"digit-reversal"``: the same for the radices of the chain.
        * ``"makhoul"``: even ones, then odd ones backwards, then digit-reversed:
          cosine and sine transforms in ``Chain.rank2(n)``.
        * ``"search"``: the best of these, of none, and of the eight of Dao et al.
          (2019); it stops at one that is exact. Without a chain, a real target that
          is not exact in the dyadic chain is also tried in ``Chain.rank2(n)``, where
          that has fewer values than A; it counts only if exact.
    order : {"left-to-right", "right-to-left", "balanced"}
        Of the splits: leftmost factor first, rightmost first, or in halves.
    orthonormal : bool
        Whether the neighbours of a part are made isometries before it is split.
        Without, singular values are shared evenly, and nothing is guaranteed.
    transpose : {"auto", False, True}
        Whether the transpose of the (permuted) matrix is factored, a named permutation
        then orders the rows. "auto": only where the matrix itself is not exact, and
        its transpose is; or where only the transpose of the chain is chainable.
    model : {"product", "sum", "circulant"}
        "sum": of `n_terms`, each of them the factorization of what the ones before it
        leave over. A permutation that is searched for is found for each term.
        "circulant": two butterflies of opposite strides, K^H D K with rows and columns
        digit-reversed, for convolutions: the nearest circulant matrix. It takes no
        chain and no permutation.
    n_terms : int
        Of a sum, at least 1; fewer are returned when nothing is left over.
    certify : bool
        Whether to find a larger `lower_bound`: what each split would lose of A itself.
        It takes the singular values of all blocks of all splits.

    Returns
    -------
    ButterflyFactorization

    Raises
    ------
    TypeError
        A target that is not numeric.
    ValueError
        A target that is no matrix, is empty, or has NaN or infinity; a chain that is
        invalid, of another shape, or not chainable either way; an unknown order or
        name; indices that are no permutation. The message names argument and sizes.

    Notes
    -----
    A split of a part into a left and a right factor is the best approximation of
    blocks of the part by blocks of rank r, one for each row residue and column group,
    from their singular values (Zheng et al. 2022). With orthonormalisation, the error
    of L factors is at most √(L - 1) times the best in this chain, from left to right
    or from right to left, and L - 1 times in any order (Le et al. 2025, algorithm
    6.2). `bound` and `lower_bound` say more of the case at hand.

    "Exact" is an error below ε^(5/8), 1.6e-10 in double precision. Blocks of two rows
    and rank one, from left to right, take O(m n) in one pass over A, in compiled code:
    Hadamard and Fourier matrices. All others are left to LAPACK. Where two singular
    values of such a block tie, the first row is kept.

    References
    ----------
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Fast learning of fast transforms,
    with guarantees, ICASSP 2022.
    L. Zheng, E. Riccietti, R. Gribonval, Efficient identification of butterfly sparse
    matrix factorizations, SIAM J. Math. Data Science, 2023.
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
    guarantees, SIAM J. Matrix Anal. Appl. 46(4), 2025: algorithms 3.1 (without
    orthonormalisation), 4.1 (redundant chains) and 6.2.
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> F = np.fft.fft(np.eye(16), norm="ortho")
    >>> r = nf.butterfly_factorize(F, permutation="search")
    >>> r.permutation, r.operator.nnz, bool(r.relative_error < 1e-14)
    ('bit-reversal', 128, True)
    >>> noise = np.random.default_rng(0).standard_normal((16, 16))
    >>> r = nf.butterfly_factorize(noise)
    >>> bool(r.lower_bound <= r.relative_error <= 1.0000001 * r.bound)
    True
    """
    matrix = _dense(target)
    _check_options(order, orthonormal, transpose, model, n_terms)
    if chain is not None and not isinstance(chain, Chain):
        chain = Chain(chain)
    options = order, bool(orthonormal), chain, permutation, transpose, certify
    if model == "circulant":
        if chain is not None or permutation is not None:
            raise ValueError('model="circulant" takes no chain and no permutation')
        return _circulant(matrix)
    if model == "product":
        return _product(matrix, *options)
    return _sum(matrix, n_terms, options)


def _product(matrix, order, orthonormal, chain, permutation, transpose, certify):
    """Return the best product."""
    problem, exponent = _SplitProblem.of(matrix, order, orthonormal)
    way, parts = problem.best(ways(matrix, chain, permutation, transpose))
    if certify:
        view = problem.matrix.T if way.turned else problem.matrix
        parts = replace(
            parts, lower_bound=least_error(view, way.rows, way.columns, way.chain)
        )
    return _result(problem, way, parts, exponent)


def _circulant(matrix):
    """Return the nearest circulant matrix, whose diagonals are means."""
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"target {matrix.shape}: a circulant matrix is square")
    if not np.isfinite(matrix).all():
        raise ValueError(f"target {matrix.shape} contains NaN or infinity")
    nearest = matrix.copy()
    project_circ(nearest)
    operator = circulant(nearest[:, 0].copy())
    error = relative_error(matrix, nearest)
    name = "digit-reversal" if operator.rows is not None else None
    return ButterflyFactorization(operator, error, error, error, (), name, False)


def _sum(matrix, n_terms, options):
    """Return a sum of products, each of the residual of those before."""
    residual, size, terms, kept = matrix, 1.0, [], []
    for _ in range(n_terms):
        terms.append(_product(residual, *options))
        kept.append(size)  # of this residual, relative to the target
        size *= terms[-1].relative_error
        if terms[-1].relative_error <= _exact(matrix.dtype):
            break
        residual = residual - terms[-1].operator.toarray()
    last, before = terms[-1], kept[-1]
    return ButterflyFactorization(
        OperatorSum([term.operator for term in terms]),
        size,
        last.bound * before,
        last.lower_bound if len(terms) == 1 else 0.0,
        tuple(error * before for error in last.split_errors),
        last.permutation if len(terms) == 1 else None,
        any(term.transposed for term in terms),
        tuple(terms),
    )


def _exact(dtype):
    """Return the relative error below which a factorization counts as exact."""
    return float(np.finfo(dtype).eps) ** 0.625


@dataclass(frozen=True)
class _SplitProblem:
    """A matrix of a moderate norm, and how to factor it."""

    matrix: np.ndarray
    norm: float
    order: str
    orthonormal: bool

    @classmethod
    def of(cls, matrix, order, orthonormal):
        """Return the problem, and the power of two that the matrix was divided by."""
        norm = frobenius_norm(matrix)
        suspect = norm == 0 or not math.isfinite(norm)
        if suspect and not np.isfinite(matrix).all():
            raise ValueError(f"target {matrix.shape} contains NaN or infinity")
        # A norm may overflow where no entry does.
        exponent = math.frexp(norm)[1] if math.isfinite(norm) else 1024
        if abs(exponent) <= _SAFE:
            return cls(matrix, norm, order, orthonormal), 0
        matrix = shift(matrix, -exponent)
        return cls(matrix, frobenius_norm(matrix), order, orthonormal), exponent

    @property
    def tolerance(self) -> float:
        """The error below which a factorization counts as exact."""
        return _exact(self.matrix.dtype) * self.norm

    def best(self, candidates: Iterator[Way]) -> tuple[Way, Parts]:
        """Return the best way and what it finds; the first that is exact ends it."""
        best = None
        for way in candidates:
            limit = self.tolerance if way.only_exact else math.inf
            if best is not None:
                limit = min(limit, best[1].error)
            view = self.matrix.T if way.turned else self.matrix
            parts = factored(
                view, way.rows, way.columns, way.chain, self.order, self.orthonormal,
                limit,
            )  # fmt: skip
            if parts is not None and (best is None or parts.error < best[1].error):
                best = way, parts
                if parts.error <= self.tolerance:
                    break
        return best


def _dense(target):
    """Return the target as a C-contiguous array of a supported dtype."""
    implicit = sp.issparse(target) or isinstance(target, LinearOperator)
    if not implicit:
        target = target.toarray() if hasattr(target, "toarray") else np.asarray(target)
    if target.ndim != 2 or 0 in target.shape:
        raise ValueError(
            f"target must be a matrix that is not empty, got shape {target.shape}"
        )
    dtype = common_dtype(target.dtype)
    if implicit and hasattr(target, "toarray"):
        target = target.toarray()
    elif implicit:
        target = target @ np.eye(target.shape[1], dtype=dtype)
    return np.ascontiguousarray(target, dtype)


def _check_options(order, orthonormal, transpose, model, n_terms):
    if order not in ORDERS:
        raise ValueError(f"order must be one of {ORDERS}, got {order!r}")
    if not isinstance(orthonormal, bool | np.bool_):
        raise ValueError(f"orthonormal must be True or False, got {orthonormal!r}")
    if not (isinstance(transpose, bool) or transpose == "auto"):
        raise ValueError(f'transpose must be "auto", True or False, got {transpose!r}')
    if model not in MODELS:
        raise ValueError(f"model must be one of {MODELS}, got {model!r}")
    if not isinstance(n_terms, int | np.integer) or n_terms < 1:
        raise ValueError(f"n_terms must be an integer, at least 1, got {n_terms!r}")


def _result(problem, way, parts, exponent):
    """Return the result, in the units of the target."""
    values, norm = parts.values, problem.norm
    if norm == 0:
        values = [np.zeros_like(value) for value in values]
    if exponent:
        # Shared out, so that no factor over- or underflows.
        ends = [exponent * j // len(values) for j in range(len(values) + 1)]
        steps = [stop - start for start, stop in itertools.pairwise(ends)]
        values = [shift(v, step) for v, step in zip(values, steps, strict=True)]
    operator = Butterfly(way.chain, values, rows=way.rows, columns=way.columns)
    size = norm or 1.0
    split_errors = tuple(float(lost / size) for lost in parts.lost)
    if way.turned:
        operator, split_errors = operator.T, split_errors[::-1]
    return ButterflyFactorization(
        operator,
        float(parts.error / size),
        float(parts.bound / size),
        float(parts.lower_bound / size),
        split_errors,
        way.name,
        way.turned,
    )
