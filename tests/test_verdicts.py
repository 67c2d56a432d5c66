"""What is decided from samples of two versions."""

import math

import numpy as np
import pytest

from nbfact.harness.confidence import interval
from nbfact.harness.versions import verdicts


def logs(rng, shift, spread, n=8):
    return rng.normal(math.log(shift), spread, n)


@pytest.mark.parametrize("n", [8, 12, 16, 24])
def test_intervals_hold_the_true_ratio_as_often_as_they_say(n):
    rng = np.random.default_rng(n)
    found = [interval(0.1 * rng.standard_t(2, n)) for _ in range(3000)]
    missed = sum(not x["low"] <= 1 <= x["high"] for x in found)
    assert missed <= 45  # 30 are one in a hundred


def test_an_interval_is_ordered_and_has_its_samples():
    found = interval(np.log([1.2, 1.0, 1.1]))
    assert found["samples"] == [1.2, 1.0, 1.1]
    assert found["low"] < found["median"] < found["high"]


def test_a_few_bad_processes_do_not_move_the_floor():
    quiet = [0.001, -0.001] * 4
    assert verdicts.floor(quiet) < verdicts.floor([*quiet[:-1], 2.0]) < 0.002
    assert verdicts.floor([0.1] * 8) == pytest.approx(0.1)  # a bias is not averaged out


@pytest.mark.parametrize("spread", [0.005, 0.03, 0.1])
def test_equal_versions_are_never_called_slower(spread):
    rng = np.random.default_rng(0)
    for _ in range(300):
        batches = [(logs(rng, 1, spread), logs(rng, 1, spread)) for _ in range(3)]
        for count in (1, 2, 3):
            assert verdicts.settle(batches[:count])[0] != verdicts.SLOWER


@pytest.mark.parametrize("spread", [0.005, 0.03])
def test_what_takes_longer_is_called_slower_in_two_batches(spread):
    rng = np.random.default_rng(0)
    for _ in range(100):
        batches = [(logs(rng, 1.3, spread), logs(rng, 1, spread)) for _ in range(2)]
        assert verdicts.settle(batches[:1])[0] != verdicts.SAME
        assert verdicts.settle(batches) == (verdicts.SLOWER, True)


def test_what_the_noise_hides_is_inconclusive_and_what_is_faster_is_named():
    wild = np.linspace(-1, 1, 8)
    assert verdicts.settle([(wild, wild)]) == (verdicts.INCONCLUSIVE, False)
    many = [(wild, wild)] * verdicts.BATCHES
    assert verdicts.settle(many) == (verdicts.INCONCLUSIVE, True)
    still = np.zeros(8)
    assert verdicts.settle([(still - 0.3, still)]) == (verdicts.FASTER, True)
    # Where one of two batches is beyond the threshold, more are made before a verdict.
    assert verdicts.settle([(still + 0.3, still), (still, still)])[0] != verdicts.SLOWER


@pytest.mark.parametrize(
    ("base", "head", "bound", "wrong"),
    [
        (1e-7, 1e-7, 2e-6, False),
        (2e-15, 9e-11, 1e-10, True),  # under the bound, and deterministic
        (1.8e-16, 5e-15, 1e-14, True),
        (1e-15, 3.9e-15, 4e-4, False),  # sums in another order
        (1e-15, 4e-4, 4e-4, True),
        (1e-7, 1e-5, 2e-6, True),
        (1e-7, None, 2e-6, True),
        (3e-6, 3e-6, 2e-6, False),  # the fault of the base
        (None, 1e-7, 2e-6, False),
        (0.1, 0.104, None, False),
        (0.1, 0.11, None, True),
        (0.0, 1e-15, None, True),
        (1e-16, 5e-16, None, False),
    ],
)
def test_errors_have_a_bound_or_are_held_to_the_base(base, head, bound, wrong):
    assert bool(verdicts.accuracy(base, head, bound, 2e-16)) is wrong


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (["same", "faster", "new", "not slower"], 0),
        (["same", "changed", "slower"], 2),
        (["same", "more memory"], 1),
        (["same", "not repeatable"], 1),
        (["faster", "suspicious"], 1),
        (["slower first call"], 1),
        (["same"] * 19 + ["inconclusive"], 0),
        (["same"] * 18 + ["inconclusive"], 3),
        (["same", "slower"], 1),
        (["same", "less accurate"], 1),
        (["slower", "missing"], 2),
        (["broken", "inconclusive"], 2),
        (["inconclusive", "same"], 3),
        (["slower", "inconclusive"], 1),
        (["new"], 2),
        ([], 2),
    ],
)
def test_exit_codes(found, code):
    assert verdicts.exit_code([{"verdict": verdict} for verdict in found]) == code
