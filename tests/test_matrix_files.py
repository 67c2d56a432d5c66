"""load_matrix: every kind of file is read, and a bad one is refused by its name."""

import io
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hdf5_samples import LEVEL73

from nbfact._core.formats.matrix_files import load_mat
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
    (tmp_path / "new.mat").write_bytes(LEVEL73 + bytes(512))
    with pytest.raises(ValueError, match=r"7\.3"):
        load_matrix(tmp_path / "new.mat")


@pytest.mark.parametrize(
    "suffix", [".npy", ".npz", ".mat", ".csv", ".mtx", ".mtx.gz", ".h5"]
)
@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"PK\x03\x04 damaged", b"\xff\x00"]
)
def test_damaged_files(tmp_path, suffix, content):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_matrix(path)


def header(shape, descr="<f8", version=1):
    """Return the beginning of a .npy file, 128 bytes long."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    form, length = ("<H", 118) if version == 1 else ("<I", 116)
    begin = b"\x93NUMPY" + bytes([version, 0]) + struct.pack(form, length)
    return begin + text.ljust(length - 1).encode() + b"\n"


def zipped(content, compression=zipfile.ZIP_STORED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        archive.writestr("arr_0.npy", content)
    return packed.getvalue()


def level5(matrix):
    """Return the content of an uncompressed MATLAB file with a matrix A."""
    packed = io.BytesIO()
    scipy.io.savemat(packed, {"A": matrix})
    return packed.getvalue()


def sparse_npz(**changes):
    """Return a sparse .npz file of the shape (4, 5) with some arrays changed."""
    matrix = scipy.sparse.csr_array(np.eye(4, 5))
    arrays = {
        "format": np.array(b"csr"), "shape": np.array([4, 5]), "data": matrix.data,
        "indices": matrix.indices, "indptr": matrix.indptr,
    }  # fmt: skip
    packed = io.BytesIO()
    np.savez(packed, **{**arrays, **changes})
    return packed.getvalue()


MILLIONS = (10**6, 10**6)
V4_HEAD = struct.pack("<5i", 0, 2**30, 2**30, 0, 2) + b"A\0"
BOMBS = {
    "header.npy": (header(MILLIONS), "8000000000000 bytes; 0 follow"),
    "overflow.npy": (header((2**62, 2**62)), "0 follow"),
    "version.npy": (header((1, 1), version=3)[:-1] + b"\n" + bytes(7), "7 follow"),
    "stored.npz": (zipped(header(MILLIONS)), "0 follow"),
    "deflated.npz": (zipped(header(MILLIONS), zipfile.ZIP_DEFLATED), "0 follow"),
    "lzma.npz": (zipped(header((1, 1)) + bytes(8), zipfile.ZIP_LZMA), "compressed in"),
    "sparse.npz": (
        sparse_npz(format=np.array(b"coo"), shape=np.array(MILLIONS) * 10,
                   row=np.arange(4), col=np.arange(4)),
        "of memory, this machine has",
    ),
    "level5.mat": (
        level5(MATRIX).replace(struct.pack("<2i", 2, 3), struct.pack("<2i", *MILLIONS)),
        "6 entries in an array of",
    ),
    "level4.mat": (V4_HEAD, "longer than the file"),
    "array.mtx": (b"%%MatrixMarket matrix array real general\n1000000 1000000\n1\n",
                  "memory|asks for"),
    "triples.mtx": (
        b"%%MatrixMarket matrix coordinate real general\n10000000 10000000 1\n1 1 1\n",
        "of memory, this machine has",
    ),
    "digits.csv": (b"1,2\n3," + b"9" * 10**6 + b"\n", "is inf"),
    "brackets.npy": (header("(" * 40), "not a .npy file of numbers"),
    "token.npy": (header("(3, 4"), "not a .npy file of numbers"),
    "dtype.npy": (header((1, 1), "<f16777216"), "not a .npy file of numbers"),
    "negative.npy": (header((-1, 4)), "not a .npy file of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_header_that_asks_for_too_much_is_refused(tmp_path, name):
    content, message = BOMBS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"^path .*{name}: .*({message})") as caught:
        load_matrix(tmp_path / name)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


SPARSE_FAULTS = {
    "index of 10**9": {"indices": np.array([0, 1, 10**9, 3])},
    "negative index": {"indices": np.array([0, -1, 2, 3])},
    "indices that are no integers": {"indices": np.arange(4.0)},
    "short indices": {"indices": np.arange(3)},
    "indptr beyond the end": {"indptr": np.array([0, 1, 2, 3, 10**9])},
    "indptr that ends too early": {"indptr": np.array([0, 1, 2, 3, 3])},
    "indptr that falls": {"indptr": np.array([0, 3, 1, 3, 4])},
    "negative indptr": {"indptr": np.array([0, -9, 2, 3, 4])},
    "long indptr": {"indptr": np.arange(6)},
    "short indptr": {"indptr": np.arange(4)},
    "no indptr": {"indptr": np.array([], int)},
    "another shape": {"shape": np.array([4, 3])},
    "shape of one": {"shape": np.array([4])},
    "shape that is negative": {"shape": np.array([4, -5])},
    "shape that is no integer": {"shape": np.array([4.0, 5.0])},
    "short data": {"data": np.ones(3)},
    "data in two dimensions": {"data": np.ones((2, 2))},
    "text for data": {"data": np.array(["a"] * 4)},
    "another format": {"format": np.array(b"cst")},
    "format without its arrays": {"format": np.array(b"coo")},
}


@pytest.mark.parametrize("fault", SPARSE_FAULTS)
def test_a_damaged_sparse_matrix_is_refused(tmp_path, fault):
    path = tmp_path / "sparse.npz"
    path.write_bytes(sparse_npz(**SPARSE_FAULTS[fault]))
    with pytest.raises(ValueError, match=r"path .*sparse\.npz"):
        load_matrix(path)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i8"])
def test_every_sparse_format_is_read(tmp_path, form, dtype):
    rng = np.random.default_rng(0)
    dense = rng.integers(-2, 3, (6, 8)).astype(dtype)
    scipy.sparse.save_npz(tmp_path / "a", scipy.sparse.coo_array(dense).asformat(form))
    np.testing.assert_array_equal(load_matrix(tmp_path / "a.npz"), dense)
    empty = scipy.sparse.coo_array((6, 8), dtype=float).asformat(form)
    scipy.sparse.save_npz(tmp_path / "b", empty)
    np.testing.assert_array_equal(load_matrix(tmp_path / "b.npz"), np.zeros((6, 8)))


def test_arrays_of_all_orders_are_read_without_a_warning(tmp_path):
    old = header("(2L, 3L)") + MATRIX.tobytes()
    (tmp_path / "python2.npy").write_bytes(old)
    (tmp_path / "python2.npz").write_bytes(zipped(old))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(MATRIX))
    np.savez(tmp_path / "fortran.npz", np.asfortranarray(MATRIX))
    with open(tmp_path / "version2.npy", "wb") as file:
        np.lib.format.write_array(file, MATRIX, version=(2, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in tmp_path.iterdir():
            got = load_matrix(path)
            np.testing.assert_array_equal(got, MATRIX)
            got[0, 0] = 1  # it is the user's own


def test_a_file_of_the_wrong_length_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    content = header((2, 3)) + MATRIX.tobytes()
    for wrong in (content[:-1], content + b"\0"):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"a\.npy: its header asks for"):
            load_matrix(path)


def test_a_variable_is_chosen_by_its_name(tmp_path):
    h5py = pytest.importorskip("h5py")
    other = np.ones((2, 2))
    np.savez(tmp_path / "a.npz", first=MATRIX, second=other)
    scipy.io.savemat(tmp_path / "a.mat", {"first": MATRIX, "second": other, "t": "x"})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["first"], file["second"], file["vector"] = MATRIX, other, np.ones(3)
    for name in ("a.npz", "a.mat", "a.h5"):
        np.testing.assert_array_equal(load_matrix(tmp_path / name, "first"), MATRIX)
        got = load_matrix(tmp_path / name, variable="second")
        np.testing.assert_array_equal(got, other)
        with pytest.raises(
            ValueError, match=f"{name}: .*found first, second.*variable"
        ):
            load_matrix(tmp_path / name)
        with pytest.raises(ValueError, match="expected third, found first, second"):
            load_matrix(tmp_path / name, "third")
    for name in ("a.npy", "a.csv", "a.mtx"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ValueError, match=r"variable='A': .*one matrix without"):
            load_matrix(tmp_path / name, "A")
    with pytest.raises(TypeError, match="variable must be a name, got 3"):
        load_matrix(tmp_path / "a.npz", 3)
    for wrong in (3, None, b"a.npy"):
        with pytest.raises(TypeError, match="path must be a str"):
            load_matrix(wrong)


# --------------------------------------------------------------------------------------
# MATLAB
# --------------------------------------------------------------------------------------

FOLDER = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data"
MATLAB_FILES = sorted(path.name for path in FOLDER.glob("*.mat"))


@pytest.mark.parametrize("name", MATLAB_FILES)
def test_files_of_matlab_are_read_as_scipy_does(name):
    path = FOLDER / name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = scipy.io.loadmat(path)
    except Exception:
        if name != "bad_miutf8_array_name.mat":  # no reason to refuse it
            with pytest.raises((ValueError, zipfile.zlib.error)):
                load_mat(path)
        return
    got = load_mat(path)
    names = {key for key in expected if not key.startswith("__")}
    assert set(got) == names
    for key in names:
        value = expected[key]
        if scipy.sparse.issparse(value):
            np.testing.assert_array_equal(got[key].toarray(), value.toarray())
        elif value.dtype.kind in "biufc":
            np.testing.assert_array_equal(got[key], value)
        elif value.dtype.kind == "U":
            assert got[key] is None


def test_matlab_files_of_each_version_are_read(tmp_path):
    rng = np.random.default_rng(0)
    values = [
        rng.integers(-9, 9, (3, 4)).astype(dtype)
        for dtype in ("f8", "f4", "i4", "i2", "c16", "c8", "u1", "i1", "i8", "u8")
    ]
    values += [scipy.sparse.csc_array(value) for value in values if value.dtype == "f8"]
    values += [scipy.sparse.csc_array(values[4]), scipy.sparse.csc_array((3, 4))]
    for number, value in enumerate(values):
        dense = value.toarray() if scipy.sparse.issparse(value) else value
        for options in ({"format": "4"}, {}, {"do_compression": True}):
            if options.get("format") and value.dtype in ("i1", "i8", "u8", "c8"):
                continue  # version 4 has no such numbers
            path = tmp_path / f"{number}.mat"
            scipy.io.savemat(path, {"A": value}, **options)
            np.testing.assert_array_equal(load_matrix(path), dense)


def test_damaged_sparse_matrices_of_matlab_are_refused(tmp_path):
    matrix = scipy.sparse.csc_array(np.eye(4, 5)[[1, 0, 3, 2]])
    content = level5(matrix)
    rows, ends = matrix.indices.astype("<i4"), matrix.indptr.astype("<i4")
    for old, wrong in (
        (rows, [1, 0, 10**9, 2]), (rows, [1, -1, 3, 2]), (rows, [1, 0, 4, 2]),
        (ends, [0, 1, 2, 3, 10**9, 4]), (ends, [0, 3, 2, 3, 4, 4]),
        (ends, [0, -1, 2, 3, 4, 4]), (ends, [0, 1, 2, 3, 3, 3]),
        (np.array([8, 4, 5], "<i4"), [8, 4, 4]),
        (np.array([8, 4, 5], "<i4"), [8, 3, 5]),
    ):  # fmt: skip
        new = np.array(wrong, "<i4").tobytes()
        assert old.tobytes() in content
        path = tmp_path / "a.mat"
        path.write_bytes(content.replace(old.tobytes(), new, 1))
        with pytest.raises(ValueError, match=r"path .*a\.mat: "):
            load_matrix(path)
