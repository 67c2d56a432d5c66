"""palm4MSA and its hierarchical version in NumPy, written straight from the paper.

The paper is L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations
of matrices and applications, IEEE JSTSP 10(4), 2016. These functions are the yardstick
where pyfaust is not installed: they use dense products, and take spectral norms from
the smaller Gram matrix. Their projections are those of nbfact, so that a comparison
shows the rest of the algorithm.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

MARGIN = 1.001
"""Factor by which the step's modulus exceeds the Lipschitz modulus of the gradient."""


def palm(
    target: np.ndarray,
    sets: Sequence[Any],
    n_iter: int,
    forward: bool = True,
    init: tuple[list[np.ndarray], float] | None = None,
    stop: float = 0.0,
) -> tuple[list[np.ndarray], float]:
    """Factor a matrix by palm4MSA.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor.
    sets : sequence of J constraints
        Objects with ``shape`` and ``project``, one for each factor, left to right.
    n_iter : int
        Largest number of sweeps.
    forward : bool
        Whether a sweep updates the factors from left to right, or from right to left.
    init : (factors, λ), optional
        Factors and scale to start from. By default the factor that is updated first is
        zero, the others are identities, and λ is 1.
    stop : float
        Relative error at which to stop; 0 makes all sweeps.

    Returns
    -------
    factors : list of J ndarrays
        The factors, left to right.
    scale : float
        The scale λ, fitted to these factors.

    Examples
    --------
    >>> from nbfact.constraints import SpLin
    >>> factors, scale = palm(np.eye(2), [SpLin((2, 2), 1)] * 2, 3)
    >>> bool(np.allclose(scale * factors[0] @ factors[1], np.eye(2)))
    True
    """
    path = range(len(sets)) if forward else range(len(sets) - 1, -1, -1)
    first, last = path[0], path[-1]
    if init is None:
        factors = [np.eye(*set_.shape, dtype=target.dtype) for set_ in sets]
        factors[first][:] = 0
        scale = 1.0
    else:
        factors, scale = list(init[0]), init[1]
    norm = np.linalg.norm(target)
    for _ in range(n_iter):
        ahead: dict[int, np.ndarray | None] = {last: None}
        for j, following in zip(path[-2::-1], path[:0:-1], strict=True):
            ahead[j] = _times(factors[following], ahead[following], forward)
        behind = None
        for j in path:
            left, right = (behind, ahead[j]) if forward else (ahead[j], behind)
            factors[j] = _updated(target, left, factors[j], right, scale, sets[j])
            behind = _times(behind, factors[j], forward)
        scale = _fitted(target, behind)
        if stop and np.linalg.norm(target - scale * behind) <= stop * norm:
            break
    return factors, scale


def hierarchical(
    target: np.ndarray,
    factor_sets: Sequence[Any],
    residual_sets: Sequence[Any],
    n_iter: tuple[int, int] = (30, 30),
    right: bool = True,
) -> tuple[list[np.ndarray], float]:
    """Split off one factor after the other, with sweeps from right to left.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor.
    factor_sets, residual_sets : sequences of J - 1 constraints
        Sets of the new factor and of the residual, for each split.
    n_iter : (int, int)
        Numbers of sweeps of each split, and of each refinement of all factors.
    right : bool
        Whether the residual stands on the right of the new factor.

    Returns
    -------
    factors : list of J ndarrays
        The factors, left to right.
    scale : float
        The scale λ, fitted to these factors.

    Examples
    --------
    >>> from nbfact.constraints import SpLin
    >>> two = [SpLin((2, 2), 2)]
    >>> len(hierarchical(np.eye(2), two, two)[0])
    2
    """
    residual, scale = target, 1.0
    factors: list[np.ndarray] = []
    sets: list[Any] = []
    for pair in zip(factor_sets, residual_sets, strict=True):
        pair = pair if right else pair[::-1]
        new, new_scale = palm(residual, pair, n_iter[0], forward=False)
        factors = [*factors[:-1], *new] if right else [*new, *factors[1:]]
        sets = [*sets[:-1], *pair] if right else [*pair, *sets[1:]]
        init = factors, scale * new_scale
        factors, scale = palm(target, sets, n_iter[1], False, init)
        residual = factors[-1 if right else 0]
    return factors, scale


def dense(factors: Sequence[np.ndarray], scale: float) -> np.ndarray:
    """Return the dense matrix scale * factors[0] @ ... @ factors[-1].

    Examples
    --------
    >>> dense([np.eye(2), np.ones((2, 1))], 3.0).ravel()
    array([3., 3.])
    """
    product = factors[-1]
    for factor in factors[-2::-1]:
        product = factor @ product
    return scale * product


def _times(first, second, forward):
    """Return the product of two neighbours, given in the order of the updates.

    None stands for the identity.
    """
    if first is None or second is None:
        return second if first is None else first
    return first @ second if forward else second @ first


def _updated(target, left, factor, right, scale, set_):
    """Return a factor after its proximal gradient step, projected onto its set."""
    modulus = scale * _norm(left) * _norm(right)
    if modulus == 0:
        return set_.project(factor)
    product = factor if left is None else left @ factor
    product = product if right is None else product @ right
    gradient = scale * product - target
    gradient = gradient if left is None else left.conj().T @ gradient
    gradient = gradient if right is None else gradient @ right.conj().T
    return set_.project(factor - scale / (MARGIN * modulus**2) * gradient)


def _norm(matrix):
    """Return the spectral norm of a matrix; None stands for the identity."""
    if matrix is None:
        return 1.0
    m, n = matrix.shape
    adjoint = matrix.conj().T
    gram = adjoint @ matrix if m >= n else matrix @ adjoint
    return np.sqrt(max(np.linalg.eigvalsh(gram)[-1], 0.0))


def _fitted(target, product):
    """Return the scale λ that minimises ‖target - λ product‖_F."""
    energy = np.vdot(product, product).real
    return np.vdot(product, target).real / energy if energy > 0 else 0.0
