"""Threads: the rule of how many, equal results to the last bit, forked processes."""

import os
import subprocess
import sys
import threading
import warnings

import numba
import numpy as np
import pytest
from samples import DTYPES, REALS_FIRST, close, random

import nbfact as nf
from nbfact._core import threads as rule
from nbfact.operators import OperatorSum, program, small_matrices
from nbfact.operators.plan import KRONECKER, Step

TWO = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2, reason="NUMBA_NUM_THREADS allows one thread"
)


@pytest.fixture
def kernels(monkeypatch):
    """Multiply small operators by their kernels, and not by their dense matrix."""
    monkeypatch.setattr(small_matrices, "LARGEST", 0)


def monarch(dtype, seed=0):
    """Return an operator whose product with columns is one chain."""
    chain = nf.Chain.mixed_radix((8, 8))
    permuted = np.random.default_rng(0).permutation(64)
    values = [random(pattern, dtype, seed + i) for i, pattern in enumerate(chain)]
    return nf.Butterfly(chain, values, rows=permuted)


OPERATORS = {
    "monarch": monarch,
    "adjoint": lambda dtype: monarch(dtype).H,
    "dyadic": lambda dtype: nf.transforms.hadamard(32).astype(dtype) * 0.3,
    "dyadic adjoint": lambda dtype: (nf.transforms.hadamard(64).astype(dtype) * 0.3).H,
    "factors": lambda dtype: nf.FactorProduct([random((7, 5), dtype)] * 1, 0.5),
    "slots": lambda dtype: monarch(dtype).to_factors(),
    "sum": lambda dtype: OperatorSum([monarch(dtype), monarch(dtype, 5).to_factors()]),
}


@TWO
@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("name", OPERATORS)
def test_products_are_the_same_to_the_last_bit(name, dtype, eager, kernels, ranges):
    operator = OPERATORS[name](dtype)
    dense = operator.toarray()
    for batch in (1, 3, 65):
        x = random((operator.shape[1], batch), dtype)
        expected = operator @ x
        close(expected, dense @ x)
        with nf.threads(2):
            np.testing.assert_array_equal(operator @ x, expected)
    assert set(ranges) == {2}


@TWO
@pytest.mark.parametrize("dtype", DTYPES)
def test_several_tiles_of_columns(dtype, eager, ranges, monkeypatch):
    """A chain without large blocks is divided between its tiles of columns."""
    monkeypatch.setattr(program, "TILE_BYTES", 1)  # tiles of 16 columns
    chain = nf.Chain.mixed_radix((3, 2, 3, 2))
    values = [random(pattern, dtype, i) for i, pattern in enumerate(chain)]
    plan = (Step(KRONECKER, 0, 4, (1, 1, 1, 1)),)
    x = random((36, 37), dtype)
    expected = program.Program(values, plan, x.dtype).run(x)
    close(expected, nf.Butterfly(chain, values).toarray() @ x)
    with nf.threads(2):
        found = program.Program(values, plan, x.dtype).run(x)
    np.testing.assert_array_equal(found, expected)
    assert ranges == [2]


@TWO
@pytest.mark.parametrize("adjoint", [False, True])
def test_rows_of_a_dyadic_butterfly_are_divided_twice(adjoint, eager, kernels, ranges):
    """Where columns exceed the cache, all threads end one turn before the other one."""
    operator = nf.transforms.hadamard(256).astype("float64") * 0.3
    operator = operator.H if adjoint else operator
    x = random((256, 257), "float64")  # 514 KB, which is more than stays in cache
    expected = operator @ x
    close(expected, operator.toarray() @ x)
    np.testing.assert_array_equal(operator.apply(x, threads=2), expected)
    assert ranges == [2, 2]


@TWO
def test_apply(eager, kernels, ranges):
    operator, x = monarch("float64"), random((64, 65), "float64")
    expected = operator @ x
    assert not ranges
    np.testing.assert_array_equal(operator.apply(x, threads=2), expected)
    out = np.full_like(expected, np.nan)
    assert operator.apply(x, out, threads=2) is out
    np.testing.assert_array_equal(out, expected)
    assert set(ranges) == {2}
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"threads={wrong}: expected at least 1"):
            operator.apply(x, threads=wrong)
    for wrong in (2.0, True, "2"):
        with pytest.raises(TypeError, match=r"threads=.*: expected an integer"):
            nf.threads(wrong)


