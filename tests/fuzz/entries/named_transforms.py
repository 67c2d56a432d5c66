"""The functions of ``nf.transforms``."""

import numpy as np
import scipy.fft
import scipy.linalg
from hypothesis import strategies as st

import nbfact as nf

from ..cases import ODD, Value, called, entry
from ..checks import dense, near, near_operator, numbers
from ..pools import (
    REAL,
    Pool,
    array,
    count,
    dtype,
    fixed,
    flag,
    listed_values,
    optional,
    or_none,
    seed,
)

COMPLEX = ("complex128", "complex64")
SIZES = st.integers(1, 12)


def order(call):
    return int(call["n"])


def kind_of(call, default):
    """Return the dtype that a call asks for."""
    return np.dtype(call.get("dtype", default))


def expects(matrix, default="float64"):
    """Return the check that an operator is the matrix of a function of the call."""

    def check(call):
        asked = kind_of(call, default)
        near_operator(call.result, matrix(call), call.result, dtype=asked)

    return check


def norm(call):
    return "ortho" if call.get("normalized", True) else "backward"


def scipy_matrix(function):
    """Return the matrix of a transform of SciPy, for the arguments of a call."""

    def matrix(call):
        kind = int(call.get("type", 2))
        eye = np.eye(order(call))
        return function(eye, kind, axis=0, norm=norm(call), orthogonalize=None)

    return matrix


def trigonometric(name, function, least):
    @entry(f"transforms.{name}", expects(scipy_matrix(function)))
    def _(draw):
        pools = {
            "n": count(least, 12, huge=ODD),
            "type": optional(count(1, 4, wrong=("5", "0", "100"))),
            "normalized": flag(),
            "dtype": dtype(*REAL),
        }
        return called(f"nf.transforms.{name}", pools)


trigonometric("dct", scipy.fft.dct, 2)
trigonometric("dst", scipy.fft.dst, 1)


def fourier(inverse=False):
    def matrix(call):
        eye = np.eye(order(call))
        mode = norm(call)
        return (
            scipy.fft.ifft(eye, norm=mode) if inverse else scipy.fft.fft(eye, norm=mode)
        )

    return matrix


def hartley_matrix(call):
    found = fourier()(call)
    return found.real - found.imag


def splits(n):
    """Return sequences of radices with product n."""
    found = [f"[{n}]", f"({n},)"]
    found += [f"[{p}, {n // p}]" for p in range(2, n) if n % p == 0]
    return found


for _name, _inverse in (("dft", False), ("idft", True)):

    @entry(f"transforms.{_name}", expects(fourier(_inverse), "complex128"))
    def _(draw, name=_name):
        n = draw(SIZES)
        wrong = [
            "[0]",
            "[-2, 3]",
            "[7.5]",
            "3.5",
            "'a'",
            "[True]",
            "[[2, 3]]",
            "[2**63]",
        ]
        radices = listed_values(
            splits(n), bad=[*wrong, f"[{n}, 2]"], odd=["[]", f"[1, {n}]"]
        )
        pools = {
            "n": Pool(fixed(str(n)).good, count(1, 5, huge=ODD).other),
            "normalized": flag(),
            "dtype": dtype(*COMPLEX),
            "radices": or_none(radices),
        }
        return called(f"nf.transforms.{name}", pools)


@entry("transforms.hartley", expects(hartley_matrix))
def _(draw):
    pools = {
        "n": count(1, 12, huge=ODD),
        "normalized": flag(),
        "dtype": dtype(*REAL),
    }
    return called("nf.transforms.hartley", pools)


def hadamard_matrix(call):
    n = order(call)
    size = np.sqrt(n) if call.get("normalized", True) else 1
    if n & (n - 1) == 0:
        return scipy.linalg.hadamard(n) / size
    signs = np.sign(dense(call.result))  # one of several Hadamard matrices
    near(signs @ signs.T, n * np.eye(n), what="H Hᵀ")
    return signs / size


def power(bad=("3", "6", "12", "1023"), odd=()):
    """Return the pool of a power of two."""
    numbers = count(1, 5, huge=ODD)
    good = st.sampled_from(
        [Value(text) for text in ("1", "2", "4", "8", "np.int64(16)")]
    )
    wrong = [Value(text, "no power of two", ODD) for text in bad]
    return Pool(good, st.one_of(numbers.other, st.sampled_from(wrong)))


@entry("transforms.hadamard", expects(hadamard_matrix))
def _(draw):
    pools = {
        "n": power(),
        "normalized": flag(),
        "dtype": dtype(*REAL),
    }
    return called("nf.transforms.hadamard", pools)


def signed_hadamard(call):
    """Return the Hadamard matrix with the signs of the first row of the result."""
    matrix = hadamard_matrix(call)
    return matrix * np.sign(dense(call.result)[0] / matrix[0])


