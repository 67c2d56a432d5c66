"""The budget of learn_transform that is the time of one product."""

import numpy as np
import pytest
import scipy.sparse as sp

import nbfact as nf
from nbfact.algorithms.learn import budget_search
from nbfact.algorithms.learn.families.family_registry import IN_BLOCKS
from nbfact.algorithms.learn.learn_options import LearnOptions
from nbfact.algorithms.learn.product_budget import ProductBudget, ProductTimes
from nbfact.operators.product_times import dense_time, expected_time

DOUBLE = np.dtype(float)


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def random_factor(shape, nnz, height, seed):
    """Return a factor with `nnz` entries, in blocks of some rows.

    Blocks are anywhere; without them, rows have equal numbers of entries, but for one.
    """
    rng, grid = np.random.default_rng(seed), (-(-shape[0] // height), shape[1])
    count, more = divmod(nnz // height, grid[0])
    order = rng.permuted(np.tile(np.arange(grid[1]), (grid[0], 1)), axis=1)
    support = order < count + (np.arange(grid[0])[:, None] < more)
    whole = np.kron(support, np.ones((height, 1)))[: shape[0]]
    return sp.csr_array(whole * rng.standard_normal(shape))


@pytest.mark.parametrize("batch", [1, 5, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_as_many_entries_as_a_budget_says_fit_it(dtype, batch):
    shapes = [(256, 256), (256, 300)]
    product = ProductBudget.of(1.5, batch, (256, 300), np.dtype(dtype))
    for height, most in ((1, product.entries(shapes)), (8, 8 * product.blocks(shapes))):
        if most == 0 or (height == 8 and batch > 1):
            assert batch > 1
            continue
        for share, fits in ((0.99, True), (1.3, False)):
            factors = [
                random_factor(shape, int(share * most / 2), height, seed).astype(dtype)
                for seed, shape in enumerate(shapes)
            ]
            assert product.admits(nf.FactorProduct(factors)) is fits, (height, share)


def test_expected_times_of_operators():
    """More work takes longer, and a butterfly less than the dense matrix."""
    for batch in (1, 64):
        for n in (256, 1024):
            dense = dense_time((n, n), DOUBLE, batch)
            assert expected_time(nf.transforms.dct(n), batch) < dense / 2
            assert expected_time(nf.transforms.hadamard(n), batch) < dense / 3
        small, large = (
            nf.FactorProduct([random_factor((256, 256), nnz, 1, 0)])
            for nnz in (1000, 10000)
        )
        assert expected_time(small, batch) < expected_time(large, batch)
    lengths = np.random.default_rng(0).geometric(1 / 20, 256).clip(max=256)
    uneven = sp.csr_array((np.arange(256) < lengths[:, None]).astype(float))
    even = random_factor((256, 256), uneven.nnz, 1, 0)
    times = [expected_time(nf.FactorProduct([one]), 1) for one in (even, uneven)]
    assert times[1] > 1.1 * times[0]
    permuted = nf.transforms.hadamard(64)[np.arange(64)[::-1]]
    assert expected_time(permuted, 1) > expected_time(nf.transforms.hadamard(64), 1)


def test_what_is_returned_is_expected_to_be_fast_enough():
    target = gaussian(128, 3) @ gaussian(3, 160, seed=1)
    families = ["low rank"]
    found = nf.learn_transform(target, speedup=1.3, families=families)
    assert found.structure == "rank 3" and found.relative_error < 1e-13
    times = found.times
    assert times.expected_speedup >= 1.3 and times.batch == 1
    assert times.expected == pytest.approx(expected_time(found.operator, 1) * 1e-9)
    assert times.measured > 0 and times.measured_dense > 0
    assert "one vector: " in str(times) and "times as fast (expected" in str(times)
    again = nf.learn_transform(target, speedup=1.3, families=families)
    assert again.times.expected == times.expected
    noisy = target + 0.1 * gaussian(128, 160, seed=2)
    columns = nf.learn_transform(noisy, speedup=4, batch=64, families=families)
    assert columns.times.expected_speedup >= 4 and columns.relative_error < 0.1
    assert str(columns.times).startswith("64 columns: ")


def test_it_says_that_nothing_is_fast_enough():
    target = gaussian(16, 16)
    found = nf.learn_transform(target, speedup=2)
    assert found.method == "dense matrix" and found.relative_error == 0
    assert found.structure == "dense matrix: nothing is expected to be fast enough"
    np.testing.assert_array_equal(found.operator.toarray(), target)
    assert found.times.expected_speedup < 2 and not found.trials
    zero = nf.learn_transform(np.zeros((4, 4)), speedup=2, batch=3)
    assert zero.operator.nnz == 0
    assert zero.times.batch == 3 and zero.times.measured > 0


def test_an_interruption_while_times_are_measured_loses_nothing(monkeypatch):
    def pressed(*arguments):
        raise KeyboardInterrupt

    target = gaussian(128, 3) @ gaussian(3, 160, seed=1)
    monkeypatch.setattr(
        budget_search.outcome.__globals__["measured_times"].__module__ + ".operand",
        pressed,
    )
    found = nf.learn_transform(target, speedup=1.3, families=["low rank"])
    assert found.structure == "rank 3" and found.times is None


def test_an_interruption_keeps_what_an_earlier_budget_found(monkeypatch):
    best, calls = budget_search.BudgetSearch.best, []

    def interrupted(search, budget):
        calls.append(budget)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return best(search, budget)

    monkeypatch.setattr(budget_search.BudgetSearch, "best", interrupted)
    target = np.diag(np.arange(1.0, 17)) + 0.01 * gaussian(16, 16)
    options = {"families": ["low rank"], "random_state": 0}
    found = nf.learn_transform(target, error=0.1, **options)
    assert found.stopped == "interrupted" and found.relative_error <= 0.1
    calls.clear()
    front = nf.tradeoff(target, [2, 3, 4, 5], families=["low rank"])
    assert len(front.all_points) == 2


def test_blocks_are_tried_where_the_time_of_a_vector_is_the_budget():
    assert IN_BLOCKS in LearnOptions(speedup=2.0).chosen
    for options in ({"rcg": 2.0}, {"speedup": 2.0, "batch": 2}):
        assert IN_BLOCKS not in LearnOptions(**options).chosen
    assert LearnOptions(rcg=2.0, families=[IN_BLOCKS]).chosen == (IN_BLOCKS,)


@pytest.mark.compiled
def test_products_in_blocks():
    target = gaussian(24, 20)
    options = {"effort": "quick", "random_state": 0}
    found = nf.learn_transform(target, 200, families=["products in blocks"], **options)
    assert found.operator.nnz <= 200
    blocks = [trial for trial in found.trials if trial.method == "in blocks"]
    assert len(blocks) == 2 and blocks[-1].error < 0.8
    assert "blocks 8 x 1" in blocks[-1].structure
    for factor in found.factors if found.method == "in blocks" else []:
        kept = factor.toarray() != 0
        groups = kept.reshape(-1, 8, kept.shape[1])
        assert (groups == groups[:, :1]).all()


def test_times_say_whether_the_speedup_was_reached():
    times = ProductTimes(1, 1e-6, 2e-6, 1.25e-6, 2e-6, 2.0)
    assert not times.reached and "1.6 times" in str(times)
    assert str(times).endswith("(expected 2), 2 was asked for")
    reached = ProductTimes(1, 1e-6, 2e-6, 1e-6, 2e-6, 2.0)
    assert reached.reached and str(reached).endswith("(expected 2)")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"nnz": 20, "batch": 2}, "batch=2 is for speedup"),
        ({"batch": 2}, "batch=2 is for speedup"),
        ({"speedup": 2, "batch": 10**15}, "batch=10+ is too large: it needs"),
    ],
)
@pytest.mark.parametrize("target", [np.eye(6), np.zeros((4, 5))], ids=["eye", "zero"])
def test_a_batch_that_is_of_no_use_or_too_large_is_refused(target, options, message):
    with pytest.raises(ValueError, match=message):
        nf.learn_transform(target, **options)
