"""load_matrix: matrices as text, in Matrix Market files and in tables."""

import gzip
import io

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from nbfact.targets import load_matrix

MATRIX = np.arange(6.0).reshape(2, 3)


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
