"""Pools: the good, the odd and the bad values for a parameter of each kind."""

from dataclasses import dataclass

from hypothesis import strategies as st

from .cases import BAD, GOOD, ODD, OMITTED, Value

DTYPES = ("float64", "float32", "complex128", "complex64")
REAL = ("float64", "float32")
SPARSE = (
    *("csr", "csc", "coo", "bsr", "dia", "dok", "lil"),
    *("csr_matrix", "csc_matrix", "coo_matrix"),
)

DAMAGES = (
    *(("csr", how) for how in ("beyond", "negative", "pointer", "decreasing", "short")),
    *(("csc", how) for how in ("beyond", "negative", "pointer", "decreasing", "short")),
    *(("bsr", how) for how in ("beyond", "negative", "pointer", "decreasing")),
    *(("coo", how) for how in ("beyond", "negative")),
    *(("lil", how) for how in ("beyond", "negative")),
)
"""Formats of sparse arrays, and what is damaged in them."""

LAYOUTS = (
    *("fortran", "strided", "reverse", "readonly", "memmap", "swapped"),
    *("np.asmatrix", "as subclass", "listed"),
)
"""Ways to hold the same numbers, all of which must work."""

NO_NUMBERS = [
    Value("None", "None", BAD),
    Value("'text'", "string", BAD),
    Value("b'text'", "string", BAD),
    Value("object()", "object", BAD),
    Value("{}", "object", BAD),
    Value("len", "object", BAD),
    Value("[[1.0, 2.0], [3.0]]", "ragged", BAD),
    Value("[1.0, [2.0]]", "ragged", BAD),
    Value("[['a', 'b'], ['c', 'd']]", "string", BAD),
    Value("np.array(['2020', '2021'], 'M8[Y]')", "datetime", BAD),
    Value("[]", "empty", BAD),
    Value("3.0", "0-d", BAD),
]


@dataclass(frozen=True)
class Pool:
    """Strategies of values for one argument.

    Attributes
    ----------
    good : SearchStrategy of Value
    other : SearchStrategy of Value or None
        Odd and bad values.
    """

    good: st.SearchStrategy
    other: st.SearchStrategy | None = None


def fixed(*texts, kind="plain"):
    """Return the pool of good values alone."""
    return Pool(st.sampled_from([Value(text, kind) for text in texts]))


def listed_values(good, bad=(), odd=()):
    """Return the pool of values that are listed, as texts or as `Value`."""

    def values(texts, kind, verdict):
        return [
            text if isinstance(text, Value) else Value(text, kind, verdict)
            for text in texts
        ]

    others = values(bad, "wrong value", BAD) + values(odd, "odd value", ODD)
    return Pool(
        st.sampled_from(values(good, "plain", GOOD)),
        st.sampled_from(others) if others else None,
    )


def optional(pool):
    """Return the pool that also leaves the argument out."""
    left_out = st.just(Value(OMITTED))
    return Pool(st.one_of(left_out, pool.good), pool.other)


def or_none(pool):
    """Return the pool of an optional argument whose default is None."""

    def kept(value):
        return value.text != "None"

    good = st.one_of(st.just(Value(OMITTED)), st.just(Value("None")), pool.good)
    return Pool(good, None if pool.other is None else pool.other.filter(kept))


NO_INTEGERS = [
    *(Value(text, "boolean", BAD) for text in ("True", "False", "np.True_")),
    *(Value(text, "float", BAD) for text in ("2.5", "3.0", "np.float64(4.0)")),
    *(Value(text, "NaN or infinity", BAD) for text in ("np.nan", "np.inf", "-np.inf")),
    *(Value(text, "string", BAD) for text in ("'3'", "'a'", "b'3'")),
    Value("None", "None", BAD),
    Value("[3]", "sequence", BAD),
    Value("(3, 4, 5)", "sequence", BAD),
    Value("{}", "object", BAD),
    Value("object()", "object", BAD),
    Value("3 + 0j", "complex", BAD),
    Value("np.array([3])", "array", BAD),
    Value("np.array([3.0])", "array", BAD),
    Value("np.datetime64('2020')", "datetime", BAD),
    Value("np.timedelta64(3, 's')", "datetime", BAD),
    Value("np.array(3)", "0-d", ODD),
]
NEGATIVE = ("-1", "-7", "np.int8(-3)", "-2**31", "-2**63", "-2**64", "-10**30")
HUGE = ("2**31", "2**40", "2**61 - 1", "2**63", "2**64", "10**30", "np.uint64(2**63)")


