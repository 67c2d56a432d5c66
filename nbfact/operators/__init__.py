"""Linear maps that multiply fast."""

from .base import FastOperator
from .butterfly import Butterfly
from .chain import Chain
from .circulants import circulant, hankel, toeplitz
from .cosines import dct, dst
from .fourier import dft, hartley, idft
from .loading import load
from .nearest import NearestRows
from .product import FactorProduct
from .routing import permutation
from .sum import OperatorSum
from .transforms import haar, hadamard, kronecker

__all__ = [
    "Butterfly",
    "Chain",
    "FactorProduct",
    "FastOperator",
    "NearestRows",
    "OperatorSum",
    "circulant",
    "dct",
    "dft",
    "dst",
    "haar",
    "hadamard",
    "hankel",
    "hartley",
    "idft",
    "kronecker",
    "load",
    "permutation",
    "toeplitz",
]
