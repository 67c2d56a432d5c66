"""Dense matrices to factor: named transforms, planted products, graphs, files, ...

Each function returns an array. The functions of the same names in `nbfact.transforms`
return operators that multiply fast: `nbfact.targets.dct` is the matrix of the discrete
cosine transform, and `nbfact.transforms.dct` its operator.

See Also
--------
nbfact.transforms : The named transforms as exact fast operators.
"""

from .._core.formats.matrix_files import load_matrix
from .dao_suite import convolution, hilbert, legendre, named, randn
from .dense_transforms import dct, dft, dst, hadamard, hartley
from .digits import centroids, trained_weights
from .graphs import graph_fourier
from .kernel_matrices import kernel_matrix
from .lead_fields import leadfield
from .meg_operator import meg
from .perturbations import noisy, permuted
from .random_products import pair_rotations, permuted_butterfly, planted
from .sparse_and_low_rank import sparse_plus_low_rank
from .spherical import spherical_harmonics
from .stationary import convolution_layer, toeplitz
from .wavelets import haar, slant, wavelet_packet

__all__ = [
    "centroids",
    "convolution",
    "convolution_layer",
    "dct",
    "dft",
    "dst",
    "graph_fourier",
    "haar",
    "hadamard",
    "hartley",
    "hilbert",
    "kernel_matrix",
    "leadfield",
    "legendre",
    "load_matrix",
    "meg",
    "named",
    "noisy",
    "pair_rotations",
    "permuted",
    "permuted_butterfly",
    "planted",
    "randn",
    "slant",
    "sparse_plus_low_rank",
    "spherical_harmonics",
    "toeplitz",
    "trained_weights",
    "wavelet_packet",
]
