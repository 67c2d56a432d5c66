"""A lead field: what sensors around a conducting sphere measure of dipoles in it."""

from typing import Literal, overload

import numpy as np

from .._core.checks import RandomState, flag, generator, size
from .._core.limits import check_memory

HELMET_RADIUS = 0.12
"""Distance of the sensors to the centre of the head, in metres."""
LOWEST_SENSOR = 20
"""Angle of the lowest sensors below the horizon, in degrees."""
BASELINE = 0.0168
"""Distance of the two points of a gradiometer, in metres."""
SOURCE_RADII = 0.05, 0.085
"""Least and largest distance of the sources to the centre, in metres."""
TESLA_PER_METRE_OF_UNIT_DIPOLE = 1e4
"""Factor from T/m for a dipole of 1 A·m to fT/cm for one of 1 nA·m."""


@overload
def leadfield(
    n_sensors: int,
    n_sources: int,
    *,
    random_state: RandomState = ...,
    return_positions: Literal[False] = ...,
) -> np.ndarray: ...
@overload
def leadfield(
    n_sensors: int,
    n_sources: int,
    *,
    random_state: RandomState = ...,
    return_positions: Literal[True],
) -> tuple[np.ndarray, np.ndarray]: ...
def leadfield(
    n_sensors: int,
    n_sources: int,
    *,
    random_state: RandomState = None,
    return_positions: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return a forward operator of magnetoencephalography (MEG).

    It maps the moments of current dipoles in the head to what sensors measure.

    Parameters
    ----------
    n_sensors : int
        Number of rows: planar gradiometers, two at each of ``n_sensors / 2`` places.
        Helmets in use have 204.
    n_sources : int
        Number of columns: current dipoles. The literature on fast MEG operators has
        8193.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, which draws the places and
        the orientations of the sources. The sensors do not depend on it.
    return_positions : bool, default False
        Whether to return the positions of the sources too.

    Returns
    -------
    matrix : ndarray of float64, shape (n_sensors, n_sources)
        Gradients of the magnetic field in fT/cm for dipoles of 1 nA·m, all finite.
    positions : ndarray of float64, shape (n_sources, 3)
        The position of the dipole of each column in metres, from the centre of the
        head. Only with `return_positions`.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, or not positive.

    See Also
    --------
    meg : The gain matrix of a real helmet and a real head, by the package mne.

    Notes
    -----
    The head is a conducting sphere centred at the origin. Outside of it a dipole Q
    at r0 has the field ([1]_, equation 25)

        B(r) = μ0 / (4π F²) · (F Q×r0 − (Q×r0 · r) ∇F),
        F = a (r a + r² − r0·r),    a = r − r0,
        ∇F = (a²/r + a·r/a + 2a + 2r) r − (a + 2r + a·r/a) r0,

    for any conductivity. The places of the sensors are spread evenly on a helmet of
    radius 0.12 m, down to 20° below the horizon. Each place has two gradiometers, which
    measure the difference of the outward field between two points 16.8 mm apart, along
    a meridian and along a parallel. The sources are uniform in the volume between 0.05
    and 0.085 m from the centre, down to 30° below the horizon, with orientations
    uniform on the sphere. Some are therefore almost radial, as in a folded cortex, and
    a radial dipole has no field outside.

    References
    ----------
    .. [1] J. Sarvas, "Basic mathematical and electromagnetic concepts of the
       biomagnetic inverse problem", Phys. Med. Biol. 32 (1987),
       11-22 [sarvas1987].

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.leadfield(204, 100, random_state=0).shape
    (204, 100)
    """
    n_sensors = size("n_sensors", n_sensors)
    n_sources = size("n_sources", n_sources)
    return_positions = flag("return_positions", return_positions)
    entries = n_sensors * n_sources + n_sensors + n_sources
    check_memory(f"n_sensors={n_sensors} by n_sources={n_sources}", 12 * entries)
    rng = generator("random_state", random_state)
    places, meridian, parallel = _helmet((n_sensors + 1) // 2)
    # Sensors 2i and 2i + 1 share place i; for an odd number the last one is alone.
    centre = np.repeat(places, 2, axis=0)[:n_sensors]
    along = np.stack([meridian, parallel], axis=1).reshape(-1, 3)[:n_sensors]
    sources, moments = _dipoles(n_sources, rng)
    outward = centre / np.linalg.norm(centre, axis=1, keepdims=True)
    ahead = _sarvas(centre + BASELINE / 2 * along, outward, sources, moments)
    behind = _sarvas(centre - BASELINE / 2 * along, outward, sources, moments)
    matrix = (ahead - behind) / BASELINE * TESLA_PER_METRE_OF_UNIT_DIPOLE
    return (matrix, sources) if return_positions else matrix


def _helmet(n_places):
    """Return the places of sensors, and their unit vectors to the south and the east.

    All three have shape (n_places, 3); places are in metres.
    """
    index = np.arange(n_places) + 0.5
    height = 1 - index / n_places * (1 + np.sin(np.radians(LOWEST_SENSOR)))
    angle = np.pi * (3 - np.sqrt(5)) * index  # the Fibonacci spiral
    cos, sin, flat = np.cos(angle), np.sin(angle), np.sqrt(1 - height**2)
    places = HELMET_RADIUS * np.stack([flat * cos, flat * sin, height], axis=1)
    meridian = np.stack([height * cos, height * sin, -flat], axis=1)
    parallel = np.stack([-sin, cos, np.zeros(n_places)], axis=1)
    return places, meridian, parallel


def _dipoles(n_sources, rng):
    """Return random places of dipoles in metres, and unit moments: (n_sources, 3)."""
    inner, outer = SOURCE_RADII
    radius = np.cbrt(rng.uniform(inner**3, outer**3, n_sources))
    height = rng.uniform(-0.5, 1, n_sources)  # -0.5 is the sine of 30° below horizon
    angle = rng.uniform(0, 2 * np.pi, n_sources)
    flat = np.sqrt(1 - height**2)
    unit = np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=1)
    moments = rng.standard_normal((n_sources, 3))
    moments /= np.linalg.norm(moments, axis=1, keepdims=True)
    return radius[:, None] * unit, moments


def _sarvas(points, normals, sources, moments):
    """Return the field of dipoles along `normals` at `points`, by Sarvas' formula.

    The result has shape (n_points, n_sources), in tesla for moments in A·m.
    """
    r2 = np.sum(points**2, axis=1)[:, None]
    r = np.sqrt(r2)
    r_r0 = points @ sources.T
    a2 = r2 + np.sum(sources**2, axis=1) - 2 * r_r0  # far from 0: at least 3.5 cm apart
    a = np.sqrt(a2)
    a_r = r2 - r_r0
    turn = np.cross(moments, sources)
    f = a * (r * a + a_r)
    towards = np.sum(points * normals, axis=1)[:, None]
    gradient = (a2 / r + a_r / a + 2 * a + 2 * r) * towards
    gradient -= (a + 2 * r + a_r / a) * (normals @ sources.T)
    field = f * (normals @ turn.T) - (points @ turn.T) * gradient
    return 1e-7 * field / f**2  # mu0 / 4 pi
