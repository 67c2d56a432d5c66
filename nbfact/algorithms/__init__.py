"""Factorization algorithms: Python loops over the kernels."""

from .butterfly.butterfly_factorize import ButterflyFactorization, butterfly_factorize
from .butterfly.fits import legendre, slant
from .common.result import (
    Factorization,
    History,
    LearnedButterfly,
    LearningHistory,
    LearningState,
    SweepState,
)
from .descent.learn_butterfly import learn_butterfly
from .learn.learn_transform import LearnedTransform, Trial, learn_transform
from .palm.explore import explore
from .palm.hierarchical import hierarchical
from .palm.palm4msa import palm4msa
from .palm.presets import Preset, dictionary, rectmat, rectmat_simple
from .palm.refine import refine
from .permutations.identify import PermutedFactorization, identify_butterfly

__all__ = [
    "ButterflyFactorization",
    "Factorization",
    "History",
    "LearnedButterfly",
    "LearnedTransform",
    "LearningHistory",
    "LearningState",
    "PermutedFactorization",
    "Preset",
    "SweepState",
    "Trial",
    "butterfly_factorize",
    "dictionary",
    "explore",
    "hierarchical",
    "identify_butterfly",
    "learn_butterfly",
    "learn_transform",
    "legendre",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
    "slant",
]
