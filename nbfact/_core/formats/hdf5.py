"""Read matrices of HDF5 files, which MATLAB 7.3 files are too, by the package h5py.

References
----------
.. [1] https://docs.hdfgroup.org/hdf5/latest/_f_m_t3.html
"""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .damage import check_fits
from .stored_sparse import matlab_sparse

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file; in a MATLAB file, they follow 512 other ones."""

_NUMBERS = {
    "double": "f8", "single": "f4", "logical": "u1",
    **{f"int{8 * size}": f"i{size}" for size in (1, 2, 4, 8)},
    **{f"uint{8 * size}": f"u{size}" for size in (1, 2, 4, 8)},
}  # fmt: skip
"""Dtypes of MATLAB's classes of numbers."""


def read_hdf5(
    path: Path, wanted: Callable[[list[str]], Iterable[str]], *, matlab: bool
) -> dict[str, Any]:
    """Return matrices of an HDF5 file by their names.

    Parameters
    ----------
    path : Path
    wanted : callable
        Receives the names of all matrices of numbers, and returns those to read. In a
        group, a name has that of the group before it, as ``group/name``.
    matlab : bool
        Whether MATLAB wrote the file: its arrays are stored column by column, and a
        sparse matrix is a group.

    Returns
    -------
    dict of str to ndarray or csc_array

    Raises
    ------
    ModuleNotFoundError
        When h5py is not installed.
    ValueError
        When the arrays in the file do not fit together, or were not written. Damage
        raises any error of `nbfact._core.formats.damage.DAMAGED`.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"path {path}: this kind of file needs h5py: pip install 'nbfact[hdf5]'"
        ) from None
    with h5py.File(path, "r", locking="best-effort") as file:
        found: dict[str, Any] = {}
        if matlab:
            found = {name: one for name, one in _members(file) if _is_variable(one)}
        else:
            file.visititems(
                lambda name, one: found.update(
                    {name: one} if _is_array(one) and one.ndim == 2 else {}
                )
            )
        return {name: _read(found[name], matlab) for name in wanted(list(found))}


def _members(group):
    """Yield what lies in a group itself, with its name, and no link elsewhere."""
    import h5py

    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            yield name, group[name]


def _is_array(one):
    """Return whether an object of a file is an array of numbers."""
    dtype = getattr(one, "dtype", None)
    if dtype is None or one.shape is None:
        return False
    return dtype.kind in "biufc" or dtype.names == ("real", "imag")


def _matlab_class(one):
    """Return the name of the MATLAB class of an object, empty without one."""
    kind = one.attrs.get("MATLAB_class", b"")
    return kind.decode("ascii") if isinstance(kind, bytes) else str(kind)


def _is_variable(one):
    """Return whether an object of a MATLAB file is an array of numbers or sparse."""
    if _matlab_class(one) not in _NUMBERS:
        return False
    return "MATLAB_sparse" in one.attrs or _is_array(one)


def _read(one, matlab):
    """Return an array of numbers of a file, or a sparse matrix of MATLAB."""
    if not matlab:
        return _numbers(one)
    if one.attrs.get("MATLAB_empty", 0):  # it holds its dimensions in place of entries
        return np.empty(tuple(int(size) for size in _numbers(one)))
    kind = _NUMBERS[_matlab_class(one)]
    if "MATLAB_sparse" not in one.attrs:
        return _of_class(_numbers(one), kind).T
    ends = _numbers(one["jc"]).astype(np.int64)
    shape = (int(one.attrs["MATLAB_sparse"]), ends.size - 1)
    if "ir" not in one and "data" not in one:  # a matrix without entries
        return matlab_sparse(np.empty(0), np.empty(0, np.int64), ends, shape)
    rows = _numbers(one["ir"]).astype(np.int64)
    return matlab_sparse(_of_class(_numbers(one["data"]), kind), rows, ends, shape)


def _of_class(array, kind):
    """Return an array whose dtype is that of its MATLAB class, or raise."""
    if array.real.dtype != kind:
        raise ValueError(f"damaged: {array.dtype} entries in an array of class {kind}")
    return array


def _numbers(dataset):
    """Return the numbers of a dataset, all of which must lie in the file itself."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} lies in other files, which are not read")
    check_fits(dataset.shape, dataset.dtype.itemsize)
    if not _is_of_its_dtype(dataset) or not _is_written(dataset):
        raise ValueError(f"damaged: entries of {dataset.name} are missing or unknown")
    array = dataset[()]
    if array.dtype.names is None:
        return array
    numbers = np.empty(array.shape, np.result_type(array["real"], np.complex64))
    numbers.real, numbers.imag = array["real"], array["imag"]
    return numbers


def _is_of_its_dtype(dataset):
    """Return whether the entries are stored as its dtype is, to the last bit.

    HDF5 describes numbers by their bits. Where these are damaged, h5py names the dtype
    that comes nearest.
    """
    from h5py import h5t

    return dataset.id.get_type().equal(h5t.py_create(dataset.dtype, logical=True))


def _is_written(dataset):
    """Return whether all entries were written: HDF5 puts zeros for those that are not.

    Where an index of the file is damaged, HDF5 does not find parts of an array, or
    reads them without the filter that inflates them.
    """
    if dataset.chunks is None:
        return dataset.id.get_storage_size() == dataset.nbytes
    axes = zip(dataset.shape, dataset.chunks, strict=True)
    places = set(itertools.product(*(range(0, n, size) for n, size in axes)))
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    whole = (
        {chunk.chunk_offset for chunk in found} == places
        and len({chunk.byte_offset for chunk in found}) == len(found) == len(places)
        and not any(chunk.filter_mask for chunk in found)
    )
    # The index that is searched is another one than the list: this raises an error.
    return whole and all(dataset.id.read_direct_chunk(place) for place in places)
