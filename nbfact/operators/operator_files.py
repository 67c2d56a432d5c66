"""The formats of operator files: nbfact's ``.npz``, and the ``.mat`` of FAμST.

Files of both kinds that nbfact writes carry a checksum of all their arrays, which is
compared when they are read. A ``.mat`` file of another program has none: its structure
is checked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from .._core.files import atomic_path
from .._core.formats import stored_sparse
from .._core.formats.matrix_files import load_mat, path_of
from .._core.formats.npz import read_npz

_MARK = "nbfact."
FACTORS, BUTTERFLY = f"{_MARK}FactorProduct", f"{_MARK}Butterfly"
TRANSFORM, HAAR = f"{_MARK}NamedTransform", f"{_MARK}HaarTransform"
SUM, PRODUCT = f"{_MARK}OperatorSum", f"{_MARK}OperatorProduct"
BLOCKS, KRONECKER = f"{_MARK}BlockOperator", f"{_MARK}KroneckerProduct"
SELECTED = f"{_MARK}SelectedOperator"
"""Kinds of operator that a ``.npz`` file may hold; its entry ``format`` says which."""
MAT = "faust_factors"
"""The kind of the list of factors in a ``.mat`` file."""
_VERSION = 2
"""Version of the ``.npz`` format that this nbfact writes, and the newest it reads; in
version 1, there was no checksum."""
_CHECKSUM, _MAT_CHECKSUM = "checksum", "nbfact_checksum"
"""Names of the checksum in a ``.npz`` and in a ``.mat`` file."""


class Saved(NamedTuple):
    """What a file holds of an operator: its kind, arrays, and the operators inside."""

    kind: str
    arrays: dict[str, np.ndarray]
    operators: Sequence["Saved"] = ()


def saved_factors(factors: Sequence[sp.csr_array], scale: float) -> Saved:
    """Return what a file holds of a product of CSR factors."""
    arrays = {"scale": np.array(scale), "n_factors": np.array(len(factors))}
    for j, factor in enumerate(factors):
        arrays[f"data_{j}"] = factor.data
        arrays[f"indices_{j}"] = factor.indices
        arrays[f"indptr_{j}"] = factor.indptr
        arrays[f"shape_{j}"] = np.array(factor.shape)
    return Saved(FACTORS, arrays)


def saved_butterfly(
    values: Sequence[np.ndarray], rows: np.ndarray | None, columns: np.ndarray | None
) -> Saved:
    """Return what a file holds of a butterfly."""
    arrays = {"n_factors": np.array(len(values))}
    for j, value in enumerate(values):
        arrays[f"values_{j}"] = value
    return Saved(BUTTERFLY, arrays | given(rows=rows, columns=columns))


def given(**arrays: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the arrays by their names, without those that are None."""
    return {name: array for name, array in arrays.items() if array is not None}


def write_operator(saved: Saved, path: Any) -> None:
    """Write an operator to the ``.npz`` file `path`, whole or not at all.

    The entries of an operator inside another one have its number before their names,
    as ``0/format``.
    """
    _suffix(path, "save an operator to", (".npz", ".mat"))
    arrays: dict[str, Any] = {"version": np.array(_VERSION)}
    _add(saved, "", arrays)
    arrays[_CHECKSUM] = _checksum(arrays)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def _add(saved, prefix, arrays):
    """Add what a file holds of an operator to the entries, under a prefix."""
    arrays[f"{prefix}format"] = np.array(saved.kind)
    if saved.operators:
        arrays[f"{prefix}n_operators"] = np.array(len(saved.operators))
    for name, array in saved.arrays.items():
        arrays[prefix + name] = array
    for number, one in enumerate(saved.operators):
        _add(one, f"{prefix}{number}/", arrays)


def write_plain(factors: Sequence[sp.csr_array], scale: float, path: Any) -> None:
    """Write CSR factors to the ``.npz`` file `path` for programs without nbfact.

    The file is that of `write_operator`, whose entries `FastOperator.export` describes.
    """
    _suffix(path, "export to", (".npz",))
    write_operator(saved_factors(factors, scale), path)


def write_mat(factors: Sequence[sp.csr_array], scale: float, path: Any) -> None:
    """Write factors as the cell array of FAμST, the scale in the first one."""
    import scipy.io

    first, *rest = factors
    cells = np.empty((1, len(factors)), dtype=object)
    for j, factor in enumerate([first * scale, *rest]):
        cells[0, j] = sp.csc_matrix(factor.astype(np.result_type(factor, np.float64)))
        cells[0, j].sort_indices()
    checksum = _checksum(_cell_arrays(cells[0]))
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        scipy.io.savemat(file, {_MAT_CHECKSUM: checksum, MAT: cells})


def _cell_arrays(cells):
    """Return the arrays of the sparse matrices in a cell array, by their names."""
    arrays = {}
    for j, cell in enumerate(cells):
        if not sp.issparse(cell):
            raise ValueError("factors of nbfact are sparse, and one is not")
        arrays[f"data_{j}"] = cell.data
        arrays[f"indices_{j}"] = cell.indices.astype(np.int64)
        arrays[f"indptr_{j}"] = cell.indptr.astype(np.int64)
        arrays[f"shape_{j}"] = np.array(cell.shape, np.int64)
    return arrays


