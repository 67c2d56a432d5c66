"""Linear operators that multiply fast, and the named transforms among them.

Sums, products, scalings, powers, parts and inverses of operators are operators again,
see `FastOperator`. The functions `hstack`, `vstack`, `block_diag` and `kronecker`
arrange several operators in one.
"""

from . import inverses as inverses  # it registers the inverses
from .block_operator import BlockOperator, block_diag, hstack, vstack
from .butterfly import Butterfly
from .chain import Chain
from .circulants import circulant, hankel, toeplitz
from .cosines import dct, dst
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .fourier import dft, hartley, idft
from .haar import haar
from .hadamard import hadamard, randomized_hadamard
from .kronecker_product import KroneckerProduct, kronecker
from .loading import load
from .nearest_rows import NearestRows
from .operator_product import OperatorProduct
from .operator_sum import OperatorSum
from .routing import permutation
from .selected_operator import SelectedOperator
from .slant import slant

__all__ = [
    "BlockOperator",
    "Butterfly",
    "Chain",
    "FactorProduct",
    "FastOperator",
    "KroneckerProduct",
    "NearestRows",
    "OperatorProduct",
    "OperatorSum",
    "SelectedOperator",
    "block_diag",
    "circulant",
    "dct",
    "dft",
    "dst",
    "haar",
    "hadamard",
    "hankel",
    "hartley",
    "hstack",
    "idft",
    "kronecker",
    "load",
    "permutation",
    "randomized_hadamard",
    "slant",
    "toeplitz",
    "vstack",
]
