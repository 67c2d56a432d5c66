"""Exact least squares on fixed supports, one factor after the other."""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, cg

from ..kernels import sampled_product
from ..operators import FactorProduct
from .factors import Chain, adjoint, from_csr, tile_scratch
from .palm4msa import checked_fixed, product, shifted_scale
from .result import Factorization, History
from .target import Dense, checked_target, shift, shift_exponent

# Unknowns up to which the normal equations of a factor are formed and solved by
# Cholesky, and not by conjugate gradients: CROSSOVER TO MEASURE.
CHOLESKY_MAX = 2048

# Added to the diagonal of the equations of a *change*, relative to its largest entry:
# it slows what they barely determine down, and biases nothing.
_RIDGE = 1e-12

_CG_STEPS, _CG_TOL = 100, 1e-12

# Entries of the small systems that are solved together.
_BATCH = 1 << 22


def refine(
    result: Factorization | FactorProduct | Sequence[Any],
    target: Any = None,
    n_iter: int = 10,
    tol: float = 1e-6,
    fixed: Sequence[int] = (),
) -> Factorization:
    """Fit the values of the factors to a target, with the supports that they have.

    Parameters
    ----------
    result : Factorization, FactorProduct or sequence of J matrices
        The factors to start from, left to right.
    target : array_like, scipy sparse or LinearOperator, (m, n), optional
        The matrix A. By default the one that `result` was made from.
    n_iter : int, default 10
        Sweeps over all factors, at most; they alternate in direction.
    tol : float, default 1e-6
        Stop when a sweep lowers the relative error by at most `tol` times itself.
    fixed : sequence of int
        Which factors do not change.

    Returns
    -------
    Factorization
        Factors with the same supports, or less where a value becomes zero; those that
        are not fixed have unit Frobenius norm. Never worse than `result`: its error is
        the first of the history, and errors never increase.

    Raises
    ------
    TypeError
        As `palm4msa`.
    ValueError
        As `palm4msa`; also without a target, or with one of another shape.

    Notes
    -----
    With L and R the products on the sides of S, each factor solves

        min ‖A - L S R‖_F over S with its support:  K s = b,
        K = (Lᴴ L)[i, i'] (R Rᴴ)[j', j],  b = (Lᴴ A Rᴴ)[i, j],

    for entries (i, j) and (i', j') of the support. The rows of the first factor, and
    the columns of the last, are independent; in between, with N non-zeros, Cholesky
    takes N³/3 multiplications, and beyond N = 2048 each conjugate gradient step
    N (p + q). Before each sweep rows and columns that meet are scaled by powers of two
    to equal norms. Everything is computed in double precision.

    References
    ----------
    Q.-T. Le, E. Riccietti and R. Gribonval, Spurious valleys, NP-hardness, and
    tractability of sparse matrix factorization with fixed support, SIMAX 44(2), 2023.

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.leadfield(16, 64, random_state=0)
    >>> r = nf.hierarchical(A, nf.rectmat(3, 5, 4))
    >>> nf.refine(r).relative_error < r.relative_error
    True
    """
    start = time.perf_counter()
    if target is None and getattr(result, "target", None) is None:
        raise ValueError("target is missing, and result does not carry it")
    matrix = checked_target(result.target if target is None else target, 1)
    operator = getattr(result, "operator", result)
    if not isinstance(operator, FactorProduct):
        operator = FactorProduct(list(operator))
    if operator.shape != matrix.shape:
        raise ValueError(
            f"target has shape {matrix.shape}, the factors that of {operator.shape}"
        )
    if n_iter < 1 or not tol >= 0:
        raise ValueError(f"expected n_iter >= 1 and tol >= 0, got {n_iter}, {tol!r}")
    fixed = checked_fixed(fixed, len(operator.factors))
    double = np.result_type(matrix, operator.dtype, np.float64)
    exponent = shift_exponent(matrix) or 0
    shifted = shift(matrix.astype(double), -exponent)
    targets = Dense(shifted, False), Dense(shifted, True)
    factors = [from_csr(factor.astype(double)) for factor in operator.factors]
    frozen = [j in fixed for j in range(len(factors))]
    scale = math.ldexp(operator.scale, -exponent)
    if not all(frozen):
        free = frozen.index(False)
        factors[free], scale = factors[free].scaled(scale), 1.0

    history = History()
    error = _error(targets[0], factors, scale)
    for sweep in range(n_iter + 1):  # the first entry is the error of result
        previous = error
        if sweep > 0 and not all(frozen):
            trial = _swept(factors, frozen, targets, turned=sweep % 2 == 0)
            error = _error(targets[0], trial, scale)
            if not error < previous:
                break
            factors = trial
        parts, total = _normalized(factors, frozen, scale)
        history.errors.append(error)
        history.scales.append(shifted_scale(total, exponent))
        history.seconds.append(time.perf_counter() - start)
        history.support_changes.append(0)
        if sweep > 0 and previous - error <= tol * previous:
            break
    parts = [part.astype(matrix.dtype) for part in parts]
    operator = product(parts, total, exponent)
    return Factorization(operator, history.errors[-1], history, matrix)


