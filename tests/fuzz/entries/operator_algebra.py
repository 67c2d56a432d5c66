"""Sums, scalings, powers, inverses, transposes and selections of operators."""

import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from ..cases import BAD, ODD, Value, entry
from ..checks import dense, near, near_operator, true
from ..pools import DTYPES, Pool, count, listed_values
from .fast_operators import LIBRARY, OPERAND, SHAPES, SQUARE, an_operator

NUMBERS = listed_values(
    [
        "2.0",
        "-1",
        "0",
        "0.5j",
        "np.float32(3)",
        "np.int64(2)",
        "np.complex64(1j)",
        "True",
    ],
    [Value(t, "string", BAD) for t in ("'a'", "b'2'")]
    + [Value(t, "object", BAD) for t in ("None", "object()", "{}", "len")]
    + [Value("np.datetime64('2020')", "datetime", BAD)],
    [Value(t, "extreme", ODD) for t in ("1e308", "1e-308", "1e39", "10**400", "2**70")]
    + [
        Value(t, "NaN or infinity", ODD)
        for t in ("np.nan", "np.inf", "-np.inf", "complex('nan')")
    ]
    + [
        Value(t, "odd value", ODD)
        for t in (
            "np.array(2.0)",
            "np.float16(2)",
            "np.longdouble(2)",
            "__import__('fractions').Fraction(1, 3)",
            "__import__('decimal').Decimal(2)",
            "np.bool_(True)",
        )
    ],
)
SCALE = (
    "scale",
    "number",
    "operator",
    "scaled",
    "shape",
    "other",
    "array",
    "arrays",
    "divide",
    "division",
    "zero",
    "multiplied",
)


def scaled_check(divide=False):
    def check(call):
        number = complex(call["number"])
        matrix = dense(call["self"])
        if not np.isfinite(number):
            raise AssertionError(f"scaled by {number}")
        with np.errstate(all="ignore"):
            expected = matrix / number if divide else matrix * number
        expected = (
            expected.real
            if not np.iscomplexobj(matrix) and number.imag == 0
            else expected
        )
        near_operator(call.result, expected, call["self"])

    return check


@entry("FastOperator.__mul__", scaled_check(), words=SCALE)
def _(draw):
    return "{self} * {number}", {"self": an_operator(draw)[0], "number": NUMBERS}


@entry("FastOperator.__rmul__", scaled_check(), words=SCALE)
def _(draw):
    return "{number} * {self}", {"self": an_operator(draw)[0], "number": NUMBERS}


@entry("FastOperator.__truediv__", scaled_check(True), words=SCALE)
def _(draw):
    good = NUMBERS.good.map(lambda v: Value("4") if v.text == "0" else v)
    zero = st.sampled_from(
        [Value(t, "zero", BAD) for t in ("0", "0.0", "0j", "np.float64(0)", "False")]
    )
    pool = Pool(good, st.one_of(NUMBERS.other, zero))
    return "{self} / {number}", {"self": an_operator(draw)[0], "number": pool}


def added(sign):
    def check(call):
        one, other = dense(call["self"]), dense(call["other"])
        if isinstance(call["other"], int):
            other = 0 * one
        size = (np.abs(one) + np.abs(other)).max()
        expected = one + sign * other
        true(call.result.shape == expected.shape, f"shape {call.result.shape}")
        got = call.result
        got = got.toarray() if isinstance(got, nf.FastOperator) else dense(got)
        near(got, expected, call["self"], call["other"], size=size)

    return check


