"""identify_butterfly in chains of any radices and shape, with radices known and not."""

import numpy as np
import pytest
from permuted_products import product
from samples import close

import nbfact as nf
from nbfact.algorithms.permutations import radix_search
from nbfact.algorithms.permutations.angle_starts import starting_parts
from nbfact.algorithms.permutations.level_split import SplitHint
from nbfact.algorithms.permutations.nests import fresh_nest
from nbfact.algorithms.permutations.partition import (
    balanced,
    best_partition,
    group_greedily,
    improve_partition,
    partition_near,
)
from nbfact.algorithms.permutations.radix_search import radices_within
from nbfact.algorithms.permutations.split_radices import SplitRadices, reversed_digits
from nbfact.operators.reorderings import digit_reversal

CHAINS = [
    nf.Chain.mixed_radix([2, 2, 3]),
    nf.Chain.mixed_radix([3, 4]),
    nf.Chain.mixed_radix([3, 2, 3]),
    nf.Chain.mixed_radix([3, 3, 2, 2]),
    nf.Chain.mixed_radix([4, 4], [4, 8]),
    nf.Chain.mixed_radix([2, 2, 2], [3, 2, 5]),
    nf.Chain.mixed_radix([5, 2], [2, 3]),
]


def check(result, target, chain):
    """Check everything that a result promises."""
    assert result.chain == chain
    assert result.operator.nnz <= chain.n_parameters
    for index, n in zip(
        (result.row_permutation, result.column_permutation), chain.shape, strict=True
    ):
        assert np.array_equal(np.sort(index), np.arange(n)) and index.dtype == np.intp
    found = result.operator.toarray()
    assert found.dtype == target.dtype
    eps = float(np.finfo(target.dtype).eps)
    error = nf.relative_error(target, found)
    assert result.relative_error == pytest.approx(error, abs=20 * eps, rel=1e-4)
    close(nf.FactorProduct(result.factors, result.scale).toarray(), found)
    straight = target[np.ix_(result.row_permutation, result.column_permutation)]
    plain = nf.butterfly_factorize(straight, chain, transpose=False)
    assert error <= plain.relative_error * (1 + 1e-6) + 20 * eps


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("chain", CHAINS, ids=str)
def test_permuted_chains_are_found_exactly(chain, dtype):
    target, _, _ = product(chain, 5000, dtype)
    result = nf.identify_butterfly(target, chain, random_state=0)
    assert result.relative_error < 1e-13
    assert isinstance(result.operator, nf.Butterfly)
    check(result, target, chain)


@pytest.mark.parametrize("chain", CHAINS[:1] + CHAINS[4:5], ids=str)
def test_noise_leaves_the_error_of_the_true_supports(chain):
    target, rows, columns = product(chain, 5001, noise=0.1)
    result = nf.identify_butterfly(target, chain, n_restarts=2, random_state=0)
    check(result, target, chain)
    order = rows, columns
    true = nf.butterfly_factorize(target, chain, permutation=order, transpose=False)
    assert result.relative_error <= 1.1 * nf.refine(true, target).relative_error


def test_scales_of_rows_and_columns_do_not_matter():
    chain = nf.Chain.mixed_radix([3, 2, 2])
    target, _, _ = product(chain, 5002)
    rng = np.random.default_rng(0)
    scaled = np.exp(rng.standard_normal((12, 1))) * target * np.exp(rng.random(12))
    assert nf.identify_butterfly(scaled, chain, random_state=0).relative_error < 1e-13


@pytest.mark.parametrize("n", [6, 12, 36])
def test_fourier_matrices_are_found_in_the_smallest_chain(n):
    rng = np.random.default_rng(n)
    target = nf.targets.dft(n)[rng.permutation(n)][:, rng.permutation(n)]
    result = nf.identify_butterfly(target, random_state=0)
    assert result.relative_error < 1e-13
    check(result, target, nf.Chain.smallest(n))


def test_radices_stand_for_a_chain_and_so_do_patterns():
    target, _, _ = product(nf.Chain.mixed_radix([3, 4]), 5003)
    for chain in ([3, 4], (3, 4), np.array([3, 4]), [(1, 3, 3, 4), (3, 4, 4, 1)]):
        result = nf.identify_butterfly(target, chain, random_state=0)
        assert result.chain.patterns == ((1, 3, 3, 4), (3, 4, 4, 1))
        assert result.relative_error < 1e-13


@pytest.mark.parametrize("rows, columns", [((3, 2), (3, 2)), ((2, 2), (2, 3))])
def test_radices_that_are_not_known(rows, columns):
    chain = nf.Chain.mixed_radix(rows, columns)
    target, _, _ = product(chain, 5004)
    nnz = chain.n_parameters
    result = nf.identify_butterfly(target, "search", nnz=nnz, random_state=0)
    assert result.relative_error < 1e-13
    check(result, target, result.chain)
    assert result.chain.n_parameters <= nnz


