"""No algorithm starts from the random numbers that made its target of the same seed."""

import importlib

import numpy as np
import pytest

import nbfact as nf
from nbfact._core.streams import stream
from nbfact.algorithms.descent.trials import DescentSearch
from nbfact.algorithms.learn import budget_search
from nbfact.algorithms.palm import leaky_exploration
from nbfact.algorithms.permutations.permutation_search import PermutationSearch

PURPOSES = (
    "palm4msa",
    "identify_butterfly",
    "learn_butterfly",
    "learn_transform",
)

palm4msa = importlib.import_module("nbfact.algorithms.palm.palm4msa")

SEEDS = {
    "int": lambda: 5,
    "list": lambda: [5, 6],
    "sequence": lambda: np.random.SeedSequence(5),
    "generator": lambda: np.random.default_rng(5),
    "bit generator": lambda: np.random.PCG64(5),
    "RandomState": lambda: np.random.RandomState(5),
}


def apart(numbers, target):
    """Check that Gaussian numbers are not those of a target."""
    size = min(numbers.size, target.size)
    both = numbers.ravel()[:size], target.ravel()[:size]
    return abs(np.corrcoef(*both)[0, 1]) < 0.4


@pytest.mark.parametrize("kind", SEEDS)
def test_each_purpose_has_a_stream_that_made_no_target(kind):
    make = SEEDS[kind]
    target = nf.targets.randn(12, random_state=make())
    streams = {one: stream("s", make(), one).standard_normal(144) for one in PURPOSES}
    for one, numbers in streams.items():
        assert apart(numbers, target), one
        again = stream("s", make(), one).standard_normal(144)
        np.testing.assert_array_equal(numbers, again)
        for other in PURPOSES:
            if other != one:
                assert apart(numbers, streams[other])


def test_a_generator_without_a_sequence_of_seeds_is_used_as_it_is():
    rng = np.random.Generator(np.random.RandomState(5)._bit_generator)
    assert stream("s", rng, "explore") is rng
    assert isinstance(stream("s", None, "explore"), np.random.Generator)
    with pytest.raises(ValueError, match="s=-1"):
        stream("s", -1, "explore")


def test_no_start_is_made_of_the_entries_of_its_target(monkeypatch):
    """What each algorithm draws first, for targets of the same seed."""
    target = nf.targets.randn(8, random_state=5)
    sets = [nf.constraints.Identity((8, 8))] * 2
    first, starts = [], palm4msa.checked_start

    def kept(*arguments):
        first.append(starts(*arguments))
        raise StopIteration

    monkeypatch.setattr(palm4msa, "checked_start", kept)
    monkeypatch.setattr(leaky_exploration, "checked_start", kept)
    for algorithm in (nf.palm4msa, nf.explore):
        with pytest.raises(StopIteration):
            algorithm(target, sets, init="random", random_state=5)
    one, other = (start.factors for start in first)
    for factor, twin in zip(one, other, strict=True):
        assert apart(factor.array, target)
        np.testing.assert_array_equal(factor.array, twin.array)
    seen = []

    def record(numbers, *rest):
        rng = next(one for one in rest if isinstance(one, np.random.Generator))
        seen.append(rng.standard_normal(64))
        raise StopIteration

    monkeypatch.setattr(DescentSearch, "best", record)
    monkeypatch.setattr(PermutationSearch, "run", record)
    monkeypatch.setattr(
        budget_search.BudgetSearch, "best", lambda s, _: record(s, s.rng)
    )
    for algorithm in (nf.learn_butterfly, nf.identify_butterfly, nf.learn_transform):
        with pytest.raises(StopIteration):
            algorithm(target, random_state=5)
    with pytest.raises(StopIteration):
        nf.tradeoff(target, random_state=5)
    assert len(seen) == 4 and all(apart(one, target) for one in seen)
