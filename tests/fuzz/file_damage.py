"""Damage files, read them, and judge what comes back; see `fuzz.file_command`.

The right answers are what is in the whole file, or a ValueError that names the argument
`path` and the file. Formats without a checksum have one more: a number that is another
number now.
"""

import functools
import io
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np

from .file_samples import ROWS, samples

KINDS = ("flip", "burst", "cut", "grow", "zeros", "swap")
"""Damages of bytes; the members of archives have `EDIT` besides."""
EDIT = "edit"

whole = functools.cache(samples)


@functools.cache
def _folder():
    return tempfile.TemporaryDirectory(prefix="nbfact-fuzz-")


def kinds_of(word):
    """Return the kinds of damage of one file."""
    return (*KINDS, EDIT) if word.endswith(".npz") else KINDS


def judged(case):
    """Damage one file and read it.

    Parameters
    ----------
    case : dict
        The `file`, the `kind` of damage, and a `number` that determines it.

    Returns
    -------
    dict
        The `outcome`: "right", "refused", "unnoticed" (another number, in a file
        without a checksum) or "fault", with a `detail`.
    """
    sample = whole()[case["file"]]
    rng = np.random.default_rng([case["number"], *case["kind"].encode()])
    content = damaged(sample.content, case["kind"], rng)
    path = Path(_folder().name, sample.name)
    path.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = sample.read(path)
    except ValueError as error:
        text = str(error)
        if type(error) is ValueError and "path" in text and sample.name in text:
            return {"outcome": "refused", "detail": text}
        return {"outcome": "fault", "detail": f"message names no file: {error!r}"}
    except BaseException as error:
        return {"outcome": "fault", "detail": repr(error)}
    return _compared(sample, got, case["kind"])


def damaged(content, kind, rng):
    """Return the content of a file with damage of one kind."""
    changed = bytearray(content)
    place = int(rng.integers(len(content)))
    if kind == "flip":
        changed[place] ^= 1 << int(rng.integers(8))
    elif kind == "burst":
        for offset in range(min(int(rng.integers(2, 9)), len(content) - place)):
            changed[place + offset] = int(rng.integers(256))
    elif kind == "cut":
        del changed[place:]
    elif kind == "grow":
        changed[place:place] = rng.bytes(int(rng.integers(1, 9)))
    elif kind == "zeros":
        end = min(place + 8, len(content))
        changed[place:end] = bytes(end - place)
    elif kind == "swap":
        other = int(rng.integers(len(content)))
        for offset in range(min(4, len(content) - max(place, other))):
            one, two = place + offset, other + offset
            changed[one], changed[two] = changed[two], changed[one]
    else:
        return edited(content, rng)
    return bytes(changed)


def edited(content, rng):
    """Return an archive one of whose arrays was changed, dropped, renamed or added."""
    arrays = dict(np.load(io.BytesIO(content)))
    name = list(arrays)[int(rng.integers(len(arrays)))]
    old = arrays[name]
    numbers = old.dtype.kind in "biuf"
    choices = [
        lambda: arrays.pop(name),
        lambda: arrays.update({f"{name}_": arrays.pop(name)}),
        lambda: arrays.update({"another": np.ones(3)}),
        lambda: arrays.update({name: np.array(10**9)}),
        lambda: arrays.update({name: np.array([])}),
        lambda: arrays.update({name: old[None]}),
        lambda: arrays.update({name: np.array("text")}),
        *[
            lambda change=change: arrays.update({name: change(old)})
            for change in (
                lambda x: x + 1, lambda x: -1 - x, lambda x: x * 10**9,
                lambda x: x.astype(float), lambda x: x.astype(np.uint64),
                lambda x: np.ravel(x)[::-1].reshape(x.shape),
                lambda x: np.ravel(x)[:-1],
                lambda x: np.append(x, x.max(initial=0)), lambda x: x * 0,
                lambda x: x.astype(">i4"),
            )
            if numbers
        ],
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        choices[int(rng.integers(len(choices)))]()
    stored = io.BytesIO()
    np.savez(stored, **arrays)
    return stored.getvalue()


def _compared(sample, got, kind):
    """Return what to say of what a damaged file was read as."""
    if not isinstance(sample.expected, np.ndarray):
        return _judged_rows(sample, *got)
    if got.shape == sample.expected.shape and np.array_equal(got, sample.expected):
        return {"outcome": "right"}
    allowed = (
        kind == EDIT
        if sample.guarded
        else kind != "flip" or _is_another_number(sample, got)
    )
    # An edited archive has new checksums; those of nbfact have one of their own.
    if allowed and not (kind == EDIT and sample.read.__name__ == "operator"):
        return {"outcome": "unnoticed"}
    return {"outcome": "fault", "detail": f"another matrix, {got.shape}"}


def _is_another_number(sample, got):
    """Return whether a single number of a file without a checksum is another one.

    The number is an entry of a matrix, or of a factor; an index of a sparse matrix,
    which moves an entry; the size of a sparse matrix; or the order of bytes.
    """
    expected = sample.expected
    if sample.read.__name__ == "operator":
        return got.shape[1] == expected.shape[1]
    if got.shape != expected.shape:
        rows, columns = np.minimum(got.shape, expected.shape)
        cut = np.array_equal(got[:rows, :columns], expected[:rows, :columns])
        return (
            cut and got.size > expected.size and np.count_nonzero(got) <= got.size / 2
        )
    swapped = got.byteswap()
    swapped = np.array_equal(swapped, expected)
    return swapped or np.count_nonzero(got != expected) <= 2


def _judged_rows(sample, found, problems):
    """Return what to say of rows, or of points, that were read with problems."""
    expected, _ = sample.expected
    if found == expected:
        return {"outcome": "right"}
    if all(isinstance(problem, str) for problem in problems) and problems:
        return {"outcome": "refused"}
    if expected is ROWS and len(found) > len(expected) + 1:
        return {"outcome": "fault", "detail": f"more rows: {json.dumps(found)}"}
    return {"outcome": "unnoticed"}
