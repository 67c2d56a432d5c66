"""The named fast transforms, as exact operators that multiply fast.

Each function returns an operator: a `Butterfly`, or a `FactorProduct` where the
transform is no butterfly. The functions of the same names in `nbfact.targets` return
dense matrices: `nbfact.transforms.dct` is the operator of the discrete cosine
transform, and `nbfact.targets.dct` its matrix.

See Also
--------
nbfact.targets : Dense matrices, those of the transforms included.
nbfact.learn_transform : Find the operator of a transform from its matrix.
"""

from .algorithms.butterfly.fits import legendre
from .operators.circulants import circulant, hankel, toeplitz
from .operators.cosines import dct, dst
from .operators.fourier import dft, hartley, idft
from .operators.haar import haar
from .operators.hadamard import hadamard, randomized_hadamard
from .operators.kronecker_product import kronecker
from .operators.routing import permutation
from .operators.slant import slant

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
    "randomized_hadamard",
    "slant",
    "toeplitz",
]
