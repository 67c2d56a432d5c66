"""Files: matrices are read from all formats, and files are written as a whole."""

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from nbfact._core.files import atomic_path
from nbfact.targets import load_matrix

MATRIX = np.arange(6.0).reshape(2, 3)


def test_every_kind_of_file_is_read(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX)
    np.savez(tmp_path / "one.npz", anything=MATRIX)
    np.savez(tmp_path / "two.npz", data=MATRIX, other=np.ones(2))
    scipy.sparse.save_npz(tmp_path / "sparse.npz", scipy.sparse.csr_array(MATRIX))
    scipy.io.savemat(tmp_path / "a.mat", {"L": MATRIX, "name": "lead field"})
    scipy.io.savemat(tmp_path / "s.mat", {"L": scipy.sparse.csc_array(MATRIX)})
    np.savetxt(tmp_path / "A.CSV", MATRIX, delimiter=",")
    for path in sorted(tmp_path.iterdir()):
        got = load_matrix(path)
        np.testing.assert_array_equal(got, MATRIX, err_msg=str(path))
        assert got.dtype == np.float64


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("f4", "f4"),
        (">f4", "f4"),
        ("c8", "c8"),
        ("f2", "f8"),
        ("i8", "f8"),
        ("?", "f8"),
    ],
)
def test_dtypes(tmp_path, stored, expected):
    np.save(tmp_path / "a.npy", np.eye(2).astype(stored))
    got = load_matrix(tmp_path / "a.npy")
    assert got.dtype == np.dtype(expected)
    assert got.dtype.isnative


BAD = {
    "object.npy": (np.array([[1, None]], dtype=object), "not a .npy file of numbers"),
    "text.npy": (np.array([["a"]]), "expected numbers"),
    "vector.npy": (np.ones(3), r"shape \(3,\)"),
    "empty.npy": (np.ones((0, 3)), r"shape \(0, 3\)"),
    "nan.npy": (np.array([[1.0, 2.0], [np.nan, 0.0]]), r"entry \(1, 0\) is nan"),
    "inf.npy": (np.array([[1.0, np.inf]]), r"entry \(0, 1\) is inf"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arrays(tmp_path, name):
    array, message = BAD[name]
    np.save(tmp_path / name, array)
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        load_matrix(tmp_path / name)


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.npy: no such file"):
        load_matrix(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"kind of file '\.txt'.*\.npy.*\.csv"):
        load_matrix(tmp_path / "a.txt")
    np.savez(tmp_path / "two.npz", first=MATRIX, second=MATRIX)
    with pytest.raises(ValueError, match=r"two\.npz.*first, second"):
        load_matrix(tmp_path / "two.npz")
    scipy.io.savemat(tmp_path / "two.mat", {"first": MATRIX, "second": MATRIX})
    with pytest.raises(ValueError, match=r"two\.mat.*first, second"):
        load_matrix(tmp_path / "two.mat")
    scipy.io.savemat(tmp_path / "none.mat", {"name": "text"})
    with pytest.raises(ValueError, match=r"none\.mat.*found none"):
        load_matrix(tmp_path / "none.mat")
    (tmp_path / "a.csv").write_text("1,2\n3,x\n")
    with pytest.raises(ValueError, match=r"a\.csv.*table of numbers"):
        load_matrix(tmp_path / "a.csv")
    # A MATLAB 7.3 file is an HDF5 file that starts with this header.
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(header + bytes(512))
    with pytest.raises(ValueError, match=r"7\.3"):
        load_matrix(tmp_path / "new.mat")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".csv"])
@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"PK\x03\x04 damaged", b"\xff\x00"]
)
def test_damaged_files(tmp_path, suffix, content):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_matrix(path)


def test_atomic_path_replaces_whole_files_only(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("first")
        assert temporary.parent == path.parent
        assert temporary.suffix == ".txt"
        assert not path.exists()
    path.chmod(0o640)
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "first"
    with atomic_path(path) as temporary:
        temporary.write_text("second")
    assert path.read_text() == "second"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_path_follows_links_and_names_bad_places(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real" / "a.txt")
    with atomic_path(link) as temporary:
        temporary.write_text("x")
    assert link.is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "x"
    with (
        pytest.raises(FileNotFoundError, match="nowhere"),
        atomic_path(tmp_path / "nowhere" / "a.txt"),
    ):
        pass
    with pytest.raises(IsADirectoryError, match="real"), atomic_path(tmp_path / "real"):
        pass
