"""butterfly_factorize: a product of Kronecker-sparse factors, with guarantees."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, overload

from ..._core.checks import choice, flag, size
from ...kernels import project_circ
from ...metrics import relative_error
from ...operators import Butterfly, Chain, OperatorSum, circulant
from ...operators.layouts import chain_of
from ..common.problem import Problem, problem_of
from ..common.result import History
from .butterfly_result import ButterflyFactorization
from .chain_search import COSINES, PLAIN, searched_problem
from .split_problem import SplitProblem, certified, exact_error
from .splits import ORDERS, SplitOrder
from .ways import PermutationOption, TransposeOption, ways

Model = Literal["product", "sum", "circulant"]
MODELS = get_args(Model)
"""The models that `butterfly_factorize` may fit."""


@overload
def butterfly_factorize(
    target: Any,
    chain: Chain | Sequence[Sequence[int]] | Literal["search"] | None = None,
    *,
    nnz: int | None = None,
    permutation: PermutationOption = None,
    order: SplitOrder = "left-to-right",
    orthonormal: bool = True,
    transpose: TransposeOption = "auto",
    model: Literal["product", "circulant"] = "product",
    n_terms: int = 2,
    certify: bool = False,
) -> ButterflyFactorization[Butterfly]: ...
@overload
def butterfly_factorize(
    target: Any,
    chain: Chain | Sequence[Sequence[int]] | Literal["search"] | None = None,
    *,
    nnz: int | None = None,
    permutation: PermutationOption = None,
    order: SplitOrder = "left-to-right",
    orthonormal: bool = True,
    transpose: TransposeOption = "auto",
    model: Literal["sum"],
    n_terms: int = 2,
    certify: bool = False,
) -> ButterflyFactorization[OperatorSum]: ...
def butterfly_factorize(
    target: Any,
    chain: Chain | Sequence[Sequence[int]] | Literal["search"] | None = None,
    *,
    nnz: int | None = None,
    permutation: PermutationOption = None,
    order: SplitOrder = "left-to-right",
    orthonormal: bool = True,
    transpose: TransposeOption = "auto",
    model: Model = "product",
    n_terms: int = 2,
    certify: bool = False,
) -> ButterflyFactorization[Any]:
    """Factor a matrix into Kronecker-sparse factors, split by split, without iterating.

    A Kronecker-sparse factor has the support I_a ⊗ 1_{b×c} ⊗ I_d, its pattern
    (a, b, c, d). A list of patterns is a chain.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite; float32, float64, complex64 or
        complex128. Integers are converted to float64. Sparse matrices and operators
        are made dense.
    chain : Chain, sequence of patterns (a, b, c, d), or "search", optional
        The supports of the factors, of the shape of A. The chain or its transpose has
        to be chainable. By default `Chain.square_dyadic` if A is square of an order
        that is a power of two, else `Chain.smallest`. "search" takes the best one of
        `nbfact.chains` with at most `nnz` values, with rows and columns as they are,
        and with the digits of the rows or of the columns reversed; of chains that are
        exact, one with the fewest values.
    nnz : int, optional
        The largest number of values, for ``chain="search"`` and needed there.
    permutation : array_like of int, pair of those, or str, optional
        Indices ``columns``, or a pair ``(rows, columns)`` of which either may be None:
        ``A[rows][:, columns]`` is factored. Or the name of an order of the columns:

        * ``"bit-reversal"``: for Fourier transforms of 2^k points, and, in
          ``Chain.rank2(n)``, for real parts of them such as Hartley's transform.
        * ``"digit-reversal"``: the same for the radices of the chain.
        * ``"makhoul"``: the even columns, then the odd ones backwards, then
          digit-reversed; for cosine and sine transforms in ``Chain.rank2(n)``.
        * ``"search"``: the best of these, of no permutation, and of the eight of Dao
          et al. (2019). The search stops at the first one that is exact. Without a
          chain, a real target that is not exact in the dyadic chain is also tried in
          ``Chain.rank2(n)``, where that has fewer values than A; such a result is
          taken only if it is exact.
    order : {"left-to-right", "right-to-left", "balanced"}
        The order of the splits: the leftmost factor first, the rightmost first, or the
        chain in halves, and each half in halves.
    orthonormal : bool
        Whether the factors left and right of a part are made isometries before it is
        split. Otherwise the singular values are shared evenly between the two sides,
        and nothing is guaranteed.
    transpose : {"auto", False, True}
        Whether the transpose of the (permuted) matrix is factored; a named permutation
        then orders the rows. "auto" factors it where the matrix itself is not exact and
        its transpose is, or where only the transpose of the chain is chainable.
    model : {"product", "sum", "circulant"}
        "product" is one product of factors. "sum" is a sum of `n_terms` products, each
        one the factorization of what the ones before it leave over; a permutation that
        is searched for is found anew for each term. "circulant" is the nearest
        circulant matrix, for convolutions: a product K^H D K of two butterflies of
        opposite strides, with rows and columns digit-reversed. It takes neither a chain
        nor a permutation, and the operator is that of `nbfact.transforms.circulant`.
    n_terms : int
        Number of terms of a sum, at least 1. Fewer are returned when nothing is left.
    certify : bool
        Whether to compute a larger `lower_bound`, from what each split would lose of A
        itself. It takes the singular values of all blocks of all splits.

    Returns
    -------
    ButterflyFactorization
        The operator, its measured error, and an upper and a lower bound on the error.

    Raises
    ------
    TypeError
        If the target is not numeric, or an option has another type.
    ValueError
        If the target is no matrix, is empty, or contains NaN or infinity; if the chain
        is invalid, of another shape, or not chainable either way; if an order or a name
        is unknown; if indices are no permutation; if `nnz` is missing or too small for
        ``chain="search"``, or given without. The message names the argument and the
        sizes.

    See Also
    --------
    identify_butterfly : finds the permutations too, where they are unknown.
    learn_butterfly : fits the values by gradient descent.
    refine : lowers the error further, from the factors found here.

    Notes
    -----
    A split replaces a part, which is the product of some factors, by a left and a right
    factor. It is the best approximation of certain blocks of the part, one for each row
    residue and column group, by blocks of rank r, from their singular values (Zheng et
    al. 2023, for square dyadic chains). With orthonormalisation, the error of L factors
    is at most √(L - 1) times the smallest one in this chain for the orders
    "left-to-right" and "right-to-left", and L - 1 times for any order (Le et al. 2025).
    `bound` and `lower_bound` are sharper, because they are of the matrix at hand.

    A factorization counts as exact if its relative error is below ε^(5/8), which is
    1.6e-10 in double precision. Blocks of two rows and rank one, split from left to
    right, take O(m n) in one pass over A, in compiled code: Hadamard and Fourier
    matrices are of this kind. All other blocks are left to LAPACK. Where two singular
    values of a block of two rows tie, the first row is kept.

    The search among chains computes what each place between two factors must lose, from
    singular values of blocks of A; these losses bound the errors of all chains from
    above and from below. The 16 chains of the least bounds are factored for each order
    of rows and columns.

    References
    ----------
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Fast learning of fast transforms,
    with guarantees, ICASSP 2022 [le2022].
    L. Zheng, E. Riccietti, R. Gribonval, Efficient identification of butterfly sparse
    matrix factorizations, SIAM J. Math. Data Science, 2023 (arXiv:2110.01230)
    [zheng2023].
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
    guarantees, SIAM J. Matrix Anal. Appl. 46(4), 2025 (arXiv:2411.04506): the splits
    with and without orthonormalisation, and redundant chains [le2025].
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019 [dao2019].

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
    >>> r = nf.butterfly_factorize(np.fft.fft(np.eye(12)), chain="search", nnz=84)
    >>> r.operator.chain.patterns, r.permutation, bool(r.relative_error < 1e-14)
    (((1, 3, 3, 4), (3, 4, 4, 1)), 'digit-reversal', True)
    """
    problem = problem_of(target)
    options = ButterflyOptions(
        permutation, order, orthonormal, transpose, model, n_terms, certify
    )
    if isinstance(chain, str):
        choice("chain", chain, ("search",))
        return _searched(problem, nnz, options)
    if nnz is not None:
        raise ValueError('nnz is for chain="search": other chains have one number')
    chain = None if chain is None else chain_of(chain)
    if model == "circulant":
        if chain is not None or permutation is not None:
            raise ValueError('model="circulant" takes no chain and no permutation')
        return _circulant(problem)
    if model == "product":
        return butterfly_problem(problem, chain, options)
    return _sum(problem, chain, options)


def _searched(
    problem: Problem, nnz: int | None, options: "ButterflyOptions"
) -> ButterflyFactorization[Butterfly]:
    """Return the best factorization in any chain within the budget, or raise."""
    if nnz is None:
        raise ValueError('chain="search" needs nnz, the largest number of values')
    nnz = size("nnz", nnz, most=None)
    given = options.permutation
    named = isinstance(given, str) and given == "search"
    if not (named or given is None) or options.model != "product":
        raise ValueError(
            'chain="search" finds a product, with permutation=None or "search"'
        )
    orders = PLAIN + COSINES if named else PLAIN
    if not isinstance(options.transpose, str):
        turned = bool(options.transpose)
        orders = tuple(one for one in orders if one.transposed == turned)
    split = SplitProblem.of(problem, options.order, bool(options.orthonormal))
    found = searched_problem(problem, split, nnz, orders, certify=bool(options.certify))
    if found is None:
        m, n = problem.shape
        raise ValueError(f"nnz={nnz}: no chain for {m} x {n} has so few values")
    return found


@dataclass(frozen=True)
class ButterflyOptions:
    """The options of `butterfly_factorize`, whose values are checked once, here.

    Permutations are checked in `ways`, which knows the sizes.
    """

    permutation: PermutationOption = None
    order: SplitOrder = "left-to-right"
    orthonormal: bool = True
    transpose: TransposeOption = "auto"
    model: Model = "product"
    n_terms: int = 2
    certify: bool = False

    def __post_init__(self) -> None:
        choice("order", self.order, ORDERS)
        flag("orthonormal", self.orthonormal)
        if isinstance(self.transpose, str):
            choice("transpose", self.transpose, ("auto",))
        else:
            flag("transpose", self.transpose)
        choice("model", self.model, MODELS)
        size("n_terms", self.n_terms)
        flag("certify", self.certify)


def butterfly_problem(
    problem: Problem, chain: Chain | None, options: ButterflyOptions
) -> ButterflyFactorization[Butterfly]:
    """Return the best product of factors of the matrix of a problem."""
    began = time.perf_counter()
    split = SplitProblem.of(problem, options.order, bool(options.orthonormal))
    candidates = ways(problem.array, chain, options.permutation, options.transpose)
    way, found = split.best(candidates)
    if options.certify:
        found = certified(split, way, found)
    return split.result(way, found, problem, began)


def _circulant(problem: Problem) -> ButterflyFactorization[Butterfly]:
    """Return the nearest circulant matrix: each diagonal is replaced by its mean."""
    began, matrix = time.perf_counter(), problem.array
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"target {matrix.shape}: a circulant matrix is square")
    nearest = matrix.copy()
    project_circ(nearest)
    operator = circulant(nearest[:, 0].copy())
    error = relative_error(matrix, nearest)
    name = "digit-reversal" if operator.rows is not None else None
    return ButterflyFactorization(
        operator,
        error,
        History([error], [1.0], [time.perf_counter() - began], [0]),
        target=matrix,
        bound=error,
        lower_bound=error,
        split_errors=(),
        permutation=name,
        transposed=False,
    )


def _sum(
    problem: Problem, chain: Chain | None, options: ButterflyOptions
) -> ButterflyFactorization[OperatorSum]:
    """Return a sum of products, each a factorization of the residual of those before.

    ``sizes[k]`` is the norm of the residual that term k factors, relative to ‖A‖_F.
    """
    began = time.perf_counter()
    residual, size, terms, sizes = problem, 1.0, [], []
    for _ in range(options.n_terms):
        term = butterfly_problem(residual, chain, options)
        terms.append(replace(term, target=None))  # it would keep the residual
        sizes.append(size)
        size *= terms[-1].relative_error
        if terms[-1].relative_error <= exact_error(problem.dtype):
            break
        residual = problem_of(residual.array - terms[-1].operator.toarray())
    last = terms[-1]
    return ButterflyFactorization(
        operator=OperatorSum([term.operator for term in terms]),
        relative_error=size,
        history=History([size], [1.0], [time.perf_counter() - began], [0]),
        target=problem.array,
        bound=last.bound * sizes[-1],
        lower_bound=last.lower_bound if len(terms) == 1 else 0.0,
        split_errors=tuple(error * sizes[-1] for error in last.split_errors),
        permutation=last.permutation if len(terms) == 1 else None,
        transposed=any(term.transposed for term in terms),
        terms=tuple(terms),
    )
