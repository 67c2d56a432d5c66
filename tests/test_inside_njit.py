"""Every kernel can be called from a user's own compiled function."""

import itertools

import numba
import numpy as np
import pytest
import scipy.sparse as sp
from samples import random

import nbfact.kernels as kernels
from nbfact.kernels.panels import PANEL
from nbfact.operators.convolution_formula import Convolution
from nbfact.operators.formulas import Formula
from nbfact.operators.packed_centers import pack_dense
from nbfact.operators.tied_convolutions import tied_convolution, tied_convolution_vector
from nbfact.operators.tied_transforms import tied_columns, tied_vector

SQUARE, VECTOR = random((4, 4), "float64"), random(4, "float64")
CSR = sp.csr_array(SQUARE)
FACTOR = (CSR.data, CSR.indices, CSR.indptr)
TWIDDLE = random((2, 2, 2, 2), "float64")
CHAIN = kernels.PackedChain(*FACTOR, np.array([[4, 0]]))
# Four rows are less than a slice: the head, and pairs (row, entries).
ROWS = np.stack([np.arange(4), np.diff(CSR.indptr)], axis=1).ravel()
SLICED = (*FACTOR[:2], np.array([1, 0, 4, 0, 4, 0, *ROWS]))
OUT, BLOCK = np.zeros(4), np.zeros((4, 4))
ADJOINT = sp.csr_array(SQUARE.T)
FORMS = (*FACTOR, ADJOINT.data, ADJOINT.indices, ADJOINT.indptr)
BOTH = kernels.PackedChain(
    np.concatenate([CSR.data, ADJOINT.data]),
    np.concatenate([CSR.indices, ADJOINT.indices]),
    np.concatenate([CSR.indptr, ADJOINT.indptr + CSR.nnz]),
    np.array([[4, 0], [4, 5]]),
)
GRAM = SQUARE @ SQUARE.T
EMPTY = (np.zeros(2 * CSR.nnz + 1), np.zeros(2 * CSR.nnz + 1, np.int64))
EMPTY += (np.zeros(10, np.int64), (0, 0, 5, CSR.nnz + 1))
EMPTY += (np.zeros(0, np.int64), np.zeros(0, np.int64))

FOURTHS, WORK = random((1, 2, 2, 2), "float64"), np.zeros((2, 4))
PATTERNS = np.array([[1, 2, 2, 2]])
PANELS = random((1, 1, 1, 4, PANEL), "float64")  # of a block of 4 x 4 values
ONE_GROUP = random(32, "float64")
EIGHT = random((4, 8), "float64"), np.zeros((4, 8))
PLANES, PARTS = random((2, 4, 3), "float64"), random((2, 4, 4), "float64")
BLOCKS, GRADIENT = np.zeros((2, 21)), np.zeros((2, 4, 3))
STATES, SLOPES = np.zeros((2, 24)), np.zeros((2, 2, 8))
STAGES = (np.array([[1, 0, 3, 2]]), np.array([[0, 0, 1, 1]]), np.array([0.5, 0.3]))
TWO, BOTH_TWO = random((2, 8), "float64"), np.array([[2, 2, 2, 1], [1, 2, 2, 2]])
PAIRED = random((1, 4, 4), "float64")
GRAMS = np.stack([PAIRED[0, h::2].T @ PAIRED[0, h::2] for h in (0, 1)])[None]
BLOCK_OF_COLUMNS = np.zeros(1, np.uint64)
CENTERS = kernels.PackedCenters(
    *FACTOR, np.array([4]), VECTOR, BLOCK_OF_COLUMNS, np.zeros(2), np.empty(0)
)
DENSE = pack_dense(random((3, 4), "float64"), VECTOR[:3], None, np.dtype("f8"))[0]
SPLIT = kernels.RankOneFactors(np.zeros((8, 1)), np.zeros((2, 2, 2, 1)), np.zeros(1))
LABELS = np.array([1, 0, 3, 1], np.int32)


def tied(formula, n, batch):
    """Return the arguments of the kernel of a named transform in double precision."""
    fourier = formula.function == "fft"
    make = tied_columns if batch > 1 else tied_vector
    x = random((n, batch) if batch > 1 else n, "complex128" if fourier else "float64")
    made = make(formula, n, x.dtype)
    scratch = [np.zeros(shape) for shape in made.scratch]
    span = (0, batch) if batch > 1 else ()
    return made.kernel, (x, *made.arguments, *scratch, *span, np.zeros_like(x))


