"""The gain matrices that the studies meg and localisation are about."""

import functools
from typing import NamedTuple

import numpy as np

from ... import targets

MEG = "meg"
"""Name of the matrix of a real helmet and head, 204x7527, which the package mne
computes."""

SPHERE = "sphere 64x768"
"""Name of a matrix of a spherical head, of that shape, which needs no package."""

SPACING = 9.3
"""Distance of neighbouring sources of the real head, in millimetres."""


class GainMatrix(NamedTuple):
    """A gain matrix, and the position of the source of each of its columns.

    Attributes
    ----------
    matrix : ndarray, (m, n)
        The matrix, divided by its Frobenius norm.
    positions : ndarray, (n, 3)
        Positions in metres.
    """

    matrix: np.ndarray
    positions: np.ndarray

    @property
    def unit(self) -> np.ndarray:
        """The matrix with columns of norm 1."""
        return self.matrix / np.linalg.norm(self.matrix, axis=0)


@functools.cache
def gain_matrix(name: str) -> GainMatrix:
    """Return a gain matrix by its name.

    Parameters
    ----------
    name : str
        `MEG`, or "sphere" and a shape, as `SPHERE`.

    Returns
    -------
    GainMatrix

    Raises
    ------
    ModuleNotFoundError
        When the package mne is needed and is not installed; the message names the extra
        that brings it.

    Examples
    --------
    >>> gain_matrix(SPHERE).matrix.shape
    (64, 768)
    """
    if name == MEG:
        matrix, positions = targets.meg(SPACING, return_positions=True)
    else:
        m, n = map(int, name.split()[-1].split("x"))
        matrix, positions = targets.leadfield(
            m, n, random_state=0, return_positions=True
        )
    return GainMatrix(matrix / np.linalg.norm(matrix), positions)


def spectral_norm(wide: np.ndarray) -> float:
    """Return the spectral norm of a wide matrix, from the Gram matrix of its rows.

    Examples
    --------
    >>> spectral_norm(np.diag([3.0, 4.0]))
    4.0
    """
    return float(np.sqrt(max(np.linalg.eigvalsh(wide @ wide.T)[-1], 0.0)))