def _sampled(good, others):
    """Return the pool of texts that are good, and of other values."""
    return Pool(
        st.sampled_from([Value(text) for text in good]), st.sampled_from(others)
    )


def count(low, high, *, least=1, huge=BAD, wrong=()):
    """Return the pool of an integer.

    Parameters
    ----------
    low, high : int
        The good ones are from `low` to `high`.
    least : int
        Smallest number that the docstring accepts.
    huge : str or None
        Verdict on integers from 2**31 on; None leaves them out.
    wrong : sequence of str
        More bad values.
    """
    kinds = ["{}", "{}", "{}", "np.int64({})", "np.uint8({})", "np.int32({})"]
    good = st.builds(
        lambda n, text: Value(text.format(n)),
        st.integers(low, high),
        st.sampled_from(kinds[: 3 if low < 0 else None]),
    )
    others = [
        *NO_INTEGERS,
        *(Value(text, "too small", BAD) for text in NEGATIVE),
        *(Value(str(n), "too small", BAD) for n in range(least - 1, least)),
        *(Value(text, "huge", huge) for text in HUGE if huge),
        *(Value(text, "wrong value", BAD) for text in wrong),
    ]
    return Pool(good, st.sampled_from(others))


def real(*good, bad=(), odd=()):
    """Return the pool of a real number: texts of good, bad and odd ones."""
    others = [
        *(Value(text, "boolean", BAD) for text in ("True", "np.True_")),
        *(Value(text, "NaN or infinity", BAD) for text in ("np.nan", "np.inf")),
        *(Value(text, "string", BAD) for text in ("'a'", "'0.5'", "b''")),
        *(Value(text, "sequence", BAD) for text in ("[0.5]", "(1, 2, 3)", "{}")),
        Value("object()", "object", BAD),
        Value("None", "None", BAD),
        Value("0.5j", "complex", BAD),
        Value("np.array([0.5, 0.5])", "array", BAD),
        Value("np.datetime64('2020')", "datetime", BAD),
        Value("-np.inf", "NaN or infinity", BAD),
        *(Value(text, "wrong value", BAD) for text in bad),
        *(Value(text, "extreme", ODD) for text in odd),
    ]
    return _sampled(good, others)


def flag(*, default=True):
    """Return the pool of a boolean; it may be left out."""
    good = [Value("True"), Value("False")] + [Value(OMITTED)] * default
    bad = ("'yes'", "''", "2", "-1", "1.5", "[]", "[True]", "object()", "'False'")
    others = [
        *(Value(text, "no boolean", BAD) for text in bad),
        Value("np.array([True, False])", "array", BAD),
        Value("np.nan", "NaN or infinity", BAD),
        *(
            Value(text, "odd value", ODD)
            for text in ("1", "0", "np.True_", "np.False_")
        ),
        Value("None", "None", ODD),
    ]
    return Pool(st.sampled_from(good), st.sampled_from(others))


def choice(*names, none=False):
    """Return the pool of a string out of some; it may be left out."""
    good = [repr(name) for name in names] + ["None"] * none + [OMITTED]
    others = [
        *(Value(text, "wrong string", BAD) for text in ("'nonsense'", "''", "'\\0'")),
        Value(repr(names[0].upper() + "x"), "wrong string", BAD),
        *(Value(text, "object", BAD) for text in ("3", "True", "1.5", "object()")),
        *(Value(text, "sequence", BAD) for text in ("[]", "{}", f"[{names[0]!r}]")),
        Value("np.array([1.0, 2.0])", "array", BAD),
        *([] if none else [Value("None", "None", BAD)]),
    ]
    return _sampled(good, others)


