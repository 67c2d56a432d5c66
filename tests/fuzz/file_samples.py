"""Files of every format that nbfact reads, whole, and how each is read."""

import gzip
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse as sp

import nbfact as nf
from nbfact.harness import store
from nbfact.harness.report import asvfiles

RNG = np.random.default_rng(16)
DENSE = RNG.standard_normal((9, 7))
COMPLEX = RNG.standard_normal((5, 4)) + 1j * RNG.standard_normal((5, 4))
SPARSE = sp.random_array((11, 8), density=0.3, rng=RNG, format="csr")
FACTORS = [
    sp.random_array((6, 6), density=0.5, rng=RNG) + sp.eye_array(6) for _ in range(3)
]
ROWS = [{"schema": 2, "kind": "bench", "case": f"n={n}", "n": n} for n in range(4)]
POINTS = {
    "version": 2,
    "commit_hash": "0123456789",
    "env_name": "env",
    "date": 1_600_000_000_000,
    "params": {"machine": "m"},
    "result_columns": ["result", "params", "version"],
    "results": {"bench.time_x": [[1.5, 2.5], [["'a'", "'b'"]], "v1"]},
}


@dataclass(frozen=True)
class Sample:
    """A whole file.

    Attributes
    ----------
    name : str
        Its name, of which the suffix says how it is read.
    content : bytes
    read : callable
        Takes a path; returns what is in the file.
    expected : object
        What it returns of the whole file.
    guarded : bool
        Whether a checksum covers all that is read, so that no damage stays unnoticed.
    text : bool
        Whether numbers are text, of which each part is text too.
    """

    name: str
    content: bytes
    read: Callable[[Path], Any]
    expected: Any
    guarded: bool = False
    text: bool = False


def samples():
    """Return the whole files, by a word for each."""
    with tempfile.TemporaryDirectory() as folder:
        made = dict(_made(Path(folder)))
    return made


def written(write, path):
    """Write a file; return its content."""
    write(path)
    return path.read_bytes()


def operator(path):
    """Return the matrix of an operator, of NaN where it is too large to look at."""
    read = nf.load(path)
    if read.shape[0] * read.shape[1] > 10**6:
        return np.broadcast_to(np.nan, read.shape)
    with np.errstate(all="ignore"):  # of numbers that damage made large
        return read.toarray()


def rows(path):
    return store.read_rows(path)


def points(path):
    """Return what `asvfiles` reads of a folder of results with this file in it."""
    folder = path.parent / "asv" / "m"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "0-env.json").write_bytes(path.read_bytes())
    found, problems, _ = asvfiles.read_points(folder.parent)
    return [point["value"] for point in found], problems


def _made(folder):
    yield from _operators(folder)
    yield from _matrices(folder)
    yield from _matlab(folder)
    yield from _texts()
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    yield "results", Sample("a.jsonl", lines, rows, (ROWS, []), text=True)
    content = json.dumps(POINTS).encode()
    yield "asv", Sample("a.json", content, points, ([1.5, 2.5], []), text=True)


def _operators(folder):
    # A .mat file holds the scale in the first factor: a power of two keeps all bits.
    product = nf.FactorProduct(FACTORS, 4.0)
    rotated = nf.Butterfly.from_twiddle(RNG.standard_normal((1, 1, 2, 2, 2, 2)))
    nested = nf.operators.hstack(
        [product, nf.operators.kronecker(rotated[:, :3], [[1.0], [2.0]])[:6]]
    )
    for word, one in (
        ("product", product), ("butterfly", rotated), ("nested", nested),
    ):  # fmt: skip
        for suffix in (".npz", ".mat") if one is product else (".npz",):
            content = written(one.save, folder / f"{word}{suffix}")
            sample = Sample(f"a{suffix}", content, operator, one.toarray(), True)
            yield f"{word}{suffix}", sample
    foreign = np.empty((1, 3), object)
    foreign[:] = [[sp.csc_matrix(FACTORS[0]), FACTORS[1].toarray(), FACTORS[2].tocsc()]]
    content = written(
        lambda path: scipy.io.savemat(path, {"faust_factors": foreign}),
        folder / "foreign.mat",
    )
    expected = (nf.FactorProduct(FACTORS)).toarray()
    yield "foreign.mat", Sample("a.mat", content, operator, expected)


