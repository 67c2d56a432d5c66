"""The formats of operator files: nbfact's ``.npz``, and the ``.mat`` of FAμST."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse as sp

from .._core.files import atomic_path, load_mat

FACTORS, BUTTERFLY = "nbfact.FactorProduct", "nbfact.Butterfly"
"""Kinds of operator that a ``.npz`` file may hold; its entry ``format`` says which."""
_VERSION = 1
"""Version of the ``.npz`` format that this nbfact writes, and the newest it reads."""

DAMAGED = (
    ValueError, TypeError, KeyError, IndexError, EOFError, OSError, NotImplementedError,
    zipfile.BadZipFile, zlib.error, scipy.io.matlab.MatReadError,
)  # fmt: skip
"""Errors that reading a file may raise when it is damaged, or of another kind."""


def write_factors(factors: list[sp.csr_array], scale: float, path: Any) -> None:
    """Write a product of sparse factors to `path`, whole or not at all.

    The suffix of the path, ``.npz`` or ``.mat``, says the format.
    """
    suffix = _suffix(path, "save to", (".npz", ".mat"))
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        if suffix == ".mat":
            _write_mat(factors, scale, file)
        else:
            _write_npz(FACTORS, _factor_arrays(factors, scale), file)


def write_butterfly(
    values: list[np.ndarray],
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    path: Any,
) -> None:
    """Write a butterfly to the ``.npz`` file `path`, whole or not at all."""
    _suffix(path, "save a butterfly to", (".npz", ".mat"))
    arrays = {"n_factors": np.array(len(values))}
    for j, value in enumerate(values):
        arrays[f"values_{j}"] = value
    for name, index in (("rows", rows), ("columns", columns)):
        if index is not None:
            arrays[name] = index
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        _write_npz(BUTTERFLY, arrays, file)


def read_operator(path: Any) -> tuple[str, tuple]:
    """Read the parts of an operator from a file.

    Parameters
    ----------
    path : str or path-like
        A file that `write_factors` or `write_butterfly` wrote, or a ``.mat`` file of
        FAμST.

    Returns
    -------
    kind : str
        `FACTORS` or `BUTTERFLY`.
    parts : tuple
        For `FACTORS`, the list of factors and the scale; for `BUTTERFLY`, the list of
        values, the rows and the columns, either of which may be None.

    Raises
    ------
    ValueError
        When the suffix is another, the file has no mark of nbfact, or a newer nbfact
        wrote it; damage raises any of `DAMAGED`.
    """
    if _suffix(path, "load", (".npz", ".mat")) == ".mat":
        return FACTORS, (list(np.ravel(load_mat(path)["faust_factors"])), 1.0)
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        kind = str(arrays["format"]) if "format" in arrays else ""
        if kind not in (FACTORS, BUTTERFLY):
            raise ValueError("it does not carry nbfact's mark")
        if int(arrays["version"]) > _VERSION:
            raise ValueError(
                f"format version {int(arrays['version'])} is newer than this nbfact's "
                f"{_VERSION}"
            )
        count = range(int(arrays["n_factors"]))
        if kind == BUTTERFLY:
            values = {f"values_{j}" for j in count}
            known = {"format", "version", "n_factors", "rows", "columns", *values}
            if unknown := set(arrays) - known:  # damage may change a name
                raise ValueError(f"unknown entries {sorted(unknown)}")
            ends = (arrays.get("rows"), arrays.get("columns"))
            return kind, ([arrays[f"values_{j}"] for j in count], *ends)
        return kind, ([_read_csr(arrays, j) for j in count], float(arrays["scale"]))


def _suffix(path, verb, known):
    """Return the suffix of a path if it is a known one, or raise a ValueError."""
    suffix = Path(path).suffix
    if suffix not in known:
        raise ValueError(f"{path}: can {verb} {' or '.join(known)}, not {suffix!r}")
    return suffix


def _write_npz(kind: str, arrays: dict[str, Any], file: Any) -> None:
    """Write arrays, and the mark that says what they are, to an open file."""
    np.savez_compressed(
        file, format=np.array(kind), version=np.array(_VERSION), **arrays
    )


def _factor_arrays(factors, scale):
    """Return the arrays of CSR factors by the names that they have in the file."""
    arrays = {"scale": np.array(scale), "n_factors": np.array(len(factors))}
    for j, factor in enumerate(factors):
        arrays[f"data_{j}"] = factor.data
        arrays[f"indices_{j}"] = factor.indices
        arrays[f"indptr_{j}"] = factor.indptr
        arrays[f"shape_{j}"] = np.array(factor.shape)
    return arrays


def _read_csr(arrays, j):
    """Return factor j, which `_factor_arrays` named, as CSR."""
    parts = tuple(arrays[f"{part}_{j}"] for part in ("data", "indices", "indptr"))
    return sp.csr_array(parts, shape=tuple(arrays[f"shape_{j}"]))


def _write_mat(factors, scale, file):
    """Write factors as the cell array of FAμST, the scale in the first one."""
    first, *rest = factors
    cells = np.empty((1, len(factors)), dtype=object)
    for j, factor in enumerate([first * scale, *rest]):
        cells[0, j] = sp.csc_matrix(factor.astype(np.result_type(factor, np.float64)))
    scipy.io.savemat(file, {"faust_factors": cells})
