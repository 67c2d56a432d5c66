"""The functions of ``nf.metrics``, `nf.threads` and the like."""

import numpy as np
from hypothesis import strategies as st

from ..cases import BAD, ODD, Value, called, entry
from ..checks import dense, near, numbers, true
from ..pools import Pool, array, count, fixed

KINDS = ("factors", "butterfly", "wide", "sum", "product", "blocks", "selected", "own")


def error_check(call):
    a, f = dense(call["A"]), dense(call["F"])
    true(type(call.result) is float and call.result >= 0, repr(call.result))
    if not np.isfinite(f).all():
        true(call.result == np.inf, f"{call.result} for an infinite F")
        return
    largest = np.abs(a).max()
    if largest == 0:
        true(call.result == (np.inf if f.any() else 0), repr(call.result))
        return
    a, f = a / largest, f / largest
    if np.isfinite(f).all() and np.abs(f).max() < 1e150:
        near(
            call.result,
            np.linalg.norm(a - f) / np.linalg.norm(a),
            size=max(1.0, call.result),
        )


def approximate(shape):
    """Return the pool of a matrix, an operator or a result of a shape."""
    pool = array(
        shape,
        nan=ODD,
        sparse="good",
        linear="good",
        wrong_shapes=[(shape[0] + 1, shape[1]), (shape[0],), (1, *shape)],
    )
    return pool


for _name in ("relative_error", "metrics.relative_error"):

    @entry(_name, error_check)
    def _(draw, name=_name):
        shape = draw(st.sampled_from([(6, 6), (3, 4), (1, 1)]))
        a = approximate(shape)
        a = Pool(
            a.good,
            array(
                shape,
                sparse="good",
                linear="good",
                wrong_shapes=[(shape[0] + 1, shape[1])],
            ).other,
        )
        f = approximate(shape)
        if shape == (6, 6):
            operators = st.sampled_from(
                [
                    Value(f"sample({kind!r})", "operator")
                    for kind in ("factors", "butterfly", "sum", "own")
                ]
            )
            f = Pool(st.one_of(f.good, operators), f.other)
        return called(f"nf.{name}", {"A": a, "F": f})


def parts(value):
    """Return the factors that a measure counts, and the shape of their product."""
    value = getattr(value, "operator", value)
    if hasattr(value, "nnz"):
        return [int(value.nnz)], value.shape
    factors = [value] if isinstance(value, np.ndarray) else list(value)
    counts = [
        int(one.nnz) if hasattr(one, "nnz") else int(np.count_nonzero(numbers(one)))
        for one in factors
    ]
    shapes = [
        np.shape(one) if not hasattr(one, "shape") else one.shape for one in factors
    ]
    return counts, (shapes[0][0], shapes[-1][1])


def counted(call):
    counts, _ = parts(call["F"])
    true(call.result == sum(counts) and type(call.result) is int, repr(call.result))


def gain(inverse):
    def check(call):
        counts, (m, n) = parts(call["F"])
        expected = sum(counts) / (m * n)
        if not inverse:
            expected = 1 / expected if expected else np.inf
        true(
            np.isclose(call.result, expected) or call.result == expected,
            f"{call.result}, {expected}",
        )

    return check


FACTORS = [
    *(Value(f"sample({kind!r})", "operator") for kind in KINDS),
    Value("normal((3, 4))"),
    Value("integers((3, 4))", "integers"),
    Value("np.asmatrix(integers((3, 4)))", "matrix"),
    Value("[normal((3, 4)), normal((4, 2))]", "list"),
    Value("(np.eye(4), sparse(normal((4, 3))))", "list"),
    *(
        Value(f"sparse(normal((3, 4)), {form!r})", "sparse")
        for form in ("csr", "coo", "dia", "csc_matrix")
    ),
    Value("nf.hierarchical(nf.targets.hadamard(4), 'hadamard')", "result"),
]
NO_FACTORS = [
    *(
        Value(text, "object", BAD)
        for text in ("None", "3", "object()", "{}", "len", "1.5")
    ),
    *(
        Value(text, "list of none", BAD)
        for text in ("[None]", "[3]", "['a']", "[object()]", "[{}]", "[[]]")
    ),
    *(Value(text, "string", BAD) for text in ("'text'", "b'text'", "['ab', 'cd']")),
    Value("[]", "empty", BAD),
    Value("[[[1.0, 2.0], [3.0]]]", "ragged", BAD),
    Value("np.zeros(3)", "wrong shape", BAD),
    Value("np.zeros((0, 3))", "empty", ODD),
    Value("np.zeros((2, 2, 2))", "wrong shape", BAD),
    Value("np.array([['a']])", "string", BAD),
    Value("[np.array(['2020'], 'M8[Y]')]", "datetime", BAD),
    Value("masked(normal((3, 3)))", "masked", BAD),
    *(
        Value(f"corrupt(normal((4, 4)), {how!r})", "corrupt sparse", ODD)
        for how in ("beyond", "negative", "pointer", "short")
    ),
    Value("linear(normal((3, 4)))", "operator", ODD),
    Value("[normal((3, 4)), normal((3, 4))]", "do not chain", ODD),
    Value("with_entry(normal((3, 4)), np.nan)", "NaN or infinity", ODD),
]

for _name, _check in (("nnz", counted), ("rcg", gain(False)), ("density", gain(True))):

    @entry(f"metrics.{_name}", _check)
    def _(draw, name=_name):
        pools = {"F": Pool(st.sampled_from(FACTORS), st.sampled_from(NO_FACTORS))}
        return called(f"nf.metrics.{name}", pools)


@entry(
    "threads",
    lambda call: call.result.__enter__() or call.result.__exit__(None, None, None),
)
def _(draw):
    pool = count(1, 2, huge=ODD)
    pools = {
        "threads": Pool(
            st.one_of(fixed("None").good, pool.good),
            pool.other.filter(lambda v: v.text != "None"),
        )
    }
    return called("nf.threads", pools)
