"""The profile of the gate has a case for what users call, in rotating dtypes."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from samples import LATER

import nbfact as nf
from nbfact.cases import registry
from nbfact.cases.plans import adjoint_plan_cases, permuted_cases
from nbfact.cases.public_verbs import adjoint_cases, verb_cases, way_cases
from nbfact.cases.set_projections import set_cases
from nbfact.cases.sum_of_butterflies import sum_cases
from nbfact.harness.versions import alongside
from nbfact.kernels import panels

GROUPS = {
    "butterfly_factorize": "butterfly factorize",
    "chains": "chains",
    "explore": "patterns learned",
    "hierarchical": "palm4msa hierarchical",
    "identify_butterfly": "patterns learned",
    "learn_butterfly": "butterfly learned",
    "learn_transform": "learn_transform",
    "omp": "sparse codes",
    "palm4msa": "palm4msa sweeps",
    "refine": "refine",
    "Butterfly": "butterfly",
    "Chain": "butterfly plans",
    "FactorProduct": "planted",
    "FastOperator": "butterfly adjoint",
    "NearestRows": "assignment",
    "QuicKMeans": "clustering objective",
    "FastDictionary": "dictionary learning",
}
"""The group of a case in which a public name does its work."""

NO_CASE = {
    "Factorization": "holds a result",
    "load": "reads a file",
    "relative_error": "a metric: its time is that of one dense difference",
    "tradeoff": "learn_transform once for each budget, and timed products",
    "threads": "a block that changes a setting",
    "ClusterNeighbors": "a search in the clusters of QuicKMeans, in scikit-learn",
    "ClusterNeighborsClassifier": "as ClusterNeighbors",
    "QuickNystroem": "QuicKMeans, and one product",
    **dict.fromkeys(
        "constraints kernels metrics operators presets targets transforms".split(),
        "a namespace",
    ),
}
"""Public names without a case, and why."""


def own(turn):
    cases = registry.registry("pr", turn=turn)
    return [case for case in cases if case.impl.startswith("nbfact")]


def test_every_public_name_has_a_case_or_a_reason():
    public = {name for name in dir(nf) if name in nf.__all__ or name[0].isupper()}
    public -= {"Any", "TYPE_CHECKING"}
    assert public == GROUPS.keys() | NO_CASE.keys()
    for turn in range(len(registry.TURNS)):
        groups = {case.group for case in own(turn)}
        if not {"clustering objective"} <= groups:
            pytest.importorskip("sklearn")
        assert set(GROUPS.values()) <= groups


@pytest.mark.parametrize("turn", range(len(registry.TURNS)))
def test_a_turn_adds_cases_of_its_dtype_and_columns_in_both_directions(turn):
    dtype, batch = registry.TURNS[turn]
    fixed = {case.name for case in registry.registry("pr")}
    names = [case.name for case in own(turn)]
    assert len(names) == len(set(names))
    added = [case for case in own(turn) if case.name not in fixed]
    ways = [f"{k}{way}" for k in ("butterfly", "planted") for way in ("", " adjoint")]
    for group in (*ways, "butterfly rows", "planted rows", "butterfly out"):
        chosen = [case for case in added if case.group == group]
        assert chosen
        for case in chosen:
            assert (case.params["dtype"], case.params["batch"]) == (dtype, batch)
    assert {case.group for case in added} & {"dct", "dft"}
    assert [case.name for case in own(turn + len(registry.TURNS))] == names


def test_all_turns_together_have_every_dtype_with_one_vector_and_with_columns():
    dtypes = ("float32", "float64", "complex64", "complex128")
    assert set(registry.TURNS) == {(d, batch) for d in dtypes for batch in (1, 16)}


def test_a_comparison_asks_for_a_turn_where_the_registry_knows_it():
    with_turn = alongside.chosen_cases(registry, "pr", "nbfact", 3)
    assert "refine n=16 float64 [nbfact]" in with_turn
    assert "refine n=16 float64 [nbfact]" not in alongside.chosen_cases(
        registry, "pr", "nbfact"
    )
    assert "refine n=16 float64 [nbfact]" in alongside.every_case(registry, "nbfact", 3)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("batch", [1, 3])
def test_adjoint_products_are_right_and_wrong_ones_are_not(dtype, batch):
    for case in adjoint_cases(("butterfly", "planted"), 16, dtype, batch):
        inputs = case.make(np.random.default_rng(0))
        want = case.reference(inputs)
        dense = inputs.operator.dense.conj().T @ inputs.x
        np.testing.assert_allclose(want.astype(dtype), dense, rtol=1e-4, atol=1e-4)
        got = case.prepare(inputs)()
        assert case.error(got, want) <= case.bound < case.error(got * 1.001, want)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("batch", [1, 3])
def test_products_from_the_left_and_into_an_array_are_right(dtype, batch):
    for case in way_cases(16, dtype, batch):
        inputs = case.make(np.random.default_rng(0))
        want, dense = case.reference(inputs), inputs.operator.dense
        rows = case.group.endswith("rows")
        known = inputs.x @ dense if rows else dense @ inputs.x
        np.testing.assert_allclose(want.astype(dtype), known, rtol=1e-4, atol=1e-4)
        call = case.prepare(inputs)
        assert case.error(call(), want) <= case.bound < case.error(call() * 1.001, want)


SMALL = [
    *set_cases(8, "float64"),
    *set_cases(8, "float32"),
    *set_cases(8, "complex128"),
    *adjoint_plan_cases([("rank 2", 8), ("monarch", 16)], ("complex64",), (1, 3)),
    *permuted_cases([("dyadic", 8), ("monarch", 16)], ("complex64",), (1, 3)),
    *adjoint_cases(("dct",), 8, "float32", 3),
    *sum_cases(8, 20, "float32"),
]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=case.name, marks=LATER * (case.params["dtype"] != "float64")
        )
        for case in SMALL
    ],
)
def test_small_cases_are_right_and_wrong_results_are_not(case):
    inputs = case.make(np.random.default_rng(0))
    want = case.reference(inputs)
    got = case.prepare(inputs)()
    wrong = (got + 1) % 8 if got.dtype.kind == "i" else got * 1.001
    assert case.error(got, want) <= case.bound < case.error(wrong, want)


def test_the_profile_nightly_has_every_turn_and_large_sizes():
    nightly = {case.name for case in registry.registry("nightly")}
    for turn in range(len(registry.TURNS)):
        assert {case.name for case in registry.registry("pr", turn=turn)} <= nightly
    assert "butterfly n=8192 batch=16 complex128 [nbfact Butterfly @]" in nightly


@pytest.mark.slow
def test_verbs_return_operators_near_their_targets():
    for case in verb_cases(8):
        target = case.make(np.random.default_rng(0))
        got = case.prepare(target)()
        assert case.error(got, case.reference(target)) < 1


def kernels_that_the_package_calls():
    """Return the names of functions that other rooms import from nbfact/kernels."""
    package = Path(nf.__file__).parent
    names = set()
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0]
        if room in ("kernels", "cases", "studies", "harness"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            if place.split(".")[0] == "kernels":
                names |= {alias.name for alias in node.names}
    return {name for name in names if name[0].islower()} - {"kernels"}


@pytest.mark.slow
def test_every_kernel_that_the_package_calls_has_a_case():
    wanted = kernels_that_the_package_calls()
    assert len(wanted) > 60 and {"chain_norm", "nearest_rows", "blocks_rows"} <= wanted
    if not panels.MANY:  # BLAS is called in their place
        wanted -= {name for name in wanted if name.startswith("dense_panels_")}
    script = Path(__file__).with_name("reached_kernels.py")
    done = subprocess.run(
        [sys.executable, script, *wanted],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    assert wanted <= json.loads(done.stdout).keys()
