"""refine: exact least squares on fixed supports, one factor after the other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...kernels import frobenius_norm, max_abs, optimal_scale
from ...operators import FactorProduct
from ..common.factors import Dense
from ..common.result import Factorization, History, SweepState
from ..common.target import checked_target, shift
from .least_squares import least_squares, sampled
from .palm4msa import check_sweeps, checked_fixed

# Added to the diagonal of systems scaled to 1, or the precision of the target if that
# is more. A solve multiplies values by at most 1 / (2 sqrt(ridge)): larger ones, where
# the supports leave values free, would cancel and cost the product its digits.
_RIDGE = 1e-10
# A sweep has to gain so many times what it adds to the rounding of the product.
_MARGIN = 100
# A factor with more than one entry in so many multiplies faster as a dense array.
_DENSE = 8


def refine(
    result: Factorization | FactorProduct | Sequence[Any],
    target: Any = None,
    *,
    n_iter: int = 10,
    tol: float = 1e-6,
    fixed: Sequence[int] = (),
    callback: Callable[[SweepState], Any] | None = None,
) -> Factorization:
    """Improve the values of sparse factors, their supports unchanged.

    Parameters
    ----------
    result : Factorization, FactorProduct, or sequence of J arrays
        The factors to start from. Their non-zeros are the supports: nothing else of
        the sets they were learned in is kept.
    target : array_like, (m, n), optional
        The matrix A, real or complex, finite. By default the one `result` remembers.
    n_iter : int, default 10
        Sweeps over all factors.
    tol : float, default 1e-6
        Stop when a sweep lowers the relative error by at most `tol` times itself.
    fixed : sequence of int, default ()
        Indices of factors that do not change, not even in scale.
    callback : callable, optional
        Called with a `SweepState` after each sweep; returning True stops.

    Returns
    -------
    Factorization
        Never worse than `result`. Factors that are not fixed have Frobenius norm 1
        (a zero factor stays zero), `scale` carries the rest, positive, and entries
        that became exactly zero are gone. Where nothing was to be gained, the factors
        and the scale are those given. A zero target gives scale 0.

    Raises
    ------
    TypeError
        A target or factors that are not numeric; complex factors for a real target.
    ValueError
        No target; shapes that do not fit; NaN or infinity; n_iter < 1, tol < 0; an
        index in `fixed` out of range, or all factors fixed.

    Notes
    -----
    Each factor in turn, with L and R the products on its left and right, takes the
    values s on its support (I, J) that minimise ‖A - L S R‖, that is s + δ where

        K δ = (Lᴴ E Rᴴ)[I, J],  K[a, b] = (LᴴL)[I_a, I_b] (R Rᴴ)[J_b, J_a],

    and E = A - L S R. K is block diagonal over the connected components of its two Gram
    matrices: rows for the first factor, columns for the last, single unknowns for a
    butterfly. Blocks are solved by Cholesky with a small ridge (on δ: it moves no
    solution), past some 2000 unknowns by conjugate gradients; an exact line search
    along δ makes sure that no step increases the error. Between two solves the inner
    index of two factors is equilibrated, by powers of two; sweeps alternate, from right
    to left first. A sweep that gains less than it adds to the rounding of the product,
    as measured on the factors to be returned, is dropped, and is the last.

    A sweep costs O(nnz J (m + n)), nnz that of all factors, and k³ / 3 for each block
    of k unknowns. All is computed in double precision, and returned in the target's.
    This is a local method: on given supports the best values are NP-hard in general.

    References
    ----------
    Q.-T. Le, E. Riccietti and R. Gribonval, Spurious valleys, NP-hardness, and
    tractability of sparse matrix factorization with fixed support, SIAM J. Matrix
    Anal. Appl. 44(2), 2023.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.targets.hadamard(8)
    >>> factors = nf.hierarchical(A, "hadamard").factors
    >>> rng = np.random.default_rng(0)
    >>> for factor in factors:  # right supports, wrong values
    ...     factor.data *= rng.uniform(0.5, 1.5, factor.nnz)
    >>> bool(nf.relative_error(A, nf.FactorProduct(factors)) > 0.5)
    True
    >>> bool(nf.refine(factors, A).relative_error < 1e-12)
    True
    """
    began = time.perf_counter()
    check_sweeps(n_iter, tol)
    if target is None:
        target = getattr(result, "target", None)
    if target is None:
        raise ValueError("target is needed: result does not remember the matrix")
    target = checked_target(target, 1)
    start = _checked_start(result, target)
    fixed = set(checked_fixed(fixed, len(start.factors)))
    if len(fixed) == len(start.factors):
        raise ValueError("fixed holds all factors: there is nothing to refine")
    largest = max_abs(target)
    if largest == 0:
        zero = FactorProduct(start.factors, 0.0)
        history = History([0.0], [0.0], [time.perf_counter() - began], [0])
        return Factorization(zero, 0.0, history, target)
    exponent = int(np.frexp(largest)[1])
    shifted = shift(target.astype(np.result_type(target, np.float64)), -exponent)
    eps = float(np.finfo(target.dtype).eps)
    state = _Refinement.of(shifted, start, fixed, max(_RIDGE, eps))
    best, history = start, History()
    error, rounding = _errors(shifted, start, exponent)
    for iteration in range(1, n_iter + 1):
        state = state.swept()
        # What counts is the error of what is returned, rounded to its dtype. Where no
        # values are best (ever larger ones are better, and cancel) the gain has to be
        # well above what rounding adds when the product runs.
        product = state.product(start, exponent, target.dtype)
        previous, (current, noise) = error, _errors(shifted, product, exponent)
        if current < error and error - current >= _MARGIN * (noise - rounding) - 1e-14:
            best, error, rounding = product, current, noise
        history.errors.append(error)
        history.scales.append(best.scale)
        history.seconds.append(time.perf_counter() - began)
        history.support_changes.append(0)
        if callback is not None:
            parts = [Dense(factor.toarray()) for factor in best.factors]
            if callback(SweepState(iteration, error, best.scale, lambda p=parts: p)):
                break
        if error <= max(eps / 8, 1e-15) or previous - error <= tol * previous:
            break
    return Factorization(best, error, history, target)


@dataclass(frozen=True)
class _Factor:
    """A factor by coordinates, in double precision."""

    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    fixed: bool = False

    def matrix(self, values=None):
        """Return what multiplies fastest: a CSR array or a dense one."""
        values = self.values if values is None else values
        coordinates = (values, (self.rows, self.cols))
        csr = sp.csr_array(coordinates, shape=self.shape)
        dense = _DENSE * values.size > self.shape[0] * self.shape[1]
        return csr.toarray() if dense else csr

    def adjoint(self):
        shape, values = self.shape[::-1], self.values.conj()
        return _Factor(self.cols, self.rows, values, shape, self.fixed)


@dataclass(frozen=True)
class _Refinement:
    """Factors and target between two sweeps, both turned around after each.

    A sweep from left to right is one from right to left over the adjoints. `grams`
    holds LᴴL of each factor, None where L is the identity.
    """

    target: np.ndarray
    factors: list[_Factor]
    grams: list[np.ndarray | None]
    residual: np.ndarray
    ridge: float
    turned: bool = False

    @classmethod
    def of(cls, target, product, fixed, ridge):
        """Return the factors of a product, with the best scale on the one solved first.

        All are of the size of orthogonal matrices, by powers of two.
        """
        factors, _ = _unit_factors(product, target.dtype, fixed)
        estimate = _chain(factors)
        solved = max(j for j, factor in enumerate(factors) if not factor.fixed)
        # A scale of 0 would lose the values; so small, it changes no error.
        scale = optimal_scale(target, estimate)
        scale = scale or 1e-8 / max(frobenius_norm(estimate), 1.0)
        factors[solved] = replace(
            factors[solved], values=factors[solved].values * scale
        )
        left, grams = None, [None]
        for factor in factors[:-1]:
            matrix = factor.adjoint().matrix()
            left = _times(matrix, left)
            grams.append(_gram(matrix, grams[-1], left))
        return cls(target, factors, grams, target - scale * estimate, ridge)

    def swept(self):
        """Solve for every factor once, from the last to the first, and turn around."""
        factors, residual = list(self.factors), self.residual.copy()
        matrices = [factor.matrix() for factor in factors]
        adjoints = [factor.adjoint().matrix() for factor in factors]
        right, behind = None, [None]
        for j in range(len(factors) - 1, -1, -1):
            if not factors[j].fixed:
                factors[j] = _solved(
                    factors[j], self.grams[j], behind[-1], right, residual,
                    matrices[:j], adjoints[:j], self.ridge,
                )  # fmt: skip
            if j > 0 and not (factors[j].fixed or factors[j - 1].fixed):
                factors[j - 1], factors[j] = _balanced(factors[j - 1], factors[j])
                matrices[j - 1] = factors[j - 1].matrix()
                adjoints[j - 1] = factors[j - 1].adjoint().matrix()
            matrix = factors[j].matrix()
            right = _times(matrix, right)
            if j > 0:
                behind.append(_gram(matrix, behind[-1], right))
        return _Refinement(
            np.ascontiguousarray(self.target.conj().T),
            [factor.adjoint() for factor in reversed(factors)],
            behind,
            np.ascontiguousarray((self.target - right).conj().T),
            self.ridge,
            not self.turned,
        )

    def product(self, start, exponent, dtype):
        """Return the operator in the units of the target, free factors of norm 1."""
        factors = self.factors
        if self.turned:
            factors = [factor.adjoint() for factor in reversed(factors)]
        mantissa, matrices, free = 1.0, list(start.factors), []
        for j, factor in enumerate(factors):
            if factor.fixed:
                exponent -= _size_exponent(start.factors[j])
                continue
            norm = frobenius_norm(factor.values) or 1.0
            mantissa, own = np.frexp(mantissa * norm)
            exponent += int(own)
            coordinates = (factor.values / norm, (factor.rows, factor.cols))
            matrices[j] = sp.csr_array(coordinates, shape=factor.shape)
            free.append(j)
        # Fixed factors may ask for a scale that the dtype does not hold.
        limit = np.finfo(dtype).maxexp - 2
        kept = min(max(exponent, -limit), limit)
        matrices[free[0]].data = shift(matrices[free[0]].data, exponent - kept)
        matrices = [matrix.astype(dtype) for matrix in matrices]
        return FactorProduct(matrices, float(np.ldexp(mantissa, kept)))


def _solved(factor, gram, right_gram, right, residual, lefts, adjoints, ridge):
    """Return the factor with the best values, and update the residual in place."""
    pulled = residual
    for adjoint in adjoints:
        pulled = adjoint @ pulled
    if right is None:
        gradient = pulled[factor.rows, factor.cols]
    else:
        gradient = sampled(pulled, right.conj(), factor.rows, factor.cols)
    delta = least_squares(gram, right_gram, factor.rows, factor.cols, gradient, ridge)
    change = _times(factor.matrix(delta), right)
    for left in reversed(lefts):
        change = left @ change
    square = np.vdot(change, change).real
    step = np.vdot(change, residual).real / square if square > 0 else 0.0
    if not (np.isfinite(step) and step > 0):
        return factor
    residual -= step * change
    return replace(factor, values=factor.values + step * delta)


def _balanced(left, right):
    """Equal column norms of left and row norms of right, by powers of two."""
    inner = left.shape[1]
    columns = np.bincount(left.cols, np.abs(left.values) ** 2, inner)
    lines = np.bincount(right.rows, np.abs(right.values) ** 2, inner)
    both = (columns > 0) & (lines > 0)
    ratio = np.log2(np.where(both, lines, 1)) - np.log2(np.where(both, columns, 1))
    scales = 2.0 ** np.round(ratio / 4)
    return (
        replace(left, values=left.values * scales[left.cols]),
        replace(right, values=right.values / scales[right.rows]),
    )


def _gram(matrix, gram, product):
    """Return the Gram matrix of the rows of product = matrix @ x, given that of x."""
    turned = product if gram is None else matrix @ gram
    out = matrix @ np.ascontiguousarray(turned.conj().T)
    # Where rows of x nearly cancel, the line above may even be negative.
    np.fill_diagonal(out, np.einsum("ij,ij->i", product, product.conj()))
    return out


def _chain(factors):
    """Return the dense product of factors."""
    product = None
    for factor in reversed(factors):
        product = _times(factor.matrix(), product)
    return product


def _times(matrix, x):
    """Return matrix @ x as a dense array; x is None for the identity."""
    if x is None:
        return matrix.toarray() if sp.issparse(matrix) else matrix
    return matrix @ x


def _size_exponent(matrix):
    """Return the binary exponent of the root mean square singular value, about."""
    norm = frobenius_norm(matrix.data) if matrix.nnz else 0.0
    return int(np.frexp(norm / np.sqrt(min(matrix.shape)))[1])


def _unit_factors(product, dtype, fixed=()):
    """Return factors of the size of orthogonal ones, and the exponent taken off."""
    factors, total = [], 0
    for j, matrix in enumerate(product.factors):
        exponent = _size_exponent(matrix)
        total += exponent
        coo = matrix.tocoo()
        values = shift(coo.data.astype(dtype), -exponent)
        factors.append(_Factor(coo.row, coo.col, values, coo.shape, j in fixed))
    return factors, total


def _errors(target, product, exponent):
    """Return the relative error of a product, and what rounding may add when it runs.

    target: divided by 2**exponent.
    """
    factors, total = _unit_factors(product, target.dtype)
    mantissa, own = np.frexp(product.scale)
    power = min(max(total + int(own) - exponent, -900), 900)
    residual = target - shift(float(mantissa) * _chain(factors), power)
    sizes = np.full(product.shape[1], product.shape[1] ** -0.5)
    for factor in reversed(factors):
        sizes = abs(factor.matrix()) @ sizes
    noise = np.finfo(product.dtype).eps * shift(sizes, power)
    norm = frobenius_norm(target)
    return frobenius_norm(residual) / norm, frobenius_norm(noise) / norm


def _checked_start(result, target):
    """Return the product to start from, in the dtype of the target."""
    factors, scale = getattr(result, "factors", result), getattr(result, "scale", 1.0)
    product = FactorProduct(factors, scale)
    if product.shape != target.shape:
        raise ValueError(f"result is {product.shape} but target is {target.shape}")
    if product.dtype.kind == "c" and target.dtype.kind != "c":
        raise TypeError(f"result is complex but target is {target.dtype}")
    with np.errstate(over="ignore"):
        factors = [factor.astype(target.dtype) for factor in product.factors]
    return FactorProduct(factors, product.scale)