def test_radices_of_a_large_square_matrix_are_looked_for_alike_first(monkeypatch):
    chain = nf.Chain.mixed_radix([3, 2, 2])
    target, _, _ = product(chain, 5007)
    listed = []
    monkeypatch.setattr(radix_search, "LARGE", 100)
    monkeypatch.setattr(radix_search, "FEW", 0)
    monkeypatch.setattr(
        radix_search, "_likely", lambda p, some, *a: listed.append(some) or some
    )
    nnz = chain.n_parameters
    result = nf.identify_butterfly(target, "search", nnz=nnz, random_state=0)
    assert all(one.rows == one.columns for one in listed[0])
    assert result.relative_error < 1e-13
    assert result.chain.n_parameters <= nnz


def test_untied_splits_of_any_radices():
    chain = nf.Chain.mixed_radix([3, 2, 2], [2, 3, 2])
    target, _, _ = product(chain, 5005)
    for matrix, own in ((target, chain), (target.T.copy(), None)):
        own = own or SplitRadices.of(chain).transposed.chain
        result = nf.identify_butterfly(matrix, own, tied=False, random_state=0)
        assert isinstance(result.operator, nf.FactorProduct)
        assert result.relative_error < 1e-13
        assert result.operator.nnz <= chain.n_parameters


def degenerate(m, n):
    spike, holes = np.zeros((m, n)), np.ones((m, n))
    spike[1, 2] = 3
    holes[:, : n // 2] = 0
    return [np.zeros((m, n)), np.ones((m, n)), spike, holes]


@pytest.mark.parametrize("number", range(4))
def test_degenerate_targets(number):
    chain = nf.Chain.mixed_radix([2, 3], [3, 3])
    target = degenerate(6, 9)[number]
    for given in (chain, "search"):
        nnz = chain.n_parameters if given == "search" else None
        result = nf.identify_butterfly(
            target, given, nnz=nnz, n_iter=2, n_restarts=1, random_state=0
        )
        check(result, target, result.chain)
        assert result.relative_error < 1e-13


@pytest.mark.parametrize("scale", [1e-300, 1e200])
def test_any_scale(scale):
    chain = nf.Chain.mixed_radix([3, 2])
    target = scale * product(chain, 5006)[0]
    for given, nnz in ((chain, None), ("search", 30)):
        result = nf.identify_butterfly(target, given, nnz=nnz, random_state=0)
        assert result.relative_error < 1e-13


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (5, 7), (2, 9)])
def test_thin_shapes_and_primes(shape):
    target = np.random.default_rng(0).standard_normal(shape)
    result = nf.identify_butterfly(target, random_state=0)
    check(result, target, nf.Chain.smallest(shape))
    assert result.relative_error < 1e-13  # one dense factor


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chain": "search"}, "needs nnz"),
        ({"chain": "search", "nnz": 10}, "nnz=10: no chain for 12 x 12"),
        ({"chain": [3, 4], "nnz": 84}, "nnz is for"),
    ],
)
def test_mistakes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        nf.identify_butterfly(np.ones((12, 12)), **options)


# --------------------------------------------------------------------------------------
# One level
# --------------------------------------------------------------------------------------


def blocks_of(chain, seed=0, dtype="f8"):
    target, _, _ = product(chain, seed, dtype)
    return target[None].astype(np.result_type(dtype, "f8"))


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("radices", [(3, 3), (2, 5), (4, 2)])
def test_a_split_that_loses_nothing(radices, dtype):
    b, c = radices
    blocks = blocks_of(nf.Chain.mixed_radix([4, b], [4, c]), 1, dtype)
    split = best_partition(blocks, radices, np.random.default_rng(0), 8, 16)
    square = np.linalg.norm(blocks) ** 2
    assert split.lost <= 1e-11 * square
    assert split.parts.shape == (1, b, 4) and split.groups.shape == (4, c)
    for part in split.parts[0]:
        for group in split.groups:
            sizes = np.linalg.svd(blocks[0][np.ix_(part, group)], compute_uv=False)
            assert sizes[1] <= 1e-6 * np.linalg.norm(blocks)
    kept = np.linalg.norm(split.coordinates(blocks)) ** 2
    assert kept == pytest.approx(square - split.lost)


def test_a_split_ends_with_the_time():
    blocks = np.random.default_rng(0).standard_normal((1, 12, 12))
    looks, starts = [], []

    def over():
        looks.append(len(looks))
        return len(looks) > 4

    some = starting_parts(blocks, 3, np.random.default_rng(0), 12, lambda: True)
    starts += list(some)
    assert len(starts) == 2  # the partners of one column
    split = best_partition(blocks, (3, 3), np.random.default_rng(0), 8, 3, over=over)
    assert 4 < len(looks) < 12 and sorted(split.groups.ravel()) == list(range(12))


