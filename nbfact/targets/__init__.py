"""Matrices to factor: named transforms, planted products, graphs, files, ..."""

from .._core.files import load_matrix
from .dao_suite import convolution, hilbert, legendre, named, randn
from .dense_transforms import dct, dft, dst, hadamard, hartley
from .digits import centroids
from .graphs import graph_fourier
from .lead_fields import leadfield
from .perturbations import noisy, permuted
from .random_products import pair_rotations, permuted_butterfly, planted
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