def _checksum(arrays: Mapping[str, Any]) -> np.ndarray:
    """Return the SHA-256 of the names, dtypes, shapes and bytes of arrays, as bytes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return np.frombuffer(digest.digest(), np.uint8)


def _compare(arrays, checksum):
    """Raise a ValueError unless arrays have a checksum that was stored with them."""
    if not np.array_equal(np.ravel(checksum), _checksum(arrays)):
        raise ValueError("damaged or edited: its checksum is another")


def read_operator(path: Any) -> Saved:
    """Read what a file holds of an operator.

    Parameters
    ----------
    path : str or path-like
        A file that `write_operator` wrote, or a ``.mat`` file of FAμST.

    Returns
    -------
    Saved
        The factors of a ``.mat`` file are of the kind `MAT`, numbered from 0 on.

    Raises
    ------
    ValueError
        When the suffix is another, the file has no mark of nbfact, its checksum is
        another, or a newer nbfact wrote it; damage raises any of
        `nbfact._core.formats.damage.DAMAGED`.
    """
    if _suffix(path, "load", (".npz", ".mat")) == ".mat":
        return _read_mat(path_of(path))
    stored = read_npz(path_of(path))
    mark = stored.get("format", np.array(""))
    if mark.ndim or not str(mark).startswith(_MARK):
        raise ValueError("it does not carry nbfact's mark")
    version = _count(stored, "version")
    if version > _VERSION:
        raise ValueError(
            f"format version {version} is newer than this nbfact's {_VERSION}"
        )
    checksum = stored.pop(_CHECKSUM, None)
    if checksum is not None:
        _compare(stored, checksum)
    elif version > 1:
        raise ValueError("damaged or edited: it has no checksum")
    del stored["version"]
    return _taken(stored)


def _read_mat(path):
    """Return the factors in a ``.mat`` file, compared with a checksum of nbfact's."""
    content = load_mat(path)
    cells = content.get(MAT)
    if not isinstance(cells, list):
        raise ValueError(f"it holds no cell array {MAT}")
    if _MAT_CHECKSUM in content:
        _compare(_cell_arrays(cells), content[_MAT_CHECKSUM])
    return Saved(MAT, {str(j): cell for j, cell in enumerate(cells)})


def _count(arrays, name):
    """Take a number that counts something from the arrays of a file; return it."""
    array = arrays.get(name, np.array(None))
    if array.ndim or array.dtype.kind not in "iu" or array < 0:
        raise ValueError(f"it has no valid entry {name}")
    return int(array)


def _taken(arrays: dict[str, np.ndarray]) -> Saved:
    """Return what a file holds of one operator, from the entries of that operator."""
    kind = str(arrays.pop("format"))
    count = _count(arrays, "n_operators") if "n_operators" in arrays else 0
    arrays.pop("n_operators", None)
    inside: dict[str, dict[str, np.ndarray]] = {}
    for name in [name for name in arrays if "/" in name]:
        number, _, rest = name.partition("/")
        inside.setdefault(number, {})[rest] = arrays.pop(name)
    if len(inside) != count or set(inside) != {str(j) for j in range(len(inside))}:
        raise ValueError(f"{count} operators inside another one, found {len(inside)}")
    operators = [_taken(inside[str(number)]) for number in range(count)]
    return Saved(kind, arrays, operators)


def read_factors(saved: Saved) -> tuple[list[sp.csr_array], float]:
    """Return the factors and the scale of what `saved_factors` returned."""
    arrays = _complete(saved, ("data", "indices", "indptr", "shape"), {"scale"})
    if arrays["scale"].ndim or arrays["scale"].dtype.kind not in "iuf":
        raise ValueError("its scale is no number")
    factors = [_read_csr(arrays, j) for j in range(_count(arrays, "n_factors"))]
    return factors, float(arrays["scale"])


def read_butterfly(
    saved: Saved,
) -> tuple[list[np.ndarray], np.ndarray | None, np.ndarray | None]:
    """Return the values, rows and columns of what `saved_butterfly` returned."""
    arrays = _complete(saved, ("values",), set(), optional={"rows", "columns"})
    values = [arrays[f"values_{j}"] for j in range(_count(arrays, "n_factors"))]
    return values, arrays.get("rows"), arrays.get("columns")


def _complete(saved, parts, others, optional=frozenset()):
    """Return the arrays of a product of factors, after a look at their names.

    There must be each of the parts for each factor, and nothing else but the others: a
    number of factors or a name that was changed would leave factors out.
    """
    arrays = saved.arrays
    count = _count(arrays, "n_factors")
    expected = {"n_factors", *others}
    if count <= len(arrays):
        expected |= {f"{part}_{j}" for part in parts for j in range(count)}
    wrong = (expected - set(arrays)) | (set(arrays) - expected - optional)
    if wrong or count > len(arrays):
        raise ValueError(
            f"entries missing or unknown for {count} factors: {sorted(wrong)[:9]}"
        )
    return arrays


def _suffix(path, verb, known):
    """Return the suffix of a path if it is a known one, or raise a ValueError."""
    suffix = path_of(path).suffix
    if suffix not in known:
        raise ValueError(
            f"path {path}: can {verb} {' or '.join(known)}, not {suffix!r}"
        )
    return suffix


def _read_csr(arrays, j):
    """Return factor j, which `saved_factors` named, as CSR."""
    parts = (arrays[f"{part}_{j}"] for part in ("data", "indices", "indptr", "shape"))
    return stored_sparse.csr(*parts)
