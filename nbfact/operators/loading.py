"""Reading an operator from a file."""

import os

from .butterfly import Butterfly
from .factor_product import FactorProduct
from .operator_files import BUTTERFLY, DAMAGED, read_operator


def load(path: str | os.PathLike[str]) -> FactorProduct | Butterfly:
    """Read an operator from a file of nbfact or FAμST.

    Parameters
    ----------
    path : str or path-like
        A ``.npz`` file that a method ``save`` of nbfact wrote, or a ``.mat`` file that
        holds the factors of FAμST as a cell array ``faust_factors``.

    Returns
    -------
    FactorProduct or Butterfly
        The operator that was saved; a `FactorProduct` from a ``.mat`` file.

    Raises
    ------
    FileNotFoundError
        When the file does not exist.
    ValueError
        When the file is of another kind, or damaged.

    See Also
    --------
    FactorProduct.save, Butterfly.save : Write an operator.
    nbfact.targets.load_matrix : Read a matrix to factor.

    Notes
    -----
    Pickled objects are never read, so that a file from an unknown source runs no code.

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