def _error(target, factors, scale):
    """Return ‖A - λ S[0] ... S[J-1]‖ / ‖A‖; what is not zero is no zero's neighbour."""
    chain = Chain(factors[:-1], target.dtype)
    tiles = tile_scratch(max(max(f.shape) for f in factors), target.dtype)
    residual = target.residual(factors, scale, chain, tiles)
    if target.norm == 0:
        return 0.0 if residual == 0 else math.inf
    return residual / target.norm


def _normalized(factors, frozen, scale):
    """Return the factors, with unit norms where they are free, and the scale."""
    parts = list(factors)
    for j, factor in enumerate(factors):
        norm = factor.norm()
        if not frozen[j] and norm > 0:
            parts[j], scale = factor.scaled(1 / norm), scale * norm
    return parts, scale


def _swept(factors, frozen, targets, turned):
    """Solve for each factor that is free, from right to left; or left to right."""
    factors = _equilibrated(factors, frozen)
    if turned:
        factors = [factor.transposed() for factor in reversed(factors)]
        frozen = frozen[::-1]
    left_grams = [None, factors[0].gram_of_columns()]
    for factor in factors[1:-1]:
        left_grams.append(factor.adjoint().congruent(left_grams[-1]))
    cross, gram = targets[turned].adjoint, None
    for j in range(len(factors) - 1, -1, -1):
        if not frozen[j]:
            moved = adjoint(cross)
            for factor in factors[:j]:
                moved = factor.apply_adjoint(moved)
            factors[j] = _solved(factors[j], left_grams[j], gram, moved)
        if j > 0:
            cross = factors[j].apply(cross)
            gram = factors[j].gram() if gram is None else factors[j].congruent(gram)
    if turned:
        factors = [factor.transposed() for factor in reversed(factors)]
    return factors


def _equilibrated(factors, frozen):
    """Scale rows and columns that meet, by powers of two, to norms that differ little.

    The product does not change; zero rows and columns, and fixed factors, neither.
    """
    matrices = [factor.tocsr() for factor in factors]
    for j in range(len(factors) - 1):
        if frozen[j] or frozen[j + 1]:
            continue
        left = sp.linalg.norm(matrices[j], axis=0)
        right = sp.linalg.norm(matrices[j + 1], axis=1)
        met = (left > 0) & (right > 0)
        ratio = np.ones(left.size)
        ratio[met] = np.sqrt(right[met] / left[met])
        power = np.exp2(np.round(np.log2(ratio)))
        matrices[j] = matrices[j] @ sp.diags_array(power)
        matrices[j + 1] = sp.diags_array(1 / power) @ matrices[j + 1]
    return [from_csr(matrix) for matrix in matrices]


