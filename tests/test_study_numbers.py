"""Numbers of tradeoff, noise, scale, cost and dao against those of references."""

import json
import math

import numpy as np
import pytest
from samples import ACCEPTANCE

import nbfact as nf
from nbfact.cases.rivals import faust, peers
from nbfact.studies import cost, dao, noise, scale, ties, tradeoff

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_matrix_of_the_anchors_is_that_of_the_acceptance_data():
    target = tradeoff.dipoles(48, 512)
    assert np.linalg.norm(target) == pytest.approx(132.70481180462755, rel=1e-10)
    assert target[0, 0] == pytest.approx(0.18761903957658563, rel=1e-10)
    grid = dict(tradeoff.QUICK.grids)[48, 512]
    assert len(grid) >= 10 and set(tradeoff.ANCHORS) <= set(grid)


@pytest.mark.compiled
def test_the_errors_of_pyfaust_are_beaten():
    target = tradeoff.dipoles(48, 512)
    singular = np.linalg.svd(target, compute_uv=False)
    for jks, (anchor, nnz) in tradeoff.ANCHORS.items():
        (row,) = tradeoff.rows_of("rectmat", jks, target, singular, False)
        assert row["beaten"] == "yes"
        assert row["refined"] < row["error"] < anchor < row["svd"]
        assert row["nnz"] <= nnz


def test_noise_follows_the_protocol_of_the_acceptance_data():
    target, clean = noise.instance(32, 1e-2, 3)
    difference = target - clean
    drawn = np.random.default_rng(3).standard_normal((32, 32))
    assert np.linalg.norm(difference) == pytest.approx(1e-2 * np.linalg.norm(clean))
    np.testing.assert_allclose(
        difference / np.linalg.norm(difference), drawn / np.linalg.norm(drawn)
    )
    permuted, same = noise.instance(32, noise.PERMUTED, 3)
    assert permuted is same
    order = np.random.default_rng(103).permutation(32)
    np.testing.assert_array_equal(permuted, nf.targets.hadamard(32)[order])


@pytest.mark.compiled
@pytest.mark.skipif(not ACCEPTANCE.exists(), reason="no shared acceptance data")
@pytest.mark.skipif(not peers.installed("pyfaust"), reason="pyfaust is not installed")
@pytest.mark.parametrize("key", ["splincol", "skperm"])
def test_pyfaust_run_live_gives_the_answers_of_the_acceptance_data(key):
    file = ACCEPTANCE / "faust-noise-robustness.json"
    answers = json.loads(file.read_text())["results"][f"hier2016 {key}"]
    preset = {"splincol": "hadamard", "skperm": "hadamard_skperm"}[key]
    for level, prefix in ((1e-4, "noise 1e-4"), (noise.PERMUTED, "row permuted")):
        answer = next(v for k, v in answers.items() if k.startswith(prefix))
        target, clean = noise.instance(32, level, 1)
        got = faust.hierarchical(target, preset, 2016)()
        assert nf.relative_error(clean, got) == pytest.approx(answer[1], abs=1e-4)


def test_the_published_sets_find_the_hadamard_matrix_with_one_rule_for_ties_only():
    errors = {name: ties._published(name, 8)[0]["error"] for name in ties.SETS}
    exact = {name for name, error in errors.items() if error < 1e-12}
    assert exact == {"i xor j", "SkPerm"}
    assert errors["Sp"] == pytest.approx(math.sqrt(3) / 2)


@pytest.mark.parametrize("n", [8, 32])
def test_the_targets_of_scale_are_square_finite_and_reproducible(n):
    made = scale.families(n)
    assert len(made) == 8
    for name, make in made.items():
        if name == "digits":
            continue  # scikit-learn starts threads of its own and warns
        target = make(n, np.random.default_rng(1))
        assert target.shape == (n, n) and np.isfinite(target).all(), name
        np.testing.assert_array_equal(target, make(n, np.random.default_rng(1)))


def test_wins_and_means_of_scale():
    errors = {("a", 0): 0.1, ("b", 0): 0.2, ("a", 1): 0.4, ("b", 1): 0.4}
    rows = [
        {"method": "m", "target": "t", "seed": s, "scaling": o, "error": e, "nnz": 1}
        for (o, s), e in errors.items()
    ]
    (lines,) = scale.tables(rows).values()
    assert lines[0]["wins"] == lines[1]["wins"] == "2 / 1"
    assert lines[0]["a"] == "0.25 (0.1..0.4)"
    assert (lines[1]["a"], lines[1]["b"]) == ("1.000", "1.414")


def test_slopes_and_operations_of_cost():
    assert cost.slope([1, 2, 4, 8], [5, 20, 80, 320]) == pytest.approx(2)
    # Each of the two factors of n k entries is updated with A; the second one is also
    # multiplied by the first.
    n, k = 16, 2
    expected = 2 * (8 * n * n * k + 8 * n * n) + 4 * n * n * k
    assert cost.operations(n, 2, k)[0] == expected


def test_the_targets_of_dao_are_those_of_the_paper():
    made = {name: dao.target(name, 8) for name in dao.PUBLISHED}
    assert {len(numbers) for numbers in dao.PUBLISHED.values()} == {len(dao.SIZES)}
    for name in ("DFT", "Hadamard", "Hartley"):
        assert np.linalg.norm(made[name]) == pytest.approx(math.sqrt(8)), name
    assert made["DCT"][0, 0] == pytest.approx(2 / math.sqrt(8))  # not orthonormal
    assert np.linalg.norm(made["Hilbert"], 2) == pytest.approx(1)
    np.testing.assert_allclose(made["Hilbert"][0, 0] / made["Hilbert"][1], np.r_[2:10])
    circular = made["convolution"]
    np.testing.assert_array_equal(circular[1:, 1:], circular[:-1, :-1])
    # Legendre polynomials 0 and 1 on the inner points of a grid of [-1, 1].
    points = np.linspace(-1, 1, 10)[1:-1]
    np.testing.assert_allclose(math.sqrt(8) * made["Legendre"][:2], [points**0, points])


@pytest.mark.compiled
def test_the_published_errors_are_beaten_by_learning():
    for name in ("DFT", "Hadamard", "Hartley"):
        (row,) = dao._rows(name, 16, dao.QUICK)
        assert row["learned"] < row["published"] < dao.SUCCESS
