"""Approximate products: what they store, and that finer ones have smaller errors."""

import math

import numpy as np
import pytest
from samples import DTYPES

from nbfact.cases import registry as cases
from nbfact.cases.approximate_products import approximation_cases, butterfly_chain
from nbfact.harness.case import DENSE
from nbfact.harness.measure import measure_task
from nbfact.harness.table import table

CALIBRATION = {"bandwidth": [[1000, 1e9]], "gemm": {"float32": 2e9, "float64": 1e9}}


def errors(name, n, dtype="float64"):
    found = {}
    for case in approximation_cases([(name, n)], (3,), (dtype,)):
        inputs = case.make(np.random.default_rng(0))
        got = case.prepare(inputs)()
        found[case.impl] = case.error(got, case.reference(inputs))
        assert math.isfinite(case.bound) == (case.impl == DENSE)
        assert case.nnz <= inputs.target.size
    return found


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_a_higher_rank_errs_less_and_cosines_are_found_exactly(dtype):
    found = errors("dct", 64, dtype)
    eps = float(np.finfo(dtype).eps)
    assert found[DENSE] < 2 * eps and found["nbfact makhoul"] < 20 * eps
    ranks = [found[f"nbfact butterfly r={rank}"] for rank in (1, 2)]
    assert 0.2 < ranks[1] < ranks[0] < 1
    assert found["svd r=16"] < found["svd r=4"]


@pytest.mark.compiled
def test_a_lead_field_is_left_to_hierarchical():
    found = errors("leadfield", 256)
    kept = [found[f"nbfact hierarchical k={k}"] for k in (5, 20)]
    assert kept[1] < kept[0] < found["svd r=4"]


@pytest.mark.parametrize("rank", [1, 2, 4, 8])
@pytest.mark.parametrize("n", [16, 64, 256])
def test_chains_have_their_rank_or_two_halves(n, rank):
    chain = butterfly_chain(n, rank)
    assert chain.shape == (n, n) and chain.chainable
    assert set(chain.ranks) == {rank}
    assert not chain.redundant or len(chain) == 2


def test_errors_are_starred_and_without_ratios_to_that_of_rounding():
    task = approximation_cases([("hilbert", 16)], (1,))
    rows = measure_task([c for c in task if "nbfact" not in c.impl], 0.0, CALIBRATION)
    assert [row["error_ratio"] for row in rows] == [None] * len(rows)
    columns = {column.header: list(column.cells) for column in table(rows).columns}
    assert "ratio" not in columns
    assert sum(text.endswith("*") for text in columns["error"]) == len(rows) - 1


def test_every_curve_and_target_stands_in_the_full_registry():
    groups = {case.group for case in cases.registry("full")}
    assert {"approximation", "palm4msa error against time"} <= groups
