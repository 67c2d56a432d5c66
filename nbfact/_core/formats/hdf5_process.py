"""The process that reads an HDF5 file for `nbfact._core.formats.hdf5`.

The HDF5 library crashes on some damaged files, and here it ends this process alone. It
is started as a script, which imports nothing of nbfact, and so starts faster.
"""

import itertools
import json
import sys
from typing import Any

import h5py
import numpy as np

_NUMBERS = {
    "double": "f8", "single": "f4", "logical": "u1",
    **{f"int{8 * size}": f"i{size}" for size in (1, 2, 4, 8)},
    **{f"uint{8 * size}": f"u{size}" for size in (1, 2, 4, 8)},
}  # fmt: skip
"""Dtypes of MATLAB's classes of numbers."""


def main(path: str, matlab: bool) -> None:
    """Write what a file holds to standard output, then the matrix that is asked for.

    The first line of the output is a JSON object of the names of all matrices of
    numbers, with shape and bytes of an entry. A line of the input names one of them.
    The next line of the output has the dtypes and shapes of its arrays, whose bytes
    follow. An error is a JSON object with the one key ``error``, as a list.
    """
    out = sys.stdout.buffer
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            found = _found(file, matlab)
            _say(out, {name: _described(one) for name, one in found.items()})
            name = json.loads(sys.stdin.readline() or "null")
            if name is None:
                return
            arrays = _arrays(found[name], matlab)
        _say(out, [(array.dtype.str, array.shape) for array in arrays])
        for array in arrays:
            out.write(np.ascontiguousarray(array).tobytes())
    except Exception as error:
        _say(out, {"error": [str(error) or type(error).__name__]})


def _say(out, message):
    """Write a line of JSON."""
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _found(file, matlab):
    """Return the objects of a file that are matrices, by their names."""
    found: dict[str, Any] = {}
    if matlab:
        for name in file:  # what links to other files is left out
            if isinstance(file.get(name, getlink=True), h5py.HardLink):
                found[name] = file[name]
        return {name: one for name, one in found.items() if _is_variable(one)}
    file.visititems(
        lambda name, one: found.update(
            {name: one} if _is_array(one) and one.ndim == 2 else {}
        )
    )
    return found


def _described(one):
    """Return the shape and the bytes of an entry of an array; of a group, of none."""
    if isinstance(one, h5py.Dataset):
        return one.shape, one.dtype.itemsize
    return (), 0


def _is_array(one):
    """Return whether an object of a file is an array of numbers."""
    if not isinstance(one, h5py.Dataset) or one.shape is None:
        return False
    return one.dtype.kind in "biufc" or one.dtype.names == ("real", "imag")


def _is_variable(one):
    """Return whether an object of a MATLAB file is an array of numbers or sparse."""
    if _matlab_class(one) not in _NUMBERS:
        return False
    return "MATLAB_sparse" in one.attrs or _is_array(one)


def _matlab_class(one):
    """Return the name of the MATLAB class of an object, empty without one."""
    kind = one.attrs.get("MATLAB_class", b"")
    return kind.decode("ascii") if isinstance(kind, bytes) else str(kind)


def _arrays(one, matlab):
    """Return the array that an object of a file is.

    Of a sparse matrix of MATLAB, return its entries, their rows, where columns begin
    and the number of its rows.
    """
    if not matlab:
        return [_numbers(one)]
    kind = _NUMBERS[_matlab_class(one)]
    if one.attrs.get("MATLAB_empty", 0):  # it holds its dimensions in place of entries
        return [np.empty(tuple(int(size) for size in _numbers(one)))]
    if "MATLAB_sparse" not in one.attrs:
        return [_of_class(_numbers(one), kind).T]
    begins = _numbers(one["jc"])
    rows, data = np.empty(0, begins.dtype), np.empty(0)
    if "ir" in one or "data" in one:  # both are missing without entries
        rows, data = _numbers(one["ir"]), _of_class(_numbers(one["data"]), kind)
    return [data, rows, begins, np.array(int(one.attrs["MATLAB_sparse"]))]


def _of_class(array, kind):
    """Return an array whose dtype is that of its MATLAB class, or raise."""
    if array.real.dtype != kind:
        raise ValueError(f"damaged: {array.dtype} entries in an array of class {kind}")
    return array


def _numbers(dataset):
    """Return the numbers of a dataset, all of which must lie in the file itself."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} lies in other files, which are not read")
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
    same = h5py.h5t.py_create(dataset.dtype, logical=True)
    return dataset.id.get_type().equal(same)


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


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "matlab")