@entry("transforms.randomized_hadamard", expects(signed_hadamard))
def _(draw):
    pools = {
        "n": power(bad=("3", "6", "10", "1023")),
        "random_state": seed(),
        "normalized": flag(),
        "dtype": dtype(*REAL),
    }
    return called("nf.transforms.randomized_hadamard", pools)


@entry("transforms.haar", expects(lambda call: nf.targets.haar(order(call))))
def _(draw):
    return called("nf.transforms.haar", {"n": power(), "dtype": dtype(*REAL)})


@entry("transforms.slant", expects(lambda call: nf.targets.slant(order(call))))
def _(draw):
    return called("nf.transforms.slant", {"n": power(), "dtype": dtype(*REAL)})


def legendre_check(call):
    n, result = order(call), call.result
    expected = nf.targets.legendre(n)
    assert result.shape == expected.shape and result.dtype == kind_of(call, "float64")
    near(result.toarray(), dense(result), result)
    full = int(call.get("rank", 1)) >= n
    error = np.linalg.norm(result.toarray() - expected) / np.linalg.norm(expected)
    assert error < (1e-4 if full else 1), f"relative error {error:.3g}"


@entry("transforms.legendre", legendre_check)
def _(draw):
    n = draw(st.sampled_from([2, 4, 8, 16]))
    pools = {
        "n": Pool(fixed(str(n)).good, power().other),
        "rank": optional(count(1, 2, huge=ODD)),
        "dtype": dtype(*REAL),
    }
    return called("nf.transforms.legendre", pools)


def circulant_check(call):
    c = numbers(call["c"])
    near_operator(call.result, scipy.linalg.circulant(c), call["c"])


@entry("transforms.circulant", circulant_check)
def _(draw):
    n = draw(SIZES)
    pools = {"c": array((n,), wrong_shapes=[(0,), (2, 2), (2, 1, 2)])}
    return called("nf.transforms.circulant", pools)


def corner(function):
    def check(call):
        c, r = numbers(call["c"]), call.get("r")
        r = r if r is None else numbers(r)
        near_operator(call.result, function(c, r), call["c"], call.get("r"))

    return check


for _name, _function in (
    ("toeplitz", scipy.linalg.toeplitz),
    ("hankel", scipy.linalg.hankel),
):

    @entry(f"transforms.{_name}", corner(_function))
    def _(draw, name=_name):
        m, n = draw(SIZES), draw(SIZES)
        wrong = [(0,), (2, 2), (2, 1, 2)]
        pools = {
            "c": array((m,), wrong_shapes=wrong),
            "r": or_none(array((n,), wrong_shapes=wrong)),
        }
        return called(f"nf.transforms.{name}", pools)


def kronecker_check(call):
    a, b = dense(call["a"]), dense(call["b"])
    near_operator(call.result, np.kron(a, b), call["a"], call["b"])


@entry("transforms.kronecker", kronecker_check, words=("matrices",))
def _(draw):
    shapes = [(2, 3), (3, 3), (1, 2), (4, 1)]
    one, two = (
        array(
            draw(st.sampled_from(shapes)),
            wrong_shapes=[(0, 2), (2,), (2, 2, 2)],
            sparse=ODD,
            linear=ODD,
        )
        for _ in range(2)
    )
    kinds = ("factors", "butterfly", "wide", "own", "blocks")
    operators = st.sampled_from(
        [Value(f"sample({kind!r})", "operator") for kind in kinds]
    )
    pools = {"a": Pool(st.one_of(one.good, operators), one.other), "b": two}
    return called("nf.transforms.kronecker", pools, positional=("a", "b"))


def permutation_check(call):
    p = np.asarray(call["p"]).astype(int)
    asked = kind_of(call, "float64")
    near_operator(call.result, np.eye(len(p))[p], call.result, dtype=asked)


@entry("transforms.permutation", permutation_check)
def _(draw):
    n = draw(st.sampled_from([1, 2, 4, 8]))
    good = draw(st.permutations(range(n)))
    others = [
        *(
            "[0, 0]",
            "[1, 2]",
            "[0, 5]",
            "[-1, 0]",
            "[0.5, 1.5]",
            "[]",
            "3",
            "None",
            "'ab'",
        ),
        *("[[0, 1], [1, 0]]", "[True, False]", "object()", "[2**63, 0]", "[0, 'a']"),
        *(
            "np.array([0, 1], 'M8[s]')",
            "[0, np.nan]",
            "[[0], [1, 2]]",
            "[1, 0, 2, 3.5]",
        ),
    ]
    odd = ["[2, 0, 1]", "[1.0, 0.0]", "np.ma.masked_array([1, 0], [True, False])"]
    texts = [
        str(good),
        f"np.array({good})",
        f"np.array({good}, 'uint8')",
        f"range({n})" if good == list(range(n)) else str(tuple(good)),
    ]
    pools = {"p": listed_values(texts, bad=others, odd=odd), "dtype": dtype(*REAL)}
    return called("nf.transforms.permutation", pools)
