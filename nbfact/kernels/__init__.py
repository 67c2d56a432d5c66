"""Compiled kernels, each a plain ``numba.njit`` dispatcher.

Call them from Python or from inside your own ``@njit`` functions. They take arrays and
scalars, write in place or into ``out``, and check nothing: shapes, dtypes and
contiguity are the caller's. One name, one place: ``from nbfact.kernels import fwht``.
"""

from .compress import (
    adjoint_copy,
    count_nonzeros,
    csr_add,
    csr_compress,
    csr_congruent,
    csr_entered,
    csr_gram,
)
from .csr import (
    chain_apply,
    chain_apply_columns,
    csr_adjoint,
    csr_adjoint_columns,
    csr_apply,
    csr_apply_columns,
)
from .dyadic import (
    butterfly_adjoint,
    butterfly_adjoint_columns,
    butterfly_apply,
    butterfly_apply_columns,
    butterfly_pack,
)
from .dyadic_gradient import (
    adam_step,
    butterfly_backward,
    butterfly_expand,
    butterfly_fit,
    butterfly_fit_columns,
    butterfly_total,
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
    kronecker_gradient_columns,
)
from .mixture import mixture_fit
from .nearest_search import cluster_sums, nearest_rows
from .norms import frobenius_norm, max_abs, spectral_norm
from .pairing import exchange_mates, half_gain, pair_greedily, split_gain
from .palm_steps import (
    chain_gradient,
    chain_norm,
    chain_residual,
    csr_fit,
    optimal_scale,
    palm_step,
)
from .parallel import (
    fwht_columns_parallel,
    fwht_rows_parallel,
    kronecker_chain_apply_columns_parallel,
    nearest_rows_parallel,
)
from .permute import gather, gather_rows
from .rank_one import rank_one_butterfly
from .select import keep_largest, kth_largest
from .shuffled import shuffled_chain_adjoint, shuffled_chain_apply, shuffled_pack
from .skperm import project_skperm, project_skperm_greedy, project_skperm_warm
from .sparse_projections import (
    normalize_frobenius,
    project_const,
    project_nonneg,
    project_normcol,
    project_normlin,
    project_sp,
    project_spcol,
    project_splin,
    project_splincol,
    project_spsymm,
    project_sptril,
    project_sptriu,
    project_supp,
)
from .structured_projections import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)
from .walsh_hadamard import fwht, fwht_columns, fwht_rows

__all__ = [
    "adam_step",
    "adjoint_copy",
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
    "chain_apply",
    "chain_apply_columns",
    "chain_gradient",
    "chain_norm",
    "chain_residual",
    "cluster_sums",
    "count_nonzeros",
    "csr_add",
    "csr_adjoint",
    "csr_adjoint_columns",
    "csr_apply",
    "csr_apply_columns",
    "csr_compress",
    "csr_congruent",
    "csr_entered",
    "csr_fit",
    "csr_gram",
    "exchange_mates",
    "frobenius_norm",
    "fwht",
    "fwht_columns",
    "fwht_columns_parallel",
    "fwht_rows",
    "fwht_rows_parallel",
    "gather",
    "gather_rows",
    "half_gain",
    "keep_largest",
    "kronecker_adjoint",
    "kronecker_adjoint_columns",
    "kronecker_apply",
    "kronecker_apply_columns",
    "kronecker_chain_apply",
    "kronecker_chain_apply_columns",
    "kronecker_chain_apply_columns_parallel",
    "kronecker_gradient_columns",
    "kronecker_pack",
    "kth_largest",
    "max_abs",
    "mixture_fit",
    "nearest_rows",
    "nearest_rows_parallel",
    "normalize_frobenius",
    "optimal_scale",
    "pair_greedily",
    "palm_step",
    "project_anticirc",
    "project_blockdiag",
    "project_circ",
    "project_const",
    "project_hankel",
    "project_nonneg",
    "project_normcol",
    "project_normlin",
    "project_skperm",
    "project_skperm_greedy",
    "project_skperm_warm",
    "project_sp",
    "project_spcol",
    "project_splin",
    "project_splincol",
    "project_spsymm",
    "project_sptril",
    "project_sptriu",
    "project_supp",
    "project_toeplitz",
    "rank_one_butterfly",
    "shuffled_chain_adjoint",
    "shuffled_chain_apply",
    "shuffled_pack",
    "spectral_norm",
    "split_gain",
]
