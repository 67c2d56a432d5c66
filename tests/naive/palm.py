"""Twins of palm4MSA and of the least squares that refine its factors.

They are written as in the paper: dense products and exact norms.
"""

import numpy as np

from .sparse import product


def palm_step(target, left, factor, right, scale, lipschitz):
    """Return the gradient step on one factor, before the projection."""
    residual = scale * left @ factor @ right - target
    return factor - scale / lipschitz * left.conj().T @ residual @ right.conj().T


def optimal_scale(target, product):
    """Return the real λ that minimises ‖target - λ product‖."""
    square = np.vdot(product, product).real
    return np.vdot(product, target).real / square if square else 0.0


def palm4msa(target, constraints, n_iter, forward, init=None):
    """Return the factors, the scale, and the relative error after each sweep."""
    order = list(range(len(constraints)))
    order = order if forward else order[::-1]
    factors = list(init or [np.eye(*c.shape, dtype=target.dtype) for c in constraints])
    if init is None:
        factors[order[0]][:] = 0
    scale, errors = 1.0, []

    for _ in range(n_iter):
        for j in order:
            left = product(factors[:j], target.shape[0], target.dtype)
            right = product(factors[j + 1 :], factors[j].shape[1], target.dtype)
            norms = np.linalg.norm(left, 2) * np.linalg.norm(right, 2)
            lipschitz = 1.001 * (scale * norms) ** 2
            stepped = palm_step(target, left, factors[j], right, scale, lipschitz)
            factors[j] = constraints[j].project(stepped)
        full = product(factors, target.shape[0], target.dtype)
        scale = optimal_scale(target, full)
        errors.append(np.linalg.norm(target - scale * full) / np.linalg.norm(target))
    return factors, scale, errors


def best_values(target, left, support, right):
    """Return the S on the support that minimises ||target - left @ S @ right||."""
    system = np.kron(left, right.T)[:, support.ravel()]
    best = np.zeros(support.shape, np.result_type(target, left, right))
    best[support] = np.linalg.lstsq(system, target.ravel(), rcond=None)[0]
    return best


def refine(target, factors, n_iter, fixed=()):
    """Return the factors, and the relative error after each sweep."""
    factors, errors = [np.array(factor) for factor in factors], []
    supports = [factor != 0 for factor in factors]
    path = list(range(len(factors)))[::-1]
    for _ in range(n_iter):
        for j in path:
            if j not in fixed:
                left, right = np.eye(len(target)), np.eye(target.shape[1])
                for factor in factors[:j]:
                    left = left @ factor
                for factor in factors[:j:-1]:
                    right = factor @ right
                factors[j] = best_values(target, left, supports[j], right)
        path = path[::-1]
        product = np.linalg.multi_dot([np.eye(len(target)), *factors])
        errors.append(np.linalg.norm(target - product) / np.linalg.norm(target))
    return factors, errors
