"""Matrices to factor: named transforms, planted products, graphs, files, ..."""

from .._files import load_matrix
from .digits import centroids
from .disturb import noisy, permuted
from .graphs import graph_fourier
from .meg import leadfield
from .products import pair_rotations, permuted_butterfly, planted
from .study import convolution, hilbert, legendre, named, randn
from .transforms import dct, dft, dst, hadamard, hartley
from .wavelets import haar, slant

__all__ = [
    "centroids",
    "convolution",
    "dct",
    "dft",
    "dst",
    "graph_fourier",
    "haar",
    "hadamard",
    "hartley",
    "hilbert",
    "leadfield",
    "legendre",
    "load_matrix",
    "named",
    "noisy",
    "pair_rotations",
    "permuted",
    "permuted_butterfly",
    "planted",
    "randn",
    "slant",
]
