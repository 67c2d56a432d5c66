"""Numba and versions that are imported beside one another."""

import importlib
import pickle
import sys

import numba
import numpy as np
import pytest
from numba._dispatcher import compute_fingerprint
from numba.core import event
from test_compare import package

from nbfact.harness.versions import aliases, alongside, compiling, sharing

TUPLES = """
from typing import NamedTuple
import numpy as np

class Pair(NamedTuple):
    x: np.ndarray

plain = tuple
"""


def test_numba_tells_the_named_tuples_of_versions_apart(tmp_path):
    """It finds compiled code by a fingerprint, which ignores the module of a class."""
    package(tmp_path, TUPLES, "pairs.py")
    found = []
    try:
        for role in alongside.ROLES:
            aliases.load(role, tmp_path / "nbfact")
            made = importlib.import_module(f"nbfact_{role}.pairs").Pair(np.ones(2))
            for _ in range(2):  # the second time changes nothing
                aliases.tell_tuples_apart(role)
            assert pickle.loads(pickle.dumps(made)).x.sum() == 2
            found.append(made)
        prints = [compute_fingerprint(made) for made in found]
        assert len(set(prints)) == len(alongside.ROLES)
        assert len({len(one) for one in prints}) == 1  # no version has a longer one
        assert tuple.__name__ == "tuple"
        assert sharing.share(found[0], found[1])
        assert not sharing.share(found[0], type(found[1])(np.zeros(2)))
    finally:
        for loaded in [one for one in sys.modules if one.endswith(alongside.ROLES)]:
            del sys.modules[loaded]


@pytest.mark.compiled
def test_the_times_of_kernels_that_are_compiled_are_kept():
    times = compiling.CompileTimes("head")
    with event.install_listener(compiling.COMPILE, times):
        assert numba.njit(lambda x: x + 1)(1) == 2
    assert [key.partition(" ")[2] for key in times.found] == ["(int64,)"]
    assert min(times.found.values()) > 0
