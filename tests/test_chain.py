"""Chain: patterns, checks, fusion and constructors; permutations of indices."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import random

from nbfact import Butterfly, Chain
from nbfact.operators import patterns as pt
from nbfact.operators import radices
from nbfact.operators import reorderings as permutations


def support(a, b, c, d):
    block = np.kron(np.eye(a, dtype=int), np.ones((b, c), int))
    return np.kron(block, np.eye(d, dtype=int)) > 0


# --------------------------------------------------------------------------------------
# Wrong arguments
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([], "patterns is empty"),
        ([(1, 2, 2, 0)], r"patterns\[0\]=\(1, 2, 2, 0\).*four positive integers"),
        ([(1, 2, 2, 1), (1, -2, 2, 1)], r"patterns\[1\]"),
        ([(1, 2.5, 2, 1)], r"patterns\[0\].*2\.5"),
        ([(1.0, 2, 2, 1)], r"patterns\[0\]"),
        ([(1, 2, 2)], r"patterns\[0\]"),
        ([(1, 2, 2, 1, 1)], r"patterns\[0\]"),
        ([3], r"patterns\[0\]=3"),
        (["abcd"], r"patterns\[0\]='abcd'"),
        ([(1, 2, 2, 2), (2, 3, 2, 1)], r"4 columns.*6 rows"),
    ],
)
def test_invalid_chains(patterns, message):
    with pytest.raises(ValueError, match=message):
        Chain(patterns)


def test_misuse_of_constructors():
    for wrong in (3, "abcd", {1, 2}):
        with pytest.raises(TypeError, match=r"^patterns=.*sequence"):
            Chain(wrong)
    for wrong in (12, (4, 8), 0, -4, (4,), (4, 4, 4)):
        for constructor in (Chain.square_dyadic, Chain.rank2):
            with pytest.raises(ValueError, match=r"^n="):
                constructor(wrong)
    for constructor in (
        Chain.square_dyadic,
        Chain.rank2,
        Chain.monarch,
        Chain.smallest,
    ):
        for wrong in (2.0, 2.5, (4, 4.0), True):
            with pytest.raises(TypeError, match=r"^(n|shape)=.*expected an integer"):
                constructor(wrong)
    with pytest.raises(ValueError, match=r"p=3 does not divide m=8"):
        Chain.monarch(8, p=3)
    with pytest.raises(ValueError, match=r"q=5 does not divide n=6"):
        Chain.monarch((8, 6), q=5)
    with pytest.raises(ValueError, match="p=0: expected"):
        Chain.monarch(8, p=0)
    for wrong in (0, (3, 0), (1, 2, 3)):
        for constructor in (Chain.monarch, Chain.smallest):
            with pytest.raises(ValueError, match="shape"):
                constructor(wrong)
    with pytest.raises(ValueError, match="0 factors"):
        Chain.mixed_radix([])
    with pytest.raises(ValueError, match="2 factors and 1 columns"):
        Chain.mixed_radix([2, 3], [6])
    with pytest.raises(ValueError, match="factors=0: expected at least 1"):
        Chain.mixed_radix([2, 0])
    with pytest.raises(TypeError, match=r"columns=2\.5"):
        Chain.mixed_radix([2, 3], [2.5, 2])
    with pytest.raises(ValueError, match="rank"):
        Chain.mixed_radix([2, 3], rank=0)
    chain = Chain.square_dyadic(8)
    for sizes in ([1, 1], [3, 1], [0, 3]):
        with pytest.raises(ValueError, match="sizes"):
            chain.fuse(sizes)
    with pytest.raises(TypeError, match=r"sizes=1\.5"):
        chain.fuse([1.5, 1.5])
    with pytest.raises(ValueError, match=r"shapes do not chain"):
        chain @ Chain.square_dyadic(4)
    with pytest.raises(ValueError, match="patterns is empty"):
        chain[3:]
    for wrong in (np.eye(4), 2, [(1, 2, 2, 4)]):
        with pytest.raises(TypeError):
            chain @ wrong
        with pytest.raises(TypeError):
            wrong @ chain


# --------------------------------------------------------------------------------------
# Results of the constructors
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", range(1, 9))
def test_dyadic_chains(p):
    n = 2**p
    dyadic, rank2 = Chain.square_dyadic(n), Chain.rank2(n)
    assert dyadic.patterns == tuple((2**i, 2, 2, n >> (i + 1)) for i in range(p))
    assert dyadic.n_parameters == 2 * n * p and dyadic.shape == (n, n)
    assert dyadic == Chain.square_dyadic((n, n)) == Chain.mixed_radix([2] * p)
    assert dyadic.ranks == (1,) * (p - 1) and dyadic.chainable
    assert rank2.patterns == tuple(
        (2**i, 2 if i == 0 else 4, 2 if i == p - 1 else 4, n >> (i + 1))
        for i in range(p)
    )
    assert rank2.ranks == (2,) * (p - 1) and rank2.shape == (n, n)
    assert dyadic.toarray().all() and rank2.toarray().all()
    if p > 1:
        assert not dyadic.T.chainable and dyadic.T.T == dyadic
        assert not dyadic.redundant
        with pytest.raises(ValueError, match="not chainable"):
            _ = dyadic.T.ranks


def test_orders_one():
    one = ((1, 1, 1, 1),)
    for constructor in (Chain.square_dyadic, Chain.rank2, Chain.smallest):
        assert constructor(1).patterns == one
    assert Chain.monarch(1).patterns == one * 2
    assert Chain.mixed_radix([1]).patterns == one


@pytest.mark.parametrize("shape", [(12, 12), (21, 16), (64, 16), (6, 35), (1, 9), 30])
def test_chains_for_any_shape(shape):
    wanted = shape if isinstance(shape, tuple) else (shape, shape)
    for constructor in (Chain.smallest, Chain.monarch):
        chain = constructor(shape)
        assert chain.shape == wanted and chain.chainable
        assert set(chain.ranks) <= {1}
        assert chain.toarray().all()
    assert len(Chain.monarch(shape)) == 2


def test_monarch_and_mixed_radix_by_hand():
    assert Chain.monarch((12, 10), 3, 2).patterns == ((1, 3, 2, 4), (2, 4, 5, 1))
    mixed = Chain.mixed_radix([2, 3, 5], [7, 1, 2], rank=3)
    assert mixed.patterns == ((1, 2, 21, 15), (7, 9, 3, 5), (7, 15, 2, 1))
    assert mixed.shape == (30, 14) and mixed.ranks == (3, 3)
    assert Chain.mixed_radix([2, 2], rank=2).redundant
    for patterns in (
        [(1, 2, 8, 4), (2, 8, 4, 2), (4, 4, 2, 1)],
        [(1, 2, 4, 4), (2, 4, 4, 2), (4, 4, 2, 1)],
    ):
        assert Chain(patterns).redundant and Chain(patterns).chainable


def test_a_chain_is_a_sequence():
    chain = Chain.square_dyadic(8)
    assert list(chain) == list(chain.patterns) and len(chain) == 3
    assert chain[0] == (1, 2, 2, 4) and chain[-1] == (4, 2, 2, 1)
    assert chain[:2] == Chain([(1, 2, 2, 4), (2, 2, 2, 2)])
    assert chain[:1] @ chain[1:] == chain
    assert (2, 2, 2, 2) in chain and chain.index((2, 2, 2, 2)) == 1
    assert chain == Chain([list(p) for p in chain]) == Chain(np.array(chain.patterns))
    assert chain != chain.T and chain != chain.patterns
    assert len({chain, Chain.square_dyadic(8), chain.T}) == 2
    assert repr(chain) == "Chain([(1, 2, 2, 4), (2, 2, 2, 2), (4, 2, 2, 1)])"
    assert eval(repr(chain)) == chain
    assert all(type(x) is int for x in itertools.chain(*Chain(np.array([[1] * 4]))))


@pytest.mark.parametrize("chain", [Chain.monarch((12, 10)), Chain.rank2(8).T])
def test_supports(chain):
    product = np.eye(chain.shape[0])
    for number, pattern in enumerate(chain):
        np.testing.assert_array_equal(chain.support(number), support(*pattern))
        assert chain.support(number).shape == pt.shape_of(pattern)
        product = product @ support(*pattern)
    np.testing.assert_array_equal(chain.toarray(), product > 0)
    np.testing.assert_array_equal(chain.T.toarray(), chain.toarray().T)


def test_plot():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    for chain in (Chain.square_dyadic(8), Chain([(1, 2, 3, 1)])):
        figure = chain.plot()
        assert isinstance(figure, Figure) and len(figure.axes) == len(chain)
        drawn = figure.axes[0].images[0].get_array()
        np.testing.assert_array_equal(drawn, ~chain.support(0))
        assert figure.axes[-1].get_title() == str(chain[-1])
    mine = Figure()
    assert Chain.monarch(12).plot(mine) is mine and len(mine.axes) == 2


def test_plot_without_matplotlib(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"nbfact\[study\]"):
        Chain.monarch(12).plot()


# --------------------------------------------------------------------------------------
# Fusion
# --------------------------------------------------------------------------------------

pairs = st.tuples(*[st.integers(1, 3)] * 6)


@given(pairs, st.booleans())
@settings(max_examples=60, deadline=None)
def test_fusion_is_the_product(numbers, turned):
    a, b, s, r, t, d = numbers
    left, right = (a, b, s * r, t * d), (a * s, r * t, 1 + b % 2, d)
    if turned:
        left, right = pt.transposed(right), pt.transposed(left)
    chain = Chain([left, right])
    values = [random(p, "complex128", i) for i, p in enumerate(chain)]
    expected = Butterfly(chain, values).toarray()
    fused = pt.fused_values(*values)
    assert fused.shape == pt.fused(left, right) == chain.fuse()[0]
    got = Butterfly([fused.shape], [fused]).toarray()
    np.testing.assert_allclose(got, expected, atol=1e-13)
    # The pattern is exactly the support of the product.
    np.testing.assert_array_equal(chain.toarray(), chain.fuse().support(0))


def test_fusion_in_groups():
    chain = Chain.square_dyadic(16)
    assert chain.fuse().patterns == ((1, 16, 16, 1),)
    assert chain.fuse([1, 1, 1, 1]) == chain
    assert chain.fuse([1, 3]).patterns == ((1, 2, 2, 8), (2, 8, 8, 1))
    both = chain @ chain.T
    assert both.fuse([4, 4]).patterns == ((1, 16, 16, 1),) * 2
    assert both.fuse([3, 2, 3])[1] == (8, 2, 2, 1)
    apart = Chain([(2, 2, 2, 3), (3, 2, 2, 2)])
    with pytest.raises(ValueError, match="neither they nor their transposes"):
        apart.fuse()


def test_prime_factors_and_their_products():
    assert [radices.prime_factors(n) for n in (1, 2, 97, 360)] == [
        [],
        [2],
        [97],
        [2, 2, 2, 3, 3, 5],
    ]
    assert [radices.near_root(n) for n in (1, 2, 36, 64, 1000)] == [1, 2, 4, 8, 40]
    assert radices.lumped([2, 2, 2, 2], 2) == [2, 8] and radices.lumped([3], 1) == [3]


# --------------------------------------------------------------------------------------
# Permutations
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", range(7))
def test_bit_reversal(p):
    n = 2**p
    expected = [int(format(i, f"0{p}b")[::-1], 2) if p else 0 for i in range(n)]
    np.testing.assert_array_equal(permutations.bit_reversal(n), expected)
    np.testing.assert_array_equal(permutations.digit_reversal([2] * p), expected)
    np.testing.assert_array_equal(permutations.dao(n, True, False, False), expected)


@pytest.mark.parametrize("factors", [[2, 3], [3, 2], [2, 3, 5], [7], [1, 4, 1]])
def test_digit_reversal(factors):
    got = permutations.digit_reversal(factors)
    for position, digits in enumerate(itertools.product(*map(range, factors))):
        value, weight = 0, 1
        for digit, radix in zip(digits, factors, strict=True):
            value += weight * digit
            weight *= radix
        assert got[position] == value


def test_makhoul_and_the_eight_of_dao():
    np.testing.assert_array_equal(permutations.makhoul(1), [0])
    np.testing.assert_array_equal(permutations.makhoul(5), [0, 2, 4, 3, 1])
    found = set()
    for bits in itertools.product([False, True], repeat=3):
        got = permutations.dao(16, *bits)
        np.testing.assert_array_equal(np.sort(got), np.arange(16))
        found.add(tuple(got))
        np.testing.assert_array_equal(permutations.dao(1, *bits), [0])
    assert len(found) == 8 and tuple(range(16)) in found
    for wrong in (0, 6, -2):
        with pytest.raises(ValueError, match=f"n={wrong}"):
            permutations.bit_reversal(wrong)
        with pytest.raises(ValueError, match=f"n={wrong}"):
            permutations.dao(wrong, True, False, False)
    with pytest.raises(ValueError, match="n=0"):
        permutations.makhoul(0)
