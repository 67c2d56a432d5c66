"""`Chain` and its methods."""

import math

import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from ..cases import BAD, ODD, Value, called, entry
from ..checks import dense, near_operator, true
from ..pools import (
    NO_INTEGERS,
    count,
    figure_pool,
    fixed,
    listed_values,
    optional,
    or_none,
)
from .constructors import CHAINS, NO_CHAINS

TEXTS = [f"nf.Chain({text})" if text.startswith("[") else text for text in CHAINS]
PATTERNS = [
    "[(1, 2, 3, 2), (3, 2, 2, 1)]",
    "((1, 3, 4, 1),)",
    "[[2, 2, 2, 1]] * 3",
    "[(np.int64(1), 2, 2, 1)]",
    "nf.Chain.rank2(4)",
    "nf.Chain.square_dyadic(8).patterns",
]
BUTTERFLIES = ("butterfly", "dyadic", "dropped")


def a_chain(draw):
    """Draw the pool of one chain."""
    length = draw(st.integers(1, 3))
    radices = st.lists(st.integers(1, 4), min_size=length, max_size=length)
    rows, columns, rank = draw(radices), draw(radices), draw(st.integers(1, 2))
    text = f"nf.Chain.mixed_radix({rows}, {columns}, {rank})"
    more = ["nf.Chain.rank2(8)", "nf.Chain.smallest(12)", "nf.Chain([(2, 1, 3, 2)])"]
    return fixed(draw(st.sampled_from([text, text, text, *TEXTS, *more])))


def supports(chain):
    found = []
    for a, b, c, d in chain:
        found.append(np.kron(np.kron(np.eye(a), np.ones((b, c))), np.eye(d)) > 0)
    return found


def chain_check(patterns):
    def check(call):
        chain = call.result
        expected = tuple(tuple(map(int, p)) for p in patterns(call))
        true(isinstance(chain, nf.Chain), type(chain).__name__)
        true(chain.patterns == expected, f"{chain.patterns}, {expected} expected")
        true(chain.n_parameters == sum(math.prod(p) for p in expected), "n_parameters")

    return check


def shape_check(shape):
    """Return the check that a chain is chainable and has the shape of a call."""

    def check(call):
        chain = call.result
        m, n = shape(call)
        true(chain.shape == (m, n), f"shape {chain.shape}, {(m, n)} expected")
        true(chain.chainable, f"{chain} is not chainable")

    return check


def order_or_shape(name):
    def shape(call):
        value = call[name]
        if np.ndim(value) == 0:
            return int(value), int(value)
        return tuple(map(int, value))

    return shape


@entry("Chain", chain_check(lambda call: call["patterns"]))
def _(draw):
    odd = [
        Value("np.array([[1, 2, 2, 1]])", "array", ODD),
        Value("[(2**40, 2, 2, 2**40)]", "huge", ODD),
    ]
    some = draw(st.lists(st.integers(1, 4), min_size=3, max_size=3))
    some = f"[({some[0]}, {some[1]}, 2, {some[2]})]"
    bad = [text for text in NO_CHAINS if text != "np.zeros((1, 4))"]
    return called(
        "nf.Chain", {"patterns": listed_values([*PATTERNS, some, some, some], bad, odd)}
    )


ORDERS = count(1, 12, huge=ODD)


def orders(good, odd=()):
    """Return the pool of an order or a shape."""
    bad = [
        "(3, 4, 5, 6)",
        "(0, 4)",
        "('a', 4)",
        "(2.5, 4)",
        "(True, 4)",
        "()",
        "(4,)",
        "(4, -4)",
        "(4, None)",
    ]
    wrong = [Value(text, "wrong shape", BAD) for text in bad]
    plain = [value for value in NO_INTEGERS if value.kind not in ("sequence", "array")]
    small = [Value(text, "too small", BAD) for text in ("0", "-1", "-2**63")]
    huge = [
        Value(text, "huge", ODD)
        for text in (
            "2**31",
            "2**40",
            "2**63",
            "2**64",
            "10**30",
            "2**61 - 1",
            "(2**40, 2**40)",
        )
    ]
    return listed_values(good, [*wrong, *plain, *small], [*huge, *odd])


