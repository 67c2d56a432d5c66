"""Factorization algorithms: Python loops over the kernels."""

from .hierarchical import hierarchical
from .palm4msa import palm4msa
from .presets import Preset, dictionary, rectmat, rectmat_simple
from .refine import refine
from .result import Factorization, History, State

__all__ = [
    "Factorization",
    "History",
    "Preset",
    "State",
    "dictionary",
    "hierarchical",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
]
