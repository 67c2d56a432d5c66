"""Files of factors: nbfact's ``.npz``, and the ``.mat`` factor list of FAμST."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse as sp

from .._files import atomic_path

_FORMAT = "nbfact.FactorProduct"
_VERSION = 1


DAMAGED = (
    ValueError, TypeError, KeyError, IndexError, EOFError, OSError, NotImplementedError,
    zipfile.BadZipFile, scipy.io.matlab.MatReadError,
)  # fmt: skip
"""What reading a file that is damaged, or of another kind, may raise."""


def write_factors(factors: list[sp.csr_array], scale: float, path: Any) -> None:
    """Write a product of factors to `path`, whole or not at all."""
    suffix = Path(path).suffix
    if suffix not in (".npz", ".mat"):
        raise ValueError(f"{path}: can save to .npz or .mat, not {suffix!r}")
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        if suffix == ".mat":
            _write_mat(factors, scale, file)
        else:
            _write_npz(factors, scale, file)


def read_factors(path: Any) -> tuple[list[Any], float]:
    """Read the factors and the scale written by `write_factors`, or by FAμST."""
    suffix = Path(path).suffix
    if suffix not in (".npz", ".mat"):
        raise ValueError(f"{path}: can load .npz or .mat, not {suffix!r}")
    return _read_mat(path) if suffix == ".mat" else _read_npz(path)


def _write_npz(factors, scale, file):
    arrays = {
        "format": np.array(_FORMAT),
        "version": np.array(_VERSION),
        "scale": np.array(scale),
        "n_factors": np.array(len(factors)),
    }
    for j, factor in enumerate(factors):
        arrays[f"data_{j}"] = factor.data
        arrays[f"indices_{j}"] = factor.indices
        arrays[f"indptr_{j}"] = factor.indptr
        arrays[f"shape_{j}"] = np.array(factor.shape)
    np.savez_compressed(file, **arrays)


def _read_npz(path):
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        if "format" not in arrays or str(arrays["format"]) != _FORMAT:
            raise ValueError("it does not carry nbfact's mark")
        if int(arrays["version"]) > _VERSION:
            raise ValueError(
                f"format version {int(arrays['version'])} is newer than this nbfact's "
                f"{_VERSION}"
            )
        factors = []
        for j in range(int(arrays["n_factors"])):
            parts = tuple(
                arrays[f"{part}_{j}"] for part in ("data", "indices", "indptr")
            )
            factors.append(sp.csr_array(parts, shape=tuple(arrays[f"shape_{j}"])))
        return factors, float(arrays["scale"])


def _write_mat(factors, scale, file):
    first, *rest = factors
    cells = np.empty((1, len(factors)), dtype=object)
    for j, factor in enumerate([first * scale, *rest]):
        cells[0, j] = sp.csc_matrix(factor.astype(np.result_type(factor, np.float64)))
    scipy.io.savemat(file, {"faust_factors": cells})


def _read_mat(path):
    cells = scipy.io.loadmat(path)["faust_factors"]
    return list(np.ravel(cells)), 1.0
