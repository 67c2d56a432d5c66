"""Constructors of `FactorProduct` and `Butterfly`, and what arranges operators."""

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

import nbfact as nf

from .. import values
from ..cases import BAD, GOOD, Value, called, entry
from ..checks import dense, near, near_operator, numbers
from ..pools import Pool, array, listed_values, optional, or_none
from .fast_operators import SHAPES, an_operator


def arranged(function):
    def check(call):
        near_operator(
            call.result,
            function([dense(one) for one in call["operators"]]),
            *call["operators"],
        )

    return check


def block_diagonal(blocks):
    return sp.block_diag(blocks).toarray()


NO_OPERATORS = [
    "[]",
    "None",
    "3",
    "'ab'",
    "object()",
    "[None]",
    "[3.0]",
    "['a']",
    "{}",
    "len",
    "normal((3, 3))",
    "[[[1.0]]]",
    "[len]",
    "sample('factors')",
    "1.5",
    "[sample('factors'), None]",
]
for _name, _function, _axis in (
    ("hstack", np.hstack, 0),
    ("vstack", np.vstack, 1),
    ("block_diag", block_diagonal, None),
):

    @entry(f"operators.{_name}", arranged(_function))
    def _(draw, name=_name, axis=_axis):
        first = draw(st.sampled_from(list(SHAPES)))
        fits = [
            k
            for k, s in SHAPES.items()
            if axis is None or s[axis] == SHAPES[first][axis]
        ]
        rest = draw(st.lists(st.sampled_from(fits), max_size=2))
        text = "[" + ", ".join(f"sample({kind!r})" for kind in (first, *rest)) + "]"
        bad = NO_OPERATORS + (
            ["[sample('factors'), sample('dyadic')]"] if axis is not None else []
        )
        odd = [
            "[np.eye(3)]",
            "[sample('factors'), sp.eye_array(6)]",
            "[linear(np.eye(6))]",
            "np.array([1.0, 2.0])",
        ]
        return called(
            f"nf.operators.{name}",
            {"operators": listed_values([text, f"tuple({text})"], bad, odd)},
        )


def product_of(call):
    factors = [dense(one) for one in call["factors"]]
    expected = np.linalg.multi_dot(factors) if len(factors) > 1 else factors[0]
    near_operator(
        call.result,
        expected * complex(call.get("scale", 1))
        if np.iscomplexobj(call.get("scale", 1))
        else expected * float(call.get("scale", 1)),
        *call["factors"],
    )


def factor_lists(draw, bad=()):
    shape = draw(st.sampled_from([(3, 4), (1, 1), (4, 4)]))
    one = array(shape, sparse=GOOD, linear=BAD, wrong_shapes=[(0, 3), (3,), (2, 2, 2)])

    def inside(value):
        return Value(
            f"[{value.text}, normal(({shape[1]}, 2))]", value.kind, value.verdict
        )

    wrong = [
        "None",
        "3",
        "'ab'",
        "[]",
        "object()",
        "{}",
        "len",
        f"[normal(({shape[1] + 1}, {shape[1]})), normal(({shape[1] + 1}, 3))]",
        "[None]",
        "[[1.0]]",
        "1.5",
        "[np.eye(2), 'a']",
        *bad,
    ]
    lists = st.sampled_from([Value(t, "wrong list", BAD) for t in wrong])
    return Pool(one.good.map(inside), st.one_of(one.other.map(inside), lists))


def own_factors(call):
    product = np.eye(call["self"].shape[0]) * call["self"].scale
    for factor in call.result:
        product = product @ factor.toarray()
    near(product, call["self"].toarray(), call["self"])


if hasattr(nf.FactorProduct, "factors"):

    @entry("FactorProduct.factors", own_factors)
    def _(draw):
        kinds = ["factors", "wide", "tall", "one", "diagonal"]
        return "{self}.factors", {"self": an_operator(draw, kinds)[0]}


SCALES = listed_values(
    ["1.0", "2", "-0.5", "0.5j", "np.float32(2)", "0"],
    [
        "None",
        "'a'",
        "True",
        "[1.0]",
        "np.nan",
        "np.inf",
        "object()",
        "complex('nan')",
        "np.array([1.0, 2.0])",
        "np.datetime64('2020')",
    ],
    ["1e308", "1e-308", "10**400", "np.array(2.0)", "np.longdouble(2)"],
)


