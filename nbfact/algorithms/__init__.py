"""Factorization algorithms: Python loops over the kernels."""

from .butterfly import ButterflyFactorization, butterfly_factorize
from .explore import explore
from .fits import legendre, slant
from .gradient import learn_butterfly
from .hierarchical import hierarchical
from .identify import PermutedFactorization, identify_permuted_butterfly
from .palm4msa import palm4msa
from .presets import Preset, dictionary, rectmat, rectmat_simple
from .refine import refine
from .result import (
    Factorization,
    History,
    LearnedButterfly,
    LearningHistory,
    LearningState,
    State,
)

__all__ = [
    "ButterflyFactorization",
    "Factorization",
    "History",
    "LearnedButterfly",
    "LearningHistory",
    "LearningState",
    "PermutedFactorization",
    "Preset",
    "State",
    "butterfly_factorize",
    "dictionary",
    "explore",
    "hierarchical",
    "identify_permuted_butterfly",
    "learn_butterfly",
    "legendre",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
    "slant",
]
