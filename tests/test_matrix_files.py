"""load_matrix: every kind of file is read, and a bad one is refused by its name."""

import gzip
import importlib.util
import io
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from nbfact._core.formats.matrix_files import load_mat
from nbfact.targets import load_matrix

MATRIX = np.arange(6.0).reshape(2, 3)
LEVEL73 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"


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


def level73(path, write):
    """Make a file of MATLAB 7.3."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        write(file)
    with open(path, "r+b") as file:
        file.write(LEVEL73)


def matlab_array(group, name, value, kind="double", **options):
    data = group.create_dataset(name, data=value, **options)
    data.attrs["MATLAB_class"] = np.bytes_(kind)


def matlab_group(file, name, matrix):
    """Write a sparse matrix as MATLAB 7.3 does."""
    group = file.create_group(name)
    group.attrs["MATLAB_class"] = np.bytes_("double")
    group.attrs["MATLAB_sparse"] = np.uint64(matrix.shape[0])
    group["jc"] = matrix.indptr.astype("u8")
    if matrix.nnz:
        group["ir"], group["data"] = matrix.indices.astype("u8"), pairs(matrix.data)


def pairs(value):
    """Return complex numbers as MATLAB 7.3 stores them."""
    if value.dtype.kind != "c":
        return value
    parts = np.empty(value.shape, [("real", "f8"), ("imag", "f8")])
    parts["real"], parts["imag"] = value.real, value.imag
    return parts


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


# --------------------------------------------------------------------------------------
# Text
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["real", "complex", "integer", "pattern"])
@pytest.mark.parametrize(
    "kind", ["general", "symmetric", "skew-symmetric", "hermitian"]
)
@pytest.mark.parametrize("layout", ["array", "coordinate"])
def test_every_matrix_market_file_is_read_as_scipy_does(tmp_path, layout, kind, field):
    if (layout, field) == ("array", "pattern") or (
        kind == "hermitian" and field != "complex"
    ):
        pytest.skip("there is no such file")
    rng = np.random.default_rng(0)
    matrix = rng.integers(-3, 4, (5, 5)).astype("c16" if field == "complex" else "f8")
    if field == "complex":
        matrix += 1j * rng.integers(-3, 4, (5, 5))
    flip = {
        "symmetric": matrix.T,
        "skew-symmetric": -matrix.T,
        "hermitian": matrix.conj().T,
    }
    matrix = matrix + flip.get(kind, 0)
    if field == "pattern":
        matrix = (matrix != 0) * 1.0
        kind = "symmetric" if kind == "skew-symmetric" else kind
    if field == "integer":
        matrix = matrix.astype(int)
    value = scipy.sparse.coo_array(matrix) if layout == "coordinate" else matrix
    for name in ("a.mtx", "B.MTX", "a.mtx.gz"):
        content = io.BytesIO()
        scipy.io.mmwrite(content, value, "two\nlines", field, symmetry=kind)
        text = content.getvalue()
        (tmp_path / name).write_bytes(gzip.compress(text) if "gz" in name else text)
        np.testing.assert_array_equal(load_matrix(tmp_path / name), matrix)


MARKET = "%%MatrixMarket matrix {} general\n% a comment\n\n"
MARKET_FAULTS = {
    "another object": ("%%MatrixMarket vector array real general\n1\n", "not a Matrix"),
    "another layout": (MARKET.format("list real") + "1 1\n1\n", "unknown kind"),
    "sizes": (MARKET.format("array real") + "2 x\n1\n", "line of sizes is '2 x"),
    "negative": (MARKET.format("array real") + "-2 2\n1\n", "line of sizes"),
    "few": (MARKET.format("array real") + "2 2\n1\n2\n3\n", "asks for 4 .* found 3"),
    "many": (MARKET.format("array real") + "1 2\n1\n2\n3\n", "asks for 2"),
    "columns": (MARKET.format("array complex") + "1 1\n1\n", "lines of 2 numbers"),
    "text": (MARKET.format("array real") + "1 1\nx\n", "x"),
    "none": (MARKET.format("array real") + "1 1\n", "found 0"),
    "nan": (MARKET.format("array real") + "1 1\nnan\n", r"entry \(0, 0\) is nan"),
    "outside": (MARKET.format("coordinate real") + "2 2 1\n3 1 1\n", r"entry \(3, 1\)"),
    "zero": (MARKET.format("coordinate real") + "2 2 1\n0 1 1\n", r"entry \(0, 1\)"),
    "part": (MARKET.format("coordinate real") + "2 2 1\n1.5 1 1\n", "not an integer"),
    "twice": (MARKET.format("coordinate real") + "2 2 2\n1 1 1\n1 1 2\n", "twice"),
    "too many": (MARKET.format("coordinate real") + "1 1 2\n1 1 1\n1 1 1\n", "2 en"),
    "not square": (
        MARKET.format("array real").replace("general", "symmetric") + "1 2\n1\n2\n",
        "a symmetric matrix of shape",
    ),
    "skew": (
        "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 1\n",
        "diagonal that no skew-symmetric matrix has",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", MARKET_FAULTS)
def test_a_damaged_matrix_market_file_is_refused(tmp_path, fault):
    text, message = MARKET_FAULTS[fault]
    (tmp_path / "a.mtx").write_text(text)
    with pytest.raises(ValueError, match=rf"path .*a\.mtx: .*{message}"):
        load_matrix(tmp_path / "a.mtx")
    packed = gzip.compress(text.encode())
    for content in (packed, packed[:-3], packed[:-8] + bytes(8)):
        (tmp_path / "a.mtx.gz").write_bytes(content)
        with pytest.raises(ValueError, match=r"path .*a\.mtx\.gz: "):
            load_matrix(tmp_path / "a.mtx.gz")


TABLES = {
    "names": "first,second,third\n0,1,2\n3,4,5\n",
    "quoted names": '"a, b","c","d"\n0,1,2\n3,4,5\n',
    "a byte order mark": "\ufeffa,b,c\n0,1,2\n3,4,5\n",
    "a mark and numbers": "\ufeff0,1,2\n3,4,5\n",
    "carriage returns": "a,b,c\r\n0,1,2\r\n3,4,5\r\n",
    "comments": "# of savetxt\n# a,b,c\na,b,c\n0, 1, 2\n# and\n3, 4, 5",
    "empty lines": "\n0,1,2\n\n3,4,5\n\n",
    "names beyond ASCII": "λ,µ,ä\n0,1,2\n3,4,5\n",
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_numbers_are_read(tmp_path, table):
    (tmp_path / "a.csv").write_bytes(TABLES[table].encode())
    np.testing.assert_array_equal(load_matrix(tmp_path / "a.csv"), MATRIX)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,2,c\n0,1,2\n3,4,5\n", "'a' to float64"),  # a damaged row, not names
        ("0,x,2\n3,4,5\n", "'x' to float64"),
        ("#,1,2\n3,4,5\n", "line 1 is a row of numbers in a comment"),
        ("0,1,2\n3,#,5\n", "'#' to float64"),
        ("a,b\n0,1,2\n3,4,5\n", "2 names of 3 columns"),
        ("a,b,c\n", "shape"),
        ("0,1,2\n3,4\n", "number of columns changed"),
        ("0;1\n2;3\n", "table of numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"path .*a\.csv: .*{message}"):
        load_matrix(tmp_path / "a.csv")
