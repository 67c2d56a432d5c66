"""Reading an operator from a file."""

import os
from typing import Any

from .._core.formats.damage import DAMAGED, reason
from .._core.formats.matrix_files import path_of
from .block_operator import BlockOperator
from .butterfly import Butterfly, butterfly_of
from .convolution_formula import Convolution, is_convolution, read_convolution
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .formulas import Formula, read_formula
from .haar import read_haar
from .kronecker_product import KroneckerProduct
from .named_transform import NamedTransform
from .operator_files import (
    BLOCKS,
    BUTTERFLY,
    FACTORS,
    HAAR,
    KRONECKER,
    MAT,
    PRODUCT,
    SELECTED,
    SUM,
    TRANSFORM,
    Saved,
    read_factors,
    read_operator,
)
from .operator_product import OperatorProduct
from .operator_sum import OperatorSum
from .selected_operator import SelectedOperator


def load(path: str | os.PathLike[str]) -> FastOperator:
    """Read an operator from a file of nbfact or FAμST.

    Parameters
    ----------
    path : str or path-like
        A ``.npz`` file that a method ``save`` of nbfact wrote, or a ``.mat`` file that
        holds the factors of FAμST as a cell array ``faust_factors``.

    Returns
    -------
    FastOperator
        The operator that was saved, of the same class; a `FactorProduct` from a
        ``.mat`` file.

    Raises
    ------
    FileNotFoundError
        When the file does not exist.
    TypeError
        When `path` is no path.
    ValueError
        When the file is of another kind, damaged or edited.

    See Also
    --------
    FastOperator.save : Write an operator.
    nbfact.targets.load_matrix : Read a matrix to factor.

    Notes
    -----
    Pickled objects are never read, so that a file from an unknown source runs no code.
    A file of nbfact carries a checksum of its arrays, so that any change of them is
    noticed. A ``.mat`` file of another program has none: sizes and indices in it are
    checked, but a number that was damaged into another one cannot be noticed.

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
    if not path_of(path).is_file():
        raise FileNotFoundError(f"path {path}: no such file")
    try:
        return _built(read_operator(path))
    except DAMAGED as error:
        raise ValueError(
            f"path {path} is not a file of nbfact operators: {reason(error)}"
        ) from error


def _built(saved: Saved) -> FastOperator:
    """Return the operator that a file holds."""
    if saved.kind == FACTORS:
        return FactorProduct(*read_factors(saved))
    if saved.kind == BUTTERFLY:
        return butterfly_of(saved)
    if saved.kind == TRANSFORM:
        return NamedTransform(*_read_transform(saved))
    if saved.kind == HAAR:
        return read_haar(saved)
    if saved.kind == MAT:
        return FactorProduct(list(saved.arrays.values()))
    operators = [_built(one) for one in saved.operators]
    arrays: dict[str, Any] = dict(saved.arrays)
    if saved.kind == SELECTED:
        (whole,) = operators
        return SelectedOperator(whole, **arrays)
    if saved.kind == BLOCKS:
        return BlockOperator(operators, **arrays)
    if saved.kind == KRONECKER:
        left, right = operators
        return KroneckerProduct(left, right, **arrays)
    if saved.kind == SUM:
        return OperatorSum(operators, **arrays)
    if saved.kind == PRODUCT:
        return OperatorProduct(operators, **arrays)
    raise ValueError(f"an operator of the unknown kind {saved.kind!r}")


def _read_transform(saved: Saved) -> tuple[Formula | Convolution, Butterfly]:
    """Return the arguments of `NamedTransform` from what a file holds of it."""
    formula: Formula | Convolution
    convolves = is_convolution(saved.arrays)
    formula = (read_convolution if convolves else read_formula)(saved.arrays)
    names = formula.arrays()
    rest = {name: one for name, one in saved.arrays.items() if name not in names}
    found = butterfly_of(Saved(BUTTERFLY, rest))
    m, n = found.shape
    if isinstance(formula, Convolution):
        if formula.shape != (m, n):
            raise ValueError(f"a formula of shape {formula.shape}, factors {(m, n)}")
        if formula.column.dtype.kind == "c" and found.dtype.kind != "c":
            raise ValueError("a complex formula of real factors")
    elif m != n:
        raise ValueError(f"a transform of shape {found.shape}, which is not square")
    return formula, found
