"""load_matrix: files of MATLAB 7.3 and other HDF5 files."""

import importlib.util

import numpy as np
import pytest
import scipy.sparse
from hdf5_samples import LEVEL73, level73, matlab_array, matlab_group, pairs

from nbfact.targets import load_matrix

MATRIX = np.arange(6.0).reshape(2, 3)
MILLIONS = (10**6, 10**6)


def test_matrices_of_matlab_7_3_are_read(tmp_path):
    path = tmp_path / "a.mat"
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((5, 7))
    mixed = dense + 1j * rng.standard_normal((5, 7))
    sparse = scipy.sparse.csc_array(dense * (dense > 0))
    both = scipy.sparse.csc_array(mixed * (dense > 0))

    def write(file):
        matlab_array(file, "packed", dense.T, chunks=(2, 3), compression="gzip")
        matlab_array(file, "complex", pairs(mixed).T)
        matlab_array(file, "single", dense.T.astype("f4"), "single")
        matlab_array(file, "text", np.ones((1, 3), "u2"), "char")
        matlab_group(file, "sparse", sparse)
        matlab_group(file, "sparse_complex", both)
        matlab_group(file, "nothing", scipy.sparse.csc_array((5, 7)))
        matlab_array(file, "empty", np.array([0, 7], "u8"))
        file["empty"].attrs["MATLAB_empty"] = np.uint8(1)

    level73(path, write)
    for name, expected in {
        "packed": dense, "complex": mixed, "single": dense.astype("f4"),
        "sparse": sparse.toarray(),
        "sparse_complex": both.toarray(), "nothing": np.zeros((5, 7)),
    }.items():  # fmt: skip
        got = load_matrix(path, name)
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == expected.dtype
    with pytest.raises(ValueError, match=r"must be a matrix .* shape \(0, 7\)"):
        load_matrix(path, "empty")
    with pytest.raises(
        ValueError, match="expected text, found complex, empty, nothing"
    ):
        load_matrix(path, "text")


def test_damaged_files_of_matlab_7_3_are_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    matrix = scipy.sparse.csc_array(np.eye(4, 5))
    for name, value in (
        ("ir", [0, 1, 10**9, 3]), ("jc", [0, 1, 2, 3, 10**9, 4]),
    ):  # fmt: skip

        def write(file, name=name, value=value):
            matlab_group(file, "A", matrix)
            del file["A"][name]
            file["A"][name] = np.array(value, "f8" if name == "data" else "u8")

        level73(path, write)
        with pytest.raises(ValueError, match=r"path .*a\.mat: .*sparse matrix"):
            load_matrix(path)
    level73(path, lambda file: matlab_array(file, "A", np.ones((2, 2), "f4")))
    with pytest.raises(ValueError, match="float32 entries in an array of class f8"):
        load_matrix(path)
    elsewhere, shown = tmp_path / "b.h5", tmp_path / "c.h5"
    with h5py.File(elsewhere, "w") as file:
        file["B"] = MATRIX
    with h5py.File(shown, "w") as file:
        file["A"] = h5py.ExternalLink(str(elsewhere), "B")
        file.create_dataset("huge", MILLIONS, "f8", chunks=(9, 9))
        layout = h5py.VirtualLayout((2, 3), "f8")
        layout[:] = h5py.VirtualSource(str(elsewhere), "B", (2, 3))
        file.create_virtual_dataset("seen", layout)
        file.create_dataset("part", (9, 9), "f8", chunks=(3, 3))[:3] = 1.0
    for name, message in (
        ("A", "found huge, part, seen"), ("huge", "of memory, this machine has"),
        ("seen", "lies in other files"), ("part", "are missing"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"path .*c\\.h5: .*{message}"):
            load_matrix(shown, name)


def test_a_missing_h5py_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.mat"
    path.write_bytes(LEVEL73.ljust(512) + b"\x89HDF\r\n\x1a\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"a\.mat.*h5py.*nbfact\[hdf5\]"):
        load_matrix(path)
