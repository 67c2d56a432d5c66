"""Compiled kernels: loops over plain arrays, each a ``numba.njit`` dispatcher.

Call them from Python or from inside your own ``@njit`` functions. They take arrays,
scalars and named tuples of arrays, write in place or into ``out``, and check nothing:
shapes, dtypes, contiguity and whatever else a docstring asks for are up to the caller,
and a kernel that is called otherwise may crash or be wrong. Unless a docstring says
otherwise, an array that is written shares no memory with another argument, all real and
complex arrays of a call have one dtype (float32, float64, complex64 or complex128), and
what is named ``scratch`` is overwritten.

Everything is imported from here: ``from nbfact.kernels import fwht``.

Examples
--------
>>> import numba, numpy as np
>>> from nbfact.kernels import fwht
>>> @numba.njit
... def energy_of_low_half(x):
...     fwht(x)
...     return np.sum(x[: x.size // 2] ** 2) / x.size
>>> float(energy_of_low_half(np.array([1.0, 1.0, 0.0, 2.0])))
5.0
"""

from .adam import adam_step
from .atom_updates import update_atoms
from .block_chain import block_chain_apply
from .block_projections import project_spblock
from .blocks import blocks_columns, blocks_rows
from .chain_absorb import chain_absorb
from .chain_steps import chain_norm, chain_residual, chain_step
from .code_exchange import exchange_atoms
from .compress import (
    adjoint_copy,
    count_nonzeros,
    csr_add,
    csr_compress,
    csr_entered,
    csr_gram,
)
from .convolution_columns import convolve_columns
from .convolution_vectors import convolve_vector
from .coupled_systems import solve_coupled
from .csr import PackedChain, csr_apply, csr_apply_columns
from .dense_panels import (
    dense_panels_columns,
    dense_panels_fortran,
    dense_panels_rows,
)
from .dense_search import DenseCenters, nearest_dense_rows
from .dyadic import butterfly_adjoint, butterfly_apply, butterfly_pack
from .dyadic_columns import butterfly_adjoint_columns, butterfly_apply_columns
from .dyadic_gradient import (
    butterfly_backward,
    butterfly_expand,
    butterfly_fit,
    butterfly_total,
)
from .dyadic_tiles import butterfly_fit_columns
from .entry_projections import project_const, project_nonneg, project_supp
from .even_vectors import even_vector, even_vector_adjoint
from .exact_distances import (
    CenterNorms,
    distances_from_products,
    nearest_exactly,
    nearest_from_products,
)
from .fourier_columns import fourier_columns, real_columns, real_columns_adjoint
from .fourier_vectors import fourier_vector, real_vector, real_vector_adjoint
from .gram_pursuit import gram_pursuit
from .haar_levels import (
    haar_columns,
    haar_columns_adjoint,
    haar_vector,
    haar_vector_adjoint,
)
from .kronecker import (
    kronecker_adjoint,
    kronecker_apply,
    kronecker_chain_apply,
    kronecker_pack,
)
from .kronecker_columns import (
    kronecker_adjoint_columns,
    kronecker_apply_columns,
    kronecker_chain_apply_columns,
)
from .kronecker_gradient import kronecker_gradient_columns
from .mixture import mixture_fit
from .nearest_search import PackedCenters, cluster_sums, nearest_rows
from .norm_projections import (
    normalize_frobenius,
    project_normcol,
    project_normlin,
)
from .norms import all_finite, frobenius_norm, max_abs
from .pairing import exchange_mates, half_gain, pair_greedily, split_gain
from .palm_steps import csr_fit, optimal_scale, palm_step
from .partition_projection import project_partition
from .permute import copy_columns, gather, gather_rows, transpose
from .pursuit import add_atoms, largest_of_columns, solve_triangles
from .rank_one import RankOneFactors, rank_one_butterfly
from .real_pairs import pair_rows, pairs_are_alike, part_columns, part_rows
from .repeated import blocks_products, repeated_apply
from .select import kth_largest
from .shuffled import shuffled_chain_adjoint, shuffled_chain_apply, shuffled_pack
from .skperm import project_skperm, project_skperm_greedy, project_skperm_warm
from .sparse_chain import chain_apply, chain_apply_columns
from .sparse_projections import (
    project_sp,
    project_spcol,
    project_splin,
    project_splincol,
)
from .spectral_norms import gram_norm, spectral_norm
from .structured_projections import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)
from .triangle_projections import project_spsymm, project_sptril, project_sptriu
from .walsh_hadamard import fwht, fwht_columns, fwht_rows

