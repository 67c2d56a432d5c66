"""What writes and reads files. Damaged files are the subject of ``test_fuzz_files``."""

import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from ..cases import ODD, Value, called, entry
from ..checks import dense, near, near_operator, true
from ..pools import figure_pool, fixed, listed_values
from ..values import normal
from .arrangements import a_result
from .fast_operators import SHAPES, drawn_factors

NO_PATHS = [
    "None",
    "3",
    "1.5",
    "[]",
    "{}",
    "object()",
    "np.zeros(2)",
    "len",
    "path('missing/folder/a.npz')",
    "path('a.txt')",
    "path('')",
    "path('a')",
    "True",
    "'a\\0b.npz'",
    "path('x' * 300 + '.npz')",
]
KINDS = [kind for kind in SHAPES if kind != "own"]


def written(call):
    assert call.result is None
    near_operator(nf.load(call["path"]), dense(call["self"]), call["self"])


def a_path(*suffixes):
    good = [f"path('w{suffix}')" for suffix in suffixes] + [
        f"__import__('pathlib').Path(path('p{suffixes[0]}'))"
    ]
    return listed_values(
        good, NO_PATHS, [Value("path('b.npz').encode()", "bytes", ODD)]
    )


@entry("FastOperator.save", written, raises=(OSError,), words=("suffix", "file"))
def _(draw):
    kind = draw(st.sampled_from(KINDS))
    return called(
        "{self}.save",
        {"self": fixed(f"sample({kind!r})", kind=kind), "path": a_path(".npz", ".mat")},
    )


@entry("FastOperator.export", written, raises=(OSError,), words=("suffix", "file"))
def _(draw):
    kind = draw(st.sampled_from(KINDS))
    return called(
        "{self}.export",
        {"self": fixed(f"sample({kind!r})", kind=kind), "path": a_path(".npz")},
    )


@entry("Factorization.save", written, raises=(OSError,), words=("suffix", "file"))
def _(draw):
    return called(
        "{self}.save", {"self": a_result(draw), "path": a_path(".npz", ".mat")}
    )


@entry("Factorization.plot", drawn_factors)
def _(draw):
    return called("{self}.plot", {"self": a_result(draw), "figure": figure_pool()})


def loaded(call):
    true(isinstance(call.result, nf.FastOperator), type(call.result).__name__)
    true(np.isfinite(call.result.toarray()).all(), "not finite")


for _name in ("load", "operators.load"):

    @entry(_name, loaded, raises=(OSError,), words=("suffix", "file"))
    def _(draw, name=_name):
        kind = draw(st.sampled_from(KINDS))
        good = [
            f"saved({kind!r})",
            f"saved({kind!r}, '.mat')",
            f"saved({kind!r}, '.npz', 'export')",
        ]
        return called(f"nf.{name}", {"path": listed_values(good, NO_PATHS)})


def matrix_check(call):
    seed = int(call.case.texts["path"].rpartition(", ")[2].rstrip(")"))
    expected = normal((3, 4), "float64", seed)
    near(np.asarray(call.result), expected, size=1e3 * np.abs(expected).max())


@entry("targets.load_matrix", matrix_check, raises=(OSError,), words=("suffix", "file"))
def _(draw):
    seed = draw(st.integers(0, 9))
    suffixes = (".npy", ".npz", ".csv", ".mat")
    good = [f"saved_matrix({suffix!r}, {seed})" for suffix in suffixes]
    return called("nf.targets.load_matrix", {"path": listed_values(good, NO_PATHS)})