FOURIER = Formula("fft")
COSINES, ADJOINT_COSINES = Formula("dct", 2), Formula("dct", 3)
TRANSFORMS = [(FOURIER, 4, 8), (FOURIER, 64, 1)]
TRANSFORMS += [(formula, 4, 16) for formula in (COSINES, ADJOINT_COSINES)]
TRANSFORMS += [
    (formula, n, 1) for formula in (COSINES, ADJOINT_COSINES) for n in (64, 128)
]

TRIANGLES = np.zeros((3, 2, 3))


def convolved_vector():
    """Return the arguments of the kernel of convolutions for a vector."""
    formula, x = Convolution(random(128, "float64"), (128, 128)), random(128, "float64")
    _, given, scratch = tied_convolution_vector(formula, x.dtype)
    return x, *given, *map(np.zeros, scratch), np.zeros(128)


def convolution():
    """Return the arguments of the kernel of convolutions."""
    formula = Convolution(random(12, "float64"), (12, 12))
    given, (planes,) = tied_convolution(formula, np.dtype("float64"))[1:]
    x = random((12, 8), "float64")
    return x, *given, np.empty(planes), 0, 8, np.empty_like(x)


ARGUMENTS = {
    "pair_rows": (SQUARE, np.zeros((2, 4), complex)),
    "pairs_are_alike": (np.zeros(16), 1),
    "part_columns": (
        *(np.zeros((32, 2), complex), np.zeros(16), 0, 17),
        np.zeros((32, 4), complex),
    ),
    "part_rows": (np.zeros((2, 32), complex), np.zeros(16), np.zeros((4, 32), complex)),
    "convolve_columns": convolution(),
    "convolve_vector": convolved_vector(),
    "adam_step": (VECTOR, OUT + 1, np.zeros(4), np.zeros(4), 0.1, 1),
    "add_atoms": (
        *(SQUARE[:2], np.array([0, 2]), 1, 1e-15, np.ones((3, 2, 4)), TRIANGLES),
        np.ones((3, 4)),
    ),
    "gram_pursuit": (
        *(np.eye(4), np.eye(4), SQUARE.copy(), SQUARE.copy(), np.zeros(4), 1e-15),
        *(np.zeros((4, 2), np.intp), np.ones((4, 2))),
    ),
    "exchange_atoms": (np.eye(4), SQUARE.copy(), 0.1, 9, np.eye(4)),
    "solve_coupled": (
        *(np.eye(4), np.empty((0, 0)), np.zeros((2, 2), np.intp), np.array([0, 1, 2])),
        *(1e-10, np.ones(2)),
    ),
    "largest_of_columns": (SQUARE, np.zeros(4, np.intp), OUT),
    "solve_triangles": (TRIANGLES + 1, np.array([2, 1, 0])),
    "update_atoms": (
        *(np.eye(2, 4), np.array([0, 2, 3]), np.array([0, 2, 1]), np.ones(3)),
        np.ones((3, 4)),
    ),
    "butterfly_backward": (PLANES, True, 4, 2, BLOCKS, np.ones((2, 21)), GRADIENT),
    "butterfly_expand": (PLANES, True, 4, 2, BLOCKS),
    "butterfly_fit": (PLANES, True, PARTS, BLOCKS, BLOCKS + 0, GRADIENT),
    "butterfly_fit_columns": (
        *(PLANES, True, PARTS, PARTS, STATES, SLOPES, GRADIENT, np.zeros((2, 4, 4))),
    ),
    "butterfly_total": (2, 4, True),
    "mixture_fit": (*STAGES, SQUARE, BLOCK, 2, np.zeros((3, 4, 2)), np.zeros(2)),
    "gather": (VECTOR, np.array([1, -1, 0, 2]), OUT),
    "gather_rows": (SQUARE, np.array([1, -1, 0, 2]), BLOCK),
    "kronecker_adjoint": (FOURTHS, VECTOR, OUT),
    "kronecker_adjoint_columns": (FOURTHS, SQUARE, BLOCK),
    "kronecker_apply": (FOURTHS, VECTOR, OUT),
    "kronecker_apply_columns": (FOURTHS, SQUARE, BLOCK),
    "kronecker_chain_apply": (FOURTHS.ravel(), PATTERNS, VECTOR, WORK, OUT),
    "kronecker_chain_apply_columns": (
        *(FOURTHS.ravel(), PATTERNS, SQUARE, np.zeros((2, 4, 4)), BLOCK),
    ),
    "kronecker_pack": (FOURTHS, np.zeros(8)),
    "kronecker_gradient_columns": (SQUARE, SQUARE, np.zeros((1, 2, 2, 2))),
    "csr_fit": (*FORMS, GRAM, SQUARE),
    "chain_residual": (BOTH, 1, SQUARE, SQUARE, 0.5, np.zeros((2, 4, 8))),
    "chain_norm": (BOTH, 0, 1, VECTOR, np.zeros((2, 4)), 10, 1e-6),
    "chain_step": (BOTH, 0, GRAM, SQUARE, 0.5, 0.5, np.zeros((2, 4, 8)), BLOCK),
    "chain_absorb": (
        *(BOTH, 0, GRAM, SQUARE, np.zeros(32), np.ones(4), BLOCK, np.zeros((4, 4))),
    ),
    "csr_gram": (*FORMS, BLOCK),
    "csr_entered": (*FACTOR[1:], *FACTOR[1:]),
    "csr_compress": (SQUARE, CSR.nnz, *EMPTY),
    "csr_add": (*FACTOR, BLOCK),
    "count_nonzeros": (SQUARE,),
    "adjoint_copy": (SQUARE, BLOCK),
    "block_chain_apply": (
        *(np.ones(32), np.arange(4, dtype=np.uint16)),
        *(np.array([1, 8, 4, 0, 1, 0, 4], np.uint32), 0.5, VECTOR, OUT),
    ),
    "blocks_columns": (PANELS, *EIGHT, 0, 8),
    "blocks_products": (
        *(SQUARE.ravel(), np.array([1, 4, 4, 1, 4, 0]), SQUARE.ravel(), BLOCK.ravel()),
        *(0, 1),
    ),
    "copy_columns": (SQUARE, BLOCK, 0, 0),
    "dense_panels_columns": (np.ones((1, 4, 32)), np.ones((4, 2)), np.ones((32, 2))),
    "dense_panels_fortran": (
        *(np.ones((1, 4, 32)), np.ones((2, 4)).T, np.ones((2, 32)).T),
    ),
    "dense_panels_rows": (np.ones((1, 4, 32)), np.ones((2, 4)), np.ones((2, 32))),
    "blocks_rows": (ONE_GROUP, np.array([1, 4, 8, 1]), (), VECTOR, OUT, 1),
    "butterfly_adjoint": (TWIDDLE, VECTOR, OUT, np.zeros(4)),
    "butterfly_adjoint_columns": (TWIDDLE, SQUARE, BLOCK),
    "butterfly_apply": (TWIDDLE, VECTOR, OUT, np.zeros(4)),
    "butterfly_apply_columns": (TWIDDLE, SQUARE, BLOCK),
    "butterfly_pack": (TWIDDLE, np.zeros((2, 2, 2, 2))),
    "chain_apply": (*SLICED, 0.5, VECTOR, OUT),
    "chain_apply_columns": (*CHAIN, 0.5, SQUARE, BLOCK),
    "csr_apply": (*FACTOR, VECTOR, OUT),
    "csr_apply_columns": (*FACTOR, SQUARE, BLOCK),
    "exchange_mates": (GRAM, 1e-12, np.array([1, 0, 3, 2])),
    "half_gain": (
        *(PAIRED, GRAMS, np.array([[0, 1, 0, 1]]), np.array([[0, 2], [1, 3]])),
        np.zeros((1, 4)),
    ),
    "pair_greedily": (GRAM, np.zeros(4, np.int64)),
    "split_gain": (GRAMS[0], BLOCK, np.zeros((4, 4))),
    "frobenius_norm": (SQUARE,),
    "fwht": (VECTOR,),
    "fwht_columns": (SQUARE,),
    "fwht_rows": (SQUARE,),
    "haar_columns": (2.0, SQUARE, np.ones((2, 4)), BLOCK, 0, 4),
    "haar_columns_adjoint": (2.0, SQUARE, np.ones((2, 4)), BLOCK, 0, 4),
    "haar_vector": (2.0, VECTOR, np.ones(4), OUT),
    "haar_vector_adjoint": (2.0, VECTOR, np.ones(4), OUT),
    "nearest_rows": (CENTERS, SQUARE, np.zeros((2, 128)), LABELS, OUT),
    "nearest_dense_rows": (DENSE, SQUARE, np.zeros(128), LABELS, OUT),
    "cluster_sums": (SQUARE, LABELS, VECTOR, SQUARE, BLOCK, OUT, np.zeros(4)),
    "distances_from_products": (
        *(BLOCK, SQUARE, SQUARE.T.copy(), kernels.CenterNorms(OUT, VECTOR, OUT + 1)),
        *(VECTOR, np.ones(4), 0.1, True),
    ),
    "nearest_exactly": (SQUARE, SQUARE.T.copy(), VECTOR, SQUARE, OUT, LABELS, VECTOR),
    "transpose": (SQUARE, BLOCK),
    "nearest_from_products": (
        *(SQUARE, VECTOR, SQUARE.T.copy(), np.ones(2)),
        *(LABELS, OUT, np.zeros(4)),
    ),
    "kth_largest": (VECTOR, 2),
    "max_abs": (SQUARE,),
    "all_finite": (SQUARE,),
    "normalize_frobenius": (SQUARE,),
    "optimal_scale": (SQUARE, SQUARE.T.copy()),
    "palm_step": (SQUARE, SQUARE, SQUARE, SQUARE, 0.5, 2.0, BLOCK),
    "project_anticirc": (SQUARE,),
    "project_blockdiag": (SQUARE, np.array([1, 4]), np.array([2, 4])),
    "project_circ": (SQUARE,),
    "project_const": (SQUARE, SQUARE.T.copy()),
    "project_hankel": (SQUARE,),
    "project_nonneg": (SQUARE,),
    "project_normcol": (SQUARE, 2.0),
    "project_normlin": (SQUARE, 2.0),
    "project_partition": (SQUARE, np.arange(16).reshape(4, 4) // 3 - 1, 5, 2),
    "project_skperm": (SQUARE, 2, 1),
    "project_skperm_greedy": (SQUARE, 2, 1),
    "project_skperm_warm": (SQUARE, 2, 1, np.zeros(8)),
    "project_sp": (SQUARE, 3),
    "project_spblock": (SQUARE, 2, 1, 2),
    "project_spcol": (SQUARE, 2),
    "project_splin": (SQUARE, 2),
    "project_splincol": (SQUARE, 2),
    "project_spsymm": (SQUARE, 4),
    "project_sptril": (SQUARE, 3),
    "project_sptriu": (SQUARE, 3),
    "project_supp": (SQUARE, SQUARE > 0),
    "project_toeplitz": (SQUARE,),
    "rank_one_butterfly": (
        SQUARE[:, :, None].copy(),
        np.zeros(0, np.intp),
        np.arange(4)[::-1].copy(),
        np.array([[0, 2, 2]]),
        True,
        np.inf,
        np.zeros((2, 2, 1, 4)),
        SPLIT,
    ),
    "shuffled_chain_adjoint": (TWO.ravel(), BOTH_TWO, VECTOR, np.zeros((3, 4)), OUT),
    "repeated_apply": (
        *(np.eye(2).repeat(2, 0).ravel(), np.array([[0, 0, 2, 2, 2, 1, 1, 0, 2]])),
        *(VECTOR, np.zeros((0, 0)), OUT),
    ),
    "shuffled_chain_apply": (TWO.ravel(), BOTH_TWO, VECTOR, np.zeros((3, 4)), OUT),
    "shuffled_pack": (FOURTHS, np.zeros(8)),
    "gram_norm": (np.eye(4), VECTOR, 10, 1e-6),
    "spectral_norm": (SQUARE, VECTOR, 10, 1e-6),
    **{kernel.__name__: given for kernel, given in itertools.starmap(tied, TRANSFORMS)},
}


FIRST = {
    *("chain_apply_columns", "nearest_dense_rows", "blocks_rows", "gram_pursuit"),
    *("frobenius_norm", "csr_compress", "project_sp", "fwht"),
}
"""One kernel for each kind of arguments and of results: arrays, numbers, tuples, named
tuples, none."""


def test_no_kernel_is_missing():
    public = [name for name in kernels.__all__ if not is_tuple(name)]
    assert sorted(ARGUMENTS) == sorted(public)


def is_tuple(name):
    """Return whether a public name is a named tuple that kernels take."""
    return isinstance(getattr(kernels, name), type)


def copied(argument):
    """Return a copy of an array, or of the arrays in a named tuple."""
    if isinstance(argument, tuple):
        made = map(copied, argument)
        return tuple(made) if type(argument) is tuple else type(argument)(*made)
    return np.copy(argument) if isinstance(argument, np.ndarray) else argument


def arrays(arguments):
    """Yield the arrays and scalars among some arguments, also those in tuples."""
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from arrays(argument)
        else:
            yield argument


@pytest.mark.compiled
@pytest.mark.parametrize(
    "name",
    # Each caller is compiled too: a few kernels here, all of them in .ci/run.
    [
        pytest.param(name, marks=() if name in FIRST else pytest.mark.slow)
        for name in sorted(ARGUMENTS)
    ],
)
def test_called_from_compiled_code(name):
    """The returned value, and every array that is written, are the same."""
    kernel = getattr(kernels, name)

    @numba.njit
    def caller(arguments):
        return kernel(*arguments)

    outside, inside = (tuple(map(copied, ARGUMENTS[name])) for _ in range(2))
    assert caller(inside) == kernel(*outside)
    for a, b in zip(arrays(inside), arrays(outside), strict=True):
        np.testing.assert_array_equal(a, b)