def seed(*, legacy=False):
    """Return the pool of ``random_state``."""
    good = [OMITTED, "None", "0", "7", "2**40", "np.int64(3)"]
    good += ["np.random.RandomState(3)"] if legacy else ["np.random.default_rng(3)"]
    if legacy:
        good.remove("2**40")
    others = [
        *(Value(text, "too small", BAD) for text in ("-1", "-2**63")),
        *(Value(text, "float", BAD) for text in ("1.5", "np.nan", "3.0")),
        *(Value(text, "string", BAD) for text in ("'a'", "'0'", "b''")),
        *(Value(text, "object", BAD) for text in ("object()", "{}", "len", "1j")),
        Value("True", "boolean", BAD),
        Value("['a']", "sequence", BAD),
        Value("[1, 2]", "sequence", ODD),
        Value("2**64", "huge", ODD),
        Value("np.random.SeedSequence(3)", "odd value", ODD),
        *([] if legacy else [Value("np.random.RandomState(3)", "odd value", ODD)]),
        *([Value("np.random.default_rng(3)", "odd value", ODD)] if legacy else []),
    ]
    return _sampled(good, others)


def dtype(*names, default=True):
    """Return the pool of a dtype out of some."""
    good = [repr(name) for name in names] + [f"np.{names[0]}"] + [OMITTED] * default
    wrong = [*DTYPES, "float16", "int64", "bool", "U3", "M8[s]", "O", "longdouble"]
    others = [
        *(Value(repr(name), "dtype", BAD) for name in wrong if name not in names),
        *(Value(text, "wrong string", BAD) for text in ("'nonsense'", "''")),
        *(Value(text, "object", BAD) for text in ("3", "[1]", "object()", "len")),
        Value("None", "None", ODD),
        Value("float", "odd value", ODD),
        Value("np.dtype('>f8')", "byte order", ODD),
    ]
    return _sampled(good, others)


