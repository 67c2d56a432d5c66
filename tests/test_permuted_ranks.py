"""identify_butterfly in chains with blocks of a rank above one."""

import numpy as np
import pytest
from permuted_products import product
from samples import LATER, close

import nbfact as nf
from nbfact.algorithms.permutations import space_groups
from nbfact.algorithms.permutations.level_split import SplitHint, column_grams
from nbfact.algorithms.permutations.radix_search import radices_within
from nbfact.algorithms.permutations.rank_levels import RankLevel, rank_levels
from nbfact.algorithms.permutations.space_partition import (
    best_space_partition,
    quick_space_loss,
    space_partition_near,
)
from nbfact.algorithms.permutations.space_starts import (
    columns_of,
    starting_spaces,
    subsets,
)
from nbfact.algorithms.permutations.split_radices import SplitRadices

CHAINS = [
    nf.Chain.mixed_radix([4, 4], rank=2),
    nf.Chain.mixed_radix([4, 5], [4, 6], rank=3),
    nf.Chain.mixed_radix([3, 3, 3], rank=2),
    nf.Chain.mixed_radix([3, 4, 4], [2, 3, 4], rank=2),
    nf.Chain.rank2(16),
]


EXACT = [
    *[(chain, "f8") for chain in CHAINS],
    (CHAINS[0], "c16"),
    *[pytest.param(one, "c16", marks=LATER) for one in CHAINS[1:]],
]


@pytest.mark.parametrize("chain, dtype", EXACT, ids=str)
def test_permuted_chains_of_a_rank_are_found_exactly(chain, dtype):
    target, _, _ = product(chain, 5000, dtype)
    result = nf.identify_butterfly(target, chain, random_state=0)
    assert result.relative_error < 1e-12
    assert result.chain == chain and isinstance(result.operator, nf.Butterfly)
    assert result.operator.nnz <= chain.n_parameters
    order = result.row_permutation, result.column_permutation
    assert all(
        np.array_equal(np.sort(one), np.arange(n))
        for one, n in zip(order, chain.shape, strict=True)
    )
    plain = nf.butterfly_factorize(target[np.ix_(*order)], chain, transpose=False)
    assert plain.relative_error < 1e-12
    close(nf.FactorProduct(result.factors, result.scale).toarray(), target)


@pytest.mark.slow
@pytest.mark.parametrize("chain", CHAINS[:3:2], ids=str)
def test_noise_leaves_the_error_of_the_true_supports(chain):
    target, *order = product(chain, 5001, noise=0.02)
    result = nf.identify_butterfly(target, chain, n_restarts=2, random_state=0)
    true = nf.butterfly_factorize(
        target, chain, permutation=tuple(order), transpose=False
    )
    assert result.relative_error <= 1.1 * nf.refine(true, target).relative_error


@pytest.mark.parametrize("turned", [False, True])
def test_radices_of_chains_of_rank_two_that_are_not_known(turned):
    radices = SplitRadices((3, 3), (3, 9), 2)
    chain = (radices.transposed if turned else radices).chain
    target, _, _ = product(chain, 5003)
    nnz = chain.n_parameters
    found = nf.identify_butterfly(target, "search", nnz=nnz, random_state=0)
    assert found.relative_error < 1e-12
    assert found.chain == chain
    assert found.operator.nnz <= nnz


def test_chains_of_a_rank_are_listed_once_for_their_levels():
    listed = radices_within((64, 64), 2048, 2)
    assert all(one.rank == 2 and one.n_parameters <= 2048 for one in listed)
    levels = [tuple(one.levels) for one in listed]
    assert len(set(levels)) == len(levels) and () not in levels
    assert SplitRadices((8, 8), (8, 8), 2) in listed
    assert radices_within((16, 16), 256, 2) == []  # as many values as entries


def test_a_quick_look_sees_a_split_or_none():
    blocks, level, _, _ = a_level("f8")
    rng = np.random.default_rng(0)
    square = np.vdot(blocks, blocks).real
    assert quick_space_loss(blocks, level, rng) <= 1e-10 * square
    assert (
        quick_space_loss(rng.standard_normal((1, 32, 32)), RankLevel(8, 8, 1, 2), rng)
        == np.inf
    )


def test_scales_of_rows_and_columns_and_of_the_matrix_do_not_matter():
    chain = CHAINS[0]
    target, _, _ = product(chain, 5002)
    rng = np.random.default_rng(0)
    scaled = np.exp(rng.standard_normal((16, 1))) * target * np.exp(rng.random(16))
    for matrix in (scaled, 1e-290 * target, 1e200 * target):
        found = nf.identify_butterfly(matrix, chain, random_state=0)
        assert found.relative_error < 1e-12


@pytest.mark.parametrize("number", range(5))
def test_degenerate_targets(number):
    spike, holes = np.zeros((12, 12)), np.ones((12, 12))
    spike[1, 2] = 3
    holes[:, :6] = 0
    repeated = np.outer(np.arange(12), np.ones(12))
    target = [np.zeros((12, 12)), np.ones((12, 12)), spike, holes, repeated][number]
    chain = nf.Chain.mixed_radix([3, 4], [3, 4], rank=2)
    found = nf.identify_butterfly(target, chain, n_iter=2, n_restarts=1, random_state=0)
    assert found.relative_error < 1e-12


def test_a_chain_that_holds_every_matrix_needs_no_permutations():
    chain = nf.Chain.rank2(8)
    assert SplitRadices.of(chain).levels == []
    target = np.random.default_rng(0).standard_normal((8, 8))
    found = nf.identify_butterfly(target, chain, random_state=0)
    assert found.relative_error < 1e-13
    assert np.array_equal(np.sort(found.row_permutation), np.arange(8))