def test_a_hasty_nest_is_given_up_where_inner_levels_lose_more():
    rng = np.random.default_rng(0)
    target = np.kron(rng.standard_normal((12, 12)), rng.standard_normal((3, 3)))
    wrong, right = SplitRadices((3, 4, 3), (3, 4, 3)), SplitRadices((12, 3), (12, 3))
    assert fresh_nest(target, wrong, True, rng, 0.5).lost > 1
    assert fresh_nest(target, wrong, True, rng, 0.5, known={}) is None
    assert fresh_nest(target, right, True, rng, 0.5, known={}).lost < 1e-9


def test_the_loss_of_a_split_is_that_of_its_singular_values():
    blocks = np.random.default_rng(0).standard_normal((2, 6, 9))
    start = np.arange(6).reshape(1, 3, 2).repeat(2, 0)
    split = improve_partition(blocks, start, 3)
    lost = sum(
        (np.linalg.svd(block[np.ix_(part, group)], compute_uv=False)[1:] ** 2).sum()
        for block, parts in zip(blocks, split.parts, strict=True)
        for part in parts
        for group in split.groups
    )
    assert split.lost == pytest.approx(lost)
    assert split.lost <= improve_partition(blocks, start, 3, n_iter=1).lost


def test_a_hint_that_counts_much_decides():
    blocks = np.random.default_rng(0).standard_normal((1, 6, 9))
    places, labels = np.arange(6)[None] % 3, np.arange(9) // 3
    split = partition_near(blocks, (3, 3), SplitHint(places, labels, 1e6))
    assert np.array_equal(sorted(split.groups.tolist()), np.arange(9).reshape(3, 3))
    assert np.array_equal(split.parts[0], [[0, 3], [1, 4], [2, 5]])


def test_parts_of_equal_size_gain_most():
    gain = np.array(
        [[5.0, 0, 0], [4, 3, 0], [3, 0, 2], [1, 1, 1], [0, 2, 0], [9, 0, 0]]
    )
    assert np.array_equal(balanced(gain), [[0, 5], [1, 4], [2, 3]])
    assert np.array_equal(balanced(gain[:, :2]), [[0, 2, 5], [1, 3, 4]])


def test_groups_are_made_of_the_surest_columns():
    lost = np.full((6, 6), 9.0)
    for group in ([0, 2, 4], [1, 3, 5]):
        lost[np.ix_(group, group)] = 1.0
    found = group_greedily(lost, 3, np.ones(6))
    assert sorted(map(tuple, found.tolist())) == [(0, 2, 4), (1, 3, 5)]


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_lines_of_two_columns_are_intervals_of_angles(dtype):
    rng = np.random.default_rng(0)
    lines = rng.standard_normal((3, 2)).astype(dtype)
    if dtype == "c16":
        lines = lines + 1j * rng.standard_normal((3, 2))
    which = rng.permutation(np.arange(12) % 3)
    blocks = (rng.standard_normal((12, 1)) * lines[which])[None]
    parts = next(starting_parts(blocks, 3, rng, 2))
    assert {tuple(np.unique(which[part])) for part in parts[0]} == {(0,), (1,), (2,)}


def test_radices_within_a_budget():
    found = radices_within((4, 6), 24)
    assert all(one.chain.n_parameters == one.n_parameters <= 24 for one in found)
    costs = [one.n_parameters for one in found]
    assert costs == sorted(costs)
    assert SplitRadices((2, 2), (2, 3)) in found
    assert radices_within((4, 6), 11) == []
    assert [one.rows for one in radices_within((12, 12), 84)][:2] == [(3, 4), (4, 3)]


def test_the_transpose_has_reversed_digits():
    radices = SplitRadices((2, 3, 2), (3, 2, 2))
    matrix = np.arange(144.0).reshape(12, 12)
    chain = radices.chain
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(one) for one in chain.patterns]
    matrix = nf.Butterfly(chain, values).toarray()
    rows = reversed_digits(np.arange(12), radices.columns)
    columns = reversed_digits(np.arange(12), radices.rows)
    turned = matrix.T[np.ix_(rows, columns)]
    found = nf.butterfly_factorize(turned, radices.transposed.chain, transpose=False)
    assert found.relative_error < 1e-14
    assert np.array_equal(rows, digit_reversal(radices.columns[::-1]))
    assert radices.freedom < radices.n_parameters == chain.n_parameters
    assert radices.words == "2 x 3 x 2 of rows, 3 x 2 x 2 of columns"
