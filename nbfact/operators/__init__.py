"""Linear operators that multiply fast, and the named transforms among them."""

from .butterfly import Butterfly
from .chain import Chain
from .circulants import circulant, hankel, toeplitz
from .cosines import dct, dst
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .fourier import dft, hartley, idft
from .haar import haar
from .hadamard import hadamard
from .kronecker_product import kronecker
from .loading import load
from .nearest_rows import NearestRows
from .operator_sum import OperatorSum
from .routing import permutation

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