def _solved(factor, left_gram, gram, moved):
    """Return S with the values that fit best; moved: Lᴴ A Rᴴ, dense."""
    data, indices, indptr = factor.rows
    rows = np.repeat(np.arange(factor.shape[0]), np.diff(indptr))
    x = factor.toarray() if gram is None else factor.apply(gram)
    gradient = _sampled(left_gram, x, rows, indices, indptr) - moved[rows, indices]
    if not np.isfinite(gradient).all():
        return factor
    if left_gram is None and gram is None:
        change = -gradient
    elif left_gram is None:
        change = _rows_solved(gram, indices, indptr, gradient)
    elif gram is None:
        order = np.argsort(indices, kind="stable")  # column by column
        change = np.empty_like(gradient)
        _, column_rows, column_indptr = factor.columns
        change[order] = _rows_solved(
            left_gram.T, column_rows, column_indptr, gradient[order]
        )
    elif data.size <= CHOLESKY_MAX:
        change = _cholesky_solved(left_gram, gram, rows, indices, gradient)
    else:
        change = _cg_solved(factor, left_gram, gram, rows, gradient)
    if not np.isfinite(change).all():
        return factor
    return from_csr(sp.csr_array((data + change, indices, indptr), shape=factor.shape))


def _sampled(left_gram, x, rows, indices, indptr):
    """Return (Lᴴ L x) on a support."""
    if left_gram is None:
        return x[rows, indices]
    out = np.empty(indices.size, x.dtype)
    sampled_product(indices, indptr, left_gram, np.ascontiguousarray(x.T), out)
    return out


def _rows_solved(gram, indices, indptr, gradient):
    """Solve Σ_j' δ[i, j'] G[j', j] = -g[i, j] for the support of each row i."""
    change = np.zeros_like(gradient)
    counts = np.diff(indptr)
    for k in np.unique(counts[counts > 0]):
        same = np.flatnonzero(counts == k)
        step = max(1, _BATCH // int(k) ** 2)
        for start in range(0, same.size, step):
            first = indptr[same[start : start + step]].astype(np.intp)
            places = first[:, None] + np.arange(k)
            j = indices[places]
            equations = gram[j[:, None, :], j[:, :, None]]
            diagonal = np.arange(k)
            largest = equations[:, diagonal, diagonal].real.max(axis=1)
            largest[largest == 0] = 1
            equations[:, diagonal, diagonal] += _RIDGE * largest[:, None]
            solution = np.linalg.solve(equations, -gradient[places][..., None])
            change[places] = solution[..., 0]
    return change


def _cholesky_solved(left_gram, gram, rows, indices, gradient):
    """Solve (K + ridge) δ = -g by Cholesky."""
    equations = left_gram[np.ix_(rows, rows)] * gram[np.ix_(indices, indices)].T
    largest = equations.diagonal().real.max() or 1.0
    for ridge in (_RIDGE, 1e4 * _RIDGE, 1e8 * _RIDGE):
        equations[np.diag_indices_from(equations)] += ridge * largest
        try:
            factored = scipy.linalg.cho_factor(equations, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        return scipy.linalg.cho_solve(factored, -gradient, check_finite=False)
    return np.zeros_like(gradient)


def _cg_solved(factor, left_gram, gram, rows, gradient):
    """Solve (K + ridge) δ = -g by conjugate gradients, with Jacobi's preconditioner."""
    _, indices, indptr = factor.rows
    diagonal = (left_gram[rows, rows] * gram[indices, indices]).real
    diagonal = diagonal + _RIDGE * (diagonal.max() or 1.0)

    def equations(values):
        matrix = sp.csr_array((values, indices, indptr), shape=factor.shape)
        out = _sampled(left_gram, matrix @ gram, rows, indices, indptr)
        return out + _RIDGE * diagonal.max() * values

    size = gradient.size
    operator = LinearOperator((size, size), equations, dtype=gradient.dtype)
    jacobi = LinearOperator(
        (size, size), lambda values: values / diagonal, dtype=gradient.dtype
    )
    change, _ = cg(operator, -gradient, rtol=_CG_TOL, maxiter=_CG_STEPS, M=jacobi)
    return change
