"""Matrices to factor: named transforms, planted products, a lead field, files."""

from .._files import load_matrix
from .meg import leadfield
from .products import planted
from .study import convolution, hilbert, legendre, named, randn
from .transforms import dct, dft, dst, hadamard, hartley
from .wavelets import haar, slant

__all__ = [
    "convolution",
    "dct",
    "dft",
    "dst",
    "haar",
    "hadamard",
    "hartley",
    "hilbert",
    "leadfield",
    "legendre",
    "load_matrix",
    "named",
    "planted",
    "randn",
    "slant",
]