for _name, _sign, _symbol in (("__add__", 1, "+"), ("__sub__", -1, "-")):

    @entry(f"FastOperator.{_name}", added(_sign), words=(*OPERAND, "shapes"))
    def _(draw, symbol=_symbol):
        self, (m, n) = an_operator(draw)
        same = [kind for kind, shape in SHAPES.items() if shape == (m, n)]
        texts = [f"sample({kind!r})" for kind in same] + [
            f"sparse(normal(({m}, {n})), {form!r})"
            for form in ("csr", "coo", "dia_matrix", "lil")
        ]
        other = next(kind for kind, shape in SHAPES.items() if shape != (m, n))
        bad = [
            f"sample({other!r})",
            f"normal(({m}, {n}))",
            f"sparse(normal(({m + 1}, {n})))",
            "1",
            "2.5",
            "None",
            "'a'",
            "object()",
            "[]",
            "np.nan",
        ]
        corrupt = [
            Value(f"corrupt(normal(({m}, {n})), {how!r})", "corrupt sparse", BAD)
            for how in ("beyond", "negative", "pointer", "short")
            if min(m, n) > 1
        ]
        infinite = [
            Value(
                f"sp.csr_array(with_entry(normal(({m}, {n})), np.nan))",
                "NaN or infinity",
                BAD,
            )
        ]
        pool = listed_values(
            texts, bad + corrupt + infinite, ["0", f"linear(normal(({m}, {n})))"]
        )
        return f"{{self}} {symbol} {{other}}", {"self": self, "other": pool}


@entry(
    "FastOperator.__neg__",
    lambda call: near_operator(call.result, -dense(call["self"]), call["self"]),
)
def _(draw):
    return "-{self}", {"self": an_operator(draw)[0]}


def power_check(call):
    k = int(call["exponent"])
    matrix = dense(call["self"])
    size = np.linalg.norm(np.linalg.matrix_power(np.abs(matrix), abs(k)))
    if k >= 0:
        near(
            call.result.toarray(),
            np.linalg.matrix_power(matrix, k),
            call["self"],
            size=size,
        )
    else:
        inverse_check(call, np.linalg.matrix_power(matrix, -k))


def inverse_check(call, matrix=None):
    matrix = dense(call["self"]) if matrix is None else matrix
    condition = np.linalg.cond(matrix)
    product = call.result.toarray() @ matrix
    eps = np.finfo(call["self"].dtype).eps
    error = np.abs(product - np.eye(len(matrix))).max()
    true(
        error <= 1e4 * eps * condition,
        f"A⁻¹ A is off by {error:.3g}, condition {condition:.3g}",
    )


@entry(
    "FastOperator.__pow__",
    power_check,
    words=("power", "operator", "exponent", "inverse"),
)
def _(draw):
    self, _shape = an_operator(draw, kinds=[k for k in SQUARE if k != "dyadic"])
    pool = count(0, 4, least=-(10**9), huge=ODD)
    pool = Pool(
        pool.good.filter(lambda v: "uint" not in v.text),
        pool.other.filter(
            lambda v: not v.text.startswith("-") and v.kind != "too small"
        ),
    )
    more = st.sampled_from([Value(t, "negative", ODD) for t in ("-1", "-2")])
    return "{self} ** {exponent}", {
        "self": self,
        "exponent": Pool(pool.good, st.one_of(pool.other, more)),
    }


@entry(
    "FastOperator.inverse",
    inverse_check,
    words=("inverse", "operator", "singular", "square"),
    raises=(ValueError,),
)
def _(draw):
    kinds = draw(st.sampled_from(list(SHAPES)))
    of = draw(st.sampled_from(DTYPES))
    value = Value(f"sample({kinds!r}, {of!r})", kinds, ODD)
    orders = draw(st.integers(2, 9))
    more = [
        f"nf.transforms.dct({orders})",
        f"nf.transforms.dst({orders}, 1, normalized=False)",
        "nf.transforms.haar(8)",
        f"nf.transforms.dft({orders})",
        "nf.transforms.hadamard(8)",
        f"nf.transforms.circulant(normal({orders}))",
    ]
    return "{self}.inverse()", {
        "self": Pool(st.sampled_from([Value(t) for t in more]), st.just(value))
    }


def turned(function):
    def check(call):
        near_operator(
            call.result,
            function(dense(call["self"])),
            call["self"],
            dtype=call["self"].dtype,
        )

    return check


for _name, _text, _function in (
    ("T", "{self}.T", np.transpose),
    ("H", "{self}.H", lambda a: a.conj().T),
    ("transpose", "{self}.transpose()", np.transpose),
    ("adjoint", "{self}.adjoint()", lambda a: a.conj().T),
    ("conj", "{self}.conj()", np.conj),
):

    @entry(f"FastOperator.{_name}", turned(_function))
    def _(draw, text=_text):
        return text, {"self": an_operator(draw)[0]}