@TWO
@pytest.mark.parametrize("kind", ["factors", "products"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nearest_rows(kind, dtype, eager, ranges):
    product = nf.FactorProduct([random((9, 6), dtype), random((6, 5), dtype, 1)])
    operator = product if kind == "factors" else OperatorSum([product])
    nearest = nf.NearestRows(operator)
    for n_points in (0, 5, 600):
        x = random((n_points, 5), dtype, 2)
        expected = nearest(x)
        for got, want in zip(nearest(x, threads=2), expected, strict=True):
            np.testing.assert_array_equal(got, want)
    assert ranges
    distances = np.linalg.norm(x[:, None] - operator.toarray(), axis=2)
    np.testing.assert_array_equal(expected[0], distances.argmin(axis=1))
    with pytest.raises(ValueError, match="threads=0"):
        nearest(x, threads=0)


@TWO
def test_estimators(eager, ranges):
    pytest.importorskip("sklearn")
    from nbfact.estimators import ClusterNeighbors, QuickNystroem

    X = random((90, 4), "float64")
    options = {"max_iter": 2, "factorizer": "palm4msa", "random_state": 0}
    made = [nf.QuicKMeans(4, **options, threads=count).fit(X) for count in (1, 2)]
    assert ranges and made[1].get_params()["threads"] == 2
    for method in ("predict", "transform", "score"):
        del ranges[:]
        one, two = (getattr(model, method)(X) for model in made)
        np.testing.assert_array_equal(one, two)
        assert ranges
    for kind, method in (
        (QuickNystroem, "transform"),
        (ClusterNeighbors, "kneighbors"),
    ):
        size = {"n_components": 4} if kind is QuickNystroem else {"n_clusters": 4}
        clusterer = nf.QuicKMeans(**options)
        one, two = (
            kind(**size, clusterer=clusterer, random_state=0, threads=count).fit(X)
            for count in (1, 2)
        )
        del ranges[:]
        np.testing.assert_array_equal(getattr(one, method)(X), getattr(two, method)(X))
        assert ranges
    with pytest.raises(ValueError, match="threads=0"):
        nf.QuicKMeans(2, threads=0).fit(X)


@TWO
def test_the_rule():
    """Blocks nest; outside them one thread, or what NUMBA_NUM_THREADS says."""
    outside = rule.current()
    assert outside == (
        numba.config.NUMBA_NUM_THREADS if "NUMBA_NUM_THREADS" in os.environ else 1
    )
    with nf.threads(2):
        assert rule.current() == 2
        with nf.threads(1), nf.threads(None):
            assert rule.current() == 1
        assert rule.current() == 2
        assert rule.alone(rule.current) == 1
        found = []
        other = threading.Thread(target=lambda: found.append(rule.current()))
        other.start()
        other.join()
        assert found == [outside]
    assert rule.current() == outside


def test_too_many_threads_give_a_warning():
    most = numba.config.NUMBA_NUM_THREADS
    operator = nf.transforms.hadamard(4)
    with pytest.warns(UserWarning, match=rf"threads={most + 1}: {most} used") as caught:
        operator.apply(np.eye(4), threads=most + 1)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        operator.apply(np.eye(4), threads=most)


@TWO
def test_calls_are_right_whatever_they_share(ranges):
    """Every unit is computed once; what is called inside is serial; errors return."""
    for count, unit, parts in ((1, 1, 1), (5, 1, 2), (33, 16, 2), (33, 40, 1)):
        done, inside = np.zeros(count, int), []

        def run(begin, end, done=done, inside=inside, unit=unit):
            done[begin:end] += 1
            assert begin % unit == 0 and begin < end
            inside.append(rule.current())

        with nf.threads(2):
            rule.share(rule.LEAST_WORK, count, run, unit)
        assert done.tolist() == [1] * count and len(inside) == parts
        assert inside == ([2] if parts == 1 else [1] * parts)

    def fail(begin, end):
        if begin:
            raise KeyError(begin)

    for _ in range(3):
        with nf.threads(2), pytest.raises(KeyError, match="16"):
            rule.share(rule.LEAST_WORK, 32, fail)
    del ranges[:]
    with nf.threads(2):
        rule.share(rule.LEAST_WORK / 32 - 1, 32, run)
    assert not ranges, "there is too little work for two threads"


def test_only_the_caller_of_a_job_takes_it_back():
    helper = rule._Helper.__new__(rule._Helper)  # its thread sleeps: there is none
    helper._job, helper._ready = None, threading.Lock()
    helper._ready.acquire()
    first, second = (rule._Job((print,), [], [], threading.Lock()) for _ in range(2))
    helper.help(second)
    assert not helper.recall(first), "it is the job of another caller"
    assert helper._job is second and helper.recall(second)
    assert helper._job is None and not helper.recall(second)


@TWO
def test_no_more_helpers_than_numba_has_threads(eager):
    operator, x = monarch("float64"), random((64, 65), "float64")
    expected, got = operator @ x, []

    def work():
        for _ in range(20):
            got.append(operator.apply(x, threads=2))

    team = [threading.Thread(target=work) for _ in range(4)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert len(got) == 80
    for found in got:
        np.testing.assert_array_equal(found, expected)
    assert rule._team._count < numba.config.NUMBA_NUM_THREADS


def script(code, **environment):
    """Run a script in a process of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        env={**os.environ, "NUMBA_NUM_THREADS": "2", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FORK = """
import multiprocessing, os
import numpy as np, nbfact as nf
from nbfact._core import threads as rule

rule.LEAST_WORK = 1
H, x = nf.transforms.hadamard(16), np.random.default_rng(0).standard_normal((16, 40))
nearest = nf.NearestRows(H.to_factors())
model = nf.QuicKMeans(4, max_iter=1, factorizer="palm4msa", random_state=0, threads=2)
calls = [
    lambda: H @ x,
    lambda: H.to_factors() @ x,
    lambda: nearest(x.T.repeat(9, axis=0))[0],
    lambda: model.predict(x.T),
    lambda: H.apply(x, threads=2),
]
model.fit(x.T)
with nf.threads(2):
    assert rule.current() == 2
    expected = [call() for call in calls]
    assert rule._team._count == 1
    child = os.fork()
    if child == 0:
        right = rule.current() == 1
        right &= all(np.array_equal(c(), e) for c, e in zip(calls[:3], expected))
        right &= rule._team._count == 0  # no thread was started
        right &= all(np.array_equal(c(), e) for c, e in zip(calls, expected))
        os._exit(0 if right else 1)
    print(os.waitpid(child, 0)[1])


def work(place):
    return rule.current(), calls[place]()


with multiprocessing.get_context("fork").Pool(2) as pool:
    for (count, got), wanted in zip(pool.map(work, range(5)), expected):
        assert count == 1 and np.array_equal(got, wanted)
print([bool(np.array_equal(c(), e)) for c, e in zip(calls, expected)])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.slow
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_process_computes_serially(layer):
    """OpenMP would end it, once its parent has run a parallel kernel of Numba."""
    pytest.importorskip("sklearn")
    printed = script(FORK, NUMBA_THREADING_LAYER=layer).split("\n")
    assert printed[:2] == ["0", "[True, True, True, True, True]"]


ENVIRONMENT = """
import numpy as np, nbfact as nf
from nbfact._core import threads as rule
print(rule.current())
with nf.threads(1):
    print(rule.current())
import numba
numba.set_num_threads(1)
print(rule.current())
"""


def test_numba_num_threads_is_respected():
    assert script(ENVIRONMENT).split() == ["2", "1", "1"]
    assert script(ENVIRONMENT, NUMBA_NUM_THREADS="1").split() == ["1", "1", "1"]


SILENT = """
import warnings, numpy as np, nbfact as nf
H = nf.transforms.hadamard(4)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    H.apply(np.eye(4), threads=2)
    nf.NearestRows(H)(np.eye(4), threads=2)
print(*(str(warning.message) for warning in caught), sep="\\n")
"""


def test_threads_that_do_not_exist_give_a_warning():
    caught = script(SILENT, NUMBA_NUM_THREADS="1").strip().split("\n")
    assert len(caught) == 2
    assert all(line.startswith("threads=2: 1 used, because Numba") for line in caught)


@TWO
def test_a_call_does_not_wait_for_threads_that_sleep(eager, monkeypatch):
    """Where all cores are busy, the caller computes what no helper has begun."""
    team = rule._Team(1)
    monkeypatch.setattr(rule, "_team", team)
    operator, x = OPERATORS["factors"]("float64"), random((5, 65), "float64")
    expected, found = operator @ x, []
    with nf.threads(2):
        operator @ x  # starts the helper
        (helper,) = team._idle
        free, helper._ready = helper._ready, threading.Lock()
        helper._ready.acquire()  # nobody waits for this lock: the thread sleeps
        np.testing.assert_array_equal(operator @ x, expected)
        rule.share(10, 64, lambda begin, end: found.append((begin, end)))
        assert found == [(0, 32), (32, 64)] and team._idle == [helper]

        def fail(begin, end):
            if begin:
                raise KeyError(begin)

        with pytest.raises(KeyError, match="32"):
            rule.share(10, 64, fail)
        helper._ready = free
        np.testing.assert_array_equal(operator @ x, expected)
