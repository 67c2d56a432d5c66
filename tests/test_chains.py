"""Chains within a budget, and the best one for a matrix."""

import itertools
import math

import numpy as np
import pytest
from chains import operator_of

import nbfact as nf
from nbfact.algorithms.butterfly.chain_search import CutLosses
from nbfact.operators.patterns import is_chainable, shape_of


def gaussian(m, n, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n))


def orthogonal(n, seed):
    return np.linalg.qr(gaussian(n, n, seed))[0]


def product_of(chain):
    return operator_of(chain)[1]


def patterns_within(rows, nnz):
    """Yield all patterns of some number of rows with at most nnz values."""
    for a, b in itertools.product(range(1, rows + 1), repeat=2):
        if rows % (a * b) == 0:
            d = rows // (a * b)
            for c in range(1, nnz // rows + 1):
                yield a, b, c, d


def all_chains(shape, nnz, start=()):
    """Return every chainable chain by trying each pattern after each."""
    found = set()
    rows = shape_of(start[-1])[1] if start else shape[0]
    for pattern in patterns_within(rows, nnz):
        if not start and pattern[0] != 1:
            continue
        if start and not is_chainable(start[-1], pattern):
            continue
        chain = nf.Chain([*start, pattern])
        if chain.redundant:
            continue
        if chain.shape[1] == shape[1] and pattern[3] == 1:
            found.add(chain)
        found |= all_chains(shape, nnz - math.prod(pattern), chain.patterns)
    return found


@pytest.mark.parametrize(
    ("shape", "nnz"), [((4, 4), 15), ((6, 4), 20), ((5, 3), 14), ((1, 6), 6)]
)
def test_all_chains_of_both_sides_cheapest_first(shape, nnz):
    listed = list(nf.chains(shape, nnz))
    turned = {chain.T for chain in all_chains(shape[::-1], nnz)}
    assert set(listed) == all_chains(shape, nnz) | turned
    assert len(set(listed)) == len(listed)
    sizes = [chain.n_parameters for chain in listed]
    assert sizes == sorted(sizes) and all(chain.shape == shape for chain in listed)


def test_budgets_of_chains():
    known = set(nf.chains(16, 160))
    assert nf.Chain.square_dyadic(16) in known and nf.Chain.monarch(16) in known
    assert nf.Chain.monarch(16).T in known
    assert max(chain.n_parameters for chain in nf.chains(4)) == 12  # below 16
    assert list(nf.chains(7, 13)) == [] and list(nf.chains((1, 5), 4)) == []
    first = next(nf.chains(5040, 10**6))  # 60 divisors: too many to list all
    assert first.chainable and first.n_parameters < 10**5


@pytest.mark.parametrize(
    ("shape", "nnz", "message"),
    [
        (0, 3, "shape=0: expected at least 1"),
        ((2, 3, 4), 3, "expected an order, or a shape"),
        (4, 0, "nnz=0: expected at least 1"),
    ],
)
def test_wrong_arguments_of_chains(shape, nnz, message):
    with pytest.raises(ValueError, match=message):
        nf.chains(shape, nnz)


EXACT = {
    "dft 12": (nf.targets.dft(12), 84),
    "dft 24": (nf.targets.dft(24), 216),
    "kronecker": (np.kron(orthogonal(8, 0), orthogonal(4, 1)), 384),
    "radices 3 2 2": (product_of(nf.Chain.mixed_radix([3, 2, 2])), 84),
    "transposed": (product_of(nf.Chain.mixed_radix([3, 2, 2])).T, 84),
    "rank 2": (product_of(nf.Chain.mixed_radix([3, 4], rank=2)), 168),
    "rectangular": (product_of(nf.Chain.smallest((8, 12))), 60),
    "low rank": (gaussian(12, 2) @ gaussian(2, 9), 42),
    "blocks of rank one": (
        np.vstack([np.outer(x[0], x[1]) for x in gaussian(4, 8).reshape(4, 2, 4)]),
        32,
    ),
    "hadamard": (nf.targets.hadamard(16), 128),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_chain_of_a_matrix_is_found(name):
    target, nnz = EXACT[name]
    found = nf.butterfly_factorize(target, chain="search", nnz=nnz)
    assert found.relative_error < 1e-13 and found.bound < 1e-10
    assert found.operator.nnz <= nnz
    assert nf.relative_error(target, found.operator) < 1e-13
    with_more = nf.butterfly_factorize(target, chain="search", nnz=target.size)
    assert with_more.operator.nnz == found.operator.nnz  # the fewest values


@pytest.mark.compiled
@pytest.mark.parametrize("shape", [(8, 8), (6, 8), (9, 6)])
def test_no_chain_of_the_budget_is_better(shape):
    target = gaussian(*shape)
    nnz = target.size * 3 // 4
    found = nf.butterfly_factorize(target, chain="search", nnz=nnz)
    others = [nf.butterfly_factorize(target, one) for one in nf.chains(shape, nnz)]
    assert found.operator.nnz <= nnz
    assert found.relative_error <= min(one.relative_error for one in others) + 1e-12
    assert found.lower_bound <= found.relative_error <= found.bound + 1e-12


def test_cosines_are_found_in_the_order_of_makhoul():
    target = nf.targets.dct(12)
    found = nf.butterfly_factorize(target, "search", nnz=130, permutation="search")
    assert (found.permutation, found.operator.nnz) == ("makhoul", 96)
    assert found.relative_error < 1e-14
    turned = nf.butterfly_factorize(target.T, "search", nnz=130, permutation="search")
    assert turned.transposed and turned.relative_error < 1e-14


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("rows", [False, True])
def test_losses_of_cuts_are_errors_of_two_factors(rows, columns):
    target = gaussian(6, 8)
    cuts = np.array([(1, 1, 1), (2, 4, 1), (3, 2, 1), (3, 2, 2), (6, 8, 1)])
    losses = CutLosses(target, rows, columns).of(cuts, math.inf)
    assert losses[0] == losses[-1] == 0
    for (p, q, rank), loss in zip(cuts[1:-1].tolist(), losses[1:-1], strict=True):
        chain = nf.Chain.mixed_radix([p, 6 // p], [q, 8 // q], rank=rank)
        order = nf.operators.reorderings.digit_reversal
        known = nf.butterfly_factorize(
            target,
            chain,
            permutation=(
                order([p, 6 // p]) if rows else None,
                order([q, 8 // q]) if columns else None,
            ),
            transpose=False,
        )
        assert np.isclose(loss, known.relative_error * np.linalg.norm(target))


def test_options_of_the_search():
    target = gaussian(6, 6)
    straight = nf.butterfly_factorize(target, "search", nnz=24, transpose=False)
    assert not straight.transposed
    turned = nf.butterfly_factorize(target, "search", nnz=24, transpose=True)
    assert turned.transposed
    zero = nf.butterfly_factorize(np.zeros((4, 4)), "search", nnz=12)
    assert zero.relative_error == 0 and not zero.operator.toarray().any()
    huge = nf.butterfly_factorize(1e300 * np.ones((4, 6)), "search", nnz=12)
    assert huge.relative_error < 1e-15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chain": "search"}, 'chain="search" needs nnz'),
        ({"chain": "best", "nnz": 12}, "chain='best': expected one of"),
        ({"chain": "search", "nnz": 5}, "nnz=5: no chain for 6 x 6 has so few"),
        ({"nnz": 12}, 'nnz is for chain="search"'),
        ({"chain": "search", "nnz": 12, "model": "sum"}, "finds a product"),
        ({"chain": "search", "nnz": 12, "permutation": "makhoul"}, "finds a product"),
    ],
)
def test_wrong_options_of_the_search(options, message):
    with pytest.raises(ValueError, match=message):
        nf.butterfly_factorize(np.eye(6), **options)
