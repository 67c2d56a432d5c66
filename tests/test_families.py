"""Structures that learn_transform recognises, and the words for them."""

import re

import numpy as np
import pytest
from chains import operator_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nbfact as nf
from nbfact.algorithms.common.problem import problem_of
from nbfact.algorithms.learn.families.family_registry import (
    FAMILIES,
    IN_BLOCKS,
    NAMES,
    PRODUCTS,
)
from nbfact.algorithms.learn.families.low_rank import largest_rank
from nbfact.algorithms.learn.families.sparse_low_rank import alternate


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def orthogonal(n, seed):
    return np.linalg.qr(gaussian(n, n, seed=seed))[0]


def shuffled(matrix, seed=0):
    rng = np.random.default_rng(seed)
    return matrix[rng.permutation(len(matrix))][:, rng.permutation(len(matrix))]


def sparse_and_low_rank(n, kept, rank, seed=0):
    rng = np.random.default_rng(seed)
    sparse = np.zeros(n * n)
    sparse[rng.choice(n * n, kept, replace=False)] = rng.standard_normal(kept)
    low = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n)) / n**0.5
    return sparse.reshape(n, n) + low


def cyclic(n):
    return gaussian(n)[(np.arange(n)[:, None] - np.arange(n)) % n]


STRUCTURES = {
    "dft 12": (nf.targets.dft(12), 84, "dft"),
    "dft 24": (nf.targets.dft(24), 216, "dft"),
    "kronecker": (np.kron(orthogonal(4, 0), orthogonal(3, 1)), 84, "Kronecker 4 x 3"),
    "radices 3 2 2": (
        operator_of(nf.Chain.mixed_radix([3, 2, 2]))[1],
        84,
        "butterfly, radices 3 x 4",
    ),
    "rectangular": (
        operator_of(nf.Chain.mixed_radix([3, 2], [2, 4]))[1],
        40,
        "butterfly, radices 3 x 2 of rows, 2 x 4 of columns",
    ),
    "haar": (nf.targets.haar(32), 152, "haar"),
    "haar, permuted": (
        shuffled(nf.targets.haar(32)),
        152,
        "haar, rows and columns permuted",
    ),
    "sparse and rank 1": (sparse_and_low_rank(12, 14, 1), 50, "sparse + rank 1"),
    "rank 3": (gaussian(28, 3) @ gaussian(3, 16), 200, "rank 3"),
    "dct": (
        nf.targets.dct(16)[np.random.default_rng(0).permutation(16)],
        250,
        "dct type 2, rows permuted",
    ),
    "dst, signs": (
        nf.targets.dst(12) * np.random.default_rng(0).choice([-1, 1], 12),
        170,
        "dst type 2, columns with signs",
    ),
    "hadamard": (
        shuffled(nf.targets.hadamard(16)) * 3,
        128,
        "hadamard, rows and columns permuted",
    ),
    "sparse": (np.diag(np.arange(1.0, 9)), 8, "sparse matrix"),
    "permuted identity": (shuffled(np.eye(9)), 9, "sparse matrix"),
    "all entries": (gaussian(3, 4), 12, "dense matrix"),
    "repeated rows": (gaussian(3, 10)[np.arange(14) % 3], 14 + 30, "rank 3"),
    "repeated columns": (gaussian(10, 3)[:, np.arange(14) % 3], 30 + 14, "rank 3"),
    "sparse outer product": (np.outer(*np.repeat(np.eye(2), 6, 1)), 12, "rank 1"),
    "slant": (
        shuffled(nf.targets.slant(8)),
        64,
        "slant, rows and columns permuted",
    ),
}


LARGER = {
    "kronecker": (np.kron(orthogonal(8, 0), orthogonal(4, 1)), 384, "Kronecker 8 x 4"),
    "sparse and rank 2": (sparse_and_low_rank(32, 102, 2), 262, "sparse + rank 2"),
    "rank 5": (gaussian(128, 5) @ gaussian(5, 96), 3072, "rank 5"),
}


@pytest.mark.compiled
@pytest.mark.parametrize("name", LARGER)
def test_larger_structures_are_found_and_said(name):
    check_structure(*LARGER[name])


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_are_found_and_said(name):
    check_structure(*STRUCTURES[name])


def check_structure(target, nnz, words):
    found = nf.learn_transform(target, nnz, random_state=0)
    assert found.relative_error < 1e-13
    assert nf.relative_error(target, found.operator) < 1e-13
    assert found.operator.nnz <= nnz
    assert found.structure.startswith(words) and "error" not in found.structure
    assert found.operator.dtype == target.dtype
    assert any(found.structure.startswith(one.structure) for one in found.trials)