@entry("FactorProduct", product_of)
def _(draw):
    return called(
        "nf.FactorProduct", {"factors": factor_lists(draw), "scale": optional(SCALES)}
    )


CHAINS = [
    "nf.Chain.square_dyadic(4)",
    "[(1, 2, 3, 2), (3, 2, 2, 1)]",
    "[(1, 3, 4, 1)]",
    "nf.Chain.monarch((6, 4))",
]
NO_CHAINS = [
    "None",
    "3",
    "'ab'",
    "[]",
    "[(1, 2, 3)]",
    "[(0, 2, 2, 1)]",
    "[(1, 2, 2, 2), (1, 2, 2, 1)]",
    "[('a', 1, 1, 1)]",
    "[(1.5, 2, 2, 1)]",
    "[(True, 2, 2, 1)]",
    "object()",
    "{}",
    "[None]",
    "[3]",
    "[(-1, 2, 2, 1)]",
    "1.5",
    "[np.nan]",
    "np.zeros((1, 4))",
    "[[(1, 2, 2, 1)]]",
]


def butterfly_matrix(chain, arrays):
    product = None
    for (a, b, c, d), value in zip(chain, arrays, strict=True):
        factor = np.zeros((a, b, d, a, c, d), numbers(value).dtype)
        i, k = np.ix_(range(a), range(d))
        factor[i, :, k, i, :, k] = numbers(value).transpose(0, 3, 1, 2)
        factor = factor.reshape(a * b * d, a * c * d)
        product = factor if product is None else product @ factor
    return product


def butterfly_check(call):
    chain = (
        call["chain"]
        if isinstance(call["chain"], nf.Chain)
        else nf.Chain(call["chain"])
    )
    expected = butterfly_matrix(chain, call["values"])
    for axis, name in enumerate(("rows", "columns")):
        index = call.get(name)
        if index is not None:
            index = np.asarray(index)
            kept = np.argsort(index)[np.count_nonzero(index < 0) :]
            expected = expected.take(kept, axis)
    near_operator(call.result, expected, *call["values"])


def value_lists(patterns, bad=()):
    """Return the pool of the values of a chain, of which the first is drawn."""
    first, *rest = patterns
    one = array(first)
    others = [f"normal({pattern}, 'float64', {j})" for j, pattern in enumerate(rest)]

    def inside(value):
        kind = next(
            (d for d in ("complex128", "complex64", "float32") if d in value.text), None
        )
        if value.text.startswith("listed("):  # its numbers are of double precision
            kind = {"complex64": "complex128", "float32": None}.get(kind, kind)
        texts = [text.replace("float64", kind) if kind else text for text in others]
        return Value(f"[{', '.join([value.text, *texts])}]", value.kind, value.verdict)

    wrong = [
        "None",
        "3",
        "'ab'",
        "[]",
        "object()",
        "[None]",
        "[3.0]",
        "len",
        "1.5",
        "{}",
        *bad,
    ]
    good = one.good.map(inside)
    return Pool(
        good,
        st.one_of(
            one.other.map(inside),
            st.sampled_from([Value(t, "wrong list", BAD) for t in wrong]),
        ),
    )


@entry("Butterfly", butterfly_check)
def _(draw):
    text = draw(st.sampled_from(CHAINS))
    chain = eval(text, vars(values))
    chain = chain if isinstance(chain, nf.Chain) else nf.Chain(chain)
    pools = {
        "chain": listed_values([text], NO_CHAINS),
        "values": value_lists(list(chain)),
    }
    for name, length in zip(("rows", "columns"), chain.shape, strict=True):
        order = draw(st.permutations(range(length)))
        dropped = [-1 if i == 0 else i - 1 for i in order]
        good = [str(order), f"np.array({order})"] + (
            [str(dropped)] if length > 1 else []
        )
        bad = [
            f"{[0] * (length + 1)}",
            "3",
            "'ab'",
            "[0.5]",
            "object()",
            f"{[-1] * length}",
            "[[0, 1]]",
            f"{[-2] * length}",
            f"{[2**40] * length}",
            "['a']",
            "[0, [1]]",
            f"{[True] * length}",
            "{}",
            f"np.array({[0] * length}, 'M8[s]')",
        ]
        pools[name] = or_none(listed_values(good, bad))
    return called("nf.Butterfly", pools)
