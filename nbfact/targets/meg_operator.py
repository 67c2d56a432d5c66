"""The gain matrix of a real MEG helmet and a real head, computed by the package mne."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from .._core.checks import flag, real_number
from .._core.files import atomic_path, user_cache
from .._core.formats.damage import DAMAGED
from .lead_fields import TESLA_PER_METRE_OF_UNIT_DIPOLE

HEAD_BELOW_HELMET = 0.05
"""Distance of the origin of the head's coordinates below that of the helmet's, in
metres: the head then is where one sits in the helmet, 2.8 cm below its sensors."""

SKULL = 3
"""Subdivisions of an icosahedron of which the surface of the skull is made: 1280
triangles."""

CONDUCTIVITY = 0.3
"""Conductivity of the head inside of the skull, in S/m."""

LEAST_DEPTH = 5.0
"""Least distance of the sources to the skull, in millimetres."""

FINEST = 4.0
"""Least spacing of the sources, in millimetres: about 100 000 of them."""

COARSEST = 60.0
"""Largest spacing of the sources, in millimetres, at which there is one at all."""

MISSING = 'the MEG operator needs {name}; pip install "nbfact[meg]" brings it'


@overload
def meg(
    spacing: float = ..., *, return_positions: Literal[False] = ...
) -> np.ndarray: ...
@overload
def meg(
    spacing: float = ..., *, return_positions: Literal[True]
) -> tuple[np.ndarray, np.ndarray]: ...
def meg(
    spacing: float = 9.0, *, return_positions: bool = False
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return the gain matrix of a real magnetoencephalography (MEG) helmet.

    It maps the moments of current dipoles in the head to what the sensors measure, as
    computed by the package mne, which the extra ``meg`` installs.

    Parameters
    ----------
    spacing : float, default 9.0
        Distance of neighbouring sources in millimetres, from 4 to 60: the sources are
        the points of a cubic grid inside the skull. The default gives 2782 of them.
    return_positions : bool, default False
        Whether to return the positions of the sources too.

    Returns
    -------
    matrix : ndarray of float64, shape (204, n)
        Gradients of the magnetic field in fT/cm for dipoles of 1 nA·m. Three columns
        after one another are the dipoles along the axes x, y and z of one source, so
        that n is three times the number of sources: 8346 by default.
    positions : ndarray of float64, shape (n, 3)
        The position of the dipole of each column in metres, in the coordinates of the
        head. Only with `return_positions`.

    Raises
    ------
    TypeError, ValueError
        A spacing that is no number, or out of bounds.
    ModuleNotFoundError
        When mne or nibabel, which it needs here, is not installed.

    See Also
    --------
    leadfield : The same for a spherical head, by a formula: it needs no package.
    load_matrix : Reads a forward solution of your own, ``...-fwd.fif``.

    Notes
    -----
    The sensors are the 204 planar gradiometers of the Neuromag helmet, and the head is
    the inner skull of the average of 40 brains (fsaverage), both of which mne contains.
    The boundary element method (BEM) is used on 1280 triangles, for one compartment
    with a conductivity of 0.3 S/m. The origin of the head lies 5 cm below that of the
    helmet.

    The first call computes for some tens of seconds and keeps the matrix in the
    directory ``nbfact/meg`` of the user's cache (``$XDG_CACHE_HOME`` or ``~/.cache``),
    14 MB by default, in a file for each version of mne and each spacing. Further calls
    read that file.

    References
    ----------
    A. Gramfort et al., MEG and EEG data analysis with MNE-Python, Front. Neurosci. 7,
    2013 [gramfort2013]. L. Le Magoarou and R. Gribonval, Flexible multilayer sparse
    approximations of matrices and applications, IEEE J. Sel. Topics Signal Process.
    10(4), 2016 [lemagoarou2016], use such a matrix with 8193 columns.

    Examples
    --------
    >>> import nbfact as nf
    >>> matrix, positions = nf.targets.meg(30, return_positions=True)  # doctest: +SKIP
    >>> matrix.shape, positions.shape  # doctest: +SKIP
    ((204, 240), (240, 3))
    """
    spacing = real_number("spacing", spacing, least=FINEST, most=COARSEST)
    return_positions = flag("return_positions", return_positions)
    mne = _mne()
    path = user_cache("meg") / f"mne-{mne.__version__}-spacing-{spacing:g}.npz"
    found = _stored(path)
    if found is None:
        found = _computed(mne, spacing)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, matrix=found[0], positions=found[1])
    return found if return_positions else found[0]


def _mne():
    """Return the package mne, or raise an error that says how to install it."""
    try:
        import mne
        import nibabel  # noqa: F401 (mne imports it where it writes a surface)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING.format(name=error.name)) from None
    return mne


def _stored(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the matrix and the positions of a file, or None without a whole one."""
    with contextlib.suppress(*DAMAGED):
        with open(path, "rb") as file, np.load(file) as stored:
            return stored["matrix"], stored["positions"]
    return None


def _computed(mne: Any, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute the gain matrix and the positions of its dipoles."""
    data = Path(mne.__file__).parent / "data" / "fsaverage"
    with _silent(mne):
        info = mne.channels.read_meg_canonical_info("neuromag")
        info = mne.pick_info(info, mne.pick_types(info, meg="grad"))
        shift = np.eye(4)
        shift[2, 3] = HEAD_BELOW_HELMET
        info["dev_head_t"]["trans"][:] = shift
        bem = mne.make_bem_solution(_skull(mne, data))
        sources = mne.setup_volume_source_space(
            pos=spacing, bem=bem, mindist=LEAST_DEPTH, add_interpolator=False
        )
        forward = mne.make_forward_solution(
            info, data / "fsaverage-trans.fif", sources, bem, eeg=False
        )
    matrix = np.asarray(forward["sol"]["data"], np.float64)
    positions = np.asarray(forward["source_rr"], np.float64)
    return matrix * TESLA_PER_METRE_OF_UNIT_DIPOLE, np.repeat(positions, 3, axis=0)


def _skull(mne, data):
    """Return the model of the inner skull, of the triangles that mne selects."""
    (surface,) = mne.read_bem_surfaces(data / "fsaverage-inner_skull-bem.fif")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "fsaverage", "bem")
        place.mkdir(parents=True)
        millimetres = 1e3 * surface["rr"]
        mne.write_surface(place / "inner_skull.surf", millimetres, surface["tris"])
        return mne.make_bem_model(
            "fsaverage", SKULL, (CONDUCTIVITY,), subjects_dir=folder
        )


@contextlib.contextmanager
def _silent(mne: Any) -> Iterator[None]:
    """Let mne print warnings alone."""
    level = mne.set_log_level("WARNING", return_old_level=True)
    try:
        yield
    finally:
        mne.set_log_level(level)
