"""Factorization algorithms: Python loops over the kernels."""

from .gradient import learn_butterfly
from .hierarchical import hierarchical
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
    "Factorization",
    "History",
    "LearnedButterfly",
    "LearningHistory",
    "LearningState",
    "Preset",
    "State",
    "dictionary",
    "hierarchical",
    "learn_butterfly",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
]
