"""Factorization algorithms: Python loops over the kernels.

==================  ===============================================================
``palm``            sparse factors by descent: `palm4msa`, `hierarchical`, `explore`,
                    `refine`, and the presets
``butterfly``       butterflies without iterating: `butterfly_factorize`
``permutations``    butterflies whose permutations are not known: `identify_butterfly`
``descent``         butterflies by gradient descent: `learn_butterfly`
``learn``           the best of all of these under a budget: `learn_transform`
``coding``          sparse codes of signals in a dictionary: `omp`
``dictionaries``    dictionaries learned from signals: K-SVD, and fast ones
``common``          what they share: targets, factors, results
==================  ===============================================================
"""

from .butterfly.butterfly_factorize import ButterflyFactorization, butterfly_factorize
from .butterfly.chain_graph import chains
from .butterfly.fits import legendre
from .coding.omp import omp
from .common.result import (
    CallbackState,
    Factorization,
    History,
)
from .descent.descent_result import LearnedButterfly, LearningHistory
from .descent.learn_butterfly import learn_butterfly
from .learn.budget_tradeoff import Tradeoff, tradeoff
from .learn.learn_transform import learn_transform
from .learn.outcomes import LearnedTransform, Trial
from .palm.explore import explore
from .palm.hierarchical import hierarchical
from .palm.palm4msa import palm4msa
from .palm.presets import Preset, dictionary, rectmat, rectmat_simple
from .palm.refine import refine
from .permutations.identify import PermutedFactorization, identify_butterfly

__all__ = [
    "ButterflyFactorization",
    "CallbackState",
    "Factorization",
    "History",
    "LearnedButterfly",
    "LearnedTransform",
    "LearningHistory",
    "PermutedFactorization",
    "Preset",
    "Tradeoff",
    "Trial",
    "butterfly_factorize",
    "chains",
    "dictionary",
    "explore",
    "hierarchical",
    "identify_butterfly",
    "learn_butterfly",
    "learn_transform",
    "legendre",
    "omp",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
    "tradeoff",
]
