"""No method of the package is better than learn_transform at the same non-zeros."""

import functools
import itertools

import numpy as np
import pytest
from chains import operator_of

import nbfact as nf
from nbfact.algorithms.learn.starts import layer_shapes, split_budget


def gaussian(m, n, seed):
    return np.random.default_rng(seed).standard_normal((m, n))


def bank():
    """Return 40 targets of orders up to 16, and wide and tall ones, by name."""
    t = nf.targets
    x = np.sort(np.random.default_rng(3).uniform(size=(2, 16)), axis=1)
    found = {
        "gaussian 8": gaussian(8, 8, 0),
        "gaussian 12": gaussian(12, 12, 1),
        "gaussian 16": gaussian(16, 16, 2),
        "gaussian 10x16": gaussian(10, 16, 3),
        "gaussian 16x10": gaussian(16, 10, 4),
        "gaussian 6x15": gaussian(6, 15, 5),
        "dct 12": t.dct(12),
        "dct 16": t.dct(16),
        "dst 15": t.dst(15),
        "hartley 12": t.hartley(12),
        "hartley 16": t.hartley(16),
        "hadamard 12": t.hadamard(12),
        "hadamard 16": t.hadamard(16),
        "haar 16": t.haar(16),
        "slant 16": t.slant(16),
        "legendre 16": t.legendre(16),
        "hilbert 12": t.hilbert(12),
        "convolution 12": t.convolution(12, 0),
        "graph 12": t.graph_fourier(12, random_state=0),
        "graph 16": t.graph_fourier(16, random_state=1),
        "lead field": t.leadfield(8, 16),
        "planted": t.planted(16, 2, 3, random_state=0),
        "rotations": t.pair_rotations(16, 3, random_state=0),
        "butterfly": t.permuted_butterfly(16, random_state=0),
        "cauchy": 1 / (np.abs(x[0][:, None] - x[1]) + 0.05),
        "rbf": np.exp(-8 * (x[0][:, None] - x[1]) ** 2),
        "triangle": np.tri(14),
        "vandermonde": np.vander(np.linspace(-1, 1, 12), 10),
        "low rank and noise": gaussian(16, 3, 6) @ gaussian(3, 14, 7)
        + 0.1 * gaussian(16, 14, 8),
        "sparse and low rank": np.diag(gaussian(1, 16, 9)[0] * 3)
        + gaussian(16, 2, 10) @ gaussian(2, 16, 11),
        "band": np.triu(np.tril(gaussian(16, 16, 12), 2), -2),
        "blocks": np.kron(np.eye(4), gaussian(4, 4, 13)) + 0.1 * gaussian(16, 16, 14),
        "kronecker": np.kron(gaussian(4, 4, 15), gaussian(3, 4, 16)),
        "radices": operator_of(nf.Chain.mixed_radix([2, 3, 2]))[1],
        "rank two blocks": operator_of(nf.Chain.mixed_radix([4, 4], rank=2))[1],
        "bernoulli": np.sign(gaussian(16, 16, 17)),
        "toeplitz": gaussian(1, 31, 18)[0][
            np.subtract.outer(range(16), range(16)) + 15
        ],
        "random walk": np.cumsum(gaussian(12, 16, 19), axis=1),
        "dft 9": t.dft(9),
        "complex 8": gaussian(8, 8, 20) + 1j * gaussian(8, 8, 21),
        "wide gaussian": gaussian(8, 48, 22),
        "tall gaussian": gaussian(60, 6, 23),
        "wide lead field": t.leadfield(12, 72, random_state=0),
        "tall lead field": t.leadfield(16, 64, random_state=1).T,
        "wide mixture": gaussian(8, 3, 24) @ gaussian(3, 56, 25) + gaussian(8, 56, 26),
        "wide complex": gaussian(6, 40, 27) + 1j * gaussian(6, 40, 28),
    }
    for name, noise in (("dct 16", 1e-2), ("haar 16", 1e-3), ("hadamard 16", 0.1)):
        found[f"{name} with noise"] = t.noisy(found[name], noise, random_state=0)
    return found


BANK = bank()


def others(target, nnz):
    """Yield the name and the result of each other method, within the budget."""
    m, n = target.shape
    for count in (2, 3, 4):
        sets = split_budget(layer_shapes(m, n, count), nnz)
        yield f"palm4msa {count}", nf.palm4msa(target, sets)
        yield f"explore {count}", nf.explore(target, sets, random_state=0)
        if count > 2:
            rests = [
                nf.constraints.Sp((one.shape[1], n), min(k, one.shape[1] * n))
                for one, k in zip(
                    sets[:-1], np.geomspace(m * n, sets[-1].k, count)[1:].astype(int),
                    strict=True,
                )
            ]  # fmt: skip
            yield f"hierarchical {count}", nf.hierarchical(target, sets[:-1], rests)
    if m != n:
        yield from presets(target, nnz)
    for number, chain in enumerate(nf.chains((m, n), nnz)):
        if number < 60:
            name = f"chain {chain.patterns}"
            yield name, nf.butterfly_factorize(target, chain)
    if m == n and n & (n - 1) == 0:
        yield "identified", nf.identify_butterfly(target, random_state=0)


def presets(target, nnz):
    """Yield the results of `hierarchical` with the sets for MEG, and recoded ones."""
    wide = target if target.shape[0] < target.shape[1] else target.T
    for count, k, s in itertools.product((2, 3, 4), (1, 2, 3, 4), (2, 4)):
        preset = nf.presets.rectmat(count, min(k, len(wide)), s)
        found = nf.hierarchical(wide, preset)
        if found.operator.nnz <= nnz:
            yield f"preset {count, k, s}", found
            values = nf.refine(found, wide, n_iter=40)
            yield f"preset {count, k, s}, refined", values


def simple_errors(target, nnz):
    """Return the errors of the largest entries, and of the best low rank."""
    size = np.sort(np.abs(target).ravel())[::-1]
    sigma = np.linalg.svd(target, compute_uv=False)
    rank = nnz // sum(target.shape)
    total = np.linalg.norm(target)
    return np.linalg.norm(size[nnz:]) / total, np.linalg.norm(sigma[rank:]) / total


@functools.cache
def budget(name):
    """Return half of the entries, or what a fast transform has if that is less."""
    m, n = BANK[name].shape
    return min(m * n // 2, round(2 * max(m, n) * np.log2(min(m, n))))


@pytest.mark.slow
@pytest.mark.parametrize("name", BANK)
def test_nothing_in_the_package_is_better(name):
    target, nnz = BANK[name], budget(name)
    found = nf.learn_transform(target, nnz, random_state=0)
    assert found.operator.nnz <= nnz
    least = max(found.relative_error, 1e-13)
    for error in simple_errors(target, nnz):
        assert found.relative_error <= max(error, 1e-13)
    for method, other in others(target, nnz):
        if other.operator.nnz <= nnz:
            assert least <= max(other.relative_error, 1e-13) * (1 + 1e-9), method


def test_the_bank_has_at_least_forty_targets():
    assert len(BANK) >= 46 and max(min(one.shape) for one in BANK.values()) <= 16
