"""Damaged files of every format end in the right matrix or a clear error, or a number.

`python -m tests.fuzz.file_command` damages thousands of files.
"""

import pytest
from fuzz.file_command import campaign
from fuzz.file_damage import EDIT, judged, kinds_of, whole
from fuzz.runner import Runner

SLOW = ("v7.3", "v7.3 chunks", "a.h5")
"""Files that a process of its own reads, for each of which it starts anew."""
FAST = [word for word in whole() if word not in SLOW]


@pytest.fixture(scope="module")
def runner():
    with Runner("fuzz.file_damage:judged") as runner:
        yield runner


@pytest.mark.parametrize("word", FAST)
def test_flipped_bits(runner, word):
    counts, faults = campaign([word], 25, runner, ["flip"])
    assert not faults, "\n".join(faults)
    if whole()[word].guarded:
        assert not counts[word]["unnoticed"]


@pytest.mark.parametrize("word", FAST)
def test_other_damage(runner, word):
    _, faults = campaign([word], 4, runner, kinds_of(word)[1:])
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("word", [word for word in FAST if word.endswith(".npz")])
def test_edited_members(runner, word):
    counts, faults = campaign([word], 20, runner, [EDIT])
    assert not faults, "\n".join(faults)
    assert counts[word]["refused"] > 0


@pytest.mark.parametrize("word", [word for word in whole() if word in SLOW])
def test_damage_that_crashes_the_hdf5_library(runner, word):
    _, faults = campaign([word], 2, runner, ["flip"])
    assert not faults, "\n".join(faults)


def test_the_crash_of_a_file_is_no_crash_of_the_reader():
    """One damage that ends the HDF5 library, version 2.0, with SIGSEGV."""
    if "a.h5" not in whole():
        pytest.skip("h5py is not installed")
    case = {"file": "a.h5", "kind": "zeros", "number": 3}
    assert judged(case)["outcome"] in ("refused", "right", "unnoticed")
