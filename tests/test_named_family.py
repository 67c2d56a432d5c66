"""Transforms that learn_transform names, with rows and columns in any order."""

import re

import numpy as np
import pytest
from test_families import orthogonal, shuffled

import nbfact as nf
from nbfact.algorithms.learn.families import transform_matching as matching
from nbfact.algorithms.learn.families.key_matching import by_keys


def test_a_named_transform_with_noise_is_said_with_the_error():
    target = nf.targets.noisy(nf.targets.haar(32), 1e-3, random_state=0)
    options = {"families": ["named transforms", "chains"], "random_state": 0}
    found = nf.learn_transform(target, 152, **options)
    assert found.structure == "haar, relative error 0.001"
    assert 5e-4 < found.relative_error < 2e-3
    # What has less error, or fits the budget, is not the transform; its name is said.
    noisy = nf.targets.noisy(nf.targets.haar(16), 1e-3, random_state=0)
    few = nf.learn_transform(noisy, 20, **options)
    assert few.structure.startswith("sparse matrix, relative error")
    assert few.structure.endswith("; near haar, relative error 0.001")
    cyclic = nf.targets.convolution(16, 3)  # what it is, is said once
    fewer = nf.learn_transform(cyclic, 100, families=["convolutions"])
    assert re.fullmatch(r"circulant, as sparse matrix.*0\.\d+", fewer.structure)
    named = nf.learn_transform(nf.targets.dct(64), 5000, **options)
    assert re.match("dct type 2(, as |$)", named.structure)
    few = nf.learn_transform(nf.targets.dct(64), 1700, **options)
    assert few.operator.nnz <= 1700 and few.relative_error < 1e-13


@pytest.mark.parametrize("n", [8, 15])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
@pytest.mark.parametrize("name", ["dct", "dst"])
def test_cosines_up_to_permutations_signs_and_scalings(name, noise, n):
    rng = np.random.default_rng(n)
    for kind in (1, 2, 3, 4):
        known = getattr(nf.transforms, name)(n, kind).toarray()
        left, right = rng.uniform(0.5, 2, (2, n)) * rng.choice([-1, 1], (2, n))
        target = left[:, None] * shuffled(known, n) * right
        target = nf.targets.noisy(target, noise, random_state=0) if noise else target
        match = matching.matched(target, known, matching.by_columns)
        assert match is not None and match.error <= max(2 * noise, 1e-12)
        placed = known if match.rows is None else known[match.rows]
        placed = placed if match.columns is None else placed[:, match.columns]
        rebuilt = match.left[:, None] * placed * match.right
        assert np.isclose(nf.relative_error(target, rebuilt), match.error, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "finder", "n"),
    [
        ("haar", matching.by_supports, 16),
        ("hadamard", matching.by_signs, 16),
        ("hadamard", by_keys, 16),
        ("hadamard", by_keys, 20),
        ("hadamard", by_keys, 28),
        ("dft", matching.by_phases, 15),
    ],
)
def test_other_transforms_up_to_permutations_and_scalings(name, finder, n):
    known = getattr(nf.transforms, name)(n).toarray()
    rng = np.random.default_rng(0)
    left, right = rng.uniform(0.5, 2, (2, n))
    for noise in (0.0, 1e-3):
        target = left[:, None] * shuffled(known) * right
        target = nf.targets.noisy(target, noise, random_state=0) if noise else target
        match = matching.matched(target, known, finder)
        assert match is not None and match.error <= max(2 * noise, 1e-12)
        assert match.words.startswith(
            ", rows and columns permuted, rows and columns scaled"
        )
    assert matching.matched(orthogonal(n, 0), known, finder) is None


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (nf.targets.haar(4), nf.targets.haar(4), "separable haar, 4 x 4"),
        (nf.targets.dct(6), nf.targets.dct(4), "separable dct type 2, 4 x 6"),
        (
            nf.targets.hadamard(4),
            nf.targets.dct(5),
            "separable hadamard x dct type 2, 4 x 5",
        ),
    ],
)
def test_separable_transforms_in_any_order_are_named(left, right, words):
    target = shuffled(np.kron(left, right), 2)
    target = target * np.random.default_rng(0).choice([-1, 1], len(target))
    found = nf.learn_transform(target, target.size, families=["named transforms"])
    said = [trial for trial in found.trials if trial.method == "named transform"]
    assert said[0].error < 1e-14
    assert said[0].structure.startswith(f"{words}, rows and columns permuted")
    plain = nf.learn_transform(np.kron(left, right), 10, families=["named transforms"])
    assert {trial.error < 1e-14 for trial in plain.trials[1:]} == {True}
    assert "permuted" not in plain.trials[1].structure


def test_words_of_what_was_done():
    known = nf.targets.dct(8)
    for target, words in (
        (known, ""),
        (-3 * known, ""),
        (known[::-1], ", rows permuted"),
        (known * np.arange(1, 9), ", columns scaled"),
        (known * np.array([1, -1] * 4)[:, None], ", rows with signs"),
    ):
        match = matching.matched(target, known, matching.by_columns)
        assert match is not None and match.words == words and match.error < 1e-12
    zero = np.diag([1.0, 0, 1])
    assert matching.balanced(zero) is None
    assert matching.balanced(np.triu(np.ones((3, 3)))) is not None  # nearly a diagonal


@pytest.mark.parametrize("n", [16, 24])
def test_hartley_transforms_with_any_order_are_named(n):
    rng = np.random.default_rng(5000)
    matrix = nf.targets.hartley(n)[rng.permutation(n)][:, rng.permutation(n)]
    matrix *= rng.choice([-1.0, 1.0], (n, 1))
    found = nf.learn_transform(
        matrix, nnz=n * n, families=("named transforms",), random_state=0
    )
    assert found.relative_error < 1e-14
    assert found.structure.startswith("hartley, rows and columns permuted")
