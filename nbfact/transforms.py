"""The named fast transforms, as exact operators that multiply fast.

Each function returns an operator (a `Butterfly`, or a `FactorProduct` where the
transform is no butterfly), never a dense matrix: `nbfact.targets` has those.
"""

from .algorithms.butterfly.fits import legendre, slant
from .operators.circulants import circulant, hankel, toeplitz
from .operators.cosines import dct, dst
from .operators.fourier import dft, hartley, idft
from .operators.hadamard import haar, hadamard, kronecker
from .operators.routing import permutation

__all__ = [
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
    "legendre",
    "permutation",
    "slant",
    "toeplitz",
]
