"""Planted products of ``nf.targets``, and targets that are made of another one."""

import numpy as np
from hypothesis import strategies as st

from ..cases import BAD, ODD, called, entry
from ..checks import near, numbers, true
from ..pools import Pool, array, choice, count, fixed, flag, real, seed
from .named_transforms import order, power
from .target_matrices import FEW, plain

BUTTERFLIES = ("orthogonal", "gaussian", "hadamard", "unitary")


def noisy_check(call):
    target, noise = numbers(call["target"]), float(call["noise"])
    result = call.result
    true(result.shape == target.shape, f"shape {result.shape}")
    true(np.isfinite(result).all(), "the matrix is not finite")
    largest = np.abs(target).max()
    if largest == 0 or not np.isfinite(largest * max(noise, 1) * 10):
        return
    unit = max(1.0, noise)
    drawn = result / largest / unit - target / largest / unit
    expected = noise / unit * np.linalg.norm(target / largest)
    eps = np.finfo(result.dtype).eps
    got = np.linalg.norm(drawn)
    if largest > np.finfo(result.dtype).tiny / eps:
        bound = 50 * eps * (1 + expected) + 1e-3 * expected
        true(abs(got - expected) <= bound, f"noise {got}, {expected}")


@entry("targets.noisy", noisy_check)
def _(draw):
    shape = draw(st.sampled_from([(3, 4), (5, 5), (1, 1)]))
    pools = {
        "target": array(
            shape, wrong_shapes=[(0, 3), (3,), (2, 2, 2)], sparse=ODD, linear=ODD
        ),
        "noise": real(
            "0.0",
            "0",
            "0.1",
            "1",
            "2.5",
            bad=("-0.1", "-1"),
            odd=("1e308", "1e-308", "1e200", "1e-200", "10**400"),
        ),
        "random_state": seed(),
    }
    return called("nf.targets.noisy", pools)


def permuted_check(call):
    target, result = numbers(call["target"]), numbers(call.result)
    true(result.shape == target.shape, f"shape {result.shape}")
    for axis in (0, 1):
        sums = [
            np.sort(np.abs(np.sort_complex(m).sum(axis)).round(9))
            for m in (target, result)
        ]
        if np.isfinite(sums[0]).all() and np.abs(target).max() < 1e100:
            near(sums[1], sums[0], what="sums of lines")


@entry("targets.permuted", permuted_check)
def _(draw):
    shape = draw(st.sampled_from([(3, 4), (5, 5), (1, 1)]))
    pools = {
        "target": array(
            shape, wrong_shapes=[(0, 3), (3,), (2, 2, 2)], sparse=ODD, linear=ODD
        ),
        "random_state": seed(),
    }
    return called("nf.targets.permuted", pools)


def product_check(call):
    result = call.result
    n = order(call)
    if call.get("return_factors", False):
        result, factors = result
        true(len(factors) == call["n_factors"], f"{len(factors)} factors")
        expected = np.eye(n)
        for factor in factors:
            expected = expected @ factor.toarray()
        near(result, expected)
    true(result.shape == (n, n) and np.isfinite(result).all(), f"shape {result.shape}")


@entry("targets.planted", product_check)
def _(draw):
    pools = {
        "n": fixed("4", "6", "9"),
        "n_factors": FEW,
        "k": count(1, 4, huge=BAD, wrong=("10",)),
        "random_state": seed(),
        "return_factors": flag(),
    }
    return called("nf.targets.planted", pools)


@entry("targets.pair_rotations", product_check)
def _(draw):
    pools = {
        "n": Pool(
            fixed("2", "4", "6").good, count(2, 4, huge=ODD, wrong=("3", "7")).other
        ),
        "n_factors": FEW,
        "random_state": seed(),
        "return_factors": flag(),
    }
    return called("nf.targets.pair_rotations", pools)


def butterfly_check(call):
    n, kind = order(call), call.get("kind", "orthogonal")
    result = plain(call, "complex128" if kind == "unitary" else "float64")
    true(result.shape == (n, n), f"shape {result.shape}")
    if kind in ("orthogonal", "unitary"):
        near(result @ result.conj().T, np.eye(n), what="A Aᴴ")


@entry("targets.permuted_butterfly", butterfly_check)
def _(draw):
    pools = {
        "n": power(),
        "kind": choice(*BUTTERFLIES),
        "random_state": seed(),
    }
    return called("nf.targets.permuted_butterfly", pools)
