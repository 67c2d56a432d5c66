"""The rule of `n_jobs`, the same in all functions."""

import os

import numpy as np
import pytest

import nbfact as nf
from nbfact._core import threads
from nbfact._core.jobs import each, processes


def test_the_rule_is_that_of_joblib():
    joblib = pytest.importorskip("joblib")
    cores = joblib.cpu_count()
    expected = {None: 1, 1: 1, 3: 3, np.int8(2): 2, -1: cores, -cores - 5: 1}
    assert {n: processes(n) for n in expected} == expected
    with joblib.parallel_config("threading", n_jobs=2):
        assert [processes(n) for n in (None, 1, 3)] == [2, 1, 3]


def test_what_is_refused():
    target, sets = np.eye(4), [nf.constraints.SpLin((4, 4), 1)] * 2
    calls = (
        lambda n: list(each(abs, [(1,)], n)),
        lambda n: nf.explore(target, sets, n_iter=2, n_restarts=1, n_jobs=n),
    )
    for call in calls:
        with pytest.raises(ValueError, match="n_jobs=0: expected at least 1, or -1"):
            call(0)
        for wrong in (1.0, True, "all"):
            with pytest.raises(TypeError, match=f"n_jobs={wrong!r}: expected an int"):
                call(wrong)


def _threads():
    return threads.current(), os.getpid()


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_compute_on_one_thread(backend):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config(backend):
        found = list(each(_threads, [()] * 3, n_jobs=2))
    assert [count for count, _ in found] == [1, 1, 1]
    assert (os.getpid() in {process for _, process in found}) == (backend != "loky")
