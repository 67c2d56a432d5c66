"""The formats of operator files: nbfact's ``.npz``, and the ``.mat`` of FAμST."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io
import scipy.sparse as sp

from .._core.files import atomic_path, load_mat

_MARK = "nbfact."
FACTORS, BUTTERFLY = f"{_MARK}FactorProduct", f"{_MARK}Butterfly"
SUM, PRODUCT = f"{_MARK}OperatorSum", f"{_MARK}OperatorProduct"
BLOCKS, KRONECKER = f"{_MARK}BlockOperator", f"{_MARK}KroneckerProduct"
SELECTED = f"{_MARK}SelectedOperator"
"""Kinds of operator that a ``.npz`` file may hold; its entry ``format`` says which."""
MAT = "faust_factors"
"""The kind of the list of factors in a ``.mat`` file."""
_VERSION = 1
"""Version of the ``.npz`` format that this nbfact writes, and the newest it reads."""

DAMAGED = (
    ValueError, TypeError, KeyError, IndexError, EOFError, OSError, NotImplementedError,
    RecursionError, zipfile.BadZipFile, zlib.error, scipy.io.matlab.MatReadError,
)  # fmt: skip
"""Errors that reading a file may raise when it is damaged, or of another kind."""


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
    first, *rest = factors
    cells = np.empty((1, len(factors)), dtype=object)
    for j, factor in enumerate([first * scale, *rest]):
        cells[0, j] = sp.csc_matrix(factor.astype(np.result_type(factor, np.float64)))
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        scipy.io.savemat(file, {"faust_factors": cells})


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
        When the suffix is another, the file has no mark of nbfact, or a newer nbfact
        wrote it; damage raises any of `DAMAGED`.
    """
    if _suffix(path, "load", (".npz", ".mat")) == ".mat":
        cells = np.ravel(load_mat(path)["faust_factors"])
        return Saved(MAT, {str(j): cell for j, cell in enumerate(cells)})
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
        if not str(stored["format"] if "format" in stored else "").startswith(_MARK):
            raise ValueError("it does not carry nbfact's mark")
        if int(stored["version"]) > _VERSION:
            raise ValueError(
                f"format version {int(stored['version'])} is newer than this nbfact's "
                f"{_VERSION}"
            )
        names = {name: name for name in stored.files if name != "version"}
        return _taken(stored, names)


def _taken(stored, names):
    """Return what a file holds of one operator.

    `names` are those of its entries in the operator, with those in the file.
    """
    kind = str(stored[names.pop("format")])
    count = int(stored[names.pop("n_operators")]) if "n_operators" in names else 0
    inside: dict[str, dict[str, str]] = {}
    for name in [name for name in names if "/" in name]:
        number, _, rest = name.partition("/")
        inside.setdefault(number, {})[rest] = names.pop(name)
    if set(inside) != {str(number) for number in range(count)}:
        raise ValueError(f"{count} operators inside another one, found {len(inside)}")
    operators = [_taken(stored, inside[str(number)]) for number in range(count)]
    return Saved(kind, {own: stored[name] for own, name in names.items()}, operators)


def read_factors(saved: Saved) -> tuple[list[sp.csr_array], float]:
    """Return the factors and the scale of what `saved_factors` returned."""
    arrays = saved.arrays
    count = range(int(arrays["n_factors"]))
    return [_read_csr(arrays, j) for j in count], float(arrays["scale"])


def read_butterfly(
    saved: Saved,
) -> tuple[list[np.ndarray], np.ndarray | None, np.ndarray | None]:
    """Return the values, rows and columns of what `saved_butterfly` returned."""
    arrays = saved.arrays
    values = [f"values_{j}" for j in range(int(arrays["n_factors"]))]
    if unknown := set(arrays) - {"n_factors", "rows", "columns", *values}:
        raise ValueError(f"unknown entries {sorted(unknown)}")  # damage changed a name
    return [arrays[name] for name in values], arrays.get("rows"), arrays.get("columns")


def _suffix(path, verb, known):
    """Return the suffix of a path if it is a known one, or raise a ValueError."""
    suffix = Path(path).suffix
    if suffix not in known:
        raise ValueError(f"{path}: can {verb} {' or '.join(known)}, not {suffix!r}")
    return suffix


def _read_csr(arrays, j):
    """Return factor j, which `saved_factors` named, as CSR."""
    parts = tuple(arrays[f"{part}_{j}"] for part in ("data", "indices", "indptr"))
    return sp.csr_array(parts, shape=tuple(arrays[f"shape_{j}"]))
