"""Plans: each gives the product, and the one that is chosen costs the least."""

import functools

import numpy as np
import pytest
from samples import DTYPES, REALS_FIRST, close, random

from nbfact import Butterfly, Chain
from nbfact.operators import plan as plans
from nbfact.operators.program import Program

DYADIC, RANK2 = Chain.square_dyadic(8), Chain.rank2(8)
MIXED = Chain.mixed_radix([2, 3, 2], [3, 2, 4], rank=2)
CHAINS = {
    "order 1": Chain.square_dyadic(1),
    "order 2": Chain.square_dyadic(2),
    "dyadic": DYADIC,
    "transposed": DYADIC.T,
    "rank 2": RANK2,
    "rank 2, transposed": RANK2.T,
    "mixed": MIXED,
    "mixed, transposed": MIXED.T,
    "two": DYADIC @ DYADIC.T,
    "two of rank 2": RANK2.T @ RANK2,
    "monarch": Chain.monarch((12, 20)),
    "parts": Chain([(2, 3, 4, 2), (4, 2, 5, 2), (1, 20, 3, 2)]),
}
KINDS = {
    "dyadic": ["increasing"],
    "transposed": ["decreasing"],
    "rank 2": ["shuffled"],
    "mixed, transposed": ["turned"],
    "two": ["increasing", "decreasing"],
    "two of rank 2": ["turned", "shuffled"],
    "parts": ["kronecker"],
}
LARGE = {
    "four": Chain([(4, 256, 256, 1)]),
    "strided": Chain([(1, 256, 256, 4)]),
    "monarch": Chain.mixed_radix((64, 64)),
    "small and large": Chain([(1, 4, 4, 256), (4, 256, 256, 1)]),
    "prime": Chain([(1, 1009, 1009, 1)]),
}


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("name", CHAINS)
def test_every_plan_gives_the_product(name, dtype):
    chain = CHAINS[name]
    values = [random(pattern, dtype, j) for j, pattern in enumerate(chain)]
    factors = Butterfly(chain, values).to_factors().factors
    dense = functools.reduce(np.matmul, [factor.toarray() for factor in factors])
    x = random((chain.shape[1], 3), dtype, 9)
    for batch, given in ((1, x[:, 0].copy()), (3, x)):
        chosen = plans.best(chain, np.dtype(dtype), batch)
        for plan in (chosen, *plans.alternatives(chain, batch).values()):
            program = Program(values, plan, np.dtype(dtype))
            close(program.run(given), dense @ given)
            out = np.empty_like(dense @ given)
            assert program.run(given, out) is out
            close(out, dense @ given)


@pytest.mark.parametrize("name", KINDS)
def test_whole_chains_are_recognised(name):
    chain = CHAINS[name]
    named = plans.alternatives(chain, 1)
    first = next(iter(named.values()))  # the plan with the most special kernels
    assert [step.kind for step in first] == KINDS[name]
    assert [step.start for step in first] == [0, *(step.stop for step in first[:-1])]
    assert first[-1].stop == len(chain)


def test_the_choice_costs_least():
    for chain in CHAINS.values():
        for dtype in (np.dtype("float32"), np.dtype("complex128")):
            for batch in (1, 16, 256):
                best = plans.cost(chain, plans.best(chain, dtype, batch), dtype, batch)
                for plan in plans.alternatives(chain, batch).values():
                    # Steps are chosen one by one, so that the choice may have more
                    # calls than the best plan.
                    other = plans.cost(chain, plan, dtype, batch)
                    assert best <= other + plans.CALL * (len(chain) - 1)


def test_fusing_does_not_grow_without_bound():
    chain = Chain.square_dyadic(2**12)
    (step,) = plans.alternatives(chain, 16)["fused by 4"]
    assert step.sizes == (4, 4, 4)
    chosen = plans.best(Chain.rank2(2**12), np.dtype("float32"), 16)
    sizes = [n for step in chosen for n in step.sizes or (step.stop - step.start,)]
    fused = Chain.rank2(2**12).fuse(sizes)
    assert fused.n_parameters <= plans.MOST_GROWTH * Chain.rank2(2**12).n_parameters


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", LARGE)
def test_large_blocks_are_multiplied_by_blas(name, dtype):
    for chain in (LARGE[name], LARGE[name].T):
        for batch in (1, 2, 4, 16, 128, 512):
            steps = plans.best(chain, np.dtype(dtype), batch)
            kinds = {step.kind for step in steps}
            # A single column of a factor with many blocks may go by loops.
            assert "blocks" in kinds, (batch, steps)
            assert not kinds & {"shuffled", "turned"}


def test_as_many_plans_as_powers_of_two():
    planned = [plans.columns_planned(batch) for batch in range(1, 2000)]
    assert planned == sorted(planned)
    assert set(planned) == {2**k for k in range(9)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["mixed", "monarch", "two of rank 2", "parts"])
def test_functions_for_a_number_of_columns_do_what_the_program_does(name, dtype):
    chain = CHAINS[name]
    values = [random(pattern, dtype, j) for j, pattern in enumerate(chain)]
    x = random((chain.shape[1], 4), dtype, 9)
    every = [plans.Step(plans.BLOCKS, j, j + 1) for j in range(len(chain))]
    for plan in (tuple(every), plans.best(chain, np.dtype(dtype), 4)):
        program = Program(values, plan, np.dtype(dtype))
        prepared, expected = program.for_columns(x.shape), program.run(x)
        np.testing.assert_array_equal(prepared(x), expected)
        out = np.empty_like(expected)
        assert prepared(x, out) is out
        np.testing.assert_array_equal(out, expected)