def _matrices(folder):
    def sample(word, write, expected, **options):
        content = written(write, folder / word)
        return word, Sample(word, content, nf.targets.load_matrix, expected, **options)

    yield sample("dense.npy", lambda p: np.save(p, DENSE), DENSE)
    yield sample("complex.npy", lambda p: np.save(p, COMPLEX.T), COMPLEX.T)
    for write in (np.savez, np.savez_compressed):
        yield sample(f"{write.__name__}.npz", lambda p, w=write: w(p, DENSE), DENSE,
                     guarded=True)  # fmt: skip
    for form in ("csr", "csc", "coo", "bsr", "dia"):
        stored = sp.bsr_array(SPARSE[:10], blocksize=(2, 2)) if form == "bsr" else (
            SPARSE.asformat(form))  # fmt: skip
        yield sample(f"{form}.npz", lambda p, m=stored: sp.save_npz(p, m),
                     stored.toarray(), guarded=True)  # fmt: skip


def _matlab(folder):
    read = nf.targets.load_matrix
    for word, value in (("full", DENSE), ("complex", COMPLEX), ("sparse", SPARSE)):
        expected = value.toarray() if sp.issparse(value) else value
        for form, options in (
            ("v4", {"format": "4"}), ("v6", {}), ("v7", {"do_compression": True}),
        ):  # fmt: skip
            content = written(
                lambda p, v=value, o=options: scipy.io.savemat(p, {"A": v}, **o),
                folder / f"{word}-{form}.mat",
            )
            sample = Sample("a.mat", content, read, expected, guarded=form == "v7")
            yield f"{word}-{form}.mat", sample
    try:
        import h5py
    except ModuleNotFoundError:
        return
    for word, chunks in (("v7.3", None), ("v7.3 chunks", (3, 4))):
        yield word, Sample("a.mat", _level73(h5py, chunks), read, DENSE)
    with h5py.File(io.BytesIO(), "w") as file:
        file.create_dataset("A", data=DENSE, chunks=(4, 4), fletcher32=True)
        file.flush()
        yield "a.h5", Sample("a.h5", file.id.get_file_image(), read, DENSE)


def _level73(h5py, chunks):
    """Return a file of MATLAB 7.3 with a matrix A."""
    with tempfile.NamedTemporaryFile() as named:
        with h5py.File(named.name, "w", userblock_size=512) as file:
            options = {"compression": "gzip"} if chunks else {}
            data = file.create_dataset("A", data=DENSE.T, chunks=chunks, **options)
            data.attrs["MATLAB_class"] = np.bytes_("double")
        content = Path(named.name).read_bytes()
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    return header + content[len(header) :]


def _texts():
    read = nf.targets.load_matrix
    triples = sp.coo_array(SPARSE)
    for word, value in (("dense.mtx", DENSE), ("triples.mtx", triples)):
        text = io.BytesIO()
        scipy.io.mmwrite(text, value, comment="a comment", precision=17)
        expected = value.toarray() if sp.issparse(value) else value
        yield word, Sample(word, text.getvalue(), read, expected, text=True)
    packed = gzip.compress(text.getvalue(), mtime=0)
    yield "packed.mtx.gz", Sample("a.mtx.gz", packed, read, expected, True)
    table = io.BytesIO()
    np.savetxt(table, DENSE, delimiter=",")
    named = b"one,two,three,four,five,six,seven\n" + table.getvalue()
    for word, content in (("plain.csv", table.getvalue()), ("named.csv", named)):
        yield word, Sample("a.csv", content, read, DENSE, text=True)
