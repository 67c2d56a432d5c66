"""Operators from files."""

import os

from .butterfly import Butterfly
from .factor_product import FactorProduct
from .operator_files import BUTTERFLY, DAMAGED, read_operator


def load(path: str | os.PathLike[str]) -> FactorProduct | Butterfly:
    """Read an operator written by its method `save`, or a ``.mat`` of FAμST.

    Parameters
    ----------
    path : str or path-like
        ``.npz`` of nbfact, or ``.mat`` with a cell array ``faust_factors``.

    Returns
    -------
    FactorProduct or Butterfly
        What was saved.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When the file is not such a file, or is damaged. Nothing is unpickled.

    Examples
    --------
    >>> import os, tempfile
    >>> import nbfact as nf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "identity.npz")
    ...     nf.FactorProduct([[[1.0]]]).save(path)
    ...     nf.load(path).shape
    (1, 1)
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such file")
    try:
        kind, parts = read_operator(path)
        if kind == BUTTERFLY:
            values, rows, columns = parts
            return Butterfly(
                [v.shape for v in values], values, rows=rows, columns=columns
            )
        return FactorProduct(*parts)
    except DAMAGED as error:
        raise ValueError(
            f"{path} is not a file of nbfact operators: {error}"
        ) from error
