"""A lead field: how dipoles in a conducting sphere reach sensors around it."""

import numpy as np

from .._core.checks import RandomState, size


def leadfield(
    n_sensors: int, n_sources: int, *, random_state: RandomState = None
) -> np.ndarray:
    """Return a magnetoencephalography (MEG) forward operator, one column per dipole.

    Parameters
    ----------
    n_sensors : int
        Rows: planar gradiometers, two at each of ``n_sensors / 2`` places (204 on the
        helmets in use).
    n_sources : int
        Columns: current dipoles (8193 in the literature on fast MEG operators).
    random_state : None, int or numpy.random.Generator
        Where the sources are and point; the sensors do not depend on it.

    Returns
    -------
    ndarray of float64, shape (n_sensors, n_sources)
        Gradients of the field in fT/cm for dipoles of 1 nA·m. Always finite.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, or not positive.

    Notes
    -----
    The head is a conducting sphere centred at the origin, outside which a dipole Q
    at r0 has the field ([1]_, equation 25)

        B(r) = μ0 / (4π F²) · (F Q×r0 − (Q×r0 · r) ∇F),
        F = a (r a + r² − r0·r),    a = r − r0,
        ∇F = (a²/r + a·r/a + 2a + 2r) r − (a + 2r + a·r/a) r0,

    whatever the conductivity. Places are spread evenly on a helmet of radius 0.12 m,
    down to 20° below the horizon; each carries two gradiometers that measure the
    difference of the outward field between two points 16.8 mm apart, along a meridian
    and along a parallel. Sources lie between 0.05 and 0.085 m from the centre, above
    30° below the horizon, uniformly in that volume, with orientations uniform on the
    sphere: as with a folded cortex some are almost radial, hence almost silent.

    References
    ----------
    .. [1] J. Sarvas, "Basic mathematical and electromagnetic concepts of the
       biomagnetic inverse problem", Phys. Med. Biol. 32 (1987), 11-22.

    Examples
    --------
    >>> leadfield(204, 100, random_state=0).shape
    (204, 100)
    """
    n_sensors = size("n_sensors", n_sensors)
    n_sources = size("n_sources", n_sources)
    rng = np.random.default_rng(random_state)
    places, meridian, parallel = _helmet((n_sensors + 1) // 2)
    # Sensors 2i and 2i + 1 share place i; an odd count leaves the last one single.
    centre = np.repeat(places, 2, axis=0)[:n_sensors]
    along = np.stack([meridian, parallel], axis=1).reshape(-1, 3)[:n_sensors]
    sources, moments = _dipoles(n_sources, rng)
    outward = centre / np.linalg.norm(centre, axis=1, keepdims=True)
    ahead = _sarvas(centre + 0.0084 * along, outward, sources, moments)
    behind = _sarvas(centre - 0.0084 * along, outward, sources, moments)
    return (ahead - behind) / 0.0168 * 1e4  # T/m for 1 A·m -> fT/cm for 1 nA·m


def _helmet(n_places):
    """Return places (n_places, 3) and their unit vectors to the south and the east."""
    index = np.arange(n_places) + 0.5
    height = 1 - index / n_places * (1 + np.sin(np.radians(20)))
    angle = np.pi * (3 - np.sqrt(5)) * index  # Fibonacci's spiral
    cos, sin, flat = np.cos(angle), np.sin(angle), np.sqrt(1 - height**2)
    places = 0.12 * np.stack([flat * cos, flat * sin, height], axis=1)
    meridian = np.stack([height * cos, height * sin, -flat], axis=1)
    parallel = np.stack([-sin, cos, np.zeros(n_places)], axis=1)
    return places, meridian, parallel


def _dipoles(n_sources, rng):
    """Return places (n_sources, 3) in metres and unit moments (n_sources, 3)."""
    radius = np.cbrt(rng.uniform(0.05**3, 0.085**3, n_sources))
    height = rng.uniform(-0.5, 1, n_sources)
    angle = rng.uniform(0, 2 * np.pi, n_sources)
    flat = np.sqrt(1 - height**2)
    unit = np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=1)
    moments = rng.standard_normal((n_sources, 3))
    moments /= np.linalg.norm(moments, axis=1, keepdims=True)
    return radius[:, None] * unit, moments


def _sarvas(points, normals, sources, moments):
    """Return the field along `normals` at `points`: (n_points, n_sources), tesla."""
    r2 = np.sum(points**2, axis=1)[:, None]
    r = np.sqrt(r2)
    r_r0 = points @ sources.T
    a2 = r2 + np.sum(sources**2, axis=1) - 2 * r_r0  # never near 0: 3.5 cm apart
    a = np.sqrt(a2)
    a_r = r2 - r_r0
    turn = np.cross(moments, sources)
    f = a * (r * a + a_r)
    towards = np.sum(points * normals, axis=1)[:, None]
    gradient = (a2 / r + a_r / a + 2 * a + 2 * r) * towards
    gradient -= (a + 2 * r + a_r / a) * (normals @ sources.T)
    field = f * (normals @ turn.T) - (points @ turn.T) * gradient
    return 1e-7 * field / f**2  # mu0 / 4 pi
