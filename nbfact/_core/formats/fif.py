"""Read the gain matrix of a forward solution of MNE by the package mne."""

from pathlib import Path

import numpy as np


def read_fif(path: Path) -> np.ndarray:
    """Return the gain matrix of a forward solution, ``...-fwd.fif``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ndarray of float64, (sensors, dipoles)
        As it is stored: in T/m or T, or in V for EEG, for dipoles of 1 A·m.

    Raises
    ------
    ModuleNotFoundError
        When mne is not installed.
    ValueError
        When the file holds no forward solution.
    """
    try:
        import mne
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'a .fif file needs mne; pip install "nbfact[meg]" brings it'
        ) from None
    forward = mne.read_forward_solution(path, verbose="ERROR")
    return np.asarray(forward["sol"]["data"], np.float64)