def array(
    shape,
    dtypes=DTYPES,
    *,
    integer=True,
    wrong_shapes=None,
    nan=BAD,
    sparse=BAD,
    linear=BAD,
    extreme=ODD,
    matrix=GOOD,
    bad=(),
):
    """Return the pool of an array of numbers.

    Parameters
    ----------
    shape : tuple of int
        Shape of the good ones.
    dtypes : sequence of str
        Dtypes of the good ones.
    integer : bool
        Whether integers and booleans are good.
    wrong_shapes : sequence of tuple of int, optional
        Shapes that must be refused; by default those of other lengths and dimensions.
    nan, sparse, linear, extreme, matrix : str
        Verdicts on NaN and infinity, on sparse arrays, on operators, on the largest and
        smallest numbers, and on np.matrix.
    bad : sequence of Value
        More values.
    """
    base = st.builds(
        lambda dtype, seed: f"normal({shape}, {dtype!r}, {seed})",
        st.sampled_from(dtypes),
        st.integers(0, 9),
    )
    layouts = [one for one in LAYOUTS if len(shape) == 2 or one != "np.asmatrix"]
    if matrix != GOOD:
        layouts.remove("np.asmatrix")
    good = st.builds(laid_out, base, st.sampled_from(["", "", *layouts]))
    if integer:
        whole = [f"integers({shape})", f"of_dtype(integers({shape}), 'int8')"]
        whole += [f"integers({shape}) > 0", f"listed(integers({shape}))"]
        good = st.one_of(
            good, good, good, st.sampled_from([Value(t, "integers") for t in whole])
        )
    if wrong_shapes is None:
        wrong_shapes = wrong_shapes_of(shape)
    x = f"normal({shape})"
    if dtypes[0] != "float64":
        x = f"normal({shape}, {dtypes[0]!r})"
    others = [
        *NO_NUMBERS,
        *(Value(f"normal({wrong})", "wrong shape", BAD) for wrong in wrong_shapes),
        *(
            Value(f"with_entry({x}, {value})", "NaN or infinity", nan)
            for value in ("np.nan", "np.inf", "-np.inf")
        ),
        *(
            Value(f"scaled(normal({shape}, {name!r}), {size})", "extreme", extreme)
            for name, size in (
                (dtypes[0], 1e308),
                (dtypes[0], 1e200),
                (dtypes[0], 1e-308),
                (dtypes[-1], 3e38 if dtypes[-1] in ("float32", "complex64") else 1e300),
            )
        ),
        Value(f"masked({x})", "masked", BAD),
        Value(f"of_dtype({x}, 'O')", "object", ODD),
        Value(f"of_dtype({x}, 'U9')", "string", BAD),
        Value(f"of_dtype({x}, 'float16')", "float16", ODD),
        Value(f"of_dtype({x}, 'longdouble')", "longdouble", ODD),
        Value(f"of_dtype({x} * 10, 'M8[s]')", "datetime", BAD),
        Value(f"of_dtype({x} * 10, 'm8[s]')", "datetime", BAD),
        Value(f"np.zeros({shape}, [('a', 'f8')])", "object", BAD),
        *bad,
    ]
    if len(shape) == 2:
        others += [
            *(Value(f"sparse({x}, {form!r})", "sparse", sparse) for form in SPARSE),
            *(
                Value(f"corrupt({x}, {how!r}, {form!r})", "corrupt sparse", BAD)
                for form, how in DAMAGES
                if min(shape) > 1
            ),
            Value(f"linear({x})", "operator", linear),
            Value(f"np.asmatrix({x})", "matrix", matrix),
        ]
    if not set(dtypes) - set(REAL):
        others.append(Value(f"normal({shape}, 'complex128')", "complex", BAD))
    return Pool(good, st.sampled_from(others))


def laid_out(text, layout):
    """Return the value of an array in a layout."""
    if not layout:
        return Value(text)
    if layout == "as subclass":
        return Value(f"{text}.view(Subclass)", "subclass")
    return Value(f"{layout}({text})", layout.removeprefix("np.as"))


def figure_pool():
    """Return the pool of the argument `figure` of a drawing."""
    figures = ["__import__('matplotlib.figure').figure.Figure()"]
    bad = ["3", "'a'", "[]", "object()", "True", "1.5", "{}", "len"]
    return or_none(listed_values(figures, bad))


def wrong_shapes_of(shape):
    """Return shapes near this one that are wrong."""
    first, *rest = shape
    wrong = [(first + 1, *rest), (0, *rest), (*shape, 2), ()]
    if len(shape) == 2:
        wrong += [(first, rest[0] + 1), (first * rest[0],), (first, 0)]
    return wrong


def drawn_case(draw, entry):
    """Draw a case of an entry: at most one argument is odd or bad."""
    from .cases import Case, without

    template, pools = entry.recipe(draw)
    names = [name for name, pool in pools.items() if pool.other is not None]
    culprit = draw(st.sampled_from(["", *names, *names])) if names else ""
    values = {
        name: draw(pool.other if name == culprit else pool.good)
        for name, pool in pools.items()
    }
    for name in [name for name, value in values.items() if value.text == OMITTED]:
        template = without(template, name)
        del values[name]
    special = [value.kind for value in values.values() if value.kind != "plain"]
    kind, verdict = (special or ["plain"])[0], GOOD
    if culprit:
        kind, verdict = values[culprit].kind, values[culprit].verdict
    texts = {name: value.text for name, value in values.items()}
    return Case(entry.name, template, texts, kind, verdict, culprit)
