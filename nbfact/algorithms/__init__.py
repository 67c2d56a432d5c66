"""Factorization algorithms: Python loops over the kernels."""

from .butterfly import ButterflyFactorization, butterfly_factorize
from .fits import legendre, slant
from .hierarchical import hierarchical
from .palm4msa import palm4msa
from .presets import Preset, dictionary, rectmat, rectmat_simple
from .refine import refine
from .result import Factorization, History, State

__all__ = [
    "ButterflyFactorization",
    "Factorization",
    "History",
    "Preset",
    "State",
    "butterfly_factorize",
    "dictionary",
    "hierarchical",
    "legendre",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
    "slant",
]
