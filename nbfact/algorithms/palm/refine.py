"""refine: exact least squares on fixed supports, one factor after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...operators import FactorProduct
from ..common.as_factors import as_factors, butterfly_of
from ..common.problem import Problem, TargetLike, problem_of
from ..common.result import Callback, Factorization, FactorsLike
from .iterations import SweepRecord
from .refinement import RefineOptions, refine_problem
from .sweep_options import checked_fixed


def refine(
    result: FactorsLike,
    target: TargetLike | None = None,
    *,
    n_iter: int = 10,
    tol: float = 1e-6,
    fixed: Sequence[int] = (),
    callback: Callback | None = None,
) -> Factorization[Any]:
    """Improve the values of sparse factors, and leave their supports unchanged.

    Parameters
    ----------
    result : Factorization, FastOperator, Chain, or sequence of J arrays
        The factors to start from: any result or operator of nbfact that is a product of
        sparse factors, the supports of a chain, filled with ones, or matrices. Their
        non-zeros are the supports: nothing else of the sets they were learned in is
        kept.
    target : array_like, scipy sparse or LinearOperator, (m, n), optional
        The matrix A, real or complex, finite; it is made dense. By default it is the
        one that `result` remembers.
    n_iter : int, default 10
        Maximum number of sweeps over all factors.
    tol : float, default 1e-6
        Stop when a sweep lowers the relative error by at most `tol` times the error
        before it.
    fixed : sequence of int, default ()
        Indices of the factors that do not change, not even in scale.
    callback : callable, optional
        Called with a `CallbackState` after each sweep; returning True stops.

    Returns
    -------
    Factorization
        Never worse than `result`, in the dtype of the target. Factors that are not
        fixed have Frobenius norm 1 (a zero factor stays zero), the scale carries the
        rest and is positive, and entries that became exactly zero are gone. Where
        nothing was to be gained, the factors and the scale are those of `result`. For a
        zero target the scale is 0. From a `Butterfly`, or a result whose operator is
        one, the operator is a `Butterfly` of the same chain and permutations; its
        factors take a share of the scale each.

    Raises
    ------
    TypeError
        A target or factors that are not numeric; complex factors for a real target; an
        operator that is no product of sparse factors.
    ValueError
        No target; shapes that do not fit; NaN or infinity; n_iter < 1, tol < 0; an
        index in `fixed` out of range, or all factors fixed.

    See Also
    --------
    palm4msa, explore : Learn the supports.

    Notes
    -----
    Each factor S in turn, with L and R the products on its left and right, takes the
    values s on its support (I, J) that minimise ‖A - L S R‖. They are s + δ, where

        K δ = (Lᴴ E Rᴴ)[I, J],  K[a, b] = (LᴴL)[I_a, I_b] (R Rᴴ)[J_b, J_a],

    and E = A - L S R. K is block diagonal over the connected components of its two Gram
    matrices: a block is a row of the first factor, a column of the last one, and a
    single unknown in a butterfly. Blocks are solved by Cholesky factorizations with a
    small ridge (a number added to the diagonal; as it acts on δ, it moves no solution),
    or by conjugate gradients past some 2000 unknowns. An exact line search along δ
    makes sure that no step increases the error. Between two solves the norms at the
    inner index of two factors are made nearly equal, by powers of two. Sweeps go from
    right to left and from left to right by turns. A sweep that gains less than it adds
    to the rounding of the product, as measured on the factors that would be returned,
    is dropped, and is the last.

    Cost of a sweep: O(nnz J (m + n)) operations, where nnz counts the non-zeros of all
    factors, and k³ / 3 for each block of k unknowns. All is computed in double
    precision. The method is local: to find the best values on given supports is NP-hard
    in general.

    References
    ----------
    Q.-T. Le, E. Riccietti and R. Gribonval, Spurious valleys, NP-hardness, and
    tractability of sparse matrix factorization with fixed support, SIAM J. Matrix
    Anal. Appl. 44, 2023 [le2023].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.targets.hadamard(8)
    >>> factors = [S.copy() for S in nf.hierarchical(A, "hadamard").factors]
    >>> rng = np.random.default_rng(0)
    >>> for factor in factors:  # right supports, wrong values
    ...     factor.data *= rng.uniform(0.5, 1.5, factor.nnz)
    >>> bool(nf.relative_error(A, nf.FactorProduct(factors)) > 0.5)
    True
    >>> bool(nf.refine(factors, A).relative_error < 1e-12)
    True
    """
    record = SweepRecord()
    if target is None:
        target = getattr(result, "target", None)
    if target is None:
        raise ValueError("target is needed: result does not remember the matrix")
    problem = problem_of(target)
    start = _checked_factors(result, problem)
    places = checked_fixed(fixed, len(start.factors))
    if len(set(places)) == len(start.factors):
        raise ValueError("fixed holds all factors: there is nothing to refine")
    options = RefineOptions(n_iter=n_iter, tol=tol, fixed=places, callback=callback)
    return refine_problem(problem, start, options, record, butterfly_of(result))


def _checked_factors(result: FactorsLike, problem: Problem) -> FactorProduct:
    """Return the product to start from, in the dtype of the target, or raise."""
    factors, scale = as_factors("result", result)
    try:
        product = FactorProduct(factors, scale)
    except (TypeError, ValueError) as error:
        raise type(error)(f"result: {error}") from None
    if product.shape != problem.shape:
        raise ValueError(f"result is {product.shape} but target is {problem.shape}")
    if product.dtype.kind == "c" and problem.dtype.kind != "c":
        raise TypeError(f"result is complex but target is {problem.dtype}")
    with np.errstate(over="ignore"):
        factors = [factor.astype(problem.dtype) for factor in product.factors]
    return FactorProduct(factors, product.scale)
