"""Files of MATLAB 7.3, which are HDF5 files, as MATLAB writes them."""

import numpy as np
import pytest

LEVEL73 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
"""How such a file begins."""


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