__all__ = [
    "CenterNorms",
    "DenseCenters",
    "PackedCenters",
    "PackedChain",
    "RankOneFactors",
    "adam_step",
    "add_atoms",
    "adjoint_copy",
    "all_finite",
    "block_chain_apply",
    "blocks_columns",
    "blocks_products",
    "blocks_rows",
    "butterfly_adjoint",
    "butterfly_adjoint_columns",
    "butterfly_apply",
    "butterfly_apply_columns",
    "butterfly_backward",
    "butterfly_expand",
    "butterfly_fit",
    "butterfly_fit_columns",
    "butterfly_pack",
    "butterfly_total",
    "chain_absorb",
    "chain_apply",
    "chain_apply_columns",
    "chain_norm",
    "chain_residual",
    "chain_step",
    "cluster_sums",
    "convolve_columns",
    "convolve_vector",
    "copy_columns",
    "count_nonzeros",
    "csr_add",
    "csr_apply",
    "csr_apply_columns",
    "csr_compress",
    "csr_entered",
    "csr_fit",
    "csr_gram",
    "dense_panels_columns",
    "dense_panels_fortran",
    "dense_panels_rows",
    "distances_from_products",
    "even_vector",
    "even_vector_adjoint",
    "exchange_atoms",
    "exchange_mates",
    "fourier_columns",
    "fourier_vector",
    "frobenius_norm",
    "fwht",
    "fwht_columns",
    "fwht_rows",
    "gather",
    "gather_rows",
    "gram_norm",
    "gram_pursuit",
    "haar_columns",
    "haar_columns_adjoint",
    "haar_vector",
    "haar_vector_adjoint",
    "half_gain",
    "kronecker_adjoint",
    "kronecker_adjoint_columns",
    "kronecker_apply",
    "kronecker_apply_columns",
    "kronecker_chain_apply",
    "kronecker_chain_apply_columns",
    "kronecker_gradient_columns",
    "kronecker_pack",
    "kth_largest",
    "largest_of_columns",
    "max_abs",
    "mixture_fit",
    "nearest_dense_rows",
    "nearest_exactly",
    "nearest_from_products",
    "nearest_rows",
    "normalize_frobenius",
    "optimal_scale",
    "pair_greedily",
    "pair_rows",
    "pairs_are_alike",
    "palm_step",
    "part_columns",
    "part_rows",
    "project_anticirc",
    "project_blockdiag",
    "project_circ",
    "project_const",
    "project_hankel",
    "project_nonneg",
    "project_normcol",
    "project_normlin",
    "project_partition",
    "project_skperm",
    "project_skperm_greedy",
    "project_skperm_warm",
    "project_sp",
    "project_spblock",
    "project_spcol",
    "project_splin",
    "project_splincol",
    "project_spsymm",
    "project_sptril",
    "project_sptriu",
    "project_supp",
    "project_toeplitz",
    "rank_one_butterfly",
    "real_columns",
    "real_columns_adjoint",
    "real_vector",
    "real_vector_adjoint",
    "repeated_apply",
    "shuffled_chain_adjoint",
    "shuffled_chain_apply",
    "shuffled_pack",
    "solve_coupled",
    "solve_triangles",
    "spectral_norm",
    "split_gain",
    "transpose",
    "update_atoms",
]