for _name in ("square_dyadic", "rank2"):

    @entry(f"Chain.{_name}", shape_check(order_or_shape("n")), words=("order",))
    def recipe(draw, name=_name):
        pool = orders(
            ["2", "4", "8", "(4, 4)", "[8, 8]", "np.int64(16)"],
            ["3", "(4, 8)", "1", "12"],
        )
        return called(f"nf.Chain.{name}", {"n": pool})


@entry("Chain.smallest", shape_check(order_or_shape("shape")))
def _(draw):
    pool = orders(["1", "6", "(4, 6)", "[5, 7]", "np.int64(12)", "(1, 3)"])
    return called("nf.Chain.smallest", {"shape": pool})


@entry("Chain.monarch", shape_check(order_or_shape("shape")))
def _(draw):
    divisors = listed_values(
        ["1", "2", "np.int64(3)", "6"],
        [*NO_INTEGERS[:-1], "0", "-2", "5", "7"],
        ["2**63"],
    )
    pools = {
        "shape": orders(["6", "(6, 12)", "[18, 6]"]),
        "p": or_none(divisors),
        "q": or_none(divisors),
    }
    return called("nf.Chain.monarch", pools)


def radix_check(call):
    rows = [int(v) for v in call["factors"]]
    columns = rows if call.get("columns") is None else [int(v) for v in call["columns"]]
    true(
        call.result.shape == (math.prod(rows), math.prod(columns)),
        f"shape {call.result.shape}",
    )
    rank = int(call.get("rank", 1))
    true(call.result.ranks == (rank,) * (len(rows) - 1), f"ranks {call.result.ranks}")


@entry("Chain.mixed_radix", radix_check)
def _(draw):
    bad = [
        "[]",
        "None",
        "3",
        "'ab'",
        "[0, 2]",
        "[-2]",
        "[2.5]",
        "[True]",
        "[None]",
        "['a']",
        "object()",
        "{}",
        "[[2, 3]]",
        "1.5",
        "np.nan",
    ]
    length = draw(st.integers(1, 3))
    good = [
        str(draw(st.lists(st.integers(1, 4), min_size=length, max_size=length)))
        for _ in range(2)
    ]
    longer = str([2] * (length + 1))
    pools = {
        "factors": listed_values(
            [good[0], f"tuple({good[0]})", f"np.array({good[0]})"], bad, ["[2**40]"]
        ),
        "columns": or_none(listed_values([good[1]], [*bad, longer])),
        "rank": optional(count(1, 3, huge=ODD)),
    }
    return called("nf.Chain.mixed_radix", pools)


def fused_check(call):
    self, sizes = call["self"], call.get("sizes")
    chain = call.result if isinstance(self, nf.Chain) else call.result.chain
    true(len(chain) == (1 if sizes is None else len(sizes)), f"{len(chain)} factors")
    if isinstance(self, nf.Chain):
        true(np.array_equal(call.result.toarray(), self.toarray()), "another support")
    else:
        near_operator(call.result, dense(self), self)


def sizes_pool(draw, length):
    cut = draw(st.integers(1, length))
    good = [
        str([length]),
        str([cut, length - cut] if cut < length else [1] * length),
        str(tuple([1] * length)),
    ]
    bad = [
        str([length + 1]),
        "[]",
        "3",
        "'ab'",
        "[0, 1]",
        "[-1]",
        "[1.5]",
        "[None]",
        "[True]" if length > 1 else "[2.0]",
        "object()",
        "[2**63]",
        "['a']",
        "{}",
        "np.nan",
        f"[{length}, 0]",
    ]
    return or_none(listed_values(good, bad))


@entry("Chain.fuse", fused_check)
def _(draw):
    text, length = draw(
        st.sampled_from(
            [
                ("nf.Chain.square_dyadic(8)", 3),
                ("nf.Chain.square_dyadic(16)", 4),
                ("nf.Chain.monarch((6, 4))", 2),
                ("nf.Chain([(1, 2, 3, 1)])", 1),
            ]
        )
    )
    return called(
        "{self}.fuse", {"self": fixed(text), "sizes": sizes_pool(draw, length)}
    )