@entry(
    "FastOperator.toarray",
    lambda call: near(call.result, dense(call["self"]), call["self"]),
)
def _(draw):
    return "{self}.toarray()", {"self": an_operator(draw)[0]}


def factors_check(call):
    near(call.result.toarray(), call["self"].toarray(), call["self"])
    true(type(call.result) is nf.FactorProduct, type(call.result).__name__)


@entry("FastOperator.to_factors", factors_check)
def _(draw):
    return "{self}.to_factors()", {"self": an_operator(draw, LIBRARY)[0]}


def measure(expected):
    def check(call):
        near(call.result, expected(call["self"]))

    return check


for _name, _function in (
    ("density", lambda a: a.nnz / np.prod(a.shape)),
    ("rcg", lambda a: np.prod(a.shape) / a.nnz),
):

    @entry(f"FastOperator.{_name}", measure(_function))
    def _(draw, name=_name):
        return f"{{self}}.{name}", {"self": an_operator(draw)[0]}


def index_text(draw, length):
    """Draw the text of a good index along an axis."""
    number = st.integers(-length, length - 1)
    numbers_ = draw(st.lists(number, min_size=1, max_size=4))
    start = draw(st.integers(0, length - 1))
    mask = [i in {n % length for n in numbers_} for i in range(length)]
    return draw(
        st.sampled_from(
            [
                *(
                    ":",
                    f"{start}:",
                    f"::{-1}",
                    f"{start}:{start + 2}",
                    str(numbers_[0]),
                ),
                *(
                    str(numbers_),
                    f"np.array({numbers_}, 'int32')",
                    f"np.array({mask})",
                    str(mask),
                ),
                *(f"np.int64({numbers_[0]})", "..."),
            ]
        )
    )


def selected_check(call):
    matrix = dense(call["self"])
    index = call["index"]
    rows, columns = index if isinstance(index, tuple) else (index, slice(None))
    if rows is Ellipsis or columns is Ellipsis:
        expected = matrix[index]
    else:
        expected = (
            matrix[rows][..., columns]
            if np.ndim(np.empty(matrix.shape[0])[rows])
            else matrix[rows][columns]
        )
    if isinstance(call.result, nf.FastOperator):
        near_operator(call.result, expected, call["self"])
    else:
        near(call.result, expected, call["self"])


class Indexed:
    """Makes what stands in brackets an object."""

    def __getitem__(self, index):
        return index


@entry(
    "FastOperator.__getitem__",
    selected_check,
    words=("index", "indices", "row", "column", "rows", "columns", "mask"),
    raises=(IndexError,),
)
def _(draw):
    self, (m, n) = an_operator(draw)
    good = [f"np.s_[{index_text(draw, m)}]"]
    two = [index_text(draw, m), index_text(draw, n)]
    if "..." not in two:
        good.append(f"np.s_[{two[0]}, {two[1]}]")
    bad = [
        "'a'",
        "None",
        "1.5",
        "np.nan",
        "object()",
        "{}",
        f"{m + 5}",
        f"-{m + 1}",
        "10**30",
        "2**63",
        f"[0, {m + 3}]",
        "[0.5]",
        "['a']",
        "np.s_[0, 0, 0]",
        "np.s_[None, 0]",
        "[[0, 0], [0, 0]]",
        f"np.zeros({m + 2}, bool)",
        "np.array(['2020'], 'M8[Y]')",
        "[object()]",
        "np.s_['a':]",
        "np.s_[1.5:]",
        "[1, [2]]",
    ]
    odd = [
        "np.s_[...]",
        "np.s_[..., 0]",
        "[]",
        "np.s_[0:0]",
        "True",
        "np.s_[10**30:]",
        "np.s_[::10**30]",
        "np.array(0)",
        "np.zeros(1, bool)",
        "()",
        "np.s_[5:0]",
    ]
    good = [text.replace("np.s_[...]", "np.s_[:]") for text in good]
    return "{self}[{index}]", {"self": self, "index": listed_values(good, bad, odd)}