def test_of_equal_errors_fewer_non_zeros_win():
    target = gaussian(12, 3) @ gaussian(3, 10)
    found = nf.learn_transform(target, nnz=target.size, random_state=0)
    assert found.operator.nnz == 3 * (12 + 10) - 3 * 3 + 3
    assert largest_rank((12, 10), 60) == 3 and largest_rank((12, 10), 59) == 2
    assert largest_rank((128, 96), 3) == 0


def test_a_sparse_matrix_and_one_of_low_rank_are_fitted_on():
    """Going on from a near fit keeps both, where what is left is not only rounding."""
    target = nf.targets.noisy(sparse_and_low_rank(24, 40, 2), 1e-5, random_state=0)
    first = np.linalg.svd(target)[0][:, :2]
    error, left, sparse = alternate(target, first, 40, 60)
    assert error < 1e-4 * np.linalg.norm(target)
    assert alternate(target, left, 40, 60, sparse=sparse)[0] <= error


@pytest.mark.slow
@pytest.mark.compiled
def test_a_near_fit_by_a_sparse_matrix_and_one_of_low_rank_is_not_lost():
    x = np.sort(np.random.default_rng(7).random(128))
    target = np.exp(-np.abs(x[:, None] - x) / 0.1)
    found = nf.learn_transform(target, 4096, families=["sparse + low rank"])
    assert found.operator.nnz <= 4096 and found.relative_error < 2e-5


def test_convolutions_are_named_where_they_fit():
    options = {"families": ["convolutions"], "random_state": 0}
    for target, words in (
        (cyclic(16), "circulant"),
        (cyclic(24)[:16, :16], "toeplitz"),
        (cyclic(24)[15::-1, :16], "hankel"),
    ):
        found = nf.learn_transform(target, 2000, **options)
        trials = {trial.structure: trial for trial in found.trials}
        assert trials[words].error < 1e-13
    found = nf.learn_transform(gaussian(6, 6), 30, **options)
    assert found.structure.startswith("sparse matrix, relative error")