def test_a_callback_ends_the_search():
    target, _, _ = product(CHAINS[0], 5003, noise=0.3)
    found = nf.identify_butterfly(
        target, CHAINS[0], callback=lambda state: state.iteration >= 2, random_state=0
    )
    assert len(found.history.errors) == 2


def test_a_rank_without_tied_groups_is_refused():
    message = "tied=False.*blocks of rank 2"
    with pytest.raises(ValueError, match=message):
        nf.identify_butterfly(np.ones((16, 16)), CHAINS[0], tied=False)


@pytest.mark.parametrize(
    "patterns", [[(1, 4, 6, 4), (4, 6, 4, 1)], [(2, 4, 4, 2), (2, 4, 4, 2)]]
)
def test_other_chains_are_refused(patterns):
    chain = nf.Chain(patterns)
    with pytest.raises(ValueError, match="expected one of Chain"):
        nf.identify_butterfly(np.ones(chain.shape), chain)


def test_the_numbers_of_a_chain_of_a_rank():
    for chain in CHAINS:
        radices = SplitRadices.of(chain)
        assert radices.chain == chain and radices.n_parameters == chain.n_parameters
        assert radices.transposed.transposed == radices
        assert radices.freedom < radices.n_parameters
    assert SplitRadices.of(CHAINS[0]).words == "4 x 4, rank 2"
    one = SplitRadices((4, 4), (4, 4), 2)
    assert one.first_share == pytest.approx(1 - 2 * (4 + 4 - 2) / 16)
    assert not one.says_noise and SplitRadices((3, 3, 3), (3, 3, 3), 2).says_noise
    assert rank_levels((3, 4, 4), (2, 3, 4), 2) == [
        RankLevel(4, 4, 1, 2),
        RankLevel(4, 3, 2, 2),
    ]


# --------------------------------------------------------------------------------------
# One level
# --------------------------------------------------------------------------------------


def a_level(dtype, noise=0.0):
    """Return two blocks of bundles of two columns, and the true parts and groups."""
    rng = np.random.default_rng(1)
    level = RankLevel(2, 3, 2, 2)
    drawn = rng.standard_normal((2, 2, 3, 8, 2)) @ rng.standard_normal((2, 2, 3, 2, 6))
    if dtype == "c16":
        drawn = drawn * np.exp(1j * rng.random(drawn.shape[:-2]))[..., None, None]
        drawn = drawn @ np.exp(1j * rng.random((6, 6)))
    blocks = np.moveaxis(drawn, 2, 3).reshape(2, 16, 18)
    blocks = blocks + noise * rng.standard_normal(blocks.shape)
    rows, bundles = rng.permutation(16), rng.permutation(9)
    blocks = blocks[:, rows][..., columns_of(bundles, 2)]
    return blocks, level, rows // 8, bundles // 3


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_a_level_of_bundles_is_split(dtype):
    blocks, level, part, group = a_level(dtype)
    split = best_space_partition(blocks, level, np.random.default_rng(0), 4)
    assert split.lost <= 1e-10 * np.vdot(blocks, blocks).real
    assert {tuple(np.unique(group[one])) for one in split.groups} == {(0,), (1,), (2,)}
    for parts in split.parts:
        assert {tuple(np.unique(part[one])) for one in parts} == {(0,), (1,)}
    pieces = split.coordinates(blocks)
    assert pieces.shape == (4, 8, 6)
    np.testing.assert_allclose(
        np.vdot(pieces, pieces).real, np.vdot(blocks, blocks).real, rtol=1e-10
    )


@pytest.mark.parametrize("swaps, found", [(0, False), (space_groups.SWAPS, True)])
def test_exchanges_of_pairs_mend_groups(swaps, found, monkeypatch):
    monkeypatch.setattr(space_groups, "SWAPS", swaps)
    target, rows, columns = product(CHAINS[2], 5001, noise=0.1)
    grams = column_grams(target[rows.reshape(9, 3).T])[None]
    level, nothing = RankLevel(3, 3, 1, 2), np.zeros((27, 27))
    rng = np.random.default_rng(0)
    spaces = space_groups.grouped_bundles(grams, level, nothing, rng, None, True)
    groups = {tuple(sorted(one)) for one in spaces.groups.tolist()}
    true = {tuple(sorted(one)) for one in columns.reshape(9, 3).tolist()}
    assert (groups == true) == found


def test_a_hint_keeps_a_split_that_says_nothing():
    level = RankLevel(2, 3, 2, 2)
    blocks = np.zeros((1, 8, 18))
    places, labels = np.arange(8)[None] % 2, np.arange(9) % 3
    hint = SplitHint(places, labels, 1.0)
    split = space_partition_near(blocks, level, np.random.default_rng(0), hint)
    assert all(len(np.unique(labels[one])) == 1 for one in split.groups)
    assert all(len(np.unique(places[0][one])) == 1 for one in split.parts[0])


def test_spaces_say_which_rows_belong_together():
    blocks, level, part, _ = a_level("f8")
    parts = next(starting_spaces(blocks, level, np.random.default_rng(0), 4))
    for block in parts:
        assert {tuple(np.unique(part[one])) for one in block} == {(0,), (1,)}


def test_subsets_are_all_or_some():
    rng = np.random.default_rng(0)
    assert subsets(5, 2, 10, rng).tolist()[:2] == [[0, 1], [0, 2]]
    assert len(subsets(5, 2, 10, rng)) == 10
    some = subsets(40, 3, 50, rng)
    assert some.shape == (50, 3) and (np.diff(some, axis=1) > 0).all()