def chain_member(name, expected):
    @entry(
        f"Chain.{name}",
        lambda call: true(call.result == expected(call["self"]), repr(call.result)),
    )
    def _(draw):
        return f"{{self}}.{name}", {"self": a_chain(draw)}


def chainable(chain):
    pairs = zip(chain, list(chain)[1:], strict=False)
    return all(
        p[0] <= q[0]
        and q[0] % p[0] == 0
        and p[3] % q[3] == 0
        and p[0] * p[2] % q[0] == 0
        for p, q in pairs
    )


def ranks(chain):
    return tuple(
        p[0] * p[2] // q[0] for p, q in zip(chain, list(chain)[1:], strict=False)
    )


chain_member("chainable", chainable)
chain_member("ranks", ranks)
chain_member(
    "T", lambda c: nf.Chain([(a, q, b, d) for a, b, q, d in reversed(list(c))])
)
chain_member(
    "redundant",
    lambda c: any(
        r >= min(p[1], q[2]) for r, p, q in zip(ranks(c), c, list(c)[1:], strict=False)
    ),
)


def support_check(call):
    number = int(call["number"])
    true(np.array_equal(call.result, supports(call["self"])[number]), "another support")


@entry("Chain.support", support_check)
def _(draw):
    text, length = draw(
        st.sampled_from(
            [("nf.Chain.square_dyadic(8)", 3), ("nf.Chain.monarch((6, 4))", 2)]
        )
    )
    good = [str(n) for n in range(length)] + ["np.int64(1)"]
    bad = [
        *NO_INTEGERS[:-1],
        str(length),
        "99",
        str(-length - 1),
        "2**63",
        "slice(0, 1)",
    ]
    return called(
        "{self}.support",
        {"self": fixed(text), "number": listed_values(good, bad, ["-1"])},
    )


def support_product(call):
    product = supports(call["self"])[0]
    for support in supports(call["self"])[1:]:
        product = product @ support
    true(
        np.array_equal(call.result, product) and call.result.dtype == bool,
        "another support",
    )


@entry("Chain.toarray", support_product)
def _(draw):
    return "{self}.toarray()", {"self": a_chain(draw)}


def joined_check(call):
    true(
        call.result.patterns == call["self"].patterns + call["other"].patterns,
        repr(call.result),
    )


@entry("Chain.__matmul__", joined_check, words=("chain", "operand", "shapes"))
def _(draw):
    m, n, k = (draw(st.integers(1, 12)) for _ in range(3))
    bad = ["3", "None", "'a'", "[]", "np.eye(4)", "object()", "[(1, 4, 4, 1)]"]
    bad += [f"nf.Chain([(1, {n + 1}, 3, 1)])", "sample('dyadic')"]
    good = [f"nf.Chain.smallest(({n}, {k}))", f"nf.Chain([(1, {n}, 3, 1)])"]
    pools = {
        "self": fixed(f"nf.Chain.smallest(({m}, {n}))"),
        "other": listed_values(good, bad),
    }
    return "{self} @ {other}", pools


def item_check(call):
    chosen = call["self"].patterns[call["index"]]
    result = call.result.patterns if isinstance(call["index"], slice) else call.result
    true(result == chosen, repr(call.result))


@entry(
    "Chain.__getitem__",
    item_check,
    words=("index", "indices", "pattern", "patterns"),
    raises=(IndexError,),
)
def _(draw):
    radices = draw(st.lists(st.integers(1, 5), min_size=3, max_size=3))
    good = ["0", "-1", "slice(0, 2)", "slice(1, None)", "np.int64(1)"]
    pool = listed_values(
        good,
        ["3", "-4", "'a'", "None", "1.5", "[0]", "(0, 1)", "2**63", "slice('a')"],
        ["slice(0, 0)", "True"],
    )
    return "{self}[{index}]", {
        "self": fixed(f"nf.Chain.mixed_radix({radices})"),
        "index": pool,
    }


def drawn_patterns(call):
    true(len(call.result.axes) == len(call["self"]), "axes")


@entry("Chain.plot", drawn_patterns)
def _(draw):
    return called("{self}.plot", {"self": a_chain(draw), "figure": figure_pool()})