@pytest.mark.parametrize(
    ("shapes", "nnz", "words"),
    [
        (((4, 4), (6, 6), (6, 6), (4, 4)), 480, "Kronecker 4 x 6; Kronecker 6 x 4"),
        (((4, 4), (6, 6), (4, 4), (6, 6)), 480, "Kronecker 4 x 6; Kronecker 4 x 6"),
        (
            ((6, 4), (5, 6), (5, 6), (6, 4)),
            480,
            "Kronecker of 6 x 4 and 5 x 6; Kronecker of 5 x 6 and 6 x 4",
        ),
        (
            ((4, 4), (12, 12), (6, 6), (8, 8), (8, 8), (6, 6)),
            48 * (4 + 12 + 6 + 8 + 8 + 6),
            "Kronecker 4 x 12; Kronecker 6 x 8; Kronecker 8 x 6",
        ),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_sums_of_kronecker_products(shapes, nnz, words, noise):
    matrices = [gaussian(*shape, seed=k) for k, shape in enumerate(shapes)]
    terms = [np.kron(*matrices[k : k + 2]) for k in range(0, len(shapes), 2)]
    target = sum(one / np.linalg.norm(one) for one in terms)
    target = nf.targets.noisy(target, noise, random_state=0) if noise else target
    options = {"families": ["sums of products"], "random_state": 0}
    found = nf.learn_transform(target, nnz, **options)
    assert found.operator.nnz <= nnz and found.relative_error <= max(noise, 1e-13)
    said = [trial.structure.partition(": ")[2].split("; ") for trial in found.trials]
    assert sorted(words.split("; ")) in [sorted(parts) for parts in said]


@pytest.mark.compiled
def test_sums_of_products():
    one = operator_of(nf.Chain.mixed_radix([8, 4]), seed=0)[1]
    other = operator_of(nf.Chain.mixed_radix([4, 8]), seed=1)[1]
    target = one + 0.1 * other
    options = {"families": ["sums of products"], "random_state": 0}
    found = nf.learn_transform(target, 2 * 384, **options)
    assert found.operator.nnz <= 2 * 384 and found.relative_error < 1e-6
    assert found.structure.startswith("sum of two products: ")


@pytest.mark.compiled
def test_sums_of_two_products_of_equal_norms():
    """The first term alone leaves 0.7 over; both alternate until no gain."""
    target = np.kron(orthogonal(4, 0), orthogonal(8, 1))
    target = target + np.kron(orthogonal(8, 2), orthogonal(4, 3))
    options = {"families": ["sums of products"], "random_state": 0}
    found = nf.learn_transform(target, 2 * 384, **options)
    assert found.operator.nnz <= 2 * 384 and found.relative_error < 1e-4


@pytest.mark.compiled
@example((3, 3), 25, "sparse", 0)  # Toeplitz, with one entry that is not zero
@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.integers(1, 90),
    st.sampled_from(["gaussian", "rank two", "ties", "sparse", "kronecker"]),
    st.integers(0, 3),
)
def test_no_budget_is_exceeded_and_fewer_non_zeros_win(shape, budget, kind, seed):
    made = {
        "gaussian": gaussian(*shape, seed=seed),
        "rank two": gaussian(shape[0], 2, seed=seed) @ gaussian(2, shape[1]),
        "ties": np.sign(gaussian(*shape, seed=seed)),
        "sparse": gaussian(*shape, seed=seed) * (gaussian(*shape) > 1),
        "kronecker": np.kron(gaussian(2, 2, seed=seed), gaussian(2, 2)),
    }
    target = made[kind]
    families = [name for name in NAMES if name not in (PRODUCTS, IN_BLOCKS)]
    found = nf.learn_transform(target, budget, families=families, random_state=0)
    assert found.operator.nnz == sum(one.nnz for one in found.factors) <= budget
    least = max(found.relative_error * (1 + 1e-12), 2e-14)
    for trial in found.trials:
        if trial.nnz <= budget and trial.error <= least:
            assert found.operator.nnz <= trial.nnz or trial.nnz == 0
        assert trial.nnz > budget or trial.error >= found.relative_error - 1e-12


def test_families_are_chosen_by_name():
    assert NAMES[-1] == "sparse products" and len(set(NAMES)) == len(FAMILIES) + 1
    target = gaussian(6, 4) @ gaussian(4, 6)
    found = nf.learn_transform(target, 30, families=("low rank",))
    assert {trial.method for trial in found.trials} == {"largest entries", "low rank"}
    for wrong, message in (
        (["rank"], "families='rank': expected one of"),
        ([], "families"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            nf.learn_transform(target, families=wrong)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_dtypes_of_structures(dtype):
    x = gaussian(9, 2).astype(dtype) @ gaussian(2, 12, seed=1).astype(dtype)
    if np.dtype(dtype).kind == "c":
        x = x * np.exp(1j * np.arange(12)).astype(dtype)
    options = {"families": ["low rank", "named transforms"]}
    for target in (x, x.T, x * np.float32(1e30)):
        found = nf.learn_transform(target, 50, **options)
        assert found.structure == "rank 2" and found.operator.dtype == dtype
        assert found.relative_error < 1e-5
    real = nf.targets.haar(8).astype(dtype)
    assert nf.learn_transform(real, 40, **options).structure == "haar"


def test_sparse_and_low_rank_of_any_shape():
    options = {"families": ["sparse + low rank"], "random_state": 0}
    for shape in ((12, 20), (20, 12)):
        target = gaussian(shape[0], 1) @ gaussian(1, shape[1])
        target[2, 3] += 5
        target[7, 1] -= 4
        found = nf.learn_transform(target, 12 + 32 + 2, **options)
        assert found.structure == "sparse + rank 1" and found.relative_error < 1e-13
    assert problem_of(target).shape == (20, 12)


@pytest.mark.parametrize(
    ("rows", "columns", "rank", "words"),
    [
        ((2, 3), (2, 3), 1, "2 x 3"),
        ((3, 2), (2, 4), 1, "3 x 2 of rows, 2 x 4 of columns"),
        ((3, 3), (3, 9), 2, "3 x 3 of rows, 3 x 9 of columns, rank 2"),
    ],
)
def test_permuted_chains_of_any_radices_are_said(rows, columns, rank, words):
    chain, rng = nf.Chain.mixed_radix(rows, columns, rank), np.random.default_rng(5000)
    values = [rng.standard_normal(pattern) for pattern in chain.patterns]
    matrix = nf.Butterfly(chain, values).toarray()
    matrix = matrix[rng.permutation(len(matrix))]
    matrix = matrix[:, rng.permutation(matrix.shape[1])]
    found = nf.learn_transform(
        matrix, nnz=chain.n_parameters, families=("permuted chains",), random_state=0
    )
    assert found.relative_error < 1e-14
    assert found.structure == f"butterfly, radices {words}, rows and columns permuted"


@pytest.mark.parametrize("noise", [0.05, 3.0])
def test_butterflies_are_looked_for_where_single_entries_may_leave_more(noise):
    exact = nf.targets.permuted_butterfly(16, random_state=0)
    target = nf.targets.noisy(exact, noise, random_state=0)
    found = nf.learn_transform(
        target, 128, families=["permuted chains"], effort="quick", random_state=0
    )
    methods = {trial.method for trial in found.trials}
    assert ("identified butterfly" in methods) == (noise < 1)
