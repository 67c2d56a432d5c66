"""Dictionaries of image patches: fixed ones, dense ones of others, and fast ones."""

import math
from typing import Any

import numpy as np

from ...algorithms import dictionary
from ...algorithms.dictionaries.code_rule import CodeRule
from ...algorithms.dictionaries.k_svd import k_svd, unit_columns
from ...cases.rivals import peers
from ...operators import FactorProduct
from ...targets import dct, haar, hadamard
from .grey_images import SIDE, Patches

GAIN = 1.15
"""Norm of the residual, over that of the noise, at which a code ends, as in Elad and
Aharon (2006)."""

ATOMS = 5
"""Number of non-zeros of a code in the 2016 paper."""

FINAL_PASSES = 10
"""Number of times that `FastDictionary` codes patches after its K-SVD: five rounds with
some of them, and five with all. K-SVD alone gets as many iterations more."""

NOISE_LEVEL, FIVE = "noise level", "5 atoms"
"""The two rules by which codes end."""


def rule_of(name: str, sigma: float) -> CodeRule:
    """Return one of the two rules by which codes end, for a noise level."""
    if name == FIVE:
        return CodeRule(ATOMS)
    return CodeRule(SIDE**2, SIDE**2 * (GAIN * sigma) ** 2)


def overcomplete_dct(n_atoms: int) -> np.ndarray:
    """Return the first n atoms of the Kronecker product of two overcomplete DCTs.

    Returns
    -------
    ndarray, (64, n)
        All but the first atom have mean 0, and all have norm 1.
    """
    count = math.ceil(math.sqrt(n_atoms))
    one = np.cos(np.outer(np.arange(SIDE), np.arange(count)) * np.pi / count)
    one[:, 1:] -= one[:, 1:].mean(axis=0)
    one = unit_columns(one)
    return np.kron(one, one)[:, :n_atoms]


def cosine_basis() -> FactorProduct:
    """Return the two-dimensional cosine basis, (64, 64), as two sparse factors."""
    one, same = dct(SIDE).T, np.eye(SIDE)
    return FactorProduct([np.kron(one, same), np.kron(same, one)])


def union_of_bases() -> np.ndarray:
    """Return the two-dimensional Hadamard, cosine, Haar and pixel bases, (64, 256)."""
    bases = (hadamard(SIDE), dct(SIDE), haar(SIDE), np.eye(SIDE))
    return unit_columns(np.hstack([np.kron(one, one).T for one in bases]))


def denoised(dictionary: np.ndarray, patches: Patches, rule: CodeRule) -> np.ndarray:
    """Return the image whose patches are coded in a dictionary."""
    codes = rule.codes(dictionary, patches.centered.T)
    return patches.image_of(codes.T @ np.ascontiguousarray(dictionary.T))


def dense_dictionary(
    samples: np.ndarray, start: np.ndarray, rule: CodeRule, n_iter: int
):
    """Return the dictionary that K-SVD learns from samples (p, 64)."""
    return k_svd(np.ascontiguousarray(samples.T), start, rule, n_iter)


def fast_dictionary(
    samples: np.ndarray, start: np.ndarray, rule: CodeRule, **options: Any
) -> Any:
    """Return a `FastDictionary` of samples whose K-SVD begins at a dictionary."""
    from ...estimators import FastDictionary

    model = FastDictionary(
        start.shape[1],
        dict_init=start.T,
        transform_n_nonzero_coefs=rule.n_nonzero,
        transform_tol=rule.tol,
        random_state=0,
        **options,
    )
    return model.fit(samples)


def paper_dictionary(
    samples: np.ndarray, dense: np.ndarray, rule: CodeRule, s: int, rho: float
) -> Any:
    """Return the `FastDictionary` of one configuration of the paper, with 4 factors."""
    preset = dictionary(4, s, rho=rho)
    return fast_dictionary(samples, dense, rule, max_iter=0, factorizer=preset)


def mini_batch(samples: np.ndarray, n_atoms: int, sigma: float) -> np.ndarray:
    """Return the dictionary of scikit-learn's MiniBatchDictionaryLearning.

    Its codes have an L1 penalty, of 1.2 in units of the noise, while it learns, in one
    pass over every second sample.
    """
    from sklearn.decomposition import MiniBatchDictionaryLearning

    model = MiniBatchDictionaryLearning(
        n_atoms, alpha=1.2, max_iter=1, batch_size=256, random_state=0
    )
    return unit_columns(model.fit(samples[::2] / sigma).components_.T)


def dictlearn_dictionary(
    samples: np.ndarray, start: np.ndarray, n_iter: int
) -> np.ndarray:
    """Return the dictionary of approximate K-SVD in the package dictlearn, 5 atoms."""
    from dictlearn import DictionaryLearning

    model = DictionaryLearning(
        start.shape[1],
        n_nonzero_coefs=ATOMS,
        max_iter=n_iter,
        dict_init=start.T,
        random_state=0,
    )
    return unit_columns(np.asarray(model.fit(samples).components_).T)


DICTLEARN = "dictlearn K-SVD"
"""Name of its row; it is left out where the package is not installed."""


def has_dictlearn() -> bool:
    """Return whether the package dictlearn is installed."""
    return peers.installed(DICTLEARN)
